// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfio-pci live update: what a device is, what is recorded of it, and how it is
 * opened again in the new kernel.
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
 *   taken with Bus Master and INTx Disable clear, as it would be after reset.
 * - The record says how INTx is emulated, not another look at the device: the
 *   owner must not see it change.
 * - vconfig is replaced by the recorded one. The BARs that a backdoor reset is
 *   detected by are read from hardware as ever.
 * - Resets are refused with -EBUSY until the update is finished.
 *
 * Opening runs under dev_set->lock, so it cannot meet retrieve or finish. If
 * binding the device fails after it was opened it is closed again in the
 * ordinary way. Nothing reaches the device: there are no reset methods, and
 * the guard keeps Bus Master; it can be bound again.
 */

#include <linux/crc32.h>
#include <linux/io.h>
#include <linux/iommu_liveupdate.h>
#include <linux/iommufd_liveupdate.h>
#include <linux/kexec_handover.h>
#include <linux/kho/abi/vfio_pci_liveupdate.h>
#include <linux/liveupdate.h>
#include <linux/shmem_fs.h>
#include <linux/uaccess.h>

#include "vfio_pci_priv.h"

/* Protects vfio_pci_lu.refused and that vfio_pci_core_device.lu is set once. */
static DEFINE_MUTEX(vfio_pci_lu_lock);

/**
 * vfio_pci_lu_get - the live update state of a device
 * @vdev: the device
 *
 * Return: the state, which lives as long as @vdev, or NULL: out of memory.
 */
struct vfio_pci_lu *vfio_pci_lu_get(struct vfio_pci_core_device *vdev)
{
	guard(mutex)(&vfio_pci_lu_lock);
	if (!vdev->lu)
		vdev->lu = kzalloc_obj(*vdev->lu);

	return vdev->lu;
}

/**
 * vfio_pci_lu_set_refused - remember why the device was not preserved
 * @vdev: the device
 * @why: the reason, or NULL: it was preserved
 */
void vfio_pci_lu_set_refused(struct vfio_pci_core_device *vdev,
			     const struct vfio_pci_lu_why *why)
{
	struct vfio_pci_lu *lu = vfio_pci_lu_get(vdev);

	if (!lu)
		return;
	guard(mutex)(&vfio_pci_lu_lock);
	if (why)
		lu->refused = *why;
	else
		lu->refused.reason = VFIO_LIVEUPDATE_OK;
}

static int vfio_pci_lu_refuse(struct vfio_pci_lu_why *why, u32 reason,
			      const char *text)
{
	why->reason = reason;
	strscpy(why->text, text);
	return reason == VFIO_LIVEUPDATE_STATE ? -EBUSY : -EOPNOTSUPP;
}

/**
 * vfio_pci_lu_mmio_rule - an own BAR is the only MMIO a device may reach
 * @start: physical address
 * @len: size in bytes, not 0
 * @data: the &struct vfio_pci_core_device
 *
 * For &iommufd_lu_rules.mmio.
 *
 * Return: true if the range is inside a BAR of the device.
 */
bool vfio_pci_lu_mmio_rule(phys_addr_t start, size_t len, void *data)
{
	struct vfio_pci_core_device *vdev = data;
	struct resource range = DEFINE_RES_MEM(start, len);
	int i;

	for (i = 0; i < PCI_STD_NUM_BARS; i++) {
		struct resource *res = &vdev->pdev->resource[i];

		if (resource_type(res) == IORESOURCE_MEM &&
		    resource_size(res) && resource_contains(res, &range))
			return true;
	}

	return false;
}

/**
 * vfio_pci_lu_check_device - can the device be preserved, mappings apart?
 * @vdev: a device that is open and bound to an iommufd
 * @why: where to put the reason of a refusal
 *
 * Context: Process context.
 * Return: 0; -EOPNOTSUPP if it cannot be preserved, -EBUSY if not now.
 */
int vfio_pci_lu_check_device(struct vfio_pci_core_device *vdev,
			     struct vfio_pci_lu_why *why)
{
	struct pci_dev *pdev = vdev->pdev;
	const char *text;

	if (!liveupdate_enabled())
		return vfio_pci_lu_refuse(why, VFIO_LIVEUPDATE_KERNEL,
					  "this kernel was started with live update off");
	if (strcmp(vdev->vdev.ops->name, "vfio-pci"))
		return vfio_pci_lu_refuse(why, VFIO_LIVEUPDATE_OWNER,
					  "a variant driver of vfio-pci owns it");
	if (pci_lu_adopted(pdev))
		return vfio_pci_lu_refuse(why, VFIO_LIVEUPDATE_STATE,
					  "its last update is not finished");
	if (vdev->num_regions || vdev->has_vga)
		return vfio_pci_lu_refuse(why, VFIO_LIVEUPDATE_PCI,
					  "it has regions besides its BARs");
	if (!vdev->vdev.iommufd_attached)
		return vfio_pci_lu_refuse(why, VFIO_LIVEUPDATE_OWNER,
					  "it is not attached to an address space of its iommufd");
	if (vdev->pm_runtime_engaged || pdev->current_state != PCI_D0)
		return vfio_pci_lu_refuse(why, VFIO_LIVEUPDATE_STATE,
					  "it is in a low power state");

	text = pci_lu_refusal(pdev);
	if (text)
		return vfio_pci_lu_refuse(why, VFIO_LIVEUPDATE_PCI, text);
	text = iommu_lu_refusal(&pdev->dev);
	if (text)
		return vfio_pci_lu_refuse(why, VFIO_LIVEUPDATE_IOMMU, text);

	return 0;
}

static void vfio_pci_lu_get_refused(struct vfio_pci_core_device *vdev,
				    struct vfio_pci_lu_why *why)
{
	guard(mutex)(&vfio_pci_lu_lock);
	if (vdev->lu && vdev->lu->refused.reason != VFIO_LIVEUPDATE_OK)
		*why = vdev->lu->refused;
}

/* Without a session it can only be said what kind of file it is. */
static const char *vfio_pci_lu_file_rule(struct file *file, void *data)
{
	if (!shmem_mapping(file->f_mapping) || file_inode(file)->i_nlink)
		return "is of a file that is not a memfd, or of huge pages";
	return NULL;
}

/**
 * vfio_pci_lu_feature - VFIO_DEVICE_FEATURE_LIVEUPDATE
 * @vdev: a device that is open
 * @flags: as given by the user
 * @arg: &struct vfio_device_feature_liveupdate
 * @argsz: room at @arg
 *
 * Context: Process context, takes dev_set->lock. Works on a frozen device too.
 * Return: 0 or a negative errno.
 */
int vfio_pci_lu_feature(struct vfio_pci_core_device *vdev, u32 flags,
			void __user *arg, size_t argsz)
{
	const struct iommufd_lu_rules rules = {
		.file = vfio_pci_lu_file_rule,
		.mmio = vfio_pci_lu_mmio_rule,
		.data = vdev,
	};
	struct vfio_device_feature_liveupdate answer = {};
	struct vfio_device *device = &vdev->vdev;
	struct vfio_pci_lu_why why = {};
	int ret;

	ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_GET,
				 sizeof(answer));
	if (ret != 1)
		return ret;

	if (mutex_lock_interruptible(&device->dev_set->lock))
		return -EINTR;
	if (pci_lu_adopted(vdev->pdev))
		answer.flags |= VFIO_LIVEUPDATE_INCOMING;
	if (READ_ONCE(device->lu_attach_locked)) {
		answer.flags |= VFIO_LIVEUPDATE_PRESERVED;
		if (READ_ONCE(vdev->lu->frozen))
			answer.flags |= VFIO_LIVEUPDATE_FROZEN;
		vfio_pci_lu_refuse(&why, VFIO_LIVEUPDATE_STATE,
				   "it is preserved already");
	} else if (!device->cdev_opened) {
		vfio_pci_lu_refuse(&why, VFIO_LIVEUPDATE_OWNER,
				   "it was opened through its group, not as a character device");
	} else if (!vfio_pci_lu_check_device(vdev, &why) &&
		   iommufd_lu_check(device->iommufd_device, &rules,
				    why.text, sizeof(why.text))) {
		why.reason = VFIO_LIVEUPDATE_MAPPING;
	}
	mutex_unlock(&device->dev_set->lock);

	if (why.reason == VFIO_LIVEUPDATE_OK) {
		answer.flags |= VFIO_LIVEUPDATE_CAN_PRESERVE;
		vfio_pci_lu_get_refused(vdev, &why);
		if (why.reason != VFIO_LIVEUPDATE_OK)
			answer.flags |= VFIO_LIVEUPDATE_REFUSED;
	}
	answer.reason = why.reason;
	strscpy(answer.text, why.text);

	return copy_to_user(arg, &answer, sizeof(answer)) ? -EFAULT : 0;
}

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

/**
 * vfio_pci_lu_capture - write the record of a device
 * @vdev: a preserved device, before its interrupts are masked
 * @ser: where to write it
 *
 * Context: under igate and memory_lock.
 */
void vfio_pci_lu_capture(struct vfio_pci_core_device *vdev,
			 struct vfio_pci_lu_ser *ser)
{
	struct pci_dev *pdev = vdev->pdev;
	unsigned long index;
	u16 command;
	void *ctx;

	lockdep_assert_held(&vdev->igate);
	lockdep_assert_held_write(&vdev->memory_lock);

	memset(ser, 0, sizeof(*ser));
	ser->version = VFIO_PCI_LU_VERSION;
	ser->size = sizeof(*ser);
	ser->segment = pci_domain_nr(pdev->bus);
	ser->bus = pdev->bus->number;
	ser->devfn = pdev->devfn;
	ser->vendor = pdev->vendor;
	ser->device = pdev->device;
	ser->flags = (vdev->reset_works ? VFIO_PCI_LU_RESET_WORKS : 0) |
		     (vdev->nointx ? VFIO_PCI_LU_NOINTX : 0) |
		     (vdev->pci_2_3 ? VFIO_PCI_LU_PCI_2_3 : 0) |
		     (vdev->virq_disabled ? VFIO_PCI_LU_VIRQ_DISABLED : 0);
	pci_read_config_word(pdev, PCI_COMMAND, &command);
	ser->command = command;
	ser->irq_type = vfio_pci_lu_irq_type(vdev);
	xa_for_each(&vdev->ctx, index, ctx)
		ser->nvec++;

	ser->cfg_size = min(pdev->cfg_size, VFIO_PCI_LU_CFG_SIZE);
	memcpy(ser->vconfig, vdev->vconfig, ser->cfg_size);
	memcpy(ser->map, vdev->pci_config_map, ser->cfg_size);
	ser->crc = vfio_pci_lu_crc(ser, sizeof(*ser));
}

/* Is it a record, all of it, and one that we understand? NULL if it is. */
static const char *vfio_pci_lu_refuse_ser(const struct vfio_pci_lu_ser *ser,
					  size_t room)
{
	if (ser->version != VFIO_PCI_LU_VERSION)
		return "the record has another version";
	if (ser->size < sizeof(*ser) || ser->size > room)
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
	if (folio_size(folio) < sizeof(*ser) ||
	    folio_size(folio) > VFIO_PCI_LU_MAX_SIZE)
		goto put_folio;

	*why = vfio_pci_lu_refuse_ser(folio_address(folio), folio_size(folio));
	if (*why)
		goto put_folio;

	ser = kvmalloc_obj(*ser);
	if (ser)
		memcpy(ser, folio_address(folio), sizeof(*ser));
	else
		*why = "out of memory";
put_folio:
	folio_put(folio);
	return ser;
}

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
	if (vfio_pci_lu_incoming(vdev))
		vdev->pdev->saved_config_space[PCI_COMMAND / 4] &=
			~(PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE);
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
