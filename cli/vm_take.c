// SPDX-License-Identifier: GPL-2.0
/*
 * holdfast vm resume, first part: get hold of the VM, from the kernel, or from the
 * keeper that an earlier attempt has left behind. All or nothing.
 */
#include "cli.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <holdfast/luo.h>
#include <holdfast/util.h>

#define KEEPER_PATIENCE_MS 10000

static int take_fd(int keeper, int fd, struct hf_error *e)
{
	int got = (int)syscall(SYS_pidfd_getfd, keeper, fd, 0);

	return got < 0 ? hf_fail_errno(e, errno, "take fd %d from the keeper", fd) : got;
}

/* As many descriptors as the VM has numbers, and some for us above them. */
static int raise_limit(int end, struct hf_error *e)
{
	rlim_t need = (rlim_t)end + 64;
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim) < 0)
		return hf_fail_errno(e, errno, "getrlimit");
	if (lim.rlim_cur >= need)
		return 0;
	lim.rlim_cur = need;
	if (lim.rlim_max < need)
		lim.rlim_max = need;
	if (setrlimit(RLIMIT_NOFILE, &lim) < 0)
		return hf_fail_errno(e, errno, "the VM has descriptors up to %d: setrlimit", end);
	return 0;
}

int cli_move_up(struct resume *r, struct hf_error *e)
{
	int end = hf_manifest_fd_end(&r->m), err;

	err = raise_limit(end, e);
	if (!err)
		err = hf_fd_above(&r->session, end, e);
	if (!err)
		err = hf_fd_above(&r->manifest, end, e);
	if (!err)
		err = hf_fd_above(&r->state, end, e);
	return err;
}

int cli_read_manifest(struct resume *r, struct hf_error *e)
{
	size_t len;
	char *text;
	int err;

	err = hf_read_all(r->manifest, "the manifest", HF_MANIFEST_MAX, &text, &len, e);
	if (err)
		return err;
	hf_manifest_free(&r->m);
	err = hf_manifest_parse(&r->m, text, len, e);
	free(text);
	if (!err && strcmp(r->m.name, r->name))
		err = hf_fail_text(e, EINVAL, "the manifest is of VM %s", r->m.name);
	if (err)
		hf_manifest_free(&r->m);
	return err;
}

/* Everything that the keeper behind *@keeper has. *@keeper moves out of the way. */
static int take_files(struct resume *r, int *keeper, const struct hf_kept *k, struct hf_error *e)
{
	int err;

	r->session = take_fd(*keeper, k->session, e);
	if (r->session < 0)
		return r->session;
	/* Whatever wrote the run file: only the kernel knows what this is. */
	err = hf_luo_check_name(r->session, r->name, e);
	if (err || k->manifest < 0)
		return err;
	r->manifest = take_fd(*keeper, k->manifest, e);
	if (r->manifest < 0)
		return r->manifest;
	if (k->state >= 0) {
		r->state = take_fd(*keeper, k->state, e);
		if (r->state < 0)
			return r->state;
	}
	if (!k->progress.fds)
		return 0;
	/* Only with a manifest that was good does a keeper have any of these. */
	err = cli_read_manifest(r, e);
	if (!err)
		err = cli_move_up(r, e);
	if (!err)
		err = hf_fd_above(keeper, hf_manifest_fd_end(&r->m), e);
	if (!err && k->progress.fds > r->m.nfds)
		err = hf_fail_text(e, EINVAL, "the keeper claims to have more than the VM had");
	for (size_t i = 0; !err && i < k->progress.fds; i++) {
		int fd = take_fd(*keeper, r->m.fds[i].fd, e);

		err = fd < 0 ? fd : hf_fd_place(fd, r->m.fds[i].fd, e);
	}
	r->progress = k->progress;
	return err;
}

/* Until the keeper is told to go it holds the VM, whatever becomes of us. */
static int take_from_keeper(struct resume *r, const struct hf_run *held, int *keeper,
			    struct hf_error *e)
{
	struct pollfd p = { .events = POLLIN };
	int err;

	err = take_files(r, keeper, &held->kept, e);
	if (err)
		return err;
	p.fd = *keeper;
	err = syscall(SYS_pidfd_send_signal, *keeper, SIGTERM, NULL, 0) < 0 ? -errno : 0;
	if (err && err != -ESRCH)
		return hf_fail_errno(e, -err, "end the keeper, process %d", (int)held->pid);
	if (poll(&p, 1, KEEPER_PATIENCE_MS) != 1)
		return hf_fail_text(e, ETIMEDOUT, "the keeper, process %d, does not end",
				    (int)held->pid);
	return 0;
}

static int take_from_kernel(struct resume *r, struct hf_error *e)
{
	r->session = hf_luo_retrieve(r->name, e);
	return r->session < 0 ? r->session : 0;
}

int cli_take(struct resume *r, struct hf_error *e)
{
	struct hf_run last;
	int err, pidfd;

	err = hf_run_read(cli_run_dir(), r->name, &last, e);
	if (err) {
		hf_run_free(&last);
		/* No record is as it should be in a new kernel; a damaged one is no help. */
		if (err != -ENOENT)
			cli_say("%s", e->text);
		return take_from_kernel(r, e);
	}
	pidfd = hf_run_pidfd(&last, e);
	if (pidfd < 0)
		err = take_from_kernel(r, e);
	else if (last.state == HF_HELD && last.has_kept && last.kept.session >= 0)
		err = take_from_keeper(r, &last, &pidfd, e);
	else
		err = hf_fail_text(e, EBUSY, "VM %s is %s, as process %d", r->name,
				   hf_state_name(last.state), (int)last.pid);
	if (pidfd >= 0)
		close(pidfd);
	hf_run_free(&last);
	return err;
}
