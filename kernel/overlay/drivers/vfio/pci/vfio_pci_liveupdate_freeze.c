// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfio-pci live update: the device is made to stand still, and let go again.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: Freeze
 *
 * Userspace runs on after freeze, until the other CPUs are stopped, and on this one
 * if the update is called off. It must not touch the device, and must not find
 * out. So it is made to wait: whoever accesses a BAR, memory mapped or by read()
 * and write(), or sets interrupts, resets, changes Command, or fires an ioeventfd,
 * takes memory_lock or igate, finds the device frozen once it has the lock, lets
 * go of it, and waits for the thaw. An eventfd that unmasks INTx must not wait, it
 * is made good for at thaw. What is left cannot do harm: config writes to other
 * registers pass the guard, I/O ports cannot unmask a vector. If the update is
 * called off, all go on where they were, with no error that no one expects.
 *
 * Frozen is a state, not a lock: it is set and cleared under both locks, and no lock
 * is held from freeze to unfreeze.
 *
 * Whoever has one of the locks may have it for long, and there may be many of them.
 * So a worker queues up for both, as anybody does, and freeze waits for the worker,
 * for VFIO_PCI_LU_FREEZE_MS at most. A worker that comes late finds that it is not
 * wanted any more; one that needs longer to unmap the BARs, which somebody may have
 * mapped any number of times, finds that in the end, and lets everybody go on.
 *
 * What an owner, a guest or the device itself can bring about must not keep all
 * the others from being updated. Then the device is *dropped*: it goes on until
 * device_shutdown() takes its Bus Master, its record says so, and the new kernel
 * tells its owner at retrieve. That is so if an operation on it does not end in
 * time, if it cannot be preserved any more as it is, if it does not answer, or if it
 * reaches a BAR of a device that does not cross. The update is refused for what
 * concerns all, and if somebody is unbinding or removing the device: that somebody
 * is an administrator, and waits for the session.
 */

#include <linux/device.h>
#include <linux/iommu_liveupdate.h>
#include <linux/jiffies.h>
#include <linux/kho/abi/vfio_pci_liveupdate.h>
#include <linux/liveupdate.h>

#include "../vfio.h"
#include "vfio_pci_priv.h"

/* How long freeze waits for what is under way on one device. */
#define VFIO_PCI_LU_FREEZE_MS	250

/**
 * vfio_pci_lu_frozen - must everybody wait who wants to use the device?
 * @vdev: the device
 *
 * Return: true from freeze to unfreeze; stable under igate, memory_lock or irqlock.
 */
bool vfio_pci_lu_frozen(struct vfio_pci_core_device *vdev)
{
	return vdev->lu && READ_ONCE(vdev->lu->frozen);
}

static void vfio_pci_lu_wait_thaw(struct vfio_pci_core_device *vdev)
{
	wait_event(vdev->lu->wait, !READ_ONCE(vdev->lu->frozen));
}

/**
 * vfio_pci_lu_down_read - hook: memory_lock, but not of a frozen device
 * @vdev: the device
 */
void vfio_pci_lu_down_read(struct vfio_pci_core_device *vdev)
{
	down_read(&vdev->memory_lock);
	while (vfio_pci_lu_frozen(vdev)) {
		up_read(&vdev->memory_lock);
		vfio_pci_lu_wait_thaw(vdev);
		down_read(&vdev->memory_lock);
	}
}

/**
 * vfio_pci_lu_down_write - hook: memory_lock, but not of a frozen device
 * @vdev: the device
 */
void vfio_pci_lu_down_write(struct vfio_pci_core_device *vdev)
{
	down_write(&vdev->memory_lock);
	while (vfio_pci_lu_frozen(vdev)) {
		up_write(&vdev->memory_lock);
		vfio_pci_lu_wait_thaw(vdev);
		down_write(&vdev->memory_lock);
	}
}

/**
 * vfio_pci_lu_down_read_trylock - hook: as vfio_pci_lu_down_read(), now or not at all
 * @vdev: the device
 *
 * Return: true with memory_lock held for reading.
 */
bool vfio_pci_lu_down_read_trylock(struct vfio_pci_core_device *vdev)
{
	if (!down_read_trylock(&vdev->memory_lock))
		return false;
	if (!vfio_pci_lu_frozen(vdev))
		return true;
	up_read(&vdev->memory_lock);
	return false;
}

/**
 * vfio_pci_lu_down_write_trylock - hook: as vfio_pci_lu_down_write(), now or not at all
 * @vdev: the device
 *
 * Return: true with memory_lock held for writing.
 */
bool vfio_pci_lu_down_write_trylock(struct vfio_pci_core_device *vdev)
{
	if (!down_write_trylock(&vdev->memory_lock))
		return false;
	if (!vfio_pci_lu_frozen(vdev))
		return true;
	up_write(&vdev->memory_lock);
	return false;
}

/**
 * vfio_pci_lu_lock_igate - hook: igate, but not of a frozen device
 * @vdev: the device
 */
void vfio_pci_lu_lock_igate(struct vfio_pci_core_device *vdev)
{
	mutex_lock(&vdev->igate);
	while (vfio_pci_lu_frozen(vdev)) {
		mutex_unlock(&vdev->igate);
		vfio_pci_lu_wait_thaw(vdev);
		mutex_lock(&vdev->igate);
	}
}

/**
 * vfio_pci_lu_defer_unmask - hook: INTx is about to be unmasked
 * @vdev: the device
 *
 * Context: Atomic, under irqlock.
 * Return: true if the device is frozen: then it is done at thaw.
 */
bool vfio_pci_lu_defer_unmask(struct vfio_pci_core_device *vdev)
{
	lockdep_assert_held(&vdev->irqlock);

	if (!vfio_pci_lu_frozen(vdev))
		return false;
	vdev->lu->unmask = true;
	return true;
}

static void vfio_pci_lu_set_frozen(struct vfio_pci_core_device *vdev, bool frozen)
{
	lockdep_assert_held(&vdev->igate);
	lockdep_assert_held_write(&vdev->memory_lock);

	guard(spinlock_irqsave)(&vdev->irqlock);
	WRITE_ONCE(vdev->lu->frozen, frozen);
}

/* Nobody maps anything again before memory_lock is free, and the device thawed. */
static void vfio_pci_lu_zap(struct vfio_pci_core_device *vdev)
{
	unmap_mapping_range(vdev->vdev.inode->i_mapping,
			    VFIO_PCI_INDEX_TO_OFFSET(VFIO_PCI_BAR0_REGION_INDEX),
			    VFIO_PCI_INDEX_TO_OFFSET(VFIO_PCI_ROM_REGION_INDEX) -
			    VFIO_PCI_INDEX_TO_OFFSET(VFIO_PCI_BAR0_REGION_INDEX),
			    true);
}

/*
 * INTx follows what vfio believes: its handler may have masked it meanwhile, for a
 * neighbour on the same line, and an eventfd may have wanted to unmask it.
 */
static void vfio_pci_lu_thaw_intx(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_irq_ctx *ctx = xa_load(&vdev->ctx, 0);

	guard(spinlock_irqsave)(&vdev->irqlock);
	if (vdev->irq_type == VFIO_PCI_INTX_IRQ_INDEX && vdev->pci_2_3 && ctx)
		pci_intx(vdev->pdev, !ctx->masked);
}

static void vfio_pci_lu_thaw_locked(struct vfio_pci_core_device *vdev)
{
	vfio_pci_lu_thaw_intx(vdev);
	vfio_pci_lu_set_frozen(vdev, false);
}

/* Without the locks: those who waited for the thaw go on. */
static void vfio_pci_lu_thawed(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_lu *lu = vdev->lu;

	wake_up_all(&lu->wait);
	if (lu->unmask) {
		lu->unmask = false;
		vfio_pci_intx_unmask(vdev);
	}
}

static void vfio_pci_lu_thaw(struct vfio_pci_core_device *vdev)
{
	mutex_lock(&vdev->igate);
	down_write(&vdev->memory_lock);
	vfio_pci_lu_thaw_locked(vdev);
	up_write(&vdev->memory_lock);
	mutex_unlock(&vdev->igate);

	vfio_pci_lu_thawed(vdev);
}

/* Fully ordered: who sees a step sees what was done before it. */
static bool vfio_pci_lu_stop_step(struct vfio_pci_lu *lu,
				  enum vfio_pci_lu_stop_state from,
				  enum vfio_pci_lu_stop_state to)
{
	return cmpxchg(&lu->stop_state, from, to) == from;
}

/**
 * vfio_pci_lu_stop_work - the worker of freeze
 * @work: &vfio_pci_lu.stop
 *
 * It holds a registration reference of the device.
 */
void vfio_pci_lu_stop_work(struct work_struct *work)
{
	struct vfio_pci_lu *lu = container_of(work, struct vfio_pci_lu, stop);
	struct vfio_pci_core_device *vdev = lu->vdev;
	bool late = false;

	mutex_lock(&vdev->igate);
	down_write(&vdev->memory_lock);
	if (vfio_pci_lu_stop_step(lu, VFIO_PCI_LU_STOP_WANTED,
				  VFIO_PCI_LU_STOP_UNDER_WAY)) {
		vfio_pci_lu_set_frozen(vdev, true);
		vfio_pci_lu_zap(vdev);
		late = !vfio_pci_lu_stop_step(lu, VFIO_PCI_LU_STOP_UNDER_WAY,
					      VFIO_PCI_LU_STOP_DONE);
		if (late)
			vfio_pci_lu_thaw_locked(vdev);
		else
			wake_up_all(&lu->wait);
	}
	up_write(&vdev->memory_lock);
	mutex_unlock(&vdev->igate);

	if (late)
		vfio_pci_lu_thawed(vdev);
	vfio_device_put_registration(&vdev->vdev);
}

static bool vfio_pci_lu_is_stopped(struct vfio_pci_lu *lu)
{
	/* Paired with the cmpxchg() of vfio_pci_lu_stop_work() */
	return smp_load_acquire(&lu->stop_state) == VFIO_PCI_LU_STOP_DONE;
}

/* Make everybody wait who wants to use the device. */
static int vfio_pci_lu_stop(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_lu *lu = vdev->lu;

	if (!vfio_device_try_get_registration(&vdev->vdev))
		return -ENODEV;
	WRITE_ONCE(lu->stop_state, VFIO_PCI_LU_STOP_WANTED);
	/* One that came late in an earlier attempt may still be in the queue. */
	if (!queue_work(system_dfl_wq, &lu->stop))
		vfio_device_put_registration(&vdev->vdev);

	if (wait_event_timeout(lu->wait, vfio_pci_lu_is_stopped(lu),
			       msecs_to_jiffies(VFIO_PCI_LU_FREEZE_MS)))
		return 0;
	/* It waits for a lock, or unmaps what somebody has mapped without end. */
	if (vfio_pci_lu_stop_step(lu, VFIO_PCI_LU_STOP_WANTED,
				  VFIO_PCI_LU_STOP_IDLE) ||
	    vfio_pci_lu_stop_step(lu, VFIO_PCI_LU_STOP_UNDER_WAY,
				  VFIO_PCI_LU_STOP_IDLE))
		return -EBUSY;
	return 0;
}

/*
 * Is somebody unbinding or removing the device? He waits for the session then. It is
 * not asked for by the lock of the device: its owner has that too, while he resets
 * it. Who comes later than this is no harm, see pci_lu_shutdown().
 */
static bool vfio_pci_lu_is_leaving(struct vfio_pci_core_device *vdev)
{
	return !device_is_registered(&vdev->vdev.device);
}

/*
 * Return: 0; -ENODEV: the device is to be dropped; another negative errno: the
 * update is refused.
 */
static int vfio_pci_lu_freeze_stopped(struct vfio_pci_core_device *vdev,
				      struct vfio_pci_lu_why *why)
{
	struct pci_dev *pdev = vdev->pdev;
	int err;

	if (vfio_pci_lu_check_device(vdev, why))
		return -ENODEV;

	vfio_pci_lu_record_reach(vdev->lu);
	vfio_pci_lu_capture(vdev, vdev->lu->out);
	err = pci_lu_freeze(pdev);
	if (err) {
		strscpy(why->text, err == -ENODEV ? "it does not answer" :
				   "the PCI core could not freeze it");
		return err;
	}
	err = iommu_lu_freeze(&pdev->dev);
	if (err) {
		strscpy(why->text, "the IOMMU could not freeze it");
		pci_lu_unfreeze(pdev);
		return err == -ENODEV ? -EIO : err;
	}
	return 0;
}

static int vfio_pci_lu_drop(struct vfio_pci_core_device *vdev,
			    const struct vfio_pci_lu_why *why)
{
	int err = pci_lu_drop(vdev->pdev);

	if (err)
		return err;
	vdev->lu->dropped = true;
	vfio_pci_lu_capture_dropped(vdev, vdev->lu->out);
	pci_err(vdev->pdev, "live update: dropped, the others go on without it: %s\n",
		why->text);
	return 0;
}

static void vfio_pci_lu_undo_freeze(struct vfio_pci_core_device *vdev)
{
	iommu_lu_unfreeze(&vdev->pdev->dev);
	pci_lu_unfreeze(vdev->pdev);
	vfio_pci_lu_thaw(vdev);
}

/**
 * vfio_pci_lu_drop_frozen - drop a device after it was frozen
 * @vdev: the device
 * @why: the reason, for the log
 *
 * Return: 0, or a negative errno when the update must be refused; it is thawed in any
 * case.
 */
int vfio_pci_lu_drop_frozen(struct vfio_pci_core_device *vdev,
			    const struct vfio_pci_lu_why *why)
{
	int err;

	vfio_pci_lu_undo_freeze(vdev);
	err = vfio_pci_lu_drop(vdev, why);
	vdev->lu->thawed = err;
	return err;
}

/* Undo freeze, whatever it came to. */
static void vfio_pci_lu_undo(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_lu *lu = vdev->lu;

	if (lu->dropped)
		pci_lu_undrop(vdev->pdev);
	else if (!lu->thawed)
		vfio_pci_lu_undo_freeze(vdev);
	lu->settled = false;
	lu->dropped = false;
	lu->thawed = false;
}

/**
 * vfio_pci_lu_freeze - see "Freeze" above
 * @args: of the Live Update Orchestrator
 *
 * Context: Process context, from reboot(2), under the locks of the session.
 * Return: 0, also if the device was dropped; or a negative errno with everything
 * as it was.
 */
int vfio_pci_lu_freeze(struct liveupdate_file_op_args *args)
{
	struct vfio_pci_core_device *vdev = vfio_pci_lu_vdev(args->file);
	struct vfio_pci_lu_why why = {};
	int err;

	vdev->lu->dropped = false;
	if (vfio_pci_lu_is_leaving(vdev)) {
		strscpy(why.text, "it is being unbound or removed");
		err = -EBUSY;
		goto refuse;
	}
	if (vfio_pci_lu_stop(vdev)) {
		strscpy(why.text, "an operation on it does not end");
		goto drop;
	}

	err = vfio_pci_lu_freeze_stopped(vdev, &why);
	if (!err)
		goto settle;
	vfio_pci_lu_thaw(vdev);
	if (err != -ENODEV)
		goto refuse;
drop:
	err = vfio_pci_lu_drop(vdev, &why);
	if (err)
		goto refuse_driver;
settle:
	err = vfio_pci_lu_settle(vdev->lu);
	if (!err)
		return 0;
	vfio_pci_lu_undo(vdev);
refuse_driver:
	strscpy(why.text, "what it depends on could not be frozen");
refuse:
	pci_warn(vdev->pdev, "live update: cannot freeze: %s (%pe)\n", why.text,
		 ERR_PTR(err));
	return err;
}

/**
 * vfio_pci_lu_unfreeze - undo vfio_pci_lu_freeze(): the update was called off
 * @args: of the Live Update Orchestrator
 */
void vfio_pci_lu_unfreeze(struct liveupdate_file_op_args *args)
{
	vfio_pci_lu_undo(vfio_pci_lu_vdev(args->file));
}
