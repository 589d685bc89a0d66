// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzing of the IOMMU record. An odd first byte has the checksum put right,
 * without which no mutation would get past it.
 */
#include <stdlib.h>

#include "../../kernel/overlay/drivers/iommu/liveupdate/record.c"
#include "../../kernel/overlay/drivers/iommu/liveupdate/pages.c"

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

/* What is accepted can be relied upon. */
static void accepted(const struct iommu_lu_record *rec)
{
	struct iommu_lu_table_ser table;
	struct iommu_lu_unit_ser unit;
	struct iommu_lu_fn_ser fn;
	unsigned int i, refs = 0;

	for (i = 0; i < rec->hdr.nr_tables; i++) {
		iommu_lu_record_table(rec, i, &table);
		refs += table.refs;
	}
	if (refs != rec->hdr.nr_fns)
		abort();
	for (i = 0; i < rec->hdr.nr_fns; i++) {
		iommu_lu_record_fn(rec, i, &fn);
		if (fn.unit >= rec->hdr.nr_units || fn.table >= rec->hdr.nr_tables ||
		    !(fn.entry[0] & 1))
			abort();
		iommu_lu_record_unit(rec, fn.unit, &unit);
		if (unit.segment != fn.segment || (unit.top_pa & 0xfff))
			abort();
	}
}

static const u8 *mem;
static u64 mem_len;

static const void *at(u64 pa, u64 size)
{
	return pa & 4095 || size > mem_len || pa > mem_len - size ? NULL : mem + pa;
}

/* The input is memory from 0 on; its first bytes are what names a list in it. */
static void pages(const u8 *buf, size_t len)
{
	struct iommu_lu_pages_ser list;
	void *copy;

	if (len < sizeof(list))
		return;
	memcpy(&list, buf, sizeof(list));
	mem_len = len - sizeof(list);
	mem = copy = malloc(mem_len + !mem_len);
	memcpy(copy, buf + sizeof(list), mem_len);
	iommu_lu_pages_check(&list, at);
	free(copy);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct iommu_lu_record rec;
	u32 total;
	u8 *buf;
	enum pci_lu_reason why;

	if (!len)
		return 0;
	/* A block of its very own, so that the sanitizer sees its end. */
	buf = malloc(len - 1 + (len == 1));
	memcpy(buf, data + 1, --len);
	if ((data[0] & 1) && len >= sizeof(struct iommu_lu_hdr_ser)) {
		if (data[0] & 2)
			memcpy(buf, IOMMU_LU_COMPATIBLE, sizeof(IOMMU_LU_COMPATIBLE));
		memcpy(&total, buf + offsetof(struct iommu_lu_hdr_ser, total_size), sizeof(total));
		if (total >= sizeof(struct iommu_lu_hdr_ser) && total <= len)
			iommu_lu_record_seal(buf);
	}
	why = iommu_lu_record_check(buf, len, &rec);
	if (!strcmp(pci_lu_reason_name(why), "unknown"))
		abort();
	if (why == PCI_LU_OK)
		accepted(&rec);
	pages(buf, len);
	free(buf);
	return 0;
}
