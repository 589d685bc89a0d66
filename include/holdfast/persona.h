/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Config-space personas: one stable PCI function for the VM, whatever the hardware,
 * the firmware or the kernel says.
 *
 *	map (text) --parse--> persona --+
 *					+--check, synthesise--> view --read, write--> guest
 *	config space of a device -------+
 *
 * A persona says what the guest sees: persona-map(5). What it does not name, the
 * guest does not see; so a capability that a new kernel exposes stays hidden. A
 * view is a persona on one device: the 4 KiB image and what becomes of each access.
 *
 * Functions return 0 or a negative errno; why is in the struct hf_diags that they
 * take. Nothing here prints, exits or has globals. Objects are opaque and belong
 * to the caller, who frees each with its own function; all of these take NULL.
 * None holds on to another: a persona and a config space may go once the view is made.
 *
 * Offsets and sizes are in bytes. Register names are those of <linux/pci_regs.h>,
 * section numbers those of the PCI Express Base Specification, revision 6.
 */
#ifndef HOLDFAST_PERSONA_H
#define HOLDFAST_PERSONA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HF_CFG_SIZE	256 /* conventional config space, PCI_CFG_SPACE_SIZE */
#define HF_CFG_EXP_SIZE 4096 /* PCI_CFG_SPACE_EXP_SIZE */
#define HF_CFG_ROM	6 /* the ROM BAR, where BARs are numbered */

/* Diagnostics. */

enum hf_severity {
	HF_ERROR, /* it was refused for this */
	HF_NOTE, /* worth knowing: a capability of the device that the guest will not see */
};

/*
 * file, line, column: where in a map or a dump, "" and 0 if nowhere. reg: the register it
 * is about ("msix.flags"), "" if none. hint: what to do, "" if there is no telling.
 */
struct hf_diag {
	enum hf_severity severity;
	unsigned int line, column;
	char file[128];
	char reg[48];
	char text[240];
	char hint[160];
};

struct hf_diags;

/* Return: an empty list, or NULL without memory. */
struct hf_diags *hf_diags_new(void);
void hf_diags_free(struct hf_diags *d);
size_t hf_diags_count(const struct hf_diags *d);
size_t hf_diags_errors(const struct hf_diags *d);
/* Return: number @i, which belongs to the list, or NULL. */
const struct hf_diag *hf_diags_get(const struct hf_diags *d, size_t i);
/* "FILE:LINE:COLUMN: error: REG: TEXT (HINT)", cut to @size. Return: its full length. */
size_t hf_diag_format(const struct hf_diag *diag, char *buf, size_t size);

/* Config space of a device, as it is read through sysfs or vfio. */

struct hf_cfg;

enum hf_bar_type { HF_BAR_NONE, HF_BAR_IO, HF_BAR_MEM32, HF_BAR_MEM64 };

/* @len is 256 or 4096. Return: -ENODEV if all of the header is ones: nobody answers. */
int hf_cfg_from_bytes(const void *bytes, size_t len, const char *name, struct hf_cfg **out,
		      struct hf_diags *d);
/*
 * The text of "lspci -xxxx", one device. From "lspci -vvxxxx" come the sizes of BARs,
 * too, which config space does not tell. @name is for diagnostics.
 */
int hf_cfg_parse(const char *text, size_t len, const char *name, struct hf_cfg **out,
		 struct hf_diags *d);
/* The same of the one device @bdf of several. */
int hf_cfg_parse_bdf(const char *text, size_t len, const char *name, const char *bdf,
		     struct hf_cfg **out, struct hf_diags *d);
/* A file, of either kind; "PATH@BDF" is one device of a dump of several. */
int hf_cfg_load(const char *path, struct hf_cfg **out, struct hf_diags *d);
/* "[DDDD:]BB:DD.F" below @sysfs, which is "/sys" unless tests say otherwise. */
int hf_cfg_load_bdf(const char *sysfs, const char *bdf, struct hf_cfg **out, struct hf_diags *d);
bool hf_cfg_is_bdf(const char *s);
/* Whether both name one function: "01:00.0" is "0000:01:00.0". */
bool hf_cfg_same_bdf(const char *a, const char *b);
/*
 * What the caller knows of BAR @n (0..5, HF_CFG_ROM). @size 0: it has none.
 * Return: -EINVAL, and nothing has changed: no BAR of that type can have that size there.
 */
int hf_cfg_set_bar(struct hf_cfg *c, unsigned int n, enum hf_bar_type type, bool prefetch,
		   uint64_t size);
/*
 * The function is a VF with these IDs, as sysfs tells (vendor and device; it has a link
 * physfn). Config space does not: what hardware has reads as ones, which is enough to know that
 * it is one; what vfio shows has the IDs filled in, and is not known for one until this is said.
 */
void hf_cfg_set_vf(struct hf_cfg *c, uint16_t vendor, uint16_t device);
const uint8_t *hf_cfg_bytes(const struct hf_cfg *c, size_t *len);
const char *hf_cfg_name(const struct hf_cfg *c);
void hf_cfg_free(struct hf_cfg *c);

/* Personas. */

struct hf_persona;

/*
 * Give the text of the map file @path: *@text from malloc(), which the library frees.
 * Return: 0 or -errno.
 */
typedef int (*hf_map_read_fn)(void *ctx, const char *path, char **text, size_t *len);

/*
 * instance: the refinement to apply, NULL for none. read, ctx: where the files come from
 * that the map includes or inherits; NULL: none can be. Names of files in a map are
 * relative to the map's folder.
 */
struct hf_map_options {
	const char *instance;
	hf_map_read_fn read;
	void *ctx;
};

/* Return: -EINVAL and one error, at the first thing that is wrong; -ENOMEM. */
int hf_persona_parse(const char *text, size_t len, const char *name,
		     const struct hf_map_options *opt, struct hf_persona **out, struct hf_diags *d);
/* The same from a file, with what it includes. @instance may be NULL. */
int hf_persona_load(const char *path, const char *instance, struct hf_persona **out,
		    struct hf_diags *d);
/*
 * A map that shows the device as it is, with every read-only bit written down; what a
 * guest has no use for is dropped. Notes say what was left out.
 */
int hf_persona_derive(const struct hf_cfg *c, struct hf_persona **out, struct hf_diags *d);
/*
 * The canonical text: inheritance and includes resolved. Parsing it gives an equal persona.
 * Return: from malloc(), or NULL without memory.
 */
char *hf_persona_print(const struct hf_persona *p);
bool hf_persona_equal(const struct hf_persona *a, const struct hf_persona *b);
const char *hf_persona_name(const struct hf_persona *p);
unsigned int hf_persona_version(const struct hf_persona *p);
void hf_persona_free(struct hf_persona *p);

/*
 * Can @c be this persona? Return: 0 if so, -EOPNOTSUPP and one error for each thing that
 * cannot be honoured, -ENOMEM.
 */
int hf_persona_check(const struct hf_persona *p, const struct hf_cfg *c, struct hf_diags *d);

/* Views. */

struct hf_view;

/*
 * How a view reaches the device: offsets are physical, naturally aligned, sizes 1, 2 or 4.
 * write: @value is complete and goes to the device as it is; @mask are the bits that come
 * from the guest, the others are what the device holds already, or 0 if a 1 would clear
 * them. Return: 0 or -errno, which the access returns.
 */
struct hf_phys {
	int (*read)(void *ctx, uint16_t offset, uint8_t size, uint32_t *value);
	int (*write)(void *ctx, uint16_t offset, uint8_t size, uint32_t value, uint32_t mask);
	void *ctx;
};

/* Return: as hf_persona_check(). */
int hf_view_new(const struct hf_persona *p, const struct hf_cfg *c, struct hf_view **out,
		struct hf_diags *d);
void hf_view_free(struct hf_view *v);

/*
 * One access of the guest: @size 1, 2 or 4 at any alignment. They do not allocate, lock or
 * sleep but for what @hw does; accesses to one view must not run at the same time.
 * Outside config space a read gives all ones and a write does nothing, as on a bus.
 * Return: 0; -EINVAL for another size; what @hw returned, and then *@value is all ones,
 * or what the guest wrote to virtual bits holds all the same.
 */
int hf_view_read(const struct hf_view *v, const struct hf_phys *hw, uint16_t offset, uint8_t size,
		 uint32_t *value);
int hf_view_write(struct hf_view *v, const struct hf_phys *hw, uint16_t offset, uint8_t size,
		  uint32_t value);

/* HF_CFG_SIZE if the persona has no PCI Express capability, else HF_CFG_EXP_SIZE. */
size_t hf_view_size(const struct hf_view *v);
/*
 * 4096 bytes, which belong to the view: virtual bits as they are now, bits of the device
 * as they were when the view was made.
 */
const uint8_t *hf_view_image(const struct hf_view *v);
/* Bytes of BAR @n (0..5, HF_CFG_ROM), 0 if the guest has none. */
uint64_t hf_view_bar_size(const struct hf_view *v, unsigned int n);
/*
 * Where the guest has the @index-th capability @id. *@phys, if wanted: where the device
 * has it, 0 if it is synthesised. Return: the offset, 0 if there is none.
 */
uint16_t hf_view_cap(const struct hf_view *v, bool ext, uint16_t id, unsigned int index,
		     uint16_t *phys);

/*
 * One register of a view, and the bits of it that are treated alike; others are hidden.
 * A bit is at most in one of the masks. rw1c is across them: bits that a 1 clears.
 */
struct hf_view_reg {
	uint16_t offset;
	uint16_t phys; /* of the device, HF_NO_PHYS if no bit of it is the device's */
	uint8_t width;
	uint32_t value; /* of the image */
	uint32_t ro, live, virt, pass, rw1c;
	char name[48];
};

#define HF_NO_PHYS 0xffff

/* The first register at or behind @offset. Return: false if there is none. */
bool hf_view_next(const struct hf_view *v, uint16_t offset, struct hf_view_reg *r);

/*
 * The state of a view is all that the guest wrote to virtual bits. It crosses the update
 * together with what the guest saw, so that hf_view_restore() can tell whether the new
 * view is the same to the guest.
 * save: Return: bytes needed; they were written if @size is enough.
 * restore: Return: 0; -EBADMSG if it is no state or a damaged one; -ESTALE if the guest would
 * see another device, with one error for each register. The view is then as before.
 */
size_t hf_view_save(const struct hf_view *v, void *buf, size_t size);
int hf_view_restore(struct hf_view *v, const void *buf, size_t len, struct hf_diags *d);

/* Comparing. */

enum hf_change_kind {
	HF_CHANGE_FIXED, /* a bit the guest takes for granted */
	HF_CHANGE_STATE, /* a bit that reads what the device holds at the moment */
	HF_CHANGE_LAYOUT, /* a capability or a BAR that is there, or elsewhere; bits is 0 */
};

/* What the guest could see change: the register, and the bits that differ. */
struct hf_change {
	enum hf_change_kind kind;
	uint16_t offset; /* in the guest's config space, before */
	uint8_t width;
	uint32_t before, after, bits;
	char reg[48];
	char text[120];
};

struct hf_changes;

/*
 * Two config spaces of one device, or of two, through one persona: a list that is empty
 * if the guest can see no change. *@out is the caller's.
 * Return: as hf_persona_check(), where @d says what cannot be honoured, and on which.
 */
int hf_persona_compare(const struct hf_persona *p, const struct hf_cfg *before,
		       const struct hf_cfg *after, struct hf_changes **out, struct hf_diags *d);
/* The same without a persona, as a guest would see them by default. */
int hf_cfg_compare(const struct hf_cfg *before, const struct hf_cfg *after, struct hf_changes **out,
		   struct hf_diags *d);
size_t hf_changes_count(const struct hf_changes *c);
/* How many are not HF_CHANGE_STATE. */
size_t hf_changes_noticed(const struct hf_changes *c);
const struct hf_change *hf_changes_get(const struct hf_changes *c, size_t i);
void hf_changes_free(struct hf_changes *c);

#ifdef __cplusplus
}
#endif

#endif
