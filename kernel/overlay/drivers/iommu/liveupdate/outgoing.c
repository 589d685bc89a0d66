// SPDX-License-Identifier: GPL-2.0
/*
 * IOMMU live update, old kernel: preserved functions, and the record.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: Old kernel, order of steps
 *
 * Translation is never switched off while a preserved function may do DMA. What
 * the next kernel finds in hardware is a top-level table that holds the
 * preserved functions and nothing else.
 *
 * preserve: refuse what cannot survive (core.c); allocate, as memory that KHO
 *	preserves, room in the record, what the driver needs for a unit (first
 *	function of a unit), and what it needs for the function.
 * freeze, with the mappings of the function locked by its owner:
 *	1. preserve every page of the page table, and list them (the first of
 *	   the functions that share a domain)
 *	2. the driver copies the entry of the function
 *	3. write the record, seal it, announce it to KHO
 *	Nothing of this is visible to hardware. Other devices go on to use the
 *	live tables until device_shutdown() is through.
 * shutdown: the driver's own hook asks iommu_lu_frozen_unit() for each unit, and
 *	points those with frozen functions at the handover table. The others are
 *	switched off as ever.
 *
 * unfreeze and unpreserve undo the steps in reverse.
 *
 * Locks: iommu_lu_out.lock covers all lists and tables. It nests inside the
 * owner's locks and LUO's; locks of the driver nest inside it.
 * iommu_lu_frozen_unit() takes none: it runs alone.
 */

#include <linux/cleanup.h>
#include <linux/kexec_handover.h>
#include <linux/pci.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "internal.h"

static struct iommu_lu_fn *lu_fn_find(struct device *dev)
{
	struct iommu_lu_fn *fn;

	list_for_each_entry(fn, &iommu_lu_out.fns, node)
		if (fn->dev == dev)
			return fn;
	return NULL;
}

/* The record. */

static void lu_write_table(struct iommu_lu_table_ser *ser,
			   struct iommu_lu_table *table)
{
	ser->pages.head_pa = kho_block_set_head_pa(&table->pages);
	ser->pages.nr = table->nr;
	ser->pages.crc = table->crc;
	ser->refs = table->users;
}

static void lu_write_fn(struct iommu_lu_fn_ser *ser, struct iommu_lu_fn *fn)
{
	*ser = fn->ser;
	ser->unit = fn->unit->index;
	ser->table = fn->table->index;
}

static void lu_fill_record(void *record)
{
	unsigned int units = 0, tables = 0, fns = 0, i = 0;
	const struct iommu_lu_ops *ops = NULL;
	struct iommu_lu_table *table;
	struct iommu_lu_unit *unit;
	struct iommu_lu_fn *fn;

	list_for_each_entry(unit, &iommu_lu_out.units, node) {
		if (!unit->frozen)
			continue;
		unit->index = units++;
		ops = unit->ops;
	}
	list_for_each_entry(table, &iommu_lu_out.tables, node)
		table->index = tables++;
	list_for_each_entry(fn, &iommu_lu_out.fns, node)
		fns += !!fn->table;

	iommu_lu_record_init(record, ops ? ops->kind : 0, units, tables, fns,
			     ops ? ops->flags() : 0);
	list_for_each_entry(unit, &iommu_lu_out.units, node)
		if (unit->frozen)
			*iommu_lu_unit_slot(record, unit->index) = unit->ser;
	list_for_each_entry(table, &iommu_lu_out.tables, node)
		lu_write_table(iommu_lu_table_slot(record, table->index), table);
	list_for_each_entry(fn, &iommu_lu_out.fns, node)
		if (fn->table)
			lu_write_fn(iommu_lu_fn_slot(record, i++), fn);
	iommu_lu_record_seal(record);
}

/*
 * Write what is frozen, all of it, and announce it. Fails only when it has to be
 * announced for the first time.
 */
static int lu_write_record(void)
{
	struct iommu_lu_outgoing *out = &iommu_lu_out;
	struct iommu_lu_fn *fn;
	bool frozen = false;
	int err;

	list_for_each_entry(fn, &out->fns, node)
		frozen |= !!fn->table;

	lu_fill_record(out->record);
	if (frozen && !out->published) {
		err = kho_add_subtree(IOMMU_LU_KHO_NAME, out->record, out->size);
		if (err)
			return err;
		out->published = true;
	} else if (!frozen && out->published) {
		kho_remove_subtree(out->record);
		out->published = false;
	}
	return 0;
}

/* Room for one function more, with a unit and a page table of its own. */
static int lu_record_get(void)
{
	struct iommu_lu_outgoing *out = &iommu_lu_out;
	unsigned int nr = out->nr_fns + 1;
	size_t size;
	void *record;

	if (nr > IOMMU_LU_MAX_FNS)
		return -ENOSPC;

	size = iommu_lu_record_size(min(nr, IOMMU_LU_MAX_UNITS), nr, nr);
	if (size > out->size) {
		/* The next kernel may be told of the old one at any time. */
		if (out->published)
			return -EBUSY;
		size = roundup_pow_of_two(max(size, SZ_64K));
		record = kho_alloc_preserve(size);
		if (IS_ERR(record))
			return PTR_ERR(record);
		kho_unpreserve_free(out->record);
		out->record = record;
		out->size = size;
	}
	out->nr_fns = nr;
	return 0;
}

static void lu_record_put(void)
{
	struct iommu_lu_outgoing *out = &iommu_lu_out;

	if (--out->nr_fns)
		return;
	kho_unpreserve_free(out->record);
	out->record = NULL;
	out->size = 0;
}

/* A function, with its unit and what the driver needs for it. */
static struct iommu_lu_fn *lu_fn_make(struct device *dev,
				      const struct iommu_lu_ops *ops)
{
	struct pci_dev *pdev = to_pci_dev(dev);
	struct iommu_lu_fn *fn;
	void *hw;
	int err;

	fn = kzalloc_obj(*fn);
	if (!fn)
		return ERR_PTR(-ENOMEM);

	fn->dev = dev;
	hw = ops->locate(dev, &fn->ser.stream);
	fn->ser.segment = pci_domain_nr(pdev->bus);
	fn->ser.bus = pdev->bus->number;
	fn->ser.devfn = pdev->devfn;
	fn->unit = iommu_lu_unit_get(hw, ops);
	if (IS_ERR(fn->unit)) {
		err = PTR_ERR(fn->unit);
		goto err_free_fn;
	}

	err = ops->fn_get(fn);
	if (err)
		goto err_put_unit;
	return fn;

err_put_unit:
	iommu_lu_unit_put(fn->unit);
err_free_fn:
	kfree(fn);
	return ERR_PTR(err);
}

/**
 * iommu_lu_out_preserve - reserve what handing the translation of a device over needs
 * @dev: the device; nothing stands against it
 * @ops: its driver
 *
 * Return: 0, or a negative errno.
 */
int iommu_lu_out_preserve(struct device *dev, const struct iommu_lu_ops *ops)
{
	struct iommu_lu_fn *fn;
	int err;

	guard(mutex)(&iommu_lu_out.lock);
	if (lu_fn_find(dev))
		return -EBUSY;

	err = lu_record_get();
	if (err)
		return err;

	fn = lu_fn_make(dev, ops);
	if (IS_ERR(fn)) {
		lu_record_put();
		return PTR_ERR(fn);
	}
	list_add_tail(&fn->node, &iommu_lu_out.fns);
	return 0;
}

/**
 * iommu_lu_out_unpreserve - undo iommu_lu_out_preserve()
 * @dev: a preserved device, not frozen
 */
void iommu_lu_out_unpreserve(struct device *dev)
{
	struct iommu_lu_fn *fn;

	guard(mutex)(&iommu_lu_out.lock);
	fn = lu_fn_find(dev);
	if (!fn)
		return;

	list_del(&fn->node);
	fn->unit->ops->fn_put(fn);
	iommu_lu_unit_put(fn->unit);
	kfree(fn);
	lu_record_put();
}

static void lu_thaw(struct iommu_lu_fn *fn)
{
	fn->unit->ops->release(fn);
	fn->unit->frozen--;
	iommu_lu_table_put(fn->table);
	fn->table = NULL;
}

/**
 * iommu_lu_out_freeze - record the translation of a device
 * @dev: a preserved device; its mappings do not change until unfreeze
 *
 * Return: 0, or a negative errno with everything as it was.
 */
int iommu_lu_out_freeze(struct device *dev)
{
	struct iommu_lu_table *table;
	struct iommu_lu_fn *fn;
	int err;

	guard(mutex)(&iommu_lu_out.lock);
	fn = lu_fn_find(dev);
	if (!fn || fn->table)
		return -EINVAL;

	table = iommu_lu_table_get(iommu_get_domain_for_dev(dev), fn->unit->ops);
	if (IS_ERR(table))
		return PTR_ERR(table);

	fn->table = table;
	fn->unit->frozen++;
	err = fn->unit->ops->capture(fn);
	if (!err)
		err = lu_write_record();
	if (err)
		lu_thaw(fn);
	return err;
}

/**
 * iommu_lu_out_unfreeze - undo iommu_lu_out_freeze()
 * @dev: a frozen device
 */
void iommu_lu_out_unfreeze(struct device *dev)
{
	struct iommu_lu_fn *fn;

	guard(mutex)(&iommu_lu_out.lock);
	fn = lu_fn_find(dev);
	if (!fn || !fn->table)
		return;

	lu_thaw(fn);
	/* The record was announced, so this cannot fail. */
	lu_write_record();
}

/**
 * iommu_lu_frozen_unit - must a unit go on translating for the next kernel?
 * @hw: the unit, as its driver calls it
 *
 * Context: other CPUs stopped, interrupts off.
 * Return: the unit, or NULL when no function on it is frozen.
 */
struct iommu_lu_unit *iommu_lu_frozen_unit(void *hw)
{
	struct iommu_lu_unit *unit;

	list_for_each_entry(unit, &iommu_lu_out.units, node)
		if (unit->hw == hw && unit->frozen)
			return unit;
	return NULL;
}
