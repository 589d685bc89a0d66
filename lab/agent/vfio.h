/* SPDX-License-Identifier: GPL-2.0 */
/*
 * VFIO device files (cdev) on iommufd, for devices that are driven from user
 * space and kept across a kexec.
 *
 * Two ways to get a device:
 *
 *   fresh      hf_vfio_open -> hf_vfio_iommu_new -> hf_vfio_map_* -> hf_vfio_bind
 *              -> hf_vfio_attach -> hf_vfio_setup -> the driver's reset and start
 *   preserved  hf_vfio_adopt (a file LUO gave back), then the same calls, but
 *              nothing of the driver: the device is running.
 *
 * The mappings come before bind and attach in both: the attach of a preserved
 * device switches a running device to the new mappings, which must be complete.
 */
#ifndef HF_VFIO_H
#define HF_VFIO_H

#include "util.h"

#define HF_MAX_VECTORS 16

struct hf_bar {
	volatile uint8_t *map; /* NULL: not mapped */
	size_t size;
};

struct hf_vfio {
	char bdf[16];
	int cdev, iommufd;
	uint32_t ioas_id;
	bool bound; /* the device file belongs to iommufd */
	uint64_t cfg_off; /* config space in the device file */
	uint32_t cfg_size;
	uint64_t bar_off[6]; /* BARs in the device file */
	struct hf_bar bar[6];
	unsigned int vectors; /* MSI-X vectors of the device */
	bool intx; /* its line is used in place of MSI-X: one vector, masked when it fires */
	/* Armed vectors: eventfds, and what they counted since armed. */
	unsigned int armed;
	int event[HF_MAX_VECTORS];
	uint64_t irq[HF_MAX_VECTORS];
};

/* Where the RX ring lies; addresses as the device sees them are IOVAs. */
struct hf_ring {
	volatile void *desc; /* descriptors, in this process */
	uint64_t desc_iova; /* 128-byte aligned */
	uint64_t buf_iova; /* buffer i = buf_iova + i * buf_size */
	uint32_t buf_size; /* bytes */
	uint32_t descs;
	size_t len; /* bytes from desc on that the device may reach */
};

/*
 * A driver of one kind of device: static, stateless, works on a device that
 * hf_vfio_setup() completed. More kinds are added to hf_drivers[].
 *
 * What every driver of a NIC must arrange, because the lab judges by it:
 *  - frames land in descriptor order, one frame per buffer, from descriptor 0,
 *    and the device goes on without any refill until the ring is used up;
 *  - vector 0 is raised by received frames, vector 1 (if there) by anything
 *    else, and neither needs the driver to acknowledge anything in order to be
 *    raised again: nobody is there to do it while the kernel is replaced.
 */
struct hf_driver_ops {
	const char *name;
	uint32_t max_descs; /* ring size limit; descs is a multiple of 8 */
	uint32_t max_vectors;
	bool (*match)(uint16_t vendor, uint16_t device);
	/* Reset the device to a quiet state. Return: 0 or -errno. */
	int (*reset)(struct hf_vfio *v, struct hf_err *e);
	/*
	 * Program ring and interrupts, wait for the link, start receiving. A
	 * driver of something else makes of the memory what it needs.
	 * @itr_us: least time between two interrupts of vector 0, 0 = none.
	 * Return: 0 or -errno (-ETIMEDOUT: no link).
	 */
	int (*start)(struct hf_vfio *v, const struct hf_ring *r, uint32_t itr_us, struct hf_err *e);
	/* Point descriptor @i at @iova; only for one the device has not fetched. */
	void (*fill)(const struct hf_ring *r, uint32_t i, uint64_t iova);
	/* Next descriptor the device will fill, and the one it stops at. */
	uint32_t (*head)(struct hf_vfio *v);
	uint32_t (*tail)(struct hf_vfio *v);
	/* Make the device raise the vectors in @mask on its own. */
	void (*raise)(struct hf_vfio *v, uint32_t mask);
};

extern const struct hf_driver_ops hf_igb_ops, hf_nvme_ops, hf_bare_ops;

/* The driver for a device, or NULL. */
const struct hf_driver_ops *hf_driver_find(uint16_t vendor, uint16_t device);
/* The driver named @name (from a preserved slot page), or NULL. */
const struct hf_driver_ops *hf_driver_by_name(const char *name);

/* sysfs */

/*
 * Give the function to vfio-pci. @native gets the name of the driver it had
 * ("" for none), at least 32 bytes. Return: 0 or -errno.
 */
int hf_vfio_bind_driver(const char *bdf, char *native, struct hf_err *e);
/* Take it back and let the kernel's own choice of driver bind. */
int hf_vfio_unbind_driver(const char *bdf, struct hf_err *e);

/*
 * Config space as the hardware has it, through sysfs. @size is 1, 2 or 4.
 * Return: 0 or -errno.
 */
int hf_pci_read(const char *bdf, unsigned int off, unsigned int size, uint32_t *val,
		struct hf_err *e);
int hf_pci_write(const char *bdf, unsigned int off, unsigned int size, uint32_t val,
		 struct hf_err *e);

/* All of it, 256 or 4096 bytes. Return: bytes read, or -errno. */
long hf_pci_read_all(const char *bdf, uint8_t *cfg, size_t size, struct hf_err *e);

/* Device */

/* Empty @v: nothing open. Must precede everything else. */
void hf_vfio_init(struct hf_vfio *v, const char *bdf);
/* Open the cdev of v->bdf. Return: 0 or -errno. */
int hf_vfio_open(struct hf_vfio *v, struct hf_err *e);
/* Own @cdev, a device file from LUO. */
void hf_vfio_adopt(struct hf_vfio *v, int cdev);
/* A fresh iommufd with one IOAS. */
int hf_vfio_iommu_new(struct hf_vfio *v, struct hf_err *e);
/* Map bytes 0..@len of the memfd @fd at @iova for reading and writing. */
int hf_vfio_map_file(struct hf_vfio *v, int fd, uint64_t len, uint64_t iova, struct hf_err *e);
/* Map process memory instead; such a mapping cannot be preserved. */
int hf_vfio_map_mem(struct hf_vfio *v, void *mem, uint64_t len, uint64_t iova, struct hf_err *e);
/* BIND_IOMMUFD. */
int hf_vfio_bind(struct hf_vfio *v, struct hf_err *e);
/* ATTACH_IOMMUFD_PT to the IOAS. */
int hf_vfio_attach(struct hf_vfio *v, struct hf_err *e);
/* Find regions and vectors, map the BARs. Touches no register. */
int hf_vfio_setup(struct hf_vfio *v, struct hf_err *e);
/* Interrupts off, everything closed; safe at any stage. */
void hf_vfio_close(struct hf_vfio *v);

/* Config space as the owner of the device sees it. @size is 1, 2 or 4. */
int hf_vfio_cfg_read(struct hf_vfio *v, unsigned int off, unsigned int size, uint32_t *val,
		     struct hf_err *e);
int hf_vfio_cfg_write(struct hf_vfio *v, unsigned int off, unsigned int size, uint32_t val,
		      struct hf_err *e);
/* Memory decoding and Bus Master on. */
int hf_vfio_enable(struct hf_vfio *v, struct hf_err *e);
/*
 * Write values only a virtual config space remembers (BAR0 as a guest would
 * place it, Interrupt Line), so that a vconfig that was made anew differs.
 */
int hf_vfio_mark_vconfig(struct hf_vfio *v, unsigned int slot, struct hf_err *e);
/*
 * SHA-256 over the virtual config space, without the bits that events set and
 * those that say whether interrupts are armed: equal means nothing was lost.
 */
int hf_vfio_vconfig_sha(struct hf_vfio *v, char out[HF_SHA256_HEX], struct hf_err *e);
/* The first 64 bits of the MSI-X Pending Bit Array; of INTx: bit 0, is it asserted? */
int hf_vfio_pba(struct hf_vfio *v, uint64_t *pba, struct hf_err *e);

/* Interrupts */

/* New eventfds on vectors 0..@n-1; counts start at 0. Replaces earlier ones. */
int hf_vfio_arm(struct hf_vfio *v, unsigned int n, struct hf_err *e);
/* INTx is masked by firing: let it fire again. */
int hf_vfio_unmask(struct hf_vfio *v, struct hf_err *e);
/* The catch-up: as if each armed vector had fired once. */
int hf_vfio_kick(struct hf_vfio *v, struct hf_err *e);
/* Add what arrived to v->irq; wait up to @timeout_ms for the first of it. */
void hf_vfio_poll(struct hf_vfio *v, int timeout_ms);

#define HF_WHY_TEXT 248
/*
 * Ask the kernel whether this device could be preserved now.
 * Return: 0 with *can set and the reason, or "", in @reason; -errno if the
 * kernel has no answer (-ENOTTY: does not know the question).
 */
int hf_vfio_why(struct hf_vfio *v, bool *can, char reason[HF_WHY_TEXT], struct hf_err *e);

#endif
