// SPDX-License-Identifier: GPL-2.0
/*
 * PCI live update: switches that let a test see the failure which each
 * protection prevents.
 *
 * Copyright (c) 2026 The holdfast authors
 */

#include <linux/moduleparam.h>
#include <linux/string.h>

#include "internal.h"

static char pci_lu_disable[32];
module_param_string(disable, pci_lu_disable, sizeof(pci_lu_disable), 0444);
MODULE_PARM_DESC(disable, "comma separated: guard, quiesce, takeover, intremap, fence, sticky, resync, vconfig, driver");

static bool pci_lu_fail_freeze;
module_param_named(fail_freeze, pci_lu_fail_freeze, bool, 0644);
MODULE_PARM_DESC(fail_freeze, "the next freeze of a PCI function fails");

static char pci_lu_silent[16];
module_param_string(silent, pci_lu_silent, sizeof(pci_lu_silent), 0644);
MODULE_PARM_DESC(silent, "the address of a function that does not answer at freeze");

static ushort pci_lu_hide_ecap;
module_param_named(hide_ecap, pci_lu_hide_ecap, ushort, 0444);
MODULE_PARM_DESC(hide_ecap, "an extended capability that vfio-pci does not show, as an older kernel would not");

/**
 * pci_lu_disabled - a test asked for a part to be switched off
 * @part: the part
 *
 * Return: true when "pci_lu.disable=" names @part.
 */
bool pci_lu_disabled(enum pci_lu_part part)
{
	static const char * const names[] = {
		[PCI_LU_GUARD] = "guard",
		[PCI_LU_QUIESCE] = "quiesce",
		[PCI_LU_TAKEOVER] = "takeover",
		[PCI_LU_INTREMAP] = "intremap",
		[PCI_LU_FENCE] = "fence",
		[PCI_LU_STICKY] = "sticky",
		[PCI_LU_RESYNC] = "resync",
		[PCI_LU_VCONFIG] = "vconfig",
		[PCI_LU_DRIVER] = "driver",
	};
	size_t len = strlen(names[part]);
	const char *p = pci_lu_disable;

	while ((p = strstr(p, names[part]))) {
		if (!p[len] || p[len] == ',')
			return true;
		p += len;
	}
	return false;
}

/**
 * pci_lu_test_fail_freeze - a test asked for this freeze to fail
 *
 * Return: true once for each time that the parameter was set.
 */
bool pci_lu_test_fail_freeze(void)
{
	return xchg(&pci_lu_fail_freeze, false);
}

/**
 * pci_lu_test_silent - a test asked for a function not to answer at freeze
 * @pdev: the function
 *
 * Return: true if it is the one.
 */
bool pci_lu_test_silent(struct pci_dev *pdev)
{
	return sysfs_streq(pci_lu_silent, pci_name(pdev));
}

/**
 * pci_lu_test_hidden_ecap - a test wants a kernel that does not know a capability
 *
 * Return: the ID of an extended capability, or 0.
 */
u16 pci_lu_test_hidden_ecap(void)
{
	return pci_lu_hide_ecap;
}
