// SPDX-License-Identifier: GPL-2.0
/*
 * VT-d live update, new kernel: free what the previous kernel handed over.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: Release
 *
 * Everything that the previous kernel preserved is freed exactly once:
 *
 * - the record, at device_initcall, from its copy on;
 * - the root table and the context tables of a unit, at device_initcall, if the
 *   unit has another root table by then, or translation off;
 * - the PASID directory and table of a function, and with its last user the
 *   page table: when the owner finishes; for a function that was not adopted,
 *   at device_initcall.
 *
 * Nothing is freed while hardware may read it. What cannot be freed, because its
 * page list is damaged or its unit is missing, is kept and named in the log.
 *
 * Locks: intel_lu_in_lock, and at device_initcall dmar_global_lock around it.
 */

#define pr_fmt(fmt) "DMAR: live update: " fmt

#include <linux/cleanup.h>
#include <linux/dmar.h>
#include <linux/kexec_handover.h>
#include <linux/kho_block.h>
#include <linux/pci.h>
#include <linux/pci_liveupdate.h>
#include <linux/reboot.h>

#include "lu_incoming.h"

static void lu_in_free_page(u64 pa)
{
	struct folio *folio;

	if (!pa)
		return;
	folio = lu_in_memory(pa) ? kho_restore_folio(pa) : NULL;
	if (folio)
		folio_put(folio);
	else
		pr_err("page %#llx was not handed over, it is lost\n", pa);
}

static bool lu_in_pages_ok(struct kho_block_set *set,
			   const struct vtd_lu_pages_ser *pages)
{
	struct kho_block_set_it it;
	u64 *entry, nr = 0;
	u32 crc = ~0U;

	kho_block_set_it_init(&it, set);
	while ((entry = kho_block_set_it_read_entry(&it))) {
		crc = vtd_lu_pages_crc(crc, *entry);
		nr++;
	}
	return nr == pages->nr && ~crc == pages->crc;
}

static void lu_in_free_table(unsigned int index)
{
	struct vtd_lu_table_ser table;
	struct kho_block_set_it it;
	struct kho_block_set set;
	u64 *entry;

	vtd_lu_record_table(&intel_lu_in_rec, index, &table);
	kho_block_set_init(&set, sizeof(u64));
	if (!lu_in_memory(table.pages.head_pa) ||
	    kho_block_set_restore(&set, table.pages.head_pa)) {
		pr_err("the page list of a page table is damaged, its memory is lost\n");
		return;
	}

	if (lu_in_pages_ok(&set, &table.pages)) {
		kho_block_set_it_init(&it, &set);
		while ((entry = kho_block_set_it_read_entry(&it)))
			lu_in_free_page(*entry & PAGE_MASK);
	} else {
		pr_err("the page list of a page table is damaged, its memory is lost\n");
	}
	kho_block_set_destroy(&set);
}

/**
 * intel_lu_in_release - free what was handed over for a function
 * @fn: the function; no hardware reads any of it
 *
 * Context: Process context, under intel_lu_in_lock.
 */
void intel_lu_in_release(struct lu_in_fn *fn)
{
	lu_in_free_page(fn->ser.pasid_pa);
	lu_in_free_page(fn->ser.dir_pa);
	if (!--intel_lu_in_refs[fn->ser.table])
		lu_in_free_table(fn->ser.table);
	pci_dev_put(fn->pdev);
	fn->pdev = NULL;
	WRITE_ONCE(fn->state, LU_DONE);
}

static void __init lu_settle_unit(int index, const struct vtd_lu_unit_ser *unit)
{
	struct lu_in_fn *fn, *other;

	lu_in_free_page(unit->root_pa);
	for (fn = intel_lu_in_fns; fn < intel_lu_in_end; fn++) {
		if (fn->ser.unit != index)
			continue;
		for (other = intel_lu_in_fns; other < intel_lu_in_end; other++)
			if (other == fn || other->ser.ctx_pa == fn->ser.ctx_pa)
				break;
		if (other == fn)
			lu_in_free_page(fn->ser.ctx_pa);
		if (fn->state == LU_LISTED || fn->state == LU_DROPPED)
			intel_lu_in_release(fn);
	}
}

/*
 * After the units were set up, or not: free what no unit reads any more. A unit
 * that is not there cannot be asked, so what it may read is kept.
 */
static int __init lu_settle(void)
{
	struct vtd_lu_unit_ser unit;
	struct dmar_drhd_unit *drhd;
	struct intel_iommu *iommu;
	int index;

	intel_lu_in_load();
	kho_restore_free(intel_lu_in_blob);
	intel_lu_in_blob = NULL;
	if (!intel_lu_in_fns)
		return 0;

	guard(rwsem_read)(&dmar_global_lock);
	guard(mutex)(&intel_lu_in_lock);
	for_each_iommu(iommu, drhd) {
		index = intel_lu_in_unit(iommu, &unit);
		if (index < 0)
			continue;
		if (intel_lu_in_live(iommu, &unit))
			pr_err("%s still uses the tables of the previous kernel, they are kept\n",
			       iommu->name);
		else
			lu_settle_unit(index, &unit);
	}
	return 0;
}
device_initcall(lu_settle);

/*
 * A restart before the last owner has finished: the guard would keep Bus Master
 * on when translation goes off.
 */
static int lu_reboot(struct notifier_block *nb, unsigned long action, void *data)
{
	if (pci_lu_incoming() && !pci_lu_disabled(PCI_LU_TAKEOVER))
		pci_lu_fence_all("the system goes down before the update was finished");
	return NOTIFY_DONE;
}

static struct notifier_block lu_reboot_nb = {
	.notifier_call = lu_reboot,
};

static int __init lu_reboot_init(void)
{
	return register_reboot_notifier(&lu_reboot_nb);
}
late_initcall(lu_reboot_init);
