/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shared by the files of drivers/iommu/liveupdate/, and by nobody else.
 *
 * Copyright (c) 2026 The holdfast authors
 */
#ifndef _IOMMU_LU_INTERNAL_H
#define _IOMMU_LU_INTERNAL_H

#include <linux/iommu.h>
#include <linux/kho_block.h>
#include <linux/mutex.h>

#include "driver.h"
#include "record.h"

/**
 * struct iommu_lu_table - old kernel: a page table that frozen functions use
 * @node: in iommu_lu_out.tables
 * @domain: whose page table it is
 * @pages: the list of its pages
 * @it: where the next page goes
 * @nr: pages on the list
 * @crc: of the list
 * @users: functions
 * @index: entry in the record, while that is written
 */
struct iommu_lu_table {
	struct list_head node;
	struct iommu_domain *domain;
	struct kho_block_set pages;
	struct kho_block_set_it it;
	u64 nr;
	u32 crc;
	unsigned int users;
	unsigned int index;
};

/**
 * struct iommu_lu_outgoing - what this kernel will hand over
 * @lock: all of it
 * @units: &struct iommu_lu_unit
 * @tables: &struct iommu_lu_table
 * @fns: &struct iommu_lu_fn
 * @nr_fns: length of @fns
 * @record: memory for the record, while there are functions
 * @size: of @record
 * @published: KHO knows of @record
 */
struct iommu_lu_outgoing {
	struct mutex lock;	/* all of this */
	struct list_head units;
	struct list_head tables;
	struct list_head fns;
	unsigned int nr_fns;
	void *record;
	size_t size;
	bool published;
};

/**
 * struct iommu_lu_incoming - what the previous kernel handed over
 * @lock: state of the functions
 * @blob: the record, in memory of the previous kernel
 * @rec: the record, as far as it was believed
 * @ops: the driver for that kind of IOMMU
 * @refused: why it was not believed
 * @units: of the record
 * @fns: of the record; set last, never freed; NULL without a good record
 * @end: the end of @fns
 * @refs: users of each page table
 */
struct iommu_lu_incoming {
	struct mutex lock;	/* state of the functions */
	void *blob;
	struct iommu_lu_record rec;
	const struct iommu_lu_ops *ops;
	enum pci_lu_reason refused;
	struct iommu_lu_unit_ser *units;
	struct iommu_lu_in_fn *fns;
	struct iommu_lu_in_fn *end;
	u16 *refs;
};

extern struct iommu_lu_outgoing iommu_lu_out;
extern struct iommu_lu_incoming iommu_lu_in;

/* outgoing.c */
int iommu_lu_out_preserve(struct device *dev, const struct iommu_lu_ops *ops);
void iommu_lu_out_unpreserve(struct device *dev);
int iommu_lu_out_freeze(struct device *dev);
void iommu_lu_out_unfreeze(struct device *dev);

/* tables.c */
struct iommu_lu_unit *iommu_lu_unit_get(void *hw, const struct iommu_lu_ops *ops);
void iommu_lu_unit_put(struct iommu_lu_unit *unit);
struct iommu_lu_table *iommu_lu_table_get(struct iommu_domain *domain,
					  const struct iommu_lu_ops *ops);
void iommu_lu_table_put(struct iommu_lu_table *table);

/* incoming.c */
void iommu_lu_in_load(void);
int iommu_lu_in_find_unit(phys_addr_t reg_base);
struct iommu_lu_in_fn *iommu_lu_in_find(void *hw, u32 stream);
struct iommu_lu_in_fn *iommu_lu_in_find_dev(struct device *dev);
bool iommu_lu_in_unfinished(struct device *dev);
void iommu_lu_in_put_tag(const struct iommu_lu_in_fn *fn);

/* release.c */
int iommu_lu_in_release(struct iommu_lu_in_fn *fn);
void iommu_lu_in_free_table(int index);

#endif /* _IOMMU_LU_INTERNAL_H */
