// SPDX-License-Identifier: GPL-2.0
/*
 * PCI live update: what this kernel believes that the registers of a function
 * hold, for a test to compare with the device.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: Copies of registers
 *
 * /sys/kernel/debug/pci_liveupdate/ADDRESS-copies has a line for each register of
 * each row of the policy:
 *
 *	ROW INDEX OFFSET WIDTH BITS READ [SOURCE BITS VALUE]...
 *
 * READ is what a config read is answered with: it tells a test which looks at the
 * device from outside whether the guard still stands in between. Then come the
 * copies that software keeps, wherever it keeps them: "state" is a field of the
 * device or a resource, "saved" what recovery of a port writes back after an
 * error. (The saved state of an endpoint is its driver's: it is what the function
 * is to return to, not what it is.)
 */

#include <linux/debugfs.h>
#include <linux/pci-ats.h>
#include <linux/seq_file.h>

#include "../pci.h"
#include "internal.h"

/* A register of a row, and what software makes of it. */
struct pci_lu_copy {
	const struct pci_lu_fn *fn;
	struct pci_dev *pdev;
	unsigned int i;
	u16 pos;
	u8 width;
	u32 read;
	u32 bits;
	u32 val;
};

static bool pci_lu_copy_flag(struct pci_lu_copy *c, u32 bit, bool set)
{
	c->bits = bit;
	c->val = set ? bit : 0;
	return true;
}

static bool pci_lu_copy_master(struct pci_lu_copy *c)
{
	return pci_lu_copy_flag(c, PCI_COMMAND_MASTER, c->pdev->is_busmaster);
}

/* With MSI in use nobody handles INTx. Else it is its handler's, who has no copy. */
static bool pci_lu_copy_intx(struct pci_lu_copy *c)
{
	return pci_dev_msi_enabled(c->pdev) &&
	       pci_lu_copy_flag(c, PCI_COMMAND_INTX_DISABLE, true);
}

static bool pci_lu_copy_bar(struct pci_lu_copy *c)
{
	bool upper = c->fn->layout.bar_hi & BIT(c->i);
	struct resource *res = pci_resource_n(c->pdev, c->i - upper);
	struct pci_bus_region region;

	if (!res->flags)
		return false;
	pcibios_resource_to_bus(c->pdev->bus, &region, res);
	c->val = upper ? upper_32_bits(region.start) : lower_32_bits(region.start);
	c->bits = upper ? ~0U :
		  res->flags & IORESOURCE_IO ? (u32)PCI_BASE_ADDRESS_IO_MASK :
					       (u32)PCI_BASE_ADDRESS_MEM_MASK;
	return true;
}

static bool pci_lu_copy_buses(struct pci_lu_copy *c)
{
	const struct pci_bus *bus = c->pdev->subordinate;

	if (!bus)
		return false;
	c->bits = 0xffffff;
	c->val = bus->primary | bus->busn_res.start << 8 | bus->busn_res.end << 16;
	return true;
}

/* False when the window is closed in software. */
static bool pci_lu_copy_region(struct pci_lu_copy *c, int i,
			       struct pci_bus_region *region)
{
	struct resource *res = pci_resource_n(c->pdev, i);

	if (!res->flags || res->flags & (IORESOURCE_UNSET | IORESOURCE_DISABLED))
		return false;
	pcibios_resource_to_bus(c->pdev->bus, region, res);
	return true;
}

/* @shift: how far the address is shifted down to its field of 16 bits */
static bool pci_lu_copy_window(struct pci_lu_copy *c, int i, u32 mask,
			       unsigned int shift)
{
	unsigned int half = c->width * 4;
	u32 lower = mask & (BIT(half) - 1), upper = mask >> half;
	u32 base = c->read & lower, limit = c->read >> half & upper;
	struct pci_bus_region region;

	c->bits = mask;
	if (pci_lu_copy_region(c, i, &region)) {
		base = lower_32_bits(region.start) >> shift & lower;
		limit = lower_32_bits(region.end) >> shift & upper;
	} else if (base <= limit) {	/* open in the device alone */
		base = lower;
		limit = 0;
	}
	c->val = base | limit << half;
	return true;
}

static bool pci_lu_copy_io(struct pci_lu_copy *c)
{
	return pci_lu_copy_window(c, PCI_BRIDGE_IO_WINDOW, 0xf0f0, 8);
}

static bool pci_lu_copy_mem(struct pci_lu_copy *c)
{
	return pci_lu_copy_window(c, PCI_BRIDGE_MEM_WINDOW, 0xfff0fff0, 16);
}

static bool pci_lu_copy_pref(struct pci_lu_copy *c)
{
	return pci_lu_copy_window(c, PCI_BRIDGE_PREF_MEM_WINDOW, 0xfff0fff0, 16);
}

/* The upper halves of an address say nothing while the window is closed. */
static bool pci_lu_copy_upper(struct pci_lu_copy *c)
{
	struct pci_bus_region region;
	bool io = c->pos == PCI_IO_BASE_UPPER16;

	if (!pci_lu_copy_region(c, io ? PCI_BRIDGE_IO_WINDOW :
					PCI_BRIDGE_PREF_MEM_WINDOW, &region))
		return false;
	c->bits = ~0U;
	if (io)
		c->val = (region.start >> 16 & 0xffff) | (region.end & 0xffff0000);
	else if (c->pos == PCI_PREF_BASE_UPPER32)
		c->val = upper_32_bits(region.start);
	else
		c->val = upper_32_bits(region.end);
	return true;
}

static bool pci_lu_copy_power(struct pci_lu_copy *c)
{
	c->bits = PCI_PM_CTRL_STATE_MASK;
	c->val = min_t(u32, (__force u32)c->pdev->current_state,
		       PCI_PM_CTRL_STATE_MASK);
	return true;
}

static bool pci_lu_copy_msi(struct pci_lu_copy *c)
{
	return pci_lu_copy_flag(c, PCI_MSI_FLAGS_ENABLE, c->pdev->msi_enabled);
}

/* Whoever enables MSI-X ends with Function Mask clear. */
static bool pci_lu_copy_msix(struct pci_lu_copy *c)
{
	pci_lu_copy_flag(c, PCI_MSIX_FLAGS_ENABLE, c->pdev->msix_enabled);
	if (c->pdev->msix_enabled)
		c->bits |= PCI_MSIX_FLAGS_MASKALL;
	return true;
}

/* There is a copy only where the state of the link was set up. */
static bool pci_lu_copy_aspm(struct pci_lu_copy *c)
{
#ifdef CONFIG_PCIEASPM
	struct pci_dev *up = c->fn->bridge ? NULL : pci_upstream_bridge(c->pdev);

	if (!up || !up->link_state)
		return false;
	c->bits = PCI_EXP_LNKCTL_ASPMC;
	c->val = c->read & PCI_EXP_LNKCTL_ASPMC;
	if (pcie_aspm_enabled(c->pdev) != !!c->val)
		c->val ^= PCI_EXP_LNKCTL_ASPMC;
	return true;
#else
	return false;
#endif
}

static bool pci_lu_copy_ltr(struct pci_lu_copy *c)
{
#ifdef CONFIG_PCIEASPM
	return pci_lu_copy_flag(c, PCI_EXP_DEVCTL2_LTR_EN, c->pdev->ltr_path);
#else
	return false;
#endif
}

static bool pci_lu_copy_ari(struct pci_lu_copy *c)
{
	return pci_lu_copy_flag(c, PCI_EXP_DEVCTL2_ARI, c->pdev->ari_enabled);
}

static bool pci_lu_copy_ats(struct pci_lu_copy *c)
{
	return pci_lu_copy_flag(c, PCI_ATS_CTRL_ENABLE, c->pdev->ats_enabled);
}

static bool pci_lu_copy_pri(struct pci_lu_copy *c)
{
	return pci_lu_copy_flag(c, PCI_PRI_CTRL_ENABLE, c->pdev->pri_enabled);
}

static bool pci_lu_copy_pasid(struct pci_lu_copy *c)
{
	return pci_lu_copy_flag(c, PCI_PASID_CTRL_ENABLE, c->pdev->pasid_enabled);
}

static bool pci_lu_copy_vfs(struct pci_lu_copy *c)
{
#ifdef CONFIG_PCI_IOV
	if (!c->pdev->is_physfn)
		return false;
	c->bits = PCI_SRIOV_CTRL_VFE | PCI_SRIOV_CTRL_MSE;
	c->val = c->pdev->sriov->ctrl & c->bits;
	return true;
#else
	return false;
#endif
}

static bool pci_lu_copy_ptm(struct pci_lu_copy *c)
{
	return pci_lu_copy_flag(c, PCI_PTM_CTRL_ENABLE, pcie_ptm_enabled(c->pdev));
}

static const struct {
	const char *row;
	bool (*get)(struct pci_lu_copy *c);
} pci_lu_copies[] = {
	{ "COMMAND.BME", pci_lu_copy_master },
	{ "COMMAND.INTX", pci_lu_copy_intx },
	{ "PORT.COMMAND.BME", pci_lu_copy_master },
	{ "BAR", pci_lu_copy_bar },
	{ "PORT.BAR", pci_lu_copy_bar },
	{ "PORT.BUS_NUMBERS", pci_lu_copy_buses },
	{ "PORT.WINDOW.IO", pci_lu_copy_io },
	{ "PORT.WINDOW.MEM", pci_lu_copy_mem },
	{ "PORT.WINDOW.PREF", pci_lu_copy_pref },
	{ "PORT.WINDOW.PREF_BASE_UPPER", pci_lu_copy_upper },
	{ "PORT.WINDOW.PREF_LIMIT_UPPER", pci_lu_copy_upper },
	{ "PORT.WINDOW.IO_UPPER", pci_lu_copy_upper },
	{ "PM.STATE", pci_lu_copy_power },
	{ "PORT.PM.STATE", pci_lu_copy_power },
	{ "MSI.ENABLE", pci_lu_copy_msi },
	{ "MSIX.CONTROL", pci_lu_copy_msix },
	{ "LNKCTL.ASPM", pci_lu_copy_aspm },
	{ "DEVCTL2.LTR", pci_lu_copy_ltr },
	{ "PORT.DEVCTL2.ARI", pci_lu_copy_ari },
	{ "ATS.CONTROL", pci_lu_copy_ats },
	{ "PRI.ENABLE", pci_lu_copy_pri },
	{ "PASID.CONTROL", pci_lu_copy_pasid },
	{ "SRIOV.VFE", pci_lu_copy_vfs },
	{ "PTM.CONTROL", pci_lu_copy_ptm },
};

/* One after the other in what pci_save_pcie_state() and pci_save_aer_state() save. */
static const u8 pci_lu_saved_exp[] = {
	PCI_EXP_DEVCTL, PCI_EXP_LNKCTL, PCI_EXP_SLTCTL, PCI_EXP_RTCTL,
	PCI_EXP_DEVCTL2, PCI_EXP_LNKCTL2, PCI_EXP_SLTCTL2,
};

static const u8 pci_lu_saved_aer[] = {
	PCI_ERR_UNCOR_MASK, PCI_ERR_UNCOR_SEVER, PCI_ERR_COR_MASK, PCI_ERR_CAP,
};

static bool pci_lu_copy_saved_cap(struct pci_lu_copy *c)
{
	const struct pci_lu_layout *l = &c->fn->layout;
	struct pci_cap_saved_state *cap;
	unsigned int n;

	cap = pci_find_saved_cap(c->pdev, PCI_CAP_ID_EXP);
	for (n = 0; cap && l->pcie && n < ARRAY_SIZE(pci_lu_saved_exp); n++)
		if (c->pos == l->pcie + pci_lu_saved_exp[n]) {
			c->val = ((const u16 *)cap->cap.data)[n];
			return true;
		}
	cap = pci_find_saved_ext_cap(c->pdev, PCI_EXT_CAP_ID_ERR);
	for (n = 0; cap && l->aer && n < ARRAY_SIZE(pci_lu_saved_aer); n++)
		if (c->pos == l->aer + pci_lu_saved_aer[n]) {
			c->val = cap->cap.data[n];
			return true;
		}
	return false;
}

static bool pci_lu_copy_saved(struct pci_lu_copy *c, const struct pci_lu_row *row)
{
	c->bits = row->bits;
	if (!c->fn->bridge || !c->pdev->state_saved)
		return false;
	if (c->pos >= PCI_STD_HEADER_SIZEOF)
		return pci_lu_copy_saved_cap(c);
	c->val = c->pdev->saved_config_space[c->pos / 4] >> 8 * (c->pos % 4);
	return true;
}

static u32 pci_lu_copy_read(struct pci_lu_copy *c)
{
	u32 val = 0;
	u16 word;
	u8 byte;

	switch (c->width) {
	case 1:
		pci_read_config_byte(c->pdev, c->pos, &byte);
		return byte;
	case 2:
		pci_read_config_word(c->pdev, c->pos, &word);
		return word;
	default:
		pci_read_config_dword(c->pdev, c->pos, &val);
		return val;
	}
}

static void pci_lu_show_register(struct seq_file *m, struct pci_lu_copy *c,
				 const struct pci_lu_row *row)
{
	unsigned int n;

	c->pos = pci_lu_row_pos(row, &c->fn->layout, c->i);
	c->width = row->width;
	c->read = pci_lu_copy_read(c);
	seq_printf(m, "%s %u %#x %u %#x %#x", row->name, c->i, c->pos, c->width,
		   row->bits, c->read);
	for (n = 0; n < ARRAY_SIZE(pci_lu_copies); n++)
		if (!strcmp(pci_lu_copies[n].row, row->name) &&
		    pci_lu_copies[n].get(c))
			seq_printf(m, " state %#x %#x", c->bits, c->val);
	if (pci_lu_copy_saved(c, row))
		seq_printf(m, " saved %#x %#x", c->bits, c->val & c->bits);
	seq_putc(m, '\n');
}

static int pci_lu_copies_show(struct seq_file *m, void *unused)
{
	struct pci_lu_copy c = { .fn = m->private };
	unsigned int n;
	const struct pci_lu_row *row = pci_lu_policy_rows(&n);

	c.pdev = pci_get_domain_bus_and_slot(c.fn->segment, c.fn->bus, c.fn->devfn);
	if (!c.pdev)
		return -ENODEV;
	pci_lock_rescan_remove();
	mutex_lock(&pci_lu_lock);
	for (; n--; row++) {
		if (!pci_lu_row_applies(row, &c.fn->layout))
			continue;
		for (c.i = 0; c.i < pci_lu_row_count(row, &c.fn->layout); c.i++)
			pci_lu_show_register(m, &c, row);
	}
	mutex_unlock(&pci_lu_lock);
	pci_unlock_rescan_remove();
	pci_dev_put(c.pdev);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(pci_lu_copies);

/**
 * pci_lu_copies_add - show what software believes of a function, in debugfs
 * @dir: where
 * @fn: the function; its entry is never freed
 * @address: its address
 */
void pci_lu_copies_add(struct dentry *dir, struct pci_lu_fn *fn, const char *address)
{
	char name[24];

	snprintf(name, sizeof(name), "%s-copies", address);
	debugfs_create_file(name, 0400, dir, fn, &pci_lu_copies_fops);
}
