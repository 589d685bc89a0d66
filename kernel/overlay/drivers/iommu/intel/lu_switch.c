// SPDX-License-Identifier: GPL-2.0
/*
 * VT-d live update, new kernel: from the old translation to the new one.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: The switch
 *
 * When the owner attaches its domain, all is set up as ever: domain ID, cache
 * tags, in scalable mode the PASID entry in a PASID table that hardware does not
 * know yet, in legacy mode ATS as software sees it. Only the context entry is left
 * alone (intel_lu_keeps_context()). intel_lu_switch() is the last step, when nothing
 * else can fail:
 *
 * 1. Build the new context entry. It has Present set, and the device TLB
 *    enabled if it was: a function with ATS on sends translated requests.
 * 2. Replace the old one by one 16-byte store. Hardware reads a context entry in
 *    naturally aligned 16-byte pieces, and in scalable mode the other piece is
 *    reserved, so a request is translated by the old page table or by the
 *    new one. Both have the same mappings, if the owner did what it should.
 * 3. Invalidate the context cache for the function, the PASID cache and the
 *    IOTLB for the old domain ID, in this order, then the device TLB.
 * 4. The old domain ID is free when no adopted function of the unit has it.
 *
 * If step 2 is not reached, attaching fails, and the function goes on with the old
 * translation: what was set up is torn down where hardware does not look.
 *
 * intel_lu_finish() for a function that was never attached fences it, takes
 * its context entry away with the same invalidations, and then frees.
 *
 * Locks: intel_lu_in_lock, then iommu->lock for steps 2 and 3, as everywhere that
 * context entries change. The device TLB is invalidated without the latter: the
 * device takes its time to answer.
 */

#include <linux/cleanup.h>
#include <linux/pci.h>
#include <linux/pci_liveupdate.h>

#include "liveupdate.h"
#include "lu_incoming.h"
#include "pasid.h"

/* The context entry that @domain needs. */
static void lu_in_new_context(struct dmar_domain *domain, struct device *dev,
			      struct context_entry *entry)
{
	struct device_domain_info *info = dev_iommu_priv_get(dev);
	struct pt_iommu_vtdss_hw_info pt_info;

	if (sm_supported(info->iommu)) {
		context_entry_set_pasid_table(entry, dev);
		return;
	}

	pt_iommu_vtdss_hw_info(&domain->sspt, &pt_info);
	context_clear_entry(entry);
	context_set_domain_id(entry, domain_id_iommu(domain, info->iommu));
	context_set_address_root(entry, pt_info.ssptptr);
	context_set_address_width(entry, pt_info.aw);
	context_set_translation_type(entry, info->ats_supported ?
				     CONTEXT_TT_DEV_IOTLB :
				     CONTEXT_TT_MULTI_LEVEL);
	context_set_fault_enable(entry);
	context_set_present(entry);
}

/* One 16-byte store: hardware sees the old entry or the new one. */
static bool lu_in_replace(struct intel_iommu *iommu,
			  struct context_entry *context,
			  const struct context_entry *entry)
{
	u128 old = ((u128)context->hi << 64) | context->lo;
	u128 new = ((u128)entry->hi << 64) | entry->lo;
	bool done;

	dma_wmb();
	done = try_cmpxchg128((u128 *)context, &old, new);
	__iommu_flush_cache(iommu, context, sizeof(*context));
	return done;
}

/* All that may be cached of the old entry, but for the device TLB. */
static void lu_in_flush(const struct lu_in_fn *fn)
{
	struct intel_iommu *iommu = fn->iommu;
	u16 did = fn->ser.did;

	iommu_flush_write_buffer(iommu);
	iommu->flush.flush_context(iommu, did,
				   PCI_DEVID(fn->ser.bus, fn->ser.devfn),
				   DMA_CCMD_MASK_NOBIT, DMA_CCMD_DEVICE_INVL);
	if (sm_supported(iommu))
		qi_flush_pasid_cache(iommu, did, QI_PC_ALL_PASIDS, 0);
	if (fn->ser.flags & VTD_LU_FN_FIRST_STAGE)
		qi_flush_piotlb_all(iommu, did, IOMMU_NO_PASID);
	else
		iommu->flush.flush_iotlb(iommu, did, 0, 0, DMA_TLB_DSI_FLUSH);
}

static void lu_in_flush_device(const struct lu_in_fn *fn,
			       struct device_domain_info *info)
{
	if (!(fn->ser.flags & VTD_LU_FN_ATS) ||
	    !pci_device_is_present(fn->pdev))
		return;
	qi_flush_dev_iotlb(fn->iommu, PCI_DEVID(info->bus, info->devfn),
			   info->pfsid, info->ats_qdep, 0, MAX_AGAW_PFN_WIDTH);
	quirk_extra_dev_tlb_flush(info, 0, MAX_AGAW_PFN_WIDTH, IOMMU_NO_PASID,
				  info->ats_qdep);
}

/**
 * intel_lu_in_put_did - a function has left the adopted state
 * @fn: the function; nothing is tagged with its old domain ID on its behalf
 */
void intel_lu_in_put_did(const struct lu_in_fn *fn)
{
	struct lu_in_fn *other;

	for (other = intel_lu_in_fns; other < intel_lu_in_end; other++)
		if (other != fn && other->iommu == fn->iommu &&
		    other->ser.did == fn->ser.did && other->state == LU_ADOPTED)
			return;
	ida_free(&fn->iommu->domain_ida, fn->ser.did);
}

/**
 * intel_lu_switch - hook: the last step of attaching a domain
 * @domain: the domain; it is set up for @dev in all but the context entry
 * @dev: the device
 *
 * Does nothing unless the device is adopted.
 *
 * Context: Process context, group mutex held.
 * Return: 0, or a negative errno with the old translation still in place.
 */
int intel_lu_switch(struct dmar_domain *domain, struct device *dev)
{
	struct device_domain_info *info = dev_iommu_priv_get(dev);
	struct lu_in_fn *fn = intel_lu_in_find_dev(dev);
	struct intel_iommu *iommu = info->iommu;
	struct context_entry *context, entry;
	bool done = false;

	if (!fn)
		return 0;

	guard(mutex)(&intel_lu_in_lock);
	if (fn->state != LU_ADOPTED)
		return 0;

	if ((fn->ser.flags & VTD_LU_FN_ATS) && !info->ats_enabled) {
		pci_err(fn->pdev, "live update: cannot attach: ATS is on in the device and off here\n");
		return -ENODEV;
	}

	lu_in_new_context(domain, dev, &entry);

	spin_lock(&iommu->lock);
	context = iommu_context_addr(iommu, info->bus, info->devfn, 1);
	if (context && context_present(context))
		done = lu_in_replace(iommu, context, &entry);
	if (done) {
		lu_in_flush(fn);
		clear_context_copied(iommu, info->bus, info->devfn);
		WRITE_ONCE(fn->state, LU_SWITCHED);
	}
	spin_unlock(&iommu->lock);
	if (!done)
		return -EIO;

	lu_in_flush_device(fn, info);
	intel_lu_in_put_did(fn);
	pci_info(fn->pdev, "live update: switched to new DMA mappings\n");
	return 0;
}

/* The function is fenced; nothing of the old translation may remain. */
static void lu_in_block(struct lu_in_fn *fn, struct device *dev)
{
	struct device_domain_info *info = dev_iommu_priv_get(dev);
	struct intel_iommu *iommu = fn->iommu;
	struct context_entry *context;

	WRITE_ONCE(fn->state, LU_DROPPED);
	if (sm_supported(iommu)) {
		/* Tears the copied entry down, sets our empty PASID table. */
		intel_pasid_setup_sm_context(dev);
		intel_lu_in_put_did(fn);
		return;
	}

	spin_lock(&iommu->lock);
	context = iommu_context_addr(iommu, info->bus, info->devfn, 1);
	if (context) {
		context_clear_present(context);
		__iommu_flush_cache(iommu, context, sizeof(*context));
		lu_in_flush(fn);
		context_clear_entry(context);
		__iommu_flush_cache(iommu, context, sizeof(*context));
		clear_context_copied(iommu, info->bus, info->devfn);
	}
	spin_unlock(&iommu->lock);
	lu_in_flush_device(fn, info);
	intel_lu_in_put_did(fn);
}

/**
 * intel_lu_finish - the owner is done with the update of a device
 * @dev: the device; when no domain was attached it is fenced
 *
 * Context: Process context.
 */
void intel_lu_finish(struct device *dev)
{
	struct lu_in_fn *fn = intel_lu_in_find_dev(dev);

	if (!fn)
		return;

	guard(mutex)(&intel_lu_in_lock);
	if (fn->state == LU_ADOPTED) {
		pci_lu_fence(fn->pdev, "the update ended before its owner had attached it");
		lu_in_block(fn, dev);
	}
	if (fn->state != LU_DONE)
		intel_lu_in_release(fn);
}
