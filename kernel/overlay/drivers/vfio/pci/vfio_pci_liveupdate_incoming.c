// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfio-pci live update: a device in the new kernel, until it is finished or given up.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: A vfio-pci device in the new kernel
 *
 * The PCI core has found the function on its list, checked it, and bound it to
 * vfio-pci; it cannot be opened, reset or suspended. When the Live Update
 * Orchestrator has read its own records, a function that no session of it has a
 * file of, or two, is given up at once: nobody could retrieve it, and memory it
 * writes to could be given back without anybody knowing.
 *
 * 1. Retrieve reads the record and makes a device file, as opening the character
 *    device would.
 * 2. The owner binds it, which opens the device without touching it, see "State of a
 *    vfio-pci device across a live update", attaches it, which moves it to the new
 *    page tables without a gap, and sets up interrupts, which is when vectors are
 *    unmasked.
 * 3. Finish, once it has left the page tables of the old kernel: the IOMMU
 *    releases what came from there, the guard is disarmed, and the device is like
 *    any other.
 *
 * Unhappy paths: a device that was never retrieved, whose record is refused, or
 * whose owner is gone before attaching it, is given up (pci_lu_fence_function()):
 * fenced, old translation released, reset. All of it before the Orchestrator frees
 * the memfds, which it does after the device because they were preserved before it.
 * A device that is fenced and was not reset yet cannot be opened. Which device a
 * record is of that cannot be read, the PCI core knows by the handle of the record.
 *
 * An owner is gone if nobody but the Orchestrator holds the file. While there is one
 * and the device is not attached, finish is refused with -EBUSY; to kill the owner
 * is how an administrator ends that.
 *
 * Locks: all of this runs under those of the Orchestrator, and the next update waits
 * for them. So nothing here waits for the owner: not for dev_set->lock, which he
 * can have for as long as he likes, and not for the lock of the device, which whoever
 * unbinds it has while he waits for the file to be finished. Instead it relies on what
 * cannot be undone: a device that has left the old page tables never returns to
 * them; one that was fenced stays so.
 */

#include <linux/file.h>
#include <linux/iommu_liveupdate.h>
#include <linux/kho/abi/vfio_pci_liveupdate.h>
#include <linux/liveupdate.h>
#include <linux/liveupdate_incoming.h>
#include <linux/notifier.h>

#include "../vfio.h"
#include "vfio_pci_priv.h"

/* The vfio device of an adopted function, with a registration reference. */
static struct vfio_pci_core_device *vfio_pci_lu_get_vdev(struct pci_dev *pdev)
{
	struct vfio_pci_core_device *vdev;

	/*
	 * Nobody can have this lock and wait for us: the device has no file yet that
	 * keeps it from being unbound.
	 */
	guard(device)(&pdev->dev);
	if (!pdev->dev.driver || strcmp(pdev->dev.driver->name, "vfio-pci"))
		return NULL;
	vdev = dev_get_drvdata(&pdev->dev);
	if (!vdev || !vfio_device_try_get_registration(&vdev->vdev))
		return NULL;

	return vdev;
}

static int vfio_pci_lu_retrieve_vdev(struct vfio_pci_core_device *vdev,
				     struct vfio_pci_lu_ser *ser,
				     struct file **filep)
{
	struct vfio_pci_lu *lu = vfio_pci_lu_get(vdev);
	struct file *file;

	if (!lu)
		return -ENOMEM;
	file = vfio_lu_get_file(&vdev->vdev);
	if (IS_ERR(file))
		return PTR_ERR(file);

	if (ser->flags & VFIO_PCI_LU_VF_TOKEN && vdev->vf_token) {
		guard(mutex)(&vdev->vf_token->lock);
		import_uuid(&vdev->vf_token->uuid, ser->vf_token);
	}

	/* Nobody can open the device by any other file. */
	lu->in = ser;
	*filep = file;
	return 0;
}

static bool vfio_pci_lu_is_of(const struct vfio_pci_lu_ser *ser,
			      struct pci_dev *pdev)
{
	return pci_dev_id(pdev) == PCI_DEVID(ser->bus, ser->devfn) &&
	       pci_domain_nr(pdev->bus) == ser->segment &&
	       pdev->vendor == ser->vendor && pdev->device == ser->device;
}

/* What there is to be said about a record of a device that was not adopted. */
static void vfio_pci_lu_warn_lost(const struct vfio_pci_lu_ser *ser,
				  const char *why)
{
	if (!ser)
		pr_warn("vfio-pci: live update: cannot retrieve a device: it was not adopted, and %s\n",
			why);
	else
		pr_warn("vfio-pci: live update: cannot retrieve %04x:%02x:%02x.%d: %s\n",
			ser->segment, ser->bus, PCI_SLOT(ser->devfn),
			PCI_FUNC(ser->devfn),
			ser->flags & VFIO_PCI_LU_DROPPED ?
			"the previous kernel dropped it at freeze, its log says why" :
			"it was not adopted, the log says why");
}

/**
 * vfio_pci_lu_retrieve - a device file for the owner
 * @args: of the Live Update Orchestrator
 *
 * Return: 0 or a negative errno; then the device is given up.
 */
int vfio_pci_lu_retrieve(struct liveupdate_file_op_args *args)
{
	struct vfio_pci_core_device *vdev;
	struct vfio_pci_lu_ser *ser;
	struct pci_dev *pdev;
	const char *why;
	int err;

	/* By the handle: a record that is damaged must not leave it running. */
	pdev = pci_lu_find_adopted(args->serialized_data);
	ser = vfio_pci_lu_read(args->serialized_data, &why);
	if (!pdev) {
		vfio_pci_lu_warn_lost(ser, why);
		err = -ENODEV;
		goto free_ser;
	}

	err = -EINVAL;
	if (!ser)
		goto give_up;
	err = -ENODEV;
	why = pci_lu_verify(pdev);
	if (why)
		goto give_up;
	if (!vfio_pci_lu_is_of(ser, pdev)) {
		why = "the record is of another device";
		goto give_up;
	}
	vdev = vfio_pci_lu_get_vdev(pdev);
	if (!vdev) {
		why = "vfio-pci does not drive it";
		goto give_up;
	}
	err = vfio_pci_lu_retrieve_vdev(vdev, ser, &args->file);
	if (err) {
		vfio_device_put_registration(&vdev->vdev);
		why = "out of memory";
		goto give_up;
	}

	pci_info(pdev, "live update: retrieved, %u interrupt vectors to set up\n",
		 ser->nvec);
	pci_dev_put(pdev);
	return 0;

give_up:
	pci_lu_fence_function(pdev, why);
	pci_dev_put(pdev);
free_ser:
	kvfree(ser);
	return err;
}

/*
 * Has the device left the page tables of the old kernel? Then it never returns to
 * them, whatever its owner attaches or detaches at the same time.
 */
static bool vfio_pci_lu_has_left(struct vfio_pci_core_device *vdev)
{
	return pci_lu_adopted(vdev->pdev) &&
	       !iommu_lu_adopted(&vdev->pdev->dev);
}

/**
 * vfio_pci_lu_can_finish - may the session end?
 * @args: of the Live Update Orchestrator
 *
 * Return: false if the owner still has to attach the device.
 */
bool vfio_pci_lu_can_finish(struct liveupdate_file_op_args *args)
{
	struct vfio_pci_core_device *vdev;

	if (args->retrieve_status <= 0)
		return true;
	/* The owner is gone: nobody will ever attach it. */
	if (file_count(args->file) == 1)
		return true;

	vdev = vfio_pci_lu_vdev(args->file);
	return !pci_lu_adopted(vdev->pdev) || vfio_pci_lu_has_left(vdev);
}

static void vfio_pci_lu_finish_retrieved(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;

	/*
	 * Only opening the device reads the record, and nobody opens it: it was
	 * attached, so it is open; or nobody but the Orchestrator has this file. By
	 * another one it cannot be opened before what follows.
	 */
	kvfree(vdev->lu->in);
	vdev->lu->in = NULL;

	if (vfio_pci_lu_has_left(vdev)) {
		/* Only those are left whose owner is gone. */
		pci_lu_give_up_reachers(pdev);
		iommu_lu_finish(&pdev->dev);
		pci_lu_finish(pdev);
	} else {
		pci_lu_fence_function(pdev, "its owner is gone and had not attached it");
	}
}

/**
 * vfio_pci_lu_finish - the update ends for a device
 * @args: of the Live Update Orchestrator
 */
void vfio_pci_lu_finish(struct liveupdate_file_op_args *args)
{
	struct vfio_pci_lu_ser *ser;
	struct pci_dev *pdev;
	const char *why;

	/* A failed retrieve has given the device up already. */
	if (args->retrieve_status < 0)
		return;
	if (args->retrieve_status > 0) {
		vfio_pci_lu_finish_retrieved(vfio_pci_lu_vdev(args->file));
		return;
	}

	pdev = pci_lu_find_adopted(args->serialized_data);
	ser = vfio_pci_lu_read(args->serialized_data, &why);
	if (pdev) {
		pci_lu_fence_function(pdev, ser ? "nobody has retrieved it" : why);
		pci_dev_put(pdev);
	}
	kvfree(ser);
}

static int vfio_pci_lu_incoming_event(struct notifier_block *nb,
				      unsigned long event, void *data)
{
	const struct liveupdate_incoming *file = data;
	struct pci_dev *pdev;

	if (event == LIVEUPDATE_INCOMING_FILE) {
		if (!strcmp(file->compatible, VFIO_PCI_LU_COMPATIBLE))
			pci_lu_claim(file->data);
		return NOTIFY_DONE;
	}

	while ((pdev = pci_lu_next_unclaimed(event == LIVEUPDATE_INCOMING_LOST))) {
		pci_lu_fence_function(pdev, event == LIVEUPDATE_INCOMING_LOST ?
				    "the sessions of the previous kernel cannot be read" :
				    "not one session has its file: their records are damaged");
		pci_dev_put(pdev);
	}
	return NOTIFY_DONE;
}

static struct notifier_block vfio_pci_lu_incoming_nb = {
	.notifier_call = vfio_pci_lu_incoming_event,
};

int __init vfio_pci_lu_incoming_init(void)
{
	return liveupdate_register_incoming_notifier(&vfio_pci_lu_incoming_nb);
}
