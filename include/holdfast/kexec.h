/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The jump into the next kernel. */
#ifndef HOLDFAST_KEXEC_H
#define HOLDFAST_KEXEC_H

#include <stddef.h>

#include <holdfast/error.h>
#include <holdfast/jump.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Is a kernel loaded? Return: 0; -ENOEXEC: no; -errno. */
int hf_kexec_loaded(struct hf_error *e);

/*
 * Write back file systems, hold the VMs of @j, and jump. Returns only if that failed: as
 * hf_jump_hold(), or -errno, with the kernel's own reason in @e if it gave one; -EBUSY if
 * something refused to be frozen. The VMs are still held then.
 */
int hf_kexec_jump(struct hf_jump *j, struct hf_error *e);

#ifdef __cplusplus
}
#endif

#endif
