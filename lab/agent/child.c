// SPDX-License-Identifier: GPL-2.0
#include "child.h"
#include "root.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILDREN 16

static struct hf_child children[CHILDREN];

struct hf_child *hf_child_find(const char *name)
{
	for (size_t i = 0; i < CHILDREN; i++)
		if (children[i].name[0] && !strcmp(children[i].name, name))
			return &children[i];
	return NULL;
}

static struct hf_child *slot_for(const char *name)
{
	struct hf_child *c = hf_child_find(name);

	for (size_t i = 0; !c && i < CHILDREN; i++)
		if (!children[i].name[0])
			c = &children[i];
	return c;
}

/* After fork: in the root, as the leader of its own session. */
static void become(char **argv, int out)
{
	static char *const env[] = {
		"PATH=/share:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME=/tmp",
		"TERM=dumb",
		NULL,
	};
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	setsid();
	dup2(null, 0);
	dup2(out, 1);
	dup2(out, 2);
	if (chroot(HF_ROOT) < 0 || chdir("/") < 0)
		dprintf(2, "enter %s: %s\n", HF_ROOT, strerror(errno));
	else
		execve(argv[0], argv, env);
	dprintf(2, "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

int hf_child_start(const char *name, char **argv, struct hf_child **child, struct hf_err *e)
{
	struct hf_child *c;
	int out;

	hf_child_reap();
	if (!name[0] || strlen(name) >= HF_CHILD_NAME || strchr(name, '/'))
		return hf_fail(e, EINVAL, "name \"%s\"", name);
	c = slot_for(name);
	if (!c)
		return hf_fail(e, EMFILE, "start %s", name);
	if (c->pid)
		return hf_fail(e, EBUSY, "%s runs as process %d", name, (int)c->pid);
	snprintf(c->name, sizeof(c->name), "%s", name);
	snprintf(c->out, sizeof(c->out), "%s/run/%s.out", HF_ROOT, name);
	out = open(c->out, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (out < 0)
		return hf_fail(e, errno, "open %s", c->out);
	c->exit = 0;
	c->pid = fork();
	if (c->pid < 0) {
		c->pid = 0;
		close(out);
		return hf_fail(e, errno, "fork");
	}
	if (!c->pid)
		become(argv, out);
	close(out);
	c->pidfd = (int)syscall(SYS_pidfd_open, c->pid, 0);
	*child = c;
	return 0;
}

void hf_child_ended(pid_t pid, int status)
{
	for (size_t i = 0; i < CHILDREN; i++) {
		struct hf_child *c = &children[i];

		if (c->pid != pid)
			continue;
		c->pid = 0;
		c->exit = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		if (c->pidfd >= 0)
			close(c->pidfd);
		c->pidfd = -1;
	}
}

void hf_child_reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		hf_child_ended(pid, status);
}

void hf_child_tail(const struct hf_child *c, char *buf, size_t size)
{
	int fd = open(c->out, O_RDONLY | O_CLOEXEC);
	ssize_t n = 0;
	off_t end;

	if (fd >= 0) {
		end = lseek(fd, 0, SEEK_END);
		n = pread(fd, buf, size - 1, end > (off_t)size - 1 ? end - (off_t)size + 1 : 0);
		close(fd);
	}
	buf[n > 0 ? n : 0] = 0;
}
