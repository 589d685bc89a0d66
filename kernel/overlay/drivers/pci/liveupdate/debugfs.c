// SPDX-License-Identifier: GPL-2.0
/*
 * PCI live update: what the guard did, in /sys/kernel/debug/pci_liveupdate/.
 *
 * Copyright (c) 2026 The holdfast authors
 */

#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "internal.h"

static const char * const pci_lu_state_names[] = {
	[PCI_LU_IDLE] = "idle",
	[PCI_LU_PRESERVED] = "preserved",
	[PCI_LU_FROZEN] = "frozen",
	[PCI_LU_LISTED] = "listed",
	[PCI_LU_ADOPTED] = "adopted",
	[PCI_LU_FENCED] = "fenced",
};

/* One name and value a line; policy rows by their name, if they withheld anything. */
static int pci_lu_fn_show(struct seq_file *m, void *unused)
{
	struct pci_lu_fn *fn = m->private;
	unsigned int i, nr;
	u32 explained = 0;

	seq_printf(m, "state %s\n", pci_lu_state_names[fn->state]);
	seq_printf(m, "requested %d\n", fn->requested);
	seq_printf(m, "depended %u\n", fn->depended);
	seq_printf(m, "reached %u\n", fn->reached);
	seq_printf(m, "withheld %u\n", fn->withheld);
	pci_lu_policy_rows(&nr);
	for (i = 0; i < nr + fn->layout.nr_rows; i++) {
		if (fn->row_hits[i])
			seq_printf(m, "%s %u\n",
				   pci_lu_policy_row(&fn->layout, i)->name,
				   fn->row_hits[i]);
		explained += fn->row_hits[i];
	}
	seq_printf(m, "unexplained %u\n", fn->withheld - explained);

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(pci_lu_fn);

/**
 * pci_lu_debugfs_add - show a function in debugfs
 * @fn: the function; its entry is never freed
 */
void pci_lu_debugfs_add(struct pci_lu_fn *fn)
{
	static struct dentry *dir;
	char name[16];

	if (!dir)
		dir = debugfs_create_dir("pci_liveupdate", NULL);
	snprintf(name, sizeof(name), "%04x:%02x:%02x.%d", fn->segment, fn->bus,
		 PCI_SLOT(fn->devfn), PCI_FUNC(fn->devfn));
	debugfs_create_file(name, 0400, dir, fn, &pci_lu_fn_fops);
	pci_lu_copies_add(dir, fn, name);
}
