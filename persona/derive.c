// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A map from a device, as a start: each capability where the device has it, and all that is
 * read-only written down, so that another firmware does not change it.
 */
#include "internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/pci_regs.h>

__attribute__((format(printf, 5, 6))) static void note(struct hf_diags *d, const struct hf_cfg *c,
						       const char *reg, const char *hint,
						       const char *fmt, ...)
{
	struct hf_loc loc = { .file = c->name };
	va_list ap;

	va_start(ap, fmt);
	hf_diag_vadd(d, HF_NOTE, &loc, reg, hint, fmt, ap);
	va_end(ap);
}

static uint32_t of_the_moment(const struct hf_capdef *def, uint16_t off, uint8_t width)
{
	uint32_t mask = 0;

	for (unsigned int i = 0; i < def->nfields; i++)
		if (def->fields[i].off == off && def->fields[i].width == width &&
		    def->fields[i].flags & HF_F_STATE)
			mask |= def->fields[i].mask;
	return mask;
}

/* Once for each register, though it has many fields. */
static int pin(struct hf_rules *rules, const struct hf_capdef *def, const char *reg,
	       const uint8_t *cap, uint16_t off, uint8_t width)
{
	struct hf_rule r = {
		.reg = reg, .off = off, .width = width, .treat = HF_T_RO, .has_value = true
	};

	for (size_t i = 0; i < rules->n; i++)
		if (rules->rule[i].off == off && rules->rule[i].width == width)
			return 0;
	r.mask = hf_reg_fixed(def, off, width) & ~of_the_moment(def, off, width);
	r.value = hf_get(cap + off, width) & r.mask;
	return r.mask ? hf_rules_add(rules, &r) : 0;
}

static int pin_known(struct hf_rules *rules, const struct hf_capdef *def, const uint8_t *cap,
		     unsigned int entries)
{
	struct hf_field_iter it = { 0 };
	struct hf_field f;
	int err = 0;

	while (!err && hf_field_next(def, entries, &it, &f))
		if (f.treat == HF_T_RO && hf_field_exists(&f, hf_get(cap, 4)))
			err = pin(rules, def, f.reg, cap, f.off, f.width);
	return err;
}

static bool covered(const struct hf_capdef *def, uint16_t off, uint8_t width)
{
	for (unsigned int i = 0; i < def->nfields; i++)
		if (off < def->fields[i].off + def->fields[i].width &&
		    def->fields[i].off < off + width)
			return true;
	return false;
}

/* What nobody but the vendor knows: in pieces as large as alignment allows. */
static int pin_opaque(struct hf_rules *rules, const struct hf_capdef *def, const uint8_t *cap,
		      uint16_t len)
{
	uint16_t off = def->ext ? 4 : 2;
	uint8_t width;
	int err = 0;

	while (!err && off < len) {
		for (width = 4; width > 1; width /= 2)
			if (!(off % width) && off + width <= len && !covered(def, off, width))
				break;
		if (!covered(def, off, width))
			err = pin(rules, def, NULL, cap, off, width);
		off += width;
	}
	return err;
}

static unsigned int index_of(const struct hf_cfg *c, unsigned int i)
{
	unsigned int n = 0;

	for (unsigned int k = 0; k < i; k++)
		n += c->caps[k].ext == c->caps[i].ext && c->caps[k].id == c->caps[i].id;
	return n;
}

static uint16_t length(const struct hf_devcap *k)
{
	return k->def ? k->len : 4;
}

/* Which one of those that are shown already is in the same dwords? */
static const struct hf_devcap *beneath(const struct hf_persona *p, const struct hf_cfg *c,
				       const struct hf_devcap *k)
{
	for (size_t i = 0; i < p->ncaps; i++) {
		const struct hf_devcap *o =
			hf_cfg_cap(c, p->caps[i].ext, p->caps[i].id, p->caps[i].index);

		if (p->caps[i].mode == HF_CAP_DEVICE && o->pos < ((k->pos + length(k) + 3) & ~3) &&
		    k->pos < ((o->pos + length(o) + 3) & ~3))
			return o;
	}
	return NULL;
}

/* Return: whether it can be shown where it is. */
static bool stands_alone(const struct hf_persona *p, const struct hf_cfg *c,
			 const struct hf_devcap *k, struct hf_diags *d)
{
	const struct hf_devcap *o = beneath(p, c, k);
	char name[8], other[8];

	if (o)
		note(d, c, hf_cap_name(k->ext, k->id, name), "left out: only one can be there",
		     "it is at 0x%02x-0x%02x, on top of %s at 0x%02x", k->pos,
		     k->pos + length(k) - 1, hf_cap_name(o->ext, o->id, other), o->pos);
	return !o;
}

static int derive_cap(struct hf_persona *p, const struct hf_cfg *c, unsigned int i, bool all,
		      struct hf_diags *d)
{
	const struct hf_devcap *k = &c->caps[i];
	bool dropped = k->def && k->def->drop && !all;
	const uint8_t *bytes = c->bytes + k->pos;
	struct hf_pcap *cap;
	char buf[8];
	int err;

	if (!k->def && !all) {
		note(d, c, hf_cap_name(k->ext, k->id, buf),
		     "write 'length BYTES' if the guest needs it",
		     "this capability is not known, and left out");
		return 0;
	}
	if (!dropped && !stands_alone(p, c, k, d))
		return 0;
	cap = hf_persona_add_cap(p);
	if (!cap)
		return -ENOMEM;
	cap->ext = k->ext;
	cap->id = k->id;
	cap->index = index_of(c, i);
	if (dropped) {
		cap->mode = HF_CAP_DROP;
		return 0;
	}
	cap->mode = HF_CAP_DEVICE;
	cap->at = k->pos;
	cap->version = k->ext ? PCI_EXT_CAP_VER(hf_get(bytes, 4)) : 0;
	cap->length = k->def ? 0 : 4;
	if (!k->def)
		return 0;
	/* Written down it would be that of every VM of an instance type. */
	if (k->ext && k->id == PCI_EXT_CAP_ID_DSN) {
		note(d, c, "dsn", "'synth { serial ... }' gives a VM its own",
		     "the serial number is not written down: the guest sees that of its device");
		return 0;
	}
	err = pin_known(&cap->rules, k->def, bytes, hf_cap_entries(k->def, bytes));
	if (!err && k->def->opaque)
		err = pin_opaque(&cap->rules, k->def, bytes, k->len);
	return err;
}

/* The list of extended capabilities starts at 100h, whether or not one is kept there. */
static int lead_on(struct hf_persona *p)
{
	struct hf_pcap *cap;
	bool any = false;

	for (size_t i = 0; i < p->ncaps; i++) {
		if (!p->caps[i].ext || p->caps[i].mode == HF_CAP_DROP)
			continue;
		if (p->caps[i].at == HF_CFG_SIZE)
			return 0;
		any = true;
	}
	if (!any)
		return 0;
	cap = hf_persona_add_cap(p);
	if (!cap)
		return -ENOMEM;
	cap->ext = true;
	cap->at = HF_CFG_SIZE;
	cap->mode = HF_CAP_SYNTH;
	return 0;
}

static void derive_bars(struct hf_persona *p, const struct hf_cfg *c, struct hf_diags *d)
{
	for (unsigned int i = 0; i < HF_BARS; i++) {
		const struct hf_bar *b = &c->bar[i];
		char name[8];

		if (b->type == HF_BAR_NONE || b->upper)
			continue;
		p->bar[i].mode = HF_BAR_KEEP;
		p->bar[i].size = b->size;
		if (i < HF_CFG_ROM) {
			p->bar[i].type = b->type;
			p->bar[i].prefetch = b->prefetch && b->type != HF_BAR_IO;
		}
		snprintf(name, sizeof(name), i == HF_CFG_ROM ? "rom" : "bar%u", i);
		if (!b->size)
			note(d, c, name, "add 'size'; lspci -vvxxxx tells it",
			     "config space does not tell how large it is");
	}
}

static void derive_identity(struct hf_persona *p, const struct hf_cfg *c, bool all,
			    struct hf_diags *d)
{
	bool unknown = false;

	p->vf = c->vf;
	for (unsigned int i = 0; i < HF_IDS; i++) {
		p->id[i].given = hf_cfg_ident(c, i, &p->id[i].value) || all;
		unknown |= !p->id[i].given;
		if (!p->id[i].given)
			p->id[i].value = 0;
	}
	if (unknown)
		note(d, c, "vendor",
		     "lspci -n tells both, and so does sysfs: add them to 'identity'",
		     "a VF does not tell who it is: its vendor is that of its PF, its device is "
		     "VF Device ID in the SR-IOV capability of its PF");
}

int hf_derive(const struct hf_cfg *c, bool all, struct hf_persona **out, struct hf_diags *d)
{
	struct hf_loc loc = { .file = c->name };
	uint32_t vendor, device;
	struct hf_persona *p;
	char name[32];
	int err = 0;

	if ((c->bytes[PCI_HEADER_TYPE] & PCI_HEADER_TYPE_MASK) != PCI_HEADER_TYPE_NORMAL ||
	    c->broken) {
		hf_diag_add(d, HF_ERROR, &loc, c->broken ? NULL : "header_type", NULL, "%s",
			    c->broken ? c->broken
				      : "this is a bridge: only endpoints are given to VMs");
		return -EOPNOTSUPP;
	}
	p = hf_persona_new();
	if (!p)
		return -ENOMEM;
	hf_cfg_ident(c, HF_ID_VENDOR, &vendor);
	hf_cfg_ident(c, HF_ID_DEVICE, &device);
	snprintf(name, sizeof(name), "%04x-%04x", vendor, device);
	p->name = strdup(name);
	p->version = 1;
	derive_identity(p, c, all, d);
	derive_bars(p, c, d);
	err = p->name ? pin_known(&p->rules, &hf_header_def, c->bytes, 1) : -ENOMEM;
	for (unsigned int i = 0; !err && i < c->ncaps; i++)
		err = derive_cap(p, c, i, all, d);
	err = err ?: lead_on(p);
	if (err)
		hf_persona_free(p);
	else
		*out = p;
	return err;
}

int hf_persona_derive(const struct hf_cfg *c, struct hf_persona **out, struct hf_diags *d)
{
	return hf_derive(c, false, out, d);
}
