// SPDX-License-Identifier: GPL-2.0
/*
 * A modern virtio network device whose DMA is translated (iommu_platform),
 * receive only: one split queue, vector 0. The device asks for nothing but
 * buffers, and all of them are in the queue from the start.
 */
#include "../workload.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_ring.h>
#include <string.h>

#define QUEUE_MAX 1024
#define AVAIL_OFF 0 /* after the descriptors */
#define USED_OFF  4096
#define RINGS	  (4 * HF_PAGE) /* for both */

static bool virtio_match(const struct hf_pci_id *id)
{
	return id->vendor == 0x1af4 && id->device == 0x1041;
}

/* Where a structure of the device is; @mult: the multiplier of its notifications, or NULL. */
static volatile uint8_t *structure(struct hf_vfio *v, unsigned int type, uint32_t *mult,
				   struct hf_err *e)
{
	uint32_t pos, id, kind, bar, off;
	int ttl = 48, err = hf_vfio_cfg_read(v, PCI_CAPABILITY_LIST, 1, &pos, e);

	while (!err && pos >= 0x40 && ttl--) {
		err = hf_vfio_cfg_read(v, pos, 2, &id, e);
		if (!err)
			err = hf_vfio_cfg_read(v, pos + VIRTIO_PCI_CAP_CFG_TYPE, 1, &kind, e);
		if (err)
			return NULL;
		if ((id & 0xff) == PCI_CAP_ID_VNDR && kind == type) {
			err = hf_vfio_cfg_read(v, pos + VIRTIO_PCI_CAP_BAR, 1, &bar, e);
			if (!err)
				err = hf_vfio_cfg_read(v, pos + VIRTIO_PCI_CAP_OFFSET, 4, &off, e);
			if (!err && mult)
				err = hf_vfio_cfg_read(v, pos + VIRTIO_PCI_NOTIFY_CAP_MULT, 4, mult,
						       e);
			if (err)
				return NULL;
			if (bar < 6 && v->bar[bar].map && off < v->bar[bar].size)
				return v->bar[bar].map + off;
		}
		pos = id >> 8 & 0xfc;
	}
	hf_fail(e, ENXIO, "virtio structure %u of %s", type, v->bdf);
	return NULL;
}

static int virtio_reset(struct hf_vfio *v, struct hf_err *e)
{
	volatile struct virtio_pci_common_cfg *c =
		(void *)structure(v, VIRTIO_PCI_CAP_COMMON_CFG, NULL, e);
	uint64_t end = hf_now_us() + 1000000;

	if (!c)
		return -ENXIO;
	c->device_status = 0;
	while (c->device_status) {
		if (hf_now_us() > end)
			return hf_fail(e, ETIMEDOUT, "reset of %s", v->bdf);
		hf_sleep_us(1000);
	}
	return 0;
}

static void virtio_fill(const struct hf_ring *r, uint32_t i, uint64_t iova)
{
	volatile struct vring_desc *d = r->desc;

	d[i].addr = htole64(iova);
	d[i].len = htole32(r->buf_size);
	d[i].flags = htole16(VRING_DESC_F_WRITE);
	d[i].next = 0;
}

static uint8_t *rings(const struct hf_ring *r)
{
	return (uint8_t *)r->desc + (size_t)r->descs * sizeof(struct vring_desc);
}

static void negotiate(volatile struct virtio_pci_common_cfg *c)
{
	c->device_status = VIRTIO_CONFIG_S_ACKNOWLEDGE;
	c->device_status = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER;
	c->guest_feature_select = htole32(0);
	c->guest_feature = 0;
	c->guest_feature_select = htole32(1);
	c->guest_feature =
		htole32(1u << (VIRTIO_F_VERSION_1 - 32) | 1u << (VIRTIO_F_ACCESS_PLATFORM - 32));
	c->device_status |= VIRTIO_CONFIG_S_FEATURES_OK;
}

static int virtio_start(struct hf_vfio *v, const struct hf_ring *r, uint32_t itr_us,
			struct hf_err *e)
{
	volatile struct virtio_pci_common_cfg *c =
		(void *)structure(v, VIRTIO_PCI_CAP_COMMON_CFG, NULL, e);
	struct vring_avail *avail = (void *)(rings(r) + AVAIL_OFF);
	uint64_t at = r->desc_iova + (uint64_t)r->descs * sizeof(struct vring_desc);
	volatile uint8_t *notify;
	uint32_t mult;

	(void)itr_us;
	notify = structure(v, VIRTIO_PCI_CAP_NOTIFY_CFG, &mult, e);
	if (!c || !notify)
		return -ENXIO;
	memset(rings(r), 0, RINGS);
	for (uint32_t i = 0; i < r->descs; i++) {
		virtio_fill(r, i, r->buf_iova + (uint64_t)i * r->buf_size);
		avail->ring[i] = htole16((uint16_t)i);
	}
	avail->idx = htole16((uint16_t)r->descs);
	negotiate(c);
	if (!(c->device_status & VIRTIO_CONFIG_S_FEATURES_OK))
		return hf_fail(e, EOPNOTSUPP, "%s without translated DMA", v->bdf);
	c->msix_config = htole16(v->armed > 1 ? 1 : 0xffff);
	c->queue_select = 0;
	c->queue_size = htole16((uint16_t)r->descs);
	c->queue_msix_vector = 0;
	if (le16toh(c->queue_size) != r->descs || c->queue_msix_vector)
		return hf_fail(e, EINVAL, "queue of %u, vector 0, of %s", r->descs, v->bdf);
	c->queue_desc_lo = htole32((uint32_t)r->desc_iova);
	c->queue_desc_hi = htole32((uint32_t)(r->desc_iova >> 32));
	c->queue_avail_lo = htole32((uint32_t)(at + AVAIL_OFF));
	c->queue_avail_hi = htole32((uint32_t)((at + AVAIL_OFF) >> 32));
	c->queue_used_lo = htole32((uint32_t)(at + USED_OFF));
	c->queue_used_hi = htole32((uint32_t)((at + USED_OFF) >> 32));
	/* The queue must be in memory before the device may look. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	c->queue_enable = htole16(1);
	c->device_status |= VIRTIO_CONFIG_S_DRIVER_OK;
	*(volatile uint16_t *)(notify + le16toh(c->queue_notify_off) * mult) = 0;
	return 0;
}

static uint32_t virtio_head(struct hf_vfio *v, const struct hf_ring *r)
{
	(void)v;
	return le16toh(((volatile struct vring_used *)(rings(r) + USED_OFF))->idx);
}

static uint32_t virtio_tail(struct hf_vfio *v, const struct hf_ring *r)
{
	(void)v;
	return r->descs - 1;
}

static const struct hf_nic_ops virtio_nic = {
	.max_descs = QUEUE_MAX,
	.fill = virtio_fill,
	.head = virtio_head,
	.tail = virtio_tail,
};

static const struct hf_workload virtio_net = {
	.name = "virtio-net",
	.max_vectors = 2,
	.match = virtio_match,
	.memory = RINGS,
	.reset = virtio_reset,
	.start = virtio_start,
	.nic = &virtio_nic,
};
HF_WORKLOAD(virtio_net);
