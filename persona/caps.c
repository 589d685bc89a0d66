// SPDX-License-Identifier: LGPL-2.1-or-later
/* Questions to the capability table. */
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

unsigned int hf_cap_entries(const struct hf_capdef *def, const uint8_t *cap)
{
	return def->stride ? hf_rebar_entries(cap) : 1;
}

unsigned int hf_rebar_entries(const uint8_t *cap)
{
	unsigned int n;

	n = (hf_get(cap + PCI_REBAR_CTRL, 4) & PCI_REBAR_CTRL_NBAR_MASK) >>
	    PCI_REBAR_CTRL_NBAR_SHIFT;
	return n < 1 ? 1 : n > HF_MAX_ENTRIES ? HF_MAX_ENTRIES : n;
}
