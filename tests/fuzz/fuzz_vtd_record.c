// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzing of the VT-d record. An odd first byte has the checksum put right,
 * without which no mutation would get past it.
 */
#include <stdlib.h>

#include "../../kernel/overlay/drivers/iommu/intel/lu_record.c"

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

/* What is accepted can be relied upon. */
static void accepted(const struct vtd_lu_record *rec)
{
	struct vtd_lu_table_ser table;
	struct vtd_lu_unit_ser unit;
	struct vtd_lu_fn_ser fn;
	unsigned int i, refs = 0;

	for (i = 0; i < rec->hdr.nr_tables; i++) {
		vtd_lu_record_table(rec, i, &table);
		refs += table.refs;
	}
	if (refs != rec->hdr.nr_fns)
		abort();
	for (i = 0; i < rec->hdr.nr_fns; i++) {
		vtd_lu_record_fn(rec, i, &fn);
		if (fn.unit >= rec->hdr.nr_units || fn.table >= rec->hdr.nr_tables ||
		    !(fn.ctx_lo & 1))
			abort();
		vtd_lu_record_unit(rec, fn.unit, &unit);
		if (unit.segment != fn.segment || (unit.root_pa & 0xfff))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct vtd_lu_record rec;
	u32 total;
	u8 *buf;
	int err;

	if (!len)
		return 0;
	/* A block of its very own, so that the sanitizer sees its end. */
	buf = malloc(len - 1 + (len == 1));
	memcpy(buf, data + 1, --len);
	if ((data[0] & 1) && len >= sizeof(struct vtd_lu_hdr_ser)) {
		if (data[0] & 2)
			memcpy(buf, VTD_LU_COMPATIBLE, sizeof(VTD_LU_COMPATIBLE));
		memcpy(&total, buf + offsetof(struct vtd_lu_hdr_ser, total_size), sizeof(total));
		if (total >= sizeof(struct vtd_lu_hdr_ser) && total <= len)
			vtd_lu_record_seal(buf);
	}
	err = vtd_lu_record_check(buf, len, &rec);
	if (err > 0 || err <= -VTD_LU_NR_REASONS)
		abort();
	if (!err)
		accepted(&rec);
	free(buf);
	return 0;
}
