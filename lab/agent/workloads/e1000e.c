// SPDX-License-Identifier: GPL-2.0
/*
 * Intel 82574 (e1000e), receive only, with one interrupt: MSI or its line. The
 * cause is never read, which would clear it: the line stays up from the first
 * frame on, and MSI sends one message until somebody serves it.
 */
#include "../workload.h"

#include <errno.h>

#define CTRL   0x0000
#define STATUS 0x0008
#define MDIC   0x0020
#define ICR    0x00c0
#define ITR    0x00c4
#define ICS    0x00c8
#define IMS    0x00d0
#define IMC    0x00d8
#define RCTL   0x0100
#define RDBAL  0x2800
#define RDBAH  0x2804
#define RDLEN  0x2808
#define RDH    0x2810
#define RDT    0x2818
#define RXDCTL 0x2828
#define RFCTL  0x5008

#define CTRL_SLU	     (1u << 6)
#define CTRL_RST	     (1u << 26)
#define STATUS_LU	     (1u << 1)
#define MDIC_RESTART_AUTONEG 0x1200u /* of register 0, BMCR */
#define MDIC_PHY_1	     (1u << 21)
#define MDIC_WRITE	     (1u << 26)
#define MDIC_READY	     (1u << 28)
#define INT_RXT0	     (1u << 7)
#define RCTL_EN		     (1u << 1)
#define RCTL_UPE	     (1u << 3)
#define RCTL_MPE	     (1u << 4)
#define RCTL_BAM	     (1u << 15) /* and buffers of 2048 bytes, which is 0 */
#define RCTL_SECRC	     (1u << 26)
#define RFCTL_EXTENDED	     (1u << 15)
#define RXDCTL_GRAN	     (1u << 24)

/* Read format of an extended receive descriptor; status and length are where igb has them. */
struct rx_desc {
	uint64_t addr, reserved;
};

static bool e1000e_match(const struct hf_pci_id *id)
{
	return id->vendor == 0x8086 && id->device == 0x10d3;
}

static int e1000e_reset(struct hf_vfio *v, struct hf_err *e)
{
	int err;

	if (!v->bar[0].map)
		return hf_fail(e, ENXIO, "registers of %s", v->bdf);
	hf_wr(v, IMC, ~0u);
	hf_wr(v, RCTL, 0);
	hf_wr(v, CTRL, hf_rd(v, CTRL) | CTRL_RST);
	err = hf_wait(v, CTRL, CTRL_RST, 0, 1000000, "reset", e);
	if (err)
		return err;
	hf_wr(v, IMC, ~0u);
	hf_rd(v, ICR);
	return 0;
}

static void e1000e_fill(const struct hf_ring *r, uint32_t i, uint64_t iova)
{
	volatile struct rx_desc *d = r->desc;

	d[i].addr = htole64(iova);
	d[i].reserved = 0; /* also clears Descriptor Done of the write-back format */
}

static int e1000e_start(struct hf_vfio *v, const struct hf_ring *r, uint32_t itr_us,
			struct hf_err *e)
{
	int err;

	(void)itr_us;
	for (uint32_t i = 0; i < r->descs; i++)
		e1000e_fill(r, i, r->buf_iova + (uint64_t)i * r->buf_size);
	hf_wr(v, CTRL, hf_rd(v, CTRL) | CTRL_SLU);
	hf_wr(v, MDIC, MDIC_RESTART_AUTONEG | MDIC_PHY_1 | MDIC_WRITE);
	err = hf_wait(v, MDIC, MDIC_READY, MDIC_READY, 100000, "MDIC write", e);
	if (!err)
		err = hf_wait(v, STATUS, STATUS_LU, STATUS_LU, 5000000, "link", e);
	if (err)
		return err;
	hf_wr(v, ITR, 0);
	hf_wr(v, IMS, INT_RXT0);
	hf_wr(v, RFCTL, RFCTL_EXTENDED);
	hf_wr64(v, RDBAL, r->desc_iova);
	hf_wr(v, RDLEN, r->descs * (uint32_t)sizeof(struct rx_desc));
	hf_wr(v, RDH, 0);
	hf_wr(v, RXDCTL, RXDCTL_GRAN);
	hf_wr(v, RCTL, RCTL_EN | RCTL_UPE | RCTL_MPE | RCTL_BAM | RCTL_SECRC);
	/* Last: with the tail the device may fetch, so the ring must be in memory. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	hf_wr(v, RDT, r->descs - 1);
	return 0;
}

static uint32_t e1000e_head(struct hf_vfio *v, const struct hf_ring *r)
{
	(void)r;
	return hf_rd(v, RDH);
}

static uint32_t e1000e_tail(struct hf_vfio *v, const struct hf_ring *r)
{
	(void)r;
	return hf_rd(v, RDT);
}

static void e1000e_raise(struct hf_vfio *v, uint32_t mask)
{
	hf_wr(v, ICS, mask ? INT_RXT0 : 0);
}

static const struct hf_nic_ops e1000e_nic = {
	.max_descs = 65528,
	.fill = e1000e_fill,
	.head = e1000e_head,
	.tail = e1000e_tail,
};

static const struct hf_workload e1000e = {
	.name = "e1000e",
	.max_vectors = 1,
	.match = e1000e_match,
	.reset = e1000e_reset,
	.start = e1000e_start,
	.raise = e1000e_raise,
	.nic = &e1000e_nic,
};
HF_WORKLOAD(e1000e);
