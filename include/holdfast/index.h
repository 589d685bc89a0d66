/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which VMs came from the last kernel? The kernel gives sessions by name and lists none, and
 * /run is empty. So each VM has a second session, with a number for a name and one small file in
 * it that tells its name. It is told from there once, into the VM's record, in state "waiting".
 *
 * It is for people and scripts that ask. A VM that is named is taken back without it, however
 * damaged it may be.
 */
#ifndef HOLDFAST_INDEX_H
#define HOLDFAST_INDEX_H

#include <holdfast/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* As many VMs are found; there may be more. */
#define HF_INDEX_MAX 256

/*
 * Put VM @name with its PCI addresses, which may be NULL, into the index, for as long as the
 * descriptor is open. Return: fd, close-on-exec; -ENOSPC: there are HF_INDEX_MAX; -errno.
 */
int hf_index_add(const char *name, char *const *devices, struct hf_error *e);

/*
 * Write a record into @dir for each VM that came from the last kernel, was not told before, and has
 * none. @warn is called for what is damaged. On a kernel without live update there is none.
 * Return: 0 or -errno.
 */
int hf_index_collect(const char *dir, void (*warn)(const char *text), struct hf_error *e);

#ifdef __cplusplus
}
#endif

#endif
