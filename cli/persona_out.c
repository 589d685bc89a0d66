// SPDX-License-Identifier: GPL-2.0
/* Input and output that the subcommands of `holdfast persona` share. */
#include "persona.h"

#include <stdio.h>

struct hf_cfg *persona_device(const struct persona_args *a, const char *what, struct hf_diags *d)
{
	struct hf_cfg *c = NULL;

	if (hf_cfg_is_bdf(what))
		hf_cfg_load_bdf(a->sysfs, what, &c, d);
	else
		hf_cfg_load(what, &c, d);
	return c;
}

void persona_say(const struct persona_args *a, const struct hf_diags *d)
{
	char line[1024];

	for (size_t i = 0; i < hf_diags_count(d); i++) {
		const struct hf_diag *g = hf_diags_get(d, i);

		if (g->severity == HF_NOTE && !a->verbose)
			continue;
		hf_diag_format(g, line, sizeof(line));
		fprintf(stderr, "%s\n", line);
	}
}

void persona_failed(const struct persona_args *a, const struct hf_diags *d, struct json_object *o)
{
	if (!a->json) {
		persona_say(a, d);
		json_object_put(o);
		return;
	}
	if (!o)
		o = json_object_new_object();
	json_object_object_add(o, "errors", persona_json_diags(d, HF_ERROR));
	cli_put_json(o);
}

static void add(struct json_object *o, const char *key, const char *text)
{
	if (text[0])
		json_object_object_add(o, key, json_object_new_string(text));
}

struct json_object *persona_json_diags(const struct hf_diags *d, enum hf_severity severity)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < hf_diags_count(d); i++) {
		const struct hf_diag *g = hf_diags_get(d, i);
		struct json_object *o;

		if (g->severity != severity)
			continue;
		o = json_object_new_object();
		add(o, "file", g->file);
		if (g->line) {
			json_object_object_add(o, "line", json_object_new_int((int)g->line));
			json_object_object_add(o, "column", json_object_new_int((int)g->column));
		}
		add(o, "register", g->reg);
		add(o, "text", g->text);
		add(o, "hint", g->hint);
		json_object_array_add(list, o);
	}
	return list;
}
