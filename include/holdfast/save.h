/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The old kernel's side: preserve the descriptors of a VM and write down what has
 * to be set up again. All of it is undone by closing the session.
 */
#ifndef HOLDFAST_SAVE_H
#define HOLDFAST_SAVE_H

#include <holdfast/error.h>
#include <holdfast/manifest.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Preserve the memfds of @m->fds and a copy of the state file, then the devices,
 * with their PCI addresses filled into @m->devices. Return: 0 or -errno.
 */
int hf_save_preserve(struct hf_manifest *m, int session, struct hf_error *e);

/*
 * Ask the kernel for everything else: IDs, mappings, interrupts. After
 * hf_save_preserve(). -EOPNOTSUPP if something is mapped that is not found again.
 */
int hf_save_query(struct hf_manifest *m, struct hf_error *e);

/*
 * Print the manifest, read it back as the new kernel's holdfast will, and preserve
 * it. Return: 0 or -errno.
 */
int hf_save_manifest(const struct hf_manifest *m, int session, struct hf_error *e);

#ifdef __cplusplus
}
#endif

#endif
