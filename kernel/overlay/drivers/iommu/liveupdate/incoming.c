// SPDX-License-Identifier: GPL-2.0
/*
 * IOMMU live update, new kernel: the record of the previous kernel, and its units.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: New kernel, order of steps
 *
 * 1. A driver needs the record for the first time, which may be before any
 *    initcall (interrupt remapping): it is read and checked.
 * 2. early_initcall: drivers register. First PCI scan: iommu_lu_not_ready()
 *    asks the driver for the kind of IOMMU in the record whether it can take
 *    anything over. If not, the PCI core fences all listed functions at once. For
 *    each function iommu_lu_cannot_adopt() compares its unit with the record.
 * 3. *Take*, iommu_lu_take_unit(), when a driver finds a unit that is
 *    translating: decided by the record and the hardware alone. Every listed
 *    entry stays in place, and the tags of all are reserved.
 * 4. *Settle*, iommu_lu_settle(), after the PCI scan: functions that the PCI core
 *    did not adopt (they are fenced, or gone) lose their entry and their tag
 *    (settle.c). With some drivers this follows take at once, with others the PCI
 *    scan comes in between. If a unit is not taken over, or anything fails
 *    later, iommu_lu_before_disable() fences before translation ends, wherever
 *    it ends.
 * 5. End of rootfs_initcall: whatever became of the units, a function that the
 *    PCI core adopted and the IOMMU did not is fenced (settle.c).
 *    device_initcall: what nothing reads any more is freed (release.c).
 * 6. An adopted function runs on its old entry: its default domain is not
 *    attached (the driver's is_attach_deferred), neither is the blocking domain
 *    when its owner claims it (iommu_lu_keep_domain()).
 * 7. The owner attaches its domain, which switches the function over, and
 *    finishes (finish.c).
 *
 * Locks: steps 1 to 5 run on one CPU, before userspace. From then on
 * iommu_lu_in.lock covers the state of the functions. It nests inside the group
 * mutex, and outside locks of the driver and pci_lu_lock. Readers without it
 * (iommu_lu_in_adopted()) may see a function leave the adopted state a moment
 * late; each caller that acts on it holds the group mutex, under which
 * iommu_lu_switch() runs. iommu_lu_not_ready() is called under pci_lu_lock and
 * takes no lock that is held while fencing.
 */

#define pr_fmt(fmt) "iommu: live update: " fmt

#include <linux/iommu.h>
#include <linux/kexec_handover.h>
#include <linux/kho/abi/pci_liveupdate.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/pci_liveupdate.h>
#include <linux/slab.h>

#include "../iommu-priv.h"
#include "internal.h"

struct iommu_lu_incoming iommu_lu_in = {
	.lock	 = __MUTEX_INITIALIZER(iommu_lu_in.lock),
	.refused = PCI_LU_REASON_IOMMU_NO_RECORD,
};

/**
 * iommu_lu_in_memory - may an address that was handed over be followed?
 * @pa: the physical address
 * @size: how far
 *
 * Context: from setup_arch() on.
 * Return: true if all of it is memory.
 */
bool iommu_lu_in_memory(u64 pa, u64 size)
{
	u64 pfn;

	if (!PAGE_ALIGNED(pa) || !size || pa + size < pa ||
	    PHYS_PFN(pa + size - 1) >= max_pfn)
		return false;
	for (pfn = PHYS_PFN(pa); pfn <= PHYS_PFN(pa + size - 1); pfn++)
		if (!pfn_valid(pfn) || !page_is_ram(pfn))
			return false;
	return true;
}

/* Unpack a record that was believed. */
static enum pci_lu_reason lu_in_unpack(void)
{
	struct iommu_lu_incoming *in = &iommu_lu_in;
	const struct iommu_lu_record *rec = &in->rec;
	struct iommu_lu_table_ser table;
	struct iommu_lu_in_fn *fns;
	unsigned int i;

	fns = kzalloc_objs(*fns, rec->hdr.nr_fns);
	in->units = kzalloc_objs(*in->units, rec->hdr.nr_units);
	in->refs = kzalloc_objs(*in->refs, rec->hdr.nr_tables);
	if (!fns || !in->units || !in->refs) {
		kfree(fns);
		kfree(in->units);
		kfree(in->refs);
		in->units = NULL;
		in->refs = NULL;
		return PCI_LU_REASON_NO_MEMORY;
	}

	for (i = 0; i < rec->hdr.nr_fns; i++)
		iommu_lu_record_fn(rec, i, &fns[i].ser);
	for (i = 0; i < rec->hdr.nr_units; i++)
		iommu_lu_record_unit(rec, i, &in->units[i]);
	for (i = 0; i < rec->hdr.nr_tables; i++) {
		iommu_lu_record_table(rec, i, &table);
		in->refs[i] = table.refs;
	}
	in->end = fns + rec->hdr.nr_fns;
	in->fns = fns;
	return PCI_LU_OK;
}

static enum pci_lu_reason lu_in_read(void)
{
	struct iommu_lu_incoming *in = &iommu_lu_in;
	enum pci_lu_reason why;
	phys_addr_t phys;
	size_t size;
	void *copy;
	int err;

	err = kho_retrieve_subtree(IOMMU_LU_KHO_NAME, &phys, &size);
	if (err == -ENOENT)
		return PCI_LU_REASON_IOMMU_NO_RECORD;
	if (err || size < sizeof(struct iommu_lu_hdr_ser) ||
	    size > IOMMU_LU_MAX_SIZE)
		return PCI_LU_REASON_IOMMU_REC_SHORT;
	if (!iommu_lu_in_memory(phys, size))
		return PCI_LU_REASON_IOMMU_REC_ADDRESS;

	in->blob = phys_to_virt(phys);
	copy = kmemdup(in->blob, size, GFP_KERNEL);
	if (!copy)
		return PCI_LU_REASON_NO_MEMORY;

	why = iommu_lu_record_check(copy, size, &in->rec);
	if (why != PCI_LU_OK)
		pr_err("record refused at byte %u\n", in->rec.bad_off);
	else
		why = lu_in_unpack();
	if (why != PCI_LU_OK)
		kfree(copy);
	return why;
}

/**
 * iommu_lu_in_load - read the record of the previous kernel, once
 *
 * Context: boot, one CPU, slab works.
 */
void iommu_lu_in_load(void)
{
	static bool done;

	if (done)
		return;
	done = true;

	iommu_lu_in.refused = lu_in_read();
	if (iommu_lu_in.refused != PCI_LU_OK &&
	    iommu_lu_in.refused != PCI_LU_REASON_IOMMU_NO_RECORD)
		pr_err("cannot take translation over: %s\n",
		       pci_lu_reason_text(iommu_lu_in.refused));
}

/**
 * iommu_lu_in_header - the header of the record, for the driver it is about
 * @kind: IOMMU_LU_KIND_* of the driver
 *
 * Context: boot, one CPU, slab works.
 * Return: the header; NULL without a good record of that kind, and when a test
 *	   has switched taking over off.
 */
const struct iommu_lu_hdr_ser *iommu_lu_in_header(u16 kind)
{
	iommu_lu_in_load();
	if (!iommu_lu_in.fns || iommu_lu_in.rec.hdr.kind != kind ||
	    pci_lu_disabled(PCI_LU_TAKEOVER))
		return NULL;
	return &iommu_lu_in.rec.hdr;
}

/**
 * iommu_lu_register - a driver takes part in live update
 * @ops: what it supplies
 *
 * Context: early_initcall.
 */
void iommu_lu_register(const struct iommu_lu_ops *ops)
{
	iommu_lu_in_load();
	if (iommu_lu_in.fns && iommu_lu_in.rec.hdr.kind == ops->kind)
		iommu_lu_in.ops = ops;
}

static enum pci_lu_reason lu_in_check_unit(void *hw, unsigned int i)
{
	if (!hw)
		return PCI_LU_REASON_IOMMU_UNIT_MISSING;
	return iommu_lu_in.ops->check_unit(hw, i, &iommu_lu_in.units[i]);
}

/**
 * iommu_lu_not_ready - why this kernel can take no translation over
 *
 * Context: Process context, at the first PCI scan, under pci_lu_lock.
 * Return: a reason for which every listed function is to be fenced now, or
 *	   PCI_LU_OK.
 */
enum pci_lu_reason iommu_lu_not_ready(void)
{
	if (pci_lu_disabled(PCI_LU_TAKEOVER))
		return PCI_LU_OK;

	iommu_lu_in_load();
	if (!iommu_lu_in.fns)
		return iommu_lu_in.refused;
	if (!iommu_lu_in.ops)
		return PCI_LU_REASON_IOMMU_NO_DRIVER;
	return iommu_lu_in.ops->ready();
}

/**
 * iommu_lu_cannot_adopt - why the translation of a function cannot go on
 * @segment: PCI segment
 * @bus: bus number of the requester ID
 * @devfn: device and function number of the requester ID
 *
 * One bad unit is no reason for those behind others.
 *
 * Context: Process context, when the function is about to be adopted, under
 *	    pci_lu_lock; iommu_lu_not_ready() had no objection.
 * Return: a reason for which it is to be fenced, or PCI_LU_OK.
 */
enum pci_lu_reason iommu_lu_cannot_adopt(u16 segment, u8 bus, u8 devfn)
{
	struct iommu_lu_incoming *in = &iommu_lu_in;
	const struct iommu_lu_in_fn *fn;

	if (pci_lu_disabled(PCI_LU_TAKEOVER))
		return PCI_LU_OK;

	for (fn = in->fns; fn < in->end; fn++)
		if (fn->ser.segment == segment && fn->ser.bus == bus &&
		    fn->ser.devfn == devfn)
			break;
	if (fn == in->end)
		return PCI_LU_REASON_IOMMU_UNLISTED;

	switch (fn->state) {
	case IOMMU_LU_LISTED:
		return lu_in_check_unit(in->ops->find_unit(in->units[fn->ser.unit].reg_base),
					fn->ser.unit);
	case IOMMU_LU_TAKEN:
		return PCI_LU_OK;
	default:
		return PCI_LU_REASON_IOMMU_TOO_LATE;
	}
}

/**
 * iommu_lu_in_find_unit - find a unit in the record
 * @reg_base: physical address of its registers
 *
 * Return: its index, or -1.
 */
int iommu_lu_in_find_unit(phys_addr_t reg_base)
{
	struct iommu_lu_incoming *in = &iommu_lu_in;
	unsigned int i;

	for (i = 0; in->fns && i < in->rec.hdr.nr_units; i++)
		if (in->units[i].reg_base == reg_base)
			return i;
	return -1;
}

/**
 * iommu_lu_in_unit - what the record says about a unit
 * @reg_base: physical address of its registers
 *
 * Context: slab works. Reads the record if nobody has yet.
 * Return: it, or NULL: the unit is not in a good record.
 */
const struct iommu_lu_unit_ser *iommu_lu_in_unit(phys_addr_t reg_base)
{
	int index;

	iommu_lu_in_load();
	index = iommu_lu_in_find_unit(reg_base);
	return index < 0 ? NULL : &iommu_lu_in.units[index];
}

/**
 * iommu_lu_in_doubt - may functions run that no good record tells of?
 *
 * Context: slab works. Reads the record if nobody has yet.
 * Return: true when the previous kernel handed something over, and the record is
 *	   damaged, not understood or missing: until the PCI scan has fenced them,
 *	   any function may do DMA through any unit.
 */
bool iommu_lu_in_doubt(void)
{
	phys_addr_t phys;
	size_t size;

	iommu_lu_in_load();
	if (iommu_lu_in.fns)
		return false;
	return iommu_lu_in.refused != PCI_LU_REASON_IOMMU_NO_RECORD ||
	       kho_retrieve_subtree(PCI_LU_KHO_SUBTREE, &phys, &size) != -ENOENT;
}

/**
 * iommu_lu_in_next - iterate over the functions of a unit
 * @fn: the one before, or NULL
 * @unit: index of the unit in the record
 *
 * Return: the next, or NULL.
 */
struct iommu_lu_in_fn *iommu_lu_in_next(struct iommu_lu_in_fn *fn,
					unsigned int unit)
{
	for (fn = fn ? fn + 1 : iommu_lu_in.fns; fn < iommu_lu_in.end; fn++)
		if (fn->ser.unit == unit)
			return fn;
	return NULL;
}

/**
 * iommu_lu_in_find - find a function in the record
 * @hw: its unit, as the driver calls it
 * @stream: what the unit calls it
 *
 * Return: the function, or NULL; also NULL when its unit was not taken over.
 */
struct iommu_lu_in_fn *iommu_lu_in_find(void *hw, u32 stream)
{
	struct iommu_lu_in_fn *fn;

	for (fn = iommu_lu_in.fns; fn < iommu_lu_in.end; fn++)
		if (fn->hw == hw && fn->ser.stream == stream)
			return fn;
	return NULL;
}

/**
 * iommu_lu_in_find_dev - find a device in the record
 * @dev: the device
 *
 * Return: the function, or NULL; also NULL when its unit was not taken over.
 */
struct iommu_lu_in_fn *iommu_lu_in_find_dev(struct device *dev)
{
	u32 stream;
	void *hw;

	if (!iommu_lu_in.fns || !dev->iommu || !dev->iommu->iommu_dev ||
	    dev_iommu_ops(dev)->lu_ops != iommu_lu_in.ops || !iommu_lu_in.ops)
		return NULL;
	hw = iommu_lu_in.ops->locate(dev, &stream);
	return hw ? iommu_lu_in_find(hw, stream) : NULL;
}

/**
 * iommu_lu_in_adopted - does a function run on the translation of the previous kernel?
 * @hw: its unit, as the driver calls it
 * @stream: what the unit calls it
 *
 * Return: true until a domain of its owner is attached, or it is fenced.
 */
bool iommu_lu_in_adopted(void *hw, u32 stream)
{
	struct iommu_lu_in_fn *fn = iommu_lu_in_find(hw, stream);

	return fn && READ_ONCE(fn->state) == IOMMU_LU_ADOPTED;
}

/**
 * iommu_lu_adopted - does a device run on the translation of the previous kernel?
 * @dev: the device
 *
 * Return: true until its owner has attached a domain, or it was fenced.
 */
bool iommu_lu_adopted(struct device *dev)
{
	struct iommu_lu_in_fn *fn = iommu_lu_in_find_dev(dev);

	return fn && READ_ONCE(fn->state) == IOMMU_LU_ADOPTED;
}
EXPORT_SYMBOL_GPL(iommu_lu_adopted);

/**
 * iommu_lu_switched - has a device left the translation of the previous kernel?
 * @dev: the device
 *
 * Return: true once its owner has attached a domain, until it is finished.
 */
bool iommu_lu_switched(struct device *dev)
{
	struct iommu_lu_in_fn *fn = iommu_lu_in_find_dev(dev);

	return fn && READ_ONCE(fn->state) == IOMMU_LU_SWITCHED;
}

/**
 * iommu_lu_in_unfinished - was a device handed over, and not finished yet?
 * @dev: the device
 *
 * Return: true while memory of the previous kernel is kept for it.
 */
bool iommu_lu_in_unfinished(struct device *dev)
{
	struct iommu_lu_in_fn *fn = iommu_lu_in_find_dev(dev);

	return fn && READ_ONCE(fn->state) != IOMMU_LU_DONE;
}

static bool lu_in_holds_tag(const struct iommu_lu_in_fn *fn)
{
	return fn->state == IOMMU_LU_TAKEN || fn->state == IOMMU_LU_ADOPTED;
}

/**
 * iommu_lu_in_put_tag - a function has left the taken or adopted state
 * @fn: the function; nothing is tagged with its old tag on its behalf
 */
void iommu_lu_in_put_tag(const struct iommu_lu_in_fn *fn)
{
	struct iommu_lu_in_fn *other;

	for (other = iommu_lu_in.fns; other < iommu_lu_in.end; other++)
		if (other != fn && other->hw == fn->hw &&
		    other->ser.tag == fn->ser.tag && lu_in_holds_tag(other))
			return;
	iommu_lu_in.ops->tag_free(fn->hw, fn->ser.tag);
}

/**
 * iommu_lu_take_unit - a unit that is translating was found
 * @hw: the unit, as the driver calls it
 * @reg_base: physical address of its registers
 *
 * Context: boot, one CPU.
 * Return: true when its functions stay as they are, until iommu_lu_settle();
 *	   false when translation must end: iommu_lu_before_disable() fences.
 */
bool iommu_lu_take_unit(void *hw, phys_addr_t reg_base)
{
	int index = iommu_lu_in_find_unit(reg_base);
	const struct iommu_lu_ops *ops = iommu_lu_in.ops;
	struct iommu_lu_in_fn *fn;
	enum pci_lu_reason why;

	if (index < 0 || !ops || pci_lu_disabled(PCI_LU_TAKEOVER))
		return false;

	why = lu_in_check_unit(hw, index);
	if (why != PCI_LU_OK) {
		pr_err("unit at %pa: %s\n", &reg_base, pci_lu_reason_text(why));
		return false;
	}

	for (fn = NULL; (fn = iommu_lu_in_next(fn, index)); ) {
		if (ops->tag_reserve(hw, fn->ser.tag)) {
			pr_err("unit at %pa: %s\n", &reg_base,
			       pci_lu_reason_text(PCI_LU_REASON_NO_MEMORY));
			return false;
		}
		fn->hw = hw;
		fn->state = IOMMU_LU_TAKEN;
	}
	return true;
}
