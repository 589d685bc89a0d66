// SPDX-License-Identifier: LGPL-2.1-or-later
/* Words of a map file. */
#include "lex.h"

#include <stdio.h>
#include <string.h>

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("_-.+", c));
}

static void bad(struct hf_token *t, const char *why)
{
	t->kind = HF_TOK_BAD;
	snprintf(t->text, sizeof(t->text), "%s", why);
}

static void word(struct hf_lexer *l)
{
	size_t n = 0;

	l->tok.kind = HF_TOK_WORD;
	for (; l->s < l->end && is_word(*l->s); l->s++) {
		if (n == HF_TOK_MAX - 1) {
			bad(&l->tok, "a word of more than 255 characters");
			return;
		}
		l->tok.text[n++] = *l->s;
	}
	l->tok.text[n] = 0;
}

static void string(struct hf_lexer *l)
{
	size_t n = 0;

	l->tok.kind = HF_TOK_STRING;
	for (l->s++; l->s < l->end && *l->s != '"'; l->s++) {
		if ((unsigned char)*l->s < ' ' || (unsigned char)*l->s > '~') {
			bad(&l->tok, *l->s == '\n'
					     ? "the string has no end on this line"
					     : "a string holds printable ASCII characters only");
			return;
		}
		if (n == HF_TOK_MAX - 1) {
			bad(&l->tok, "a string of more than 255 characters");
			return;
		}
		l->tok.text[n++] = *l->s;
	}
	l->tok.text[n] = 0;
	if (l->s == l->end)
		bad(&l->tok, "the string has no end on this line");
	else
		l->s++;
}

void hf_lex_start(struct hf_lexer *l, const char *text, size_t len)
{
	l->s = l->bol = text;
	l->end = text + len;
	l->line = 1;
	hf_lex_next(l);
}

static void skip_blanks(struct hf_lexer *l)
{
	while (l->s < l->end && (*l->s == ' ' || *l->s == '\t' || *l->s == '\r'))
		l->s++;
	if (l->s < l->end && *l->s == '#')
		while (l->s < l->end && *l->s != '\n')
			l->s++;
}

void hf_lex_next(struct hf_lexer *l)
{
	struct hf_token *t = &l->tok;

	skip_blanks(l);
	t->line = l->line;
	t->column = l->s - l->bol + 1;
	t->text[0] = 0;
	if (l->s == l->end) {
		t->kind = HF_TOK_EOF;
	} else if (*l->s == '\n' || *l->s == ';') {
		t->kind = HF_TOK_EOL;
		if (*l->s++ == '\n') {
			l->line++;
			l->bol = l->s;
		}
	} else if (*l->s == '"') {
		string(l);
	} else if (*l->s && strchr("{}:/=", *l->s)) {
		t->kind = HF_TOK_PUNCT;
		t->text[0] = *l->s++;
		t->text[1] = 0;
	} else if (is_word(*l->s)) {
		word(l);
	} else {
		bad(t, "a character that has no meaning here");
		l->s++;
	}
}
