// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 *	register WHERE TREATMENT
 *	register WHERE = VALUE
 *	register WHERE { bits WHICH TREATMENT ... }
 *
 * All become rules: so many bits of a register, treated so.
 */
#include "parse.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct where {
	const struct hf_capdef *def; /* NULL: no names */
	const char *name; /* NULL: given by offset */
	const char *reg; /* of the table, without entry; NULL: there is more than one */
	char buf[HF_TOK_MAX];
	uint16_t off;
	uint8_t width;
	uint32_t all; /* bits there are */
};

static const struct hf_capdef *def_of(const struct hf_pcap *cap)
{
	return cap ? hf_capdef_by_id(cap->ext, cap->id) : &hf_header_def;
}

static int unknown_reg(struct hf_parser *ps, const struct where *w)
{
	const char *names[128];
	size_t n = 0;
	char what[80];

	for (unsigned int i = 0; w->def && i < w->def->nfields && n < 128; i++)
		names[n++] = w->def->fields[i].reg;
	snprintf(what, sizeof(what), "a register of '%.16s', or an offset like %s0x04/2",
		 w->def ? w->def->name : "it", w->def == &hf_header_def ? "" : "+");
	return hf_expected(ps, what, names, n);
}

static int by_name(struct hf_parser *ps, struct where *w)
{
	struct hf_field f;

	if (!w->def || !hf_reg_by_name(w->def, ps->lex.tok.text, &f))
		return unknown_reg(ps, w);
	memcpy(w->buf, ps->lex.tok.text, HF_TOK_MAX);
	w->name = w->buf;
	w->reg = f.reg;
	w->off = f.off;
	w->width = f.width;
	hf_lex_next(&ps->lex);
	return 0;
}

static int by_offset(struct hf_parser *ps, struct where *w, const struct hf_pcap *cap)
{
	struct hf_token t = ps->lex.tok;
	uint64_t off, width;
	int err;

	if (cap)
		memmove(ps->lex.tok.text, ps->lex.tok.text + 1, HF_TOK_MAX - 1);
	err = hf_number(ps, "an offset", HF_CFG_EXP_SIZE - 1, &off);
	if (err)
		return err;
	if (!hf_take_punct(ps, '/'))
		return hf_expected(ps, "'/' and a width: 1, 2 or 4", NULL, 0);
	err = hf_number(ps, "a width", 4, &width);
	if (err)
		return err;
	if (width != 1 && width != 2 && width != 4)
		return hf_bad(ps, &t, NULL, "a register has 1, 2 or 4 bytes");
	if (off % width)
		return hf_bad(ps, &t, NULL, "a register of %u bytes starts at a multiple of %u",
			      (unsigned int)width, (unsigned int)width);
	if (cap && off < (cap->ext ? 4 : 2))
		return hf_bad(ps, &t, NULL, "the header of a capability follows from where it is");
	w->off = off;
	w->width = width;
	w->reg = w->def ? hf_reg_name(w->def, off, width) : NULL;
	return 0;
}

static int parse_where(struct hf_parser *ps, struct where *w, const struct hf_pcap *cap)
{
	char first = ps->lex.tok.kind == HF_TOK_WORD ? ps->lex.tok.text[0] : 0;
	int err;

	w->def = def_of(cap);
	if (cap ? first == '+' : first >= '0' && first <= '9')
		err = by_offset(ps, w, cap);
	else if (first)
		err = by_name(ps, w);
	else
		err = unknown_reg(ps, w);
	w->all = hf_ones(w->width);
	return err;
}

/* Bits of a rule, counted from the start of its dword. */
static uint32_t in_dword(const struct hf_rule *r)
{
	return r->mask << 8 * (r->off % 4);
}

/* What is left of a rule if @bits of its dword are not its own any more: pieces in one run each. */
static int add_rest(struct hf_rules *to, const struct hf_rule *old, uint32_t bits)
{
	uint32_t left = old->mask & ~(bits >> 8 * (old->off % 4)), run;
	struct hf_rule r = *old;
	int err = 0;

	if (left == old->mask)
		return hf_rules_add(to, old);
	while (left && !err) {
		run = left & ~(left + (left & -left));
		r.mask = run;
		r.value = old->value & run;
		err = hf_rules_add(to, &r);
		left &= ~run;
	}
	return err;
}

static bool overlaps(const struct hf_rule *a, const struct hf_rule *b)
{
	return a->off / 4 == b->off / 4 && in_dword(a) & in_dword(b);
}

/* A rule of a higher layer: those below do not count for its bits. */
static int supersede(struct hf_rules *rules, const struct hf_rule *r)
{
	struct hf_rules rest = { 0 };
	bool any = false;
	int err = 0;

	for (size_t i = 0; i < rules->n; i++)
		any |= overlaps(&rules->rule[i], r);
	if (!any)
		return hf_rules_add(rules, r);
	for (size_t i = 0; i < rules->n && !err; i++)
		err = add_rest(&rest, &rules->rule[i],
			       rules->rule[i].off / 4 == r->off / 4 ? in_dword(r) : 0);
	err = err ?: hf_rules_add(&rest, r);
	free(err ? rest.rule : rules->rule);
	if (!err)
		*rules = rest;
	return err;
}

static int add_rule(struct hf_parser *ps, struct hf_rules *rules, const struct where *w,
		    uint32_t mask, struct hf_rule *r, const struct hf_token *t)
{
	r->reg = w->reg;
	r->off = w->off;
	r->width = w->width;
	r->mask = mask;
	r->layer = ps->layer;
	r->loc = hf_here(ps, t);
	for (size_t i = 0; i < rules->n; i++) {
		const struct hf_rule *o = &rules->rule[i];

		if (o->layer != ps->layer || !overlaps(o, r))
			continue;
		return hf_bad(ps, t, NULL, "these bits were spoken of before, on line %u",
			      o->loc.line);
	}
	if (rules->n >= HF_MAX_RULES)
		return hf_bad(ps, t, NULL, "more than %u rules", HF_MAX_RULES);
	return supersede(rules, r);
}

/* A value for the bits of @mask, counted from its lowest one. */
static int parse_value(struct hf_parser *ps, uint32_t mask, struct hf_rule *r)
{
	unsigned int shift = __builtin_ctz(mask);
	uint64_t v;
	int err = hf_number(ps, "these bits", mask >> shift, &v);

	if (err)
		return err;
	if (v << shift & ~(uint64_t)mask)
		return hf_bad(ps, &ps->lex.tok, NULL,
			      "the value has bits that the field does not have");
	r->has_value = true;
	r->value = v << shift;
	return 0;
}

static int parse_treatment(struct hf_parser *ps, uint32_t mask, struct hf_rule *r)
{
	static const char *const words[] = { "pass", "live", "virtual", "ro", "hide" };
	static const uint8_t treat[] = { HF_T_PASS, HF_T_LIVE, HF_T_VIRT, HF_T_RO, HF_T_HIDE };

	for (unsigned int i = 0; i < 5; i++) {
		if (!hf_take_word(ps, words[i]))
			continue;
		r->treat = treat[i];
		if (r->treat == HF_T_RO && !hf_take_word(ps, "device"))
			return parse_value(ps, mask, r);
		if (r->treat == HF_T_VIRT && ps->lex.tok.kind == HF_TOK_WORD)
			return parse_value(ps, mask, r);
		return 0;
	}
	return hf_expected(ps, "pass, live, virtual, ro or hide", words, 5);
}

/* "15:12", "10" or the name of a field. */
static int parse_bits(struct hf_parser *ps, const struct where *w, uint32_t *mask)
{
	struct hf_token t = ps->lex.tok;
	uint64_t high, low;
	int err;

	if (t.kind == HF_TOK_WORD && w->name) {
		*mask = hf_field_mask(w->def, w->name, t.text);
		if (*mask) {
			hf_lex_next(&ps->lex);
			return 0;
		}
	}
	err = hf_number(ps, "a bit, HIGH:LOW, or the name of a field", 8 * w->width - 1, &high);
	if (err)
		return err;
	low = high;
	if (hf_take_punct(ps, ':'))
		err = hf_number(ps, "a bit", 8 * w->width - 1, &low);
	if (err)
		return err;
	if (low > high)
		return hf_bad(ps, &t, NULL, "the higher bit comes first: %u:%u", (unsigned int)low,
			      (unsigned int)high);
	*mask = (uint32_t)((UINT64_C(2) << high) - (UINT64_C(1) << low));
	return 0;
}

static int parse_block(struct hf_parser *ps, struct hf_rules *rules, const struct where *w)
{
	static const char *const words[] = { "bits" };
	struct hf_rule r;
	struct hf_token t;
	uint32_t mask = 0;
	int err;

	hf_skip_lines(ps);
	while (!hf_take_punct(ps, '}')) {
		t = ps->lex.tok;
		if (!hf_take_word(ps, "bits"))
			return hf_expected(ps, "'bits' or '}'", words, 1);
		memset(&r, 0, sizeof(r));
		err = parse_bits(ps, w, &mask);
		if (!err)
			err = parse_treatment(ps, mask, &r);
		if (!err)
			err = add_rule(ps, rules, w, mask, &r, &t);
		if (!err)
			err = hf_end(ps);
		if (err)
			return err;
	}
	return 0;
}

/* "= V": what is read-only in this register is so; the rest stays what it is. */
static int parse_pin(struct hf_parser *ps, struct hf_rules *rules, const struct where *w)
{
	struct hf_rule r = { .treat = HF_T_RO, .has_value = true };
	struct hf_token t = ps->lex.tok;
	uint32_t fixed = w->def ? hf_reg_fixed(w->def, w->off, w->width) : w->all;
	uint64_t v;
	int err = hf_number(ps, "the register", w->all, &v);

	if (err)
		return err;
	if (v & ~(uint64_t)fixed)
		return hf_bad(ps, &t, "say what becomes of them with 'bits'",
			      "bits 0x%x are not read-only in this register",
			      (uint32_t)(v & ~fixed));
	if (!fixed)
		return hf_bad(ps, &t, NULL, "no bit of this register is read-only");
	r.value = v;
	return add_rule(ps, rules, w, fixed, &r, &t);
}

int hf_parse_register(struct hf_parser *ps, struct hf_pcap *cap)
{
	struct hf_rules *rules = cap ? &cap->rules : &ps->p->rules;
	struct hf_token t = ps->lex.tok;
	struct hf_rule r = { 0 };
	struct where w = { 0 };
	int err = parse_where(ps, &w, cap);

	if (err)
		return err;
	if (hf_take_punct(ps, '='))
		err = parse_pin(ps, rules, &w);
	else if (hf_take_punct(ps, '{'))
		err = parse_block(ps, rules, &w);
	else
		err = parse_treatment(ps, w.all, &r) ?: add_rule(ps, rules, &w, w.all, &r, &t);
	return err ?: hf_end(ps);
}
