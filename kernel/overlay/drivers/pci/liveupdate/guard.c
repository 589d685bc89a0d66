// SPDX-License-Identifier: GPL-2.0
/*
 * PCI live update: the guard, a filter around bus->ops while a function is in
 * flight.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: The guard
 *
 * From freeze in the old kernel to finish in the new one, config writes to a
 * preserved function and to the bridges above it pass a policy (policy.c). The
 * default is to pass: the new kernel owns the device. A write is withheld, in
 * whole or in part, only by a row of the policy table, which says why that write
 * would hurt a device in flight.
 *
 * All config writes of drivers, of the PCI core and of userspace go through
 * bus->ops->write, so that is the one place where the guard sits. (AML goes
 * through raw_pci_write(), and is not filtered.) The guard is there only on buses that
 * hold a guarded function, and only while one is guarded:
 *
 * old kernel
 *	1. preserve: memory for the filter of each bus on the path is allocated
 *	2. freeze: bus->ops of these buses is exchanged, root bus included
 *	3. unfreeze: bus->ops is put back
 * new kernel
 *	1. pci_register_host_bridge() / pci_alloc_child_bus(): pci_lu_guard_ops()
 *	   exchanges bus->ops before anything on the bus has been touched
 *	2. finish of the last guarded function on a bus puts bus->ops back
 *
 * A fenced function is guarded in another way: all passes but Bus Master, which
 * nobody can set, and INTx Disable, which nobody can clear, until it was reset
 * (fence.c).
 *
 * Functions are looked up by segment, bus and devfn, not by struct pci_dev,
 * since sizing and capability setup run before the device is in any list.
 *
 * Locking: x86 has no lock around bus->ops (PCI_LOCKLESS_CONFIG), elsewhere it is
 * called under pci_lock, and pci_check_and_set_intx_mask() calls it directly.
 * A write that may have to be merged is a read-modify-write under the function's
 * own raw lock, at the width of the original access, through the inner
 * accessors. Only their locks nest inside. Another CPU may be inside the guard
 * when it is disarmed: entries and filters are never freed. There is at most one
 * for each function and bus ever preserved.
 */

#define pr_fmt(fmt) "PCI: live update: " fmt

#include <linux/slab.h>
#include <linux/xarray.h>

#include "../pci.h"
#include "internal.h"

/**
 * struct pci_lu_bus - the filter of one bus
 * @ops: installed as bus->ops while @users is not 0. All but read and write are
 *	 copies of @inner: pci_generic_config_*() take map_bus from bus->ops.
 * @inner: the accessors of the host bridge
 * @bus: the bus; not dereferenced unless @users is not 0
 * @users: armed functions on this bus, under pci_lu_lock
 */
struct pci_lu_bus {
	struct pci_ops ops;
	struct pci_ops *inner;
	struct pci_bus *bus;
	unsigned int users;
};

static DEFINE_XARRAY(pci_lu_buses);

static struct pci_lu_bus *pci_lu_bus_of(const struct pci_bus *bus)
{
	return xa_load(&pci_lu_buses, (unsigned long)bus);
}

static void pci_lu_report(const struct pci_lu_fn *fn, int where,
			  int size, u32 val, const struct pci_lu_verdict *v,
			  u32 hw)
{
	pr_info("%04x:%02x:%02x.%d: withheld %#x/%d: %#x -> %#x, device has %#x (%s)\n",
		fn->segment, fn->bus, PCI_SLOT(fn->devfn),
		PCI_FUNC(fn->devfn), where, size, val, v->value, hw,
		pci_lu_policy_row(&fn->layout, v->row)->name);
}

/* MSI: what has to be masked before the write itself may go to the device. */
static int pci_lu_also_set(struct pci_lu_fn *fn, struct pci_ops *inner,
			   struct pci_bus *bus, const struct pci_lu_verdict *v)
{
	u32 val;
	int ret;

	ret = inner->read(bus, fn->devfn, v->also_pos, v->also_size, &val);
	if (ret)
		return ret;
	return inner->write(bus, fn->devfn, v->also_pos, v->also_size,
			    val | v->also_set);
}

/* Fenced: what would let it do DMA or interrupt does not get through. */
static int pci_lu_filter_barred(struct pci_lu_fn *fn, struct pci_ops *inner,
				struct pci_bus *bus, int where, int size, u32 val)
{
	u32 kept = pci_lu_policy_fenced(where, size, val);

	if (kept == val)
		fn->reached++;
	else
		fn->withheld++;
	if (fn->unseen && where <= PCI_COMMAND + 1 &&
	    where + size > PCI_COMMAND + 1)
		fn->intx_off = val >> 8 * (PCI_COMMAND + 1 - where) &
			       PCI_COMMAND_INTX_DISABLE >> 8;
	return inner->write(bus, fn->devfn, where, size, kept);
}

/*
 * pci_intx_mask_broken() toggles INTx Disable and believes what it reads: it gets
 * its own answer, or the function would have a broken INTx for ever.
 */
static u32 pci_lu_read_barred(const struct pci_lu_fn *fn, int where, int size,
			      u32 val)
{
	u32 bit;

	if (!fn->unseen || !fn->intx_sticks || where > PCI_COMMAND + 1 ||
	    where + size <= PCI_COMMAND + 1)
		return val;
	bit = (PCI_COMMAND_INTX_DISABLE >> 8) << 8 * (PCI_COMMAND + 1 - where);
	return fn->intx_off ? val | bit : val & ~bit;
}

static int pci_lu_filter(struct pci_lu_fn *fn, struct pci_ops *inner,
			 struct pci_bus *bus, int where, int size, u32 val)
{
	struct pci_lu_verdict v;
	bool first = false;
	u32 hw;
	int ret;

	scoped_guard(raw_spinlock_irqsave, &fn->lock) {
		if (fn->mode == PCI_LU_BARRED)
			return pci_lu_filter_barred(fn, inner, bus, where, size,
						    val);
		if (fn->mode == PCI_LU_OPEN ||
		    !pci_lu_policy_covers(&fn->layout, where, size)) {
			fn->reached++;
			return inner->write(bus, fn->devfn, where, size, val);
		}

		ret = inner->read(bus, fn->devfn, where, size, &hw);
		if (ret)
			return ret;

		v = pci_lu_policy_write(&fn->layout, &fn->shadow, where, size,
					hw, val);
		if (v.action != PCI_LU_PASS) {
			fn->withheld++;
			if (v.row < PCI_LU_MAX_ROWS)
				first = !fn->row_hits[v.row]++;
		} else {
			fn->reached++;
		}
		if (v.also_size)
			ret = pci_lu_also_set(fn, inner, bus, &v);
		if (!ret && v.action != PCI_LU_DROP)
			ret = inner->write(bus, fn->devfn, where, size, v.value);
	}

	if (first)
		pci_lu_report(fn, where, size, val, &v, hw);
	return ret;
}

static int pci_lu_guard_write(struct pci_bus *bus, unsigned int devfn, int where,
			      int size, u32 val)
{
	struct pci_lu_bus *filter = pci_lu_bus_of(bus);
	struct pci_ops *inner;
	struct pci_lu_fn *fn;

	if (!filter)
		return PCIBIOS_DEVICE_NOT_FOUND;
	inner = READ_ONCE(filter->inner);
	fn = xa_load(&pci_lu_fns, pci_lu_key(pci_domain_nr(bus), bus->number, devfn));
	if (!fn || READ_ONCE(fn->mode) == PCI_LU_OPEN)
		return inner->write(bus, devfn, where, size, val);

	return pci_lu_filter(fn, inner, bus, where, size, val);
}

static int pci_lu_guard_read(struct pci_bus *bus, unsigned int devfn, int where,
			     int size, u32 *val)
{
	struct pci_lu_bus *filter = pci_lu_bus_of(bus);
	struct pci_ops *inner;
	struct pci_lu_fn *fn;
	int ret;

	if (!filter)
		return PCIBIOS_DEVICE_NOT_FOUND;
	inner = READ_ONCE(filter->inner);
	fn = xa_load(&pci_lu_fns, pci_lu_key(pci_domain_nr(bus), bus->number, devfn));
	if (!fn || READ_ONCE(fn->mode) == PCI_LU_OPEN)
		return inner->read(bus, devfn, where, size, val);

	guard(raw_spinlock_irqsave)(&fn->lock);
	ret = inner->read(bus, devfn, where, size, val);
	if (!ret && fn->mode == PCI_LU_GUARDED)
		*val = pci_lu_policy_read(&fn->layout, &fn->shadow, where, size,
					  *val);
	if (!ret && fn->mode == PCI_LU_BARRED)
		*val = pci_lu_read_barred(fn, where, size, *val);
	return ret;
}

static struct pci_lu_bus *pci_lu_bus_from_ops(struct pci_ops *ops)
{
	return ops->write == pci_lu_guard_write ?
	       container_of(ops, struct pci_lu_bus, ops) : NULL;
}

/**
 * pci_lu_inner_ops - the config accessors beneath the guard
 * @ops: accessors of a bus, guarded or not
 *
 * Return: @ops, or what the guard in @ops was put around.
 */
struct pci_ops *pci_lu_inner_ops(struct pci_ops *ops)
{
	struct pci_lu_bus *filter = pci_lu_bus_from_ops(ops);

	return filter ? READ_ONCE(filter->inner) : ops;
}

/**
 * pci_lu_set_ops - exchange the accessors of a bus
 * @bus: the bus
 * @ops: the new accessors
 *
 * Those who exchange a bus's accessors (a quirk, error injection) exchange what
 * is beneath the guard.
 *
 * Context: under pci_lock.
 * Return: the accessors that were in effect beneath the guard.
 */
struct pci_ops *pci_lu_set_ops(struct pci_bus *bus, struct pci_ops *ops)
{
	struct pci_lu_bus *filter = pci_lu_bus_from_ops(bus->ops);
	struct pci_ops *old = pci_lu_inner_ops(bus->ops);

	if (filter) {
		filter->ops.map_bus = ops->map_bus;
		WRITE_ONCE(filter->inner, ops);
	} else {
		bus->ops = ops;
	}
	return old;
}

/**
 * pci_lu_read - read a register past the guard, &pci_lu_read_fn
 * @ctx: &struct pci_lu_reader
 * @pos: offset
 * @size: width
 *
 * Return: the value, all ones when there is none.
 */
u32 pci_lu_read(void *ctx, u16 pos, u8 size)
{
	struct pci_lu_reader *r = ctx;
	u32 val;

	return r->ops->read(r->bus, r->devfn, pos, size, &val) ? ~0 : val;
}

/* Give a function the filter of its bus; the caller has pci_lu_lock. */
static bool pci_lu_find_filter(struct pci_lu_fn *fn, struct pci_bus *bus)
{
	struct pci_lu_bus *filter = pci_lu_bus_of(bus);

	if (!filter) {
		filter = kzalloc_obj(*filter);
		if (!filter)
			return false;
		filter->bus = bus;
		if (xa_err(xa_store(&pci_lu_buses, (unsigned long)bus, filter,
				    GFP_KERNEL))) {
			kfree(filter);
			return false;
		}
	}
	fn->filter = filter;
	return true;
}

static void pci_lu_set_mode(struct pci_lu_fn *fn, enum pci_lu_mode mode)
{
	guard(raw_spinlock_irqsave)(&fn->lock);
	WRITE_ONCE(fn->mode, mode);
}

/* One user more of the filter, which is made ready by the first. */
static struct pci_ops *pci_lu_use_filter(struct pci_lu_bus *filter,
					 struct pci_ops *ops)
{
	if (!filter->users++) {
		filter->inner = pci_lu_inner_ops(ops);
		filter->ops = *filter->inner;
		filter->ops.read = pci_lu_guard_read;
		filter->ops.write = pci_lu_guard_write;
	}
	return &filter->ops;
}

/**
 * pci_lu_guard_roles - a function is needed by somebody more, or by somebody less
 * @fn: the function, prepared; guarded or not
 *
 * Context: under pci_lu_lock.
 */
void pci_lu_guard_roles(struct pci_lu_fn *fn)
{
	guard(raw_spinlock_irqsave)(&fn->lock);
	/* In the first role, that of a preserved one, all rows were in range. */
	pci_lu_layout_roles(&fn->layout, pci_lu_roles(fn));
}

/**
 * pci_lu_guard_prepare - allocate and compute what arming will need
 * @fn: the function; fn->ser holds its sizing masks
 * @bus: the bus it is on
 * @ops: accessors of @bus
 *
 * Context: Process context, under pci_lu_lock, the function not armed.
 * Return: %PCI_LU_OK, or why the function cannot be guarded.
 */
enum pci_lu_reason pci_lu_guard_prepare(struct pci_lu_fn *fn,
					struct pci_bus *bus,
					struct pci_ops *ops)
{
	struct pci_lu_reader r = {
		.bus = bus,
		.ops = pci_lu_inner_ops(ops),
		.devfn = fn->devfn,
	};
	enum pci_lu_reason why;

	why = pci_lu_layout_init(&fn->layout, fn->bridge ? PCI_LU_BRIDGE :
				 fn->vf ? PCI_LU_VF : PCI_LU_ENDPOINT,
				 pci_lu_read, &r);
	if (why)
		return why;
	pci_lu_guard_roles(fn);
	pci_lu_driver_add_rows(fn);

	return pci_lu_find_filter(fn, bus) ? PCI_LU_OK : PCI_LU_REASON_NO_MEMORY;
}

/**
 * pci_lu_guard_arm - filter config writes to a function from now on
 * @fn: the function, prepared
 * @ops: the accessors of its bus
 *
 * Context: under pci_lu_lock.
 * Return: the accessors that its bus must use; the caller installs them.
 */
struct pci_ops *pci_lu_guard_arm(struct pci_lu_fn *fn, struct pci_ops *ops)
{
	u32 bar_mask[7], vf_bar_mask[6];
	struct pci_ops *guarded;

	/* The record is packed: take the masks out of it. */
	memcpy(bar_mask, fn->ser.bar_mask, sizeof(bar_mask));
	memcpy(vf_bar_mask, fn->ser.vf_bar_mask, sizeof(vf_bar_mask));
	if (fn->bridge)
		fn->layout.windows &= fn->ser.windows;
	pci_lu_shadow_init(&fn->shadow, bar_mask, vf_bar_mask);
	guarded = pci_lu_use_filter(fn->filter, ops);
	pci_lu_set_mode(fn, PCI_LU_GUARDED);
	return guarded;
}

/**
 * pci_lu_bar - Bus Master off and INTx disabled, in the device itself
 * @fn: the function
 * @bus: a bus with its number
 * @inner: accessors of @bus, beneath the guard
 *
 * Return: false when there is no function.
 */
bool pci_lu_bar(struct pci_lu_fn *fn, struct pci_bus *bus, struct pci_ops *inner)
{
	u32 cmd;

	if (inner->read(bus, fn->devfn, PCI_COMMAND, 2, &cmd) ||
	    (cmd & 0xffff) == 0xffff)
		return false;
	cmd = pci_lu_policy_fenced(PCI_COMMAND, 2, cmd);
	inner->write(bus, fn->devfn, PCI_COMMAND, 2, cmd);
	if (!inner->read(bus, fn->devfn, PCI_COMMAND, 2, &cmd))
		fn->intx_sticks = cmd & PCI_COMMAND_INTX_DISABLE;
	return true;
}

/**
 * pci_lu_guard_bar - from now on a function has Bus Master off and INTx disabled
 * @fn: the function, guarded or not
 * @bus: the bus it is on
 * @ops: accessors of @bus
 *
 * No write that came earlier reaches the device after this.
 *
 * Context: Process context, under pci_lu_lock.
 * Return: the accessors that the bus must use; the caller installs them if they
 *	   are not what it uses already. Without memory for a filter these are
 *	   @ops, and the function is barred only until somebody lets it go.
 */
struct pci_ops *pci_lu_guard_bar(struct pci_lu_fn *fn, struct pci_bus *bus,
				 struct pci_ops *ops)
{
	struct pci_ops *inner = pci_lu_inner_ops(ops);

	if (fn->mode == PCI_LU_OPEN) {
		if (!pci_lu_find_filter(fn, bus)) {
			pci_lu_bar(fn, bus, inner);
			return ops;
		}
		ops = pci_lu_use_filter(fn->filter, ops);
	}
	scoped_guard(raw_spinlock_irqsave, &fn->lock) {
		WRITE_ONCE(fn->mode, PCI_LU_BARRED);
		pci_lu_bar(fn, bus, inner);
	}
	return ops;
}

/**
 * pci_lu_guard_install - exchange the accessors of a bus that is in use
 * @bus: the bus
 * @fn: an armed function on it
 *
 * Context: under pci_lu_lock.
 */
void pci_lu_guard_install(struct pci_bus *bus, struct pci_lu_fn *fn)
{
	guard(raw_spinlock_irqsave)(&pci_lock);
	WRITE_ONCE(bus->ops, &fn->filter->ops);
}

/**
 * pci_lu_allow_intx - an owner has a handler for the INTx of its function
 * @pdev: an adopted function; otherwise nothing happens
 *
 * From here on writes to INTx Disable pass, and reads show what is in the device:
 * it is disabled, and the caller enables it.
 */
void pci_lu_allow_intx(struct pci_dev *pdev)
{
	struct pci_lu_fn *fn = pci_lu_fn_find(pdev);

	if (!fn)
		return;
	guard(raw_spinlock_irqsave)(&fn->lock);
	fn->shadow.intx_allowed = true;
}
EXPORT_SYMBOL_GPL(pci_lu_allow_intx);

/**
 * pci_lu_guard_disarm - let config writes to a function pass again
 * @fn: the function, guarded, barred or neither
 *
 * Context: under pci_lu_lock.
 */
void pci_lu_guard_disarm(struct pci_lu_fn *fn)
{
	struct pci_lu_bus *filter = fn->filter;

	if (fn->mode == PCI_LU_OPEN)
		return;

	pci_lu_set_mode(fn, PCI_LU_OPEN);
	if (--filter->users)
		return;
	guard(raw_spinlock_irqsave)(&pci_lock);
	WRITE_ONCE(filter->bus->ops, filter->inner);
}
