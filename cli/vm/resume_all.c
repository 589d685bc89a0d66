// SPDX-License-Identifier: GPL-2.0
/* holdfast vm resume --all: every VM that came from the last kernel and waits, side by side. */
#include "../cli.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <holdfast/util.h>

/* One VM, and the process that becomes its VMM. */
struct one {
	const char *name;
	pid_t pid;
	int pidfd; /* -1: it has ended, and was waited for */
	bool running;
};

/* A process that says `vm resume NAME`. */
static int start(struct one *o, bool json, struct hf_error *e)
{
	o->pidfd = -1;
	o->pid = fork();
	if (o->pid < 0)
		return hf_fail_errno(e, errno, "fork");
	if (!o->pid) {
		/* It becomes a VMM, which Ctrl-C on our terminal is not for. */
		setsid();
		execl("/proc/self/exe", "holdfast", "vm", "resume", o->name, json ? "--json" : NULL,
		      NULL);
		cli_say("%s: cannot execute holdfast: %s", o->name, strerror(errno));
		_exit(CLI_FAILED);
	}
	o->pidfd = (int)syscall(SYS_pidfd_open, o->pid, 0);
	return o->pidfd < 0 ? hf_fail_errno(e, errno, "pidfd_open") : 0;
}

/* Is it known what becomes of it? */
static bool decided(struct one *o)
{
	struct pollfd p = { .fd = o->pidfd, .events = POLLIN };
	struct hf_error e;
	struct hf_run r;

	if (o->running || o->pidfd < 0)
		return true;
	if (!hf_run_read(cli_run_dir(), o->name, &r, &e))
		o->running = r.state == HF_RUNNING && r.pid == o->pid;
	hf_run_free(&r);
	if (o->running || poll(&p, 1, 0) < 1)
		return o->running;
	/* It has said why. */
	waitpid(o->pid, NULL, 0);
	close(o->pidfd);
	o->pidfd = -1;
	return true;
}

static int wait_all(struct one *list, size_t n, int watch, struct hf_error *e)
{
	struct pollfd *p = hf_calloc(n + 1, sizeof(*p), e);
	size_t open;

	if (!p)
		return -ENOMEM;
	do {
		/* Before looking: what is written after it wakes us again. */
		hf_watch_drain(watch);
		open = 0;
		for (size_t i = 0; i < n; i++)
			if (!decided(&list[i]))
				p[++open] =
					(struct pollfd){ .fd = list[i].pidfd, .events = POLLIN };
		p[0] = (struct pollfd){ .fd = watch, .events = POLLIN };
		if (open && poll(p, open + 1, -1) < 0 && errno != EINTR)
			open = 0;
	} while (open);
	free(p);
	return 0;
}

static int resume_all(struct one *list, size_t n, bool json, int watch)
{
	int code = CLI_OK;
	struct hf_error e;

	for (size_t i = 0; i < n; i++)
		if (start(&list[i], json, &e))
			code = cli_fail(list[i].name, false, &e, json);
	if (wait_all(list, n, watch, &e))
		code = cli_fail(NULL, false, &e, json);
	for (size_t i = 0; i < n; i++)
		if (!list[i].running)
			code = CLI_FAILED;
	return code;
}

/* Those that wait, and those that an earlier attempt has left held. Return: how many, or -errno. */
static int find_waiting(struct one **list, char ***names, struct hf_error *e)
{
	size_t n = 0;
	int err = hf_run_names(cli_run_dir(), names, e);

	for (char **name = err ? NULL : *names; !err && *name; name++) {
		struct hf_error ignored;
		struct hf_run r;
		struct one *o;

		if (!hf_run_read(cli_run_dir(), *name, &r, &ignored) &&
		    (r.state == HF_WAITING || r.state == HF_HELD)) {
			o = hf_append(list, &n, sizeof(*o), e);
			if (o)
				o->name = *name;
			err = o ? 0 : -ENOMEM;
		}
		hf_run_free(&r);
	}
	return err ? err : (int)n;
}

int cli_resume_all(bool json)
{
	struct one *list = NULL;
	char **names = NULL;
	struct hf_error e;
	int watch, n, code;

	cli_collect();
	watch = hf_watch_open(cli_run_dir(), &e);
	if (watch < 0)
		return cli_fail(NULL, false, &e, json);
	n = find_waiting(&list, &names, &e);
	if (n < 0)
		code = cli_fail(NULL, false, &e, json);
	else
		code = resume_all(list, (size_t)n, json, watch);
	if (!n)
		cli_say("no VM that came from the last kernel waits");
	close(watch);
	free(list);
	hf_strv_free(names);
	return code;
}
