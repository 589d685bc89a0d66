// SPDX-License-Identifier: LGPL-2.1-or-later
/* The keeper: the process itself. */
#include <holdfast/keeper.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <holdfast/luo.h>
#include <holdfast/qmp.h>
#include <holdfast/util.h>

#include "keeper.h"

/* A VMM that was paused before the update takes over without saying so. */
#define ASK_AGAIN_MS 100

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* From here on our descriptors are ours alone. Return: 0 or -errno. */
static int separate(struct hf_keeper *k)
{
	if (unshare(CLONE_FILES) < 0)
		return -errno;
	close_one(&k->channel);
	/* Others may take the VM from us. */
	close_one(&k->take);
	return 0;
}

static void answer(struct hf_keeper *k, int err)
{
	send(k->peer, &err, sizeof(err), MSG_NOSIGNAL);
}

/* What the worker has written down, or as much of it as we know. */
static void read_record(struct hf_keeper *k, struct hf_run *r, pid_t worker)
{
	struct hf_error e;

	if (!hf_run_read(k->dir, k->name, r, &e) && r->pid == worker)
		return;
	hf_run_free(r);
	hf_run_init(r, k->name);
	hf_run_set_pid(r, worker);
}

static int record_held(struct hf_keeper *k, struct hf_run *r, const char *why)
{
	struct hf_error e;

	hf_run_set_pid(r, getpid());
	r->state = HF_HELD;
	r->has_kept = true;
	r->kept = (struct hf_kept){
		.session = k->shared->session,
		.owner = k->shared->owner,
		.progress = k->shared->progress,
	};
	snprintf(r->reason, sizeof(r->reason), "%s", why);
	return hf_run_write(k->dir, r, &e);
}

/* Until SIGTERM. Who started us is not kept waiting for our end of its pipes. */
static void __attribute__((noreturn)) hold_on(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t set;

	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	if (null >= 3)
		close(null);
	sigfillset(&set);
	sigdelset(&set, SIGTERM);
	for (;;)
		sigsuspend(&set);
}

/* With the session, which is ours alone. */
static void __attribute__((noreturn)) hold(struct hf_keeper *k, pid_t worker, const char *why)
{
	struct hf_run r;

	/* It still holds everything, if the worker did not come to telling it to go. */
	if (k->shared->earlier >= 0)
		syscall(SYS_pidfd_send_signal, k->shared->earlier, SIGTERM, NULL, 0);
	close_one(&k->shared->earlier);
	read_record(k, &r, worker);
	record_held(k, &r, why);
	k->told(&r, k->arg);
	hold_on();
}

/*
 * Wait for the VMM. Return: true if it has taken over; false if it is gone. If it says that it
 * cannot, its end is waited for all the same: two of them must not have the devices.
 */
static bool watch(struct hf_qmp *q, int vmm, struct hf_error *why)
{
	struct pollfd p[] = { { .fd = vmm, .events = POLLIN }, { .fd = q->fd, .events = POLLIN } };

	hf_fail_text(why, ECHILD, "the VMM ended before it had taken over");
	for (;;) {
		if (poll(p, 2, q->open && p[1].fd >= 0 ? ASK_AGAIN_MS : -1) < 0 && errno != EINTR)
			hf_fail_errno(why, errno, "poll");
		/* First what it said, then that it is gone. */
		if (p[1].revents || q->verdict != HF_QMP_WAIT)
			hf_qmp_read(q, why);
		else
			hf_qmp_ask(q);
		if (q->verdict == HF_QMP_TAKEN)
			return true;
		if (q->verdict != HF_QMP_WAIT)
			p[1] = (struct pollfd){ .fd = -1 };
		if (p[0].revents)
			return false;
	}
}

static void taken_over(struct hf_keeper *k, struct hf_run *r, uint64_t start)
{
	struct timespec t;
	struct hf_error e;
	uint64_t wall;

	hf_times_since(&r->times, "exec_to_running", start);
	clock_gettime(CLOCK_REALTIME, &t);
	wall = (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
	/* By the clock on the wall, the only one that goes on across a kexec. */
	if (wall > k->shared->saved_at_us)
		hf_times_add(&r->times, "pause", wall - k->shared->saved_at_us);
	r->state = HF_RUNNING;
	r->reason[0] = 0;
	r->has_kept = false;
	if (hf_luo_finish(k->shared->session, &e))
		snprintf(r->reason, sizeof(r->reason), "%s", e.text);
	if (k->shared->state_path[0])
		unlink(k->shared->state_path);
	hf_run_write(k->dir, r, &e);
	/* Whoever sees "running" may begin the next update. */
	close_one(&k->shared->owner);
	k->told(r, k->arg);
}

static void __attribute__((noreturn))
watch_vmm(struct hf_keeper *k, const struct hf_keeper_word *word, pid_t worker)
{
	uint64_t start = hf_now_us();
	struct hf_error why;
	struct hf_qmp q;
	struct hf_run r;

	read_record(k, &r, worker);
	answer(k, 0);
	close_one(&k->peer);
	if (hf_qmp_init(&q, word->ours, &why))
		hold(k, worker, why.text);
	if (watch(&q, k->worker, &why)) {
		taken_over(k, &r, start);
		_exit(0);
	}
	close(word->ours);
	close_one(&k->worker);
	hold(k, worker, why.text);
}

/* The worker says what is to be done. */
static void obey(struct hf_keeper *k, const struct hf_keeper_word *word, pid_t worker)
{
	struct hf_run r;
	int err;

	if (word->word == HF_WORD_DISMISS)
		_exit(0);
	err = separate(k);
	if (err) {
		/* It will end, and then we have them alone. */
		answer(k, err);
		return;
	}
	if (word->word == HF_WORD_WATCH) {
		/* We have to see that the VMM's end is closed. */
		close(word->theirs);
		watch_vmm(k, word, worker);
	}
	close_one(&k->worker);
	read_record(k, &r, worker);
	answer(k, record_held(k, &r, k->shared->reason));
	close_one(&k->peer);
	hold_on();
}

/* Is there a session, though nobody has come to writing down its number? */
static bool find_session(struct hf_keeper *k)
{
	struct hf_error e;
	int end = k->base + HF_KEEPER_FDS;

	if (k->shared->session >= 0 && !hf_luo_check_name(k->shared->session, k->name, &e))
		return true;
	for (int fd = 3; fd < end; fd++) {
		if (fcntl(fd, F_GETFD) < 0 || hf_luo_check_name(fd, k->name, &e))
			continue;
		k->shared->session = fd;
		return true;
	}
	return false;
}

/* The worker has ended without a word. */
static void __attribute__((noreturn)) worker_ended(struct hf_keeper *k, pid_t worker)
{
	const char *why = k->shared->reason;

	close_one(&k->channel);
	close_one(&k->peer);
	close_one(&k->take);
	close_one(&k->worker);
	/* An earlier keeper that has it goes on holding it. */
	if (k->shared->hands == HF_HANDS_EMPTY || k->shared->hands == HF_HANDS_KEEPER ||
	    !find_session(k))
		_exit(0);
	hold(k, worker, *why ? why : "holdfast ended, or was killed, before it had rebuilt the VM");
}

/* Not to be chosen when memory is short: it is small, and all hangs on it. */
static void spare_us(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, "-1000", 5) < 0) {
		/* Not ours to ask for: then it is like any other. */
	}
	close(fd);
}

void hf_keeper_stay(struct hf_keeper *k)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	close_one(&k->take);
	hold(k, getpid(), k->shared->reason);
}

void hf_keeper_main(struct hf_keeper *k, pid_t worker)
{
	struct pollfd p[] = { { .fd = k->peer, .events = POLLIN },
			      { .fd = k->worker, .events = POLLIN } };
	struct hf_keeper_word word;
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	spare_us();
	k->shared->keeper = getpid();
	answer(k, 0);
	for (;;) {
		if (poll(p, 2, -1) < 0)
			continue;
		/* First what it said, then that it is gone. */
		if (p[0].revents &&
		    recv(k->peer, &word, sizeof(word), MSG_DONTWAIT) == sizeof(word))
			obey(k, &word, worker);
		else if (p[1].revents)
			worker_ended(k, worker);
	}
}
