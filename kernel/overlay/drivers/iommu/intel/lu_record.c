// SPDX-License-Identifier: GPL-2.0
/*
 * VT-d live update: the record that crosses the kexec.
 *
 * Pure: no I/O, no allocation, no locks, no printing. Also built in userspace,
 * for the tests.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: Believing a VT-d record
 *
 * vtd_lu_record_check() is the only way to a &struct vtd_lu_record. What it
 * accepts has consistent sizes, indices within bounds, no function and no unit
 * twice, page-aligned addresses, and context entries that are present, point
 * where the record says, and carry the domain ID that the record says. The
 * caller still has to compare with the hardware, and to check that an address
 * is memory, before it follows one.
 *
 * The check is linear in the number of entries but for the search for
 * duplicates, which is quadratic in at most %VTD_LU_MAX_FNS entries.
 */

#include "lu_record.h"

#define VTD_LU_PAGE		4096ULL
#define VTD_LU_HDR_MIN		sizeof(struct vtd_lu_hdr_ser)

/* Context entry, both modes unless it says otherwise (VT-d, chapter 9). */
#define CTX_PRESENT		0x1ULL
#define CTX_TT(lo)		(((lo) >> 2) & 3)	/* legacy */
#define CTX_TT_UNTRANSLATED	0
#define CTX_TT_DEV_IOTLB	1
#define CTX_DTE			0x4ULL			/* scalable */
#define CTX_POINTER(lo)		((lo) & ~(VTD_LU_PAGE - 1))
#define CTX_DID(hi)		(((hi) >> 8) & 0xffff)	/* legacy */
#define VTD_LU_FIRST_DID	2	/* 0 and 1 are never those of a page table */

static const char * const vtd_lu_texts[] = {
	[VTD_LU_OK] = "ok",
	[VTD_LU_REC_SHORT] = "the VT-d record is shorter than its header",
	[VTD_LU_REC_COMPATIBLE] = "the VT-d record is of an unknown kind",
	[VTD_LU_REC_VERSION] = "the VT-d record has an unknown version",
	[VTD_LU_REC_SIZES] = "the VT-d record has entries of impossible size",
	[VTD_LU_REC_COUNT] = "the VT-d record has an impossible number of entries",
	[VTD_LU_REC_TOTAL_SIZE] = "the VT-d record does not have the size it claims",
	[VTD_LU_REC_CRC] = "the VT-d record is damaged (CRC)",
	[VTD_LU_REC_REQUIRED] = "the VT-d record needs a feature that this kernel lacks",
	[VTD_LU_UNIT_ADDRESS] = "a unit in the VT-d record has an impossible address",
	[VTD_LU_UNIT_ROOT] = "a unit in the VT-d record has an impossible root table",
	[VTD_LU_UNIT_DUPLICATE] = "a unit is in the VT-d record twice",
	[VTD_LU_UNIT_UNUSED] = "a unit in the VT-d record has no function",
	[VTD_LU_TABLE_PAGES] = "a page table in the VT-d record has no pages",
	[VTD_LU_TABLE_REFS] = "a page table in the VT-d record has the wrong users",
	[VTD_LU_FN_INDEX] = "a function in the VT-d record refers to no unit or page table",
	[VTD_LU_FN_SEGMENT] = "a function in the VT-d record is on another segment than its unit",
	[VTD_LU_FN_DUPLICATE] = "a function is in the VT-d record twice",
	[VTD_LU_FN_DID] = "a function in the VT-d record has an impossible domain ID",
	[VTD_LU_FN_CONTEXT] = "a function in the VT-d record has an impossible context entry",
	[VTD_LU_FN_PASID] = "a function in the VT-d record has impossible PASID tables",
	[VTD_LU_FN_MODE] = "a unit in the VT-d record is in another mode than the record",
};

/**
 * vtd_lu_reason_text - the words for a refusal
 * @reason: &enum vtd_lu_reason, negated or not
 *
 * Return: a sentence without a full stop.
 */
const char *vtd_lu_reason_text(int reason)
{
	unsigned int i = reason < 0 ? -(unsigned int)reason : (unsigned int)reason;

	if (i >= ARRAY_SIZE(vtd_lu_texts))
		return "the VT-d record cannot be used";
	return vtd_lu_texts[i];
}

static u32 unit_off(const struct vtd_lu_hdr_ser *hdr, unsigned int i)
{
	return hdr->hdr_size + i * hdr->unit_size;
}

static u32 table_off(const struct vtd_lu_hdr_ser *hdr, unsigned int i)
{
	return unit_off(hdr, hdr->nr_units) + i * hdr->table_size;
}

static u32 fn_off(const struct vtd_lu_hdr_ser *hdr, unsigned int i)
{
	return table_off(hdr, hdr->nr_tables) + i * hdr->fn_size;
}

/* An older writer's entry is shorter than ours, a newer one's longer. */
static void read_entry(const struct vtd_lu_record *rec, u32 off, u16 size,
		       void *out, size_t known)
{
	memset(out, 0, known);
	memcpy(out, rec->buf + off, size < known ? size : known);
}

/**
 * vtd_lu_record_unit - read a unit of a checked record
 * @rec: the record
 * @i: index, below hdr.nr_units
 * @unit: where to
 */
void vtd_lu_record_unit(const struct vtd_lu_record *rec, unsigned int i,
			struct vtd_lu_unit_ser *unit)
{
	read_entry(rec, unit_off(&rec->hdr, i), rec->hdr.unit_size, unit,
		   sizeof(*unit));
}

/**
 * vtd_lu_record_table - read a page table of a checked record
 * @rec: the record
 * @i: index, below hdr.nr_tables
 * @table: where to
 */
void vtd_lu_record_table(const struct vtd_lu_record *rec, unsigned int i,
			 struct vtd_lu_table_ser *table)
{
	read_entry(rec, table_off(&rec->hdr, i), rec->hdr.table_size, table,
		   sizeof(*table));
}

/**
 * vtd_lu_record_fn - read a function of a checked record
 * @rec: the record
 * @i: index, below hdr.nr_fns
 * @fn: where to
 */
void vtd_lu_record_fn(const struct vtd_lu_record *rec, unsigned int i,
		      struct vtd_lu_fn_ser *fn)
{
	read_entry(rec, fn_off(&rec->hdr, i), rec->hdr.fn_size, fn, sizeof(*fn));
}

static u32 record_crc(const u8 *buf, u32 len)
{
	static const u8 zero[sizeof(u32)];
	const u32 off = offsetof(struct vtd_lu_hdr_ser, crc);
	u32 crc = ~0U;

	crc = crc32_le(crc, buf, off);
	crc = crc32_le(crc, zero, sizeof(zero));
	crc = crc32_le(crc, buf + off + sizeof(zero), len - off - sizeof(zero));
	return ~crc;
}

static bool page_ok(u64 pa)
{
	return pa && !(pa & (VTD_LU_PAGE - 1));
}

static int check_header(const void *buf, size_t len, struct vtd_lu_record *rec)
{
	struct vtd_lu_hdr_ser *hdr = &rec->hdr;
	u64 end;

	if (len < VTD_LU_HDR_MIN)
		return -VTD_LU_REC_SHORT;

	memcpy(hdr, buf, sizeof(*hdr));
	if (memcmp(hdr->compatible, VTD_LU_COMPATIBLE, sizeof(VTD_LU_COMPATIBLE)))
		return -VTD_LU_REC_COMPATIBLE;

	rec->bad_off = offsetof(struct vtd_lu_hdr_ser, version);
	if (hdr->version != VTD_LU_VERSION)
		return -VTD_LU_REC_VERSION;

	rec->bad_off = offsetof(struct vtd_lu_hdr_ser, hdr_size);
	if (hdr->hdr_size < VTD_LU_HDR_MIN ||
	    hdr->unit_size < sizeof(struct vtd_lu_unit_ser) ||
	    hdr->table_size < sizeof(struct vtd_lu_table_ser) ||
	    hdr->fn_size < sizeof(struct vtd_lu_fn_ser))
		return -VTD_LU_REC_SIZES;

	rec->bad_off = offsetof(struct vtd_lu_hdr_ser, nr_units);
	if (!hdr->nr_fns || hdr->nr_fns > VTD_LU_MAX_FNS ||
	    !hdr->nr_units || hdr->nr_units > VTD_LU_MAX_UNITS ||
	    !hdr->nr_tables || hdr->nr_tables > hdr->nr_fns)
		return -VTD_LU_REC_COUNT;

	rec->bad_off = offsetof(struct vtd_lu_hdr_ser, total_size);
	end = (u64)hdr->hdr_size + (u64)hdr->nr_units * hdr->unit_size +
	      (u64)hdr->nr_tables * hdr->table_size +
	      (u64)hdr->nr_fns * hdr->fn_size;
	if (hdr->total_size > len || hdr->total_size > VTD_LU_MAX_SIZE ||
	    end > hdr->total_size)
		return -VTD_LU_REC_TOTAL_SIZE;

	rec->bad_off = offsetof(struct vtd_lu_hdr_ser, crc);
	if (record_crc(buf, hdr->total_size) != hdr->crc)
		return -VTD_LU_REC_CRC;

	rec->bad_off = offsetof(struct vtd_lu_hdr_ser, required);
	if (hdr->required & ~VTD_LU_HDR_REQUIRED_KNOWN)
		return -VTD_LU_REC_REQUIRED;

	return 0;
}

static int check_unit(struct vtd_lu_record *rec, unsigned int i)
{
	struct vtd_lu_unit_ser unit, other;
	struct vtd_lu_fn_ser fn;
	unsigned int j;

	rec->bad_off = unit_off(&rec->hdr, i);
	vtd_lu_record_unit(rec, i, &unit);
	if (!page_ok(unit.reg_base))
		return -VTD_LU_UNIT_ADDRESS;
	if (!page_ok(unit.root_pa))
		return -VTD_LU_UNIT_ROOT;
	if ((unit.flags & VTD_LU_UNIT_SCALABLE) &&
	    !(rec->hdr.flags & VTD_LU_HDR_SCALABLE))
		return -VTD_LU_FN_MODE;

	for (j = 0; j < i; j++) {
		vtd_lu_record_unit(rec, j, &other);
		if (other.reg_base == unit.reg_base ||
		    other.root_pa == unit.root_pa)
			return -VTD_LU_UNIT_DUPLICATE;
	}

	for (j = 0; j < rec->hdr.nr_fns; j++) {
		vtd_lu_record_fn(rec, j, &fn);
		if (fn.unit == i)
			return 0;
	}
	return -VTD_LU_UNIT_UNUSED;
}

static int check_table(struct vtd_lu_record *rec, unsigned int i)
{
	struct vtd_lu_table_ser table;
	struct vtd_lu_fn_ser fn;
	unsigned int j, refs = 0;

	rec->bad_off = table_off(&rec->hdr, i);
	vtd_lu_record_table(rec, i, &table);
	if (!page_ok(table.pages.head_pa) || !table.pages.nr)
		return -VTD_LU_TABLE_PAGES;

	for (j = 0; j < rec->hdr.nr_fns; j++) {
		vtd_lu_record_fn(rec, j, &fn);
		refs += fn.table == i;
	}
	return refs && refs == table.refs ? 0 : -VTD_LU_TABLE_REFS;
}

static int check_context(const struct vtd_lu_fn_ser *fn, bool scalable)
{
	u64 ptr = CTX_POINTER(fn->ctx_lo);
	bool ats = fn->flags & VTD_LU_FN_ATS;

	if (!page_ok(fn->ctx_pa) || !(fn->ctx_lo & CTX_PRESENT) || !ptr)
		return -VTD_LU_FN_CONTEXT;

	if (scalable) {
		if (ats && !(fn->ctx_lo & CTX_DTE))
			return -VTD_LU_FN_CONTEXT;
		if (!page_ok(fn->dir_pa) || !page_ok(fn->pasid_pa) ||
		    ptr != fn->dir_pa || fn->dir_pa == fn->pasid_pa)
			return -VTD_LU_FN_PASID;
		return 0;
	}

	if (CTX_TT(fn->ctx_lo) != CTX_TT_DEV_IOTLB &&
	    (ats || CTX_TT(fn->ctx_lo) != CTX_TT_UNTRANSLATED))
		return -VTD_LU_FN_CONTEXT;
	if (CTX_DID(fn->ctx_hi) != fn->did)
		return -VTD_LU_FN_DID;
	if (fn->dir_pa || fn->pasid_pa)
		return -VTD_LU_FN_PASID;
	return 0;
}

static int check_fn(struct vtd_lu_record *rec, unsigned int i)
{
	struct vtd_lu_fn_ser fn, other;
	struct vtd_lu_unit_ser unit;
	unsigned int j;

	rec->bad_off = fn_off(&rec->hdr, i);
	vtd_lu_record_fn(rec, i, &fn);
	if (fn.unit >= rec->hdr.nr_units || fn.table >= rec->hdr.nr_tables)
		return -VTD_LU_FN_INDEX;

	vtd_lu_record_unit(rec, fn.unit, &unit);
	if (fn.segment != unit.segment)
		return -VTD_LU_FN_SEGMENT;
	if (fn.did < VTD_LU_FIRST_DID)
		return -VTD_LU_FN_DID;

	for (j = 0; j < i; j++) {
		vtd_lu_record_fn(rec, j, &other);
		if (other.segment == fn.segment && other.bus == fn.bus &&
		    other.devfn == fn.devfn)
			return -VTD_LU_FN_DUPLICATE;
		/* One domain ID tags the translations of one page table. */
		if (other.unit == fn.unit && other.did == fn.did &&
		    other.table != fn.table)
			return -VTD_LU_FN_DID;
	}

	return check_context(&fn, unit.flags & VTD_LU_UNIT_SCALABLE);
}

/**
 * vtd_lu_record_check - decide whether to believe a record
 * @buf: the bytes; they must stay as they are as long as @rec is used
 * @len: how many
 * @rec: filled in; after a refusal only bad_off has a meaning
 *
 * Return: 0, or a negated &enum vtd_lu_reason.
 */
int vtd_lu_record_check(const void *buf, size_t len, struct vtd_lu_record *rec)
{
	unsigned int i;
	int err;

	memset(rec, 0, sizeof(*rec));
	rec->buf = buf;

	err = check_header(buf, len, rec);
	for (i = 0; !err && i < rec->hdr.nr_units; i++)
		err = check_unit(rec, i);
	for (i = 0; !err && i < rec->hdr.nr_tables; i++)
		err = check_table(rec, i);
	for (i = 0; !err && i < rec->hdr.nr_fns; i++)
		err = check_fn(rec, i);
	return err;
}

/**
 * vtd_lu_record_size - bytes that a record needs
 * @units: number of units
 * @tables: number of page tables
 * @fns: number of functions
 *
 * Return: the size.
 */
size_t vtd_lu_record_size(unsigned int units, unsigned int tables,
			  unsigned int fns)
{
	return sizeof(struct vtd_lu_hdr_ser) +
	       units * sizeof(struct vtd_lu_unit_ser) +
	       tables * sizeof(struct vtd_lu_table_ser) +
	       fns * sizeof(struct vtd_lu_fn_ser);
}

/**
 * vtd_lu_record_init - start a record
 * @buf: at least vtd_lu_record_size() bytes
 * @units: number of units
 * @tables: number of page tables
 * @fns: number of functions
 * @flags: VTD_LU_HDR_*
 *
 * The entries are zero; fill the slots, then vtd_lu_record_seal().
 */
void vtd_lu_record_init(void *buf, unsigned int units, unsigned int tables,
			unsigned int fns, u32 flags)
{
	struct vtd_lu_hdr_ser *hdr = buf;

	memset(buf, 0, vtd_lu_record_size(units, tables, fns));
	memcpy(hdr->compatible, VTD_LU_COMPATIBLE, sizeof(VTD_LU_COMPATIBLE));
	hdr->version = VTD_LU_VERSION;
	hdr->hdr_size = sizeof(*hdr);
	hdr->unit_size = sizeof(struct vtd_lu_unit_ser);
	hdr->table_size = sizeof(struct vtd_lu_table_ser);
	hdr->fn_size = sizeof(struct vtd_lu_fn_ser);
	hdr->nr_units = units;
	hdr->nr_tables = tables;
	hdr->nr_fns = fns;
	hdr->total_size = vtd_lu_record_size(units, tables, fns);
	hdr->flags = flags;
}

/**
 * vtd_lu_unit_slot - where a unit is written
 * @buf: a record that vtd_lu_record_init() started
 * @i: index
 *
 * Return: the slot.
 */
struct vtd_lu_unit_ser *vtd_lu_unit_slot(void *buf, unsigned int i)
{
	return buf + unit_off(buf, i);
}

/**
 * vtd_lu_table_slot - where a page table is written
 * @buf: a record that vtd_lu_record_init() started
 * @i: index
 *
 * Return: the slot.
 */
struct vtd_lu_table_ser *vtd_lu_table_slot(void *buf, unsigned int i)
{
	return buf + table_off(buf, i);
}

/**
 * vtd_lu_fn_slot - where a function is written
 * @buf: a record that vtd_lu_record_init() started
 * @i: index
 *
 * Return: the slot.
 */
struct vtd_lu_fn_ser *vtd_lu_fn_slot(void *buf, unsigned int i)
{
	return buf + fn_off(buf, i);
}

/**
 * vtd_lu_record_seal - write the CRC
 * @buf: the record
 */
void vtd_lu_record_seal(void *buf)
{
	struct vtd_lu_hdr_ser *hdr = buf;

	hdr->crc = record_crc(buf, hdr->total_size);
}
