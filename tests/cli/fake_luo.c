// SPDX-License-Identifier: GPL-2.0
/* Sessions of the fake kernel: folders with one file per token. */
#include "fake_kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/liveupdate.h>

static int session_fd(const char *name, int flags)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "%s/session-%s", fake_dir(), name);
	fd = open(path, O_RDWR | O_CLOEXEC | flags, 0600);
	return fd < 0 ? -errno : fd;
}

/* How many kernels there have been. */
static long generation(void)
{
	char path[300], text[32] = "";
	int fd;

	snprintf(path, sizeof(path), "%s/generation", fake_dir());
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		if (read(fd, text, sizeof(text) - 1) < 0)
			abort();
		close(fd);
	}
	return strtol(text, NULL, 10);
}

/* The one in which a session was made. */
static long made_in(int session)
{
	char text[32] = "";

	if (pread(session, text, sizeof(text) - 1, 0) < 0)
		abort();
	return strtol(text, NULL, 10);
}

static int create(struct liveupdate_ioctl_create_session *a)
{
	int fd = session_fd((char *)a->name, O_CREAT | O_EXCL);
	char dir[300];

	if (fd < 0)
		return fd;
	if (dprintf(fd, "%ld\n", generation()) < 0)
		abort();
	snprintf(dir, sizeof(dir), "%s/session-%s.d", fake_dir(), (char *)a->name);
	if (mkdir(dir, 0700) < 0)
		abort();
	a->fd = fd;
	return 0;
}

static int retrieve(struct liveupdate_ioctl_retrieve_session *a)
{
	char mark[300];
	int fd = session_fd((char *)a->name, 0), once;

	if (fd < 0)
		return fd;
	/* One that is on its way out cannot be had here. */
	if (made_in(fd) == generation()) {
		close(fd);
		return -ENOENT;
	}
	snprintf(mark, sizeof(mark), "%s/session-%s.d/retrieved", fake_dir(), (char *)a->name);
	once = open(mark, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	if (once < 0) {
		close(fd);
		return -EINVAL;
	}
	close(once);
	a->fd = fd;
	return 0;
}

int fake_luo(int fd, unsigned long req, void *arg)
{
	(void)fd;
	if (req == LIVEUPDATE_IOCTL_CREATE_SESSION)
		return create(arg);
	if (req == LIVEUPDATE_IOCTL_RETRIEVE_SESSION)
		return retrieve(arg);
	return -ENOTTY;
}

static int open_token(const char *session, unsigned long long token, const char *kind, int flags)
{
	char path[600];

	snprintf(path, sizeof(path), "%s.d/%llu.%s", session, token, kind);
	return open(path, O_RDWR | O_CLOEXEC | flags, 0600);
}

static int refused(const char *what)
{
	const char *r = getenv("FAKE_REFUSE");

	return r && !strcmp(r, what);
}

static int preserve(const char *session, struct liveupdate_session_preserve_fd *a)
{
	char path[300] = "", link[64];
	struct fake_vfio v;
	struct stat st;
	int fd;

	if (fake_path(a->fd, path, sizeof(path))) {
		if (!strstr(path, "/vfio-"))
			return -ENOENT;
		if (refused("vfio"))
			return -EOPNOTSUPP;
		fake_vfio_load(a->fd, &v);
		v.retrieved = 0;
		fake_vfio_store(a->fd, &v);
		fd = open_token(session, a->token, "vfio", O_CREAT | O_EXCL);
		if (fd < 0)
			return -errno;
		if (write(fd, path, strlen(path)) < 0)
			abort();
		close(fd);
		return 0;
	}
	snprintf(link, sizeof(link), "/proc/self/fd/%d", a->fd);
	if (readlink(link, path, sizeof(path) - 1) < 0 || strncmp(path, "/memfd:", 7))
		return -ENOENT;
	if (fstat(a->fd, &st) < 0)
		return -errno;
	fd = open_token(session, a->token, "mem", O_CREAT | O_EXCL);
	if (fd < 0)
		return -errno;
	for (off_t at = 0; at < st.st_size;)
		if (sendfile(fd, a->fd, &at, (size_t)(st.st_size - at)) < 0)
			abort();
	close(fd);
	return 0;
}

/* The first time it comes unbound from the old kernel, later it is the same file. */
static int retrieve_vfio(int token)
{
	struct fake_vfio s;
	char path[300] = "";
	int fd;

	if (read(token, path, sizeof(path) - 1) < 0)
		abort();
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	fake_vfio_load(fd, &s);
	if (!s.retrieved) {
		s = (struct fake_vfio){ .retrieved = 1 };
		fake_vfio_store(fd, &s);
	}
	return fd;
}

static int retrieve_mem(int token)
{
	int fd = memfd_create("", MFD_CLOEXEC);
	struct stat st;

	fstat(token, &st);
	for (off_t at = 0; at < st.st_size;)
		if (sendfile(fd, token, &at, (size_t)(st.st_size - at)) < 0)
			abort();
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static int retrieve_fd(const char *session, struct liveupdate_session_retrieve_fd *a)
{
	const char *fail = getenv("FAKE_FAIL_RETRIEVE");
	int token;

	if (fail && strtoull(fail, NULL, 10) == a->token)
		return -EIO;
	token = open_token(session, a->token, "mem", 0);
	if (token >= 0) {
		a->fd = retrieve_mem(token);
	} else {
		token = open_token(session, a->token, "vfio", 0);
		if (token < 0)
			return -ENOENT;
		a->fd = retrieve_vfio(token);
	}
	close(token);
	return a->fd < 0 ? a->fd : 0;
}

/* Its name is free again. */
static int finish(const char *session)
{
	char from[400], to[400];

	snprintf(from, sizeof(from), "%s.d", session);
	snprintf(to, sizeof(to), "%s.finished.d.%d", session, (int)getpid());
	if (rename(from, to) < 0)
		return -EBUSY;
	snprintf(to, sizeof(to), "%s.finished", session);
	return rename(session, to) < 0 ? -errno : 0;
}

int fake_session(int fd, const char *path, unsigned long req, void *arg)
{
	struct liveupdate_session_get_name *name = arg;

	(void)fd;
	switch (req) {
	case LIVEUPDATE_SESSION_PRESERVE_FD:
		return preserve(path, arg);
	case LIVEUPDATE_SESSION_RETRIEVE_FD:
		return retrieve_fd(path, arg);
	case LIVEUPDATE_SESSION_GET_NAME:
		snprintf((char *)name->name, sizeof(name->name), "%s",
			 strrchr(path, '/') + 1 + strlen("session-"));
		return 0;
	case LIVEUPDATE_SESSION_FINISH:
		return finish(path);
	}
	return -ENOTTY;
}
