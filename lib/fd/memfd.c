// SPDX-License-Identifier: LGPL-2.1-or-later
/* memfd: memory of the guest, firmware, QEMU's own notes. Crosses in the session. */
#include <errno.h>
#include <string.h>
#include <sys/vfs.h>

#include <linux/magic.h>

#include <holdfast/fdkind.h>
#include <holdfast/util.h>

static bool match(const struct stat *st, const char *link, const char *sysfs)
{
	(void)sysfs;
	/* One that has come from a session has no name. */
	return S_ISREG(st->st_mode) && !st->st_nlink &&
	       (!strncmp(link, "/memfd:", 7) || !strcmp(link, "/ (deleted)"));
}

static int save(struct hf_fd *f, struct hf_error *e)
{
	struct statfs fs;

	if (fstatfs(f->fd, &fs) < 0)
		return hf_fail_errno(e, errno, "fd %d: fstatfs", f->fd);
	if (fs.f_type == HUGETLBFS_MAGIC)
		return hf_fail_text(e, EOPNOTSUPP,
				    "fd %d is a memfd of huge pages, which the kernel cannot "
				    "preserve: start the VM without hugetlb=on",
				    f->fd);
	f->token = (uint64_t)f->fd;
	return 0;
}

static bool same(int a, int b)
{
	struct stat x, y;

	return !fstat(a, &x) && !fstat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

const struct hf_fd_ops hf_memfd_ops = {
	.kind = HF_KIND_MEMFD,
	.match = match,
	.save = save,
	.same = same,
};
