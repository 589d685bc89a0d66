// SPDX-License-Identifier: GPL-2.0
/* `holdfast persona diff`. */
#include "persona.h"

#include <errno.h>
#include <stdio.h>

static const char *const kinds[] = { "fixed", "state", "layout" };

static void put_text(const struct hf_changes *l, bool verbose)
{
	size_t state = hf_changes_count(l) - hf_changes_noticed(l);

	for (size_t i = 0; i < hf_changes_count(l); i++) {
		const struct hf_change *c = hf_changes_get(l, i);

		if (c->kind == HF_CHANGE_STATE && !verbose)
			continue;
		printf("%03x %s: %s", c->offset, c->reg, c->text);
		if (c->bits)
			printf(" (bits 0x%x)", c->bits);
		puts(c->kind == HF_CHANGE_STATE ? " [state]" : "");
	}
	if (!hf_changes_noticed(l))
		puts("the guest would not notice");
	if (state && !verbose)
		printf("%zu differences in what the device does at the moment: --verbose\n", state);
}

static void put_json(const struct hf_changes *l)
{
	struct json_object *top = json_object_new_object(), *list = json_object_new_array();

	for (size_t i = 0; i < hf_changes_count(l); i++) {
		const struct hf_change *c = hf_changes_get(l, i);
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "kind", json_object_new_string(kinds[c->kind]));
		json_object_object_add(o, "offset", json_object_new_int(c->offset));
		json_object_object_add(o, "register", json_object_new_string(c->reg));
		json_object_object_add(o, "text", json_object_new_string(c->text));
		if (c->bits) {
			json_object_object_add(o, "width", json_object_new_int(c->width));
			json_object_object_add(o, "before", json_object_new_int64(c->before));
			json_object_object_add(o, "after", json_object_new_int64(c->after));
			json_object_object_add(o, "bits", json_object_new_int64(c->bits));
		}
		json_object_array_add(list, o);
	}
	json_object_object_add(top, "noticed", json_object_new_boolean(hf_changes_noticed(l) > 0));
	json_object_object_add(top, "changes", list);
	cli_put_json(top);
}

/* Neither yes nor no. */
static void put_failed(const struct persona_args *a, const struct hf_diags *d)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "noticed", NULL);
	persona_failed(a, d, o);
}

static int compare(const struct persona_args *a, const struct hf_persona *p,
		   const struct hf_cfg *before, const struct hf_cfg *after, struct hf_diags *d)
{
	struct hf_changes *l = NULL;
	int err, ret;

	if (p)
		err = hf_persona_compare(p, before, after, &l, d);
	else
		err = hf_cfg_compare(before, after, &l, d);
	if (err) {
		put_failed(a, d);
		return err == -EOPNOTSUPP ? CLI_REFUSED : CLI_FAILED;
	}
	persona_say(a, d);
	if (a->json)
		put_json(l);
	else
		put_text(l, a->verbose);
	ret = hf_changes_noticed(l) ? CLI_REFUSED : CLI_OK;
	hf_changes_free(l);
	return ret;
}

int persona_diff(const struct persona_args *a)
{
	struct hf_diags *d = hf_diags_new();
	struct hf_cfg *before = NULL, *after = NULL;
	struct hf_persona *p = NULL;
	int ret = CLI_FAILED;

	if (!d)
		return ret;
	if (!a->map || !hf_persona_load(a->map, a->instance, &p, d)) {
		before = persona_device(a, a->arg[0], d);
		after = persona_device(a, a->arg[1], d);
	}
	if (before && after)
		ret = compare(a, p, before, after, d);
	else
		put_failed(a, d);
	hf_cfg_free(before);
	hf_cfg_free(after);
	hf_persona_free(p);
	hf_diags_free(d);
	return ret;
}
