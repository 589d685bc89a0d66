// SPDX-License-Identifier: GPL-2.0
/*
 * IOMMU live update, new kernel: from the old translation to the new one.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: Switch and finish
 *
 * When the owner attaches its domain, the driver sets all up as ever, but for the
 * entry that hardware looks at. iommu_lu_switch() is the last step, when nothing
 * else can fail: the driver puts the new entry in place of the old one, so that
 * a request is translated by the old page table or by the new one, which have
 * the same mappings, if the owner did what it should; and flushes what is cached
 * of the old one. Then the old tag is free, when no adopted function of the unit
 * has it.
 *
 * If that step is not reached, attaching fails, and the function goes on with the
 * old translation: what was set up is torn down where hardware does not look.
 *
 * Finishing a function that was never attached fences it, takes its entry away
 * with the same invalidations, and then frees.
 *
 * Locks: iommu_lu_in.lock, then those of the driver.
 */

#include <linux/cleanup.h>
#include <linux/pci.h>
#include <linux/pci_liveupdate.h>
#include <linux/reboot.h>

#include "internal.h"

/**
 * iommu_lu_switch - hook: the last step of attaching a domain
 * @domain: the domain; it is set up for @dev in all but its entry
 * @dev: the device
 *
 * Does nothing unless the device is adopted.
 *
 * Context: Process context, group mutex held.
 * Return: 0, or a negative errno with the old translation still in place.
 */
int iommu_lu_switch(struct iommu_domain *domain, struct device *dev)
{
	struct iommu_lu_in_fn *fn = iommu_lu_in_find_dev(dev);
	int err;

	if (!fn)
		return 0;

	guard(mutex)(&iommu_lu_in.lock);
	if (fn->state != IOMMU_LU_ADOPTED)
		return 0;

	err = iommu_lu_in.ops->replace(fn, domain, dev);
	if (err)
		return err;
	WRITE_ONCE(fn->state, IOMMU_LU_SWITCHED);

	iommu_lu_in.ops->flush_device(fn, dev);
	iommu_lu_in_put_tag(fn);
	pci_info(fn->pdev, "live update: switched to new DMA mappings\n");
	return 0;
}

/* The function is fenced; nothing of the old translation may remain. */
static void lu_in_block(struct iommu_lu_in_fn *fn, struct device *dev)
{
	WRITE_ONCE(fn->state, IOMMU_LU_DROPPED);
	iommu_lu_in.ops->block(fn, dev);
	iommu_lu_in.ops->flush_device(fn, dev);
	iommu_lu_in_put_tag(fn);
}

/**
 * iommu_lu_finish_device - the update of a device is over, or the device goes away
 * @dev: the device; when no domain was attached it is fenced
 *
 * Context: Process context.
 */
void iommu_lu_finish_device(struct device *dev)
{
	struct iommu_lu_in_fn *fn = iommu_lu_in_find_dev(dev);
	int table = -1;

	if (!fn)
		return;

	scoped_guard(mutex, &iommu_lu_in.lock) {
		if (fn->state == IOMMU_LU_ADOPTED) {
			pci_lu_fence(fn->pdev,
				     pci_lu_reason_text(PCI_LU_REASON_IOMMU_UNCLAIMED));
			lu_in_block(fn, dev);
		}
		if (fn->state != IOMMU_LU_DONE)
			table = iommu_lu_in_release(fn);
	}
	iommu_lu_in_free_table(table);
}

/*
 * A restart before the last owner has finished: the guard would keep Bus Master
 * on when translation goes off.
 */
static int lu_reboot(struct notifier_block *nb, unsigned long action, void *data)
{
	if (pci_lu_incoming() && !pci_lu_disabled(PCI_LU_TAKEOVER))
		pci_lu_fence_all(pci_lu_reason_text(PCI_LU_REASON_IOMMU_RESTART));
	return NOTIFY_DONE;
}

static struct notifier_block lu_reboot_nb = {
	.notifier_call = lu_reboot,
};

static int __init lu_reboot_init(void)
{
	return register_reboot_notifier(&lu_reboot_nb);
}
late_initcall(lu_reboot_init);
