/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How long the parts of an update took. */
#ifndef HOLDFAST_TIMES_H
#define HOLDFAST_TIMES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct json_object;

#define HF_TIMES 24

/* Parts in the order in which they were done; more than fit are dropped. */
struct hf_times {
	size_t n;
	struct {
		char part[24];
		uint64_t us;
	} at[HF_TIMES];
};

/* Add @us to @part, which is new or comes again. */
void hf_times_add(struct hf_times *t, const char *part, uint64_t us);

/* Add the time since @start_us, of hf_now_us(), to @part. Return: now. */
uint64_t hf_times_since(struct hf_times *t, const char *part, uint64_t start_us);

/* {"part": ms, ...} with three decimals; NULL if there is no memory. */
struct json_object *hf_times_json(const struct hf_times *t);

#ifdef __cplusplus
}
#endif

#endif
