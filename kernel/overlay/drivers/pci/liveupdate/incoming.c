// SPDX-License-Identifier: GPL-2.0
/*
 * PCI live update, new kernel: the record of the previous kernel, and the guard on
 * each bus as it is found.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: New kernel, order of steps
 *
 * 1. kho_populate(), kho_memory_init(), liveupdate_early_init(): not ours.
 * 2. subsys_initcall, pci_register_host_bridge() of each root bus, before its
 *    config space is touched: pci_lu_wrap(). The first call reads and checks the
 *    record. If this kernel cannot take the functions over (live update off, the
 *    IOMMU off, bus numbers to be reassigned, a record it does not understand) the
 *    functions are fenced right here: Bus Master off. Otherwise the guard is
 *    armed on the buses that hold a listed function, and their children follow
 *    in pci_alloc_child_bus().
 * 3. pci_init_capabilities(): pci_lu_adopt() compares each listed function with the
 *    record and adopts or fences it (adopt.c).
 * 4. rootfs_initcall, pci_iommu_init(): the IOMMU driver takes over the translation,
 *    or fences each function that it cannot take over.
 * 5. device_initcall: portdrv binds to the bridges, vfio-pci to the functions.
 *    late_initcall: what is listed and was not found is given up.
 * 6. The owner retrieves its function, attaches it to new mappings, re-arms
 *    interrupts; pci_lu_finish() ends the update for this function, and for each
 *    bridge when it is the last one below it. When no listed function is left,
 *    the record is freed.
 *
 * Steps 2 to 5 run on one CPU, before userspace. pci_lu_lock covers the state
 * of all functions; from step 6 on different owners may finish concurrently.
 */

#define pr_fmt(fmt) "PCI: live update: " fmt

#include <linux/iommu_liveupdate.h>
#include <linux/kexec_handover.h>
#include <linux/liveupdate.h>
#include <linux/xarray.h>

#include "internal.h"

static void *pci_lu_record;
/* Listed or adopted functions whose owner has not finished. */
static unsigned int pci_lu_pending;
static bool pci_lu_unreadable;
static const char *pci_lu_refused;

/**
 * pci_lu_incoming - a function of the previous kernel waits for its owner
 *
 * Return: true from the first PCI scan until the last owner has finished.
 */
bool pci_lu_incoming(void)
{
	return READ_ONCE(pci_lu_pending);
}
EXPORT_SYMBOL_GPL(pci_lu_incoming);

/**
 * pci_lu_incoming_unreadable - there is a record, but nothing in it can be believed
 *
 * Return: true when any function that still has Bus Master must be fenced.
 */
bool pci_lu_incoming_unreadable(void)
{
	return pci_lu_unreadable;
}

/**
 * pci_lu_incoming_refusal - why this kernel can adopt no function at all
 *
 * Return: the reason, or NULL.
 */
const char *pci_lu_incoming_refusal(void)
{
	if (pci_lu_refused)
		return pci_lu_refused;
	if (!liveupdate_enabled())
		return pci_lu_reason_text(PCI_LU_REASON_ADOPT_DISABLED);
	if (pcibios_assign_all_busses())
		return pci_lu_reason_text(PCI_LU_REASON_ASSIGN_BUSSES);
	return iommu_lu_not_ready();
}

static void pci_lu_list_fn(const struct pci_lu_record *rec, unsigned int i)
{
	struct pci_lu_fence id;
	struct pci_lu_fn *fn;
	u32 off = 0;
	int err;

	if (pci_lu_record_fence(rec, i, &id))
		return;

	fn = pci_lu_fn_get(id.segment, id.bus, id.devfn);
	if (!fn) {
		pci_lu_unreadable = true;
		return;
	}
	if (fn->state != PCI_LU_IDLE)
		return;

	fn->bridge = (id.flags & (PCI_LU_FN_ENDPOINT | PCI_LU_FN_BRIDGE)) ==
		     PCI_LU_FN_BRIDGE;
	fn->state = PCI_LU_LISTED;
	/* Of the scan: siblings below it may be fenced before others are found. */
	fn->depended = fn->bridge;
	if (!fn->bridge)
		pci_lu_pending++;

	if (pci_lu_refused)
		return;
	err = pci_lu_fn_check(rec, i, &off);
	if (!err)
		err = pci_lu_record_fn(rec, i, &fn->ser);
	if (err) {
		fn->refused = pci_lu_reason_text(-err);
		pr_err("%04x:%02x:%02x.%d: record, byte %u: %s\n", id.segment,
		       id.bus, PCI_SLOT(id.devfn), PCI_FUNC(id.devfn), off,
		       fn->refused);
		return;
	}
}

/**
 * pci_lu_incoming_read - read the record of the previous kernel, once
 *
 * Context: Process context, under pci_lu_lock.
 */
void pci_lu_incoming_read(void)
{
	struct pci_lu_record rec;
	phys_addr_t phys;
	static bool done;
	unsigned int i;
	size_t size;
	int err;

	if (done)
		return;
	done = true;

	err = kho_retrieve_subtree(PCI_LU_KHO_SUBTREE, &phys, &size);
	if (err == -ENOENT)
		return;
	if (err) {
		pr_err("cannot find the record of the previous kernel: %pe\n",
		       ERR_PTR(err));
		pci_lu_unreadable = true;
		return;
	}

	pci_lu_record = phys_to_virt(phys);
	err = pci_lu_record_check(pci_lu_record, size, &rec);
	if (!err && rec.nr_fns && !(rec.flags & PCI_LU_HDR_FROZEN))
		err = -PCI_LU_REASON_REC_NOT_FROZEN;
	if (err) {
		pci_lu_refused = pci_lu_reason_text(-err);
		pr_err("record of the previous kernel refused at byte %u: %s\n",
		       rec.bad_off, pci_lu_refused);
		/* Whom to fence is readable in every version. */
		if (pci_lu_record_check_frozen(pci_lu_record, size, &rec))
			pci_lu_unreadable = true;
	}
	if (pci_lu_unreadable || !rec.nr_fns) {
		pci_lu_incoming_put();
		return;
	}

	for (i = 0; i < rec.nr_fns; i++)
		pci_lu_list_fn(&rec, i);
	pr_info("%u functions handed over by the previous kernel, %u to adopt\n",
		rec.nr_fns, pci_lu_pending);
}

/**
 * pci_lu_incoming_drop - one listed function less to wait for
 *
 * The last one frees the record.
 *
 * Context: under pci_lu_lock.
 */
void pci_lu_incoming_drop(void)
{
	if (!--pci_lu_pending)
		pci_lu_incoming_put();
}

/**
 * pci_lu_incoming_put - free the record of the previous kernel
 */
void pci_lu_incoming_put(void)
{
	if (pci_lu_record)
		kho_restore_free(pci_lu_record);
	pci_lu_record = NULL;
}

/* Arm the guard on the listed functions of a bus. */
static struct pci_ops *pci_lu_guard_bus(struct pci_bus *bus, struct pci_ops *ops)
{
	unsigned long first = pci_lu_key(pci_domain_nr(bus), bus->number, 0);
	struct pci_ops *guarded = ops;
	struct pci_lu_fn *fn;
	unsigned long key;

	xa_for_each_range(&pci_lu_fns, key, fn, first, first + 0xff) {
		if (fn->state != PCI_LU_LISTED || fn->armed || fn->refused)
			continue;
		if (pci_lu_disabled(PCI_LU_GUARD))
			continue;
		if (pci_lu_guard_prepare(fn, bus, ops)) {
			fn->refused = pci_lu_reason_text(PCI_LU_REASON_ADOPT_MISSING);
			continue;
		}
		guarded = pci_lu_guard_arm(fn, ops);
	}
	return guarded;
}

/**
 * pci_lu_wrap - hook: a bus was allocated and its config space is untouched
 * @bus: the bus, with its segment and number
 * @ops: its config accessors, perhaps those of its parent with a guard around
 *
 * Context: PCI scan, process context.
 * Return: the accessors that the bus must use.
 */
struct pci_ops *pci_lu_wrap(struct pci_bus *bus, struct pci_ops *ops)
{
	const char *why;

	guard(mutex)(&pci_lu_lock);
	ops = pci_lu_inner_ops(ops);
	pci_lu_incoming_read();
	if (!pci_lu_incoming())
		return ops;

	if (pci_is_root_bus(bus)) {
		why = pci_lu_incoming_refusal();
		if (why) {
			pci_lu_fence_root(bus, ops, why);
			return ops;
		}
	}
	return pci_lu_guard_bus(bus, ops);
}

/**
 * pci_lu_preserve_config - hook: resources below a host bridge must not move
 * @bridge: the host bridge
 *
 * Return: true when a listed function is in its segment.
 */
bool pci_lu_preserve_config(struct pci_host_bridge *bridge)
{
	unsigned long first = pci_lu_key(pci_domain_nr(bridge->bus), 0, 0);
	struct pci_lu_fn *fn;
	unsigned long key;

	xa_for_each_range(&pci_lu_fns, key, fn, first, first + 0xffff)
		if (fn->state == PCI_LU_LISTED)
			return true;
	return false;
}
