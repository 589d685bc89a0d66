// SPDX-License-Identifier: GPL-2.0
/*
 * PCI live update, new kernel: a listed function is found, compared with the
 * record, and adopted.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: Adoption
 *
 * pci_lu_adopt() runs in pci_init_capabilities(), after the capabilities were set up
 * and before the device is registered, so that nothing can bind, reset or move it
 * first. It compares the live function with the record; any difference that
 * matters fences it. Then
 *
 * - the driver override makes the previous driver the only one to bind,
 * - no reset method is left, and bus resets are refused on and above it: a reset
 *   whose config write the guard drops would still detach the device from
 *   its translation (pci_dev_reset_iommu_prepare()),
 * - its BARs are fixed resources, so that no re-assignment is even tried,
 * - runtime PM is held on it and on the bridges above,
 * - software state says what hardware does: whether it is a bus master, and that
 *   ATS is not to be had if it was off.
 *
 * pci_lu_finish() takes all of that back, but for the driver override, an ATS
 * that was off, and the reset attributes in sysfs, which only exist if there
 * was a reset method when the device was registered.
 */

#include "../pci.h"
#include "internal.h"

/* Does the live function match the record, register by register? */
static enum pci_lu_reason pci_lu_compare_regs(struct pci_dev *pdev,
					      struct pci_lu_fn *fn)
{
	struct pci_lu_reader r = {
		.bus = pdev->bus,
		.ops = pci_lu_inner_ops(pdev->bus->ops),
		.devfn = pdev->devfn,
	};
	struct pci_lu_mismatch bad;
	enum pci_lu_reason why;

	if (pci_is_bridge(pdev) != fn->bridge)
		return PCI_LU_REASON_ADOPT_IDENTITY;
	pci_lu_latch_errors(fn, &r);
	why = pci_lu_verify_regs(&fn->layout, &fn->ser, pci_lu_read, &r, &bad);
	if (why == PCI_LU_OK)
		return why;
	if (pci_lu_disabled(PCI_LU_GUARD) && (why == PCI_LU_REASON_ADOPT_COMMAND ||
					      why == PCI_LU_REASON_ADOPT_REGISTER))
		return PCI_LU_OK;
	pci_err(pdev, "live update: %s is %#x, and was %#x\n", bad.reg, bad.found,
		bad.recorded);
	return why;
}

/* Can this kernel serve the function as the previous one did? */
static enum pci_lu_reason pci_lu_compare(struct pci_dev *pdev,
					 struct pci_lu_fn *fn)
{
	enum pci_lu_reason why = pci_lu_compare_regs(pdev, fn);

	if (why != PCI_LU_OK || fn->bridge)
		return why;
	/* IDs of a VF are its PF's to say. */
	if (pdev->is_virtfn != fn->vf || pdev->vendor != fn->ser.vendor ||
	    pdev->device != fn->ser.device)
		return PCI_LU_REASON_ADOPT_IDENTITY;
	if (fn->ser.flags & PCI_LU_FN_PF && !pdev->is_physfn)
		return PCI_LU_REASON_ADOPT_VFS;
	if (!fn->own)
		return PCI_LU_OK;
	if (strcmp(fn->ser.driver, PCI_LU_VFIO))
		return PCI_LU_REASON_VARIANT_DRIVER;
	if (!fn->ser.owner)
		return PCI_LU_REASON_ADOPT_OWNER;
	if (fn->ser.irq_mode > PCI_LU_IRQ_INTX && !pci_msi_enabled())
		return PCI_LU_REASON_ADOPT_NO_MSI;
	return PCI_LU_OK;
}

/* A bridge on the path, or a PF, that is not what it was: what needs it is fenced. */
static bool pci_lu_path_adopted(struct pci_dev *pdev)
{
	struct pci_dev *up = pci_lu_up(pdev);

	if (pci_lu_fn_find(pdev)->ser.needs && (!up || pci_is_bridge(up)))
		return false;
	for (; up; up = pci_lu_up(up)) {
		struct pci_lu_fn *fn = pci_lu_fn_find(up);

		if (!fn || fn->state != PCI_LU_ADOPTED)
			return false;
	}
	return true;
}

static void pci_lu_refuse_bridge(struct pci_lu_fn *fn, struct pci_dev *pdev,
				 const char *why)
{
	pci_err(pdev, "live update: not the bridge of the record: %s\n", why);
	fn->state = PCI_LU_IDLE;
	fn->scanning = false;
	if (pci_is_bridge(pdev)) {
		pci_lu_guard_disarm(fn);
	} else {
		fn->bridge = false;
		pci_lu_fence_fn(fn, pdev, why);
	}
}

/* Function 0 is no danger, but what needs it has nobody to keep its settings. */
static void pci_lu_refuse_companion(struct pci_lu_fn *fn, struct pci_dev *pdev,
				    const char *why)
{
	pci_err(pdev, "live update: not function 0 of the record: %s\n", why);
	fn->scanning = false;
	pci_lu_guard_disarm(fn);
	fn->state = PCI_LU_IDLE;
}

static void pci_lu_adopt_fn(struct pci_lu_fn *fn, struct pci_dev *pdev)
{
	const char *why = fn->refused;
	enum pci_lu_reason reason;

	if (!why) {
		reason = pci_lu_compare(pdev, fn);
		if (reason == PCI_LU_OK && !fn->bridge &&
		    !pci_lu_path_adopted(pdev))
			reason = PCI_LU_REASON_ADOPT_PARENT;
		if (reason != PCI_LU_OK)
			why = pci_lu_reason_text(reason);
	}
	if (!why && !fn->bridge && !pci_lu_is_companion(fn) &&
	    device_set_driver_override(&pdev->dev, fn->ser.driver))
		why = pci_lu_reason_text(PCI_LU_REASON_NO_MEMORY);

	if (why && fn->bridge) {
		pci_lu_refuse_bridge(fn, pdev, why);
		return;
	}
	if (why && pci_lu_is_companion(fn)) {
		pci_lu_refuse_companion(fn, pdev, why);
		return;
	}
	if (why) {
		pci_lu_fence_fn(fn, pdev, why);
		return;
	}
	pci_lu_hold(fn, pdev);
	fn->state = PCI_LU_ADOPTED;
	pci_info(pdev, "live update: adopted\n");
}

/* Nothing in the record can be believed: what still has Bus Master is suspect. */
static void pci_lu_adopt_none(struct pci_dev *pdev)
{
	const char *why = pci_lu_reason_text(PCI_LU_REASON_REC_CRC);
	struct pci_lu_fn *fn;
	u16 cmd;

	pci_read_config_word(pdev, PCI_COMMAND, &cmd);
	if (pci_is_bridge(pdev) || !(cmd & PCI_COMMAND_MASTER))
		return;
	fn = pci_lu_fn_find_or_add(pci_domain_nr(pdev->bus), pdev->bus->number,
				   pdev->devfn);
	if (fn)
		pci_lu_fence_fn(fn, pdev, why);
	else
		pci_err(pdev, "live update: cannot be fenced: out of memory\n");
}

/*
 * A VF that nobody preserved, beside one that somebody did: it does no DMA, and as
 * before it is its PF's driver that says who may have it.
 */
static void pci_lu_adopt_unlisted_vf(struct pci_dev *pdev)
{
	struct pci_lu_fn *pf = pci_lu_fn_find(pci_physfn(pdev));

	if (!pf || pf->state != PCI_LU_ADOPTED)
		return;
	pci_clear_master(pdev);
	if (!strcmp(pf->ser.driver, PCI_LU_VFIO))
		device_set_driver_override(&pdev->dev, PCI_LU_VFIO);
}

/**
 * pci_lu_adopt - hook: a device was found and is about to be registered
 * @pdev: the device
 *
 * Context: PCI scan, process context.
 */
void pci_lu_adopt(struct pci_dev *pdev)
{
	struct pci_lu_fn *fn;

	guard(mutex)(&pci_lu_lock);
	fn = pci_lu_fn_find(pdev);
	if (fn && fn->state == PCI_LU_FENCED)
		pci_lu_fence_found(fn, pdev);
	else if (pci_lu_incoming_unreadable())
		pci_lu_adopt_none(pdev);
	else if (fn && fn->state == PCI_LU_LISTED)
		pci_lu_adopt_fn(fn, pdev);
	else if (pdev->is_virtfn)
		pci_lu_adopt_unlisted_vf(pdev);
}

/**
 * pci_lu_adopted - the device runs since the previous kernel and its owner has not
 *		    finished
 * @pdev: the device
 *
 * Return: true between adoption and finish or fence; false for a function 0 that is
 * only kept from changing what others need.
 */
bool pci_lu_adopted(const struct pci_dev *pdev)
{
	struct pci_lu_fn *fn = pci_lu_fn_find(pdev);

	return fn && READ_ONCE(fn->state) == PCI_LU_ADOPTED &&
	       !pci_lu_is_companion(fn);
}
EXPORT_SYMBOL_GPL(pci_lu_adopted);

/**
 * pci_lu_awaited - does an adopted device wait for an owner?
 * @pdev: the device
 *
 * Return: false for bridges, and for a PF that is adopted only for its VFs.
 */
bool pci_lu_awaited(const struct pci_dev *pdev)
{
	struct pci_lu_fn *fn = pci_lu_fn_find(pdev);

	return fn && READ_ONCE(fn->state) == PCI_LU_ADOPTED && READ_ONCE(fn->own);
}

static enum pci_lu_reason pci_lu_verify_one(struct pci_dev *pdev)
{
	struct pci_lu_fn *fn = pci_lu_fn_find(pdev);
	enum pci_lu_reason why;
	const char *reg;

	if (!fn || fn->state != PCI_LU_ADOPTED)
		return PCI_LU_REASON_ADOPT_PARENT;
	why = pci_lu_compare_regs(pdev, fn);
	if (why || pci_lu_is_companion(fn))
		return why;
	reg = pci_lu_moved_register(pdev, &fn->ser);
	if (!reg)
		return PCI_LU_OK;
	pci_err(pdev, "live update: this kernel has another address in mind than %s has\n",
		reg);
	return PCI_LU_REASON_ADOPT_RESOURCE;
}

/**
 * pci_lu_verify - is an adopted function still what the record says?
 * @pdev: the function
 *
 * Every recorded register of it and of all that it needs is compared again: an
 * error or a reset of the link since adoption would show. And if a BAR, or a
 * window above it, moved in software only, the kernel would map what belongs to
 * another device.
 *
 * Context: Process context.
 * Return: the reason why its owner must give it up, or NULL.
 */
const char *pci_lu_verify(struct pci_dev *pdev)
{
	enum pci_lu_reason why = PCI_LU_OK;
	struct pci_dev *dev;

	guard(mutex)(&pci_lu_lock);
	if (!pci_lu_adopted(pdev))
		return NULL;
	for (dev = pdev; dev && !why; dev = pci_lu_up(dev))
		why = pci_lu_verify_one(dev);
	return why ? pci_lu_reason_text(why) : NULL;
}
EXPORT_SYMBOL_GPL(pci_lu_verify);

static struct pci_lu_fn *pci_lu_fn_of_owner(u64 owner)
{
	struct pci_lu_fn *fn;
	unsigned long key;

	xa_for_each(&pci_lu_fns, key, fn)
		if (fn->state == PCI_LU_ADOPTED && fn->own &&
		    fn->ser.owner == owner)
			return fn;
	return NULL;
}

/**
 * pci_lu_find_adopted - the device that an owner preserved in the previous kernel
 * @owner: the handle that the owner gave to pci_lu_preserve()
 *
 * Return: the device with a reference, or NULL.
 */
struct pci_dev *pci_lu_find_adopted(u64 owner)
{
	struct pci_lu_fn *fn;

	guard(mutex)(&pci_lu_lock);
	fn = pci_lu_fn_of_owner(owner);
	return fn ? pci_dev_get(fn->pdev) : NULL;
}
EXPORT_SYMBOL_GPL(pci_lu_find_adopted);

/**
 * pci_lu_finish - the owner has taken the function back
 * @pdev: an adopted function; a fenced one is left as it is
 *
 * Mask All is not touched: if the owner has not re-armed, the MSI-X table holds
 * addresses of the previous kernel. A PF stays adopted for its VFs until the last of
 * them is finished: a reset would hit them all.
 */
void pci_lu_finish(struct pci_dev *pdev)
{
	struct pci_lu_fn *fn = pci_lu_fn_find(pdev);

	scoped_guard(mutex, &pci_lu_lock) {
		if (!fn || fn->state != PCI_LU_ADOPTED || !fn->own)
			return;

		pci_lu_release_own(fn);
	}
	pci_lu_driver_settle(pdev);
}
EXPORT_SYMBOL_GPL(pci_lu_finish);
