// SPDX-License-Identifier: GPL-2.0
/*
 * PCI live update, new kernel: functions that no session speaks for.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: Functions that no session speaks for
 *
 * Which functions run on is in the record of the PCI core; who may have them, and
 * the memory they write to, is in the records of the Live Update Orchestrator.
 * Where the two disagree, because a record was lost or damaged, the memory of a
 * session could be given back while a function still writes to it. So they are
 * compared once, when the Orchestrator has read its records and before anybody can
 * retrieve or finish a session: a function that no file of a session names, or
 * more than one, has no owner, and is given up then. From there on the order of
 * finish within a session does the rest: the function first, then its memory.
 */

#include <linux/xarray.h>

#include "internal.h"

/**
 * pci_lu_claim - a session has the file of a function
 * @owner: the handle in that file, see pci_lu_preserve()
 *
 * Context: Process context.
 */
void pci_lu_claim(u64 owner)
{
	struct pci_lu_fn *fn;
	unsigned long key;

	guard(mutex)(&pci_lu_lock);
	xa_for_each(&pci_lu_fns, key, fn)
		if (fn->state == PCI_LU_ADOPTED && fn->own &&
		    fn->ser.owner == owner)
			fn->claims++;
}
EXPORT_SYMBOL_GPL(pci_lu_claim);

/**
 * pci_lu_next_unclaimed - a function that no session speaks for
 * @all: no session could be read at all: nobody's claim counts
 *
 * Each function is returned once; the caller gives it up.
 *
 * Context: Process context, after all pci_lu_claim().
 * Return: the device with a reference, or NULL.
 */
struct pci_dev *pci_lu_next_unclaimed(bool all)
{
	struct pci_lu_fn *fn;
	unsigned long key;

	guard(mutex)(&pci_lu_lock);
	xa_for_each(&pci_lu_fns, key, fn) {
		if (fn->state != PCI_LU_ADOPTED || !fn->own || fn->orphan)
			continue;
		if (fn->claims == 1 && !all)
			continue;
		fn->orphan = true;
		return pci_dev_get(fn->pdev);
	}
	return NULL;
}
EXPORT_SYMBOL_GPL(pci_lu_next_unclaimed);
