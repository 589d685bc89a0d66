// SPDX-License-Identifier: LGPL-2.1-or-later
/* Questions to the capability table, and how long a capability is. */
#include "caps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/pci_regs.h>

static const struct hf_capdef *defs(bool ext, unsigned int *n)
{
	*n = ext ? hf_next_defs : hf_nstd_defs;
	return ext ? hf_ext_defs : hf_std_defs;
}

const struct hf_capdef *hf_capdef_by_id(bool ext, uint16_t id)
{
	unsigned int n;
	const struct hf_capdef *d = defs(ext, &n);

	for (unsigned int i = 0; i < n; i++)
		if (d[i].id == id)
			return &d[i];
	return NULL;
}

const struct hf_capdef *hf_capdef_by_name(bool ext, const char *name)
{
	unsigned int n;
	const struct hf_capdef *d = defs(ext, &n);

	for (unsigned int i = 0; i < n; i++)
		if (!strcmp(d[i].name, name))
			return &d[i];
	return NULL;
}

bool hf_field_next(const struct hf_capdef *def, unsigned int entries, struct hf_field_iter *it,
		   struct hf_field *f)
{
	while (it->field < def->nfields) {
		*f = def->fields[it->field];
		if (it->entry < (f->flags & HF_F_REPEAT ? entries : 1)) {
			f->off += it->entry++ * def->stride;
			return true;
		}
		it->field++;
		it->entry = 0;
	}
	return false;
}

bool hf_field_exists(const struct hf_field *f, uint32_t head)
{
	uint16_t flags = head >> 16;
	uint8_t type = (flags & PCI_EXP_FLAGS_TYPE) >> 4;
	bool link = type != PCI_EXP_TYPE_RC_END && type != PCI_EXP_TYPE_RC_EC;
	bool v2 = (flags & PCI_EXP_FLAGS_VERS) >= 2;
	bool wide = flags & PCI_MSI_FLAGS_64BIT, mask = flags & PCI_MSI_FLAGS_MASKBIT;

	switch ((enum hf_when)f->when) {
	case HF_W_ALWAYS:
		return true;
	case HF_W_MSI32:
		return !wide;
	case HF_W_MSI64:
		return wide;
	case HF_W_MSI32M:
		return !wide && mask;
	case HF_W_MSI64M:
		return wide && mask;
	case HF_W_LINK:
		return link;
	case HF_W_V2:
		return v2;
	case HF_W_V2LINK:
		return link && v2;
	}
	return false;
}

/* "ctrl.2": the length of "ctrl", and 2. */
static bool split_entry(const char *name, size_t *len, unsigned int *entry)
{
	const char *dot = strchr(name, '.');

	*len = dot ? (size_t)(dot - name) : strlen(name);
	*entry = 0;
	if (!dot)
		return true;
	if (dot[1] < '1' || dot[1] >= '0' + HF_MAX_ENTRIES || dot[2])
		return false;
	*entry = dot[1] - '0';
	return true;
}

bool hf_reg_by_name(const struct hf_capdef *def, const char *name, struct hf_field *f)
{
	uint32_t mask = 0;
	unsigned int entry;
	size_t len;

	if (!split_entry(name, &len, &entry))
		return false;
	for (unsigned int i = 0; i < def->nfields; i++) {
		const struct hf_field *row = &def->fields[i];

		if (strlen(row->reg) != len || memcmp(row->reg, name, len) ||
		    (entry && !(row->flags & HF_F_REPEAT)))
			continue;
		*f = *row;
		mask |= row->mask;
	}
	if (!mask)
		return false;
	f->mask = mask;
	f->off += entry * def->stride;
	return true;
}

bool hf_reg_by_offset(const struct hf_capdef *def, uint16_t off, uint32_t head, struct hf_field *f,
		      char *name, size_t size)
{
	struct hf_field_iter it = { 0 };
	struct hf_field row;
	uint32_t mask = 0;

	while (hf_field_next(def, HF_MAX_ENTRIES, &it, &row)) {
		if (off < row.off || off >= row.off + row.width || !hf_field_exists(&row, head))
			continue;
		mask |= row.mask;
		*f = row;
		if (it.entry > 1)
			snprintf(name, size, "%s.%u", row.reg, it.entry - 1);
		else
			snprintf(name, size, "%s", row.reg);
	}
	f->mask = mask;
	return mask;
}

const char *hf_reg_name(const struct hf_capdef *def, uint16_t off, uint8_t width)
{
	struct hf_field_iter it = { 0 };
	const char *reg = NULL;
	struct hf_field f;

	while (hf_field_next(def, HF_MAX_ENTRIES, &it, &f)) {
		if (f.off != off || f.width != width)
			continue;
		if (reg && strcmp(reg, f.reg))
			return NULL;
		reg = f.reg;
	}
	return reg;
}

uint32_t hf_field_mask(const struct hf_capdef *def, const char *reg, const char *name)
{
	size_t len = strcspn(reg, ".");

	for (unsigned int i = 0; i < def->nfields; i++)
		if (strlen(def->fields[i].reg) == len && !memcmp(def->fields[i].reg, reg, len) &&
		    !strcmp(def->fields[i].name, name))
			return def->fields[i].mask;
	return 0;
}

uint32_t hf_reg_fixed(const struct hf_capdef *def, uint16_t off, uint8_t width)
{
	struct hf_field_iter it = { 0 };
	struct hf_field f;
	uint32_t mask = 0;
	bool known = false;

	while (hf_field_next(def, HF_MAX_ENTRIES, &it, &f)) {
		if (f.off != off || f.width != width)
			continue;
		known = true;
		if (f.treat == HF_T_RO || f.flags & HF_F_STATE)
			mask |= f.mask;
	}
	return known || !def->opaque ? mask : hf_ones(width);
}

static uint16_t msi_len(uint16_t flags)
{
	uint16_t len = flags & PCI_MSI_FLAGS_64BIT ? PCI_MSI_MASK_64 : PCI_MSI_MASK_32;

	return flags & PCI_MSI_FLAGS_MASKBIT ? len + 8 : len;
}

static uint16_t exp_len(uint16_t flags)
{
	uint8_t type = (flags & PCI_EXP_FLAGS_TYPE) >> 4;
	bool link = type != PCI_EXP_TYPE_RC_END && type != PCI_EXP_TYPE_RC_EC;

	if ((flags & PCI_EXP_FLAGS_VERS) < 2)
		return link ? PCI_CAP_EXP_ENDPOINT_SIZEOF_V1 : PCI_CAP_EXP_RC_ENDPOINT_SIZEOF_V1;
	return link ? PCI_EXP_LNKSTA2 + 2 : PCI_CAP_EXP_RC_ENDPOINT_SIZEOF_V2;
}

static uint16_t std_len(const uint8_t *cap, uint16_t id)
{
	uint16_t flags = hf_get(cap + 2, 2);

	switch (id) {
	case PCI_CAP_ID_MSI:
		return msi_len(flags);
	case PCI_CAP_ID_EXP:
		return exp_len(flags);
	case PCI_CAP_ID_VNDR:
		return cap[2] < 3 ? 0 : cap[2];
	case PCI_CAP_ID_SATA:
		return (cap[4] & PCI_SATA_REGS_MASK) == PCI_SATA_REGS_INLINE
			       ? PCI_SATA_SIZEOF_LONG
			       : PCI_SATA_SIZEOF_SHORT;
	}
	return 0;
}

/* 7.9.1: the resource of each VC, then the arbitration table. */
static uint16_t vc_len(const uint8_t *cap)
{
	uint32_t cap1 = hf_get(cap + PCI_VC_PORT_CAP1, 4), cap2 = hf_get(cap + PCI_VC_PORT_CAP2, 4);
	uint16_t len =
		PCI_CAP_VC_BASE_SIZEOF + (1 + (cap1 & PCI_VC_CAP1_EVCC)) * PCI_CAP_VC_PER_VC_SIZEOF;
	uint16_t phases = cap2 & PCI_VC_CAP2_128_PHASE	? 128
			  : cap2 & PCI_VC_CAP2_64_PHASE ? 64
			  : cap2 & PCI_VC_CAP2_32_PHASE ? 32
							: 0;

	/* Four bits a phase, from the next multiple of 16 on. */
	return phases ? (len + 15) / 16 * 16 + phases / 2 : len;
}

static uint16_t tph_len(const uint8_t *cap)
{
	uint32_t v = hf_get(cap + PCI_TPH_CAP, 4);

	if ((v & PCI_TPH_CAP_LOC_MASK) != PCI_TPH_LOC_CAP)
		return PCI_TPH_BASE_SIZEOF;
	return (PCI_TPH_BASE_SIZEOF +
		(((v & PCI_TPH_CAP_ST_MASK) >> PCI_TPH_CAP_ST_SHIFT) + 1) * 2 + 3) &
	       ~3;
}

static uint16_t ext_len(const uint8_t *cap, uint16_t id, uint16_t lanes)
{
	switch (id) {
	case PCI_EXT_CAP_ID_VC:
	case PCI_EXT_CAP_ID_VC9:
		return vc_len(cap);
	case PCI_EXT_CAP_ID_VNDR:
	case PCI_EXT_CAP_ID_DVSEC: {
		uint16_t len = hf_get(cap + 4, 4) >> 20;

		return len < (id == PCI_EXT_CAP_ID_VNDR ? 8 : 10) ? 0 : len;
	}
	case PCI_EXT_CAP_ID_REBAR:
		return 4 + 8 * hf_cap_entries(hf_capdef_by_id(true, id), cap);
	case PCI_EXT_CAP_ID_DPA:
		return (PCI_DPA_BASE_SIZEOF + (hf_get(cap + 4, 4) & PCI_DPA_CAP_SUBSTATE_MASK) + 1 +
			3) &
		       ~3;
	case PCI_EXT_CAP_ID_TPH:
		return tph_len(cap);
	case PCI_EXT_CAP_ID_SECPCI:
		return (0x0c + 2 * lanes + 3) & ~3;
	case PCI_EXT_CAP_ID_PL_16GT:
		return (PCI_PL_16GT_LE_CTRL + lanes + 3) & ~3;
	case 0x27:
		return 8 + 4 * lanes;
	}
	return 0;
}

uint16_t hf_cap_len(const struct hf_capdef *def, const uint8_t *cfg, size_t size, uint16_t pos,
		    uint16_t exp)
{
	size_t end = def->ext ? size : PCI_CFG_SPACE_SIZE;
	uint16_t lanes = exp ? (hf_get(cfg + exp + PCI_EXP_LNKCAP, 4) & PCI_EXP_LNKCAP_MLW) >> 4
			     : 1;
	uint16_t len = def->len;

	/* What a length is read from has to be there. */
	if (pos + (def->ext ? 12u : 8u) > end)
		return pos + len <= end ? len : 0;
	if (!len)
		len = def->ext ? ext_len(cfg + pos, def->id, lanes) : std_len(cfg + pos, def->id);
	return pos + len <= end ? len : 0;
}

unsigned int hf_cap_entries(const struct hf_capdef *def, const uint8_t *cap)
{
	unsigned int n;

	if (!def->stride)
		return 1;
	n = (hf_get(cap + PCI_REBAR_CTRL, 4) & PCI_REBAR_CTRL_NBAR_MASK) >>
	    PCI_REBAR_CTRL_NBAR_SHIFT;
	return n < 1 ? 1 : n > HF_MAX_ENTRIES ? HF_MAX_ENTRIES : n;
}
