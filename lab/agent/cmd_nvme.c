// SPDX-License-Identifier: GPL-2.0
/* nvme.*: commands on a slot that has an NVMe controller. */
#include "cmd.h"
#include "nvme.h"

#include <stddef.h>

static int nvme_submit(struct hf_call *c)
{
	uint64_t reads, writes, events;
	struct hf_slot *s;
	long done;
	int err;

	err = hf_arg_slot(c, HF_SLOT_DEVICE, &s, NULL);
	if (!err)
		err = hf_arg_u64(c, "reads", 0, &reads);
	if (!err)
		err = hf_arg_u64(c, "writes", 0, &writes);
	if (!err)
		err = hf_arg_u64(c, "events", 0, &events);
	if (err)
		return err;
	done = hf_nvme_submit(s, (unsigned int)(reads & 0xffff), (unsigned int)(writes & 0xffff),
			      (unsigned int)(events & 0xffff), &c->err);
	if (done < 0)
		return (int)done;
	hf_msg_u64(c->out, "submitted", (uint64_t)done);
	return 0;
}

static int nvme_reap(struct hf_call *c)
{
	struct hf_slot *s;
	bool unmask;
	long done;
	int err;

	err = hf_arg_slot(c, HF_SLOT_DEVICE, &s, NULL);
	if (!err)
		err = hf_arg_bool(c, "unmask", &unmask);
	if (err)
		return err;
	done = hf_nvme_reap(s, &c->err);
	if (done < 0)
		return (int)done;
	if (unmask)
		err = hf_vfio_unmask(&s->dev, &c->err);
	hf_vfio_poll(&s->dev, 0);
	hf_msg_u64s(c->out, "irq", s->dev.irq, s->dev.armed);
	hf_msg_u64(c->out, "done", (uint64_t)done);
	return err;
}

static int nvme_stat(struct hf_call *c)
{
	struct hf_nvme_count n;
	struct hf_slot *s;
	uint32_t cc, csts;
	int err;

	err = hf_arg_slot(c, HF_SLOT_DEVICE, &s, NULL);
	if (!err)
		err = hf_nvme_count(s, &n, &c->err);
	if (!err)
		err = hf_nvme_regs(s, &cc, &csts, &c->err);
	if (err)
		return err;
	hf_msg_u64(c->out, "submitted", n.submitted);
	hf_msg_u64(c->out, "once", n.once);
	hf_msg_u64(c->out, "never", n.never);
	hf_msg_u64(c->out, "twice", n.twice);
	hf_msg_u64(c->out, "unexpected", n.unexpected);
	hf_msg_u64(c->out, "failed", n.failed);
	hf_msg_u64(c->out, "wrong", n.wrong);
	hf_msg_u64(c->out, "events", n.events);
	hf_msg_u64(c->out, "cc", cc);
	hf_msg_u64(c->out, "csts", csts);
	return 0;
}

const struct hf_cmd hf_nvme_cmds[] = {
	{ "nvme.submit", nvme_submit },
	{ "nvme.reap", nvme_reap },
	{ "nvme.stat", nvme_stat },
	{ NULL, NULL },
};
