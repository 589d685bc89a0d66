/* SPDX-License-Identifier: GPL-2.0 */
/* The host's root file system: where Debian's programs are, QEMU first of all. */
#ifndef HF_ROOT_H
#define HF_ROOT_H

#include "util.h"

#define HF_ROOT	     "/root"
#define HF_VM_STATES HF_ROOT "/run/holdfast/vm"

/*
 * Mount it, from the 9p share with the tag "root", with what a program expects around it; doing it
 * twice is fine. Return: 0 or -errno.
 */
int hf_root_mount(struct hf_err *e);

#endif
