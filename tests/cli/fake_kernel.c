// SPDX-License-Identifier: GPL-2.0
/* Calls of the C library, to the fake kernel or the real one. */
#include "fake_kernel.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int __real_open(const char *path, int flags, ...);
int __real_open64(const char *path, int flags, ...);
int __real_ioctl(int fd, unsigned long req, ...);
long __real_syscall(long n, ...);
long __wrap_syscall(long n, ...);
ssize_t __real_readlink(const char *path, char *buf, size_t size);
int __real_fstat64(int fd, struct stat *st);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_ioctl(int fd, unsigned long req, ...);
ssize_t __wrap_readlink(const char *path, char *buf, size_t size);
int __wrap_fstat64(int fd, struct stat *st);
int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
void __real_sync(void);
void __wrap_sync(void);

const char *fake_dir(void)
{
	return getenv("FAKE_KERNEL");
}

int fake_path(int fd, char *buf, size_t size)
{
	const char *dir = fake_dir();
	char proc[32];
	ssize_t n;

	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	n = __real_readlink(proc, buf, size - 1);
	if (n < 0 || !dir)
		return 0;
	buf[n] = 0;
	return !strncmp(buf, dir, strlen(dir)) && buf[strlen(dir)] == '/';
}

static int is(const char *path, const char *what)
{
	const char *base = strrchr(path, '/') + 1;

	return !strncmp(base, what, strlen(what));
}

/* Of this process and those it has forked. */
static struct {
	unsigned long ioctls;
	int stopped;
} * counted;

static void __attribute__((constructor)) begin_counting(void)
{
	counted = mmap(NULL, sizeof(*counted), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	if (counted == MAP_FAILED)
		abort();
}

/*
 * With FAKE_STOP=WHERE this process stops there once, until somebody has done what the test is
 * about and says SIGCONT.
 */
static void stop_at(const char *where)
{
	const char *at = getenv("FAKE_STOP");

	if (at && !strcmp(at, where) && !counted->stopped++)
		raise(SIGSTOP);
}

/* A file of its own for each opening; it holds the objects. */
static int open_iommu(int flags)
{
	static const struct fake_iommu empty;
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "%s/iommu-XXXXXX", fake_dir());
	fd = mkostemp(path, flags & O_CLOEXEC);
	if (fd >= 0 && pwrite(fd, &empty, sizeof(empty), 0) != sizeof(empty))
		abort();
	return fd;
}

/* One opener at a time. */
static int open_luo(void)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "%s/luo", fake_dir());
	fd = __real_open64(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
		close(fd);
		errno = EBUSY;
		return -1;
	}
	return fd;
}

/* Files that are played by one in the folder, if there is one. */
static int open_played(const char *path, int flags)
{
	static const char *const played[][2] = {
		{ "/sys/kernel/kexec/loaded", "kexec-loaded" },
		{ "/dev/kmsg", "kmsg" },
	};
	char file[300];

	for (size_t i = 0; fake_dir() && i < sizeof(played) / sizeof(played[0]); i++) {
		snprintf(file, sizeof(file), "%s/%s", fake_dir(), played[i][1]);
		if (!strcmp(path, played[i][0]))
			return __real_open64(file, flags);
	}
	errno = ENOENT;
	return -1;
}

/* What the kernel tells about a dma-buf, if that is what @path is about. */
static int open_fdinfo(const char *path)
{
	struct fake_dmabuf d;
	char file[300];
	int fd, info;

	errno = ENOENT;
	if (sscanf(path, "/proc/self/fdinfo/%d", &fd) != 1 || !fake_path(fd, file, sizeof(file)) ||
	    !is(file, "dmabuf-"))
		return -1;
	info = memfd_create("fdinfo", MFD_CLOEXEC);
	if (info < 0 || pread(fd, &d, sizeof(d), 0) != sizeof(d) ||
	    dprintf(info, "pos:\t0\nsize:\t%llu\ncount:\t1\nexp_name:\t%s\n",
		    (unsigned long long)d.size, d.exporter) < 0)
		abort();
	return info;
}

static int fake_open(const char *path, int flags, mode_t mode)
{
	int fd = open_played(path, flags);

	if (fd < 0)
		fd = open_fdinfo(path);

	if (fd >= 0)
		return fd;
	if (fake_dir() && !strcmp(path, "/dev/liveupdate")) {
		stop_at("liveupdate");
		return open_luo();
	}
	if (fake_dir() && !strcmp(path, "/dev/iommu"))
		return open_iommu(flags);
	return __real_open64(path, flags, mode);
}

int __wrap_open64(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	va_start(ap, flags);
	if (flags & O_CREAT)
		mode = va_arg(ap, mode_t);
	va_end(ap);
	return fake_open(path, flags, mode);
}

int __wrap_open(const char *path, int flags, ...) __attribute__((alias("__wrap_open64")));

void __wrap_sync(void)
{
	stop_at("sync");
	__real_sync();
}

/* How a record is written. */
int __wrap_rename(const char *from, const char *to)
{
	stop_at("rename");
	return __real_rename(from, to);
}

static int is_nth(const char *variable)
{
	const char *nth = getenv(variable);

	return nth && counted->ioctls == strtoul(nth, NULL, 10);
}

int __wrap_ioctl(int fd, unsigned long req, ...)
{
	char path[300];
	va_list ap;
	void *arg;
	int ret;

	va_start(ap, req);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (!fake_path(fd, path, sizeof(path)))
		return __real_ioctl(fd, req, arg);
	counted->ioctls++;
	if (is_nth("FAKE_KILL_NTH"))
		raise(SIGKILL);
	if (is_nth("FAKE_FAIL_NTH"))
		ret = -EIO;
	else if (is(path, "luo"))
		ret = fake_luo(fd, req, arg);
	else if (is(path, "session-"))
		ret = fake_session(fd, path, req, arg);
	else if (is(path, "iommu-"))
		ret = fake_iommu_ioctl(fd, req, arg);
	else if (is(path, "vfio-"))
		ret = fake_vfio_ioctl(fd, req, arg);
	else
		ret = -ENOTTY;
	if (is_nth("FAKE_KILL_AFTER_NTH"))
		raise(SIGKILL);
	if (ret >= 0)
		return ret;
	errno = -ret;
	return -1;
}

static void append(const char *name, const char *text)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", fake_dir(), name);
	fd = __real_open64(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		abort();
	close(fd);
}

/* Nothing of the old kernel is left but its sessions: no process, no /run. */
static void end_everything(void)
{
	const char *run = getenv("HOLDFAST_RUN_DIR");
	char path[300], text[4096];
	struct dirent *d;
	DIR *dir = opendir(run);
	const char *pid;
	ssize_t n;
	int fd;

	while (dir && (d = readdir(dir))) {
		if (d->d_type != DT_REG)
			continue;
		snprintf(path, sizeof(path), "%s/%s", run, d->d_name);
		fd = __real_open64(path, O_RDONLY | O_CLOEXEC);
		n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
		text[n < 0 ? 0 : n] = 0;
		pid = strstr(text, "\"pid\":");
		if (pid && atoi(pid + strlen("\"pid\":")) > 0)
			kill(atoi(pid + strlen("\"pid\":")), SIGKILL);
		close(fd);
		unlink(path);
	}
	closedir(dir);
}

/*
 * The jump: the caller is no more, and "jumped" is there. With "freeze" there, it is refused.
 * With FAKE_KEXEC nobody else is there any more either.
 */
static long fake_reboot(void)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/freeze", fake_dir());
	if (!access(path, F_OK)) {
		append("kmsg",
		       "4,1,1,-;vfio-pci 0000:01:00.0: live update: cannot freeze: too busy\n");
		errno = EBUSY;
		return -1;
	}
	append("jumped", "now\n");
	if (getenv("FAKE_KEXEC")) {
		end_everything();
		append("generation", "1");
	}
	_exit(0);
}

long __wrap_syscall(long n, ...)
{
	long arg[4];
	va_list ap;

	va_start(ap, n);
	for (int i = 0; i < 4; i++)
		arg[i] = va_arg(ap, long);
	va_end(ap);
	if (n == SYS_reboot) {
		stop_at("reboot");
		return fake_dir() ? fake_reboot() : -1;
	}
	if (n == SYS_pidfd_send_signal)
		stop_at("signal");
	if (n == SYS_pidfd_getfd)
		stop_at("getfd");
	return __real_syscall(n, arg[0], arg[1], arg[2], arg[3]);
}

/* The names that descriptors have in the real kernel. */
ssize_t __wrap_readlink(const char *path, char *buf, size_t size)
{
	const char *name = NULL;
	ssize_t n = __real_readlink(path, buf, size);
	const char *dir = fake_dir();
	char link[300];

	if (n < 0 || !dir || (size_t)n >= sizeof(link))
		return n;
	memcpy(link, buf, (size_t)n);
	link[n] = 0;
	if (strncmp(link, dir, strlen(dir)) || link[strlen(dir)] != '/')
		return n;
	if (is(link, "vfio-"))
		name = "anon_inode:[vfio-device]";
	if (is(link, "iommu-"))
		name = "/dev/iommu";
	if (is(link, "dmabuf-"))
		name = "/dmabuf:";
	if (!name || strlen(name) > size)
		return n;
	memcpy(buf, name, strlen(name));
	return (ssize_t)strlen(name);
}

int __wrap_fstat64(int fd, struct stat *st)
{
	int ret = __real_fstat64(fd, st);
	char path[300];

	if (!ret && fake_path(fd, path, sizeof(path)) && is(path, "iommu-"))
		st->st_mode = S_IFCHR | 0600;
	return ret;
}

static void give_config(int fd)
{
	const char *path = getenv("FAKE_CONFIG");
	char bytes[FAKE_CONFIG_SIZE];
	int from;

	if (!path)
		return;
	from = __real_open64(path, O_RDONLY | O_CLOEXEC);
	if (from < 0 || read(from, bytes, sizeof(bytes)) != sizeof(bytes) ||
	    pwrite(fd, bytes, sizeof(bytes), FAKE_CONFIG_AT) != sizeof(bytes))
		abort();
	close(from);
}

int fake_vfio_open(const char *name)
{
	static const struct fake_vfio empty;
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "%s/vfio-%s", fake_dir(), name);
	fd = __real_open64(path, O_RDWR | O_CREAT, 0600);
	if (fd < 0)
		return fd;
	if (pwrite(fd, &empty, sizeof(empty), 0) != sizeof(empty))
		abort();
	give_config(fd);
	return fd;
}
