/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LINUX_KHO_ABI_VTD_LIVEUPDATE_H
#define _LINUX_KHO_ABI_VTD_LIVEUPDATE_H

#ifdef __KERNEL__
#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/types.h>
#endif

/**
 * DOC: VT-d live update ABI
 *
 * The record tells the next kernel which remapping units are still translating
 * when it starts, for which requester IDs, and which memory hardware still
 * reads. It is one physically contiguous block, registered as the KHO subtree
 * %VTD_LU_KHO_NAME; it does not depend on the Live Update Orchestrator.
 *
 * **What is in it.** The address of each unit, the root table it was pointed
 * at, and the context entries that this table holds: what the VT-d
 * specification defines and what the next kernel can read back from the
 * hardware. Page tables are opaque: the record says which pages they occupy,
 * so that they can be freed, and nothing about their format.
 *
 * **The handover tables.** Each listed unit translates with a root table that
 * holds only the listed functions. A function has a context entry of its own;
 * in scalable mode that entry points to a PASID directory of one page with one
 * PASID table of one page, which holds the entry of requests without PASID and
 * nothing else. Every other requester ID is not present, hence blocked.
 *
 * **Byte order and packing.** That of the machine. All structures are packed;
 * every field has a fixed offset, asserted at build time.
 *
 * **Layout.** &struct vtd_lu_hdr_ser, hdr_size bytes; nr_units times
 * &struct vtd_lu_unit_ser, unit_size bytes each; nr_tables times
 * &struct vtd_lu_table_ser, table_size bytes each; nr_fns times
 * &struct vtd_lu_fn_ser, fn_size bytes each.
 *
 * **Page lists.** &struct vtd_lu_pages_ser names a chain of KHO serialization
 * blocks with one u64 per page: the physical address, and in bits 11:0 the
 * order. Each was preserved with kho_preserve_folio(). All other memory named
 * in the record is single pages that were preserved the same way.
 *
 * **Integrity.** crc is the CRC-32 of IEEE 802.3 (reflected, initial value and
 * final xor all ones) over total_size bytes, taken with the crc field zero. A
 * page list has a CRC of the same kind over its entries in order.
 *
 * **Growing.** As for the PCI record: fields are added at the end of a
 * structure, taking from the reserved bytes first; a reader ignores what it
 * does not know and takes what is missing as zero. What must not be ignored
 * sets a bit in ``required``: a reader that does not know the bit takes over
 * nothing, and fences.
 *
 * **Breaking.** A changed meaning or offset takes a new version and a new
 * compatible string. A kernel reads its own version and the one before it.
 */

#define VTD_LU_KHO_NAME			"holdfast-vtd"
#define VTD_LU_COMPATIBLE		"holdfast-vtd-v1"
#define VTD_LU_VERSION			1
#define VTD_LU_MAX_UNITS		1024
#define VTD_LU_MAX_FNS			4096
#define VTD_LU_MAX_SIZE			0x00100000

/* struct vtd_lu_hdr_ser.flags */
#define VTD_LU_HDR_SCALABLE		0x00000001	/* scalable mode was in use */

/* struct vtd_lu_hdr_ser.required: what this version of the reader knows */
#define VTD_LU_HDR_REQUIRED_KNOWN	0x00000000

/**
 * struct vtd_lu_hdr_ser - header of the record
 * @compatible: %VTD_LU_COMPATIBLE, NUL-padded
 * @version: %VTD_LU_VERSION of the writer
 * @hdr_size: size of this header; the first unit starts there
 * @unit_size: size of one &struct vtd_lu_unit_ser
 * @table_size: size of one &struct vtd_lu_table_ser
 * @fn_size: size of one &struct vtd_lu_fn_ser
 * @nr_units: number of units
 * @nr_tables: number of page tables
 * @nr_fns: number of functions
 * @total_size: size of the record
 * @required: features the reader must know to use the record
 * @crc: CRC-32 over total_size bytes with this field zero
 * @flags: VTD_LU_HDR_*
 */
struct vtd_lu_hdr_ser {
	char compatible[32];
	u16 version;
	u16 hdr_size;
	u16 unit_size;
	u16 table_size;
	u16 fn_size;
	u16 nr_units;
	u16 nr_tables;
	u16 nr_fns;
	u32 total_size;
	u32 required;
	u32 crc;
	u32 flags;
} __packed;

/**
 * struct vtd_lu_pages_ser - a list of preserved pages
 * @head_pa: the first KHO serialization block
 * @nr: number of entries
 * @crc: CRC-32 over all entries
 * @reserved: zero
 */
struct vtd_lu_pages_ser {
	u64 head_pa;
	u64 nr;
	u32 crc;
	u32 reserved;
} __packed;

/* struct vtd_lu_unit_ser.flags */
#define VTD_LU_UNIT_SCALABLE		0x0001	/* RTADDR has the scalable-mode bit */

/**
 * struct vtd_lu_unit_ser - a remapping unit that was left translating
 * @reg_base: physical address of its registers
 * @root_pa: the handover root table
 * @segment: PCI segment
 * @flags: VTD_LU_UNIT_*
 * @reserved: zero
 */
struct vtd_lu_unit_ser {
	u64 reg_base;
	u64 root_pa;
	u16 segment;
	u16 flags;
	u8 reserved[12];
} __packed;

/**
 * struct vtd_lu_table_ser - a page table that hardware still walks
 * @pages: the memory it occupies
 * @refs: how many functions use it
 * @reserved: zero
 */
struct vtd_lu_table_ser {
	struct vtd_lu_pages_ser pages;
	u16 refs;
	u8 reserved[6];
} __packed;

/* struct vtd_lu_fn_ser.flags */
#define VTD_LU_FN_ATS			0x00000001	/* ATS is enabled in the function */
#define VTD_LU_FN_FIRST_STAGE		0x00000002	/* first-stage table, DID tags its PASID */

/**
 * struct vtd_lu_fn_ser - a function whose DMA is still translated
 * @segment: PCI segment
 * @bus: bus number of the requester ID
 * @devfn: device and function number of the requester ID
 * @flags: VTD_LU_FN_*
 * @unit: index of its unit
 * @table: index of its page table
 * @did: domain ID that tags its translations in the caches of the unit
 * @reserved: zero
 * @ctx_lo: low half of its context entry
 * @ctx_hi: high half of its context entry
 * @ctx_pa: the context table that holds the entry; functions share it
 * @dir_pa: its PASID directory, 0 in legacy mode
 * @pasid_pa: its PASID table, 0 in legacy mode
 * @reserved2: zero
 */
struct vtd_lu_fn_ser {
	u16 segment;
	u8 bus;
	u8 devfn;
	u32 flags;
	u16 unit;
	u16 table;
	u16 did;
	u16 reserved;
	u64 ctx_lo;
	u64 ctx_hi;
	u64 ctx_pa;
	u64 dir_pa;
	u64 pasid_pa;
	u8 reserved2[8];
} __packed;

/* Version 1. */
static_assert(offsetof(struct vtd_lu_hdr_ser, version) == 32);
static_assert(offsetof(struct vtd_lu_hdr_ser, total_size) == 48);
static_assert(offsetof(struct vtd_lu_hdr_ser, crc) == 56);
static_assert(sizeof(struct vtd_lu_hdr_ser) == 64);
static_assert(sizeof(struct vtd_lu_pages_ser) == 24);
static_assert(offsetof(struct vtd_lu_unit_ser, segment) == 16);
static_assert(sizeof(struct vtd_lu_unit_ser) == 32);
static_assert(offsetof(struct vtd_lu_table_ser, refs) == 24);
static_assert(sizeof(struct vtd_lu_table_ser) == 32);
static_assert(offsetof(struct vtd_lu_fn_ser, unit) == 8);
static_assert(offsetof(struct vtd_lu_fn_ser, ctx_lo) == 16);
static_assert(offsetof(struct vtd_lu_fn_ser, pasid_pa) == 48);
static_assert(sizeof(struct vtd_lu_fn_ser) == 64);

#endif /* _LINUX_KHO_ABI_VTD_LIVEUPDATE_H */
