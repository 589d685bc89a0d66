/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An NVMe controller, driven by polling: commands go out, and are counted when
 * they come back. All that is known of it lies in the slot's memory, so a later
 * kernel's agent goes on where this one stopped. Nothing is repeated or timed
 * out: a completion that is lost or doubled stays so, to be counted.
 */
#ifndef HF_NVME_H
#define HF_NVME_H

#include "slot.h"

#define HF_NVME_QUEUES 8 /* of IO */

struct hf_nvme_count {
	uint64_t submitted, once, never, twice; /* commands, and how often they completed */
	uint64_t unexpected; /* completions of no command */
	uint64_t failed; /* with a status other than success */
	uint64_t wrong; /* reads that brought something else */
	uint64_t events; /* asynchronous event requests that are out */
};

/* What the blocks of the disk hold: word @i of block @block of 4 KiB. */
uint64_t hf_nvme_word(uint64_t block, unsigned int i);

/*
 * Submit, to each IO queue, @reads of blocks from 256 on and @writes of blocks from 4096 on, and
 * @events asynchronous event requests. Return: commands submitted, or -errno.
 */
long hf_nvme_submit(struct hf_slot *s, unsigned int reads, unsigned int writes, unsigned int events,
		    struct hf_err *e);
/* Take in what has completed. Return: how many, or -errno. */
long hf_nvme_reap(struct hf_slot *s, struct hf_err *e);
/* Return: 0 or -errno. */
int hf_nvme_count(struct hf_slot *s, struct hf_nvme_count *n, struct hf_err *e);
/* CC and CSTS. Return: 0 or -errno. */
int hf_nvme_regs(struct hf_slot *s, uint32_t *cc, uint32_t *csts, struct hf_err *e);

#endif
