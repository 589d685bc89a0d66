/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * In which order the iommufd objects of a VM are made so that each gets the ID it
 * had. A pure function of the manifest: whoever has done the first n steps can
 * leave the rest to another process.
 *
 * IDs are given out from 1 upwards, always the lowest that is free. So all of them
 * are taken first, as address spaces; those that have to be address spaces stay,
 * and each other is given back right before the object that must have it is made.
 */
#ifndef HOLDFAST_PLAN_H
#define HOLDFAST_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include <holdfast/error.h>
#include <holdfast/manifest.h>

#ifdef __cplusplus
extern "C" {
#endif

enum hf_step_op {
	HF_STEP_TAKE, /* IOMMU_IOAS_ALLOC, which gives @id */
	HF_STEP_GIVE, /* IOMMU_DESTROY of @id */
	HF_STEP_SMALL_PAGES, /* of space @a */
	HF_STEP_BIND, /* device @a */
	HF_STEP_MAP, /* mapping @b of space @a */
	HF_STEP_HWPT, /* IOMMU_HWPT_ALLOC, the page table of device @a */
	HF_STEP_ATTACH, /* device @a; with auto_domain this may make a page table */
};

struct hf_step {
	enum hf_step_op op;
	int iommufd;
	uint32_t id; /* the object that it makes or destroys; 0: none */
	size_t a, b; /* indices in the manifest */
};

struct hf_plan {
	struct hf_step *steps;
	size_t n;
};

/* @m has passed hf_manifest_check(). Return: 0 or -ENOMEM; free in either case. */
int hf_plan_make(struct hf_plan *p, const struct hf_manifest *m, struct hf_error *e);
void hf_plan_free(struct hf_plan *p);

#ifdef __cplusplus
}
#endif

#endif
