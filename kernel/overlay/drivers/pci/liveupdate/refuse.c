// SPDX-License-Identifier: GPL-2.0
/*
 * PCI live update, old kernel: which functions cannot be preserved, and why.
 *
 * Copyright (c) 2026 The holdfast authors
 */

#include <linux/xarray.h>

#include "../pci.h"
#include "internal.h"

static enum pci_lu_reason pci_lu_path_refusal(struct pci_dev *pdev)
{
	struct pci_dev *bridge;

	for (bridge = pci_upstream_bridge(pdev); bridge;
	     bridge = pci_upstream_bridge(bridge)) {
		if (!pci_is_pcie(bridge))
			return PCI_LU_REASON_CONVENTIONAL_BRIDGE;
		switch (pci_pcie_type(bridge)) {
		case PCI_EXP_TYPE_ROOT_PORT:
		case PCI_EXP_TYPE_UPSTREAM:
		case PCI_EXP_TYPE_DOWNSTREAM:
			break;
		default:
			return PCI_LU_REASON_CONVENTIONAL_BRIDGE;
		}
	}
	return PCI_LU_OK;
}

/* The function, or one that it needs, still is in the previous update. */
static bool pci_lu_unfinished(struct pci_dev *pdev)
{
	struct pci_dev *zero __free(pci_dev_put) = pci_lu_companion_get(pdev);

	for (; pdev; pdev = pci_lu_up(pdev)) {
		struct pci_lu_fn *fn = pci_lu_fn_find(pdev);

		if (fn && READ_ONCE(fn->state) == PCI_LU_ADOPTED)
			return true;
	}
	return false;
}

/* What holds the settings of all its functions must be there, so that it can be guarded. */
static bool pci_lu_function_0_lost(struct pci_dev *pdev)
{
	struct pci_dev *zero __free(pci_dev_put) = pci_lu_companion_get(pdev);

	return pci_lu_needs_companion(pci_physfn(pdev)) && !zero;
}

/* Does it use MSI that can be masked without falling back to INTx? */
static bool pci_lu_msi_maskable(struct pci_dev *pdev)
{
	u16 flags;

	if (!pdev->msi_enabled)
		return false;
	pci_read_config_word(pdev, pdev->msi_cap + PCI_MSI_FLAGS, &flags);
	return flags & PCI_MSI_FLAGS_MASKBIT;
}

/**
 * pci_lu_pf_refusal - why a PF cannot be kept for its VFs
 * @pf: the PF
 *
 * Its registers can, but for a while nobody drives it: a driver must be able to stand
 * still, and to go on where it was (driver.c). One that is open by VFIO works
 * for an owner whose memory does not cross, unless that owner has preserved it;
 * so the PF comes first.
 *
 * Return: the reason, or %PCI_LU_OK.
 */
enum pci_lu_reason pci_lu_pf_refusal(struct pci_dev *pf)
{
	const struct pci_driver *drv = READ_ONCE(pf->driver);
	const struct pci_lu_fn *fn = pci_lu_fn_find(pf);

	if (!drv)
		return PCI_LU_REASON_PF_DRIVER;
	if (strcmp(drv->name, PCI_LU_VFIO)) {
		if (!drv->liveupdate)
			return PCI_LU_REASON_PF_DRIVER;
	} else if (pci_is_enabled(pf) && !(fn && READ_ONCE(fn->requested))) {
		return PCI_LU_REASON_PF_NOT_PRESERVED;
	}
	/* What would have kept the PF from being preserved. */
	if (pci_find_capability(pf, PCI_CAP_ID_EA))
		return PCI_LU_REASON_ENHANCED_ALLOCATION;
	if (pcie_is_cxl(pf))
		return PCI_LU_REASON_CXL;
	if (pci_find_ext_capability(pf, PCI_EXT_CAP_ID_IDE))
		return PCI_LU_REASON_IDE;
	return pf->current_state == PCI_D0 ? PCI_LU_OK : PCI_LU_REASON_POWER_STATE;
}

static enum pci_lu_reason pci_lu_check(struct pci_dev *pdev)
{
	enum pci_lu_reason why;

	if (pci_lu_fenced(pdev))
		return PCI_LU_REASON_FENCED;
	if (pci_lu_unfinished(pdev))
		return PCI_LU_REASON_NOT_FINISHED;
	if (pdev->is_virtfn) {
		why = pci_lu_pf_refusal(pci_physfn(pdev));
		if (why)
			return why;
	}
	if (pci_is_vga(pdev))
		return PCI_LU_REASON_VGA;
	if (!pci_is_pcie(pdev))
		return PCI_LU_REASON_NOT_PCIE;
	if (pci_lu_function_0_lost(pdev))
		return PCI_LU_REASON_NO_FUNCTION_0;
	if (pci_find_capability(pdev, PCI_CAP_ID_EA))
		return PCI_LU_REASON_ENHANCED_ALLOCATION;
	if (pcie_is_cxl(pdev))
		return PCI_LU_REASON_CXL;
	if (pci_find_ext_capability(pdev, PCI_EXT_CAP_ID_IDE))
		return PCI_LU_REASON_IDE;
	if (pdev->pin && pdev->broken_intx_masking && !pdev->msix_enabled &&
	    !pci_lu_msi_maskable(pdev))
		return PCI_LU_REASON_INTX_ONLY;
	if (is_vmd(pdev->bus))
		return PCI_LU_REASON_VMD;
	if (pcibios_assign_all_busses())
		return PCI_LU_REASON_ASSIGN_BUSSES;
	if (pdev->current_state != PCI_D0)
		return PCI_LU_REASON_POWER_STATE;

	return pci_lu_path_refusal(pdev);
}

/**
 * pci_lu_refusal - why a function cannot be preserved
 * @pdev: the function
 *
 * Return: the reason as far as the PCI core knows one, or NULL.
 */
const char *pci_lu_refusal(struct pci_dev *pdev)
{
	enum pci_lu_reason why = pci_lu_check(pdev);

	return why == PCI_LU_OK ? NULL : pci_lu_reason_text(why);
}
EXPORT_SYMBOL_GPL(pci_lu_refusal);
