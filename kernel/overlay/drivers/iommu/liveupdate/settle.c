// SPDX-License-Identifier: GPL-2.0
/*
 * IOMMU live update, new kernel: which functions keep their entry.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: One decision
 *
 * A function goes on only if both the PCI core and the IOMMU say so:
 *
 * - the PCI core asks iommu_lu_cannot_adopt() before it adopts;
 * - iommu_lu_settle() blocks what the PCI core did not adopt;
 * - when the IOMMUs were set up, or not, lu_cross_check() fences what the PCI
 *   core did adopt and the IOMMU did not, before any driver binds.
 *
 * A fenced function is blocked until it was reset: its default domain is not
 * attached (iommu_lu_stays_blocked()) before iommu_lu_unfenced().
 */

#define pr_fmt(fmt) "iommu: live update: " fmt

#include <linux/pci.h>
#include <linux/pci_liveupdate.h>

#include "internal.h"

static struct pci_dev *lu_in_get_dev(const struct iommu_lu_in_fn *fn)
{
	return pci_get_domain_bus_and_slot(fn->ser.segment, fn->ser.bus,
					   fn->ser.devfn);
}

/* The function keeps its entry if the PCI core adopted it and it can go on. */
static bool lu_in_adopt(struct iommu_lu_in_fn *fn)
{
	struct pci_dev *pdev = lu_in_get_dev(fn);
	enum pci_lu_reason why;

	if (pdev && pci_lu_awaited(pdev)) {
		why = iommu_lu_in.ops->check_fn(fn, pdev);
		if (why == PCI_LU_OK) {
			fn->pdev = pdev;
			return true;
		}
		pci_lu_fence(pdev, pci_lu_reason_text(why));
	}
	pci_dev_put(pdev);
	return false;
}

/**
 * iommu_lu_settle - decide what becomes of the functions of a unit
 * @hw: a unit that iommu_lu_take_unit() took over, as the driver calls it
 *
 * Context: boot, one CPU, after the PCI scan.
 * Return: how many functions go on. If it is 0 the unit need not go on either.
 */
unsigned int iommu_lu_settle(void *hw)
{
	struct iommu_lu_in_fn *fn;
	unsigned int adopted = 0;

	for (fn = iommu_lu_in.fns; fn < iommu_lu_in.end; fn++) {
		if (fn->hw != hw || fn->state != IOMMU_LU_TAKEN)
			continue;
		if (lu_in_adopt(fn)) {
			fn->state = IOMMU_LU_ADOPTED;
			adopted++;
			continue;
		}
		iommu_lu_in.ops->block_early(fn);
		fn->state = IOMMU_LU_DROPPED;
		iommu_lu_in_put_tag(fn);
	}
	return adopted;
}

static void lu_in_drop(struct iommu_lu_in_fn *fn)
{
	bool tagged = fn->state == IOMMU_LU_TAKEN ||
		      fn->state == IOMMU_LU_ADOPTED;

	fn->state = IOMMU_LU_DROPPED;
	if (tagged)
		iommu_lu_in_put_tag(fn);
}

/**
 * iommu_lu_drop - a function that was adopted has lost its entry
 * @hw: its unit, as the driver calls it
 * @stream: what the unit calls it
 * @why: the reason
 *
 * Context: boot, one CPU.
 */
void iommu_lu_drop(void *hw, u32 stream, enum pci_lu_reason why)
{
	struct iommu_lu_in_fn *fn = iommu_lu_in_find(hw, stream);

	pci_lu_fence(fn->pdev, pci_lu_reason_text(why));
	lu_in_drop(fn);
}

/**
 * iommu_lu_before_disable - hook: translation of a unit is about to end
 * @reg_base: physical address of its registers
 *
 * Whatever the reason, no function may go on with DMA that was not translated
 * before. At shutdown lu_reboot() has fenced already, in a better context.
 */
void iommu_lu_before_disable(phys_addr_t reg_base)
{
	int index = iommu_lu_in_find_unit(reg_base);
	struct iommu_lu_in_fn *fn;
	struct pci_dev *pdev;

	if (index < 0 || irqs_disabled() || pci_lu_disabled(PCI_LU_TAKEOVER))
		return;

	for (fn = NULL; (fn = iommu_lu_in_next(fn, index)); ) {
		if (fn->state == IOMMU_LU_DONE)
			continue;
		pdev = lu_in_get_dev(fn);
		if (pdev)
			pci_lu_fence(pdev, pci_lu_reason_text(PCI_LU_REASON_IOMMU_DISABLED));
		pci_dev_put(pdev);
		lu_in_drop(fn);
	}
}

static int __init lu_cross_check(void)
{
	const char *why = pci_lu_reason_text(PCI_LU_REASON_IOMMU_NOT_TAKEN);
	struct pci_dev *pdev = NULL;

	if (!iommu_lu_in.fns || pci_lu_disabled(PCI_LU_TAKEOVER))
		return 0;

	for_each_pci_dev(pdev) {
		if (pci_is_bridge(pdev) || iommu_lu_adopted(&pdev->dev))
			continue;
		/* Fenced: by one that could not reset it there. */
		if (pci_lu_awaited(pdev) || pci_lu_fenced(pdev))
			pci_lu_fence_function(pdev, why);
	}
	return 0;
}
rootfs_initcall(lu_cross_check);	/* by link order after those of arch/ */
