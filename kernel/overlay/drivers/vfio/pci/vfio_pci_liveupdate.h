/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vfio-pci live update.
 *
 * Copyright (c) 2026 The holdfast authors
 */
#ifndef VFIO_PCI_LIVEUPDATE_H
#define VFIO_PCI_LIVEUPDATE_H

#include <linux/pci.h>
#include <linux/pci_liveupdate.h>
#include <linux/vfio_liveupdate.h>
#include <linux/vfio_pci_core.h>

struct iommufd_ioas;
struct iommufd_lu_rules;
struct vfio_pci_lu_ser;

/* How a refusal is told to the kernel log and to userspace. */
struct vfio_pci_lu_why {
	u32 reason;	/* VFIO_LIVEUPDATE_* */
	char text[sizeof_field(struct vfio_device_feature_liveupdate, text)];
};

/**
 * struct vfio_pci_lu - live update state of a device, vfio_pci_core_device.lu
 * @out: old kernel, preserve to unpreserve: the record, in preserved memory
 * @ioas: old kernel, preserve to unpreserve: the address space whose mappings
 *	  are locked
 * @frozen: old kernel, freeze to unfreeze: igate and memory_lock are held
 * @in: new kernel, retrieve to finish: a checked copy of the record; opening
 *	the device reads it, so it is dropped under dev_set->lock
 * @refused: why preserve was refused the last time, under vfio_pci_lu_lock
 *
 * Allocated when it is first needed, freed with the device.
 */
struct vfio_pci_lu {
	struct vfio_pci_lu_ser *out;
	struct iommufd_ioas *ioas;
	bool frozen;
	struct vfio_pci_lu_ser *in;
	struct vfio_pci_lu_why refused;
};

#ifdef CONFIG_VFIO_PCI_LIVEUPDATE

/* vfio_pci_liveupdate_state.c */
struct vfio_pci_lu *vfio_pci_lu_get(struct vfio_pci_core_device *vdev);
void vfio_pci_lu_set_refused(struct vfio_pci_core_device *vdev,
			     const struct vfio_pci_lu_why *why);
bool vfio_pci_lu_mmio_rule(phys_addr_t start, size_t len, void *data);
int vfio_pci_lu_check_device(struct vfio_pci_core_device *vdev,
			     struct vfio_pci_lu_why *why);
void vfio_pci_lu_capture(struct vfio_pci_core_device *vdev,
			 struct vfio_pci_lu_ser *ser);
struct vfio_pci_lu_ser *vfio_pci_lu_read(u64 phys, const char **why);

/* Hooks of vfio-pci-core. */
static inline bool vfio_pci_lu_preserved(struct vfio_pci_core_device *vdev)
{
	return READ_ONCE(vdev->vdev.lu_attach_locked);
}

bool vfio_pci_lu_adopted(struct vfio_pci_core_device *vdev);
void vfio_pci_lu_clear_master(struct vfio_pci_core_device *vdev);
int vfio_pci_lu_try_reset(struct vfio_pci_core_device *vdev);
void vfio_pci_lu_fix_saved_state(struct vfio_pci_core_device *vdev);
int vfio_pci_lu_config_init(struct vfio_pci_core_device *vdev);
int vfio_pci_lu_feature(struct vfio_pci_core_device *vdev, u32 flags,
			void __user *arg, size_t argsz);

/* vfio_pci_liveupdate_query.c */
int vfio_pci_lu_query(struct vfio_pci_core_device *vdev, u32 flags,
		      void __user *arg, size_t argsz);

#else

static inline bool vfio_pci_lu_preserved(struct vfio_pci_core_device *vdev)
{
	return false;
}

static inline bool vfio_pci_lu_adopted(struct vfio_pci_core_device *vdev)
{
	return false;
}

static inline void vfio_pci_lu_clear_master(struct vfio_pci_core_device *vdev)
{
	pci_clear_master(vdev->pdev);
}

static inline int vfio_pci_lu_try_reset(struct vfio_pci_core_device *vdev)
{
	return pci_try_reset_function(vdev->pdev);
}

static inline void
vfio_pci_lu_fix_saved_state(struct vfio_pci_core_device *vdev) { }

static inline int vfio_pci_lu_config_init(struct vfio_pci_core_device *vdev)
{
	return vfio_config_init(vdev);
}

static inline int vfio_pci_lu_feature(struct vfio_pci_core_device *vdev,
				      u32 flags, void __user *arg, size_t argsz)
{
	return -ENOTTY;
}

static inline int vfio_pci_lu_query(struct vfio_pci_core_device *vdev,
				    u32 flags, void __user *arg, size_t argsz)
{
	return -ENOTTY;
}

#endif /* CONFIG_VFIO_PCI_LIVEUPDATE */

#endif /* VFIO_PCI_LIVEUPDATE_H */
