/* SPDX-License-Identifier: GPL-2.0 */
/*
 * VT-d live update, old kernel: shared by liveupdate.c and lu_tables.c, and by
 * nobody else.
 *
 * Copyright (c) 2026 The holdfast authors
 */
#ifndef _INTEL_LU_OUTGOING_H
#define _INTEL_LU_OUTGOING_H

#include <linux/kho_block.h>
#include <linux/list.h>

#include "iommu.h"
#include "lu_record.h"

struct pasid_dir_entry;
struct pasid_entry;

/* A unit with preserved functions. */
struct lu_unit {
	struct list_head node;
	struct intel_iommu *iommu;
	struct root_entry *root;
	unsigned int users;
	unsigned int frozen;
	unsigned int index;
};

/* A context table of the handover root. */
struct lu_ctx {
	struct list_head node;
	struct lu_unit *unit;
	struct context_entry *entries;
	u8 bus;
	bool upper;
	unsigned int users;
};

/* A page table that frozen functions use. */
struct lu_table {
	struct list_head node;
	struct dmar_domain *domain;
	struct kho_block_set pages;
	struct kho_block_set_it it;
	u64 nr;
	u32 crc;
	unsigned int users;
	unsigned int index;
};

/* A preserved function. */
struct lu_fn {
	struct list_head node;
	struct device *dev;
	struct lu_unit *unit;
	struct lu_ctx *ctx;
	struct lu_table *table;		/* while frozen */
	struct pasid_dir_entry *dir;
	struct pasid_entry *pasid;
	u8 bus;
	u8 devfn;
	u16 did;
	u32 flags;
};

extern struct list_head intel_lu_units;
extern struct list_head intel_lu_tables;

struct lu_unit *intel_lu_unit_get(struct intel_iommu *iommu);
void intel_lu_unit_put(struct lu_unit *unit);
struct lu_ctx *intel_lu_ctx_get(struct lu_unit *unit, u8 bus, u8 devfn);
void intel_lu_ctx_put(struct lu_ctx *ctx);
struct context_entry *intel_lu_ctx_entry(struct lu_fn *fn);
void intel_lu_set_context(struct lu_fn *fn, u64 lo, u64 hi);
int intel_lu_pasid_alloc(struct lu_fn *fn);
struct lu_table *intel_lu_table_get(struct dmar_domain *domain);
void intel_lu_table_put(struct lu_table *table);

#endif /* _INTEL_LU_OUTGOING_H */
