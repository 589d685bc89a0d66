// SPDX-License-Identifier: GPL-2.0
/* holdfast check: what could the guests see change in their devices? */
#include "cli.h"

#include <getopt.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>

#include <holdfast/util.h>

/* What came out, of all VMs. */
struct tally {
	size_t vms, noticed, unknown;
	struct json_object *all; /* NULL: as text */
};

static const char *string(struct json_object *o, const char *key)
{
	const char *s = json_object_get_string(json_object_object_get(o, key));

	return s ? s : "";
}

static bool is_noticed(struct json_object *o)
{
	return json_object_get_boolean(json_object_object_get(o, "noticed"));
}

static void print_change(const char *vm, struct json_object *o)
{
	printf("%s: %s %s (0x%03" PRIx64 "): %s%s\n", vm, string(o, "device"),
	       string(o, "register"), json_object_get_int64(json_object_object_get(o, "offset")),
	       string(o, "text"), is_noticed(o) ? "" : " (state, which changes by itself)");
}

static void print_failed(const char *vm, struct json_object *o)
{
	printf("%s: %s%s\n", vm, is_noticed(o) ? "" : "not compared: ", string(o, "reason"));
}

/* That there are two arrays hf_run_read() has seen to. */
static void check_run(const struct hf_run *r, struct tally *t)
{
	struct json_object *changes = json_object_object_get(r->compared, "changes"), *o;
	struct json_object *failed = json_object_object_get(r->compared, "failed");
	size_t noticed = 0, unknown = 0;

	for (size_t i = 0; i < json_object_array_length(changes); i++) {
		o = json_object_array_get_idx(changes, i);
		noticed += is_noticed(o);
		if (!t->all)
			print_change(r->name, o);
	}
	for (size_t i = 0; i < json_object_array_length(failed); i++) {
		o = json_object_array_get_idx(failed, i);
		noticed += is_noticed(o);
		unknown += !is_noticed(o);
		if (!t->all)
			print_failed(r->name, o);
	}
	if (t->all) {
		o = json_object_new_object();
		json_object_object_add(o, "vm", json_object_new_string(r->name));
		json_object_object_add(o, "changes", json_object_get(changes));
		json_object_object_add(o, "failed", json_object_get(failed));
		json_object_array_add(t->all, o);
	} else if (!noticed && !unknown) {
		printf("%s: the guest could see no change\n", r->name);
	}
	t->vms++;
	t->noticed += noticed;
	t->unknown += unknown;
}

/* @asked: for this one; of others, those that were not updated are left out. */
static void check(const char *name, bool asked, struct tally *t)
{
	struct hf_error e;
	struct hf_run r;

	if (hf_run_read(cli_run_dir(), name, &r, &e)) {
		cli_say("%s", e.text);
		t->unknown++;
	} else if (r.compared) {
		check_run(&r, t);
	} else if (asked) {
		cli_say("%s: its devices were not compared: it is %s", name,
			hf_state_name(r.state));
		t->unknown++;
	}
	hf_run_free(&r);
}

static int check_all(struct tally *t)
{
	struct hf_error e;
	char **names;

	if (hf_run_names(cli_run_dir(), &names, &e)) {
		cli_say("%s", e.text);
		return -1;
	}
	for (char **name = names; *name; name++)
		check(*name, false, t);
	hf_strv_free(names);
	/* That nothing was compared is not that nothing has changed. */
	if (!t->vms && !t->unknown) {
		cli_say("no VM of this host has come through an update: there is nothing to look back "
			"at");
		t->unknown++;
	}
	return 0;
}

static int run(int argc, char **argv)
{
	struct tally t = { 0 };
	bool json;
	int code;

	if (!cli_json_only(&cli_check, argc, argv, &json, &code))
		return code;
	for (int i = optind; i < argc; i++)
		if (!hf_name_valid(argv[i]))
			return cli_usage(&cli_check, "\"%s\" is no name of a VM", argv[i]);
	t.all = json ? json_object_new_array() : NULL;
	for (int i = optind; i < argc; i++)
		check(argv[i], true, &t);
	if (optind == argc && check_all(&t))
		t.unknown++;
	if (json)
		cli_put_json(t.all);
	return t.noticed ? CLI_REFUSED : t.unknown ? CLI_FAILED : CLI_OK;
}

const struct cli_command cli_check = {
	.name = "check",
	.run = run,
	.usage = "[NAME...] [--json]",
	.help = "After an update: what the guests of these VMs, or of all, could see change in config\n"
		"space of their devices, by the personas that `vm save` was given. What stands in the way\n"
		"of an update `vm save` tells, and whether a device can be a persona `persona check`.\n\n"
		"  --json  as an array with one object for each VM\n\n"
		"Exit status: 0 nothing, 1 it is not known of all, or of any, 3 something.\n",
};
