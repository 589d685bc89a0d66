// SPDX-License-Identifier: LGPL-2.1-or-later
/* eventfd: interrupts and notifiers. Does not cross: a new one, with the same counter. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <holdfast/fdkind.h>
#include <holdfast/util.h>

static bool match(const struct stat *st, const char *link, const char *sysfs)
{
	(void)st;
	(void)sysfs;
	return !strcmp(link, "anon_inode:[eventfd]");
}

static int save(struct hf_fd *f, struct hf_error *e)
{
	char text[64];
	int err = hf_fdinfo(f->fd, "eventfd-count", text, sizeof(text));

	if (err)
		return hf_fail_errno(e, -err, "fd %d: the count of the eventfd", f->fd);
	f->count = strtoull(text, NULL, 16);
	/* Kernels before 6.5 do not tell. */
	f->semaphore = !hf_fdinfo(f->fd, "eventfd-semaphore", text, sizeof(text)) && *text == '1';
	return 0;
}

static int create(const struct hf_fd *f, struct hf_error *e)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | (f->semaphore ? EFD_SEMAPHORE : 0));

	if (fd < 0)
		return hf_fail_errno(e, errno, "eventfd");
	if (f->count && write(fd, &f->count, sizeof(f->count)) < 0) {
		hf_fail_errno(e, errno, "set the count of an eventfd");
		close(fd);
		return -e->num;
	}
	return fd;
}

static bool same(int a, int b)
{
	char x[32], y[32];

	return !hf_fdinfo(a, "eventfd-id", x, sizeof(x)) &&
	       !hf_fdinfo(b, "eventfd-id", y, sizeof(y)) && !strcmp(x, y);
}

const struct hf_fd_ops hf_eventfd_ops = {
	.kind = HF_KIND_EVENTFD,
	.match = match,
	.save = save,
	.create = create,
	.same = same,
};
