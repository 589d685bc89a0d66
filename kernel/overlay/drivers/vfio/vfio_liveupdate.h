/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VFIO live update: device files.
 *
 * Copyright (c) 2026 The holdfast authors
 */
#ifndef __VFIO_LIVEUPDATE_H
#define __VFIO_LIVEUPDATE_H

#include <linux/mutex.h>
#include <linux/vfio.h>

struct file;
struct vfio_group;

#ifdef CONFIG_VFIO_PCI_LIVEUPDATE

/* For the handler of vfio-pci files. */
struct vfio_device *vfio_lu_device_from_file(struct file *file);
bool vfio_lu_file_is_bound_cdev(struct file *file);
struct file *vfio_lu_get_file(struct vfio_device *device);

/* Hooks of the VFIO core. */
bool vfio_lu_refuses_open(struct vfio_device *device);
bool vfio_lu_refuses_group(struct vfio_group *group);
bool vfio_lu_lock_attach(struct vfio_device *device);

#else

static inline bool vfio_lu_refuses_open(struct vfio_device *device)
{
	return false;
}

static inline bool vfio_lu_refuses_group(struct vfio_group *group)
{
	return false;
}

static inline bool vfio_lu_lock_attach(struct vfio_device *device)
{
	mutex_lock(&device->dev_set->lock);
	return true;
}

#endif /* CONFIG_VFIO_PCI_LIVEUPDATE */

#endif /* __VFIO_LIVEUPDATE_H */
