// SPDX-License-Identifier: GPL-2.0
/* `holdfast persona check` and `compat`. */
#include "persona.h"

#include <stdio.h>

/* One device: NULL @c: it could not be read. Return: exit code. */
static int check_one(const struct persona_args *a, const struct hf_persona *p, const char *what,
		     struct hf_diags *d)
{
	struct hf_cfg *c = persona_device(a, what, d);
	int err;

	if (!c)
		return CLI_FAILED;
	err = hf_persona_check(p, c, d);
	hf_cfg_free(c);
	return err ? CLI_REFUSED : CLI_OK;
}

static struct json_object *json_result(const char *what, int ret, const struct hf_diags *d)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "device", json_object_new_string(what));
	json_object_object_add(o, "honoured",
			       ret == CLI_FAILED ? NULL : json_object_new_boolean(ret == CLI_OK));
	json_object_object_add(o, "errors", persona_json_diags(d, HF_ERROR));
	json_object_object_add(o, "notes", persona_json_diags(d, HF_NOTE));
	return o;
}

int persona_check(const struct persona_args *a)
{
	struct hf_diags *d = hf_diags_new();
	struct hf_persona *p = NULL;
	int ret = CLI_FAILED;

	if (!d)
		return ret;
	if (!hf_persona_load(a->arg[0], a->instance, &p, d))
		ret = check_one(a, p, a->arg[1], d);
	if (a->json)
		cli_put_json(json_result(a->arg[1], ret, d));
	else
		persona_say(a, d);
	if (!a->json && ret == CLI_OK)
		printf("%s: can be persona \"%s\" version %u\n", a->arg[1], hf_persona_name(p),
		       hf_persona_version(p));
	hf_diags_free(d);
	hf_persona_free(p);
	return ret;
}

static void put_verdict(const char *what, int ret, const struct hf_diags *d)
{
	char line[1024] = "";

	for (size_t i = 0; ret != CLI_OK && i < hf_diags_count(d); i++) {
		if (hf_diags_get(d, i)->severity != HF_ERROR)
			continue;
		hf_diag_format(hf_diags_get(d, i), line, sizeof(line));
		break;
	}
	printf("%s: %s%s%s\n", what,
	       ret == CLI_OK	   ? "yes"
	       : ret == CLI_FAILED ? "cannot be read"
				   : "no",
	       line[0] ? ": " : "", line);
}

/* Every device is looked at, even if one of them cannot be read. */
static int compat(const struct persona_args *a, const struct hf_persona *p)
{
	struct json_object *list = json_object_new_array();
	int ret = CLI_OK;

	for (int i = 1; i < a->n; i++) {
		struct hf_diags *d = hf_diags_new();
		int one = d ? check_one(a, p, a->arg[i], d) : CLI_FAILED;

		if (d && a->json)
			json_object_array_add(list, json_result(a->arg[i], one, d));
		else if (d)
			put_verdict(a->arg[i], one, d);
		if (one == CLI_FAILED || (one && ret == CLI_OK))
			ret = one;
		hf_diags_free(d);
	}
	if (a->json)
		cli_put_json(list);
	else
		json_object_put(list);
	return ret;
}

int persona_compat(const struct persona_args *a)
{
	struct hf_diags *d = hf_diags_new();
	struct hf_persona *p = NULL;
	int ret = CLI_FAILED;

	if (d && !hf_persona_load(a->arg[0], a->instance, &p, d))
		ret = compat(a, p);
	else if (d)
		persona_failed(a, d, NULL);
	hf_diags_free(d);
	hf_persona_free(p);
	return ret;
}
