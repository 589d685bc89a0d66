// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfio-pci live update: what crosses the kexec of a device.
 *
 * Copyright (c) 2026 The holdfast authors
 */

#include <linux/crc32.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/kho/abi/vfio_pci_liveupdate.h>

#include "vfio_pci_priv.h"

static u32 vfio_pci_lu_crc(const struct vfio_pci_lu_ser *ser, u32 size)
{
	const u32 zero = 0;
	u32 crc;

	crc = crc32_le(~0, ser, offsetof(struct vfio_pci_lu_ser, crc));
	crc = crc32_le(crc, &zero, sizeof(zero));
	crc = crc32_le(crc, &ser->required,
		       size - offsetof(struct vfio_pci_lu_ser, required));
	return ~crc;
}

static u8 vfio_pci_lu_irq_type(struct vfio_pci_core_device *vdev)
{
	switch (vdev->irq_type) {
	case VFIO_PCI_INTX_IRQ_INDEX:
		return VFIO_PCI_LU_IRQ_INTX;
	case VFIO_PCI_MSI_IRQ_INDEX:
		return VFIO_PCI_LU_IRQ_MSI;
	case VFIO_PCI_MSIX_IRQ_INDEX:
		return VFIO_PCI_LU_IRQ_MSIX;
	default:
		return VFIO_PCI_LU_IRQ_NONE;
	}
}

static void vfio_pci_lu_begin(struct pci_dev *pdev, struct vfio_pci_lu_ser *ser)
{
	memset(ser, 0, sizeof(*ser));
	ser->version = VFIO_PCI_LU_VERSION;
	ser->size = sizeof(*ser);
	ser->segment = pci_domain_nr(pdev->bus);
	ser->bus = pdev->bus->number;
	ser->devfn = pdev->devfn;
	ser->vendor = pdev->vendor;
	ser->device = pdev->device;
}

/**
 * vfio_pci_lu_capture - write the record of a device
 * @vdev: a preserved device, before its interrupts are masked
 * @ser: where to write it
 *
 * Context: the device is frozen: nothing of this changes.
 */
void vfio_pci_lu_capture(struct vfio_pci_core_device *vdev,
			 struct vfio_pci_lu_ser *ser)
{
	struct pci_dev *pdev = vdev->pdev;
	struct pci_lu_saved saved;
	unsigned long index;
	u16 command;
	void *ctx;

	vfio_pci_lu_begin(pdev, ser);
	ser->flags = (vdev->reset_works ? VFIO_PCI_LU_RESET_WORKS : 0) |
		     (vdev->nointx ? VFIO_PCI_LU_NOINTX : 0) |
		     (vdev->pci_2_3 ? VFIO_PCI_LU_PCI_2_3 : 0) |
		     (vdev->virq_disabled ? VFIO_PCI_LU_VIRQ_DISABLED : 0);
	pci_read_config_word(pdev, PCI_COMMAND, &command);
	ser->command = command;
	ser->irq_type = vfio_pci_lu_irq_type(vdev);
	xa_for_each(&vdev->ctx, index, ctx)
		ser->nvec++;

	if (pci_lu_saved_get(pdev, vdev->pci_saved_state, &saved)) {
		ser->flags |= VFIO_PCI_LU_SAVED;
		ser->saved_devctl = saved.devctl;
		ser->saved_devctl2 = saved.devctl2;
		memcpy(ser->saved_aer, saved.aer, sizeof(ser->saved_aer));
	}

	if (vdev->vf_token) {
		guard(mutex)(&vdev->vf_token->lock);
		ser->flags |= VFIO_PCI_LU_VF_TOKEN;
		export_uuid(ser->vf_token, &vdev->vf_token->uuid);
	}

	ser->cfg_size = min(pdev->cfg_size, VFIO_PCI_LU_CFG_SIZE);
	memcpy(ser->vconfig, vdev->vconfig, ser->cfg_size);
	memcpy(ser->map, vdev->pci_config_map, ser->cfg_size);
	ser->crc = vfio_pci_lu_crc(ser, sizeof(*ser));
}

/**
 * vfio_pci_lu_capture_dropped - write the record of a device that does not cross
 * @vdev: a preserved device
 * @ser: where to write it
 */
void vfio_pci_lu_capture_dropped(struct vfio_pci_core_device *vdev,
				 struct vfio_pci_lu_ser *ser)
{
	vfio_pci_lu_begin(vdev->pdev, ser);
	ser->flags = VFIO_PCI_LU_DROPPED;
	ser->cfg_size = PCI_CFG_SPACE_SIZE;
	ser->crc = vfio_pci_lu_crc(ser, sizeof(*ser));
}

/* Is it a record, all of it, and one that we understand? NULL if it is. */
static const char *vfio_pci_lu_refuse_ser(const struct vfio_pci_lu_ser *ser,
					  size_t room)
{
	if (ser->version != VFIO_PCI_LU_VERSION)
		return "the record has another version";
	if (ser->size < VFIO_PCI_LU_MIN_SIZE || ser->size > room)
		return "the record has an impossible size";
	if (ser->crc != vfio_pci_lu_crc(ser, ser->size))
		return "the record is damaged";
	if (ser->required & ~VFIO_PCI_LU_REQUIRED_KNOWN)
		return "the record needs a newer kernel";
	if (ser->cfg_size != PCI_CFG_SPACE_SIZE &&
	    ser->cfg_size != PCI_CFG_SPACE_EXP_SIZE)
		return "the record has an impossible configuration space";
	if (ser->pm_state)
		return "the record is of a device that was not in D0";

	return NULL;
}

/* What an older kernel did not write is zero, what a newer one added is left out. */
static void vfio_pci_lu_copy(struct vfio_pci_lu_ser *ser,
			     const struct vfio_pci_lu_ser *from)
{
	memcpy(ser, from, min(from->size, sizeof(*ser)));
}

/**
 * vfio_pci_lu_read - take the record of a device over from the old kernel
 * @phys: where the old kernel left it
 * @why: where to put the reason if it is not accepted
 *
 * The memory of the old kernel is freed in any case; this works once.
 *
 * Context: Process context.
 * Return: a copy, to be freed by kvfree(), or NULL.
 */
struct vfio_pci_lu_ser *vfio_pci_lu_read(u64 phys, const char **why)
{
	struct vfio_pci_lu_ser *ser = NULL;
	struct folio *folio;

	*why = "the record is not where it should be";
	if (!phys || !PAGE_ALIGNED(phys))
		return NULL;
	folio = kho_restore_folio(phys);
	if (!folio)
		return NULL;

	*why = "the record has an impossible size";
	if (folio_size(folio) < VFIO_PCI_LU_MIN_SIZE ||
	    folio_size(folio) > VFIO_PCI_LU_MAX_SIZE)
		goto put_folio;

	*why = vfio_pci_lu_refuse_ser(folio_address(folio), folio_size(folio));
	if (*why)
		goto put_folio;

	ser = kvzalloc_obj(*ser);
	if (ser)
		vfio_pci_lu_copy(ser, folio_address(folio));
	else
		*why = "out of memory";
put_folio:
	folio_put(folio);
	return ser;
}
