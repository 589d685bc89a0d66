/* SPDX-License-Identifier: GPL-2.0 */
/* A test is a function; a failed check is printed and the test goes on. */
#ifndef CHECK_H
#define CHECK_H

#include <stdint.h>
#include <string.h>

void check_(int ok, const char *file, int line, const char *what);
void check_run(const char *name, void (*fn)(void));

#define CHECK(cond) check_(!!(cond), __FILE__, __LINE__, #cond)
#define RUN(fn)	    check_run(#fn, fn)

/* xorshift64*, the same on every machine. */
static inline uint64_t rnd(uint64_t *seed)
{
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return *seed * UINT64_C(2685821657736338717);
}

struct hf_manifest;
/* A manifest that is in order, another one for each @seed; hf_manifest_free() it. */
void random_manifest(struct hf_manifest *m, uint64_t seed);

void suite_manifest(void);
void suite_plan(void);
void suite_fd(void);
void suite_command(void);
void suite_qmp(void);

#endif
