// SPDX-License-Identifier: GPL-2.0
/*
 * VT-d live update, old kernel: hand the translation of preserved functions over.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: VT-d, old kernel, order of steps
 *
 * Translation is never switched off while a preserved function may do DMA. What
 * the next kernel finds in hardware is the *handover root*: a root table that
 * holds the preserved functions and nothing else. It is made of pages which
 * only live update knows, so the live tables are never changed, and calling an
 * update off leaves no trace in them.
 *
 * preserve: refuse what cannot survive; allocate, as memory that KHO preserves,
 *	the record (first function), the root table (first function of a unit),
 *	a context table (first function of a bus, in scalable mode of half a
 *	bus), and in scalable mode a PASID directory and table.
 * freeze, with the mappings of the function locked by its owner:
 *	1. preserve every page of the page table, and list them (the first of
 *	   the functions that share a domain)
 *	2. copy the PASID entry of requests without PASID
 *	3. copy the context entry, in scalable mode with the pointer to our PASID
 *	   directory
 *	4. write the record, seal it, announce it to KHO
 *	Nothing of this is visible to hardware. Other devices go on to use the
 *	live tables until device_shutdown() is through.
 * shutdown, intel_lu_handover() for each unit, other CPUs stopped, interrupts
 *	off: mask the fault interrupt, which would arrive at a vector of a kernel
 *	that is gone (faults stay recorded, and the next kernel reports them), and
 *	let iommu_set_root_entry() point the unit at the handover root and
 *	invalidate all its caches. The invalidation queue is empty after that; the
 *	next kernel replaces it as it does for a crash kernel. Before and after,
 *	a preserved function reaches the same pages through the same page table.
 *	Units without frozen functions are switched off as ever.
 *	The invalidation queue is used with all other CPUs stopped: if one was
 *	stopped while it held the lock of the queue, this hangs.
 *
 * unfreeze and unpreserve undo the steps in reverse.
 *
 * Locks: lu_lock covers all lists and tables here. It nests inside the owner's
 * locks and LUO's; iommu->lock nests inside it. intel_lu_handover() takes none:
 * it runs alone.
 */

#define pr_fmt(fmt) "DMAR: live update: " fmt

#include <linux/cleanup.h>
#include <linux/iommu_liveupdate.h>
#include <linux/kexec_handover.h>
#include <linux/pci.h>
#include <linux/pci_liveupdate.h>
#include <linux/slab.h>

#include "liveupdate.h"
#include "lu_outgoing.h"
#include "pasid.h"

#define LU_RECORD_SIZE	SZ_64K
#define LU_MAX_FNS	((LU_RECORD_SIZE - sizeof(struct vtd_lu_hdr_ser)) /	\
			 (sizeof(struct vtd_lu_unit_ser) +			\
			  sizeof(struct vtd_lu_table_ser) +			\
			  sizeof(struct vtd_lu_fn_ser)))

static DEFINE_MUTEX(lu_lock);
static LIST_HEAD(lu_fns);
static unsigned int lu_nr_fns;
static void *lu_record;
static bool lu_published;

static struct lu_fn *lu_fn_find(struct device *dev)
{
	struct lu_fn *fn;

	list_for_each_entry(fn, &lu_fns, node)
		if (fn->dev == dev)
			return fn;
	return NULL;
}

/* The entry of requests without PASID, in the live table. */
static struct pasid_entry *lu_live_pasid(struct device_domain_info *info)
{
	struct pasid_dir_entry *dir = info->pasid_table->table;

	return get_pasid_table_from_pde(&dir[0]);
}

/* A PASID entry beyond that of requests without PASID. */
static bool lu_pasid_attached(struct device_domain_info *info)
{
	struct pasid_dir_entry *dir;
	struct pasid_entry *entries;
	unsigned int i, j, nr;

	if (!info->pasid_table)
		return false;

	dir = info->pasid_table->table;
	nr = info->pasid_table->max_pasid >> PASID_PDE_SHIFT;
	for (i = 0; i < nr; i++) {
		entries = get_pasid_table_from_pde(&dir[i]);
		for (j = i ? 0 : 1; entries && j < PASID_TBL_ENTRIES; j++)
			if (pasid_pte_is_present(&entries[j]))
				return true;
	}
	return false;
}

static const char *intel_lu_refusal(struct device *dev)
{
	struct device_domain_info *info = dev_iommu_priv_get(dev);
	struct dmar_domain *domain;

	if (!info || dev_is_real_dma_subdevice(dev))
		return pci_lu_reason_text(PCI_LU_REASON_IOMMU_UNSUPPORTED);
	if (intel_lu_unfinished(dev))
		return pci_lu_reason_text(PCI_LU_REASON_NOT_FINISHED);
	if (!system_has_cmpxchg128())
		return "the CPU lacks cmpxchg16b, which replaces a context entry in one step";
	if (!info->iommu->qi)
		return "the remapping unit has no queued invalidation";

	domain = info->domain;
	if (!domain || !info->domain_attached)
		return pci_lu_reason_text(PCI_LU_REASON_NO_IOAS);
	if (domain->domain.type == IOMMU_DOMAIN_NESTED || domain->nested_parent)
		return pci_lu_reason_text(PCI_LU_REASON_NESTED);
	if (!intel_domain_is_fs_paging(domain) &&
	    !intel_domain_is_ss_paging(domain))
		return pci_lu_reason_text(PCI_LU_REASON_NO_IOAS);
	if (domain->dirty_tracking)
		return "DMA dirty tracking is on";
	if (info->pri_enabled || info->iopf_refcount)
		return pci_lu_reason_text(PCI_LU_REASON_PRI);
	if (lu_pasid_attached(info))
		return pci_lu_reason_text(PCI_LU_REASON_SVA);
	if (info->ats_enabled && to_pci_dev(dev)->ats_stu != VTD_PAGE_SHIFT)
		return pci_lu_reason_text(PCI_LU_REASON_ATS_STU);
	return NULL;
}

/* The record. */

static void lu_write_fn(struct vtd_lu_fn_ser *ser, struct lu_fn *fn)
{
	struct context_entry *entry = intel_lu_ctx_entry(fn);

	ser->segment = fn->unit->iommu->segment;
	ser->bus = fn->bus;
	ser->devfn = fn->devfn;
	ser->flags = fn->flags;
	ser->unit = fn->unit->index;
	ser->table = fn->table->index;
	ser->did = fn->did;
	ser->ctx_lo = entry->lo;
	ser->ctx_hi = entry->hi;
	ser->ctx_pa = virt_to_phys(fn->ctx->entries);
	ser->dir_pa = fn->dir ? virt_to_phys(fn->dir) : 0;
	ser->pasid_pa = fn->pasid ? virt_to_phys(fn->pasid) : 0;
}

static void lu_write_table(struct vtd_lu_table_ser *ser, struct lu_table *table)
{
	ser->pages.head_pa = kho_block_set_head_pa(&table->pages);
	ser->pages.nr = table->nr;
	ser->pages.crc = table->crc;
	ser->refs = table->users;
}

static void lu_write_unit(struct vtd_lu_unit_ser *ser, struct lu_unit *unit)
{
	ser->reg_base = unit->iommu->reg_phys;
	ser->root_pa = virt_to_phys(unit->root);
	ser->segment = unit->iommu->segment;
	ser->flags = sm_supported(unit->iommu) ? VTD_LU_UNIT_SCALABLE : 0;
}

/*
 * Write what is frozen, all of it, and announce it. Fails only when it has to be
 * announced for the first time.
 */
static int lu_write_record(void)
{
	unsigned int units = 0, tables = 0, fns = 0, i = 0;
	struct lu_table *table;
	struct lu_unit *unit;
	struct lu_fn *fn;
	int err;

	list_for_each_entry(unit, &intel_lu_units, node)
		if (unit->frozen)
			unit->index = units++;
	list_for_each_entry(table, &intel_lu_tables, node)
		table->index = tables++;
	list_for_each_entry(fn, &lu_fns, node)
		fns += !!fn->table;

	vtd_lu_record_init(lu_record, units, tables, fns,
			   intel_iommu_sm ? VTD_LU_HDR_SCALABLE : 0);
	list_for_each_entry(unit, &intel_lu_units, node)
		if (unit->frozen)
			lu_write_unit(vtd_lu_unit_slot(lu_record, unit->index), unit);
	list_for_each_entry(table, &intel_lu_tables, node)
		lu_write_table(vtd_lu_table_slot(lu_record, table->index), table);
	list_for_each_entry(fn, &lu_fns, node)
		if (fn->table)
			lu_write_fn(vtd_lu_fn_slot(lu_record, i++), fn);
	vtd_lu_record_seal(lu_record);

	if (fns && !lu_published) {
		err = kho_add_subtree(VTD_LU_KHO_NAME, lu_record, LU_RECORD_SIZE);
		if (err)
			return err;
		lu_published = true;
	} else if (!fns && lu_published) {
		kho_remove_subtree(lu_record);
		lu_published = false;
	}
	return 0;
}

static int lu_record_get(void)
{
	void *record;

	if (lu_nr_fns == LU_MAX_FNS)
		return -ENOSPC;
	if (!lu_nr_fns) {
		record = kho_alloc_preserve(LU_RECORD_SIZE);
		if (IS_ERR(record))
			return PTR_ERR(record);
		lu_record = record;
	}
	lu_nr_fns++;
	return 0;
}

static void lu_record_put(void)
{
	if (--lu_nr_fns)
		return;
	kho_unpreserve_free(lu_record);
	lu_record = NULL;
}

static int intel_lu_preserve(struct device *dev)
{
	struct device_domain_info *info = dev_iommu_priv_get(dev);
	struct lu_fn *fn;
	int err;

	mutex_lock(&lu_lock);
	err = -EBUSY;
	if (lu_fn_find(dev))
		goto err_unlock;

	err = lu_record_get();
	if (err)
		goto err_unlock;

	err = -ENOMEM;
	fn = kzalloc_obj(*fn);
	if (!fn)
		goto err_put_record;

	fn->dev = dev;
	fn->bus = info->bus;
	fn->devfn = info->devfn;
	fn->unit = intel_lu_unit_get(info->iommu);
	if (IS_ERR(fn->unit)) {
		err = PTR_ERR(fn->unit);
		goto err_free_fn;
	}

	fn->ctx = intel_lu_ctx_get(fn->unit, fn->bus, fn->devfn);
	if (IS_ERR(fn->ctx)) {
		err = PTR_ERR(fn->ctx);
		goto err_put_unit;
	}

	err = intel_lu_pasid_alloc(fn);
	if (err)
		goto err_put_ctx;

	list_add_tail(&fn->node, &lu_fns);
	mutex_unlock(&lu_lock);

	return 0;

err_put_ctx:
	intel_lu_ctx_put(fn->ctx);
err_put_unit:
	intel_lu_unit_put(fn->unit);
err_free_fn:
	kfree(fn);
err_put_record:
	lu_record_put();
err_unlock:
	mutex_unlock(&lu_lock);
	return err;
}

static void intel_lu_unpreserve(struct device *dev)
{
	struct lu_fn *fn;

	guard(mutex)(&lu_lock);
	fn = lu_fn_find(dev);
	if (!fn)
		return;

	list_del(&fn->node);
	kho_unpreserve_free(fn->pasid);
	kho_unpreserve_free(fn->dir);
	intel_lu_ctx_put(fn->ctx);
	intel_lu_unit_put(fn->unit);
	kfree(fn);
	lu_record_put();
}

/* Copy the live context entry, and in scalable mode the live PASID entry. */
static int lu_copy_context(struct lu_fn *fn, struct device_domain_info *info)
{
	struct intel_iommu *iommu = info->iommu;
	struct context_entry *live, entry;
	struct pasid_entry *pasid;

	guard(spinlock)(&iommu->lock);
	live = iommu_context_addr(iommu, fn->bus, fn->devfn, 0);
	if (!live || !context_present(live))
		return -ENODEV;
	entry = *live;

	if (sm_supported(iommu)) {
		pasid = lu_live_pasid(info);
		if (!pasid || !pasid_pte_is_present(&pasid[IOMMU_NO_PASID]))
			return -ENODEV;
		fn->pasid[IOMMU_NO_PASID] = pasid[IOMMU_NO_PASID];
		__iommu_flush_cache(iommu, fn->pasid, sizeof(*fn->pasid));

		/* One page of directory is the smallest there is: PDTS is 0. */
		entry.lo &= ~(VTD_PAGE_MASK | context_pdts(7));
		entry.lo |= virt_to_phys(fn->dir);
	}
	intel_lu_set_context(fn, entry.lo, entry.hi);
	return 0;
}

static void lu_thaw(struct lu_fn *fn)
{
	intel_lu_set_context(fn, 0, 0);
	if (fn->pasid)
		memset(fn->pasid, 0, sizeof(*fn->pasid));
	fn->unit->frozen--;
	intel_lu_table_put(fn->table);
	fn->table = NULL;
}

static int intel_lu_freeze(struct device *dev)
{
	struct device_domain_info *info = dev_iommu_priv_get(dev);
	struct lu_table *table;
	struct lu_fn *fn;
	int err;

	guard(mutex)(&lu_lock);
	fn = lu_fn_find(dev);
	if (!fn || fn->table)
		return -EINVAL;

	table = intel_lu_table_get(info->domain);
	if (IS_ERR(table))
		return PTR_ERR(table);

	fn->table = table;
	fn->did = domain_id_iommu(info->domain, info->iommu);
	fn->flags = info->ats_enabled ? VTD_LU_FN_ATS : 0;
	if (intel_domain_is_fs_paging(info->domain))
		fn->flags |= VTD_LU_FN_FIRST_STAGE;
	fn->unit->frozen++;

	err = lu_copy_context(fn, info);
	if (!err)
		err = lu_write_record();
	if (err)
		lu_thaw(fn);
	return err;
}

static void intel_lu_unfreeze(struct device *dev)
{
	struct lu_fn *fn;

	guard(mutex)(&lu_lock);
	fn = lu_fn_find(dev);
	if (!fn || !fn->table)
		return;

	lu_thaw(fn);
	/* The record was announced, so this cannot fail. */
	lu_write_record();
}

/**
 * intel_lu_handover - hook: keep a unit translating for the next kernel
 * @iommu: a unit that intel_iommu_shutdown() is about to switch off
 *
 * Context: other CPUs stopped, interrupts off.
 * Return: true when iommu->root_entry is now the handover root and the unit must
 *	   be pointed at it; false when it is to be switched off.
 */
bool intel_lu_handover(struct intel_iommu *iommu)
{
	struct lu_unit *unit;

	if (pci_lu_disabled(PCI_LU_TAKEOVER))
		return false;

	list_for_each_entry(unit, &intel_lu_units, node) {
		if (unit->iommu != iommu || !unit->frozen)
			continue;
		writel(DMA_FECTL_IM, iommu->reg + DMAR_FECTL_REG);
		readl(iommu->reg + DMAR_FECTL_REG);
		iommu_flush_write_buffer(iommu);
		iommu->root_entry = unit->root;
		pr_info("%s goes on translating for %u functions\n",
			iommu->name, unit->frozen);
		return true;
	}
	return false;
}

const struct iommu_lu_ops intel_lu_ops = {
	.refusal	= intel_lu_refusal,
	.preserve	= intel_lu_preserve,
	.unpreserve	= intel_lu_unpreserve,
	.freeze		= intel_lu_freeze,
	.unfreeze	= intel_lu_unfreeze,
	.adopted	= intel_lu_adopted,
	.finish		= intel_lu_finish,
};
