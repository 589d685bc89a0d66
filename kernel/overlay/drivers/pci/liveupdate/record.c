// SPDX-License-Identifier: GPL-2.0
/*
 * PCI live update: reading, writing and sealing the record that crosses the kexec.
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

/**
 * pci_lu_record_blob - copy out what the driver of a function has added
 * @rec: a record that passed pci_lu_record_check()
 * @i: which function
 * @out: filled in; beyond &pci_lu_blob_ser.size all zero
 *
 * Return: %PCI_LU_OK; %PCI_LU_REASON_FN_INDEX if there is no such function, or
 * nothing; %PCI_LU_REASON_FN_BLOB if it is not where or what it should be.
 */
enum pci_lu_reason pci_lu_record_blob(const struct pci_lu_record *rec,
				      unsigned int i, struct pci_lu_blob_ser *out)
{
	const u32 head = offsetof(struct pci_lu_blob_ser, data);
	struct pci_lu_fn_ser fn;

	memset(out, 0, sizeof(*out));
	if (pci_lu_record_fn(rec, i, &fn) || !fn.blob)
		return PCI_LU_REASON_FN_INDEX;
	if (fn.blob < pci_lu_fn_off(rec, rec->nr_fns) || fn.blob > rec->len ||
	    rec->len - fn.blob < head)
		return PCI_LU_REASON_FN_BLOB;
	memcpy(out, rec->buf + fn.blob, head);
	if (!out->compatible[0] ||
	    !memchr(out->compatible, 0, sizeof(out->compatible)) ||
	    out->size > sizeof(out->data) || rec->len - fn.blob - head < out->size) {
		memset(out, 0, sizeof(*out));
		return PCI_LU_REASON_FN_BLOB;
	}
	memcpy(out->data, rec->buf + fn.blob + head, out->size);

	return PCI_LU_OK;
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
		.total_size = sizeof(hdr),
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
	hdr.total_size += hdr.fn_size;
	/* One who does not know of VFs would not find them, and not fence them. */
	if (fn->needs)
		hdr.required |= PCI_LU_HDR_REQ_NEEDS;
	memcpy(buf, &hdr, sizeof(hdr));

	return PCI_LU_OK;
}

/**
 * pci_lu_record_add_blob - append what the driver of a function hands over
 * @buf: a record to which all functions were added; it is not sealed any more
 * @len: size of the block
 * @i: which function
 * @blob: what to append
 *
 * Return: %PCI_LU_OK; %PCI_LU_REASON_TOO_MANY when there is no room;
 * %PCI_LU_REASON_FN_BLOB or %PCI_LU_REASON_FN_INDEX for what no reader would accept.
 */
enum pci_lu_reason pci_lu_record_add_blob(void *buf, size_t len, unsigned int i,
					  const struct pci_lu_blob_ser *blob)
{
	u32 off, size = offsetof(struct pci_lu_blob_ser, data) + blob->size;
	struct pci_lu_hdr_ser hdr;
	u8 *fn;

	memcpy(&hdr, buf, sizeof(hdr));
	if (i >= hdr.nr_fns)
		return PCI_LU_REASON_FN_INDEX;
	if (blob->size > sizeof(blob->data) || !blob->compatible[0])
		return PCI_LU_REASON_FN_BLOB;
	off = (hdr.total_size + 7) & ~7U;
	if (off > len || size > len - off)
		return PCI_LU_REASON_TOO_MANY;
	memset((u8 *)buf + hdr.total_size, 0, off - hdr.total_size);
	memcpy((u8 *)buf + off, blob, size);
	fn = (u8 *)buf + hdr.hdr_size + (size_t)i * hdr.fn_size;
	memcpy(fn + offsetof(struct pci_lu_fn_ser, blob), &off, sizeof(off));
	hdr.total_size = off + size;
	memcpy(buf, &hdr, sizeof(hdr));

	return PCI_LU_OK;
}

/**
 * pci_lu_record_seal - compute the checksum
 * @buf: a record whose sizes and number of functions are right
 */
void pci_lu_record_seal(void *buf)
{
	struct pci_lu_hdr_ser hdr;

	memcpy(&hdr, buf, sizeof(hdr));
	hdr.crc = pci_lu_record_crc(buf, hdr.total_size);
	memcpy(buf, &hdr, sizeof(hdr));
}
