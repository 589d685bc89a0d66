// SPDX-License-Identifier: LGPL-2.1-or-later
/* iommufd. Does not cross: it is opened anew, and its objects are rebuilt. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include <holdfast/fdkind.h>
#include <holdfast/util.h>

static bool match(const struct stat *st, const char *link, const char *sysfs)
{
	return S_ISCHR(st->st_mode) && (!strcmp(link, "/dev/iommu") || !strcmp(sysfs, "iommu"));
}

static int create(const struct hf_fd *f, struct hf_error *e)
{
	int fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);

	(void)f;
	if (fd < 0)
		return hf_fail_errno(e, errno, "open /dev/iommu");
	return fd;
}

const struct hf_fd_ops hf_iommufd_ops = {
	.kind = HF_KIND_IOMMUFD,
	.match = match,
	.create = create,
};
