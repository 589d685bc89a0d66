// SPDX-License-Identifier: GPL-2.0
/* `run`: a program of the share, its output line by line. */
#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_ARGS 32
#define TAIL	 2048 /* bytes of the output that fit the reply for sure */

struct output {
	char line[1024]; /* the line being read */
	size_t n;
	char tail[TAIL + 1]; /* the last of everything */
	size_t t;
};

static void send_line(struct output *o)
{
	struct hf_msg m;

	hf_event_begin(&m, "run");
	hf_msg_strn(&m, "line", o->line, o->n);
	hf_event_end(&m);
	o->n = 0;
}

static void take(struct output *o, const char *p, size_t n)
{
	for (; n; n--, p++) {
		if (o->t == TAIL) {
			memmove(o->tail, o->tail + TAIL / 2, TAIL / 2);
			o->t = TAIL / 2;
		}
		o->tail[o->t++] = *p;
		if (*p != '\n')
			o->line[o->n++] = *p;
		if (*p == '\n' || o->n == sizeof(o->line))
			send_line(o);
	}
}

/* Everything that can be read now. Return: false at end of file. */
static bool drain(struct output *o, int fd)
{
	char buf[1024];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		take(o, buf, (size_t)n);
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static void child(char **argv, int out)
{
	static char *const env[] = {
		"PATH=/share:/bin:/sbin:/usr/bin:/usr/sbin",
		"HOME=/",
		"TERM=dumb",
		NULL,
	};
	int null = open("/dev/null", O_RDONLY);

	setsid();
	dup2(null, 0);
	dup2(out, 1);
	dup2(out, 2);
	execve(argv[0], argv, env);
	dprintf(2, "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

/*
 * Until the program itself ends: a daemon it leaves behind may hold the pipe
 * open for ever. Return: wait status, or -1 when it had to be killed.
 */
static int supervise(struct output *o, pid_t pid, int fd, uint64_t timeout_us)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p[2] = {
		{ .fd = pidfd, .events = POLLIN },
		{ .fd = fd, .events = POLLIN },
	};
	uint64_t end = hf_now_us() + timeout_us;
	bool killed = false;
	int status = 0;

	while (!(p[0].revents & POLLIN)) {
		uint64_t now = hf_now_us();

		if (now >= end && !killed) {
			kill(-pid, SIGKILL);
			killed = true;
		}
		if (poll(p, 2, killed ? -1 : (int)((end - now) / 1000 + 1)) < 0 && errno != EINTR)
			break;
		if (p[1].fd >= 0 && p[1].revents && !drain(o, fd))
			p[1].fd = -1;
	}
	drain(o, fd);
	waitpid(pid, &status, 0);
	close(pidfd);
	return killed ? -1 : status;
}

int hf_arg_argv(struct hf_call *c, char *text, size_t size, char **argv, unsigned int max)
{
	struct hf_json arr = hf_json_get(c->args, "argv");
	unsigned int i;

	for (i = 0; i < max; i++) {
		struct hf_json v = hf_json_at(arr, i);
		int err;

		if (!v.p)
			break;
		err = hf_json_str(v, text, size);
		if (err)
			return hf_fail(&c->err, -err, "argv[%u]", i);
		argv[i] = text;
		size -= strlen(text) + 1;
		text += strlen(text) + 1;
	}
	argv[i] = NULL;
	return i && i < max ? 0 : hf_fail(&c->err, EINVAL, "argv");
}

int hf_cmd_run(struct hf_call *c)
{
	char text[HF_LINE_MAX], *argv[MAX_ARGS + 1];
	static struct output o;
	uint64_t timeout_s;
	int pipefd[2], status, err;
	pid_t pid;

	err = hf_arg_argv(c, text, sizeof(text), argv, MAX_ARGS);
	if (!err)
		err = hf_arg_u64(c, "timeout_s", 60, &timeout_s);
	if (!err && timeout_s > INT_MAX / 1000 - 1)
		err = hf_fail(&c->err, ERANGE, "timeout_s");
	if (err)
		return err;
	if (pipe2(pipefd, O_CLOEXEC | O_NONBLOCK) < 0)
		return hf_fail(&c->err, errno, "pipe");
	pid = fork();
	if (pid < 0) {
		err = hf_fail(&c->err, errno, "fork");
		close(pipefd[0]);
		close(pipefd[1]);
		return err;
	}
	if (!pid) {
		/* The program expects a pipe that waits. */
		fcntl(pipefd[1], F_SETFL, 0);
		child(argv, pipefd[1]);
	}
	close(pipefd[1]);
	memset(&o, 0, sizeof(o));
	status = supervise(&o, pid, pipefd[0], timeout_s * 1000000);
	close(pipefd[0]);
	if (o.n)
		send_line(&o);
	if (status < 0)
		return hf_fail(&c->err, ETIMEDOUT, "run %s", argv[0]);
	hf_msg_s64(c->out, "exit",
		   WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	hf_msg_strn(c->out, "stdout", o.tail, o.t);
	return 0;
}
