// SPDX-License-Identifier: GPL-2.0
/*
 * PCI live update, old kernel: preserved functions are not shut down.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: Shutdown
 *
 * device_shutdown() takes the lock of each device, for as long as that takes. A
 * function that is preserved may have its lock held for good: whoever unbinds or
 * removes it after freeze has it, and waits for the session, which is frozen.
 * Freeze refuses if that has begun; after freeze nothing can be refused any more.
 * So functions of an update are taken off the list that
 * device_shutdown() walks, together with what is below them:
 *
 * - a frozen function goes on as it is;
 * - function 0, if that is not preserved itself, is shut down by its driver;
 * - one that was dropped at freeze does not cross: its Bus Master goes off here,
 *   without its lock, as pci_device_shutdown() would do it;
 * - one whose last update was never finished is fenced;
 * - a PF goes on with its VFs, but without Bus Master unless its owner preserved it:
 *   what VFs do is not up to that.
 */

#include <linux/kexec.h>
#include <linux/kobject.h>
#include <linux/xarray.h>

#include "internal.h"

static int pci_lu_unlist(struct device *dev, void *devices)
{
	struct kset *kset = devices;

	guard(spinlock)(&kset->list_lock);
	list_del_init(&dev->kobj.entry);
	return 0;
}

static void pci_lu_shutdown_fn(struct pci_lu_fn *fn, struct kset *devices)
{
	struct pci_dev *pdev = fn->pdev;

	switch (fn->state) {
	case PCI_LU_FROZEN:
		if (pci_lu_is_companion(fn))
			return;
		/* A PF whose own memory does not cross. */
		if (!fn->own && !pci_lu_driver_freezes(fn))
			pci_clear_master(pdev);
		break;
	case PCI_LU_ADOPTED:
		if (!fn->own)
			return;
		pci_lu_fence_fn(fn, pdev,
				"the next update comes before its owner has finished");
		break;
	case PCI_LU_PRESERVED:
		if (!fn->requested)
			return;
		pci_clear_master(pdev);
		break;
	default:
		return;
	}

	device_for_each_child(&pdev->dev, devices, pci_lu_unlist);
	pci_lu_unlist(&pdev->dev, devices);
}

/**
 * pci_lu_shutdown - hook: all devices are about to be shut down
 * @devices: what device_shutdown() is going to walk
 *
 * Context: Process context, from reboot(2).
 */
void pci_lu_shutdown(struct kset *devices)
{
	struct pci_lu_fn *fn;
	unsigned long key;

	if (!kexec_in_progress)
		return;
	guard(mutex)(&pci_lu_lock);
	xa_for_each(&pci_lu_fns, key, fn)
		if (!fn->bridge)
			pci_lu_shutdown_fn(fn, devices);
}
