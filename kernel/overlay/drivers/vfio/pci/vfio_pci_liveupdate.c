// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfio-pci live update: the file handler, and preserving a device.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: A vfio-pci device in a live update session
 *
 * Old kernel, happy path:
 *
 * 1. Preserve, while everything runs. Refused, with a reason in the log and
 *    through VFIO_DEVICE_FEATURE_LIVEUPDATE, unless the device was opened as a
 *    character device, is driven by vfio-pci itself, is attached to an address
 *    space that maps nothing but memfds preserved before it in the same
 *    session and BARs (see "BARs in the address space"), and PCI core and IOMMU
 *    agree. From here on the owner cannot attach it to anything else, or detach
 *    it, or change the mappings: -EBUSY. The device is kept out of runtime
 *    suspend. All else is as before: it may even be reset.
 * 2. Freeze, inside reboot(). Everybody who wants to use the device is made to wait,
 *    see "Freeze". The checks that can have changed are made again; vconfig is
 *    recorded; interrupts are masked at the source and the guard of config space is
 *    armed (pci_lu_freeze()); the translation is recorded (iommu_lu_freeze()).
 *
 * Unhappy paths: unfreeze undoes freeze, unpreserve undoes preserve, each in
 * reverse order; a step that fails undoes itself. The session being closed is
 * unpreserve.
 *
 * New kernel: see "A vfio-pci device in the new kernel".
 *
 * Locks, outermost first: those of the Live Update Orchestrator; dev_set->lock
 * (preserve only); igate; memory_lock; those of iommufd, the PCI core and the IOMMU.
 *
 * An owner must not be able to keep its host from being updated, or others from
 * preserving. Whatever runs under the locks of the Orchestrator delays the next
 * update. So it waits for nothing that an owner can hold on to: dev_set->lock only
 * for VFIO_PCI_LU_PRESERVE_MS, igate and memory_lock as "Freeze" says.
 */

#include <linux/delay.h>
#include <linux/file.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/iommu_liveupdate.h>
#include <linux/iommufd_liveupdate.h>
#include <linux/jiffies.h>
#include <linux/kexec_handover.h>
#include <linux/kho/abi/vfio_pci_liveupdate.h>
#include <linux/liveupdate.h>
#include <linux/pm_runtime.h>

#include "../vfio.h"
#include "vfio_pci_priv.h"

/* How long preserve waits for what the owner has under way. */
#define VFIO_PCI_LU_PRESERVE_MS	250

/**
 * vfio_pci_lu_vdev - the device of a file
 * @file: a device file of vfio-pci
 *
 * Return: the device, as long as the caller holds @file.
 */
struct vfio_pci_core_device *vfio_pci_lu_vdev(struct file *file)
{
	return container_of(vfio_lu_device_from_file(file),
			    struct vfio_pci_core_device, vdev);
}

/* Any PCI device file is ours, so that those we cannot preserve hear why. */
static bool vfio_pci_lu_can_preserve(struct liveupdate_file_handler *handler,
				     struct file *file)
{
	struct vfio_device *device = vfio_lu_device_from_file(file);

	return device && dev_is_pci(device->dev);
}

/* The device, not the file: it can be preserved once, through any file. */
static unsigned long vfio_pci_lu_get_id(struct file *file)
{
	return (unsigned long)vfio_lu_device_from_file(file);
}

static const char *vfio_pci_lu_session_rule(struct file *file, void *data)
{
	const struct vfio_pci_lu_rule_data *rule = data;

	if (!liveupdate_session_has_inode(rule->args, file_inode(file)))
		return "is of a file that was not preserved before the device in the same session";
	return NULL;
}

/* Check and lock what the device can reach. */
static int vfio_pci_lu_lock_mappings(struct vfio_pci_core_device *vdev,
				     struct liveupdate_file_op_args *args,
				     struct vfio_pci_lu *lu,
				     struct vfio_pci_lu_why *why)
{
	struct vfio_pci_lu_rule_data data = {
		.vdev = vdev,
		.args = args,
		.lu = lu,
	};
	const struct iommufd_lu_rules rules = {
		.file = vfio_pci_lu_session_rule,
		.mmio = vfio_pci_lu_mmio_rule,
		.data = &data,
	};
	struct iommufd_ioas *ioas;

	ioas = iommufd_lu_lock(vdev->vdev.iommufd_device, &rules, why->text,
			       sizeof(why->text));
	if (IS_ERR(ioas)) {
		vfio_pci_lu_forget_reach(lu);
		why->reason = VFIO_LIVEUPDATE_MAPPING;
		return PTR_ERR(ioas);
	}

	lu->ioas = ioas;
	return 0;
}

/*
 * Who asks for low power from now on finds lu_attach_locked set; who has asked before
 * has memory_lock, or had it. The owner can have it all the time: he resets the device,
 * and the Orchestrator must not wait for that.
 */
static int vfio_pci_lu_check_awake(struct vfio_pci_core_device *vdev,
				   struct vfio_pci_lu_why *why)
{
	unsigned long end = jiffies + msecs_to_jiffies(VFIO_PCI_LU_PRESERVE_MS);
	bool asleep;

	while (!down_read_trylock(&vdev->memory_lock)) {
		if (time_after(jiffies, end) || signal_pending(current))
			return vfio_pci_lu_refuse(why, VFIO_LIVEUPDATE_STATE,
						  "an operation on it does not end");
		fsleep(1000);
	}
	asleep = vfio_pci_lu_in_low_power(vdev);
	up_read(&vdev->memory_lock);
	return asleep ? vfio_pci_lu_refuse(why, VFIO_LIVEUPDATE_STATE,
					   "it is in a low power state") : 0;
}

/* Everything that preserve does under dev_set->lock. */
static int vfio_pci_lu_preserve_locked(struct vfio_pci_core_device *vdev,
				       struct liveupdate_file_op_args *args,
				       struct vfio_pci_lu *lu,
				       struct vfio_pci_lu_why *why)
{
	struct pci_dev *pdev = vdev->pdev;
	int err;

	err = vfio_pci_lu_check_device(vdev, why);
	if (err)
		return err;
	err = vfio_pci_lu_lock_mappings(vdev, args, lu, why);
	if (err)
		return err;

	err = pci_lu_preserve(pdev, virt_to_phys(lu->out));
	if (err) {
		why->reason = VFIO_LIVEUPDATE_PCI;
		strscpy(why->text, "the PCI core could not preserve it");
		goto unlock_mappings;
	}
	err = iommu_lu_preserve(&pdev->dev);
	if (err) {
		why->reason = VFIO_LIVEUPDATE_IOMMU;
		strscpy(why->text, "the IOMMU could not preserve it");
		goto unpreserve_pci;
	}

	vdev->vdev.lu_attach_locked = true;
	err = vfio_pci_lu_check_awake(vdev, why);
	if (!err) {
		vfio_pci_lu_enlist(lu, args->file_set);
		return 0;
	}

	vdev->vdev.lu_attach_locked = false;

	iommu_lu_unpreserve(&pdev->dev);
unpreserve_pci:
	pci_lu_unpreserve(pdev);
unlock_mappings:
	iommufd_lu_unlock(lu->ioas);
	vfio_pci_lu_forget_reach(lu);
	return err;
}

/*
 * The owner may have this lock for as long as he likes: while he attaches, pages are
 * pinned, and he can see to it that they take their time to come.
 */
static int vfio_pci_lu_lock_dev_set(struct vfio_pci_core_device *vdev)
{
	unsigned long end = jiffies + msecs_to_jiffies(VFIO_PCI_LU_PRESERVE_MS);

	while (!mutex_trylock(&vdev->vdev.dev_set->lock)) {
		if (time_after(jiffies, end) || signal_pending(current))
			return -EBUSY;
		fsleep(1000);
	}
	return 0;
}

/* Everything that preserve does for a device that can be preserved at all. */
static int vfio_pci_lu_preserve_vdev(struct vfio_pci_core_device *vdev,
				     struct liveupdate_file_op_args *args,
				     struct vfio_pci_lu_why *why)
{
	struct device *dev = &vdev->pdev->dev;
	struct vfio_pci_lu *lu;
	int err;

	why->reason = VFIO_LIVEUPDATE_KERNEL;
	strscpy(why->text, "out of memory");
	lu = vfio_pci_lu_get(vdev);
	if (!lu)
		return -ENOMEM;
	lu->out = kho_alloc_preserve(sizeof(*lu->out));
	if (IS_ERR(lu->out))
		return PTR_ERR(lu->out);

	why->reason = VFIO_LIVEUPDATE_STATE;
	err = pm_runtime_resume_and_get(dev);
	if (err) {
		strscpy(why->text, "it does not wake up from a low power state");
		goto free_record;
	}

	err = vfio_pci_lu_lock_dev_set(vdev);
	if (err) {
		strscpy(why->text, "its owner is opening, attaching or resetting it");
		goto put_pm;
	}
	err = vfio_pci_lu_preserve_locked(vdev, args, lu, why);
	mutex_unlock(&vdev->vdev.dev_set->lock);
	if (err)
		goto put_pm;

	args->serialized_data = virt_to_phys(lu->out);
	return 0;

put_pm:
	pm_runtime_put(dev);
free_record:
	kho_unpreserve_free(lu->out);
	return err;
}

static int vfio_pci_lu_preserve(struct liveupdate_file_op_args *args)
{
	struct vfio_device *device = vfio_lu_device_from_file(args->file);
	struct vfio_pci_lu_why why = { .reason = VFIO_LIVEUPDATE_OWNER };
	int err = -EOPNOTSUPP;

	/* Only now is it known to be inside a vfio_pci_core_device. */
	if (strcmp(device->ops->name, "vfio-pci")) {
		strscpy(why.text, "a variant driver of vfio-pci owns it");
		goto refuse;
	}
	if (!vfio_lu_file_is_bound_cdev(args->file))
		strscpy(why.text, "it is not open as a character device and bound to an iommufd");
	else
		err = vfio_pci_lu_preserve_vdev(vfio_pci_lu_vdev(args->file),
						args, &why);
	vfio_pci_lu_set_refused(vfio_pci_lu_vdev(args->file),
				err ? &why : NULL);
	if (!err)
		return 0;

refuse:
	dev_warn(device->dev, "live update: cannot preserve: %s (%pe)\n",
		 why.text, ERR_PTR(err));
	return err;
}

static void vfio_pci_lu_unpreserve(struct liveupdate_file_op_args *args)
{
	struct vfio_pci_core_device *vdev = vfio_pci_lu_vdev(args->file);
	struct pci_dev *pdev = vdev->pdev;

	vfio_pci_lu_delist(vdev->lu);
	iommu_lu_unpreserve(&pdev->dev);
	pci_lu_unpreserve(pdev);
	iommufd_lu_unlock(vdev->lu->ioas);
	kho_unpreserve_free(vdev->lu->out);
	/* Last, and without dev_set->lock. Paired in vfio_lu_lock_attach(). */
	smp_store_release(&vdev->vdev.lu_attach_locked, false);
	pm_runtime_put(&pdev->dev);
}

static const struct liveupdate_file_ops vfio_pci_lu_file_ops = {
	.can_preserve = vfio_pci_lu_can_preserve,
	.preserve = vfio_pci_lu_preserve,
	.unpreserve = vfio_pci_lu_unpreserve,
	.freeze = vfio_pci_lu_freeze,
	.unfreeze = vfio_pci_lu_unfreeze,
	.retrieve = vfio_pci_lu_retrieve,
	.can_finish = vfio_pci_lu_can_finish,
	.finish = vfio_pci_lu_finish,
	.get_id = vfio_pci_lu_get_id,
	.owner = THIS_MODULE,
};

static struct liveupdate_file_handler vfio_pci_lu_handler = {
	.ops = &vfio_pci_lu_file_ops,
	.compatible = VFIO_PCI_LU_COMPATIBLE,
};

static int __init vfio_pci_lu_init(void)
{
	int err = liveupdate_register_file_handler(&vfio_pci_lu_handler);

	if (!err)
		err = vfio_pci_lu_incoming_init();
	if (err && err != -EOPNOTSUPP)
		pr_err("vfio-pci: live update: no file handler: %pe\n",
		       ERR_PTR(err));

	return err == -EOPNOTSUPP ? 0 : err;
}
late_initcall(vfio_pci_lu_init);
