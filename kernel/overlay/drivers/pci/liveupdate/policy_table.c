// SPDX-License-Identifier: GPL-2.0
/*
 * PCI live update: the policy. What is not in this table passes.
 *
 * Each row says which bits are protected and why the write would harm a device
 * in flight; a row that cannot say that does not belong here. Writes that are
 * left alone on purpose: Status and all other RW1C bits, SERR and parity enables,
 * Cache Line Size, Interrupt Line, Bridge Control but for the reset, MSI and MSI-X
 * addresses and data, error reporting enables, Root Control, a port's AER masks
 * and severities, slot indicators and interrupt enables, PME, DOE, VPD and
 * everything vendor-specific. A port's own MSI and MSI-X are its own business.
 *
 * Documentation/PCI/liveupdate-policy.rst is generated from here.
 */

#include "policy.h"

#define AT(member)	offsetof(struct pci_lu_layout, member)

static const struct pci_lu_row pci_lu_rows[] = {
#include "policy_rows_header.h"
#include "policy_rows_pcie.h"
#include "policy_rows_ext.h"
};

/* The counters of a function have an entry for each row. */
static_assert(ARRAY_SIZE(pci_lu_rows) + PCI_LU_DRIVER_ROWS <= PCI_LU_MAX_ROWS);

/**
 * pci_lu_policy_rows - the policy
 * @n: set to the number of rows
 *
 * Return: the first row. The order matters only in that the address of a ROM BAR
 * comes before its enable bit.
 */
const struct pci_lu_row *pci_lu_policy_rows(unsigned int *n)
{
	*n = ARRAY_SIZE(pci_lu_rows);

	return pci_lu_rows;
}

/**
 * pci_lu_rule_name - a rule in lower case
 * @rule: the rule
 *
 * Return: its name, for tables and reports.
 */
const char *pci_lu_rule_name(enum pci_lu_rule rule)
{
	static const char * const names[] = {
		[PCI_LU_KEEP] = "keep",
		[PCI_LU_STICKY1] = "sticky-1",
		[PCI_LU_STICKY0] = "sticky-0",
		[PCI_LU_ZERO] = "zero",
		[PCI_LU_SHADOW] = "shadow",
		[PCI_LU_ROM_ENABLE] = "rom-enable",
		[PCI_LU_MSIX_CTL] = "msix-control",
		[PCI_LU_MSI_CTL] = "msi-control",
		[PCI_LU_MSI_MASK] = "msi-mask",
		[PCI_LU_INTX] = "intx",
	};

	return rule < ARRAY_SIZE(names) ? names[rule] : "?";
}

/**
 * pci_lu_after_name - how software and device come to agree, in words
 * @after: the way
 *
 * Return: its name, for tables and reports.
 */
const char *pci_lu_after_name(enum pci_lu_after after)
{
	static const char * const names[] = {
		[PCI_LU_AFTER_NOTHING] = "software reads the register",
		[PCI_LU_AFTER_REREAD] = "software state is read again",
		[PCI_LU_AFTER_REWRITE] = "the register is written again",
		[PCI_LU_AFTER_VERIFIED] = "compared before, or fenced",
	};

	return after < ARRAY_SIZE(names) ? names[after] : "?";
}
