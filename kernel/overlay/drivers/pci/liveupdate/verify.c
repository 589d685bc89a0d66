// SPDX-License-Identifier: GPL-2.0
/*
 * PCI live update: is a function what its record says?
 *
 * Pure: reads through a callback. What is compared of a control register is what
 * the policy protects: the rest may have changed on the way.
 */

#include "verify.h"

#define AT(member)	offsetof(struct pci_lu_layout, member)
#define SER(member)	offsetof(struct pci_lu_fn_ser, member)

/* Instead of a mask: the bits that the policy protects. */
#define PCI_LU_PROTECTED	0

/**
 * struct pci_lu_recorded - a register of which the record has the value
 * @reg: its name
 * @base: offset in &struct pci_lu_layout of the capability's offset, 0: header
 * @off: offset of the register from its base
 * @width: width of the register in bytes, here and in the record
 * @count: how many there are
 * @ser: offset of the first in &struct pci_lu_fn_ser
 * @mask: the bits to compare, or %PCI_LU_PROTECTED
 * @kinds: PCI_LU_FOR_*
 * @why: what it means when they differ
 */
struct pci_lu_recorded {
	const char *reg;
	u16 base;
	u16 off;
	u8 width;
	u8 count;
	u16 ser;
	u32 mask;
	u8 kinds;
	enum pci_lu_reason why;
};

#define REG(_reg, _off, _width, _count, _ser, _mask, _kinds, _why) \
	{ .reg = _reg, .off = _off, .width = _width, .count = _count, \
	  .ser = SER(_ser), .mask = _mask, .kinds = PCI_LU_FOR_##_kinds, \
	  .why = PCI_LU_REASON_ADOPT_##_why }
#define CTL(_reg, _base, _off, _ser) \
	{ .reg = _reg, .base = AT(_base), .off = _off, .width = 2, .count = 1, \
	  .ser = SER(_ser), .mask = PCI_LU_PROTECTED, \
	  .kinds = PCI_LU_FOR_ALL, .why = PCI_LU_REASON_ADOPT_REGISTER }
#define VFS(_reg, _off, _width, _count, _ser, _why) \
	{ .reg = _reg, .base = AT(sriov), .off = _off, .width = _width, \
	  .count = _count, .ser = SER(_ser), .mask = ~0U, \
	  .kinds = PCI_LU_FOR_PF, .why = PCI_LU_REASON_ADOPT_##_why }

static const struct pci_lu_recorded pci_lu_recorded[] = {
	/* Not there in a VF; its PF says what it is. */
	REG("Vendor ID", PCI_VENDOR_ID, 2, 1, vendor, 0xffff, ALL, IDENTITY),
	REG("Device ID", PCI_DEVICE_ID, 2, 1, device, 0xffff, ALL, IDENTITY),
	REG("Class Code", PCI_CLASS_REVISION, 4, 1, class_rev, ~0U, ALL, IDENTITY),
	REG("Subsystem Vendor ID", PCI_SUBSYSTEM_VENDOR_ID, 2, 1, subvendor, 0xffff,
	    DEVICE, IDENTITY),
	REG("Subsystem ID", PCI_SUBSYSTEM_ID, 2, 1, subdevice, 0xffff, DEVICE,
	    IDENTITY),
	REG("Base Address", PCI_BASE_ADDRESS_0, 4, 6, bar, ~0U, FUNCTION, BAR),
	REG("Base Address", PCI_BASE_ADDRESS_0, 4, 2, bar, ~0U, BRIDGE, BAR),
	REG("Expansion ROM Base Address", PCI_ROM_ADDRESS, 4, 1, bar[6],
	    (u32)PCI_ROM_ADDRESS_MASK, ENDPOINT, BAR),
	REG("Expansion ROM Base Address", PCI_ROM_ADDRESS1, 4, 1, bar[6],
	    (u32)PCI_ROM_ADDRESS_MASK, BRIDGE, BAR),
	REG("Bus Numbers", PCI_PRIMARY_BUS, 4, 1, bus_numbers, 0x00ffffff, BRIDGE,
	    BUS_NUMBERS),
	/* Without Secondary Status, which is next to it. */
	REG("I/O Base, Limit", PCI_IO_BASE, 2, 1, window[0], 0xffff, BRIDGE, WINDOW),
	REG("Memory Window", PCI_MEMORY_BASE, 4, 5, window[1], ~0U, BRIDGE, WINDOW),
	REG("Bridge Control", PCI_BRIDGE_CONTROL, 2, 1, bridge_control,
	    PCI_BRIDGE_CTL_BUS_RESET, BRIDGE, REGISTER),
	{ .reg = "PMCSR", .base = AT(pm), .off = PCI_PM_CTRL, .width = 2, .count = 1,
	  .ser = SER(pmcsr), .mask = PCI_PM_CTRL_STATE_MASK,
	  .kinds = PCI_LU_FOR_BOTH_PF, .why = PCI_LU_REASON_ADOPT_POWER },
	CTL("Device Control", pcie, PCI_EXP_DEVCTL, devctl),
	CTL("Device Control 2", pcie2, PCI_EXP_DEVCTL2, devctl2),
	CTL("Link Control", pcie_link, PCI_EXP_LNKCTL, lnkctl),
	CTL("Link Control 2", pcie2_link, PCI_EXP_LNKCTL2, lnkctl2),
	CTL("ATS Control", ats, PCI_ATS_CTRL, ats_ctrl),
	CTL("PRI Control", pri, PCI_PRI_CTRL, pri_ctrl),
	CTL("PASID Control", pasid, PCI_PASID_CTRL, pasid_ctrl),
	CTL("ACS Control", acs, PCI_ACS_CTRL, acs_ctrl),
	CTL("SR-IOV Control", sriov, PCI_SRIOV_CTRL, sriov_ctrl),
	CTL("NumVFs", sriov, PCI_SRIOV_NUM_VF, num_vfs),
	VFS("First VF Offset", PCI_SRIOV_VF_OFFSET, 2, 1, vf_offset, REGISTER),
	VFS("VF Stride", PCI_SRIOV_VF_STRIDE, 2, 1, vf_stride, REGISTER),
	VFS("VF Base Address", PCI_SRIOV_BAR, 4, 6, vf_bar, BAR),
};

static u16 pci_lu_base(const struct pci_lu_recorded *r,
		       const struct pci_lu_layout *l)
{
	return *(const u16 *)((const u8 *)l + r->base);
}

static u32 pci_lu_value(const struct pci_lu_recorded *r,
			const struct pci_lu_fn_ser *ser, unsigned int i)
{
	const u8 *p = (const u8 *)ser + r->ser + i * r->width;
	u32 val = 0;

	memcpy(&val, p, r->width);
	return val;
}

static bool pci_lu_is_id(const struct pci_lu_recorded *r)
{
	return !r->base && r->off <= PCI_DEVICE_ID;
}

/* One register. A capability that is gone must have had nothing switched on. */
static bool pci_lu_same(const struct pci_lu_recorded *r, unsigned int i,
			const struct pci_lu_layout *l,
			const struct pci_lu_fn_ser *ser, pci_lu_read_fn rd,
			void *ctx, struct pci_lu_mismatch *bad)
{
	u16 pos = r->off + i * r->width;
	u32 mask = r->mask;

	bad->reg = r->reg;
	bad->recorded = pci_lu_value(r, ser, i);
	bad->found = 0;
	if (r->base && !pci_lu_base(r, l))
		return !bad->recorded;
	if (r->base)
		pos += pci_lu_base(r, l);
	if (mask == PCI_LU_PROTECTED)
		mask = pci_lu_policy_protected(l, pos, r->width);
	bad->found = rd(ctx, pos, r->width);
	return !((bad->recorded ^ bad->found) & mask);
}

/* Decoders and Bus Master may have been switched on meanwhile, but not off. */
static bool pci_lu_same_command(const struct pci_lu_layout *l,
				const struct pci_lu_fn_ser *ser, pci_lu_read_fn rd,
				void *ctx, struct pci_lu_mismatch *bad)
{
	u16 bits = PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;

	if (!(l->roles & PCI_LU_FOR_BOTH))
		bits = l->roles & PCI_LU_FOR_PF ? PCI_COMMAND_MEMORY : 0;
	bad->reg = "Command";
	bad->recorded = ser->command;
	bad->found = rd(ctx, PCI_COMMAND, 2);
	return !(ser->command & ~bad->found & bits);
}

/**
 * pci_lu_verify_regs - compare a live function with every register of its record
 * @l: the function
 * @ser: its record
 * @rd: how to read its config space, past the guard
 * @ctx: passed to @rd
 * @bad: set to the first register that differs
 *
 * Return: %PCI_LU_OK, or what the difference means.
 */
enum pci_lu_reason pci_lu_verify_regs(const struct pci_lu_layout *l,
				      const struct pci_lu_fn_ser *ser,
				      pci_lu_read_fn rd, void *ctx,
				      struct pci_lu_mismatch *bad)
{
	unsigned int i, n;

	for (i = 0; i < ARRAY_SIZE(pci_lu_recorded); i++) {
		const struct pci_lu_recorded *r = &pci_lu_recorded[i];

		if (!(r->kinds & l->roles) ||
		    (l->kind == PCI_LU_VF && pci_lu_is_id(r)))
			continue;
		for (n = 0; n < r->count; n++)
			if (!pci_lu_same(r, n, l, ser, rd, ctx, bad))
				return r->why;
	}
	return pci_lu_same_command(l, ser, rd, ctx, bad) ?
		       PCI_LU_OK : PCI_LU_REASON_ADOPT_COMMAND;
}
