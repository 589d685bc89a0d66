// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * From a persona and a device to a view. To check is to make one and to throw it away, so
 * that nothing can pass the check and fail to be made, or the other way round.
 */
#include "internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/pci_regs.h>

void hf_refuse(struct hf_build *b, const struct hf_loc *loc, int at, const char *hint,
	       const char *fmt, ...)
{
	char name[48] = "";
	struct hf_field reg;
	va_list ap;

	if (at >= 0)
		hf_view_name(b->v, at, name, sizeof(name), &reg);
	va_start(ap, fmt);
	hf_diag_vadd(b->d, HF_ERROR, loc, name, hint, fmt, ap);
	va_end(ap);
	b->failed = true;
}

static void set(uint8_t *bits, uint8_t mask, bool on)
{
	*bits = on ? *bits | mask : *bits & ~mask;
}

void hf_treat(struct hf_build *b, uint16_t at, uint8_t width, uint32_t mask, enum hf_treat treat,
	      uint32_t value)
{
	struct hf_view *v = b->v;

	for (unsigned int i = 0; i < width; i++) {
		uint8_t m = mask >> 8 * i, set_to = value >> 8 * i;
		uint16_t n = at + i;

		set(&v->virt[n], m, treat == HF_T_VIRT);
		set(&v->hwread[n], m, treat == HF_T_LIVE || treat == HF_T_PASS);
		set(&v->hwwrite[n], m, treat == HF_T_PASS);
		set(&v->shown[n], m, treat != HF_T_HIDE);
		v->image[n] = (v->image[n] & ~m) | (treat == HF_T_HIDE ? 0 : set_to & m);
	}
}

const struct hf_vcap *hf_view_cap_at(const struct hf_view *v, uint16_t off)
{
	for (unsigned int i = 0; i < v->ncaps; i++)
		if (off >= v->caps[i].at && off < v->caps[i].at + v->caps[i].len)
			return &v->caps[i];
	return NULL;
}

/*
 * What has no name of its own goes by the dword, as long as no register with a name is in it.
 * Return: where it starts.
 */
static uint16_t gap(const struct hf_view *v, const struct hf_vcap *c, uint16_t off,
		    struct hf_field *reg)
{
	uint32_t head = c ? hf_get(v->image + c->at, 4) : 0;
	uint16_t start = off & ~3;
	struct hf_field other;
	char name[24];
	bool whole = true;

	for (uint16_t i = start; i < start + 4; i++) {
		const struct hf_vcap *in = hf_view_cap_at(v, i);

		if (in != c || i < PCI_STD_HEADER_SIZEOF || (c && i < c->at + (c->ext ? 4 : 2)) ||
		    (c && c->def &&
		     hf_reg_by_offset(c->def, i - c->at, head, &other, name, sizeof(name))))
			whole = false;
	}
	*reg = (struct hf_field){ .off = whole ? start : off, .width = whole ? 4 : 1 };
	return reg->off;
}

void hf_view_name(const struct hf_view *v, uint16_t off, char *buf, size_t size,
		  struct hf_field *reg)
{
	const struct hf_vcap *c = hf_view_cap_at(v, off);
	const struct hf_capdef *def = c				    ? c->def
				      : off < PCI_STD_HEADER_SIZEOF ? &hf_header_def
								    : NULL;
	uint16_t base = c ? c->at : 0, head = c && !c->ext ? 2 : 4;
	char cap[16], id[8], name[24];

	memset(reg, 0, sizeof(*reg));
	if (!c && !def) {
		snprintf(buf, size, "0x%03x", gap(v, NULL, off, reg));
		return;
	}
	if (!c)
		snprintf(cap, sizeof(cap), "header");
	else if (c->index)
		snprintf(cap, sizeof(cap), "%.8s[%u]", hf_cap_name(c->ext, c->id, id), c->index);
	else
		snprintf(cap, sizeof(cap), "%.8s", hf_cap_name(c->ext, c->id, id));
	if (c && off - base < head) {
		*reg = (struct hf_field){ .off = base, .width = head };
		snprintf(buf, size, "%s.head", cap);
	} else if (def && hf_reg_by_offset(def, off - base, c ? hf_get(v->image + base, 4) : 0, reg,
					   name, sizeof(name))) {
		reg->off += base;
		snprintf(buf, size, "%s.%s", cap, name);
	} else {
		snprintf(buf, size, "%s+0x%02x", cap, gap(v, c, off, reg) - base);
	}
}

static bool suits(struct hf_build *b)
{
	struct hf_loc loc = { .file = b->c->name };
	uint8_t type = b->c->bytes[PCI_HEADER_TYPE] & PCI_HEADER_TYPE_MASK;

	if (type != PCI_HEADER_TYPE_NORMAL) {
		hf_refuse(b, &loc, PCI_HEADER_TYPE, NULL,
			  "header type %u: only endpoints are given to VMs, no bridges", type);
		return false;
	}
	if (b->c->broken) {
		hf_refuse(b, &loc, -1, NULL, "at 0x%03x of the device: %s", b->c->broken_at,
			  b->c->broken);
		return false;
	}
	return true;
}

/* What the device has and the guest will not see. */
static void note_hidden(struct hf_build *b)
{
	struct hf_loc loc = { .file = b->c->name };
	unsigned int index;
	char buf[8];

	for (unsigned int i = 0; i < b->c->ncaps; i++) {
		const struct hf_devcap *k = &b->c->caps[i];

		index = 0;
		for (unsigned int j = 0; j < i; j++)
			index += b->c->caps[j].ext == k->ext && b->c->caps[j].id == k->id;
		if (hf_persona_cap(b->p, k->ext, k->id, index))
			continue;
		hf_diag_add(b->d, HF_NOTE, &loc, hf_cap_name(k->ext, k->id, buf), NULL,
			    "%s (section %s) is not in the map, so the guest will not see it",
			    k->def ? k->def->title : "a capability that is not known",
			    k->def ? k->def->spec : "?");
	}
}

static int build(struct hf_build *b)
{
	memset(b->v->phys, 0xff, sizeof(b->v->phys));
	if (!suits(b))
		return -EOPNOTSUPP;
	hf_build_header(b);
	hf_build_bars(b);
	hf_place_caps(b);
	hf_build_caps(b);
	hf_build_rules(b);
	hf_limit_msi(b);
	hf_check_promises(b);
	hf_check_msix(b);
	note_hidden(b);
	/* The persona may go before the view does. */
	for (unsigned int i = 0; i < b->v->ncaps; i++)
		b->v->caps[i].from = NULL;
	return b->failed ? -EOPNOTSUPP : 0;
}

int hf_view_new(const struct hf_persona *p, const struct hf_cfg *c, struct hf_view **out,
		struct hf_diags *d)
{
	struct hf_build *b = calloc(1, sizeof(*b));
	struct hf_view *v = calloc(1, sizeof(*v));
	int err = -ENOMEM;

	if (b && v) {
		*b = (struct hf_build){ .p = p, .c = c, .v = v, .d = d };
		err = build(b);
	}
	free(b);
	if (err)
		free(v);
	else
		*out = v;
	return err;
}

int hf_persona_check(const struct hf_persona *p, const struct hf_cfg *c, struct hf_diags *d)
{
	struct hf_view *v;
	int err = hf_view_new(p, c, &v, d);

	if (!err)
		hf_view_free(v);
	return err;
}
