// SPDX-License-Identifier: LGPL-2.1-or-later
/* Capabilities that no device has: what is behind "synth". */
#include "parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/pci_regs.h>

#define MAX_BYTES 1024

static int take_body(struct hf_pcap *cap, const uint8_t *b, size_t n)
{
	cap->body = malloc(n ? n : 1);
	if (!cap->body)
		return -ENOMEM;
	memcpy(cap->body, b, n);
	cap->nbody = n;
	return 0;
}

static int twice(struct hf_parser *ps, const struct hf_token *t)
{
	return hf_bad(ps, t, NULL, "'%s' is given twice", t->text);
}

static int missing(struct hf_parser *ps, const char *what)
{
	return hf_bad(ps, &ps->lex.tok, NULL, "%s is missing", what);
}

/*
 * Items are words with values; a line may hold several. Registers can be among those of any
 * capability. Return: whether there is another item; false as well if *@err.
 */
static bool next_item(struct hf_parser *ps, struct hf_pcap *cap, int *err)
{
	while (!*err) {
		hf_skip_lines(ps);
		if (hf_take_punct(ps, '}'))
			return false;
		if (!hf_take_word(ps, "register"))
			return true;
		*err = hf_parse_register(ps, cap);
	}
	return false;
}

static int yes_no(struct hf_parser *ps, uint32_t bit, uint32_t *v)
{
	static const char *const words[] = { "yes", "no" };

	if (hf_take_word(ps, "yes"))
		*v |= bit;
	else if (!hf_take_word(ps, "no"))
		return hf_expected(ps, "yes or no", words, 2);
	return 0;
}

/* synth { width 20; exec no; priv no } (section 7.8.9) */
static int synth_pasid(struct hf_parser *ps, struct hf_pcap *cap)
{
	static const char *const words[] = { "width", "exec", "priv", "register" };
	uint32_t v = 0, seen = 0, bit;
	uint8_t body[4] = { 0 };
	struct hf_token t;
	uint64_t width = 0;
	int err = 0;

	while (next_item(ps, cap, &err)) {
		t = ps->lex.tok;
		if (hf_take_word(ps, "width")) {
			bit = 1;
			err = hf_number(ps, "the width of a PASID in bits", 20, &width);
		} else if (hf_take_word(ps, "exec")) {
			bit = 2;
			err = yes_no(ps, PCI_PASID_CAP_EXEC, &v);
		} else if (hf_take_word(ps, "priv")) {
			bit = 4;
			err = yes_no(ps, PCI_PASID_CAP_PRIV, &v);
		} else {
			return hf_expected(ps, "width, exec, priv or register", words, 4);
		}
		if (!err && seen & bit)
			return twice(ps, &t);
		seen |= bit;
	}
	if (err)
		return err;
	if (!width)
		return missing(ps, "the width of PASIDs");
	hf_put(body, 2, v | (uint32_t)width << 8);
	return take_body(cap, body, sizeof(body));
}

static int hex_pair(const char *s, uint8_t *v)
{
	int hi = hf_hex_digit(s[0]), lo = hi < 0 ? -1 : hf_hex_digit(s[1]);

	if (lo < 0)
		return -EINVAL;
	*v = hi << 4 | lo;
	return 0;
}

/* synth { serial 00-11-22-33-44-55-66-77 }, as lspci prints it (section 7.9.3) */
static int synth_dsn(struct hf_parser *ps, struct hf_pcap *cap)
{
	static const char *const words[] = { "serial", "register" };
	uint8_t body[8];
	bool seen = false;
	struct hf_token t;
	int err = 0;

	while (next_item(ps, cap, &err)) {
		t = ps->lex.tok;
		if (!hf_take_word(ps, "serial"))
			return hf_expected(ps, "serial or register", words, 2);
		if (seen)
			return twice(ps, &t);
		seen = true;
		if (ps->lex.tok.kind != HF_TOK_WORD || strlen(ps->lex.tok.text) != 23)
			return hf_expected(ps, "a serial number like 00-11-22-33-44-55-66-77", NULL,
					   0);
		for (unsigned int i = 0; i < 8; i++)
			if (hex_pair(ps->lex.tok.text + 3 * i, &body[7 - i]) ||
			    (i && ps->lex.tok.text[3 * i - 1] != '-'))
				return hf_expected(ps,
						   "a serial number like 00-11-22-33-44-55-66-77",
						   NULL, 0);
		hf_lex_next(&ps->lex);
	}
	if (err)
		return err;
	return seen ? take_body(cap, body, 8) : missing(ps, "the serial number");
}

static int parse_bytes(struct hf_parser *ps, uint8_t *b, size_t *n, size_t max)
{
	while (ps->lex.tok.kind == HF_TOK_WORD) {
		if (strlen(ps->lex.tok.text) != 2 || hex_pair(ps->lex.tok.text, &b[*n]))
			return hf_expected(ps, "two hexadecimal digits", NULL, 0);
		if (++*n > max)
			return hf_bad(ps, &ps->lex.tok, NULL, "more than %zu bytes", max);
		hf_lex_next(&ps->lex);
	}
	return 0;
}

/*
 * cap: synth { bytes 01 02 ... }: what is behind the length byte (section 7.9.4)
 * extcap: synth { id 1; rev 0; bytes ... }: behind the vendor-specific header (7.9.5)
 */
static int synth_vndr(struct hf_parser *ps, struct hf_pcap *cap)
{
	static const char *const words[] = { "bytes", "register", "id", "rev" };
	size_t head = cap->ext ? 4 : 1, n = 0, max = cap->ext ? MAX_BYTES : 189;
	uint8_t b[4 + MAX_BYTES + 1];
	uint64_t id = 0, rev = 0;
	uint32_t seen = 0, bit;
	struct hf_token t;
	int err = 0;

	while (next_item(ps, cap, &err)) {
		t = ps->lex.tok;
		if (cap->ext && hf_take_word(ps, "id")) {
			bit = 1;
			err = hf_number(ps, "a VSEC ID", 0xffff, &id);
		} else if (cap->ext && hf_take_word(ps, "rev")) {
			bit = 2;
			err = hf_number(ps, "a VSEC revision", 0xf, &rev);
		} else if (hf_take_word(ps, "bytes")) {
			bit = 0;
			err = parse_bytes(ps, b + head, &n, max);
		} else {
			return hf_expected(
				ps, cap->ext ? "id, rev, bytes or register" : "bytes or register",
				words, cap->ext ? 4 : 2);
		}
		if (!err && seen & bit)
			return twice(ps, &t);
		seen |= bit;
	}
	if (err)
		return err;
	if (cap->ext)
		hf_put(b, 4, id | rev << 16 | (uint32_t)(8 + n) << 20);
	else
		b[0] = (uint8_t)(3 + n);
	return take_body(cap, b, head + n);
}

#define MAX_VPD 32

static void free_fields(struct hf_vpd_field *f, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free((char *)f[i].text);
}

static bool good_key(const char *key)
{
	return strlen(key) == 2 && key[0] >= 'A' && key[0] <= 'Z' &&
	       ((key[1] >= 'A' && key[1] <= 'Z') || (key[1] >= '0' && key[1] <= '9')) &&
	       strcmp(key, "RV") && strcmp(key, "RW");
}

static int vpd_item(struct hf_parser *ps, struct hf_vpd_field *f, size_t *n)
{
	struct hf_token t = ps->lex.tok;
	char text[HF_TOK_MAX];
	int err;

	memset(&f[*n], 0, sizeof(*f));
	if (hf_take_word(ps, "field")) {
		t = ps->lex.tok;
		if (t.kind != HF_TOK_WORD || !good_key(t.text))
			return hf_expected(ps, "a VPD keyword like PN", NULL, 0);
		memcpy(f[*n].key, t.text, 3);
		hf_lex_next(&ps->lex);
	} else if (!hf_take_word(ps, "id")) {
		static const char *const words[] = { "id", "field", "register" };

		return hf_expected(ps, "id, field or register", words, 3);
	}
	for (size_t i = 0; i < *n; i++)
		if (!strcmp(f[i].key, f[*n].key))
			return twice(ps, &t);
	if (*n == MAX_VPD)
		return hf_bad(ps, &t, NULL, "more than %u fields", MAX_VPD);
	err = hf_string(ps, "a text in double quotes", text);
	if (err)
		return err;
	f[*n].text = strdup(text);
	return f[*n].text ? ((*n)++, 0) : -ENOMEM;
}

/* synth { id "Some NIC"; field PN "1-2"; field SN "3" } */
static int synth_vpd(struct hf_parser *ps, struct hf_pcap *cap)
{
	struct hf_vpd_field f[MAX_VPD + 1];
	static const uint8_t body[6];
	size_t n = 0;
	int err = 0;

	while (next_item(ps, cap, &err))
		err = vpd_item(ps, f, &n);
	if (!err) {
		err = hf_vpd_build(f, n, &cap->vpd, &cap->nvpd);
		if (err == -EMSGSIZE)
			err = hf_bad(ps, &ps->lex.tok, NULL, "more than %u bytes of VPD",
				     HF_VPD_MAX);
	}
	free_fields(f, n);
	return err ?: take_body(cap, body, sizeof(body));
}

int hf_parse_synth(struct hf_parser *ps, struct hf_pcap *cap)
{
	int err;

	if (cap->ext && !cap->id) {
		static const uint8_t nothing;

		return take_body(cap, &nothing, 0) ?: hf_end(ps);
	}
	err = hf_open(ps);
	if (err)
		return err;
	if (cap->ext && cap->id == PCI_EXT_CAP_ID_PASID)
		err = synth_pasid(ps, cap);
	else if (cap->ext && cap->id == PCI_EXT_CAP_ID_DSN)
		err = synth_dsn(ps, cap);
	else if (cap->id == (cap->ext ? PCI_EXT_CAP_ID_VNDR : PCI_CAP_ID_VNDR))
		err = synth_vndr(ps, cap);
	else
		err = synth_vpd(ps, cap);
	return err ?: hf_end(ps);
}
