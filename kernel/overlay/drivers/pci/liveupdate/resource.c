// SPDX-License-Identifier: GPL-2.0
/*
 * PCI live update: do the resources of a device and its registers agree?
 *
 * Copyright (c) 2026 The holdfast authors
 */

#include "../pci.h"
#include "internal.h"

/* What a bridge forwards, on the bus. */
struct pci_lu_window {
	const char *reg;
	int res;
	u64 first;
	u64 last;
};

static void pci_lu_io_window(const struct pci_lu_fn_ser *ser, struct pci_lu_window *w)
{
	u32 val = ser->window[0], upper = ser->window[5];

	w->reg = "I/O Base, Limit";
	w->res = PCI_BRIDGE_IO_WINDOW;
	w->first = (val & 0xf0) << 8;
	w->last = (val & 0xf000) | 0xfff;
	if ((val & PCI_IO_RANGE_TYPE_MASK) == PCI_IO_RANGE_TYPE_32) {
		w->first |= (upper & 0xffff) << 16;
		w->last |= upper & 0xffff0000;
	}
}

static void pci_lu_mem_window(const struct pci_lu_fn_ser *ser, int i,
			      struct pci_lu_window *w)
{
	u32 val = ser->window[i];

	w->first = (u64)(val & 0xfff0) << 16;
	w->last = (val & 0xfff00000) | 0xfffff;
}

static void pci_lu_windows(const struct pci_lu_fn_ser *ser, struct pci_lu_window w[3])
{
	pci_lu_io_window(ser, &w[0]);
	pci_lu_mem_window(ser, 1, &w[1]);
	w[1].reg = "Memory Base, Limit";
	w[1].res = PCI_BRIDGE_MEM_WINDOW;
	pci_lu_mem_window(ser, 2, &w[2]);
	w[2].reg = "Prefetchable Memory Base, Limit";
	w[2].res = PCI_BRIDGE_PREF_MEM_WINDOW;
	if ((ser->window[2] & PCI_PREF_RANGE_TYPE_MASK) == PCI_PREF_RANGE_TYPE_64) {
		w[2].first |= (u64)ser->window[3] << 32;
		w[2].last |= (u64)ser->window[4] << 32;
	}
}

static bool pci_lu_region(struct pci_dev *pdev, int i, struct pci_bus_region *region)
{
	struct resource *res = pci_resource_n(pdev, i);

	if (!res->flags || res->flags & (IORESOURCE_UNSET | IORESOURCE_DISABLED))
		return false;
	pcibios_resource_to_bus(pdev->bus, region, res);
	return true;
}

static bool pci_lu_bar_agrees(struct pci_dev *pdev, const struct pci_lu_fn_ser *ser,
			      int i, bool must)
{
	const struct resource *res = pci_resource_n(pdev, i);
	struct pci_bus_region region;
	u64 addr = ser->bar[i];

	if (!res->flags)
		return true;
	if (!pci_lu_region(pdev, i, &region))
		return !must;
	addr &= res->flags & IORESOURCE_IO ? PCI_BASE_ADDRESS_IO_MASK :
					     PCI_BASE_ADDRESS_MEM_MASK;
	if (res->flags & IORESOURCE_MEM_64)
		addr |= (u64)ser->bar[i + 1] << 32;
	return region.start == addr;
}

/* VFs take their BARs, one after the other, from what the PF has for all. */
static bool pci_lu_vf_bar_agrees(struct pci_dev *pdev, const struct pci_lu_fn_ser *pf,
				 int i, unsigned int id)
{
	int n = pdev->is_virtfn ? i : pci_resource_num_from_vf_bar(i);
	const struct resource *res = pci_resource_n(pdev, n);
	struct pci_bus_region region;
	u64 addr = pf->vf_bar[i] & PCI_BASE_ADDRESS_MEM_MASK;

	if (!res->flags)
		return true;
	if (!pci_lu_region(pdev, n, &region))
		return false;
	if (res->flags & IORESOURCE_MEM_64)
		addr |= (u64)pf->vf_bar[i + 1] << 32;
	return region.start == addr + (u64)id * resource_size(res);
}

static const char *pci_lu_vf_bars_agree(struct pci_dev *pdev,
					const struct pci_lu_fn_ser *pf, unsigned int id)
{
	static const char * const names[] = {
		"VF Base Address 0", "VF Base Address 1", "VF Base Address 2",
		"VF Base Address 3", "VF Base Address 4", "VF Base Address 5",
	};
	int i;

	for (i = 0; i < PCI_SRIOV_NUM_BARS; i++)
		if (!pci_lu_vf_bar_agrees(pdev, pf, i, id))
			return names[i];
	return NULL;
}

static const char *pci_lu_bars_agree(struct pci_dev *pdev,
				     const struct pci_lu_fn_ser *ser, bool must)
{
	static const char * const names[] = {
		"Base Address 0", "Base Address 1", "Base Address 2",
		"Base Address 3", "Base Address 4", "Base Address 5",
	};
	int i;

	if (pdev->is_virtfn)
		return pci_lu_vf_bars_agree(pdev, &pci_lu_fn_find(pci_physfn(pdev))->ser,
					    ser->vf_id);
	for (i = 0; i < (pci_is_bridge(pdev) ? 2 : 6); i++)
		if (!pci_lu_bar_agrees(pdev, ser, i, must))
			return names[i];
	if (pdev->is_physfn && ser->sriov_ctrl & PCI_SRIOV_CTRL_VFE)
		return pci_lu_vf_bars_agree(pdev, ser, 0);
	return NULL;
}

/**
 * pci_lu_stray_register - which register is not what this kernel has set?
 * @pdev: a function that is about to be handed over
 * @ser: its registers
 *
 * Somebody wrote to it behind the back of its driver. A VF has no register to look at.
 *
 * Return: the name of an address register, or NULL.
 */
const char *pci_lu_stray_register(struct pci_dev *pdev,
				  const struct pci_lu_fn_ser *ser)
{
	const char *reg = pdev->is_virtfn ? NULL : pci_lu_bars_agree(pdev, ser, false);
	struct pci_bus_region region;
	struct pci_lu_window w[3];
	int i;

	if (reg || !pci_is_bridge(pdev))
		return reg;
	pci_lu_windows(ser, w);
	for (i = 0; i < ARRAY_SIZE(w); i++)
		if (pci_lu_region(pdev, w[i].res, &region) &&
		    (region.start < w[i].first || region.end > w[i].last))
			return w[i].reg;
	return NULL;
}

/**
 * pci_lu_moved_register - which register does this kernel believe elsewhere?
 * @pdev: an adopted function, or a bridge above one
 * @ser: its registers, as they were handed over
 *
 * A window may have grown in software: that harms nobody. But what the bridge
 * decodes must be its own in software, too, or it takes what was given to others.
 *
 * Return: the name of an address register, or NULL.
 */
const char *pci_lu_moved_register(struct pci_dev *pdev,
				  const struct pci_lu_fn_ser *ser)
{
	const char *reg = pci_lu_bars_agree(pdev, ser, true);
	struct pci_bus_region region;
	struct pci_lu_window w[3];
	int i;

	if (reg || !pci_is_bridge(pdev))
		return reg;
	pci_lu_windows(ser, w);
	for (i = 0; i < ARRAY_SIZE(w); i++) {
		if (!w[i].first || w[i].first > w[i].last)
			continue;	/* closed, or not there */
		if (!pci_lu_region(pdev, w[i].res, &region) ||
		    region.start > w[i].first || region.end < w[i].last)
			return w[i].reg;
	}
	return NULL;
}

/**
 * pci_lu_widen_windows - open the windows of a bridge as far as this kernel has them
 * @pdev: a bridge with what goes on running behind it
 * @ser: its registers, as they were handed over
 *
 * A window that has grown is widened by one write, so that it is never closed; one
 * that has not is not touched.
 */
void pci_lu_widen_windows(struct pci_dev *pdev, const struct pci_lu_fn_ser *ser)
{
	struct pci_bus_region region;
	struct pci_lu_window w[3];
	int i;

	pci_lu_windows(ser, w);
	for (i = 1; i < ARRAY_SIZE(w); i++) {
		int pos = i == 1 ? PCI_MEMORY_BASE : PCI_PREF_MEMORY_BASE;

		if (!pci_lu_region(pdev, w[i].res, &region) ||
		    (region.start >= w[i].first && region.end <= w[i].last))
			continue;
		if (w[i].first <= w[i].last &&
		    ((region.start ^ w[i].first) | (region.end ^ w[i].last)) >> 32) {
			pci_warn(pdev, "live update: %s cannot be widened: what was added behind it is out of reach\n",
				 w[i].reg);
			continue;
		}
		if (i == 2) {
			pci_write_config_dword(pdev, PCI_PREF_BASE_UPPER32,
					       upper_32_bits(region.start));
			pci_write_config_dword(pdev, PCI_PREF_LIMIT_UPPER32,
					       upper_32_bits(region.end));
		}
		pci_write_config_dword(pdev, pos,
				       (lower_32_bits(region.start) >> 16 & 0xfff0) |
				       (lower_32_bits(region.end) & 0xfff00000));
	}
}
