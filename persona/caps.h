/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is known of capabilities: one table, which parser, check, synthesis, comparison and
 * printing share.
 */
#ifndef HF_PERSONA_CAPS_H
#define HF_PERSONA_CAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What hardware does with a bit (section 7.4). HwInit is RO; what no field covers is RsvdP. */
enum hf_access { HF_ACC_RO, HF_ACC_RW, HF_ACC_RW1C };

/* What the guest gets. */
enum hf_treat {
	HF_T_HIDE, /* reads as 0, writes are ignored */
	HF_T_RO, /* reads as a value, writes are ignored */
	HF_T_LIVE, /* reads the device, writes are ignored */
	HF_T_VIRT, /* reads what was written, which never reaches the device */
	HF_T_PASS, /* reads and writes the device */
	HF_T_OWN, /* in the table only: the library says what it is */
};

/* What a map may promise for a read-only field, given what the device has. */
enum hf_promise {
	HF_P_ANY, /* anything: it binds nobody */
	HF_P_SUBSET, /* features: no bit that the device does not have */
	HF_P_MAX, /* a number: not more than the device has */
	HF_P_SAME, /* a place or a format: what the device has */
	HF_P_SAME0, /* or 0 */
};

/* When a register exists at all. */
enum hf_when {
	HF_W_ALWAYS,
	HF_W_MSI32, /* MSI: 32-bit address; M: with per-vector masking */
	HF_W_MSI64,
	HF_W_MSI32M,
	HF_W_MSI64M,
	HF_W_LINK, /* PCI Express: not of an integrated endpoint */
	HF_W_V2, /* capability version 2 and above */
	HF_W_V2LINK,
};

#define HF_F_VF_HIDE 0x1 /* hardwired to 0 in a VF (section 9.3.4) */
#define HF_F_VF_VIRT 0x2 /* too, but a guest needs to see it hold what it wrote */
#define HF_F_REPEAT  0x4 /* once for every entry of the capability */
#define HF_F_STATE   0x8 /* live, but a map may write it down with "=" like what is read-only */

/* A field of a register; offsets are from the start of the capability. */
struct hf_field {
	const char *reg, *name;
	uint16_t off;
	uint8_t width; /* of the register, bytes */
	uint8_t access, treat, promise, when, flags;
	uint32_t mask;
	uint32_t reset; /* HF_T_VIRT: what the bits hold at first */
};

/*
 * len: bytes, 0 if a function has to say. What no field of an opaque capability covers is
 * read-only, as the device has it; of others it is reserved, and hidden.
 */
struct hf_capdef {
	uint16_t id;
	bool ext, opaque, drop; /* drop: of no use to a guest unless asked for */
	uint16_t len;
	const char *name, *title, *spec;
	const struct hf_field *fields;
	unsigned int nfields;
	uint8_t stride; /* of HF_F_REPEAT fields */
};

/* A field of a certain entry: the copy has the real offset. */
struct hf_field_iter {
	unsigned int field, entry;
};

/* Registers 00h-3Fh of a type 0 function, as if they were a capability. */
extern const struct hf_capdef hf_header_def;
extern const struct hf_capdef hf_std_defs[], hf_ext_defs[];
extern const unsigned int hf_nstd_defs, hf_next_defs;

/* MSI Message Control: <linux/pci_regs.h> has no names for these. */
#define HF_MSI_FLAGS_EXT_DATA	     0x0200
#define HF_MSI_FLAGS_EXT_DATA_ENABLE 0x0400

/* Capabilities that <linux/pci_regs.h> of Linux 6.1 does not name. */
#define HF_EXT_CAP_VF_REBAR 0x24
#define HF_EXT_CAP_LMR	    0x27
#define HF_EXT_CAP_NPEM	    0x29
#define HF_EXT_CAP_PL_32GT  0x2a
#define HF_EXT_CAP_DEV3	    0x2f
#define HF_EXT_CAP_IDE	    0x30
#define HF_EXT_CAP_PL_64GT  0x31

#define HF_MAX_ENTRIES 6 /* of any capability with HF_F_REPEAT fields: BARs */

const struct hf_capdef *hf_capdef_by_id(bool ext, uint16_t id);
const struct hf_capdef *hf_capdef_by_name(bool ext, const char *name);

/*
 * All fields of a capability with @entries entries. Start with a zeroed iterator.
 * Return: false at the end.
 */
bool hf_field_next(const struct hf_capdef *def, unsigned int entries, struct hf_field_iter *it,
		   struct hf_field *f);
/* Does the field exist in a capability with this first dword (MSI) or flags (PCIe)? */
bool hf_field_exists(const struct hf_field *f, uint32_t head);

/*
 * The register called @name, "ctrl.1" in the second entry.
 * @f gets offset and width; mask all its fields. Return: false if there is none.
 */
bool hf_reg_by_name(const struct hf_capdef *def, const char *name, struct hf_field *f);
/* The same by place: the register that has the byte @off; @name of @size gets its name. */
bool hf_reg_by_offset(const struct hf_capdef *def, uint16_t off, uint32_t head, struct hf_field *f,
		      char *name, size_t size);
/* The name of the one register that can be right there and so wide, NULL if there are two. */
const char *hf_reg_name(const struct hf_capdef *def, uint16_t off, uint8_t width);
/* The field @name in the register @reg (without entry). Return: its bits, 0 if none. */
uint32_t hf_field_mask(const struct hf_capdef *def, const char *reg, const char *name);
/* Bits of a register that can be pinned with "=": what is read-only by default, and HF_F_STATE. */
uint32_t hf_reg_fixed(const struct hf_capdef *def, uint16_t off, uint8_t width);

/*
 * Bytes that the capability at @pos of a device takes up; 0: it is not known, or does not
 * fit. @entries, if wanted: how many entries it has. @exp: where its PCI Express capability
 * is, 0 if there is none.
 */
uint16_t hf_cap_len(const struct hf_capdef *def, const uint8_t *cfg, size_t size, uint16_t pos,
		    uint16_t exp);
unsigned int hf_cap_entries(const struct hf_capdef *def, const uint8_t *cap);
unsigned int hf_rebar_entries(const uint8_t *cap);

static inline uint32_t hf_get(const uint8_t *p, unsigned int width)
{
	uint32_t v = 0;

	for (unsigned int i = 0; i < width; i++)
		v |= (uint32_t)p[i] << 8 * i;
	return v;
}

static inline void hf_put(uint8_t *p, unsigned int width, uint32_t v)
{
	for (unsigned int i = 0; i < width; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static inline uint32_t hf_ones(unsigned int width)
{
	return width >= 4 ? UINT32_MAX : (UINT32_C(1) << 8 * width) - 1;
}

#endif
