// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO live update: device files.
 *
 * Copyright (c) 2026 The holdfast authors
 */

#include <linux/anon_inodes.h>
#include <linux/pci.h>
#include <linux/pci_liveupdate.h>
#include <linux/vfio.h>

#include "vfio.h"

/**
 * vfio_lu_device_from_file - the device of a vfio device file
 * @file: any file
 *
 * Return: the device, as long as the caller holds @file; NULL if @file is not a
 * vfio device file.
 */
struct vfio_device *vfio_lu_device_from_file(struct file *file)
{
	struct vfio_device_file *df = file->private_data;

	return file->f_op == &vfio_device_fops ? df->device : NULL;
}

/**
 * vfio_lu_file_is_bound_cdev - can the owner use the device through this file?
 * @file: a vfio device file
 *
 * Return: true if @file was opened as a character device, or retrieved, and is
 * bound to an iommufd; false if it comes from a group or is not bound.
 */
bool vfio_lu_file_is_bound_cdev(struct file *file)
{
	struct vfio_device_file *df = file->private_data;

	/* Paired with smp_store_release() following vfio_df_open() */
	return !df->group && smp_load_acquire(&df->access_granted);
}

/**
 * vfio_lu_get_file - open a device that nobody else may open
 * @device: a device with a registration reference
 *
 * What opening the character device would give, without the check of
 * vfio_allocate_device_file() that keeps others out: a file to be bound to an
 * iommufd. The registration reference moves to the file.
 *
 * Return: the file, or an error pointer.
 */
struct file *vfio_lu_get_file(struct vfio_device *device)
{
	struct vfio_device_file *df;
	struct file *file;

	df = kzalloc_obj(*df, GFP_KERNEL_ACCOUNT);
	if (!df)
		return ERR_PTR(-ENOMEM);
	df->device = device;
	spin_lock_init(&df->kvm_ref_lock);

	file = anon_inode_getfile_fmode("[vfio-device]", &vfio_device_fops, df,
					O_RDWR, FMODE_PREAD | FMODE_PWRITE);
	if (IS_ERR(file)) {
		kfree(df);
		return file;
	}
	/* As in vfio_device_fops_cdev_open(): to zap what is mapped. */
	file->f_mapping = device->inode->i_mapping;

	return file;
}

/**
 * vfio_lu_refuses_open - is the device waiting for its owner?
 * @device: a device with a registration reference
 *
 * A device that was taken over from the previous kernel is still doing DMA for
 * its owner, who gets it back by LIVEUPDATE_SESSION_RETRIEVE_FD and by nothing
 * else until the session is finished.
 *
 * Return: true if opening it must fail.
 */
bool vfio_lu_refuses_open(struct vfio_device *device)
{
	struct pci_dev *pdev;

	if (!dev_is_pci(device->dev))
		return false;
	pdev = to_pci_dev(device->dev);

	return pci_lu_adopted(pdev) || pci_lu_fenced(pdev);
}

#if IS_ENABLED(CONFIG_VFIO_GROUP)
/**
 * vfio_lu_refuses_group - is a device of the group waiting for its owner?
 * @group: a group that is about to be opened
 *
 * A container would attach its own page tables to all devices of the group.
 *
 * Return: true if opening it must fail.
 */
bool vfio_lu_refuses_group(struct vfio_group *group)
{
	struct vfio_device *device;

	guard(mutex)(&group->device_lock);
	list_for_each_entry(device, &group->device_list, group_next)
		if (vfio_lu_refuses_open(device))
			return true;
	return false;
}
#endif

/**
 * vfio_lu_lock_attach - take dev_set->lock to change what a device is attached to
 * @device: a device that is open
 *
 * Return: true if it may change, then the lock is held; false if the device is
 * preserved.
 */
bool vfio_lu_lock_attach(struct vfio_device *device)
{
	mutex_lock(&device->dev_set->lock);
	/* Paired with smp_store_release() in vfio_pci_lu_unpreserve() */
	if (!smp_load_acquire(&device->lu_attach_locked))
		return true;
	mutex_unlock(&device->dev_set->lock);

	return false;
}
