// SPDX-License-Identifier: GPL-2.0
/*
 * PCI live update, new kernel: errors that nobody saw, because there was no kernel.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: Errors between two kernels
 *
 * From the shutdown of its port's driver in the old kernel to the setup of AER in
 * the new one nobody handles an error of a device in flight, and pci_aer_init()
 * and aer_enable_rootport() clear what they find. An uncorrectable error may have
 * cost a request: its owner has to know.
 *
 * So status is latched when the guard is put on a bus, before the scan touches
 * anything, and once more when the owner comes back. What was there at freeze
 * already is in the record, and does not count. An error of the function or of a
 * bridge above it is logged, and its owner asks with pci_lu_errors().
 *
 * Downstream Port Containment stays armed in between (PORT.DPC.ENABLE): a port
 * that has contained an error holds its link down, and what is below it is fenced
 * as gone.
 */

#define pr_fmt(fmt) "PCI: live update: " fmt

#include "internal.h"

/**
 * pci_lu_latch_errors - remember the uncorrectable errors that a function shows
 * @fn: a listed or adopted function, prepared
 * @r: how to read it
 *
 * Context: under pci_lu_lock.
 */
void pci_lu_latch_errors(struct pci_lu_fn *fn, struct pci_lu_reader *r)
{
	u32 status;

	if (!fn->layout.aer)
		return;
	status = pci_lu_read(r, fn->layout.aer + PCI_ERR_UNCOR_STATUS, 4);
	if (PCI_POSSIBLE_ERROR(status))
		return;
	status &= ~(fn->ser.uncor_status | fn->errors);
	if (!status)
		return;
	fn->errors |= status;
	pr_err("%04x:%02x:%02x.%d: uncorrectable error while there was no kernel to handle it: status %#010x\n",
	       fn->segment, fn->bus, PCI_SLOT(fn->devfn), PCI_FUNC(fn->devfn), status);
}

/**
 * pci_lu_errors - errors of an adopted function that nobody has handled
 * @pdev: the function
 *
 * Return: bits of Uncorrectable Error Status, of the function and the bridges above.
 */
u32 pci_lu_errors(struct pci_dev *pdev)
{
	struct pci_dev *dev;
	u32 errors = 0;

	guard(mutex)(&pci_lu_lock);
	for (dev = pdev; dev; dev = pci_lu_up(dev)) {
		struct pci_lu_fn *fn = pci_lu_fn_find(dev);

		if (fn && fn->state == PCI_LU_ADOPTED)
			errors |= fn->errors;
	}
	return errors;
}
EXPORT_SYMBOL_GPL(pci_lu_errors);
