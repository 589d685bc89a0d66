// SPDX-License-Identifier: GPL-2.0
/* IOMMU records as a kernel would write them, for tests and golden files. */
#include "sample_iommu.h"

static void unit(void *buf, unsigned int i)
{
	struct iommu_lu_unit_ser *ser = iommu_lu_unit_slot(buf, i);

	ser->reg_base = 0xfed90000 + i * 0x1000;
	ser->top_pa = 0x100000 + i * 0x1000;
	ser->irt_pa = 0x180000 + i * 0x1000;
	ser->irt_flags = 7;
}

static void table(void *buf, unsigned int i, unsigned int refs)
{
	struct iommu_lu_table_ser *ser = iommu_lu_table_slot(buf, i);

	ser->pages.head_pa = 0x200000 + i * 0x1000;
	ser->pages.nr = 3;
	ser->refs = refs;
}

/* Two functions on one unit that share a page table, and one on another unit. */
void sample_iommu_legacy(void *buf, size_t len)
{
	static const u8 unit_of[] = { 0, 0, 1 };
	struct iommu_lu_fn_ser *fn;
	unsigned int i;

	memset(buf, 0, len);
	iommu_lu_record_init(buf, IOMMU_LU_KIND_VTD, 2, 2, 3, 0);
	for (i = 0; i < 2; i++) {
		unit(buf, i);
		table(buf, i, 2 - i);
	}
	for (i = 0; i < 3; i++) {
		fn = iommu_lu_fn_slot(buf, i);
		fn->bus = i + 1;
		fn->stream = fn->bus << 8;
		fn->unit = unit_of[i];
		fn->table = unit_of[i];
		fn->tag = 7;
		fn->entry[0] = 0x300001;
		fn->entry[1] = 0x702;
		fn->page_pa = 0x400000 + i * 0x1000;
	}
	iommu_lu_record_seal(buf);
}

void sample_iommu_scalable(void *buf, size_t len)
{
	struct iommu_lu_fn_ser *fn;

	memset(buf, 0, len);
	iommu_lu_record_init(buf, IOMMU_LU_KIND_VTD, 1, 1, 1, IOMMU_LU_HDR_VTD_SCALABLE);
	unit(buf, 0);
	iommu_lu_unit_slot(buf, 0)->flags = IOMMU_LU_UNIT_VTD_SCALABLE;
	iommu_lu_unit_slot(buf, 0)->irt_pa = 0x600000;
	iommu_lu_unit_slot(buf, 0)->irt_flags = 0x807;
	table(buf, 0, 1);
	fn = iommu_lu_fn_slot(buf, 0);
	fn->flags = IOMMU_LU_FN_ATS | IOMMU_LU_FN_VTD_FIRST_STAGE;
	fn->tag = 2;
	fn->page_pa = 0x400000;
	fn->pages[0] = 0x500000;
	fn->pages[1] = 0x501000;
	fn->entry[0] = 0x500005;
	fn->entry[2] = 0x700001;
	fn->entry[3] = 2;
	iommu_lu_record_seal(buf);
}
