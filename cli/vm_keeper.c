// SPDX-License-Identifier: GPL-2.0
/*
 * The keeper: a process that `holdfast vm resume` leaves behind. It has the session and
 * every descriptor of the VM until the VMM has taken over, or for as long as it takes
 * to try again.
 */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <holdfast/command.h>
#include <holdfast/luo.h>
#include <holdfast/qmp.h>
#include <holdfast/util.h>

/* A VMM that was paused before the update takes over without saying so. */
#define ASK_AGAIN_MS 100

/*
 * Twice, so that the keeper is nobody's child: the caller becomes a VMM, which does
 * not wait for children it does not know of. Return: 1 in the keeper, 0, -errno.
 */
static int fork_away(struct hf_error *e)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return hf_fail_errno(e, errno, "fork");
	if (!pid) {
		/* Ctrl-C on the terminal is for the VMM alone. */
		setsid();
		pid = fork();
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

static void record_held(struct resume *r, const char *why)
{
	hf_run_set_pid(&r->run, getpid());
	r->run.state = HF_HELD;
	r->run.has_kept = true;
	r->run.kept = (struct hf_kept){
		.session = r->session,
		.manifest = r->manifest,
		.state = r->state,
		.progress = r->progress,
	};
	snprintf(r->run.reason, sizeof(r->run.reason), "%s", why);
	cli_record(&r->run);
}

/* Until SIGTERM. Who started us is not kept waiting for our end of its pipes. */
static void __attribute__((noreturn)) hold_on(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	if (null >= 3)
		close(null);
	for (;;)
		pause();
}

static void say_held(const struct resume *r, pid_t keeper)
{
	cli_say("%s: process %d holds the VM: mend what was wrong, then try again: holdfast vm "
		"resume %s [-- COMMAND]",
		r->name, (int)keeper, r->name);
}

int cli_hold(struct resume *r, const struct hf_error *why)
{
	struct hf_error e;
	int pipe_fd[2], err;
	char byte;

	cli_say("%s: %s", r->name, why->text);
	/* Its numbers may be of the VM, whose descriptors are complete up to here. */
	if (pipe2(pipe_fd, O_CLOEXEC) < 0)
		err = hf_fail_errno(&e, errno, "pipe");
	else
		err = fork_away(&e);
	if (err == 1) {
		sigset_t none;

		close(pipe_fd[0]);
		record_held(r, why->text);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		close(pipe_fd[1]);
		hold_on();
	}
	if (err) {
		/* Nobody else can hold it, so this process does. */
		cli_say("%s: %s", r->name, e.text);
		record_held(r, why->text);
		say_held(r, getpid());
		hold_on();
	}
	close(pipe_fd[1]);
	while (read(pipe_fd[0], &byte, 1) < 0 && errno == EINTR)
		;
	hf_run_free(&r->run);
	if (hf_run_read(cli_run_dir(), r->name, &r->run, &e)) {
		cli_say("%s: a keeper holds the VM, but cannot be found: %s", r->name, e.text);
		return CLI_FAILED;
	}
	cli_report(&r->run, r->json);
	say_held(r, r->run.pid);
	return CLI_FAILED;
}

/*
 * Wait for the VMM behind @vmm. Return: true if it has taken over; false if it is gone.
 * If it says that it cannot, its end is waited for all the same: two of them must
 * not have the devices.
 */
static bool watch_vmm(struct hf_qmp *q, int vmm, struct hf_error *why)
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

static void taken_over(struct resume *r, uint64_t start)
{
	const char *path = r->m.state_path;
	struct timespec t;
	uint64_t wall;
	struct hf_error e;

	hf_times_since(&r->run.times, "exec_to_running", start);
	clock_gettime(CLOCK_REALTIME, &t);
	wall = (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
	/* By the clock on the wall, the only one that goes on across a kexec. */
	if (wall > r->m.saved_at_us)
		hf_times_add(&r->run.times, "pause", wall - r->m.saved_at_us);
	r->run.state = HF_RUNNING;
	r->run.reason[0] = 0;
	r->run.has_kept = false;
	if (hf_luo_finish(r->session, &e))
		snprintf(r->run.reason, sizeof(r->run.reason), "%s", e.text);
	if (r->command)
		hf_command_state_path(r->command, &path, &e);
	unlink(path);
	cli_record(&r->run);
	cli_report(&r->run, r->json);
}

static void __attribute__((noreturn)) keep(struct resume *r, int qmp, int vmm)
{
	uint64_t start = hf_now_us();
	struct hf_error why;
	struct hf_qmp q;

	if (hf_qmp_init(&q, qmp, &why)) {
		record_held(r, why.text);
		hold_on();
	}
	if (watch_vmm(&q, vmm, &why)) {
		taken_over(r, start);
		_exit(CLI_OK);
	}
	close(qmp);
	close(vmm);
	record_held(r, why.text);
	cli_report(&r->run, r->json);
	say_held(r, getpid());
	hold_on();
}

int cli_leave_keeper(struct resume *r, int ours, int theirs, const sigset_t *signals,
		     struct hf_error *e)
{
	int vmm = (int)syscall(SYS_pidfd_open, getpid(), 0), err;

	if (vmm < 0)
		return hf_fail_errno(e, errno, "pidfd_open");
	err = fork_away(e);
	if (err == 1) {
		/* It has to see that the other end is closed. */
		close(theirs);
		sigprocmask(SIG_SETMASK, signals, NULL);
		keep(r, ours, vmm);
	}
	close(vmm);
	close(ours);
	return err;
}
