// SPDX-License-Identifier: GPL-2.0
/*
 * PCI live update, new kernel: the record of the previous kernel.
 *
 * Copyright (c) 2026 The holdfast authors
 */

#define pr_fmt(fmt) "PCI: live update: " fmt

#include <linux/kexec_handover.h>
#include <linux/memory_hotplug.h>
#include <linux/pfn.h>
#include <linux/slab.h>
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
 * pci_lu_incoming_refused - why the record as a whole was refused
 *
 * Return: the reason, or NULL.
 */
const char *pci_lu_incoming_refused(void)
{
	return pci_lu_refused;
}

static enum pci_lu_reason pci_lu_read_blob(const struct pci_lu_record *rec,
					   unsigned int i, struct pci_lu_fn *fn)
{
	if (!fn->ser.blob)
		return PCI_LU_OK;
	fn->blob = kzalloc_obj(*fn->blob);
	if (!fn->blob)
		return PCI_LU_REASON_NO_MEMORY;
	return pci_lu_record_blob(rec, i, fn->blob);
}

static void pci_lu_list_fn(const struct pci_lu_record *rec, unsigned int i)
{
	struct pci_lu_fn_addr id;
	struct pci_lu_fn *fn;
	enum pci_lu_reason why;
	u32 off = 0;

	if (pci_lu_record_addr(rec, i, &id))
		return;

	fn = pci_lu_fn_find_or_add(id.segment, id.bus, id.devfn);
	if (!fn) {
		pci_lu_unreadable = true;
		return;
	}
	if (fn->state != PCI_LU_IDLE)
		return;

	fn->bridge = (id.flags & (PCI_LU_FN_ENDPOINT | PCI_LU_FN_BRIDGE)) ==
		     PCI_LU_FN_BRIDGE;
	fn->state = PCI_LU_LISTED;
	fn->index = i;
	/* Who needs it may be fenced before others are found. */
	fn->scanning = true;
	/* Of a record that is refused only what is stable is believed. */
	fn->own = !fn->bridge && (pci_lu_refused || id.flags & PCI_LU_FN_REQUESTED);
	if (fn->own)
		pci_lu_pending++;

	if (pci_lu_refused)
		return;
	why = pci_lu_fn_check(rec, i, &off);
	if (!why)
		why = pci_lu_record_fn(rec, i, &fn->ser);
	if (!why)
		why = pci_lu_read_blob(rec, i, fn);
	if (!why)
		why = pci_lu_driver_list(fn, rec);
	fn->vf = fn->ser.flags & PCI_LU_FN_VF;
	if (why) {
		fn->refused = pci_lu_reason_text(why);
		pr_err("%04x:%02x:%02x.%d: record, byte %u: %s\n", id.segment,
		       id.bus, PCI_SLOT(id.devfn), PCI_FUNC(id.devfn), off,
		       fn->refused);
	}
}

/* KHO hands over an address that nobody has checked. */
static void *pci_lu_record_at(phys_addr_t phys, size_t size)
{
	unsigned long pfn, nr = PFN_UP(size);

	if (!nr || size > PCI_LU_MAX_SIZE || !PAGE_ALIGNED(phys))
		return NULL;
	for (pfn = PHYS_PFN(phys); nr--; pfn++)
		if (!pfn_to_online_page(pfn))
			return NULL;
	return phys_to_virt(phys);
}

/**
 * pci_lu_incoming_read - read the record of the previous kernel, once
 *
 * Context: Process context, under pci_lu_lock.
 */
void pci_lu_incoming_read(void)
{
	struct pci_lu_record rec;
	enum pci_lu_reason why;
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

	pci_lu_record = pci_lu_record_at(phys, size);
	if (!pci_lu_record) {
		pr_err("the record of the previous kernel is not in memory: %zu bytes at %pa\n",
		       size, &phys);
		pci_lu_unreadable = true;
		return;
	}
	why = pci_lu_record_check(pci_lu_record, size, &rec);
	if (!why && rec.nr_fns && !(rec.flags & PCI_LU_HDR_FROZEN))
		why = PCI_LU_REASON_REC_NOT_FROZEN;
	if (why) {
		pci_lu_refused = pci_lu_reason_text(why);
		pr_err("record of the previous kernel refused at byte %u: %s\n",
		       rec.bad_off, pci_lu_refused);
		/* Whom to fence is readable in every version. */
		if (pci_lu_record_check_stable(pci_lu_record, size, &rec)) {
			/* Not freed: it may be anybody's memory. */
			pci_lu_record = NULL;
			pci_lu_unreadable = true;
			return;
		}
	}
	for (i = 0; i < rec.nr_fns; i++)
		pci_lu_list_fn(&rec, i);
	if (!pci_lu_pending) {
		pci_lu_incoming_free();
		return;
	}
	pr_info("%u functions handed over by the previous kernel, %u to adopt\n",
		rec.nr_fns, pci_lu_pending);
}

/**
 * pci_lu_incoming_put - the owner of a function is not waited for any more
 * @fn: the function; nothing happens if nobody was
 *
 * The last one frees the record.
 *
 * Context: under pci_lu_lock.
 */
void pci_lu_incoming_put(struct pci_lu_fn *fn)
{
	if (!fn->own)
		return;
	WRITE_ONCE(fn->own, false);
	if (!--pci_lu_pending)
		pci_lu_incoming_free();
}

/**
 * pci_lu_incoming_free - free the record of the previous kernel
 */
void pci_lu_incoming_free(void)
{
	if (pci_lu_record)
		kho_restore_free(pci_lu_record);
	pci_lu_record = NULL;
}
