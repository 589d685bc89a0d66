// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 *	identity { vendor 0x8086 device 0x10c9 subsystem 0x8086 0xa03c revision 0x01 class 0x020000 }
 *	bar N keep [io|mem32|mem64 [prefetch]] [size S] | bar N hide
 *	rom keep [size S] | rom hide
 *
 * and files from the file system.
 */
#include "parse.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "file.h"

#define MAX_MAP (256u << 10)

static const char *const ident_words[] = { "vendor", "device", "subsystem", "revision", "class" };
static const uint8_t ident_first[] = { HF_ID_VENDOR, HF_ID_DEVICE, HF_ID_SUBVENDOR, HF_ID_REVISION,
				       HF_ID_CLASS };

static int parse_ident(struct hf_parser *ps, enum hf_ident which, bool from_device,
		       const struct hf_token *t)
{
	const struct hf_token *n = &ps->lex.tok;
	struct hf_pident *id = &ps->p->id[which];
	char hint[40];
	uint64_t v = 0;
	int err = 0;

	if (id->layer == ps->layer)
		return hf_bad(ps, t, NULL, "'%s' was given before, on line %u", t->text,
			      id->loc.line);
	/* 8086 is no vendor: nobody writes IDs in decimal on purpose. */
	if (!from_device && n->kind == HF_TOK_WORD && isdigit((unsigned char)n->text[0]) &&
	    strncasecmp(n->text, "0x", 2)) {
		snprintf(hint, sizeof(hint), "did you mean '0x%.8s'?", n->text);
		return hf_bad(ps, n, hint, "an ID is a hexadecimal number");
	}
	if (!from_device)
		err = hf_number(ps, "an ID", (UINT64_C(1) << 8 * hf_ident_width[which]) - 1, &v);
	*id = (struct hf_pident){
		.given = !from_device, .layer = ps->layer, .value = v, .loc = hf_here(ps, t)
	};
	return err;
}

int hf_parse_identity(struct hf_parser *ps)
{
	int err = hf_open(ps);

	while (!err && !hf_take_punct(ps, '}')) {
		struct hf_token t = ps->lex.tok;
		unsigned int i = 0;
		bool from_device;

		while (i < 5 && !hf_take_word(ps, ident_words[i]))
			i++;
		if (i == 5)
			return hf_expected(ps, "vendor, device, subsystem, revision, class or '}'",
					   ident_words, 5);
		from_device = hf_take_word(ps, "device");
		err = parse_ident(ps, ident_first[i], from_device, &t);
		if (!err && ident_first[i] == HF_ID_SUBVENDOR)
			err = parse_ident(ps, HF_ID_SUBSYSTEM, from_device, &t);
		hf_skip_lines(ps);
	}
	return err ?: hf_end(ps);
}

static int parse_bar_type(struct hf_parser *ps, struct hf_pbar *b)
{
	static const char *const words[] = { "io", "mem32", "mem64" };

	for (unsigned int i = 0; i < 3; i++)
		if (hf_take_word(ps, words[i]))
			b->type = HF_BAR_IO + i;
	if (!hf_at_word(ps, "prefetch"))
		return 0;
	if (b->type != HF_BAR_MEM32 && b->type != HF_BAR_MEM64)
		return hf_bad(ps, &ps->lex.tok, "'mem64 prefetch'",
			      "'prefetch' is said of mem32 or mem64");
	hf_take_word(ps, "prefetch");
	b->prefetch = true;
	return 0;
}

static int bar_rest(struct hf_parser *ps, unsigned int n, const struct hf_token *t)
{
	static const char *const words[] = { "keep", "hide" };
	struct hf_pbar b = { .layer = ps->layer, .loc = hf_here(ps, t) };
	int err = 0;

	if (ps->p->bar[n].layer == ps->layer)
		return hf_bad(ps, t, NULL, "this BAR was spoken of before, on line %u",
			      ps->p->bar[n].loc.line);
	if (hf_take_word(ps, "hide")) {
		b.mode = HF_BAR_HIDE;
	} else if (hf_take_word(ps, "keep")) {
		b.mode = HF_BAR_KEEP;
		if (n < HF_CFG_ROM)
			err = parse_bar_type(ps, &b);
		if (!err && b.type == HF_BAR_MEM64 && n == 5)
			return hf_bad(ps, t, NULL, "BAR 5 has no upper half");
		if (!err && hf_take_word(ps, "size"))
			err = hf_size(ps, &b.size);
	} else {
		return hf_expected(ps, "keep or hide", words, 2);
	}
	ps->p->bar[n] = b;
	return err ?: hf_end(ps);
}

int hf_parse_bar(struct hf_parser *ps)
{
	struct hf_token t = ps->lex.tok;
	uint64_t n;

	return hf_number(ps, "the number of a BAR", 5, &n) ?: bar_rest(ps, n, &t);
}

int hf_parse_rom(struct hf_parser *ps)
{
	struct hf_token t = ps->lex.tok;

	return bar_rest(ps, HF_CFG_ROM, &t);
}

static int read_map(void *ctx, const char *path, char **text, size_t *len)
{
	(void)ctx;
	return hf_file_read(path, MAX_MAP, text, len);
}

int hf_persona_load(const char *path, const char *instance, struct hf_persona **out,
		    struct hf_diags *d)
{
	struct hf_map_options opt = { .instance = instance, .read = read_map };
	struct hf_loc loc = { .file = path };
	char *text;
	size_t len;
	int err = read_map(NULL, path, &text, &len);

	if (err) {
		hf_diag_add(d, HF_ERROR, &loc, NULL, NULL, "cannot read it: %s", strerror(-err));
		return err;
	}
	err = hf_persona_parse(text, len, path, &opt, out, d);
	free(text);
	return err;
}
