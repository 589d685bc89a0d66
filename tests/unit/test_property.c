// SPDX-License-Identifier: GPL-2.0
/*
 * A model device under random accesses of all widths: nothing that must not
 * happen ever happens, whatever the order.
 */
#include <stdlib.h>

#include "kernel.h"
#include "tap.h"

#define ROUNDS 20000

static struct model m;

static u16 random_pos(const struct model *dev)
{
	unsigned int n = 0;
	const struct expect *e = model_expect(dev);

	while (e[n].row)
		n++;
	/* Mostly where it hurts. */
	if (random() % 8)
		return (e[random() % n].pos & ~3) + random() % 4;

	return random() % 4096;
}

static u32 random_val(struct model *dev, u16 pos, u8 size)
{
	switch (random() % 6) {
	case 0:
		return 0;
	case 1:
		return ~0U;
	case 2:
		return model_read(dev, pos, size);
	case 3:
		return model_read(dev, pos, size) ^ 1U << random() % 32;
	default:
		return (u32)random() << 1 ^ random();
	}
}

static void batter(enum pci_lu_kind kind, unsigned int flags, unsigned int seed)
{
	const struct expect *e;
	unsigned int i;

	srandom(seed);
	model_init(&m, kind, flags);
	for (i = 0; i < ROUNDS && !tap.bad; i++) {
		u8 size = 1 << random() % 3;
		u16 pos = random_pos(&m) & ~(size - 1);
		u32 val = random_val(&m, pos, size);

		model_write(&m, pos, size, val);
		e = model_violation(&m);
		okf(!e, "round %u: %#x/%u at %#x violates %s", i, val, size, pos, e ? e->row : "");
		if (kind == PCI_LU_ENDPOINT)
			okf(m.cfg[0x73] & 0x80, "round %u: MSI-X went off", i);
	}
}

static void property_endpoint(void)
{
	batter(PCI_LU_ENDPOINT, 0, 1);
}

static void property_endpoint_with_vfs(void)
{
	batter(PCI_LU_ENDPOINT, MODEL_VFS, 2);
}

static void property_bridge(void)
{
	batter(PCI_LU_BRIDGE, 0, 3);
}

/* In between, the core sizes everything: it must always get its answers. */
static void property_sizing_always_works(void)
{
	u32 first[7], again[7];
	unsigned int i, j;

	srandom(4);
	model_init(&m, PCI_LU_ENDPOINT, 0);
	kernel_read_bases(&m, 6, PCI_ROM_ADDRESS, first);
	for (i = 0; i < 500; i++) {
		for (j = 0; j < 20; j++) {
			u8 size = 1 << random() % 3;
			u16 pos = random_pos(&m) & ~(size - 1);

			model_write(&m, pos, size, random_val(&m, pos, size));
		}
		for (j = 0; j < 7; j++) {
			u16 pos = j < 6 ? 0x10 + 4 * j : 0x30;

			model_write(&m, pos, 4, model_hw_read(&m, pos, 4));
		}
		kernel_read_bases(&m, 6, PCI_ROM_ADDRESS, again);
		okf(!memcmp(first, again, sizeof(first)), "round %u", i);
		eq(pci_lu_shadow_differs(&m.shadow) & 0x80000000,
		   m.shadow.slot[7].active ? 0 : 0x80000000);
	}
}

/* The negative twin of all of these: without the guard they do fail. */
static void property_fails_without_guard(void)
{
	unsigned int kind, i;

	for (kind = 0; kind < 2; kind++) {
		srandom(5);
		model_init(&m, kind, 0);
		m.no_guard = true;
		for (i = 0; i < ROUNDS && !model_violation(&m); i++) {
			u16 pos = random_pos(&m) & ~1;

			model_write(&m, pos, 2, random_val(&m, pos, 2));
		}
		ok(model_violation(&m));
	}
}

void suite_property(void)
{
	RUN(property_endpoint);
	RUN(property_endpoint_with_vfs);
	RUN(property_bridge);
	RUN(property_sizing_always_works);
	RUN(property_fails_without_guard);
}
