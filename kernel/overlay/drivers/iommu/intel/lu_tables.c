// SPDX-License-Identifier: GPL-2.0
/*
 * VT-d live update, old kernel: the handover tables.
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
 * Locks: everything here is called under the core's lock.
 */

#include <linux/err.h>
#include <linux/kexec_handover.h>
#include <linux/slab.h>

#include "lu_internal.h"
#include "pasid.h"

static LIST_HEAD(lu_ctxs);

static void *lu_page_alloc(struct intel_iommu *iommu)
{
	void *page = kho_alloc_preserve(VTD_PAGE_SIZE);

	if (!IS_ERR(page))
		__iommu_flush_cache(iommu, page, VTD_PAGE_SIZE);
	return page;
}

/**
 * intel_lu_top_get - make the handover root of a unit
 * @unit: the unit
 *
 * Return: 0, or a negative errno.
 */
int intel_lu_top_get(struct iommu_lu_unit *unit)
{
	struct intel_iommu *iommu = unit->hw;
	struct iommu_lu_unit_ser *ser = &unit->ser;
	void *root;
	int err;

	err = intel_lu_irt_get(unit);
	if (err)
		return err;

	root = lu_page_alloc(iommu);
	if (IS_ERR(root)) {
		intel_lu_irt_put(unit);
		return PTR_ERR(root);
	}

	unit->top = root;
	ser->reg_base = iommu->reg_phys;
	ser->top_pa = virt_to_phys(root);
	ser->regs[0] = ser->top_pa;
	ser->segment = iommu->segment;
	if (sm_supported(iommu)) {
		ser->regs[0] |= DMA_RTADDR_SMT;
		ser->flags = IOMMU_LU_UNIT_VTD_SCALABLE;
	}
	return 0;
}

/**
 * intel_lu_top_put - free the handover root of a unit
 * @unit: the unit
 */
void intel_lu_top_put(struct iommu_lu_unit *unit)
{
	kho_unpreserve_free(unit->top);
	intel_lu_irt_put(unit);
}

static void lu_ctx_set_root(struct lu_ctx *ctx, u64 val)
{
	struct root_entry *root = ctx->unit->top;
	struct root_entry *re = &root[ctx->bus];
	u64 *half = ctx->upper ? &re->hi : &re->lo;

	WRITE_ONCE(*half, val);
	__iommu_flush_cache(ctx->unit->hw, half, sizeof(*half));
}

/* The context table of a requester ID, made if it is the first on it. */
static struct lu_ctx *lu_ctx_get(struct iommu_lu_unit *unit, u8 bus, u8 devfn)
{
	struct intel_iommu *iommu = unit->hw;
	bool upper = sm_supported(iommu) && devfn >= 0x80;
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

	ctx->entries = lu_page_alloc(iommu);
	if (IS_ERR(ctx->entries)) {
		int err = PTR_ERR(ctx->entries);

		kfree(ctx);
		return ERR_PTR(err);
	}
	ctx->unit = unit;
	ctx->bus = bus;
	ctx->upper = upper;
	ctx->users = 1;
	lu_ctx_set_root(ctx, virt_to_phys(ctx->entries) | 1);
	list_add_tail(&ctx->node, &lu_ctxs);
	return ctx;
}

static void lu_ctx_put(struct lu_ctx *ctx)
{
	if (--ctx->users)
		return;
	lu_ctx_set_root(ctx, 0);
	list_del(&ctx->node);
	kho_unpreserve_free(ctx->entries);
	kfree(ctx);
}

/* A PASID directory and table, in scalable mode. */
static int lu_pasid_alloc(struct lu_tables *tables, struct intel_iommu *iommu)
{
	void *page;

	if (!sm_supported(iommu))
		return 0;

	page = lu_page_alloc(iommu);
	if (IS_ERR(page))
		return PTR_ERR(page);
	tables->pasid = page;

	page = lu_page_alloc(iommu);
	if (IS_ERR(page)) {
		kho_unpreserve_free(tables->pasid);
		return PTR_ERR(page);
	}
	tables->dir = page;
	tables->dir[0].val = virt_to_phys(tables->pasid) | PASID_PTE_PRESENT;
	__iommu_flush_cache(iommu, tables->dir, sizeof(*tables->dir));
	return 0;
}

/**
 * intel_lu_fn_get - make the tables that a function needs
 * @fn: the function
 *
 * Return: 0, or a negative errno.
 */
int intel_lu_fn_get(struct iommu_lu_fn *fn)
{
	struct iommu_lu_fn_ser *ser = &fn->ser;
	struct lu_tables *tables;
	int err;

	tables = kzalloc_obj(*tables);
	if (!tables)
		return -ENOMEM;

	tables->ctx = lu_ctx_get(fn->unit, ser->bus, ser->devfn);
	if (IS_ERR(tables->ctx)) {
		err = PTR_ERR(tables->ctx);
		goto err_free;
	}

	err = lu_pasid_alloc(tables, fn->unit->hw);
	if (err)
		goto err_put_ctx;

	ser->page_pa = virt_to_phys(tables->ctx->entries);
	if (tables->dir) {
		ser->pages[0] = virt_to_phys(tables->dir);
		ser->pages[1] = virt_to_phys(tables->pasid);
	}
	fn->priv = tables;
	return 0;

err_put_ctx:
	lu_ctx_put(tables->ctx);
err_free:
	kfree(tables);
	return err;
}

/**
 * intel_lu_fn_put - undo intel_lu_fn_get()
 * @fn: the function
 */
void intel_lu_fn_put(struct iommu_lu_fn *fn)
{
	struct lu_tables *tables = fn->priv;

	kho_unpreserve_free(tables->pasid);
	kho_unpreserve_free(tables->dir);
	lu_ctx_put(tables->ctx);
	kfree(tables);
}

/**
 * intel_lu_set_context - write the context entry of a function
 * @fn: the function
 * @lo: low half
 * @hi: high half
 */
void intel_lu_set_context(struct iommu_lu_fn *fn, u64 lo, u64 hi)
{
	struct intel_iommu *iommu = fn->unit->hw;
	struct lu_tables *tables = fn->priv;
	struct context_entry *entry = tables->ctx->entries;

	if (sm_supported(iommu))
		entry += (fn->ser.devfn & 0x7f) * 2;
	else
		entry += fn->ser.devfn;
	WRITE_ONCE(entry->hi, hi);
	WRITE_ONCE(entry->lo, lo);
	__iommu_flush_cache(iommu, entry, sizeof(*entry));
}
