// SPDX-License-Identifier: GPL-2.0
/*
 * PCI live update, new kernel: a function that cannot be adopted is made safe.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: The fence
 *
 * A function that was handed over does DMA from before this kernel's first
 * instruction on. If it cannot be adopted, its Bus Master goes off and INTx is
 * disabled, and that before address translation can go off: an untranslated
 * function would take guest-physical addresses for host-physical ones. MSI and
 * MSI-X are memory writes, and end with Bus Master.
 *
 * Where the reason is known at the first PCI scan (live update off, IOMMU off,
 * a refused record), the functions are fenced when the host bridge is
 * registered, before any other access to the segment, by their recorded
 * addresses: bus numbers are as the previous kernel left them. Otherwise they
 * are fenced in pci_init_capabilities(), when their owner finds that they do not
 * match, or by the IOMMU driver. All of that is before translation may end.
 *
 * If a record exists of which nothing can be believed, every endpoint that still
 * has Bus Master is fenced: pci_device_shutdown() of the previous kernel has taken it
 * from all that were not preserved.
 *
 * A fence holds. The function still has the queues of its former owner, and a
 * driver may set Bus Master before it resets the device. So the guard stays, and
 * lets nobody set Bus Master or clear INTx Disable (PCI_LU_BARRED), no driver
 * can bind, and the IOMMU core keeps it in a blocking domain, until it was reset:
 *
 * 1. pci_bus_add_device() asks pci_lu_may_bind(), which resets a fenced function
 *    once all on its bus is known, as a bus reset needs. pci_lu_fence_function()
 *    resets at once. Who has fenced with pci_lu_fence() resets by himself.
 * 2. pci_dev_restore(), which ends every reset, calls pci_lu_was_reset(). That
 *    believes what it sees: a register that only a reset clears is clear
 *    (reset.c). Then the function is an ordinary one.
 * 3. If no reset has any effect it stays fenced, and the log says so. Whoever
 *    resets it later, by sysfs or by a bus reset, ends the fence as well.
 *
 * A fenced function that is removed is out of reach; when it is found again it
 * is barred again. One bad function never takes the host down.
 */

#define pr_fmt(fmt) "PCI: live update: " fmt

#include <linux/iommu_liveupdate.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "../pci.h"
#include "internal.h"

/* The state of a function that was fenced; a test may want a fence that does not hold. */
static enum pci_lu_state pci_lu_state_fenced(void)
{
	return pci_lu_disabled(PCI_LU_FENCE) || pci_lu_disabled(PCI_LU_STICKY) ?
		       PCI_LU_IDLE : PCI_LU_FENCED;
}

/* Is there a function which is no bridge? Those never do DMA of their own. */
static bool pci_lu_is_endpoint(struct pci_lu_fn *fn, struct pci_bus *bus,
			       struct pci_ops *ops)
{
	u32 type;

	return !ops->read(bus, fn->devfn, PCI_HEADER_TYPE, 1, &type) &&
	       (type & PCI_HEADER_TYPE_MASK) == PCI_HEADER_TYPE_NORMAL;
}

/* Fence one function by its address, through the accessors of a root bus. */
static void pci_lu_fence_by_address(struct pci_lu_fn *fn, struct pci_bus *bus,
				    struct pci_ops *ops, const char *why)
{
	if (!pci_lu_is_endpoint(fn, bus, ops) || !pci_lu_bar(fn, bus, ops)) {
		pr_warn("%04x:%02x:%02x.%d: not there to be fenced\n",
			fn->segment, fn->bus, PCI_SLOT(fn->devfn),
			PCI_FUNC(fn->devfn));
		return;
	}
	pr_err("%04x:%02x:%02x.%d: fenced, Bus Master and INTx are off: %s\n",
	       fn->segment, fn->bus, PCI_SLOT(fn->devfn), PCI_FUNC(fn->devfn),
	       why);
}

/* Before its bus is scanned. What does no DMA that crossed is left to the scan. */
static void pci_lu_fence_listed(struct pci_lu_fn *fn, struct pci_bus *bus,
				struct pci_ops *ops, const char *why)
{
	if (!fn->own) {
		fn->state = PCI_LU_IDLE;
		fn->scanning = false;
		return;
	}
	if (!bus) {	/* pci_lu_adopt() fences it */
		fn->refused = why;
		return;
	}
	fn->state = PCI_LU_IDLE;
	if (!pci_lu_disabled(PCI_LU_FENCE)) {
		bus->number = fn->bus;
		pci_lu_fence_by_address(fn, bus, ops, why);
		fn->state = pci_lu_state_fenced();
		fn->unseen = true;
	}
	pci_lu_incoming_put(fn);
}

/**
 * pci_lu_fence_root - fence all listed functions of a segment before it is scanned
 * @root: a root bus, not scanned yet
 * @ops: its config accessors
 * @why: the reason, for the log
 *
 * Context: Process context, under pci_lu_lock.
 */
void pci_lu_fence_root(struct pci_bus *root, struct pci_ops *ops, const char *why)
{
	unsigned long first = pci_lu_key(pci_domain_nr(root), 0, 0);
	struct pci_lu_fn *fn;
	struct pci_bus *bus;
	unsigned long key;

	/* Accessors want a bus; those below this one do not exist yet. */
	bus = kmemdup(root, sizeof(*root), GFP_KERNEL);

	/* A PF that is reset, or has VF Enable cleared, is one that has no VFs left. */
	xa_for_each_range(&pci_lu_fns, key, fn, first, first + 0xffff)
		if (fn->state == PCI_LU_LISTED && fn->vf)
			pci_lu_fence_listed(fn, bus, ops, why);
	xa_for_each_range(&pci_lu_fns, key, fn, first, first + 0xffff)
		if (fn->state == PCI_LU_LISTED)
			pci_lu_fence_listed(fn, bus, ops, why);
	kfree(bus);
}

/* A VF has neither INTx Disable nor BARs; its Function Mask is ours meanwhile. */
static void pci_lu_mark_vf(struct pci_lu_fn *fn, struct pci_dev *pdev)
{
	u16 ctrl;

	fn->msix_masked = false;
	if (!pdev->is_virtfn || !pdev->msix_cap)
		return;
	pci_read_config_word(pdev, pdev->msix_cap + PCI_MSIX_FLAGS, &ctrl);
	pci_write_config_word(pdev, pdev->msix_cap + PCI_MSIX_FLAGS,
			      ctrl | PCI_MSIX_FLAGS_MASKALL);
	pci_read_config_word(pdev, pdev->msix_cap + PCI_MSIX_FLAGS, &ctrl);
	fn->msix_masked = ctrl & PCI_MSIX_FLAGS_MASKALL;
}

static void pci_lu_bar_device(struct pci_lu_fn *fn, struct pci_dev *pdev)
{
	struct pci_ops *ops = READ_ONCE(pdev->bus->ops);

	if (pci_lu_disabled(PCI_LU_STICKY)) {
		pci_lu_guard_disarm(fn);
		pci_lu_bar(fn, pdev->bus, pci_lu_inner_ops(ops));
		return;
	}

	if (pci_lu_guard_bar(fn, pdev->bus, ops) != ops)
		pci_lu_guard_install(pdev->bus, fn);
	pci_lu_mark_vf(fn, pdev);
	pdev->is_busmaster = 0;
	clear_bit(PCI_DEV_ALLOW_BINDING, &pdev->priv_flags);
}

/* A VF that has no device, because its PF was not taken over, or it could not be made. */
static void pci_lu_fence_unfound(struct pci_lu_fn *fn, struct pci_dev *pf,
				 const char *why)
{
	struct pci_ops *ops = pci_lu_inner_ops(READ_ONCE(pf->bus->ops));
	struct pci_bus *bus;

	fn->state = PCI_LU_IDLE;
	pci_lu_incoming_put(fn);
	if (pci_lu_disabled(PCI_LU_FENCE))
		return;
	bus = kmemdup(pf->bus, sizeof(*bus), GFP_KERNEL);
	if (!bus) {
		pci_err(pf, "live update: a VF cannot be fenced: out of memory\n");
		return;
	}
	bus->number = fn->bus;
	pci_lu_fence_by_address(fn, bus, ops, why);
	kfree(bus);
	fn->state = pci_lu_state_fenced();
	fn->unseen = true;
	/* Guarded since its bus is there; elsewhere it will be when there is one. */
	if (fn->mode != PCI_LU_OPEN)
		pci_lu_guard_bar(fn, pf->bus, READ_ONCE(pf->bus->ops));
}

static bool pci_lu_is_vf_of(const struct pci_lu_fn *fn, const struct pci_lu_fn *pf)
{
	return fn->vf && fn->ser.needs == pf->index + 1;
}

/**
 * pci_lu_fence_unfound_vfs - fence the VFs of a PF that have no device
 * @pf: the PF, listed or adopted
 * @pdev: its device
 * @why: the reason, for the log
 *
 * Context: Process context, under pci_lu_lock.
 */
void pci_lu_fence_unfound_vfs(struct pci_lu_fn *pf, struct pci_dev *pdev,
			      const char *why)
{
	struct pci_lu_fn *fn;
	unsigned long key;

	if (!(pf->ser.flags & PCI_LU_FN_PF))
		return;
	xa_for_each(&pci_lu_fns, key, fn)
		if (pci_lu_is_vf_of(fn, pf) && fn->state == PCI_LU_LISTED)
			pci_lu_fence_unfound(fn, pdev, why);
}

/* VFs depend on their PF, and so they go first. */
static void pci_lu_fence_vfs(struct pci_lu_fn *pf, struct pci_dev *pdev)
{
	const char *why = pci_lu_reason_text(PCI_LU_REASON_PF_FENCED);
	struct pci_lu_fn *fn;
	unsigned long key;

	if (!(pf->ser.flags & PCI_LU_FN_PF))
		return;
	pf->depended++;		/* it must not be let go meanwhile */
	xa_for_each(&pci_lu_fns, key, fn)
		if (pci_lu_is_vf_of(fn, pf) && fn->state == PCI_LU_ADOPTED)
			pci_lu_fence_fn(fn, fn->pdev, why);
	pci_lu_fence_unfound_vfs(pf, pdev, why);
	pf->depended--;
}

/**
 * pci_lu_fence_one - fence a function and end its update, whoever reaches it
 * @fn: an endpoint, listed or adopted if it is in the record
 * @pdev: the device
 * @why: the reason, for the log
 *
 * Context: Process context, under pci_lu_lock.
 */
void pci_lu_fence_one(struct pci_lu_fn *fn, struct pci_dev *pdev, const char *why)
{
	enum pci_lu_state was = fn->state;

	if (was == PCI_LU_ADOPTED || was == PCI_LU_LISTED)
		pci_lu_fence_vfs(fn, pdev);

	if (pci_lu_disabled(PCI_LU_FENCE)) {
		pci_lu_guard_disarm(fn);
	} else {
		pci_lu_bar_device(fn, pdev);
		pci_err(pdev, "live update: fenced, Bus Master and INTx are off: %s\n",
			why);
	}
	if (was == PCI_LU_ADOPTED)
		pci_lu_release(fn);
	WRITE_ONCE(fn->state, pci_lu_state_fenced());
	pci_lu_incoming_put(fn);
}

/**
 * pci_lu_fence_fn - fence a function and end its update
 * @fn: an endpoint, listed or adopted if it is in the record
 * @pdev: the device
 * @why: the reason, for the log
 *
 * Those who do DMA to a BAR of it are fenced before it.
 *
 * Context: Process context, under pci_lu_lock.
 */
void pci_lu_fence_fn(struct pci_lu_fn *fn, struct pci_dev *pdev, const char *why)
{
	enum pci_lu_state was = fn->state;

	pci_lu_fence_reachers(fn);
	/* A PF that reaches its own VF takes it along. */
	if (fn->state == was)
		pci_lu_fence_one(fn, pdev, why);
}

/**
 * pci_lu_fence_found - a function that was fenced by its address was found
 * @fn: the function
 * @pdev: the device
 *
 * A bridge cannot be what was meant, and must not be kept from its work.
 *
 * Context: PCI scan, under pci_lu_lock.
 */
void pci_lu_fence_found(struct pci_lu_fn *fn, struct pci_dev *pdev)
{
	if (pci_is_bridge(pdev)) {
		pci_lu_guard_disarm(fn);
		fn->state = PCI_LU_IDLE;
	} else {
		pci_lu_bar_device(fn, pdev);
	}
}

/**
 * pci_lu_fence_removed - a device is being removed
 * @pdev: the device
 *
 * Its bus may go, too: what is fenced must not be looked for there any more.
 */
void pci_lu_fence_removed(struct pci_dev *pdev)
{
	struct pci_lu_fn *fn = pci_lu_fn_find(pdev);

	guard(mutex)(&pci_lu_lock);
	if (fn && fn->state == PCI_LU_ADOPTED && !fn->bridge &&
	    !pci_lu_is_companion(fn))
		pci_lu_fence_fn(fn, pdev, "it was removed");
	if (fn && fn->state == PCI_LU_FENCED)
		pci_lu_guard_disarm(fn);
}

/**
 * pci_lu_fence - the owner or another subsystem cannot go on with a function
 * @pdev: an adopted function; otherwise nothing happens
 * @why: the reason, for the log
 *
 * The function stays fenced until it was reset; that is left to the caller.
 */
void pci_lu_fence(struct pci_dev *pdev, const char *why)
{
	struct pci_lu_fn *fn = pci_lu_fn_find(pdev);

	guard(mutex)(&pci_lu_lock);
	if (fn && fn->state == PCI_LU_ADOPTED && !fn->bridge)
		pci_lu_fence_fn(fn, pdev, why);
}
EXPORT_SYMBOL_GPL(pci_lu_fence);

/* Those of a PF are to be reset one by one, before a reset of the PF hits them all. */
static void pci_lu_fence_vf_functions(struct pci_dev *pf)
{
	struct pci_dev *vf;
	int i;

	for (i = 0; i < pci_num_vf(pf); i++) {
		vf = pci_get_domain_bus_and_slot(pci_domain_nr(pf->bus),
						 pci_iov_virtfn_bus(pf, i),
						 pci_iov_virtfn_devfn(pf, i));
		if (vf)
			pci_lu_fence_function(vf, pci_lu_reason_text(PCI_LU_REASON_PF_FENCED));
		pci_dev_put(vf);
	}
}

/**
 * pci_lu_fence_function - give a function up: fence it, and reset it
 * @pdev: an adopted function; otherwise nothing happens
 * @why: the reason, for the log
 *
 * When this returns the function does no DMA, whatever memory it knew may be
 * given back, and unless it is still fenced it can be used. The translation of the
 * previous kernel ends before the reset, which turns ATS off, because ending it
 * talks to the device TLB. Those who do DMA to a BAR of it are given up before.
 *
 * Context: Process context, without the group mutex of its IOMMU group. The device
 *	    lock is only tried: its holder may wait for the caller.
 */
void pci_lu_fence_function(struct pci_dev *pdev, const char *why)
{
	if (pci_lu_adopted(pdev))
		pci_lu_fence_vf_functions(pdev);
	pci_lu_fence(pdev, why);
	pci_lu_give_up_reachers(pdev);
	if (!pci_lu_fenced(pdev))
		return;
	iommu_lu_finish(&pdev->dev);
	pci_lu_reset(pdev);
}
EXPORT_SYMBOL_GPL(pci_lu_fence_function);

/**
 * pci_lu_fenced - may a device do neither DMA nor interrupts?
 * @pdev: the device
 *
 * Return: true from the time when it was fenced until it was reset.
 */
bool pci_lu_fenced(const struct pci_dev *pdev)
{
	struct pci_lu_fn *fn = pci_lu_fn_find(pdev);

	return fn && READ_ONCE(fn->state) == PCI_LU_FENCED;
}
EXPORT_SYMBOL_GPL(pci_lu_fenced);

/**
 * pci_lu_fence_all - translation is about to end for every adopted function
 * @why: the reason, for the log
 */
void pci_lu_fence_all(const char *why)
{
	struct pci_lu_fn *fn;
	unsigned long key;

	guard(mutex)(&pci_lu_lock);
	xa_for_each(&pci_lu_fns, key, fn)
		if (fn->state == PCI_LU_ADOPTED && fn->own)
			pci_lu_fence_fn(fn, fn->pdev, why);
}
EXPORT_SYMBOL_GPL(pci_lu_fence_all);
