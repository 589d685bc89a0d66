// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfio-pci live update: the file handler.
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
 *    session, and PCI core and IOMMU agree. From here on the owner cannot
 *    attach it to anything else, or detach it, or change the mappings: -EBUSY.
 *    The device is kept out of runtime suspend. All else is as before: it may
 *    even be reset.
 * 2. Freeze, inside reboot(). The checks that can have changed are made again;
 *    igate and memory_lock are taken and kept; BARs are unmapped from userspace;
 *    vconfig is recorded; interrupts are masked at the source and the guard of
 *    config space is armed (pci_lu_freeze()); the translation is recorded
 *    (iommu_lu_freeze()).
 *
 * Userspace runs on after freeze, until the other CPUs are stopped, and on this
 * one if the update is called off. It must not touch the device, and must not
 * find out. So it is made to wait: whoever accesses a BAR, memory mapped or by
 * read() and write(), or sets interrupts, resets, changes Command or the power
 * state, exports a dmabuf or fires an ioeventfd, needs memory_lock or igate.
 * What is left takes neither lock and cannot do harm: config writes to other
 * registers pass the guard, I/O ports cannot unmask a vector. If the update is
 * called off, unfreeze releases the locks and all of them go on where they were,
 * with no error that no one expects.
 *
 * Unhappy paths: unfreeze undoes freeze, unpreserve undoes preserve, each in
 * reverse order; a step that fails undoes itself. The session being closed is
 * unpreserve.
 *
 * New kernel, happy path. The PCI core has found the function on the list,
 * checked it, and bound it to vfio-pci; it cannot be opened, reset or suspended.
 *
 * 3. Retrieve reads the record and makes a device file, as opening the character
 *    device would.
 * 4. The owner binds it, which opens the device without touching it, see
 *    "State of a vfio-pci device across a live update", attaches it, which
 *    moves it to the new page tables without a gap, and sets up interrupts,
 *    which is when vectors are unmasked.
 * 5. Finish, once it is attached: the IOMMU releases what came from the old
 *    kernel, the guard is disarmed, and the device is like any other.
 *
 * Unhappy paths: a device that was never retrieved, whose record is refused, or
 * whose owner is gone before attaching it, is given up: fenced, that is, Bus
 * Master off and guard disarmed; old translation released; reset. All of it before
 * the Live Update Orchestrator frees the memfds, which it does after the device
 * because they were preserved before it. Which device a record is of that cannot
 * be read, the PCI core knows by the handle of the record.
 *
 * An owner is gone if nobody but the Orchestrator holds the file. While there is
 * one and the device is not attached, finish is refused with -EBUSY.
 *
 * Locks, outermost first: the mutex of the session; dev_set->lock (preserve,
 * finish, and giving up); those of iommufd, the PCI core and the IOMMU. At
 * freeze: igate; memory_lock; those of the PCI core and the IOMMU.
 *
 * An owner must not be able to keep its host from being updated. VFIO holds
 * dev_set->lock while it writes to memory of the owner, which can take as long
 * as the owner likes. So in the old kernel preserve takes it interruptibly, and
 * nothing else does; what freeze waits for has a time limit.
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
#include <linux/lockdep.h>
#include <linux/pm_runtime.h>

#include "../vfio.h"
#include "vfio_pci_priv.h"

/* How long freeze waits for an access to the device that is under way. */
#define VFIO_PCI_LU_LOCK_TIMEOUT	HZ

static struct vfio_pci_core_device *vfio_pci_lu_vdev(struct file *file)
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

struct vfio_pci_lu_rule_data {
	const struct liveupdate_file_op_args *args;
	struct vfio_pci_core_device *vdev;
};

static const char *vfio_pci_lu_session_rule(struct file *file, void *data)
{
	const struct vfio_pci_lu_rule_data *rule = data;

	if (!liveupdate_session_has_inode(rule->args, file_inode(file)))
		return "is of a file that was not preserved before the device in the same session";
	return NULL;
}

static bool vfio_pci_lu_session_mmio_rule(phys_addr_t start, size_t len,
					  void *data)
{
	const struct vfio_pci_lu_rule_data *rule = data;

	return vfio_pci_lu_mmio_rule(start, len, rule->vdev);
}

/* Check and lock what the device can reach. */
static int vfio_pci_lu_lock_mappings(struct vfio_pci_core_device *vdev,
				     struct liveupdate_file_op_args *args,
				     struct vfio_pci_lu *lu,
				     struct vfio_pci_lu_why *why)
{
	struct vfio_pci_lu_rule_data data = { .args = args, .vdev = vdev };
	const struct iommufd_lu_rules rules = {
		.file = vfio_pci_lu_session_rule,
		.mmio = vfio_pci_lu_session_mmio_rule,
		.data = &data,
	};
	struct iommufd_ioas *ioas;

	ioas = iommufd_lu_lock(vdev->vdev.iommufd_device, &rules, why->text,
			       sizeof(why->text));
	if (IS_ERR(ioas)) {
		why->reason = VFIO_LIVEUPDATE_MAPPING;
		return PTR_ERR(ioas);
	}

	lu->ioas = ioas;
	return 0;
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
	return 0;

unpreserve_pci:
	pci_lu_unpreserve(pdev);
unlock_mappings:
	iommufd_lu_unlock(lu->ioas);
	return err;
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

	err = mutex_lock_interruptible(&vdev->vdev.dev_set->lock);
	if (err) {
		strscpy(why->text, "interrupted");
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

	iommu_lu_unpreserve(&pdev->dev);
	pci_lu_unpreserve(pdev);
	iommufd_lu_unlock(vdev->lu->ioas);
	kho_unpreserve_free(vdev->lu->out);
	/* Last, and without dev_set->lock. Paired in vfio_lu_lock_attach(). */
	smp_store_release(&vdev->vdev.lu_attach_locked, false);
	pm_runtime_put(&pdev->dev);
}

/*
 * Make everybody wait who wants to use the device. trylock, since a lock may be
 * held for long by whom we must not wait for, and since those of several
 * devices are held together.
 */
static int vfio_pci_lu_hold_still(struct vfio_pci_core_device *vdev)
{
	unsigned long end = jiffies + VFIO_PCI_LU_LOCK_TIMEOUT;

	while (!mutex_trylock(&vdev->igate)) {
		if (time_after(jiffies, end))
			return -EBUSY;
		fsleep(200);
	}
	while (!down_write_trylock(&vdev->memory_lock)) {
		if (time_after(jiffies, end)) {
			mutex_unlock(&vdev->igate);
			return -EBUSY;
		}
		fsleep(200);
	}

	/* No mapping comes back while memory_lock is held. */
	unmap_mapping_range(vdev->vdev.inode->i_mapping,
			    VFIO_PCI_INDEX_TO_OFFSET(VFIO_PCI_BAR0_REGION_INDEX),
			    VFIO_PCI_INDEX_TO_OFFSET(VFIO_PCI_ROM_REGION_INDEX) -
			    VFIO_PCI_INDEX_TO_OFFSET(VFIO_PCI_BAR0_REGION_INDEX),
			    true);
	WRITE_ONCE(vdev->lu->frozen, true);
	return 0;
}

static void vfio_pci_lu_let_go(struct vfio_pci_core_device *vdev)
{
	WRITE_ONCE(vdev->lu->frozen, false);
	up_write(&vdev->memory_lock);
	mutex_unlock(&vdev->igate);
}

/*
 * From freeze to unfreeze the locks are held across other sessions and back to
 * userspace's reboot(2). To lockdep that looks like memory_lock before the
 * mutex of a session, which a thread could hold that faults on a BAR. It cannot: all
 * sessions' mutexes are taken under luo_session_serialize_rwsem, and freeze has
 * that for writing. As with a frozen superblock, lockdep is told to look away.
 */
static void vfio_pci_lu_lockdep_release(struct vfio_pci_core_device *vdev)
{
	rwsem_release(&vdev->memory_lock.dep_map, _RET_IP_);
	mutex_release(&vdev->igate.dep_map, _RET_IP_);
}

static void vfio_pci_lu_lockdep_acquire(struct vfio_pci_core_device *vdev)
{
	mutex_acquire(&vdev->igate.dep_map, 0, 1, _RET_IP_);
	rwsem_acquire(&vdev->memory_lock.dep_map, 0, 1, _RET_IP_);
}

static int vfio_pci_lu_freeze(struct liveupdate_file_op_args *args)
{
	struct vfio_pci_core_device *vdev = vfio_pci_lu_vdev(args->file);
	struct pci_dev *pdev = vdev->pdev;
	struct vfio_pci_lu_why why = {};
	int err;

	err = vfio_pci_lu_hold_still(vdev);
	if (err) {
		strscpy(why.text, "an operation on it does not end");
		goto refuse;
	}
	err = vfio_pci_lu_check_device(vdev, &why);
	if (err)
		goto let_go;

	vfio_pci_lu_capture(vdev, vdev->lu->out);
	err = pci_lu_freeze(pdev);
	if (err) {
		strscpy(why.text, "the PCI core could not freeze it");
		goto let_go;
	}
	err = iommu_lu_freeze(&pdev->dev);
	if (err) {
		strscpy(why.text, "the IOMMU could not freeze it");
		goto unfreeze_pci;
	}

	vfio_pci_lu_lockdep_release(vdev);
	return 0;

unfreeze_pci:
	pci_lu_unfreeze(pdev);
let_go:
	vfio_pci_lu_let_go(vdev);
refuse:
	pci_warn(pdev, "live update: cannot freeze: %s (%pe)\n", why.text,
		 ERR_PTR(err));
	return err;
}

static void vfio_pci_lu_unfreeze(struct liveupdate_file_op_args *args)
{
	struct vfio_pci_core_device *vdev = vfio_pci_lu_vdev(args->file);

	vfio_pci_lu_lockdep_acquire(vdev);
	iommu_lu_unfreeze(&vdev->pdev->dev);
	pci_lu_unfreeze(vdev->pdev);
	vfio_pci_lu_let_go(vdev);
}

/* The vfio device of an adopted function, with a registration reference. */
static struct vfio_pci_core_device *vfio_pci_lu_get_vdev(struct pci_dev *pdev)
{
	struct vfio_pci_core_device *vdev;

	guard(device)(&pdev->dev);
	if (!pdev->dev.driver || strcmp(pdev->dev.driver->name, "vfio-pci"))
		return NULL;
	vdev = dev_get_drvdata(&pdev->dev);
	if (!vdev || !vfio_device_try_get_registration(&vdev->vdev))
		return NULL;

	return vdev;
}

/*
 * Nobody wants the device, or nobody can have it. When this returns it does no
 * more DMA, whatever memory it knew may be freed, and it can be opened; whoever
 * does so before, as soon as it is fenced, waits for dev_set->lock.
 */
static void vfio_pci_lu_give_up(struct pci_dev *pdev, const char *why)
{
	struct vfio_pci_core_device *vdev = vfio_pci_lu_get_vdev(pdev);
	int err;

	if (vdev)
		mutex_lock(&vdev->vdev.dev_set->lock);

	/* This also disarms the guard, which would not let a reset through. */
	pci_lu_fence(pdev, why);

	/* Before the reset, which turns ATS off: this talks to the device TLB. */
	iommu_lu_finish(&pdev->dev);

	pm_runtime_get_sync(&pdev->dev);
	err = pci_try_reset_function(pdev);
	if (err)
		pci_warn(pdev, "live update: not reset (%pe), Bus Master is off\n",
			 ERR_PTR(err));
	pm_runtime_put(&pdev->dev);

	if (vdev) {
		mutex_unlock(&vdev->vdev.dev_set->lock);
		vfio_device_put_registration(&vdev->vdev);
	}
}

static int vfio_pci_lu_retrieve_vdev(struct vfio_pci_core_device *vdev,
				     struct vfio_pci_lu_ser *ser,
				     struct file **filep)
{
	struct vfio_pci_lu *lu = vfio_pci_lu_get(vdev);
	struct file *file;

	if (!lu)
		return -ENOMEM;
	file = vfio_lu_get_file(&vdev->vdev);
	if (IS_ERR(file))
		return PTR_ERR(file);

	/* Nobody can open the device by any other file. */
	lu->in = ser;
	*filep = file;
	return 0;
}

static int vfio_pci_lu_retrieve(struct liveupdate_file_op_args *args)
{
	struct vfio_pci_core_device *vdev;
	struct vfio_pci_lu_ser *ser;
	struct pci_dev *pdev;
	const char *why;
	int err;

	/* By the handle: a record that is damaged must not leave it running. */
	pdev = pci_lu_find_adopted(args->serialized_data);
	ser = vfio_pci_lu_read(args->serialized_data, &why);
	if (!pdev) {
		pr_warn("vfio-pci: live update: cannot retrieve a device: it was not adopted\n");
		err = -ENODEV;
		goto free_ser;
	}

	err = -EINVAL;
	if (!ser)
		goto give_up;
	err = -ENODEV;
	why = pci_lu_resource_moved(pdev);
	if (why)
		goto give_up;
	if (pci_dev_id(pdev) != PCI_DEVID(ser->bus, ser->devfn) ||
	    pci_domain_nr(pdev->bus) != ser->segment ||
	    pdev->vendor != ser->vendor || pdev->device != ser->device) {
		why = "the record is of another device";
		goto give_up;
	}
	vdev = vfio_pci_lu_get_vdev(pdev);
	if (!vdev) {
		why = "vfio-pci does not drive it";
		goto give_up;
	}
	err = vfio_pci_lu_retrieve_vdev(vdev, ser, &args->file);
	if (err) {
		vfio_device_put_registration(&vdev->vdev);
		why = "out of memory";
		goto give_up;
	}

	pci_info(pdev, "live update: retrieved, %u interrupt vectors to set up\n",
		 ser->nvec);
	pci_dev_put(pdev);
	return 0;

give_up:
	vfio_pci_lu_give_up(pdev, why);
	pci_dev_put(pdev);
free_ser:
	kvfree(ser);
	return err;
}

/* Does the device run on the page tables of its owner? */
static bool vfio_pci_lu_is_attached(struct vfio_pci_core_device *vdev)
{
	lockdep_assert_held(&vdev->vdev.dev_set->lock);

	return vdev->vdev.iommufd_attached && pci_lu_adopted(vdev->pdev) &&
	       !iommu_lu_adopted(&vdev->pdev->dev);
}

static bool vfio_pci_lu_can_finish(struct liveupdate_file_op_args *args)
{
	struct vfio_pci_core_device *vdev;

	if (args->retrieve_status <= 0)
		return true;
	/* The owner is gone: nobody will ever attach it. */
	if (file_count(args->file) == 1)
		return true;

	vdev = vfio_pci_lu_vdev(args->file);
	guard(mutex)(&vdev->vdev.dev_set->lock);
	return !pci_lu_adopted(vdev->pdev) || vfio_pci_lu_is_attached(vdev);
}

static void vfio_pci_lu_finish_retrieved(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;
	bool attached;

	scoped_guard(mutex, &vdev->vdev.dev_set->lock) {
		attached = vfio_pci_lu_is_attached(vdev);
		if (attached) {
			iommu_lu_finish(&pdev->dev);
			pci_lu_finish(pdev);
		}
		kvfree(vdev->lu->in);
		vdev->lu->in = NULL;
	}
	if (!attached)
		vfio_pci_lu_give_up(pdev, "its owner is gone and had not attached it");
}

static void vfio_pci_lu_finish(struct liveupdate_file_op_args *args)
{
	struct vfio_pci_lu_ser *ser;
	struct pci_dev *pdev;
	const char *why;

	/* A failed retrieve has given the device up already. */
	if (args->retrieve_status < 0)
		return;
	if (args->retrieve_status > 0) {
		vfio_pci_lu_finish_retrieved(vfio_pci_lu_vdev(args->file));
		return;
	}

	pdev = pci_lu_find_adopted(args->serialized_data);
	ser = vfio_pci_lu_read(args->serialized_data, &why);
	if (pdev) {
		vfio_pci_lu_give_up(pdev, ser ? "nobody has retrieved it" : why);
		pci_dev_put(pdev);
	}
	kvfree(ser);
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

	if (err && err != -EOPNOTSUPP)
		pr_err("vfio-pci: live update: no file handler: %pe\n",
		       ERR_PTR(err));

	return err == -EOPNOTSUPP ? 0 : err;
}
late_initcall(vfio_pci_lu_init);
