// SPDX-License-Identifier: GPL-2.0
/* The VT-d record: what a writer seals a reader accepts, and nothing else. */
#include <stdlib.h>

#include "../../kernel/overlay/drivers/iommu/intel/lu_record.c"
#include "tap.h"

void suite_vtd_record(void);

static u8 buf[4096];
static struct vtd_lu_record rec;

/* Two functions on one unit that share a page table, and one on another unit. */
static void sample_legacy(void)
{
	static const u8 unit_of[] = { 0, 0, 1 };
	struct vtd_lu_fn_ser *fn;
	unsigned int i;

	memset(buf, 0, sizeof(buf));
	vtd_lu_record_init(buf, 2, 2, 3, 0);
	for (i = 0; i < 2; i++) {
		vtd_lu_unit_slot(buf, i)->reg_base = 0xfed90000 + i * 0x1000;
		vtd_lu_unit_slot(buf, i)->root_pa = 0x100000 + i * 0x1000;
		vtd_lu_table_slot(buf, i)->pages.head_pa = 0x200000 + i * 0x1000;
		vtd_lu_table_slot(buf, i)->pages.nr = 3;
		vtd_lu_table_slot(buf, i)->refs = 2 - i;
	}
	for (i = 0; i < 3; i++) {
		fn = vtd_lu_fn_slot(buf, i);
		fn->bus = i + 1;
		fn->unit = unit_of[i];
		fn->table = unit_of[i];
		fn->did = 7;
		fn->ctx_lo = 0x300001;
		fn->ctx_hi = 0x702;
		fn->ctx_pa = 0x400000 + i * 0x1000;
	}
	vtd_lu_record_seal(buf);
}

static void sample_scalable(void)
{
	struct vtd_lu_fn_ser *fn;

	memset(buf, 0, sizeof(buf));
	vtd_lu_record_init(buf, 1, 1, 1, VTD_LU_HDR_SCALABLE);
	vtd_lu_unit_slot(buf, 0)->reg_base = 0xfed90000;
	vtd_lu_unit_slot(buf, 0)->root_pa = 0x100000;
	vtd_lu_unit_slot(buf, 0)->flags = VTD_LU_UNIT_SCALABLE;
	vtd_lu_table_slot(buf, 0)->pages.head_pa = 0x200000;
	vtd_lu_table_slot(buf, 0)->pages.nr = 1;
	vtd_lu_table_slot(buf, 0)->refs = 1;
	fn = vtd_lu_fn_slot(buf, 0);
	fn->flags = VTD_LU_FN_ATS | VTD_LU_FN_FIRST_STAGE;
	fn->did = 2;
	fn->ctx_pa = 0x400000;
	fn->dir_pa = 0x500000;
	fn->pasid_pa = 0x501000;
	fn->ctx_lo = 0x500005;
	vtd_lu_record_seal(buf);
}

static int check(void)
{
	return -vtd_lu_record_check(buf, sizeof(buf), &rec);
}

static int resealed(void)
{
	vtd_lu_record_seal(buf);
	return check();
}

static void vtd_record_round_trip(void)
{
	struct vtd_lu_table_ser table;
	struct vtd_lu_unit_ser unit;
	struct vtd_lu_fn_ser fn;

	sample_legacy();
	eq(check(), VTD_LU_OK);
	eq(rec.hdr.nr_fns, 3);
	eq(rec.hdr.total_size, vtd_lu_record_size(2, 2, 3));
	vtd_lu_record_unit(&rec, 1, &unit);
	eq(unit.reg_base, 0xfed91000);
	vtd_lu_record_table(&rec, 0, &table);
	eq(table.refs, 2);
	vtd_lu_record_fn(&rec, 2, &fn);
	eq(fn.bus, 3);
	eq(fn.unit, 1);

	sample_scalable();
	eq(check(), VTD_LU_OK);
}

/* A newer writer's entries are longer; what is known is read, the rest not. */
static void vtd_record_grows(void)
{
	static u8 old[4096];
	struct vtd_lu_hdr_ser *hdr = (void *)buf;
	struct vtd_lu_fn_ser fn;
	unsigned int i;

	sample_legacy();
	memcpy(old, buf, sizeof(old));
	memset(buf, 0x5a, sizeof(buf));
	memcpy(buf, old, sizeof(*hdr));
	hdr->hdr_size += 16;
	hdr->unit_size += 8;
	hdr->table_size += 24;
	hdr->fn_size += 4;
	hdr->total_size = fn_off(hdr, hdr->nr_fns) + 40;
	for (i = 0; i < 2; i++) {
		memcpy(vtd_lu_unit_slot(buf, i), vtd_lu_unit_slot(old, i), 32);
		memcpy(vtd_lu_table_slot(buf, i), vtd_lu_table_slot(old, i), 32);
	}
	for (i = 0; i < 3; i++)
		memcpy(vtd_lu_fn_slot(buf, i), vtd_lu_fn_slot(old, i), 64);
	eq(resealed(), VTD_LU_OK);
	vtd_lu_record_fn(&rec, 2, &fn);
	ok(!memcmp(&fn, vtd_lu_fn_slot(old, 2), sizeof(fn)));
}

static void vtd_record_every_bit_counts(void)
{
	unsigned int bit, len;

	sample_legacy();
	len = vtd_lu_record_size(2, 2, 3);
	for (bit = 0; bit < len * 8; bit++) {
		buf[bit / 8] ^= 1 << bit % 8;
		okf(check() != VTD_LU_OK, "bit %u of byte %u is not protected", bit % 8, bit / 8);
		buf[bit / 8] ^= 1 << bit % 8;
	}
	eq(check(), VTD_LU_OK);
}

static void vtd_record_every_length(void)
{
	unsigned int len, total = vtd_lu_record_size(2, 2, 3);
	u8 *copy;

	sample_legacy();
	for (len = 0; len < total; len++) {
		copy = malloc(len + !len);
		memcpy(copy, buf, len);
		ok(vtd_lu_record_check(copy, len, &rec) < 0);
		free(copy);
	}
}

#define REFUSED(change, why)         \
	do {                         \
		sample_legacy();     \
		change;              \
		eq(resealed(), why); \
	} while (0)
#define REFUSED_SM(change, why)      \
	do {                         \
		sample_scalable();   \
		change;              \
		eq(resealed(), why); \
	} while (0)
#define HDR	 ((struct vtd_lu_hdr_ser *)(void *)buf)
#define UNIT(i)	 vtd_lu_unit_slot(buf, i)
#define TABLE(i) vtd_lu_table_slot(buf, i)
#define FN(i)	 vtd_lu_fn_slot(buf, i)

static void vtd_record_refusals(void)
{
	REFUSED(HDR->compatible[14] = '2', VTD_LU_REC_COMPATIBLE);
	REFUSED(HDR->version = 2, VTD_LU_REC_VERSION);
	REFUSED(HDR->required = 1, VTD_LU_REC_REQUIRED);
	REFUSED(UNIT(1)->reg_base = 0, VTD_LU_UNIT_ADDRESS);
	REFUSED(UNIT(1)->root_pa |= 8, VTD_LU_UNIT_ROOT);
	REFUSED(UNIT(1)->reg_base = UNIT(0)->reg_base, VTD_LU_UNIT_DUPLICATE);
	REFUSED(UNIT(1)->root_pa = UNIT(0)->root_pa, VTD_LU_UNIT_DUPLICATE);
	REFUSED(FN(2)->unit = 0, VTD_LU_UNIT_UNUSED);
	REFUSED(UNIT(0)->flags = VTD_LU_UNIT_SCALABLE, VTD_LU_FN_MODE);
	REFUSED(TABLE(1)->pages.nr = 0, VTD_LU_TABLE_PAGES);
	REFUSED(TABLE(1)->pages.head_pa = 0, VTD_LU_TABLE_PAGES);
	REFUSED(TABLE(0)->refs = 1, VTD_LU_TABLE_REFS);
	REFUSED(FN(0)->segment = 1, VTD_LU_FN_SEGMENT);
	REFUSED(FN(1)->bus = FN(0)->bus, VTD_LU_FN_DUPLICATE);
	REFUSED(FN(0)->did = 1, VTD_LU_FN_DID);
	REFUSED(FN(0)->did = 8, VTD_LU_FN_DID);
	REFUSED(FN(0)->ctx_lo &= ~1ULL, VTD_LU_FN_CONTEXT);
	REFUSED(FN(0)->ctx_lo |= 8, VTD_LU_FN_CONTEXT);
	REFUSED(FN(0)->flags = VTD_LU_FN_ATS, VTD_LU_FN_CONTEXT);
	REFUSED(FN(0)->dir_pa = 0x500000, VTD_LU_FN_PASID);
	REFUSED_SM(FN(0)->ctx_lo = 0x502005, VTD_LU_FN_PASID);
	REFUSED_SM(FN(0)->pasid_pa = 0x500000, VTD_LU_FN_PASID);
	REFUSED_SM(FN(0)->ctx_lo = 0x500001, VTD_LU_FN_CONTEXT);
}

static void vtd_record_counts(void)
{
	REFUSED(HDR->nr_fns = 0, VTD_LU_REC_COUNT);
	REFUSED(HDR->nr_units = 0, VTD_LU_REC_COUNT);
	REFUSED(HDR->nr_tables = 4, VTD_LU_REC_COUNT);
	REFUSED(HDR->fn_size = 63, VTD_LU_REC_SIZES);
	REFUSED(HDR->fn_size = 65, VTD_LU_REC_TOTAL_SIZE);
	REFUSED(HDR->fn_size = 0xffff, VTD_LU_REC_TOTAL_SIZE);
}

static void vtd_record_same_did_two_tables(void)
{
	sample_legacy();
	FN(1)->table = 1;
	TABLE(0)->refs = 1;
	TABLE(1)->refs = 2;
	eq(resealed(), VTD_LU_FN_DID);
}

static void vtd_record_texts(void)
{
	int i;

	for (i = 0; i < VTD_LU_NR_REASONS; i++) {
		ok(vtd_lu_reason_text(i) && *vtd_lu_reason_text(i));
		ok(vtd_lu_reason_text(i) == vtd_lu_reason_text(-i));
	}
	ok(vtd_lu_reason_text(VTD_LU_NR_REASONS));
	ok(vtd_lu_reason_text(-2147483647 - 1));
}

void suite_vtd_record(void)
{
	RUN(vtd_record_round_trip);
	RUN(vtd_record_grows);
	RUN(vtd_record_every_bit_counts);
	RUN(vtd_record_every_length);
	RUN(vtd_record_refusals);
	RUN(vtd_record_counts);
	RUN(vtd_record_same_did_two_tables);
	RUN(vtd_record_texts);
}
