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
 * The one thing it cannot know is the session: that every memfd which is mapped
 * for the device is preserved in the same session as the device, and before it,
 * is checked by PRESERVE_FD alone. Here it is enough that the mappings are
 * memfds.
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
 * @reason: %VFIO_LIVEUPDATE_OK, or what stands in the way
 * @text: the same in words, NUL-terminated; empty if nothing does. The words
 *	are those of the kernel log. They may change, @reason does not.
 */
struct vfio_device_feature_liveupdate {
	__u32 flags;
	__u32 reason;
	char text[248];
};

#endif /* _UAPI_LINUX_VFIO_LIVEUPDATE_H */
