// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * State of a view: what the guest saw last, and how its bits were treated. Little endian:
 *
 *	0  "HFPS"    4  version     6  bytes of config space
 *	8  sum of what follows     16  sum of how bits are treated     24  config space
 */
#include "internal.h"

#include <errno.h>
#include <string.h>

#define MAGIC	"HFPS"
#define VERSION 1
#define HEAD	24

/* FNV-1a. */
static uint64_t sum(uint64_t h, const void *data, size_t len)
{
	const uint8_t *p = data;

	if (!h)
		h = UINT64_C(0xcbf29ce484222325);
	while (len--)
		h = (h ^ *p++) * UINT64_C(0x100000001b3);
	return h;
}

static void put64(uint8_t *p, uint64_t v)
{
	hf_put(p, 4, (uint32_t)v);
	hf_put(p + 4, 4, (uint32_t)(v >> 32));
}

static uint64_t get64(const uint8_t *p)
{
	return hf_get(p, 4) | (uint64_t)hf_get(p + 4, 4) << 32;
}

/* Where bits are in the device does not matter: another firmware may have moved them. */
static uint64_t treatment(const struct hf_view *v)
{
	uint64_t h = sum(0, v->virt, v->size);
	uint8_t size[8];

	h = sum(h, v->hwread, v->size);
	h = sum(h, v->hwwrite, v->size);
	h = sum(h, v->rw1c, v->size);
	for (unsigned int i = 0; i < HF_BARS; i++) {
		put64(size, v->bar_size[i]);
		h = sum(h, size, sizeof(size));
	}
	return sum(h, v->vpd, v->nvpd);
}

size_t hf_view_save(const struct hf_view *v, void *buf, size_t size)
{
	size_t need = HEAD + v->size;
	uint8_t *p = buf;

	if (size < need)
		return need;
	memcpy(p, MAGIC, 4);
	hf_put(p + 4, 2, VERSION);
	hf_put(p + 6, 2, v->size);
	put64(p + 16, treatment(v));
	memcpy(p + HEAD, v->image, v->size);
	put64(p + 8, sum(0, p + 16, need - 16));
	return need;
}

/* Every register in which a bit that is neither virtual nor the device's has changed. */
static int compare(const struct hf_view *v, const uint8_t *was, struct hf_diags *d)
{
	struct hf_view_reg r;
	uint16_t off = 0;
	uint32_t bits;
	int err = 0;

	for (uint16_t i = 0; i < v->size; i++) {
		bits = (uint8_t)((was[i] ^ v->image[i]) & ~(v->virt[i] | v->hwread[i]));
		if (!bits || i < off)
			continue;
		if (!hf_view_next(v, i, &r) || r.offset > i)
			r = (struct hf_view_reg){ .offset = i, .width = 1, .name = "hidden" };
		hf_diag_add(d, HF_ERROR, NULL, r.name, NULL, "at 0x%03x: was 0x%x, is 0x%x",
			    r.offset, hf_get(was + r.offset, r.width),
			    hf_get(v->image + r.offset, r.width));
		off = r.offset + r.width;
		err = -ESTALE;
	}
	return err;
}

int hf_view_restore(struct hf_view *v, const void *buf, size_t len, struct hf_diags *d)
{
	const uint8_t *p = buf;
	int err;

	if (len < HEAD || memcmp(p, MAGIC, 4) || hf_get(p + 4, 2) != VERSION ||
	    len != HEAD + hf_get(p + 6, 2) || get64(p + 8) != sum(0, p + 16, len - 16)) {
		hf_diag_add(d, HF_ERROR, NULL, NULL, NULL,
			    "this is no state of a view, or damaged");
		return -EBADMSG;
	}
	if (hf_get(p + 6, 2) != v->size) {
		hf_diag_add(d, HF_ERROR, NULL, NULL, NULL, "config space had %u bytes, and has %u",
			    hf_get(p + 6, 2), v->size);
		return -ESTALE;
	}
	err = compare(v, p + HEAD, d);
	if (!err && get64(p + 16) != treatment(v)) {
		hf_diag_add(d, HF_ERROR, NULL, NULL, "was the map changed meanwhile?",
			    "bits that the guest can write, or BARs, are not what they were");
		return -ESTALE;
	}
	for (uint16_t i = 0; !err && i < v->size; i++)
		v->image[i] = (v->image[i] & ~v->virt[i]) | (p[HEAD + i] & v->virt[i]);
	return err;
}
