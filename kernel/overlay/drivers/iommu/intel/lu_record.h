/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reading and sealing the VT-d record: see the contract in
 * <linux/kho/abi/vtd_liveupdate.h>.
 *
 * Copyright (c) 2026 The holdfast authors
 */
#ifndef _INTEL_LU_RECORD_H
#define _INTEL_LU_RECORD_H

#include "../../pci/liveupdate/port.h"
#include <linux/kho/abi/vtd_liveupdate.h>

/*
 * Why a record is not believed; the texts are in vtd_lu_reason_text(). Append,
 * never renumber: tests and reports use the values.
 */
enum vtd_lu_reason {
	VTD_LU_OK = 0,
	VTD_LU_REC_SHORT = 1,
	VTD_LU_REC_COMPATIBLE = 2,
	VTD_LU_REC_VERSION = 3,
	VTD_LU_REC_SIZES = 4,
	VTD_LU_REC_COUNT = 5,
	VTD_LU_REC_TOTAL_SIZE = 6,
	VTD_LU_REC_CRC = 7,
	VTD_LU_REC_REQUIRED = 8,
	VTD_LU_UNIT_ADDRESS = 9,
	VTD_LU_UNIT_ROOT = 10,
	VTD_LU_UNIT_DUPLICATE = 11,
	VTD_LU_UNIT_UNUSED = 12,
	VTD_LU_TABLE_PAGES = 13,
	VTD_LU_TABLE_REFS = 14,
	VTD_LU_FN_INDEX = 15,
	VTD_LU_FN_SEGMENT = 16,
	VTD_LU_FN_DUPLICATE = 17,
	VTD_LU_FN_DID = 18,
	VTD_LU_FN_CONTEXT = 19,
	VTD_LU_FN_PASID = 20,
	VTD_LU_FN_MODE = 21,
	VTD_LU_NR_REASONS
};

/**
 * struct vtd_lu_record - a checked view of a record
 * @buf: the bytes, as given
 * @hdr: the header
 * @bad_off: after a refusal: offset of what was not accepted
 */
struct vtd_lu_record {
	const u8 *buf;
	struct vtd_lu_hdr_ser hdr;
	u32 bad_off;
};

int vtd_lu_record_check(const void *buf, size_t len, struct vtd_lu_record *rec);
void vtd_lu_record_unit(const struct vtd_lu_record *rec, unsigned int i,
			struct vtd_lu_unit_ser *unit);
void vtd_lu_record_table(const struct vtd_lu_record *rec, unsigned int i,
			 struct vtd_lu_table_ser *table);
void vtd_lu_record_fn(const struct vtd_lu_record *rec, unsigned int i,
		      struct vtd_lu_fn_ser *fn);
const char *vtd_lu_reason_text(int reason);

size_t vtd_lu_record_size(unsigned int units, unsigned int tables,
			  unsigned int fns);
void vtd_lu_record_init(void *buf, unsigned int units, unsigned int tables,
			unsigned int fns, u32 flags);
struct vtd_lu_unit_ser *vtd_lu_unit_slot(void *buf, unsigned int i);
struct vtd_lu_table_ser *vtd_lu_table_slot(void *buf, unsigned int i);
struct vtd_lu_fn_ser *vtd_lu_fn_slot(void *buf, unsigned int i);
void vtd_lu_record_seal(void *buf);

/* CRC of a page list: start with all ones, add each entry, invert. */
static inline u32 vtd_lu_pages_crc(u32 crc, u64 entry)
{
	return crc32_le(crc, (const void *)&entry, sizeof(entry));
}

#endif /* _INTEL_LU_RECORD_H */
