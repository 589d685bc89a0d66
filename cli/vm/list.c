// SPDX-License-Identifier: GPL-2.0
/* holdfast vm list */
#include "../cli.h"

#include <getopt.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <holdfast/util.h>

/* Its process is gone, and so is what the state says of it. */
static bool is_stale(const struct hf_run *r)
{
	struct hf_error e;
	int fd;

	if (r->state == HF_FAILED || r->state == HF_WAITING)
		return false;
	fd = hf_run_pidfd(r, &e);
	if (fd >= 0)
		close(fd);
	return fd < 0;
}

static void join(char **list, char *buf, size_t size)
{
	size_t len = 0;

	*buf = 0;
	for (; list && *list && len < size; list++)
		len += (size_t)snprintf(buf + len, size - len, "%s%s", len ? "," : "", *list);
	if (!*buf)
		snprintf(buf, size, "-");
}

static void print_row(const struct hf_run *r, bool stale)
{
	char devices[256], state[32], reason[sizeof(r->reason)];

	join(r->devices, devices, sizeof(devices));
	cli_harmless(devices);
	snprintf(reason, sizeof(reason), "%s", r->reason[0] ? r->reason : "-");
	cli_harmless(reason);
	snprintf(state, sizeof(state), "%s%s", hf_state_name(r->state), stale ? " (stale)" : "");
	printf("%-20s %-16s %8d %-14s %s\n", r->name, state, (int)r->pid, devices, reason);
}

static int list(bool json, struct hf_error *e)
{
	struct json_object *all = json ? json_object_new_array() : NULL, *o;
	char **names;
	int err;

	cli_collect();
	err = hf_run_names(cli_run_dir(), &names, e);
	if (err)
		return err;
	if (!json)
		printf("%-20s %-16s %8s %-14s %s\n", "NAME", "STATE", "PID", "DEVICES", "REASON");
	for (char **name = names; *name; name++) {
		struct hf_run r;
		bool stale;

		if (hf_run_read(cli_run_dir(), *name, &r, e)) {
			cli_say("%s", e->text);
			hf_run_free(&r);
			continue;
		}
		stale = is_stale(&r);
		if (json) {
			o = hf_run_json(&r);
			json_object_object_add(o, "stale", json_object_new_boolean(stale));
			json_object_array_add(all, o);
		} else {
			print_row(&r, stale);
		}
		hf_run_free(&r);
	}
	if (json)
		cli_put_json(all);
	hf_strv_free(names);
	return 0;
}

static int run(int argc, char **argv)
{
	struct hf_error e;
	bool json;
	int code;

	if (!cli_json_only(&cli_vm_list, argc, argv, &json, &code))
		return code;
	if (optind != argc)
		return cli_usage(&cli_vm_list, "no arguments");
	if (list(json, &e)) {
		cli_say("%s", e.text);
		return CLI_FAILED;
	}
	return CLI_OK;
}

const struct cli_command cli_vm_list = {
	.name = "vm list",
	.run = run,
	.usage = "[--json]",
	.help = "The VMs of this host that were saved or resumed, and what became of them; \"waiting\"\n"
		"is one that came from the last kernel and that nobody has resumed yet.\n"
		"\"(stale)\" is a VM whose process is gone.\n\n"
		"  --json  as an array of objects\n",
};
