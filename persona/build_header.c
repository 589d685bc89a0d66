// SPDX-License-Identifier: LGPL-2.1-or-later
/* Registers 00h-3Fh: identity, Command and Status, BARs. */
#include "internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include <linux/pci_regs.h>

static void build_identity(struct hf_build *b)
{
	for (unsigned int i = 0; i < HF_IDS; i++) {
		const struct hf_pident *id = &b->p->id[i];
		uint8_t off = hf_ident_off[i], width = hf_ident_width[i];
		uint32_t dev;

		if (!hf_cfg_ident(b->c, i, &dev) && !id->given) {
			hf_refuse(b, id->loc.file ? &id->loc : NULL, off, "give it in 'identity'",
				  "the device is a VF and does not tell its %s ID",
				  hf_ident_names[i]);
			continue;
		}
		hf_treat(b, off, width, hf_ones(width), HF_T_RO, id->given ? id->value : dev);
		hf_put(b->own + off, width, hf_ones(width));
	}
}

/* What becomes of a field in a VF, which has no use for most of them (section 9.3.4). */
static enum hf_treat vf_treat(const struct hf_field *f)
{
	if (f->flags & HF_F_VF_VIRT)
		return HF_T_VIRT;
	return f->flags & HF_F_VF_HIDE ? HF_T_HIDE : (enum hf_treat)f->treat;
}

/* Fields of a capability, or of the header: @dev is what the device has there, or its stand-in. */
static void build_fields(struct hf_build *b, const struct hf_capdef *def, unsigned int entries,
			 uint16_t at, const uint8_t *dev)
{
	struct hf_field_iter it = { 0 };
	struct hf_field f;

	while (hf_field_next(def, entries, &it, &f)) {
		enum hf_treat treat = b->p->vf ? vf_treat(&f) : (enum hf_treat)f.treat;
		bool vf_ro = b->p->vf && f.flags & (HF_F_VF_HIDE | HF_F_VF_VIRT);

		if (!hf_field_exists(&f, hf_get(dev, 4)))
			continue;
		for (unsigned int i = 0; i < f.width; i++) {
			uint8_t m = f.mask >> 8 * i;

			b->known[at + f.off + i] |= m;
			if (f.access == HF_ACC_RO || vf_ro)
				b->ro[at + f.off + i] |= m;
			if (f.access == HF_ACC_RW1C)
				b->v->rw1c[at + f.off + i] |= m;
			if (treat == HF_T_OWN)
				b->own[at + f.off + i] |= m;
		}
		if (treat != HF_T_OWN)
			hf_treat(b, at + f.off, f.width, f.mask, treat,
				 treat == HF_T_VIRT ? f.reset : hf_get(dev + f.off, f.width));
	}
}

void hf_build_fields(struct hf_build *b, const struct hf_vcap *c, const uint8_t *dev)
{
	build_fields(b, c->def, c->entries, c->at, dev);
}

void hf_build_header(struct hf_build *b)
{
	struct hf_loc loc = { .file = b->c->name };

	for (unsigned int i = 0; i < PCI_STD_HEADER_SIZEOF; i += 4)
		b->v->phys[i / 4] = i;
	if (b->c->vf && !b->p->vf)
		hf_refuse(b, &loc, PCI_VENDOR_ID, "add 'function vf' to the map",
			  "the device is a VF, where most of Command is hardwired to 0");
	/* Its Memory Space Enable would be virtual, and its BARs would never be enabled. */
	if (!b->c->vf && b->p->vf)
		hf_refuse(b, &loc, PCI_COMMAND, "leave 'function vf' out of the map",
			  "the device is no VF, and needs what a guest writes to Command");
	build_fields(b, &hf_header_def, 1, 0, b->c->bytes);
	build_identity(b);
	/* How many functions there are is the VMM's to say. */
	hf_treat(b, PCI_HEADER_TYPE, 1, 0xff, HF_T_RO, PCI_HEADER_TYPE_NORMAL);
}

static const char *const type_names[] = { "none", "io", "mem32", "mem64" };

/* Is there such a BAR, and of the kind that the map says? */
static bool bar_is(struct hf_build *b, unsigned int n, uint16_t at)
{
	const struct hf_pbar *p = &b->p->bar[n];
	const struct hf_bar *dev = &b->c->bar[n];

	if (dev->upper)
		hf_refuse(b, &p->loc, at, NULL, "in the device this is the upper half of BAR %u",
			  n - 1);
	else if (dev->type == HF_BAR_NONE && (dev->known || !b->p->vf))
		/* BARs of a VF read as 0: only who has the PF knows of them. */
		hf_refuse(b, &p->loc, at, "hide it", "the device has no such BAR");
	else if (dev->type == HF_BAR_NONE && p->type == HF_BAR_NONE && n != HF_CFG_ROM)
		hf_refuse(b, &p->loc, at, "'keep mem64 prefetch size 16K', or what it is",
			  "the device does not tell what kind of BAR this is");
	else if (p->type && dev->type && (p->type != dev->type || p->prefetch != dev->prefetch))
		hf_refuse(b, &p->loc, at, NULL, "the BAR of the device is %s%s, not %s%s",
			  type_names[dev->type], dev->prefetch ? " prefetch" : "",
			  type_names[p->type], p->prefetch ? " prefetch" : "");
	else
		return true;
	return false;
}

/* Is it as large as promised? Without its size, where it is tells how large it cannot be. */
static bool bar_holds(struct hf_build *b, unsigned int n, uint16_t at, uint64_t size)
{
	const struct hf_loc *loc = &b->p->bar[n].loc;
	const struct hf_bar *dev = &b->c->bar[n];
	uint64_t address = hf_get(b->c->bytes + at, 4) &
			   (dev->type == HF_BAR_IO ? ~UINT32_C(3) : ~UINT32_C(0xf));

	if (dev->type == HF_BAR_MEM64)
		address |= (uint64_t)hf_get(b->c->bytes + at + 4, 4) << 32;
	if (!size)
		hf_refuse(b, loc, at, "add 'size'",
			  "config space does not tell how large this BAR is");
	else if (dev->size && size > dev->size)
		hf_refuse(b, loc, at, NULL,
			  "the BAR of the device has 0x%" PRIx64 " bytes, less than the 0x%" PRIx64
			  " promised",
			  dev->size, size);
	else if (!dev->size && n != HF_CFG_ROM && address & (size - 1))
		hf_refuse(b, loc, at, NULL,
			  "the BAR of the device is at a multiple of 0x%" PRIx64
			  ", so it has not the 0x%" PRIx64 " bytes promised",
			  address & -address, size);
	else
		return true;
	return false;
}

static bool bar_size_possible(struct hf_build *b, unsigned int n, uint16_t at,
			      const struct hf_bar *bar)
{
	uint64_t least = hf_bar_least(n, bar->type);
	uint64_t most = bar->type == HF_BAR_MEM64 ? HF_BAR_MOST
			: bar->type == HF_BAR_IO  ? 256
			: n == HF_CFG_ROM	  ? 16 << 20
						  : UINT64_C(1) << 31;

	if (bar->size >= least && bar->size <= most)
		return true;
	hf_refuse(b, &b->p->bar[n].loc, at, NULL,
		  "0x%" PRIx64 " bytes are not possible for such a BAR: 0x%" PRIx64
		  " to 0x%" PRIx64,
		  bar->size, least, most);
	return false;
}

/*
 * Sections 7.5.1.2.1 and 7.5.1.2.4. Address bits above the size can be written, and never
 * reach the device: the VMM maps the BAR where they say. So a guest that writes all ones
 * reads the size.
 */
static void build_bar(struct hf_build *b, unsigned int n, uint16_t at)
{
	const struct hf_pbar *p = &b->p->bar[n];
	const struct hf_bar *dev = &b->c->bar[n];
	uint32_t low = 0, bits = ~UINT32_C(0xf);
	struct hf_bar bar = { 0 };

	if (!bar_is(b, n, at))
		return;
	bar.type = p->type ? p->type : n == HF_CFG_ROM ? HF_BAR_MEM32 : dev->type;
	bar.prefetch = n != HF_CFG_ROM && (p->type ? p->prefetch : dev->prefetch);
	bar.size = p->size ? p->size : dev->size;
	if (!bar_holds(b, n, at, bar.size) || !bar_size_possible(b, n, at, &bar))
		return;
	b->v->bar_size[n] = bar.size;
	if (n == HF_CFG_ROM)
		bits = (uint32_t)PCI_ROM_ADDRESS_MASK;
	else if (bar.type == HF_BAR_IO)
		bits = (uint32_t)PCI_BASE_ADDRESS_IO_MASK;
	if (bar.type == HF_BAR_IO)
		low = PCI_BASE_ADDRESS_SPACE_IO;
	else if (bar.type == HF_BAR_MEM64)
		low = PCI_BASE_ADDRESS_MEM_TYPE_64;
	if (bar.prefetch)
		low |= PCI_BASE_ADDRESS_MEM_PREFETCH;
	bits &= bar.size > UINT32_MAX ? 0 : ~(uint32_t)(bar.size - 1);
	if (n == HF_CFG_ROM)
		bits |= PCI_ROM_ADDRESS_ENABLE;
	hf_treat(b, at, 4, ~UINT32_C(0), HF_T_RO, low);
	hf_treat(b, at, 4, bits, HF_T_VIRT, 0);
	if (bar.type != HF_BAR_MEM64)
		return;
	bits = (uint32_t)(~(bar.size - 1) >> 32);
	hf_treat(b, at + 4, 4, ~UINT32_C(0), HF_T_RO, 0);
	hf_treat(b, at + 4, 4, bits, HF_T_VIRT, 0);
}

void hf_build_bars(struct hf_build *b)
{
	for (unsigned int n = 0; n < HF_BARS; n++) {
		uint16_t at = n == HF_CFG_ROM ? PCI_ROM_ADDRESS : PCI_BASE_ADDRESS_0 + 4 * n;

		if (b->p->bar[n].mode != HF_BAR_KEEP)
			continue;
		if (n && n < HF_CFG_ROM && b->v->shown[at]) {
			hf_refuse(b, &b->p->bar[n].loc, at, NULL,
				  "this is the upper half of BAR %u", n - 1);
			continue;
		}
		build_bar(b, n, at);
	}
}
