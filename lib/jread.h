/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading JSON that is not trusted. The first thing that is wrong is kept, with the
 * path of the field in words like "devices[1].irqs[3].vector"; what is asked
 * after it gets harmless values. So a reader asks for everything and looks at
 * r->err once.
 */
#ifndef HF_JREAD_H
#define HF_JREAD_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/error.h>
#include <holdfast/manifest.h>
#include <holdfast/times.h>

struct hf_jread {
	struct json_object *o; /* an object */
	char where[96]; /* its path, "" for the outermost */
	int err; /* 0 or -EINVAL: e is filled */
	struct hf_error *e;
};

/* Complain about field @key (NULL: of the object itself), unless something was wrong before. */
void hf_jr_bad(struct hf_jread *r, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Are there fields that are not among @known, a NULL-terminated list, nor HF_IGNORABLE? */
void hf_jr_known(struct hf_jread *r, const char *const *known);

bool hf_jr_has(struct hf_jread *r, const char *key);
uint64_t hf_jr_u64(struct hf_jread *r, const char *key, uint64_t min, uint64_t max);
uint32_t hf_jr_u32(struct hf_jread *r, const char *key, uint32_t min, uint32_t max);
bool hf_jr_bool(struct hf_jread *r, const char *key);
/* Belongs to the object, NULL if wrong. */
const char *hf_jr_str(struct hf_jread *r, const char *key);
/* An array of strings without NUL, as a copy; NULL if wrong. */
char **hf_jr_strv(struct hf_jread *r, const char *key);
/* Elements of the array @key, 0 if wrong. */
size_t hf_jr_array(struct hf_jread *r, const char *key);
/* Element @i of the array @key, which has to be an object. */
struct hf_jread hf_jr_elem(struct hf_jread *r, const char *key, size_t i);
/* The object @key. */
struct hf_jread hf_jr_obj(struct hf_jread *r, const char *key);
/*
 * The object "times_ms", as hf_times_json() makes it. Milliseconds are for people: what is
 * wrong with one of them is no reason to lose a VM.
 */
void hf_jr_times(struct hf_jread *r, struct hf_times *t);

#endif
