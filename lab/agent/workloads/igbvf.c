// SPDX-License-Identifier: GPL-2.0
/*
 * A virtual function of an Intel 82576, receive only. Interrupts as in igb.c.
 * Its PF lets frames through to it: one that the agent drives by igbpf.pool,
 * its native driver when it is asked for by the mailbox (igbvf.join).
 */
#include "../cmd.h"

#include <errno.h>
#include <stdio.h>

#define VT_CTRL	      0x0000
#define VT_STATUS     0x0008
#define VT_V2PMAILBOX 0x0c40
#define VT_VMBMEM(n)  (0x0800 + 4 * (n))
#define VT_EICS	      0x1520
#define VT_EIMS	      0x1524
#define VT_EIMC	      0x1528
#define VT_EIAC	      0x152c
#define VT_EIAM	      0x1530
#define VT_EICR	      0x1580
#define VT_EITR(n)    (0x1680 + 4 * (n))
#define VT_IVAR0      0x1700
#define VT_IVAR_MISC  0x1740
#define VT_RDBAL      0x2800
#define VT_RDBAH      0x2804
#define VT_RDLEN      0x2808
#define VT_SRRCTL     0x280c
#define VT_RDH	      0x2810
#define VT_RDT	      0x2818
#define VT_RXDCTL     0x2828

#define VT_CTRL_RST		 (1u << 26)
#define VT_STATUS_LU		 (1u << 1)
#define VT_IVAR_VALID		 0x80u
#define VT_SRRCTL_BSIZEPKT_SHIFT 10
#define VT_SRRCTL_ADV_ONEBUF	 0x02000000u
#define VT_RXDCTL_ENABLE	 (1u << 25)
#define VT_EITR_SHIFT		 2
#define VT_EITR_MAX_US		 0x1fffu

#define MBX_REQ	       (1u << 0)
#define MBX_ACK	       (1u << 1)
#define MBX_VFU	       (1u << 2)
#define MBX_PFSTS      (1u << 4)
#define MBX_MSG_ACK    (1u << 31)
#define MBX_MSG_NACK   (1u << 30)
#define MBX_MSG_CTS    (1u << 29)
#define MBX_RESET      1u
#define MBX_SET_MAC    2u
#define MBX_TIMEOUT_US 2000000

/* Read format of an advanced receive descriptor. */
struct igbvf_rx_desc {
	uint64_t pkt_addr, hdr_addr;
};

static bool igbvf_match(const struct hf_pci_id *id)
{
	return id->vendor == 0x8086 && id->device == 0x10ca;
}

static int igbvf_reset(struct hf_vfio *v, struct hf_err *e)
{
	if (!v->bar[0].map)
		return hf_fail(e, ENXIO, "registers of %s", v->bdf);
	hf_wr(v, VT_EIMC, ~0u);
	hf_wr(v, VT_CTRL, hf_rd(v, VT_CTRL) | VT_CTRL_RST);
	hf_sleep_us(10000); /* nothing says that it is done */
	hf_wr(v, VT_EIMC, ~0u);
	hf_wr(v, VT_EICR, ~0u);
	return 0;
}

static void setup_irqs(struct hf_vfio *v, uint32_t itr_us)
{
	uint32_t vectors = (1u << v->armed) - 1;

	if (itr_us > VT_EITR_MAX_US)
		itr_us = VT_EITR_MAX_US;
	hf_wr(v, VT_IVAR0, VT_IVAR_VALID | 0);
	if (v->armed > 1)
		hf_wr(v, VT_IVAR_MISC, VT_IVAR_VALID | 1);
	for (unsigned int i = 0; i < v->armed; i++)
		hf_wr(v, VT_EITR(i), i ? 0 : itr_us << VT_EITR_SHIFT);
	hf_wr(v, VT_EIAM, 0);
	hf_wr(v, VT_EIAC, vectors);
	hf_wr(v, VT_EIMS, vectors);
}

static void igbvf_fill(const struct hf_ring *r, uint32_t i, uint64_t iova)
{
	volatile struct igbvf_rx_desc *d = r->desc;

	d[i].pkt_addr = htole64(iova);
	d[i].hdr_addr = 0; /* also clears Descriptor Done of the write-back format */
}

static int igbvf_start(struct hf_vfio *v, const struct hf_ring *r, uint32_t itr_us,
		       struct hf_err *e)
{
	int err;

	for (uint32_t i = 0; i < r->descs; i++)
		igbvf_fill(r, i, r->buf_iova + (uint64_t)i * r->buf_size);
	err = hf_wait(v, VT_STATUS, VT_STATUS_LU, VT_STATUS_LU, 5000000, "link", e);
	if (err)
		return err;
	setup_irqs(v, itr_us);
	hf_wr(v, VT_RDBAL, (uint32_t)r->desc_iova);
	hf_wr(v, VT_RDBAH, (uint32_t)(r->desc_iova >> 32));
	hf_wr(v, VT_RDLEN, r->descs * (uint32_t)sizeof(struct igbvf_rx_desc));
	hf_wr(v, VT_SRRCTL, VT_SRRCTL_ADV_ONEBUF | r->buf_size >> VT_SRRCTL_BSIZEPKT_SHIFT);
	hf_wr(v, VT_RDH, 0);
	hf_wr(v, VT_RXDCTL, VT_RXDCTL_ENABLE);
	err = hf_wait(v, VT_RXDCTL, VT_RXDCTL_ENABLE, VT_RXDCTL_ENABLE, 100000, "RX queue", e);
	if (err)
		return err;
	/* Last: with the tail the device may fetch, so the ring must be in memory. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	hf_wr(v, VT_RDT, r->descs - 1);
	return 0;
}

static uint32_t igbvf_head(struct hf_vfio *v, const struct hf_ring *r)
{
	(void)r;
	return hf_rd(v, VT_RDH);
}

static uint32_t igbvf_tail(struct hf_vfio *v, const struct hf_ring *r)
{
	(void)r;
	return hf_rd(v, VT_RDT);
}

static void igbvf_raise(struct hf_vfio *v, uint32_t mask)
{
	hf_wr(v, VT_EICS, mask);
}

static const struct hf_nic_ops igbvf_nic = {
	.max_descs = 65528,
	.fill = igbvf_fill,
	.head = igbvf_head,
	.tail = igbvf_tail,
};

static const struct hf_workload igbvf = {
	.name = "igbvf",
	.max_vectors = 3,
	.match = igbvf_match,
	.reset = igbvf_reset,
	.start = igbvf_start,
	.raise = igbvf_raise,
	.nic = &igbvf_nic,
};
HF_WORKLOAD(igbvf);

/* The mailbox says what it has to say once: reading clears it. */
static int wait_mailbox(struct hf_vfio *v, uint32_t bit, const char *what, struct hf_err *e)
{
	uint64_t end = hf_now_us() + MBX_TIMEOUT_US;

	while (!(hf_rd(v, VT_V2PMAILBOX) & bit)) {
		if (hf_now_us() > end)
			return hf_fail(e, ETIMEDOUT, "%s: PF of %s", what, v->bdf);
		hf_sleep_us(500);
	}
	return 0;
}

/* A message to the PF, and its answer in the same place. */
static int ask(struct hf_vfio *v, uint32_t *msg, unsigned int words, struct hf_err *e)
{
	uint32_t what = msg[0];
	int err;

	hf_rd(v, VT_V2PMAILBOX); /* forget what was before */
	hf_wr(v, VT_V2PMAILBOX, MBX_VFU);
	for (unsigned int i = 0; i < words; i++)
		hf_wr(v, VT_VMBMEM(i), msg[i]);
	hf_wr(v, VT_V2PMAILBOX, MBX_REQ);
	err = wait_mailbox(v, MBX_PFSTS, "no answer by mailbox", e);
	if (err)
		return err;
	for (unsigned int i = 0; i < words; i++)
		msg[i] = hf_rd(v, VT_VMBMEM(i));
	hf_wr(v, VT_V2PMAILBOX, MBX_ACK);
	/* A VF that nobody has given an address hears no when it is reset, and is. */
	if (what == MBX_RESET && (msg[0] & ~MBX_MSG_CTS) == (what | MBX_MSG_NACK))
		return 0;
	if ((msg[0] & ~MBX_MSG_CTS) != (what | MBX_MSG_ACK))
		return hf_fail(e, EACCES, "PF of %s answers 0x%x to 0x%x", v->bdf, msg[0], what);
	return 0;
}

/* Has the native driver of the PF let frames to an address through to it. */
static int igbvf_join(struct hf_call *c)
{
	unsigned int b[6];
	uint32_t msg[3] = { MBX_RESET };
	struct hf_slot *s;
	char mac[20];
	int err;

	err = hf_arg_slot(c, HF_SLOT_DEVICE, &s, NULL);
	if (!err)
		err = hf_arg_str(c, "mac", NULL, mac, sizeof(mac));
	if (err)
		return err;
	if (s->work != &igbvf ||
	    sscanf(mac, "%x:%x:%x:%x:%x:%x", b, b + 1, b + 2, b + 3, b + 4, b + 5) != 6)
		return hf_fail(&c->err, EINVAL, "address %s of %s", mac, s->work->name);
	err = ask(&s->dev, msg, 3, &c->err);
	if (err)
		return err;
	msg[0] = MBX_SET_MAC;
	msg[1] = b[0] | b[1] << 8 | b[2] << 16 | b[3] << 24;
	msg[2] = b[4] | b[5] << 8;
	return ask(&s->dev, msg, 3, &c->err);
}

static const struct hf_cmd igbvf_cmds[] = {
	{ "igbvf.join", igbvf_join },
	{ NULL, NULL },
};
HF_COMMANDS(igbvf_cmds);
