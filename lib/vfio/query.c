// SPDX-License-Identifier: LGPL-2.1-or-later
/* What the old kernel says about a vfio device. */
#include <holdfast/vfio.h>

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <linux/vfio.h>
#include <linux/vfio_liveupdate.h>

#include <holdfast/persona.h>
#include <holdfast/util.h>

void hf_vfio_bdf(int fd, char *bdf, size_t size)
{
	char path[512], name[64];
	struct stat st;
	const char *base;

	*bdf = 0;
	if (!hf_fdinfo(fd, "vfio-device-syspath", path, sizeof(path))) {
		base = strrchr(path, '/');
		if (base && hf_cfg_is_bdf(base + 1))
			snprintf(bdf, size, "%s", base + 1);
	}
	/* Kernels before 6.18 do not tell; a character device has its number. */
	if (*bdf || fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode))
		return;
	snprintf(path, sizeof(path), "/sys/dev/char/%u:%u/device", major(st.st_rdev),
		 minor(st.st_rdev));
	if (!hf_link_name(path, name, sizeof(name)) && hf_cfg_is_bdf(name))
		snprintf(bdf, size, "%s", name);
}

int hf_vfio_why(int fd, char *text, size_t size)
{
	struct {
		struct vfio_device_feature head;
		struct vfio_device_feature_liveupdate lu;
	} q = {
		.head.argsz = sizeof(q),
		.head.flags = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_LIVEUPDATE,
	};

	if (ioctl(fd, VFIO_DEVICE_FEATURE, &q) < 0)
		return -errno;
	snprintf(text, size, "%.*s", (int)sizeof(q.lu.text), q.lu.text);
	return *text ? 0 : -ENODATA;
}

/* ENOENT is an answer; all else is told, and most of it means an older kernel. */
static int failed(const struct hf_device *d, const char *what, struct hf_error *e)
{
	int num = errno;
	char name[64];

	if (num == ENOENT)
		return -ENOENT;
	hf_device_name(d, name, sizeof(name));
	if (num == ENOTTY)
		return hf_fail_text(e, num, "%s: this kernel does not tell %s", name, what);
	return hf_fail_errno(e, num, "%s: ask the kernel for %s", name, what);
}

int hf_vfio_query_iommu(struct hf_device *d, bool *small_pages, struct hf_error *e)
{
	struct {
		struct vfio_device_feature head;
		struct vfio_device_feature_liveupdate_iommu iommu;
	} q = {
		.head.argsz = sizeof(q),
		.head.flags = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_LIVEUPDATE_IOMMU,
		.iommu.iommufd = d->iommufd,
	};

	if (ioctl(d->fd, VFIO_DEVICE_FEATURE, &q) < 0)
		return failed(d, "its iommufd objects", e);
	d->dev_id = q.iommu.dev_id;
	d->ioas_id = q.iommu.ioas_id;
	d->hwpt_id = q.iommu.hwpt_id;
	d->hwpt_flags = q.iommu.hwpt_flags;
	d->auto_domain = q.iommu.flags & VFIO_LIVEUPDATE_AUTO_DOMAIN;
	*small_pages = q.iommu.flags & VFIO_LIVEUPDATE_SMALL_PAGES;
	return 0;
}

int hf_vfio_query_map(const struct hf_device *d, struct hf_map *p, struct hf_error *e)
{
	struct {
		struct vfio_device_feature head;
		struct vfio_device_feature_liveupdate_mapping map;
	} q = {
		.head.argsz = sizeof(q),
		.head.flags = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_LIVEUPDATE_MAPPING,
		.map.fd = p->fd,
		.map.iova = p->iova,
	};
	char name[64];

	/* The head is padded to eight bytes, behind which the kernel expects the answer. */
	static_assert(sizeof(q) == sizeof(q.head) + sizeof(q.map), "no padding");
	if (ioctl(d->fd, VFIO_DEVICE_FEATURE, &q) < 0) {
		if (errno == EOPNOTSUPP)
			return hf_fail_text(e, EOPNOTSUPP,
					    "%s: what is mapped at or above IOVA 0x%llx is of a "
					    "kind that cannot be preserved",
					    hf_device_name(d, name, sizeof(name)),
					    (unsigned long long)p->iova);
		return failed(d, "its mappings", e);
	}
	p->iova = q.map.iova;
	p->length = q.map.length;
	p->offset = q.map.offset;
	p->read = q.map.flags & VFIO_LIVEUPDATE_MAP_READ;
	p->write = q.map.flags & VFIO_LIVEUPDATE_MAP_WRITE;
	p->mmio = q.map.flags & VFIO_LIVEUPDATE_MAP_MMIO;
	return 0;
}

int hf_vfio_query_irq(const struct hf_device *d, struct hf_irq *irq, struct hf_error *e)
{
	struct {
		struct vfio_device_feature head;
		struct vfio_device_feature_liveupdate_irq irq;
	} q = {
		.head.argsz = sizeof(q),
		.head.flags = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_LIVEUPDATE_IRQ,
		.irq.fd = irq->fd,
		.irq.index = irq->index,
		.irq.start = irq->vector,
	};

	if (ioctl(d->fd, VFIO_DEVICE_FEATURE, &q) < 0)
		return failed(d, "its interrupts", e);
	irq->action = q.irq.action;
	irq->index = q.irq.index;
	irq->vector = q.irq.start;
	return 0;
}
