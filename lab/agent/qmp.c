// SPDX-License-Identifier: GPL-2.0
#include "qmp.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int remaining_ms(uint64_t end_us)
{
	uint64_t now = hf_now_us();

	return now < end_us ? (int)((end_us - now) / 1000 + 1) : 0;
}

static int try_connect(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd, err;

	if (strlen(path) >= sizeof(a.sun_path))
		return -ENAMETOOLONG;
	strcpy(a.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (!connect(fd, (struct sockaddr *)&a, sizeof(a)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

/* The socket shows up in its folder some time before somebody listens to it: hence the short wait. */
static int connect_by(const char *path, uint64_t end_us)
{
	struct pollfd p = { .events = POLLIN };
	char dir[128], junk[1024];
	int fd;

	snprintf(dir, sizeof(dir), "%s", path);
	*strrchr(dir, '/') = 0;
	p.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	inotify_add_watch(p.fd, dir, IN_CREATE | IN_MOVED_TO);
	while ((fd = try_connect(path)) == -ENOENT || fd == -ECONNREFUSED) {
		int left = remaining_ms(end_us);

		if (!left)
			break;
		if (poll(&p, 1, fd == -ENOENT || left < 20 ? left : 20) > 0 &&
		    read(p.fd, junk, sizeof(junk)) < 0)
			break;
	}
	close(p.fd);
	return fd;
}

void hf_qmp_close(struct hf_qmp *q)
{
	if (q->fd >= 0)
		close(q->fd);
	q->fd = -1;
}

int hf_qmp_send(struct hf_qmp *q, const char *line, struct hf_err *e)
{
	size_t len = strlen(line), off = 0;

	while (off < len) {
		ssize_t n = send(q->fd, line + off, len - off, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return hf_fail(e, errno, "write to the monitor");
		off += (size_t)n;
	}
	return 0;
}

int hf_qmp_line(struct hf_qmp *q, char **line, uint64_t end_us, struct hf_err *e)
{
	struct pollfd p = { .fd = q->fd, .events = POLLIN };

	if (q->used) {
		q->have -= q->used;
		memmove(q->buf, q->buf + q->used, q->have);
		q->used = 0;
	}
	for (;;) {
		char *nl = memchr(q->buf, '\n', q->have);
		ssize_t n;
		int left;

		if (nl) {
			*nl = 0;
			if (nl > q->buf && nl[-1] == '\r')
				nl[-1] = 0;
			q->used = (size_t)(nl - q->buf) + 1;
			*line = q->buf;
			return 0;
		}
		if (q->have == sizeof(q->buf))
			q->have = 0; /* a line nobody asked for */
		left = remaining_ms(end_us);
		if (!left || poll(&p, 1, left) == 0)
			return hf_fail(e, ETIMEDOUT, "the monitor's answer");
		n = read(q->fd, q->buf + q->have, sizeof(q->buf) - q->have);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return hf_fail(e, ECONNRESET, "the monitor closed");
		q->have += (size_t)n;
	}
}

int hf_qmp_open(struct hf_qmp *q, const char *path, uint64_t end_us, struct hf_err *e)
{
	char *line;
	int err;

	q->have = q->used = 0;
	q->fd = connect_by(path, end_us);
	if (q->fd < 0)
		return hf_fail(e, -q->fd, "connect to %s", path);
	err = hf_qmp_line(q, &line, end_us, e);
	if (!err)
		err = hf_qmp_send(q, "{\"execute\":\"qmp_capabilities\"}\n", e);
	if (!err)
		err = hf_qmp_line(q, &line, end_us, e);
	if (err)
		hf_qmp_close(q);
	return err;
}
