// SPDX-License-Identifier: GPL-2.0
/*
 * VT-d live update, old kernel: the handover tables, and the memory of page tables.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: Handover tables
 *
 * The handover root of a unit, its context tables, and the PASID directory and
 * table of a function are single pages from kho_alloc_preserve(), made when a
 * function is preserved and shared by those that need the same one. An empty
 * context table blocks, just as a missing one does, so hardware may be
 * pointed at the root at any time.
 *
 * Page tables are not copied: hardware goes on to walk the live ones. At freeze
 * every page is marked to survive and put on a list, once for all functions
 * that share the domain. The list exists only so that the pages can be freed.
 * iommu-pages are unmovable folios, so they are never in KHO's scratch area.
 *
 * Locks: everything here is called under lu_lock of liveupdate.c.
 */

#include <linux/err.h>
#include <linux/kexec_handover.h>
#include <linux/slab.h>

#include "lu_outgoing.h"
#include "pasid.h"

LIST_HEAD(intel_lu_units);
LIST_HEAD(intel_lu_tables);
static LIST_HEAD(lu_ctxs);

static void *lu_page_alloc(void)
{
	return kho_alloc_preserve(VTD_PAGE_SIZE);
}

/**
 * intel_lu_unit_get - take a user reference on the handover root of a unit
 * @iommu: the unit
 *
 * Return: it, made if it is the first, or an error pointer.
 */
struct lu_unit *intel_lu_unit_get(struct intel_iommu *iommu)
{
	struct lu_unit *unit;

	list_for_each_entry(unit, &intel_lu_units, node) {
		if (unit->iommu == iommu) {
			unit->users++;
			return unit;
		}
	}

	unit = kzalloc_obj(*unit);
	if (!unit)
		return ERR_PTR(-ENOMEM);

	unit->root = lu_page_alloc();
	if (IS_ERR(unit->root)) {
		int err = PTR_ERR(unit->root);

		kfree(unit);
		return ERR_PTR(err);
	}
	__iommu_flush_cache(iommu, unit->root, VTD_PAGE_SIZE);
	unit->iommu = iommu;
	unit->users = 1;
	list_add_tail(&unit->node, &intel_lu_units);
	return unit;
}

/**
 * intel_lu_unit_put - drop a user reference; the last frees
 * @unit: from intel_lu_unit_get()
 */
void intel_lu_unit_put(struct lu_unit *unit)
{
	if (--unit->users)
		return;
	list_del(&unit->node);
	kho_unpreserve_free(unit->root);
	kfree(unit);
}

static void lu_ctx_set_root(struct lu_ctx *ctx, u64 val)
{
	struct root_entry *re = &ctx->unit->root[ctx->bus];
	u64 *half = ctx->upper ? &re->hi : &re->lo;

	WRITE_ONCE(*half, val);
	__iommu_flush_cache(ctx->unit->iommu, half, sizeof(*half));
}

/**
 * intel_lu_ctx_get - take a user reference on a context table of the handover root
 * @unit: the unit
 * @bus: bus number of the requester ID
 * @devfn: device and function number of the requester ID
 *
 * Return: it, made if it is the first, or an error pointer.
 */
struct lu_ctx *intel_lu_ctx_get(struct lu_unit *unit, u8 bus, u8 devfn)
{
	bool upper = sm_supported(unit->iommu) && devfn >= 0x80;
	struct lu_ctx *ctx;

	list_for_each_entry(ctx, &lu_ctxs, node) {
		if (ctx->unit == unit && ctx->bus == bus && ctx->upper == upper) {
			ctx->users++;
			return ctx;
		}
	}

	ctx = kzalloc_obj(*ctx);
	if (!ctx)
		return ERR_PTR(-ENOMEM);

	ctx->entries = lu_page_alloc();
	if (IS_ERR(ctx->entries)) {
		int err = PTR_ERR(ctx->entries);

		kfree(ctx);
		return ERR_PTR(err);
	}
	__iommu_flush_cache(unit->iommu, ctx->entries, VTD_PAGE_SIZE);
	ctx->unit = unit;
	ctx->bus = bus;
	ctx->upper = upper;
	ctx->users = 1;
	lu_ctx_set_root(ctx, virt_to_phys(ctx->entries) | 1);
	list_add_tail(&ctx->node, &lu_ctxs);
	return ctx;
}

/**
 * intel_lu_ctx_put - drop a user reference; the last frees
 * @ctx: from intel_lu_ctx_get()
 */
void intel_lu_ctx_put(struct lu_ctx *ctx)
{
	if (--ctx->users)
		return;
	lu_ctx_set_root(ctx, 0);
	list_del(&ctx->node);
	kho_unpreserve_free(ctx->entries);
	kfree(ctx);
}

/**
 * intel_lu_ctx_entry - where the context entry of a function is
 * @fn: the function
 *
 * Return: the entry in the handover tables.
 */
struct context_entry *intel_lu_ctx_entry(struct lu_fn *fn)
{
	if (!sm_supported(fn->unit->iommu))
		return &fn->ctx->entries[fn->devfn];
	return &fn->ctx->entries[(fn->devfn & 0x7f) * 2];
}

/**
 * intel_lu_set_context - write the context entry of a function
 * @fn: the function
 * @lo: low half
 * @hi: high half
 */
void intel_lu_set_context(struct lu_fn *fn, u64 lo, u64 hi)
{
	struct context_entry *entry = intel_lu_ctx_entry(fn);

	WRITE_ONCE(entry->hi, hi);
	WRITE_ONCE(entry->lo, lo);
	__iommu_flush_cache(fn->unit->iommu, entry, sizeof(*entry));
}

/**
 * intel_lu_pasid_alloc - make a PASID directory and table, in scalable mode
 * @fn: the function
 *
 * Return: 0, or a negative errno.
 */
int intel_lu_pasid_alloc(struct lu_fn *fn)
{
	struct intel_iommu *iommu = fn->unit->iommu;
	void *page;

	if (!sm_supported(iommu))
		return 0;

	page = lu_page_alloc();
	if (IS_ERR(page))
		return PTR_ERR(page);
	fn->dir = page;

	page = lu_page_alloc();
	if (IS_ERR(page)) {
		kho_unpreserve_free(fn->dir);
		fn->dir = NULL;
		return PTR_ERR(page);
	}
	fn->pasid = page;
	fn->dir[0].val = virt_to_phys(fn->pasid) | PASID_PTE_PRESENT;
	__iommu_flush_cache(iommu, fn->dir, VTD_PAGE_SIZE);
	__iommu_flush_cache(iommu, fn->pasid, VTD_PAGE_SIZE);
	return 0;
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
	struct lu_table *table = arg;
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
	table->crc = vtd_lu_pages_crc(table->crc, *entry);
	table->nr++;
	return 0;
}

static void lu_table_drop(struct lu_table *table)
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
 * intel_lu_table_get - preserve the memory of a page table
 * @domain: the domain; its mappings do not change until intel_lu_table_put()
 *
 * Return: it, made if no other function uses the domain, or an error pointer.
 */
struct lu_table *intel_lu_table_get(struct dmar_domain *domain)
{
	const struct pt_iommu_ops *ops = domain->iommu.ops;
	struct lu_table *table;
	u64 nr = 0;
	int err;

	list_for_each_entry(table, &intel_lu_tables, node) {
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

	err = ops->for_each_table(&domain->iommu, lu_count_page, &nr);
	if (!err)
		err = kho_block_set_grow(&table->pages, nr);
	if (!err) {
		kho_block_set_it_init(&table->it, &table->pages);
		err = ops->for_each_table(&domain->iommu, lu_keep_page, table);
	}
	/* The page table is locked, so both walks must see the same. */
	if (!err && table->nr != nr)
		err = -EAGAIN;
	if (err) {
		lu_table_drop(table);
		return ERR_PTR(err);
	}
	table->crc = ~table->crc;
	list_add_tail(&table->node, &intel_lu_tables);
	return table;
}

/**
 * intel_lu_table_put - drop a user reference; the last undoes intel_lu_table_get()
 * @table: the page table
 */
void intel_lu_table_put(struct lu_table *table)
{
	if (--table->users)
		return;
	list_del(&table->node);
	lu_table_drop(table);
}
