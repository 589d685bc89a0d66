// SPDX-License-Identifier: GPL-2.0
/* What is accepted can be printed, and is accepted again, and planned. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/manifest.h>
#include <holdfast/plan.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *one, *two;
	struct hf_manifest m, back;
	struct hf_plan p;
	struct hf_error e;
	size_t len, len2;

	memcpy(text, data, size);
	text[size] = 0;
	hf_manifest_init(&m);
	if (!hf_manifest_parse(&m, text, size, &e)) {
		hf_manifest_init(&back);
		if (hf_manifest_print(&m, &one, &len, &e) ||
		    hf_manifest_parse(&back, one, len, &e) ||
		    hf_manifest_print(&back, &two, &len2, &e) || strcmp(one, two))
			abort();
		if (hf_plan_make(&p, &m, &e))
			abort();
		hf_plan_free(&p);
		hf_manifest_free(&back);
		free(one);
		free(two);
	} else if (!e.text[0]) {
		abort();
	}
	hf_manifest_free(&m);
	free(text);
	return 0;
}
