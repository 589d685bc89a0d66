/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vfio devices, as one who holds the file sees them: what the old kernel says
 * about them, and how they are set up in the new one. See
 * <linux/vfio_liveupdate.h>, "What the owner has to set up again".
 */
#ifndef HOLDFAST_VFIO_H
#define HOLDFAST_VFIO_H

#include <stddef.h>
#include <stdint.h>

#include <holdfast/error.h>
#include <holdfast/manifest.h>

#ifdef __cplusplus
extern "C" {
#endif

/* PCI address of the device on @fd, or "" if it is not to be found out. */
void hf_vfio_bdf(int fd, char *bdf, size_t size);

/*
 * Why the device was not preserved, in the words of the kernel.
 * Return: 0, or -errno if the kernel does not say.
 */
int hf_vfio_why(int fd, char *text, size_t size);

/*
 * The three questions. Return: 0, or -errno with @e filled except for -ENOENT,
 * which is an answer: not there, or no more of them.
 */
/* Where is d->fd attached, if it is to d->iommufd? Fills IDs and flags; *small_pages. */
int hf_vfio_query_iommu(struct hf_device *d, bool *small_pages, struct hf_error *e);
/*
 * The first mapping at or above p->iova, of file p->fd, -1: of any. Fills the rest
 * of @p; fd stays.
 */
int hf_vfio_query_map(const struct hf_device *d, struct hf_map *p, struct hf_error *e);
/* The first interrupt from q->index, q->vector on that uses eventfd q->fd. */
int hf_vfio_query_irq(const struct hf_device *d, struct hf_irq *q, struct hf_error *e);

struct vfio_region_info;

/* Region @index of the device, a VFIO_PCI_*_REGION_INDEX. Return: 0 or -errno. */
int hf_vfio_region(const struct hf_device *d, unsigned int index, struct vfio_region_info *info,
		   struct hf_error *e);

/* Setting up. Return: 0 or -errno. */
/* Bind to d->iommufd, which has to give it the ID d->dev_id. */
int hf_vfio_bind(const struct hf_device *d, struct hf_error *e);
/* Attach to its page table, or address space with auto_domain; needs a bound device. */
int hf_vfio_attach(const struct hf_device *d, struct hf_error *e);
/*
 * A dma-buf of @length bytes of MMIO at @offset of the device file.
 * Return: fd, close-on-exec, or -errno.
 */
int hf_vfio_dmabuf(const struct hf_device *d, uint64_t offset, uint64_t length, struct hf_error *e);
/* All eventfds of d->irqs. May be repeated. */
int hf_vfio_set_irqs(const struct hf_device *d, struct hf_error *e);
/*
 * Signal each trigger of INTx, MSI and MSI-X once: an interrupt that came when nobody
 * had the device may have been lost.
 */
int hf_vfio_catch_up(const struct hf_device *d, struct hf_error *e);

#ifdef __cplusplus
}
#endif

#endif
