// SPDX-License-Identifier: GPL-2.0
/*
 * No sequence of guest accesses writes a bit of the device that the map does not pass.
 *
 * Which these are is written down here by hand, from maps and dumps, and not asked of the
 * library. The device is one in which every bit can be written, so that whatever is written
 * to it in error shows: property [ACCESSES [SEED]].
 */
#include "model.h"

#include <stdlib.h>
#include <string.h>

#include "tap.h"

static const struct bits moved_pass[] = {
	{ 0x004, 0x004, 2, 0x0407 }, /* Command: I/O, memory, master, INTx disable */
	{ 0x006, 0x006, 2, 0xf900 }, /* Status: errors */
	{ 0x044, 0x0cc, 2, 0x0003 }, /* PMCSR: power state */
	{ 0x058, 0x0e8, 2, 0x881f }, /* Device Control: errors, relaxed, no snoop, FLR */
	{ 0x05a, 0x0ea, 2, 0x000f }, /* Device Status: errors */
	{ 0 },
};

static const struct bits moved_rw1c[] = {
	{ 0, 0x006, 2, 0xf900 },
	{ 0, 0x0cc, 2, 0x8000 },
	{ 0, 0x0ea, 2, 0x004f },
	{ 0, 0x0f2, 2, 0xc000 },
	{ 0, 0x104, 4, 0x07fff030 },
	{ 0, 0x110, 4, 0x0000f1c1 },
	{ 0 },
};

static const struct bits dpu_pass[] = {
	{ 0x004, 0x004, 2, 0x0547 },	 { 0x006, 0x006, 2, 0xf900 },
	{ 0x048, 0x068, 2, 0x881f }, /* Device Control */
	{ 0x04a, 0x06a, 2, 0x000f }, /* Device Status */
	{ 0x080, 0x044, 2, 0x0003 }, /* PMCSR */
	{ 0x0cc, 0x0f0, 1, 0xff }, /* virtio: window into BARs */
	{ 0x0d0, 0x0f4, 4, 0xffffffff }, { 0x0d4, 0x0f8, 4, 0xffffffff },
	{ 0x0d8, 0x0fc, 4, 0xffffffff }, { 0 },
};

static const struct bits dpu_rw1c[] = {
	{ 0, 0x006, 2, 0xf900 },
	{ 0, 0x044, 2, 0x8000 },
	{ 0, 0x06a, 2, 0x004f },
	{ 0, 0x072, 2, 0xc000 },
	{ 0, 0x104, 4, 0x07fff030 },
	{ 0, 0x110, 4, 0x0000f1c1 },
	{ 0 },
};

static const struct bits fw_pass[] = {
	{ 0x004, 0x004, 2, 0x0547 },
	{ 0x006, 0x006, 2, 0xf900 },
	{ 0x04c, 0x084, 2, 0x0003 }, /* PMCSR */
	{ 0x0b4, 0x048, 2, 0x881f }, /* Device Control */
	{ 0x0b6, 0x04a, 2, 0x000f }, /* Device Status */
	{ 0x104, 0x104, 4, 0x07fff030 }, /* AER: uncorrectable status, mask, severity */
	{ 0x108, 0x108, 4, 0x07fff030 },
	{ 0x10c, 0x10c, 4, 0x07fff030 },
	{ 0x110, 0x110, 4, 0x0000f1c1 }, /* correctable status, mask */
	{ 0x114, 0x114, 4, 0x0000f1c1 },
	{ 0x118, 0x118, 4, 0x00000540 }, /* ECRC enables */
	{ 0 },
};

static const struct bits fw_rw1c[] = {
	{ 0, 0x006, 2, 0xf900 },
	{ 0, 0x084, 2, 0x8000 },
	{ 0, 0x04a, 2, 0x004f },
	{ 0, 0x052, 2, 0xc000 },
	{ 0, 0x104, 4, 0x07fff030 },
	{ 0, 0x110, 4, 0x0000f1c1 },
	{ 0 },
};

static const struct bits vf_pass[] = {
	{ 0x004, 0x004, 2, 0x0004 }, /* Command: master, all that a VF has */
	{ 0x006, 0x006, 2, 0xf900 }, { 0x0a8, 0x0a8, 2, 0x8000 }, /* Device Control: FLR */
	{ 0x0aa, 0x0aa, 2, 0x000f }, { 0 },
};

static const struct bits vf_rw1c[] = {
	{ 0, 0x006, 2, 0xf900 },
	{ 0, 0x0aa, 2, 0x004f },
	{ 0, 0x104, 4, 0x07fff030 },
	{ 0 },
};

static const struct shape shapes[] = {
	{ "msix-moved", "e1000e", moved_pass, moved_rw1c },
	{ "virtio-dpu", "dpu-virtio", dpu_pass, dpu_rw1c },
	{ "nic-fw", "nic-fw-b", fw_pass, fw_rw1c },
	{ "nic-vf", "igbvf", vf_pass, vf_rw1c },
};

struct run {
	struct device d;
	struct oracle o;
	struct hf_view *v;
	uint8_t fixed[4096], image[4096]; /* bits that never change, and what they are */
	uint32_t seed;
	const char *name;
	unsigned int told;
};

static void tell(struct run *r, const char *what, uint16_t off, uint8_t size, uint32_t value)
{
	if (r->told++ < 3)
		printf("# %s: %s after writing 0x%x, %u bytes, at 0x%03x\n", r->name, what, value,
		       size, off);
}

/* Bits that no register claims to be other than read-only, at the start. */
static void take_fixed(struct run *r)
{
	struct hf_view_reg g;

	memset(r->fixed, 0xff, sizeof(r->fixed));
	memcpy(r->image, hf_view_image(r->v), 4096);
	for (uint16_t off = 0; hf_view_next(r->v, off, &g); off = g.offset + g.width)
		for (unsigned int i = 0; i < g.width; i++)
			r->fixed[g.offset + i] &= ~((g.virt | g.pass | g.live) >> 8 * i);
}

static bool one_access(struct run *r)
{
	static const uint8_t sizes[] = { 1, 2, 4, 4 };
	uint32_t x = random32(&r->seed), value = random32(&r->seed), got;
	uint8_t size = sizes[x & 3], after[4096];
	/* Mostly where something is. */
	uint16_t off = x & 4 ? x >> 8 & 0xfff : x & 8 ? x >> 8 & 0xff : 0x100 + (x >> 8 & 0x3f);
	bool good = true;

	if (x & 16)
		value = x & 32 ? UINT32_MAX : 0;
	if (!(x >> 24 & 15))
		device_scramble(&r->d, r->seed);
	oracle_write(&r->o, &r->d, after, off, off + size > (int)hf_view_size(r->v) ? 0 : size,
		     value);
	hf_view_write(r->v, &r->d.hw, off, size, value);
	if (memcmp(after, r->d.reg, 4096)) {
		tell(r, "the device holds what it should not", off, size, value);
		memcpy(r->d.reg, after, 4096);
		good = false;
	}
	hf_view_read(r->v, &r->d.hw, off, size, &got);
	for (unsigned int i = 0; i < size && off + i < hf_view_size(r->v); i++)
		if (off + size <= (int)hf_view_size(r->v) &&
		    ((got >> 8 * i ^ r->image[off + i]) & r->fixed[off + i])) {
			tell(r, "the guest sees a read-only bit change", off, size, value);
			good = false;
		}
	if (r->d.bad) {
		tell(r,
		     "an access to the device that is not aligned, or to a byte that is not passed",
		     off, size, value);
		r->d.bad = 0;
		good = false;
	}
	return good;
}

static void run_shape(const struct shape *s, unsigned long accesses, uint32_t seed)
{
	static struct run r;
	struct hf_cfg *c = load_dump(s->dump);
	unsigned long wrong = 0;

	memset(&r, 0, sizeof(r));
	r.v = load_view(s->map, s->dump);
	check(c && r.v, "%s: there is no view", s->map);
	if (c && r.v) {
		r.seed = seed;
		r.name = s->map;
		device_init(&r.d, c);
		device_rw1c(&r.d, s->rw1c);
		oracle_init(&r.o, s->pass);
		device_reserve(&r.d, &r.o);
		take_fixed(&r);
		for (unsigned long i = 0; i < accesses; i++)
			wrong += !one_access(&r);
		check(!wrong, "%s: %lu of %lu accesses went wrong", s->map, wrong, accesses);
		check(r.d.writes > 0 && r.d.reads > 0, "%s: nothing ever reached the device",
		      s->map);
	}
	hf_cfg_free(c);
	hf_view_free(r.v);
}

int main(int argc, char **argv)
{
	unsigned long accesses = argc > 1 ? strtoul(argv[1], NULL, 0) : 200000;
	uint32_t seed = argc > 2 ? strtoul(argv[2], NULL, 0) : 1;

	for (unsigned int i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		run_shape(&shapes[i], accesses, seed);
	return tap_end();
}
