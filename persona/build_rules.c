// SPDX-License-Identifier: LGPL-2.1-or-later
/* What the map says of single bits, and whether the device can keep what was promised. */
#include "internal.h"

#include <stdio.h>
#include <string.h>

#include <linux/pci_regs.h>

/* One rule at its place in the guest's config space. */
struct placed {
	const struct hf_rule *r;
	const struct hf_vcap *cap; /* NULL: not in a capability */
	uint16_t at;
};

/* Outside of header and capabilities, where the device has it is where the guest has it. */
static bool reach_gap(struct hf_build *b, const struct placed *p)
{
	const struct hf_cfg *c = b->c;
	char buf[8];

	if (p->at + p->r->width > c->size) {
		hf_refuse(b, &p->r->loc, p->at, NULL, "the device has %zu bytes of config space",
			  c->size);
		return false;
	}
	for (unsigned int i = 0; i < c->ncaps; i++) {
		const struct hf_devcap *k = &c->caps[i];
		uint16_t len = k->len ? k->len : 4;

		if (p->at >= ((k->pos + len + 3) & ~3) || k->pos >= p->at + p->r->width)
			continue;
		hf_refuse(b, &p->r->loc, p->at, "write it in the block of that capability",
			  "in the device this is part of %s at 0x%02x",
			  hf_cap_name(k->ext, k->id, buf), k->pos);
		return false;
	}
	b->v->phys[p->at / 4] = p->at & ~3;
	return true;
}

static bool reaches_device(struct hf_build *b, const struct placed *p)
{
	if (b->v->phys[p->at / 4] != HF_NO_PHYS)
		return true;
	if (p->cap) {
		hf_refuse(
			b, &p->r->loc, p->at, "'virtual' or 'ro'",
			"the capability is synthesised: there is nothing behind it in the device");
		return false;
	}
	return reach_gap(b, p);
}

static void check_pass(struct hf_build *b, const struct placed *p)
{
	uint32_t ro = hf_get(b->ro + p->at, p->r->width) & p->r->mask;
	uint32_t known = hf_get(b->known + p->at, p->r->width);

	if (ro) {
		hf_refuse(b, &p->r->loc, p->at, "'live' reads them from the device",
			  "bits 0x%x are read-only in hardware: writes cannot be passed through",
			  ro);
		return;
	}
	for (unsigned int i = 0; i < p->r->width; i++) {
		uint8_t m = p->r->mask >> 8 * i, k = known >> 8 * i;

		/* What is passed in part is read and written back: that needs knowing the rest. */
		if (!(m & ~k) || (m == 0xff && !k))
			continue;
		hf_refuse(b, &p->r->loc, p->at,
			  k ? NULL
			    : "pass whole bytes: bits next to these may be cleared by writing 1",
			  k ? "bits 0x%x are reserved"
			    : "nothing is known of the bits next to 0x%x",
			  (uint32_t)(m & ~k) << 8 * i);
		return;
	}
}

static uint32_t value_of(struct hf_build *b, const struct placed *p)
{
	const struct hf_rule *r = p->r;
	uint16_t phys = b->v->phys[p->at / 4];
	const struct hf_capdef *def = p->cap ? p->cap->def : &hf_header_def;
	struct hf_field_iter it = { 0 };
	struct hf_field f;
	uint32_t v = 0;

	if (r->has_value)
		return r->value;
	if (r->treat != HF_T_VIRT)
		return phys == HF_NO_PHYS ? 0 : hf_get(b->c->bytes + phys + p->at % 4, r->width);
	while (def && hf_field_next(def, HF_MAX_ENTRIES, &it, &f))
		if (f.off == r->off && f.width == r->width)
			v |= f.reset;
	return v;
}

static void apply(struct hf_build *b, const struct placed *p)
{
	const struct hf_rule *r = p->r;
	bool device = r->treat == HF_T_PASS || r->treat == HF_T_LIVE ||
		      (r->treat == HF_T_RO && !r->has_value);

	if (hf_get(b->own + p->at, r->width) & r->mask) {
		hf_refuse(b, &r->loc, p->at,
			  "identity, bars and places of capabilities have their own statements",
			  "bits 0x%x follow from the rest of the map",
			  hf_get(b->own + p->at, r->width) & r->mask);
		return;
	}
	if (device && !reaches_device(b, p))
		return;
	if (r->treat == HF_T_PASS)
		check_pass(b, p);
	hf_treat(b, p->at, r->width, r->mask, r->treat, value_of(b, p));
}

/* Is there such a register in this capability of this device? */
static bool in_cap(struct hf_build *b, const struct placed *p)
{
	const struct hf_vcap *c = p->cap;
	char name[24], hint[64];
	struct hf_field f;
	bool there;

	if (p->r->off + p->r->width > c->len) {
		hf_refuse(b, &p->r->loc, c->at, NULL,
			  "register +0x%02x is behind the end: it has 0x%02x bytes", p->r->off,
			  c->len);
		return false;
	}
	if (!c->def || c->def->opaque || c->phys == HF_NO_PHYS)
		return true;
	there = hf_reg_by_offset(c->def, p->r->off, hf_get(b->c->bytes + c->phys, 4), &f, name,
				 sizeof(name));
	/* MSI: where mask_32 would be, a device with 64-bit addresses has data_64. */
	if (there && (!p->r->reg || !strcmp(p->r->reg, f.reg)))
		return true;
	if (there)
		snprintf(hint, sizeof(hint), "what it has there is '%s'", name);
	if (p->r->reg)
		hf_refuse(b, &p->r->loc, c->at, there ? hint : NULL,
			  "the device has no register '%s' in this capability", p->r->reg);
	else
		hf_refuse(b, &p->r->loc, c->at, NULL,
			  "the device has no register +0x%02x in this capability", p->r->off);
	return false;
}

static bool outside_caps(struct hf_build *b, const struct placed *p)
{
	if (p->at + p->r->width > b->v->size) {
		hf_refuse(b, &p->r->loc, -1, "add 'cap exp'",
			  "register 0x%03x: without PCI Express config space has 256 bytes", p->at);
		return false;
	}
	if (!hf_view_cap_at(b->v, p->at))
		return true;
	hf_refuse(b, &p->r->loc, p->at, NULL,
		  "this is in a capability: write it in the block of that");
	return false;
}

void hf_build_rules(struct hf_build *b)
{
	for (unsigned int i = 0; i < b->v->ncaps; i++) {
		const struct hf_vcap *c = &b->v->caps[i];

		for (size_t k = 0; k < c->from->rules.n; k++) {
			struct placed p = { &c->from->rules.rule[k], c, 0 };

			p.at = c->at + p.r->off;
			if (in_cap(b, &p))
				apply(b, &p);
		}
	}
	for (size_t k = 0; k < b->p->rules.n; k++) {
		struct placed p = { &b->p->rules.rule[k], NULL, b->p->rules.rule[k].off };

		if (outside_caps(b, &p))
			apply(b, &p);
	}
}

static const char *broken_promise(const struct hf_field *f, uint32_t guest, uint32_t dev)
{
	switch ((enum hf_promise)f->promise) {
	case HF_P_ANY:
		return NULL;
	case HF_P_SUBSET:
		return guest & ~dev ? "the device does not have all these features" : NULL;
	case HF_P_MAX:
		return guest > dev ? "the device does not have so much" : NULL;
	case HF_P_SAME:
		return guest != dev ? "the device is different, and nobody can make up for it"
				    : NULL;
	case HF_P_SAME0:
		return guest && guest != dev ? "the device is different" : NULL;
	}
	return NULL;
}

/* The last rule that speaks of a bit of it, to name its place. */
static const struct hf_loc *loc_of(const struct hf_rules *rules, const struct hf_field *f,
				   const struct hf_loc *otherwise)
{
	for (size_t i = rules->n; i--;)
		if (rules->rule[i].off < f->off + f->width &&
		    f->off < rules->rule[i].off + rules->rule[i].width)
			return &rules->rule[i].loc;
	return otherwise;
}

static void check_fields(struct hf_build *b, const struct hf_capdef *def, unsigned int entries,
			 uint16_t at, const uint8_t *dev, const struct hf_rules *rules,
			 const struct hf_loc *loc)
{
	struct hf_field_iter it = { 0 };
	struct hf_field f;

	while (hf_field_next(def, entries, &it, &f)) {
		uint32_t fixed = f.mask & ~(hf_get(b->v->virt + at + f.off, f.width) |
					    hf_get(b->v->hwread + at + f.off, f.width));
		uint32_t guest = hf_get(b->v->image + at + f.off, f.width) & fixed;
		uint32_t has = hf_get(dev + f.off, f.width) & fixed;
		unsigned int shift = __builtin_ctz(f.mask);
		const char *why;

		if (f.treat == HF_T_OWN || !fixed || !hf_field_exists(&f, hf_get(dev, 4)))
			continue;
		why = broken_promise(&f, guest, has);
		if (why)
			hf_refuse(b, loc_of(rules, &f, loc), at + f.off, NULL,
				  "%s: 0x%x promised, 0x%x there: %s", f.name, guest >> shift,
				  has >> shift, why);
	}
}

void hf_check_promises(struct hf_build *b)
{
	check_fields(b, &hf_header_def, 1, 0, b->c->bytes, &b->p->rules, NULL);
	for (unsigned int i = 0; i < b->v->ncaps; i++) {
		const struct hf_vcap *c = &b->v->caps[i];

		if (c->def && c->phys != HF_NO_PHYS)
			check_fields(b, c->def, c->entries, c->at, b->c->bytes + c->phys,
				     &c->from->rules, &c->from->loc);
	}
}

static void check_in_bar(struct hf_build *b, const struct hf_vcap *c, uint16_t reg, uint64_t bytes)
{
	uint32_t v = hf_get(b->v->image + c->at + reg, 4);
	unsigned int bar = v & PCI_MSIX_TABLE_BIR;
	uint64_t end = (v & PCI_MSIX_TABLE_OFFSET) + bytes;

	if (bar > 5 || end > b->v->bar_size[bar])
		hf_refuse(b, &c->from->loc, c->at + reg, "keep the BAR, and as large as that",
			  "0x%x bytes at 0x%x of BAR %u, where the guest has 0x%x",
			  (unsigned int)bytes, v & PCI_MSIX_TABLE_OFFSET, bar,
			  bar > 5 ? 0 : (unsigned int)b->v->bar_size[bar]);
}

/* Section 7.7.2: table and PBA are in BARs, which the guest has to have. */
void hf_check_msix(struct hf_build *b)
{
	for (unsigned int i = 0; i < b->v->ncaps; i++) {
		const struct hf_vcap *c = &b->v->caps[i];
		unsigned int n;

		if (c->ext || c->id != PCI_CAP_ID_MSIX)
			continue;
		n = (hf_get(b->v->image + c->at + PCI_MSIX_FLAGS, 2) & PCI_MSIX_FLAGS_QSIZE) + 1;
		check_in_bar(b, c, PCI_MSIX_TABLE, (uint64_t)n * PCI_MSIX_ENTRY_SIZE);
		check_in_bar(b, c, PCI_MSIX_PBA, (n + 63) / 64 * 8);
	}
}
