// SPDX-License-Identifier: GPL-2.0
/*
 * PCI live update, old kernel: which functions are preserved, and what happens
 * to them at freeze.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: Old kernel, order of steps
 *
 * Nothing is preserved that no one asked for, except what a preserved function
 * depends on: every bridge up to the root bus, the PF of a VF, and function 0 of the
 * device, which holds what all functions share (its companion). A function is
 * *requested* by its owner, the others are *depended* on, with a count of the requested
 * functions that need them. A PF or function 0 can be both. See "SR-IOV".
 *
 * preserve, from the owner's liveupdate .preserve():
 *	1. refuse what cannot survive, with the reason in the log
 *	2. allocate the record and announce it to KHO (first function only)
 *	3. for the function and all that it needs: take a reference, hold runtime
 *	   PM, find the registers, allocate the filter of its bus
 * freeze, from the owner's .freeze(), after the owner has stopped new MMIO and
 * config accesses from userspace:
 *	1. compare the function and all that it needs with what this kernel has
 *	   set them to
 *	2. mask the function's interrupts at the source (msi.c)
 *	3. capture registers of the function and of all that it needs
 *	4. arm the guard on them
 *	5. write and seal the record
 * Masking comes before arming because it writes through the same accessors.
 * What runs later on other CPUs (userspace, device_shutdown(), portdrv, the
 * IRQ core) is filtered by the guard.
 *
 * unfreeze and unpreserve undo the steps in reverse. pci_lu_lock covers all of
 * it; it nests inside LUO's locks and the owner's, and outside pci_lock.
 * Several functions, also of several sessions, may share bridges: their guard
 * is armed by the first and disarmed by the last.
 */

#define pr_fmt(fmt) "PCI: live update: " fmt

#include <linux/cleanup.h>
#include <linux/kexec.h>
#include <linux/pm_runtime.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "internal.h"

/* Functions that will need an entry in the record. */
static unsigned int pci_lu_nr_tracked;

/* @below needs it, or without that it was asked for itself. */
static void pci_lu_untrack_one(struct pci_dev *pdev, struct pci_dev *below)
{
	struct pci_lu_fn *fn = pci_lu_fn_find(pdev);

	if (below) {
		fn->depended--;
		fn->vfs -= below->is_virtfn;
	} else {
		fn->requested = false;
	}

	if (fn->requested || fn->depended)
		return;
	pci_lu_nr_tracked--;
	fn->state = PCI_LU_IDLE;
	fn->pdev = NULL;
	pm_runtime_put(&pdev->dev);
	pci_dev_put(pdev);
}

static enum pci_lu_reason pci_lu_track_one(struct pci_dev *pdev,
					   struct pci_dev *below)
{
	enum pci_lu_reason why;
	struct pci_lu_fn *fn;

	fn = pci_lu_fn_find_or_add(pci_domain_nr(pdev->bus), pdev->bus->number,
				   pdev->devfn);
	if (!fn)
		return PCI_LU_REASON_NO_MEMORY;

	if (fn->requested && !below)
		return PCI_LU_REASON_PRESERVED;
	if (fn->state > PCI_LU_FROZEN)
		return PCI_LU_REASON_NOT_FINISHED;

	if (fn->state == PCI_LU_IDLE) {
		if (pci_lu_nr_tracked == pci_lu_outgoing_room())
			return PCI_LU_REASON_TOO_MANY;
		if (pm_runtime_resume_and_get(&pdev->dev) < 0)
			return PCI_LU_REASON_POWER_STATE;

		fn->bridge = pci_is_bridge(pdev);
		fn->vf = pdev->is_virtfn;
		why = pci_lu_guard_prepare(fn, pdev->bus, pdev->bus->ops);
		if (why) {
			pm_runtime_put(&pdev->dev);
			return why;
		}
		pci_lu_nr_tracked++;
		fn->pdev = pci_dev_get(pdev);
		fn->state = PCI_LU_PRESERVED;
	}

	if (below) {
		fn->depended++;
		fn->vfs += below->is_virtfn;
	} else {
		fn->requested = true;
	}
	return PCI_LU_OK;
}

static void pci_lu_untrack(struct pci_dev *pdev, struct pci_dev *end)
{
	struct pci_dev *dev, *up, *below = NULL;

	for (dev = pdev; dev != end; below = dev, dev = up) {
		up = pci_lu_up(dev);
		pci_lu_untrack_one(dev, below);
	}
}

static enum pci_lu_reason pci_lu_track(struct pci_dev *pdev)
{
	struct pci_dev *dev, *below = NULL;
	enum pci_lu_reason why;

	for (dev = pdev; dev; below = dev, dev = pci_lu_up(dev)) {
		why = pci_lu_track_one(dev, below);
		if (why) {
			pci_warn(pdev, "live update: cannot preserve: %s: %s\n",
				 pci_name(dev), pci_lu_reason_text(why));
			pci_lu_untrack(pdev, dev);
			return why;
		}
	}
	return PCI_LU_OK;
}

static int pci_lu_reason_errno(enum pci_lu_reason why)
{
	switch (why) {
	case PCI_LU_OK:
		return 0;
	case PCI_LU_REASON_NO_MEMORY:
		return -ENOMEM;
	case PCI_LU_REASON_TOO_MANY:
		return -ENOSPC;
	case PCI_LU_REASON_PRESERVED:
		return -EBUSY;
	default:
		return -EOPNOTSUPP;
	}
}

/**
 * pci_lu_preserve - preserve a function and what it depends on
 * @pdev: the function; the caller is its driver
 * @owner: what the caller hands to LUO as the handle of its own record; the next
 *	   kernel finds the function by it
 *
 * Context: Process context, may sleep.
 * Return: 0; -EOPNOTSUPP when it cannot survive, with the reason in the log;
 *	   -EBUSY when it is preserved already; -ENOSPC when the record is full;
 *	   or another negative errno.
 */
int pci_lu_preserve(struct pci_dev *pdev, u64 owner)
{
	struct pci_dev *zero __free(pci_dev_put) = pci_lu_companion_get(pdev);
	const char *why = pci_lu_refusal(pdev);
	enum pci_lu_reason reason;
	struct pci_lu_msi *irq;
	struct pci_lu_fn *fn;
	int err;

	if (why) {
		pci_warn(pdev, "live update: cannot preserve: %s\n", why);
		return -EOPNOTSUPP;
	}

	irq = kzalloc_obj(*irq);
	if (!irq)
		return -ENOMEM;

	reason = pci_lu_driver_preserve(pdev);
	if (reason) {
		pci_warn(pdev, "live update: cannot preserve: %s\n",
			 pci_lu_reason_text(reason));
		err = pci_lu_reason_errno(reason);
		goto err_free_irq;
	}

	mutex_lock(&pci_lu_lock);
	err = pci_lu_outgoing_get();
	if (err)
		goto err_unpreserve_driver;

	err = pci_lu_reason_errno(pci_lu_track(pdev));
	if (err)
		goto err_put_record;

	fn = pci_lu_fn_find(pdev);
	fn->irq = irq;
	fn->owner = owner;
	mutex_unlock(&pci_lu_lock);

	return 0;

err_put_record:
	pci_lu_outgoing_put();
err_unpreserve_driver:
	mutex_unlock(&pci_lu_lock);
	pci_lu_driver_unpreserve(pdev);
err_free_irq:
	kfree(irq);
	return err;
}
EXPORT_SYMBOL_GPL(pci_lu_preserve);

/**
 * pci_lu_unpreserve - undo pci_lu_preserve()
 * @pdev: a preserved function, not frozen
 */
void pci_lu_unpreserve(struct pci_dev *pdev)
{
	struct pci_lu_fn *fn = pci_lu_fn_find(pdev);

	scoped_guard(mutex, &pci_lu_lock) {
		kfree(fn->irq);
		fn->irq = NULL;
		pci_lu_untrack(pdev, NULL);
		pci_lu_outgoing_put();
	}
	pci_lu_driver_unpreserve(pdev);
}
EXPORT_SYMBOL_GPL(pci_lu_unpreserve);

static const char *pci_lu_stray_bridge(struct pci_dev *pdev,
				       const struct pci_lu_fn_ser *ser)
{
	u8 secondary = ser->bus_numbers >> 8, subordinate = ser->bus_numbers >> 16;

	if (ser->bridge_control & PCI_BRIDGE_CTL_BUS_RESET)
		return "Bridge Control";
	if (pdev->is_busmaster && !(ser->command & PCI_COMMAND_MASTER))
		return "Command";
	if (pdev->subordinate &&
	    ((u8)ser->bus_numbers != pdev->bus->number ||
	     secondary != pdev->subordinate->number ||
	     subordinate < pdev->subordinate->busn_res.end))
		return "Bus Numbers";
	return NULL;
}

/*
 * What a device is set to, and not what this kernel believes, is handed over.
 * Look before anything of it is touched: its MSI-X table is behind a BAR.
 *
 * A guest may bring its own device into such a state, by a reset that the device
 * offers: that is -ENODEV, and concerns nobody else. A port is out of its reach.
 */
static int pci_lu_check_path(struct pci_dev *pdev)
{
	enum pci_lu_reason why = PCI_LU_OK;
	struct pci_dev *dev;

	if (pdev->is_virtfn)
		why = pci_lu_pf_refusal(pci_physfn(pdev));
	if (why) {
		pci_err(pdev, "live update: cannot freeze: %s\n",
			pci_lu_reason_text(why));
		return -ENODEV;
	}
	for (dev = pdev; dev; dev = pci_lu_up(dev)) {
		struct pci_lu_fn *fn = pci_lu_fn_find(dev);
		const char *reg = NULL;

		if (fn->frozen && dev != pdev)
			continue;
		pci_lu_capture(fn);
		if (!fn->bridge && PCI_POSSIBLE_ERROR(fn->ser.command)) {
			pci_err(pdev, "live update: cannot freeze: the device does not answer\n");
			return -ENODEV;
		}
		/* What else it is set to is not handed over. */
		if (pci_lu_is_companion(fn))
			continue;
		if (fn->ser.pmcsr & PCI_PM_CTRL_STATE_MASK)
			reg = "PMCSR";
		if (!reg && fn->bridge)
			reg = pci_lu_stray_bridge(dev, &fn->ser);
		if (!reg)
			reg = pci_lu_stray_register(dev, &fn->ser);
		if (!reg)
			continue;
		pci_err(pdev, "live update: cannot freeze: %s of %s is not what this kernel has set it to\n",
			reg, pci_name(dev));
		return fn->bridge ? -EIO : -ENODEV;
	}
	return 0;
}

/*
 * Somebody more needs it as it is, perhaps in another role: PF and VF can be frozen
 * in either order.
 */
static void pci_lu_freeze_fn(struct pci_lu_fn *fn)
{
	struct pci_bus *bus = fn->pdev->bus;
	bool first = fn->state != PCI_LU_FROZEN;

	if (!first && fn->layout.roles == pci_lu_roles(fn))
		return;
	pci_lu_capture(fn);
	fn->state = PCI_LU_FROZEN;
	pci_lu_guard_roles(fn);
	if (!first || pci_lu_disabled(PCI_LU_GUARD))
		return;
	pci_lu_guard_arm(fn, bus->ops);
	pci_lu_guard_install(bus, fn);
}

static void pci_lu_unfreeze_fn(struct pci_lu_fn *fn)
{
	if (--fn->frozen) {
		pci_lu_guard_roles(fn);
		return;
	}
	pci_lu_guard_disarm(fn);
	fn->state = PCI_LU_PRESERVED;
}

static void pci_lu_freeze_path(struct pci_dev *pdev)
{
	struct pci_dev *dev;

	for (dev = pdev; dev; dev = pci_lu_up(dev)) {
		struct pci_lu_fn *fn = pci_lu_fn_find(dev);

		if (dev == pdev)
			fn->own = true;
		else if (pci_lu_driver_freezes(fn))
			continue;
		fn->frozen++;
		pci_lu_freeze_fn(fn);
	}
}

static void pci_lu_unfreeze_path(struct pci_dev *pdev)
{
	struct pci_dev *dev;

	for (dev = pdev; dev; dev = pci_lu_up(dev)) {
		struct pci_lu_fn *fn = pci_lu_fn_find(dev);

		if (dev == pdev)
			fn->own = false;
		else if (pci_lu_driver_freezes(fn))
			continue;
		pci_lu_unfreeze_fn(fn);
	}
}

/* Undo freeze: guard off, interrupts back, nothing of it in the record. */
static void pci_lu_thaw(struct pci_dev *pdev)
{
	pci_lu_unfreeze_path(pdev);
	if (!pci_lu_disabled(PCI_LU_QUIESCE))
		pci_lu_msi_unquiesce(pdev, pci_lu_fn_find(pdev)->irq);
	pci_lu_outgoing_write();
}

/**
 * pci_lu_freeze_depended - freeze a function whose driver takes part
 * @fn: the function; its driver has frozen it, and all who depend on it are
 *
 * Context: Process context, from reboot(2), device lock held.
 * Return: 0, or a negative errno with everything as it was.
 */
int pci_lu_freeze_depended(struct pci_lu_fn *fn)
{
	int err;

	guard(mutex)(&pci_lu_lock);
	fn->frozen++;
	pci_lu_freeze_fn(fn);
	err = pci_lu_outgoing_write();
	if (err)
		pci_lu_unfreeze_fn(fn);
	return err;
}

/**
 * pci_lu_unfreeze_depended - undo pci_lu_freeze_depended()
 * @fn: the function
 */
void pci_lu_unfreeze_depended(struct pci_lu_fn *fn)
{
	guard(mutex)(&pci_lu_lock);
	pci_lu_unfreeze_fn(fn);
	pci_lu_outgoing_write();
}

/* The function itself and the bridges above, but not what has a driver. */
static int pci_lu_freeze_locked(struct pci_dev *pdev)
{
	struct pci_lu_fn *fn = pci_lu_fn_find(pdev);
	int err;

	err = pci_lu_check_path(pdev);
	if (err)
		return err;
	if (!pci_lu_disabled(PCI_LU_QUIESCE)) {
		err = pci_lu_msi_quiesce(pdev, fn->irq);
		if (!err && pci_lu_test_silent(pdev))
			err = -ENODEV;
		if (err) {
			pci_lu_msi_unquiesce(pdev, fn->irq);
			pci_err(pdev, "live update: cannot freeze: the device does not answer\n");
			return err;
		}
	}

	pci_lu_freeze_path(pdev);
	err = pci_lu_outgoing_write();
	if (!err && pci_lu_test_fail_freeze())
		err = -EIO;
	if (err)
		pci_lu_thaw(pdev);

	return err;
}

/**
 * pci_lu_freeze - bring a preserved function into the state that crosses
 * @pdev: a preserved function; its owner lets nobody touch it any more
 *
 * On return the function cannot interrupt, goes on with DMA, and its
 * configuration is guarded.
 *
 * Context: Process context, from reboot(2).
 * Return: 0; -ENODEV when the device does not answer or is not what it was, and only
 *	   it is lost; or another negative errno; with everything as it was.
 */
int pci_lu_freeze(struct pci_dev *pdev)
{
	int err;

	/* Loaded by kexec_load(2), the next kernel would be told nothing. */
	if (!kexec_image || !kexec_image->kho.fdt) {
		pci_err(pdev, "live update: cannot freeze: the next kernel was not loaded by kexec_file_load()\n");
		return -ENOEXEC;
	}

	scoped_guard(mutex, &pci_lu_lock)
		err = pci_lu_freeze_locked(pdev);
	if (err)
		return err;
	err = pci_lu_driver_freeze(pdev, false);
	if (!err)
		return 0;
	guard(mutex)(&pci_lu_lock);
	pci_lu_thaw(pdev);
	/* What others need, too, is not for one of them to be dropped for. */
	return err == -ENODEV ? -EIO : err;
}
EXPORT_SYMBOL_GPL(pci_lu_freeze);

/**
 * pci_lu_unfreeze - undo pci_lu_freeze(): the update was called off
 * @pdev: a frozen function
 *
 * Interrupts that were latched since freeze are delivered.
 */
void pci_lu_unfreeze(struct pci_dev *pdev)
{
	pci_lu_driver_unfreeze(pdev, false);
	guard(mutex)(&pci_lu_lock);
	pci_lu_thaw(pdev);
}
EXPORT_SYMBOL_GPL(pci_lu_unfreeze);
