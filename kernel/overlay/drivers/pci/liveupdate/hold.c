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

/* BARs, and what VFs have theirs from; the ROM is not in use. */
static bool pci_lu_is_bar(int i)
{
	return i < PCI_STD_NUM_BARS || pci_resource_is_iov(i);
}

static void pci_lu_fix_bars(struct pci_lu_fn *fn, struct pci_dev *pdev)
{
	int i;

	for (i = 0; i < PCI_BRIDGE_RESOURCES; i++) {
		struct resource *res = pci_resource_n(pdev, i);

		if (!pci_lu_is_bar(i) || !res->flags ||
		    res->flags & IORESOURCE_PCI_FIXED)
			continue;
		res->flags |= IORESOURCE_PCI_FIXED;
		fn->fixed |= BIT(i);
	}
}

static void pci_lu_unfix_bars(struct pci_lu_fn *fn, struct pci_dev *pdev)
{
	int i;

	for (i = 0; i < PCI_BRIDGE_RESOURCES; i++)
		if (fn->fixed & BIT(i))
			pci_resource_n(pdev, i)->flags &= ~IORESOURCE_PCI_FIXED;
	fn->fixed = 0;
}

static void pci_lu_hold_ats(struct pci_lu_fn *fn, struct pci_dev *pdev)
{
#ifdef CONFIG_PCI_ATS
	u16 ctrl = fn->ser.ats_ctrl;

	/* VFs have the unit of their PF, whether the PF has ATS on or not. */
	if (pdev->is_physfn && pdev->ats_cap)
		pdev->ats_stu = PCI_ATS_MIN_STU + PCI_ATS_CTRL_STU(ctrl);
	/* Off in the device, and kept so: nobody may believe that it is on. */
	if (!(ctrl & PCI_ATS_CTRL_ENABLE))
		pdev->ats_cap = 0;
#endif
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
	struct pci_dev *up, *below = pdev;
	u16 cmd;

	fn->pdev = pci_dev_get(pdev);
	fn->no_bus_reset = pdev->dev_flags & PCI_DEV_FLAGS_NO_BUS_RESET;
	pdev->dev_flags |= PCI_DEV_FLAGS_NO_BUS_RESET;
	if (!pci_lu_is_companion(fn))
		pdev->reset_methods[0] = 0;
	pci_read_config_word(pdev, PCI_COMMAND, &cmd);
	pdev->is_busmaster = !!(cmd & PCI_COMMAND_MASTER);
	pm_runtime_get_noresume(&pdev->dev);
	if (fn->bridge)
		return;

	if (!pci_lu_is_companion(fn)) {
		pci_lu_fix_bars(fn, pdev);
		pci_lu_hold_ats(fn, pdev);
	}
	for (up = pci_lu_up(pdev); up; below = up, up = pci_lu_up(up)) {
		struct pci_lu_fn *needed = pci_lu_fn_find(up);

		if (!needed || needed->state != PCI_LU_ADOPTED)
			continue;
		needed->depended++;
		needed->vfs += below->is_virtfn;
	}
}

/* A bridge, or a PF, that nobody needs any more. */
static void pci_lu_release_unneeded(struct pci_lu_fn *fn)
{
	if (fn->state != PCI_LU_ADOPTED || fn->own || fn->depended ||
	    fn->scanning)
		return;
	if (fn->driver) {	/* which hears of it first */
		pci_lu_driver_settle_later(fn);
		return;
	}
	pci_lu_guard_disarm(fn);
	pci_lu_release(fn);
}

/**
 * pci_lu_scanned - all that needs a function was found
 * @fn: a bridge, and what is below; a PF, and its VFs; function 0, and the others
 *
 * If nothing of that was adopted it is an ordinary one from now on.
 *
 * Context: Process context, under pci_lu_lock.
 */
void pci_lu_scanned(struct pci_lu_fn *fn)
{
	fn->scanning = false;
	pci_lu_release_unneeded(fn);
}

/**
 * pci_lu_release_own - the owner of a function has finished
 * @fn: an adopted function
 *
 * If somebody else needs it, it stays adopted, and is guarded for them alone.
 *
 * Context: Process context, under pci_lu_lock.
 */
void pci_lu_release_own(struct pci_lu_fn *fn)
{
	struct pci_dev *pdev = fn->pdev;

	pci_lu_incoming_put(fn);
	if (!fn->depended) {
		pci_lu_guard_disarm(fn);
		pci_lu_release(fn);
		return;
	}
	pci_lu_guard_roles(fn);
	pci_lu_resync(fn, pdev);
	/* From now on it is its owner's alone to say. */
	pci_lu_allow_intx(pdev);
}

/**
 * pci_lu_release - a function is an ordinary one again
 * @fn: a function that pci_lu_adopt() took, guard disarmed
 *
 * Context: Process context, under pci_lu_lock.
 */
void pci_lu_release(struct pci_lu_fn *fn)
{
	struct pci_dev *pdev = fn->pdev, *up, *next, *below = fn->pdev;

	if (!fn->bridge) {
		pci_lu_unfix_bars(fn, pdev);
		for (up = pci_lu_up(pdev); up; below = up, up = next) {
			struct pci_lu_fn *needed = pci_lu_fn_find(up);

			next = pci_lu_up(up);
			if (!needed || needed->state != PCI_LU_ADOPTED)
				continue;
			needed->depended--;
			needed->vfs -= below->is_virtfn;
			pci_lu_release_unneeded(needed);
		}
	}

	fn->state = PCI_LU_IDLE;
	fn->pdev = NULL;
	pci_lu_resync(fn, pdev);
	if (!fn->no_bus_reset)
		pdev->dev_flags &= ~PCI_DEV_FLAGS_NO_BUS_RESET;
	if (!pci_lu_is_companion(fn))
		pci_init_reset_methods(pdev);
	pm_runtime_put(&pdev->dev);
	pci_dev_put(pdev);
}
