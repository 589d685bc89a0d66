// SPDX-License-Identifier: GPL-2.0
/* What holds of a function that others need: a PF, and function 0. And VFs. */
#include <string.h>

#include "kernel.h"
#include "tap.h"
#include "verify.h"

static struct model m;

/* By literal offset in the model, from the specification: what a VF takes from its PF, and what all
 * functions of a device share. */
static const struct {
	u16 pos;
	u8 size;
	u32 pf, companion;
} protected[] = {
	{ 0x04, 2, 0x0002, 0 }, /* Memory Space, as VF BARs are not sized behind closed decoders */
	{ 0x0f, 1, 0x40, 0 }, /* BIST */
	{ 0x10, 4, 0xffffffff, 0 },
	{ 0x24, 4, 0xffffffff, 0 },
	{ 0x30, 4, 0, 0 }, /* the ROM */
	{ 0x44, 2, 0x0003, 0 }, /* VFs are in D3 when the PF is */
	{ 0x52, 2, 0, 0 }, /* MSI and MSI-X are the PF's own */
	{ 0x72, 2, 0, 0 },
	{ 0xa8, 2, 0xfbf0, 0x00e0 }, /* FLR, MPS, MRRS, tags, ordering; MPS with ARI */
	{ 0xb0, 2, 0x03cb, 0x03cb }, /* the link */
	{ 0xc8, 2, 0x175f, 0x0400 }, /* timeouts, atomics, IDO, tags, LTR; LTR */
	{ 0xd0, 2, 0xffff, 0xffff },
	{ 0xe4, 1, 0x01, 0 }, /* AF FLR */
	{ 0x108, 4, 0, 0 }, /* AER masks */
	{ 0x118, 4, 0x140, 0 },
	{ 0x156, 2, 0xffff, 0xffff }, /* ARI Control */
	{ 0x168, 2, 0x001f, 0 }, /* SR-IOV: all of it */
	{ 0x170, 2, 0xffff, 0 },
	{ 0x180, 4, 0xffffffff, 0 },
	{ 0x184, 4, 0xffffffff, 0 },
	{ 0x198, 4, 0xffffffff, 0 },
	{ 0x1a8, 4, 0, 0 }, /* TPH */
	{ 0x1c4, 4, 0xffffffff, 0xffffffff }, /* LTR */
	{ 0x1d6, 2, 0xffff, 0xffff }, /* ACS */
	{ 0x1e6, 2, 0xffff, 0 }, /* ATS: the unit of VFs */
	{ 0x1f4, 2, 0x0003, 0 }, /* PRI and PASID of VFs are the PF's */
	{ 0x206, 2, 0xffff, 0 },
	{ 0x218, 4, 0xffff1f00, 0 },
	{ 0x238, 4, 0xffff1f00, 0 },
	{ 0x25c, 2, 0xffff, 0xffff }, /* VC, MFVC */
	{ 0x28c, 2, 0xffff, 0xffff },
	{ 0x2b8, 4, 0xffffffff, 0xffffffff }, /* L1 substates, PTM */
	{ 0x2c8, 4, 0xffffffff, 0xffffffff },
	{ 0x308, 4, 0xffffffff, 0 }, /* IDE */
};

static void role(u8 roles)
{
	model_init(&m, PCI_LU_ENDPOINT, MODEL_VFS);
	eq(pci_lu_layout_roles(&m.layout, roles), 0);
}

static void roles_hold_what_others_need(void)
{
	unsigned int i;

	for (i = 0; i < sizeof(protected) / sizeof(*protected); i++) {
		u16 pos = protected[i].pos;
		u8 size = protected[i].size;
		u32 own, pf, companion;

		role(PCI_LU_FOR_ENDPOINT);
		own = pci_lu_policy_protected(&m.layout, pos, size);
		role(PCI_LU_FOR_PF);
		pf = pci_lu_policy_protected(&m.layout, pos, size);
		okf(pf == protected[i].pf, "PF, %#x: %#x", pos, pf);
		okf(!pf == !pci_lu_policy_covers(&m.layout, pos, size) || pos == 0x0f,
		    "PF, %#x: covers", pos);
		role(PCI_LU_FOR_COMPANION);
		companion = pci_lu_policy_protected(&m.layout, pos, size);
		okf(companion == protected[i].companion, "companion, %#x: %#x", pos, companion);
		role(PCI_LU_FOR_PF | PCI_LU_FOR_COMPANION);
		okf(pci_lu_policy_protected(&m.layout, pos, size) == (pf | companion), "both, %#x",
		    pos);
		/* No row is for a PF or for function 0 alone. */
		okf(!((pf | companion) & ~own), "%#x", pos);
		role(0);
		eq(pci_lu_policy_protected(&m.layout, pos, size), 0);
	}
}

/* A PF driver and the scan may do with it what they like, and the VFs run on. */
static void roles_pf_is_driven_beside_its_vfs(void)
{
	u32 sizes[6];

	role(PCI_LU_FOR_PF);
	model_write(&m, 0x04, 2, 0x0000);
	eq(model_hw_read(&m, 0x04, 2), 0x0002);
	model_write(&m, 0x04, 2, 0x0506);
	eq(model_hw_read(&m, 0x04, 2), 0x0506);
	model_write(&m, 0x72, 2, 0x0000);
	eq(model_hw_read(&m, 0x72, 2) & 0xc000, 0);
	model_write(&m, 0x168, 2, 0x0000);
	eq(model_hw_read(&m, 0x168, 2) & 0x9, 0x9);
	kernel_size_bars(&m, 6, 0x184, sizes, false);
	kernel_size_bars(&m, 6, 0x10, sizes, false);
	model_write(&m, 0xa8, 2, 0x8000);
	eq(m.ones[0xa9] & 0x80, 0);
	eq(model_hw_read(&m, 0x184, 4), (u32)m.start[0x184] | m.start[0x185] << 8 |
						(u32)m.start[0x186] << 16 |
						(u32)m.start[0x187] << 24);
}

static void roles_a_vf_has_no_ids(void)
{
	struct pci_lu_layout l;

	model_init(&m, PCI_LU_ENDPOINT, 0);
	model_set(&m, 0x00, 4, 0xffffffff);
	eq(pci_lu_layout_init(&l, PCI_LU_ENDPOINT, model_layout_read, &m), PCI_LU_REASON_DEV_GONE);
	eq(pci_lu_layout_init(&l, PCI_LU_VF, model_layout_read, &m), PCI_LU_REASON_DEV_GONE);
	model_set(&m, 0x08, 4, 0x02000001);
	eq(pci_lu_layout_init(&l, PCI_LU_VF, model_layout_read, &m), 0);
	eq(l.roles, PCI_LU_FOR_ENDPOINT);
	eq(l.msix, 0x70);
	eq(pci_lu_policy_protected(&l, 0x04, 2), 0x0407);
	model_set(&m, 0x08, 4, 0xffffffff);
	eq(pci_lu_layout_init(&l, PCI_LU_VF, model_layout_read, &m), PCI_LU_REASON_DEV_GONE);
}

static struct pci_lu_fn_ser ser;
static struct pci_lu_mismatch bad;

static u32 at(u16 pos, u8 size)
{
	return model_hw_read(&m, pos, size);
}

static void record(void)
{
	unsigned int i;
	u32 val;

	memset(&ser, 0, sizeof(ser));
	ser.vendor = at(0x00, 2);
	ser.device = at(0x02, 2);
	ser.class_rev = at(0x08, 4);
	for (i = 0; i < 7; i++) {
		val = at(i < 6 ? 0x10 + 4 * i : 0x30, 4);
		memcpy((u8 *)&ser + offsetof(struct pci_lu_fn_ser, bar) + 4 * i, &val, 4);
	}
	for (i = 0; i < 6; i++) {
		val = at(0x184 + 4 * i, 4);
		memcpy((u8 *)&ser + offsetof(struct pci_lu_fn_ser, vf_bar) + 4 * i, &val, 4);
	}
	ser.command = at(0x04, 2);
	ser.pmcsr = at(0x44, 2);
	ser.devctl = at(0xa8, 2);
	ser.lnkctl = at(0xb0, 2);
	ser.devctl2 = at(0xc8, 2);
	ser.lnkctl2 = at(0xd0, 2);
	ser.acs_ctrl = at(0x1d6, 2);
	ser.ats_ctrl = at(0x1e6, 2);
	ser.pri_ctrl = at(0x1f4, 2);
	ser.pasid_ctrl = at(0x206, 2);
	ser.sriov_ctrl = at(0x168, 2);
	ser.num_vfs = at(0x170, 2);
	ser.vf_offset = at(0x174, 2);
	ser.vf_stride = at(0x176, 2);
}

static enum pci_lu_reason verify(void)
{
	return pci_lu_verify_regs(&m.layout, &ser, model_layout_read, &m, &bad);
}

static void roles_are_compared_by_what_they_hold(void)
{
	role(PCI_LU_FOR_PF);
	record();
	eq(verify(), 0);
	model_set(&m, 0x04, 2, 0x0002); /* its own Bus Master and I/O are nobody's business */
	eq(verify(), 0);
	model_set(&m, 0x04, 2, 0x0005);
	eq(verify(), PCI_LU_REASON_ADOPT_COMMAND);
	model_set(&m, 0x04, 2, 0x0007);
	model_set(&m, 0x30, 4, 0);
	eq(verify(), 0);
	model_set(&m, 0x184, 4, at(0x184, 4) ^ 0x80000000);
	eq(verify(), PCI_LU_REASON_ADOPT_BAR);
	ok(!strcmp(bad.reg, "VF Base Address"));
	model_set(&m, 0x184, 4, at(0x184, 4) ^ 0x80000000);
	model_set(&m, 0x176, 2, at(0x176, 2) + 1);
	eq(verify(), PCI_LU_REASON_ADOPT_REGISTER);
	ok(!strcmp(bad.reg, "VF Stride"));
	model_set(&m, 0x176, 2, at(0x176, 2) - 1);
	eq(verify(), 0);
	model_set(&m, 0x170, 2, at(0x170, 2) ^ 1);
	eq(verify(), PCI_LU_REASON_ADOPT_REGISTER);

	/* Function 0 may have been moved and switched off by then; the link may not. */
	role(PCI_LU_FOR_COMPANION);
	record();
	model_set(&m, 0x04, 2, 0);
	model_set(&m, 0x10, 4, 0);
	model_set(&m, 0x44, 2, 3);
	eq(verify(), 0);
	model_set(&m, 0xb0, 2, at(0xb0, 2) ^ 1);
	eq(verify(), PCI_LU_REASON_ADOPT_REGISTER);
}

static void roles_ids_of_a_vf_are_not_compared(void)
{
	role(PCI_LU_FOR_ENDPOINT);
	record();
	model_set(&m, 0x00, 4, 0xffffffff);
	eq(verify(), PCI_LU_REASON_ADOPT_IDENTITY);
	m.layout.kind = PCI_LU_VF;
	eq(verify(), 0);
	model_set(&m, 0x2c, 2, 0x1234);
	eq(verify(), PCI_LU_REASON_ADOPT_IDENTITY);
}

void suite_roles(void)
{
	RUN(roles_hold_what_others_need);
	RUN(roles_pf_is_driven_beside_its_vfs);
	RUN(roles_a_vf_has_no_ids);
	RUN(roles_are_compared_by_what_they_hold);
	RUN(roles_ids_of_a_vf_are_not_compared);
}
