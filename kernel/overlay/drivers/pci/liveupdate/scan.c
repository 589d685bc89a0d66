// SPDX-License-Identifier: GPL-2.0
/*
 * PCI live update, new kernel: the scan, from the first root bus to the last initcall.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: New kernel, order of steps
 *
 * 1. kho_populate(), kho_memory_init(), liveupdate_early_init(): not ours.
 * 2. subsys_initcall, pci_register_host_bridge() of each root bus, before its
 *    config space is touched: pci_lu_guard_ops(). The first call reads and checks the
 *    record. If this kernel cannot take the functions over (live update off, the
 *    IOMMU off, bus numbers to be reassigned, a record it does not understand) the
 *    functions are fenced right here: Bus Master off. Otherwise the guard is
 *    armed on the buses that hold a listed function, and their children follow
 *    in pci_alloc_child_bus().
 * 3. pci_init_capabilities(): pci_lu_adopt() compares each listed function with the
 *    record and adopts or fences it (adopt.c).
 *    pci_bus_add_device(): pci_lu_may_bind() resets a function that was fenced. A
 *    bridge below which nothing was adopted is let go.
 *    fs_initcall_sync, after resources were assigned: pci_lu_survey() makes the
 *    VFs of adopted PFs, which are adopted like all else ("SR-IOV"), compares again, and
 *    fences what was moved.
 * 4. rootfs_initcall, pci_iommu_init(): the IOMMU driver takes over the translation,
 *    or fences each function that it cannot take over.
 * 5. device_initcall: portdrv binds to the bridges, vfio-pci to the functions.
 *    late_initcall: what is listed and was not found is given up. From here
 *    on a device that is removed before its owner has finished is fenced, and
 *    the system does not go to sleep while one is waiting.
 * 6. The owner retrieves its function, attaches it to new mappings, re-arms
 *    interrupts; pci_lu_finish() ends the update for this function, and for each
 *    bridge when it is the last one below it. When no listed function is left,
 *    the record is freed.
 *
 * Steps 2 to 5 run on one CPU, before userspace. pci_lu_lock covers the state
 * of all functions; from step 6 on different owners may finish concurrently.
 */

#define pr_fmt(fmt) "PCI: live update: " fmt

#include <linux/iommu_liveupdate.h>
#include <linux/liveupdate.h>
#include <linux/suspend.h>
#include <linux/xarray.h>

#include "internal.h"

/* Why this kernel can adopt no function at all. */
static const char *pci_lu_scan_refusal(void)
{
	enum pci_lu_reason why;

	if (pci_lu_incoming_refused())
		return pci_lu_incoming_refused();
	if (!liveupdate_enabled())
		return pci_lu_reason_text(PCI_LU_REASON_ADOPT_DISABLED);
	if (pcibios_assign_all_busses())
		return pci_lu_reason_text(PCI_LU_REASON_ASSIGN_BUSSES);
	why = iommu_lu_not_ready();
	return why == PCI_LU_OK ? NULL : pci_lu_reason_text(why);
}

/* Arm the guard on the listed functions of a bus. */
static struct pci_ops *pci_lu_guard_bus(struct pci_bus *bus, struct pci_ops *ops)
{
	unsigned long first = pci_lu_key(pci_domain_nr(bus), bus->number, 0);
	struct pci_lu_reader r = { .bus = bus, .ops = pci_lu_inner_ops(ops) };
	struct pci_ops *guarded = ops;
	enum pci_lu_reason why;
	struct pci_lu_fn *fn;
	unsigned long key;

	xa_for_each_range(&pci_lu_fns, key, fn, first, first + 0xff) {
		if (fn->state == PCI_LU_FENCED)
			guarded = pci_lu_guard_bar(fn, bus, guarded);
		if (fn->state != PCI_LU_LISTED || fn->mode != PCI_LU_OPEN ||
		    fn->refused)
			continue;
		why = fn->own ? iommu_lu_cannot_adopt(fn->segment, fn->bus, fn->devfn) :
				PCI_LU_OK;
		if (why) {
			fn->refused = pci_lu_reason_text(why);
			continue;
		}
		why = pci_lu_guard_prepare(fn, bus, ops);
		if (why) {
			fn->refused = pci_lu_reason_text(why);
			continue;
		}
		r.devfn = fn->devfn;
		pci_lu_latch_errors(fn, &r);
		if (pci_lu_disabled(PCI_LU_GUARD))
			continue;
		guarded = pci_lu_guard_arm(fn, ops);
	}
	return guarded;
}

/**
 * pci_lu_guard_ops - hook: a bus was allocated and its config space is untouched
 * @bus: the bus, with its segment and number
 * @ops: its config accessors, perhaps those of its parent with a guard around
 *
 * Context: PCI scan, process context.
 * Return: the accessors that the bus must use.
 */
struct pci_ops *pci_lu_guard_ops(struct pci_bus *bus, struct pci_ops *ops)
{
	const char *why;

	guard(mutex)(&pci_lu_lock);
	ops = pci_lu_inner_ops(ops);
	pci_lu_incoming_read();
	if (pci_is_root_bus(bus) && pci_lu_incoming()) {
		why = pci_lu_scan_refusal();
		if (why)
			pci_lu_fence_root(bus, ops, why);
	}
	return pci_lu_guard_bus(bus, ops);
}

/**
 * pci_lu_preserve_config - hook: resources below a host bridge must not move
 * @bridge: the host bridge
 *
 * Return: true when a listed function is in its segment.
 */
bool pci_lu_preserve_config(struct pci_host_bridge *bridge)
{
	unsigned long first = pci_lu_key(pci_domain_nr(bridge->bus), 0, 0);
	struct pci_lu_fn *fn;
	unsigned long key;

	xa_for_each_range(&pci_lu_fns, key, fn, first, first + 0xffff)
		if (fn->state == PCI_LU_LISTED)
			return true;
	return false;
}

/**
 * pci_lu_may_bind - hook: may a device that was added get a driver?
 * @pdev: the device; all that is on its bus and below was found
 *
 * Context: Process context, before the first driver can bind.
 * Return: false for a fenced function that cannot be reset.
 */
bool pci_lu_may_bind(struct pci_dev *pdev)
{
	struct pci_lu_fn *fn = pci_lu_fn_find(pdev);

	if (!fn)
		return true;
	scoped_guard(mutex, &pci_lu_lock)
		if (fn->bridge && fn->scanning)
			pci_lu_scanned(fn);
	return !pci_lu_fenced(pdev) || pci_lu_reset(pdev);
}

/* Before iommu_release_device(): the old translation ends with the device. */
static int pci_lu_bus_notify(struct notifier_block *nb, unsigned long action,
			     void *data)
{
	if (action == BUS_NOTIFY_DEL_DEVICE)
		pci_lu_fence_removed(to_pci_dev(data));
	return NOTIFY_DONE;
}

static struct notifier_block pci_lu_bus_nb = {
	.notifier_call = pci_lu_bus_notify,
};

/* Asleep, translation is off and the device is not what was recorded. */
static int pci_lu_pm_notify(struct notifier_block *nb, unsigned long action,
			    void *data)
{
	struct pci_lu_fn *fn;
	unsigned long key;

	if (!pci_lu_incoming() || (action != PM_SUSPEND_PREPARE &&
				   action != PM_HIBERNATION_PREPARE))
		return NOTIFY_DONE;
	guard(mutex)(&pci_lu_lock);
	xa_for_each(&pci_lu_fns, key, fn)
		if (fn->state == PCI_LU_ADOPTED && fn->own)
			pci_warn(fn->pdev, "live update: its owner has not finished: no sleep until then\n");
	return notifier_from_errno(-EBUSY);
}

static struct notifier_block pci_lu_pm_nb = {
	.notifier_call = pci_lu_pm_notify,
};

/*
 * Resources were assigned: VFs can be made. A function of which one was moved is fenced before its
 * old addresses can be given to the driver of another, and so is who does DMA to a function that
 * was not found.
 */
static int __init pci_lu_survey(void)
{
	struct pci_lu_fn *fn;
	unsigned long key;

	pci_lu_create_vfs();
	scoped_guard(mutex, &pci_lu_lock)
		xa_for_each(&pci_lu_fns, key, fn)
			if (fn->state == PCI_LU_ADOPTED && !fn->bridge)
				pci_lu_scanned(fn);
	xa_for_each(&pci_lu_fns, key, fn) {
		const char *why;

		if (fn->bridge || pci_lu_is_companion(fn) || fn->state != PCI_LU_ADOPTED)
			continue;
		why = pci_lu_verify(fn->pdev) ?: pci_lu_lost_target_of(fn);
		if (why)
			pci_lu_fence_function(fn->pdev, why);
	}
	return 0;
}
fs_initcall_sync(pci_lu_survey);

/* The scan is over: what is listed and was not found will not come. */
static int __init pci_lu_scan_done(void)
{
	struct pci_lu_fn *fn;
	unsigned long key;

	if (xa_empty(&pci_lu_fns))
		return 0;

	bus_register_notifier(&pci_bus_type, &pci_lu_bus_nb);
	register_pm_notifier(&pci_lu_pm_nb);

	guard(mutex)(&pci_lu_lock);
	xa_for_each(&pci_lu_fns, key, fn) {
		if (fn->state == PCI_LU_LISTED) {
			pr_err("%04x:%02x:%02x.%d: %s\n",
			       fn->segment, fn->bus, PCI_SLOT(fn->devfn),
			       PCI_FUNC(fn->devfn),
			       pci_lu_reason_text(PCI_LU_REASON_ADOPT_MISSING));
			pci_lu_guard_disarm(fn);
			fn->state = PCI_LU_IDLE;
			pci_lu_incoming_put(fn);
		}
	}
	return 0;
}
late_initcall(pci_lu_scan_done);
