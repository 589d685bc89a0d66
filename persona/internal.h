/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the persona library share. */
#ifndef HF_PERSONA_INTERNAL_H
#define HF_PERSONA_INTERNAL_H

#include <holdfast/persona.h>

#include <stdarg.h>

#include "bdf.h"
#include "caps.h"

#define HF_BARS	    7 /* 0..5 and HF_CFG_ROM */
#define HF_MAX_CAPS 128 /* of a device or a persona */

/* Diagnostics. */

/* A place in a map or a dump. file belongs to the persona or to the caller. */
struct hf_loc {
	const char *file; /* NULL: nowhere */
	unsigned int line, column;
};

/* reg and hint may be NULL. */
void hf_diag_add(struct hf_diags *d, enum hf_severity severity, const struct hf_loc *loc,
		 const char *reg, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));
void hf_diag_vadd(struct hf_diags *d, enum hf_severity severity, const struct hf_loc *loc,
		  const char *reg, const char *hint, const char *fmt, va_list ap);

/* Which of the @n words does @word resemble? Return: one of them, or NULL. */
const char *hf_closest(const char *word, const char *const *words, size_t n);

/* Config space. */

/* def: NULL if the ID is not known. len: 0 if that is not, or does not fit. */
struct hf_devcap {
	bool ext;
	uint16_t id, pos, len;
	const struct hf_capdef *def;
};

/* size: bytes, 0 if there is no BAR; known: it is not just that nobody has said. */
struct hf_bar {
	enum hf_bar_type type;
	bool prefetch, known, upper;
	uint64_t size;
};

struct hf_cfg {
	uint8_t bytes[HF_CFG_EXP_SIZE]; /* all zero behind size */
	size_t size;
	struct hf_bar bar[HF_BARS];
	struct hf_devcap caps[HF_MAX_CAPS];
	unsigned int ncaps;
	const char *broken; /* what is wrong with a capability list, NULL if nothing */
	uint16_t broken_at;
	uint16_t exp; /* PCI Express capability, 0 if there is none */
	bool vf;
	uint16_t vf_vendor, vf_device; /* as its owner knows them, 0 if nobody has said */
	char name[128];
};

#define HF_BAR_MOST (UINT64_C(1) << 62)

/* Bytes that BAR @n has at least, if it is there. */
uint64_t hf_bar_least(unsigned int n, enum hf_bar_type type);

/* The @index-th capability of that ID. Return: NULL if there is none. */
const struct hf_devcap *hf_cfg_cap(const struct hf_cfg *c, bool ext, uint16_t id,
				   unsigned int index);

/* Personas. */

/* Bits of a register that are treated so. */
struct hf_rule {
	const char *reg; /* of the table; NULL: whatever is there, if anything */
	uint16_t off; /* from the capability, or in config space */
	uint8_t width;
	uint8_t treat; /* enum hf_treat but HF_T_OWN */
	bool has_value; /* HF_T_RO, HF_T_VIRT; else the device's, or what it is after reset */
	uint8_t layer;
	uint32_t mask, value; /* of the register; value has no bit outside mask */
	struct hf_loc loc;
};

struct hf_rules {
	struct hf_rule *rule;
	size_t n, room; /* room for so many */
};

enum hf_capmode { HF_CAP_DEVICE, HF_CAP_SYNTH, HF_CAP_DROP };

/*
 * body: of a synthesised capability, what is behind its header. vpd: what is read
 * through a synthesised VPD capability.
 */
struct hf_pcap {
	bool ext;
	uint16_t id;
	uint8_t index; /* among the capabilities of this ID */
	uint8_t mode;
	uint8_t version; /* ext: of the header, 0 if the device's */
	uint8_t layer;
	uint16_t at; /* where the guest has it */
	uint16_t length; /* of one that the table does not know, else 0 */
	uint8_t *body, *vpd;
	size_t nbody, nvpd;
	struct hf_rules rules;
	struct hf_loc loc;
};

enum hf_barmode { HF_BAR_UNSET, HF_BAR_KEEP, HF_BAR_HIDE };

struct hf_pbar {
	uint8_t mode, layer;
	uint8_t type; /* enum hf_bar_type, NONE: the device's */
	bool prefetch; /* if type is given */
	uint64_t size; /* bytes, 0: the device's */
	struct hf_loc loc;
};

enum hf_ident {
	HF_ID_VENDOR,
	HF_ID_DEVICE,
	HF_ID_SUBVENDOR,
	HF_ID_SUBSYSTEM,
	HF_ID_REVISION,
	HF_ID_CLASS,
	HF_IDS
};

struct hf_pident {
	bool given; /* else the device's */
	uint8_t layer; /* 0: not mentioned */
	uint32_t value;
	struct hf_loc loc;
};

struct hf_persona {
	char *name;
	unsigned int version;
	bool vf;
	struct hf_pident id[HF_IDS];
	struct hf_pbar bar[HF_BARS];
	struct hf_pcap *caps;
	size_t ncaps;
	struct hf_rules rules; /* by offset in config space */
	char **files; /* names for hf_loc */
	size_t nfiles;
};

extern const char *const hf_ident_names[HF_IDS];
/* Where each is in the header; class is three bytes. */
extern const uint8_t hf_ident_off[HF_IDS], hf_ident_width[HF_IDS];

/* Return: false if it is a VF's, which does not tell, and nobody has said it. */
bool hf_cfg_ident(const struct hf_cfg *c, enum hf_ident which, uint32_t *v);

struct hf_persona *hf_persona_new(void);
/* @all: what a guest has no use for, too, and what is not known, with its header alone. */
int hf_derive(const struct hf_cfg *c, bool all, struct hf_persona **out, struct hf_diags *d);
struct hf_persona *hf_persona_copy(const struct hf_persona *p);
/* The name of a file, which lives as long as the persona. Return: NULL without memory. */
const char *hf_persona_file(struct hf_persona *p, const char *name);
struct hf_pcap *hf_persona_cap(const struct hf_persona *p, bool ext, uint16_t id,
			       unsigned int index);
/* Return: a zeroed one that is among p->caps, NULL without memory. */
struct hf_pcap *hf_persona_add_cap(struct hf_persona *p);
void hf_pcap_clear(struct hf_pcap *c);
int hf_rules_add(struct hf_rules *r, const struct hf_rule *rule);
/* "msix", or "0x0c" if the table does not know it. */
const char *hf_cap_name(bool ext, uint16_t id, char buf[8]);

/* Vital Product Data (PCI 3.0, appendix I). */

struct hf_vpd_field {
	char key[3];
	const char *text; /* "id" has the key "" */
};

/* Return: 0, -ENOMEM or -EMSGSIZE; *out from malloc(). */
int hf_vpd_build(const struct hf_vpd_field *f, size_t n, uint8_t **out, size_t *len);
/*
 * The entry at *@pos, which moves on; start with 0. Return: false at the end, or what
 * hf_vpd_build() would not have made. @text is not terminated.
 */
bool hf_vpd_next(const uint8_t *vpd, size_t len, size_t *pos, char key[3], const char **text,
		 size_t *textlen);

/* Views. */

#define HF_VPD_MAX 1024

/* A capability where the guest has it. phys: HF_NO_PHYS if synthesised. */
struct hf_vcap {
	bool ext;
	uint16_t id, at, len, phys;
	uint8_t index;
	unsigned int entries;
	const struct hf_capdef *def;
	const struct hf_pcap *from; /* only while the view is made */
};

/*
 * One byte of each array for each byte of config space, one bit for each bit.
 * A bit that is in none of virt, live, pass reads as image and ignores writes.
 */
struct hf_view {
	uint8_t image[HF_CFG_EXP_SIZE];
	uint8_t virt[HF_CFG_EXP_SIZE]; /* written to image */
	uint8_t hwread[HF_CFG_EXP_SIZE]; /* read from the device */
	uint8_t hwwrite[HF_CFG_EXP_SIZE]; /* written to the device */
	uint8_t rw1c[HF_CFG_EXP_SIZE]; /* a 1 clears it, in the device or in image */
	uint8_t shown[HF_CFG_EXP_SIZE]; /* not hidden */
	uint16_t phys[HF_CFG_EXP_SIZE / 4]; /* of each dword, HF_NO_PHYS if none */
	uint16_t size;
	uint16_t vpd_at; /* a synthesised VPD capability, 0 if there is none */
	uint16_t nvpd;
	uint8_t vpd[HF_VPD_MAX];
	uint64_t bar_size[HF_BARS];
	struct hf_vcap caps[HF_MAX_CAPS]; /* in the order of the guest's lists */
	unsigned int ncaps;
};

/* What is being made, and why it cannot be. */
struct hf_build {
	const struct hf_persona *p;
	const struct hf_cfg *c;
	struct hf_view *v;
	struct hf_diags *d;
	uint8_t ro[HF_CFG_EXP_SIZE]; /* bits that hardware does not let anyone write */
	uint8_t known[HF_CFG_EXP_SIZE]; /* bits of which the table knows what they are */
	uint8_t own[HF_CFG_EXP_SIZE]; /* bits the library says the value of */
	bool failed;
};

/* @at: in the guest's config space, for the name of the register. */
void hf_refuse(struct hf_build *b, const struct hf_loc *loc, int at, const char *hint,
	       const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* Treat bits so: @at and @width in the guest's config space. */
void hf_treat(struct hf_build *b, uint16_t at, uint8_t width, uint32_t mask, enum hf_treat treat,
	      uint32_t value);
void hf_build_fields(struct hf_build *b, const struct hf_vcap *c, const uint8_t *dev);
void hf_build_header(struct hf_build *b);
void hf_build_bars(struct hf_build *b);
void hf_place_caps(struct hf_build *b);
void hf_build_caps(struct hf_build *b);
void hf_build_rules(struct hf_build *b);
/* After the rules, which may promise less than the device has. */
void hf_limit_msi(struct hf_build *b);
void hf_check_promises(struct hf_build *b);
void hf_check_msix(struct hf_build *b);
/* "msix.flags", "header.command", "0x0f0". */
void hf_view_name(const struct hf_view *v, uint16_t off, char *buf, size_t size,
		  struct hf_field *reg);
/* The capability that has the byte @off, or NULL. */
const struct hf_vcap *hf_view_cap_at(const struct hf_view *v, uint16_t off);

#endif
