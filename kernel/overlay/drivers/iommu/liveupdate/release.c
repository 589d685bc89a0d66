// SPDX-License-Identifier: GPL-2.0
/*
 * IOMMU live update, new kernel: free what the previous kernel handed over.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: Release
 *
 * Everything that the previous kernel preserved is freed exactly once:
 *
 * - the record, at device_initcall, if it was believed: the address of another
 *   may be anybody's;
 * - the top-level table of a unit, and the pages with the entries of its
 *   functions, at device_initcall, if the unit has another table by then, or
 *   translation off; its interrupt remapping table likewise;
 * - the memory of a function, and with its last user the page table: when the
 *   owner finishes; for a function that was not adopted, at device_initcall.
 *
 * Nothing is freed while hardware may read it. What cannot be freed, because its
 * page list is damaged or its unit is missing, is kept and named in the log.
 *
 * Page lists are not part of the record and not believed: iommu_lu_pages_check()
 * follows them before anything else does.
 *
 * Locks: iommu_lu_in.lock, but not while a page table is freed, which may take
 * long: it belongs to the one that dropped the last reference.
 */

#define pr_fmt(fmt) "iommu: live update: " fmt

#include <linux/cleanup.h>
#include <linux/kexec_handover.h>
#include <linux/mm.h>
#include <linux/pci.h>

#include "internal.h"

static void lu_in_free_page(u64 pa)
{
	struct folio *folio;

	if (!pa)
		return;
	folio = iommu_lu_in_memory(pa, PAGE_SIZE) ? kho_restore_folio(pa) : NULL;
	if (folio)
		folio_put(folio);
	else
		pr_err("page %#llx was not handed over, it is lost\n", pa);
}

static const void *lu_in_at(u64 pa, u64 size)
{
	return iommu_lu_in_memory(pa, size) ? phys_to_virt(pa) : NULL;
}

/**
 * iommu_lu_in_free_table - free the memory of a page table
 * @index: from iommu_lu_in_release(); nothing happens if it is -1
 *
 * Context: Process context; takes as long as the page table is large.
 */
void iommu_lu_in_free_table(int index)
{
	struct iommu_lu_table_ser table;
	struct kho_block_set_it it;
	struct kho_block_set set;
	u64 *entry;

	if (index < 0)
		return;
	iommu_lu_record_table(&iommu_lu_in.rec, index, &table);
	kho_block_set_init(&set, sizeof(u64));
	if (!iommu_lu_pages_check(&table.pages, lu_in_at) ||
	    kho_block_set_restore(&set, table.pages.head_pa)) {
		pr_err("the page list of a page table is damaged, its memory is lost\n");
		return;
	}

	kho_block_set_it_init(&it, &set);
	while ((entry = kho_block_set_it_read_entry(&it))) {
		lu_in_free_page(*entry & PAGE_MASK);
		cond_resched();
	}
	kho_block_set_destroy(&set);
}

/**
 * iommu_lu_in_release - free what was handed over for a function
 * @fn: the function; no hardware reads any of it
 *
 * Context: Process context, under iommu_lu_in.lock.
 * Return: the page table that nobody uses any more, for
 *	   iommu_lu_in_free_table() after the lock was dropped, or -1.
 */
int iommu_lu_in_release(struct iommu_lu_in_fn *fn)
{
	int i, table = fn->ser.table;

	for (i = ARRAY_SIZE(fn->ser.pages) - 1; i >= 0; i--)
		lu_in_free_page(fn->ser.pages[i]);
	pci_dev_put(fn->pdev);
	fn->pdev = NULL;
	WRITE_ONCE(fn->state, IOMMU_LU_DONE);
	return --iommu_lu_in.refs[table] ? -1 : table;
}

static bool __init lu_first_with_page(const struct iommu_lu_in_fn *fn)
{
	const struct iommu_lu_in_fn *other;

	for (other = iommu_lu_in.fns; other < fn; other++)
		if (other->ser.page_pa == fn->ser.page_pa)
			return false;
	return true;
}

static void __init lu_settle_unit(unsigned int index)
{
	struct iommu_lu_in_fn *fn;

	lu_in_free_page(iommu_lu_in.units[index].top_pa);
	for (fn = NULL; (fn = iommu_lu_in_next(fn, index)); ) {
		if (lu_first_with_page(fn))
			lu_in_free_page(fn->ser.page_pa);
		if (fn->state == IOMMU_LU_LISTED ||
		    fn->state == IOMMU_LU_DROPPED)
			iommu_lu_in_free_table(iommu_lu_in_release(fn));
	}
}

static void __init lu_ask_unit(unsigned int index)
{
	const struct iommu_lu_unit_ser *unit = &iommu_lu_in.units[index];
	const struct iommu_lu_ops *ops = iommu_lu_in.ops;
	phys_addr_t reg_base = unit->reg_base;
	void *hw = ops->find_unit(reg_base);

	if (!hw)
		return;
	if (ops->irt_live && !ops->irt_live(hw, unit))
		lu_in_free_page(unit->irt_pa);
	if (ops->live(hw, unit))
		pr_err("unit at %pa still uses the tables of the previous kernel, they are kept\n",
		       &reg_base);
	else
		lu_settle_unit(index);
}

/*
 * After the units were set up, or not: free what no unit reads any more. A unit
 * that is not there cannot be asked, so what it may read is kept.
 */
static int __init lu_settle(void)
{
	unsigned int i;

	iommu_lu_in_load();
	if (!iommu_lu_in.fns)
		return 0;
	kho_restore_free(iommu_lu_in.blob);
	iommu_lu_in.blob = NULL;
	if (!iommu_lu_in.ops)
		return 0;

	guard(mutex)(&iommu_lu_in.lock);
	for (i = 0; i < iommu_lu_in.rec.hdr.nr_units; i++)
		lu_ask_unit(i);
	return 0;
}
device_initcall(lu_settle);
