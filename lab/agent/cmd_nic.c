// SPDX-License-Identifier: GPL-2.0
/* nic.*: what only a device that receives frames can be told. */
#include "agent.h"
#include "cmd.h"
#include "slot.h"

#include <errno.h>
#include <unistd.h>

#define AIM_MAX 128 /* addresses that nic.aim takes */

static int nic_slot(struct hf_call *c, struct hf_slot **s)
{
	int err = hf_arg_slot(c, HF_SLOT_DEVICE, s, NULL);

	if (!err && !(*s)->work->nic)
		err = hf_fail(&c->err, EINVAL, "%s is no NIC", (*s)->work->name);
	return err;
}

static int nic_plant(struct hf_call *c)
{
	struct hf_slot_page *p;
	struct hf_ring ring;
	struct hf_slot *s;
	uint64_t ahead, gpa;
	uint32_t head, left;
	int err, fd;

	err = nic_slot(c, &s);
	if (!err)
		err = hf_arg_u64(c, "ahead", HF_REQUIRED, &ahead);
	if (err)
		return err;
	p = s->page;
	fd = hf_pagemap_open(&c->err);
	if (fd < 0)
		return fd;
	err = hf_gpa(fd, s->mem + p->canary_off, &gpa, &c->err);
	close(fd);
	if (err)
		return err;

	hf_slot_ring(s, &ring);
	head = s->work->nic->head(&s->dev, &ring);
	left = (s->work->nic->tail(&s->dev, &ring) + p->descs - head) % p->descs;
	if (!ahead || ahead >= left)
		return hf_fail(&c->err, ERANGE, "%llu descriptors ahead, %u are left",
			       (unsigned long long)ahead, left);
	/*
	 * The IOVA is the canary's physical address: exactly where the frame would
	 * land if the device's accesses were not translated.
	 */
	p->planted_desc = (head + (uint32_t)ahead) % p->descs;
	p->planted_iova = gpa;
	p->planted = 1;
	s->work->nic->fill(&ring, p->planted_desc, gpa);
	hf_msg_u64(c->out, "desc", p->planted_desc);
	hf_msg_u64(c->out, "canary_gpa", gpa);
	hf_msg_u64(c->out, "iova", gpa);
	return 0;
}

/* Let the NIC reach a BAR of another slot's device. */
static int nic_reach(struct hf_call *c)
{
	uint64_t peer, bar, iova, bytes;
	struct hf_slot_page *p;
	struct hf_slot *s;
	int err;

	err = nic_slot(c, &s);
	if (!err)
		err = hf_arg_u64(c, "peer", HF_REQUIRED, &peer);
	if (!err)
		err = hf_arg_u64(c, "bar", HF_REQUIRED, &bar);
	if (!err)
		err = hf_arg_u64(c, "iova", HF_REQUIRED, &iova);
	if (!err)
		err = hf_arg_u64(c, "bytes", HF_REQUIRED, &bytes);
	if (err)
		return err;
	if (peer >= HF_SLOTS || bar > 5)
		return hf_fail(&c->err, EINVAL, "slot %llu, BAR%llu", (unsigned long long)peer,
			       (unsigned long long)bar);
	p = s->page;
	p->peer = (uint32_t)peer + 1;
	p->peer_bar = (uint32_t)bar;
	p->peer_iova = iova;
	p->peer_len = bytes;
	err = hf_slot_map_peer(s, &c->err);
	if (err)
		p->peer = 0;
	return err;
}

/* Where the frames of some descriptors go instead of into their buffers. */
static int nic_aim(struct hf_call *c)
{
	uint64_t first, step, stride, most, addrs[AIM_MAX];
	unsigned int n, count = 0;
	struct hf_json list;
	struct hf_ring ring;
	struct hf_slot *s;
	int err;

	err = nic_slot(c, &s);
	if (!err)
		err = hf_arg_u64(c, "first", HF_REQUIRED, &first);
	if (!err)
		err = hf_arg_u64(c, "step", 1, &step);
	if (!err)
		err = hf_arg_u64(c, "stride", 0, &stride);
	if (!err)
		err = hf_arg_u64(c, "most", UINT32_MAX, &most);
	if (err)
		return err;
	list = hf_json_get(c->args, "addrs");
	for (n = 0; n < AIM_MAX; n++) {
		err = hf_json_u64(hf_json_at(list, n), &addrs[n]);
		if (err == -ENOENT)
			break;
		if (err)
			return hf_fail(&c->err, -err, "addrs[%u]", n);
	}
	hf_slot_ring(s, &ring);
	if (!n || !step || step >= ring.descs || first >= ring.descs ||
	    first <= s->work->nic->head(&s->dev, &ring))
		return hf_fail(&c->err, EINVAL, "first, step or addrs");

	for (uint64_t i = first; i < ring.descs && count < most; i += step, count++)
		s->work->nic->fill(&ring, (uint32_t)i, addrs[count % n] + count / n * stride);
	hf_msg_u64(c->out, "count", count);
	return 0;
}

static const struct hf_cmd nic_cmds[] = {
	{ "nic.plant", nic_plant },
	{ "nic.aim", nic_aim },
	{ "nic.reach", nic_reach },
	{ NULL, NULL },
};
HF_COMMANDS(nic_cmds);
