// SPDX-License-Identifier: LGPL-2.1-or-later
/* How long the parts of an update took. */
#include <holdfast/times.h>

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include <holdfast/util.h>

void hf_times_add(struct hf_times *t, const char *part, uint64_t us)
{
	size_t i = 0;

	while (i < t->n && strcmp(t->at[i].part, part))
		i++;
	if (i == HF_TIMES)
		return;
	if (i == t->n) {
		t->n++;
		t->at[i].us = 0;
		snprintf(t->at[i].part, sizeof(t->at[i].part), "%s", part);
	}
	t->at[i].us += us;
}

uint64_t hf_times_since(struct hf_times *t, const char *part, uint64_t start_us)
{
	uint64_t now = hf_now_us();

	hf_times_add(t, part, now - start_us);
	return now;
}

struct json_object *hf_times_json(const struct hf_times *t)
{
	struct json_object *o = json_object_new_object();

	for (size_t i = 0; o && i < t->n; i++) {
		uint64_t us = t->at[i].us;
		char text[32];

		snprintf(text, sizeof(text), "%llu.%03u", (unsigned long long)(us / 1000),
			 (unsigned int)(us % 1000));
		json_object_object_add(o, t->at[i].part,
				       json_object_new_double_s((double)us / 1000, text));
	}
	return o;
}
