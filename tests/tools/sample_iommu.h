/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SAMPLE_IOMMU_H
#define SAMPLE_IOMMU_H

#include "../../kernel/overlay/drivers/iommu/liveupdate/record.h"

/* Two functions on one unit that share a page table, and one on another unit. */
void sample_iommu_legacy(void *buf, size_t len);

/* A function with ATS, in scalable mode, and an interrupt remapping table. */
void sample_iommu_scalable(void *buf, size_t len);

#endif
