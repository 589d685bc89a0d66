/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The only place where the pure live update core (layout, policy, record,
 * reason) learns whether it is built for the kernel or for a test program.
 *
 * The core does no I/O, allocation, locking or printing, so all it needs is
 * fixed-width types, the PCI register constants, memcpy() and a CRC.
 */
#ifndef _PCI_LU_PORT_H
#define _PCI_LU_PORT_H

#ifdef __KERNEL__

#include <linux/build_bug.h>
#include <linux/crc32.h>
#include <linux/kernel.h>
#include <linux/pci_regs.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/types.h>

#else /* !__KERNEL__ */

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <linux/pci_regs.h>

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#ifndef __packed
#define __packed		__attribute((packed))
#endif
#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#endif

/* CRC-32 (IEEE 802.3, reflected), as the kernel's function of this name. */
static inline u32 crc32_le(u32 crc, const void *buf, size_t len)
{
	const u8 *p = buf;
	int i;

	while (len--) {
		crc ^= *p++;
		for (i = 0; i < 8; i++)
			crc = (crc >> 1) ^ (crc & 1 ? 0xedb88320 : 0);
	}

	return crc;
}

#endif /* __KERNEL__ */

/* Newer than the oldest <linux/pci_regs.h> we build against in userspace. */
#ifndef PCI_EXT_CAP_ID_VF_REBAR
#define PCI_EXT_CAP_ID_VF_REBAR	0x24
#endif
#ifndef PCI_EXT_CAP_ID_IDE
#define PCI_EXT_CAP_ID_IDE	0x30
#endif
#ifndef PCI_TPH_CTRL
#define PCI_TPH_CTRL		8
#endif
#ifndef PCI_TPH_LOC_CAP
#define PCI_TPH_LOC_CAP		0x00000200
#endif
#ifndef PCI_DOE_CAP_SIZEOF
#define PCI_DOE_CAP_SIZEOF	0x18
#endif

/* Defined by the PCIe Base Specification, but not by <linux/pci_regs.h>. */
#define PCI_LU_EXP_DEVCTL2_TAG10_REQ	0x1000	/* 10-Bit Tag Requester Enable */
#define PCI_LU_EXP_DEVCTL2_EETLP_BLOCK	0x8000	/* End-End TLP Prefix Blocking */
#define PCI_LU_EXP_DPC_CTL_SW_TRIGGER	0x0040	/* DPC Software Trigger */
#define PCI_LU_IDE_CAP			0x04	/* IDE Capability */
#define PCI_LU_IDE_CAP_LINK		0x1
#define PCI_LU_IDE_CAP_SELECTIVE	0x2
#define PCI_LU_IDE_CTL			0x08	/* IDE Control */
#define PCI_LU_IDE_FIRST_BLOCK		0x0c
#define PCI_LU_DVSEC_VENDOR_CXL		0x1e98
#define PCI_LU_DVSEC_CXL_PORT		3
#define PCI_LU_DVSEC_CXL_PORT_CTL	0x0c
#define PCI_LU_DVSEC_CXL_UNMASK_SBR	0x0001

#endif /* _PCI_LU_PORT_H */
