// SPDX-License-Identifier: GPL-2.0
/*
 * PCI live update: checking one function of the record that crosses the kexec.
 *
 * Pure. What is wrong with one function, or with what it depends on, concerns that
 * function and those that need it, and nobody else.
 */

#include "record.h"

/* Is this what sizing gives: ones, then zeros, in 32 or 64 bits. */
static bool pci_lu_mask_ok(u64 mask, u32 low)
{
	u64 size = ~mask + 1;

	return !(mask & low) && !(size & (size - 1));
}

/*
 * Check BARs and their masks; a 64-bit BAR is checked as one, so that each half
 * may look odd by itself. Return the index of the first one that is bad, in
 * the low byte, with bit 8 set if it is its value; or -1.
 */
static int pci_lu_bars_bad(const u32 *bar, const u32 *mask, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		u32 low = bar[i] & PCI_BASE_ADDRESS_SPACE_IO ? 0x3 : 0xf;
		bool wide = !(bar[i] & PCI_BASE_ADDRESS_SPACE_IO) &&
			    (bar[i] & PCI_BASE_ADDRESS_MEM_TYPE_MASK) ==
			    PCI_BASE_ADDRESS_MEM_TYPE_64;
		u64 m = mask[i], v = bar[i] & ~low;

		if (!mask[i] && !(wide && i + 1 < n && mask[i + 1]))
			continue;
		if (wide) {
			if (i + 1 == n)
				return i;
			m |= (u64)mask[i + 1] << 32;
			v |= (u64)bar[i + 1] << 32;
		} else {
			m |= ~0ULL << 32;
		}
		if (!pci_lu_mask_ok(m, low))
			return i;
		if (v & ~m)
			return i | 0x100;
		i += wide;
	}

	return -1;
}

/*
 * VF BARs are recorded without their values, and so without their type: a mask
 * of zeros below a mask that is not zero may be the lower half of a large one.
 */
static bool pci_lu_vf_masks_ok(const u32 *mask)
{
	unsigned int i;

	for (i = 0; i < 6; i++)
		if (mask[i] && (~mask[i] & (~mask[i] + 1)))
			return false;

	return true;
}

static enum pci_lu_reason pci_lu_check_bars(const struct pci_lu_fn_ser *fn,
					    u32 *off)
{
	unsigned int n = fn->flags & PCI_LU_FN_BRIDGE ? 2 : 6;
	u32 bar[7], mask[7], vf_mask[6];
	unsigned int i;
	int bad;

	memcpy(bar, fn->bar, sizeof(bar));
	memcpy(mask, fn->bar_mask, sizeof(mask));
	memcpy(vf_mask, fn->vf_bar_mask, sizeof(vf_mask));

	bad = pci_lu_bars_bad(bar, mask, n);
	if (bad >= 0) {
		bool value = bad & 0x100;

		bad &= 0xff;
		*off = (value ? offsetof(struct pci_lu_fn_ser, bar) :
				offsetof(struct pci_lu_fn_ser, bar_mask)) +
		       4 * bad;
		return value ? PCI_LU_REASON_FN_BAR_VALUE :
			       PCI_LU_REASON_FN_BAR_MASK;
	}
	for (i = n; i < 6; i++) {
		*off = offsetof(struct pci_lu_fn_ser, bar_mask) + 4 * i;
		if (mask[i])
			return PCI_LU_REASON_FN_BAR_MASK;
	}
	*off = offsetof(struct pci_lu_fn_ser, bar_mask) + 4 * 6;
	if (mask[6] && !pci_lu_mask_ok(mask[6] | ~0ULL << 32,
				       ~PCI_ROM_ADDRESS_MASK))
		return PCI_LU_REASON_FN_BAR_MASK;
	*off = offsetof(struct pci_lu_fn_ser, bar) + 4 * 6;
	if (mask[6] && (bar[6] & PCI_ROM_ADDRESS_MASK & ~mask[6]))
		return PCI_LU_REASON_FN_BAR_VALUE;
	*off = offsetof(struct pci_lu_fn_ser, vf_bar_mask);
	if (!pci_lu_vf_masks_ok(vf_mask))
		return PCI_LU_REASON_FN_VF_BAR_MASK;

	return PCI_LU_OK;
}

static u8 pci_lu_secondary(u32 bus_numbers)
{
	return bus_numbers >> 8;
}

static u8 pci_lu_subordinate(u32 bus_numbers)
{
	return bus_numbers >> 16;
}

static enum pci_lu_reason pci_lu_check_irq(const struct pci_lu_fn_ser *fn,
					   u32 *off)
{
	static const u16 max_vectors[] = {
		[PCI_LU_IRQ_NONE] = 0,
		[PCI_LU_IRQ_INTX] = 1,
		[PCI_LU_IRQ_MSI] = 32,
		[PCI_LU_IRQ_MSI_MASKABLE] = 32,
		[PCI_LU_IRQ_MSIX] = 2048,
	};

	*off = offsetof(struct pci_lu_fn_ser, irq_mode);
	if (fn->irq_mode >= ARRAY_SIZE(max_vectors))
		return PCI_LU_REASON_FN_IRQ;
	*off = offsetof(struct pci_lu_fn_ser, nr_vectors);
	if (fn->nr_vectors > max_vectors[fn->irq_mode])
		return PCI_LU_REASON_FN_IRQ;

	return PCI_LU_OK;
}

/* What can be said of one function without looking at the others. */
static enum pci_lu_reason pci_lu_check_alone(const struct pci_lu_fn_ser *fn,
					     u32 *off)
{
	u32 kind = fn->flags & (PCI_LU_FN_ENDPOINT | PCI_LU_FN_BRIDGE);
	u32 role = fn->flags & (PCI_LU_FN_REQUESTED | PCI_LU_FN_DEPENDED);
	const u32 needed = PCI_LU_FN_PF | PCI_LU_FN_COMPANION;
	enum pci_lu_reason reason;

	*off = offsetof(struct pci_lu_fn_ser, flags);
	if (kind != PCI_LU_FN_ENDPOINT && kind != PCI_LU_FN_BRIDGE)
		return PCI_LU_REASON_FN_KIND;
	if (!role)
		return PCI_LU_REASON_FN_ROLE;
	*off = offsetof(struct pci_lu_fn_ser, vendor);
	if (!fn->vendor || fn->vendor == 0xffff)
		return PCI_LU_REASON_FN_ID;
	*off = offsetof(struct pci_lu_fn_ser, required);
	if (fn->required & ~PCI_LU_FN_REQUIRED_KNOWN)
		return PCI_LU_REASON_FN_REQUIRED;
	*off = offsetof(struct pci_lu_fn_ser, refs);
	if (!!fn->refs != !!(role & PCI_LU_FN_DEPENDED))
		return PCI_LU_REASON_FN_REFS;
	if (kind == PCI_LU_FN_ENDPOINT && !!fn->refs != !!(fn->flags & needed))
		return PCI_LU_REASON_FN_REFS;
	*off = offsetof(struct pci_lu_fn_ser, bus_numbers);
	if (kind == PCI_LU_FN_BRIDGE &&
	    (pci_lu_secondary(fn->bus_numbers) <= fn->bus ||
	     pci_lu_subordinate(fn->bus_numbers) <
	     pci_lu_secondary(fn->bus_numbers)))
		return PCI_LU_REASON_FN_BUS_NUMBERS;
	*off = offsetof(struct pci_lu_fn_ser, driver);
	if (!memchr(fn->driver, 0, sizeof(fn->driver)))
		return PCI_LU_REASON_FN_DRIVER;
	reason = pci_lu_check_irq(fn, off);
	if (reason)
		return reason;

	return pci_lu_check_bars(fn, off);
}

static enum pci_lu_reason pci_lu_check_twice(const struct pci_lu_record *rec,
					     unsigned int i, u32 *off)
{
	struct pci_lu_fn_addr self, other;
	unsigned int j;

	*off = 0;
	pci_lu_record_addr(rec, i, &self);
	for (j = 0; j < rec->nr_fns; j++) {
		pci_lu_record_addr(rec, j, &other);
		if (j != i && other.segment == self.segment &&
		    other.bus == self.bus && other.devfn == self.devfn)
			return PCI_LU_REASON_FN_DUPLICATE;
	}

	return PCI_LU_OK;
}

/* Up to the root bus. Each bridge must lead to what is below it. */
static enum pci_lu_reason pci_lu_check_path(const struct pci_lu_record *rec,
					    unsigned int i, u32 *off)
{
	struct pci_lu_fn_ser fn, parent;
	unsigned int steps;

	*off = offsetof(struct pci_lu_fn_ser, parent);
	pci_lu_record_fn(rec, i, &fn);
	for (steps = 0; fn.parent != PCI_LU_PARENT_NONE; steps++) {
		if (fn.parent == i)
			return steps ? PCI_LU_REASON_FN_PARENT_CYCLE :
				       PCI_LU_REASON_FN_PARENT_SELF;
		/* There are no more than 256 buses to pass through. */
		if (steps == 256)
			return PCI_LU_REASON_FN_PARENT_CYCLE;
		if (pci_lu_record_fn(rec, fn.parent, &parent))
			return PCI_LU_REASON_FN_PARENT_INDEX;
		if (!(parent.flags & PCI_LU_FN_BRIDGE))
			return PCI_LU_REASON_FN_PARENT_KIND;
		if (!steps && (parent.segment != fn.segment ||
			       fn.bus < pci_lu_secondary(parent.bus_numbers) ||
			       fn.bus > pci_lu_subordinate(parent.bus_numbers)))
			return PCI_LU_REASON_FN_PARENT_BUS;
		fn = parent;
	}

	return PCI_LU_OK;
}

/* Is it the VF of that number which this PF has? */
static bool pci_lu_is_vf_of(const struct pci_lu_fn_ser *vf,
			    const struct pci_lu_fn_ser *pf)
{
	u32 rid = (u32)pf->bus << 8 | pf->devfn;

	if (!(pf->flags & PCI_LU_FN_PF) || !(pf->sriov_ctrl & PCI_SRIOV_CTRL_VFE) ||
	    vf->vf_id >= pf->num_vfs)
		return false;
	rid += pf->vf_offset + (u32)vf->vf_id * pf->vf_stride;
	return rid == ((u32)vf->bus << 8 | vf->devfn);
}

/* Function 0 of the same device; with ARI that is the only one of its bus. */
static bool pci_lu_is_companion_of(const struct pci_lu_fn_ser *fn,
				   const struct pci_lu_fn_ser *zero)
{
	return zero->flags & PCI_LU_FN_COMPANION && !zero->needs &&
	       zero->bus == fn->bus && zero->devfn != fn->devfn &&
	       (!zero->devfn || zero->devfn == (fn->devfn & ~7));
}

/* The endpoint that this one depends on, if there is one. */
static enum pci_lu_reason pci_lu_check_needs(const struct pci_lu_record *rec,
					     unsigned int i, u32 *off)
{
	struct pci_lu_fn_ser fn, other;
	bool vf;

	*off = offsetof(struct pci_lu_fn_ser, needs);
	pci_lu_record_fn(rec, i, &fn);
	vf = fn.flags & PCI_LU_FN_VF;
	if (!fn.needs)
		return vf ? PCI_LU_REASON_FN_NEEDS : PCI_LU_OK;
	if (!(fn.flags & PCI_LU_FN_ENDPOINT) ||
	    pci_lu_record_fn(rec, fn.needs - 1, &other) ||
	    !(other.flags & PCI_LU_FN_ENDPOINT) || other.flags & PCI_LU_FN_VF ||
	    other.segment != fn.segment)
		return PCI_LU_REASON_FN_NEEDS;
	if (vf)
		return pci_lu_is_vf_of(&fn, &other) ? PCI_LU_OK : PCI_LU_REASON_FN_VF;
	return pci_lu_is_companion_of(&fn, &other) ? PCI_LU_OK :
						     PCI_LU_REASON_FN_NEEDS;
}

static enum pci_lu_reason pci_lu_check_blob(const struct pci_lu_record *rec,
					    unsigned int i, u32 *off)
{
	struct pci_lu_blob_ser blob;
	enum pci_lu_reason reason;

	*off = offsetof(struct pci_lu_fn_ser, blob);
	reason = pci_lu_record_blob(rec, i, &blob);
	return reason == PCI_LU_REASON_FN_INDEX ? PCI_LU_OK : reason;
}

/**
 * pci_lu_fn_check - check one function of a record
 * @rec: a record that passed pci_lu_record_check()
 * @i: which function
 * @bad_off: set to the offset, in the record, of what was not accepted
 *
 * A function that fails is fenced; so is everything below a bridge that fails.
 *
 * Return: %PCI_LU_OK, or why not.
 */
enum pci_lu_reason pci_lu_fn_check(const struct pci_lu_record *rec,
				   unsigned int i, u32 *bad_off)
{
	enum pci_lu_reason reason;
	struct pci_lu_fn_ser fn;
	u32 off = 0;

	*bad_off = 0;
	if (pci_lu_record_fn(rec, i, &fn))
		return PCI_LU_REASON_FN_INDEX;

	reason = pci_lu_check_alone(&fn, &off);
	if (!reason)
		reason = pci_lu_check_twice(rec, i, &off);
	if (!reason)
		reason = pci_lu_check_path(rec, i, &off);
	if (!reason)
		reason = pci_lu_check_needs(rec, i, &off);
	if (!reason)
		reason = pci_lu_check_blob(rec, i, &off);
	if (reason)
		*bad_off = rec->hdr_size + i * rec->fn_size + off;

	return reason;
}
