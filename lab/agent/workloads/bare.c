// SPDX-License-Identifier: GPL-2.0
/*
 * Nothing: any PCI function, opened, bound and attached, and left alone. For
 * what can be asked of a device without using it.
 */
#include "../workload.h"

static const struct hf_workload bare = {
	.name = "bare",
	.max_vectors = HF_MAX_VECTORS,
	.memory = 16 * HF_PAGE,
};
HF_WORKLOAD(bare);
