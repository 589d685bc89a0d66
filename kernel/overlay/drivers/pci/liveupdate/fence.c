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
 * instruction on. If it cannot be adopted, its Bus Master goes off, and that
 * before address translation can go off: an untranslated function would take
 * guest-physical addresses for host-physical ones.
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
 * A fenced function is an ordinary one from then on, but for the driver override of
 * one that was adopted first: a driver that enables it begins with a reset or
 * must cope, as with any device after kexec. One bad
 * function never takes the host down.
 */

#define pr_fmt(fmt) "PCI: live update: " fmt

#include <linux/pci-ats.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "internal.h"

static void pci_lu_fence_done(struct pci_lu_fn *fn)
{
	pci_lu_guard_disarm(fn);
	fn->state = PCI_LU_FENCED;
	pci_lu_incoming_put();
}

/* Fence one function by its address, through the accessors of a root bus. */
static void pci_lu_fence_by_address(struct pci_lu_fn *fn, struct pci_bus *bus,
				    struct pci_ops *ops, const char *why)
{
	u32 cmd;

	if (ops->read(bus, fn->devfn, PCI_COMMAND, 2, &cmd) ||
	    (cmd & 0xffff) == 0xffff) {
		pr_warn("%04x:%02x:%02x.%d: not there to be fenced\n",
			fn->segment, fn->bus, PCI_SLOT(fn->devfn),
			PCI_FUNC(fn->devfn));
		return;
	}
	ops->write(bus, fn->devfn, PCI_COMMAND, 2, cmd & ~PCI_COMMAND_MASTER);
	pr_err("%04x:%02x:%02x.%d: fenced, Bus Master is off: %s\n",
	       fn->segment, fn->bus, PCI_SLOT(fn->devfn), PCI_FUNC(fn->devfn),
	       why);
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

	xa_for_each_range(&pci_lu_fns, key, fn, first, first + 0xffff) {
		if (fn->state != PCI_LU_LISTED)
			continue;
		if (fn->bridge) {
			fn->state = PCI_LU_IDLE;
			fn->depended = 0;
			continue;
		}
		if (!bus) {	/* pci_lu_adopt() fences it */
			fn->refused = why;
			continue;
		}
		bus->number = fn->bus;
		if (!pci_lu_disabled(PCI_LU_FENCE))
			pci_lu_fence_by_address(fn, bus, ops, why);
		pci_lu_fence_done(fn);
	}
	kfree(bus);
}

/**
 * pci_lu_fence_device - take Bus Master from a device
 * @pdev: the device; its guard, if any, is disarmed
 * @why: the reason, for the log
 */
void pci_lu_fence_device(struct pci_dev *pdev, const char *why)
{
	u16 cmd;

	if (pci_lu_disabled(PCI_LU_FENCE))
		return;
	pci_read_config_word(pdev, PCI_COMMAND, &cmd);
	pci_write_config_word(pdev, PCI_COMMAND, cmd & ~PCI_COMMAND_MASTER);
	pdev->is_busmaster = 0;
	pci_err(pdev, "live update: fenced, Bus Master is off: %s\n", why);
}

/**
 * pci_lu_fence_fn - fence a function and end its update
 * @fn: a listed or adopted endpoint with fn->pdev
 * @why: the reason, for the log
 *
 * Context: Process context, under pci_lu_lock.
 */
void pci_lu_fence_fn(struct pci_lu_fn *fn, const char *why)
{
	struct pci_dev *pdev = fn->pdev;

	pci_lu_guard_disarm(fn);
	pci_lu_fence_device(pdev, why);
	pci_lu_release(fn);
	fn->state = PCI_LU_FENCED;
	pci_lu_incoming_put();
}

/**
 * pci_lu_fence - the owner or another subsystem cannot go on with a function
 * @pdev: an adopted function; otherwise nothing happens
 * @why: the reason, for the log
 */
void pci_lu_fence(struct pci_dev *pdev, const char *why)
{
	struct pci_lu_fn *fn = pci_lu_fn_find(pdev);

	guard(mutex)(&pci_lu_lock);
	if (fn && fn->state == PCI_LU_ADOPTED && !fn->bridge)
		pci_lu_fence_fn(fn, why);
}
EXPORT_SYMBOL_GPL(pci_lu_fence);

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
		if (fn->state == PCI_LU_ADOPTED && !fn->bridge)
			pci_lu_fence_fn(fn, why);
}
EXPORT_SYMBOL_GPL(pci_lu_fence_all);
