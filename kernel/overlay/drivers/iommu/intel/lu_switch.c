// SPDX-License-Identifier: GPL-2.0
/*
 * VT-d live update, new kernel: from the old translation to the new one.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: VT-d, the switch
 *
 * When the owner attaches its domain, all is set up as ever: domain ID, cache
 * tags, in scalable mode the PASID entry in a PASID table that hardware does not
 * know yet, in legacy mode ATS as software sees it. Only the context entry is left
 * alone (intel_lu_keeps_context()). intel_lu_replace() is the last step, when
 * nothing else can fail:
 *
 * 1. Build the new context entry. It has Present set, and the device TLB
 *    enabled if it was: a function with ATS on sends translated requests.
 * 2. Replace the old one by one 16-byte store. Hardware reads a context entry in
 *    naturally aligned 16-byte pieces, and in scalable mode the other piece is
 *    reserved, so a request is translated by the old page table or by the
 *    new one. Both have the same mappings, if the owner did what it should.
 * 3. Invalidate the context cache for the function, the PASID cache and the
 *    IOTLB for the old domain ID, in this order, then the device TLB.
 *
 * Locks: the core's lock, then iommu->lock for steps 2 and 3, as everywhere that
 * context entries change. The device TLB is invalidated without the latter: the
 * device takes its time to answer.
 */

#include <linux/pci.h>

#include "lu_internal.h"
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

	/* What the new entry points to must be there before it is. */
	dma_wmb();
	iommu_flush_write_buffer(iommu);
	done = try_cmpxchg128((u128 *)context, &old, new);
	__iommu_flush_cache(iommu, context, sizeof(*context));
	return done;
}

/* All that may be cached of the old entry, but for the device TLB. */
static void lu_in_flush(const struct iommu_lu_in_fn *fn)
{
	struct intel_iommu *iommu = fn->hw;
	u16 did = fn->ser.tag;

	iommu_flush_write_buffer(iommu);
	iommu->flush.flush_context(iommu, did,
				   PCI_DEVID(fn->ser.bus, fn->ser.devfn),
				   DMA_CCMD_MASK_NOBIT, DMA_CCMD_DEVICE_INVL);
	if (sm_supported(iommu))
		qi_flush_pasid_cache(iommu, did, QI_PC_ALL_PASIDS, 0);
	if (fn->ser.flags & IOMMU_LU_FN_VTD_FIRST_STAGE)
		qi_flush_piotlb_all(iommu, did, IOMMU_NO_PASID);
	else
		iommu->flush.flush_iotlb(iommu, did, 0, 0, DMA_TLB_DSI_FLUSH);
}

/*
 * An emulated unit learns of new entries by invalidations: of domain 0 for a
 * context that was not present, of the new domain ID for its translations.
 */
static void lu_in_flush_new(struct intel_iommu *iommu, u16 rid,
			    struct dmar_domain *domain)
{
	u16 did = domain_id_iommu(domain, iommu);

	if (!cap_caching_mode(iommu->cap))
		return;
	iommu->flush.flush_context(iommu, 0, rid, DMA_CCMD_MASK_NOBIT,
				   DMA_CCMD_DEVICE_INVL);
	if (sm_supported(iommu))
		qi_flush_pasid_cache(iommu, did, QI_PC_ALL_PASIDS, 0);
	if (intel_domain_is_fs_paging(domain))
		qi_flush_piotlb_all(iommu, did, IOMMU_NO_PASID);
	else
		iommu->flush.flush_iotlb(iommu, did, 0, 0, DMA_TLB_DSI_FLUSH);
}

/**
 * intel_lu_flush_device - invalidate the device TLB
 * @fn: the function
 * @dev: the device
 */
void intel_lu_flush_device(struct iommu_lu_in_fn *fn, struct device *dev)
{
	struct device_domain_info *info = dev_iommu_priv_get(dev);

	if (!(fn->ser.flags & IOMMU_LU_FN_ATS) ||
	    !pci_device_is_present(fn->pdev))
		return;
	qi_flush_dev_iotlb(info->iommu, PCI_DEVID(info->bus, info->devfn),
			   info->pfsid, info->ats_qdep, 0, MAX_AGAW_PFN_WIDTH);
	quirk_extra_dev_tlb_flush(info, 0, MAX_AGAW_PFN_WIDTH, IOMMU_NO_PASID,
				  info->ats_qdep);
}

/**
 * intel_lu_replace - put the new context entry in place of the old one
 * @fn: an adopted function
 * @domain: the domain; it is set up for @dev in all but the context entry
 * @dev: the device
 *
 * Return: 0, or a negative errno with the old translation still in place.
 */
int intel_lu_replace(struct iommu_lu_in_fn *fn, struct iommu_domain *domain,
		     struct device *dev)
{
	struct device_domain_info *info = dev_iommu_priv_get(dev);
	struct intel_iommu *iommu = info->iommu;
	struct context_entry *context, entry;
	bool done = false;

	if ((fn->ser.flags & IOMMU_LU_FN_ATS) && !info->ats_enabled) {
		pci_err(fn->pdev, "live update: cannot attach: ATS is on in the device and off here\n");
		return -ENODEV;
	}

	lu_in_new_context(to_dmar_domain(domain), dev, &entry);

	spin_lock(&iommu->lock);
	context = iommu_context_addr(iommu, info->bus, info->devfn, 1);
	if (context && context_present(context))
		done = lu_in_replace(iommu, context, &entry);
	if (done) {
		lu_in_flush(fn);
		lu_in_flush_new(iommu, PCI_DEVID(info->bus, info->devfn),
				to_dmar_domain(domain));
		clear_context_copied(iommu, info->bus, info->devfn);
	}
	spin_unlock(&iommu->lock);
	return done ? 0 : -EIO;
}

/**
 * intel_lu_block - take the context entry of a function away
 * @fn: the function; it is fenced
 * @dev: the device
 *
 * Nothing of the old translation remains but in the device TLB.
 */
void intel_lu_block(struct iommu_lu_in_fn *fn, struct device *dev)
{
	struct device_domain_info *info = dev_iommu_priv_get(dev);
	struct intel_iommu *iommu = info->iommu;
	struct context_entry *context;

	if (sm_supported(iommu)) {
		/* Tears the copied entry down, sets our empty PASID table. */
		intel_pasid_setup_sm_context(dev);
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
}
