// SPDX-License-Identifier: GPL-2.0
/*
 * No driver: any PCI function, opened, bound and attached, and left alone. For
 * what can be asked of a device without using it.
 */
#include "vfio.h"

static bool bare_match(uint16_t vendor, uint16_t device)
{
	(void)vendor;
	(void)device;
	return false; /* only who asks for it gets it */
}

static int bare_reset(struct hf_vfio *v, struct hf_err *e)
{
	(void)v;
	(void)e;
	return 0;
}

static int bare_start(struct hf_vfio *v, const struct hf_ring *r, uint32_t itr_us, struct hf_err *e)
{
	(void)v;
	(void)r;
	(void)itr_us;
	(void)e;
	return 0;
}

static void bare_fill(const struct hf_ring *r, uint32_t i, uint64_t iova)
{
	(void)r;
	(void)i;
	(void)iova;
}

static uint32_t bare_index(struct hf_vfio *v)
{
	(void)v;
	return 0;
}

static void bare_raise(struct hf_vfio *v, uint32_t mask)
{
	(void)v;
	(void)mask;
}

const struct hf_driver_ops hf_bare_ops = {
	.name = "bare",
	.max_descs = 65528,
	.max_vectors = HF_MAX_VECTORS,
	.match = bare_match,
	.reset = bare_reset,
	.start = bare_start,
	.fill = bare_fill,
	.head = bare_index,
	.tail = bare_index,
	.raise = bare_raise,
};
