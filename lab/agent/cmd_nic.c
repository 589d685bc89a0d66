// SPDX-License-Identifier: GPL-2.0
/* nic.*: a NIC driven from here, through a slot. */
#include "agent.h"
#include "cmd.h"
#include "slot.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>
#include <unistd.h>

#define AIM_MAX 128 /* addresses that nic.aim takes */

int hf_arg_slot(struct hf_call *c, enum hf_slot_need need, struct hf_slot **s, uint64_t *i)
{
	uint64_t n;
	int err = hf_arg_u64(c, "slot", 0, &n);

	if (err)
		return err;
	*s = hf_slot_at(n);
	if (!*s)
		return hf_fail(&c->err, EINVAL, "slot %llu", (unsigned long long)n);
	if (need == HF_SLOT_FREE && (*s)->used)
		return hf_fail(&c->err, EBUSY, "slot %llu", (unsigned long long)n);
	if (need != HF_SLOT_FREE && !(*s)->used)
		return hf_fail(&c->err, ENODEV, "slot %llu", (unsigned long long)n);
	if (need == HF_SLOT_DEVICE && (*s)->dev.cdev < 0)
		return hf_fail(&c->err, ENODEV, "slot %llu has memory only", (unsigned long long)n);
	if (i)
		*i = n;
	return 0;
}

int hf_out_hw(struct hf_call *c, const char *bdf)
{
	uint32_t val;
	uint64_t bars[6];
	int err;

	err = hf_pci_read(bdf, PCI_COMMAND, 2, &val, &c->err);
	if (err)
		return err;
	hf_msg_u64(c->out, "command", val);
	for (unsigned int i = 0; i < 6; i++) {
		err = hf_pci_read(bdf, PCI_BASE_ADDRESS_0 + 4 * i, 4, &val, &c->err);
		if (err)
			return err;
		bars[i] = val;
	}
	hf_msg_u64s(c->out, "bars", bars, 6);
	return 0;
}

int hf_out_vconfig(struct hf_call *c, struct hf_vfio *v)
{
	char sha[HF_SHA256_HEX];
	int err = hf_vfio_vconfig_sha(v, sha, &c->err);

	if (!err)
		hf_msg_str(c->out, "vconfig_sha", sha);
	return err;
}

static void out_irq(struct hf_call *c, const struct hf_vfio *v)
{
	hf_msg_u64s(c->out, "irq", v->irq, v->armed);
}

/* From a function vfio-pci has to a NIC that receives. */
static int open_device(struct hf_slot *s, uint32_t slot, uint32_t itr_us, struct hf_err *e)
{
	struct hf_vfio *v = &s->dev;
	struct hf_ring ring;
	int err;

	err = hf_vfio_open(v, e);
	if (err)
		return err;
	err = hf_slot_map(s, e);
	if (err)
		return err;
	err = hf_vfio_bind(v, e);
	if (err)
		return err;
	err = hf_vfio_attach(v, e);
	if (err)
		return err;
	if (s->drv == &hf_bare_ops)
		return 0;
	err = hf_vfio_setup(v, e);
	if (err)
		return err;
	err = hf_vfio_mark_vconfig(v, slot, e);
	if (err)
		return err;
	err = hf_vfio_enable(v, e);
	if (err)
		return err;
	err = s->drv->reset(v, e);
	if (err)
		return err;
	err = hf_vfio_arm(v, s->page->vectors, e);
	if (err)
		return err;
	hf_slot_ring(s, &ring);
	return s->drv->start(v, &ring, itr_us, e);
}

/* Find the driver, take the function, set it going. */
static int open_slot(struct hf_slot *s, struct hf_slot_cfg *cfg, uint32_t itr_us, struct hf_err *e)
{
	uint32_t id;
	int err;

	err = hf_pci_read(cfg->bdf, PCI_VENDOR_ID, 4, &id, e);
	if (err)
		return err;
	s->drv = cfg->bare ? &hf_bare_ops : hf_driver_find((uint16_t)id, (uint16_t)(id >> 16));
	if (!s->drv)
		return hf_fail(e, ENODEV, "driver for %s, %04x:%04x", cfg->bdf, id & 0xffff,
			       id >> 16);
	if (cfg->descs < 8 || cfg->descs % 8 || cfg->descs > s->drv->max_descs)
		return hf_fail(e, EINVAL, "%u descriptors for %s", cfg->descs, s->drv->name);
	if (!cfg->vectors || cfg->vectors > s->drv->max_vectors)
		return hf_fail(e, EINVAL, "%u vectors for %s", cfg->vectors, s->drv->name);
	cfg->nic = s->drv->name;
	hf_vfio_init(&s->dev, cfg->bdf);
	s->dev.intx = cfg->intx;
	err = hf_slot_create(s, cfg, e);
	return err ? err : open_device(s, cfg->slot, itr_us, e);
}

static int nic_open(struct hf_call *c)
{
	char bdf[16], native[32] = "";
	struct hf_slot_cfg cfg = { .bdf = bdf, .native = native };
	uint64_t slot, descs, vectors, itr_us;
	struct hf_slot *s;
	int err;

	err = hf_arg_slot(c, HF_SLOT_FREE, &s, &slot);
	if (!err)
		err = hf_arg_str(c, "bdf", NULL, bdf, sizeof(bdf));
	if (!err)
		err = hf_arg_u64(c, "descs", 4096, &descs);
	if (!err)
		err = hf_arg_u64(c, "vectors", 2, &vectors);
	if (!err)
		err = hf_arg_u64(c, "itr_us", 1000, &itr_us);
	if (!err)
		err = hf_arg_bool(c, "anon", &cfg.anon);
	if (!err)
		err = hf_arg_bool(c, "bare", &cfg.bare);
	if (!err)
		err = hf_arg_bool(c, "intx", &cfg.intx);
	if (err)
		return err;
	if (!hf_valid_bdf(bdf))
		return hf_fail(&c->err, EINVAL, "bdf \"%s\"", bdf);
	cfg.slot = (uint32_t)slot;
	cfg.descs = descs > UINT32_MAX ? UINT32_MAX : (uint32_t)descs;
	cfg.vectors = vectors > UINT32_MAX ? UINT32_MAX : (uint32_t)vectors;

	err = hf_vfio_bind_driver(bdf, native, &c->err);
	if (!err)
		err = open_slot(s, &cfg, itr_us > UINT32_MAX ? UINT32_MAX : (uint32_t)itr_us,
				&c->err);
	if (!err) {
		hf_msg_u64(c->out, "mem_bytes", s->len);
		hf_msg_u64(c->out, "iova_base", s->page->iova_base);
		if (!cfg.bare)
			err = hf_out_vconfig(c, &s->dev);
	}
	if (err) {
		struct hf_err undo;

		hf_slot_close(s);
		if (native[0])
			hf_vfio_unbind_driver(bdf, &undo);
	}
	return err;
}

static int nic_mem(struct hf_call *c)
{
	const struct hf_slot_page *p;
	struct hf_slot *s;
	uint64_t slot;
	int err;

	err = hf_arg_slot(c, HF_SLOT_MEMORY, &s, &slot);
	if (!err)
		err = hf_send_mem(s->mem, s->len, (unsigned int)slot, &c->err);
	if (err)
		return err;
	p = s->page;
	hf_msg_u64(c->out, "ring_off", p->ring_off);
	hf_msg_u64(c->out, "buf_off", p->buf_off);
	hf_msg_u64(c->out, "buf_size", p->buf_size);
	hf_msg_u64(c->out, "descs", p->descs);
	hf_msg_u64(c->out, "canary_off", p->canary_off);
	hf_msg_u64(c->out, "mem_bytes", p->total_len);
	hf_msg_u64(c->out, "map_bytes", p->map_len);
	hf_msg_u64(c->out, "iova_base", p->iova_base);
	return 0;
}

static int nic_stat(struct hf_call *c)
{
	struct hf_slot *s;
	uint64_t pba;
	int err;

	err = hf_arg_slot(c, HF_SLOT_DEVICE, &s, NULL);
	if (err)
		return err;
	hf_msg_u64(c->out, "rdh", s->drv->head(&s->dev));
	hf_msg_u64(c->out, "rdt", s->drv->tail(&s->dev));
	hf_vfio_poll(&s->dev, 0);
	out_irq(c, &s->dev);
	err = hf_vfio_pba(&s->dev, &pba, &c->err);
	if (err)
		return err;
	hf_msg_u64(c->out, "pba", pba);
	err = hf_out_hw(c, s->dev.bdf);
	return err ? err : hf_out_vconfig(c, &s->dev);
}

static int nic_plant(struct hf_call *c)
{
	struct hf_slot_page *p;
	struct hf_ring ring;
	struct hf_slot *s;
	uint64_t ahead, gpa;
	uint32_t head, left;
	int err, fd;

	err = hf_arg_slot(c, HF_SLOT_DEVICE, &s, NULL);
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

	head = s->drv->head(&s->dev);
	left = (s->drv->tail(&s->dev) + p->descs - head) % p->descs;
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
	hf_slot_ring(s, &ring);
	s->drv->fill(&ring, p->planted_desc, gpa);
	hf_msg_u64(c->out, "desc", p->planted_desc);
	hf_msg_u64(c->out, "canary_gpa", gpa);
	hf_msg_u64(c->out, "iova", gpa);
	return 0;
}

/* Where the frames of some descriptors go instead of into their buffers. */
static int nic_aim(struct hf_call *c)
{
	uint64_t first, step, addrs[AIM_MAX];
	unsigned int n, count = 0;
	struct hf_json list;
	struct hf_ring ring;
	struct hf_slot *s;
	int err;

	err = hf_arg_slot(c, HF_SLOT_DEVICE, &s, NULL);
	if (!err)
		err = hf_arg_u64(c, "first", HF_REQUIRED, &first);
	if (!err)
		err = hf_arg_u64(c, "step", 1, &step);
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
	    first <= s->drv->head(&s->dev))
		return hf_fail(&c->err, EINVAL, "first, step or addrs");

	for (uint64_t i = first; i < ring.descs; i += step)
		s->drv->fill(&ring, (uint32_t)i, addrs[count++ % n]);
	hf_msg_u64(c->out, "count", count);
	return 0;
}

static int nic_poll(struct hf_call *c)
{
	struct hf_slot *s;
	int err = hf_arg_slot(c, HF_SLOT_DEVICE, &s, NULL);

	if (err)
		return err;
	hf_vfio_poll(&s->dev, 100);
	out_irq(c, &s->dev);
	return 0;
}

static int nic_raise(struct hf_call *c)
{
	struct hf_slot *s;
	uint64_t mask;
	int err;

	err = hf_arg_slot(c, HF_SLOT_DEVICE, &s, NULL);
	if (!err)
		err = hf_arg_u64(c, "mask", HF_REQUIRED, &mask);
	if (err)
		return err;
	s->drv->raise(&s->dev, (uint32_t)mask);
	return 0;
}

/* Until each vector in @pba has fired at least once, or 100 ms have passed. */
static void collect_latched(struct hf_vfio *v, uint64_t pba)
{
	uint64_t now, end = hf_now_us() + 100000;
	unsigned int missing;

	hf_vfio_poll(v, 0);
	do {
		missing = 0;
		for (unsigned int i = 0; i < v->armed; i++)
			missing += (pba >> i & 1) && !v->irq[i];
		now = hf_now_us();
		if (missing && now < end)
			hf_vfio_poll(v, (int)((end - now) / 1000 + 1));
	} while (missing && now < end);
}

static int nic_rearm(struct hf_call *c)
{
	struct hf_slot *s;
	uint64_t pba;
	bool kick;
	int err;

	err = hf_arg_slot(c, HF_SLOT_DEVICE, &s, NULL);
	if (!err)
		err = hf_arg_bool(c, "kick", &kick);
	if (!err)
		err = hf_vfio_pba(&s->dev, &pba, &c->err);
	if (!err)
		err = hf_vfio_arm(&s->dev, s->page->vectors, &c->err);
	if (err)
		return err;
	hf_msg_u64(c->out, "pba_before", pba);
	/*
	 * What was latched arrives on its own as each vector is unmasked. It is
	 * counted before the catch-up is added, so that the two can be told apart.
	 */
	collect_latched(&s->dev, pba);
	hf_msg_u64s(c->out, "irq_latched", s->dev.irq, s->dev.armed);
	if (kick) {
		err = hf_vfio_kick(&s->dev, &c->err);
		if (err)
			return err;
		hf_vfio_poll(&s->dev, 0);
	}
	out_irq(c, &s->dev);
	return 0;
}

static int nic_close(struct hf_call *c)
{
	char bdf[16], native[32];
	struct hf_slot *s;
	bool back;
	int err;

	err = hf_arg_slot(c, HF_SLOT_MEMORY, &s, NULL);
	if (!err)
		err = hf_arg_bool(c, "native", &back);
	if (err)
		return err;
	strcpy(bdf, s->page->bdf);
	strcpy(native, s->page->native);
	if (s->dev.cdev >= 0)
		err = s->drv->reset(&s->dev, &c->err);
	hf_slot_close(s);
	hf_msg_str(c->out, "native", native);
	if (!err && back)
		err = hf_vfio_unbind_driver(bdf, &c->err);
	return err;
}

const struct hf_cmd hf_nic_cmds[] = {
	{ "nic.open", nic_open },   { "nic.mem", nic_mem },
	{ "nic.stat", nic_stat },   { "nic.plant", nic_plant },
	{ "nic.aim", nic_aim },	    { "nic.poll", nic_poll },
	{ "nic.raise", nic_raise }, { "nic.rearm", nic_rearm },
	{ "nic.close", nic_close }, { NULL, NULL },
};
