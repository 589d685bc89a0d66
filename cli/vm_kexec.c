// SPDX-License-Identifier: GPL-2.0
/* holdfast vm kexec: wait until all VMs are preserved, then jump. All or none. */
#include "cli.h"

#include <errno.h>
#include <getopt.h>
#include <json-c/json.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <holdfast/kexec.h>
#include <holdfast/util.h>

#define PATIENCE_US 30000000

/*
 * A VM whose last update was refused stays "refused" until the next one begins, which
 * may be under way: QEMU takes a moment from "migrate" to executing holdfast.
 */
#define GRACE_US 5000000

struct wait {
	char **names;
	bool *old; /* by name: refused before we came, and not yet begun again */
	int watch, signals;
	uint64_t start_us, end_us;
};

/* What stands in the way of the jump: 0 nothing, 1 not yet, -errno a refusal in @e. */
static int look_at(struct wait *w, size_t i, struct hf_error *e)
{
	const char *name = w->names[i];
	struct hf_run r;
	int err = hf_run_read(cli_run_dir(), name, &r, e), fd;
	bool refused = r.state == HF_REFUSED || r.state == HF_FAILED;

	hf_run_free(&r);
	/* There may be nothing yet, or what an earlier update has left. */
	if (err)
		return err == -ENOENT ? 1 : err;
	if (!refused)
		w->old[i] = false;
	if (refused && w->old[i] && hf_now_us() < w->start_us + GRACE_US)
		return 1;
	if (refused)
		return hf_fail_text(e, EPERM, "VM %s is %s: %.900s", name, hf_state_name(r.state),
				    r.reason);
	if (r.state != HF_READY)
		return 1;
	fd = hf_run_pidfd(&r, e);
	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

static bool any(const bool *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (list[i])
			return true;
	return false;
}

/* Return: 0 all are ready; -ETIMEDOUT, or why one never will be. */
static int wait_ready(struct wait *w, struct hf_error *e)
{
	struct pollfd p[] = { { .fd = w->watch, .events = POLLIN },
			      { .fd = w->signals, .events = POLLIN } };
	size_t n = hf_strv_len(w->names);

	for (;;) {
		const char *missing = NULL;
		uint64_t now, until = w->end_us;

		hf_watch_drain(w->watch);
		for (size_t i = 0; i < n; i++) {
			int err = look_at(w, i, e);

			if (err < 0)
				return err;
			if (err)
				missing = w->names[i];
		}
		if (!missing)
			return 0;
		now = hf_now_us();
		if (now >= until)
			return hf_fail_text(
				e, ETIMEDOUT,
				"VM %s is not ready: was its migration to \"holdfast vm "
				"save %s\" started?",
				missing, missing);
		if (any(w->old, n) && until > w->start_us + GRACE_US)
			until = w->start_us + GRACE_US;
		if (poll(p, 2, (int)((until - now) / 1000 + 1)) < 0 && errno != EINTR)
			return hf_fail_errno(e, errno, "poll");
		if (p[1].revents)
			return hf_fail_text(e, EINTR, "interrupted");
	}
}

/* VMs that wait must not be left waiting when somebody presses Ctrl-C. */
static int open_signals(struct hf_error *e)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	return fd < 0 ? hf_fail_errno(e, errno, "signalfd") : fd;
}

static int wait_for_all(char **names, long timeout_s, int watch, struct hf_error *e)
{
	size_t n = hf_strv_len(names);
	struct wait w = { .names = names, .watch = watch, .start_us = hf_now_us() };
	int err = -ENOMEM;

	w.end_us = w.start_us + (uint64_t)timeout_s * 1000000;
	w.signals = open_signals(e);
	if (w.signals < 0)
		return w.signals;
	w.old = hf_calloc(n, sizeof(*w.old), e);
	if (w.old) {
		memset(w.old, true, n * sizeof(*w.old));
		err = wait_ready(&w, e);
	}
	free(w.old);
	close(w.signals);
	return err;
}

/* Send all back that still wait, and see them go. Return: whether all went. */
static bool cancel_all(char **names, int watch)
{
	size_t n = hf_strv_len(names);
	int *fds = calloc(n + 1, sizeof(*fds));
	bool all = fds;
	struct hf_error e;
	struct hf_run r;

	for (size_t i = 0; fds && i < n; i++) {
		fds[i] = -1;
		if (!hf_run_read(cli_run_dir(), names[i], &r, &e) &&
		    (r.state == HF_READY || r.state == HF_SAVING))
			fds[i] = hf_run_pidfd(&r, &e);
		hf_run_free(&r);
		if (fds[i] >= 0)
			cli_terminate(fds[i]);
	}
	for (size_t i = 0; fds && i < n; i++) {
		if (fds[i] < 0)
			continue;
		if (cli_wait_cancelled(names[i], fds[i], watch, hf_now_us() + PATIENCE_US, &r,
				       &e)) {
			cli_say("%s", e.text);
			all = false;
		} else if (r.state != HF_RUNNING && r.state != HF_REFUSED) {
			cli_say("VM %s is %s: %s", names[i], hf_state_name(r.state), r.reason);
			all = false;
		}
		hf_run_free(&r);
		close(fds[i]);
	}
	free(fds);
	return all;
}

static int kexec(char **names, long timeout_s, struct hf_error *e)
{
	int watch = hf_watch_open(cli_run_dir(), e), err;

	if (watch < 0)
		return CLI_FAILED;
	err = hf_kexec_loaded(e);
	if (!err)
		err = wait_for_all(names, timeout_s, watch, e);
	if (!err)
		err = hf_kexec_jump(e);
	/* Whatever it was: the VMs have waited long enough. */
	return cancel_all(names, watch) ? CLI_REFUSED : CLI_FAILED;
}

static void report(const struct hf_error *e, int code, bool json)
{
	struct json_object *o;

	cli_say("%s", e->text);
	if (code == CLI_REFUSED)
		cli_say("no kexec: the VMs go on in this kernel");
	if (!json)
		return;
	o = json_object_new_object();
	json_object_object_add(o, "result",
			       json_object_new_string(code == CLI_REFUSED ? "refused" : "failed"));
	json_object_object_add(o, "reason", json_object_new_string(e->text));
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "timeout", required_argument, NULL, 't' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	long timeout_s = 60;
	bool json = false;
	struct hf_error e;
	int c;

	while ((c = getopt_long(argc, argv, "ht:", options, NULL)) != -1) {
		switch (c) {
		case 't':
			if (!cli_number(optarg, 0, 86400, &timeout_s))
				return cli_usage(&cli_vm_kexec, "--timeout wants seconds");
			break;
		case 'j':
			json = true;
			break;
		case 'h':
			return cli_help(&cli_vm_kexec);
		default:
			return cli_usage(&cli_vm_kexec, "wrong option");
		}
	}
	if (optind == argc)
		return cli_usage(&cli_vm_kexec, "NAME is missing");
	for (int i = optind; i < argc; i++)
		if (!hf_name_valid(argv[i]))
			return cli_usage(&cli_vm_kexec, "%s is no name of a VM", argv[i]);
	c = kexec(argv + optind, timeout_s, &e);
	report(&e, c, json);
	return c;
}

const struct cli_command cli_vm_kexec = {
	.name = "vm kexec",
	.run = run,
	.usage = "NAME... [--timeout S] [--json]",
	.help = "Wait until every NAME is \"ready\", then jump into the loaded kernel. If one is\n"
		"refused, or the kernel refuses, all of them go on in this kernel.\n\n"
		"  --timeout S  how long to wait for them, 60 by default\n"
		"  --json       say why not as JSON on stdout\n",
};
