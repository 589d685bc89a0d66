// SPDX-License-Identifier: LGPL-2.1-or-later
/* Capabilities: where each goes, the lists that lead to them, and what is in them. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include <linux/pci_regs.h>

/* Of a capability that is the device's: where from, and how long. */
static bool from_device(struct hf_build *b, const struct hf_pcap *p, struct hf_vcap *c)
{
	const struct hf_devcap *k = hf_cfg_cap(b->c, p->ext, p->id, p->index);
	char buf[8];

	if (!k) {
		hf_refuse(b, &p->loc, -1, NULL, "the device has no %s%s capability%s",
			  p->ext ? "extended " : "", hf_cap_name(p->ext, p->id, buf),
			  p->index ? " with this index" : "");
		return false;
	}
	c->phys = k->pos;
	c->len = p->length ? p->length : k->len;
	if (c->phys + c->len > (p->ext ? b->c->size : HF_CFG_SIZE)) {
		hf_refuse(b, &p->loc, -1, NULL,
			  "in the device, %u bytes at 0x%03x reach beyond the end", c->len,
			  c->phys);
		return false;
	}
	c->entries = k->def ? hf_cap_entries(k->def, b->c->bytes + k->pos) : 1;
	return true;
}

static bool fits(struct hf_build *b, const struct hf_pcap *p, const struct hf_vcap *c)
{
	char buf[8];

	if (c->at + c->len > (p->ext ? HF_CFG_EXP_SIZE : HF_CFG_SIZE)) {
		hf_refuse(b, &p->loc, -1, NULL, "%s has %u bytes and does not fit at 0x%02x",
			  hf_cap_name(p->ext, p->id, buf), c->len, c->at);
		return false;
	}
	for (unsigned int i = 0; i < b->v->ncaps; i++) {
		const struct hf_vcap *o = &b->v->caps[i];

		/* Dwords are what capabilities are made of: two do not share one. */
		if (c->at >= ((o->at + o->len + 3) & ~3) || o->at >= ((c->at + c->len + 3) & ~3))
			continue;
		char other[8];

		hf_refuse(b, &p->loc, -1, NULL, "%s at 0x%02x-0x%02x overlaps %s at 0x%02x-0x%02x",
			  hf_cap_name(p->ext, p->id, buf), c->at, c->at + c->len - 1,
			  hf_cap_name(o->ext, o->id, other), o->at, o->at + o->len - 1);
		return false;
	}
	return true;
}

static void place(struct hf_build *b, const struct hf_pcap *p)
{
	struct hf_vcap c = { .ext = p->ext,
			     .id = p->id,
			     .at = p->at,
			     .phys = HF_NO_PHYS,
			     .index = p->index,
			     .entries = 1,
			     .from = p };

	c.def = hf_capdef_by_id(p->ext, p->id);
	c.len = p->nbody + (p->ext ? 4 : 2);
	if (p->mode == HF_CAP_DEVICE && !from_device(b, p, &c))
		return;
	if (fits(b, p, &c))
		b->v->caps[b->v->ncaps++] = c;
}

static int by_place(const void *a, const void *b)
{
	return ((const struct hf_vcap *)a)->at - ((const struct hf_vcap *)b)->at;
}

/* Section 7.6.3: where there is an extended capability, there is one at 100h. */
static void check_start(struct hf_build *b, const struct hf_vcap *first)
{
	if (b->v->size < HF_CFG_EXP_SIZE)
		hf_refuse(b, &first->from->loc, -1, "add 'cap exp'",
			  "extended capabilities need a PCI Express capability");
	else if (first->at != HF_CFG_SIZE)
		hf_refuse(b, &first->from->loc, -1, "add 'extcap null at 0x100 synth'",
			  "the list of extended capabilities starts at 0x100, and there is none");
}

void hf_place_caps(struct hf_build *b)
{
	bool placed = true;

	b->v->size = HF_CFG_SIZE;
	for (size_t i = 0; i < b->p->ncaps; i++) {
		const struct hf_pcap *p = &b->p->caps[i];

		if (p->mode == HF_CAP_DROP)
			continue;
		if (!p->ext && p->id == PCI_CAP_ID_EXP)
			b->v->size = HF_CFG_EXP_SIZE;
		place(b, p);
		placed &= !b->failed;
	}
	qsort(b->v->caps, b->v->ncaps, sizeof(b->v->caps[0]), by_place);
	for (unsigned int i = 0; placed && i < b->v->ncaps; i++) {
		if (!b->v->caps[i].ext)
			continue;
		check_start(b, &b->v->caps[i]);
		return;
	}
}

/* The header of a capability: which one, which version, and where the next one is. */
static void build_head(struct hf_build *b, const struct hf_vcap *c, uint16_t next)
{
	uint32_t dev = c->phys == HF_NO_PHYS ? 0 : hf_get(b->c->bytes + c->phys, 4);
	uint32_t version = c->from->version	   ? c->from->version
			   : c->phys == HF_NO_PHYS ? !!c->id
						   : PCI_EXT_CAP_VER(dev);

	if (c->from->version && c->phys != HF_NO_PHYS && version > PCI_EXT_CAP_VER(dev))
		hf_refuse(b, &c->from->loc, c->at, NULL, "the device has version %u of it, not %u",
			  PCI_EXT_CAP_VER(dev), version);
	if (c->ext)
		hf_treat(b, c->at, 4, ~UINT32_C(0), HF_T_RO,
			 c->id | version << 16 | (uint32_t)next << 20);
	else
		hf_treat(b, c->at, 2, 0xffff, HF_T_RO, c->id | next << 8);
	memset(b->own + c->at, 0xff, c->ext ? 4 : 2);
}

/* The lists: in the order of their places, which is sure not to have loops. */
static void build_lists(struct hf_build *b)
{
	struct hf_view *v = b->v;
	bool any = v->ncaps && !v->caps[0].ext;

	hf_treat(b, PCI_STATUS, 2, PCI_STATUS_CAP_LIST, HF_T_RO, any ? PCI_STATUS_CAP_LIST : 0);
	hf_treat(b, PCI_CAPABILITY_LIST, 1, 0xff, HF_T_RO, any ? v->caps[0].at : 0);
	for (unsigned int i = 0; i < v->ncaps; i++) {
		bool more = i + 1 < v->ncaps && v->caps[i + 1].ext == v->caps[i].ext;

		build_head(b, &v->caps[i], more ? v->caps[i + 1].at : 0);
	}
}

/*
 * Section 7.8.6: the guest is told of the one size that the persona gives the BAR. Size
 * 2^n is bit n - 16 of a mask of 32 + 16 bits, and n - 20 in BAR Size.
 */
static void build_rebar(struct hf_build *b, const struct hf_vcap *c)
{
	for (unsigned int i = 0; i < c->entries; i++) {
		uint16_t cap = c->at + PCI_REBAR_CAP + 8 * i, ctrl = c->at + PCI_REBAR_CTRL + 8 * i;
		uint32_t dev = hf_get(b->c->bytes + c->phys + PCI_REBAR_CTRL + 8 * i, 4);
		unsigned int bar = dev & PCI_REBAR_CTRL_BAR_IDX, n;
		uint64_t size = bar < 6 ? b->v->bar_size[bar] : 0;

		if (size < 1 << 20) {
			hf_refuse(b, &c->from->loc, cap,
				  "drop it, or keep the BAR with a size of 1M or more",
				  "it is about BAR %u, which the guest has not", bar);
			continue;
		}
		n = __builtin_ctzll(size) - 20;
		hf_treat(b, cap, 4, 0xfffffff0, HF_T_RO, n < 28 ? UINT32_C(1) << (n + 4) : 0);
		hf_treat(b, ctrl, 4, 0x3f00, HF_T_RO, n << PCI_REBAR_CTRL_BAR_SHIFT);
		hf_treat(b, ctrl, 4, 0xffff0000, HF_T_RO,
			 n >= 28 ? UINT32_C(1) << (n - 28 + 16) : 0);
	}
}

/* What no field of it covers and the vendor alone knows: as the device has it. */
static void build_opaque(struct hf_build *b, const struct hf_vcap *c, const uint8_t *dev)
{
	for (uint16_t i = c->ext ? 4 : 2; i < c->len; i++)
		if (!b->known[c->at + i])
			hf_treat(b, c->at + i, 1, 0xff, HF_T_RO, dev[i]);
}

/* The length of a vendor-specific capability is part of its place. */
static void build_own_length(struct hf_build *b, const struct hf_vcap *c, const uint8_t *dev)
{
	for (uint16_t i = c->ext ? 4 : 2; i < c->len; i++)
		if (b->own[c->at + i])
			hf_treat(b, c->at + i, 1, b->own[c->at + i], HF_T_RO, dev[i]);
}

static void build_cap(struct hf_build *b, struct hf_vcap *c)
{
	static const struct hf_capdef nothing = { .opaque = true };
	uint8_t stand_in[HF_CFG_EXP_SIZE + 4] = { 0 };
	const uint8_t *dev = stand_in;

	if (c->phys == HF_NO_PHYS && c->from->nbody) {
		memcpy(stand_in + (c->ext ? 4 : 2), c->from->body, c->from->nbody);
	} else if (c->phys != HF_NO_PHYS) {
		dev = b->c->bytes + c->phys;
		for (uint16_t i = 0; i < c->len; i += 4)
			b->v->phys[(c->at + i) / 4] = c->phys + i;
	}
	if (!c->def)
		c->def = &nothing;
	hf_build_fields(b, c, dev);
	if (c->def->opaque)
		build_opaque(b, c, dev);
	build_own_length(b, c, dev);
	if (c->ext && c->id == PCI_EXT_CAP_ID_REBAR)
		build_rebar(b, c);
	if (c->def == &nothing)
		c->def = NULL;
}

/* Section 7.9.18: address and data of a synthesised one are the library's. */
static void build_vpd(struct hf_build *b, const struct hf_vcap *c)
{
	memcpy(b->v->vpd, c->from->vpd, c->from->nvpd);
	b->v->nvpd = c->from->nvpd;
	b->v->vpd_at = c->at;
	hf_treat(b, c->at + PCI_VPD_ADDR, 2, 0xffff, HF_T_VIRT, 0);
	hf_treat(b, c->at + PCI_VPD_DATA, 4, ~UINT32_C(0), HF_T_VIRT, 0);
	memset(b->own + c->at, 0xff, PCI_CAP_VPD_SIZEOF);
}

void hf_build_caps(struct hf_build *b)
{
	for (unsigned int i = 0; i < b->v->ncaps; i++) {
		struct hf_vcap *c = &b->v->caps[i];

		build_cap(b, c);
		if (c->phys == HF_NO_PHYS && !c->ext && c->id == PCI_CAP_ID_VPD)
			build_vpd(b, c);
	}
	build_lists(b);
}

static void not_there(struct hf_build *b, uint16_t at, uint8_t width, uint32_t mask)
{
	hf_treat(b, at, width, mask & hf_get(b->v->virt + at, width), HF_T_HIDE, 0);
}

/*
 * Section 7.7.1: what Message Control says the function does not have cannot be written:
 * Extended Message Data, and masks of vectors beyond those it is capable of.
 */
void hf_limit_msi(struct hf_build *b)
{
	for (unsigned int i = 0; i < b->v->ncaps; i++) {
		const struct hf_vcap *c = &b->v->caps[i];
		uint16_t flags = hf_get(b->v->image + c->at + PCI_MSI_FLAGS, 2);
		uint16_t mask = flags & PCI_MSI_FLAGS_64BIT ? PCI_MSI_MASK_64 : PCI_MSI_MASK_32;
		unsigned int vectors = 1 << ((flags & PCI_MSI_FLAGS_QMASK) >> 1);

		if (c->ext || c->id != PCI_CAP_ID_MSI || c->len < mask)
			continue;
		if (!(flags & HF_MSI_FLAGS_EXT_DATA)) {
			not_there(b, c->at + PCI_MSI_FLAGS, 2, HF_MSI_FLAGS_EXT_DATA_ENABLE);
			not_there(b, c->at + mask - 4, 4, 0xffff0000);
		}
		if (flags & PCI_MSI_FLAGS_MASKBIT && c->len >= mask + 4 && vectors < 32)
			not_there(b, c->at + mask, 4, ~UINT32_C(0) << vectors);
	}
}
