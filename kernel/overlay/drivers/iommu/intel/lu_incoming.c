// SPDX-License-Identifier: GPL-2.0
/*
 * VT-d live update, new kernel: take over the translation of adopted functions.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: VT-d, new kernel, order of steps
 *
 * 1. alloc_iommu(), before the first unit is set up (with interrupt remapping
 *    that is before any initcall): intel_lu_select_mode() reads the record and
 *    makes scalable mode what it was. The mode cannot change while translation
 *    is on.
 * 2. First PCI scan: intel_lu_not_ready() compares the record with the units. If
 *    anything is wrong the PCI core fences all listed functions at once.
 * 3. init_dmars(): intel_lu_incoming() decides for each unit. Functions that the
 *    PCI core did not adopt (they are fenced, or gone) lose their entry in the
 *    handover tables; the domain IDs of the others are reserved. Then the unit
 *    goes the way of a unit in a crash kernel: its tables are copied, and the new root
 *    is set with translation on. If the unit is not taken over, or anything
 *    fails later, intel_lu_before_disable() fences before translation ends,
 *    wherever it ends.
 * 4. device_initcall: what nothing reads any more is freed (lu_release.c).
 * 5. An adopted function runs on the copied context entry: its default domain is
 *    not attached (intel_lu_attach_deferred()), neither is the blocking domain
 *    when its owner claims it (iommu_lu_keep_domain()).
 * 6. The owner attaches its domain, which switches the function over, and
 *    finishes (lu_switch.c).
 *
 * Locks: steps 1 to 4 run on one CPU, before userspace. From then on
 * intel_lu_in_lock covers the state of the functions. It nests inside the group
 * mutex, and outside iommu->lock and pci_lu_lock. Readers without it
 * (intel_lu_adopted()) may see a function leave the adopted state a moment late;
 * each caller that acts on it holds the group mutex, under which intel_lu_switch()
 * runs. intel_lu_not_ready() is called under pci_lu_lock and takes no lock that
 * is held while fencing.
 */

#define pr_fmt(fmt) "DMAR: live update: " fmt

#include <linux/cleanup.h>
#include <linux/dmar.h>
#include <linux/kexec_handover.h>
#include <linux/pci.h>
#include <linux/pci-ats.h>
#include <linux/pci_liveupdate.h>
#include <linux/slab.h>

#include "../irq_remapping.h"
#include "liveupdate.h"
#include "lu_incoming.h"

/* 7.3 knows more ways of being off, and includes iommu=off in them. */
#ifdef DMAR_USER_OFF
#define lu_dmar_off()	dmar_policy_off()
#else
#define lu_dmar_off()	(no_iommu || dmar_disabled)
#endif

DEFINE_MUTEX(intel_lu_in_lock);	/* state of the functions */
void *intel_lu_in_blob;
static void *lu_in_copy;
struct vtd_lu_record intel_lu_in_rec;
struct lu_in_fn *intel_lu_in_fns;	/* set last, never freed */
struct lu_in_fn *intel_lu_in_end;
u16 *intel_lu_in_refs;			/* of each page table */
static const char *lu_in_why = "the previous kernel handed no DMA translation over";

/**
 * intel_lu_in_load - read the record of the previous kernel, once
 *
 * Context: boot, one CPU, slab works.
 */
void intel_lu_in_load(void)
{
	struct vtd_lu_record *rec = &intel_lu_in_rec;
	struct vtd_lu_table_ser table;
	struct lu_in_fn *fns;
	static bool done;
	phys_addr_t phys;
	unsigned int i;
	size_t size;
	int err;

	if (done)
		return;
	done = true;

	err = kho_retrieve_subtree(VTD_LU_KHO_NAME, &phys, &size);
	if (err == -ENOENT)
		return;
	if (err || size < sizeof(struct vtd_lu_hdr_ser) ||
	    size > VTD_LU_MAX_SIZE) {
		lu_in_why = vtd_lu_reason_text(VTD_LU_REC_SHORT);
		goto err_out;
	}

	intel_lu_in_blob = phys_to_virt(phys);
	lu_in_copy = kmemdup(intel_lu_in_blob, size, GFP_KERNEL);
	lu_in_why = "out of memory";
	if (!lu_in_copy)
		goto err_out;

	err = vtd_lu_record_check(lu_in_copy, size, rec);
	if (err) {
		lu_in_why = vtd_lu_reason_text(err);
		pr_err("record refused at byte %u\n", rec->bad_off);
		goto err_free_copy;
	}

	fns = kzalloc_objs(*fns, rec->hdr.nr_fns);
	intel_lu_in_refs = kzalloc_objs(*intel_lu_in_refs, rec->hdr.nr_tables);
	if (!fns || !intel_lu_in_refs)
		goto err_free_fns;

	for (i = 0; i < rec->hdr.nr_fns; i++)
		vtd_lu_record_fn(rec, i, &fns[i].ser);
	for (i = 0; i < rec->hdr.nr_tables; i++) {
		vtd_lu_record_table(rec, i, &table);
		intel_lu_in_refs[i] = table.refs;
	}
	lu_in_why = NULL;
	intel_lu_in_end = fns + rec->hdr.nr_fns;
	intel_lu_in_fns = fns;
	return;

err_free_fns:
	kfree(fns);
	kfree(intel_lu_in_refs);
	intel_lu_in_refs = NULL;
err_free_copy:
	kfree(lu_in_copy);
	lu_in_copy = NULL;
err_out:
	pr_err("cannot take translation over: %s\n", lu_in_why);
}

/**
 * intel_lu_select_mode - hook: before the mode of a unit matters for the first time
 *
 * Context: boot, one CPU, slab works.
 */
void intel_lu_select_mode(void)
{
	int scalable;

	intel_lu_in_load();
	if (!intel_lu_in_fns || pci_lu_disabled(PCI_LU_TAKEOVER))
		return;

	scalable = !!(intel_lu_in_rec.hdr.flags & VTD_LU_HDR_SCALABLE);
	if (intel_iommu_sm != scalable)
		pr_info("scalable mode %s, as in the previous kernel\n",
			scalable ? "on" : "off");
	intel_iommu_sm = scalable;
}

/**
 * intel_lu_in_unit - find a unit in the record
 * @iommu: the unit
 * @unit: what the record says about it
 *
 * Return: its index, or -1.
 */
int intel_lu_in_unit(struct intel_iommu *iommu, struct vtd_lu_unit_ser *unit)
{
	unsigned int i;

	for (i = 0; intel_lu_in_fns && i < intel_lu_in_rec.hdr.nr_units; i++) {
		vtd_lu_record_unit(&intel_lu_in_rec, i, unit);
		if (unit->reg_base == iommu->reg_phys)
			return i;
	}
	return -1;
}

static struct lu_in_fn *lu_in_find(struct intel_iommu *iommu, u8 bus, u8 devfn)
{
	struct lu_in_fn *fn;

	for (fn = intel_lu_in_fns; fn < intel_lu_in_end; fn++)
		if (fn->iommu == iommu && fn->ser.bus == bus &&
		    fn->ser.devfn == devfn)
			return fn;
	return NULL;
}

/**
 * intel_lu_in_find_dev - find a device in the record
 * @dev: the device
 *
 * Return: the function, or NULL; also NULL when its unit was not taken over.
 */
struct lu_in_fn *intel_lu_in_find_dev(struct device *dev)
{
	struct device_domain_info *info = dev_iommu_priv_get(dev);

	if (!info || dev_is_real_dma_subdevice(dev))
		return NULL;
	return lu_in_find(info->iommu, info->bus, info->devfn);
}

/**
 * intel_lu_in_live - does hardware still use the root table of the record?
 * @iommu: the unit
 * @unit: what the record says about it
 *
 * Return: true while it translates with that table.
 */
bool intel_lu_in_live(struct intel_iommu *iommu,
		      const struct vtd_lu_unit_ser *unit)
{
	if (!(readl(iommu->reg + DMAR_GSTS_REG) & DMA_GSTS_TES))
		return false;
	return (readq(iommu->reg + DMAR_RTADDR_REG) & VTD_PAGE_MASK) ==
	       unit->root_pa;
}

static struct context_entry *lu_in_context(const struct lu_in_fn *fn,
					   const struct vtd_lu_unit_ser *unit)
{
	struct context_entry *entries = phys_to_virt(fn->ser.ctx_pa);

	if (!(unit->flags & VTD_LU_UNIT_SCALABLE))
		return &entries[fn->ser.devfn];
	return &entries[(fn->ser.devfn & 0x7f) * 2];
}

/* A context table of the handover root must hold what the record says. */
static bool lu_in_ctx_matches(int index, const struct vtd_lu_unit_ser *unit,
			      u8 bus, bool upper, u64 pa)
{
	bool scalable = unit->flags & VTD_LU_UNIT_SCALABLE;
	unsigned int i, present = 0, listed = 0;
	struct context_entry *entry, *entries;
	struct lu_in_fn *fn;
	bool in_upper;

	for (fn = intel_lu_in_fns; fn < intel_lu_in_end; fn++) {
		in_upper = scalable && fn->ser.devfn >= 0x80;
		if (fn->ser.unit != index || fn->ser.bus != bus || in_upper != upper)
			continue;
		if (fn->ser.ctx_pa != pa || !lu_in_memory(pa))
			return false;
		entry = lu_in_context(fn, unit);
		if (entry->lo != fn->ser.ctx_lo || entry->hi != fn->ser.ctx_hi)
			return false;
		listed++;
	}
	if (!listed)
		return !pa;

	entries = phys_to_virt(pa);
	for (i = 0; i < VTD_PAGE_SIZE / sizeof(*entries); i += scalable ? 2 : 1)
		present += context_present(&entries[i]);
	return present == listed;
}

static bool lu_in_root_matches(int index, const struct vtd_lu_unit_ser *unit)
{
	struct root_entry *root;
	unsigned int bus;
	u64 lo, hi;

	if (!lu_in_memory(unit->root_pa))
		return false;

	root = phys_to_virt(unit->root_pa);
	for (bus = 0; bus < 256; bus++) {
		lo = root[bus].lo & 1 ? root[bus].lo & VTD_PAGE_MASK : 0;
		hi = root[bus].hi & 1 ? root[bus].hi & VTD_PAGE_MASK : 0;
		if (!lu_in_ctx_matches(index, unit, bus, false, lo))
			return false;
		if (!(unit->flags & VTD_LU_UNIT_SCALABLE))
			continue;
		if (!lu_in_ctx_matches(index, unit, bus, true, hi))
			return false;
	}
	return true;
}

/* Why a unit cannot be taken over, NULL if it can. */
static const char *lu_in_unit_refusal(struct intel_iommu *iommu, int index,
				      const struct vtd_lu_unit_ser *unit)
{
	bool scalable = unit->flags & VTD_LU_UNIT_SCALABLE;
	bool smt = readq(iommu->reg + DMAR_RTADDR_REG) & DMA_RTADDR_SMT;
	struct lu_in_fn *fn;

	if (iommu->drhd->ignored)
		return "this kernel does not use the remapping unit";
	if (!!sm_supported(iommu) != scalable || smt != scalable)
		return "the remapping unit is not in the mode that was handed over";
	if (!ecap_qis(iommu->ecap))
		return "the remapping unit has no queued invalidation";
	if (iommu->segment != unit->segment)
		return "the remapping unit is on another PCI segment";
	if (!intel_lu_in_live(iommu, unit))
		return "the remapping unit does not use the tables that were handed over";
	if (!lu_in_root_matches(index, unit))
		return "the tables that were handed over are not those of the record";

	for (fn = intel_lu_in_fns; fn < intel_lu_in_end; fn++)
		if (fn->ser.unit == index && fn->ser.did >= cap_ndoms(iommu->cap))
			return "a domain ID that was handed over is out of range";
	return NULL;
}

/**
 * intel_lu_not_ready - why this kernel can take no translation over
 *
 * Context: Process context, at the first PCI scan, under pci_lu_lock.
 * Return: a reason for which every listed function is to be fenced now, or NULL.
 */
const char *intel_lu_not_ready(void)
{
	struct vtd_lu_unit_ser unit;
	struct dmar_drhd_unit *drhd;
	struct intel_iommu *iommu;
	unsigned int found = 0;
	const char *why;
	int index;

	if (pci_lu_disabled(PCI_LU_TAKEOVER))
		return NULL;

	intel_lu_in_load();
	if (!intel_lu_in_fns)
		return lu_in_why;
	if (lu_dmar_off())
		return "DMA remapping is off";
	if (!irq_remapping_enabled)
		return "interrupt remapping is off";
	if (!system_has_cmpxchg128())
		return "the CPU lacks cmpxchg16b";

	guard(rcu)();
	for_each_iommu(iommu, drhd) {
		index = intel_lu_in_unit(iommu, &unit);
		if (index < 0)
			continue;
		why = lu_in_unit_refusal(iommu, index, &unit);
		if (why)
			return why;
		found++;
	}
	if (found != intel_lu_in_rec.hdr.nr_units)
		return "a remapping unit that was handed over is not there";
	return NULL;
}

/* ATS stays on in the device, so it must be usable here. */
static bool lu_in_ats_ok(const struct lu_in_fn *fn, struct pci_dev *pdev,
			 struct intel_iommu *iommu)
{
	if (!(fn->ser.flags & VTD_LU_FN_ATS))
		return true;
	return ecap_dev_iotlb_support(iommu->ecap) && pci_ats_supported(pdev) &&
	       pci_ats_page_aligned(pdev);
}

/* The function keeps its entry if the PCI core adopted it and ATS still works. */
static bool lu_in_adopt(struct lu_in_fn *fn, struct intel_iommu *iommu)
{
	struct pci_dev *pdev;

	pdev = pci_get_domain_bus_and_slot(fn->ser.segment, fn->ser.bus,
					   fn->ser.devfn);
	if (pdev && pci_lu_adopted(pdev) && !lu_in_ats_ok(fn, pdev, iommu))
		pci_lu_fence(pdev, "ATS is on in the device and this kernel cannot use it");
	if (!pdev || !pci_lu_adopted(pdev)) {
		pci_dev_put(pdev);
		return false;
	}
	fn->pdev = pdev;
	return true;
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
	struct vtd_lu_unit_ser unit;
	struct lu_in_fn *fn;
	unsigned int adopted = 0;
	const char *why;
	int index;

	index = intel_lu_in_unit(iommu, &unit);
	if (index < 0 || pci_lu_disabled(PCI_LU_TAKEOVER))
		return false;

	why = lu_in_unit_refusal(iommu, index, &unit);
	if (why) {
		pr_err("%s: %s\n", iommu->name, why);
		return false;
	}

	for (fn = intel_lu_in_fns; fn < intel_lu_in_end; fn++) {
		if (fn->ser.unit != index)
			continue;
		fn->iommu = iommu;
		if (!lu_in_adopt(fn, iommu)) {
			struct context_entry *entry = lu_in_context(fn, &unit);

			/* The caches are flushed when the new root is set. */
			context_clear_present(entry);
			__iommu_flush_cache(iommu, entry, sizeof(*entry));
			fn->state = LU_DROPPED;
			continue;
		}
		/* Functions may share it: only the first succeeds. */
		ida_alloc_range(&iommu->domain_ida, fn->ser.did, fn->ser.did,
				GFP_KERNEL);
		fn->state = LU_ADOPTED;
		adopted++;
	}

	if (adopted)
		pr_info("%s: translation of %u functions is taken over\n",
			iommu->name, adopted);
	return adopted;
}

/**
 * intel_lu_before_disable - hook: translation of a unit is about to end
 * @iommu: the unit
 *
 * Whatever the reason, no function may go on with DMA that was not translated
 * before. At shutdown lu_reboot() has fenced already, in a better context.
 */
void intel_lu_before_disable(struct intel_iommu *iommu)
{
	struct vtd_lu_unit_ser unit;
	struct lu_in_fn *fn;
	struct pci_dev *pdev;
	bool adopted;
	int index;

	index = intel_lu_in_unit(iommu, &unit);
	if (index < 0 || irqs_disabled() || pci_lu_disabled(PCI_LU_TAKEOVER))
		return;

	for (fn = intel_lu_in_fns; fn < intel_lu_in_end; fn++) {
		if (fn->ser.unit != index || fn->state == LU_DONE)
			continue;
		pdev = pci_get_domain_bus_and_slot(fn->ser.segment, fn->ser.bus,
						   fn->ser.devfn);
		if (pdev)
			pci_lu_fence(pdev, "DMA translation is switched off");
		pci_dev_put(pdev);
		adopted = fn->state == LU_ADOPTED;
		fn->state = LU_DROPPED;
		if (adopted)
			intel_lu_in_put_did(fn);
	}
}

/**
 * intel_lu_attach_deferred - hook: leave the device with the copied context?
 * @info: a device on a unit whose translation was on before this kernel
 *
 * Return: true in a crash kernel, and for an adopted function.
 */
bool intel_lu_attach_deferred(struct device_domain_info *info)
{
	struct vtd_lu_unit_ser unit;
	struct lu_in_fn *fn;

	if (intel_lu_in_unit(info->iommu, &unit) < 0)
		return true;

	fn = lu_in_find(info->iommu, info->bus, info->devfn);
	if (!fn || fn->state != LU_ADOPTED)
		return false;
	if (context_copied(info->iommu, info->bus, info->devfn))
		return true;

	/* Copying ran out of memory: it is blocked, not untranslated. */
	pci_lu_fence(fn->pdev, "its context entry could not be copied");
	fn->state = LU_DROPPED;
	intel_lu_in_put_did(fn);
	return false;
}

/**
 * intel_lu_keeps_context - hook: may the copied context entry be torn down?
 * @iommu: the unit
 * @bus: bus number of the requester ID
 * @devfn: device and function number of the requester ID
 *
 * Return: true when intel_lu_switch() will replace it.
 */
bool intel_lu_keeps_context(struct intel_iommu *iommu, u8 bus, u8 devfn)
{
	struct lu_in_fn *fn = lu_in_find(iommu, bus, devfn);

	return fn && READ_ONCE(fn->state) == LU_ADOPTED;
}

/**
 * intel_lu_adopted - does the device run on the translation of the previous kernel?
 * @dev: the device
 *
 * Return: true until a domain of its owner is attached, or it is fenced.
 */
bool intel_lu_adopted(struct device *dev)
{
	struct lu_in_fn *fn = intel_lu_in_find_dev(dev);

	return fn && READ_ONCE(fn->state) == LU_ADOPTED;
}

/**
 * intel_lu_unfinished - was the device handed over, and not finished yet?
 * @dev: the device
 *
 * Return: true while memory of the previous kernel is kept for it.
 */
bool intel_lu_unfinished(struct device *dev)
{
	struct lu_in_fn *fn = intel_lu_in_find_dev(dev);

	return fn && READ_ONCE(fn->state) != LU_DONE;
}
