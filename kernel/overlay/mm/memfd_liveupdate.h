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
#include <linux/vmalloc.h>

#ifdef CONFIG_VFIO_PCI_LIVEUPDATE

/* The reference that kho_restore_folio() gave is the one that is held. */
static inline void memfd_lu_hold_folio(struct folio *folio) { }

/* Nothing was restored, so nothing is to be let go of. */
static inline void memfd_lu_forget_folio(struct memfd_luo_folio_ser *folio)
{
	folio->pfn = 0;
}

int memfd_lu_hold(u64 handle, struct memfd_luo_folio_ser *folios, u64 nr,
		  int err);
void memfd_lu_release(u64 handle);

#else

static inline void memfd_lu_hold_folio(struct folio *folio)
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
