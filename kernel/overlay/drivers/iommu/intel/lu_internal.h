/* SPDX-License-Identifier: GPL-2.0 */
/*
 * VT-d live update: shared by lu_*.c, and by nobody else.
 *
 * Copyright (c) 2026 The holdfast authors
 */
#ifndef _INTEL_LU_INTERNAL_H
#define _INTEL_LU_INTERNAL_H

#include "../liveupdate/driver.h"
#include "iommu.h"

struct pasid_dir_entry;
struct pasid_entry;

/* A context table of the handover root. */
struct lu_ctx {
	struct list_head node;
	struct iommu_lu_unit *unit;
	struct context_entry *entries;
	u8 bus;
	bool upper;
	unsigned int users;
};

/* What VT-d keeps for a preserved function. */
struct lu_tables {
	struct lu_ctx *ctx;
	struct pasid_dir_entry *dir;	/* in scalable mode */
	struct pasid_entry *pasid;
};

/* lu_tables.c */
int intel_lu_top_get(struct iommu_lu_unit *unit);
void intel_lu_top_put(struct iommu_lu_unit *unit);
int intel_lu_fn_get(struct iommu_lu_fn *fn);
void intel_lu_fn_put(struct iommu_lu_fn *fn);
void intel_lu_set_context(struct iommu_lu_fn *fn, u64 lo, u64 hi);

/* lu_outgoing.c */
enum pci_lu_reason intel_lu_refusal(struct device *dev);
u32 intel_lu_flags(void);
int intel_lu_visit_tables(struct iommu_domain *domain,
			  iommu_lu_visit_t *visit, void *arg);
int intel_lu_capture(struct iommu_lu_fn *fn);
void intel_lu_release(struct iommu_lu_fn *fn);

/* lu_incoming.c */
void *intel_lu_find_unit(phys_addr_t reg_base);
enum pci_lu_reason intel_lu_ready(void);
enum pci_lu_reason intel_lu_check_unit(void *hw, unsigned int index,
				       const struct iommu_lu_unit_ser *unit);
enum pci_lu_reason intel_lu_check_fn(const struct iommu_lu_in_fn *fn,
				     struct pci_dev *pdev);
bool intel_lu_live(void *hw, const struct iommu_lu_unit_ser *unit);
int intel_lu_tag_reserve(void *hw, u32 tag);
void intel_lu_tag_free(void *hw, u32 tag);
void intel_lu_block_early(const struct iommu_lu_in_fn *fn);

/* lu_irq.c */
int intel_lu_irt_get(struct iommu_lu_unit *unit);
void intel_lu_irt_put(struct iommu_lu_unit *unit);
void intel_lu_irt_handover(struct intel_iommu *iommu,
			   const struct iommu_lu_unit_ser *ser);
void intel_lu_irt_off(struct intel_iommu *iommu);
enum pci_lu_reason intel_lu_irt_check(struct intel_iommu *iommu);
bool intel_lu_irt_live(void *hw, const struct iommu_lu_unit_ser *ser);

/* lu_switch.c */
void intel_lu_block(struct iommu_lu_in_fn *fn, struct device *dev);
int intel_lu_replace(struct iommu_lu_in_fn *fn, struct iommu_domain *domain,
		     struct device *dev);
void intel_lu_flush_device(struct iommu_lu_in_fn *fn, struct device *dev);

#endif /* _INTEL_LU_INTERNAL_H */
