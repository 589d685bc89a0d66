// SPDX-License-Identifier: GPL-2.0
/*
 * Every allocation fails once: nothing crashes, nothing leaks, and who called is told. Linked
 * with --wrap for the functions that allocate.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "tap.h"

static long left = -1; /* allocations until one fails, -1: none does */
static bool failed;
static size_t told; /* diagnostics of the last run */

static bool fails(void)
{
	if (left < 0 || left--)
		return false;
	failed = true;
	return true;
}

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
char *__real_strdup(const char *s);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
char *__wrap_strdup(const char *s);

void *__wrap_malloc(size_t n)
{
	return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	return fails() ? NULL : __real_realloc(p, n);
}

char *__wrap_strdup(const char *s)
{
	return fails() ? NULL : __real_strdup(s);
}

/* All that allocates. Return: whether all of it succeeded. */
static bool everything(const char *map, const char *instance, const char *dump)
{
	struct hf_diags *d = hf_diags_new();
	struct hf_persona *p = NULL, *q = NULL, *derived = NULL;
	struct hf_cfg *c = NULL;
	struct hf_changes *one = NULL, *two = NULL;
	struct hf_view *v = NULL;
	char *text = NULL;
	bool ok;

	ok = d && !hf_persona_load(map, instance, &p, d) && !hf_cfg_load(dump, &c, d) &&
	     !hf_view_new(p, c, &v, d) && (text = hf_persona_print(p)) &&
	     !hf_persona_parse(text, strlen(text), "printed", NULL, &q, d) &&
	     !hf_persona_derive(c, &derived, d) && !hf_persona_compare(p, c, c, &one, d) &&
	     !hf_cfg_compare(c, c, &two, d);
	told = d ? hf_diags_count(d) : 0;
	free(text);
	hf_changes_free(one);
	hf_changes_free(two);
	hf_view_free(v);
	hf_cfg_free(c);
	hf_persona_free(p);
	hf_persona_free(q);
	hf_persona_free(derived);
	hf_diags_free(d);
	return ok;
}

static void sweep(const char *map, const char *instance, const char *dump)
{
	long n = 0, silent = 0;
	size_t notes;

	check(everything(map, instance, dump), "%s: nothing fails, and yet", map);
	notes = told;
	do {
		failed = false;
		left = n++;
		/* What there was no memory to note is not noted; nothing else is lost without a word. */
		silent += everything(map, instance, dump) && failed && told == notes;
	} while (failed);
	left = -1;
	check(n > 50, "%s: only %ld allocations", map, n);
	check(everything(map, instance, dump), "%s: afterwards", map);
	check(!silent, "%s: %ld failures that nobody was told of", map, silent);
	printf("# %s: %ld allocations\n", map, n - 1);
}

int main(int argc, char **argv)
{
	for (int i = 1; i + 2 < argc; i += 3)
		sweep(argv[i], argv[i + 1][0] ? argv[i + 1] : NULL, argv[i + 2]);
	return tap_end();
}
