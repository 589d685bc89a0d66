/* SPDX-License-Identifier: GPL-2.0 */
/*
 * IOMMU live update: DMA translation of a preserved device stays on, and stays
 * the same, while the kernel is replaced by kexec.
 *
 * Copyright (c) 2026 The holdfast authors
 */
#ifndef LINUX_IOMMU_LIVEUPDATE_H
#define LINUX_IOMMU_LIVEUPDATE_H

#include <linux/errno.h>
#include <linux/types.h>

struct device;
struct iommu_domain;
struct pci_dev;

/**
 * struct iommu_lu_ops - what an IOMMU driver supplies for live update
 * @refusal: why @dev cannot be preserved on this unit, NULL if it can. Called
 *           with the owner's domain attached.
 * @preserve: reserve what freeze will need; may sleep, may fail
 * @unpreserve: undo @preserve
 * @freeze: record the live translation of @dev in the handover tables and
 *          preserve the memory of its page tables; from here on its mappings
 *          must not change
 * @unfreeze: undo @freeze
 * @adopted: true while @dev runs on the translation of the previous kernel
 * @finish: the owner attached an equivalent set of mappings (or the device was
 *          fenced): release what the previous kernel handed over for @dev
 */
struct iommu_lu_ops {
	const char *(*refusal)(struct device *dev);
	int (*preserve)(struct device *dev);
	void (*unpreserve)(struct device *dev);
	int (*freeze)(struct device *dev);
	void (*unfreeze)(struct device *dev);
	bool (*adopted)(struct device *dev);
	void (*finish)(struct device *dev);
};

#ifdef CONFIG_PCI_LIVEUPDATE

const char *iommu_lu_refusal(struct device *dev);
int iommu_lu_preserve(struct device *dev);
void iommu_lu_unpreserve(struct device *dev);
int iommu_lu_freeze(struct device *dev);
void iommu_lu_unfreeze(struct device *dev);
const char *iommu_lu_not_ready(void);
bool iommu_lu_adopted(struct device *dev);
void iommu_lu_finish(struct device *dev);

/* Hooks of the IOMMU core. */
bool iommu_lu_running(struct pci_dev *pdev);
bool iommu_lu_keep_domain(struct device *dev, struct iommu_domain *new_domain,
			  struct iommu_domain *default_domain);

#else

static inline bool iommu_lu_adopted(struct device *dev)
{
	return false;
}

static inline bool iommu_lu_running(struct pci_dev *pdev)
{
	return false;
}

static inline bool iommu_lu_keep_domain(struct device *dev,
					struct iommu_domain *new_domain,
					struct iommu_domain *default_domain)
{
	return false;
}

#endif /* CONFIG_PCI_LIVEUPDATE */

#endif /* LINUX_IOMMU_LIVEUPDATE_H */
