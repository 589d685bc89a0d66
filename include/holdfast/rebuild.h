/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The new kernel's side: get the descriptors of a VM back at their numbers and
 * rebuild what they referred to.
 *
 * Everything is done in an order that follows from the manifest, and counted. If
 * something fails, what was done stays done, in the descriptors at their numbers;
 * the next attempt, by whoever has got these descriptors, goes on from the count. It may be
 * in memory that somebody else looks at when this process has been killed.
 */
#ifndef HOLDFAST_REBUILD_H
#define HOLDFAST_REBUILD_H

#include <stdbool.h>
#include <stddef.h>

#include <holdfast/error.h>
#include <holdfast/manifest.h>
#include <holdfast/times.h>

#ifdef __cplusplus
extern "C" {
#endif

struct hf_progress {
	size_t fds; /* of manifest.fds, at their numbers */
	size_t steps; /* of the plan */
	bool begun; /* the next one, which may or may not have been done */
};

/*
 * Fill the numbers of @m->fds from @p->fds on, from @session or anew. No descriptor
 * of the caller may have a number below hf_manifest_fd_end(). Return: 0 or -errno;
 * *lost is set if the failure is one that no second attempt mends.
 */
int hf_rebuild_fds(const struct hf_manifest *m, int session, struct hf_progress *p, bool *lost,
		   struct hf_error *e);

/* Do the steps of the plan from @p->steps on; durations into @t. Return: 0 or -errno. */
int hf_rebuild_iommu(const struct hf_manifest *m, struct hf_progress *p, struct hf_times *t,
		     struct hf_error *e);

/* Interrupts of all devices, and one signal each. May be repeated. Return: 0 or -errno. */
int hf_rebuild_irqs(const struct hf_manifest *m, struct hf_error *e);

#ifdef __cplusplus
}
#endif

#endif
