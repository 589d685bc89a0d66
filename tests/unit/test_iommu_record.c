// SPDX-License-Identifier: GPL-2.0
/* The IOMMU record: what a writer seals a reader accepts, and nothing else. */
#include <stdlib.h>

#include "../../kernel/overlay/drivers/iommu/liveupdate/record.c"
#include "../../kernel/overlay/drivers/iommu/liveupdate/pages.c"
#include "../tools/sample_iommu.h"
#include "tap.h"

void suite_iommu_record(void);

static u8 buf[4096];
static struct iommu_lu_record rec;

static void sample_legacy(void)
{
	sample_iommu_legacy(buf, sizeof(buf));
}

static void sample_scalable(void)
{
	sample_iommu_scalable(buf, sizeof(buf));
}

static int check(void)
{
	return iommu_lu_record_check(buf, sizeof(buf), &rec);
}

static int resealed(void)
{
	iommu_lu_record_seal(buf);
	return check();
}

static void iommu_record_round_trip(void)
{
	struct iommu_lu_table_ser table;
	struct iommu_lu_unit_ser unit;
	struct iommu_lu_fn_ser fn;

	sample_legacy();
	eq(check(), PCI_LU_OK);
	eq(rec.hdr.nr_fns, 3);
	eq(rec.hdr.total_size, iommu_lu_record_size(2, 2, 3));
	iommu_lu_record_unit(&rec, 1, &unit);
	eq(unit.reg_base, 0xfed91000);
	iommu_lu_record_table(&rec, 0, &table);
	eq(table.refs, 2);
	iommu_lu_record_fn(&rec, 2, &fn);
	eq(fn.bus, 3);
	eq(fn.unit, 1);

	sample_scalable();
	eq(check(), PCI_LU_OK);
}

/* A newer writer's entries are longer; what is known is read, the rest not. */
static void iommu_record_grows(void)
{
	static u8 old[4096];
	struct iommu_lu_hdr_ser *hdr = (void *)buf;
	struct iommu_lu_fn_ser fn;
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
		memcpy(iommu_lu_unit_slot(buf, i), iommu_lu_unit_slot(old, i), 80);
		memcpy(iommu_lu_table_slot(buf, i), iommu_lu_table_slot(old, i), 32);
	}
	for (i = 0; i < 3; i++)
		memcpy(iommu_lu_fn_slot(buf, i), iommu_lu_fn_slot(old, i), 144);
	eq(resealed(), PCI_LU_OK);
	iommu_lu_record_fn(&rec, 2, &fn);
	ok(!memcmp(&fn, iommu_lu_fn_slot(old, 2), sizeof(fn)));
}

static void iommu_record_every_bit_counts(void)
{
	unsigned int bit, len;

	sample_legacy();
	len = iommu_lu_record_size(2, 2, 3);
	for (bit = 0; bit < len * 8; bit++) {
		buf[bit / 8] ^= 1 << bit % 8;
		okf(check() != PCI_LU_OK, "bit %u of byte %u is not protected", bit % 8, bit / 8);
		buf[bit / 8] ^= 1 << bit % 8;
	}
	eq(check(), PCI_LU_OK);
}

static void iommu_record_every_length(void)
{
	unsigned int len, total = iommu_lu_record_size(2, 2, 3);
	u8 *copy;

	sample_legacy();
	for (len = 0; len < total; len++) {
		copy = malloc(len + !len);
		memcpy(copy, buf, len);
		ok(iommu_lu_record_check(copy, len, &rec) != PCI_LU_OK);
		free(copy);
	}
}

#define REFUSED(change, why)                               \
	do {                                               \
		sample_legacy();                           \
		change;                                    \
		eq(resealed(), PCI_LU_REASON_IOMMU_##why); \
	} while (0)
#define REFUSED_SM(change, why)                            \
	do {                                               \
		sample_scalable();                         \
		change;                                    \
		eq(resealed(), PCI_LU_REASON_IOMMU_##why); \
	} while (0)
#define HDR	 ((struct iommu_lu_hdr_ser *)(void *)buf)
#define UNIT(i)	 iommu_lu_unit_slot(buf, i)
#define TABLE(i) iommu_lu_table_slot(buf, i)
#define FN(i)	 iommu_lu_fn_slot(buf, i)

static void iommu_record_refusals(void)
{
	REFUSED(HDR->compatible[16] = '2', REC_COMPATIBLE);
	REFUSED(HDR->version = 2, REC_VERSION);
	REFUSED(HDR->required = 1, REC_REQUIRED);
	REFUSED(HDR->kind = 0, REC_KIND);
	REFUSED(HDR->kind = 2, REC_KIND);
	REFUSED(UNIT(1)->reg_base = 0, UNIT_ADDRESS);
	REFUSED(UNIT(1)->top_pa |= 8, UNIT_TOP);
	REFUSED(UNIT(1)->irt_pa = 0x600008, UNIT_IRT);
	REFUSED(UNIT(1)->irt_pa = 0, UNIT_IRT);
	REFUSED(UNIT(1)->irt_pa = UNIT(1)->top_pa, UNIT_IRT);
	REFUSED(UNIT(1)->irt_flags = 0x808, UNIT_IRT); /* more than a page */
	REFUSED(UNIT(1)->irt_flags = 0x817, UNIT_IRT); /* bits that hardware reserves */
	REFUSED(UNIT(1)->irt_flags |= 0x1000, UNIT_IRT); /* not of the register's low bits */
	REFUSED(UNIT(1)->reg_base = UNIT(0)->reg_base, UNIT_DUPLICATE);
	REFUSED(UNIT(1)->top_pa = UNIT(0)->top_pa, UNIT_DUPLICATE);
	REFUSED(UNIT(0)->irt_pa = UNIT(1)->irt_pa, UNIT_DUPLICATE);
	REFUSED(UNIT(0)->irt_pa = UNIT(1)->top_pa, UNIT_DUPLICATE);
	REFUSED(FN(2)->unit = 0, UNIT_UNUSED);
	REFUSED(UNIT(0)->flags = IOMMU_LU_UNIT_VTD_SCALABLE, REC_MODE);
	REFUSED(TABLE(1)->pages.nr = 0, TABLE_PAGES);
	REFUSED(TABLE(1)->pages.head_pa = 0, TABLE_PAGES);
	REFUSED(TABLE(0)->refs = 1, TABLE_REFS);
	REFUSED(FN(0)->segment = 1, FN_SEGMENT);
	REFUSED(FN(1)->bus = FN(0)->bus, FN_DUPLICATE);
	REFUSED(FN(1)->stream = FN(0)->stream, FN_STREAM);
	REFUSED(FN(0)->tag = 1, FN_TAG);
	REFUSED(FN(0)->tag = 8, FN_TAG);
	REFUSED(FN(0)->tag = 0x10007, FN_TAG);
	REFUSED(FN(0)->entry[0] &= ~1ULL, FN_ENTRY);
	REFUSED(FN(0)->entry[0] |= 8, FN_ENTRY);
	REFUSED(FN(0)->flags = IOMMU_LU_FN_ATS, FN_ENTRY);
	REFUSED(FN(0)->page_pa = 0, FN_ENTRY);
	REFUSED(FN(0)->pages[0] = 0x500000, FN_PAGES);
	REFUSED_SM(FN(0)->entry[0] = 0x502005, FN_PAGES);
	REFUSED_SM(FN(0)->pages[1] = 0x500000, FN_PAGES);
	REFUSED_SM(FN(0)->entry[0] = 0x500001, FN_ENTRY);
	REFUSED_SM(FN(0)->entry[2] = 0x700000, FN_ENTRY);
	REFUSED_SM(FN(0)->entry[3] = 3, FN_TAG);
}

static void iommu_record_counts(void)
{
	REFUSED(HDR->nr_fns = 0, REC_COUNT);
	REFUSED(HDR->nr_units = 0, REC_COUNT);
	REFUSED(HDR->nr_tables = 4, REC_COUNT);
	REFUSED(HDR->fn_size = 143, REC_SIZES);
	REFUSED(HDR->fn_size = 145, REC_TOTAL_SIZE);
	REFUSED(HDR->fn_size = 0xffff, REC_TOTAL_SIZE);
}

static void iommu_record_same_tag_two_tables(void)
{
	sample_legacy();
	FN(1)->table = 1;
	TABLE(0)->refs = 1;
	TABLE(1)->refs = 2;
	eq(resealed(), PCI_LU_REASON_IOMMU_FN_TAG);
}

/* Every refusal has words of its own. */
static void iommu_record_texts(void)
{
	int i, j;

	for (i = PCI_LU_REASON_IOMMU_REC_SHORT; i <= PCI_LU_REASON_IOMMU_FN_STREAM; i++) {
		okf(strcmp(pci_lu_reason_name(i), "unknown"), "reason %d has no name", i);
		for (j = PCI_LU_REASON_IOMMU_REC_SHORT; j < i; j++)
			ok(strcmp(pci_lu_reason_text(i), pci_lu_reason_text(j)));
	}
}

/* Page lists: memory of a few pages, at physical address 0x10000. */
#define MEM   0x10000ULL
#define PAGES 8
static u64 mem[PAGES][512];
static struct iommu_lu_pages_ser list;

static const void *at(u64 pa, u64 size)
{
	if (pa & 4095 || pa < MEM || size > sizeof(mem) || pa - MEM > sizeof(mem) - size)
		return NULL;
	return (const u8 *)mem + (pa - MEM);
}

/* 513 entries in two blocks, the first full. */
static void sample_pages(void)
{
	unsigned int i;
	u32 crc = ~0U;
	u64 *entry;

	memset(mem, 0, sizeof(mem));
	mem[0][0] = MEM + 4096;
	mem[0][1] = 510;
	mem[1][1] = 3;
	for (i = 0; i < 513; i++) {
		entry = i < 510 ? &mem[0][2 + i] : &mem[1][2 + i - 510];
		*entry = MEM + 4096 * (2 + i % 4) + i % 2;
		crc = iommu_lu_pages_crc(crc, *entry);
	}
	list = (struct iommu_lu_pages_ser){ .head_pa = MEM, .nr = 513, .crc = ~crc };
}

#define PAGES_REFUSED(change)                         \
	do {                                          \
		sample_pages();                       \
		change;                               \
		ok(!iommu_lu_pages_check(&list, at)); \
	} while (0)

static void recount(unsigned int n)
{
	u32 crc = ~0U;
	unsigned int i;

	for (i = 0; i < n; i++)
		crc = iommu_lu_pages_crc(crc, i < 510 ? mem[0][2 + i] : mem[1][2 + i - 510]);
	list.crc = ~crc;
	list.nr = n;
}

static void iommu_record_page_lists(void)
{
	sample_pages();
	ok(iommu_lu_pages_check(&list, at));
	mem[0][0] = 0;
	recount(510);
	ok(iommu_lu_pages_check(&list, at));

	PAGES_REFUSED(list.head_pa = 0);
	PAGES_REFUSED(list.head_pa += 8);
	PAGES_REFUSED(list.head_pa = 0xfffffffffffff000ULL);
	PAGES_REFUSED(list.nr--);
	PAGES_REFUSED(list.nr++);
	PAGES_REFUSED(list.nr = ~0ULL);
	PAGES_REFUSED(list.crc++);
	PAGES_REFUSED(mem[0][0] = 0);
	PAGES_REFUSED(mem[0][0] = 0xdead000);
	PAGES_REFUSED(mem[0][0] = MEM + 8);
	PAGES_REFUSED(mem[0][0] = MEM);
	PAGES_REFUSED(mem[0][1] = 0);
	PAGES_REFUSED(mem[0][1] = 511);
	PAGES_REFUSED(mem[0][1] = ~0ULL);
	PAGES_REFUSED(mem[1][0] = MEM);
	PAGES_REFUSED(mem[1][1] = 2);
	PAGES_REFUSED(mem[1][1] = 4);
	/* With the CRC put right: what is on the list has to be memory. */
	PAGES_REFUSED(mem[0][7] = 0x5000; recount(513));
	PAGES_REFUSED(mem[0][7] = MEM + 7 * 4096 + 1; recount(513));
	PAGES_REFUSED(mem[0][7] = MEM + 11; recount(513));
	PAGES_REFUSED(mem[0][7] = MEM + 4095; recount(513));
}

void suite_iommu_record(void)
{
	RUN(iommu_record_round_trip);
	RUN(iommu_record_grows);
	RUN(iommu_record_every_bit_counts);
	RUN(iommu_record_every_length);
	RUN(iommu_record_refusals);
	RUN(iommu_record_counts);
	RUN(iommu_record_same_tag_two_tables);
	RUN(iommu_record_texts);
	RUN(iommu_record_page_lists);
}
