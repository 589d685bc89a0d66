/* SPDX-License-Identifier: GPL-2.0 */
/*
 * IOMMU live update: what an IOMMU driver supplies, and what it calls.
 *
 * Copyright (c) 2026 The holdfast authors
 */
#ifndef _IOMMU_LU_DRIVER_H
#define _IOMMU_LU_DRIVER_H

#include <linux/iommu_liveupdate.h>
#include <linux/kho/abi/iommu_liveupdate.h>
#include <linux/list.h>

struct iommu_lu_ops;
struct iommu_lu_table;
struct pci_dev;

/**
 * struct iommu_lu_unit - old kernel: an IOMMU with preserved functions
 * @node: in the core's list
 * @ops: its driver
 * @hw: what the driver calls it
 * @top: the driver's handover table
 * @users: preserved functions
 * @frozen: those of them that are frozen
 * @index: entry in the record, while that is written
 * @ser: what the record will say; filled in by top_get()
 */
struct iommu_lu_unit {
	struct list_head node;
	const struct iommu_lu_ops *ops;
	void *hw;
	void *top;
	unsigned int users;
	unsigned int frozen;
	unsigned int index;
	struct iommu_lu_unit_ser ser;
};

/**
 * struct iommu_lu_fn - old kernel: a preserved function
 * @node: in the core's list
 * @dev: the device
 * @unit: its IOMMU
 * @table: its page table, while it is frozen
 * @priv: the driver's
 * @ser: what the record will say; filled in by fn_get() and capture()
 */
struct iommu_lu_fn {
	struct list_head node;
	struct device *dev;
	struct iommu_lu_unit *unit;
	struct iommu_lu_table *table;
	void *priv;
	struct iommu_lu_fn_ser ser;
};

/**
 * enum iommu_lu_state - new kernel: what became of a function of the record
 * @IOMMU_LU_LISTED: its unit was not looked at, or not taken over
 * @IOMMU_LU_TAKEN: its unit translates with the old entry; not decided
 * @IOMMU_LU_ADOPTED: runs on the translation of the previous kernel
 * @IOMMU_LU_SWITCHED: runs on a domain of this kernel; old tables are still there
 * @IOMMU_LU_DROPPED: not adopted; old tables are still there
 * @IOMMU_LU_DONE: nothing is left of it
 */
enum iommu_lu_state {
	IOMMU_LU_LISTED,
	IOMMU_LU_TAKEN,
	IOMMU_LU_ADOPTED,
	IOMMU_LU_SWITCHED,
	IOMMU_LU_DROPPED,
	IOMMU_LU_DONE,
};

/**
 * struct iommu_lu_in_fn - new kernel: a function of the record
 * @ser: what the record says
 * @hw: its unit, once that was taken over
 * @pdev: the device, with a reference, while its state is adopted or switched
 * @state: written under the core's lock after boot
 */
struct iommu_lu_in_fn {
	struct iommu_lu_fn_ser ser;
	void *hw;
	struct pci_dev *pdev;
	enum iommu_lu_state state;
};

typedef int iommu_lu_visit_t(void *table, void *arg);

/**
 * struct iommu_lu_ops - what an IOMMU driver supplies for live update
 * @kind: IOMMU_LU_KIND_* of the record
 * @locate: the unit of @dev, and what the unit calls it; NULL if it has none
 * @refusal: why @dev cannot be preserved on its unit; called with the owner's
 *	     domain attached
 * @flags: old kernel: IOMMU_LU_HDR_* of the record
 * @top_get: old kernel: make the handover table of a unit, fill in unit->ser
 * @top_put: undo @top_get
 * @fn_get: old kernel: reserve what @capture will need for a function
 * @fn_put: undo @fn_get
 * @for_each_table: old kernel: visit the memory of each table of a page table
 * @capture: old kernel: copy the live entry of a function into the handover
 *	     table, fill in fn->ser; the caller prevents that it changes
 * @release: undo @capture
 * @find_unit: new kernel: the unit with registers at this physical address, NULL
 *	       if there is none
 * @ready: new kernel, at the first PCI scan: why nothing can be taken over
 * @check_unit: new kernel: does hardware have what the record says?
 * @check_fn: new kernel: can a function that the PCI core adopted go on?
 * @live: new kernel: does a unit still translate with the handover table?
 * @irt_live: new kernel: does a unit still use the interrupt remapping table
 *	      that was handed over? Without it that table is never freed.
 * @tag_reserve: new kernel: nobody else may have a tag on a unit; functions may
 *		 share it, so that it may be reserved already
 * @tag_free: undo @tag_reserve
 * @block_early: new kernel, at boot: take the entry of a function away; caches
 *		 are flushed later
 * @block: new kernel: take the entry of a function away, nothing may remain in
 *	   any cache
 * @replace: new kernel: the last step of attaching a domain: put its entry in
 *	     place of the old one in one step, and flush what is cached of that
 *	     in the unit. Returns a negative errno with the old entry in place.
 * @flush_device: new kernel: flush what the device has cached
 *
 * Old kernel: process context, under the core's lock. New kernel: @find_unit
 * to @block_early run at boot, on one CPU; the others in process context under the
 * core's lock.
 */
struct iommu_lu_ops {
	u16 kind;
	void *(*locate)(struct device *dev, u32 *stream);

	enum pci_lu_reason (*refusal)(struct device *dev);
	u32 (*flags)(void);
	int (*top_get)(struct iommu_lu_unit *unit);
	void (*top_put)(struct iommu_lu_unit *unit);
	int (*fn_get)(struct iommu_lu_fn *fn);
	void (*fn_put)(struct iommu_lu_fn *fn);
	int (*for_each_table)(struct iommu_domain *domain,
			      iommu_lu_visit_t *visit, void *arg);
	int (*capture)(struct iommu_lu_fn *fn);
	void (*release)(struct iommu_lu_fn *fn);

	void *(*find_unit)(phys_addr_t reg_base);
	enum pci_lu_reason (*ready)(void);
	enum pci_lu_reason (*check_unit)(void *hw, unsigned int index,
					 const struct iommu_lu_unit_ser *ser);
	enum pci_lu_reason (*check_fn)(const struct iommu_lu_in_fn *fn,
				       struct pci_dev *pdev);
	bool (*live)(void *hw, const struct iommu_lu_unit_ser *ser);
	bool (*irt_live)(void *hw, const struct iommu_lu_unit_ser *ser);
	int (*tag_reserve)(void *hw, u32 tag);
	void (*tag_free)(void *hw, u32 tag);
	void (*block_early)(const struct iommu_lu_in_fn *fn);
	void (*block)(struct iommu_lu_in_fn *fn, struct device *dev);
	int (*replace)(struct iommu_lu_in_fn *fn, struct iommu_domain *domain,
		       struct device *dev);
	void (*flush_device)(struct iommu_lu_in_fn *fn, struct device *dev);
};

void iommu_lu_register(const struct iommu_lu_ops *ops);

/* Old kernel, at shutdown: other CPUs stopped. */
struct iommu_lu_unit *iommu_lu_frozen_unit(void *hw);

/* New kernel: the record. */
bool iommu_lu_in_memory(u64 pa, u64 size);
const struct iommu_lu_hdr_ser *iommu_lu_in_header(u16 kind);
const struct iommu_lu_unit_ser *iommu_lu_in_unit(phys_addr_t reg_base);
bool iommu_lu_in_doubt(void);
struct iommu_lu_in_fn *iommu_lu_in_next(struct iommu_lu_in_fn *fn,
					unsigned int unit);

/* New kernel: hooks of a driver pass these on. */
bool iommu_lu_take_unit(void *hw, phys_addr_t reg_base);
unsigned int iommu_lu_settle(void *hw);
void iommu_lu_before_disable(phys_addr_t reg_base);
bool iommu_lu_in_adopted(void *hw, u32 stream);
void iommu_lu_drop(void *hw, u32 stream, enum pci_lu_reason why);
int iommu_lu_switch(struct iommu_domain *domain, struct device *dev);
void iommu_lu_finish_device(struct device *dev);

#endif /* _IOMMU_LU_DRIVER_H */
