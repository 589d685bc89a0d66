// SPDX-License-Identifier: GPL-2.0
/*
 * PCI live update, new kernel: the driver of a function on which others depend.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: Drivers, new kernel
 *
 * 1. The record is read: what a driver has handed over is copied and checked. If it
 *    is damaged, the function is fenced like any whose entry is.
 * 2. The guard is armed: rows of the driver take part from the first access on.
 * 3. The driver's probe() finds pci_liveupdate_handed_over() true and takes its blob by
 *    pci_liveupdate_blob(). There is no callback: all that a driver allocates in
 *    probe() it needs here, too. Only the driver that had the function can bind.
 *    If it is missing or fails, those who depend on the function go on without it:
 *    nobody resets it.
 * 4. The last dependent has finished, or was fenced: finish(), then the guard and the
 *    reset methods are given back.
 *
 * Locks: probe() has the lock of the device. finish() is called with it, but not under
 * pci_lu_lock. Its holder may be unbinding the driver and wait for
 * the owner who is finishing; so the owner only tries, and leaves it to a worker
 * otherwise.
 */

#include <linux/cleanup.h>
#include <linux/pci_liveupdate_driver.h>
#include <linux/slab.h>

#include "internal.h"

/**
 * pci_lu_driver_list - take what a driver has handed over out of the record
 * @fn: a function of the record
 * @rec: the record
 *
 * Context: PCI scan, under pci_lu_lock.
 * Return: %PCI_LU_OK, or why the function must be fenced.
 */
enum pci_lu_reason pci_lu_driver_list(struct pci_lu_fn *fn,
				      const struct pci_lu_record *rec)
{
	struct pci_lu_driver *drv;

	if (!fn->ser.blob && !fn->ser.nr_rows)
		return PCI_LU_OK;
	drv = pci_lu_driver_get(fn);
	if (!drv)
		return PCI_LU_REASON_NO_MEMORY;
	return pci_lu_record_rows(rec, &fn->ser, drv->row_sers, &drv->nr_rows);
}

/**
 * pci_liveupdate_handed_over - does a device work for others since the previous kernel?
 * @pdev: the device
 *
 * Context: From the driver it had there, which took part.
 * Return: true until its finish() has returned.
 */
bool pci_liveupdate_handed_over(const struct pci_dev *pdev)
{
	struct pci_lu_fn *fn = pci_lu_fn_find(pdev);

	return pci_lu_adopted(pdev) && fn->blob && !pci_lu_disabled(PCI_LU_DRIVER);
}
EXPORT_SYMBOL_GPL(pci_liveupdate_handed_over);

/**
 * pci_liveupdate_blob - what a driver has handed over to itself
 * @pdev: the device
 * @ops: callbacks of the driver
 * @blob: room for %PCI_LU_BLOB_SIZE bytes; filled up with zeros
 *
 * Context: From probe().
 * Return: the number of bytes that there were; -ENOENT when the device was not handed
 *	   over by a driver; -EPROTO when it was by one that is not compatible, or in a
 *	   version that this one does not know.
 */
int pci_liveupdate_blob(struct pci_dev *pdev,
			const struct pci_liveupdate_ops *ops, void *blob)
{
	struct pci_lu_fn *fn = pci_lu_fn_find(pdev);
	const struct pci_lu_blob_ser *ser;

	if (!pci_liveupdate_handed_over(pdev))
		return -ENOENT;
	ser = fn->blob;
	if (strcmp(ser->compatible, ops->compatible) ||
	    ser->version > ops->version || ser->version < ops->oldest) {
		pci_err(pdev, "live update: handed over as %s version %u, and this kernel has %s, versions %u to %u\n",
			ser->compatible, ser->version, ops->compatible,
			ops->oldest, ops->version);
		return -EPROTO;
	}
	memcpy(blob, ser->data, PCI_LU_BLOB_SIZE);
	return ser->size;
}
EXPORT_SYMBOL_GPL(pci_liveupdate_blob);

/* Does nobody need the function any more? */
static bool pci_lu_driver_done(const struct pci_lu_fn *fn)
{
	return fn->state == PCI_LU_ADOPTED && !fn->depended && !fn->scanning;
}

/* With the lock of the device: neither probe() nor remove() is under way. */
static void pci_lu_driver_settle_locked(struct pci_lu_fn *fn, struct pci_dev *pdev)
{
	const struct pci_liveupdate_ops *ops = NULL;

	device_lock_assert(&pdev->dev);
	scoped_guard(mutex, &pci_lu_lock)
		if (!pci_lu_driver_done(fn))
			return;

	if (pdev->driver)
		ops = pdev->driver->liveupdate;
	if (ops)
		ops->finish(pdev);
	else
		pci_warn(pdev, "live update: finished without its driver, left as it is\n");

	guard(mutex)(&pci_lu_lock);
	if (!pci_lu_driver_done(fn))	/* it was fenced meanwhile */
		return;
	pci_lu_guard_disarm(fn);
	pci_lu_release(fn);
	fn->driver->nr_rows = 0;
	kfree(fn->blob);
	fn->blob = NULL;
}

static struct pci_dev *pci_lu_driver_get_done(struct pci_lu_fn *fn)
{
	guard(mutex)(&pci_lu_lock);
	return pci_lu_driver_done(fn) ? pci_dev_get(fn->pdev) : NULL;
}

/**
 * pci_lu_driver_settle_work - finish a driver whose device lock was taken
 * @work: &pci_lu_driver.settle
 */
void pci_lu_driver_settle_work(struct work_struct *work)
{
	struct pci_lu_driver *drv = container_of(work, struct pci_lu_driver, settle);
	struct pci_dev *pdev = pci_lu_driver_get_done(drv->fn);

	if (!pdev)
		return;
	device_lock(&pdev->dev);
	pci_lu_driver_settle_locked(drv->fn, pdev);
	device_unlock(&pdev->dev);
	pci_dev_put(pdev);
}

/**
 * pci_lu_driver_settle_later - the last dependent of a function is gone
 * @fn: the function
 *
 * Context: under pci_lu_lock.
 */
void pci_lu_driver_settle_later(struct pci_lu_fn *fn)
{
	queue_work(system_dfl_wq, &fn->driver->settle);
}

/**
 * pci_lu_driver_settle - a function was finished, perhaps the last of its kind
 * @pdev: the function
 *
 * Context: Process context, without pci_lu_lock.
 */
void pci_lu_driver_settle(struct pci_dev *pdev)
{
	struct pci_lu_fn *fn;
	struct pci_dev *pf;

	if (!pdev->is_virtfn)
		return;
	fn = pci_lu_fn_find(pci_physfn(pdev));
	if (!fn || !fn->driver)
		return;
	pf = pci_lu_driver_get_done(fn);
	if (!pf)
		return;
	if (device_trylock(&pf->dev)) {
		pci_lu_driver_settle_locked(fn, pf);
		device_unlock(&pf->dev);
	} else {
		queue_work(system_dfl_wq, &fn->driver->settle);
	}
	pci_dev_put(pf);
}
