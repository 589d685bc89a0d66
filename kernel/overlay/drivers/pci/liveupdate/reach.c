// SPDX-License-Identifier: GPL-2.0
/*
 * PCI live update: functions that do DMA to a BAR of another function.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: Peer-to-peer DMA
 *
 * The translation of a preserved function may lead to a BAR of another one, its
 * *target*, if both are preserved by the same owner. The guard keeps the
 * target's BAR and all windows where they are, so such DMA goes on. That lasts
 * as long as both do. Should the new kernel fence the target, finish it, or find
 * it gone, then its BAR may soon be somebody else's, or at another address: so who
 * still reaches it by the old translation is fenced before that:
 *
 * 1. Bus Master of every function that reaches the target and runs on the old
 *    translation goes off; of one that was not found yet when it is found
 *    (pci_lu_fence_reachers(), with each fence and before finish).
 * 2. The target itself is fenced, or finished.
 * 3. Only then is anything reset: who reached it, and then the target.
 *
 * A function that has left the old translation has page tables of its new owner,
 * who can map no BAR but of a device that he has open.
 *
 * The record says who reaches and who is reached by a number that a session has,
 * not by pairs: whoever is in one session stands and falls together.
 */

#include <linux/iommu_liveupdate.h>
#include <linux/xarray.h>

#include "internal.h"

static const char pci_lu_lost_target[] =
	"it does DMA to a BAR of a function that the update has ended for, or that is gone";

/**
 * pci_lu_set_reach - say whose BARs a function reaches
 * @pdev: a preserved function, before it is frozen
 * @reaches: number of the functions one of which it reaches, 0: none
 * @reached: number of the functions which reach it, 0: none
 */
void pci_lu_set_reach(struct pci_dev *pdev, u16 reaches, u16 reached)
{
	struct pci_lu_fn *fn = pci_lu_fn_find(pdev);

	guard(mutex)(&pci_lu_lock);
	fn->reaches_nr = reaches;
	fn->reached_nr = reached;
}
EXPORT_SYMBOL_GPL(pci_lu_set_reach);

static bool pci_lu_reaches(const struct pci_lu_fn *fn, const struct pci_lu_fn *to)
{
	return fn != to && !fn->bridge && to->ser.reached &&
	       fn->ser.reaches == to->ser.reached;
}

/**
 * pci_lu_fence_reachers - fence those who reach a BAR of a function
 * @to: a function for which the update is about to end
 *
 * Context: Process context, under pci_lu_lock.
 */
void pci_lu_fence_reachers(struct pci_lu_fn *to)
{
	struct pci_lu_fn *fn;
	unsigned long key;

	if (!to->ser.reached || to->ending)
		return;
	to->ending = true;
	xa_for_each(&pci_lu_fns, key, fn) {
		if (!pci_lu_reaches(fn, to))
			continue;
		if (fn->state == PCI_LU_LISTED && !fn->refused)
			fn->refused = pci_lu_lost_target;
		else if (fn->state == PCI_LU_ADOPTED &&
			 !iommu_lu_switched(&fn->pdev->dev))
			pci_lu_fence_one(fn, fn->pdev, pci_lu_lost_target);
	}
	to->ending = false;
}

/**
 * pci_lu_lost_target_of - why a function must not go on, for whom it does DMA to
 * @fn: an adopted function; all functions were found
 *
 * Context: boot, process context, before a driver can bind.
 * Return: a text for the log if a target of it was not found, NULL otherwise.
 */
const char *pci_lu_lost_target_of(const struct pci_lu_fn *fn)
{
	struct pci_lu_fn *to;
	unsigned long key;

	guard(mutex)(&pci_lu_lock);
	xa_for_each(&pci_lu_fns, key, to)
		if (to->state == PCI_LU_LISTED && pci_lu_reaches(fn, to))
			return pci_lu_lost_target;
	return NULL;
}

/* The next one, from @key on, that reaches @pdev and is fenced; with a reference. */
static struct pci_dev *pci_lu_next_reacher(struct pci_dev *pdev, unsigned long *key)
{
	struct pci_lu_fn *fn, *to = pci_lu_fn_find(pdev);

	guard(mutex)(&pci_lu_lock);
	if (!to)
		return NULL;
	for (fn = xa_find(&pci_lu_fns, key, ULONG_MAX, XA_PRESENT); fn;
	     fn = xa_find_after(&pci_lu_fns, key, ULONG_MAX, XA_PRESENT)) {
		if (fn->state != PCI_LU_FENCED || !pci_lu_reaches(fn, to))
			continue;
		++*key;
		return pci_get_domain_bus_and_slot(fn->segment, fn->bus, fn->devfn);
	}
	return NULL;
}

/**
 * pci_lu_give_up_reachers - give those up who reach a BAR of a function
 * @pdev: a function for which the update ends
 *
 * Context: as pci_lu_fence_function().
 */
void pci_lu_give_up_reachers(struct pci_dev *pdev)
{
	struct pci_lu_fn *to = pci_lu_fn_find(pdev);
	struct pci_dev *peer;
	unsigned long key = 0;

	scoped_guard(mutex, &pci_lu_lock)
		if (to && to->state == PCI_LU_ADOPTED)
			pci_lu_fence_reachers(to);
	while ((peer = pci_lu_next_reacher(pdev, &key))) {
		iommu_lu_finish(&peer->dev);
		pci_lu_reset(peer);
		pci_dev_put(peer);
	}
}
EXPORT_SYMBOL_GPL(pci_lu_give_up_reachers);
