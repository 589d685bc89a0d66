/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * VFIO live update: can this device be preserved across a kexec, and if not,
 * why?
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
 * After RETRIEVE_FD the device goes on with the mappings of the old kernel, until
 * VFIO_DEVICE_ATTACH_IOMMUFD_PT puts those of the new owner in their place in
 * one step. So map first, then attach: what is not mapped by then is gone.
 * While a device is preserved its power state stays D0: a request for another
 * one is refused, a write to its PM capability is ignored.
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

#endif /* _UAPI_LINUX_VFIO_LIVEUPDATE_H */
