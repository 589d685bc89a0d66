/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reading and sealing the IOMMU record: see the contract in
 * <linux/kho/abi/iommu_liveupdate.h>.
 *
 * Copyright (c) 2026 The holdfast authors
 */
#ifndef _IOMMU_LU_RECORD_H
#define _IOMMU_LU_RECORD_H

#ifdef __KERNEL__
#include <linux/crc32.h>
#include <linux/string.h>
#else
#include "port.h"
#endif
#include <linux/kho/abi/iommu_liveupdate.h>
#include <linux/pci_liveupdate_reason.h>

/**
 * struct iommu_lu_record - a checked view of a record
 * @buf: the bytes, as given
 * @hdr: the header
 * @bad_off: after a refusal: offset of what was not accepted
 */
struct iommu_lu_record {
	const u8 *buf;
	struct iommu_lu_hdr_ser hdr;
	u32 bad_off;
};

enum pci_lu_reason iommu_lu_record_check(const void *buf, size_t len,
					 struct iommu_lu_record *rec);
void iommu_lu_record_unit(const struct iommu_lu_record *rec, unsigned int i,
			  struct iommu_lu_unit_ser *unit);
void iommu_lu_record_table(const struct iommu_lu_record *rec, unsigned int i,
			   struct iommu_lu_table_ser *table);
void iommu_lu_record_fn(const struct iommu_lu_record *rec, unsigned int i,
			struct iommu_lu_fn_ser *fn);

size_t iommu_lu_record_size(unsigned int units, unsigned int tables,
			    unsigned int fns);
void iommu_lu_record_init(void *buf, u16 kind, unsigned int units,
			  unsigned int tables, unsigned int fns, u32 flags);
struct iommu_lu_unit_ser *iommu_lu_unit_slot(void *buf, unsigned int i);
struct iommu_lu_table_ser *iommu_lu_table_slot(void *buf, unsigned int i);
struct iommu_lu_fn_ser *iommu_lu_fn_slot(void *buf, unsigned int i);
void iommu_lu_record_seal(void *buf);

#define IOMMU_LU_PAGE		4096ULL
#define IOMMU_LU_MAX_ORDER	10

/* A block of a page list: struct kho_block_header_ser, and what follows it. */
struct iommu_lu_block {
	u64 next;
	u64 count;
	u64 entries[];
};

bool iommu_lu_pages_check(const struct iommu_lu_pages_ser *list,
			  const void *(*at)(u64 pa, u64 size));

/* CRC of a page list: start with all ones, add each entry, invert. */
static inline u32 iommu_lu_pages_crc(u32 crc, u64 entry)
{
	return crc32_le(crc, (const void *)&entry, sizeof(entry));
}

#endif /* _IOMMU_LU_RECORD_H */
