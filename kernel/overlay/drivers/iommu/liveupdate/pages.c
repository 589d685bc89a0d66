// SPDX-License-Identifier: GPL-2.0
/*
 * IOMMU live update: the list of the pages of a page table.
 *
 * Pure: no I/O, no allocation, no locks, no printing. Also built in userspace,
 * for the tests.
 *
 * Copyright (c) 2026 The holdfast authors
 */

#include "record.h"

/**
 * iommu_lu_pages_check - decide whether to believe a list of pages
 * @list: what the record says about it
 * @at: what is at a physical address; NULL if it is not memory
 *
 * Follows the chain of blocks, each of which may lie about the next. A list that
 * is accepted has as many entries as the record says, with the CRC that it says,
 * in blocks that are memory, and so is every page on it. It takes at most as many
 * steps as the record says there are entries, and a page each.
 *
 * Return: true if it can be used.
 */
bool iommu_lu_pages_check(const struct iommu_lu_pages_ser *list,
			  const void *(*at)(u64 pa, u64 size))
{
	const u64 room = (IOMMU_LU_PAGE - sizeof(struct iommu_lu_block)) / sizeof(u64);
	const struct iommu_lu_block *block;
	u64 pa = list->head_pa, nr = 0, i;
	u32 crc = ~0U;

	while (nr < list->nr) {
		block = at(pa, IOMMU_LU_PAGE);
		if (!block || !block->count || block->count > room ||
		    block->count > list->nr - nr)
			return false;
		for (i = 0; i < block->count; i++) {
			u64 entry = block->entries[i];
			u64 order = entry & (IOMMU_LU_PAGE - 1);

			if (order > IOMMU_LU_MAX_ORDER ||
			    !at(entry - order, IOMMU_LU_PAGE << order))
				return false;
			crc = iommu_lu_pages_crc(crc, entry);
		}
		nr += block->count;
		pa = block->next;
	}
	return !pa && ~crc == list->crc;
}
