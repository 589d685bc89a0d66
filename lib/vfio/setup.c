// SPDX-License-Identifier: LGPL-2.1-or-later
/* Setting up a vfio device that came from the session: iommufd, MMIO. */
#include <holdfast/vfio.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>

#include <linux/vfio.h>

int hf_vfio_bind(const struct hf_device *d, struct hf_error *e)
{
	struct vfio_device_bind_iommufd arg = { .argsz = sizeof(arg), .iommufd = d->iommufd };
	char name[64];

	hf_device_name(d, name, sizeof(name));
	if (ioctl(d->fd, VFIO_DEVICE_BIND_IOMMUFD, &arg) < 0)
		return hf_fail_errno(e, errno, "%s: bind it to the iommufd on fd %d", name,
				     d->iommufd);
	if (arg.out_devid != d->dev_id)
		return hf_fail_text(e, EPROTO, "%s: its ID in the iommufd is %u instead of %u",
				    name, arg.out_devid, d->dev_id);
	return 0;
}

int hf_vfio_attach(const struct hf_device *d, struct hf_error *e)
{
	struct vfio_device_attach_iommufd_pt arg = {
		.argsz = sizeof(arg),
		.pt_id = d->auto_domain ? d->ioas_id : d->hwpt_id,
	};
	char name[64];

	hf_device_name(d, name, sizeof(name));
	if (ioctl(d->fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &arg) < 0)
		return hf_fail_errno(e, errno, "%s: attach it to %s %u", name,
				     d->auto_domain ? "address space" : "page table",
				     d->auto_domain ? d->ioas_id : d->hwpt_id);
	if (arg.pt_id != d->hwpt_id)
		return hf_fail_text(e, EPROTO, "%s: its page table has the ID %u instead of %u",
				    name, arg.pt_id, d->hwpt_id);
	return 0;
}

int hf_vfio_region(const struct hf_device *d, unsigned int index, struct vfio_region_info *info,
		   struct hf_error *e)
{
	char name[64];

	*info = (struct vfio_region_info){ .argsz = sizeof(*info), .index = index };
	if (ioctl(d->fd, VFIO_DEVICE_GET_REGION_INFO, info) < 0)
		return hf_fail_errno(e, errno, "%s: ask for region %u",
				     hf_device_name(d, name, sizeof(name)), index);
	return 0;
}

/* The BAR that @offset of the device file is in. */
static int find_region(const struct hf_device *d, uint64_t offset, uint64_t length,
		       struct vfio_region_info *info, struct hf_error *e)
{
	char name[64];

	for (unsigned int i = VFIO_PCI_BAR0_REGION_INDEX; i <= VFIO_PCI_BAR5_REGION_INDEX; i++) {
		int err = hf_vfio_region(d, i, info, e);

		if (err)
			return err;
		if (offset >= info->offset && length <= info->size &&
		    offset - info->offset <= info->size - length)
			return 0;
	}
	return hf_fail_text(e, EINVAL, "%s: 0x%llx bytes at 0x%llx of its file are in no BAR",
			    hf_device_name(d, name, sizeof(name)), (unsigned long long)length,
			    (unsigned long long)offset);
}

int hf_vfio_dmabuf(const struct hf_device *d, uint64_t offset, uint64_t length, struct hf_error *e)
{
	struct {
		struct vfio_device_feature head;
		struct vfio_device_feature_dma_buf buf;
		struct vfio_region_dma_range range;
	} q = {
		.head.argsz = sizeof(q),
		.head.flags = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_DMA_BUF,
		.buf.open_flags = O_RDWR | O_CLOEXEC,
		.buf.nr_ranges = 1,
	};
	struct vfio_region_info info;
	char name[64];
	int fd, err;

	err = find_region(d, offset, length, &info, e);
	if (err)
		return err;
	q.buf.region_index = info.index;
	q.range.offset = offset - info.offset;
	q.range.length = length;
	fd = ioctl(d->fd, VFIO_DEVICE_FEATURE, &q);
	if (fd < 0)
		return hf_fail_errno(e, errno, "%s: make a dma-buf of BAR %u",
				     hf_device_name(d, name, sizeof(name)), info.index);
	return fd;
}
