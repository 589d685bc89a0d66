// SPDX-License-Identifier: GPL-2.0
/* QMP as QEMU speaks it to one who waits for an incoming migration. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fake_vm.h"

/* Whoever has heard enough does not wait for the rest; to QEMU that is nothing either. */
static void say(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) < 0 && errno != EPIPE)
		exit(9);
}

static void answer(int fd, const char *mode, const char *line, int *asked)
{
	const char *status = *asked && strcmp(mode, "fail") ? mode : "inmigrate";
	char text[200];

	if (strstr(line, "qmp_capabilities")) {
		say(fd, "{\"return\": {}, \"id\": \"open\"}\r\n");
	} else if (strstr(line, "query-status")) {
		snprintf(text, sizeof(text),
			 "{\"return\": {\"status\": \"%s\"}, \"id\": \"status\"}\r\n",
			 strcmp(status, "go") && strcmp(status, "again") ? status : "running");
		say(fd, text);
		/* In two pieces: a message may come in as many as it likes. */
		if (!(*asked)++ && !strcmp(mode, "go")) {
			say(fd, "{\"event\": \"RES");
			say(fd, "UME\"}\r\n");
		}
	} else if (strstr(line, "query-migrate")) {
		say(fd, strcmp(mode, "fail")
				? "{\"return\": {\"status\": \"active\"}, \"id\": \"migrate\"}\r\n"
				: "{\"return\": {\"status\": \"failed\", \"error-desc\": \"no such "
				  "section\"}, \"id\": \"migrate\"}\r\n");
	}
}

bool fake_vm_qmp(int fd, const char *mode)
{
	FILE *f = fdopen(dup(fd), "r");
	char *line = NULL;
	size_t size = 0;
	int asked = 0;

	signal(SIGPIPE, SIG_IGN);
	if (!strcmp(mode, "mute")) {
		close(fd);
		return false;
	}
	say(fd, "{\"QMP\": {\"version\": {}, \"capabilities\": [\"oob\"]}}\r\n");
	while (getline(&line, &size, f) > 0) {
		answer(fd, mode, line, &asked);
		/* QEMU gives up by itself when an incoming migration fails. */
		if (!strcmp(mode, "fail") && strstr(line, "query-migrate"))
			return false;
	}
	free(line);
	fclose(f);
	return asked;
}
