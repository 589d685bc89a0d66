// SPDX-License-Identifier: LGPL-2.1-or-later
/* A persona as text: one way to write each thing, which the parser reads back. */
#include "internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/pci_regs.h>

static bool contiguous(uint32_t mask)
{
	mask >>= __builtin_ctz(mask);
	return !(mask & (mask + 1));
}

/* By its name, if it has one there: of MSI's the place alone does not tell which is meant. */
static const char *reg_name(const struct hf_capdef *def, const struct hf_rule *r, bool cap,
			    char buf[48])
{
	struct hf_field_iter it = { 0 };
	struct hf_field f;

	while (r->reg && hf_field_next(def, HF_MAX_ENTRIES, &it, &f)) {
		if (f.off != r->off || f.width != r->width || strcmp(f.reg, r->reg))
			continue;
		if (it.entry > 1)
			snprintf(buf, 48, "%s.%u", f.reg, it.entry - 1);
		else
			snprintf(buf, 48, "%s", f.reg);
		return buf;
	}
	snprintf(buf, 48, "%s0x%02x/%u", cap ? "+" : "", r->off, r->width);
	return buf;
}

static void print_treatment(FILE *o, const struct hf_rule *r)
{
	static const char *const words[] = { "hide", "ro", "live", "virtual", "pass" };

	fprintf(o, " %s", words[r->treat]);
	if (r->has_value)
		fprintf(o, " 0x%x", r->value >> __builtin_ctz(r->mask));
	else if (r->treat == HF_T_RO)
		fputs(" device", o);
}

static void print_bits(FILE *o, const struct hf_capdef *def, const char *reg,
		       const struct hf_rule *r)
{
	unsigned int low = __builtin_ctz(r->mask), high = 31 - __builtin_clz(r->mask);
	size_t len = strcspn(reg, ".");

	fputs(" bits ", o);
	for (unsigned int i = 0; !contiguous(r->mask) && i < def->nfields; i++) {
		const struct hf_field *f = &def->fields[i];

		if (f->mask == r->mask && strlen(f->reg) == len && !memcmp(f->reg, reg, len)) {
			fputs(f->name, o);
			print_treatment(o, r);
			return;
		}
	}
	if (high == low)
		fprintf(o, "%u", low);
	else
		fprintf(o, "%u:%u", high, low);
	print_treatment(o, r);
}

static void print_rules(FILE *o, const struct hf_rules *rules, const struct hf_capdef *def,
			bool cap)
{
	const char *tab = cap ? "\t" : "";
	char buf[48];

	for (size_t i = 0; i < rules->n; i++) {
		const struct hf_rule *r = &rules->rule[i];
		const char *name = reg_name(def, r, cap, buf);
		uint32_t fixed = def ? hf_reg_fixed(def, r->off, r->width) : hf_ones(r->width);

		fprintf(o, "%sregister %s", tab, name);
		if (r->treat == HF_T_RO && r->has_value && r->mask == fixed) {
			fprintf(o, " = 0x%0*x\n", 2 * r->width, r->value);
		} else if (r->mask == hf_ones(r->width)) {
			print_treatment(o, r);
			fputc('\n', o);
		} else {
			fputs(" {", o);
			print_bits(o, def, name, r);
			fputs(" }\n", o);
		}
	}
}

static void print_bytes(FILE *o, const uint8_t *b, size_t n)
{
	if (n)
		fputs("\tbytes", o);
	for (size_t i = 0; i < n; i++)
		fprintf(o, " %02x", b[i]);
	if (n)
		fputc('\n', o);
}

static void print_vpd(FILE *o, const struct hf_pcap *c)
{
	const char *text;
	size_t pos = 0, len;
	char key[3];

	while (hf_vpd_next(c->vpd, c->nvpd, &pos, key, &text, &len)) {
		if (key[0])
			fprintf(o, "\tfield %s \"%.*s\"\n", key, (int)len, text);
		else if (len)
			fprintf(o, "\tid \"%.*s\"\n", (int)len, text);
	}
}

static void print_synth(FILE *o, const struct hf_pcap *c)
{
	uint32_t v = c->nbody >= 4 ? hf_get(c->body, 4) : 0;

	if (c->ext && c->id == PCI_EXT_CAP_ID_PASID) {
		fprintf(o, "\twidth %u\n\texec %s\n\tpriv %s\n", v >> 8 & 0x1f,
			v & PCI_PASID_CAP_EXEC ? "yes" : "no",
			v & PCI_PASID_CAP_PRIV ? "yes" : "no");
	} else if (c->ext && c->id == PCI_EXT_CAP_ID_DSN) {
		fputs("\tserial ", o);
		for (unsigned int i = 8; i--;)
			fprintf(o, "%02x%s", c->body[i], i ? "-" : "\n");
	} else if (c->ext) {
		fprintf(o, "\tid 0x%04x\n\trev %u\n", v & 0xffff, v >> 16 & 0xf);
		print_bytes(o, c->body + 4, c->nbody - 4);
	} else if (c->id == PCI_CAP_ID_VPD) {
		print_vpd(o, c);
	} else {
		print_bytes(o, c->body + 1, c->nbody - 1);
	}
}

static void print_cap(FILE *o, const struct hf_pcap *c)
{
	bool null = c->ext && !c->id;
	char buf[8];

	fprintf(o, "%s %s", c->ext ? "extcap" : "cap", hf_cap_name(c->ext, c->id, buf));
	if (c->index)
		fprintf(o, " index %u", c->index);
	if (c->mode == HF_CAP_DROP) {
		fputs(" drop\n", o);
		return;
	}
	fprintf(o, " at 0x%0*x %s", c->ext ? 3 : 2, c->at,
		c->mode == HF_CAP_SYNTH ? "synth" : "from device");
	if (c->length)
		fprintf(o, " length %u", c->length);
	if (c->version)
		fprintf(o, " version %u", c->version);
	if (null || (c->mode == HF_CAP_DEVICE && !c->rules.n)) {
		fputc('\n', o);
		return;
	}
	fputs(" {\n", o);
	if (c->mode == HF_CAP_SYNTH)
		print_synth(o, c);
	print_rules(o, &c->rules, hf_capdef_by_id(c->ext, c->id), true);
	fputs("}\n", o);
}

static void print_size(FILE *o, uint64_t size)
{
	static const char units[] = "\0KMGT";
	unsigned int u = 0;

	while (u < 4 && !(size & 1023)) {
		size >>= 10;
		u++;
	}
	fprintf(o, " size %" PRIu64, size);
	if (u)
		fputc(units[u], o);
}

static void print_bar(FILE *o, const struct hf_pbar *b, unsigned int n)
{
	static const char *const types[] = { "", " io", " mem32", " mem64" };

	if (b->mode == HF_BAR_UNSET)
		return;
	if (n == HF_CFG_ROM)
		fputs("rom", o);
	else
		fprintf(o, "bar %u", n);
	fprintf(o, " %s%s%s", b->mode == HF_BAR_KEEP ? "keep" : "hide", types[b->type],
		b->prefetch ? " prefetch" : "");
	if (b->size)
		print_size(o, b->size);
	fputc('\n', o);
}

static void print_identity(FILE *o, const struct hf_persona *p)
{
	static const uint8_t digits[] = { 4, 4, 4, 4, 2, 6 };
	bool any = false;

	for (unsigned int i = 0; i < HF_IDS; i++)
		any |= p->id[i].given;
	if (!any)
		return;
	fputs("identity {\n", o);
	for (unsigned int i = 0; i < HF_IDS; i++) {
		if (!p->id[i].given)
			continue;
		if (i == HF_ID_SUBSYSTEM)
			fprintf(o, " 0x%04x\n", p->id[i].value);
		else
			fprintf(o, "\t%s 0x%0*x%s",
				i == HF_ID_SUBVENDOR ? "subsystem" : hf_ident_names[i], digits[i],
				p->id[i].value, i == HF_ID_SUBVENDOR ? "" : "\n");
	}
	fputs("}\n", o);
}

char *hf_persona_print(const struct hf_persona *p)
{
	char *text = NULL;
	size_t len;
	FILE *o = open_memstream(&text, &len);
	bool failed;

	if (!o)
		return NULL;
	fprintf(o, "persona-map 1\npersona \"%s\" version %u\n", p->name, p->version);
	if (p->vf)
		fputs("function vf\n", o);
	print_identity(o, p);
	for (unsigned int i = 0; i < HF_BARS; i++)
		print_bar(o, &p->bar[i], i);
	print_rules(o, &p->rules, &hf_header_def, false);
	for (size_t i = 0; i < p->ncaps; i++)
		print_cap(o, &p->caps[i]);
	failed = ferror(o);
	if (!fclose(o) && !failed)
		return text;
	free(text);
	return NULL;
}
