// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Get hold of the VM, from the kernel, or from the keeper that an earlier attempt has
 * left behind. All or nothing, and only one can: it has HF_LOCK_TAKE.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <holdfast/lock.h>
#include <holdfast/luo.h>
#include <holdfast/util.h>

#include "keeper.h"

#define KEEPER_PATIENCE_MS 10000

static int take_fd(int keeper, int fd, struct hf_error *e)
{
	int got = (int)syscall(SYS_pidfd_getfd, keeper, fd, 0);

	return got < 0 ? hf_fail_errno(e, errno, "take fd %d from the keeper", fd) : got;
}

int hf_keeper_manifest(struct hf_keeper *k, struct hf_manifest *m, struct hf_error *e)
{
	size_t len;
	char *text;
	int err, fd;

	if (m->name[0])
		return 0;
	/* As often as we like: it is the same file each time. */
	fd = hf_luo_retrieve_fd(k->shared->session, HF_TOKEN_MANIFEST, "the manifest", e);
	if (fd < 0)
		return fd;
	err = hf_read_all(fd, "the manifest", HF_MANIFEST_MAX, &text, &len, e);
	close(fd);
	if (err)
		return err;
	err = hf_manifest_parse(m, text, len, e);
	free(text);
	if (!err && strcmp(m->name, k->name))
		err = hf_fail_text(e, EINVAL, "the manifest is of VM %s", m->name);
	if (!err && hf_manifest_fd_end(m) > k->base)
		err = hf_fail_text(e, EMFILE,
				   "the VM has descriptors up to %d, more than the limit of open "
				   "files allows",
				   hf_manifest_fd_end(m) - 1);
	if (err)
		hf_manifest_free(m);
	return err;
}

/* Above the VM's numbers, with the number written down. */
static int settle(struct hf_keeper *k, int *where, int fd, struct hf_error *e)
{
	if (fd < 0)
		return fd;
	*where = fd;
	return hf_fd_above(where, k->base, e);
}

/* Everything that the keeper behind @keeper has. */
static int take_files(struct hf_keeper *k, int keeper, const struct hf_kept *kept,
		      struct hf_manifest *m, struct hf_error *e)
{
	int err;

	err = settle(k, &k->shared->session, take_fd(keeper, kept->session, e), e);
	/* Whatever wrote the run file: only the kernel knows what this is. */
	if (!err)
		err = hf_luo_check_name(k->shared->session, k->name, e);
	if (err)
		return err;
	close(k->shared->owner);
	err = settle(k, &k->shared->owner, take_fd(keeper, kept->owner, e), e);
	if (err || !kept->progress.fds)
		return err;
	/* Only with a manifest that was good does a keeper have any of these. */
	err = hf_keeper_manifest(k, m, e);
	if (!err && kept->progress.fds > m->nfds)
		err = hf_fail_text(e, EINVAL, "the keeper claims to have more than the VM had");
	for (size_t i = 0; !err && i < kept->progress.fds; i++) {
		int fd = take_fd(keeper, m->fds[i].fd, e);

		err = fd < 0 ? fd : hf_fd_place(fd, m->fds[i].fd, e);
	}
	k->shared->progress = kept->progress;
	return err;
}

/* Until the keeper is told to go it holds the VM, whatever becomes of us. */
static int take_from_keeper(struct hf_keeper *k, const struct hf_run *held, struct hf_manifest *m,
			    struct hf_error *e)
{
	struct pollfd p = { .fd = k->shared->earlier, .events = POLLIN };
	int err;

	k->shared->hands = HF_HANDS_KEEPER;
	err = take_files(k, p.fd, &held->kept, m, e);
	if (err)
		return err;
	k->shared->hands = HF_HANDS_FULL;
	if (syscall(SYS_pidfd_send_signal, p.fd, SIGTERM, NULL, 0) < 0 && errno != ESRCH)
		return hf_fail_errno(e, errno, "end the keeper, process %d", (int)held->pid);
	if (poll(&p, 1, KEEPER_PATIENCE_MS) != 1)
		return hf_fail_text(e, ETIMEDOUT, "the keeper, process %d, does not end",
				    (int)held->pid);
	close(p.fd);
	k->shared->earlier = -1;
	return 0;
}

static int take_from_kernel(struct hf_keeper *k, struct hf_error *e)
{
	int fd;

	k->shared->hands = HF_HANDS_KERNEL;
	fd = hf_luo_retrieve(k->name, e);
	if (fd < 0)
		return fd;
	/* Whatever goes wrong from here on, it must not be closed. */
	k->shared->session = fd;
	k->shared->hands = HF_HANDS_FULL;
	return hf_fd_above(&k->shared->session, k->base, e);
}

/* Whose is it? Return: 1: it is with a keeper, behind k->shared->earlier; 0: nobody's; -errno. */
static int find_owner(struct hf_keeper *k, struct hf_run *last, struct hf_error *e)
{
	int pidfd, err = hf_run_read(k->dir, k->name, last, e);
	bool owned;

	owned = hf_lock(k->shared->owner, HF_LOCK_OWNER, HF_ALONE, 0, &(struct hf_error){ 0 });
	/* No record is as it should be in a new kernel; a damaged one is no help. */
	pidfd = err ? err : hf_run_pidfd(last, e);
	if (pidfd < 0)
		return owned ? hf_fail_text(e, EBUSY, "another process has the VM") : 0;
	if (pidfd >= 0 && owned && last->state == HF_HELD && last->has_kept) {
		err = settle(k, &k->shared->earlier, pidfd, e);
		return err ? err : 1;
	}
	if (pidfd >= 0)
		close(pidfd);
	return hf_fail_text(e, EBUSY, "VM %s is %s, as process %d", k->name,
			    hf_state_name(last->state), (int)last->pid);
}

int hf_keeper_take(struct hf_keeper *k, struct hf_manifest *m, struct hf_error *e)
{
	struct hf_run last;
	int err = find_owner(k, &last, e);

	if (err == 1)
		err = take_from_keeper(k, &last, m, e);
	else if (!err)
		err = take_from_kernel(k, e);
	/* Whoever has told of it was wrong, or it was resumed before that. */
	if (err == -ENOENT && last.state == HF_WAITING)
		hf_run_remove(k->dir, k->name);
	hf_run_free(&last);
	return err;
}
