// SPDX-License-Identifier: GPL-2.0
/*
 * PCI live update, old kernel: the driver of a function on which others depend.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: Drivers, old kernel
 *
 * A virtual function works for as long as its physical function does. Where that
 * one has a driver in the kernel, config space is not what matters: the driver
 * would stop queues of all in its shutdown, and reset the device in its probe. So
 * it has to take part, by the callbacks of &struct pci_liveupdate_ops, or what
 * depends on the function cannot be preserved.
 *
 * 1. preserve() when the first dependent is preserved, unpreserve() when the last
 *    one is not any more. It may ask for config bits of its device to be protected.
 * 2. freeze() when the last dependent stands still, that is, it was frozen or
 *    dropped: until then one of them may need the driver, say to be reset. After
 *    that the function is captured, guarded and recorded, and its shutdown() is not
 *    called. If all dependents were dropped it is an ordinary device, and shut down.
 * 3. unfreeze() before the first dependent is let go: guard off, then the callback.
 *
 * The new kernel's half is in driver_incoming.c.
 *
 * Locks: the callbacks run under pci_lu_driver_lock, never under pci_lu_lock, so
 * that they may do what ends in it: register or remove a device. The lock of the
 * device is only tried, by preserve and freeze, which refuse without it. Its holder
 * may be unbinding the driver, and then waits in pci_disable_sriov() for the owner of
 * a dependent, which waits for us. For unpreserve it is not needed: what
 * depends on the device is still there, so that remove() is not beyond
 * pci_disable_sriov(), which must come first in it. Freeze keeps the lock, until
 * unfreeze or for good: nobody unbinds, resets or changes the number of VFs in between.
 * Whoever calls freeze and unfreeze is the same task, that of reboot(2).
 */

#include <linux/cleanup.h>
#include <linux/pci_liveupdate_driver.h>
#include <linux/slab.h>

#include "internal.h"

/* Outside pci_lu_lock and the lock of the device, inside those of the owners. */
static DEFINE_MUTEX(pci_lu_driver_lock);

/* Drivers that will need room in the record, under pci_lu_lock. */
static unsigned int pci_lu_nr_drivers;

/**
 * pci_lu_driver_of - the function whose driver another one needs
 * @pdev: the function that may need it
 *
 * vfio-pci is the driver of an owner, which preserves its function itself.
 *
 * Return: the function, or NULL.
 */
struct pci_dev *pci_lu_driver_of(struct pci_dev *pdev)
{
	const struct pci_driver *drv;
	struct pci_dev *pf;

	if (!pdev->is_virtfn)
		return NULL;
	pf = pci_physfn(pdev);
	drv = READ_ONCE(pf->driver);
	return drv && !strcmp(drv->name, PCI_LU_VFIO) ? NULL : pf;
}

/**
 * pci_lu_driver_get - the driver of a function, to be
 * @fn: the function
 *
 * Context: Process context, under pci_lu_lock.
 * Return: what is known of it, which is never freed, or NULL when out of memory.
 */
struct pci_lu_driver *pci_lu_driver_get(struct pci_lu_fn *fn)
{
	if (!fn->driver) {
		fn->driver = kzalloc_obj(*fn->driver);
		if (fn->driver) {
			fn->driver->fn = fn;
			INIT_WORK(&fn->driver->settle, pci_lu_driver_settle_work);
		}
	}
	return fn->driver;
}

/**
 * pci_lu_driver_room - room in the record that the rows of drivers may take
 *
 * Return: bytes.
 */
size_t pci_lu_driver_room(void)
{
	return pci_lu_nr_drivers *
	       (PCI_LU_DRIVER_ROWS * sizeof(struct pci_lu_row_ser) + 8);
}

/**
 * pci_lu_driver_write - append to the record the rows that a driver has given
 * @fn: a function that is in the record
 * @record: the record, with all its functions
 * @len: room for it
 *
 * Context: under pci_lu_lock.
 * Return: 0, or -ENOSPC.
 */
int pci_lu_driver_write(const struct pci_lu_fn *fn, void *record, size_t len)
{
	const struct pci_lu_driver *drv = fn->driver;

	if (!drv || !drv->ops)
		return 0;
	if (pci_lu_record_add_rows(record, len, fn->index, drv->row_sers,
				   drv->nr_rows))
		return -ENOSPC;
	return 0;
}

/**
 * pci_lu_driver_add_rows - the guard is being prepared for a function
 * @fn: the function
 */
void pci_lu_driver_add_rows(struct pci_lu_fn *fn)
{
	struct pci_lu_driver *drv = fn->driver;
	unsigned int i;

	/* Not what is left of an earlier update. */
	if (!drv || (!drv->ops && fn->state != PCI_LU_LISTED))
		return;
	for (i = 0; i < drv->nr_rows; i++)
		pci_lu_row_from_ser(&drv->row_sers[i], &drv->rows[i]);
	pci_lu_layout_add_rows(&fn->layout, drv->rows, drv->nr_rows);
}

/**
 * pci_liveupdate_protect - ask for config bits to stay as they are
 * @pdev: the device
 * @row: the bits, and why; copied
 *
 * The guard keeps them from freeze until the driver has finished, in the new
 * kernel from before the device is found. What its table protects it protects anyway.
 *
 * Context: From the driver's preserve() callback.
 * Return: 0; -EINVAL when a row like that is impossible; -ENOSPC when there are
 *	   %PCI_LU_DRIVER_ROWS already.
 */
int pci_liveupdate_protect(struct pci_dev *pdev,
			   const struct pci_liveupdate_row *row)
{
	struct pci_lu_driver *drv = pci_lu_fn_find(pdev)->driver;
	struct pci_lu_row_ser *r;

	lockdep_assert_held(&pci_lu_driver_lock);
	if (drv->nr_rows == ARRAY_SIZE(drv->row_sers))
		return -ENOSPC;

	r = &drv->row_sers[drv->nr_rows];
	memset(r, 0, sizeof(*r));
	r->pos = row->pos;
	r->width = row->width;
	r->rule = row->rule;
	r->bits = row->bits;
	if (strscpy(r->name, row->name) < 0 || strscpy(r->why, row->why) < 0 ||
	    pci_lu_row_check(r)) {
		pci_err(pdev, "live update: its driver protects %s at %#x, which cannot be\n",
			row->name, row->pos);
		return -EINVAL;
	}
	drv->nr_rows++;
	return 0;
}
EXPORT_SYMBOL_GPL(pci_liveupdate_protect);

/* The first dependent: ask the driver. Its device lock is held. */
static enum pci_lu_reason pci_lu_driver_ask(struct pci_lu_driver *drv,
					    struct pci_dev *pf)
{
	const struct pci_liveupdate_ops *ops;
	const char *why = "for no reason that it gives";
	int err;

	if (!pf->driver || !pf->driver->liveupdate)
		return PCI_LU_REASON_PF_DRIVER;
	ops = pf->driver->liveupdate;

	memset(&drv->blob, 0, sizeof(drv->blob));
	strscpy(drv->blob.compatible, ops->compatible);
	drv->blob.version = ops->version;
	drv->nr_rows = 0;
	err = ops->preserve(pf, &why);
	if (err) {
		pci_warn(pf, "live update: %s refuses: %s (%pe)\n",
			 pf->driver->name, why, ERR_PTR(err));
		return PCI_LU_REASON_DRIVER_REFUSED;
	}
	drv->ops = ops;
	return PCI_LU_OK;
}

/**
 * pci_lu_driver_preserve - a function is about to be preserved
 * @pdev: the function
 *
 * Context: Process context, without pci_lu_lock.
 * Return: %PCI_LU_OK, also if it needs nobody's driver, or why not.
 */
enum pci_lu_reason pci_lu_driver_preserve(struct pci_dev *pdev)
{
	struct pci_dev *pf = pci_lu_driver_of(pdev);
	enum pci_lu_reason why = PCI_LU_OK;
	struct pci_lu_driver *drv = NULL;
	struct pci_lu_fn *fn;

	if (!pf)
		return PCI_LU_OK;

	guard(mutex)(&pci_lu_driver_lock);
	scoped_guard(mutex, &pci_lu_lock) {
		fn = pci_lu_fn_find_or_add(pci_domain_nr(pf->bus),
					   pf->bus->number, pf->devfn);
		if (fn)
			drv = pci_lu_driver_get(fn);
	}
	if (!drv)
		return PCI_LU_REASON_NO_MEMORY;

	if (!drv->users) {
		if (!device_trylock(&pf->dev))
			return PCI_LU_REASON_DRIVER_BUSY;
		why = pci_lu_driver_ask(drv, pf);
		device_unlock(&pf->dev);
	}
	if (why)
		return why;
	if (drv->users++)
		return PCI_LU_OK;
	guard(mutex)(&pci_lu_lock);
	fn->blob = &drv->blob;
	pci_lu_nr_drivers++;
	return PCI_LU_OK;
}

/**
 * pci_lu_driver_unpreserve - a function is not preserved any more
 * @pdev: the function, one that pci_lu_driver_preserve() accepted
 *
 * Context: Process context, without pci_lu_lock.
 */
void pci_lu_driver_unpreserve(struct pci_dev *pdev)
{
	struct pci_dev *pf = pci_lu_driver_of(pdev);
	struct pci_lu_driver *drv;

	if (!pf)
		return;
	guard(mutex)(&pci_lu_driver_lock);
	drv = pci_lu_fn_find(pf)->driver;
	if (--drv->users)
		return;
	drv->ops->unpreserve(pf);
	guard(mutex)(&pci_lu_lock);
	drv->ops = NULL;
	drv->nr_rows = 0;
	drv->fn->blob = NULL;
	pci_lu_nr_drivers--;
}

/* All who need the function stand still, and at least one goes on in the new kernel. */
static int pci_lu_driver_freeze_last(struct pci_lu_driver *drv, struct pci_dev *pf)
{
	int len;

	if (!device_trylock(&pf->dev)) {
		pci_err(pf, "live update: cannot freeze: it is being unbound, reset or changed\n");
		return -EBUSY;
	}
	len = drv->ops->freeze(pf, drv->blob.data);
	if (len < 0) {
		pci_err(pf, "live update: cannot freeze: %s refuses (%pe)\n",
			pf->driver->name, ERR_PTR(len));
		goto unlock;
	}
	if (len > PCI_LU_BLOB_SIZE) {	/* and has written elsewhere */
		pci_err(pf, "live update: cannot freeze: %s hands over %d bytes\n",
			pf->driver->name, len);
		len = -E2BIG;
		goto unfreeze;
	}
	drv->blob.size = len;
	len = pci_lu_msi_quiesce(pf, &drv->irq);
	if (!len)
		len = pci_lu_freeze_depended(drv->fn);
	if (len)
		goto unquiesce;
	drv->frozen = true;
	return 0;

unquiesce:
	pci_lu_msi_unquiesce(pf, &drv->irq);
unfreeze:
	drv->ops->unfreeze(pf);
unlock:
	device_unlock(&pf->dev);
	return len;
}

/**
 * pci_lu_driver_freeze - a function stands still
 * @pdev: the function
 * @dropped: it does not go on in the new kernel
 *
 * Context: Process context, from reboot(2), without pci_lu_lock.
 * Return: 0, or a negative errno with everything as it was.
 */
int pci_lu_driver_freeze(struct pci_dev *pdev, bool dropped)
{
	struct pci_dev *pf = pci_lu_driver_of(pdev);
	struct pci_lu_driver *drv;
	int err;

	if (!pf)
		return 0;
	guard(mutex)(&pci_lu_driver_lock);
	drv = pci_lu_fn_find(pf)->driver;
	drv->still++;
	drv->alive += !dropped;
	if (drv->still < drv->users || !drv->alive)
		return 0;
	err = pci_lu_driver_freeze_last(drv, pf);
	if (err) {
		drv->still--;
		drv->alive -= !dropped;
	}
	return err;
}

/**
 * pci_lu_driver_unfreeze - a function is about to be let go
 * @pdev: the function
 * @dropped: as in pci_lu_driver_freeze()
 *
 * Context: Process context, from reboot(2), without pci_lu_lock.
 */
void pci_lu_driver_unfreeze(struct pci_dev *pdev, bool dropped)
{
	struct pci_dev *pf = pci_lu_driver_of(pdev);
	struct pci_lu_driver *drv;

	if (!pf)
		return;
	guard(mutex)(&pci_lu_driver_lock);
	drv = pci_lu_fn_find(pf)->driver;
	if (drv->frozen) {
		drv->frozen = false;
		pci_lu_unfreeze_depended(drv->fn);
		pci_lu_msi_unquiesce(pf, &drv->irq);
		drv->ops->unfreeze(pf);
		device_unlock(&pf->dev);
	}
	drv->still--;
	drv->alive -= !dropped;
}

/**
 * pci_lu_drop - a preserved function is dropped at freeze
 * @pdev: the function
 *
 * Whose driver it needs need not wait for it.
 *
 * Context: Process context, from reboot(2). Paired with pci_lu_undrop().
 * Return: 0, or a negative errno when the update must be refused.
 */
int pci_lu_drop(struct pci_dev *pdev)
{
	return pci_lu_driver_freeze(pdev, true);
}
EXPORT_SYMBOL_GPL(pci_lu_drop);

/**
 * pci_lu_undrop - undo pci_lu_drop(): the update was called off
 * @pdev: the function
 */
void pci_lu_undrop(struct pci_dev *pdev)
{
	pci_lu_driver_unfreeze(pdev, true);
}
EXPORT_SYMBOL_GPL(pci_lu_undrop);
