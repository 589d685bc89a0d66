/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * "Templated C code", included by iommu_pt.h: visit the memory of a page table,
 * so that a live update can keep it.
 *
 * Copyright (c) 2026 The holdfast authors
 */
#ifndef __GENERIC_PT_IOMMU_LU_H
#define __GENERIC_PT_IOMMU_LU_H

#ifdef CONFIG_PCI_LIVEUPDATE

struct pt_iommu_visit_args {
	int (*visit)(void *table, void *arg);
	void *arg;
};

static int __visit_tables(struct pt_range *range, void *arg,
			  unsigned int level, struct pt_table_p *table)
{
	struct pt_state pts = pt_init(range, level, table);
	struct pt_iommu_visit_args *args = arg;
	int ret;

	ret = args->visit(table, args->arg);
	if (ret || !pt_can_have_table(&pts))
		return ret;

	for_each_pt_level_entry(&pts) {
		if (pts.type != PT_ENTRY_TABLE)
			continue;
		ret = pt_descend(&pts, arg, __visit_tables);
		if (ret)
			return ret;
	}
	return 0;
}

/*
 * Calls visit() once for every table, the top first. The caller excludes
 * changes to the page table; visit() may sleep.
 */
static int NS(for_each_table)(struct pt_iommu *iommu_table,
			      int (*visit)(void *table, void *arg), void *arg)
{
	struct pt_range range = pt_all_range(common_from_iommu(iommu_table));
	struct pt_iommu_visit_args args = { .visit = visit, .arg = arg };

	return pt_walk_range(&range, __visit_tables, &args);
}

#define PT_IOMMU_LU_OPS .for_each_table = NS(for_each_table),

#else

#define PT_IOMMU_LU_OPS

#endif /* CONFIG_PCI_LIVEUPDATE */

#endif /* __GENERIC_PT_IOMMU_LU_H */
