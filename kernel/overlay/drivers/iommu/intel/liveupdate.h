/* SPDX-License-Identifier: GPL-2.0 */
/*
 * VT-d live update: hooks of the Intel IOMMU driver.
 *
 * Copyright (c) 2026 The holdfast authors
 */
#ifndef _INTEL_LIVEUPDATE_H
#define _INTEL_LIVEUPDATE_H

#include "iommu.h"

struct iommu_lu_ops;

/* iommu.c */
bool dmar_ats_supported(struct pci_dev *dev, struct intel_iommu *iommu);

#ifdef CONFIG_PCI_LIVEUPDATE

/* Hooks: one line each at the call site. */
bool intel_lu_handover(struct intel_iommu *iommu);
void intel_lu_select_mode(void);
bool intel_lu_incoming(struct intel_iommu *iommu);
void intel_lu_before_disable(struct intel_iommu *iommu);
bool intel_lu_attach_deferred(struct device_domain_info *info);
bool intel_lu_keeps_context(struct intel_iommu *iommu, u8 bus, u8 devfn);
int intel_lu_switch(struct dmar_domain *domain, struct device *dev);
void intel_lu_finish(struct device *dev);
bool intel_lu_irt_incoming(struct intel_iommu *iommu);
bool intel_lu_irt_stays_on(struct intel_iommu *iommu);

extern const struct iommu_lu_ops intel_lu_ops;
#define INTEL_LU_OPS	(&intel_lu_ops)

#else

static inline bool intel_lu_handover(struct intel_iommu *iommu)
{
	return false;
}

static inline void intel_lu_select_mode(void) { }

static inline bool intel_lu_incoming(struct intel_iommu *iommu)
{
	return false;
}

static inline void intel_lu_before_disable(struct intel_iommu *iommu) { }

static inline bool intel_lu_attach_deferred(struct device_domain_info *info)
{
	return true;
}

static inline bool intel_lu_keeps_context(struct intel_iommu *iommu, u8 bus,
					  u8 devfn)
{
	return false;
}

static inline int intel_lu_switch(struct dmar_domain *domain,
				  struct device *dev)
{
	return 0;
}

static inline void intel_lu_finish(struct device *dev) { }

static inline bool intel_lu_irt_incoming(struct intel_iommu *iommu)
{
	return false;
}

static inline bool intel_lu_irt_stays_on(struct intel_iommu *iommu)
{
	return false;
}

#define INTEL_LU_OPS	NULL

#endif /* CONFIG_PCI_LIVEUPDATE */

#endif /* _INTEL_LIVEUPDATE_H */
