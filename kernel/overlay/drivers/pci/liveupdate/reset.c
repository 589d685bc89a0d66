// SPDX-License-Identifier: GPL-2.0
/*
 * PCI live update, new kernel: a fenced function is reset, and is free again.
 *
 * Copyright (c) 2026 The holdfast authors
 */

#include <linux/iommu_liveupdate.h>
#include <linux/pm_runtime.h>
#include <linux/xarray.h>

#include "../pci.h"
#include "internal.h"

/* A BAR that had an address has none after a reset. */
static bool pci_lu_bars_cleared(struct pci_dev *pdev)
{
	bool cleared = false;
	int i;

	for (i = 0; i < PCI_STD_NUM_BARS; i++) {
		u32 want = pdev->saved_config_space[PCI_BASE_ADDRESS_0 / 4 + i];
		u32 val;

		pci_read_config_dword(pdev, PCI_BASE_ADDRESS_0 + 4 * i, &val);
		if (!(want & PCI_BASE_ADDRESS_MEM_MASK))
			continue;
		if (val & PCI_BASE_ADDRESS_MEM_MASK)
			return false;
		cleared = true;
	}
	return cleared;
}

/*
 * The core believes a reset whose write was lost, and so must not we. The fence
 * has set INTx Disable, and pci_dev_save_and_disable() has not cleared it: only
 * the reset has. Where that bit is hardwired to 0 the BARs tell, and MSI-X Function
 * Mask of a VF, which has no BARs of its own.
 */
static bool pci_lu_reset_seen(const struct pci_lu_fn *fn, struct pci_dev *pdev)
{
	u16 cmd;

	pci_read_config_word(pdev, PCI_COMMAND, &cmd);
	if (PCI_POSSIBLE_ERROR(cmd) || cmd & PCI_COMMAND_MASTER)
		return false;
	if (fn->intx_sticks)
		return !(cmd & PCI_COMMAND_INTX_DISABLE);
	if (pdev->is_virtfn) {
		pci_read_config_word(pdev, pdev->msix_cap + PCI_MSIX_FLAGS, &cmd);
		return fn->msix_masked && !(cmd & PCI_MSIX_FLAGS_MASKALL);
	}
	return pci_lu_bars_cleared(pdev);
}

/* VFs that were fenced and had no device have gone with the reset of their PF. */
static void pci_lu_vfs_gone(const struct pci_lu_fn *pf)
{
	struct pci_lu_fn *fn;
	unsigned long key;

	xa_for_each(&pci_lu_fns, key, fn) {
		if (!fn->vf || fn->ser.needs != pf->index + 1 ||
		    fn->state != PCI_LU_FENCED || !fn->unseen)
			continue;
		pci_lu_guard_disarm(fn);
		fn->state = PCI_LU_IDLE;
	}
}

/**
 * pci_lu_was_reset - hook: somebody has tried to reset a device
 * @pdev: the device; its configuration has not been restored yet
 *
 * Context: Process context, device lock held.
 */
void pci_lu_was_reset(struct pci_dev *pdev)
{
	struct pci_lu_fn *fn = pci_lu_fn_find(pdev);

	if (!fn || !pci_lu_fenced(pdev))
		return;
	scoped_guard(mutex, &pci_lu_lock) {
		if (fn->state != PCI_LU_FENCED || !pci_lu_reset_seen(fn, pdev))
			return;
		pci_lu_guard_disarm(fn);
		WRITE_ONCE(fn->state, PCI_LU_IDLE);
		if (fn->ser.flags & PCI_LU_FN_PF)
			pci_lu_vfs_gone(fn);
	}
	iommu_lu_unfenced(&pdev->dev);
	/* Added already: it was barred from binding later. */
	if (pci_dev_is_added(pdev))
		pci_dev_allow_binding(pdev);
	pci_info(pdev, "live update: was reset, not fenced any more\n");
}

/**
 * pci_lu_reset - reset a fenced function
 * @pdev: the device
 *
 * Context: Process context, without locks that a reset takes.
 * Return: true when it is an ordinary one now.
 */
bool pci_lu_reset(struct pci_dev *pdev)
{
	struct pci_lu_fn *fn = pci_lu_fn_find(pdev);
	int err;

	scoped_guard(mutex, &pci_lu_lock)
		fn->unseen = false;
	pm_runtime_get_sync(&pdev->dev);
	err = pci_try_reset_function(pdev);
	pm_runtime_put(&pdev->dev);
	if (!pci_lu_fenced(pdev))
		return true;
	pci_err(pdev, "live update: stays fenced, no driver can bind: %s (%d); reset its bus, remove it and rescan, or switch its slot off and on\n",
		err ? "it cannot be reset" : "a reset has no effect", err);
	return false;
}
