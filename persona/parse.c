// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Parser of map files: persona-map(5). Recursive descent, one function for each
 * statement. It ends at the first error.
 *
 * Layers: what an inherited file says is a layer below what the file says that inherits it, and
 * the refinement of an instance is one above. In a layer a thing may be said once;
 * what a higher one says of it counts.
 */
#include "parse.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int parse_persona(struct hf_parser *ps)
{
	struct hf_token t = ps->lex.tok;
	char name[HF_TOK_MAX];
	uint64_t version;
	int err = hf_string(ps, "the name of the persona in double quotes", name);

	if (err)
		return err;
	if (ps->named)
		return hf_bad(ps, &t, NULL, "a file has one 'persona' statement");
	if (!name[0])
		return hf_bad(ps, &t, NULL, "the name of the persona is empty");
	if (!hf_take_word(ps, "version"))
		return hf_expected(ps, "'version'", NULL, 0);
	err = hf_number(ps, "a version", 0xffffffff, &version);
	if (err)
		return err;
	ps->named = true;
	free(ps->p->name);
	ps->p->name = strdup(name);
	ps->p->version = version;
	return ps->p->name ? hf_end(ps) : -ENOMEM;
}

/* A name in a map is relative to the map's folder. */
static void resolve(const struct hf_parser *ps, const char *name, char *path, size_t size)
{
	const char *slash = strrchr(ps->file, '/');

	if (name[0] == '/' || !slash)
		snprintf(path, size, "%s", name);
	else
		snprintf(path, size, "%.*s/%s", (int)(slash - ps->file), ps->file, name);
}

static int sub_file(struct hf_parser *ps, struct hf_parser *sub, const struct hf_token *t,
		    const char *name)
{
	const struct hf_map_options *opt = ps->run->opt;
	char path[1024], *text;
	size_t len;
	int err;

	if (ps->depth == HF_MAX_NESTING || ++ps->run->files > HF_MAX_FILES)
		return hf_bad(ps, t, "does it include itself?",
			      "files nest too deep, or are too many");
	if (!name[0])
		return hf_bad(ps, t, NULL, "the name of the file is empty");
	resolve(ps, name, path, sizeof(path));
	if (!opt || !opt->read)
		return hf_bad(ps, t, NULL, "files cannot be read here");
	err = opt->read(opt->ctx, path, &text, &len);
	if (err)
		return hf_bad(ps, t, NULL, "cannot read '%.160s': %s", path, strerror(-err));
	sub->run = ps->run;
	sub->p = ps->p;
	sub->depth = ps->depth + 1;
	sub->file = hf_persona_file(ps->p, path);
	err = sub->file ? hf_parse_file(sub, text, len) : -ENOMEM;
	free(text);
	return err;
}

/* The statements of another file, as if they were here. */
static int parse_include(struct hf_parser *ps)
{
	struct hf_parser sub = { .layer = ps->layer,
				 .in_instance = ps->in_instance,
				 .included = true };
	struct hf_token t = ps->lex.tok;
	char name[HF_TOK_MAX];
	int err = hf_string(ps, "the name of a file in double quotes", name);

	err = err ?: sub_file(ps, &sub, &t, name) ?: hf_end(ps);
	if (!err && (sub.named || sub.instances))
		return hf_bad(ps, &t, "use 'inherit'", "'%.60s' is a persona of its own", name);
	return err;
}

/* Everything that is in the base, below everything that is here. */
static int parse_inherit(struct hf_parser *ps)
{
	struct hf_parser sub = { .layer = ps->layer };
	struct hf_token t = ps->lex.tok;
	unsigned int version = ps->p->version;
	char name[HF_TOK_MAX], *mine = ps->p->name;
	uint64_t want = 0;
	bool asked;
	int err = hf_string(ps, "the name of a file in double quotes", name);

	if (err)
		return err;
	if (ps->began || ps->included)
		return hf_bad(ps, &t, NULL, "'inherit' comes first, and once, after 'persona'");
	ps->began = true;
	asked = hf_take_word(ps, "version");
	if (asked)
		err = hf_number(ps, "a version", 0xffffffff, &want);
	if (err)
		return err;
	ps->p->name = NULL;
	err = sub_file(ps, &sub, &t, name);
	if (!err && !sub.named)
		err = hf_bad(ps, &t, "use 'include'", "'%.60s' is not a persona", name);
	if (!err && asked && ps->p->version != want)
		err = hf_bad(ps, &t, NULL, "'%.60s' is version %u, not %u", name, ps->p->version,
			     (unsigned int)want);
	free(ps->p->name);
	ps->p->name = mine;
	ps->p->version = version;
	if (!err && ++ps->run->layers > HF_MAX_LAYERS)
		err = hf_bad(ps, &t, NULL, "too many refinements");
	ps->layer = ps->run->layers;
	return err ?: hf_end(ps);
}

static int parse_function(struct hf_parser *ps)
{
	static const char *const words[] = { "vf" };

	if (!hf_take_word(ps, "vf"))
		return hf_expected(ps, "'vf'", words, 1);
	ps->p->vf = true;
	return hf_end(ps);
}

static int parse_statements(struct hf_parser *ps);

/* What is between the braces of an instance, as a layer of its own on ps->p. */
static int instance_body(struct hf_parser *ps, const struct hf_token *t)
{
	int err = 0;

	if (++ps->run->layers > HF_MAX_LAYERS)
		return hf_bad(ps, t, NULL, "too many refinements");
	ps->layer = ps->run->layers;
	ps->in_instance = ps->instances = true;
	err = parse_statements(ps);
	if (!err && !hf_take_punct(ps, '}'))
		err = hf_expected(ps, "'}'", NULL, 0);
	ps->in_instance = false;
	return err;
}

/* Of one that is not asked for, to find what is wrong: on a copy, which is thrown away. */
static int unwanted_instance(struct hf_parser *ps, const struct hf_token *t)
{
	struct hf_persona *real = ps->p;
	const char *file = ps->file;
	uint8_t below = ps->layer;
	int err = -ENOMEM;

	ps->p = hf_persona_copy(real);
	if (ps->p)
		err = instance_body(ps, t);
	hf_persona_free(ps->p);
	ps->p = real;
	ps->file = file;
	ps->layer = below;
	return err;
}

/* A refinement that counts if it is asked for by name. */
static int parse_instance(struct hf_parser *ps)
{
	const char *want = ps->run->opt ? ps->run->opt->instance : NULL;
	struct hf_token t = ps->lex.tok;
	char name[HF_TOK_MAX];
	size_t used = strlen(ps->run->instances);
	int err = hf_string(ps, "the name of an instance type in double quotes", name);

	err = err ?: hf_open(ps);
	if (err)
		return err;
	if (ps->in_instance)
		return hf_bad(ps, &t, NULL, "an instance inside of another");
	snprintf(ps->run->instances + used, sizeof(ps->run->instances) - used, "%s%.40s",
		 used ? ", " : "", name);
	if (want && !strcmp(want, name)) {
		ps->run->found = true;
		err = instance_body(ps, &t);
	} else {
		err = unwanted_instance(ps, &t);
	}
	return err ?: hf_end(ps);
}

static int parse_cap(struct hf_parser *ps)
{
	return hf_parse_cap(ps, false);
}

static int parse_extcap(struct hf_parser *ps)
{
	return hf_parse_cap(ps, true);
}

static int parse_register(struct hf_parser *ps)
{
	return hf_parse_register(ps, NULL);
}

static const char *const keywords[] = { "cap",	   "extcap",  "register", "identity",
					"bar",	   "rom",     "function", "instance",
					"include", "inherit", "persona" };

static int (*const statements[])(struct hf_parser *) = {
	parse_cap,     parse_extcap,  parse_register, hf_parse_identity,
	hf_parse_bar,  hf_parse_rom,  parse_function, parse_instance,
	parse_include, parse_inherit, parse_persona,
};

#define KEYWORDS (sizeof(keywords) / sizeof(keywords[0]))

static int parse_statement(struct hf_parser *ps)
{
	struct hf_token t = ps->lex.tok;

	for (unsigned int i = 0; i < KEYWORDS; i++) {
		if (!hf_take_word(ps, keywords[i]))
			continue;
		if (ps->instances && !ps->in_instance && statements[i] != parse_instance)
			return hf_bad(ps, &t, NULL, "instances come last");
		if (ps->in_instance &&
		    (statements[i] == parse_inherit || statements[i] == parse_persona))
			return hf_bad(ps, &t, NULL, "'%s' has no place in an instance",
				      keywords[i]);
		if (statements[i] != parse_inherit && statements[i] != parse_persona)
			ps->began = true;
		return statements[i](ps);
	}
	return hf_expected(ps, "a statement", keywords, KEYWORDS);
}

static int parse_statements(struct hf_parser *ps)
{
	int err = 0;

	hf_skip_lines(ps);
	while (!err && ps->lex.tok.kind != HF_TOK_EOF) {
		if (ps->in_instance && ps->lex.tok.kind == HF_TOK_PUNCT &&
		    ps->lex.tok.text[0] == '}')
			return 0;
		err = parse_statement(ps);
		if (!err && !ps->in_instance && ps->lex.tok.kind == HF_TOK_PUNCT)
			err = hf_expected(ps, "a statement", NULL, 0);
	}
	return err;
}

/* Every file says which format it is in. */
static int parse_format(struct hf_parser *ps)
{
	struct hf_token t;
	uint64_t version;
	int err;

	hf_skip_lines(ps);
	t = ps->lex.tok;
	if (!hf_take_word(ps, "persona-map"))
		return hf_bad(ps, &t, "put 'persona-map 1' before everything else",
			      "this is not a persona map");
	err = hf_number(ps, "a format version", 0xffffffff, &version);
	if (!err && version != HF_FORMAT_VERSION)
		return hf_bad(ps, &t, NULL, "format version %u is not known, only %u",
			      (unsigned int)version, HF_FORMAT_VERSION);
	return err ?: hf_end(ps);
}

int hf_parse_file(struct hf_parser *ps, const char *text, size_t len)
{
	hf_lex_start(&ps->lex, text, len);
	return parse_format(ps) ?: parse_statements(ps);
}

static int finish(struct hf_parser *ps)
{
	const struct hf_map_options *opt = ps->run->opt;
	struct hf_token top = { .line = 1, .column = 1 };
	char hint[160];

	if (!ps->named)
		return hf_bad(ps, &top, "add 'persona \"NAME\" version 1'",
			      "the persona has no name");
	if (!opt || !opt->instance || ps->run->found)
		return 0;
	snprintf(hint, sizeof(hint), "there is %s",
		 ps->run->instances[0] ? ps->run->instances : "none");
	return hf_bad(ps, &top, hint, "no instance is called '%.40s'", opt->instance);
}

int hf_persona_parse(const char *text, size_t len, const char *name,
		     const struct hf_map_options *opt, struct hf_persona **out, struct hf_diags *d)
{
	struct hf_parse_run run = { .opt = opt, .d = d, .layers = 1 };
	struct hf_parser ps = { .run = &run, .layer = 1, .p = hf_persona_new() };
	int err = -ENOMEM;

	if (ps.p)
		ps.file = hf_persona_file(ps.p, name);
	if (ps.file)
		err = hf_parse_file(&ps, text, len) ?: finish(&ps);
	if (err)
		hf_persona_free(ps.p);
	else
		*out = ps.p;
	return err;
}
