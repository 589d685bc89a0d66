/* SPDX-License-Identifier: GPL-2.0 */
/* What the commands on a slot share. */
#ifndef HF_CMD_H
#define HF_CMD_H

#include "agent.h"
#include "slot.h"

enum hf_slot_need {
	HF_SLOT_FREE, /* must not be in use */
	HF_SLOT_MEMORY, /* must be in use */
	HF_SLOT_DEVICE, /* must be in use and have its device */
};

/* The slot of the argument "slot" (default 0). @i may be NULL. Return: 0 or -errno. */
int hf_arg_slot(struct hf_call *c, enum hf_slot_need need, struct hf_slot **s, uint64_t *i);
/* Results `command` and `bars`, as the hardware has them. Return: 0 or -errno. */
int hf_out_hw(struct hf_call *c, const char *bdf);
/* Result `vconfig_sha`. Return: 0 or -errno. */
int hf_out_vconfig(struct hf_call *c, struct hf_vfio *v);

#endif
