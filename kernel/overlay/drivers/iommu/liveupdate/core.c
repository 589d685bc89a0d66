// SPDX-License-Identifier: GPL-2.0
/*
 * IOMMU live update: what the owner of a device and the IOMMU core call.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: IOMMU live update
 *
 * The owner of a preserved device (vfio-pci) calls, in the old kernel,
 * iommu_lu_preserve() with its domain attached, and iommu_lu_freeze() when nobody
 * can change the mappings any more; in the new kernel it attaches a domain with
 * the same mappings as if nothing had happened, and calls iommu_lu_finish().
 *
 * The IOMMU driver makes the old translation survive and replaces it by the new
 * one in a single step (&struct iommu_lu_ops). In between the device is
 * *adopted*: this core must attach nothing to it on its own account. The default
 * domain at probe is kept off by the attach_deferred mechanism of crash
 * kernels; what comes later (the blocking domain when the owner claims the
 * group, the default domain when it lets go again) by iommu_lu_keep_domain().
 *
 * Locks: iommu_lu_keep_domain() runs under the group mutex. The other functions
 * take none here; their caller excludes that the domain of the device changes,
 * and calls none of them twice at a time for a device.
 */

#include <linux/iommu.h>
#include <linux/iommu_liveupdate.h>
#include <linux/msi.h>
#include <linux/pci.h>
#include <linux/pci_liveupdate.h>

#include "../iommu-priv.h"
#include "internal.h"

static const struct iommu_lu_ops *lu_ops(struct device *dev)
{
	if (!dev->iommu || !dev->iommu->iommu_dev)
		return NULL;
	return dev_iommu_ops(dev)->lu_ops;
}

/*
 * Who may be in the group besides the device: bridges above it. A switch port
 * without ACS shares the group of what is below, but does no DMA that its
 * owner could observe, and is kept running along with the device.
 */
static int lu_other_device(struct device *dev, void *data)
{
	struct pci_dev *up = data;

	for (; up; up = pci_upstream_bridge(up))
		if (dev == &up->dev)
			return 0;
	return 1;
}

static int lu_other_alias(struct pci_dev *pdev, u16 alias, void *data)
{
	return alias != pci_dev_id(data);
}

/* Memory that firmware wants mapped 1:1 would not be, in the owner's domain. */
static bool lu_has_direct_regions(struct device *dev)
{
	struct iommu_resv_region *region;
	LIST_HEAD(regions);
	bool found = false;

	iommu_get_resv_regions(dev, &regions);
	list_for_each_entry(region, &regions, list)
		if (region->type == IOMMU_RESV_DIRECT ||
		    region->type == IOMMU_RESV_DIRECT_RELAXABLE)
			found = true;
	iommu_put_resv_regions(dev, &regions);
	return found;
}

static enum pci_lu_reason lu_check(struct device *dev)
{
	const struct iommu_lu_ops *ops = lu_ops(dev);

	if (!dev_is_pci(dev) || !dev->iommu_group)
		return PCI_LU_REASON_NO_IOMMU;
	if (!ops)
		return PCI_LU_REASON_IOMMU_UNSUPPORTED;
	if (!msi_device_has_isolated_msi(dev))
		return PCI_LU_REASON_NO_INTREMAP;
	if (iommu_group_for_each_dev(dev->iommu_group, to_pci_dev(dev),
				     lu_other_device))
		return PCI_LU_REASON_GROUP;
	if (pci_for_each_dma_alias(to_pci_dev(dev), lu_other_alias,
				   to_pci_dev(dev)))
		return PCI_LU_REASON_DMA_ALIAS;
	if (iommu_lu_in_unfinished(dev))
		return PCI_LU_REASON_NOT_FINISHED;
	if (lu_has_direct_regions(dev))
		return PCI_LU_REASON_RMRR;

	return ops->refusal(dev);
}

/**
 * iommu_lu_refusal - why the translation of a device cannot be preserved
 * @dev: the device, with its owner's domain attached
 *
 * Context: Process context.
 * Return: the reason, or NULL.
 */
const char *iommu_lu_refusal(struct device *dev)
{
	enum pci_lu_reason why = lu_check(dev);

	return why == PCI_LU_OK ? NULL : pci_lu_reason_text(why);
}
EXPORT_SYMBOL_GPL(iommu_lu_refusal);

/* The reason goes to the log here, so that each caller names the device. */
static int lu_refuse(struct device *dev, const char *what)
{
	const char *why = iommu_lu_refusal(dev);

	if (!why)
		return 0;
	dev_err(dev, "live update: cannot %s: %s\n", what, why);
	return -EOPNOTSUPP;
}

/**
 * iommu_lu_preserve - reserve what handing the translation of a device over needs
 * @dev: the device, with its owner's domain attached
 *
 * Context: Process context, may sleep.
 * Return: 0; -EOPNOTSUPP with the reason in the log; or another negative errno.
 */
int iommu_lu_preserve(struct device *dev)
{
	int err;

	err = lu_refuse(dev, "preserve");
	if (err)
		return err;

	err = iommu_lu_out_preserve(dev, lu_ops(dev));
	if (err)
		dev_err(dev, "live update: cannot preserve DMA translation: %pe\n",
			ERR_PTR(err));
	return err;
}
EXPORT_SYMBOL_GPL(iommu_lu_preserve);

/**
 * iommu_lu_unpreserve - undo iommu_lu_preserve()
 * @dev: a preserved device, not frozen
 */
void iommu_lu_unpreserve(struct device *dev)
{
	iommu_lu_out_unpreserve(dev);
}
EXPORT_SYMBOL_GPL(iommu_lu_unpreserve);

/**
 * iommu_lu_freeze - record the translation of a device for the next kernel
 * @dev: a preserved device; its mappings must not change any more
 *
 * The domain may be another than at preserve, so that it is checked again.
 *
 * Context: Process context, from reboot(2).
 * Return: 0, or a negative errno with everything as it was.
 */
int iommu_lu_freeze(struct device *dev)
{
	int err;

	err = lu_refuse(dev, "freeze");
	if (err)
		return err;

	err = iommu_lu_out_freeze(dev);
	if (err)
		dev_err(dev, "live update: cannot freeze DMA translation: %pe\n",
			ERR_PTR(err));
	return err;
}
EXPORT_SYMBOL_GPL(iommu_lu_freeze);

/**
 * iommu_lu_unfreeze - undo iommu_lu_freeze(): the update was called off
 * @dev: a frozen device
 */
void iommu_lu_unfreeze(struct device *dev)
{
	iommu_lu_out_unfreeze(dev);
}
EXPORT_SYMBOL_GPL(iommu_lu_unfreeze);

/**
 * iommu_lu_keep_domain - hook: the core is about to attach a domain
 * @dev: the device
 * @new_domain: what it wants to attach
 * @default_domain: the default domain of the group
 *
 * A core-owned domain must not replace an adopted translation; the group may
 * say that it is attached.
 *
 * Context: group mutex held.
 * Return: true when the device must be left alone.
 */
bool iommu_lu_keep_domain(struct device *dev, struct iommu_domain *new_domain,
			  struct iommu_domain *default_domain)
{
	if (new_domain != default_domain &&
	    new_domain->type != IOMMU_DOMAIN_BLOCKED)
		return false;
	return iommu_lu_adopted(dev);
}

/**
 * iommu_lu_running - hook: a reset would hit DMA that goes on since the old kernel
 * @pdev: the device
 *
 * Return: true for an adopted device that was not fenced.
 */
bool iommu_lu_running(struct pci_dev *pdev)
{
	return iommu_lu_adopted(&pdev->dev) && pci_lu_adopted(pdev);
}

/**
 * iommu_lu_stays_blocked - hook: must the default domain of a device wait?
 * @dev: a device that was just probed
 *
 * Return: true for a device that is fenced and was not reset since.
 */
bool iommu_lu_stays_blocked(struct device *dev)
{
	return dev_is_pci(dev) && pci_lu_fenced(to_pci_dev(dev));
}

static void lu_attach_default(struct device *dev)
{
	if (iommu_deferred_attach(dev, iommu_get_dma_domain(dev)))
		dev_err(dev, "live update: cannot attach the default domain, DMA is blocked\n");
}

/**
 * iommu_lu_unfenced - a fenced device was reset
 * @dev: the device
 *
 * Context: Process context; no lock of the IOMMU core is held.
 */
void iommu_lu_unfenced(struct device *dev)
{
	if (lu_ops(dev) && dev->iommu->attach_deferred && !iommu_lu_adopted(dev))
		lu_attach_default(dev);
}

/**
 * iommu_lu_finish - release what the previous kernel handed over for a device
 * @dev: the device; if no domain was attached it is fenced and blocked
 *
 * Context: Process context, before pci_lu_finish().
 */
void iommu_lu_finish(struct device *dev)
{
	bool adopted;

	if (!lu_ops(dev))
		return;

	adopted = iommu_lu_adopted(dev);
	iommu_lu_finish_device(dev);
	if (!adopted)
		return;

	/* Make good for the core-owned domain that was kept off. */
	dev->iommu->attach_deferred = iommu_get_domain_for_dev(dev) ==
				      iommu_get_dma_domain(dev);
	if (!iommu_lu_stays_blocked(dev))
		lu_attach_default(dev);
}
EXPORT_SYMBOL_GPL(iommu_lu_finish);
