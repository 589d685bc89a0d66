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
	bool msi; /* MSI is: one vector */
	/* Armed vectors: eventfds, and what they counted since armed. */
	unsigned int armed;
	int event[HF_MAX_VECTORS];
	uint64_t irq[HF_MAX_VECTORS];
};

/* sysfs */

/*
 * Give the function to vfio-pci. @native gets the name of the driver it had
 * ("" for none), at least 32 bytes. Return: 0 or -errno.
 */
int hf_vfio_bind_driver(const char *bdf, char *native, struct hf_err *e);
/* Take it back and let the kernel's own choice of driver bind. */
int hf_vfio_unbind_driver(const char *bdf, struct hf_err *e);

/*
 * What a function is, as the kernel has it: the config space of a VF does not
 * say. Return: 0 or -errno.
 */
struct hf_pci_id {
	uint32_t vendor, device;
	uint32_t class; /* 24 bits: base, sub, interface */
};
int hf_pci_id(const char *bdf, struct hf_pci_id *id, struct hf_err *e);

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
/* Map bytes 0..@len of BAR @bar of @peer, which is bound, at @iova. */
int hf_vfio_map_peer(struct hf_vfio *v, const struct hf_vfio *peer, unsigned int bar, uint64_t len,
		     uint64_t iova, struct hf_err *e);
/* BIND_IOMMUFD; with the VF token in @token, or "". */
int hf_vfio_bind(struct hf_vfio *v, const char *token, struct hf_err *e);
/* What whoever opens a VF of this function has to know. */
int hf_vfio_set_token(struct hf_vfio *v, const char *token, struct hf_err *e);
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
/* The first 64 bits of the MSI-X Pending Bit Array; of INTx: bit 0, is it asserted? Of MSI: 0. */
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
