/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LINUX_KHO_ABI_PCI_LIVEUPDATE_H
#define _LINUX_KHO_ABI_PCI_LIVEUPDATE_H

#ifdef __KERNEL__
#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/types.h>
#endif

/**
 * DOC: PCI live update ABI
 *
 * The record tells the next kernel which PCI functions are still doing DMA,
 * and which bridges their traffic goes through. It is one physically
 * contiguous block, registered as the KHO subtree %PCI_LU_KHO_SUBTREE so that it
 * can be read even if the Live Update Orchestrator is switched off: a kernel
 * that cannot adopt must still be able to fence.
 *
 * **What is in it.** Facts about hardware which the next kernel can check
 * against the function itself: identity, address, BARs and their sizes,
 * windows, bus numbers, the control registers that decide where traffic goes.
 * Never a kernel structure, a policy, a capability offset, an IRQ number or a
 * page table format; these are computed afresh from live config space.
 *
 * **Byte order and packing.** That of the machine, which is the same on both
 * sides of a kexec. All structures are packed; every field has a fixed offset,
 * asserted at build time.
 *
 * **Layout.** &struct pci_lu_hdr_ser, hdr_size bytes; then nr_fns entries
 * &struct pci_lu_fn_ser of fn_size bytes each; then, up to total_size, what entries
 * refer to by its offset in the record. A bridge comes before what is
 * behind it only by custom: readers follow &pci_lu_fn_ser.parent.
 *
 * **Who depends on whom.** A function needs the bridges above it
 * (&pci_lu_fn_ser.parent) and, in some cases, one more endpoint
 * (&pci_lu_fn_ser.needs): a VF its PF, a function other than 0 function 0. Such
 * an endpoint is *depended* on, and may be *requested* as well. If it is not, no owner
 * speaks for it: its driver goes on with it, and no DMA of its own crosses.
 *
 * **Who does DMA to whom.** The translation of a function may lead to BARs of others.
 * @reaches of the one and @reached of each other have the same number, which no
 * other session has. A reader that ends the update for a function must before that
 * fence those which reach it; one that does not know of it fences them all.
 *
 * **What a driver adds.** The driver of a function may hand one block of its own
 * to its successor, &struct pci_lu_blob_ser, with a compatible string and a version
 * that only these two read. And it may name config bits that are to stay as they
 * are until its successor has finished, &struct pci_lu_row_ser: the next kernel has to
 * know of them long before that driver is there.
 *
 * **Integrity.** crc is the CRC-32 of IEEE 802.3 (reflected, initial value and
 * final xor all ones) over total_size bytes, taken with the crc field zero.
 *
 * **Growing.** A field is added at the end, of the header or of the function
 * entry, taking from the reserved bytes first; the size field grows, the
 * version does not. A reader ignores bytes beyond the size it knows, and takes
 * bytes that an older writer did not have as zero; zero must therefore mean
 * "not said". Reserved bytes are written as zero and not looked at.
 *
 * If a reader that does not know a new field would do harm, the writer sets a
 * bit in ``required``: in the header if it concerns the record, in the entry
 * if it concerns the one function. A reader refuses a record, or fences a
 * function, with a required bit that it does not know.
 *
 * **Breaking.** A changed meaning or offset takes a new version and a new
 * compatible string. A kernel reads its own version and the one before it.
 *
 * **What never changes, in any version.** So that a kernel which refuses the
 * record can still make the listed functions safe:
 *
 * - the compatible string starts with %PCI_LU_COMPATIBLE_PREFIX;
 * - the header up to and including ``crc`` (52 bytes), the CRC, and where the
 *   entries are;
 * - the first 8 bytes of each entry: segment, bus, devfn and the flags
 *   %PCI_LU_FN_ENDPOINT, %PCI_LU_FN_BRIDGE and %PCI_LU_FN_FROZEN;
 * - the limits %PCI_LU_MAX_FNS and %PCI_LU_MAX_SIZE.
 *
 * A reader that refuses a record whose stable part is sound clears Bus Master
 * on the listed endpoints before it touches address translation. If not even
 * the stable part is sound (a bad CRC, a length beyond the block, an entry that
 * is neither endpoint nor bridge) then nothing in the block may be believed,
 * not even the list: the reader has to assume that any function may be doing
 * DMA, and must treat all endpoints that way.
 *
 * **Who writes when.** The record is built when the first function is
 * preserved and sealed again at every change. %PCI_LU_HDR_FROZEN is set at
 * freeze, together with the values that are only final then. A record without
 * it comes from a kernel that crashed or jumped before freeze: its functions
 * are fenced, not adopted.
 */

#define PCI_LU_KHO_SUBTREE			"holdfast-pci"
#define PCI_LU_COMPATIBLE		"holdfast-pci-v1"
#define PCI_LU_COMPATIBLE_PREFIX	"holdfast-pci-"
#define PCI_LU_VERSION			1
#define PCI_LU_MAX_FNS			4096
#define PCI_LU_MAX_SIZE			(16U << 20)

/* struct pci_lu_hdr_ser.flags */
#define PCI_LU_HDR_FROZEN		0x00000001	/* freeze has finished */

/* struct pci_lu_hdr_ser.required */
#define PCI_LU_HDR_REQ_NEEDS		0x00000001	/* an entry has needs set */

/* What this version of the reader knows */
#define PCI_LU_HDR_REQUIRED_KNOWN	PCI_LU_HDR_REQ_NEEDS

/**
 * struct pci_lu_hdr_ser - header of the record
 * @compatible: %PCI_LU_COMPATIBLE, NUL-padded
 * @version: %PCI_LU_VERSION of the writer
 * @hdr_size: size of this header; the first function entry starts there
 * @fn_size: size of one function entry
 * @nr_fns: number of function entries
 * @total_size: size of the record; at least hdr_size + nr_fns * fn_size
 * @required: features the reader must know to use the record at all
 * @crc: CRC-32 over total_size bytes with this field zero
 * @flags: PCI_LU_HDR_*
 * @reserved: zero
 */
struct pci_lu_hdr_ser {
	char compatible[32];
	u16 version;
	u16 hdr_size;
	u16 fn_size;
	u16 nr_fns;
	u32 total_size;
	u32 required;
	u32 crc;
	u32 flags;
	u8 reserved[8];
} __packed;

/* struct pci_lu_fn_ser.flags */
#define PCI_LU_FN_ENDPOINT		0x00000001	/* does DMA */
#define PCI_LU_FN_BRIDGE		0x00000002	/* is on the path of one */
#define PCI_LU_FN_REQUESTED		0x00000004	/* someone asked for it */
#define PCI_LU_FN_DEPENDED		0x00000008	/* a requested one needs it */
#define PCI_LU_FN_FROZEN		0x00000010	/* its owner has frozen it */
#define PCI_LU_FN_VF			0x00000020	/* is a VF of what it needs */
#define PCI_LU_FN_PF			0x00000040	/* VFs in the record need it */
#define PCI_LU_FN_COMPANION		0x00000080	/* other functions of its device do */

/* struct pci_lu_fn_ser.required */
#define PCI_LU_FN_REQ_ROWS		0x00000002	/* has rows */
#define PCI_LU_FN_REQ_REACHES		0x00000004	/* reaches is set */

/* What this version of the reader knows */
#define PCI_LU_FN_REQUIRED_KNOWN	(PCI_LU_FN_REQ_ROWS | PCI_LU_FN_REQ_REACHES)

#define PCI_LU_PARENT_NONE		0xffff

/* struct pci_lu_fn_ser.windows: bridge windows that exist in hardware */
#define PCI_LU_WIN_IO		0x0001
#define PCI_LU_WIN_IO32		0x0002
#define PCI_LU_WIN_PREF		0x0004
#define PCI_LU_WIN_PREF64		0x0008

/* struct pci_lu_fn_ser.irq_mode */
#define PCI_LU_IRQ_NONE			0
#define PCI_LU_IRQ_INTX			1
#define PCI_LU_IRQ_MSI			2	/* vectors cannot be masked */
#define PCI_LU_IRQ_MSI_MASKABLE		3
#define PCI_LU_IRQ_MSIX			4

/* struct pci_lu_fn_ser.iommu_flags */
#define PCI_LU_IOMMU_TRANSLATED		0x00000001	/* behind a translating IOMMU */
#define PCI_LU_IOMMU_ATS		0x00000002	/* ATS was in use */

/**
 * struct pci_lu_fn_ser - one function that is still in use
 * @segment: PCI segment (domain)
 * @bus: bus number
 * @devfn: device and function number
 * @flags: PCI_LU_FN_*; exactly one of ENDPOINT and BRIDGE
 * @vendor: Vendor ID; of a VF, whose own register reads as all ones, that of the PF
 * @device: Device ID; of a VF what the PF's VF Device ID says
 * @subvendor: Subsystem Vendor ID, 0 for a bridge
 * @subdevice: Subsystem ID, 0 for a bridge
 * @class_rev: dword at 0x08: class code and revision
 * @required: features the reader must know to adopt this function; otherwise
 *	it fences it
 * @parent: index of the entry of the bridge above, or %PCI_LU_PARENT_NONE on
 *	a root bus
 * @refs: how many requested functions depend on this one, not counting itself
 * @bar: BAR 0-5 and the expansion ROM BAR as they are in config space; a
 *	bridge has BAR 0, 1 and ROM, a VF none: those of its PF say where it decodes
 * @bar_mask: bits of each that are an address: ~(size - 1), 0 if there is no
 *	BAR; a 64-bit BAR has the upper half of its mask in the next entry
 * @vf_bar_mask: the same for VF BARs
 * @command: Command register
 * @bridge_control: Bridge Control register of a bridge
 * @bus_numbers: primary, secondary and subordinate bus number of a bridge, as
 *	in the dword at 0x18; upper byte 0
 * @window: the six dwords from 0x1c to 0x30 of a bridge, Secondary Status 0
 * @windows: PCI_LU_WIN_*
 * @irq_mode: PCI_LU_IRQ_*
 * @nr_vectors: vectors that were in use
 * @ats_ctrl: ATS Control, 0 without the capability; likewise below
 * @pri_ctrl: Page Request Control
 * @pasid_ctrl: PASID Control
 * @acs_ctrl: ACS Control
 * @devctl: Device Control
 * @devctl2: Device Control 2
 * @lnkctl: Link Control
 * @lnkctl2: Link Control 2
 * @pmcsr: Power Management Control/Status
 * @driver: name of the driver that owned the function, NUL-terminated
 * @iommu_flags: PCI_LU_IOMMU_*
 * @sriov_ctrl: SR-IOV Control
 * @num_vfs: NumVFs
 * @owner: the handle under which the owner's own record was given to LUO, so that a
 *	function whose owner's record is damaged can still be found, and fenced
 * @uncor_status: AER Uncorrectable Error Status: what happened before the update
 * @needs: one more than the index of the endpoint that this one depends on, 0: none
 * @vf_id: number of a VF, from 0
 * @vf_bar: VF BARs of a function with VF Enable set, as in config space
 * @vf_offset: First VF Offset, likewise
 * @vf_stride: VF Stride, likewise
 * @blob: offset in the record of a &struct pci_lu_blob_ser, 0: none
 * @rows: offset in the record of the first &struct pci_lu_row_ser of the function
 * @nr_rows: how many there are
 * @reaches: number of the functions to BARs of which this one does DMA, 0: none
 * @reached: number of those which do DMA to BARs of this one, 0: none
 * @reserved: zero
 */
struct pci_lu_fn_ser {
	u16 segment;
	u8 bus;
	u8 devfn;
	u32 flags;
	u16 vendor;
	u16 device;
	u16 subvendor;
	u16 subdevice;
	u32 class_rev;
	u32 required;
	u16 parent;
	u16 refs;
	u32 bar[7];
	u32 bar_mask[7];
	u32 vf_bar_mask[6];
	u16 command;
	u16 bridge_control;
	u32 bus_numbers;
	u32 window[6];
	u16 windows;
	u16 irq_mode;
	u16 nr_vectors;
	u16 ats_ctrl;
	u16 pri_ctrl;
	u16 pasid_ctrl;
	u16 acs_ctrl;
	u16 devctl;
	u16 devctl2;
	u16 lnkctl;
	u16 lnkctl2;
	u16 pmcsr;
	char driver[16];
	u32 iommu_flags;
	u16 sriov_ctrl;
	u16 num_vfs;
	u64 owner;
	u32 uncor_status;
	u16 needs;
	u16 vf_id;
	u32 vf_bar[6];
	u16 vf_offset;
	u16 vf_stride;
	u32 blob;
	u32 rows;
	u16 nr_rows;
	u16 reaches;
	u16 reached;
	u8 reserved[10];
} __packed;

#define PCI_LU_BLOB_SIZE		256

/**
 * struct pci_lu_blob_ser - what the driver of a function hands to its successor
 * @compatible: who wrote it, and who can read it; NUL-padded, not empty
 * @version: of the layout of @data, in the driver's own counting
 * @size: bytes of @data that are used
 * @reserved: zero
 * @data: for the driver alone; as little to be trusted as all of the record
 *
 * It ends with the bytes in use; the next one starts at a multiple of 8.
 */
struct pci_lu_blob_ser {
	char compatible[32];
	u16 version;
	u16 size;
	u8 reserved[4];
	u8 data[PCI_LU_BLOB_SIZE];
} __packed;

#define PCI_LU_DRIVER_ROWS		8

/* struct pci_lu_row_ser.rule */
#define PCI_LU_ROW_KEEP			0	/* the bits stay as they are */
#define PCI_LU_ROW_STICKY1		1	/* a bit that is set stays set */
#define PCI_LU_ROW_STICKY0		2	/* a bit that is clear stays clear */

/**
 * struct pci_lu_row_ser - config bits that the driver of a function wants kept
 * @pos: offset of the register, behind the predefined header
 * @width: its width in bytes: 1, 2 or 4
 * @rule: PCI_LU_ROW_*
 * @bits: the bits; none that is cleared by writing it as it was read
 * @name: of the register, NUL-terminated
 * @why: why the write would harm the device, NUL-terminated
 */
struct pci_lu_row_ser {
	u16 pos;
	u8 width;
	u8 rule;
	u32 bits;
	char name[24];
	char why[96];
} __packed;

/* The same in every version. */
static_assert(offsetof(struct pci_lu_hdr_ser, version) == 32);
static_assert(offsetof(struct pci_lu_hdr_ser, hdr_size) == 34);
static_assert(offsetof(struct pci_lu_hdr_ser, fn_size) == 36);
static_assert(offsetof(struct pci_lu_hdr_ser, nr_fns) == 38);
static_assert(offsetof(struct pci_lu_hdr_ser, total_size) == 40);
static_assert(offsetof(struct pci_lu_hdr_ser, required) == 44);
static_assert(offsetof(struct pci_lu_hdr_ser, crc) == 48);
static_assert(offsetof(struct pci_lu_fn_ser, segment) == 0);
static_assert(offsetof(struct pci_lu_fn_ser, bus) == 2);
static_assert(offsetof(struct pci_lu_fn_ser, devfn) == 3);
static_assert(offsetof(struct pci_lu_fn_ser, flags) == 4);
#define PCI_LU_HDR_STABLE_SIZE		52
#define PCI_LU_FN_STABLE_SIZE		8

/* Version 1. Its first writers knew entries up to and including num_vfs. */
#define PCI_LU_FN_MIN_SIZE		188
static_assert(sizeof(struct pci_lu_hdr_ser) == 64);
static_assert(offsetof(struct pci_lu_fn_ser, bar) == 28);
static_assert(offsetof(struct pci_lu_fn_ser, command) == 108);
static_assert(offsetof(struct pci_lu_fn_ser, window) == 116);
static_assert(offsetof(struct pci_lu_fn_ser, driver) == 164);
static_assert(offsetof(struct pci_lu_fn_ser, num_vfs) == 186);
static_assert(offsetof(struct pci_lu_fn_ser, owner) == 188);
static_assert(offsetof(struct pci_lu_fn_ser, uncor_status) == 196);
static_assert(offsetof(struct pci_lu_fn_ser, needs) == 200);
static_assert(offsetof(struct pci_lu_fn_ser, vf_bar) == 204);
static_assert(offsetof(struct pci_lu_fn_ser, blob) == 232);
static_assert(offsetof(struct pci_lu_fn_ser, nr_rows) == 240);
static_assert(offsetof(struct pci_lu_fn_ser, reaches) == 242);
static_assert(sizeof(struct pci_lu_fn_ser) == 256);
static_assert(offsetof(struct pci_lu_blob_ser, version) == 32);
static_assert(offsetof(struct pci_lu_blob_ser, data) == 40);
static_assert(sizeof(struct pci_lu_row_ser) == 128);

#endif /* _LINUX_KHO_ABI_PCI_LIVEUPDATE_H */
