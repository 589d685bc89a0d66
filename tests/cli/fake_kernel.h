/* SPDX-License-Identifier: GPL-2.0 */
/* Parts of the fake kernel, to each other. */
#ifndef FAKE_KERNEL_H
#define FAKE_KERNEL_H

#include <stddef.h>

#include "fake.h"

/* The folder, or NULL: there is no fake kernel. */
const char *fake_dir(void);

/* Whether @fd is of the fake kernel; its true path. */
int fake_path(int fd, char *buf, size_t size);

/* ioctls. Return: what the ioctl returns, or -errno. */
int fake_luo(int fd, unsigned long req, void *arg);
int fake_session(int fd, const char *path, unsigned long req, void *arg);
int fake_iommu_ioctl(int fd, unsigned long req, void *arg);
int fake_vfio_ioctl(int fd, unsigned long req, void *arg);

/* The state of an iommufd, by descriptor, or by path. */
void fake_iommu_load(int fd, struct fake_iommu *s);
void fake_iommu_store(int fd, const struct fake_iommu *s);
int fake_iommu_at(const char *path);
/* The lowest free ID, now of @type. Return: the ID or -ENOSPC. */
int fake_iommu_new(struct fake_iommu *s, uint32_t type);

void fake_vfio_load(int fd, struct fake_vfio *s);
void fake_vfio_store(int fd, const struct fake_vfio *s);

#endif
