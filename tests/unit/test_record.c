// SPDX-License-Identifier: GPL-2.0
/* The record: what a writer seals a reader accepts, and nothing else. */
#include <stdlib.h>

#include "../tools/sample.h"
#include "tap.h"

static u8 buf[8192];
static struct pci_lu_record rec;

static void put16(size_t off, u16 val)
{
	memcpy(buf + off, &val, sizeof(val));
}

static void put32(size_t off, u32 val)
{
	memcpy(buf + off, &val, sizeof(val));
}

static void record_crc_is_the_usual_one(void)
{
	eq((u32)~crc32_le(~0, "123456789", 9), 0xcbf43926);
}

static void record_round_trip(void)
{
	struct pci_lu_fn_ser fn, want;
	struct pci_lu_fn_addr f;
	u32 off;
	unsigned int i;

	sample_switch(buf, sizeof(buf));
	eq(pci_lu_record_check(buf, sizeof(buf), &rec), 0);
	eq(rec.nr_fns, 4);
	eq(rec.flags, PCI_LU_HDR_FROZEN);
	for (i = 0; i < rec.nr_fns; i++) {
		eq(pci_lu_fn_check(&rec, i, &off), 0);
		eq(off, 0);
	}
	sample_endpoint(&want);
	want.bus = 3;
	want.parent = 2;
	eq(pci_lu_record_fn(&rec, 3, &fn), 0);
	ok(!memcmp(&fn, &want, sizeof(fn)));
	eq(pci_lu_record_addr(&rec, 3, &f), 0);
	eq(f.bus, 3);
	eq(f.flags, want.flags);
	eq(pci_lu_record_fn(&rec, 4, &fn), PCI_LU_REASON_FN_INDEX);
	eq(pci_lu_record_addr(&rec, 4, &f), PCI_LU_REASON_FN_INDEX);
	eq(pci_lu_fn_check(&rec, 4, &off), PCI_LU_REASON_FN_INDEX);
}

static void record_empty(void)
{
	pci_lu_record_init(buf, sizeof(buf));
	eq(pci_lu_record_check(buf, sizeof(buf), &rec), 0);
	eq(rec.nr_fns, 0);
	eq(rec.len, 64);
	eq(pci_lu_record_check(buf, 64, &rec), 0);
	eq(pci_lu_record_check(buf, 63, &rec), PCI_LU_REASON_REC_TOTAL_SIZE);
	eq(pci_lu_record_check(buf, 51, &rec), PCI_LU_REASON_REC_SHORT);
	eq(pci_lu_record_check(buf, 0, &rec), PCI_LU_REASON_REC_SHORT);
}

static void record_full(void)
{
	struct pci_lu_fn_ser fn;

	sample_endpoint(&fn);
	eq(pci_lu_record_capacity(64 + 2 * 256), 2);
	eq(pci_lu_record_capacity(64 + 2 * 256 - 1), 1);
	eq(pci_lu_record_capacity(63), 0);
	eq(pci_lu_record_capacity(1 << 30), PCI_LU_MAX_FNS);
	pci_lu_record_init(buf, 64 + 2 * 256);
	eq(pci_lu_record_add(buf, 64 + 2 * 256, &fn), 0);
	eq(pci_lu_record_add(buf, 64 + 2 * 256, &fn), 0);
	eq(pci_lu_record_add(buf, 64 + 2 * 256, &fn), PCI_LU_REASON_TOO_MANY);
}

/* Every single bit matters. */
static void record_notices_every_bit(void)
{
	size_t n, i;
	int b;

	sample_switch(buf, sizeof(buf));
	n = sizeof(struct pci_lu_hdr_ser) + 4 * sizeof(struct pci_lu_fn_ser);
	for (i = 0; i < n; i++) {
		for (b = 0; b < 8; b++) {
			buf[i] ^= 1 << b;
			okf(pci_lu_record_check(buf, sizeof(buf), &rec), "bit %d of byte %zu", b,
			    i);
			buf[i] ^= 1 << b;
		}
	}
	eq(pci_lu_record_check(buf, sizeof(buf), &rec), 0);
}

static void record_of_a_later_writer(void)
{
	struct pci_lu_fn_ser fn;
	u32 off;

	/* Longer header, longer entries, a section behind the table. */
	sample_grown(buf, sizeof(buf), 72, 300);
	eq(pci_lu_record_check(buf, sizeof(buf), &rec), 0);
	eq(rec.nr_fns, 2);
	eq(pci_lu_record_fn(&rec, 1, &fn), 0);
	eq(fn.vendor, 0x8086);
	eq(fn.bus, 1);
	eq(pci_lu_fn_check(&rec, 1, &off), 0);
}

static void record_of_an_earlier_writer(void)
{
	struct pci_lu_fn_ser fn;

	/* Entries without the reserved bytes: the rest reads as zero. */
	sample_grown(buf, sizeof(buf), 64, 188);
	eq(pci_lu_record_check(buf, sizeof(buf), &rec), 0);
	memset(&fn, 0xff, sizeof(fn));
	eq(pci_lu_record_fn(&rec, 1, &fn), 0);
	eq(fn.num_vfs, 0);
	eq(fn.reserved[0], 0);
	eq(fn.reserved[sizeof(fn.reserved) - 1], 0);
	sample_grown(buf, sizeof(buf), 64, 187);
	eq(pci_lu_record_check(buf, sizeof(buf), &rec), PCI_LU_REASON_REC_FN_SIZE);
}

/* A version nobody knows: refused, and yet it can be fenced. */
static void record_frozen_part(void)
{
	struct pci_lu_fn_addr f;

	sample_grown(buf, sizeof(buf), 52, 8);
	memcpy(buf, "holdfast-pci-v9\0", 16);
	put16(32, 9);
	sample_reseal(buf);
	eq(pci_lu_record_check(buf, sizeof(buf), &rec), PCI_LU_REASON_REC_COMPATIBLE);
	eq(rec.bad_off, 0);
	eq(pci_lu_record_check_stable(buf, sizeof(buf), &rec), 0);
	eq(rec.version, 9);
	eq(pci_lu_record_addr(&rec, 1, &f), 0);
	eq(f.bus, 1);
	ok(f.flags & PCI_LU_FN_ENDPOINT);
	/* Not if it is damaged, and not if it is something else. */
	buf[60] ^= 1;
	eq(pci_lu_record_check_stable(buf, sizeof(buf), &rec), PCI_LU_REASON_REC_CRC);
	memcpy(buf, "pci-v1\0\0\0\0\0\0\0\0\0", 16);
	sample_reseal(buf);
	eq(pci_lu_record_check_stable(buf, sizeof(buf), &rec), PCI_LU_REASON_REC_COMPATIBLE);
}

static void record_sizes_cannot_overflow(void)
{
	sample_switch(buf, sizeof(buf));
	put16(36, 0xffff);
	put16(38, PCI_LU_MAX_FNS);
	eq(pci_lu_record_check(buf, sizeof(buf), &rec), PCI_LU_REASON_REC_TOTAL_SIZE);
	put16(38, 0xffff);
	eq(pci_lu_record_check(buf, sizeof(buf), &rec), PCI_LU_REASON_REC_COUNT);
	put16(38, 4);
	put16(36, 256);
	put32(40, 0xffffffff);
	eq(pci_lu_record_check(buf, sizeof(buf), &rec), PCI_LU_REASON_REC_TOTAL_SIZE);
}

static void record_wrong_version(void)
{
	sample_switch(buf, sizeof(buf));
	put16(32, 2);
	sample_reseal(buf);
	eq(pci_lu_record_check(buf, sizeof(buf), &rec), PCI_LU_REASON_REC_VERSION);
	eq(rec.bad_off, 32);
}

/* Paths end, whatever the parents are; the function in a cycle is told. */
static void record_paths_end(void)
{
	static u8 big[64 + 300 * 256];
	struct pci_lu_fn_ser fn;
	unsigned int i;
	u32 off;

	pci_lu_record_init(big, sizeof(big));
	for (i = 0; i < 300; i++) {
		sample_bridge(&fn, i < 255 ? i : 0, i < 255 ? i + 1 : 1, 255);
		fn.segment = i >= 255;
		fn.devfn = i;
		fn.parent = i ? i - 1 : PCI_LU_PARENT_NONE;
		pci_lu_record_add(big, sizeof(big), &fn);
	}
	pci_lu_record_seal(big);
	eq(pci_lu_record_check(big, sizeof(big), &rec), 0);
	/* The longest path that there can be is no cycle. */
	eq(pci_lu_fn_check(&rec, 254, &off), 0);
	eq(pci_lu_fn_check(&rec, 255, &off), PCI_LU_REASON_FN_PARENT_BUS);
	eq(off, 64 + 255 * 256 + 24);

	/* Close it. */
	big[64 + 24] = 254;
	big[64 + 25] = 0;
	pci_lu_record_seal(big);
	eq(pci_lu_record_check(big, sizeof(big), &rec), 0);
	eq(pci_lu_fn_check(&rec, 0, &off), PCI_LU_REASON_FN_PARENT_BUS);
	eq(pci_lu_fn_check(&rec, 7, &off), PCI_LU_REASON_FN_PARENT_CYCLE);
}

static void record_with_vfs(void)
{
	struct pci_lu_blob_ser blob;
	struct pci_lu_hdr_ser hdr;
	unsigned int i;
	u32 off;

	sample_vfs(buf, sizeof(buf));
	eq(pci_lu_record_check(buf, sizeof(buf), &rec), 0);
	eq(rec.len, SAMPLE_VFS_SIZE);
	for (i = 0; i < 4; i++)
		okf(!pci_lu_fn_check(&rec, i, &off), "function %u", i);
	/* An older kernel must refuse it: it would not look for VFs. */
	memcpy(&hdr, buf, sizeof(hdr));
	eq(hdr.required, PCI_LU_HDR_REQ_NEEDS);
	sample_switch(buf, sizeof(buf));
	memcpy(&hdr, buf, sizeof(hdr));
	eq(hdr.required, 0);

	sample_vfs(buf, sizeof(buf));
	eq(pci_lu_record_blob(&rec, 1, &blob), 0);
	ok(!strcmp(blob.compatible, "igb-v1"));
	eq(blob.size, 5);
	ok(!memcmp(blob.data, "state", 6));
	eq(pci_lu_record_blob(&rec, 2, &blob), PCI_LU_REASON_FN_INDEX);
	eq(pci_lu_record_blob(&rec, 4, &blob), PCI_LU_REASON_FN_INDEX);
	/* A bad blob is the fault of its function alone. */
	put32(64 + 256 + offsetof(struct pci_lu_fn_ser, blob), 8);
	sample_reseal(buf);
	eq(pci_lu_record_check(buf, sizeof(buf), &rec), 0);
	eq(pci_lu_fn_check(&rec, 1, &off), PCI_LU_REASON_FN_BLOB);
	eq(off, 64 + 256 + offsetof(struct pci_lu_fn_ser, blob));
	eq(pci_lu_fn_check(&rec, 2, &off), 0);
}

static void record_blobs_have_room_or_not(void)
{
	struct pci_lu_blob_ser blob = { .compatible = "x", .size = 256 };
	const size_t room = 64 + 2 * 256 + 296;
	struct pci_lu_fn_ser fn;

	sample_endpoint(&fn);
	pci_lu_record_init(buf, room);
	eq(pci_lu_record_add(buf, room, &fn), 0);
	eq(pci_lu_record_add(buf, room, &fn), 0);
	eq(pci_lu_record_add_blob(buf, room - 1, 0, &blob), PCI_LU_REASON_TOO_MANY);
	eq(pci_lu_record_add_blob(buf, room, 2, &blob), PCI_LU_REASON_FN_INDEX);
	blob.size = 257;
	eq(pci_lu_record_add_blob(buf, room, 0, &blob), PCI_LU_REASON_FN_BLOB);
	blob.size = 256;
	blob.compatible[0] = 0;
	eq(pci_lu_record_add_blob(buf, room, 0, &blob), PCI_LU_REASON_FN_BLOB);
	blob.compatible[0] = 'x';
	eq(pci_lu_record_add_blob(buf, room, 1, &blob), 0);
	eq(pci_lu_record_add_blob(buf, room, 0, &blob), PCI_LU_REASON_TOO_MANY);
	pci_lu_record_seal(buf);
	eq(pci_lu_record_check(buf, room, &rec), 0);
	eq(pci_lu_record_blob(&rec, 1, &blob), 0);
	eq(blob.size, 256);
}

/* Function 1 that depends on function 0, which may depend on nobody. */
static void record_with_a_companion(void)
{
	struct pci_lu_fn_ser zero, one, port;
	u32 off;

	sample_bridge(&port, 0, 1, 1);
	sample_endpoint(&zero);
	zero.flags |= PCI_LU_FN_DEPENDED | PCI_LU_FN_COMPANION;
	zero.refs = 1;
	sample_endpoint(&one);
	one.devfn = 1;
	one.needs = 2;

	pci_lu_record_init(buf, sizeof(buf));
	pci_lu_record_add(buf, sizeof(buf), &port);
	pci_lu_record_add(buf, sizeof(buf), &zero);
	pci_lu_record_add(buf, sizeof(buf), &one);
	pci_lu_record_seal(buf);
	eq(pci_lu_record_check(buf, sizeof(buf), &rec), 0);
	eq(pci_lu_fn_check(&rec, 1, &off), 0);
	eq(pci_lu_fn_check(&rec, 2, &off), 0);

	buf[64 + 512 + offsetof(struct pci_lu_fn_ser, devfn)] = 9;
	eq(pci_lu_fn_check(&rec, 2, &off), 0); /* ARI: function 9 of device 0 */
	buf[64 + 256 + offsetof(struct pci_lu_fn_ser, devfn)] = 2;
	eq(pci_lu_fn_check(&rec, 2, &off), PCI_LU_REASON_FN_NEEDS);
	buf[64 + 256 + offsetof(struct pci_lu_fn_ser, devfn)] = 0;
	put16(64 + 256 + offsetof(struct pci_lu_fn_ser, needs), 3);
	eq(pci_lu_fn_check(&rec, 2, &off), PCI_LU_REASON_FN_NEEDS);
}

static void record_reasons_have_words(void)
{
	unsigned int i, j, known = 0;

	for (i = 0; i < 256; i++) {
		const char *name = pci_lu_reason_name(i);

		ok(*name && *pci_lu_reason_text(i));
		if (!strcmp(name, "unknown"))
			continue;
		known++;
		ok(name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")] == 0);
		for (j = 0; j < i; j++) {
			okf(strcmp(name, pci_lu_reason_name(j)), "%s twice", name);
			okf(!strcmp(pci_lu_reason_text(j), "unknown reason") ||
				    strcmp(pci_lu_reason_text(i), pci_lu_reason_text(j)),
			    "%s: same text", name);
		}
	}
	ok(known > 70);
	ok(!strcmp(pci_lu_reason_name(PCI_LU_REASON_REC_CRC), "record-crc"));
	ok(!strcmp(pci_lu_reason_name(-1), "unknown"));
}

void suite_record(void)
{
	RUN(record_crc_is_the_usual_one);
	RUN(record_round_trip);
	RUN(record_empty);
	RUN(record_full);
	RUN(record_notices_every_bit);
	RUN(record_of_a_later_writer);
	RUN(record_of_an_earlier_writer);
	RUN(record_frozen_part);
	RUN(record_sizes_cannot_overflow);
	RUN(record_wrong_version);
	RUN(record_paths_end);
	RUN(record_with_vfs);
	RUN(record_blobs_have_room_or_not);
	RUN(record_with_a_companion);
	RUN(record_reasons_have_words);
}
