// SPDX-License-Identifier: GPL-2.0
/* holdfast vm cancel: a VM that waits for the kexec goes on in this kernel. */
#include "cli.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <holdfast/util.h>

#define PATIENCE_US 30000000

int cli_terminate(int pidfd)
{
	return syscall(SYS_pidfd_send_signal, pidfd, SIGTERM, NULL, 0) < 0 ? -errno : 0;
}

static bool pending(enum hf_state state)
{
	return state == HF_SAVING || state == HF_READY;
}

int cli_wait_cancelled(const char *name, int pidfd, int watch, uint64_t end_us, struct hf_run *r,
		       struct hf_error *e)
{
	struct pollfd p[] = { { .fd = watch, .events = POLLIN },
			      { .fd = pidfd, .events = POLLIN } };
	bool gone = false;
	uint64_t now;
	int err;

	for (;;) {
		/* Before looking: what is written after it wakes us again. */
		hf_watch_drain(watch);
		err = hf_run_read(cli_run_dir(), name, r, e);
		if (err || !pending(r->state))
			return err;
		if (gone) {
			/* Killed: the kernel has undone everything, but nobody has the VM. */
			r->state = HF_FAILED;
			snprintf(r->reason, sizeof(r->reason), "its process was killed");
			cli_record(r);
			return 0;
		}
		now = hf_now_us();
		if (now >= end_us)
			return hf_fail_text(e, ETIMEDOUT, "VM %s does not give up being %s", name,
					    hf_state_name(r->state));
		if (poll(p, 2, (int)((end_us - now) / 1000 + 1)) < 0 && errno != EINTR)
			return hf_fail_errno(e, errno, "poll");
		gone = p[1].revents;
		hf_run_free(r);
	}
}

static int cancel(const char *name, struct hf_run *r, struct hf_error *e)
{
	int watch, pidfd, err;

	/* Before the signal, so that nothing is missed. */
	watch = hf_watch_open(cli_run_dir(), e);
	if (watch < 0)
		return watch;
	pidfd = hf_run_pidfd(r, e);
	hf_run_free(r);
	if (pidfd < 0)
		return pidfd;
	err = cli_terminate(pidfd);
	if (err)
		return hf_fail_errno(e, -err, "signal process %d", (int)r->pid);
	err = cli_wait_cancelled(name, pidfd, watch, hf_now_us() + PATIENCE_US, r, e);
	close(pidfd);
	close(watch);
	return err;
}

static int run(int argc, char **argv)
{
	struct hf_error e;
	struct hf_run r;
	bool json;
	int err;

	if (!cli_json_only(&cli_vm_cancel, argc, argv, &json, &err))
		return err;
	if (argc - optind != 1 || !hf_name_valid(argv[optind]))
		return cli_usage(&cli_vm_cancel, "one NAME");
	err = hf_run_read(cli_run_dir(), argv[optind], &r, &e);
	if (!err && !pending(r.state)) {
		cli_say("VM %s is %s: there is nothing to cancel", r.name, hf_state_name(r.state));
		hf_run_free(&r);
		return CLI_REFUSED;
	}
	if (!err)
		err = cancel(argv[optind], &r, &e);
	if (err) {
		cli_say("%s", e.text);
		return CLI_FAILED;
	}
	cli_report(&r, json);
	err = r.state == HF_RUNNING || r.state == HF_REFUSED ? CLI_OK : CLI_FAILED;
	hf_run_free(&r);
	return err;
}

const struct cli_command cli_vm_cancel = {
	.name = "vm cancel",
	.run = run,
	.usage = "NAME [--json]",
	.help = "Give up the update of a VM that is \"ready\". It goes on in this kernel.\n\n"
		"  --json  say what has become of it as JSON on stdout\n",
};
