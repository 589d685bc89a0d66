// SPDX-License-Identifier: LGPL-2.1-or-later
/* DIR/NAME.json: reading. */
#include <holdfast/runfile.h>

#include <errno.h>
#include <limits.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/util.h>

#include "../jread.h"

#define RUN_MAX (1u << 20)

static void parse_kept(struct hf_jread *r, struct hf_kept *k)
{
	struct hf_jread sub = hf_jr_obj(r, "kept");

	k->session = (int)hf_jr_u32(&sub, "session", 3, INT32_MAX);
	k->owner = (int)hf_jr_u32(&sub, "owner", 3, INT32_MAX);
	k->progress.fds = hf_jr_u32(&sub, "fds", 0, HF_FD_LIMIT);
	k->progress.steps = hf_jr_u32(&sub, "steps", 0, UINT32_MAX);
	k->progress.begun = hf_jr_bool(&sub, "begun");
	r->err = sub.err;
}

static void parse_compared(struct hf_jread *r, struct hf_run *run)
{
	struct hf_jread sub = hf_jr_obj(r, "compared");

	hf_jr_array(&sub, "changes");
	hf_jr_array(&sub, "failed");
	r->err = sub.err;
	if (!r->err)
		run->compared = json_object_get(sub.o);
}

static void parse(struct hf_jread *r, struct hf_run *run)
{
	const char *state = hf_jr_str(r, "state"), *reason = hf_jr_str(r, "reason");

	run->state = HF_STATES;
	for (int s = 0; state && s < HF_STATES; s++)
		if (!strcmp(state, hf_state_name(s)))
			run->state = s;
	if (run->state == HF_STATES)
		hf_jr_bad(r, "state", "none this version knows");
	if (reason)
		snprintf(run->reason, sizeof(run->reason), "%s", reason);
	run->pid = (pid_t)hf_jr_u32(r, "pid", 0, INT32_MAX);
	run->start = hf_jr_u64(r, "start", 0, INT64_MAX);
	run->devices = hf_jr_strv(r, "devices");
	hf_jr_times(r, &run->times);
	if (hf_jr_has(r, "compared"))
		parse_compared(r, run);
	run->has_kept = hf_jr_has(r, "kept");
	if (run->has_kept)
		parse_kept(r, &run->kept);
}

int hf_run_read(const char *dir, const char *name, struct hf_run *run, struct hf_error *e)
{
	char path[PATH_MAX], text[sizeof(e->text)], *buf;
	struct hf_jread r = { .e = e };
	size_t len;
	int err;

	hf_run_init(run, name);
	run->pid = 0;
	snprintf(path, sizeof(path), "%s/%s.json", dir, name);
	err = hf_read_path(path, RUN_MAX, &buf, &len, e);
	if (err == -ENOENT)
		return hf_fail_text(e, ENOENT, "there is no VM named %s in %s", name, dir);
	if (err)
		return err;
	r.o = json_tokener_parse(buf);
	free(buf);
	if (json_object_get_type(r.o) != json_type_object)
		r.err = hf_fail_text(e, EINVAL, "no JSON object");
	else
		parse(&r, run);
	json_object_put(r.o);
	if (r.err == -EINVAL) {
		snprintf(text, sizeof(text), "%s", e->text);
		return hf_fail_text(e, EINVAL, "%s: %.900s", path, text);
	}
	return r.err;
}
