/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is done with one kind of device: one file in workloads/ each, which
 * registers itself and brings the commands that only it has. docs/new-device.md
 * shows how one comes about.
 */
#ifndef HF_WORKLOAD_H
#define HF_WORKLOAD_H

#include "vfio.h"

#include <endian.h>

/* The memory of a slot as the device may use it; addresses it sees are IOVAs. */
struct hf_ring {
	volatile void *desc; /* its start: of a NIC the RX descriptors, in this process */
	uint64_t desc_iova; /* 4096-byte aligned */
	size_t len; /* bytes from desc on that the device may reach */
	/* Of a NIC: */
	uint64_t buf_iova; /* buffer i = buf_iova + i * buf_size */
	uint32_t buf_size; /* bytes */
	uint32_t descs;
};

/*
 * A device that receives frames. What each must arrange, because the lab judges by it:
 *  - frames land in descriptor order, one frame per buffer, from descriptor 0,
 *    and the device goes on without any refill until the ring is used up;
 *  - vector 0 is raised by received frames, vector 1 (if there) by anything
 *    else, and neither needs the driver to acknowledge anything in order to be
 *    raised again: nobody is there to do it while the kernel is replaced.
 */
struct hf_nic_ops {
	uint32_t max_descs; /* ring size limit; descs is a multiple of 8 */
	/* Point descriptor @i at @iova; only for one the device has not fetched. */
	void (*fill)(const struct hf_ring *r, uint32_t i, uint64_t iova);
	/* Next descriptor the device will fill, and the one it stops at. */
	uint32_t (*head)(struct hf_vfio *v, const struct hf_ring *r);
	uint32_t (*tail)(struct hf_vfio *v, const struct hf_ring *r);
};

/* Static, stateless: all state is in the device and in the slot's memory. */
struct hf_workload {
	const char *name;
	uint32_t max_vectors;
	/* NULL: only who asks for it by name gets it. */
	bool (*match)(const struct hf_pci_id *id);
	/* Bytes of memory that it needs; of a NIC: beside descriptors and buffers, after the former. */
	uint64_t memory;
	/* Reset the device to a quiet state. Return: 0 or -errno. NULL: it is only opened and attached. */
	int (*reset)(struct hf_vfio *v, struct hf_err *e);
	/*
	 * Set it going, on a device that is enabled, with its vectors armed.
	 * @itr_us: least time between two interrupts of vector 0, 0 = none.
	 * Return: 0 or -errno (-ETIMEDOUT: no link).
	 */
	int (*start)(struct hf_vfio *v, const struct hf_ring *r, uint32_t itr_us, struct hf_err *e);
	/* Make the device raise the vectors in @mask on its own. May be NULL. */
	void (*raise)(struct hf_vfio *v, uint32_t mask);
	const struct hf_nic_ops *nic; /* NULL: it is none */
};

#define HF_WORKLOAD(w)                                   \
	static const struct hf_workload *const w##_entry \
		__attribute__((used, section("hf_workloads"))) = &(w)

/* Registers, in BAR 0. */
static inline uint32_t hf_rd(struct hf_vfio *v, unsigned int reg)
{
	return le32toh(*(volatile uint32_t *)(v->bar[0].map + reg));
}

static inline void hf_wr(struct hf_vfio *v, unsigned int reg, uint32_t val)
{
	*(volatile uint32_t *)(v->bar[0].map + reg) = htole32(val);
}

static inline void hf_wr64(struct hf_vfio *v, unsigned int reg, uint64_t val)
{
	hf_wr(v, reg, (uint32_t)val);
	hf_wr(v, reg + 4, (uint32_t)(val >> 32));
}

/*
 * Until the bits @mask of a register are @want, where the device has no interrupt that says so.
 * Return: 0 or -ETIMEDOUT.
 */
int hf_wait(struct hf_vfio *v, unsigned int reg, uint32_t mask, uint32_t want,
	    unsigned int timeout_us, const char *what, struct hf_err *e);

/* The workload for a function, or NULL. */
const struct hf_workload *hf_workload_find(const struct hf_pci_id *id);
/* The workload of that name (from a preserved slot page, for one), or NULL. */
const struct hf_workload *hf_workload_named(const char *name);

#endif
