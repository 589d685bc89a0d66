/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Words of a map file. */
#ifndef HF_PERSONA_LEX_H
#define HF_PERSONA_LEX_H

#include "internal.h"

enum hf_token_kind {
	HF_TOK_EOF,
	HF_TOK_EOL, /* end of a line, or ';' */
	HF_TOK_WORD, /* letters, digits and "_-.+": keywords, names, numbers */
	HF_TOK_STRING, /* between double quotes, without them */
	HF_TOK_PUNCT, /* one of {}:/= */
	HF_TOK_BAD, /* text says why */
};

#define HF_TOK_MAX 256

struct hf_token {
	enum hf_token_kind kind;
	unsigned int line, column; /* from 1 */
	char text[HF_TOK_MAX];
};

struct hf_lexer {
	const char *s, *end, *bol;
	unsigned int line;
	struct hf_token tok; /* the one that is looked at */
};

void hf_lex_start(struct hf_lexer *l, const char *text, size_t len);
void hf_lex_next(struct hf_lexer *l);

#endif
