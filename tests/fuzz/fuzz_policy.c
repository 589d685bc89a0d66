// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzing of layout and policy. The first byte says what the device is: one of
 * the models of the unit tests, of which it is known what must not happen, or
 * config space taken from the input, where only general rules can be checked.
 */
#include <stdlib.h>

#include "model.h"

static struct model m;

static void require(bool cond)
{
	if (!cond)
		abort();
}

static u32 mask_of(u8 size)
{
	return size == 4 ? ~0U : (1U << 8 * size) - 1;
}

/* What holds for every write, whatever the device. */
static void check_verdict(u16 pos, u8 size, u32 hw, u32 val)
{
	const struct pci_lu_verdict *v = &m.last;
	u32 protected = pci_lu_policy_protected(&m.layout, pos, size);
	unsigned int n;

	pci_lu_policy_rows(&n);
	require(!(v->value & ~mask_of(size)));
	require(!(protected & ~mask_of(size)));
	require(v->row == PCI_LU_ROW_NONE || v->row < n);
	require(v->action == PCI_LU_PASS || v->row != PCI_LU_ROW_NONE);
	require(v->action != PCI_LU_PASS || v->value == val);
	require(v->action == PCI_LU_PASS || protected);
	require(v->action != PCI_LU_DROP || v->value == hw);
	/* Bits that no row is about are never touched. */
	if (v->action != PCI_LU_DROP)
		require(!((v->value ^ val) & ~protected));
	else
		require(protected == mask_of(size) || hw == mask_of(size));
	/* A protected bit ends as asked for, or as it was, or as zero. */
	require(v->withheld == (v->value ^ val));
	require(!v->also_size || v->also_pos + v->also_size <= PCI_CFG_SPACE_SIZE);
	require(pci_lu_policy_covers(&m.layout, pos, size) || !protected);
}

/* INTx Disable, where it lies in this access: answered as it was written until the owner may have INTx. */
static u32 intx_answer(u16 pos, u8 size)
{
	u8 i;

	if (!m.shadow.intx_on || m.shadow.intx_allowed)
		return 0;
	for (i = 0; i < size; i++)
		if (pos + i == PCI_COMMAND + 1)
			return PCI_COMMAND_INTX_DISABLE >> 8 << 8 * i;
	return 0;
}

static void check_reads(u16 pos, u8 size)
{
	u32 whole = model_read(&m, pos, size);
	u32 hw = model_hw_read(&m, pos, size);
	u8 i;

	/* One wide read and several narrow ones give the same. */
	for (i = 0; i < size && pos + i < 4096; i++)
		require(model_read(&m, pos + i, 1) == (whole >> 8 * i & 0xff));
	/* Only shadowed bits are answered by other than hardware. */
	require(!((whole ^ hw) & ~pci_lu_policy_protected(&m.layout, pos, size)));
	if (pci_lu_shadow_differs(&m.shadow) < 0)
		require(whole == (hw & ~intx_answer(pos, size)));
}

static bool setup(const u8 **data, size_t *len)
{
	static const u32 none[6];
	u8 what = **data;
	size_t n;

	(*data)++;
	(*len)--;
	if (!(what & 4)) {
		model_init(&m, what & 1, what & 2 ? MODEL_VFS : 0);
		return true;
	}

	memset(&m, 0, sizeof(m));
	m.kind = what & 1;
	n = *len / 2 < 4096 ? *len / 2 : 4096;
	memcpy(m.cfg, *data, n);
	*data += n;
	*len -= n;
	m.cfg[0] |= 1;
	m.cfg[0x0e] = what & 1;
	if (pci_lu_layout_init(&m.layout, m.kind, model_layout_read, &m))
		return false;
	pci_lu_shadow_init(&m.shadow, model_bar_mask, what & 1 ? none : model_vf_bar_mask);

	return true;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	bool known;

	if (len < 2 || !(data[0] & 4))
		known = true;
	else
		known = false;
	if (len < 2 || !setup(&data, &len))
		return 0;

	for (; len >= 7; data += 7, len -= 7) {
		u8 size = 1 << data[0] % 3;
		u16 pos = (data[1] | data[2] << 8) & 0xfff;
		u32 val, hw;

		memcpy(&val, data + 3, 4);
		val &= mask_of(size);
		/* Mostly aligned, as the kernel insists, but not only. */
		if (data[0] & 0x80)
			pos &= ~(size - 1);
		/* Restoring what is there is the most common write of all. */
		if (data[0] & 0x40)
			val = model_read(&m, pos, size);
		hw = model_hw_read(&m, pos, size);
		model_write(&m, pos, size, val);
		check_verdict(pos, size, hw, val);
		check_reads(pos, size);
		if (known)
			require(!model_violation(&m));
	}

	return 0;
}
