// SPDX-License-Identifier: GPL-2.0
/*
 * PCI live update: checking and sealing the record that crosses the kexec.
 *
 * Pure, and suspicious: the bytes come from another kernel. Nothing is read
 * beyond the length the caller vouches for, every offset is computed in a type
 * that cannot overflow, and nothing is handed out by pointer.
 */

#include "record.h"

static u16 pci_lu_get16(const u8 *p, size_t off)
{
	u16 val;

	memcpy(&val, p + off, sizeof(val));

	return val;
}

static u32 pci_lu_get32(const u8 *p, size_t off)
{
	u32 val;

	memcpy(&val, p + off, sizeof(val));

	return val;
}

static u32 pci_lu_record_crc(const u8 *buf, u32 len)
{
	const size_t at = offsetof(struct pci_lu_hdr_ser, crc);
	static const u8 zero[4];
	u32 crc = ~0;

	crc = crc32_le(crc, buf, at);
	crc = crc32_le(crc, zero, sizeof(zero));
	crc = crc32_le(crc, buf + at + sizeof(zero), len - at - sizeof(zero));

	return ~crc;
}

static enum pci_lu_reason pci_lu_bad(struct pci_lu_record *rec, size_t off,
				     enum pci_lu_reason reason)
{
	rec->bad_off = off;

	return reason;
}

/**
 * pci_lu_record_check_stable - check what every version of the record has
 * @buf: the block
 * @len: bytes that may be read
 * @out: filled in; after a refusal only &pci_lu_record.bad_off
 *
 * For a kernel that cannot use a record but has to fence what is in it. If this
 * fails, nothing in the block can be believed: see the contract.
 *
 * Return: %PCI_LU_OK, or why not.
 */
enum pci_lu_reason pci_lu_record_check_stable(const void *buf, size_t len,
					      struct pci_lu_record *out)
{
	static const char prefix[] = PCI_LU_COMPATIBLE_PREFIX;
	const u8 *p = buf;
	u16 hdr_size, fn_size, nr_fns;
	unsigned int i;
	u64 need;
	u32 total;

	memset(out, 0, sizeof(*out));
	if (len < PCI_LU_HDR_STABLE_SIZE)
		return pci_lu_bad(out, len, PCI_LU_REASON_REC_SHORT);
	if (memcmp(p, prefix, sizeof(prefix) - 1))
		return pci_lu_bad(out, 0, PCI_LU_REASON_REC_COMPATIBLE);

	hdr_size = pci_lu_get16(p, offsetof(struct pci_lu_hdr_ser, hdr_size));
	fn_size = pci_lu_get16(p, offsetof(struct pci_lu_hdr_ser, fn_size));
	nr_fns = pci_lu_get16(p, offsetof(struct pci_lu_hdr_ser, nr_fns));
	total = pci_lu_get32(p, offsetof(struct pci_lu_hdr_ser, total_size));

	if (hdr_size < PCI_LU_HDR_STABLE_SIZE)
		return pci_lu_bad(out, offsetof(struct pci_lu_hdr_ser, hdr_size),
				  PCI_LU_REASON_REC_HDR_SIZE);
	if (fn_size < PCI_LU_FN_STABLE_SIZE)
		return pci_lu_bad(out, offsetof(struct pci_lu_hdr_ser, fn_size),
				  PCI_LU_REASON_REC_FN_SIZE);
	if (nr_fns > PCI_LU_MAX_FNS)
		return pci_lu_bad(out, offsetof(struct pci_lu_hdr_ser, nr_fns),
				  PCI_LU_REASON_REC_COUNT);
	need = hdr_size + (u64)nr_fns * fn_size;
	if (total < need || total > len || total > PCI_LU_MAX_SIZE)
		return pci_lu_bad(out,
				  offsetof(struct pci_lu_hdr_ser, total_size),
				  PCI_LU_REASON_REC_TOTAL_SIZE);
	if (pci_lu_record_crc(p, total) !=
	    pci_lu_get32(p, offsetof(struct pci_lu_hdr_ser, crc)))
		return pci_lu_bad(out, offsetof(struct pci_lu_hdr_ser, crc),
				  PCI_LU_REASON_REC_CRC);

	for (i = 0; i < nr_fns; i++) {
		size_t at = hdr_size + (size_t)i * fn_size +
			    offsetof(struct pci_lu_fn_ser, flags);
		u32 kind = pci_lu_get32(p, at) &
			   (PCI_LU_FN_ENDPOINT | PCI_LU_FN_BRIDGE);

		if (kind != PCI_LU_FN_ENDPOINT && kind != PCI_LU_FN_BRIDGE)
			return pci_lu_bad(out, at, PCI_LU_REASON_FN_KIND);
	}

	out->buf = p;
	out->len = total;
	out->version = pci_lu_get16(p, offsetof(struct pci_lu_hdr_ser, version));
	out->hdr_size = hdr_size;
	out->fn_size = fn_size;
	out->nr_fns = nr_fns;

	return PCI_LU_OK;
}

/**
 * pci_lu_record_check - check a record as a whole
 * @buf: the block
 * @len: bytes that may be read
 * @out: filled in; after a refusal only &pci_lu_record.bad_off
 *
 * The functions are not looked at: one that is bad is fenced, by itself, after
 * pci_lu_fn_check(). Whether %PCI_LU_HDR_FROZEN is set is for the caller to
 * judge, too.
 *
 * Return: %PCI_LU_OK, or why not.
 */
enum pci_lu_reason pci_lu_record_check(const void *buf, size_t len,
				       struct pci_lu_record *out)
{
	static const char compatible[32] = PCI_LU_COMPATIBLE;
	struct pci_lu_hdr_ser hdr;
	enum pci_lu_reason reason;

	reason = pci_lu_record_check_stable(buf, len, out);
	if (reason)
		return reason;

	if (memcmp(buf, compatible, sizeof(compatible)))
		return pci_lu_bad(out, 0, PCI_LU_REASON_REC_COMPATIBLE);
	if (out->version != PCI_LU_VERSION)
		return pci_lu_bad(out, offsetof(struct pci_lu_hdr_ser, version),
				  PCI_LU_REASON_REC_VERSION);
	if (out->hdr_size < sizeof(hdr))
		return pci_lu_bad(out, offsetof(struct pci_lu_hdr_ser, hdr_size),
				  PCI_LU_REASON_REC_HDR_SIZE);
	if (out->fn_size < PCI_LU_FN_MIN_SIZE)
		return pci_lu_bad(out, offsetof(struct pci_lu_hdr_ser, fn_size),
				  PCI_LU_REASON_REC_FN_SIZE);

	memcpy(&hdr, buf, sizeof(hdr));
	if (hdr.required & ~PCI_LU_HDR_REQUIRED_KNOWN)
		return pci_lu_bad(out, offsetof(struct pci_lu_hdr_ser, required),
				  PCI_LU_REASON_REC_REQUIRED);
	out->flags = hdr.flags;

	return PCI_LU_OK;
}

static size_t pci_lu_fn_off(const struct pci_lu_record *rec, unsigned int i)
{
	return rec->hdr_size + (size_t)i * rec->fn_size;
}

/**
 * pci_lu_record_addr - what every version says about one function
 * @rec: a record that passed pci_lu_record_check() or
 *	pci_lu_record_check_stable()
 * @i: which function
 * @out: filled in
 *
 * Return: %PCI_LU_OK, or %PCI_LU_REASON_FN_INDEX if there is no such function.
 */
enum pci_lu_reason pci_lu_record_addr(const struct pci_lu_record *rec,
				      unsigned int i, struct pci_lu_fn_addr *out)
{
	const u8 *p;

	memset(out, 0, sizeof(*out));
	if (i >= rec->nr_fns)
		return PCI_LU_REASON_FN_INDEX;

	p = rec->buf + pci_lu_fn_off(rec, i);
	out->segment = pci_lu_get16(p, offsetof(struct pci_lu_fn_ser, segment));
	out->bus = p[offsetof(struct pci_lu_fn_ser, bus)];
	out->devfn = p[offsetof(struct pci_lu_fn_ser, devfn)];
	out->flags = pci_lu_get32(p, offsetof(struct pci_lu_fn_ser, flags));

	return PCI_LU_OK;
}

/**
 * pci_lu_record_fn - copy one function out of a record
 * @rec: a record that passed pci_lu_record_check()
 * @i: which function
 * @out: filled in; what the writer did not know is zero, what we do not know
 *	is left out
 *
 * Return: %PCI_LU_OK, or %PCI_LU_REASON_FN_INDEX if there is no such function.
 */
enum pci_lu_reason pci_lu_record_fn(const struct pci_lu_record *rec,
				    unsigned int i, struct pci_lu_fn_ser *out)
{
	size_t n = rec->fn_size < sizeof(*out) ? rec->fn_size : sizeof(*out);

	memset(out, 0, sizeof(*out));
	if (i >= rec->nr_fns)
		return PCI_LU_REASON_FN_INDEX;
	memcpy(out, rec->buf + pci_lu_fn_off(rec, i), n);

	return PCI_LU_OK;
}

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
	if (reason)
		*bad_off = pci_lu_fn_off(rec, i) + off;

	return reason;
}

/**
 * pci_lu_record_capacity - how many functions fit
 * @len: bytes there are for the record
 *
 * Return: the number.
 */
unsigned int pci_lu_record_capacity(size_t len)
{
	size_t n;

	if (len < sizeof(struct pci_lu_hdr_ser))
		return 0;
	n = (len - sizeof(struct pci_lu_hdr_ser)) / sizeof(struct pci_lu_fn_ser);

	return n < PCI_LU_MAX_FNS ? n : PCI_LU_MAX_FNS;
}

/**
 * pci_lu_record_init - start a record that lists nothing, and seal it
 * @buf: the block; all of it is cleared
 * @len: its size, at least that of the header
 */
void pci_lu_record_init(void *buf, size_t len)
{
	struct pci_lu_hdr_ser hdr = {
		.compatible = PCI_LU_COMPATIBLE,
		.version = PCI_LU_VERSION,
		.hdr_size = sizeof(hdr),
		.fn_size = sizeof(struct pci_lu_fn_ser),
	};

	memset(buf, 0, len);
	memcpy(buf, &hdr, sizeof(hdr));
	pci_lu_record_seal(buf);
}

/**
 * pci_lu_record_add - append a function; the record is not sealed any more
 * @buf: a record from pci_lu_record_init()
 * @len: size of the block
 * @fn: the function
 *
 * Return: %PCI_LU_OK, or %PCI_LU_REASON_TOO_MANY.
 */
enum pci_lu_reason pci_lu_record_add(void *buf, size_t len,
				     const struct pci_lu_fn_ser *fn)
{
	struct pci_lu_hdr_ser hdr;

	memcpy(&hdr, buf, sizeof(hdr));
	if (hdr.nr_fns >= pci_lu_record_capacity(len))
		return PCI_LU_REASON_TOO_MANY;
	memcpy((u8 *)buf + hdr.hdr_size + (size_t)hdr.nr_fns * hdr.fn_size, fn,
	       sizeof(*fn));
	hdr.nr_fns++;
	memcpy(buf, &hdr, sizeof(hdr));

	return PCI_LU_OK;
}

/**
 * pci_lu_record_seal - compute size and checksum
 * @buf: a record whose sizes and number of functions are right
 */
void pci_lu_record_seal(void *buf)
{
	struct pci_lu_hdr_ser hdr;

	memcpy(&hdr, buf, sizeof(hdr));
	hdr.total_size = hdr.hdr_size + hdr.nr_fns * hdr.fn_size;
	memcpy(buf, &hdr, sizeof(hdr));
	hdr.crc = pci_lu_record_crc(buf, hdr.total_size);
	memcpy(buf, &hdr, sizeof(hdr));
}
