// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfio-pci live update: how a device is opened again in the new kernel.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: State of a vfio-pci device across a live update
 *
 * Hardware keeps its own state and the guard of the PCI core keeps the new
 * kernel from changing it. What has to be carried is what exists in software
 * only: the virtualised part of configuration space.
 *
 * vconfig is an image of configuration space of which vfio uses the virtual
 * bits, and of Command the Memory and I/O enables. The rest of it is as old as
 * the opening of the device and never looked at: reads of it go to hardware.
 * Which bits are virtual follows from the capability each byte belongs to. So
 * the image is taken over together with the way in which the old kernel has
 * divided configuration space among capabilities. What the new kernel would show
 * in addition stays hidden: the guest must not see its device change. Where the
 * new kernel finds another capability, or none, the device is refused: that
 * would be one that the guest does not know.
 *
 * Opening an adopted device differs from opening any other in five places, each
 * a hook of vfio_pci_core_enable() or below:
 *
 * - Bus Master is not cleared, and there is no reset: whether a reset works is
 *   taken from the record.
 * - The saved state, which is restored when the owner closes the device, is
 *   taken with Bus Master and INTx Disable clear, as it would be after reset; what
 *   the owner may have written in other registers is replaced by the record.
 * - The record says how INTx is emulated, not another look at the device: the
 *   owner must not see it change.
 * - vconfig is replaced by the recorded one. The BARs that a backdoor reset is
 *   detected by are read from hardware as ever.
 * - Resets are refused with -EBUSY until the update is finished.
 *
 * The guard keeps INTx off until the owner has set it up, which is when there is
 * a handler: nothing was reset, so the level may be up. An error that the device or a
 * port above it has logged since freeze is told as soon as the owner has an eventfd
 * for errors.
 *
 * Opening runs under dev_set->lock, so it cannot meet retrieve or finish. If
 * binding the device fails after it was opened it is closed again in the
 * ordinary way. Nothing reaches the device: there are no reset methods, and
 * the guard keeps Bus Master; it can be bound again.
 */

#include <linux/eventfd.h>
#include <linux/iommu_liveupdate.h>
#include <linux/kho/abi/vfio_pci_liveupdate.h>
#include <linux/pm_runtime.h>

#include "vfio_pci_priv.h"

/**
 * vfio_pci_lu_adopted - does a device wait for the end of its update?
 * @vdev: a device
 *
 * Return: true if it was taken over and is neither finished nor fenced.
 */
bool vfio_pci_lu_adopted(struct vfio_pci_core_device *vdev)
{
	return pci_lu_adopted(vdev->pdev);
}

/* The record to open the device by; NULL if it is opened as any other. */
static const struct vfio_pci_lu_ser *
vfio_pci_lu_incoming(struct vfio_pci_core_device *vdev)
{
	lockdep_assert_held(&vdev->vdev.dev_set->lock);

	return vdev->lu ? vdev->lu->in : NULL;
}

/**
 * vfio_pci_lu_clear_master - clear Bus Master unless the device was taken over
 * @vdev: a device that is being opened
 */
void vfio_pci_lu_clear_master(struct vfio_pci_core_device *vdev)
{
	if (!vfio_pci_lu_incoming(vdev))
		pci_clear_master(vdev->pdev);
}

/**
 * vfio_pci_lu_try_reset - reset the device unless it was taken over
 * @vdev: a device that is being opened
 *
 * Return: what pci_try_reset_function() returned, or -ENOTTY, for a device
 * that was taken over, here or in the old kernel. -EAGAIN fails the opening.
 */
int vfio_pci_lu_try_reset(struct vfio_pci_core_device *vdev)
{
	const struct vfio_pci_lu_ser *ser = vfio_pci_lu_incoming(vdev);
	u16 command;

	if (!ser)
		return pci_try_reset_function(vdev->pdev);
	/* Fenced since it was retrieved: only finish is left. */
	if (!pci_lu_adopted(vdev->pdev))
		return -EAGAIN;

	pci_read_config_word(vdev->pdev, PCI_COMMAND, &command);
	vdev->pdev->is_busmaster = !!(command & PCI_COMMAND_MASTER);

	return ser->flags & VFIO_PCI_LU_RESET_WORKS ? 0 : -ENOTTY;
}

/**
 * vfio_pci_lu_fix_saved_state - the state to return to is that of an idle device
 * @vdev: a device that is being opened, after pci_save_state()
 */
void vfio_pci_lu_fix_saved_state(struct vfio_pci_core_device *vdev)
{
	const struct vfio_pci_lu_ser *ser = vfio_pci_lu_incoming(vdev);
	struct pci_lu_saved saved;

	if (!ser)
		return;
	vdev->pdev->saved_config_space[PCI_COMMAND / 4] &=
		~(PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE);

	if (!(ser->flags & VFIO_PCI_LU_SAVED))
		return;
	saved.devctl = ser->saved_devctl;
	saved.devctl2 = ser->saved_devctl2;
	memcpy(saved.aer, ser->saved_aer, sizeof(saved.aer));
	pci_lu_saved_put(vdev->pdev, &saved);
}

/**
 * vfio_pci_lu_adopt_vfs - hook: a PF is registered that may have VFs already
 * @vdev: the PF
 * @pfs: the list of PFs with VFs
 * @lock: the mutex of that list
 *
 * The PCI core has made the VFs of a PF that was taken over before any driver was
 * there: do what vfio_pci_core_sriov_configure() does around that. A VF is newer than
 * its PF on the bus, and finds it in the list when it is bound.
 */
void vfio_pci_lu_adopt_vfs(struct vfio_pci_core_device *vdev,
			   struct list_head *pfs, struct mutex *lock)
{
	struct pci_dev *pdev = vdev->pdev;

	if (!pci_num_vf(pdev))
		return;
	pm_runtime_get_sync(&pdev->dev);
	scoped_guard(rwsem_write, &vdev->memory_lock)
		vdev->sriov_active = true;
	scoped_guard(mutex, lock)
		list_add_tail(&vdev->sriov_pfs_item, pfs);
}

/* Does the layout of the owner hold for the device as this kernel sees it? */
static bool vfio_pci_lu_layout_fits(struct vfio_pci_core_device *vdev,
				    const struct vfio_pci_lu_ser *ser)
{
	const u8 *map = vdev->pci_config_map;
	int i;

	if (ser->cfg_size != vdev->pdev->cfg_size)
		return false;
	/* To the owner a byte that belongs to nothing is a plain one, then as now. */
	for (i = 0; i < ser->cfg_size; i++)
		if (map[i] != ser->map[i] && ser->map[i] != PCI_CAP_ID_INVALID)
			return false;

	return true;
}

/*
 * For tests: do without an extended capability, as a kernel that does not know
 * it does. The first one in the list anchors it and stays.
 */
static void vfio_pci_lu_hide_ecap(struct vfio_pci_core_device *vdev, u16 ecap)
{
	__le32 *prev = (__le32 *)&vdev->vconfig[PCI_CFG_SPACE_SIZE];
	u8 *map = vdev->pci_config_map;
	u32 next;
	int pos;

	for (pos = PCI_EXT_CAP_NEXT(le32_to_cpu(*prev)); pos; pos = next) {
		__le32 *header = (__le32 *)&vdev->vconfig[pos];

		next = PCI_EXT_CAP_NEXT(le32_to_cpu(*header));
		if (PCI_EXT_CAP_ID(le32_to_cpu(*header)) != ecap) {
			prev = header;
			continue;
		}
		*prev &= cpu_to_le32(~(0xffcU << 20));
		*prev |= cpu_to_le32(next << 20);
		for (; pos < vdev->pdev->cfg_size && map[pos] == ecap; pos++)
			map[pos] = PCI_CAP_ID_INVALID;
	}
}

/**
 * vfio_pci_lu_config_init - set up the virtual configuration space
 * @vdev: a device that is being opened
 *
 * Return: 0 or a negative errno; if the recorded configuration space does not
 * fit the device as this kernel sees it, the device is fenced.
 */
int vfio_pci_lu_config_init(struct vfio_pci_core_device *vdev)
{
	const struct vfio_pci_lu_ser *ser = vfio_pci_lu_incoming(vdev);
	struct pci_dev *pdev = vdev->pdev;
	int ret;

	if (ser) {
		vdev->nointx = ser->flags & VFIO_PCI_LU_NOINTX;
		vdev->pci_2_3 = ser->flags & VFIO_PCI_LU_PCI_2_3;
		vdev->virq_disabled = ser->flags & VFIO_PCI_LU_VIRQ_DISABLED;
	}

	ret = vfio_config_init(vdev);
	if (ret)
		return ret;
	if (pci_lu_test_hidden_ecap() && pdev->cfg_size > PCI_CFG_SPACE_SIZE)
		vfio_pci_lu_hide_ecap(vdev, pci_lu_test_hidden_ecap());
	if (!ser || pci_lu_disabled(PCI_LU_VCONFIG))
		return 0;

	if (!vfio_pci_lu_layout_fits(vdev, ser)) {
		vfio_config_free(vdev);
		pci_lu_fence(pdev, "its configuration space is laid out anew");
		return -EINVAL;
	}
	memcpy(vdev->pci_config_map, ser->map, ser->cfg_size);
	memcpy(vdev->vconfig, ser->vconfig, ser->cfg_size);

	return 0;
}

/* INTx has a handler now: the guard need not keep it off any more. */
static void vfio_pci_lu_intx_ready(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_irq_ctx *ctx = xa_load(&vdev->ctx, 0);

	if (vdev->irq_type != VFIO_PCI_INTX_IRQ_INDEX || !ctx)
		return;
	pci_lu_allow_intx(vdev->pdev);
	guard(spinlock_irqsave)(&vdev->irqlock);
	pci_intx(vdev->pdev, !vdev->pci_2_3 || !ctx->masked);
}

/* Errors from before there was anybody to tell. */
static void vfio_pci_lu_tell_errors(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_eventfd *eventfd;
	u32 errors = pci_lu_errors(vdev->pdev);

	eventfd = rcu_dereference_protected(vdev->err_trigger,
					    lockdep_is_held(&vdev->igate));
	if (!eventfd || !errors || vdev->lu->errors_told)
		return;
	vdev->lu->errors_told = true;
	pci_warn(vdev->pdev, "live update: uncorrectable errors %#x while the kernel was replaced\n",
		 errors);
	eventfd_signal(eventfd->ctx);
}

/**
 * vfio_pci_lu_irqs_set - hook: the owner has set up interrupts
 * @vdev: the device
 * @index: which, VFIO_PCI_*_IRQ_INDEX
 */
void vfio_pci_lu_irqs_set(struct vfio_pci_core_device *vdev, unsigned int index)
{
	lockdep_assert_held(&vdev->igate);

	if (!vfio_pci_lu_adopted(vdev) || !vdev->lu)
		return;
	if (index == VFIO_PCI_INTX_IRQ_INDEX)
		vfio_pci_lu_intx_ready(vdev);
	else if (index == VFIO_PCI_ERR_IRQ_INDEX)
		vfio_pci_lu_tell_errors(vdev);
}
