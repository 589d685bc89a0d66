/* SPDX-License-Identifier: GPL-2.0 */
/*
 * iommufd live update: hook of the io_pagetable.
 *
 * Copyright (c) 2026 The holdfast authors
 */
#ifndef __IOMMUFD_LIVEUPDATE_H
#define __IOMMUFD_LIVEUPDATE_H

#include "iommufd_private.h"

/* The mappings belong to a preserved device: they must not change. */
static inline bool iopt_lu_locked(struct io_pagetable *iopt)
{
	return IS_ENABLED(CONFIG_VFIO_PCI_LIVEUPDATE) && iopt->lu_locks;
}

#endif /* __IOMMUFD_LIVEUPDATE_H */
