// SPDX-License-Identifier: LGPL-2.1-or-later
/* The keeper: what the worker does with it. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <holdfast/lock.h>
#include <holdfast/util.h>

#include "keeper.h"

#define PATIENCE_S 10

/* As a fork, but for the descriptors: there is one table of them. */
static pid_t fork_sharing(void)
{
	return (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
}

/*
 * Twice, so that the keeper is nobody's child: the worker becomes a VMM, which does not wait
 * for children it does not know of. Return: 1 in the keeper, 0, -errno.
 */
static int fork_away(struct hf_error *e)
{
	pid_t pid = fork_sharing();
	int status;

	if (pid < 0)
		return hf_fail_errno(e, errno, "fork");
	if (!pid) {
		/* Ctrl-C on the terminal is for the VMM alone. */
		setsid();
		pid = fork_sharing();
		if (!pid)
			return 1;
		_exit(pid < 0);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return hf_fail_errno(e, errno, "waitpid");
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return hf_fail_errno(e, EAGAIN, "fork");
	return 0;
}

/*
 * Our own descriptors go as far up as any VM may have some, or as the hard limit lets us. They
 * do not move afterwards: the keeper has the same numbers.
 */
static int choose_base(struct hf_keeper *k, struct hf_error *e)
{
	rlim_t need = HF_FD_LIMIT + HF_KEEPER_FDS;
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim) < 0)
		return hf_fail_errno(e, errno, "getrlimit");
	k->limit = lim;
	if (lim.rlim_max < need) {
		struct rlimit more = { .rlim_cur = need, .rlim_max = need };

		if (!setrlimit(RLIMIT_NOFILE, &more))
			lim = more;
	}
	need = lim.rlim_max < need ? lim.rlim_max : need;
	if (need < 2 * HF_KEEPER_FDS)
		return hf_fail_text(e, EMFILE, "the limit of open files, %llu, is too low",
				    (unsigned long long)need);
	if (lim.rlim_cur < need) {
		lim.rlim_cur = need;
		if (setrlimit(RLIMIT_NOFILE, &lim) < 0)
			return hf_fail_errno(e, errno, "setrlimit");
	}
	k->base = (int)need - HF_KEEPER_FDS;
	return 0;
}

static int open_descriptors(struct hf_keeper *k, struct hf_error *e)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	int pair[2], err = choose_base(k, e);

	if (err)
		return err;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return hf_fail_errno(e, errno, "socketpair");
	/* Both ends are open as long as we are: that the keeper is gone is seen by its silence. */
	setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	k->channel = pair[0];
	k->peer = pair[1];
	k->worker = (int)syscall(SYS_pidfd_open, getpid(), 0);
	if (k->worker < 0)
		return hf_fail_errno(e, errno, "pidfd_open");
	k->take = hf_lock_open(k->dir, k->name, e);
	if (k->take < 0)
		return k->take;
	k->shared->owner = hf_lock_open(k->dir, k->name, e);
	if (k->shared->owner < 0)
		return k->shared->owner;
	err = hf_fd_above(&k->channel, k->base, e);
	err = err ?: hf_fd_above(&k->peer, k->base, e);
	err = err ?: hf_fd_above(&k->worker, k->base, e);
	err = err ?: hf_fd_above(&k->take, k->base, e);
	return err ?: hf_fd_above(&k->shared->owner, k->base, e);
}

static int tell(struct hf_keeper *k, struct hf_keeper_word word, struct hf_error *e)
{
	int err;

	if (send(k->channel, &word, sizeof(word), MSG_NOSIGNAL) < 0)
		return hf_fail_errno(e, errno, "the keeper");
	while (recv(k->channel, &err, sizeof(err), 0) != sizeof(err))
		if (errno != EINTR)
			return hf_fail_errno(e, errno, "the keeper");
	return err ? hf_fail_errno(e, -err, "the keeper, process %d", (int)k->shared->keeper) : 0;
}

int hf_keeper_start(struct hf_keeper *k, struct hf_error *e)
{
	pid_t worker = getpid();
	int err, ready;

	k->take = k->worker = k->channel = k->peer = -1;
	k->shared = mmap(NULL, sizeof(*k->shared), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (k->shared == MAP_FAILED)
		return hf_fail_errno(e, errno, "shared memory");
	k->shared->session = k->shared->owner = k->shared->earlier = -1;
	err = open_descriptors(k, e);
	if (!err)
		err = hf_lock(k->take, HF_LOCK_TAKE, HF_ALONE, 0, e);
	if (err == -EBUSY)
		hf_fail_text(e, EBUSY, "another process is about to resume it");
	if (!err)
		err = fork_away(e);
	if (err == 1)
		hf_keeper_main(k, worker);
	/* It has blocked all signals by then. */
	while (!err && recv(k->channel, &ready, sizeof(ready), 0) < 0)
		if (errno != EINTR)
			err = hf_fail_errno(e, errno, "the keeper");
	return err;
}

int hf_keeper_watch(struct hf_keeper *k, int ours, int theirs, struct hf_error *e)
{
	return tell(
		k, (struct hf_keeper_word){ .word = HF_WORD_WATCH, .ours = ours, .theirs = theirs },
		e);
}

int hf_keeper_hold(struct hf_keeper *k, const char *why, struct hf_error *e)
{
	int err;

	snprintf(k->shared->reason, sizeof(k->shared->reason), "%s", why);
	err = tell(k, (struct hf_keeper_word){ .word = HF_WORD_HOLD }, e);
	if (err && kill(k->shared->keeper, 0) < 0 && errno == ESRCH)
		/* It was killed: nobody else can hold the VM, so this process does. */
		hf_keeper_stay(k);
	return err;
}

int hf_keeper_limit(const struct hf_keeper *k, int end, struct hf_error *e)
{
	struct rlimit lim = k->limit;

	if (lim.rlim_cur < (rlim_t)end + HF_KEEPER_FDS)
		lim.rlim_cur = (rlim_t)end + HF_KEEPER_FDS;
	if (lim.rlim_max < lim.rlim_cur)
		lim.rlim_max = lim.rlim_cur;
	return setrlimit(RLIMIT_NOFILE, &lim) < 0 ? hf_fail_errno(e, errno, "setrlimit") : 0;
}

void hf_keeper_dismiss(struct hf_keeper *k)
{
	const struct hf_keeper_word word = { .word = HF_WORD_DISMISS };

	/* If it does not hear it, it sees us end. */
	k->shared->hands = HF_HANDS_EMPTY;
	send(k->channel, &word, sizeof(word), MSG_NOSIGNAL);
}
