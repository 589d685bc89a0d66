/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory of a retrieved memfd stays where it is until its session is finished.
 *
 * Copyright (c) 2026 The holdfast authors
 */
#ifndef MM_MEMFD_LIVEUPDATE_H
#define MM_MEMFD_LIVEUPDATE_H

#include <linux/mm.h>
#include <linux/vmalloc.h>

struct file;
struct memfd_luo_folio_ser;

#ifdef CONFIG_VFIO_PCI_LIVEUPDATE

/* The reference that kho_restore_folio() gave is the one that is held. */
static inline void memfd_lu_hold_folio(struct folio *folio) { }

void memfd_lu_put_folios(const struct memfd_luo_folio_ser *folios, u64 nr);
int memfd_lu_hold(struct file *file, struct memfd_luo_folio_ser *folios,
		  u64 nr, int err);
void memfd_lu_release(struct file *file);

#else

static inline void memfd_lu_hold_folio(struct folio *folio)
{
	folio_put(folio);
}

static inline void
memfd_lu_put_folios(const struct memfd_luo_folio_ser *folios, u64 nr) { }

static inline int memfd_lu_hold(struct file *file,
				struct memfd_luo_folio_ser *folios, u64 nr,
				int err)
{
	vfree(folios);
	return err;
}

static inline void memfd_lu_release(struct file *file) { }

#endif /* CONFIG_VFIO_PCI_LIVEUPDATE */

#endif /* MM_MEMFD_LIVEUPDATE_H */
