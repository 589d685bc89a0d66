/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Comparing a live function with its record: pure, as policy and record.
 */
#ifndef _PCI_LU_VERIFY_H
#define _PCI_LU_VERIFY_H

#include "policy.h"
#include "record.h"

/**
 * struct pci_lu_mismatch - a register that is not what it was
 * @reg: its name
 * @recorded: what the record says
 * @found: what the device says
 */
struct pci_lu_mismatch {
	const char *reg;
	u32 recorded;
	u32 found;
};

enum pci_lu_reason pci_lu_verify_regs(const struct pci_lu_layout *l,
				      const struct pci_lu_fn_ser *ser,
				      pci_lu_read_fn rd, void *ctx,
				      struct pci_lu_mismatch *bad);

#endif /* _PCI_LU_VERIFY_H */
