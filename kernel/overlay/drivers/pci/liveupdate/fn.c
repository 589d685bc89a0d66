// SPDX-License-Identifier: GPL-2.0
/*
 * PCI live update: the table of functions, old kernel and new.
 *
 * Copyright (c) 2026 The holdfast authors
 */

#include <linux/slab.h>
#include <linux/xarray.h>

#include "internal.h"

/* State of all functions and of both records; see the DOC blocks. */
DEFINE_MUTEX(pci_lu_lock);
DEFINE_XARRAY(pci_lu_fns);

/**
 * pci_lu_fn_find_or_add - find or make the entry of a function
 * @segment: PCI segment
 * @bus: bus number
 * @devfn: device and function number
 *
 * Context: Process context, under pci_lu_lock.
 * Return: the entry, which is never freed, or NULL when out of memory.
 */
struct pci_lu_fn *pci_lu_fn_find_or_add(u16 segment, u8 bus, u8 devfn)
{
	unsigned long key = pci_lu_key(segment, bus, devfn);
	struct pci_lu_fn *fn = xa_load(&pci_lu_fns, key);

	if (fn)
		return fn;

	fn = kzalloc_obj(*fn);
	if (!fn)
		return NULL;

	fn->segment = segment;
	fn->bus = bus;
	fn->devfn = devfn;
	raw_spin_lock_init(&fn->lock);
	if (xa_err(xa_store(&pci_lu_fns, key, fn, GFP_KERNEL))) {
		kfree(fn);
		return NULL;
	}
	pci_lu_debugfs_add(fn);

	return fn;
}

/**
 * pci_lu_fn_find - the entry of a device
 * @pdev: the device
 *
 * Return: the entry, or NULL when the device was never part of an update.
 */
struct pci_lu_fn *pci_lu_fn_find(const struct pci_dev *pdev)
{
	return xa_load(&pci_lu_fns, pci_lu_key(pci_domain_nr(pdev->bus),
					       pdev->bus->number, pdev->devfn));
}

static u8 pci_lu_devfn_0(const struct pci_dev *pdev)
{
	return pci_ari_enabled(pdev->bus) ? 0 : PCI_DEVFN(PCI_SLOT(pdev->devfn), 0);
}

/**
 * pci_lu_needs_companion - does function 0 hold what this one needs?
 * @pdev: a function
 *
 * The link with its power states, LTR, PTM, and with ARI the payload size.
 *
 * Return: true for function 1 and above of a device behind a port.
 */
bool pci_lu_needs_companion(struct pci_dev *pdev)
{
	return !pdev->is_virtfn && !pci_is_bridge(pdev) &&
	       pdev->devfn != pci_lu_devfn_0(pdev) && pci_upstream_bridge(pdev);
}

/**
 * pci_lu_companion_get - function 0 of a device, if one of its functions needs that
 * @pdev: a function; of a VF it is the PF that may need it
 *
 * Return: function 0 with a reference, or NULL.
 */
struct pci_dev *pci_lu_companion_get(struct pci_dev *pdev)
{
	pdev = pci_physfn(pdev);
	if (!pci_lu_needs_companion(pdev))
		return NULL;
	return pci_get_slot(pdev->bus, pci_lu_devfn_0(pdev));
}

/**
 * pci_lu_up - what a function needs first of all
 * @pdev: a function
 *
 * Of a VF that is its PF, of function 1 and above function 0, and of everything else
 * the bridge above, so that following it leads through all that a function needs.
 *
 * Return: that device, or NULL on a root bus. As long as @pdev is preserved or adopted
 * there is a reference to it; before that the caller has to have one to function 0.
 */
struct pci_dev *pci_lu_up(struct pci_dev *pdev)
{
	struct pci_dev *zero;

	if (pdev->is_virtfn)
		return pci_physfn(pdev);
	zero = pci_lu_companion_get(pdev);
	pci_dev_put(zero);
	return zero ?: pci_upstream_bridge(pdev);
}

/**
 * pci_lu_is_companion - is a function in an update only for others of its device?
 * @fn: the function
 *
 * Return: true if so: then it may be driven and reset like any other.
 */
bool pci_lu_is_companion(const struct pci_lu_fn *fn)
{
	const u32 more = PCI_LU_FN_REQUESTED | PCI_LU_FN_PF;

	if (READ_ONCE(fn->state) <= PCI_LU_FROZEN)
		return !fn->bridge && fn->depended && !fn->requested && !fn->vfs;
	return (fn->ser.flags & (more | PCI_LU_FN_COMPANION)) == PCI_LU_FN_COMPANION;
}

/**
 * pci_lu_roles - what a function is to the preserved ones
 * @fn: the function
 *
 * Return: PCI_LU_FOR_*.
 */
u8 pci_lu_roles(const struct pci_lu_fn *fn)
{
	if (fn->bridge)
		return PCI_LU_FOR_BRIDGE;
	return (fn->own ? PCI_LU_FOR_ENDPOINT : 0) |
	       (fn->vfs || fn->ser.flags & PCI_LU_FN_PF ? PCI_LU_FOR_PF : 0) |
	       (fn->depended > fn->vfs || fn->ser.flags & PCI_LU_FN_COMPANION ?
		PCI_LU_FOR_COMPANION : 0);
}
