// SPDX-License-Identifier: GPL-2.0
/* holdfast vm cancel: a VM that waits for the kexec goes on in this kernel. */
#include "../cli.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <holdfast/lock.h>
#include <holdfast/util.h>

#define PATIENCE_US 30000000

static int terminate(int pidfd)
{
	return syscall(SYS_pidfd_send_signal, pidfd, SIGTERM, NULL, 0) < 0 ? -errno : 0;
}

static bool pending(enum hf_state state)
{
	return state == HF_SAVING || state == HF_READY;
}

/* Nobody can jump while we look and signal; who wants to afterwards sees the signal. */
static int signal_it(const char *name, struct hf_error *e)
{
	struct hf_run r;
	int pidfd, err;

	err = hf_run_read(cli_run_dir(), name, &r, e);
	if (!err && !pending(r.state))
		err = hf_fail_text(e, EALREADY, "VM %s is %s: there is nothing to cancel", name,
				   hf_state_name(r.state));
	pidfd = err ? err : hf_run_pidfd(&r, e);
	err = pidfd < 0 ? pidfd : terminate(pidfd);
	if (err && pidfd >= 0) {
		hf_fail_errno(e, -err, "signal process %d", (int)r.pid);
		close(pidfd);
	}
	hf_run_free(&r);
	return err ? err : pidfd;
}

int cli_call_off(const char *name, struct hf_error *e)
{
	int lock = hf_lock_open(cli_run_dir(), name, e), err;

	if (lock < 0)
		return lock;
	err = hf_lock(lock, HF_LOCK_JUMP, HF_SHARED, 0, e);
	if (err == -EBUSY)
		hf_fail_text(e, EBUSY, "VM %s: too late, the host is jumping into the next kernel",
			     name);
	if (!err)
		err = signal_it(name, e);
	close(lock);
	return err;
}

/* Killed: the kernel has undone everything, but nobody has the VM. */
static void record_killed(struct hf_run *r)
{
	struct hf_error e;
	int lock = hf_lock_open(cli_run_dir(), r->name, &e);

	r->state = HF_FAILED;
	snprintf(r->reason, sizeof(r->reason), "its process was killed");
	/* Unless somebody else goes by that name by now. */
	if (lock >= 0 && !hf_lock(lock, HF_LOCK_OWNER, HF_ALONE, 0, &e))
		cli_record(r);
	if (lock >= 0)
		close(lock);
}

int cli_wait_cancelled(const char *name, int pidfd, int watch, uint64_t end_us, struct hf_run *r,
		       struct hf_error *e)
{
	struct pollfd p[] = { { .fd = watch, .events = POLLIN },
			      { .fd = pidfd, .events = POLLIN } };
	bool gone = false;
	int err, left;

	for (;;) {
		/* Before looking: what is written after it wakes us again. */
		hf_watch_drain(watch);
		err = hf_run_read(cli_run_dir(), name, r, e);
		if (err || !pending(r->state))
			return err;
		if (gone) {
			record_killed(r);
			return 0;
		}
		left = hf_ms_until(end_us);
		if (!left)
			return hf_fail_text(e, ETIMEDOUT, "VM %s does not give up being %s", name,
					    hf_state_name(r->state));
		if (poll(p, 2, left) < 0 && errno != EINTR)
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
	pidfd = cli_call_off(name, e);
	err = pidfd < 0 ? pidfd
			: cli_wait_cancelled(name, pidfd, watch, hf_now_us() + PATIENCE_US, r, e);
	if (pidfd >= 0)
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
	hf_run_init(&r, argv[optind]);
	err = cancel(argv[optind], &r, &e);
	if (err) {
		hf_run_free(&r);
		return cli_fail(argv[optind], err == -EBUSY || err == -EALREADY, &e, json);
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
