// SPDX-License-Identifier: GPL-2.0
/*
 * PCI live update, new kernel: software and device agree again when the guard goes.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: When the guard goes
 *
 * What the guard withheld has left traces in software. For each row of the policy
 * &pci_lu_row.after says how the two come to agree again:
 *
 * - most registers have no copy in software: whoever needs one reads it;
 * - BARs, bus numbers and what the IOMMU driver took over were compared, at
 *   adoption and once more when the owner came back, or the function is fenced;
 * - some copies are read again here: the power state, whether it is a bus master,
 *   LTR, ARI;
 * - the state of a link is not set up at all while the port above it is adopted:
 *   pcie_aspm_init_link_state() would remember what it wrote, and did not reach
 *   the device. Nor is it set up here, which may retrain a link under traffic.
 *   ASPM stays as the previous kernel left it until what is behind the port is
 *   found anew;
 * - some registers are written here: a window that has grown in software, and an
 *   MSI or MSI-X Enable that the kernel has cleared and the device has not. INTx
 *   is disabled first, so that nothing comes alive without a handler; where
 *   there is one for it, it is enabled if the kernel had enabled it.
 *
 * All of this is under pci_lu_lock, with the guard disarmed.
 */

#include <linux/delay.h>
#include <linux/irq.h>

#include "../pci.h"
#include "internal.h"

static void pci_lu_intx_off(struct pci_dev *pdev)
{
	u16 cmd;

	pci_read_config_word(pdev, PCI_COMMAND, &cmd);
	pci_write_config_word(pdev, PCI_COMMAND, cmd | PCI_COMMAND_INTX_DISABLE);
}

/* The owner has not re-armed: what is in the tables is of the previous kernel. */
static void pci_lu_resync_msi(struct pci_dev *pdev)
{
	u16 ctrl;

	if (pdev->msix_cap && !pdev->msix_enabled) {
		pci_read_config_word(pdev, pdev->msix_cap + PCI_MSIX_FLAGS, &ctrl);
		if (ctrl & PCI_MSIX_FLAGS_ENABLE) {
			pci_lu_intx_off(pdev);
			ctrl &= ~(PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
			pci_write_config_word(pdev, pdev->msix_cap + PCI_MSIX_FLAGS,
					      ctrl);
		}
	}
	if (pdev->msi_cap && !pdev->msi_enabled) {
		pci_read_config_word(pdev, pdev->msi_cap + PCI_MSI_FLAGS, &ctrl);
		if (ctrl & PCI_MSI_FLAGS_ENABLE) {
			pci_lu_intx_off(pdev);
			pci_write_config_word(pdev, pdev->msi_cap + PCI_MSI_FLAGS,
					      ctrl & ~PCI_MSI_FLAGS_ENABLE);
		}
	}
}

/* The kernel has enabled INTx, and by now there is somebody to handle it. */
static void pci_lu_resync_intx(const struct pci_lu_fn *fn, struct pci_dev *pdev)
{
	if (fn->shadow.intx_on && !fn->shadow.intx_allowed && !pdev->msi_enabled &&
	    !pdev->msix_enabled && irq_has_action(pdev->irq))
		pci_intx(pdev, 1);
}

static void pci_lu_reread(struct pci_dev *pdev, const struct pci_lu_layout *l)
{
	u16 val;

	pci_read_config_word(pdev, PCI_COMMAND, &val);
	pdev->is_busmaster = !!(val & PCI_COMMAND_MASTER);
	if (l->pm) {
		pci_read_config_word(pdev, l->pm + PCI_PM_CTRL, &val);
		pdev->current_state = (__force pci_power_t)(val & PCI_PM_CTRL_STATE_MASK);
	}
	if (l->pcie2) {
		pci_read_config_word(pdev, l->pcie2 + PCI_EXP_DEVCTL2, &val);
		if (pci_is_bridge(pdev))
			pdev->ari_enabled = !!(val & PCI_EXP_DEVCTL2_ARI);
#ifdef CONFIG_PCIEASPM
		pdev->ltr_path = !!(val & PCI_EXP_DEVCTL2_LTR_EN);
#endif
	}
}

/* VFs were disabled, and the guard has kept them. */
static void pci_lu_resync_vfs(struct pci_dev *pdev)
{
#ifdef CONFIG_PCI_IOV
	struct pci_sriov *iov = pdev->sriov;
	u16 ctrl;

	pci_read_config_word(pdev, iov->pos + PCI_SRIOV_CTRL, &ctrl);
	if (!(ctrl & PCI_SRIOV_CTRL_VFE) || iov->num_VFs)
		return;
	pci_write_config_word(pdev, iov->pos + PCI_SRIOV_CTRL, iov->ctrl);
	ssleep(1);
	pci_write_config_word(pdev, iov->pos + PCI_SRIOV_NUM_VF, 0);
#endif
}

/**
 * pci_lu_resync - software and an endpoint or bridge agree again
 * @fn: a function that was adopted, guard disarmed
 * @pdev: its device
 *
 * Context: Process context, under pci_lu_lock.
 */
void pci_lu_resync(struct pci_lu_fn *fn, struct pci_dev *pdev)
{
	if (pci_lu_disabled(PCI_LU_RESYNC))
		return;
	pci_lu_reread(pdev, &fn->layout);
	if (pdev->is_physfn)
		pci_lu_resync_vfs(pdev);
	if (fn->bridge) {
		pci_lu_widen_windows(pdev, &fn->ser);
	} else {
		pci_lu_resync_msi(pdev);
		pci_lu_resync_intx(fn, pdev);
	}
}
