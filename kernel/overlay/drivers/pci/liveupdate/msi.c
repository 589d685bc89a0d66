// SPDX-License-Identifier: GPL-2.0
/*
 * PCI live update: interrupts of a function are masked at freeze and latch in it.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: Interrupts across a live update
 *
 * No interrupt state crosses the kexec. At freeze a function is masked at the
 * source, the device latches what it raises from then on, and it delivers
 * when the new owner re-arms. By kind:
 *
 * MSI-X
 *	Mask All is set, then every table entry is masked, then a config read
 *	flushes. An event sets the entry's bit in the Pending Bit Array
 *	(PCIe Base Spec 6.1.4.5). The entries must be masked one by one, because
 *	msix_prepare_msi_desc() of the new kernel takes its cached Vector Control
 *	from the device: an entry left unmasked would go live when its message is
 *	written, before request_irq() has put a handler behind it, and the latched
 *	event would be lost. With all of them masked the new kernel finds the
 *	state that a reset leaves, and its ordinary code is right as it stands.
 * MSI with per-vector masking
 *	All mask bits are set, Enable stays. Events set Pending bits.
 * MSI without masking
 *	Enable is cleared and INTx disabled. Events are lost by design of the
 *	hardware: the owner triggers each vector once after it has re-armed.
 * INTx
 *	INTx Disable is set. The level is still there when it is cleared.
 *
 * The masks are also put into the cached state of the MSI descriptors, under the
 * lock of each interrupt: until the other CPUs stop, a change of affinity may
 * rewrite a message, and ends that with the cached Vector Control.
 *
 * In the new kernel msix_capability_init() writes messages with everything
 * masked, and request_irq() unmasks one entry once its handler is in place.
 * Neither adoption nor finish touches Mask All: until the owner has re-armed,
 * the table holds addresses of the old kernel.
 */

#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irqdesc.h>
#include <linux/msi.h>

#include "../msi/msi.h"
#include "../pci.h"
#include "internal.h"

static void __iomem *pci_lu_msix_ctrl(struct pci_dev *pdev, unsigned int entry)
{
	return pdev->msix_base + entry * PCI_MSIX_ENTRY_SIZE +
	       PCI_MSIX_ENTRY_VECTOR_CTRL;
}

/* Mask or unmask the vectors that have an interrupt, cached state included. */
static void pci_lu_msix_set_descs(struct pci_dev *pdev,
				  const struct pci_lu_msi *irq, bool mask)
{
	struct msi_desc *msi;

	guard(msi_descs_lock)(&pdev->dev);
	msi_for_each_desc(msi, &pdev->dev, MSI_DESC_ASSOCIATED) {
		struct irq_desc *desc = irq_to_desc(msi->irq);

		if (!desc || msi->msi_index >= irq->nr ||
		    test_bit(msi->msi_index, irq->masked))
			continue;
		guard(raw_spinlock_irqsave)(&desc->lock);
		if (mask)
			pci_msi_mask_irq(irq_desc_get_irq_data(desc));
		else
			pci_msi_unmask_irq(irq_desc_get_irq_data(desc));
	}
}

/*
 * Change some bits of a register and leave the others to those who change them
 * meanwhile. Under pci_lock, as pci_check_and_mask_intx(), which is why the
 * accessors are called as they are.
 */
static void pci_lu_change_bits(struct pci_dev *pdev, int pos, u16 clear, u16 set)
{
	struct pci_bus *bus = pdev->bus;
	u32 val;

	guard(raw_spinlock_irqsave)(&pci_lock);
	if (!bus->ops->read(bus, pdev->devfn, pos, 2, &val))
		bus->ops->write(bus, pdev->devfn, pos, 2, (val & ~clear) | set);
}

/* The owner may have switched memory decode off: the table must answer. */
static void pci_lu_msix_decode(struct pci_dev *pdev, const struct pci_lu_msi *irq,
			       bool on)
{
	if (!(irq->command & PCI_COMMAND_MEMORY))
		pci_lu_change_bits(pdev, PCI_COMMAND, on ? 0 : PCI_COMMAND_MEMORY,
				   on ? PCI_COMMAND_MEMORY : 0);
}

/* Set or clear the mask bit; the rest of Vector Control is a steering tag. */
static void pci_lu_msix_mask_entry(struct pci_dev *pdev, unsigned int entry,
				   bool mask)
{
	void __iomem *reg = pci_lu_msix_ctrl(pdev, entry);
	u32 ctrl = readl(reg) & ~PCI_MSIX_ENTRY_CTRL_MASKBIT;

	writel(ctrl | (mask ? PCI_MSIX_ENTRY_CTRL_MASKBIT : 0), reg);
}

static void pci_lu_msix_quiesce(struct pci_dev *pdev, struct pci_lu_msi *irq)
{
	unsigned int i;

	pci_lu_msix_decode(pdev, irq, true);
	irq->nr = msix_table_size(irq->ctrl);
	pci_write_config_word(pdev, pdev->msix_cap + PCI_MSIX_FLAGS,
			      irq->ctrl | PCI_MSIX_FLAGS_MASKALL);

	for (i = 0; i < irq->nr; i++)
		if (readl(pci_lu_msix_ctrl(pdev, i)) & PCI_MSIX_ENTRY_CTRL_MASKBIT)
			__set_bit(i, irq->masked);

	pci_lu_msix_set_descs(pdev, irq, true);
	for (i = 0; i < irq->nr; i++)
		pci_lu_msix_mask_entry(pdev, i, true);

	/* Flush the writes; the completion pushes messages already sent. */
	readl(pdev->msix_base);
	pci_lu_msix_decode(pdev, irq, false);
}

static void pci_lu_msix_unquiesce(struct pci_dev *pdev,
				  const struct pci_lu_msi *irq)
{
	unsigned int i;

	pci_lu_msix_decode(pdev, irq, true);
	for_each_clear_bit(i, irq->masked, irq->nr)
		pci_lu_msix_mask_entry(pdev, i, false);
	pci_lu_msix_set_descs(pdev, irq, false);
	readl(pdev->msix_base);
	pci_lu_msix_decode(pdev, irq, false);
	if (!(irq->ctrl & PCI_MSIX_FLAGS_MASKALL))
		pci_lu_change_bits(pdev, pdev->msix_cap + PCI_MSIX_FLAGS,
				   PCI_MSIX_FLAGS_MASKALL, 0);
}

static void pci_lu_intx_disable(struct pci_dev *pdev)
{
	pci_lu_change_bits(pdev, PCI_COMMAND, 0, PCI_COMMAND_INTX_DISABLE);
}

static void pci_lu_intx_restore(struct pci_dev *pdev, const struct pci_lu_msi *irq)
{
	if (!(irq->command & PCI_COMMAND_INTX_DISABLE))
		pci_lu_change_bits(pdev, PCI_COMMAND, PCI_COMMAND_INTX_DISABLE, 0);
}

static void pci_lu_msi_mask_all(struct pci_dev *pdev, struct pci_lu_msi *irq)
{
	struct msi_desc *desc = irq_get_msi_desc(pdev->irq);

	if (desc && desc->pci.msi_attrib.can_mask) {
		irq->mode = PCI_LU_IRQ_MSI_MASKABLE;
		irq->msi_mask = desc->pci.msi_mask;
		pci_msi_update_mask(desc, 0, msi_multi_mask(desc));
		return;
	}

	/* INTx off first, or the function falls back to it. */
	irq->mode = PCI_LU_IRQ_MSI;
	pci_lu_intx_disable(pdev);
	pci_write_config_word(pdev, pdev->msi_cap + PCI_MSI_FLAGS,
			      irq->ctrl & ~PCI_MSI_FLAGS_ENABLE);
}

/**
 * pci_lu_msi_quiesce - mask a function's interrupts at the source
 * @pdev: the function
 * @irq: [out] what pci_lu_msi_unquiesce() needs
 *
 * Context: Process context, before the guard is armed: these writes are ours.
 * Return: 0, or -ENODEV when the device does not answer.
 */
int pci_lu_msi_quiesce(struct pci_dev *pdev, struct pci_lu_msi *irq)
{
	u16 check;

	memset(irq, 0, sizeof(*irq));
	pci_read_config_word(pdev, PCI_COMMAND, &irq->command);
	if (PCI_POSSIBLE_ERROR(irq->command))
		return -ENODEV;

	if (pdev->msix_enabled) {
		irq->mode = PCI_LU_IRQ_MSIX;
		pci_read_config_word(pdev, pdev->msix_cap + PCI_MSIX_FLAGS,
				     &irq->ctrl);
		pci_lu_msix_quiesce(pdev, irq);
	} else if (pdev->msi_enabled) {
		pci_read_config_word(pdev, pdev->msi_cap + PCI_MSI_FLAGS,
				     &irq->ctrl);
		pci_lu_msi_mask_all(pdev, irq);
	} else {
		irq->mode = PCI_LU_IRQ_INTX;
		pci_lu_intx_disable(pdev);
	}

	/* A read completion cannot pass the messages that were sent before it. */
	pci_read_config_word(pdev, PCI_COMMAND, &check);
	return PCI_POSSIBLE_ERROR(check) ? -ENODEV : 0;
}

/**
 * pci_lu_msi_unquiesce - undo pci_lu_msi_quiesce()
 * @pdev: the function
 * @irq: what pci_lu_msi_quiesce() saved
 *
 * What the device latched in between is delivered at once.
 *
 * Context: Process context, with the guard disarmed.
 */
void pci_lu_msi_unquiesce(struct pci_dev *pdev, const struct pci_lu_msi *irq)
{
	struct msi_desc *desc;

	switch (irq->mode) {
	case PCI_LU_IRQ_MSIX:
		pci_lu_msix_unquiesce(pdev, irq);
		break;
	case PCI_LU_IRQ_MSI_MASKABLE:
		desc = irq_get_msi_desc(pdev->irq);
		pci_msi_update_mask(desc, msi_multi_mask(desc) & ~irq->msi_mask, 0);
		break;
	case PCI_LU_IRQ_MSI:
		pci_lu_change_bits(pdev, pdev->msi_cap + PCI_MSI_FLAGS, 0,
				   irq->ctrl & PCI_MSI_FLAGS_ENABLE);
		pci_lu_intx_restore(pdev, irq);
		break;
	case PCI_LU_IRQ_INTX:
		pci_lu_intx_restore(pdev, irq);
		break;
	}
}
