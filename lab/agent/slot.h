/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A slot: one device, its memory, its place in the lab.
 *
 * All memory of a slot is one memfd:
 *
 *	0		struct hf_slot_page
 *	ring_off	RX descriptors
 *	buf_off		buffers, buffer i belongs to descriptor i
 *	map_len		end of what the device may reach
 *	canary_off	one page the device must never reach (== map_len)
 *
 * What is no NIC uses ring_off..map_len as it likes.
 *
 * The device sees bytes 0..map_len at iova_base; the canary is part of the
 * memfd, so that it is still there to be looked at after the kexec, but it is
 * not part of any mapping.
 */
#ifndef HF_SLOT_H
#define HF_SLOT_H

#include "json.h"
#include "workload.h"

#define HF_SLOTS 16

#define HF_PAGE_MAGIC	"HFSLOT1" /* 8 bytes with the terminator */
#define HF_PAGE_VERSION 2
#define HF_BUF_SIZE	2048
#define HF_CANARY_BYTE	0xc5

/*
 * The agent page: all that a later kernel's agent needs to go on with a slot.
 * Little-endian, no padding; fields are only ever added at the end, and a
 * reader refuses a version it does not know.
 */
struct hf_slot_page {
	char magic[8];
	uint32_t version;
	uint32_t size; /* of this structure as written */
	uint64_t iova_base;
	uint64_t map_len; /* bytes mapped at iova_base */
	uint64_t total_len; /* bytes of the memfd */
	uint64_t ring_off, buf_off, canary_off;
	uint32_t buf_size, descs; /* 0 if it is no NIC */
	uint32_t vectors; /* MSI-X vectors in use */
	uint32_t planted; /* 1: planted_desc points at planted_iova */
	uint32_t planted_desc;
	uint32_t slot;
	uint64_t planted_iova;
	char bdf[16];
	char native[32]; /* driver to give the device back to, or "" */
	char workload[16]; /* hf_workload.name */
	uint32_t intx, msi; /* 1: that in place of MSI-X */
	/* What it reaches of another slot's device: 0 or one more than the number of that slot. */
	uint32_t peer, peer_bar;
	uint64_t peer_iova, peer_len;
};

struct hf_slot {
	bool used;
	bool anon; /* memory is not a memfd: for refusal tests */
	struct hf_vfio dev;
	const struct hf_workload *work;
	int memfd; /* -1 if anon */
	uint8_t *mem; /* the whole memfd */
	size_t len;
	struct hf_slot_page *page; /* == mem */
};

/* Slot @i, in use or not; NULL if there is no such slot. */
struct hf_slot *hf_slot_at(uint64_t i);

/* What dev.open decides. */
struct hf_slot_cfg {
	uint32_t slot, descs, vectors;
	bool anon, intx, msi;
	const char *bdf, *native;
	const struct hf_workload *work;
};

/* Allocate, populate and describe the memory of a fresh slot. Return: 0 or -errno. */
int hf_slot_create(struct hf_slot *s, const struct hf_slot_cfg *cfg, struct hf_err *e);
/*
 * Take a memfd a former kernel's agent filled; owns @memfd even on failure.
 * Nothing in its page is believed before it has been checked against its size.
 * Return: 0 or -errno (-EPROTO: not our page, or damaged).
 */
int hf_slot_adopt(struct hf_slot *s, int memfd, struct hf_err *e);
/* Map the slot's memory for the device: new iommufd, IOAS, fixed IOVAs. */
int hf_slot_map(struct hf_slot *s, struct hf_err *e);
/*
 * Map what the page says of the peer's BAR: the peer is bound, and this device
 * not attached yet, or attached already. Nothing to do without a peer.
 */
int hf_slot_map_peer(struct hf_slot *s, struct hf_err *e);
/* The memory as the workload wants it. */
void hf_slot_ring(const struct hf_slot *s, struct hf_ring *r);
/* Close and free everything; the slot is unused afterwards. Safe at any stage. */
void hf_slot_close(struct hf_slot *s);

/*
 * Guest-physical address of the page that backs @addr, from /proc/self/pagemap.
 * @pagemap is an open fd. Return: 0 or -errno (-ENODATA: no page is there).
 */
int hf_gpa(int pagemap, const void *addr, uint64_t *gpa, struct hf_err *e);
int hf_pagemap_open(struct hf_err *e);

/*
 * Send the slot's `mem` events: runs of guest-physical memory, in memfd order.
 * Return: 0 or -errno.
 */
int hf_send_mem(const uint8_t *mem, size_t size, unsigned int slot, struct hf_err *e);

#endif
