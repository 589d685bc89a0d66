// SPDX-License-Identifier: GPL-2.0
/*
 * The writes that a stock 7.2 kernel was measured to send to an igb endpoint
 * and to its root port, old kernel's shutdown to new kernel's driver probe, and
 * what has to arrive of each.
 */
#include "kernel.h"
#include "tap.h"

static struct model m;

enum arrives { PASS = PCI_LU_PASS, MERGE = PCI_LU_MERGE, DROP = PCI_LU_DROP };

struct step {
	u16 pos;
	u8 size;
	u32 val;
	enum arrives how;
	u32 holds; /* hardware afterwards, at this position */
};

static void replay(const struct step *s, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++, s++) {
		model_write(&m, s->pos, s->size, s->val);
		okf(m.last.action == (u8)s->how,
		    "step %u: %#x/%u at %#x: action %u, should be %u (%s)", i, s->val, s->size,
		    s->pos, m.last.action, s->how, model_last_row(&m));
		okf(model_hw_read(&m, s->pos, s->size) == s->holds,
		    "step %u: %#x/%u at %#x: holds %#x, should hold %#x", i, s->val, s->size,
		    s->pos, model_hw_read(&m, s->pos, s->size), s->holds);
	}
	okf(!model_violation(&m), "%s violated", model_violated_row(&m));
}

static void replay_endpoint_enumeration(void)
{
	static const struct step steps[] = {
		/* pci_device_shutdown() of the old kernel: the first killer */
		{ 0x04, 2, 0x0103, MERGE, 0x0107 },
		/* pci_intx_mask_broken(), pci_read_bases() */
		{ 0x04, 2, 0x0503, MERGE, 0x0507 },
		{ 0x04, 2, 0x0103, MERGE, 0x0507 },
		{ 0x04, 2, 0x0100, MERGE, 0x0507 },
		{ 0x10, 4, 0xffffffff, DROP, 0xfeb80000 },
		{ 0x10, 4, 0xfeb80000, DROP, 0xfeb80000 },
		{ 0x14, 4, 0xffffffff, DROP, 0 },
		{ 0x14, 4, 0x00000000, DROP, 0 },
		{ 0x18, 4, 0xffffffff, DROP, 0x0000e001 },
		{ 0x18, 4, 0x0000e001, DROP, 0x0000e001 },
		{ 0x1c, 4, 0xffffffff, DROP, 0xfeba0000 },
		{ 0x1c, 4, 0xfeba0000, DROP, 0xfeba0000 },
		{ 0x20, 4, 0xffffffff, DROP, 0x0000000c },
		{ 0x20, 4, 0x0000000c, DROP, 0x0000000c },
		{ 0x24, 4, 0xffffffff, DROP, 0x00000038 },
		{ 0x24, 4, 0x00000038, DROP, 0x00000038 },
		{ 0x30, 4, 0xfffff800, DROP, 0xfe000000 },
		{ 0x30, 4, 0xfe000000, DROP, 0xfe000000 },
		{ 0x04, 2, 0x0103, MERGE, 0x0507 },
		/* pci_configure_extended_tags() on a device that had more on */
		{ 0xa8, 2, 0x0100, MERGE, 0x2930 },
		/* pcie_aspm_configure_common_clock(), twice */
		{ 0xb0, 2, 0x0000, MERGE, 0x0048 },
		{ 0xb0, 2, 0x0000, MERGE, 0x0048 },
		/* pci_msix_init() */
		{ 0x72, 2, 0x0009, MERGE, 0xc009 },
		/* sriov_init() */
		{ 0x168, 2, 0x0010, PASS, 0x0010 },
		{ 0x180, 4, 0x00000001, PASS, 0x00000001 },
		{ 0x184, 4, 0xffffffff, PASS, 0xffffffff },
		{ 0x184, 4, 0xfe00000c, PASS, 0xfe00000c },
		{ 0x170, 2, 0x0008, PASS, 0x0008 },
		{ 0x170, 2, 0x0001, PASS, 0x0001 },
		{ 0x170, 2, 0x0000, PASS, 0x0000 },
	};

	model_init(&m, PCI_LU_ENDPOINT, 0);
	replay(steps, ARRAY_SIZE(steps));
	eq(pci_lu_shadow_differs(&m.shadow), -1);
}

/* pci_try_reset_function(): the last line of defence only. */
static void replay_endpoint_reset(void)
{
	static const struct step steps[] = {
		{ 0x04, 2, 0x0400, MERGE, 0x0407 }, /* save_and_disable */
		{ 0xa8, 2, 0xa930, MERGE, 0x2930 }, /* pcie_flr() */
		{ 0xe4, 1, 0x01, MERGE, 0x00 }, /* pci_af_flr() */
		/* Restore: what is restored is what is there. */
		{ 0xa8, 2, 0x2930, PASS, 0x2930 },
		{ 0xc8, 2, 0x0405, PASS, 0x0405 },
		{ 0xd0, 2, 0x0003, PASS, 0x0003 },
		/* Command together with Status, RW1C bits as asked for */
		{ 0x04, 4, 0xf9100103, MERGE, 0x00100507 },
		{ 0x72, 2, 0xc009, PASS, 0xc009 },
		{ 0x44, 2, 0x000b, MERGE, 0x0008 }, /* D3hot */
	};

	model_init(&m, PCI_LU_ENDPOINT, 0);
	model_set(&m, 0x06, 2, 0xf910);
	model_set(&m, 0x44, 2, 0x0008);
	replay(steps, ARRAY_SIZE(steps));
}

/* vfio-pci takes the device again: MSI-X re-armed, Bus Master set. */
static void replay_endpoint_owner(void)
{
	static const struct step steps[] = {
		{ 0x04, 2, 0x0507, PASS, 0x0507 },
		{ 0x72, 2, 0xc009, PASS, 0xc009 },
		{ 0x72, 2, 0x8009, PASS, 0x8009 },
		{ 0x0c, 1, 0x10, PASS, 0x10 },
		{ 0x3c, 1, 0x0b, PASS, 0x0b },
		{ 0xa8, 2, 0x293f, PASS, 0x293f }, /* error reporting */
		{ 0xaa, 2, 0x0009, PASS, 0x0000 }, /* RW1C */
	};

	model_init(&m, PCI_LU_ENDPOINT, 0);
	replay(steps, ARRAY_SIZE(steps));
}

static void replay_root_port(void)
{
	static const struct step steps[] = {
		/* bwctrl, portdrv and pci_device_shutdown() of the old kernel */
		{ 0xb0, 2, 0x0000, MERGE, 0x0040 },
		{ 0x72, 2, 0x0000, PASS, 0x0000 },
		{ 0x04, 2, 0x0107, PASS, 0x0107 },
		{ 0x04, 2, 0x0103, MERGE, 0x0107 },
		/* Enumeration */
		{ 0x04, 2, 0x0503, MERGE, 0x0507 },
		{ 0x04, 2, 0x0103, MERGE, 0x0107 },
		{ 0x04, 2, 0x0100, MERGE, 0x0107 },
		{ 0x10, 4, 0xffffffff, DROP, 0xfebd1000 },
		{ 0x10, 4, 0xfebd1000, DROP, 0xfebd1000 },
		{ 0x14, 4, 0xffffffff, DROP, 0 },
		{ 0x14, 4, 0x00000000, DROP, 0 },
		{ 0x38, 4, 0xfffff800, DROP, 0xfd000000 },
		{ 0x38, 4, 0xfd000000, DROP, 0xfd000000 },
		{ 0x04, 2, 0x0103, MERGE, 0x0107 },
		{ 0x28, 4, 0xffffffff, DROP, 0 },
		{ 0x28, 4, 0x00000000, DROP, 0 },
		{ 0xa8, 2, 0x0100, MERGE, 0x0120 },
		{ 0xc8, 2, 0x0020, MERGE, 0x0420 },
		{ 0xc8, 2, 0x0000, MERGE, 0x0420 },
		{ 0x3e, 2, 0x0002, PASS, 0x0002 },
		{ 0x1e, 2, 0xffff, PASS, 0x0000 },
		{ 0x156, 2, 0x001d, PASS, 0x001d },
		{ 0xb0, 2, 0x0000, MERGE, 0x0040 },
		{ 0xb0, 2, 0x0020, MERGE, 0x0040 }, /* retrain */
		{ 0xb2, 2, 0x4000, PASS, 0x0000 },
		/* pci_setup_bridge() and the states in between */
		{ 0x30, 4, 0x0000ffff, DROP, 0 },
		{ 0x1c, 2, 0xe1e1, DROP, 0xe1e1 },
		{ 0x30, 4, 0x00000000, DROP, 0 },
		{ 0x20, 4, 0xfea0fe80, DROP, 0xfea0fe80 },
		{ 0x2c, 4, 0x00000000, DROP, 0 },
		{ 0x24, 4, 0x0001fff1, DROP, 0x0001fff1 },
		{ 0x3e, 2, 0x0002, PASS, 0x0002 },
		/* Driver probe */
		{ 0x04, 2, 0x0507, PASS, 0x0507 },
		{ 0x72, 2, 0xc000, PASS, 0xc000 },
		{ 0x72, 2, 0x8000, PASS, 0x8000 },
		{ 0xb0, 2, 0x0c00, MERGE, 0x0c40 },
		{ 0xb2, 2, 0xc000, PASS, 0x0000 },
		/* A reset of what is behind, a dead slot, a dead link */
		{ 0x3e, 2, 0x0042, MERGE, 0x0002 },
		{ 0xb8, 2, 0x15c0, MERGE, 0x11c0 },
		{ 0xb0, 2, 0x0c50, MERGE, 0x0c40 },
		{ 0x18, 4, 0x00000000, MERGE, 0x00010100 },
	};

	model_init(&m, PCI_LU_BRIDGE, 0);
	model_set(&m, 0xb2, 2, 0x4000);
	replay(steps, ARRAY_SIZE(steps));
	eq(pci_lu_shadow_differs(&m.shadow), -1);
}

void suite_replay(void)
{
	RUN(replay_endpoint_enumeration);
	RUN(replay_endpoint_reset);
	RUN(replay_endpoint_owner);
	RUN(replay_root_port);
}
