/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LINUX_KHO_ABI_VFIO_PCI_LIVEUPDATE_H
#define _LINUX_KHO_ABI_VFIO_PCI_LIVEUPDATE_H

#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/types.h>

/**
 * DOC: vfio-pci live update ABI
 *
 * One record per preserved vfio-pci device file. Its physical address is the
 * data of the file in the Live Update Orchestrator; the block is page aligned
 * and not larger than %VFIO_PCI_LU_MAX_SIZE.
 *
 * **What is in it.** What the owner of the device sees and the hardware does
 * not hold: the virtualised part of configuration space and the few flags that
 * decide how vfio-pci emulates INTx and reset. What hardware holds is not in
 * it: the new kernel reads it from the device. The state of the function as
 * such is in the PCI record, see <linux/kho/abi/pci_liveupdate.h>. Interrupt
 * eventfds, BAR mappings and ioeventfds belong to the owner, who sets them up
 * again. Who has a retrieved file need not know a VF token: the file is proof enough. The
 * token of a PF is in its record, for those who open its VFs later.
 *
 * **Byte order and packing.** That of the machine; configuration space is
 * little-endian, as in hardware. Every field has a fixed offset.
 *
 * **Integrity.** crc is the CRC-32 of IEEE 802.3 over size bytes, taken with
 * the crc field zero.
 *
 * **Growing.** A field takes from the reserved bytes first, or is added at the
 * end; then size grows and version does not. A reader ignores bytes beyond the
 * size it knows and takes missing ones as zero, so zero must mean "not said".
 * A reader that must know a new field is told by a bit in required: it refuses
 * a record with a required bit that it does not know. A changed meaning or
 * offset takes a new version and a new compatible string.
 *
 * **Refusal.** A record that does not pass is refused with a reason; the
 * device is fenced, that is, Bus Master goes off, and the host lives.
 */

#define VFIO_PCI_LU_COMPATIBLE		"holdfast-vfio-pci-v1"
#define VFIO_PCI_LU_VERSION		1
#define VFIO_PCI_LU_MAX_SIZE		(64U << 10)
#define VFIO_PCI_LU_CFG_SIZE		4096

/* struct vfio_pci_lu_ser.required: what this version of the reader knows */
#define VFIO_PCI_LU_REQUIRED_KNOWN	0x00000000

/* struct vfio_pci_lu_ser.flags */
#define VFIO_PCI_LU_RESET_WORKS		0x00000001	/* the function can be reset */
#define VFIO_PCI_LU_NOINTX		0x00000002	/* INTx is hidden from the owner */
#define VFIO_PCI_LU_PCI_2_3		0x00000004	/* INTx is masked in Command */
#define VFIO_PCI_LU_VIRQ_DISABLED	0x00000008	/* the owner has INTx masked */
#define VFIO_PCI_LU_DROPPED		0x00000010	/* does not cross, all else is zero */
#define VFIO_PCI_LU_SAVED		0x00000020	/* the saved_* fields are there */
#define VFIO_PCI_LU_VF_TOKEN		0x00000040	/* vf_token is there */

/* struct vfio_pci_lu_ser.irq_type */
#define VFIO_PCI_LU_IRQ_INTX		0
#define VFIO_PCI_LU_IRQ_MSI		1
#define VFIO_PCI_LU_IRQ_MSIX		2
#define VFIO_PCI_LU_IRQ_NONE		0xff

/**
 * struct vfio_pci_lu_ser - state of a preserved vfio-pci device
 * @version: %VFIO_PCI_LU_VERSION of the writer
 * @reserved0: zero
 * @size: size of the record
 * @crc: CRC-32 over size bytes with this field zero
 * @required: features the reader must know to use the record
 * @segment: PCI segment (domain)
 * @bus: bus number
 * @devfn: device and function number
 * @vendor: Vendor ID of the hardware
 * @device: Device ID of the hardware
 * @flags: VFIO_PCI_LU_*
 * @cfg_size: bytes of configuration space, 256 or 4096
 * @command: Command register of the hardware before interrupts were masked
 * @irq_type: VFIO_PCI_LU_IRQ_* in use
 * @pm_state: power state, 0 for D0; nothing else is preserved
 * @nvec: vectors that had an eventfd
 * @saved_devctl: Device Control to restore when the owner closes the device, with
 *	%VFIO_PCI_LU_SAVED, as are the following
 * @saved_devctl2: Device Control 2
 * @saved_aer: Uncorrectable Error Mask and Severity, Correctable Error Mask, AER
 *	Capabilities and Control
 * @reserved: zero
 * @vconfig: what the owner reads where configuration space is virtualised
 * @map: which capability each byte of configuration space belongs to: a PCI
 *	capability ID, from byte 0x100 an extended one; 0xff for bytes that
 *	belong to none, 0xfe for such that are virtualised
 * @vf_token: VF token of a PF, with %VFIO_PCI_LU_VF_TOKEN
 */
struct vfio_pci_lu_ser {
	u16 version;
	u16 reserved0;
	u32 size;
	u32 crc;
	u32 required;
	u16 segment;
	u8 bus;
	u8 devfn;
	u16 vendor;
	u16 device;
	u32 flags;
	u16 cfg_size;
	u16 command;
	u8 irq_type;
	u8 pm_state;
	u16 nvec;
	u16 saved_devctl;
	u16 saved_devctl2;
	u32 saved_aer[4];
	u8 reserved[8];
	u8 vconfig[VFIO_PCI_LU_CFG_SIZE];
	u8 map[VFIO_PCI_LU_CFG_SIZE];
	u8 vf_token[16];
} __packed;

static_assert(offsetof(struct vfio_pci_lu_ser, size) == 4);
static_assert(offsetof(struct vfio_pci_lu_ser, crc) == 8);
static_assert(offsetof(struct vfio_pci_lu_ser, segment) == 16);
static_assert(offsetof(struct vfio_pci_lu_ser, saved_devctl) == 36);
static_assert(offsetof(struct vfio_pci_lu_ser, vconfig) == 64);
static_assert(offsetof(struct vfio_pci_lu_ser, map) == 4160);
static_assert(offsetof(struct vfio_pci_lu_ser, vf_token) == 8256);
static_assert(sizeof(struct vfio_pci_lu_ser) == 8272);

/* The first writers knew records up to and including map. */
#define VFIO_PCI_LU_MIN_SIZE		8256

#endif /* _LINUX_KHO_ABI_VFIO_PCI_LIVEUPDATE_H */
