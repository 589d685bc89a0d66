/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HF_VMMEM_H
#define HF_VMMEM_H

#include "util.h"

#include <sys/types.h>

/* Report where the RAM of the VM that is process @pid lies, in `mem` events. Return: 0 or -errno. */
int hf_vm_send_mem(pid_t pid, unsigned int slot, uint64_t *bytes, struct hf_err *e);

/* Receive queue 0 of an igb; base is an address as the device sees it, len in bytes. */
struct hf_vm_ring {
	uint64_t base;
	uint32_t len, srrctl, head, tail;
};

int hf_vm_ring(const char *bdf, struct hf_vm_ring *r, struct hf_err *e);

#endif
