// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of a retrieved memfd stays where it is until its session is finished.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: Memory that a device writes to while nobody has it pinned
 *
 * In the old kernel the folios of a preserved memfd are pinned. In the new
 * one, once the memfd is retrieved, they are ordinary shmem: migration,
 * compaction, khugepaged and swap may replace them at will. But a preserved
 * device goes on writing to them, through the page tables of the old kernel,
 * until its owner has mapped them in a new address space, which pins them, and
 * has attached the device to it. A folio that is replaced in between loses what
 * the device writes, and the folio's next user gets it.
 *
 * So each folio keeps the reference that restoring it gave, instead of dropping
 * it when it is in the page cache. All of the above compare the reference count
 * with what they expect and leave a folio alone that has one more.
 *
 * The references are dropped when the session is finished. As the Live Update
 * Orchestrator finishes files in reverse order of preservation, and vfio-pci
 * only preserves a device after the memfds that are mapped for it, that is
 * when the device is known to use its new page tables, or to be fenced.
 *
 * What is held is written down by frame number, in the array the old kernel
 * left: the file may be truncated or punched meanwhile, and what it has then
 * says nothing about what was held. Each reference is dropped once: here, or,
 * if retrieve fails half way, where it fails.
 */

#include <linux/kho/abi/memfd.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "memfd_liveupdate.h"

struct memfd_lu_held {
	struct memfd_luo_folio_ser *folios;
	u64 nr;
};

/* By address of the struct file; an entry lives while LUO holds the file. */
static DEFINE_XARRAY(memfd_lu_files);

/**
 * memfd_lu_put_folios - drop the references to folios of a retrieved memfd
 * @folios: the folios
 * @nr: number of entries in @folios
 */
void memfd_lu_put_folios(const struct memfd_luo_folio_ser *folios, u64 nr)
{
	u64 i;

	for (i = 0; i < nr; i++) {
		if (folios[i].pfn)
			folio_put(pfn_folio(folios[i].pfn));
		cond_resched();
	}
}

/**
 * memfd_lu_hold - remember which folios of a retrieved memfd are held
 * @file: the memfd
 * @folios: its folios, each with the reference that restoring it gave; the
 *	array comes from vmalloc() and is taken over
 * @nr: number of entries in @folios
 * @err: what retrieving the folios returned; if not 0, no reference is left
 *	and only the array is freed
 *
 * Context: Process context.
 * Return: @err, or a negative errno if it cannot be remembered. Then the
 * references have been dropped.
 */
int memfd_lu_hold(struct file *file, struct memfd_luo_folio_ser *folios,
		  u64 nr, int err)
{
	struct memfd_lu_held *held;

	if (err)
		goto free_folios;

	held = kmalloc_obj(*held);
	if (!held) {
		err = -ENOMEM;
		goto put_folios;
	}
	held->folios = folios;
	held->nr = nr;

	err = xa_insert(&memfd_lu_files, (unsigned long)file, held, GFP_KERNEL);
	if (err)
		goto free_held;

	return 0;

free_held:
	kfree(held);
put_folios:
	memfd_lu_put_folios(folios, nr);
free_folios:
	vfree(folios);
	return err;
}

/**
 * memfd_lu_release - let go of the folios of a memfd
 * @file: the memfd, or NULL if it was never retrieved
 *
 * Context: Process context, when the session of @file is finished.
 */
void memfd_lu_release(struct file *file)
{
	struct memfd_lu_held *held;

	held = file ? xa_erase(&memfd_lu_files, (unsigned long)file) : NULL;
	if (!held)
		return;

	memfd_lu_put_folios(held->folios, held->nr);
	vfree(held->folios);
	kfree(held);
}
