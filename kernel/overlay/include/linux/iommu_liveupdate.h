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
#include <linux/pci_liveupdate_reason.h>
#include <linux/types.h>

struct device;
struct iommu_domain;
struct pci_dev;

#ifdef CONFIG_PCI_LIVEUPDATE

const char *iommu_lu_refusal(struct device *dev);
int iommu_lu_preserve(struct device *dev);
void iommu_lu_unpreserve(struct device *dev);
int iommu_lu_freeze(struct device *dev);
void iommu_lu_unfreeze(struct device *dev);
enum pci_lu_reason iommu_lu_not_ready(void);
enum pci_lu_reason iommu_lu_cannot_adopt(u16 segment, u8 bus, u8 devfn);
void iommu_lu_unfenced(struct device *dev);
bool iommu_lu_adopted(struct device *dev);
bool iommu_lu_switched(struct device *dev);
void iommu_lu_finish(struct device *dev);

/* Hooks of the IOMMU core. */
bool iommu_lu_running(struct pci_dev *pdev);
bool iommu_lu_keep_domain(struct device *dev, struct iommu_domain *new_domain,
			  struct iommu_domain *default_domain);
bool iommu_lu_stays_blocked(struct device *dev);

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

static inline bool iommu_lu_stays_blocked(struct device *dev)
{
	return false;
}

#endif /* CONFIG_PCI_LIVEUPDATE */

#endif /* LINUX_IOMMU_LIVEUPDATE_H */
