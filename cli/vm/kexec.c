// SPDX-License-Identifier: GPL-2.0
/* holdfast vm kexec: wait until all VMs are preserved, then jump. All or none. */
#include "../cli.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <holdfast/kexec.h>
#include <holdfast/others.h>
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
	uint64_t grace_us, end_us; /* until when to wait for what should have begun; for the rest */
};

/* What is there of a VM. */
enum look {
	READY,
	BEGUN, /* there is somebody to wait for */
	NOT_BEGUN, /* its save should come in a moment, or never will */
};

/* The reason for anything but READY is in @e. Return: enum look, -errno: it will not be. */
static int judge(const struct hf_run *r, bool old, struct hf_error *e)
{
	bool refused = r->state == HF_REFUSED || r->state == HF_FAILED;
	int fd;

	hf_fail_text(e, ETIMEDOUT,
		     "VM %s is not ready, it is %s: was its migration to \"holdfast vm save %s\" "
		     "started?",
		     r->name, hf_state_name(r->state), r->name);
	if (refused) {
		hf_fail_text(e, EPERM, "VM %s is %s: %.900s", r->name, hf_state_name(r->state),
			     r->reason);
		return old ? NOT_BEGUN : -EPERM;
	}
	if (r->state == HF_WAITING)
		return hf_fail_text(e, EPERM,
				    "VM %s came from the last kernel and waits to be resumed",
				    r->name);
	fd = hf_run_pidfd(r, e);
	if (fd >= 0) {
		close(fd);
		return r->state == HF_READY ? READY : BEGUN;
	}
	if (fd == -ESRCH && r->state != HF_SAVING && r->state != HF_READY) {
		hf_fail_text(e, ESRCH, "VM %s is not there: its process, %d, has ended", r->name,
			     (int)r->pid);
		return NOT_BEGUN;
	}
	return fd;
}

static int look_at(struct wait *w, size_t i, struct hf_error *e)
{
	const char *name = w->names[i];
	struct hf_run r;
	int err = hf_run_read(cli_run_dir(), name, &r, e);

	if (err == -ENOENT) {
		hf_fail_text(e, ENOENT,
			     "VM %s is not ready: there is no VM named %s in %s; was its migration "
			     "to \"holdfast vm save %s\" started?",
			     name, name, cli_run_dir(), name);
		err = NOT_BEGUN;
	} else if (!err) {
		if (r.state != HF_REFUSED && r.state != HF_FAILED)
			w->old[i] = false;
		err = judge(&r, w->old[i], e);
	}
	hf_run_free(&r);
	return err;
}

/*
 * Look at all of them. Return: 0 all are ready; 1: wait for *@left ms and look again; -errno:
 * one never will be.
 */
static int look(struct wait *w, int *left, struct hf_error *e)
{
	bool all = true;

	*left = INT_MAX;
	for (size_t i = 0; w->names[i]; i++) {
		int verdict = look_at(w, i, e), ms;

		if (verdict < 0)
			return verdict;
		if (verdict == READY)
			continue;
		all = false;
		ms = hf_ms_until(verdict == NOT_BEGUN && w->grace_us < w->end_us ? w->grace_us
										 : w->end_us);
		if (!ms)
			return -e->num;
		*left = ms < *left ? ms : *left;
	}
	return all ? 0 : 1;
}

/* Return: 0 all are ready; -errno: why one is not, and will not be in time. */
static int wait_ready(struct wait *w, struct hf_error *e)
{
	struct pollfd p[] = { { .fd = w->watch, .events = POLLIN },
			      { .fd = w->signals, .events = POLLIN } };
	int err, left;

	for (;;) {
		/* Before looking: what is written after it wakes us again. */
		hf_watch_drain(w->watch);
		err = look(w, &left, e);
		if (err <= 0)
			return err;
		if (poll(p, 2, left) < 0 && errno != EINTR)
			return hf_fail_errno(e, errno, "poll");
		if (p[1].revents)
			return hf_fail_text(e, EINTR, "interrupted");
	}
}

/*
 * VMs that wait must not be left waiting when somebody presses Ctrl-C; nor may anything but
 * SIGKILL stop us while we hold them.
 */
static int open_signals(struct hf_error *e)
{
	sigset_t set;
	int fd;

	cli_signals(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	hf_jump_signals(&set);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	return fd < 0 ? hf_fail_errno(e, errno, "signalfd") : fd;
}

static int wait_for_all(char **names, long timeout_s, int watch, struct hf_error *e)
{
	size_t n = hf_strv_len(names);
	struct wait w = { .names = names, .watch = watch };
	uint64_t now = hf_now_us();
	int err = -ENOMEM;

	w.grace_us = now + GRACE_US;
	w.end_us = now + (uint64_t)timeout_s * 1000000;
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

/* See one go that was called off. Return: whether it did. */
static bool wait_gone(const char *name, int pidfd, int watch)
{
	struct hf_error e;
	struct hf_run r;
	bool gone;

	if (cli_wait_cancelled(name, pidfd, watch, hf_now_us() + PATIENCE_US, &r, &e)) {
		cli_say("%s", e.text);
		gone = false;
	} else {
		gone = r.state == HF_RUNNING || r.state == HF_REFUSED;
		if (!gone)
			cli_say("VM %s is %s: %s", name, hf_state_name(r.state), r.reason);
	}
	hf_run_free(&r);
	return gone;
}

/* Send all back that still wait, and see them go. Return: whether all went. */
static bool cancel_all(char **names, int watch)
{
	size_t n = hf_strv_len(names);
	int *fds = calloc(n + 1, sizeof(*fds));
	bool all = fds;
	struct hf_error e;

	for (size_t i = 0; fds && i < n; i++) {
		fds[i] = cli_call_off(names[i], &e);
		/* Those of another jump are its business. */
		if (fds[i] == -EBUSY)
			cli_say("%s", e.text);
	}
	for (size_t i = 0; fds && i < n; i++) {
		if (fds[i] < 0)
			continue;
		if (!wait_gone(names[i], fds[i], watch))
			all = false;
		close(fds[i]);
	}
	free(fds);
	return all;
}

static int jump(char **names, char **lose, struct hf_error *e)
{
	struct hf_jump j;
	int err = hf_jump_init(&j, cli_run_dir(), names, lose, e);

	if (err)
		return err;
	err = hf_kexec_jump(&j, e);
	hf_jump_free(&j);
	return err;
}

/* Returns if it comes to nothing. Return: whether all VMs go on. */
static bool kexec(char **names, char **lose, long timeout_s, struct hf_error *e)
{
	int watch = hf_watch_open(cli_run_dir(), e), err;
	bool all;

	if (watch < 0)
		return false;
	err = hf_kexec_loaded(e);
	cli_collect();
	/* Of VMs that are not ready yet we do not know the process. */
	if (!err)
		err = hf_others(cli_run_dir(), names, lose, false, e);
	if (!err)
		err = wait_for_all(names, timeout_s, watch, e);
	if (!err)
		jump(names, lose, e);
	/* Whatever it was: the VMs have waited long enough. */
	all = cancel_all(names, watch);
	close(watch);
	return all;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "timeout", required_argument, NULL, 't' },
		{ "lose", required_argument, NULL, 'l' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	long timeout_s = 60;
	char **lose = NULL;
	bool json = false;
	struct hf_error e;
	int c;

	while ((c = getopt_long(argc, argv, "ht:", options, NULL)) != -1) {
		switch (c) {
		case 't':
			if (!cli_number(optarg, 0, 86400, &timeout_s))
				return cli_usage(&cli_vm_kexec, "--timeout wants seconds");
			break;
		case 'l':
			if (!hf_others_valid(optarg))
				return cli_usage(&cli_vm_kexec, "--lose wants NAME or pid:N");
			if (!hf_strv_add(&lose, optarg, &e))
				return cli_fail(NULL, false, &e, json);
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
	c = cli_fail(NULL, kexec(argv + optind, lose, timeout_s, &e), &e, json);
	hf_strv_free(lose);
	if (c == CLI_REFUSED)
		cli_say("no kexec: the VMs go on in this kernel");
	return c;
}

const struct cli_command cli_vm_kexec = {
	.name = "vm kexec",
	.run = run,
	.usage = "NAME... [--timeout S] [--lose NAME|pid:N]... [--json]",
	.help = "Wait until every NAME is \"ready\", then jump into the loaded kernel. If one is\n"
		"refused, or the kernel refuses, all of them go on in this kernel. So they do if there\n"
		"is another VM, or a process with a vfio device, that would be lost.\n\n"
		"  --timeout S  how long to wait for them, 60 by default\n"
		"  --lose NAME|pid:N\n"
		"               this VM, or process with a vfio device, may be lost\n"
		"  --json       say why not as JSON on stdout\n",
};
