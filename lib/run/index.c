// SPDX-License-Identifier: LGPL-2.1-or-later
/* Which VMs came from the last kernel? */
#include <holdfast/index.h>

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <holdfast/lock.h>
#include <holdfast/luo.h>
#include <holdfast/runfile.h>
#include <holdfast/util.h>

#include "../jread.h"
#include "../luo.h"

#define TOKEN	  0
#define ENTRY_MAX 65536

static void slot_name(char *buf, size_t size, unsigned int slot)
{
	snprintf(buf, size, "holdfast-index-%u", slot);
}

static int preserve(int session, const char *name, char *const *devices, struct hf_error *e)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	const char *text;
	int fd, err;

	for (; devices && *devices; devices++)
		json_object_array_add(list, json_object_new_string(*devices));
	json_object_object_add(o, "name", json_object_new_string(name));
	json_object_object_add(o, "devices", list);
	text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN);
	fd = text ? hf_memfd_from("holdfast-index", text, strlen(text), e)
		  : hf_fail_text(e, ENOMEM, "out of memory");
	json_object_put(o);
	if (fd < 0)
		return fd;
	err = hf_luo_preserve_fd(session, fd, TOKEN, "the entry in the index", e);
	close(fd);
	return err;
}

int hf_index_add(const char *name, char *const *devices, struct hf_error *e)
{
	int luo = hf_luo_open(e), session = -EEXIST, err;
	char slot[32];

	if (luo < 0)
		return luo;
	for (unsigned int i = 0; i < HF_INDEX_MAX && session == -EEXIST; i++) {
		slot_name(slot, sizeof(slot), i);
		session = hf_luo_create_session(luo, slot, e);
	}
	close(luo);
	if (session == -EEXIST)
		return hf_fail_text(e, ENOSPC, "there are %d VMs in the index", HF_INDEX_MAX);
	if (session < 0)
		return session;
	err = preserve(session, name, devices, e);
	if (err) {
		close(session);
		return err;
	}
	return session;
}

static int parse(const char *text, struct hf_run *run, struct hf_error *e)
{
	struct hf_jread r = { .o = json_tokener_parse(text), .e = e };
	const char *name;

	hf_run_init(run, "");
	hf_run_set_pid(run, 0);
	run->state = HF_WAITING;
	if (json_object_get_type(r.o) != json_type_object)
		r.err = hf_fail_text(e, EINVAL, "no JSON object");
	name = hf_jr_str(&r, "name");
	if (name && !hf_name_valid(name))
		hf_jr_bad(&r, "name", "not a name of a VM");
	else if (name)
		snprintf(run->name, sizeof(run->name), "%s", name);
	run->devices = hf_jr_strv(&r, "devices");
	json_object_put(r.o);
	return r.err;
}

/* Unless it is known by now, or somebody has it in hand. */
static int record(const char *dir, const struct hf_run *run, struct hf_error *e)
{
	int lock = hf_lock_open(dir, run->name, e), err;
	struct hf_run last;

	if (lock < 0)
		return lock;
	err = hf_lock(lock, HF_LOCK_OWNER, HF_ALONE, 0, e);
	if (!err) {
		err = hf_run_read(dir, run->name, &last, e);
		hf_run_free(&last);
		err = err == -ENOENT ? hf_run_write(dir, run, e) : 0;
	}
	close(lock);
	return err == -EBUSY ? 0 : err;
}

static int tell(const char *dir, int session, struct hf_error *e)
{
	int fd = hf_luo_retrieve_fd(session, TOKEN, "it", e), err;
	struct hf_run run;
	size_t len;
	char *text;

	if (fd < 0)
		return fd;
	err = hf_read_all(fd, "it", ENTRY_MAX, &text, &len, e);
	close(fd);
	if (err)
		return err;
	err = parse(text, &run, e);
	free(text);
	if (!err)
		err = record(dir, &run, e);
	hf_run_free(&run);
	return err;
}

int hf_index_collect(const char *dir, void (*warn)(const char *text), struct hf_error *e)
{
	char slot[32], text[1200];
	int luo = hf_luo_open(e);

	if (luo == -ENOENT || luo == -ENODEV || luo == -ENXIO)
		return 0;
	if (luo < 0)
		return luo;
	for (unsigned int i = 0; i < HF_INDEX_MAX; i++) {
		int session;

		slot_name(slot, sizeof(slot), i);
		/* Not there, or told before. */
		session = hf_luo_retrieve_session(luo, slot, e);
		if (session < 0)
			continue;
		if (tell(dir, session, e)) {
			snprintf(
				text, sizeof(text),
				"a VM that came from the last kernel is not in the list, resume it by "
				"its name: entry %u of the index: %s",
				i, e->text);
			warn(text);
		}
		if (hf_luo_finish(session, e))
			warn(e->text);
		close(session);
	}
	close(luo);
	return 0;
}
