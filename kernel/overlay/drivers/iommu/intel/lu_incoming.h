/* SPDX-License-Identifier: GPL-2.0 */
/*
 * VT-d live update, new kernel: shared by lu_incoming.c, lu_switch.c and
 * lu_release.c, and by nobody else.
 *
 * Copyright (c) 2026 The holdfast authors
 */
#ifndef _INTEL_LU_INCOMING_H
#define _INTEL_LU_INCOMING_H

#include <linux/mmzone.h>
#include <linux/mutex.h>

#include "iommu.h"
#include "lu_record.h"

struct pci_dev;

/**
 * enum lu_in_state - what became of a function of the record
 * @LU_LISTED: not decided
 * @LU_ADOPTED: runs on the translation of the previous kernel
 * @LU_SWITCHED: runs on a domain of this kernel; old tables are still there
 * @LU_DROPPED: not adopted; old tables are still there
 * @LU_DONE: nothing is left of it
 */
enum lu_in_state {
	LU_LISTED,
	LU_ADOPTED,
	LU_SWITCHED,
	LU_DROPPED,
	LU_DONE,
};

/**
 * struct lu_in_fn - a function of the record
 * @ser: what the record says
 * @iommu: its unit, once intel_lu_incoming() has looked at it
 * @pdev: the device, with a reference, while its state is adopted or switched
 * @state: written under intel_lu_in_lock after boot
 */
struct lu_in_fn {
	struct vtd_lu_fn_ser ser;
	struct intel_iommu *iommu;
	struct pci_dev *pdev;
	enum lu_in_state state;
};

extern struct mutex intel_lu_in_lock;
extern struct vtd_lu_record intel_lu_in_rec;
extern struct lu_in_fn *intel_lu_in_fns;	/* NULL without a good record */
extern struct lu_in_fn *intel_lu_in_end;
extern u16 *intel_lu_in_refs;			/* of each page table */
extern void *intel_lu_in_blob;

/* Can an address of the record be followed? */
static inline bool lu_in_memory(u64 pa)
{
	return PAGE_ALIGNED(pa) && pfn_valid(PHYS_PFN(pa));
}

/* lu_incoming.c */
void intel_lu_in_load(void);
int intel_lu_in_unit(struct intel_iommu *iommu, struct vtd_lu_unit_ser *unit);
struct lu_in_fn *intel_lu_in_find_dev(struct device *dev);
bool intel_lu_in_live(struct intel_iommu *iommu,
		      const struct vtd_lu_unit_ser *unit);

/* lu_switch.c */
void intel_lu_in_put_did(const struct lu_in_fn *fn);

/* lu_release.c */
void intel_lu_in_release(struct lu_in_fn *fn);

#endif /* _INTEL_LU_INCOMING_H */
