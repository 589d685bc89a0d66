/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LINUX_KHO_ABI_IOMMU_LIVEUPDATE_H
#define _LINUX_KHO_ABI_IOMMU_LIVEUPDATE_H

#ifdef __KERNEL__
#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/types.h>
#endif

/**
 * DOC: IOMMU live update ABI
 *
 * The record tells the next kernel which IOMMUs are still translating when it
 * starts, for which functions, and which memory hardware still reads. It is one
 * physically contiguous block, registered as the KHO subtree
 * %IOMMU_LU_KHO_NAME; it does not depend on the Live Update Orchestrator.
 *
 * **What is in it.** The address of each unit, the top-level table it was
 * pointed at, and for each function the entry that this table, or one below it,
 * holds: what the specification of the IOMMU defines and what the next kernel
 * can read back from the hardware. Page tables are opaque: the record says which
 * pages they occupy, so that they can be freed, and nothing about their format.
 *
 * **Kind.** The header says what kind of IOMMU it is about, which decides what
 * the registers of a unit and the entry of a function mean.
 *
 * **Nothing else is reachable.** Requests of a function that the record does not
 * list are blocked by the top-level table.
 *
 * **Byte order and packing.** That of the machine. All structures are packed;
 * every field has a fixed offset, asserted at build time.
 *
 * **Layout.** &struct iommu_lu_hdr_ser, hdr_size bytes; nr_units times
 * &struct iommu_lu_unit_ser, unit_size bytes each; nr_tables times
 * &struct iommu_lu_table_ser, table_size bytes each; nr_fns times
 * &struct iommu_lu_fn_ser, fn_size bytes each.
 *
 * **Page lists.** &struct iommu_lu_pages_ser names a chain of KHO serialization
 * blocks with one u64 per page: the physical address, and in bits 11:0 the
 * order. Each was preserved with kho_preserve_folio(). Other memory named in the
 * record was preserved the same way.
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
 *
 * **VT-d.** A listed unit translates with a root table that holds only the
 * listed functions: page_pa of a function is the context table with its entry,
 * which functions of a bus share; entry[0] and entry[1] are the two halves of the
 * context entry; tag is the domain ID. In scalable mode the context entry points
 * to a PASID directory of one page, pages[0], with one PASID table of one page,
 * pages[1], which holds the entry of requests without PASID and nothing else;
 * entry[2] to entry[9] are that entry. regs[0] of a unit is RTADDR.
 */

#define IOMMU_LU_KHO_NAME		"holdfast-iommu"
#define IOMMU_LU_COMPATIBLE		"holdfast-iommu-v1"
#define IOMMU_LU_VERSION		1
#define IOMMU_LU_MAX_UNITS		1024
#define IOMMU_LU_MAX_FNS		4096
#define IOMMU_LU_MAX_SIZE		0x00100000

/* struct iommu_lu_hdr_ser.kind */
#define IOMMU_LU_KIND_VTD		1

/* struct iommu_lu_hdr_ser.flags, VT-d */
#define IOMMU_LU_HDR_VTD_SCALABLE	0x00000001	/* scalable mode was in use */

/* struct iommu_lu_hdr_ser.required: what this version of the reader knows */
#define IOMMU_LU_HDR_REQUIRED_KNOWN	0x00000000

/**
 * struct iommu_lu_hdr_ser - header of the record
 * @compatible: %IOMMU_LU_COMPATIBLE, NUL-padded
 * @version: %IOMMU_LU_VERSION of the writer
 * @hdr_size: size of this header; the first unit starts there
 * @unit_size: size of one &struct iommu_lu_unit_ser
 * @table_size: size of one &struct iommu_lu_table_ser
 * @fn_size: size of one &struct iommu_lu_fn_ser
 * @nr_units: number of units
 * @nr_tables: number of page tables
 * @nr_fns: number of functions
 * @total_size: size of the record
 * @required: features the reader must know to use the record
 * @crc: CRC-32 over total_size bytes with this field zero
 * @flags: IOMMU_LU_HDR_*
 * @kind: IOMMU_LU_KIND_*
 * @reserved: zero
 */
struct iommu_lu_hdr_ser {
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
	u16 kind;
	u8 reserved[14];
} __packed;

/**
 * struct iommu_lu_pages_ser - a list of preserved pages
 * @head_pa: the first KHO serialization block
 * @nr: number of entries
 * @crc: CRC-32 over all entries
 * @reserved: zero
 */
struct iommu_lu_pages_ser {
	u64 head_pa;
	u64 nr;
	u32 crc;
	u32 reserved;
} __packed;

/* struct iommu_lu_unit_ser.flags, VT-d */
#define IOMMU_LU_UNIT_VTD_SCALABLE	0x0001	/* RTADDR has the scalable-mode bit */

/**
 * struct iommu_lu_unit_ser - an IOMMU that was left translating
 * @reg_base: physical address of its registers
 * @top_pa: the top-level table; a page that was made for the handover
 * @regs: what must be found in its registers
 * @irt_pa: the interrupt remapping table that it was left with, without a valid
 *	    entry; 0 if interrupt remapping was not handed over
 * @irt_flags: mode and size of that table; VT-d: bits 11:0 of IRTA
 * @segment: PCI segment
 * @flags: IOMMU_LU_UNIT_*
 * @reserved: zero
 */
struct iommu_lu_unit_ser {
	u64 reg_base;
	u64 top_pa;
	u64 regs[4];
	u64 irt_pa;
	u32 irt_flags;
	u16 segment;
	u16 flags;
	u8 reserved[16];
} __packed;

/**
 * struct iommu_lu_table_ser - a page table that hardware still walks
 * @pages: the memory it occupies
 * @refs: how many functions use it
 * @reserved: zero
 */
struct iommu_lu_table_ser {
	struct iommu_lu_pages_ser pages;
	u16 refs;
	u8 reserved[6];
} __packed;

/* struct iommu_lu_fn_ser.flags */
#define IOMMU_LU_FN_ATS			0x00000001	/* ATS is enabled in the function */
#define IOMMU_LU_FN_VTD_FIRST_STAGE	0x00000002	/* first-stage table, DID tags its PASID */

/**
 * struct iommu_lu_fn_ser - a function whose DMA is still translated
 * @segment: PCI segment
 * @bus: bus number of the requester ID
 * @devfn: device and function number of the requester ID
 * @flags: IOMMU_LU_FN_*
 * @unit: index of its unit
 * @table: index of its page table
 * @stream: how the unit calls it; VT-d: the requester ID
 * @tag: what tags its translations in the caches of the unit
 * @entry: its entry, as hardware has it
 * @page_pa: the page that holds the entry, if not the top-level table itself;
 *	     functions share it
 * @pages: memory that hardware reads for this function only; 0 where there is none
 * @reserved: zero
 * @reserved2: zero
 */
struct iommu_lu_fn_ser {
	u16 segment;
	u8 bus;
	u8 devfn;
	u32 flags;
	u16 unit;
	u16 table;
	u32 stream;
	u32 tag;
	u32 reserved;
	u64 entry[10];
	u64 page_pa;
	u64 pages[2];
	u8 reserved2[16];
} __packed;

/* Version 1. */
static_assert(offsetof(struct iommu_lu_hdr_ser, version) == 32);
static_assert(offsetof(struct iommu_lu_hdr_ser, total_size) == 48);
static_assert(offsetof(struct iommu_lu_hdr_ser, crc) == 56);
static_assert(offsetof(struct iommu_lu_hdr_ser, kind) == 64);
static_assert(sizeof(struct iommu_lu_hdr_ser) == 80);
static_assert(sizeof(struct iommu_lu_pages_ser) == 24);
static_assert(offsetof(struct iommu_lu_unit_ser, regs) == 16);
static_assert(offsetof(struct iommu_lu_unit_ser, irt_pa) == 48);
static_assert(offsetof(struct iommu_lu_unit_ser, segment) == 60);
static_assert(sizeof(struct iommu_lu_unit_ser) == 80);
static_assert(offsetof(struct iommu_lu_table_ser, refs) == 24);
static_assert(sizeof(struct iommu_lu_table_ser) == 32);
static_assert(offsetof(struct iommu_lu_fn_ser, unit) == 8);
static_assert(offsetof(struct iommu_lu_fn_ser, tag) == 16);
static_assert(offsetof(struct iommu_lu_fn_ser, entry) == 24);
static_assert(offsetof(struct iommu_lu_fn_ser, page_pa) == 104);
static_assert(offsetof(struct iommu_lu_fn_ser, pages) == 112);
static_assert(sizeof(struct iommu_lu_fn_ser) == 144);

#endif /* _LINUX_KHO_ABI_IOMMU_LIVEUPDATE_H */
