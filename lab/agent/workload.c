// SPDX-License-Identifier: GPL-2.0
/* The workloads that were linked in. */
#include "workload.h"

#include <errno.h>
#include <string.h>

extern const struct hf_workload *const __start_hf_workloads[], *const __stop_hf_workloads[];

const struct hf_workload *hf_workload_find(const struct hf_pci_id *id)
{
	for (const struct hf_workload *const *w = __start_hf_workloads; w < __stop_hf_workloads;
	     w++)
		if ((*w)->match && (*w)->match(id))
			return *w;
	return NULL;
}

const struct hf_workload *hf_workload_named(const char *name)
{
	for (const struct hf_workload *const *w = __start_hf_workloads; w < __stop_hf_workloads;
	     w++)
		if (!strcmp((*w)->name, name))
			return *w;
	return NULL;
}

int hf_wait(struct hf_vfio *v, unsigned int reg, uint32_t mask, uint32_t want,
	    unsigned int timeout_us, const char *what, struct hf_err *e)
{
	uint64_t end = hf_now_us() + timeout_us;

	while ((hf_rd(v, reg) & mask) != want) {
		if (hf_now_us() > end)
			return hf_fail(e, ETIMEDOUT, "%s of %s, register 0x%x is 0x%x", what,
				       v->bdf, reg, hf_rd(v, reg));
		hf_sleep_us(1000);
	}
	return 0;
}
