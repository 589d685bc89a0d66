/* SPDX-License-Identifier: GPL-2.0 */
/*
 * PCI live update: the driver of a function on which preserved ones depend.
 *
 * Copyright (c) 2026 The holdfast authors
 */
#ifndef PCI_LIVEUPDATE_DRIVER_H
#define PCI_LIVEUPDATE_DRIVER_H

#include <linux/kho/abi/pci_liveupdate.h>
#include <linux/pci_liveupdate_reason.h>
#include <linux/workqueue.h>

#include "policy.h"

struct pci_dev;
struct pci_liveupdate_ops;
struct pci_lu_fn;
struct pci_lu_record;

/**
 * struct pci_lu_driver - a driver that takes part
 * @fn: its function
 * @ops: old kernel: its callbacks, from preserve to unpreserve
 * @users: old kernel: preserved functions that need it
 * @still: of these, frozen or dropped
 * @alive: of these, frozen
 * @frozen: its freeze() was called; the device lock is held
 * @irq: saved interrupt masks of the function, while @frozen
 * @blob: old kernel: what it hands over, &pci_lu_fn.blob from preserve to unpreserve
 * @nr_rows: how many @rows there are
 * @row_sers: its rows, as they cross
 * @rows: the same, as the guard reads them
 * @settle: new kernel: finishes it when the device lock was not free
 *
 * Never freed: the guard may be reading @rows. Under pci_lu_driver_lock, but
 * @rows, which are written before the guard is armed.
 */
struct pci_lu_driver {
	struct pci_lu_fn *fn;
	const struct pci_liveupdate_ops *ops;
	unsigned int users;
	unsigned int still;
	unsigned int alive;
	bool frozen;
	struct pci_lu_msi irq;
	struct pci_lu_blob_ser blob;
	unsigned int nr_rows;
	struct pci_lu_row_ser row_sers[PCI_LU_DRIVER_ROWS];
	struct pci_lu_row rows[PCI_LU_DRIVER_ROWS];
	struct work_struct settle;
};

/* driver.c: old kernel; @pdev is a function that may need another's driver */
struct pci_dev *pci_lu_driver_of(struct pci_dev *pdev);
enum pci_lu_reason pci_lu_driver_preserve(struct pci_dev *pdev);
void pci_lu_driver_unpreserve(struct pci_dev *pdev);
int pci_lu_driver_freeze(struct pci_dev *pdev, bool dropped);
void pci_lu_driver_unfreeze(struct pci_dev *pdev, bool dropped);
struct pci_lu_driver *pci_lu_driver_get(struct pci_lu_fn *fn);
void pci_lu_driver_add_rows(struct pci_lu_fn *fn);
size_t pci_lu_driver_room(void);
int pci_lu_driver_write(const struct pci_lu_fn *fn, void *record, size_t len);

/* driver_incoming.c: new kernel */
enum pci_lu_reason pci_lu_driver_list(struct pci_lu_fn *fn,
				      const struct pci_lu_record *rec);
void pci_lu_driver_settle(struct pci_dev *pdev);
void pci_lu_driver_settle_later(struct pci_lu_fn *fn);
void pci_lu_driver_settle_work(struct work_struct *work);

#endif /* PCI_LIVEUPDATE_DRIVER_H */
