// SPDX-License-Identifier: GPL-2.0
/* What the subcommands share. */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <holdfast/index.h>
#include <holdfast/util.h>

void cli_harmless(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

void cli_say(const char *fmt, ...)
{
	char line[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	cli_harmless(line);
	/* In one write: several VMs may share a log. */
	dprintf(STDERR_FILENO, "holdfast: %s\n", line);
}

int cli_usage(const struct cli_command *c, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	cli_say("%s: %s", c->name, line);
	cli_say("usage: holdfast %s %s", c->name, c->usage);
	return CLI_USAGE;
}

int cli_help(const struct cli_command *c)
{
	printf("Usage: holdfast %s %s\n\n%s", c->name, c->usage, c->help);
	return CLI_OK;
}

bool cli_json_only(const struct cli_command *c, int argc, char **argv, bool *json, int *code)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int o;

	*json = false;
	while ((o = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (o != 'j') {
			*code = o == 'h' ? cli_help(c) : cli_usage(c, "wrong option");
			return false;
		}
		*json = true;
	}
	return true;
}

const char *cli_run_dir(void)
{
	const char *dir = getenv("HOLDFAST_RUN_DIR");

	return dir && *dir ? dir : HF_RUN_DIR;
}

/* In one write, and freed. */
static void put_line(struct json_object *o)
{
	const char *text = json_object_to_json_string_ext(
		o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

	if (text)
		dprintf(STDOUT_FILENO, "%s\n", text);
	json_object_put(o);
}

void cli_report(const struct hf_run *r, bool json)
{
	if (r->reason[0])
		cli_say("%s: %s: %s", r->name[0] ? r->name : "vm", hf_state_name(r->state),
			r->reason);
	if (json)
		put_line(hf_run_json(r));
}

int cli_fail(const char *name, bool refused, const struct hf_error *e, bool json)
{
	struct json_object *o;

	cli_say("%s%s%s", name ? name : "", name ? ": " : "", e->text);
	if (json) {
		o = json_object_new_object();
		if (name)
			json_object_object_add(o, "name", json_object_new_string(name));
		json_object_object_add(o, "result",
				       json_object_new_string(refused ? "refused" : "failed"));
		json_object_object_add(o, "reason", json_object_new_string(e->text));
		put_line(o);
	}
	return refused ? CLI_REFUSED : CLI_FAILED;
}

void cli_record(const struct hf_run *r)
{
	struct hf_error e;

	if (hf_run_write(cli_run_dir(), r, &e))
		cli_say("%s: %s", r->name, e.text);
}

void cli_signals(sigset_t *set)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS, SIGABRT };

	sigfillset(set);
	for (size_t i = 0; i < HF_ARRAY_SIZE(faults); i++)
		sigdelset(set, faults[i]);
}

static void warn(const char *text)
{
	cli_say("%s", text);
}

void cli_collect(void)
{
	struct hf_error e;

	if (hf_index_collect(cli_run_dir(), warn, &e))
		cli_say("VMs that came from the last kernel may not be in the list: %s", e.text);
}

void cli_fix_stdio(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd < 3);
	if (fd >= 3)
		close(fd);
}

char **cli_split(int *argc, char **argv)
{
	for (int i = 0; i < *argc; i++) {
		if (strcmp(argv[i], "--"))
			continue;
		*argc = i;
		argv[i] = NULL;
		return argv[i + 1] ? argv + i + 1 : NULL;
	}
	return NULL;
}

bool cli_number(const char *text, long min, long max, long *n)
{
	char *end;

	errno = 0;
	*n = strtol(text, &end, 10);
	return end != text && !*end && !errno && *n >= min && *n <= max;
}
