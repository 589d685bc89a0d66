// SPDX-License-Identifier: LGPL-2.1-or-later
/* Tokens to values, and what to say if they are none. */
#include "parse.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct hf_loc hf_here(const struct hf_parser *ps, const struct hf_token *t)
{
	return (struct hf_loc){ ps->file, t->line, t->column };
}

int hf_bad(struct hf_parser *ps, const struct hf_token *t, const char *hint, const char *fmt, ...)
{
	struct hf_loc loc = hf_here(ps, t);
	va_list ap;

	va_start(ap, fmt);
	hf_diag_vadd(ps->run->d, HF_ERROR, &loc, NULL, hint, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static const char *describe(const struct hf_token *t, char *buf, size_t size)
{
	switch (t->kind) {
	case HF_TOK_EOF:
		return "the end of the file";
	case HF_TOK_EOL:
		return "the end of the statement";
	case HF_TOK_STRING:
		snprintf(buf, size, "\"%.40s\"", t->text);
		return buf;
	default:
		snprintf(buf, size, "'%.40s'", t->text);
		return buf;
	}
}

int hf_expected(struct hf_parser *ps, const char *what, const char *const *words, size_t n)
{
	const struct hf_token *t = &ps->lex.tok;
	const char *near = NULL;
	char found[64], hint[64];

	if (t->kind == HF_TOK_BAD)
		return hf_bad(ps, t, NULL, "%s", t->text);
	if (t->kind == HF_TOK_WORD)
		near = hf_closest(t->text, words, n);
	if (near)
		snprintf(hint, sizeof(hint), "did you mean '%s'?", near);
	return hf_bad(ps, t, near ? hint : NULL, "expected %s, found %s", what,
		      describe(t, found, sizeof(found)));
}

bool hf_at_word(const struct hf_parser *ps, const char *word)
{
	return ps->lex.tok.kind == HF_TOK_WORD && !strcmp(ps->lex.tok.text, word);
}

bool hf_take_word(struct hf_parser *ps, const char *word)
{
	if (!hf_at_word(ps, word))
		return false;
	hf_lex_next(&ps->lex);
	return true;
}

static bool at_punct(const struct hf_parser *ps, char c)
{
	return ps->lex.tok.kind == HF_TOK_PUNCT && ps->lex.tok.text[0] == c;
}

bool hf_take_punct(struct hf_parser *ps, char c)
{
	if (!at_punct(ps, c))
		return false;
	hf_lex_next(&ps->lex);
	return true;
}

void hf_skip_lines(struct hf_parser *ps)
{
	while (ps->lex.tok.kind == HF_TOK_EOL)
		hf_lex_next(&ps->lex);
}

int hf_end(struct hf_parser *ps)
{
	if (ps->lex.tok.kind == HF_TOK_EOF || at_punct(ps, '}'))
		return 0;
	if (ps->lex.tok.kind != HF_TOK_EOL)
		return hf_expected(ps, "the end of the statement", NULL, 0);
	hf_skip_lines(ps);
	return 0;
}

int hf_open(struct hf_parser *ps)
{
	if (!hf_take_punct(ps, '{'))
		return hf_expected(ps, "'{'", NULL, 0);
	hf_skip_lines(ps);
	return 0;
}

/* Decimal, or hexadecimal with 0x; never octal. */
static bool value_of(const char *s, uint64_t *v, const char **rest)
{
	bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
	char *end;

	if (s[0] < '0' || s[0] > '9' || (hex && s[2] == '0' && (s[3] | 0x20) == 'x'))
		return false;
	errno = 0;
	*v = strtoull(hex ? s + 2 : s, &end, hex ? 16 : 10);
	*rest = end;
	return !errno && end != s + (hex ? 2 : 0) && !(hex && strchr("+-", s[2]));
}

int hf_number(struct hf_parser *ps, const char *what, uint64_t max, uint64_t *v)
{
	const char *rest;

	if (ps->lex.tok.kind != HF_TOK_WORD || !value_of(ps->lex.tok.text, v, &rest) || *rest)
		return hf_expected(ps, what, NULL, 0);
	if (*v > max)
		return hf_bad(ps, &ps->lex.tok, NULL,
			      max < 256 ? "%.40s is too large for %s: at most %" PRIu64
					: "%.40s is too large for %s: at most 0x%" PRIx64,
			      ps->lex.tok.text, what, max);
	hf_lex_next(&ps->lex);
	return 0;
}

int hf_size(struct hf_parser *ps, uint64_t *v)
{
	static const char units[] = "KMGT";
	const char *rest, *unit;
	unsigned int shift = 0;

	if (ps->lex.tok.kind != HF_TOK_WORD || !value_of(ps->lex.tok.text, v, &rest))
		return hf_expected(ps, "a size like 128K", NULL, 0);
	unit = *rest ? strchr(units, *rest) : NULL;
	if (unit) {
		shift = 10 * (unit - units + 1);
		rest++;
	}
	if (*rest || *v >> (63 - shift))
		return hf_expected(ps, "a size like 128K", NULL, 0);
	*v <<= shift;
	if (*v < 4 || (*v & (*v - 1)))
		return hf_bad(ps, &ps->lex.tok, NULL,
			      "the size of a BAR is a power of two, not %.40s", ps->lex.tok.text);
	hf_lex_next(&ps->lex);
	return 0;
}

int hf_offset(struct hf_parser *ps, uint16_t first, uint16_t last, uint16_t *v)
{
	struct hf_token t = ps->lex.tok;
	uint64_t n;
	int err = hf_number(ps, "an offset", HF_CFG_EXP_SIZE - 1, &n);

	if (err)
		return err;
	if (n & 3)
		return hf_bad(
			ps, &t, NULL,
			"capabilities start at multiples of 4: the low two bits of a pointer are reserved");
	if (n < first || n > last)
		return hf_bad(ps, &t,
			      first == HF_CFG_SIZE ? "others are a 'cap'"
			      : n >= HF_CFG_SIZE   ? "others are an 'extcap'"
						   : NULL,
			      "an offset between 0x%x and 0x%x is needed", first, last);
	*v = n;
	return 0;
}

int hf_string(struct hf_parser *ps, const char *what, char *buf)
{
	if (ps->lex.tok.kind != HF_TOK_STRING)
		return hf_expected(ps, what, NULL, 0);
	memcpy(buf, ps->lex.tok.text, HF_TOK_MAX);
	hf_lex_next(&ps->lex);
	return 0;
}
