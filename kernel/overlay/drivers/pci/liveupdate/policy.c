// SPDX-License-Identifier: GPL-2.0
/*
 * PCI live update: what becomes of a config access to a function in flight.
 *
 * Pure: no I/O, allocation, locks or printing. The table is in policy_table.c.
 */

/**
 * DOC: Evaluation of the policy
 *
 * The default is to pass. A write is changed only in bits that a row of the
 * table protects; all others, in particular the RW1C bits of a status register
 * that shares the dword, reach hardware as they were asked for. The width and
 * the position of the access never change: reading a neighbour in order to
 * write it back would clear its RW1C bits.
 *
 * If all bits of an access are protected and nothing in it would change what
 * hardware holds, the write is dropped.
 *
 * **Rows of a driver.** The driver of a function may add rows of its own, for
 * registers that only it knows. They come after the table, and have no say about
 * bits that the table protects.
 *
 * **Sizing.** The PCI core sizes a BAR by writing all ones and reading back, and
 * tests bridge windows alike, behind closed decoders, which a function in
 * flight cannot afford. Such registers are shadowed: the write goes to a slot,
 * the read is answered as hardware would have answered, and the core ends by
 * writing back what it found, which empties the slot. Slots work by the byte,
 * so that any mixture of access widths gives the same answer, and 64-bit BARs
 * need no special care: the core sizes them as two dwords.
 *
 * A slot that stays in use means that the core has moved the resource while
 * hardware has not followed. pci_lu_shadow_differs() tells; such a function
 * must be fenced, for the kernel would map someone else's MMIO.
 *
 * **SR-IOV.** sriov_init() writes SR-IOV Control, System Page Size and NumVFs,
 * and believes what it wrote without reading it back; compute_max_vf_buses()
 * reads First VF Offset and VF Stride for every value of NumVFs. Keeping those
 * registers would give it the answers for another value than it asked about,
 * and, where the stride for NumVFs = 0 is 0, a failure. As long as VF Enable is
 * off they decide nothing that is in flight, so they pass, and software and
 * hardware agree. VF Enable and VF MSE are kept in any case: off, because VFs
 * that appear in the middle of an update would decode addresses nobody has
 * checked; on, because VFs would vanish. With VF Enable on, everything is kept
 * and the VF BARs are shadowed, as the PCIe specification forbids changing them
 * then; the core reads the offset and stride that are in effect.
 *
 * **MSI-X** gets Function Mask instead of Enable = 0: what is raised meanwhile
 * is latched in the Pending Bit Array, and INTx does not come back to life.
 * **MSI** stays enabled with all vectors masked. Until the core enables it again
 * it cannot unmask: pci_msi_shutdown() unmasks everything after it has
 * disabled MSI, which would let the function send to a vector that is gone.
 * Without mask bits Enable has to go, for the vector is not ours any more;
 * INTx is disabled first, so that the function does not fall back to it.
 *
 * **INTx** that was disabled at freeze stays so until the owner has a handler for
 * it and says so, though the core enables it with the device. Reads are
 * answered with what was written: pci_intx_mask_broken() takes a bit that does not
 * change for broken. A driver that masks the level reads and writes by the
 * same rule, and what it wanted is done when it may be.
 */

#include "policy.h"

/* Where the bits of a register are in an access that overlaps it. */
static u32 pci_lu_to_access(u32 bits, u16 reg, u16 pos, u32 mask)
{
	u64 b = bits;

	b = reg >= pos ? b << (8 * (reg - pos)) : b >> (8 * (pos - reg));

	return b & mask;
}

static u32 pci_lu_access_mask(u8 size)
{
	return size >= 4 ? ~0U : (1U << (8 * size)) - 1;
}

static u8 pci_lu_byte(u32 val, unsigned int n)
{
	return val >> (8 * n);
}

static u32 pci_lu_set_byte(u32 val, unsigned int n, u8 byte)
{
	return (val & ~(0xffU << (8 * n))) | ((u32)byte << (8 * n));
}

static bool pci_lu_overlaps(u16 reg, u8 width, u16 pos, u8 size)
{
	return reg < pos + size && pos < reg + width;
}

static u32 pci_lu_window_mask(u8 windows, unsigned int slot)
{
	switch (slot - PCI_LU_SLOT_WIN0) {
	case 0:
		return windows & PCI_LU_WIN_IO ? 0xf0f0 : 0;
	case 1:
		return 0xfff0fff0;
	case 2:
		return windows & PCI_LU_WIN_PREF ? 0xfff0fff0 : 0;
	case 3:
	case 4:
		return windows & PCI_LU_WIN_PREF64 ? ~0U : 0;
	default:
		return windows & PCI_LU_WIN_IO32 ? ~0U : 0;
	}
}

/* The bits of a slot that a write would change if it reached hardware. */
static u32 pci_lu_slot_mask(const struct pci_lu_layout *l,
			    const struct pci_lu_shadow *s, unsigned int slot)
{
	u32 mask = s->slot[slot].mask;

	if (slot == PCI_LU_SLOT_ROM)
		return mask & PCI_ROM_ADDRESS_MASK;
	if (slot < PCI_LU_SLOT_ROM)
		return l->bar_hi & (1 << slot) ? mask : mask & ~3U;
	if (l->kind == PCI_LU_BRIDGE)
		return pci_lu_window_mask(l->windows, slot);

	slot -= PCI_LU_SLOT_VF_BAR0;

	return l->vf_bar_hi & (1 << slot) ? mask : mask & ~0xfU;
}

/*
 * A write to a shadowed register: byte by byte it is remembered, or forgotten
 * if it asks for what hardware holds.
 */
static void pci_lu_shadow_write(const struct pci_lu_layout *l,
				struct pci_lu_shadow *s, unsigned int slot,
				u16 reg, u8 width, u16 pos, u8 size,
				u32 hw, u32 val)
{
	struct pci_lu_slot *sl = &s->slot[slot];
	u32 mask = pci_lu_slot_mask(l, s, slot);
	unsigned int n;

	sl->pos = reg;
	for (n = 0; n < width; n++) {
		unsigned int a = reg + n - pos;
		u8 byte;

		if (reg + n < pos || a >= size)
			continue;
		byte = pci_lu_byte(val, a);
		sl->stash = pci_lu_set_byte(sl->stash, n, byte);
		if ((byte ^ pci_lu_byte(hw, a)) & pci_lu_byte(mask, n))
			sl->active |= 1 << n;
		else
			sl->active &= ~(1 << n);
	}
}

static u32 pci_lu_shadow_read(const struct pci_lu_layout *l,
			      const struct pci_lu_shadow *s, unsigned int slot,
			      u16 reg, u16 pos, u8 size, u32 hw)
{
	const struct pci_lu_slot *sl = &s->slot[slot];
	u32 mask = pci_lu_slot_mask(l, s, slot);
	unsigned int n;

	for (n = 0; n < 4; n++) {
		unsigned int a = reg + n - pos;
		u8 m = pci_lu_byte(mask, n);

		if (!(sl->active & (1 << n)) || reg + n < pos || a >= size)
			continue;
		hw = pci_lu_set_byte(hw, a, (pci_lu_byte(sl->stash, n) & m) |
					    (pci_lu_byte(hw, a) & ~m));
	}

	return hw;
}

/* MSI Enable is about to be cleared in hardware that has it set. */
static void pci_lu_msi_disable(const struct pci_lu_layout *l,
			       struct pci_lu_shadow *s,
			       struct pci_lu_verdict *v, u32 enable)
{
	if (l->msi_mask) {
		v->value |= enable;
		v->also_pos = l->msi_mask;
		v->also_size = 4;
		v->also_set = l->msi_vectors >= 32 ? ~0U :
						     (1U << l->msi_vectors) - 1;
		s->msi_off = true;
	} else {
		v->also_pos = PCI_COMMAND;
		v->also_size = 2;
		v->also_set = PCI_COMMAND_INTX_DISABLE;
	}
}

struct pci_lu_write {
	u16 pos;
	u8 size;
	u32 hw;
	u32 val;
};

/* One register of one row; @bits are its bits in terms of the access. */
static void pci_lu_apply(const struct pci_lu_row *row, unsigned int i, u16 reg,
			 const struct pci_lu_layout *l, struct pci_lu_shadow *s,
			 const struct pci_lu_write *w, u32 bits,
			 struct pci_lu_verdict *v)
{
	u32 keep = 0;

	switch (row->rule) {
	case PCI_LU_KEEP:
		keep = bits;
		break;
	case PCI_LU_STICKY1:
		keep = bits & w->hw;
		break;
	case PCI_LU_STICKY0:
		keep = bits & ~w->hw;
		break;
	case PCI_LU_ZERO:
		v->value &= ~bits;
		break;
	case PCI_LU_SHADOW:
		pci_lu_shadow_write(l, s, row->slot + i, reg, row->width,
				    w->pos, w->size, w->hw, w->val);
		keep = bits;
		break;
	case PCI_LU_ROM_ENABLE:
		keep = s->slot[row->slot + i].active ? bits : bits & ~w->hw;
		break;
	case PCI_LU_MSIX_CTL:
		if (pci_lu_to_access(PCI_MSIX_FLAGS_ENABLE, reg, w->pos, bits) &
		    w->hw & ~w->val)
			v->value |= bits;
		break;
	case PCI_LU_MSI_CTL:
		if (w->val & bits)
			s->msi_off = false;
		else if (w->hw & bits)
			pci_lu_msi_disable(l, s, v, bits);
		break;
	case PCI_LU_MSI_MASK:
		keep = s->msi_off ? bits & w->hw : 0;
		break;
	case PCI_LU_INTX:
		s->intx_on = !(w->val & bits);
		keep = s->intx_allowed ? 0 : bits & w->hw;
		break;
	}

	v->value = (v->value & ~keep) | (w->hw & keep);
}

/**
 * pci_lu_policy_row - a row of the table, or of the function's driver
 * @l: the function
 * @r: number of the row: those of the table first, then the driver's
 *
 * Return: the row; @r is in range.
 */
const struct pci_lu_row *pci_lu_policy_row(const struct pci_lu_layout *l,
					   unsigned int r)
{
	unsigned int n;
	const struct pci_lu_row *rows = pci_lu_policy_rows(&n);

	return r < n ? &rows[r] : &l->rows[r - n];
}

/**
 * pci_lu_policy_write - decide about a config write
 * @l: the function
 * @s: its shadow state
 * @pos: offset of the access
 * @size: width of the access: 1, 2 or 4
 * @hw: what hardware holds at @pos, read at the same width
 * @val: what is to be written
 *
 * Context: Any. Calls for the same @s must be serialised, together with the read
 * of @hw and the write of the result.
 *
 * Return: the verdict; &pci_lu_verdict.also_size must be looked at as well as
 * &pci_lu_verdict.action.
 */
struct pci_lu_verdict pci_lu_policy_write(const struct pci_lu_layout *l,
					  struct pci_lu_shadow *s,
					  u16 pos, u8 size, u32 hw, u32 val)
{
	const u32 mask = pci_lu_access_mask(size);
	const struct pci_lu_write w = { pos, size, hw & mask, val & mask };
	struct pci_lu_verdict v = {
		.action = PCI_LU_PASS,
		.row = PCI_LU_ROW_NONE,
		.value = w.val,
	};
	unsigned int n, r, i, count;
	u16 shadow_row = PCI_LU_ROW_NONE;
	u32 protected = 0;

	if (!pci_lu_policy_covers(l, pos, size))
		return v;

	pci_lu_policy_rows(&n);
	for (r = 0; r < n + l->nr_rows; r++) {
		const struct pci_lu_row *row = pci_lu_policy_row(l, r);

		if (!pci_lu_row_applies(row, l))
			continue;
		count = pci_lu_row_count(row, l);
		for (i = 0; i < count; i++) {
			u16 reg = pci_lu_row_pos(row, l, i);
			u32 before = v.value;
			u32 bits;

			if (!pci_lu_overlaps(reg, row->width, pos, size))
				continue;
			bits = pci_lu_to_access(row->bits, reg, pos, mask);
			if (r >= n)	/* the table goes first */
				bits &= ~protected;
			if (!bits)
				continue;
			pci_lu_apply(row, i, reg, l, s, &w, bits, &v);
			protected |= bits;
			if (row->rule == PCI_LU_SHADOW)
				shadow_row = r;
			if (v.row == PCI_LU_ROW_NONE &&
			    (v.value != before || v.also_size))
				v.row = r;
		}
	}

	v.withheld = v.value ^ w.val;
	if (v.withheld || v.also_size)
		v.action = PCI_LU_MERGE;
	if (v.also_size)
		return v;

	if (protected == mask && v.value == w.hw) {
		/* What is asked for of a shadowed register may be equal. */
		if (v.withheld || shadow_row != PCI_LU_ROW_NONE)
			v.action = PCI_LU_DROP;
		if (v.row == PCI_LU_ROW_NONE)
			v.row = shadow_row;
	} else if (v.withheld && size > 1 && w.hw == mask) {
		/*
		 * All ones from something wider than a byte is no register with
		 * a protected field in it, but a function that does not answer.
		 * If it comes back it must not find all ones in the fields that
		 * are to be kept.
		 */
		v.action = PCI_LU_DROP;
	}

	if (v.action == PCI_LU_DROP) {
		v.value = w.hw;
		v.withheld = w.hw ^ w.val;
	}

	return v;
}

/**
 * pci_lu_policy_read - what a config read is answered with
 * @l: the function
 * @s: its shadow state
 * @pos: offset of the access
 * @size: width of the access: 1, 2 or 4
 * @hw: what hardware holds at @pos, read at the same width
 *
 * Return: @hw, but for registers that are being sized, and INTx Disable.
 */
u32 pci_lu_policy_read(const struct pci_lu_layout *l,
		       const struct pci_lu_shadow *s, u16 pos, u8 size, u32 hw)
{
	unsigned int n, r, i, count;
	const struct pci_lu_row *row = pci_lu_policy_rows(&n);

	if (!pci_lu_policy_covers(l, pos, size))
		return hw;

	for (r = 0; r < n; r++, row++) {
		if ((row->rule != PCI_LU_SHADOW && row->rule != PCI_LU_INTX) ||
		    !pci_lu_row_applies(row, l))
			continue;
		count = pci_lu_row_count(row, l);
		for (i = 0; i < count; i++) {
			u16 reg = pci_lu_row_pos(row, l, i);

			if (!pci_lu_overlaps(reg, row->width, pos, size))
				continue;
			if (row->rule == PCI_LU_SHADOW)
				hw = pci_lu_shadow_read(l, s, row->slot + i,
							reg, pos, size, hw);
			else if (s->intx_on && !s->intx_allowed)
				hw &= ~pci_lu_to_access(row->bits, reg, pos,
							pci_lu_access_mask(size));
		}
	}

	return hw;
}

/**
 * pci_lu_policy_fenced - what a write becomes while a function is fenced
 * @pos: offset of the access
 * @size: width of the access: 1, 2 or 4
 * @val: what is to be written
 *
 * Return: @val, with Bus Master clear and INTx Disable set where it touches them.
 */
u32 pci_lu_policy_fenced(u16 pos, u8 size, u32 val)
{
	const u32 mask = pci_lu_access_mask(size);

	if (!pci_lu_overlaps(PCI_COMMAND, 2, pos, size))
		return val;
	val &= ~pci_lu_to_access(PCI_COMMAND_MASTER, PCI_COMMAND, pos, mask);
	return val | pci_lu_to_access(PCI_COMMAND_INTX_DISABLE, PCI_COMMAND, pos,
				      mask);
}

/**
 * pci_lu_policy_covers - is an access anything the policy has rows about
 * @l: the function
 * @pos: offset of the access
 * @size: width of the access: 1, 2 or 4
 *
 * Cheap; works by the dword, so true does not mean that a bit is protected.
 *
 * Return: false if the access can be let through without further ado.
 */
bool pci_lu_policy_covers(const struct pci_lu_layout *l, u16 pos, u8 size)
{
	unsigned int first = pos / 4;
	unsigned int last = (pos + size - 1) / 4;

	for (; first <= last; first++) {
		if (first >= PCI_CFG_SPACE_EXP_SIZE / 4)
			return false;
		if (l->covered[first / 32] & (1U << (first % 32)))
			return true;
	}

	return false;
}

/**
 * pci_lu_policy_protected - which bits of an access some row is about
 * @l: the function
 * @pos: offset of the access
 * @size: width of the access: 1, 2 or 4
 *
 * Return: the bits; all others reach hardware as they were asked for.
 */
u32 pci_lu_policy_protected(const struct pci_lu_layout *l, u16 pos, u8 size)
{
	const u32 mask = pci_lu_access_mask(size);
	unsigned int n, r, i, count;
	u32 bits = 0;

	pci_lu_policy_rows(&n);
	for (r = 0; r < n + l->nr_rows; r++) {
		const struct pci_lu_row *row = pci_lu_policy_row(l, r);

		if (!pci_lu_row_applies(row, l))
			continue;
		count = pci_lu_row_count(row, l);
		for (i = 0; i < count; i++) {
			u16 reg = pci_lu_row_pos(row, l, i);

			if (pci_lu_overlaps(reg, row->width, pos, size))
				bits |= pci_lu_to_access(row->bits, reg, pos,
							 mask);
		}
	}

	return bits;
}

/**
 * pci_lu_shadow_init - forget all shadow state
 * @s: the state
 * @bar_mask: sizing masks of BAR 0-5 and the ROM BAR: the bits that are an
 *	address, 0 if there is no BAR; a 64-bit BAR takes two entries
 * @vf_bar_mask: the same for VF BARs
 */
void pci_lu_shadow_init(struct pci_lu_shadow *s, const u32 bar_mask[7],
			const u32 vf_bar_mask[6])
{
	unsigned int i;

	memset(s, 0, sizeof(*s));
	for (i = 0; i < 7; i++)
		s->slot[PCI_LU_SLOT_BAR0 + i].mask = bar_mask[i];
	for (i = 0; i < 6; i++)
		s->slot[PCI_LU_SLOT_VF_BAR0 + i].mask = vf_bar_mask[i];
}

/**
 * pci_lu_shadow_differs - does the kernel believe in another BAR or window
 * @s: the shadow state
 *
 * To be asked once the resources have been surveyed and, if need be, assigned.
 *
 * Return: offset of the first register that hardware holds another value in
 * than was last written, or -1.
 */
int pci_lu_shadow_differs(const struct pci_lu_shadow *s)
{
	unsigned int i;
	int pos = -1;

	for (i = 0; i < PCI_LU_NR_SLOTS; i++)
		if (s->slot[i].active && (pos < 0 || s->slot[i].pos < pos))
			pos = s->slot[i].pos;

	return pos;
}
