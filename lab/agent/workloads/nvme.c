// SPDX-License-Identifier: GPL-2.0
/*
 * An NVMe controller, driven by polling: commands go out, and are counted when
 * they come back. All that is known of it lies in the slot's memory, so a later
 * kernel's agent goes on where this one stopped. Nothing is repeated or timed
 * out: a completion that is lost or doubled stays so, to be counted.
 */
#include "../cmd.h"

#include <errno.h>
#include <string.h>

#define NVME_CAP   0x00
#define NVME_CC	   0x14
#define NVME_CSTS  0x1c
#define NVME_AQA   0x24
#define NVME_ASQ   0x28
#define NVME_ACQ   0x30
#define NVME_DBELL 0x1000

#define NVME_CC_EN     1u
#define NVME_CC_QUEUES (6u << 16 | 4u << 20) /* entries of 64 and of 16 bytes */
#define NVME_CSTS_RDY  1u

#define NVME_CREATE_SQ 0x01
#define NVME_CREATE_CQ 0x05
#define NVME_ASYNC     0x0c
#define NVME_WRITE     0x01
#define NVME_READ      0x02

#define NVME_QUEUES  8 /* of IO */
#define NVME_MAGIC   "HFNVME1"
#define NVME_DEPTH   128 /* of each submission queue */
#define NVME_CQ_SIZE 256 /* never full: nobody empties it while the kernel is replaced */
#define NVME_BLOCK   HF_PAGE /* of data, one per command */
#define NVME_SECTORS (NVME_BLOCK / 512)
#define NVME_ALL     (NVME_QUEUES + 1)
#define TIMEOUT_US   5000000

#define FIRST_READ  256
#define FIRST_WRITE 4096

struct nvme_sqe {
	uint8_t opcode, flags;
	uint16_t cid;
	uint32_t nsid;
	uint64_t reserved, metadata, prp1, prp2;
	uint32_t cdw10, cdw11, cdw12, cdw13, cdw14, cdw15;
};

struct nvme_cqe {
	uint32_t result, reserved;
	uint16_t sq_head, sq_id, cid, status; /* bit 0 of status: phase */
};

/* A command by its identifier, which is never used again. */
struct command {
	uint8_t opcode, out;
	uint16_t completions;
	uint32_t failed;
	uint64_t block;
};

/* One queue pair; the completion queue of number i goes to vector i, or to the line. */
struct queue {
	struct nvme_sqe sq[NVME_DEPTH];
	struct nvme_cqe cq[NVME_CQ_SIZE];
	struct command command[NVME_DEPTH];
	uint32_t tail, head, phase, used;
	uint64_t unexpected;
	uint8_t pad[4096 - 24];
} __attribute__((aligned(4096)));

/* All of it, from the slot's ring_off on. */
struct nvme {
	char magic[8];
	uint32_t size, queues, stride;
	uint8_t pad[4096 - 20];
	struct queue queue[NVME_ALL]; /* 0: admin */
	uint8_t data[NVME_QUEUES][NVME_DEPTH][NVME_BLOCK];
};

_Static_assert(sizeof(struct nvme_sqe) == 64 && sizeof(struct nvme_cqe) == 16,
	       "as the controller has them");
_Static_assert(offsetof(struct queue, cq) % 4096 == 0 && sizeof(struct queue) % 4096 == 0,
	       "queues begin with a page");

static int wait_ready(struct hf_vfio *v, uint32_t want, struct hf_err *e)
{
	return hf_wait(v, NVME_CSTS, NVME_CSTS_RDY, want, TIMEOUT_US, "CSTS", e);
}

static void doorbell(struct hf_vfio *v, const struct nvme *n, unsigned int q, bool completion,
		     uint32_t val)
{
	/* What was written to memory has to be there first. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	hf_wr(v, NVME_DBELL + (2 * q + completion) * n->stride, val);
}

static void submit(struct hf_vfio *v, struct nvme *n, unsigned int q, struct nvme_sqe *cmd,
		   uint64_t block)
{
	struct queue *qu = &n->queue[q];
	uint16_t cid = (uint16_t)qu->used++;

	qu->command[cid] = (struct command){ .opcode = cmd->opcode, .out = 1, .block = block };
	cmd->cid = htole16(cid);
	qu->sq[qu->tail] = *cmd;
	qu->tail = (qu->tail + 1) % NVME_DEPTH;
	doorbell(v, n, q, false, qu->tail);
}

static unsigned int reap(struct hf_vfio *v, struct nvme *n, unsigned int q)
{
	struct queue *qu = &n->queue[q];
	unsigned int done = 0;

	for (;;) {
		volatile struct nvme_cqe *c = &qu->cq[qu->head];
		uint16_t status = le16toh(c->status), cid;

		if ((status & 1) != qu->phase)
			break;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		cid = le16toh(c->cid);
		if (cid < NVME_DEPTH && qu->command[cid].out && le16toh(c->sq_id) == q) {
			qu->command[cid].completions++;
			qu->command[cid].failed += !!(status >> 1);
		} else {
			qu->unexpected++;
		}
		qu->head = (qu->head + 1) % NVME_CQ_SIZE;
		qu->phase ^= !qu->head;
		done++;
	}
	if (done)
		doorbell(v, n, q, true, qu->head);
	return done;
}

/* One admin command, to its end. */
static int admin(struct hf_vfio *v, struct nvme *n, struct nvme_sqe *cmd, struct hf_err *e)
{
	const struct command *c = &n->queue[0].command[n->queue[0].used];
	uint64_t end = hf_now_us() + TIMEOUT_US;

	submit(v, n, 0, cmd, 0);
	while (!reap(v, n, 0)) {
		if (hf_now_us() > end)
			return hf_fail(e, ETIMEDOUT, "admin command 0x%x of %s", cmd->opcode,
				       v->bdf);
		hf_sleep_us(500);
	}
	return c->failed ? hf_fail(e, EIO, "admin command 0x%x of %s", cmd->opcode, v->bdf) : 0;
}

static int make_queues(struct hf_vfio *v, struct nvme *n, uint64_t iova, struct hf_err *e)
{
	int err = 0;

	for (unsigned int q = 1; q <= n->queues && !err; q++) {
		uint64_t at = iova + offsetof(struct nvme, queue[q]);
		struct nvme_sqe cq = {
			.opcode = NVME_CREATE_CQ,
			.prp1 = at + offsetof(struct queue, cq),
			.cdw10 = (NVME_CQ_SIZE - 1) << 16 | q,
			.cdw11 = (v->intx ? 0 : q) << 16 | 3, /* interrupts on, contiguous */
		};
		struct nvme_sqe sq = {
			.opcode = NVME_CREATE_SQ,
			.prp1 = at,
			.cdw10 = (NVME_DEPTH - 1) << 16 | q,
			.cdw11 = q << 16 | 1,
		};

		err = admin(v, n, &cq, e);
		if (!err)
			err = admin(v, n, &sq, e);
	}
	return err;
}

static bool nvme_match(const struct hf_pci_id *id)
{
	return id->class == 0x010802;
}

static int nvme_reset(struct hf_vfio *v, struct hf_err *e)
{
	if (!v->bar[0].map)
		return hf_fail(e, ENXIO, "registers of %s", v->bdf);
	hf_wr(v, NVME_CC, 0);
	return wait_ready(v, 0, e);
}

static int nvme_start(struct hf_vfio *v, const struct hf_ring *r, uint32_t itr_us, struct hf_err *e)
{
	struct nvme *n = (void *)r->desc;
	uint64_t admin_at = r->desc_iova + offsetof(struct nvme, queue[0]);
	int err;

	(void)itr_us;
	memset(n, 0, sizeof(*n));
	memcpy(n->magic, NVME_MAGIC, sizeof(n->magic));
	n->size = sizeof(*n);
	n->queues = v->intx ? 2 : v->armed - 1;
	n->stride = 4u << (hf_rd(v, NVME_CAP + 4) & 0xf);
	for (unsigned int q = 0; q < NVME_ALL; q++)
		n->queue[q].phase = 1;
	if (n->queues > NVME_QUEUES)
		return hf_fail(e, EINVAL, "%u queues of %s", n->queues, v->bdf);

	hf_wr(v, NVME_AQA, (NVME_CQ_SIZE - 1) << 16 | (NVME_DEPTH - 1));
	hf_wr64(v, NVME_ASQ, admin_at);
	hf_wr64(v, NVME_ACQ, admin_at + offsetof(struct queue, cq));
	hf_wr(v, NVME_CC, NVME_CC_QUEUES | NVME_CC_EN);
	err = wait_ready(v, NVME_CSTS_RDY, e);
	return err ? err : make_queues(v, n, r->desc_iova, e);
}

static const struct hf_workload nvme = {
	.name = "nvme",
	.max_vectors = NVME_ALL,
	.match = nvme_match,
	.memory = sizeof(struct nvme),
	.reset = nvme_reset,
	.start = nvme_start,
};
HF_WORKLOAD(nvme);

/* The slot and the state in its memory. */
static int nvme_slot(struct hf_call *c, struct hf_slot **s, struct nvme **n)
{
	struct hf_ring r;
	int err = hf_arg_slot(c, HF_SLOT_DEVICE, s, NULL);

	if (err)
		return err;
	hf_slot_ring(*s, &r);
	*n = (void *)r.desc;
	if ((*s)->work != &nvme || r.len < sizeof(**n) ||
	    memcmp((*n)->magic, NVME_MAGIC, sizeof((*n)->magic)) || (*n)->size != sizeof(**n) ||
	    (*n)->queues > NVME_QUEUES || !(*s)->dev.bar[0].map)
		return hf_fail(&c->err, EPROTO, "no NVMe queues in the memory of %s",
			       (*s)->page->bdf);
	return 0;
}

/* What the blocks of the disk hold. */
static uint64_t word(uint64_t block, unsigned int i)
{
	return htole64(0x4c42000000000000ull | block << 16 | i);
}

static void fill(uint8_t *data, uint64_t block)
{
	for (unsigned int i = 0; i < NVME_BLOCK / 8; i++)
		memcpy(data + 8 * i, &(uint64_t){ word(block, i) }, 8);
}

static bool filled(const uint8_t *data, uint64_t block)
{
	for (unsigned int i = 0; i < NVME_BLOCK / 8; i++)
		if (memcmp(data + 8 * i, &(uint64_t){ word(block, i) }, 8))
			return false;
	return true;
}

/* The next read or write of a queue, of blocks that no other command has. */
static void io(struct hf_slot *s, struct nvme *n, unsigned int q, uint8_t opcode)
{
	unsigned int i = n->queue[q].used;
	uint64_t block =
		(opcode == NVME_READ ? FIRST_READ : FIRST_WRITE) + (q - 1) * NVME_DEPTH + i;
	struct nvme_sqe cmd = {
		.opcode = opcode,
		.nsid = htole32(1),
		.prp1 = s->page->iova_base + s->page->ring_off +
			offsetof(struct nvme, data[q - 1][i]),
		.cdw10 = (uint32_t)(block * NVME_SECTORS),
		.cdw12 = NVME_SECTORS - 1,
	};

	memset(n->data[q - 1][i], 0, NVME_BLOCK);
	if (opcode == NVME_WRITE)
		fill(n->data[q - 1][i], block);
	submit(&s->dev, n, q, &cmd, block);
}

static int nvme_submit(struct hf_call *c)
{
	struct nvme_sqe event = { .opcode = NVME_ASYNC };
	uint64_t reads, writes, events, submitted = 0;
	struct hf_slot *s;
	struct nvme *n;
	int err = nvme_slot(c, &s, &n);

	if (!err)
		err = hf_arg_u64(c, "reads", 0, &reads);
	if (!err)
		err = hf_arg_u64(c, "writes", 0, &writes);
	if (!err)
		err = hf_arg_u64(c, "events", 0, &events);
	if (err)
		return err;
	/* One place in a queue stays empty, and no identifier is used twice. */
	for (unsigned int q = 0; q <= n->queues; q++)
		if (reads >= NVME_DEPTH || writes >= NVME_DEPTH || events >= NVME_DEPTH ||
		    n->queue[q].used + (q ? reads + writes : events) >= NVME_DEPTH)
			return hf_fail(&c->err, ENOSPC, "so many commands on queue %u", q);
	for (; events; events--, submitted++)
		submit(&s->dev, n, 0, &event, 0);
	for (unsigned int q = 1; q <= n->queues; q++)
		for (unsigned int i = 0; i < reads + writes; i++, submitted++)
			io(s, n, q, i < reads ? NVME_READ : NVME_WRITE);
	hf_msg_u64(c->out, "submitted", submitted);
	return 0;
}

static int nvme_reap(struct hf_call *c)
{
	uint64_t done = 0;
	struct hf_slot *s;
	struct nvme *n;
	bool unmask;
	int err = nvme_slot(c, &s, &n);

	if (!err)
		err = hf_arg_bool(c, "unmask", &unmask);
	if (err)
		return err;
	for (unsigned int q = 0; q <= n->queues; q++)
		done += reap(&s->dev, n, q);
	if (unmask)
		err = hf_vfio_unmask(&s->dev, &c->err);
	hf_vfio_poll(&s->dev, 0);
	hf_msg_u64s(c->out, "irq", s->dev.irq, s->dev.armed);
	hf_msg_u64(c->out, "done", done);
	return err;
}

/* Commands, and how often they completed; completions of none; failures; reads that brought something else. */
struct count {
	uint64_t submitted, once, never, twice, unexpected, failed, wrong, events;
};

static void count_one(const struct command *c, const uint8_t *data, struct count *n)
{
	if (c->opcode == NVME_ASYNC && !data) {
		n->events += !c->completions;
		n->unexpected += c->completions;
		return;
	}
	n->submitted++;
	n->once += c->completions == 1;
	n->never += !c->completions;
	n->twice += c->completions > 1;
	n->failed += c->failed;
	if (data && c->opcode == NVME_READ && c->completions)
		n->wrong += !filled(data, c->block);
}

static int nvme_stat(struct hf_call *c)
{
	struct count k = { 0 };
	struct hf_slot *s;
	struct nvme *n;
	int err = nvme_slot(c, &s, &n);

	if (err)
		return err;
	for (unsigned int q = 0; q <= n->queues; q++) {
		k.unexpected += n->queue[q].unexpected;
		for (unsigned int i = 0; i < NVME_DEPTH; i++)
			if (n->queue[q].command[i].out)
				count_one(&n->queue[q].command[i], q ? n->data[q - 1][i] : NULL,
					  &k);
	}
	hf_msg_u64(c->out, "submitted", k.submitted);
	hf_msg_u64(c->out, "once", k.once);
	hf_msg_u64(c->out, "never", k.never);
	hf_msg_u64(c->out, "twice", k.twice);
	hf_msg_u64(c->out, "unexpected", k.unexpected);
	hf_msg_u64(c->out, "failed", k.failed);
	hf_msg_u64(c->out, "wrong", k.wrong);
	hf_msg_u64(c->out, "events", k.events);
	hf_msg_u64(c->out, "cc", hf_rd(&s->dev, NVME_CC));
	hf_msg_u64(c->out, "csts", hf_rd(&s->dev, NVME_CSTS));
	return 0;
}

static const struct hf_cmd nvme_cmds[] = {
	{ "nvme.submit", nvme_submit },
	{ "nvme.reap", nvme_reap },
	{ "nvme.stat", nvme_stat },
	{ NULL, NULL },
};
HF_COMMANDS(nvme_cmds);
