/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory of a retrieved memfd stays where it is until its session is finished.
 *
 * Copyright (c) 2026 The holdfast authors
 */
#ifndef MM_MEMFD_LIVEUPDATE_H
#define MM_MEMFD_LIVEUPDATE_H

#include <linux/kho/abi/memfd.h>
#include <linux/mm.h>
#include <linux/pci_liveupdate.h>
#include <linux/vmalloc.h>

#ifdef CONFIG_VFIO_PCI_LIVEUPDATE

/* Nothing was restored, or is held, so nothing is to be let go of. */
static inline void memfd_lu_forget_folio(struct memfd_luo_folio_ser *entry)
{
	entry->pfn = 0;
}

/*
 * The reference that kho_restore_folio() gave is the one that is held. Where no
 * device goes on, none is: F_SEAL_WRITE would fail for it.
 */
static inline void memfd_lu_hold_folio(struct folio *folio,
				       struct memfd_luo_folio_ser *entry)
{
	if (pci_lu_incoming())
		return;
	memfd_lu_forget_folio(entry);
	folio_put(folio);
}

int memfd_lu_hold(u64 handle, struct memfd_luo_folio_ser *folios, u64 nr,
		  int err);
void memfd_lu_release(u64 handle);

#else

static inline void memfd_lu_hold_folio(struct folio *folio,
				       struct memfd_luo_folio_ser *entry)
{
	folio_put(folio);
}

static inline void memfd_lu_forget_folio(struct memfd_luo_folio_ser *folio) { }

static inline int memfd_lu_hold(u64 handle, struct memfd_luo_folio_ser *folios,
				u64 nr, int err)
{
	vfree(folios);
	return err;
}

static inline void memfd_lu_release(u64 handle) { }

#endif /* CONFIG_VFIO_PCI_LIVEUPDATE */

#endif /* MM_MEMFD_LIVEUPDATE_H */
