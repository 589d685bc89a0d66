// SPDX-License-Identifier: GPL-2.0
/* Finding registers in what may be any sequence of bytes. */
#include <stdlib.h>

#include "model.h"
#include "tap.h"

static struct model m;
static struct pci_lu_layout l;

static int init(enum pci_lu_kind kind)
{
	return pci_lu_layout_init(&l, kind, model_layout_read, &m);
}

static void layout_finds_all(void)
{
	model_init(&m, PCI_LU_ENDPOINT, MODEL_VFS);
	eq(init(PCI_LU_ENDPOINT), 0);
	eq(l.pm, 0x40);
	eq(l.msi, 0x50);
	eq(l.msi_64, 1);
	eq(l.msi_maskable, 1);
	eq(l.msi_vectors, 8);
	eq(l.msi_mask, 0x60);
	eq(l.msix, 0x70);
	eq(l.pcie, 0xa0);
	eq(l.pcie_link, 0xa0);
	eq(l.pcie2, 0xa0);
	eq(l.pcie_slot, 0);
	eq(l.af, 0xe0);
	eq(l.aer, 0x100);
	eq(l.sriov, 0x160);
	eq(l.vfe, 1);
	eq(l.vf_bar_hi, 0x12);
	eq(l.bar_hi, 0x20);
	eq(l.nr_bars, 6);
	eq(l.tph, 0x1a0);
	eq(l.nr_st, 2);
	eq(l.ltr, 0x1c0);
	eq(l.acs, 0x1d0);
	eq(l.nr_egress, 1);
	eq(l.ats, 0x1e0);
	eq(l.pri, 0x1f0);
	eq(l.pasid, 0x200);
	eq(l.rebar, 0x210);
	eq(l.nr_rebar, 2);
	eq(l.vf_rebar, 0x230);
	eq(l.nr_vf_rebar, 1);
	eq(l.vc, 0x250);
	eq(l.nr_vc, 2);
	eq(l.mfvc, 0x280);
	eq(l.nr_mfvc, 1);
	eq(l.l1ss, 0x2b0);
	eq(l.ptm, 0x2c0);
	eq(l.doe, 0x2d0);
	eq(l.ide, 0x300);
	eq(l.nr_ide, (4 + 8 + 20 + 12) / 4);
	eq(l.windows, 0);

	model_init(&m, PCI_LU_BRIDGE, 0);
	eq(init(PCI_LU_BRIDGE), 0);
	eq(l.pcie_slot, 0xa0);
	eq(l.pcie_type, PCI_EXP_TYPE_ROOT_PORT);
	eq(l.nr_bars, 2);
	eq(l.windows, 0xf);
	eq(l.dpc, 0x1b0);
	eq(l.cxl_port, 0x1e0);
	eq(l.nr_egress, 0);
}

static void layout_refuses_wrong_kind(void)
{
	model_init(&m, PCI_LU_ENDPOINT, 0);
	eq(init(PCI_LU_BRIDGE), PCI_LU_REASON_DEV_HDR_TYPE);
	m.cfg[0x0e] = 0x80; /* multi-function */
	eq(init(PCI_LU_ENDPOINT), 0);
	m.cfg[0x0e] = 0x02;
	eq(init(PCI_LU_ENDPOINT), PCI_LU_REASON_DEV_HDR_TYPE);
	memset(m.cfg, 0xff, sizeof(m.cfg));
	eq(init(PCI_LU_ENDPOINT), PCI_LU_REASON_DEV_GONE);
	memset(m.cfg, 0, sizeof(m.cfg));
	eq(init(PCI_LU_ENDPOINT), PCI_LU_REASON_DEV_GONE);
}

static void layout_refuses_loops(void)
{
	model_init(&m, PCI_LU_ENDPOINT, 0);
	m.cfg[0xe1] = 0x40;
	eq(init(PCI_LU_ENDPOINT), PCI_LU_REASON_DEV_CAP_LOOP);
	m.cfg[0xe1] = 0xe0;
	eq(init(PCI_LU_ENDPOINT), PCI_LU_REASON_DEV_CAP_LOOP);

	model_init(&m, PCI_LU_ENDPOINT, 0);
	model_set(&m, 0x300, 4, 0x10000030 | 1 << 16);
	eq(init(PCI_LU_ENDPOINT), PCI_LU_REASON_DEV_CAP_LOOP);
	model_set(&m, 0x300, 4, 0x30000030 | 1 << 16);
	eq(init(PCI_LU_ENDPOINT), PCI_LU_REASON_DEV_CAP_LOOP);
}

static void layout_stops_as_the_core_does(void)
{
	/* A pointer into the header ends the list. */
	model_init(&m, PCI_LU_ENDPOINT, 0);
	m.cfg[0x51] = 0x3c;
	eq(init(PCI_LU_ENDPOINT), 0);
	eq(l.msi, 0x50);
	eq(l.msix, 0);
	/* So does an ID of all ones, or no list at all. */
	model_init(&m, PCI_LU_ENDPOINT, 0);
	m.cfg[0x50] = 0xff;
	eq(init(PCI_LU_ENDPOINT), 0);
	eq(l.pm, 0x40);
	eq(l.msi, 0);
	m.cfg[0x06] = 0;
	eq(init(PCI_LU_ENDPOINT), 0);
	eq(l.pm, 0);
	/* The low bits of a pointer are not part of it. */
	model_init(&m, PCI_LU_ENDPOINT, 0);
	m.cfg[0x41] = 0x53;
	eq(init(PCI_LU_ENDPOINT), 0);
	eq(l.msi, 0x50);
	/* No extended space behind this path. */
	model_init(&m, PCI_LU_ENDPOINT, 0);
	memset(m.cfg + 256, 0xff, sizeof(m.cfg) - 256);
	eq(init(PCI_LU_ENDPOINT), 0);
	eq(l.aer, 0);
	/* The first of two is the one that is used. */
	model_init(&m, PCI_LU_ENDPOINT, 0);
	model_set(&m, 0xe0, 2, PCI_CAP_ID_PM);
	eq(init(PCI_LU_ENDPOINT), 0);
	eq(l.pm, 0x40);
}

static void layout_refuses_what_does_not_fit(void)
{
	model_init(&m, PCI_LU_ENDPOINT, 0);
	model_set(&m, 0xe0, 2, 0xfc00 | PCI_CAP_ID_VNDR);
	model_set(&m, 0xfc, 2, PCI_CAP_ID_AF);
	eq(init(PCI_LU_ENDPOINT), PCI_LU_REASON_DEV_CAP_RANGE);
	/* MSI fits, its mask register does not. */
	model_init(&m, PCI_LU_ENDPOINT, 0);
	model_set(&m, 0x40, 2, 0xf000 | PCI_CAP_ID_VNDR);
	model_set(&m, 0xf0, 4, 0x01800005);
	eq(init(PCI_LU_ENDPOINT), PCI_LU_REASON_DEV_CAP_RANGE);
	/* PCI Express version 2 at the end */
	model_init(&m, PCI_LU_ENDPOINT, 0);
	model_set(&m, 0x40, 2, 0xe000 | PCI_CAP_ID_VNDR);
	model_set(&m, 0xe0, 4, 0x00020010);
	eq(init(PCI_LU_ENDPOINT), PCI_LU_REASON_DEV_CAP_RANGE);
	/* An extended capability at the very end */
	model_init(&m, PCI_LU_ENDPOINT, 0);
	model_set(&m, 0x100, 4, 0xffc10000 | PCI_EXT_CAP_ID_VNDR);
	model_set(&m, 0xffc, 4, 0x00010000 | PCI_EXT_CAP_ID_ATS);
	eq(init(PCI_LU_ENDPOINT), PCI_LU_REASON_DEV_CAP_RANGE);
	/* A virtual channel capability with its resources beyond */
	model_init(&m, PCI_LU_ENDPOINT, 0);
	model_set(&m, 0x100, 4, 0xff010000 | PCI_EXT_CAP_ID_VNDR);
	model_set(&m, 0xff0, 4, 0x00010000 | PCI_EXT_CAP_ID_VC);
	eq(init(PCI_LU_ENDPOINT), PCI_LU_REASON_DEV_CAP_RANGE);
	/* IDE with more streams than there is room */
	model_init(&m, PCI_LU_ENDPOINT, 0);
	model_set(&m, 0x304, 4, 0x00ff0002);
	memset(m.cfg + 0x30c, 0x0f, 0xc00);
	eq(init(PCI_LU_ENDPOINT), PCI_LU_REASON_DEV_CAP_RANGE);
}

/* Registers that a PCI Express capability does not have are not protected. */
static void layout_knows_versions_and_types(void)
{
	model_init(&m, PCI_LU_ENDPOINT, 0);
	model_set(&m, 0xa2, 2, 0x0001);
	eq(init(PCI_LU_ENDPOINT), 0);
	eq(l.pcie2, 0);
	eq(pci_lu_policy_protected(&l, 0xc8, 2), 0);
	eq(pci_lu_policy_protected(&l, 0xb0, 2), 0x3cb);
	model_set(&m, 0xa2, 2, 0x0092); /* integrated endpoint */
	eq(init(PCI_LU_ENDPOINT), 0);
	eq(l.pcie_link, 0);
	eq(l.pcie2, 0xa0);
	eq(pci_lu_policy_protected(&l, 0xb0, 2), 0);
	eq(pci_lu_policy_protected(&l, 0xd0, 2), 0);

	model_init(&m, PCI_LU_BRIDGE, 0);
	model_set(&m, 0xa2, 2, 0x0042); /* no slot */
	eq(init(PCI_LU_BRIDGE), 0);
	eq(pci_lu_policy_protected(&l, 0xb8, 2), 0);
	model_set(&m, 0xa2, 2, 0x0152); /* upstream port: no slot */
	eq(init(PCI_LU_BRIDGE), 0);
	eq(l.pcie_slot, 0);
	/* Another vendor's DVSEC is not CXL's. */
	model_set(&m, 0x1e4, 2, 0x1234);
	eq(init(PCI_LU_BRIDGE), 0);
	eq(l.cxl_port, 0);
}

static void layout_survives_noise(void)
{
	unsigned int i, j;

	srandom(1);
	for (i = 0; i < 3000; i++) {
		model_init(&m, i & 1, i & 2 ? MODEL_VFS : 0);
		for (j = 0; j < 1 + i % 64; j++)
			m.cfg[4 + random() % 4092] = random();
		m.cfg[0x0e] = i & 1;
		pci_lu_layout_init(&l, i & 1, model_layout_read, &m);
	}
	ok(1);
}

void suite_layout(void)
{
	RUN(layout_finds_all);
	RUN(layout_refuses_wrong_kind);
	RUN(layout_refuses_loops);
	RUN(layout_stops_as_the_core_does);
	RUN(layout_refuses_what_does_not_fit);
	RUN(layout_knows_versions_and_types);
	RUN(layout_survives_noise);
}
