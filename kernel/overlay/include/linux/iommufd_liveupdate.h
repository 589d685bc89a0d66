/* SPDX-License-Identifier: GPL-2.0 */
/*
 * iommufd live update: the mappings of a preserved device are checked, and do
 * not change until it is unpreserved.
 *
 * Copyright (c) 2026 The holdfast authors
 */
#ifndef LINUX_IOMMUFD_LIVEUPDATE_H
#define LINUX_IOMMUFD_LIVEUPDATE_H

#include <linux/types.h>

struct file;
struct iommufd_device;
struct iommufd_ioas;
struct iopt_area;

/**
 * struct iommufd_lu_mmio - MMIO that is mapped
 * @area: the mapping
 * @iova: where it is
 * @start: physical address of all that the dma-buf is of
 * @len: bytes of that, not 0
 */
struct iommufd_lu_mmio {
	struct iopt_area *area;
	unsigned long iova;
	phys_addr_t start;
	size_t len;
};

/**
 * struct iommufd_lu_rules - what a preserved device may reach
 * @file: why the memory of this file does not come across the kexec, NULL if
 *	it does
 * @mmio: what is wrong with MMIO that the device reaches, NULL if nothing is
 * @data: for the callbacks
 *
 * The callbacks run under the locks of the address space and must not call
 * iommufd.
 */
struct iommufd_lu_rules {
	const char *(*file)(struct file *file, void *data);
	const char *(*mmio)(const struct iommufd_lu_mmio *mmio, void *data);
	void *data;
};

/**
 * struct iommufd_lu_objects - the iommufd objects between a device and memory
 * @dev_id: ID of the device
 * @ioas_id: ID of the address space
 * @hwpt_id: ID of the page table
 * @hwpt_flags: IOMMU_HWPT_ALLOC_* it was made with
 * @auto_domain: the page table was made by attaching to the address space
 * @small_pages: the address space does not use huge pages
 */
struct iommufd_lu_objects {
	u32 dev_id;
	u32 ioas_id;
	u32 hwpt_id;
	u32 hwpt_flags;
	bool auto_domain;
	bool small_pages;
};

/**
 * struct iommufd_lu_mapping - a mapping of an address space
 * @iova: where it is
 * @length: bytes
 * @start: where in the file it starts; of MMIO: its physical address
 * @prot: IOMMU_READ, IOMMU_WRITE
 * @mmio: it is of MMIO, not of a file
 */
struct iommufd_lu_mapping {
	unsigned long iova;
	unsigned long length;
	u64 start;
	int prot;
	bool mmio;
};

int iommufd_lu_get_objects(struct iommufd_device *idev,
			   struct iommufd_lu_objects *objs);
int iommufd_lu_next_mapping(struct iommufd_device *idev, struct file *file,
			    struct iommufd_lu_mapping *map);
int iommufd_lu_check(struct iommufd_device *idev,
		     const struct iommufd_lu_rules *rules,
		     char *why, size_t len);
struct iommufd_ioas *iommufd_lu_lock(struct iommufd_device *idev,
				     const struct iommufd_lu_rules *rules,
				     char *why, size_t len);
bool iommufd_lu_is_mapped(struct iopt_area *area);
void iommufd_lu_unlock(struct iommufd_ioas *ioas);

#endif /* LINUX_IOMMUFD_LIVEUPDATE_H */
