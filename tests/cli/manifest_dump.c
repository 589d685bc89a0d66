// SPDX-License-Identifier: GPL-2.0
/* manifest-dump FILE: what holdfast makes of a manifest; 0: it is good, 1: why not. */
#include <stdio.h>
#include <stdlib.h>

#include <holdfast/manifest.h>
#include <holdfast/plan.h>
#include <holdfast/util.h>

static const char *const ops[] = {
	[HF_STEP_TAKE] = "take",     [HF_STEP_GIVE] = "give", [HF_STEP_SMALL_PAGES] = "small pages",
	[HF_STEP_BIND] = "bind",     [HF_STEP_MAP] = "map",   [HF_STEP_HWPT] = "page table",
	[HF_STEP_ATTACH] = "attach",
};

int main(int argc, char **argv)
{
	struct hf_manifest m;
	struct hf_plan p;
	struct hf_error e;
	size_t len;
	char *buf;
	int err;

	if (argc != 2 || hf_read_path(argv[1], HF_MANIFEST_MAX, &buf, &len, &e))
		return 2;
	hf_manifest_init(&m);
	err = hf_manifest_parse(&m, buf, len, &e);
	free(buf);
	if (err) {
		printf("refused: %s\n", e.text);
		hf_manifest_free(&m);
		return 1;
	}
	printf("VM %s: %zu descriptors, %zu devices, %zu address spaces\n", m.name, m.nfds,
	       m.ndevices, m.nspaces);
	if (hf_plan_make(&p, &m, &e))
		return 2;
	for (size_t i = 0; i < p.n; i++)
		printf("iommufd %d: %s, id %u\n", p.steps[i].iommufd, ops[p.steps[i].op],
		       p.steps[i].id);
	hf_plan_free(&p);
	hf_manifest_free(&m);
	return 0;
}
