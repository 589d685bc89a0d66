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
 * One reference more also makes F_SEAL_WRITE fail with -EBUSY. So none is kept
 * when no device goes on in this kernel.
 *
 * The references are dropped when the session is finished. As the Live Update
 * Orchestrator finishes files in reverse order of preservation, and vfio-pci
 * only preserves a device after the memfds that are mapped for it, that is
 * when the device is known to use its new page tables, or to be fenced.
 *
 * What is held is written down by frame number, in the array the old kernel
 * left: the file may be truncated or punched meanwhile, and what it has then
 * says nothing about what was held. It is found by the handle that LUO has for the
 * file, so that it is there also if retrieve fails half way: the device goes
 * on writing then, and nothing may be freed before it was stopped.
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

/* By LUO's handle, liveupdate_file_op_args.serialized_data. */
static DEFINE_XARRAY(memfd_lu_files);

static void memfd_lu_put_folios(const struct memfd_luo_folio_ser *folios, u64 nr)
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
 * @handle: LUO's handle of the memfd
 * @folios: its folios, each with the reference that restoring it gave, or with
 *	frame number 0; the array comes from vmalloc() and is taken over
 * @nr: number of entries in @folios
 * @err: what retrieving the folios returned
 *
 * If there is no memory to remember them, the references stay for good: better
 * lost than free while a device writes to it.
 *
 * Context: Process context.
 * Return: @err, or a negative errno if it cannot be remembered.
 */
int memfd_lu_hold(u64 handle, struct memfd_luo_folio_ser *folios, u64 nr,
		  int err)
{
	struct memfd_lu_held *held;
	int lost;

	held = kmalloc_obj(*held);
	if (!held) {
		vfree(folios);
		return -ENOMEM;
	}
	held->folios = folios;
	held->nr = nr;

	lost = xa_insert(&memfd_lu_files, handle, held, GFP_KERNEL);
	if (lost) {
		kfree(held);
		vfree(folios);
		return lost;
	}
	return err;
}

/**
 * memfd_lu_release - let go of the folios of a memfd
 * @handle: LUO's handle of the memfd, retrieved or not
 *
 * Context: Process context, when the session of the memfd is finished.
 */
void memfd_lu_release(u64 handle)
{
	struct memfd_lu_held *held = xa_erase(&memfd_lu_files, handle);

	if (!held)
		return;

	memfd_lu_put_folios(held->folios, held->nr);
	vfree(held->folios);
	kfree(held);
}
