// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfio-pci live update: can this device be preserved, and if not, why?
 *
 * Copyright (c) 2026 The holdfast authors
 */

#include <linux/iommu_liveupdate.h>
#include <linux/iommufd_liveupdate.h>
#include <linux/liveupdate.h>
#include <linux/shmem_fs.h>
#include <linux/uaccess.h>

#include "vfio_pci_priv.h"

/* Protects vfio_pci_lu.refused and that vfio_pci_core_device.lu is set once. */
static DEFINE_MUTEX(vfio_pci_lu_lock);

/**
 * vfio_pci_lu_get - the live update state of a device
 * @vdev: the device
 *
 * Return: the state, which lives as long as @vdev, or NULL: out of memory.
 */
struct vfio_pci_lu *vfio_pci_lu_get(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_lu *lu;

	guard(mutex)(&vfio_pci_lu_lock);
	if (vdev->lu)
		return vdev->lu;

	lu = kzalloc_obj(*lu);
	if (!lu)
		return NULL;
	lu->vdev = vdev;
	init_waitqueue_head(&lu->wait);
	INIT_WORK(&lu->stop, vfio_pci_lu_stop_work);
	/* Read without the lock by all who want to use the device. */
	smp_store_release(&vdev->lu, lu);

	return lu;
}

/**
 * vfio_pci_lu_set_refused - remember why the device was not preserved
 * @vdev: the device
 * @why: the reason, or NULL: it was preserved
 */
void vfio_pci_lu_set_refused(struct vfio_pci_core_device *vdev,
			     const struct vfio_pci_lu_why *why)
{
	struct vfio_pci_lu *lu = vfio_pci_lu_get(vdev);

	if (!lu)
		return;
	guard(mutex)(&vfio_pci_lu_lock);
	if (why)
		lu->refused = *why;
	else
		lu->refused.reason = VFIO_LIVEUPDATE_OK;
}

/**
 * vfio_pci_lu_refuse - put a reason down
 * @why: where
 * @reason: VFIO_LIVEUPDATE_*
 * @text: the same in words
 *
 * Return: -EBUSY if it may be otherwise later, or -EOPNOTSUPP.
 */
int vfio_pci_lu_refuse(struct vfio_pci_lu_why *why, u32 reason,
		       const char *text)
{
	why->reason = reason;
	strscpy(why->text, text);
	return reason == VFIO_LIVEUPDATE_STATE ? -EBUSY : -EOPNOTSUPP;
}

/**
 * vfio_pci_lu_in_low_power - has the owner asked for a low power state?
 * @vdev: the device
 *
 * Who has to be sure holds memory_lock, or the device is frozen.
 *
 * Return: true if so.
 */
bool vfio_pci_lu_in_low_power(struct vfio_pci_core_device *vdev)
{
	return READ_ONCE(vdev->pm_runtime_engaged) ||
	       READ_ONCE(vdev->pdev->current_state) != PCI_D0;
}

/**
 * vfio_pci_lu_check_device - can the device be preserved, mappings apart?
 * @vdev: a device that is open and bound to an iommufd
 * @why: where to put the reason of a refusal
 *
 * Context: Process context.
 * Return: 0; -EOPNOTSUPP if it cannot be preserved, -EBUSY if not now.
 */
int vfio_pci_lu_check_device(struct vfio_pci_core_device *vdev,
			     struct vfio_pci_lu_why *why)
{
	struct pci_dev *pdev = vdev->pdev;
	const char *text;

	if (!liveupdate_enabled())
		return vfio_pci_lu_refuse(why, VFIO_LIVEUPDATE_KERNEL,
					  "this kernel was started with live update off");
	if (strcmp(vdev->vdev.ops->name, "vfio-pci"))
		return vfio_pci_lu_refuse(why, VFIO_LIVEUPDATE_OWNER,
					  "a variant driver of vfio-pci owns it");
	if (pci_lu_adopted(pdev))
		return vfio_pci_lu_refuse(why, VFIO_LIVEUPDATE_STATE,
					  "its last update is not finished");
	if (vdev->num_regions || vdev->has_vga)
		return vfio_pci_lu_refuse(why, VFIO_LIVEUPDATE_PCI,
					  "it has regions besides its BARs");
	if (!vdev->vdev.iommufd_attached)
		return vfio_pci_lu_refuse(why, VFIO_LIVEUPDATE_OWNER,
					  "it is not attached to an address space of its iommufd");
	if (vfio_pci_lu_in_low_power(vdev))
		return vfio_pci_lu_refuse(why, VFIO_LIVEUPDATE_STATE,
					  "it is in a low power state");

	text = pci_lu_refusal(pdev);
	if (text)
		return vfio_pci_lu_refuse(why, VFIO_LIVEUPDATE_PCI, text);
	text = iommu_lu_refusal(&pdev->dev);
	if (text)
		return vfio_pci_lu_refuse(why, VFIO_LIVEUPDATE_IOMMU, text);

	return 0;
}

static void vfio_pci_lu_get_refused(struct vfio_pci_core_device *vdev,
				    struct vfio_pci_lu_why *why)
{
	guard(mutex)(&vfio_pci_lu_lock);
	if (vdev->lu && vdev->lu->refused.reason != VFIO_LIVEUPDATE_OK)
		*why = vdev->lu->refused;
}

/* Without a session it can only be said what kind of file it is. */
static const char *vfio_pci_lu_file_rule(struct file *file, void *data)
{
	if (!shmem_mapping(file->f_mapping) || file_inode(file)->i_nlink)
		return "is of a file that is not a memfd, or of huge pages";
	return NULL;
}

/**
 * vfio_pci_lu_feature - VFIO_DEVICE_FEATURE_LIVEUPDATE
 * @vdev: a device that is open
 * @flags: as given by the user
 * @arg: &struct vfio_device_feature_liveupdate
 * @argsz: room at @arg
 *
 * Context: Process context, takes dev_set->lock. Works on a frozen device too.
 * Return: 0 or a negative errno.
 */
int vfio_pci_lu_feature(struct vfio_pci_core_device *vdev, u32 flags,
			void __user *arg, size_t argsz)
{
	struct vfio_pci_lu_rule_data data = { .vdev = vdev };
	const struct iommufd_lu_rules rules = {
		.file = vfio_pci_lu_file_rule,
		.mmio = vfio_pci_lu_mmio_rule,
		.data = &data,
	};
	struct vfio_device_feature_liveupdate answer = {};
	struct vfio_device *device = &vdev->vdev;
	struct vfio_pci_lu_why why = {};
	int ret;

	ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_GET,
				 sizeof(answer));
	if (ret != 1)
		return ret;

	if (mutex_lock_interruptible(&device->dev_set->lock))
		return -EINTR;
	if (pci_lu_adopted(vdev->pdev))
		answer.flags |= VFIO_LIVEUPDATE_INCOMING;
	if (READ_ONCE(device->lu_attach_locked)) {
		answer.flags |= VFIO_LIVEUPDATE_PRESERVED;
		if (vfio_pci_lu_frozen(vdev))
			answer.flags |= VFIO_LIVEUPDATE_FROZEN;
		vfio_pci_lu_refuse(&why, VFIO_LIVEUPDATE_STATE,
				   "it is preserved already");
		if (vfio_pci_lu_lost_target(vdev->lu, why.text, sizeof(why.text)))
			why.reason = VFIO_LIVEUPDATE_MAPPING;
	} else if (!device->cdev_opened) {
		vfio_pci_lu_refuse(&why, VFIO_LIVEUPDATE_OWNER,
				   "it was opened through its group, not as a character device");
	} else if (!vfio_pci_lu_check_device(vdev, &why) &&
		   iommufd_lu_check(device->iommufd_device, &rules,
				    why.text, sizeof(why.text))) {
		why.reason = VFIO_LIVEUPDATE_MAPPING;
	}
	mutex_unlock(&device->dev_set->lock);

	if (why.reason == VFIO_LIVEUPDATE_OK) {
		answer.flags |= VFIO_LIVEUPDATE_CAN_PRESERVE;
		vfio_pci_lu_get_refused(vdev, &why);
		if (why.reason != VFIO_LIVEUPDATE_OK)
			answer.flags |= VFIO_LIVEUPDATE_REFUSED;
	}
	answer.reason = why.reason;
	strscpy(answer.text, why.text);

	return copy_to_user(arg, &answer, sizeof(answer)) ? -EFAULT : 0;
}
