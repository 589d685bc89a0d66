// SPDX-License-Identifier: LGPL-2.1-or-later
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static int read_fd(int fd, char *buf, size_t max, size_t *len)
{
	ssize_t n;

	for (*len = 0; *len <= max; *len += n) {
		n = read(fd, buf + *len, max + 1 - *len);
		if (n < 0)
			return -errno;
		if (!n)
			return 0;
	}
	return -EFBIG;
}

int hf_file_read(const char *path, size_t max, char **text, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;
	char *buf;

	if (fd < 0)
		return -errno;
	buf = malloc(max + 2);
	err = buf ? read_fd(fd, buf, max, len) : -ENOMEM;
	close(fd);
	if (err) {
		free(buf);
		return err;
	}
	buf[*len] = 0;
	*text = buf;
	return 0;
}
