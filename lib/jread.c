// SPDX-License-Identifier: LGPL-2.1-or-later
/* Reading JSON that is not trusted. */
#include "jread.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <holdfast/util.h>

void hf_jr_bad(struct hf_jread *r, const char *key, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	if (r->err)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	r->err = hf_fail_text(r->e, EINVAL, "%s%s%s: %s", r->where, r->where[0] && key ? "." : "",
			      key ? key : "", text);
}

void hf_jr_known(struct hf_jread *r, const char *const *known)
{
	if (r->err)
		return;
	json_object_object_foreach(r->o, key, val)
	{
		size_t i = 0;

		(void)val;
		if (!strncmp(key, HF_IGNORABLE, strlen(HF_IGNORABLE)))
			continue;
		while (known[i] && strcmp(known[i], key))
			i++;
		if (!known[i])
			hf_jr_bad(r, key,
				  "a field that this version does not know, and that is not to be "
				  "ignored");
	}
}

bool hf_jr_has(struct hf_jread *r, const char *key)
{
	return !r->err && json_object_object_get_ex(r->o, key, NULL);
}

static struct json_object *get(struct hf_jread *r, const char *key, enum json_type type,
			       const char *what)
{
	struct json_object *v = NULL;

	if (r->err)
		return NULL;
	if (!json_object_object_get_ex(r->o, key, &v)) {
		hf_jr_bad(r, key, "missing");
		return NULL;
	}
	if (json_object_get_type(v) != type) {
		hf_jr_bad(r, key, "not %s", what);
		return NULL;
	}
	return v;
}

uint64_t hf_jr_u64(struct hf_jread *r, const char *key, uint64_t min, uint64_t max)
{
	struct json_object *v = get(r, key, json_type_int, "an integer");
	uint64_t n;

	if (!v)
		return min;
	if (json_object_get_int64(v) < 0) {
		hf_jr_bad(r, key, "negative");
		return min;
	}
	n = json_object_get_uint64(v);
	/* UINT64_MAX is also what json-c makes of anything above it. */
	if (n < min || n > max || n == UINT64_MAX) {
		hf_jr_bad(r, key, "%llu is not between %llu and %llu", (unsigned long long)n,
			  (unsigned long long)min, (unsigned long long)max);
		return min;
	}
	return n;
}

uint32_t hf_jr_u32(struct hf_jread *r, const char *key, uint32_t min, uint32_t max)
{
	return (uint32_t)hf_jr_u64(r, key, min, max);
}

bool hf_jr_bool(struct hf_jread *r, const char *key)
{
	struct json_object *v = get(r, key, json_type_boolean, "true or false");

	return v && json_object_get_boolean(v);
}

static const char *text_of(struct hf_jread *r, const char *key, struct json_object *v)
{
	const char *s = json_object_get_string(v);

	if (!s || strlen(s) != (size_t)json_object_get_string_len(v)) {
		hf_jr_bad(r, key, "has a NUL in it");
		return NULL;
	}
	return s;
}

const char *hf_jr_str(struct hf_jread *r, const char *key)
{
	struct json_object *v = get(r, key, json_type_string, "a string");

	return v ? text_of(r, key, v) : NULL;
}

size_t hf_jr_array(struct hf_jread *r, const char *key)
{
	struct json_object *v = get(r, key, json_type_array, "an array");

	return v ? json_object_array_length(v) : 0;
}

char **hf_jr_strv(struct hf_jread *r, const char *key)
{
	size_t n = hf_jr_array(r, key);
	struct json_object *a, *v;
	char name[64], **copy;
	const char *s;

	if (r->err)
		return NULL;
	json_object_object_get_ex(r->o, key, &a);
	copy = hf_calloc(n + 1, sizeof(*copy), r->e);
	if (!copy)
		r->err = -ENOMEM;
	for (size_t i = 0; copy && i < n; i++) {
		v = json_object_array_get_idx(a, i);
		snprintf(name, sizeof(name), "%s[%zu]", key, i);
		if (json_object_get_type(v) != json_type_string) {
			hf_jr_bad(r, name, "not a string");
			break;
		}
		s = text_of(r, name, v);
		copy[i] = s ? hf_strdup(s, r->e) : NULL;
		if (s && !copy[i])
			r->err = -ENOMEM;
		if (!copy[i])
			break;
	}
	if (r->err) {
		hf_strv_free(copy);
		return NULL;
	}
	return copy;
}

/* The reader of a part; one that is broken from the start if @r is, or @v is no object. */
static struct hf_jread part(struct hf_jread *r, struct json_object *v, const char *name)
{
	struct hf_jread sub = { .o = v, .err = r->err, .e = r->e };

	/* A path that is too long is cut: only its end is of this file's making. */
	snprintf(sub.where, sizeof(sub.where), "%.40s%s%.50s", r->where, r->where[0] ? "." : "",
		 name);
	if (!sub.err && json_object_get_type(v) != json_type_object)
		hf_jr_bad(&sub, NULL, "not an object");
	return sub;
}

struct hf_jread hf_jr_elem(struct hf_jread *r, const char *key, size_t i)
{
	struct json_object *a = NULL;
	char name[64];

	snprintf(name, sizeof(name), "%s[%zu]", key, i);
	if (!r->err)
		json_object_object_get_ex(r->o, key, &a);
	return part(r, a ? json_object_array_get_idx(a, i) : NULL, name);
}

struct hf_jread hf_jr_obj(struct hf_jread *r, const char *key)
{
	return part(r, get(r, key, json_type_object, "an object"), key);
}

void hf_jr_times(struct hf_jread *r, struct hf_times *t)
{
	struct hf_jread sub = hf_jr_obj(r, "times_ms");

	r->err = sub.err;
	if (sub.err)
		return;
	json_object_object_foreach(sub.o, key, val)
	{
		double ms = json_object_get_double(val);

		if (ms >= 0 && ms < 1e12)
			hf_times_add(t, key, (uint64_t)(ms * 1000 + 0.5));
	}
}
