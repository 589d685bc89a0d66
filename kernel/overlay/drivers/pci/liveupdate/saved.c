// SPDX-License-Identifier: GPL-2.0
/*
 * PCI live update: the state that a function is to return to when its owner lets go.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: What the next owner finds
 *
 * An owner that resets a function before it gives it to somebody keeps what the
 * function looked like then, to restore it in the end (pci_store_saved_state()). The
 * new kernel cannot take that from the function: it is in use, and what its user
 * may write, Device Control and the AER masks among it, is what the user has written.
 * So these registers cross in the record of the owner. All else in the saved state
 * is not for the user to write, and is read from the function as always.
 */

#include "../pci.h"
#include "internal.h"

/* Where they are in what pci_save_pcie_state() saves. */
#define SAVED_DEVCTL	0
#define SAVED_DEVCTL2	4

/**
 * pci_lu_saved_get - what the user may write, out of a saved state
 * @pdev: the function
 * @state: from pci_store_saved_state()
 * @saved: [out] the registers
 *
 * Context: Process context, nobody saves or restores the function.
 * Return: false if there is nothing to be had.
 */
bool pci_lu_saved_get(struct pci_dev *pdev, struct pci_saved_state *state,
		      struct pci_lu_saved *saved)
{
	struct pci_cap_saved_state *cap;
	const u16 *exp;

	memset(saved, 0, sizeof(*saved));
	if (!state || pci_load_saved_state(pdev, state))
		return false;
	/* It was only looked at. */
	pdev->state_saved = false;

	cap = pci_find_saved_cap(pdev, PCI_CAP_ID_EXP);
	if (!cap)
		return false;
	exp = (const u16 *)cap->cap.data;
	saved->devctl = exp[SAVED_DEVCTL];
	saved->devctl2 = exp[SAVED_DEVCTL2];

	cap = pci_find_saved_ext_cap(pdev, PCI_EXT_CAP_ID_ERR);
	if (cap)
		memcpy(saved->aer, cap->cap.data, sizeof(saved->aer));
	return true;
}
EXPORT_SYMBOL_GPL(pci_lu_saved_get);

/**
 * pci_lu_saved_put - put the registers into what pci_save_state() has just saved
 * @pdev: the function
 * @saved: from pci_lu_saved_get() in the previous kernel
 */
void pci_lu_saved_put(struct pci_dev *pdev, const struct pci_lu_saved *saved)
{
	struct pci_cap_saved_state *cap;
	u16 *exp;

	cap = pci_find_saved_cap(pdev, PCI_CAP_ID_EXP);
	if (!cap)
		return;
	exp = (u16 *)cap->cap.data;
	exp[SAVED_DEVCTL] = saved->devctl;
	exp[SAVED_DEVCTL2] = saved->devctl2;

	cap = pci_find_saved_ext_cap(pdev, PCI_EXT_CAP_ID_ERR);
	if (cap)
		memcpy(cap->cap.data, saved->aer, sizeof(saved->aer));
}
EXPORT_SYMBOL_GPL(pci_lu_saved_put);
