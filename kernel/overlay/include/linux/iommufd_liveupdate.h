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

/**
 * struct iommufd_lu_rules - what a preserved device may reach
 * @file: why the memory of this file does not come across the kexec, NULL if
 *	it does
 * @mmio: may the device reach this MMIO range of a device?
 * @data: for the callbacks
 *
 * The callbacks run under the locks of the address space and must not call
 * iommufd.
 */
struct iommufd_lu_rules {
	const char *(*file)(struct file *file, void *data);
	bool (*mmio)(phys_addr_t start, size_t len, void *data);
	void *data;
};

int iommufd_lu_check(struct iommufd_device *idev,
		     const struct iommufd_lu_rules *rules,
		     char *why, size_t len);
struct iommufd_ioas *iommufd_lu_lock(struct iommufd_device *idev,
				     const struct iommufd_lu_rules *rules,
				     char *why, size_t len);
void iommufd_lu_unlock(struct iommufd_ioas *ioas);

#endif /* LINUX_IOMMUFD_LIVEUPDATE_H */
