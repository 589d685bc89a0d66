// SPDX-License-Identifier: GPL-2.0
/*
 * VT-d live update: what the core asks of VT-d, and the hooks that only pass on.
 *
 * Copyright (c) 2026 The holdfast authors
 */

#include <linux/pci.h>

#include "liveupdate.h"
#include "lu_internal.h"

static void *intel_lu_locate(struct device *dev, u32 *stream)
{
	struct device_domain_info *info = dev_iommu_priv_get(dev);

	if (!info || dev_is_real_dma_subdevice(dev))
		return NULL;
	*stream = PCI_DEVID(info->bus, info->devfn);
	return info->iommu;
}

const struct iommu_lu_ops intel_lu_ops = {
	.kind		= IOMMU_LU_KIND_VTD,
	.locate		= intel_lu_locate,

	.refusal	= intel_lu_refusal,
	.flags		= intel_lu_flags,
	.top_get	= intel_lu_top_get,
	.top_put	= intel_lu_top_put,
	.fn_get		= intel_lu_fn_get,
	.fn_put		= intel_lu_fn_put,
	.for_each_table	= intel_lu_visit_tables,
	.capture	= intel_lu_capture,
	.release	= intel_lu_release,

	.find_unit	= intel_lu_find_unit,
	.ready		= intel_lu_ready,
	.check_unit	= intel_lu_check_unit,
	.check_fn	= intel_lu_check_fn,
	.live		= intel_lu_live,
	.irt_live	= intel_lu_irt_live,
	.tag_reserve	= intel_lu_tag_reserve,
	.tag_free	= intel_lu_tag_free,
	.block_early	= intel_lu_block_early,
	.block		= intel_lu_block,
	.replace	= intel_lu_replace,
	.flush_device	= intel_lu_flush_device,
};

static int __init intel_lu_register(void)
{
	iommu_lu_register(&intel_lu_ops);
	return 0;
}
early_initcall(intel_lu_register);

/**
 * intel_lu_before_disable - hook: translation of a unit is about to end
 * @iommu: the unit
 */
void intel_lu_before_disable(struct intel_iommu *iommu)
{
	iommu_lu_before_disable(iommu->reg_phys);
	intel_lu_irt_off(iommu);
}

/**
 * intel_lu_keeps_context - hook: may the copied context entry be torn down?
 * @iommu: the unit
 * @bus: bus number of the requester ID
 * @devfn: device and function number of the requester ID
 *
 * Return: true when intel_lu_switch() will replace it.
 */
bool intel_lu_keeps_context(struct intel_iommu *iommu, u8 bus, u8 devfn)
{
	return iommu_lu_in_adopted(iommu, PCI_DEVID(bus, devfn));
}

/**
 * intel_lu_switch - hook: the last step of attaching a domain
 * @domain: the domain; it is set up for @dev in all but the context entry
 * @dev: the device
 *
 * Context: Process context, group mutex held.
 * Return: 0, or a negative errno with the old translation still in place.
 */
int intel_lu_switch(struct dmar_domain *domain, struct device *dev)
{
	return iommu_lu_switch(&domain->domain, dev);
}

/**
 * intel_lu_finish - hook: a device goes away
 * @dev: the device
 */
void intel_lu_finish(struct device *dev)
{
	iommu_lu_finish_device(dev);
}
