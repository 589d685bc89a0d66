// SPDX-License-Identifier: GPL-2.0
/* /dev/iommu of the fake kernel. */
#include "fake_kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/iommufd.h>

void fake_iommu_load(int fd, struct fake_iommu *s)
{
	if (pread(fd, s, sizeof(*s), 0) != sizeof(*s))
		abort();
}

void fake_iommu_store(int fd, const struct fake_iommu *s)
{
	if (pwrite(fd, s, sizeof(*s), 0) != sizeof(*s))
		abort();
}

int fake_iommu_at(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		abort();
	return fd;
}

int fake_iommu_new(struct fake_iommu *s, uint32_t type)
{
	for (int id = 1; id < FAKE_IDS; id++) {
		if (s->type[id] != FAKE_FREE)
			continue;
		s->type[id] = type;
		s->ioas[id] = s->flags[id] = s->small_pages[id] = 0;
		return id;
	}
	return -ENOSPC;
}

static int of_type(const struct fake_iommu *s, uint32_t id, uint32_t type)
{
	return id < FAKE_IDS && s->type[id] == type;
}

static int map_file(struct fake_iommu *s, struct iommu_ioas_map_file *a)
{
	const char *fail = getenv("FAKE_FAIL_MAP");
	struct fake_map *m;
	struct stat st;
	char path[300];

	if (fail && strtoull(fail, NULL, 0) == a->iova)
		return -ENOMEM;
	if (!of_type(s, a->ioas_id, FAKE_IOAS))
		return -ENOENT;
	if (!(a->flags & IOMMU_IOAS_MAP_FIXED_IOVA) || !a->length || s->nmaps == FAKE_MAPS)
		return -EINVAL;
	for (uint32_t i = 0; i < s->nmaps; i++)
		if (s->maps[i].ioas == a->ioas_id &&
		    a->iova <= s->maps[i].iova + (s->maps[i].length - 1) &&
		    s->maps[i].iova <= a->iova + (a->length - 1))
			return -EEXIST;
	m = &s->maps[s->nmaps++];
	*m = (struct fake_map){ .ioas = a->ioas_id,
				.flags = a->flags,
				.iova = a->iova,
				.length = a->length,
				.offset = a->start };
	if (fake_path(a->fd, path, sizeof(path))) {
		/* A dma-buf; what it is of is in it. */
		if (!strstr(path, "/dmabuf-") || pread(a->fd, &m->offset, 8, 0) != 8)
			return -EINVAL;
		return 0;
	}
	if (fstat(a->fd, &st) < 0)
		return -errno;
	m->inode = st.st_ino;
	return 0;
}

static int change(struct fake_iommu *s, unsigned long req, void *arg)
{
	struct iommu_ioas_alloc *alloc = arg;
	struct iommu_destroy *destroy = arg;
	struct iommu_option *option = arg;
	struct iommu_hwpt_alloc *hwpt = arg;
	int id;

	switch (req) {
	case IOMMU_IOAS_ALLOC:
		id = fake_iommu_new(s, FAKE_IOAS);
		alloc->out_ioas_id = (uint32_t)id;
		return id < 0 ? id : 0;
	case IOMMU_DESTROY:
		if (destroy->id >= FAKE_IDS || s->type[destroy->id] == FAKE_FREE)
			return -ENOENT;
		s->type[destroy->id] = FAKE_FREE;
		return 0;
	case IOMMU_OPTION:
		if (!of_type(s, option->object_id, FAKE_IOAS))
			return -ENOENT;
		s->small_pages[option->object_id] = !option->val64;
		return 0;
	case IOMMU_HWPT_ALLOC:
		if (!of_type(s, hwpt->dev_id, FAKE_DEV) || !of_type(s, hwpt->pt_id, FAKE_IOAS))
			return -ENOENT;
		id = fake_iommu_new(s, FAKE_HWPT);
		if (id < 0)
			return id;
		s->ioas[id] = hwpt->pt_id;
		s->flags[id] = hwpt->flags;
		hwpt->out_hwpt_id = (uint32_t)id;
		return 0;
	case IOMMU_IOAS_MAP_FILE:
		return map_file(s, arg);
	}
	return -ENOTTY;
}

int fake_iommu_ioctl(int fd, unsigned long req, void *arg)
{
	static struct fake_iommu s;
	int ret;

	fake_iommu_load(fd, &s);
	ret = change(&s, req, arg);
	if (!ret)
		fake_iommu_store(fd, &s);
	return ret;
}
