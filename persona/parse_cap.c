// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 *	cap|extcap NAME [index N] drop
 *	cap|extcap NAME [index N] at OFFSET from device [length N] [version N] [{ registers }]
 *	cap|extcap NAME [index N] at OFFSET synth [version N] { items }
 *	cap|extcap NAME [index N] { registers }		of an inherited one
 */
#include "parse.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/pci_regs.h>

struct head {
	struct hf_token t; /* the name */
	bool ext;
	uint16_t id;
	uint64_t index;
};

static int unknown_cap(struct hf_parser *ps, const struct head *h)
{
	const struct hf_capdef *d = h->ext ? hf_ext_defs : hf_std_defs;
	unsigned int n = h->ext ? hf_next_defs : hf_nstd_defs;
	const char *names[64];
	char hint[64];

	if (h->t.kind == HF_TOK_WORD && hf_capdef_by_name(!h->ext, h->t.text)) {
		snprintf(hint, sizeof(hint), "it is %s capability: '%s'",
			 h->ext ? "a conventional" : "an extended", h->ext ? "cap" : "extcap");
		return hf_bad(ps, &h->t, hint, "no %scapability is called '%.40s'",
			      h->ext ? "extended " : "", h->t.text);
	}
	for (unsigned int i = 0; i < n; i++)
		names[i] = d[i].name;
	return hf_expected(ps,
			   h->ext ? "the name of an extended capability, or its ID"
				  : "the name of a capability, or its ID",
			   names, n);
}

static int parse_head(struct hf_parser *ps, struct head *h)
{
	const struct hf_capdef *def;
	uint64_t id;
	int err;

	h->t = ps->lex.tok;
	def = h->t.kind == HF_TOK_WORD ? hf_capdef_by_name(h->ext, h->t.text) : NULL;
	if (def) {
		h->id = def->id;
		hf_lex_next(&ps->lex);
	} else if (h->t.kind == HF_TOK_WORD && h->t.text[0] >= '0' && h->t.text[0] <= '9') {
		err = hf_number(ps, "a capability ID", h->ext ? 0xffff : 0xfe, &id);
		if (err)
			return err;
		if (!id)
			return hf_bad(ps, &h->t, h->ext ? "'extcap null at ... synth'" : NULL,
				      "0 is no capability");
		h->id = id;
	} else {
		return unknown_cap(ps, h);
	}
	return hf_take_word(ps, "index") ? hf_number(ps, "an index", 31, &h->index) : 0;
}

static int register_block(struct hf_parser *ps, struct hf_pcap *cap)
{
	static const char *const words[] = { "register" };
	int err = hf_open(ps);

	while (!err && !hf_take_punct(ps, '}')) {
		if (!hf_take_word(ps, "register"))
			return hf_expected(ps, "'register' or '}'", words, 1);
		err = hf_parse_register(ps, cap);
	}
	return err ?: hf_end(ps);
}

static int parse_version(struct hf_parser *ps, struct hf_pcap *cap)
{
	uint64_t v;
	int err;

	if (!hf_take_word(ps, "version"))
		return 0;
	if (!cap->ext)
		return hf_bad(ps, &ps->lex.tok, NULL, "only extended capabilities have a version");
	err = hf_number(ps, "a version", 15, &v);
	if (!err && !v)
		return hf_bad(ps, &ps->lex.tok, NULL, "versions start at 1");
	cap->version = err ? 0 : v;
	return err;
}

static int parse_length(struct hf_parser *ps, struct hf_pcap *cap)
{
	const struct hf_capdef *def = hf_capdef_by_id(cap->ext, cap->id);
	struct hf_token t = ps->lex.tok;
	uint64_t v;
	int err;

	if (!hf_take_word(ps, "length")) {
		if (def)
			return 0;
		return hf_bad(ps, &t, "add 'length BYTES'",
			      "this version does not know how long capability 0x%02x is", cap->id);
	}
	/* A map from before a capability was known goes on saying it. */
	if (def && def->nfields)
		return hf_bad(ps, &t, NULL, "how long this capability is follows from the device");
	err = hf_number(ps, "a length", cap->ext ? 0xf00 : 0xc0, &v);
	if (!err && v < 4)
		return hf_bad(ps, &t, NULL, "a capability has at least 4 bytes");
	cap->length = err ? 0 : v;
	return err;
}

static bool can_synth(const struct hf_pcap *cap)
{
	if (!cap->ext)
		return cap->id == PCI_CAP_ID_VPD || cap->id == PCI_CAP_ID_VNDR;
	return !cap->id || cap->id == PCI_EXT_CAP_ID_PASID || cap->id == PCI_EXT_CAP_ID_DSN ||
	       cap->id == PCI_EXT_CAP_ID_VNDR;
}

static int parse_source(struct hf_parser *ps, struct hf_pcap *cap)
{
	static const char *const words[] = { "from", "synth" };
	struct hf_token t = ps->lex.tok;
	int err;

	if (hf_take_word(ps, "from")) {
		if (!hf_take_word(ps, "device"))
			return hf_expected(ps, "'device'", NULL, 0);
		if (cap->ext && !cap->id)
			return hf_bad(ps, &t, "'synth'", "a Null capability is of no device");
		cap->mode = HF_CAP_DEVICE;
		err = parse_length(ps, cap) ?: parse_version(ps, cap);
		if (err)
			return err;
		if (ps->lex.tok.kind == HF_TOK_PUNCT && ps->lex.tok.text[0] == '{')
			return register_block(ps, cap);
		return hf_end(ps);
	}
	if (!hf_take_word(ps, "synth"))
		return hf_expected(ps, "'from device' or 'synth'", words, 2);
	if (!can_synth(cap))
		return hf_bad(ps, &t,
			      "vpd and vndr, and of extended ones pasid, dsn, vndr and null can",
			      "this capability cannot be synthesised");
	cap->mode = HF_CAP_SYNTH;
	return parse_version(ps, cap) ?: hf_parse_synth(ps, cap);
}

/* Found, or added; what was said of it in this layer already is an error. */
static int find_or_add(struct hf_parser *ps, const struct head *h, bool refine,
		       struct hf_pcap **cap)
{
	struct hf_pcap *c = hf_persona_cap(ps->p, h->ext, h->id, h->index);

	if (c && c->layer == ps->layer)
		return hf_bad(ps, &h->t, "another one of the same ID is 'index 1'",
			      "'%.40s' was spoken of before, on line %u", h->t.text, c->loc.line);
	if (refine) {
		if (!c || c->mode == HF_CAP_DROP)
			return hf_bad(ps, &h->t, "add 'at OFFSET from device'",
				      "no '%.40s' is inherited", h->t.text);
		c->layer = ps->layer;
		*cap = c;
		return 0;
	}
	if (!c && ps->p->ncaps == HF_MAX_CAPS)
		return hf_bad(ps, &h->t, NULL, "more than %u capabilities", HF_MAX_CAPS);
	if (!c)
		c = hf_persona_add_cap(ps->p);
	else
		hf_pcap_clear(c);
	if (!c)
		return -ENOMEM;
	c->ext = h->ext;
	c->id = h->id;
	c->index = h->index;
	c->layer = ps->layer;
	c->loc = hf_here(ps, &h->t);
	*cap = c;
	return 0;
}

int hf_parse_cap(struct hf_parser *ps, bool ext)
{
	static const char *const words[] = { "at", "drop", "index" };
	struct head h = { .ext = ext };
	struct hf_pcap *cap = NULL;
	bool refine;
	int err = parse_head(ps, &h);

	if (err)
		return err;
	refine = ps->lex.tok.kind == HF_TOK_PUNCT && ps->lex.tok.text[0] == '{';
	if (!refine && !hf_at_word(ps, "at") && !hf_at_word(ps, "drop"))
		return hf_expected(ps, "'at OFFSET', 'drop' or '{'", words, 3);
	err = find_or_add(ps, &h, refine, &cap);
	if (err)
		return err;
	if (refine && cap->mode == HF_CAP_SYNTH)
		return hf_bad(ps, &h.t, NULL, "a synthesised capability is replaced as a whole");
	if (refine)
		return register_block(ps, cap);
	if (hf_take_word(ps, "drop")) {
		cap->mode = HF_CAP_DROP;
		return hf_end(ps);
	}
	hf_take_word(ps, "at");
	err = ext ? hf_offset(ps, HF_CFG_SIZE, HF_CFG_EXP_SIZE - 4, &cap->at)
		  : hf_offset(ps, PCI_STD_HEADER_SIZEOF, HF_CFG_SIZE - 4, &cap->at);
	return err ?: parse_source(ps, cap);
}
