// SPDX-License-Identifier: GPL-2.0
/* holdfast check: what could the guest see change in its devices? */
#include "cli.h"

#include <getopt.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>

static int64_t number(struct json_object *o, const char *key)
{
	return json_object_get_int64(json_object_object_get(o, key));
}

static const char *string(struct json_object *o, const char *key)
{
	const char *s = json_object_get_string(json_object_object_get(o, key));

	return s ? s : "";
}

static bool is_noticed(struct json_object *o)
{
	return json_object_get_boolean(json_object_object_get(o, "noticed"));
}

static void print_change(struct json_object *o)
{
	printf("%s %s (0x%03" PRIx64 "): 0x%" PRIx64 " -> 0x%" PRIx64 "%s%s%s\n",
	       string(o, "device"), string(o, "register"), number(o, "offset"), number(o, "before"),
	       number(o, "after"), *string(o, "text") ? ": " : "", string(o, "text"),
	       is_noticed(o) ? "" : " (state, which changes by itself)");
}

static int check(const char *name, bool json)
{
	size_t n, noticed = 0;
	struct hf_error e;
	struct hf_run r;
	int code;

	if (hf_run_read(cli_run_dir(), name, &r, &e)) {
		cli_say("%s", e.text);
		hf_run_free(&r);
		return CLI_FAILED;
	}
	if (!r.changes) {
		cli_say("%s: its devices were not compared: it is %s", name,
			hf_state_name(r.state));
		hf_run_free(&r);
		return CLI_FAILED;
	}
	n = json_object_array_length(r.changes);
	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_object_array_get_idx(r.changes, i);

		noticed += is_noticed(o);
		if (!json)
			print_change(o);
	}
	if (json)
		puts(json_object_to_json_string_ext(
			r.changes, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	else if (!noticed)
		printf("%s: the guest could see no change\n", name);
	code = noticed ? CLI_REFUSED : CLI_OK;
	hf_run_free(&r);
	return code;
}

int cli_check(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	static const char usage[] = "Usage: holdfast check NAME [--json]\n";
	bool json = false;
	int c;

	optind = 0;
	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == 'h') {
			printf("%s\nWhat the guest of VM NAME could see change in config space of its "
			       "devices through\nthe last update, by the personas that `vm save` "
			       "was given.\n\n  --json  as an array of objects\n\n"
			       "Exit status: 0 nothing, 3 something.\n",
			       usage);
			return CLI_OK;
		}
		if (c != 'j') {
			fputs(usage, stderr);
			return CLI_USAGE;
		}
		json = true;
	}
	if (optind + 1 != argc || !hf_name_valid(argv[optind])) {
		fputs(usage, stderr);
		return CLI_USAGE;
	}
	return check(argv[optind], json);
}
