/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which config writes a function in flight must not see, and what is done with
 * them: the pure half of the PCI live update guard.
 */
#ifndef _PCI_LU_POLICY_H
#define _PCI_LU_POLICY_H

#include "port.h"
#include <linux/pci_liveupdate_reason.h>
#include <linux/kho/abi/pci_liveupdate.h>

/**
 * enum pci_lu_kind - what a function looks like
 * @PCI_LU_ENDPOINT: header type 0
 * @PCI_LU_BRIDGE: a root port or switch port (header type 1)
 * @PCI_LU_VF: header type 0, with IDs and BARs that read as nothing
 */
enum pci_lu_kind {
	PCI_LU_ENDPOINT,
	PCI_LU_BRIDGE,
	PCI_LU_VF,
};

/*
 * What a function is to the preserved ones: it can be more than one of these. In
 * struct pci_lu_row: which of them a row is for.
 */
#define PCI_LU_FOR_ENDPOINT	0x1	/* one of them */
#define PCI_LU_FOR_BRIDGE	0x2	/* above one of them */
#define PCI_LU_FOR_PF		0x4	/* the PF of one of them, which is a VF */
#define PCI_LU_FOR_COMPANION	0x8	/* function 0 of the device of one of them */
#define PCI_LU_FOR_BOTH		(PCI_LU_FOR_ENDPOINT | PCI_LU_FOR_BRIDGE)
#define PCI_LU_FOR_FUNCTION	(PCI_LU_FOR_ENDPOINT | PCI_LU_FOR_PF)
#define PCI_LU_FOR_DEVICE	(PCI_LU_FOR_FUNCTION | PCI_LU_FOR_COMPANION)
#define PCI_LU_FOR_BOTH_PF	(PCI_LU_FOR_BOTH | PCI_LU_FOR_PF)
#define PCI_LU_FOR_ALL		(PCI_LU_FOR_DEVICE | PCI_LU_FOR_BRIDGE)

/**
 * enum pci_lu_rule - what a row does to its bits
 * @PCI_LU_KEEP: the bits stay what hardware holds, in both directions
 * @PCI_LU_STICKY1: a bit that is set stays set; a clear bit may be set
 * @PCI_LU_STICKY0: a bit that is clear stays clear; a set bit may be cleared
 * @PCI_LU_ZERO: always written as zero: self-clearing bits that start something
 * @PCI_LU_SHADOW: the write never reaches hardware; it is remembered and reads
 *	are answered from it, so that BAR sizing gets its answer, until the
 *	value that hardware holds is written again
 * @PCI_LU_ROM_ENABLE: as @PCI_LU_STICKY0, and kept while the ROM BAR is
 *	shadowed, so that sizing does not switch the ROM off
 * @PCI_LU_MSIX_CTL: clearing MSI-X Enable becomes Enable with Function Mask
 * @PCI_LU_MSI_CTL: clearing MSI Enable becomes all vectors masked or, where
 *	vectors cannot be masked, Enable off with INTx off
 * @PCI_LU_INTX: INTx Disable that is set stays set until the owner has a handler;
 *	reads are answered with what was written
 * @PCI_LU_MSI_MASK: mask bits cannot be cleared between a withheld clearing of
 *	MSI Enable and the write that sets it again
 */
enum pci_lu_rule {
	PCI_LU_KEEP,
	PCI_LU_STICKY1,
	PCI_LU_STICKY0,
	PCI_LU_ZERO,
	PCI_LU_SHADOW,
	PCI_LU_ROM_ENABLE,
	PCI_LU_MSIX_CTL,
	PCI_LU_MSI_CTL,
	PCI_LU_MSI_MASK,
	PCI_LU_INTX,
};

/**
 * enum pci_lu_after - what makes software and device agree when the guard goes
 * @PCI_LU_AFTER_NOTHING: software keeps no copy, it reads the register when it
 *	needs it
 * @PCI_LU_AFTER_REREAD: pci_lu_resync() reads software's copy from the device
 * @PCI_LU_AFTER_REWRITE: pci_lu_resync() writes to the device what software has
 * @PCI_LU_AFTER_VERIFIED: pci_lu_verify(), or the IOMMU driver, has seen that the
 *	two agree, or the function is fenced
 */
enum pci_lu_after {
	PCI_LU_AFTER_NOTHING,
	PCI_LU_AFTER_REREAD,
	PCI_LU_AFTER_REWRITE,
	PCI_LU_AFTER_VERIFIED,
};

/**
 * enum pci_lu_when - when a row applies at all
 * @PCI_LU_ALWAYS: as long as the guard is armed
 * @PCI_LU_VFS_ON: only if VF Enable was set when the layout was taken
 */
enum pci_lu_when {
	PCI_LU_ALWAYS,
	PCI_LU_VFS_ON,
};

struct pci_lu_row;

/**
 * struct pci_lu_layout - where the registers of one function are
 * @kind: enum pci_lu_kind
 * @roles: PCI_LU_FOR_*, what the function is to the preserved ones
 * @hdr_type: header type without the multi-function bit
 * @pcie_type: device/port type of the PCI Express capability
 * @pcie_ver: version of the PCI Express capability
 * @msi_64: MSI has a 64-bit address
 * @msi_maskable: MSI has per-vector mask and pending bits
 * @msi_vectors: vectors MSI can raise (Multiple Message Capable), 1..32
 * @vfe: VF Enable was set
 * @windows: PCI_LU_WIN_* of the record; the caller may clear bits it knows better (a bridge
 *	that claims 64-bit windows but does not have them) before the guard
 *	is armed
 * @bar_hi: bit i set: BAR i is the upper half of a 64-bit BAR
 * @vf_bar_hi: the same for VF BARs
 * @pm: offset of the Power Management capability, 0 if there is none, and so
 *	on for all below
 * @msi: MSI
 * @msi_mask: MSI mask register, 0 unless @msi_maskable
 * @msix: MSI-X
 * @af: Advanced Features
 * @pcie: PCI Express
 * @pcie_link: == @pcie if it has link registers
 * @pcie_slot: == @pcie if it has slot registers
 * @pcie2: == @pcie if it has Device Control 2
 * @pcie2_link: == @pcie if it has Link Control 2
 * @aer: Advanced Error Reporting
 * @vc: Virtual Channel
 * @mfvc: Multi-Function Virtual Channel
 * @acs: Access Control Services
 * @ari: Alternative Routing-ID
 * @ats: Address Translation Services
 * @sriov: Single Root I/O Virtualization
 * @pri: Page Request Interface
 * @rebar: Resizable BAR
 * @vf_rebar: VF Resizable BAR
 * @tph: TPH Requester
 * @ltr: Latency Tolerance Reporting
 * @pasid: Process Address Space ID
 * @dpc: Downstream Port Containment
 * @l1ss: L1 PM Substates
 * @ptm: Precision Time Measurement
 * @cxl_port: CXL port DVSEC
 * @doe: first Data Object Exchange
 * @ide: Integrity and Data Encryption
 * @nr_bars: BARs of this header type: 6 or 2
 * @nr_vf_bars: VF BARs
 * @nr_vc: VC resource control registers of @vc
 * @nr_mfvc: VC resource control registers of @mfvc
 * @nr_egress: dwords of the ACS egress control vector
 * @nr_rebar: resizable BARs
 * @nr_vf_rebar: resizable VF BARs
 * @nr_st: dwords of a steering tag table inside @tph
 * @nr_ide: dwords from the IDE control register to the end of the capability
 * @nr_rows: rows that the function's driver has given
 * @rows: these rows, see pci_lu_layout_add_rows()
 * @covered: bit n set: some row of the policy touches dword n
 *
 * Filled once, by pci_lu_layout_init(), when the guard is armed.
 */
struct pci_lu_layout {
	u8 kind;
	u8 roles;
	u8 hdr_type;
	u8 pcie_type;
	u8 pcie_ver;
	u8 msi_64;
	u8 msi_maskable;
	u8 msi_vectors;
	u8 vfe;
	u8 windows;
	u8 bar_hi;
	u8 vf_bar_hi;
	u16 pm;
	u16 msi;
	u16 msi_mask;
	u16 msix;
	u16 af;
	u16 pcie;
	u16 pcie_link;
	u16 pcie_slot;
	u16 pcie2;
	u16 pcie2_link;
	u16 aer;
	u16 vc;
	u16 mfvc;
	u16 acs;
	u16 ari;
	u16 ats;
	u16 sriov;
	u16 pri;
	u16 rebar;
	u16 vf_rebar;
	u16 tph;
	u16 ltr;
	u16 pasid;
	u16 dpc;
	u16 l1ss;
	u16 ptm;
	u16 cxl_port;
	u16 doe;
	u16 ide;
	u16 nr_bars;
	u16 nr_vf_bars;
	u16 nr_vc;
	u16 nr_mfvc;
	u16 nr_egress;
	u16 nr_rebar;
	u16 nr_vf_rebar;
	u16 nr_st;
	u16 nr_ide;
	u16 nr_rows;
	const struct pci_lu_row *rows;
	u32 covered[PCI_CFG_SPACE_EXP_SIZE / 4 / 32];
};

/**
 * typedef pci_lu_read_fn - how the layout is read
 * @ctx: what the caller passed along
 * @pos: offset, naturally aligned, below PCI_CFG_SPACE_EXP_SIZE
 * @size: 1, 2 or 4
 *
 * Return: the value, all ones where there is nothing to read.
 */
typedef u32 (*pci_lu_read_fn)(void *ctx, u16 pos, u8 size);

enum pci_lu_reason pci_lu_layout_init(struct pci_lu_layout *l,
				      enum pci_lu_kind kind,
				      pci_lu_read_fn rd, void *ctx);
void pci_lu_layout_add_rows(struct pci_lu_layout *l,
			    const struct pci_lu_row *rows, unsigned int n);
enum pci_lu_reason pci_lu_layout_roles(struct pci_lu_layout *l, u8 roles);

/* One shadowed dword each; which registers these are depends on the kind. */
#define PCI_LU_SLOT_BAR0	0	/* .. 5 */
#define PCI_LU_SLOT_ROM		6
#define PCI_LU_SLOT_VF_BAR0	7	/* .. 12, endpoint only */
#define PCI_LU_SLOT_WIN0	7	/* .. 12, bridge only: dwords 0x1c..0x30 */
#define PCI_LU_NR_SLOTS		13

/**
 * struct pci_lu_slot - one shadowed dword
 * @mask: BARs: the sizing mask the caller gave; windows have a fixed one
 * @stash: what was last written, in the bytes @active names
 * @pos: where the dword is, known once it was written
 * @active: bit n set: byte n was written with something hardware does not hold
 */
struct pci_lu_slot {
	u32 mask;
	u32 stash;
	u16 pos;
	u8 active;
};

/**
 * struct pci_lu_shadow - the mutable state of one guarded function
 * @slot: BARs, ROM BAR and VF BARs or bridge windows
 * @msi_off: the kernel has cleared MSI Enable, hardware still has it set
 * @intx_on: the kernel has cleared INTx Disable, hardware may still have it set
 * @intx_allowed: it may be cleared
 *
 * Protected by whatever serialises pci_lu_policy_write(); readers may race and
 * then see either the old or the new answer of one dword.
 */
struct pci_lu_shadow {
	struct pci_lu_slot slot[PCI_LU_NR_SLOTS];
	bool msi_off;
	bool intx_on;
	bool intx_allowed;
};

void pci_lu_shadow_init(struct pci_lu_shadow *s, const u32 bar_mask[7],
			const u32 vf_bar_mask[6]);
int pci_lu_shadow_differs(const struct pci_lu_shadow *s);

/**
 * enum pci_lu_action - what the guard does with a write
 * @PCI_LU_PASS: write &pci_lu_verdict.value, which is what was asked for
 * @PCI_LU_MERGE: write &pci_lu_verdict.value, which is not (or write it after
 *	the &pci_lu_verdict.also_set)
 * @PCI_LU_DROP: write nothing
 */
enum pci_lu_action {
	PCI_LU_PASS,
	PCI_LU_MERGE,
	PCI_LU_DROP,
};

#define PCI_LU_ROW_NONE		0xffff

/**
 * struct pci_lu_verdict - the answer of pci_lu_policy_write()
 * @action: enum pci_lu_action
 * @also_size: 0, or the width of a second register that has to be changed
 *	*before* @value is written
 * @also_pos: where that register is
 * @row: first row that had a say, see pci_lu_policy_row(); PCI_LU_ROW_NONE if
 *	none
 * @also_set: bits to set there: read it, or them in, write it back
 * @value: what hardware holds afterwards in the bits that are protected, and
 *	what was asked for in all others; to be written at the position and
 *	width of the original access unless @action is PCI_LU_DROP
 * @withheld: bits of the access that do not get the value that was asked for
 *
 * The second register exists only for MSI (rule PCI_LU_MSI_CTL): the mask
 * register, or Command for a function that cannot mask. It has no RW1C bits at
 * that width, so reading it and writing it back is safe.
 */
struct pci_lu_verdict {
	u8 action;
	u8 also_size;
	u16 also_pos;
	u16 row;
	u32 also_set;
	u32 value;
	u32 withheld;
};

struct pci_lu_verdict pci_lu_policy_write(const struct pci_lu_layout *l,
					  struct pci_lu_shadow *s,
					  u16 pos, u8 size, u32 hw, u32 val);
u32 pci_lu_policy_read(const struct pci_lu_layout *l,
		       const struct pci_lu_shadow *s,
		       u16 pos, u8 size, u32 hw);
u32 pci_lu_policy_fenced(u16 pos, u8 size, u32 val);
bool pci_lu_policy_covers(const struct pci_lu_layout *l, u16 pos, u8 size);
u32 pci_lu_policy_protected(const struct pci_lu_layout *l, u16 pos, u8 size);

/**
 * struct pci_lu_row - one row of the policy
 * @name: stable, unique in the table; "PORT." marks rows for bridges
 * @cap: name of the capability, "header" for the predefined header
 * @reg: name of the register
 * @base: offset in &struct pci_lu_layout of the capability's offset, 0: header
 * @count: offset in &struct pci_lu_layout of the number of instances, 0: one
 * @off: offset of the register from its base
 * @width: width of the register in bytes
 * @stride: distance of the instances
 * @slot: rule PCI_LU_SHADOW and PCI_LU_ROM_ENABLE: slot of the first instance
 * @bits: the bits this row is about
 * @kinds: PCI_LU_FOR_*
 * @rule: enum pci_lu_rule
 * @when: enum pci_lu_when
 * @after: enum pci_lu_after
 * @writer: who writes this, and in which phase
 * @why: why the write harms a device in flight
 * @spec: where the PCI Express Base Specification (numbering of revision 6)
 *	describes the register or the effect
 */
struct pci_lu_row {
	const char *name;
	const char *cap;
	const char *reg;
	u16 base;
	u16 count;
	u16 off;
	u8 width;
	u8 stride;
	u8 slot;
	u32 bits;
	u8 kinds;
	u8 rule;
	u8 when;
	u8 after;
	const char *writer;
	const char *why;
	const char *spec;
};

/* Rows that the counters of a function have room for: the table's, the driver's. */
#define PCI_LU_MAX_ROWS		128

const struct pci_lu_row *pci_lu_policy_rows(unsigned int *n);
const struct pci_lu_row *pci_lu_policy_row(const struct pci_lu_layout *l,
					   unsigned int r);
const char *pci_lu_rule_name(enum pci_lu_rule rule);
const char *pci_lu_after_name(enum pci_lu_after after);

/*
 * For iterating over the registers of a row; shared by the evaluation, the
 * layout and the tools.
 */
bool pci_lu_row_applies(const struct pci_lu_row *row,
			const struct pci_lu_layout *l);
unsigned int pci_lu_row_count(const struct pci_lu_row *row,
			      const struct pci_lu_layout *l);
u16 pci_lu_row_pos(const struct pci_lu_row *row, const struct pci_lu_layout *l,
		   unsigned int i);

#endif /* _PCI_LU_POLICY_H */
