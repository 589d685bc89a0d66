/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whom a jump would hit that nobody has spoken of. */
#ifndef HOLDFAST_OTHERS_H
#define HOLDFAST_OTHERS_H

#include <stdbool.h>

#include <holdfast/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Is there a VM with a record in @dir, or with @processes a process with a vfio device, that is
 * neither among @names, the VMs that cross, nor in @lose, those to be lost: NAME, or pid:N? Both
 * end with NULL; @lose may be NULL. Until the VMs are "ready", their processes are not known.
 * Return: 0: none; -EPERM: the first one is in @e, and how to say that it may be lost;
 * -errno.
 */
int hf_others(const char *dir, char *const *names, char *const *lose, bool processes,
	      struct hf_error *e);

/* Is it NAME, or pid:N? */
bool hf_others_valid(const char *text);

#ifdef __cplusplus
}
#endif

#endif
