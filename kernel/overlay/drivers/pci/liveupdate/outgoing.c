// SPDX-License-Identifier: GPL-2.0
/*
 * PCI live update, old kernel: the record that crosses the kexec.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: The record, old kernel
 *
 * The record is one physically contiguous block of preserved memory, announced
 * as a KHO subtree of its own. It is not LUO data: a new kernel that was booted
 * with live update off must still be able to read it, to fence the functions.
 *
 * It is allocated, at its full size, when the first function is preserved, and
 * freed when the last one is unpreserved. Until a function is frozen it lists
 * nothing. Every freeze and unfreeze writes it anew and seals it.
 */

#define pr_fmt(fmt) "PCI: live update: " fmt

#include <linux/kexec_handover.h>
#include <linux/xarray.h>

#include "internal.h"

/* Room for 1,899 functions, ports included, each with a blob of its driver. */
#define PCI_LU_RECORD_SIZE	SZ_1M

static void *pci_lu_record;
static unsigned int pci_lu_record_users;

/**
 * pci_lu_outgoing_get - make sure that there is a record to write to
 *
 * Context: under pci_lu_lock. Each success is paired with pci_lu_outgoing_put().
 * Return: 0, or a negative errno.
 */
int pci_lu_outgoing_get(void)
{
	void *record;
	int err;

	if (pci_lu_record_users) {
		pci_lu_record_users++;
		return 0;
	}

	record = kho_alloc_preserve(PCI_LU_RECORD_SIZE);
	if (IS_ERR(record))
		return PTR_ERR(record);

	pci_lu_record_init(record, PCI_LU_RECORD_SIZE);
	pci_lu_record_seal(record);
	err = kho_add_subtree(PCI_LU_KHO_SUBTREE, record, PCI_LU_RECORD_SIZE);
	if (err) {
		kho_unpreserve_free(record);
		return err;
	}

	pci_lu_record = record;
	pci_lu_record_users = 1;
	return 0;
}

/**
 * pci_lu_outgoing_room - how many functions the record holds
 *
 * Return: number of functions.
 */
unsigned int pci_lu_outgoing_room(void)
{
	return (PCI_LU_RECORD_SIZE - sizeof(struct pci_lu_hdr_ser) -
		pci_lu_driver_room()) /
	       (sizeof(struct pci_lu_fn_ser) + sizeof(struct pci_lu_blob_ser));
}

/**
 * pci_lu_outgoing_put - drop one user of the record; the last one frees it
 *
 * Context: under pci_lu_lock.
 */
void pci_lu_outgoing_put(void)
{
	if (--pci_lu_record_users)
		return;

	kho_remove_subtree(pci_lu_record);
	kho_unpreserve_free(pci_lu_record);
	pci_lu_record = NULL;
}

static u16 pci_lu_parent_index(const struct pci_lu_fn *fn)
{
	struct pci_dev *up = pci_upstream_bridge(fn->pdev);

	return up ? pci_lu_fn_find(up)->index : PCI_LU_PARENT_NONE;
}

/* One more than the index of the endpoint that it needs, if there is one. */
static u16 pci_lu_needs_index(const struct pci_lu_fn *fn)
{
	struct pci_dev *up = pci_lu_up(fn->pdev);
	struct pci_lu_fn *needs;

	if (!up || pci_is_bridge(up))
		return 0;
	needs = pci_lu_fn_find(up);
	return needs->frozen ? needs->index + 1 : 0;
}

/* Who needs whom may have changed since the registers were captured. */
static void pci_lu_write_fn(const struct pci_lu_fn *fn, struct pci_lu_fn_ser *ser)
{
	u32 refs = fn->frozen - fn->own;

	ser->flags = (fn->bridge ? PCI_LU_FN_BRIDGE : PCI_LU_FN_ENDPOINT) |
		     (fn->own ? PCI_LU_FN_REQUESTED : 0) |
		     (refs ? PCI_LU_FN_DEPENDED : 0) |
		     (fn->vf ? PCI_LU_FN_VF : 0) |
		     (refs && fn->vfs ? PCI_LU_FN_PF : 0) |
		     (refs && !fn->bridge && fn->depended > fn->vfs ?
		      PCI_LU_FN_COMPANION : 0) |
		     PCI_LU_FN_FROZEN;
	ser->parent = pci_lu_parent_index(fn);
	ser->refs = refs;
	ser->owner = fn->own ? fn->owner : 0;
	ser->reaches = fn->own ? fn->reaches_nr : 0;
	ser->reached = fn->own ? fn->reached_nr : 0;
	ser->required &= ~PCI_LU_FN_REQ_REACHES;
	if (ser->reaches)
		ser->required |= PCI_LU_FN_REQ_REACHES;
	ser->needs = pci_lu_needs_index(fn);
}

/**
 * pci_lu_outgoing_write - write and seal the record of all frozen functions
 *
 * Context: under pci_lu_lock.
 * Return: 0, or -ENOSPC when there are more functions than the record holds.
 */
int pci_lu_outgoing_write(void)
{
	struct pci_lu_hdr_ser *hdr = pci_lu_record;
	struct pci_lu_fn *fn;
	unsigned long key;
	unsigned int nr = 0;

	xa_for_each(&pci_lu_fns, key, fn)
		if (fn->frozen)
			fn->index = nr++;

	pci_lu_record_init(pci_lu_record, PCI_LU_RECORD_SIZE);
	xa_for_each(&pci_lu_fns, key, fn) {
		if (!fn->frozen)
			continue;
		pci_lu_write_fn(fn, &fn->ser);
		if (pci_lu_record_add(pci_lu_record, PCI_LU_RECORD_SIZE,
				      &fn->ser))
			return -ENOSPC;
	}
	xa_for_each(&pci_lu_fns, key, fn)
		if (fn->frozen && fn->blob &&
		    pci_lu_record_add_blob(pci_lu_record, PCI_LU_RECORD_SIZE,
					   fn->index, fn->blob))
			return -ENOSPC;
	xa_for_each(&pci_lu_fns, key, fn)
		if (fn->frozen && pci_lu_driver_write(fn, pci_lu_record,
						      PCI_LU_RECORD_SIZE))
			return -ENOSPC;
	if (nr)
		hdr->flags |= PCI_LU_HDR_FROZEN;
	pci_lu_record_seal(pci_lu_record);

	return 0;
}
