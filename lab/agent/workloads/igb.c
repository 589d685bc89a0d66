// SPDX-License-Identifier: GPL-2.0
/*
 * Intel 82576 (igb), receive only; or as igbpf, which receives nothing itself
 * and switches frames to its virtual functions (igbvf.c).
 *
 * Interrupts: multiple-vector MSI-X mode with EIAC set for every vector, so the
 * device clears a cause as it sends (or latches) the message for it, and
 * without auto-mask (EIAM, GPIE.EIAME), so EIMS stays as it is. The device
 * therefore goes on raising vector 0 for each frame with nobody serving it, and
 * while MSI-X is masked each raise ends in the one bit of the Pending Bit Array.
 */
#include "../cmd.h"

#include <errno.h>
#include <stdio.h>

#define E1000_CTRL	0x0000
#define E1000_STATUS	0x0008
#define E1000_MDIC	0x0020
#define E1000_RCTL	0x0100
#define E1000_ICR	0x1500
#define E1000_IMS	0x1508
#define E1000_IMC	0x150c
#define E1000_GPIE	0x1514
#define E1000_EICS	0x1520
#define E1000_EIMS	0x1524
#define E1000_EIMC	0x1528
#define E1000_EIAC	0x152c
#define E1000_EIAM	0x1530
#define E1000_EICR	0x1580
#define E1000_EITR(n)	(0x1680 + 4 * (n))
#define E1000_IVAR0	0x1700
#define E1000_IVAR_MISC 0x1740
#define E1000_RDBAL0	0xc000
#define E1000_RDBAH0	0xc004
#define E1000_RDLEN0	0xc008
#define E1000_SRRCTL0	0xc00c
#define E1000_RDH0	0xc010
#define E1000_RDT0	0xc018
#define E1000_RXDCTL0	0xc028
/* Of a PF. */
#define E1000_CTRL_EXT 0x0018
#define E1000_VFRE     0x0c8c
#define E1000_VFTE     0x0c90
#define E1000_RAL(n)   (0x5400 + 8 * (n))
#define E1000_RAH(n)   (0x5404 + 8 * (n))
#define E1000_MRQC     0x5818
#define E1000_VT_CTL   0x581c
#define E1000_VMOLR(n) (0x5ad0 + 4 * (n))

#define E1000_CTRL_SLU			 (1u << 6)
#define E1000_CTRL_RST			 (1u << 26)
#define E1000_STATUS_LU			 (1u << 1)
#define E1000_MDIC_REG_SHIFT		 16
#define E1000_MDIC_PHY_ADDR_1		 (1u << 21)
#define E1000_MDIC_OP_WRITE		 (1u << 26)
#define E1000_MDIC_READY		 (1u << 28)
#define E1000_MDIC_ERROR		 (1u << 30)
#define E1000_RCTL_EN			 (1u << 1)
#define E1000_RCTL_UPE			 (1u << 3)
#define E1000_RCTL_MPE			 (1u << 4)
#define E1000_RCTL_BAM			 (1u << 15)
#define E1000_RCTL_SECRC		 (1u << 26)
#define E1000_GPIE_NSICR		 (1u << 0)
#define E1000_GPIE_MSIX_MODE		 (1u << 4)
#define E1000_GPIE_PBA			 (1u << 31)
#define E1000_IVAR_VALID		 0x80u
#define E1000_IMS_LSC			 (1u << 2)
#define E1000_SRRCTL_BSIZEPKT_SHIFT	 10
#define E1000_SRRCTL_DESCTYPE_ADV_ONEBUF 0x02000000u
#define E1000_RXDCTL_QUEUE_ENABLE	 (1u << 25)
#define E1000_EITR_SHIFT		 2 /* interval in us, bits 14:2 */
#define E1000_EITR_MAX_US		 0x1fffu

#define E1000_CTRL_EXT_PFRSTD	      (1u << 14)
#define E1000_MRQC_ENABLE_VMDQ	      3u
#define E1000_VT_CTL_DISABLE_DEF_POOL (1u << 29)
#define E1000_VMOLR_AUPE	      (1u << 24)
#define E1000_VMOLR_BAM		      (1u << 27)
#define E1000_VMOLR_STRCRC	      (1u << 31)
#define E1000_RAH_POOL_SHIFT	      18
#define E1000_RAH_AV		      (1u << 31)
#define IGB_VFS			      8

#define MII_BMCR	    0
#define MII_BMCR_AN_RESTART 0x1200 /* enable and restart autonegotiation */

#define LINK_TIMEOUT_US 5000000

/* Read format of an advanced receive descriptor. */
struct igb_rx_desc {
	uint64_t pkt_addr, hdr_addr;
};

static bool igb_match(const struct hf_pci_id *id)
{
	return id->vendor == 0x8086 && id->device == 0x10c9;
}

static int igb_reset(struct hf_vfio *v, struct hf_err *e)
{
	int err;

	if (!v->bar[0].map)
		return hf_fail(e, ENXIO, "registers of %s", v->bdf);
	hf_wr(v, E1000_IMC, ~0u);
	hf_wr(v, E1000_EIMC, ~0u);
	hf_wr(v, E1000_RCTL, 0);
	hf_wr(v, E1000_CTRL, hf_rd(v, E1000_CTRL) | E1000_CTRL_RST);
	err = hf_wait(v, E1000_CTRL, E1000_CTRL_RST, 0, 1000000, "reset", e);
	if (err)
		return err;
	/* The reset turns interrupts of the EEPROM's choosing on again. */
	hf_wr(v, E1000_IMC, ~0u);
	hf_wr(v, E1000_EIMC, ~0u);
	hf_rd(v, E1000_ICR);
	hf_wr(v, E1000_EICR, ~0u);
	return 0;
}

static int link_up(struct hf_vfio *v, struct hf_err *e)
{
	int err;

	hf_wr(v, E1000_CTRL, hf_rd(v, E1000_CTRL) | E1000_CTRL_SLU);
	hf_wr(v, E1000_MDIC,
	      MII_BMCR_AN_RESTART | MII_BMCR << E1000_MDIC_REG_SHIFT | E1000_MDIC_PHY_ADDR_1 |
		      E1000_MDIC_OP_WRITE);
	err = hf_wait(v, E1000_MDIC, E1000_MDIC_READY | E1000_MDIC_ERROR, E1000_MDIC_READY, 100000,
		      "MDIC write", e);
	if (err)
		return err;
	return hf_wait(v, E1000_STATUS, E1000_STATUS_LU, E1000_STATUS_LU, LINK_TIMEOUT_US, "link",
		       e);
}

static void setup_irqs(struct hf_vfio *v, uint32_t itr_us)
{
	uint32_t vectors = (1u << v->armed) - 1;

	if (itr_us > E1000_EITR_MAX_US)
		itr_us = E1000_EITR_MAX_US;
	hf_wr(v, E1000_GPIE, E1000_GPIE_NSICR | E1000_GPIE_MSIX_MODE | E1000_GPIE_PBA);
	hf_wr(v, E1000_IVAR0, E1000_IVAR_VALID | 0);
	if (v->armed > 1)
		hf_wr(v, E1000_IVAR_MISC, (E1000_IVAR_VALID | 1) << 8);
	/*
	 * Only for the frames: QEMU's model sends one more message when the interval
	 * of a vector ends, needed or not, and the others are to be counted exactly.
	 */
	for (unsigned int i = 0; i < v->armed; i++)
		hf_wr(v, E1000_EITR(i), i ? 0 : itr_us << E1000_EITR_SHIFT);
	hf_wr(v, E1000_EIAM, 0);
	hf_wr(v, E1000_EIAC, vectors);
	hf_wr(v, E1000_EIMS, vectors);
	if (v->armed > 1)
		hf_wr(v, E1000_IMS, E1000_IMS_LSC);
}

static void igb_fill(const struct hf_ring *r, uint32_t i, uint64_t iova)
{
	volatile struct igb_rx_desc *d = r->desc;

	d[i].pkt_addr = htole64(iova);
	d[i].hdr_addr = 0; /* also clears Descriptor Done of the write-back format */
}

static int igb_start(struct hf_vfio *v, const struct hf_ring *r, uint32_t itr_us, struct hf_err *e)
{
	int err;

	for (uint32_t i = 0; i < r->descs; i++)
		igb_fill(r, i, r->buf_iova + (uint64_t)i * r->buf_size);

	err = link_up(v, e);
	if (err)
		return err;
	setup_irqs(v, itr_us);

	hf_wr(v, E1000_RDBAL0, (uint32_t)r->desc_iova);
	hf_wr(v, E1000_RDBAH0, (uint32_t)(r->desc_iova >> 32));
	hf_wr(v, E1000_RDLEN0, r->descs * (uint32_t)sizeof(struct igb_rx_desc));
	hf_wr(v, E1000_SRRCTL0,
	      E1000_SRRCTL_DESCTYPE_ADV_ONEBUF | r->buf_size >> E1000_SRRCTL_BSIZEPKT_SHIFT);
	hf_wr(v, E1000_RDH0, 0);
	hf_wr(v, E1000_RXDCTL0, E1000_RXDCTL_QUEUE_ENABLE);
	err = hf_wait(v, E1000_RXDCTL0, E1000_RXDCTL_QUEUE_ENABLE, E1000_RXDCTL_QUEUE_ENABLE,
		      100000, "RX queue", e);
	if (err)
		return err;
	hf_wr(v, E1000_RCTL,
	      E1000_RCTL_EN | E1000_RCTL_UPE | E1000_RCTL_MPE | E1000_RCTL_BAM | E1000_RCTL_SECRC);
	/* Last: with the tail the device may fetch, so the ring must be in memory. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	hf_wr(v, E1000_RDT0, r->descs - 1);
	return 0;
}

static uint32_t igb_head(struct hf_vfio *v, const struct hf_ring *r)
{
	(void)r;
	return hf_rd(v, E1000_RDH0);
}

static uint32_t igb_tail(struct hf_vfio *v, const struct hf_ring *r)
{
	(void)r;
	return hf_rd(v, E1000_RDT0);
}

static void igb_raise(struct hf_vfio *v, uint32_t mask)
{
	hf_wr(v, E1000_EICS, mask);
}

static const struct hf_nic_ops igb_nic = {
	.max_descs = 65528, /* RDLEN 0xfff80 */
	.fill = igb_fill,
	.head = igb_head,
	.tail = igb_tail,
};

static const struct hf_workload igb = {
	.name = "igb",
	.max_vectors = 10,
	.match = igb_match,
	.reset = igb_reset,
	.start = igb_start,
	.raise = igb_raise,
	.nic = &igb_nic,
};
HF_WORKLOAD(igb);

/* A PF: link and interrupts as above, and queues that belong to the VFs. */
static int igbpf_start(struct hf_vfio *v, const struct hf_ring *r, uint32_t itr_us,
		       struct hf_err *e)
{
	int err = link_up(v, e);

	(void)r;
	if (err)
		return err;
	setup_irqs(v, itr_us);
	hf_wr(v, E1000_MRQC, E1000_MRQC_ENABLE_VMDQ);
	hf_wr(v, E1000_VT_CTL, E1000_VT_CTL_DISABLE_DEF_POOL);
	hf_wr(v, E1000_VFRE, 0);
	hf_wr(v, E1000_VFTE, 0);
	hf_wr(v, E1000_RCTL, E1000_RCTL_EN | E1000_RCTL_BAM | E1000_RCTL_SECRC);
	hf_wr(v, E1000_CTRL_EXT, hf_rd(v, E1000_CTRL_EXT) | E1000_CTRL_EXT_PFRSTD);
	return 0;
}

static const struct hf_workload igbpf = {
	.name = "igbpf",
	.max_vectors = 10,
	.memory = HF_PAGE,
	.reset = igb_reset,
	.start = igbpf_start,
	.raise = igb_raise,
};
HF_WORKLOAD(igbpf);

/* Frames to an address go to a VF; again after each reset of it, which opening it is. */
static int igbpf_pool(struct hf_call *c)
{
	unsigned int b[6];
	struct hf_vfio *v;
	struct hf_slot *s;
	char mac[20];
	uint64_t vf;
	int err;

	err = hf_arg_slot(c, HF_SLOT_DEVICE, &s, NULL);
	if (!err)
		err = hf_arg_u64(c, "vf", 0, &vf);
	if (!err)
		err = hf_arg_str(c, "mac", NULL, mac, sizeof(mac));
	if (err)
		return err;
	if (s->work != &igbpf || vf >= IGB_VFS ||
	    sscanf(mac, "%x:%x:%x:%x:%x:%x", b, b + 1, b + 2, b + 3, b + 4, b + 5) != 6)
		return hf_fail(&c->err, EINVAL, "VF %llu, address %s, of %s",
			       (unsigned long long)vf, mac, s->work->name);
	v = &s->dev;
	/* RAR 0 has the PF's own address. */
	hf_wr(v, E1000_RAL(vf + 1), b[0] | b[1] << 8 | b[2] << 16 | b[3] << 24);
	hf_wr(v, E1000_RAH(vf + 1),
	      b[4] | b[5] << 8 | 1u << (E1000_RAH_POOL_SHIFT + vf) | E1000_RAH_AV);
	hf_wr(v, E1000_VMOLR(vf), E1000_VMOLR_AUPE | E1000_VMOLR_BAM | E1000_VMOLR_STRCRC);
	hf_wr(v, E1000_VFTE, hf_rd(v, E1000_VFTE) | 1u << vf);
	hf_wr(v, E1000_VFRE, hf_rd(v, E1000_VFRE) | 1u << vf);
	return 0;
}

static const struct hf_cmd igbpf_cmds[] = {
	{ "igbpf.pool", igbpf_pool },
	{ NULL, NULL },
};
HF_COMMANDS(igbpf_cmds);
