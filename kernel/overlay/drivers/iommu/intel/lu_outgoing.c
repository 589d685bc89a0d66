// SPDX-License-Identifier: GPL-2.0
/*
 * VT-d live update, old kernel: hand the translation of preserved functions over.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: VT-d, old kernel
 *
 * What the next kernel finds in hardware is the *handover root*: a root table
 * that holds the preserved functions and nothing else. It is made of pages which
 * only live update knows (lu_tables.c), so the live tables are never changed, and
 * calling an update off leaves no trace in them.
 *
 * preserve: the root table (first function of a unit), a context table (first
 *	function of a bus, in scalable mode of half a bus), and in scalable mode
 *	a PASID directory and table are allocated.
 * freeze: intel_lu_capture() copies the PASID entry of requests without PASID,
 *	then the context entry, in scalable mode with the pointer to our PASID
 *	directory.
 * shutdown, intel_lu_handover() for each unit, other CPUs stopped, interrupts
 *	off: mask the interrupts of the unit, which would arrive at a vector of a
 *	kernel that is gone (faults stay recorded, and the next kernel reports
 *	them), take its page request queue away, and let iommu_set_root_entry()
 *	point the unit at the handover root and invalidate all its caches. The
 *	invalidation queue is empty after that; the next kernel replaces it as it
 *	does for a crash kernel. Before and after, a preserved function reaches
 *	the same pages through the same page table.
 *	All other CPUs are stopped, perhaps by an NMI while they held a lock of
 *	the unit: such a lock is broken.
 *
 * Locks: the core's lock, and iommu->lock inside it. intel_lu_handover() takes
 * none: it runs alone.
 */

#define pr_fmt(fmt) "DMAR: live update: " fmt

#include <linux/cleanup.h>
#include <linux/pci.h>
#include <linux/pci_liveupdate.h>
#include <linux/tboot.h>

#include "liveupdate.h"
#include "lu_internal.h"
#include "pasid.h"

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

/**
 * intel_lu_refusal - why the translation of a device cannot be preserved
 * @dev: the device, with its owner's domain attached
 *
 * Return: the reason, or PCI_LU_OK.
 */
enum pci_lu_reason intel_lu_refusal(struct device *dev)
{
	struct device_domain_info *info = dev_iommu_priv_get(dev);
	struct dmar_domain *domain;

	if (!info || dev_is_real_dma_subdevice(dev))
		return PCI_LU_REASON_IOMMU_UNSUPPORTED;
	if (tboot_enabled())
		return PCI_LU_REASON_IOMMU_TXT;
	if (!system_has_cmpxchg128())
		return PCI_LU_REASON_IOMMU_CMPXCHG16B;
	if (!info->iommu->qi)
		return PCI_LU_REASON_IOMMU_NO_QI;

	domain = info->domain;
	if (!domain || !info->domain_attached)
		return PCI_LU_REASON_NO_IOAS;
	if (domain->domain.type == IOMMU_DOMAIN_NESTED || domain->nested_parent)
		return PCI_LU_REASON_NESTED;
	if (!intel_domain_is_fs_paging(domain) &&
	    !intel_domain_is_ss_paging(domain))
		return PCI_LU_REASON_NO_IOAS;
	if (domain->dirty_tracking)
		return PCI_LU_REASON_IOMMU_DIRTY_TRACKING;
	if (info->pri_enabled || info->iopf_refcount)
		return PCI_LU_REASON_PRI;
	if (lu_pasid_attached(info))
		return PCI_LU_REASON_SVA;
	if (info->ats_enabled && to_pci_dev(dev)->ats_stu != VTD_PAGE_SHIFT)
		return PCI_LU_REASON_ATS_STU;
	return PCI_LU_OK;
}

/**
 * intel_lu_flags - flags of the record
 *
 * Return: IOMMU_LU_HDR_VTD_*.
 */
u32 intel_lu_flags(void)
{
	return intel_iommu_sm ? IOMMU_LU_HDR_VTD_SCALABLE : 0;
}

/**
 * intel_lu_visit_tables - visit the memory of each table of a page table
 * @domain: the domain; its mappings do not change
 * @visit: called with the address of each, the top first
 * @arg: passed to @visit
 *
 * Return: 0, or what @visit returned to stop.
 */
int intel_lu_visit_tables(struct iommu_domain *domain,
			  iommu_lu_visit_t *visit, void *arg)
{
	struct pt_iommu *pt = &to_dmar_domain(domain)->iommu;

	return pt->ops->for_each_table(pt, visit, arg);
}

/* Copy the live PASID entry, and let the context entry point to the copy. */
static int lu_copy_pasid(struct iommu_lu_fn *fn, struct device_domain_info *info,
			 struct context_entry *entry)
{
	struct pasid_entry *pasid = lu_live_pasid(info);
	struct lu_tables *tables = fn->priv;

	if (!pasid || !pasid_pte_is_present(&pasid[IOMMU_NO_PASID]))
		return -ENODEV;
	tables->pasid[IOMMU_NO_PASID] = pasid[IOMMU_NO_PASID];
	__iommu_flush_cache(info->iommu, tables->pasid, sizeof(*tables->pasid));
	memcpy(&fn->ser.entry[2], tables->pasid, sizeof(*tables->pasid));

	/* Nobody will answer page requests; the device was not to make any. */
	context_clear_sm_pre(entry);
	/* One page of directory is the smallest there is: PDTS is 0. */
	entry->lo &= ~(VTD_PAGE_MASK | context_pdts(7));
	entry->lo |= virt_to_phys(tables->dir);
	return 0;
}

/**
 * intel_lu_capture - copy the entries of a function into the handover tables
 * @fn: the function; its mappings do not change
 *
 * Return: 0, or a negative errno.
 */
int intel_lu_capture(struct iommu_lu_fn *fn)
{
	struct device_domain_info *info = dev_iommu_priv_get(fn->dev);
	struct intel_iommu *iommu = info->iommu;
	struct context_entry *live, entry;
	int err = 0;

	fn->ser.tag = domain_id_iommu(info->domain, iommu);
	fn->ser.flags = info->ats_enabled ? IOMMU_LU_FN_ATS : 0;
	if (intel_domain_is_fs_paging(info->domain))
		fn->ser.flags |= IOMMU_LU_FN_VTD_FIRST_STAGE;

	guard(spinlock)(&iommu->lock);
	live = iommu_context_addr(iommu, fn->ser.bus, fn->ser.devfn, 0);
	if (!live || !context_present(live))
		return -ENODEV;
	entry = *live;

	if (sm_supported(iommu))
		err = lu_copy_pasid(fn, info, &entry);
	if (err)
		return err;
	intel_lu_set_context(fn, entry.lo, entry.hi);
	fn->ser.entry[0] = entry.lo;
	fn->ser.entry[1] = entry.hi;
	return 0;
}

/**
 * intel_lu_release - undo intel_lu_capture()
 * @fn: the function
 */
void intel_lu_release(struct iommu_lu_fn *fn)
{
	struct lu_tables *tables = fn->priv;

	intel_lu_set_context(fn, 0, 0);
	if (tables->pasid)
		memset(tables->pasid, 0, sizeof(*tables->pasid));
}

/*
 * The CPUs that could hold a lock were stopped wherever they were, and never go
 * on: one that is held now will be held for ever. All that it protects is either
 * complete or not yet seen by hardware, which starts at a tail pointer that is
 * written last.
 */
static void lu_break_lock(raw_spinlock_t *lock, const char *name)
{
	if (raw_spin_trylock(lock)) {
		raw_spin_unlock(lock);
		return;
	}
	pr_warn("a CPU was stopped while it held %s\n", name);
	raw_spin_lock_init(lock);
}

/* What the unit writes to memory, and interrupts, would reach the next kernel. */
static void lu_silence(struct intel_iommu *iommu)
{
	writel(DMA_FECTL_IM, iommu->reg + DMAR_FECTL_REG);
	readl(iommu->reg + DMAR_FECTL_REG);
	if (!ecap_prs(iommu->ecap))
		return;
	writel(DMA_FECTL_IM, iommu->reg + DMAR_PECTL_REG);
	writeq(0, iommu->reg + DMAR_PQH_REG);
	writeq(0, iommu->reg + DMAR_PQT_REG);
	writeq(0, iommu->reg + DMAR_PQA_REG);
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
	struct iommu_lu_unit *unit = iommu_lu_frozen_unit(iommu);

	if (!unit || pci_lu_disabled(PCI_LU_TAKEOVER))
		return false;

	lu_break_lock(&iommu->register_lock, "the lock of the registers");
	lu_break_lock(&iommu->qi->q_lock, "the lock of the invalidation queue");
	lu_silence(iommu);
	iommu_flush_write_buffer(iommu);
	intel_lu_irt_handover(iommu, &unit->ser);
	iommu->root_entry = unit->top;
	pr_info("%s goes on translating for %u functions\n", iommu->name,
		unit->frozen);
	return true;
}
