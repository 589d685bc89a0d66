// SPDX-License-Identifier: GPL-2.0
/* dev.*: a device driven from here, through a slot, whatever it is. */
#include "agent.h"
#include "cmd.h"
#include "slot.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>

/* What dev.open was asked for. */
struct hf_open {
	struct hf_slot_cfg cfg;
	char bdf[16], native[32], workload[16], token[40];
	uint32_t itr_us;
};

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

/* From a function that vfio-pci has to a device at work. */
static int open_device(struct hf_slot *s, const struct hf_open *o, struct hf_err *e)
{
	struct hf_vfio *v = &s->dev;
	struct hf_ring ring;
	int err;

	err = hf_vfio_open(v, e);
	if (!err)
		err = hf_slot_map(s, e);
	if (!err)
		err = hf_vfio_bind(v, o->token, e);
	if (!err)
		err = hf_vfio_attach(v, e);
	if (err || !s->work->start)
		return err;
	err = hf_vfio_setup(v, e);
	if (!err)
		err = hf_vfio_mark_vconfig(v, o->cfg.slot, e);
	if (!err)
		err = hf_vfio_enable(v, e);
	if (!err)
		err = s->work->reset(v, e);
	if (!err)
		err = hf_vfio_arm(v, s->page->vectors, e);
	if (err)
		return err;
	hf_slot_ring(s, &ring);
	return s->work->start(v, &ring, o->itr_us, e);
}

/* Find out what to do with the function, take it, set it going. */
static int open_slot(struct hf_slot *s, struct hf_open *o, struct hf_err *e)
{
	struct hf_slot_cfg *cfg = &o->cfg;
	struct hf_pci_id id;
	int err;

	err = hf_pci_id(cfg->bdf, &id, e);
	if (err)
		return err;
	s->work = o->workload[0] ? hf_workload_named(o->workload) : hf_workload_find(&id);
	if (!s->work)
		return hf_fail(e, ENODEV, "workload \"%s\" for %s, %04x:%04x", o->workload,
			       cfg->bdf, id.vendor, id.device);
	if (s->work->nic &&
	    (cfg->descs < 8 || cfg->descs % 8 || cfg->descs > s->work->nic->max_descs))
		return hf_fail(e, EINVAL, "%u descriptors for %s", cfg->descs, s->work->name);
	if (!cfg->vectors || cfg->vectors > s->work->max_vectors)
		return hf_fail(e, EINVAL, "%u vectors for %s", cfg->vectors, s->work->name);
	cfg->work = s->work;
	hf_vfio_init(&s->dev, cfg->bdf);
	s->dev.intx = cfg->intx;
	s->dev.msi = cfg->msi;
	err = hf_slot_create(s, cfg, e);
	return err ? err : open_device(s, o, e);
}

static uint32_t u32(uint64_t n)
{
	return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

static int open_args(struct hf_call *c, struct hf_open *o, struct hf_slot **s)
{
	uint64_t slot, descs, vectors, itr_us;
	bool bare = false;
	int err;

	err = hf_arg_slot(c, HF_SLOT_FREE, s, &slot);
	if (!err)
		err = hf_arg_str(c, "bdf", NULL, o->bdf, sizeof(o->bdf));
	if (!err)
		err = hf_arg_str(c, "workload", "", o->workload, sizeof(o->workload));
	if (!err)
		err = hf_arg_str(c, "token", "", o->token, sizeof(o->token));
	if (!err)
		err = hf_arg_u64(c, "descs", 4096, &descs);
	if (!err)
		err = hf_arg_u64(c, "vectors", 2, &vectors);
	if (!err)
		err = hf_arg_u64(c, "itr_us", 1000, &itr_us);
	if (!err)
		err = hf_arg_bool(c, "anon", &o->cfg.anon);
	if (!err)
		err = hf_arg_bool(c, "bare", &bare);
	if (!err)
		err = hf_arg_bool(c, "intx", &o->cfg.intx);
	if (!err)
		err = hf_arg_bool(c, "msi", &o->cfg.msi);
	if (err)
		return err;
	if (!hf_valid_bdf(o->bdf))
		return hf_fail(&c->err, EINVAL, "bdf \"%s\"", o->bdf);
	if (bare)
		strcpy(o->workload, "bare");
	o->cfg.bdf = o->bdf;
	o->cfg.native = o->native;
	o->cfg.slot = u32(slot);
	o->cfg.descs = u32(descs);
	o->cfg.vectors = u32(vectors);
	o->itr_us = u32(itr_us);
	return 0;
}

static int dev_open(struct hf_call *c)
{
	struct hf_open o = { 0 };
	struct hf_slot *s;
	int err = open_args(c, &o, &s);

	if (err)
		return err;
	err = hf_vfio_bind_driver(o.bdf, o.native, &c->err);
	if (!err)
		err = open_slot(s, &o, &c->err);
	if (!err) {
		hf_msg_u64(c->out, "mem_bytes", s->len);
		hf_msg_u64(c->out, "iova_base", s->page->iova_base);
		if (s->work->start)
			err = hf_out_vconfig(c, &s->dev);
	}
	if (err) {
		struct hf_err undo;

		hf_slot_close(s);
		if (o.native[0])
			hf_vfio_unbind_driver(o.bdf, &undo);
	}
	return err;
}

static int dev_mem(struct hf_call *c)
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

static int dev_stat(struct hf_call *c)
{
	struct hf_ring ring;
	struct hf_slot *s;
	uint64_t pba;
	int err;

	err = hf_arg_slot(c, HF_SLOT_DEVICE, &s, NULL);
	if (err)
		return err;
	if (s->work->nic) {
		hf_slot_ring(s, &ring);
		hf_msg_u64(c->out, "rdh", s->work->nic->head(&s->dev, &ring));
		hf_msg_u64(c->out, "rdt", s->work->nic->tail(&s->dev, &ring));
	}
	hf_vfio_poll(&s->dev, 0);
	out_irq(c, &s->dev);
	err = hf_vfio_pba(&s->dev, &pba, &c->err);
	if (err)
		return err;
	hf_msg_u64(c->out, "pba", pba);
	err = hf_out_hw(c, s->dev.bdf);
	return err ? err : hf_out_vconfig(c, &s->dev);
}

static int dev_poll(struct hf_call *c)
{
	struct hf_slot *s;
	int err = hf_arg_slot(c, HF_SLOT_DEVICE, &s, NULL);

	if (err)
		return err;
	hf_vfio_poll(&s->dev, 100);
	out_irq(c, &s->dev);
	return 0;
}

static int dev_raise(struct hf_call *c)
{
	struct hf_slot *s;
	uint64_t mask;
	int err;

	err = hf_arg_slot(c, HF_SLOT_DEVICE, &s, NULL);
	if (!err)
		err = hf_arg_u64(c, "mask", HF_REQUIRED, &mask);
	if (err)
		return err;
	if (!s->work->raise)
		return hf_fail(&c->err, EOPNOTSUPP, "raise vectors of %s", s->work->name);
	s->work->raise(&s->dev, (uint32_t)mask);
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

static int dev_rearm(struct hf_call *c)
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

static int dev_close(struct hf_call *c)
{
	char bdf[16], native[32];
	struct hf_slot *s;
	bool back, drop;
	int err;

	err = hf_arg_slot(c, HF_SLOT_MEMORY, &s, NULL);
	if (!err)
		err = hf_arg_bool(c, "native", &back);
	if (!err)
		err = hf_arg_bool(c, "drop", &drop);
	if (err)
		return err;
	strcpy(bdf, s->page->bdf);
	strcpy(native, s->page->native);
	if (s->dev.cdev >= 0 && s->work->reset && !drop)
		err = s->work->reset(&s->dev, &c->err);
	hf_slot_close(s);
	hf_msg_str(c->out, "native", native);
	if (!err && back)
		err = hf_vfio_unbind_driver(bdf, &c->err);
	return err;
}

static int dev_token(struct hf_call *c)
{
	char token[40];
	struct hf_slot *s;
	int err = hf_arg_slot(c, HF_SLOT_DEVICE, &s, NULL);

	if (!err)
		err = hf_arg_str(c, "token", NULL, token, sizeof(token));
	return err ? err : hf_vfio_set_token(&s->dev, token, &c->err);
}

static const struct hf_cmd dev_cmds[] = {
	{ "dev.open", dev_open },   { "dev.mem", dev_mem },	{ "dev.stat", dev_stat },
	{ "dev.poll", dev_poll },   { "dev.raise", dev_raise }, { "dev.rearm", dev_rearm },
	{ "dev.close", dev_close }, { "dev.token", dev_token }, { NULL, NULL },
};
HF_COMMANDS(dev_cmds);
