// SPDX-License-Identifier: GPL-2.0
/* Sizing: the core gets its answers, hardware sees nothing of it. */
#include "kernel.h"
#include "tap.h"

static struct model m;

static void shadow_sizes_bars(void)
{
	u32 sizes[7];

	model_init(&m, PCI_LU_ENDPOINT, 0);
	kernel_read_bases(&m, 6, PCI_ROM_ADDRESS, sizes);
	eq(sizes[0], 0xfffe0000);
	eq(sizes[1], 0);
	eq(sizes[2], 0xffffffe1);
	eq(sizes[3], 0xffffc000);
	eq(sizes[4], 0x0000000c); /* 8 GiB: the lower half is all zero */
	eq(sizes[5], 0xfffffffe);
	eq(sizes[6], 0xfff80000);
	ok(!model_violation(&m));
	ok(!memcmp(m.cfg, m.start, sizeof(m.cfg)));
	eq(pci_lu_shadow_differs(&m.shadow), -1);
}

static void shadow_sizes_port(void)
{
	u32 sizes[7];

	model_init(&m, PCI_LU_BRIDGE, 0);
	kernel_read_bases(&m, 2, PCI_ROM_ADDRESS1, sizes);
	eq(sizes[0], 0xfffff000);
	eq(sizes[1], 0);
	eq(sizes[6], 0xffff0000);
	ok(!memcmp(m.cfg, m.start, sizeof(m.cfg)));
	eq(pci_lu_shadow_differs(&m.shadow), -1);
}

/* The answers are the same as without a guard. */
static void shadow_answers_as_hardware(void)
{
	u32 guarded[7], bare[7];
	u16 pos;
	int i;

	model_init(&m, PCI_LU_ENDPOINT, 0);
	kernel_read_bases(&m, 6, PCI_ROM_ADDRESS, guarded);

	model_init(&m, PCI_LU_ENDPOINT, 0);
	m.no_guard = true;
	for (i = 0, pos = 0x10; i < 7; i++, pos = i < 6 ? 0x10 + 4 * i : 0x30) {
		u32 ro = ~model_bar_mask[i] & (i == 6 ? 0xfffffffe : ~0U);
		int b;

		for (b = 0; b < 4; b++)
			m.ro[pos + b] = ro >> 8 * b;
	}
	kernel_read_bases(&m, 6, PCI_ROM_ADDRESS, bare);
	for (i = 0; i < 7; i++)
		eq(guarded[i], bare[i]);
}

static void shadow_windows(void)
{
	struct kernel_windows w;

	model_init(&m, PCI_LU_BRIDGE, 0);
	w = kernel_read_windows(&m);
	ok(w.io && w.pref && w.pref64);
	ok(!memcmp(m.cfg, m.start, sizeof(m.cfg)));
	eq(pci_lu_shadow_differs(&m.shadow), -1);

	kernel_setup_bridge(&m);
	ok(!memcmp(m.cfg, m.start, sizeof(m.cfg)));
	eq(pci_lu_shadow_differs(&m.shadow), -1);
}

/* What is not there must not appear through the test for it. */
static void shadow_windows_not_there(void)
{
	struct kernel_windows w;

	model_init(&m, PCI_LU_BRIDGE, 0);
	model_set(&m, 0x1c, 2, 0);
	model_set(&m, 0x24, 4, 0);
	model_arm(&m);
	w = kernel_read_windows(&m);
	ok(!w.io && !w.pref && !w.pref64);
	eq(pci_lu_shadow_differs(&m.shadow), -1);

	/* Claims 64 bits; the caller knows better. */
	model_init(&m, PCI_LU_BRIDGE, 0);
	m.layout.windows &= ~PCI_LU_WIN_PREF64;
	w = kernel_read_windows(&m);
	ok(w.pref && !w.pref64);
}

static void shadow_moved_bar_is_told(void)
{
	model_init(&m, PCI_LU_ENDPOINT, 0);
	model_write(&m, 0x1c, 4, 0xf0000000);
	eq(m.last.action, PCI_LU_DROP);
	eq(model_hw_read(&m, 0x1c, 4), 0xfeba0000);
	eq(model_read(&m, 0x1c, 4), 0xf0000000);
	eq(pci_lu_shadow_differs(&m.shadow), 0x1c);
	model_write(&m, 0x10, 4, 0xf0100000);
	eq(pci_lu_shadow_differs(&m.shadow), 0x10);
	model_write(&m, 0x10, 4, 0xfeb80000);
	eq(pci_lu_shadow_differs(&m.shadow), 0x1c);
	/* Low bits are not part of the address. */
	model_write(&m, 0x1c, 4, 0xfeba0008);
	eq(pci_lu_shadow_differs(&m.shadow), -1);
	eq(model_read(&m, 0x1c, 4), 0xfeba0000);
	eq(m.writes, 0);
}

static void shadow_moved_window_is_told(void)
{
	model_init(&m, PCI_LU_BRIDGE, 0);
	model_write(&m, 0x20, 4, 0xfec0fec0);
	eq(pci_lu_shadow_differs(&m.shadow), 0x20);
	eq(model_read(&m, 0x20, 2), 0xfec0);
	eq(model_read(&m, 0x22, 2), 0xfec0);
	model_write(&m, 0x20, 4, 0xfea0fe80);
	eq(pci_lu_shadow_differs(&m.shadow), -1);
}

static void shadow_64_bit_pair(void)
{
	model_init(&m, PCI_LU_ENDPOINT, 0);
	/* Only the upper half moves. */
	model_write(&m, 0x24, 4, 0x39);
	eq(pci_lu_shadow_differs(&m.shadow), -1); /* bit 0: not an address */
	model_write(&m, 0x24, 4, 0x3a);
	eq(pci_lu_shadow_differs(&m.shadow), 0x24);
	eq(model_read(&m, 0x24, 4), 0x3a);
	eq(model_read(&m, 0x20, 4), 0x0000000c);
	/* The low bits of an upper half are address bits. */
	m.shadow.slot[5].mask = 0xffffffff;
	model_write(&m, 0x24, 4, 0x39);
	eq(model_read(&m, 0x24, 4), 0x39);
	model_write(&m, 0x24, 4, 0x38);
	eq(pci_lu_shadow_differs(&m.shadow), -1);
}

static void shadow_mixed_widths(void)
{
	model_init(&m, PCI_LU_ENDPOINT, 0);
	model_write(&m, 0x13, 1, 0xff);
	eq(model_read(&m, 0x10, 4), 0xffb80000);
	model_write(&m, 0x10, 2, 0xffff);
	eq(model_read(&m, 0x10, 4), 0xffb80000);
	model_write(&m, 0x12, 2, 0xffff);
	eq(model_read(&m, 0x10, 4), 0xfffe0000);
	eq(model_read(&m, 0x12, 1), 0xfe);
	/* An access in the middle of two registers. */
	model_write(&m, 0x1e, 4, 0xffffffff);
	eq(model_read(&m, 0x1c, 4), 0xffff0000);
	model_write(&m, 0x10, 4, 0xfeb80000);
	model_write(&m, 0x1e, 1, 0xba);
	model_write(&m, 0x1f, 1, 0xfe);
	eq(pci_lu_shadow_differs(&m.shadow), -1);
	eq(m.writes, 0);
}

static void shadow_spares_neighbours(void)
{
	model_init(&m, PCI_LU_BRIDGE, 0);
	/* pci_restore_config_space() writes I/O window and Secondary Status. */
	eq(model_hw_read(&m, 0x1e, 2), 0x2000);
	model_write(&m, 0x1c, 4, 0x0000f0e1);
	eq(m.last.action, PCI_LU_MERGE);
	eq(m.last.value, 0x0000e1e1);
	eq(model_hw_read(&m, 0x1e, 2), 0x2000);
	model_write(&m, 0x1c, 4, 0x2000e1e1);
	eq(m.last.action, PCI_LU_PASS);
	eq(model_hw_read(&m, 0x1e, 2), 0);
	model_write(&m, 0x1e, 2, 0xffff);
	eq(m.last.action, PCI_LU_PASS);
}

static void shadow_rom(void)
{
	u32 size;

	model_init(&m, PCI_LU_ENDPOINT, 0);
	model_write(&m, 0x30, 4, 0xfe000001);
	eq(model_hw_read(&m, 0x30, 4), 0xfe000000);

	/* Enabled: sizing leaves it on, switching it off passes. */
	model_set(&m, 0x30, 4, 0xfe000001);
	model_arm(&m);
	kernel_size_bars(&m, 1, 0x30, &size, true);
	eq(size, 0xfff80001);
	eq(model_hw_read(&m, 0x30, 4), 0xfe000001);
	model_write(&m, 0x30, 4, 0xfe000000);
	eq(model_hw_read(&m, 0x30, 4), 0xfe000000);
	eq(pci_lu_shadow_differs(&m.shadow), -1);
	model_write(&m, 0x30, 4, 0xfe000001);
	eq(model_hw_read(&m, 0x30, 4), 0xfe000000);
}

void suite_shadow(void)
{
	RUN(shadow_sizes_bars);
	RUN(shadow_sizes_port);
	RUN(shadow_answers_as_hardware);
	RUN(shadow_windows);
	RUN(shadow_windows_not_there);
	RUN(shadow_moved_bar_is_told);
	RUN(shadow_moved_window_is_told);
	RUN(shadow_64_bit_pair);
	RUN(shadow_mixed_widths);
	RUN(shadow_spares_neighbours);
	RUN(shadow_rom);
}
