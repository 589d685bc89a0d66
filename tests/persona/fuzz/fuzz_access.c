// SPDX-License-Identifier: GPL-2.0
/*
 * The access path: one byte chooses the view, five or more are an access each: flags, offset,
 * value. After each write the device holds what the bits that are passed say, a wide
 * read is what narrow ones say, and state that is saved and restored is the same.
 */
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "model.h"
#include "require.h"

static const char *const shapes[][2] = {
	{ "nic-pf", "igb" },	  { "nic-vf", "igbvf" },	  { "nvme-pasid", "nvme" },
	{ "gpu-rebar", "gpu" },	  { "virtio-dpu", "dpu-virtio" }, { "msix-moved", "e1000e" },
	{ "nic-fw", "nic-fw-b" },
};

#define SHAPES (sizeof(shapes) / sizeof(shapes[0]))

static const struct bits rw1c[] = {
	{ 0, 0x006, 2, 0xf900 },     { 0, 0x06a, 2, 0x004f },	  { 0, 0x0aa, 2, 0x004f },
	{ 0, 0x0ea, 2, 0x004f },     { 0, 0x104, 4, 0x07fff030 }, { 0, 0x110, 4, 0xf1c1 },
	{ 0, 0x154, 4, 0x07fff030 }, { 0, 0x160, 4, 0xf1c1 },	  { 0, 0x04a, 2, 0x004f },
	{ 0, 0x08a, 2, 0x004f },     { 0, 0x06e, 2, 0x004f },	  { 0 },
};

struct subject {
	struct device d;
	struct oracle o;
	struct hf_view *v;
	struct hf_view first; /* as it was made */
};

static struct subject subject[SHAPES];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	for (unsigned int i = 0; i < SHAPES; i++) {
		struct subject *s = &subject[i];
		struct hf_cfg *c = load_dump(shapes[i][1]);

		s->v = load_view(shapes[i][0], shapes[i][1]);
		require(c && s->v);
		device_init(&s->d, c);
		oracle_from_view(&s->o, s->v);
		device_rw1c(&s->d, rw1c);
		device_reserve(&s->d, &s->o);
		s->first = *s->v;
		hf_cfg_free(c);
	}
	return 0;
}

/* Other contents, as a byte says: all bits of the device, but those that are never set. */
static void scramble(struct subject *s, uint8_t with)
{
	uint64_t *reg = (uint64_t *)(void *)s->d.reg, x = with * UINT64_C(0x0101010101010101);
	const uint64_t *zero = (const uint64_t *)(const void *)s->d.zero;

	for (unsigned int i = 0; i < sizeof(s->d.reg) / 8; i++)
		reg[i] = (x ^= x << 13, x ^= x >> 7, x ^= x << 17, ~x) & ~zero[i];
}

/* One read of @size is as good as that many of a byte. */
static void check_read(struct subject *s, uint16_t off, uint8_t size)
{
	uint32_t whole, byte;

	require(!hf_view_read(s->v, &s->d.hw, off, size, &whole));
	require(size == 4 || !(whole >> 8 * size));
	for (unsigned int i = 0; off + size <= (int)hf_view_size(s->v) && i < size; i++) {
		require(!hf_view_read(s->v, &s->d.hw, off + i, 1, &byte));
		require(byte == (whole >> 8 * i & 0xff));
	}
}

static void access_one(struct subject *s, uint8_t flags, uint16_t off, uint32_t value)
{
	uint8_t size = 1 << (flags & 3) % 3, after[4096];
	bool inside = off + size <= (int)hf_view_size(s->v);

	if (!(flags & 4)) {
		check_read(s, off, size);
		return;
	}
	oracle_write(&s->o, &s->d, after, off, inside ? size : 0, value);
	require(!hf_view_write(s->v, &s->d.hw, off, size, value));
	require(!memcmp(after, s->d.reg, sizeof(after)));
	require(!s->d.bad);
}

static void check_state(struct subject *s, struct hf_diags *d)
{
	uint8_t state[8192], again[8192];
	size_t n = hf_view_save(s->v, state, sizeof(state));

	*s->v = s->first;
	require(!hf_view_restore(s->v, state, n, d));
	require(hf_view_save(s->v, again, sizeof(again)) == n && !memcmp(state, again, n));
	state[n / 2] ^= 1;
	require(hf_view_restore(s->v, state, n, d));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hf_diags *d;
	struct subject *s;

	if (len < 2)
		return 0;
	s = &subject[data[0] % SHAPES];
	*s->v = s->first;
	scramble(s, data[1]);
	for (size_t i = 2; i + 7 <= len && i < 512; i += 7)
		access_one(s, data[i], (data[i + 1] | data[i + 2] << 8) & 0x1fff,
			   data[i + 3] | data[i + 4] << 8 | data[i + 5] << 16 |
				   (uint32_t)data[i + 6] << 24);
	if (data[0] == 255 && (d = hf_diags_new())) {
		check_state(s, d);
		hf_diags_free(d);
	}
	return 0;
}
