// SPDX-License-Identifier: GPL-2.0
/*
 * IOMMU live update: the record that crosses the kexec.
 *
 * Pure: no I/O, no allocation, no locks, no printing. Also built in userspace,
 * for the tests.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: Believing an IOMMU record
 *
 * iommu_lu_record_check() is the only way to a &struct iommu_lu_record. What it
 * accepts has consistent sizes, indices within bounds, no function and no unit
 * twice, page-aligned addresses, and entries that are present, point where the
 * record says, and carry the tag that the record says. The caller still has to
 * compare with the hardware, and to check that an address is memory, before it
 * follows one.
 *
 * The check is linear in the number of entries but for the search for
 * duplicates, which is quadratic in at most %IOMMU_LU_MAX_FNS entries.
 */

#include "record.h"

/* VT-d, context entry, both modes unless it says otherwise (chapter 9). */
#define CTX_PRESENT		0x1ULL
#define CTX_TT(lo)		(((lo) >> 2) & 3)	/* legacy */
#define CTX_TT_UNTRANSLATED	0
#define CTX_TT_DEV_IOTLB	1
#define CTX_DTE			0x4ULL			/* scalable */
#define CTX_POINTER(lo)		((lo) & ~(IOMMU_LU_PAGE - 1))
#define CTX_DID(hi)		(((hi) >> 8) & 0xffff)	/* legacy */
/* VT-d, PASID entry */
#define PASID_PRESENT		0x1ULL
#define PASID_DID(val1)		((val1) & 0xffff)
#define VTD_FIRST_DID		2	/* 0 and 1 are never those of a page table */
#define VTD_LAST_DID		0xffff
/* VT-d, IRTA: a table of 2^(S + 1) entries of 16 bytes, at most a page */
#define IRTA_EIME		0x800U
#define IRTA_SIZE		0xfU
#define IRTA_SIZE_PAGE		7

static u32 unit_off(const struct iommu_lu_hdr_ser *hdr, unsigned int i)
{
	return hdr->hdr_size + i * hdr->unit_size;
}

static u32 table_off(const struct iommu_lu_hdr_ser *hdr, unsigned int i)
{
	return unit_off(hdr, hdr->nr_units) + i * hdr->table_size;
}

static u32 fn_off(const struct iommu_lu_hdr_ser *hdr, unsigned int i)
{
	return table_off(hdr, hdr->nr_tables) + i * hdr->fn_size;
}

/* An older writer's entry is shorter than ours, a newer one's longer. */
static void read_entry(const struct iommu_lu_record *rec, u32 off, u16 size,
		       void *out, size_t known)
{
	memset(out, 0, known);
	memcpy(out, rec->buf + off, size < known ? size : known);
}

/**
 * iommu_lu_record_unit - read a unit of a checked record
 * @rec: the record
 * @i: index, below hdr.nr_units
 * @unit: where to
 */
void iommu_lu_record_unit(const struct iommu_lu_record *rec, unsigned int i,
			  struct iommu_lu_unit_ser *unit)
{
	read_entry(rec, unit_off(&rec->hdr, i), rec->hdr.unit_size, unit,
		   sizeof(*unit));
}

/**
 * iommu_lu_record_table - read a page table of a checked record
 * @rec: the record
 * @i: index, below hdr.nr_tables
 * @table: where to
 */
void iommu_lu_record_table(const struct iommu_lu_record *rec, unsigned int i,
			   struct iommu_lu_table_ser *table)
{
	read_entry(rec, table_off(&rec->hdr, i), rec->hdr.table_size, table,
		   sizeof(*table));
}

/**
 * iommu_lu_record_fn - read a function of a checked record
 * @rec: the record
 * @i: index, below hdr.nr_fns
 * @fn: where to
 */
void iommu_lu_record_fn(const struct iommu_lu_record *rec, unsigned int i,
			struct iommu_lu_fn_ser *fn)
{
	read_entry(rec, fn_off(&rec->hdr, i), rec->hdr.fn_size, fn, sizeof(*fn));
}

static u32 record_crc(const u8 *buf, u32 len)
{
	static const u8 zero[sizeof(u32)];
	const u32 off = offsetof(struct iommu_lu_hdr_ser, crc);
	u32 crc = ~0U;

	crc = crc32_le(crc, buf, off);
	crc = crc32_le(crc, zero, sizeof(zero));
	crc = crc32_le(crc, buf + off + sizeof(zero), len - off - sizeof(zero));
	return ~crc;
}

static bool page_ok(u64 pa)
{
	return pa && !(pa & (IOMMU_LU_PAGE - 1));
}

static enum pci_lu_reason check_header(const void *buf, size_t len,
				       struct iommu_lu_record *rec)
{
	struct iommu_lu_hdr_ser *hdr = &rec->hdr;
	u64 end;

	if (len < sizeof(*hdr))
		return PCI_LU_REASON_IOMMU_REC_SHORT;

	memcpy(hdr, buf, sizeof(*hdr));
	if (memcmp(hdr->compatible, IOMMU_LU_COMPATIBLE, sizeof(IOMMU_LU_COMPATIBLE)))
		return PCI_LU_REASON_IOMMU_REC_COMPATIBLE;

	rec->bad_off = offsetof(struct iommu_lu_hdr_ser, version);
	if (hdr->version != IOMMU_LU_VERSION)
		return PCI_LU_REASON_IOMMU_REC_VERSION;

	rec->bad_off = offsetof(struct iommu_lu_hdr_ser, hdr_size);
	if (hdr->hdr_size < sizeof(*hdr) ||
	    hdr->unit_size < sizeof(struct iommu_lu_unit_ser) ||
	    hdr->table_size < sizeof(struct iommu_lu_table_ser) ||
	    hdr->fn_size < sizeof(struct iommu_lu_fn_ser))
		return PCI_LU_REASON_IOMMU_REC_SIZES;

	rec->bad_off = offsetof(struct iommu_lu_hdr_ser, nr_units);
	if (!hdr->nr_fns || hdr->nr_fns > IOMMU_LU_MAX_FNS ||
	    !hdr->nr_units || hdr->nr_units > IOMMU_LU_MAX_UNITS ||
	    !hdr->nr_tables || hdr->nr_tables > hdr->nr_fns)
		return PCI_LU_REASON_IOMMU_REC_COUNT;

	rec->bad_off = offsetof(struct iommu_lu_hdr_ser, total_size);
	end = (u64)hdr->hdr_size + (u64)hdr->nr_units * hdr->unit_size +
	      (u64)hdr->nr_tables * hdr->table_size +
	      (u64)hdr->nr_fns * hdr->fn_size;
	if (hdr->total_size > len || hdr->total_size > IOMMU_LU_MAX_SIZE ||
	    end > hdr->total_size)
		return PCI_LU_REASON_IOMMU_REC_TOTAL_SIZE;

	rec->bad_off = offsetof(struct iommu_lu_hdr_ser, crc);
	if (record_crc(buf, hdr->total_size) != hdr->crc)
		return PCI_LU_REASON_IOMMU_REC_CRC;

	rec->bad_off = offsetof(struct iommu_lu_hdr_ser, required);
	if (hdr->required & ~IOMMU_LU_HDR_REQUIRED_KNOWN)
		return PCI_LU_REASON_IOMMU_REC_REQUIRED;

	rec->bad_off = offsetof(struct iommu_lu_hdr_ser, kind);
	return hdr->kind == IOMMU_LU_KIND_VTD ? PCI_LU_OK :
						PCI_LU_REASON_IOMMU_REC_KIND;
}

static bool unit_same(const struct iommu_lu_unit_ser *a,
		      const struct iommu_lu_unit_ser *b)
{
	return a->reg_base == b->reg_base || a->top_pa == b->top_pa ||
	       a->irt_pa == b->irt_pa || a->irt_pa == b->top_pa ||
	       a->top_pa == b->irt_pa;
}

/* The interrupt remapping table is a page that nothing else in the record is. */
static bool irt_ok(const struct iommu_lu_unit_ser *unit)
{
	return page_ok(unit->irt_pa) && unit->irt_pa != unit->top_pa &&
	       !(unit->irt_flags & ~(IRTA_EIME | IRTA_SIZE)) &&
	       (unit->irt_flags & IRTA_SIZE) <= IRTA_SIZE_PAGE;
}

static enum pci_lu_reason check_unit(struct iommu_lu_record *rec, unsigned int i)
{
	struct iommu_lu_unit_ser unit, other;
	struct iommu_lu_fn_ser fn;
	unsigned int j;

	rec->bad_off = unit_off(&rec->hdr, i);
	iommu_lu_record_unit(rec, i, &unit);
	if (!page_ok(unit.reg_base))
		return PCI_LU_REASON_IOMMU_UNIT_ADDRESS;
	if (!page_ok(unit.top_pa))
		return PCI_LU_REASON_IOMMU_UNIT_TOP;
	if (!irt_ok(&unit))
		return PCI_LU_REASON_IOMMU_UNIT_IRT;
	if ((unit.flags & IOMMU_LU_UNIT_VTD_SCALABLE) &&
	    !(rec->hdr.flags & IOMMU_LU_HDR_VTD_SCALABLE))
		return PCI_LU_REASON_IOMMU_REC_MODE;

	for (j = 0; j < i; j++) {
		iommu_lu_record_unit(rec, j, &other);
		if (unit_same(&unit, &other))
			return PCI_LU_REASON_IOMMU_UNIT_DUPLICATE;
	}

	for (j = 0; j < rec->hdr.nr_fns; j++) {
		iommu_lu_record_fn(rec, j, &fn);
		if (fn.unit == i)
			return PCI_LU_OK;
	}
	return PCI_LU_REASON_IOMMU_UNIT_UNUSED;
}

static enum pci_lu_reason check_table(struct iommu_lu_record *rec,
				      unsigned int i)
{
	struct iommu_lu_table_ser table;
	struct iommu_lu_fn_ser fn;
	unsigned int j, refs = 0;

	rec->bad_off = table_off(&rec->hdr, i);
	iommu_lu_record_table(rec, i, &table);
	if (!page_ok(table.pages.head_pa) || !table.pages.nr)
		return PCI_LU_REASON_IOMMU_TABLE_PAGES;

	for (j = 0; j < rec->hdr.nr_fns; j++) {
		iommu_lu_record_fn(rec, j, &fn);
		refs += fn.table == i;
	}
	if (!refs || refs != table.refs)
		return PCI_LU_REASON_IOMMU_TABLE_REFS;
	return PCI_LU_OK;
}

/* VT-d, scalable mode: the context entry, and the PASID entry it leads to. */
static enum pci_lu_reason check_vtd_scalable(const struct iommu_lu_fn_ser *fn)
{
	if ((fn->flags & IOMMU_LU_FN_ATS) && !(fn->entry[0] & CTX_DTE))
		return PCI_LU_REASON_IOMMU_FN_ENTRY;
	if (!page_ok(fn->pages[0]) || !page_ok(fn->pages[1]) ||
	    CTX_POINTER(fn->entry[0]) != fn->pages[0] ||
	    fn->pages[0] == fn->pages[1])
		return PCI_LU_REASON_IOMMU_FN_PAGES;
	if (!(fn->entry[2] & PASID_PRESENT))
		return PCI_LU_REASON_IOMMU_FN_ENTRY;
	if (PASID_DID(fn->entry[3]) != fn->tag)
		return PCI_LU_REASON_IOMMU_FN_TAG;
	return PCI_LU_OK;
}

static enum pci_lu_reason check_vtd_legacy(const struct iommu_lu_fn_ser *fn)
{
	bool ats = fn->flags & IOMMU_LU_FN_ATS;

	if (CTX_TT(fn->entry[0]) != CTX_TT_DEV_IOTLB &&
	    (ats || CTX_TT(fn->entry[0]) != CTX_TT_UNTRANSLATED))
		return PCI_LU_REASON_IOMMU_FN_ENTRY;
	if (CTX_DID(fn->entry[1]) != fn->tag)
		return PCI_LU_REASON_IOMMU_FN_TAG;
	if (fn->pages[0] || fn->pages[1])
		return PCI_LU_REASON_IOMMU_FN_PAGES;
	return PCI_LU_OK;
}

static enum pci_lu_reason check_vtd(const struct iommu_lu_fn_ser *fn,
				    const struct iommu_lu_unit_ser *unit)
{
	if (fn->stream != ((u32)fn->bus << 8 | fn->devfn))
		return PCI_LU_REASON_IOMMU_FN_STREAM;
	if (fn->tag < VTD_FIRST_DID || fn->tag > VTD_LAST_DID)
		return PCI_LU_REASON_IOMMU_FN_TAG;
	if (!page_ok(fn->page_pa) || !(fn->entry[0] & CTX_PRESENT) ||
	    !CTX_POINTER(fn->entry[0]))
		return PCI_LU_REASON_IOMMU_FN_ENTRY;
	if (unit->flags & IOMMU_LU_UNIT_VTD_SCALABLE)
		return check_vtd_scalable(fn);
	return check_vtd_legacy(fn);
}

static enum pci_lu_reason check_fn(struct iommu_lu_record *rec, unsigned int i)
{
	struct iommu_lu_fn_ser fn, other;
	struct iommu_lu_unit_ser unit;
	unsigned int j;

	rec->bad_off = fn_off(&rec->hdr, i);
	iommu_lu_record_fn(rec, i, &fn);
	if (fn.unit >= rec->hdr.nr_units || fn.table >= rec->hdr.nr_tables)
		return PCI_LU_REASON_IOMMU_FN_INDEX;

	iommu_lu_record_unit(rec, fn.unit, &unit);
	if (fn.segment != unit.segment)
		return PCI_LU_REASON_IOMMU_FN_SEGMENT;

	for (j = 0; j < i; j++) {
		iommu_lu_record_fn(rec, j, &other);
		if (other.segment == fn.segment && other.bus == fn.bus &&
		    other.devfn == fn.devfn)
			return PCI_LU_REASON_IOMMU_FN_DUPLICATE;
		/* One tag stands for the translations of one page table. */
		if (other.unit == fn.unit && other.tag == fn.tag &&
		    other.table != fn.table)
			return PCI_LU_REASON_IOMMU_FN_TAG;
	}

	return check_vtd(&fn, &unit);
}

/**
 * iommu_lu_record_check - decide whether to believe a record
 * @buf: the bytes; they must stay as they are as long as @rec is used
 * @len: how many
 * @rec: filled in; after a refusal only bad_off has a meaning
 *
 * Return: PCI_LU_OK, or the reason.
 */
enum pci_lu_reason iommu_lu_record_check(const void *buf, size_t len,
					 struct iommu_lu_record *rec)
{
	enum pci_lu_reason why;
	unsigned int i;

	memset(rec, 0, sizeof(*rec));
	rec->buf = buf;

	why = check_header(buf, len, rec);
	for (i = 0; why == PCI_LU_OK && i < rec->hdr.nr_units; i++)
		why = check_unit(rec, i);
	for (i = 0; why == PCI_LU_OK && i < rec->hdr.nr_tables; i++)
		why = check_table(rec, i);
	for (i = 0; why == PCI_LU_OK && i < rec->hdr.nr_fns; i++)
		why = check_fn(rec, i);
	return why;
}

/**
 * iommu_lu_record_size - bytes that a record needs
 * @units: number of units
 * @tables: number of page tables
 * @fns: number of functions
 *
 * Return: the size.
 */
size_t iommu_lu_record_size(unsigned int units, unsigned int tables,
			    unsigned int fns)
{
	return sizeof(struct iommu_lu_hdr_ser) +
	       units * sizeof(struct iommu_lu_unit_ser) +
	       tables * sizeof(struct iommu_lu_table_ser) +
	       fns * sizeof(struct iommu_lu_fn_ser);
}

/**
 * iommu_lu_record_init - start a record
 * @buf: at least iommu_lu_record_size() bytes
 * @kind: IOMMU_LU_KIND_*
 * @units: number of units
 * @tables: number of page tables
 * @fns: number of functions
 * @flags: IOMMU_LU_HDR_*
 *
 * The entries are zero; fill the slots, then iommu_lu_record_seal().
 */
void iommu_lu_record_init(void *buf, u16 kind, unsigned int units,
			  unsigned int tables, unsigned int fns, u32 flags)
{
	struct iommu_lu_hdr_ser *hdr = buf;

	memset(buf, 0, iommu_lu_record_size(units, tables, fns));
	memcpy(hdr->compatible, IOMMU_LU_COMPATIBLE, sizeof(IOMMU_LU_COMPATIBLE));
	hdr->version = IOMMU_LU_VERSION;
	hdr->hdr_size = sizeof(*hdr);
	hdr->unit_size = sizeof(struct iommu_lu_unit_ser);
	hdr->table_size = sizeof(struct iommu_lu_table_ser);
	hdr->fn_size = sizeof(struct iommu_lu_fn_ser);
	hdr->nr_units = units;
	hdr->nr_tables = tables;
	hdr->nr_fns = fns;
	hdr->total_size = iommu_lu_record_size(units, tables, fns);
	hdr->flags = flags;
	hdr->kind = kind;
}

/**
 * iommu_lu_unit_slot - where a unit is written
 * @buf: a record that iommu_lu_record_init() started
 * @i: index
 *
 * Return: the slot.
 */
struct iommu_lu_unit_ser *iommu_lu_unit_slot(void *buf, unsigned int i)
{
	return buf + unit_off(buf, i);
}

/**
 * iommu_lu_table_slot - where a page table is written
 * @buf: a record that iommu_lu_record_init() started
 * @i: index
 *
 * Return: the slot.
 */
struct iommu_lu_table_ser *iommu_lu_table_slot(void *buf, unsigned int i)
{
	return buf + table_off(buf, i);
}

/**
 * iommu_lu_fn_slot - where a function is written
 * @buf: a record that iommu_lu_record_init() started
 * @i: index
 *
 * Return: the slot.
 */
struct iommu_lu_fn_ser *iommu_lu_fn_slot(void *buf, unsigned int i)
{
	return buf + fn_off(buf, i);
}

/**
 * iommu_lu_record_seal - write the CRC
 * @buf: the record
 */
void iommu_lu_record_seal(void *buf)
{
	struct iommu_lu_hdr_ser *hdr = buf;

	hdr->crc = record_crc(buf, hdr->total_size);
}
