/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * VFIO live update: can this device be preserved across a kexec, and if not,
 * why? And what does its owner have to set up again in the new kernel?
 *
 * Copyright (c) 2026 The holdfast authors
 */
#ifndef _UAPI_LINUX_VFIO_LIVEUPDATE_H
#define _UAPI_LINUX_VFIO_LIVEUPDATE_H

#include <linux/types.h>

/*
 * VFIO_DEVICE_FEATURE_GET of this feature on a bound vfio-pci device file
 * answers whether LIVEUPDATE_SESSION_PRESERVE_FD of that file would succeed
 * now, on this host, with this kernel, and says why if it would not. It
 * changes nothing. PROBE tells whether the kernel has the feature at all;
 * SET is refused.
 *
 * Two things only PRESERVE_FD looks at: whether every memfd that is mapped for
 * the device was preserved in the same session as the device, and before it;
 * and whether the pages that are mapped are still those of the memfd. When
 * PRESERVE_FD has refused, for this or another reason, and nothing is in the way
 * now, the reason of that refusal is told, with VFIO_LIVEUPDATE_REFUSED, until it
 * succeeds.
 *
 * BARs may be mapped as well: those of the device itself, and of other devices that
 * are preserved in the same session, before or after. PRESERVE_FD refuses what can
 * never be. As long as such a device is not preserved, this feature answers
 * %VFIO_LIVEUPDATE_MAPPING together with %VFIO_LIVEUPDATE_PRESERVED; if that is
 * still so at the kexec, the device stays behind, see below.
 *
 * After RETRIEVE_FD the device goes on with the mappings of the old kernel, until
 * VFIO_DEVICE_ATTACH_IOMMUFD_PT puts those of the new owner in their place in
 * one step. So map first, then attach: what is not mapped by then is gone.
 * While a device is preserved its power state stays D0: a request for another
 * one is refused, a write to its PM capability is ignored.
 *
 * A device that cannot be frozen at the kexec, because it does not answer, an
 * operation on it does not end, or it reaches a BAR that stays behind, does not
 * keep the others from being updated: it stays behind, and RETRIEVE_FD fails with
 * ENODEV.
 *
 * Feature indices are handed out by <linux/vfio.h> from 0 upwards. This one is
 * not from there, so it is far away from what is: 0x4846 is "HF".
 */
#define VFIO_DEVICE_FEATURE_LIVEUPDATE	0x4846

/* struct vfio_device_feature_liveupdate.flags */
#define VFIO_LIVEUPDATE_CAN_PRESERVE	0x00000001 /* PRESERVE_FD would succeed */
#define VFIO_LIVEUPDATE_PRESERVED	0x00000002 /* it did */
#define VFIO_LIVEUPDATE_FROZEN		0x00000004 /* the kexec is under way */
#define VFIO_LIVEUPDATE_INCOMING	0x00000008 /* taken over, FINISH is due */
#define VFIO_LIVEUPDATE_REFUSED		0x00000010 /* reason is of the last PRESERVE_FD */

/* struct vfio_device_feature_liveupdate.reason: whose business it is */
#define VFIO_LIVEUPDATE_OK		0	/* nobody's: it can be preserved */
#define VFIO_LIVEUPDATE_OWNER		1	/* how the device is opened and bound */
#define VFIO_LIVEUPDATE_STATE		2	/* what the device is doing now */
#define VFIO_LIVEUPDATE_PCI		3	/* the function, or its path to the CPU */
#define VFIO_LIVEUPDATE_IOMMU		4	/* the IOMMU, or how it is used */
#define VFIO_LIVEUPDATE_MAPPING		5	/* the memory the device can reach */
#define VFIO_LIVEUPDATE_KERNEL		6	/* this kernel, or out of memory */

/**
 * struct vfio_device_feature_liveupdate - answer of the kernel
 * @flags: VFIO_LIVEUPDATE_CAN_PRESERVE and the state of the update
 * @reason: %VFIO_LIVEUPDATE_OK, or what stands in the way, or stood in the way
 *	of the last PRESERVE_FD
 * @text: the same in words, NUL-terminated; empty if @reason is
 *	%VFIO_LIVEUPDATE_OK. The words are those of the kernel log. They may
 *	change, @reason does not.
 */
struct vfio_device_feature_liveupdate {
	__u32 flags;
	__u32 reason;
	char text[248];
};

/*
 * What the owner has to set up again
 *
 * A device file comes back from RETRIEVE_FD unbound. An iommufd does not come
 * back at all, nor do the eventfds of the interrupts. Who opened all of them can
 * repeat what it did; who merely holds the files, like a helper that a VMM has
 * executed, or who must have the same object IDs, asks the old kernel. Three
 * features answer, each to VFIO_DEVICE_FEATURE_GET on a bound vfio-pci device
 * file; SET is refused. They change nothing. The answers are good until the
 * owner changes something; about the address space they are good from PRESERVE_FD
 * until the session is closed, since nothing can change it then.
 *
 * In the old kernel, after PRESERVE_FD of the memfds and then of the devices:
 *
 *  1. VFIO_DEVICE_FEATURE_LIVEUPDATE_IOMMU of each device: the object IDs.
 *  2. VFIO_DEVICE_FEATURE_LIVEUPDATE_MAPPING: for each memfd from IOVA 0 until
 *     ENOENT, all that is mapped of it; for each other device, which of its BARs
 *     are mapped for this one. The same with @fd = -1 shows whether that
 *     was all.
 *  3. VFIO_DEVICE_FEATURE_LIVEUPDATE_IRQ: for each eventfd from index 0 until
 *     ENOENT, which interrupts signal it, or are unmasked by it. With @fd = -1 all
 *     that signal one, to see whether one is missing.
 *
 * In the new kernel, after RETRIEVE_FD of all of them, on a new iommufd:
 *
 *  1. IDs are given out from 1 upwards, always the lowest that is free: take
 *     as many as are needed with IOMMU_IOAS_ALLOC, and give each back with
 *     IOMMU_DESTROY right before the object that must have it is made.
 *  2. VFIO_DEVICE_BIND_IOMMUFD, IOMMU_IOAS_ALLOC, and IOMMU_IOAS_MAP_FILE with
 *     IOMMU_IOAS_MAP_FIXED_IOVA of every mapping.
 *  3. IOMMU_HWPT_ALLOC and VFIO_DEVICE_ATTACH_IOMMUFD_PT to it, or to the address
 *     space itself if VFIO_LIVEUPDATE_AUTO_DOMAIN says so.
 *  4. VFIO_DEVICE_SET_IRQS with the eventfds; then signal each of them once:
 *     what they had counted is lost, and so is what an MSI vector that cannot be
 *     masked has raised in between.
 */

/*
 * Where the device is attached. ENOENT: nowhere, or it is bound to another iommufd.
 */
#define VFIO_DEVICE_FEATURE_LIVEUPDATE_IOMMU	0x4847

/* struct vfio_device_feature_liveupdate_iommu.flags */
#define VFIO_LIVEUPDATE_AUTO_DOMAIN	0x00000001 /* attached to the address space */
#define VFIO_LIVEUPDATE_SMALL_PAGES	0x00000002 /* IOMMU_OPTION_HUGE_PAGES is off */

/**
 * struct vfio_device_feature_liveupdate_iommu - iommufd objects of a device
 * @iommufd: in: the iommufd that the IDs are wanted of; -1: whichever it is
 * @flags: out: %VFIO_LIVEUPDATE_AUTO_DOMAIN, %VFIO_LIVEUPDATE_SMALL_PAGES
 * @dev_id: ID of the device itself, from VFIO_DEVICE_BIND_IOMMUFD
 * @ioas_id: ID of the address space
 * @hwpt_id: ID of the page table; with %VFIO_LIVEUPDATE_AUTO_DOMAIN the kernel
 *	made it by itself, and makes it again
 * @hwpt_flags: flags of IOMMU_HWPT_ALLOC, %IOMMU_HWPT_ALLOC_NEST_PARENT and so on
 */
struct vfio_device_feature_liveupdate_iommu {
	__s32 iommufd;
	__u32 flags;
	__u32 dev_id;
	__u32 ioas_id;
	__u32 hwpt_id;
	__u32 hwpt_flags;
};

/*
 * What the device can reach, one mapping at a call. ENOENT: no more of them;
 * EOPNOTSUPP: the next one is of a kind that cannot be preserved.
 */
#define VFIO_DEVICE_FEATURE_LIVEUPDATE_MAPPING	0x4848

/* struct vfio_device_feature_liveupdate_mapping.flags */
#define VFIO_LIVEUPDATE_MAP_READ	0x00000001 /* IOMMU_IOAS_MAP_READABLE */
#define VFIO_LIVEUPDATE_MAP_WRITE	0x00000002 /* IOMMU_IOAS_MAP_WRITEABLE */
#define VFIO_LIVEUPDATE_MAP_MMIO	0x00000004 /* of the device that is asked, or asked with */
#define VFIO_LIVEUPDATE_MAP_PEER	0x00000008 /* of another device: ask with its file */

/**
 * struct vfio_device_feature_liveupdate_mapping - a mapping of the address space
 * @fd: in: a file, whose mappings alone are wanted, of a vfio device those of its
 *	BARs; -1: those of any file, and MMIO
 * @flags: out: VFIO_LIVEUPDATE_MAP_*
 * @iova: in: the lowest IOVA of interest; out: where the mapping starts, which
 *	is not below it. The next question is for @iova + @length.
 * @length: out: bytes
 * @offset: out: where in the file the mapping starts; of MMIO where in the file of the
 *	device it is of, that is the offset of its region plus that in the region
 */
struct vfio_device_feature_liveupdate_mapping {
	__s32 fd;
	__u32 flags;
	__aligned_u64 iova;
	__aligned_u64 length;
	__aligned_u64 offset;
};

/*
 * Which interrupts of the device use an eventfd, one at a call. ENOENT: no more.
 */
#define VFIO_DEVICE_FEATURE_LIVEUPDATE_IRQ	0x4849

/**
 * struct vfio_device_feature_liveupdate_irq - an interrupt that has an eventfd
 * @fd: in: an eventfd; -1: any that an interrupt signals
 * @action: out: what it is used for, %VFIO_IRQ_SET_ACTION_TRIGGER or
 *	%VFIO_IRQ_SET_ACTION_UNMASK
 * @index: in: the lowest index of interest; out: that of the interrupt,
 *	VFIO_PCI_MSIX_IRQ_INDEX and so on
 * @start: in: the lowest vector of interest in @index; out: its vector. The
 *	next question is for @start + 1.
 */
struct vfio_device_feature_liveupdate_irq {
	__s32 fd;
	__u32 action;
	__u32 index;
	__u32 start;
};

#endif /* _UAPI_LINUX_VFIO_LIVEUPDATE_H */
