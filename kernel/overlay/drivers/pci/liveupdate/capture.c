// SPDX-License-Identifier: GPL-2.0
/*
 * PCI live update, old kernel: what a function is set to is read into its record.
 *
 * Copyright (c) 2026 The holdfast authors
 */

#include "../pci.h"
#include "internal.h"

static u32 pci_lu_size_mask(const struct resource *res, bool high)
{
	u64 mask;

	if (!res->flags)
		return 0;
	mask = ~(u64)(resource_size(res) - 1);
	if (high)
		return upper_32_bits(mask);
	if (res->flags & IORESOURCE_IO)
		return lower_32_bits(mask) & PCI_BASE_ADDRESS_IO_MASK;
	return lower_32_bits(mask) & PCI_BASE_ADDRESS_MEM_MASK;
}

/* Raw BARs and their sizing masks. */
static void pci_lu_capture_bars(struct pci_dev *pdev, int nr, u32 *raw, u32 *mask)
{
	unsigned int pos = PCI_BASE_ADDRESS_0;
	int i;

	for (i = 0; i < nr; i++) {
		const struct resource *res = pci_resource_n(pdev, i);

		pci_read_config_dword(pdev, pos + 4 * i, &raw[i]);
		mask[i] = pci_lu_size_mask(res, false);
		if (!(res->flags & IORESOURCE_MEM_64) || i + 1 == nr)
			continue;
		pci_read_config_dword(pdev, pos + 4 * (i + 1), &raw[i + 1]);
		mask[i + 1] = pci_lu_size_mask(res, true);
		i++;
	}
}

static void pci_lu_capture_rom(struct pci_dev *pdev, struct pci_lu_fn_ser *ser)
{
	const struct resource *res = pci_resource_n(pdev, PCI_ROM_RESOURCE);
	u32 raw;

	if (!pdev->rom_base_reg)
		return;
	pci_read_config_dword(pdev, pdev->rom_base_reg, &raw);
	ser->bar[6] = raw;
	if (res->flags)
		ser->bar_mask[6] = ~(u32)(resource_size(res) - 1) &
				   PCI_ROM_ADDRESS_MASK;
}

static void pci_lu_capture_vf_bars(struct pci_dev *pdev, u32 *mask)
{
#ifdef CONFIG_PCI_IOV
	int i;

	if (!pdev->sriov)
		return;
	for (i = 0; i < PCI_SRIOV_NUM_BARS; i++) {
		const struct resource *res;
		u64 m;

		res = pci_resource_n(pdev, PCI_IOV_RESOURCES + i);
		if (!res->flags)
			continue;
		m = ~((u64)pci_iov_resource_size(pdev, PCI_IOV_RESOURCES + i) - 1);
		mask[i] = lower_32_bits(m) & PCI_BASE_ADDRESS_MEM_MASK;
		if (res->flags & IORESOURCE_MEM_64)
			mask[++i] = upper_32_bits(m);
	}
#endif
}

/* Where VFs are. All of this is in effect only while there are some. */
static void pci_lu_capture_vfs(struct pci_dev *pdev, struct pci_lu_fn_ser *ser)
{
#ifdef CONFIG_PCI_IOV
	u32 bar[6] = {};
	int i, pos;

	if (pdev->is_virtfn)
		ser->vf_id = pci_iov_vf_id(pdev);
	if (!(ser->sriov_ctrl & PCI_SRIOV_CTRL_VFE) || !pdev->sriov)
		return;
	pos = pdev->sriov->pos;
	for (i = 0; i < PCI_SRIOV_NUM_BARS; i++)
		pci_read_config_dword(pdev, pos + PCI_SRIOV_BAR + 4 * i, &bar[i]);
	memcpy(ser->vf_bar, bar, sizeof(bar));
	ser->vf_offset = pdev->sriov->offset;
	ser->vf_stride = pdev->sriov->stride;
#endif
}

/* From the device: a quirk may have given pdev another class. */
static void pci_lu_capture_identity(struct pci_dev *pdev, struct pci_lu_fn_ser *ser)
{
	u32 val;

	ser->vendor = pdev->vendor;
	ser->device = pdev->device;
	pci_read_config_dword(pdev, PCI_CLASS_REVISION, &val);
	ser->class_rev = val;
	if (pci_is_bridge(pdev))
		return;
	pci_read_config_dword(pdev, PCI_SUBSYSTEM_VENDOR_ID, &val);
	ser->subvendor = val & 0xffff;
	ser->subdevice = val >> 16;
}

static void pci_lu_capture_bridge(struct pci_dev *pdev, struct pci_lu_fn_ser *ser)
{
	u16 ctl;
	u32 val;
	int i;

	pci_read_config_word(pdev, PCI_BRIDGE_CONTROL, &ctl);
	ser->bridge_control = ctl;
	pci_read_config_dword(pdev, PCI_PRIMARY_BUS, &val);
	ser->bus_numbers = val & GENMASK(23, 0);
	for (i = 0; i < ARRAY_SIZE(ser->window); i++) {
		pci_read_config_dword(pdev, PCI_IO_BASE + 4 * i, &val);
		/* Secondary Status is not part of a window. */
		ser->window[i] = i ? val : val & GENMASK(15, 0);
	}
	ser->windows = (pdev->io_window ? PCI_LU_WIN_IO : 0) |
		       (pdev->io_window ? PCI_LU_WIN_IO32 : 0) |
		       (pdev->pref_window ? PCI_LU_WIN_PREF : 0) |
		       (pdev->pref_64_window ? PCI_LU_WIN_PREF64 : 0);
}

static u16 pci_lu_ext_word(struct pci_dev *pdev, int cap, int off)
{
	int pos = pci_find_ext_capability(pdev, cap);
	u16 val = 0;

	if (pos)
		pci_read_config_word(pdev, pos + off, &val);
	return val;
}

static void pci_lu_capture_caps(struct pci_dev *pdev, struct pci_lu_fn_ser *ser)
{
	u32 status;
	u16 val;

	pcie_capability_read_word(pdev, PCI_EXP_DEVCTL, &val);
	ser->devctl = val;
	pcie_capability_read_word(pdev, PCI_EXP_DEVCTL2, &val);
	ser->devctl2 = val;
	pcie_capability_read_word(pdev, PCI_EXP_LNKCTL, &val);
	ser->lnkctl = val;
	pcie_capability_read_word(pdev, PCI_EXP_LNKCTL2, &val);
	ser->lnkctl2 = val;
	if (pdev->pm_cap) {
		pci_read_config_word(pdev, pdev->pm_cap + PCI_PM_CTRL, &val);
		ser->pmcsr = val;
	}
	if (pdev->aer_cap) {
		pci_read_config_dword(pdev, pdev->aer_cap + PCI_ERR_UNCOR_STATUS,
				      &status);
		ser->uncor_status = status;
	}
	ser->ats_ctrl = pci_lu_ext_word(pdev, PCI_EXT_CAP_ID_ATS, PCI_ATS_CTRL);
	ser->pri_ctrl = pci_lu_ext_word(pdev, PCI_EXT_CAP_ID_PRI, PCI_PRI_CTRL);
	ser->pasid_ctrl = pci_lu_ext_word(pdev, PCI_EXT_CAP_ID_PASID, PCI_PASID_CTRL);
	ser->acs_ctrl = pci_lu_ext_word(pdev, PCI_EXT_CAP_ID_ACS, PCI_ACS_CTRL);
	ser->sriov_ctrl = pci_lu_ext_word(pdev, PCI_EXT_CAP_ID_SRIOV, PCI_SRIOV_CTRL);
	ser->num_vfs = pci_lu_ext_word(pdev, PCI_EXT_CAP_ID_SRIOV, PCI_SRIOV_NUM_VF);
}

/* What concerns only its owner. */
static void pci_lu_capture_own(struct pci_lu_fn *fn, struct pci_lu_fn_ser *ser)
{
	ser->irq_mode = fn->irq->mode;
	ser->nr_vectors = fn->irq->nr -
			  bitmap_weight(fn->irq->masked, fn->irq->nr);
	ser->iommu_flags = PCI_LU_IOMMU_TRANSLATED |
			   (ser->ats_ctrl & PCI_ATS_CTRL_ENABLE ?
			    PCI_LU_IOMMU_ATS : 0);
}

/**
 * pci_lu_capture - read into the record what a function is set to
 * @fn: a preserved function, interrupts masked, not yet guarded
 *
 * Context: Process context, under pci_lu_lock.
 */
void pci_lu_capture(struct pci_lu_fn *fn)
{
	struct pci_dev *pdev = fn->pdev;
	u32 bar[6] = {}, mask[6] = {}, vf_mask[6] = {};
	struct pci_lu_fn_ser *ser = &fn->ser;
	u16 val;

	memset(ser, 0, sizeof(*ser));
	ser->segment = fn->segment;
	ser->bus = fn->bus;
	ser->devfn = fn->devfn;
	pci_lu_capture_identity(pdev, ser);
	pci_read_config_word(pdev, PCI_COMMAND, &val);
	ser->command = val;

	if (!fn->vf) {
		pci_lu_capture_bars(pdev, fn->bridge ? 2 : 6, bar, mask);
		memcpy(ser->bar, bar, sizeof(bar));
		memcpy(ser->bar_mask, mask, sizeof(mask));
		pci_lu_capture_rom(pdev, ser);
	}
	pci_lu_capture_caps(pdev, ser);
	if (fn->bridge) {
		pci_lu_capture_bridge(pdev, ser);
	} else {
		pci_lu_capture_vf_bars(pdev, vf_mask);
		memcpy(ser->vf_bar_mask, vf_mask, sizeof(vf_mask));
		pci_lu_capture_vfs(pdev, ser);
		if (fn->own)
			pci_lu_capture_own(fn, ser);
		strscpy(ser->driver, pdev->driver ? pdev->driver->name : "");
	}
}
