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

/**
 * pci_lu_up - what a function needs first of all
 * @pdev: a function
 *
 * Of a VF that is its PF, and of everything else the bridge above, so that
 * following it leads through all that a function needs.
 *
 * Return: that device, or NULL on a root bus.
 */
struct pci_dev *pci_lu_up(struct pci_dev *pdev)
{
	return pdev->is_virtfn ? pci_physfn(pdev) : pci_upstream_bridge(pdev);
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
	       (fn->vfs || fn->ser.flags & PCI_LU_FN_PF ? PCI_LU_FOR_PF : 0);
}
