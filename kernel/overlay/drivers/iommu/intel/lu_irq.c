// SPDX-License-Identifier: GPL-2.0
/*
 * VT-d live update: interrupt remapping stays on.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: VT-d interrupt remapping across kexec
 *
 * A write of a device to 0xfeexxxxx is an interrupt request, and whoever owns the
 * device chooses address and data. Interrupts are masked in a preserved
 * function, but it goes on with DMA, so from freeze to finish nothing but
 * interrupt remapping keeps what it sends away from the local APICs: an INIT
 * to the boot CPU, for one. Remapping is therefore never off on a unit with
 * preserved functions, and the table it uses never is one that nobody serves.
 *
 * preserve, for the first function of a unit: allocate the *handover table*, one
 *	zeroed page that KHO preserves. No entry is present, so every request in
 *	remappable format is blocked, those that name an entry beyond the page
 *	too, and recorded as a fault. Nothing of it is visible to hardware.
 * shutdown, intel_lu_irt_handover(), other CPUs stopped, interrupts off:
 *	point the unit at the handover table and invalidate the interrupt entry
 *	cache, which also drains what is on its way. From here on the live table,
 *	and with it each posted-interrupt descriptor that it names, is memory like
 *	any other. Compatibility format is blocked as before: the
 *	same command clears CFI. Nothing in this kernel needs a remapped interrupt
 *	any more: native_machine_shutdown() has cleared the IO-APICs and put the
 *	boot CPU into virtual wire mode A, which bypasses remapping, and stopped
 *	the HPET; IPIs and the timer of the local APIC are never remapped.
 * new kernel, before any initcall, enable_IR_x2apic(): the IO-APICs are masked.
 *	The queue is replaced with remapping on, then intel_lu_irt_incoming()
 *	skips the step that switches it off, and iommu_set_irq_remapping()
 *	goes from the handover table to this kernel's own, which has no entry yet
 *	either. So the two agree for every request, as the specification demands
 *	of a change while remapping is active, also when one is in x2APIC mode
 *	(EIME) and the other is not.
 * device_initcall: the handover table is freed with the other pages of the unit,
 *	when hardware has left it.
 *
 * This kernel may not remap interrupts at all ("intremap=off", "noapic"), or fail to set
 * it up. Then remapping stays on with the handover table, which at this time
 * means that interrupts of IO-APICs and MSIs do not arrive, until the first PCI
 * scan: intel_lu_irt_refusal() has all listed functions fenced there.
 * At rootfs_initcall, before drivers ask for interrupts, it is switched off.
 *
 * A unit that is not in the record goes the way it always went. When there is
 * a record that cannot be read, every unit is treated as listed.
 *
 * Going to sleep switches remapping off. That is refused while an owner has not
 * finished, and harmless before freeze. A unit that is taken out of the running system
 * has its functions fenced first.
 *
 * Locks: none of our own. intel_lu_irt_handover() runs alone; boot runs on one CPU; register_lock
 * covers the command register as everywhere.
 */

#define pr_fmt(fmt) "DMAR-IR: live update: " fmt

#include <linux/bitmap.h>
#include <linux/cleanup.h>
#include <linux/dmar.h>
#include <linux/err.h>
#include <linux/iopoll.h>
#include <linux/kernel.h>
#include <linux/kexec_handover.h>
#include <linux/pci_liveupdate.h>

#include "../irq_remapping.h"
#include "liveupdate.h"
#include "lu_internal.h"

/* One page is 256 entries of 16 bytes: 2^(S + 1). */
#define LU_IRTA_SIZE		7
#define LU_IRTA_EIME		BIT(11)
#define LU_TIMEOUT_US		1000000

/* Units that this kernel found as they were handed over. */
static DECLARE_BITMAP(lu_irt_taken, DMAR_UNITS_SUPPORTED);

static u64 lu_irta(const struct iommu_lu_unit_ser *ser)
{
	return ser->irt_pa | ser->irt_flags;
}

static int lu_irt_command(struct intel_iommu *iommu, u32 cmd, u32 mask, u32 want)
{
	u32 sts;

	writel(cmd, iommu->reg + DMAR_GCMD_REG);
	return readl_poll_timeout_atomic(iommu->reg + DMAR_GSTS_REG, sts,
					 (sts & mask) == want, 1, LU_TIMEOUT_US);
}

/* Point a unit at the handover table. Remapping stays as it is: on. */
static void lu_irt_set(struct intel_iommu *iommu,
		       const struct iommu_lu_unit_ser *ser)
{
	int err;

	scoped_guard(raw_spinlock_irqsave, &iommu->register_lock) {
		writeq(lu_irta(ser), iommu->reg + DMAR_IRTA_REG);
		err = lu_irt_command(iommu, iommu->gcmd | DMA_GCMD_SIRTP,
				     DMA_GSTS_IRTPS | DMA_GSTS_CFIS,
				     DMA_GSTS_IRTPS);
	}
	if (err)
		pr_err("%s does not take the handover table\n", iommu->name);
	if (!cap_esirtps(iommu->cap))
		qi_global_iec(iommu);
}

/**
 * intel_lu_irt_get - make the handover table of a unit
 * @unit: the unit
 *
 * Return: 0, or a negative errno.
 */
int intel_lu_irt_get(struct iommu_lu_unit *unit)
{
	struct intel_iommu *iommu = unit->hw;
	void *table;

	table = kho_alloc_preserve(VTD_PAGE_SIZE);
	if (IS_ERR(table))
		return PTR_ERR(table);

	__iommu_flush_cache(iommu, table, VTD_PAGE_SIZE);
	unit->ser.irt_pa = virt_to_phys(table);
	unit->ser.irt_flags = LU_IRTA_SIZE |
		(readq(iommu->reg + DMAR_IRTA_REG) & LU_IRTA_EIME);
	return 0;
}

/**
 * intel_lu_irt_put - undo intel_lu_irt_get()
 * @unit: the unit
 */
void intel_lu_irt_put(struct iommu_lu_unit *unit)
{
	kho_unpreserve_free(phys_to_virt(unit->ser.irt_pa));
}

/**
 * intel_lu_irt_handover - leave no interrupt behind that a device could ask for
 * @iommu: a unit that goes on translating for the next kernel
 * @ser: what the record says about it
 *
 * Context: other CPUs stopped, interrupts off.
 */
void intel_lu_irt_handover(struct intel_iommu *iommu,
			   const struct iommu_lu_unit_ser *ser)
{
	if (!pci_lu_disabled(PCI_LU_INTREMAP))
		lu_irt_set(iommu, ser);
}

/* Is remapping of this unit none of our business? */
static bool lu_irt_stock(struct intel_iommu *iommu,
			 const struct iommu_lu_unit_ser **ser)
{
	if (pci_lu_disabled(PCI_LU_TAKEOVER) || pci_lu_disabled(PCI_LU_INTREMAP))
		return true;
	*ser = iommu_lu_in_unit(iommu->reg_phys);
	return !*ser && !iommu_lu_in_doubt();
}

/**
 * intel_lu_irt_incoming - hook: interrupt remapping of a unit is on already
 * @iommu: the unit, with its own table allocated and its queue running
 *
 * Context: enable_IR_x2apic(), one CPU, slab works.
 * Return: true when it must not be switched off before the table is set.
 */
bool intel_lu_irt_incoming(struct intel_iommu *iommu)
{
	const struct iommu_lu_unit_ser *ser;

	if (lu_irt_stock(iommu, &ser))
		return false;

	/* Unlike in a crash kernel, there is nothing to be copied. */
	iommu->flags &= ~VTD_FLAG_IRQ_REMAP_PRE_ENABLED;
	if (ser && readq(iommu->reg + DMAR_IRTA_REG) == lu_irta(ser))
		__set_bit(iommu->seq_id, lu_irt_taken);
	pr_info("%s: on since the previous kernel\n", iommu->name);
	return true;
}

/**
 * intel_lu_irt_stays_on - hook: interrupt remapping of a unit is about to end
 * @iommu: the unit
 *
 * Return: true when it must go on, because functions cannot be fenced yet.
 */
bool intel_lu_irt_stays_on(struct intel_iommu *iommu)
{
	const struct iommu_lu_unit_ser *ser;

	if (lu_irt_stock(iommu, &ser) || !ser)
		return false;
	if (system_state > SYSTEM_BOOTING) {
		intel_lu_before_disable(iommu);
		return false;
	}
	/* The table of this kernel is about to be freed. */
	lu_irt_set(iommu, ser);
	pr_err("%s: stays on, without an entry, until devices are fenced\n",
	       iommu->name);
	return true;
}

/**
 * intel_lu_irt_off - switch off what this kernel does not use
 * @iommu: a unit whose listed functions were fenced
 *
 * Without this no interrupt of an IO-APIC and no MSI would come through.
 */
void intel_lu_irt_off(struct intel_iommu *iommu)
{
	if (irq_remapping_enabled || !(iommu->gcmd & DMA_GCMD_IRE) ||
	    !iommu_lu_in_unit(iommu->reg_phys))
		return;

	guard(raw_spinlock_irqsave)(&iommu->register_lock);
	iommu->gcmd &= ~DMA_GCMD_IRE;
	if (lu_irt_command(iommu, iommu->gcmd, DMA_GSTS_IRES, 0))
		pr_err("%s: cannot be switched off\n", iommu->name);
}

/**
 * intel_lu_irt_check - was interrupt remapping of a unit on all the time?
 * @iommu: a listed unit
 *
 * Return: the reason not to go on with its functions, or PCI_LU_OK.
 */
enum pci_lu_reason intel_lu_irt_check(struct intel_iommu *iommu)
{
	if (!test_bit(iommu->seq_id, lu_irt_taken) &&
	    !pci_lu_disabled(PCI_LU_INTREMAP))
		return PCI_LU_REASON_IOMMU_IRT;
	return PCI_LU_OK;
}

/**
 * intel_lu_irt_live - does hardware still use the handover table?
 * @hw: the unit
 * @ser: what the record says about it
 *
 * Return: true while it remaps interrupts with that table.
 */
bool intel_lu_irt_live(void *hw, const struct iommu_lu_unit_ser *ser)
{
	struct intel_iommu *iommu = hw;

	return (readl(iommu->reg + DMAR_GSTS_REG) & DMA_GSTS_IRES) &&
	       readq(iommu->reg + DMAR_IRTA_REG) == lu_irta(ser);
}
