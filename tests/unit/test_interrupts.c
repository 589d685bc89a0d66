// SPDX-License-Identifier: GPL-2.0
/* MSI-X and MSI: masked instead of disabled, and INTx stays dead. */
#include "model.h"
#include "tap.h"

static struct model m;

static void msix_disable_becomes_mask(void)
{
	model_init(&m, PCI_LU_ENDPOINT, 0);
	/* pci_msix_init() */
	model_write(&m, 0x72, 2, 0x0009);
	eq(m.last.action, PCI_LU_MERGE);
	eq(model_hw_read(&m, 0x72, 2), 0xc009);
	ok(!strcmp(model_last_row(&m), "MSIX.CONTROL"));
	/* msix_capability_init(): all masked, then released */
	model_write(&m, 0x72, 2, 0xc009);
	eq(m.last.action, PCI_LU_PASS);
	model_write(&m, 0x72, 2, 0x8009);
	eq(m.last.action, PCI_LU_PASS);
	eq(model_hw_read(&m, 0x72, 2), 0x8009);
	/* pci_msix_shutdown() */
	model_write(&m, 0x72, 2, 0x0009);
	eq(model_hw_read(&m, 0x72, 2), 0xc009);
	/* Enable = 0 with Function Mask */
	model_set(&m, 0x72, 2, 0x8009);
	model_write(&m, 0x72, 2, 0x4009);
	eq(model_hw_read(&m, 0x72, 2), 0xc009);
}

static void msix_other_widths(void)
{
	model_init(&m, PCI_LU_ENDPOINT, 0);
	model_set(&m, 0x72, 2, 0x8009);
	model_write(&m, 0x73, 1, 0x00);
	eq(model_hw_read(&m, 0x72, 2), 0xc009);
	model_set(&m, 0x72, 2, 0x8009);
	model_write(&m, 0x70, 4, 0x0009a011);
	eq(model_hw_read(&m, 0x72, 2), 0xc009);
	model_write(&m, 0x72, 1, 0x00);
	eq(m.last.action, PCI_LU_PASS);
	model_write(&m, 0x73, 1, 0x80);
	eq(m.last.action, PCI_LU_PASS);
	eq(model_hw_read(&m, 0x72, 2), 0x8009);
}

static void msix_off_stays_free(void)
{
	model_init(&m, PCI_LU_ENDPOINT, 0);
	model_set(&m, 0x72, 2, 0x0009);
	model_write(&m, 0x72, 2, 0x0009);
	eq(m.last.action, PCI_LU_PASS);
	model_write(&m, 0x72, 2, 0xc009);
	eq(m.last.action, PCI_LU_PASS);
	eq(model_hw_read(&m, 0x72, 2), 0xc009);
}

static void msi_disable_becomes_mask(void)
{
	model_init(&m, PCI_LU_ENDPOINT, 0);
	model_set(&m, 0x52, 2, 0x01b7); /* on, 8 of 8 vectors */
	model_set(&m, 0x60, 4, 0);
	model_write(&m, 0x52, 2, 0x01b6);
	eq(m.last.action, PCI_LU_MERGE);
	ok(!strcmp(model_last_row(&m), "MSI.ENABLE"));
	eq(m.last.also_pos, 0x60);
	eq(model_hw_read(&m, 0x52, 2), 0x01b7);
	eq(model_hw_read(&m, 0x60, 4), 0xff);

	/* pci_msi_shutdown() unmasks what it thinks is off. */
	model_write(&m, 0x60, 4, 0);
	eq(model_hw_read(&m, 0x60, 4), 0xff);
	ok(!strcmp(model_last_row(&m), "MSI.MASK"));
	model_write(&m, 0x60, 1, 0xfe);
	eq(model_hw_read(&m, 0x60, 4), 0xff);

	/* Message and vector count pass; __msi_capability_init() */
	model_write(&m, 0x54, 4, 0xfee00000);
	eq(m.last.action, PCI_LU_PASS);
	model_write(&m, 0x52, 2, 0x01a7);
	eq(m.last.action, PCI_LU_PASS);
	eq(model_hw_read(&m, 0x52, 2), 0x01a7 | 0x0006);
	/* request_irq() */
	model_write(&m, 0x60, 4, 0xfe);
	eq(m.last.action, PCI_LU_PASS);
	eq(model_hw_read(&m, 0x60, 4), 0xfe);
}

static void msi_other_widths(void)
{
	model_init(&m, PCI_LU_ENDPOINT, 0);
	model_set(&m, 0x52, 2, 0x0187);
	model_write(&m, 0x52, 1, 0x86);
	eq(model_hw_read(&m, 0x52, 2), 0x0187);
	model_write(&m, 0x53, 1, 0x00);
	eq(m.last.action, PCI_LU_PASS);
	model_write(&m, 0x50, 4, 0);
	eq(model_hw_read(&m, 0x52, 1) & 1, 1);
	eq(model_hw_read(&m, 0x60, 4), 0xff);
}

static void msi_without_masks_goes_off(void)
{
	model_init(&m, PCI_LU_ENDPOINT, MODEL_NO_MASK);
	model_set(&m, 0x52, 2, 0x00b7);
	eq(m.layout.msi_mask, 0);
	model_write(&m, 0x52, 2, 0x00b6);
	eq(m.last.also_pos, PCI_COMMAND);
	eq(model_hw_read(&m, 0x52, 2), 0x00b6);
	eq(model_hw_read(&m, PCI_COMMAND, 2), 0x0507);
	ok(!model_violation(&m));
}

/* What the kernel writes it reads, and the function keeps quiet until its owner is ready. */
static void intx_waits_for_a_handler(void)
{
	model_init(&m, PCI_LU_ENDPOINT, 0);
	model_set(&m, PCI_COMMAND, 2, 0x0507);
	model_arm(&m);
	model_write(&m, PCI_COMMAND, 2, 0x0107);
	ok(!strcmp(model_last_row(&m), "COMMAND.INTX"));
	eq(model_hw_read(&m, PCI_COMMAND, 2), 0x0507);
	eq(model_read(&m, PCI_COMMAND, 2), 0x0107);
	eq(model_read(&m, PCI_COMMAND + 1, 1), 0x01);
	model_write(&m, PCI_COMMAND, 2, 0x0507);
	eq(model_read(&m, PCI_COMMAND, 2), 0x0507);
	model_write(&m, PCI_COMMAND + 1, 1, 0x01);
	eq(model_read(&m, PCI_COMMAND, 4) & 0xffff, 0x0107);
	ok(!model_violation(&m));

	/* Now it is: what is in the device shows, and a write passes. */
	m.shadow.intx_allowed = true;
	eq(model_read(&m, PCI_COMMAND, 2), 0x0507);
	model_write(&m, PCI_COMMAND, 2, 0x0107);
	eq(model_hw_read(&m, PCI_COMMAND, 2), 0x0107);
}

static void msi_of_a_port_is_its_own(void)
{
	model_init(&m, PCI_LU_BRIDGE, 0);
	model_write(&m, 0x52, 2, 0x0180);
	eq(model_hw_read(&m, 0x52, 2), 0x0180);
	model_write(&m, 0x72, 2, 0);
	eq(model_hw_read(&m, 0x72, 2), 0);
}

void suite_interrupts(void)
{
	RUN(msix_disable_becomes_mask);
	RUN(msix_other_widths);
	RUN(msix_off_stays_free);
	RUN(msi_disable_becomes_mask);
	RUN(msi_other_widths);
	RUN(msi_without_masks_goes_off);
	RUN(intx_waits_for_a_handler);
	RUN(msi_of_a_port_is_its_own);
}
