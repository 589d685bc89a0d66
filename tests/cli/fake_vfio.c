// SPDX-License-Identifier: GPL-2.0
/* vfio devices of the fake kernel. */
#include "fake_kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/iommufd.h>
#include <linux/vfio.h>
#include <linux/vfio_liveupdate.h>

#include <holdfast/util.h>

#define BAR_SIZE  0x10000u
#define BAR_SHIFT 40

void fake_vfio_load(int fd, struct fake_vfio *s)
{
	if (pread(fd, s, sizeof(*s), 0) != sizeof(*s))
		abort();
}

void fake_vfio_store(int fd, const struct fake_vfio *s)
{
	if (pwrite(fd, s, sizeof(*s), 0) != sizeof(*s))
		abort();
}

static int event_id(int fd)
{
	char id[32];

	return hf_fdinfo(fd, "eventfd-id", id, sizeof(id)) ? -1 : atoi(id);
}

static int bind(struct fake_vfio *v, struct vfio_device_bind_iommufd *a)
{
	static struct fake_iommu s;
	char path[300];
	int id;

	if (v->iommu[0])
		return -EINVAL;
	if (!fake_path(a->iommufd, path, sizeof(path)))
		return -EBADF;
	fake_iommu_load(a->iommufd, &s);
	id = fake_iommu_new(&s, FAKE_DEV);
	if (id < 0)
		return id;
	fake_iommu_store(a->iommufd, &s);
	strcpy(v->iommu, path);
	v->dev_id = a->out_devid = (uint32_t)id;
	return 0;
}

static int attach(struct fake_vfio *v, struct fake_iommu *s,
		  struct vfio_device_attach_iommufd_pt *a)
{
	int id;

	if (a->pt_id >= FAKE_IDS)
		return -ENOENT;
	if (s->type[a->pt_id] == FAKE_IOAS) {
		for (id = 1; id < FAKE_IDS; id++)
			if (s->type[id] == FAKE_AUTO_HWPT && s->ioas[id] == a->pt_id)
				break;
		if (id == FAKE_IDS) {
			id = fake_iommu_new(s, FAKE_AUTO_HWPT);
			if (id < 0)
				return id;
			s->ioas[id] = a->pt_id;
		}
		a->pt_id = (uint32_t)id;
	} else if (s->type[a->pt_id] != FAKE_HWPT) {
		return -EINVAL;
	}
	v->pt_id = a->pt_id;
	return 0;
}

static void unset(struct fake_vfio *v, uint32_t index, uint32_t vector, uint32_t action)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < v->nirqs; i++)
		if (v->irqs[i].index != index || v->irqs[i].vector != vector ||
		    v->irqs[i].action != action)
			v->irqs[n++] = v->irqs[i];
	v->nirqs = n;
}

static int set_irqs(struct fake_vfio *v, struct vfio_irq_set *a)
{
	uint32_t action = a->flags & VFIO_IRQ_SET_ACTION_TYPE_MASK;
	int32_t *fds = (int32_t *)a->data;

	if (!(a->flags & VFIO_IRQ_SET_DATA_EVENTFD) ||
	    a->argsz != sizeof(*a) + a->count * sizeof(int32_t))
		return -EINVAL;
	for (uint32_t i = 0; i < a->count; i++) {
		unset(v, a->index, a->start + i, action);
		if (fds[i] < 0)
			continue;
		if (event_id(fds[i]) < 0 || v->nirqs == FAKE_IRQS)
			return -EBADF;
		v->irqs[v->nirqs++] = (struct fake_irq){ .index = a->index,
							 .vector = a->start + i,
							 .action = action,
							 .event = event_id(fds[i]) };
	}
	return 0;
}

static int ask_iommu(const struct fake_vfio *v, const struct fake_iommu *s, void *data)
{
	struct vfio_device_feature_liveupdate_iommu *q = data;
	char path[300];
	uint32_t ioas = s->ioas[v->pt_id];

	if (!v->pt_id || !fake_path(q->iommufd, path, sizeof(path)) || strcmp(path, v->iommu))
		return -ENOENT;
	q->dev_id = v->dev_id;
	q->hwpt_id = v->pt_id;
	q->ioas_id = ioas;
	q->hwpt_flags = s->flags[v->pt_id];
	q->flags = (s->type[v->pt_id] == FAKE_AUTO_HWPT ? VFIO_LIVEUPDATE_AUTO_DOMAIN : 0) |
		   (s->small_pages[ioas] ? VFIO_LIVEUPDATE_SMALL_PAGES : 0);
	return 0;
}

static int ask_map(const struct fake_vfio *v, const struct fake_iommu *s, void *data)
{
	struct vfio_device_feature_liveupdate_mapping *q = data;
	const struct fake_map *best = NULL;
	struct stat st = { 0 };

	if (q->fd >= 0 && fstat(q->fd, &st) < 0)
		return -EBADF;
	for (uint32_t i = 0; i < s->nmaps; i++) {
		const struct fake_map *m = &s->maps[i];

		if (m->ioas == s->ioas[v->pt_id] && m->iova >= q->iova &&
		    (q->fd < 0 || m->inode == st.st_ino) && (!best || m->iova < best->iova))
			best = m;
	}
	if (!best)
		return -ENOENT;
	q->iova = best->iova;
	q->length = best->length;
	q->offset = best->offset;
	q->flags = (best->flags & IOMMU_IOAS_MAP_READABLE ? VFIO_LIVEUPDATE_MAP_READ : 0) |
		   (best->flags & IOMMU_IOAS_MAP_WRITEABLE ? VFIO_LIVEUPDATE_MAP_WRITE : 0) |
		   (best->inode ? 0 : VFIO_LIVEUPDATE_MAP_MMIO);
	return 0;
}

static int ask_irq(const struct fake_vfio *v, void *data)
{
	struct vfio_device_feature_liveupdate_irq *q = data;
	const struct fake_irq *best = NULL;
	int id = q->fd == -1 ? -1 : event_id(q->fd);

	if (q->fd != -1 && id < 0)
		return -EBADF;
	for (uint32_t i = 0; i < v->nirqs; i++) {
		const struct fake_irq *r = &v->irqs[i];

		if (q->fd == -1 ? r->action != VFIO_IRQ_SET_ACTION_TRIGGER : r->event != id)
			continue;
		if (r->index < q->index || (r->index == q->index && r->vector < q->start))
			continue;
		if (!best || r->index < best->index ||
		    (r->index == best->index && r->vector < best->vector))
			best = r;
	}
	if (!best)
		return -ENOENT;
	q->index = best->index;
	q->start = best->vector;
	q->action = best->action;
	return 0;
}

static int ask_why(void *data)
{
	struct vfio_device_feature_liveupdate *q = data;
	const char *r = getenv("FAKE_REFUSE");

	memset(q, 0, sizeof(*q));
	if (r && !strcmp(r, "vfio"))
		strcpy(q->text, "the fake kernel was told to refuse it");
	return 0;
}

static int dma_buf(void *data)
{
	struct {
		struct vfio_device_feature_dma_buf buf;
		struct vfio_region_dma_range range;
	} *q = data;
	struct fake_dmabuf d = {
		.offset = ((uint64_t)q->buf.region_index << BAR_SHIFT) + q->range.offset,
		.size = q->range.length,
		.exporter = "vfio_pci_core",
	};
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "%s/dmabuf-XXXXXX", fake_dir());
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0 || pwrite(fd, &d, sizeof(d), 0) != sizeof(d))
		abort();
	return fd;
}

static int feature(const struct fake_vfio *v, const struct fake_iommu *s,
		   struct vfio_device_feature *f)
{
	if (!(f->flags & VFIO_DEVICE_FEATURE_GET))
		return -EINVAL;
	switch (f->flags & VFIO_DEVICE_FEATURE_MASK) {
	case VFIO_DEVICE_FEATURE_LIVEUPDATE:
		return ask_why(f->data);
	case VFIO_DEVICE_FEATURE_LIVEUPDATE_IOMMU:
		return ask_iommu(v, s, f->data);
	case VFIO_DEVICE_FEATURE_LIVEUPDATE_MAPPING:
		return ask_map(v, s, f->data);
	case VFIO_DEVICE_FEATURE_LIVEUPDATE_IRQ:
		return ask_irq(v, f->data);
	case VFIO_DEVICE_FEATURE_DMA_BUF:
		return dma_buf(f->data);
	}
	return -ENOTTY;
}

static int region(int fd, struct vfio_region_info *info)
{
	struct stat st;

	if (info->index == VFIO_PCI_CONFIG_REGION_INDEX) {
		if (fstat(fd, &st) < 0)
			abort();
		info->offset = FAKE_CONFIG_AT;
		info->size = st.st_size < FAKE_CONFIG_AT + FAKE_CONFIG_SIZE ? 0 : FAKE_CONFIG_SIZE;
		return 0;
	}
	info->offset = (uint64_t)info->index << BAR_SHIFT;
	info->size = info->index == 0 || info->index == 3 ? BAR_SIZE : 0;
	return 0;
}

int fake_vfio_ioctl(int fd, unsigned long req, void *arg)
{
	static struct fake_iommu s;
	struct fake_vfio v;
	int ret, iommu;

	fake_vfio_load(fd, &v);
	if (req == VFIO_DEVICE_BIND_IOMMUFD) {
		ret = bind(&v, arg);
		if (!ret)
			fake_vfio_store(fd, &v);
		return ret;
	}
	if (!v.iommu[0])
		return -EINVAL;
	iommu = fake_iommu_at(v.iommu);
	fake_iommu_load(iommu, &s);
	switch (req) {
	case VFIO_DEVICE_ATTACH_IOMMUFD_PT:
		ret = attach(&v, &s, arg);
		break;
	case VFIO_DEVICE_SET_IRQS:
		ret = set_irqs(&v, arg);
		break;
	case VFIO_DEVICE_FEATURE:
		ret = feature(&v, &s, arg);
		break;
	case VFIO_DEVICE_GET_REGION_INFO:
		ret = region(fd, arg);
		break;
	default:
		ret = -ENOTTY;
	}
	if (!ret && req != VFIO_DEVICE_FEATURE) {
		fake_vfio_store(fd, &v);
		fake_iommu_store(iommu, &s);
	}
	close(iommu);
	return ret;
}
