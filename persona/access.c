// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Accesses of the guest.
 *
 * Everything goes by the byte, so that width and alignment do not matter: an access is
 * cut into runs of bytes that concern the device and are next to each other there, and a
 * run into naturally aligned pieces, as large as they can be. Where the bits of a piece are
 * not all the guest's, the rest is read and written back, but for bits that are cleared by a 1:
 * these are written as 0.
 */
#include "internal.h"

#include <errno.h>
#include <string.h>

#include <linux/pci_regs.h>

/* Each takes away one protection, for tests that have to notice. */
#ifdef PERSONA_BREAK_RW1C
#define CLEARED_BY_1(bits) 0
#else
#define CLEARED_BY_1(bits) (bits)
#endif
#ifdef PERSONA_BREAK_NEIGHBOUR
#define GUESTS(bits, size) hf_ones(size)
#else
#define GUESTS(bits, size) (bits)
#endif
#ifdef PERSONA_BREAK_STRADDLE
#define CONCERNS_DEVICE(bits) ((void)(bits), true)
#else
#define CONCERNS_DEVICE(bits) (bits)
#endif
#ifdef PERSONA_BREAK_PHYS
#define PHYS(v, off) (off)
#else
#define PHYS(v, off) ((v)->phys[(off) / 4] + (off) % 4)
#endif
#ifdef PERSONA_BREAK_VIRTUAL
#define WRITABLE(bits) 0xff
#else
#define WRITABLE(bits) (bits)
#endif

static uint32_t mask_of(uint8_t size)
{
	return size == 4 ? UINT32_MAX : (UINT32_C(1) << 8 * size) - 1;
}

/* The piece at @off of a run that ends at @end: at most to the end of the dword. */
static uint8_t piece(const uint8_t *bits, unsigned int off, unsigned int end)
{
	uint8_t max = off % 2 ? 1 : off % 4 ? 2 : 4, n = 1;

	while (n < max && off + n < end && CONCERNS_DEVICE(bits[off + n]))
		n++;
	return n == 3 ? 2 : n;
}

int hf_view_read(const struct hf_view *v, const struct hf_phys *hw, uint16_t offset, uint8_t size,
		 uint32_t *value)
{
	unsigned int end = offset + size, off = offset;
	uint32_t got, bits;
	uint8_t n;
	int err;

	if (size != 1 && size != 2 && size != 4)
		return -EINVAL;
	*value = mask_of(size);
	if (end > v->size)
		return 0;
	*value = hf_get(v->image + offset, size);
	while (off < end) {
		if (!v->hwread[off]) {
			off++;
			continue;
		}
		n = piece(v->hwread, off, end);
		err = hw->read(hw->ctx, PHYS(v, off), n, &got);
		if (err) {
			*value = mask_of(size);
			return err;
		}
		bits = hf_get(v->hwread + off, n);
		*value &= ~(bits << 8 * (off - offset));
		*value |= (got & bits) << 8 * (off - offset);
		off += n;
	}
	return 0;
}

static int write_piece(const struct hf_view *v, const struct hf_phys *hw, unsigned int off,
		       uint8_t n, uint32_t value)
{
	uint32_t guest = GUESTS(hf_get(v->hwwrite + off, n), n), keep, now = 0;
	int err = 0;

	keep = mask_of(n) & ~guest & ~CLEARED_BY_1(hf_get(v->rw1c + off, n));
	if (keep)
		err = hw->read(hw->ctx, PHYS(v, off), n, &now);
	/* All ones: the device does not answer, and there is nothing to be kept. */
	if (keep && !err && now == mask_of(n) && n > 1)
		return 0;
	return err ?: hw->write(hw->ctx, PHYS(v, off), n, (value & guest) | (now & keep), guest);
}

/* Section 7.9.18: F as 0 asks for data, which are there at once; F as 1 would write them. */
static void vpd_access(struct hf_view *v)
{
	uint8_t *addr = v->image + v->vpd_at + PCI_VPD_ADDR,
		*data = v->image + v->vpd_at + PCI_VPD_DATA;
	uint16_t at = hf_get(addr, 2) & PCI_VPD_ADDR_MASK & ~3;

	if (addr[1] & PCI_VPD_ADDR_F >> 8) {
		addr[1] &= ~(PCI_VPD_ADDR_F >> 8);
		return;
	}
	for (unsigned int i = 0; i < 4; i++)
		data[i] = at + i < v->nvpd ? v->vpd[at + i] : 0;
	addr[1] |= PCI_VPD_ADDR_F >> 8;
}

static void write_virtual(struct hf_view *v, unsigned int off, uint8_t byte)
{
	uint8_t bits = WRITABLE(v->virt[off]), clear = bits & v->rw1c[off];

	v->image[off] = (v->image[off] & ~(bits & ~clear)) | (byte & bits & ~clear);
	v->image[off] &= ~(byte & clear);
}

int hf_view_write(struct hf_view *v, const struct hf_phys *hw, uint16_t offset, uint8_t size,
		  uint32_t value)
{
	unsigned int end = offset + size, off = offset, vpd_f = v->vpd_at + PCI_VPD_ADDR + 1;
	int err = 0;
	uint8_t n;

	if (size != 1 && size != 2 && size != 4)
		return -EINVAL;
	if (end > v->size)
		return 0;
	for (; off < end; off++)
		write_virtual(v, off, value >> 8 * (off - offset));
	if (v->vpd_at && offset <= vpd_f && vpd_f < end)
		vpd_access(v);
	for (off = offset; off < end && !err; off += n) {
		n = 1;
		if (!v->hwwrite[off])
			continue;
		n = piece(v->hwwrite, off, end);
		err = write_piece(v, hw, off, n, value >> 8 * (off - offset));
	}
	return err;
}
