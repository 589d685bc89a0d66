// SPDX-License-Identifier: LGPL-2.1-or-later
/* The descriptors of a VM. */
#include <holdfast/fdkind.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include <holdfast/util.h>

static const struct hf_fd_ops *const kinds[] = {
	&hf_memfd_ops,
	&hf_vfio_ops,
	&hf_iommufd_ops,
	&hf_eventfd_ops,
};

/* What F_SETFL can set on the other side. */
#define KEPT_FLAGS (O_NONBLOCK | O_APPEND)

const struct hf_fd_ops *hf_fd_ops(enum hf_kind kind)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(kinds); i++)
		if (kinds[i]->kind == kind)
			return kinds[i];
	return NULL;
}

int hf_fd_classify(struct hf_fd *f, struct hf_error *e)
{
	char link[512], path[64], sysfs[64] = "";
	struct stat st;
	int flags, err;

	err = hf_fd_link(f->fd, link, sizeof(link));
	if (err)
		return hf_fail_errno(e, -err, "look at fd %d", f->fd);
	flags = fcntl(f->fd, F_GETFL);
	if (flags < 0 || fstat(f->fd, &st) < 0)
		return hf_fail_errno(e, errno, "look at fd %d (%s)", f->fd, link);
	if (S_ISCHR(st.st_mode)) {
		/* By number too: the VM may see the device under another path. */
		snprintf(path, sizeof(path), "/sys/dev/char/%u:%u", major(st.st_rdev),
			 minor(st.st_rdev));
		hf_link_name(path, sysfs, sizeof(sysfs));
	}
	f->same_as = -1;
	f->flags = (unsigned int)(flags & KEPT_FLAGS);
	for (size_t i = 0; i < HF_ARRAY_SIZE(kinds); i++) {
		if (!kinds[i]->match(&st, link, sysfs))
			continue;
		f->kind = kinds[i]->kind;
		return kinds[i]->save ? kinds[i]->save(f, e) : 0;
	}
	return hf_fail_text(e, EOPNOTSUPP,
			    "fd %d (%s) is of a kind that cannot be preserved: close it in the "
			    "VM, or leave it behind with --drop-fd %d",
			    f->fd, link, f->fd);
}

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* The numbers of all inheritable descriptors, sorted. */
static int list_fds(int **list, size_t *n, struct hf_error *e)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *d;
	int err = 0, fd, *p, flags;

	if (!dir)
		return hf_fail_errno(e, errno, "open /proc/self/fd");
	while (!err && (d = readdir(dir))) {
		if (*d->d_name < '0' || *d->d_name > '9')
			continue;
		fd = atoi(d->d_name);
		/* Those that close on exec are our own, or not meant for COMMAND. */
		flags = fcntl(fd, F_GETFD);
		if (fd < 3 || flags < 0 || (flags & FD_CLOEXEC))
			continue;
		p = hf_append(list, n, sizeof(*p), e);
		if (p)
			*p = fd;
		else
			err = -ENOMEM;
	}
	closedir(dir);
	if (*n)
		qsort(*list, *n, sizeof(**list), by_number);
	return err;
}

static bool dropped(int fd, const int *drop, size_t ndrop)
{
	for (size_t i = 0; i < ndrop; i++)
		if (drop[i] == fd)
			return true;
	return false;
}

static bool same_info(int a, int b, const char *key)
{
	char x[64], y[64];

	return !hf_fdinfo(a, key, x, sizeof(x)) && !hf_fdinfo(b, key, y, sizeof(y)) &&
	       !strcmp(x, y);
}

/*
 * Is it a duplicate of an earlier one? A file can be preserved only once. Two
 * separate openings of a file can be told from duplicates by their position
 * and flags only; where these are equal it makes no difference to the owner.
 */
static int find_original(const struct hf_manifest *m, struct hf_fd *f, struct hf_error *e)
{
	bool (*same)(int, int) = hf_fd_ops(f->kind)->same;

	for (size_t i = 0; same && i < m->nfds; i++) {
		const struct hf_fd *o = &m->fds[i];

		if (o == f || o->kind != f->kind || o->same_as >= 0 || !same(o->fd, f->fd))
			continue;
		if (!same_info(o->fd, f->fd, "pos") || !same_info(o->fd, f->fd, "flags"))
			return hf_fail_text(e, EOPNOTSUPP,
					    "fd %d and fd %d are the same file, opened twice: a "
					    "file can be preserved only once",
					    o->fd, f->fd);
		f->same_as = o->fd;
		break;
	}
	return 0;
}

static bool is_dmabuf(int fd)
{
	char link[512];

	return !hf_fd_link(fd, link, sizeof(link)) && hf_dmabuf_match(link);
}

/* One that crosses, in whatever way. */
static int add(struct hf_manifest *m, int fd, struct hf_error *e)
{
	struct hf_fd *f;
	int err;

	if (fd >= HF_FD_LIMIT)
		return hf_fail_text(e, EOPNOTSUPP, "fd %d: numbers above %d are not supported", fd,
				    HF_FD_LIMIT - 1);
	f = hf_append(&m->fds, &m->nfds, sizeof(*f), e);
	if (!f)
		return -ENOMEM;
	f->fd = fd;
	err = hf_fd_classify(f, e);
	return err ? err : find_original(m, f, e);
}

int hf_fds_collect(struct hf_manifest *m, const int *drop, size_t ndrop, struct hf_error *e)
{
	int *list = NULL, err;
	size_t n = 0;

	err = list_fds(&list, &n, e);
	for (size_t i = 0; !err && i < n; i++)
		if (!dropped(list[i], drop, ndrop) && !is_dmabuf(list[i]))
			err = add(m, list[i], e);
	/* Now that the devices are known. */
	for (size_t i = 0; !err && i < n; i++)
		if (!dropped(list[i], drop, ndrop) && is_dmabuf(list[i]))
			err = hf_dmabuf_leave(m, list[i], e);
	free(list);
	return err;
}
