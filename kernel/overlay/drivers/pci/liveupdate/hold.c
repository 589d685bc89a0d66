// SPDX-License-Identifier: GPL-2.0
/*
 * PCI live update, new kernel: what an adopted function is kept from, until its owner has
 * finished.
 *
 * Copyright (c) 2026 The holdfast authors
 */

#include <linux/pm_runtime.h>

#include "../pci.h"
#include "internal.h"

static void pci_lu_fix_bars(struct pci_lu_fn *fn, struct pci_dev *pdev)
{
	int i;

	for (i = 0; i < PCI_STD_NUM_BARS; i++) {
		struct resource *res = pci_resource_n(pdev, i);

		if (!res->flags || res->flags & IORESOURCE_PCI_FIXED)
			continue;
		res->flags |= IORESOURCE_PCI_FIXED;
		fn->fixed |= BIT(i);
	}
}

static void pci_lu_unfix_bars(struct pci_lu_fn *fn, struct pci_dev *pdev)
{
	int i;

	for (i = 0; i < PCI_STD_NUM_BARS; i++)
		if (fn->fixed & BIT(i))
			pci_resource_n(pdev, i)->flags &= ~IORESOURCE_PCI_FIXED;
	fn->fixed = 0;
}

/**
 * pci_lu_hold - keep from a function what would take it out of its work
 * @fn: a function that was found
 * @pdev: its device
 *
 * Context: PCI scan, under pci_lu_lock.
 */
void pci_lu_hold(struct pci_lu_fn *fn, struct pci_dev *pdev)
{
	struct pci_dev *up;
	u16 cmd;

	fn->pdev = pci_dev_get(pdev);
	fn->no_bus_reset = pdev->dev_flags & PCI_DEV_FLAGS_NO_BUS_RESET;
	pdev->dev_flags |= PCI_DEV_FLAGS_NO_BUS_RESET;
	pdev->reset_methods[0] = 0;
	pci_read_config_word(pdev, PCI_COMMAND, &cmd);
	pdev->is_busmaster = !!(cmd & PCI_COMMAND_MASTER);
	pm_runtime_get_noresume(&pdev->dev);
	if (fn->bridge)
		return;

	pci_lu_fix_bars(fn, pdev);
#ifdef CONFIG_PCI_ATS
	/* Off in the device, and kept so: nobody may believe that it is on. */
	if (!(fn->ser.ats_ctrl & PCI_ATS_CTRL_ENABLE))
		pdev->ats_cap = 0;
#endif
	for (up = pci_upstream_bridge(pdev); up; up = pci_upstream_bridge(up)) {
		struct pci_lu_fn *bridge = pci_lu_fn_find(up);

		if (bridge && bridge->state == PCI_LU_ADOPTED)
			bridge->depended++;
	}
}

/* Nobody needs the bridge any more. */
static void pci_lu_release_bridge(struct pci_lu_fn *bridge)
{
	if (bridge->state != PCI_LU_ADOPTED || bridge->depended ||
	    bridge->scanning)
		return;
	pci_lu_guard_disarm(bridge);
	pci_lu_release(bridge);
}

/**
 * pci_lu_scanned - all that is below a bridge was found
 * @bridge: the bridge
 *
 * If nothing below it was adopted it is an ordinary one from now on.
 *
 * Context: Process context, under pci_lu_lock.
 */
void pci_lu_scanned(struct pci_lu_fn *bridge)
{
	bridge->scanning = false;
	pci_lu_release_bridge(bridge);
}

/**
 * pci_lu_release - a function is an ordinary one again
 * @fn: a function that pci_lu_adopt() took, guard disarmed
 *
 * Context: Process context, under pci_lu_lock.
 */
void pci_lu_release(struct pci_lu_fn *fn)
{
	struct pci_dev *pdev = fn->pdev, *up;

	if (!fn->bridge) {
		pci_lu_unfix_bars(fn, pdev);
		for (up = pci_upstream_bridge(pdev); up; up = pci_upstream_bridge(up)) {
			struct pci_lu_fn *bridge = pci_lu_fn_find(up);

			if (!bridge || bridge->state != PCI_LU_ADOPTED)
				continue;
			bridge->depended--;
			pci_lu_release_bridge(bridge);
		}
	}

	fn->state = PCI_LU_IDLE;
	fn->pdev = NULL;
	pci_lu_resync(fn, pdev);
	if (!fn->no_bus_reset)
		pdev->dev_flags &= ~PCI_DEV_FLAGS_NO_BUS_RESET;
	pci_init_reset_methods(pdev);
	pm_runtime_put(&pdev->dev);
	pci_dev_put(pdev);
}
