// SPDX-License-Identifier: LGPL-2.1-or-later
/* Config space of a device: BARs and capability lists, as far as bytes tell. */
#include "internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/pci_regs.h>

const uint8_t *hf_cfg_bytes(const struct hf_cfg *c, size_t *len)
{
	*len = c->size;
	return c->bytes;
}

const char *hf_cfg_name(const struct hf_cfg *c)
{
	return c->name;
}

void hf_cfg_free(struct hf_cfg *c)
{
	free(c);
}

void hf_cfg_set_vf(struct hf_cfg *c, uint16_t vendor, uint16_t device)
{
	c->vf = true;
	c->vf_vendor = vendor;
	c->vf_device = device;
}

bool hf_cfg_ident(const struct hf_cfg *c, enum hf_ident which, uint32_t *v)
{
	bool told = which != HF_ID_VENDOR && which != HF_ID_DEVICE;

	*v = hf_get(c->bytes + hf_ident_off[which], hf_ident_width[which]);
	if (told || !c->vf)
		return true;
	if (c->vf_vendor)
		*v = which == HF_ID_VENDOR ? c->vf_vendor : c->vf_device;
	return *v != 0xffff;
}

const struct hf_devcap *hf_cfg_cap(const struct hf_cfg *c, bool ext, uint16_t id,
				   unsigned int index)
{
	for (unsigned int i = 0; i < c->ncaps; i++)
		if (c->caps[i].ext == ext && c->caps[i].id == id && !index--)
			return &c->caps[i];
	return NULL;
}

static void broken(struct hf_cfg *c, uint16_t at, const char *why)
{
	if (c->broken)
		return;
	c->broken = why;
	c->broken_at = at;
}

static void add_cap(struct hf_cfg *c, bool ext, uint16_t id, uint16_t pos)
{
	struct hf_devcap *k = &c->caps[c->ncaps];

	if (c->ncaps == HF_MAX_CAPS) {
		broken(c, pos, "more capabilities than anyone has use for");
		return;
	}
	k->ext = ext;
	k->id = id;
	k->pos = pos;
	k->def = hf_capdef_by_id(ext, id);
	k->len = k->def ? hf_cap_len(k->def, c->bytes, c->size, pos, c->exp) : 0;
	if (k->def && !k->len)
		broken(c, pos, "the capability does not fit where it is");
	if (!ext && id == PCI_CAP_ID_EXP && !c->exp)
		c->exp = pos;
	c->ncaps++;
}

/* Section 7.5.1.1.11: the low two bits of a pointer are reserved, and to be masked. */
static void walk_std(struct hf_cfg *c)
{
	uint64_t seen = 0;
	uint8_t pos;

	if (!(hf_get(c->bytes + PCI_STATUS, 2) & PCI_STATUS_CAP_LIST))
		return;
	for (pos = c->bytes[PCI_CAPABILITY_LIST] & ~3; pos;
	     pos = c->bytes[pos + PCI_CAP_LIST_NEXT] & ~3) {
		if (pos < PCI_STD_HEADER_SIZEOF) {
			broken(c, pos, "a capability pointer points into the header");
			return;
		}
		if (seen & UINT64_C(1) << pos / 4) {
			broken(c, pos, "the capability list leads back to itself");
			return;
		}
		seen |= UINT64_C(1) << pos / 4;
		if (c->bytes[pos] == 0xff) {
			broken(c, pos, "a capability pointer points at nothing");
			return;
		}
		add_cap(c, false, c->bytes[pos], pos);
	}
}

/* Section 7.6: a header of 0 at 100h: there are none. All ones: nobody answers there. */
static void walk_ext(struct hf_cfg *c)
{
	uint32_t seen[HF_CFG_EXP_SIZE / 4 / 32] = { 0 };
	uint16_t pos = HF_CFG_SIZE;
	uint32_t head;

	if (c->size < HF_CFG_EXP_SIZE || !c->exp)
		return;
	while (pos) {
		if (pos < HF_CFG_SIZE) {
			broken(c, pos, "an extended capability points below 100h");
			return;
		}
		if (seen[pos / 128] & UINT32_C(1) << pos / 4 % 32) {
			broken(c, pos, "the extended capability list leads back to itself");
			return;
		}
		seen[pos / 128] |= UINT32_C(1) << pos / 4 % 32;
		head = hf_get(c->bytes + pos, 4);
		if (!head || head == UINT32_MAX) {
			if (pos != HF_CFG_SIZE)
				broken(c, pos, "an extended capability points at nothing");
			return;
		}
		/* A Null capability is only there to lead on. */
		if (PCI_EXT_CAP_ID(head))
			add_cap(c, true, PCI_EXT_CAP_ID(head), pos);
		pos = PCI_EXT_CAP_NEXT(head);
	}
}

/* Size and kind are what BARs do not tell but by being written to; kind is in the low bits. */
static void read_bars(struct hf_cfg *c)
{
	uint32_t v;

	if ((c->bytes[PCI_HEADER_TYPE] & PCI_HEADER_TYPE_MASK) != PCI_HEADER_TYPE_NORMAL)
		return;
	for (unsigned int i = 0; i < 6; i++) {
		struct hf_bar *b = &c->bar[i];

		v = hf_get(c->bytes + PCI_BASE_ADDRESS_0 + 4 * i, 4);
		if (!v)
			continue;
		if (v & PCI_BASE_ADDRESS_SPACE_IO) {
			b->type = HF_BAR_IO;
			continue;
		}
		b->type = HF_BAR_MEM32;
		b->prefetch = v & PCI_BASE_ADDRESS_MEM_PREFETCH;
		if ((v & PCI_BASE_ADDRESS_MEM_TYPE_MASK) == PCI_BASE_ADDRESS_MEM_TYPE_64 && i < 5) {
			b->type = HF_BAR_MEM64;
			c->bar[++i].upper = true;
		}
	}
	if (hf_get(c->bytes + PCI_ROM_ADDRESS, 4))
		c->bar[HF_CFG_ROM].type = HF_BAR_MEM32;
}

/* Sections 7.5.1.2.1 and 7.5.1.2.4: what the bits that are not of the address leave. */
uint64_t hf_bar_least(unsigned int n, enum hf_bar_type type)
{
	return n == HF_CFG_ROM ? 2048 : type == HF_BAR_IO ? 4 : 16;
}

int hf_cfg_set_bar(struct hf_cfg *c, unsigned int n, enum hf_bar_type type, bool prefetch,
		   uint64_t size)
{
	struct hf_bar *b;

	if (n >= HF_BARS || (size & (size - 1)) || (type == HF_BAR_MEM64 && n >= 5))
		return -EINVAL;
	if (size && (size < hf_bar_least(n, type) || size > HF_BAR_MOST))
		return -EINVAL;
	b = &c->bar[n];
	if (n < HF_CFG_ROM && b->upper)
		return size ? -EINVAL : 0;
	b->known = true;
	b->size = size;
	b->type = size ? type : HF_BAR_NONE;
	b->prefetch = prefetch;
	if (type == HF_BAR_MEM64 && size)
		c->bar[n + 1] = (struct hf_bar){ .upper = true, .known = true };
	return 0;
}

/* Not even a header: a VF has ones in its IDs only. */
static bool all_ones(const uint8_t *bytes)
{
	for (unsigned int i = 0; i < PCI_STD_HEADER_SIZEOF; i++)
		if (bytes[i] != 0xff)
			return false;
	return true;
}

int hf_cfg_from_bytes(const void *bytes, size_t len, const char *name, struct hf_cfg **out,
		      struct hf_diags *d)
{
	struct hf_loc loc = { .file = name };
	struct hf_cfg *c;

	if (len != HF_CFG_SIZE && len != HF_CFG_EXP_SIZE) {
		hf_diag_add(d, HF_ERROR, &loc, NULL,
			    len == 64 ? "read it as root: the kernel gives others only the header"
				      : NULL,
			    "config space has 256 or 4096 bytes, not %zu", len);
		return -EINVAL;
	}
	if (all_ones(bytes)) {
		hf_diag_add(d, HF_ERROR, &loc, NULL, NULL,
			    "the device does not answer: config space reads as all ones");
		return -ENODEV;
	}
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	memcpy(c->bytes, bytes, len);
	c->size = len;
	/* Section 9.3.4.1.1: a VF does not tell who it is. */
	c->vf = hf_get(c->bytes + PCI_VENDOR_ID, 2) == 0xffff;
	snprintf(c->name, sizeof(c->name), "%s", name);
	read_bars(c);
	walk_std(c);
	walk_ext(c);
	*out = c;
	return 0;
}
