// SPDX-License-Identifier: GPL-2.0
/*
 * IOMMU live update, old kernel: the units, and the memory of page tables.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: Page tables
 *
 * Page tables are not copied: hardware goes on to walk the live ones. At freeze
 * every page is marked to survive and put on a list, once for all functions
 * that share the domain. The list exists only so that the pages can be freed.
 * iommu-pages are unmovable folios, so they are never in KHO's scratch area.
 *
 * Locks: everything here is called under iommu_lu_out.lock.
 */

#include <linux/err.h>
#include <linux/kexec_handover.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "internal.h"

struct iommu_lu_outgoing iommu_lu_out = {
	.lock	= __MUTEX_INITIALIZER(iommu_lu_out.lock),
	.units	= LIST_HEAD_INIT(iommu_lu_out.units),
	.tables	= LIST_HEAD_INIT(iommu_lu_out.tables),
	.fns	= LIST_HEAD_INIT(iommu_lu_out.fns),
};

/**
 * iommu_lu_unit_get - take a user reference on a unit
 * @hw: the unit, as its driver calls it
 * @ops: its driver
 *
 * Return: it, made if it is the first, or an error pointer.
 */
struct iommu_lu_unit *iommu_lu_unit_get(void *hw, const struct iommu_lu_ops *ops)
{
	struct iommu_lu_unit *unit;
	int err;

	list_for_each_entry(unit, &iommu_lu_out.units, node) {
		if (unit->hw == hw) {
			unit->users++;
			return unit;
		}
	}

	unit = kzalloc_obj(*unit);
	if (!unit)
		return ERR_PTR(-ENOMEM);

	unit->hw = hw;
	unit->ops = ops;
	unit->users = 1;
	err = ops->top_get(unit);
	if (err) {
		kfree(unit);
		return ERR_PTR(err);
	}
	list_add_tail(&unit->node, &iommu_lu_out.units);
	return unit;
}

/**
 * iommu_lu_unit_put - drop a user reference; the last frees
 * @unit: from iommu_lu_unit_get()
 */
void iommu_lu_unit_put(struct iommu_lu_unit *unit)
{
	if (--unit->users)
		return;
	list_del(&unit->node);
	unit->ops->top_put(unit);
	kfree(unit);
}

static int lu_count_page(void *table, void *arg)
{
	u64 *nr = arg;

	++*nr;
	return 0;
}

static int lu_keep_page(void *page, void *arg)
{
	struct folio *folio = virt_to_folio(page);
	struct iommu_lu_table *table = arg;
	u64 *entry;
	int err;

	entry = kho_block_set_it_reserve_entry(&table->it);
	if (!entry)
		return -EAGAIN;

	err = kho_preserve_folio(folio);
	if (err) {
		*entry = 0;
		return err;
	}
	*entry = PFN_PHYS(folio_pfn(folio)) | folio_order(folio);
	table->crc = iommu_lu_pages_crc(table->crc, *entry);
	table->nr++;
	return 0;
}

static void lu_table_drop(struct iommu_lu_table *table)
{
	struct kho_block_set_it it;
	u64 *entry;

	kho_block_set_it_init(&it, &table->pages);
	while (table->nr && (entry = kho_block_set_it_read_entry(&it))) {
		kho_unpreserve_folio(pfn_folio(PHYS_PFN(*entry)));
		table->nr--;
	}
	kho_block_set_destroy(&table->pages);
	kfree(table);
}

/**
 * iommu_lu_table_get - preserve the memory of a page table
 * @domain: the domain; its mappings do not change until iommu_lu_table_put()
 * @ops: its driver
 *
 * Return: it, made if no other function uses the domain, or an error pointer.
 */
struct iommu_lu_table *iommu_lu_table_get(struct iommu_domain *domain,
					  const struct iommu_lu_ops *ops)
{
	struct iommu_lu_table *table;
	u64 nr = 0;
	int err;

	list_for_each_entry(table, &iommu_lu_out.tables, node) {
		if (table->domain == domain) {
			table->users++;
			return table;
		}
	}

	table = kzalloc_obj(*table);
	if (!table)
		return ERR_PTR(-ENOMEM);

	kho_block_set_init(&table->pages, sizeof(u64));
	table->domain = domain;
	table->users = 1;
	table->crc = ~0U;

	err = ops->for_each_table(domain, lu_count_page, &nr);
	if (!err)
		err = kho_block_set_grow(&table->pages, nr);
	if (!err) {
		kho_block_set_it_init(&table->it, &table->pages);
		err = ops->for_each_table(domain, lu_keep_page, table);
	}
	/* The page table is locked, so both walks must see the same. */
	if (!err && table->nr != nr)
		err = -EAGAIN;
	if (err) {
		lu_table_drop(table);
		return ERR_PTR(err);
	}
	table->crc = ~table->crc;
	list_add_tail(&table->node, &iommu_lu_out.tables);
	return table;
}

/**
 * iommu_lu_table_put - drop a user reference; the last undoes iommu_lu_table_get()
 * @table: the page table
 */
void iommu_lu_table_put(struct iommu_lu_table *table)
{
	if (--table->users)
		return;
	list_del(&table->node);
	lu_table_drop(table);
}
