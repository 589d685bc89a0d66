/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the PCI core of Linux 7.2 does to config space, step by step as in the
 * functions of the same names, so that a test can tell what it would find.
 */
#ifndef TESTS_UNIT_KERNEL_H
#define TESTS_UNIT_KERNEL_H

#include "model.h"

/* __pci_size_bars(): leaves what it read back in @sizes. */
static inline void kernel_size_bars(struct model *m, int count, u16 pos, u32 *sizes, bool rom)
{
	u32 orig, mask = rom ? PCI_ROM_ADDRESS_MASK : ~0U;

	for (; count--; pos += 4, sizes++) {
		orig = model_read(m, pos, 4);
		model_write(m, pos, 4, mask);
		*sizes = model_read(m, pos, 4);
		model_write(m, pos, 4, orig);
	}
}

/* pci_read_bases() */
static inline void kernel_read_bases(struct model *m, int count, u16 rom, u32 *sizes)
{
	u16 cmd = model_read(m, PCI_COMMAND, 2);

	if (cmd & 3)
		model_write(m, PCI_COMMAND, 2, cmd & ~3);
	kernel_size_bars(m, count, PCI_BASE_ADDRESS_0, sizes, false);
	kernel_size_bars(m, 1, rom, sizes + 6, true);
	if (cmd & 3)
		model_write(m, PCI_COMMAND, 2, cmd);
}

struct kernel_windows {
	bool io, pref, pref64;
};

/* pci_read_bridge_windows() */
static inline struct kernel_windows kernel_read_windows(struct model *m)
{
	struct kernel_windows w = { 0 };
	u32 pmem, tmp;
	u16 io;

	io = model_read(m, PCI_IO_BASE, 2);
	if (!io) {
		model_write(m, PCI_IO_BASE, 2, 0xe0f0);
		io = model_read(m, PCI_IO_BASE, 2);
		model_write(m, PCI_IO_BASE, 2, 0);
	}
	w.io = io;

	pmem = model_read(m, PCI_PREF_MEMORY_BASE, 4);
	if (!pmem) {
		model_write(m, PCI_PREF_MEMORY_BASE, 4, 0xffe0fff0);
		pmem = model_read(m, PCI_PREF_MEMORY_BASE, 4);
		model_write(m, PCI_PREF_MEMORY_BASE, 4, 0);
	}
	w.pref = pmem;
	if ((pmem & PCI_PREF_RANGE_TYPE_MASK) == PCI_PREF_RANGE_TYPE_64) {
		pmem = model_read(m, PCI_PREF_BASE_UPPER32, 4);
		model_write(m, PCI_PREF_BASE_UPPER32, 4, ~0U);
		tmp = model_read(m, PCI_PREF_BASE_UPPER32, 4);
		model_write(m, PCI_PREF_BASE_UPPER32, 4, pmem);
		w.pref64 = tmp;
	}

	return w;
}

/*
 * pci_setup_bridge_io(), _mmio() and _mmio_pref(), with the values that the
 * windows have, through the states they pass in between.
 */
static inline void kernel_setup_bridge(struct model *m)
{
	u32 io_hi = model_read(m, PCI_IO_BASE_UPPER16, 4);
	u16 io = model_read(m, PCI_IO_BASE, 2);
	u32 mem = model_read(m, PCI_MEMORY_BASE, 4);
	u32 pref = model_read(m, PCI_PREF_MEMORY_BASE, 4);
	u32 base = model_read(m, PCI_PREF_BASE_UPPER32, 4);
	u32 limit = model_read(m, PCI_PREF_LIMIT_UPPER32, 4);

	model_write(m, PCI_IO_BASE_UPPER16, 4, 0x0000ffff);
	model_write(m, PCI_IO_BASE, 2, io);
	model_write(m, PCI_IO_BASE_UPPER16, 4, io_hi);
	model_write(m, PCI_MEMORY_BASE, 4, mem);
	model_write(m, PCI_PREF_LIMIT_UPPER32, 4, 0);
	model_write(m, PCI_PREF_MEMORY_BASE, 4, pref);
	model_write(m, PCI_PREF_BASE_UPPER32, 4, base);
	model_write(m, PCI_PREF_LIMIT_UPPER32, 4, limit);
}

#endif
