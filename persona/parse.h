/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the map parser share. */
#ifndef HF_PERSONA_PARSE_H
#define HF_PERSONA_PARSE_H

#include "lex.h"

#define HF_FORMAT_VERSION 1
#define HF_MAX_NESTING	  8 /* of include and inherit */
#define HF_MAX_FILES	  64 /* read for one persona */
#define HF_MAX_LAYERS	  100
#define HF_MAX_RULES	  1024 /* of a capability, or of the header */

/* What all files of a persona have in common. */
struct hf_parse_run {
	const struct hf_map_options *opt;
	struct hf_diags *d;
	unsigned int files, layers;
	bool found; /* the instance that was asked for */
	char instances[128]; /* names of those there are, for errors */
};

/* One file. */
struct hf_parser {
	struct hf_lexer lex;
	struct hf_parse_run *run;
	struct hf_persona *p; /* what statements change */
	const char *file;
	unsigned int depth;
	uint8_t layer; /* things may be said once in each */
	bool named, began; /* a persona statement was there; another one was */
	bool included; /* by the file of which it is a part */
	bool in_instance, instances; /* inside of one; there was one */
};

/* All return 0 or a negative errno, and have added the one error. */

int hf_bad(struct hf_parser *ps, const struct hf_token *t, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* "expected WHAT, found ...", with the word of @words that was probably meant. */
int hf_expected(struct hf_parser *ps, const char *what, const char *const *words, size_t n);
/* A token that cannot be, as the place of a diagnostic. */
struct hf_loc hf_here(const struct hf_parser *ps, const struct hf_token *t);

bool hf_at_word(const struct hf_parser *ps, const char *word);
/* If it is that word, or that mark, step over it. */
bool hf_take_word(struct hf_parser *ps, const char *word);
bool hf_take_punct(struct hf_parser *ps, char c);
void hf_skip_lines(struct hf_parser *ps);
/* End of a line, ';', or what follows is '}' or the end of the file. */
int hf_end(struct hf_parser *ps);
int hf_open(struct hf_parser *ps);
int hf_number(struct hf_parser *ps, const char *what, uint64_t max, uint64_t *v);
int hf_size(struct hf_parser *ps, uint64_t *v);
int hf_offset(struct hf_parser *ps, uint16_t first, uint16_t last, uint16_t *v);
/* @buf has HF_TOK_MAX bytes. */
int hf_string(struct hf_parser *ps, const char *what, char *buf);

/* The parser stands behind the keyword. */
int hf_parse_cap(struct hf_parser *ps, bool ext);
/* @cap: the capability whose block it is in, NULL outside of them. */
int hf_parse_register(struct hf_parser *ps, struct hf_pcap *cap);
int hf_parse_synth(struct hf_parser *ps, struct hf_pcap *cap);
int hf_parse_identity(struct hf_parser *ps);
int hf_parse_bar(struct hf_parser *ps);
int hf_parse_rom(struct hf_parser *ps);
int hf_parse_file(struct hf_parser *ps, const char *text, size_t len);

#endif
