// SPDX-License-Identifier: LGPL-2.1-or-later
/* Descriptors: what they are, where they are. */
#include <holdfast/util.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int read_link(const char *path, char *buf, size_t size)
{
	ssize_t n = readlink(path, buf, size - 1);

	if (n < 0)
		return -errno;
	buf[n] = 0;
	return 0;
}

int hf_fd_link(int fd, char *buf, size_t size)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return read_link(path, buf, size);
}

int hf_link_name(const char *path, char *buf, size_t size)
{
	char link[512];
	const char *base;
	int err = read_link(path, link, sizeof(link));

	if (err)
		return err;
	base = strrchr(link, '/');
	snprintf(buf, size, "%s", base ? base + 1 : link);
	return 0;
}

int hf_fdinfo(int fd, const char *key, char *buf, size_t size)
{
	char path[40], *text, *line;
	size_t klen = strlen(key), len;
	struct hf_error e;
	int err;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	err = hf_read_path(path, 1u << 20, &text, &len, &e);
	if (err)
		return err;
	err = -ENOENT;
	for (char *rest = text; err && (line = strsep(&rest, "\n"));) {
		if (strncmp(line, key, klen) || line[klen] != ':')
			continue;
		snprintf(buf, size, "%s", line + klen + 1 + strspn(line + klen + 1, " \t"));
		err = 0;
	}
	free(text);
	return err;
}

int hf_fd_above(int *fd, int base, struct hf_error *e)
{
	int high;

	if (*fd < 0 || *fd >= base)
		return 0;
	high = fcntl(*fd, F_DUPFD_CLOEXEC, base);
	if (high < 0)
		return hf_fail_errno(e, errno, "move descriptor %d above %d", *fd, base);
	close(*fd);
	*fd = high;
	return 0;
}

int hf_fd_place(int fd, int target, struct hf_error *e)
{
	int err = 0;

	if (fd == target) {
		if (fcntl(fd, F_SETFD, 0) < 0)
			err = hf_fail_errno(e, errno, "fd %d", fd);
		return err;
	}
	if (dup2(fd, target) < 0)
		err = hf_fail_errno(e, errno, "make fd %d out of fd %d", target, fd);
	close(fd);
	return err;
}
