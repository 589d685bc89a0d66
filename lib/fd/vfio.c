// SPDX-License-Identifier: LGPL-2.1-or-later
/* vfio device, opened as a character device or come from a session. Crosses in the session. */
#include <string.h>

#include <holdfast/fdkind.h>
#include <holdfast/util.h>

static bool match(const struct stat *st, const char *link, const char *sysfs)
{
	if (S_ISCHR(st->st_mode))
		return !strncmp(link, "/dev/vfio/devices/vfio", 22) ||
		       (!strncmp(sysfs, "vfio", 4) && sysfs[4] >= '0' && sysfs[4] <= '9');
	/* After an update it has no inode of its own. */
	return !strcmp(link, "anon_inode:[vfio-device]");
}

static int save(struct hf_fd *f, struct hf_error *e)
{
	(void)e;
	f->token = (uint64_t)f->fd;
	return 0;
}

/* The kernel lets a device be opened once, so the same device is the same file. */
static bool same(int a, int b)
{
	char x[512], y[512];

	return !hf_fdinfo(a, "vfio-device-syspath", x, sizeof(x)) &&
	       !hf_fdinfo(b, "vfio-device-syspath", y, sizeof(y)) && !strcmp(x, y);
}

const struct hf_fd_ops hf_vfio_ops = {
	.kind = HF_KIND_VFIO,
	.match = match,
	.save = save,
	.same = same,
};
