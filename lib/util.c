// SPDX-License-Identifier: LGPL-2.1-or-later
/* Time, whole files, arrays. */
#include <holdfast/util.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

uint64_t hf_now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

int hf_ms_until(uint64_t end_us)
{
	uint64_t now = hf_now_us(), left = end_us > now ? (end_us - now) / 1000 + 1 : 0;

	return left > INT_MAX ? INT_MAX : (int)left;
}

int hf_read_all(int fd, const char *what, size_t max, char **buf, size_t *len, struct hf_error *e)
{
	size_t room = 65536, got = 0;
	char *p = NULL, *bigger;
	ssize_t n;
	int err;

	for (;;) {
		if (!p || got == room) {
			room = p ? room * 2 : room;
			bigger = realloc(p, room + 1);
			if (!bigger) {
				err = hf_fail_errno(e, ENOMEM, "read %s", what);
				break;
			}
			p = bigger;
		}
		/* pread(): the position of a preserved memfd is its owner's. */
		n = pread(fd, p + got, room - got, (off_t)got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			err = hf_fail_errno(e, errno, "read %s", what);
			break;
		}
		if (!n) {
			p[got] = 0;
			*buf = p;
			*len = got;
			return 0;
		}
		got += (size_t)n;
		if (got > max) {
			err = hf_fail_text(e, EFBIG, "%s has more than %zu bytes", what, max);
			break;
		}
	}
	free(p);
	return err;
}

int hf_read_path(const char *path, size_t max, char **buf, size_t *len, struct hf_error *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;

	if (fd < 0)
		return hf_fail_errno(e, errno, "open %s", path);
	err = hf_read_all(fd, path, max, buf, len, e);
	close(fd);
	return err;
}

int hf_write_all(int fd, const char *what, const void *buf, size_t len, struct hf_error *e)
{
	const char *p = buf;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return hf_fail_errno(e, errno, "write %s", what);
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int hf_replace_file(const char *path, const void *buf, size_t len, struct hf_error *e)
{
	char temp[PATH_MAX];
	int fd, err;

	if (snprintf(temp, sizeof(temp), "%s.XXXXXX", path) >= (int)sizeof(temp))
		return hf_fail_text(e, ENAMETOOLONG, "the path %.200s... is too long", path);
	/* With O_EXCL and mode 0600. */
	fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0)
		return hf_fail_errno(e, errno, "write %s", path);
	err = hf_write_all(fd, path, buf, len, e);
	close(fd);
	if (!err && rename(temp, path) < 0)
		err = hf_fail_errno(e, errno, "write %s", path);
	if (err)
		unlink(temp);
	return err;
}

int hf_memfd_from(const char *name, const void *buf, size_t len, struct hf_error *e)
{
	int fd = memfd_create(name, MFD_CLOEXEC), err;

	if (fd < 0)
		return hf_fail_errno(e, errno, "memfd_create %s", name);
	err = hf_write_all(fd, name, buf, len, e);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

char *hf_strdup(const char *s, struct hf_error *e)
{
	char *p = strdup(s);

	if (!p)
		hf_fail_text(e, ENOMEM, "out of memory");
	return p;
}

void *hf_calloc(size_t n, size_t size, struct hf_error *e)
{
	void *p = calloc(n ? n : 1, size);

	if (!p)
		hf_fail_text(e, ENOMEM, "out of memory");
	return p;
}

void *hf_append(void *array, size_t *n, size_t size, struct hf_error *e)
{
	char *p;

	/* @array is of some type of pointer, all of which look the same in memory. */
	memcpy(&p, array, sizeof(p));
	/* Grows at each power of two; what is there is always that much or more. */
	if (!(*n & (*n - 1))) {
		p = reallocarray(p, *n ? *n * 2 : 1, size);
		if (!p) {
			hf_fail_text(e, ENOMEM, "out of memory");
			return NULL;
		}
		memcpy(array, &p, sizeof(p));
	}
	p += *n * size;
	memset(p, 0, size);
	(*n)++;
	return p;
}

size_t hf_strv_len(char *const *v)
{
	size_t n = 0;

	while (v && v[n])
		n++;
	return n;
}

char **hf_strv_dup(char *const *v, size_t n, struct hf_error *e)
{
	char **copy = hf_calloc(n + 1, sizeof(*copy), e);

	for (size_t i = 0; copy && i < n; i++) {
		copy[i] = hf_strdup(v[i], e);
		if (!copy[i]) {
			hf_strv_free(copy);
			return NULL;
		}
	}
	return copy;
}

bool hf_strv_add(char ***v, const char *s, struct hf_error *e)
{
	size_t n = hf_strv_len(*v);
	char *copy = hf_strdup(s, e), **more;

	more = copy ? reallocarray(*v, n + 2, sizeof(*more)) : NULL;
	if (!more) {
		free(copy);
		hf_fail_text(e, ENOMEM, "out of memory");
		return false;
	}
	more[n] = copy;
	more[n + 1] = NULL;
	*v = more;
	return true;
}

void hf_strv_free(char **v)
{
	for (size_t i = 0; v && v[i]; i++)
		free(v[i]);
	free(v);
}
