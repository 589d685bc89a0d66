// SPDX-License-Identifier: GPL-2.0
/*
 * VT-d live update, new kernel: take over the translation of adopted functions.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: VT-d, new kernel
 *
 * alloc_iommu(), before the first unit is set up (with interrupt remapping that
 * is before any initcall): intel_lu_select_mode() makes scalable mode what it
 * was. The mode cannot change while translation is on.
 *
 * init_dmars(), after the PCI scan: intel_lu_incoming() takes a unit over and
 * settles it at once. Then the unit goes the way of a unit in a crash kernel:
 * its tables are copied, and the new root is set with translation on. An adopted
 * function runs on the copied context entry (intel_lu_attach_deferred()), until
 * its owner attaches (lu_switch.c).
 */

#define pr_fmt(fmt) "DMAR: live update: " fmt

#include <linux/cleanup.h>
#include <linux/dmar.h>
#include <linux/pci.h>
#include <linux/pci-ats.h>
#include <linux/pci_liveupdate.h>

#include "../irq_remapping.h"
#include "liveupdate.h"
#include "lu_internal.h"
#include "pasid.h"

/* 7.3 knows more ways of being off, and includes iommu=off in them. */
#ifdef DMAR_USER_OFF
#define lu_dmar_off()	dmar_policy_off()
#else
#define lu_dmar_off()	(no_iommu || dmar_disabled)
#endif

/**
 * intel_lu_select_mode - hook: before the mode of a unit matters for the first time
 *
 * Context: boot, one CPU, slab works.
 */
void intel_lu_select_mode(void)
{
	const struct iommu_lu_hdr_ser *hdr = iommu_lu_in_header(IOMMU_LU_KIND_VTD);
	int scalable;

	if (!hdr)
		return;

	scalable = !!(hdr->flags & IOMMU_LU_HDR_VTD_SCALABLE);
	if (intel_iommu_sm != scalable)
		pr_info("scalable mode %s, as in the previous kernel\n",
			scalable ? "on" : "off");
	intel_iommu_sm = scalable;
}

/**
 * intel_lu_find_unit - find a unit of this kernel
 * @reg_base: physical address of its registers
 *
 * Context: boot.
 * Return: it, or NULL.
 */
void *intel_lu_find_unit(phys_addr_t reg_base)
{
	struct dmar_drhd_unit *drhd;
	struct intel_iommu *iommu;

	guard(rcu)();
	for_each_iommu(iommu, drhd)
		if (iommu->reg_phys == reg_base)
			return iommu;
	return NULL;
}

/**
 * intel_lu_ready - why this kernel can take nothing over
 *
 * Return: the reason, or PCI_LU_OK.
 */
enum pci_lu_reason intel_lu_ready(void)
{
	if (lu_dmar_off())
		return PCI_LU_REASON_IOMMU_OFF;
	if (!irq_remapping_enabled)
		return PCI_LU_REASON_NO_INTREMAP;
	if (!system_has_cmpxchg128())
		return PCI_LU_REASON_IOMMU_CMPXCHG16B;
	return PCI_LU_OK;
}

/**
 * intel_lu_live - does hardware still use the root table of the record?
 * @hw: the unit
 * @unit: what the record says about it
 *
 * Return: true while it translates with that table.
 */
bool intel_lu_live(void *hw, const struct iommu_lu_unit_ser *unit)
{
	struct intel_iommu *iommu = hw;

	if (!(readl(iommu->reg + DMAR_GSTS_REG) & DMA_GSTS_TES))
		return false;
	return (readq(iommu->reg + DMAR_RTADDR_REG) & VTD_PAGE_MASK) ==
	       unit->top_pa;
}

static struct context_entry *lu_in_context(const struct iommu_lu_in_fn *fn,
					   bool scalable)
{
	struct context_entry *entries = phys_to_virt(fn->ser.page_pa);

	if (!scalable)
		return &entries[fn->ser.devfn];
	return &entries[(fn->ser.devfn & 0x7f) * 2];
}

static bool lu_in_zero(const u64 *from, const u64 *end)
{
	while (from < end && !*from)
		from++;
	return from == end;
}

/* One PASID entry, that of the record, and nothing else. */
static bool lu_in_pasid_matches(const struct iommu_lu_in_fn *fn)
{
	const u64 *dir, *pasid, *recorded = fn->ser.entry + 2;
	const unsigned int nr = VTD_PAGE_SIZE / sizeof(u64);
	unsigned int i;

	if (!iommu_lu_in_memory(fn->ser.pages[0], VTD_PAGE_SIZE) ||
	    !iommu_lu_in_memory(fn->ser.pages[1], VTD_PAGE_SIZE))
		return false;

	dir = phys_to_virt(fn->ser.pages[0]);
	pasid = phys_to_virt(fn->ser.pages[1]);
	if (dir[0] != (fn->ser.pages[1] | PASID_PTE_PRESENT))
		return false;
	for (i = 0; i < 8; i++)
		if (pasid[i] != recorded[i])
			return false;
	return lu_in_zero(dir + 1, dir + nr) && lu_in_zero(pasid + 8, pasid + nr);
}

/* A context table of the handover root must hold what the record says. */
static bool lu_in_ctx_matches(unsigned int index,
			      const struct iommu_lu_unit_ser *unit,
			      u8 bus, bool upper, u64 pa)
{
	bool scalable = unit->flags & IOMMU_LU_UNIT_VTD_SCALABLE;
	unsigned int i, present = 0, listed = 0;
	struct context_entry *entry, *entries;
	struct iommu_lu_in_fn *fn;
	bool in_upper;

	for (fn = NULL; (fn = iommu_lu_in_next(fn, index)); ) {
		in_upper = scalable && fn->ser.devfn >= 0x80;
		if (fn->ser.bus != bus || in_upper != upper)
			continue;
		if (fn->ser.page_pa != pa || !iommu_lu_in_memory(pa, VTD_PAGE_SIZE))
			return false;
		entry = lu_in_context(fn, scalable);
		if (entry->lo != fn->ser.entry[0] || entry->hi != fn->ser.entry[1])
			return false;
		if (scalable && !lu_in_pasid_matches(fn))
			return false;
		listed++;
	}
	if (!pa)
		return !listed;
	/* An empty one is that of a function which was left behind at freeze. */
	if (!listed && !iommu_lu_in_memory(pa, VTD_PAGE_SIZE))
		return false;

	entries = phys_to_virt(pa);
	for (i = 0; i < VTD_PAGE_SIZE / sizeof(*entries); i += scalable ? 2 : 1)
		present += context_present(&entries[i]);
	return present == listed;
}

static bool lu_in_root_matches(unsigned int index,
			       const struct iommu_lu_unit_ser *unit)
{
	struct root_entry *root;
	unsigned int bus;
	u64 lo, hi;

	if (!iommu_lu_in_memory(unit->top_pa, VTD_PAGE_SIZE))
		return false;

	root = phys_to_virt(unit->top_pa);
	for (bus = 0; bus < 256; bus++) {
		lo = root[bus].lo & 1 ? root[bus].lo & VTD_PAGE_MASK : 0;
		hi = root[bus].hi & 1 ? root[bus].hi & VTD_PAGE_MASK : 0;
		if (!lu_in_ctx_matches(index, unit, bus, false, lo))
			return false;
		if (!(unit->flags & IOMMU_LU_UNIT_VTD_SCALABLE))
			continue;
		if (!lu_in_ctx_matches(index, unit, bus, true, hi))
			return false;
	}
	return true;
}

/**
 * intel_lu_check_unit - why a unit cannot be taken over
 * @hw: the unit
 * @index: its index in the record
 * @unit: what the record says about it
 *
 * Return: the reason, or PCI_LU_OK.
 */
enum pci_lu_reason intel_lu_check_unit(void *hw, unsigned int index,
				       const struct iommu_lu_unit_ser *unit)
{
	bool scalable = unit->flags & IOMMU_LU_UNIT_VTD_SCALABLE;
	struct intel_iommu *iommu = hw;
	struct iommu_lu_in_fn *fn;
	bool smt;

	smt = readq(iommu->reg + DMAR_RTADDR_REG) & DMA_RTADDR_SMT;
	if (iommu->drhd->ignored)
		return PCI_LU_REASON_IOMMU_IGNORED;
	if (!!sm_supported(iommu) != scalable || smt != scalable)
		return PCI_LU_REASON_IOMMU_MODE;
	if (!ecap_qis(iommu->ecap))
		return PCI_LU_REASON_IOMMU_NO_QI;
	if (iommu->segment != unit->segment)
		return PCI_LU_REASON_IOMMU_SEGMENT;
	if (!intel_lu_live(iommu, unit))
		return PCI_LU_REASON_IOMMU_NOT_LIVE;
	if (!lu_in_root_matches(index, unit))
		return PCI_LU_REASON_IOMMU_TABLES;

	for (fn = NULL; (fn = iommu_lu_in_next(fn, index)); )
		if (fn->ser.tag >= cap_ndoms(iommu->cap))
			return PCI_LU_REASON_IOMMU_TAG_RANGE;
	return intel_lu_irt_check(iommu);
}

/**
 * intel_lu_check_fn - can a function that the PCI core adopted go on?
 * @fn: the function
 * @pdev: the device
 *
 * ATS stays on in the device, so it must be usable here.
 *
 * Return: why not, or PCI_LU_OK.
 */
enum pci_lu_reason intel_lu_check_fn(const struct iommu_lu_in_fn *fn,
				     struct pci_dev *pdev)
{
	struct intel_iommu *iommu = fn->hw;

	if (!(fn->ser.flags & IOMMU_LU_FN_ATS))
		return PCI_LU_OK;
	if (ecap_dev_iotlb_support(iommu->ecap) && pci_ats_supported(pdev) &&
	    dmar_ats_supported(pdev, iommu) && pci_ats_page_aligned(pdev))
		return PCI_LU_OK;
	return PCI_LU_REASON_IOMMU_ATS;
}

/**
 * intel_lu_tag_reserve - nobody else may have a domain ID
 * @hw: the unit
 * @tag: the domain ID
 *
 * Return: 0, also when it is reserved already, or a negative errno.
 */
int intel_lu_tag_reserve(void *hw, u32 tag)
{
	struct intel_iommu *iommu = hw;
	int ret;

	ret = ida_alloc_range(&iommu->domain_ida, tag, tag, GFP_KERNEL);
	/* Functions may share it. */
	return ret == -ENOSPC ? 0 : min(ret, 0);
}

/**
 * intel_lu_tag_free - undo intel_lu_tag_reserve()
 * @hw: the unit
 * @tag: the domain ID
 */
void intel_lu_tag_free(void *hw, u32 tag)
{
	struct intel_iommu *iommu = hw;

	ida_free(&iommu->domain_ida, tag);
}

/**
 * intel_lu_block_early - take the entry of a function out of the handover tables
 * @fn: the function
 *
 * The caches are flushed when the new root is set.
 */
void intel_lu_block_early(const struct iommu_lu_in_fn *fn)
{
	struct intel_iommu *iommu = fn->hw;
	struct context_entry *entry;

	entry = lu_in_context(fn, sm_supported(iommu));
	context_clear_present(entry);
	__iommu_flush_cache(iommu, entry, sizeof(*entry));
}

/**
 * intel_lu_incoming - hook: a unit that is translating was found
 * @iommu: the unit
 *
 * Context: init_dmars(), under dmar_global_lock.
 * Return: true when its tables must be copied and translation must stay on.
 */
bool intel_lu_incoming(struct intel_iommu *iommu)
{
	unsigned int adopted;

	if (!iommu_lu_take_unit(iommu, iommu->reg_phys))
		return false;

	adopted = iommu_lu_settle(iommu);
	if (adopted)
		pr_info("%s: translation of %u functions is taken over\n",
			iommu->name, adopted);
	return adopted;
}

/**
 * intel_lu_attach_deferred - hook: leave the device with the copied context?
 * @info: a device on a unit whose translation was on before this kernel
 *
 * Return: true in a crash kernel, and for an adopted function.
 */
bool intel_lu_attach_deferred(struct device_domain_info *info)
{
	struct intel_iommu *iommu = info->iommu;
	u32 stream = PCI_DEVID(info->bus, info->devfn);

	if (!iommu_lu_in_unit(iommu->reg_phys))
		return true;
	if (!iommu_lu_in_adopted(iommu, stream))
		return false;
	if (context_copied(iommu, info->bus, info->devfn))
		return true;

	/* Copying ran out of memory: it is blocked, not untranslated. */
	iommu_lu_drop(iommu, stream, PCI_LU_REASON_IOMMU_ENTRY_LOST);
	return false;
}
