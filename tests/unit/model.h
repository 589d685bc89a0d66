/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A model of config space, of the guard around it, and of what must never
 * happen to it. It knows its registers by literal offset and shares nothing
 * with the policy table, so that the one can be checked against the other.
 */
#ifndef TESTS_UNIT_MODEL_H
#define TESTS_UNIT_MODEL_H

#include "policy.h"

struct model {
	enum pci_lu_kind kind;
	u8 cfg[4096]; /* what hardware holds */
	u8 ro[4096]; /* bits that cannot be written */
	u8 w1c[4096]; /* bits that are cleared by writing 1 */
	u8 ones[4096]; /* bits that were ever written as 1 */
	u8 start[4096]; /* @cfg when the guard was armed */
	unsigned int writes; /* that reached hardware */
	bool no_guard;
	struct pci_lu_layout layout;
	struct pci_lu_shadow shadow;
	struct pci_lu_verdict last;
};

enum expect_rule {
	EXPECT_KEEP, /* never changes */
	EXPECT_STICKY1, /* never goes from 1 to 0 */
	EXPECT_STICKY0, /* never goes from 0 to 1 */
	EXPECT_ZERO, /* is never written as 1 */
};

struct expect {
	const char *row; /* which row of the policy sees to it */
	u16 pos;
	u8 size;
	u32 bits;
	enum expect_rule rule;
	bool vfs; /* only while VFs are on */
};

/* Flags of model_init(). */
#define MODEL_VFS     0x1 /* VF Enable is set */
#define MODEL_NO_MASK 0x2 /* MSI cannot be masked */

extern const struct expect expect_endpoint[];
extern const struct expect expect_bridge[];
extern const u32 model_bar_mask[7];
extern const u32 model_port_bar_mask[7];
extern const u32 model_vf_bar_mask[6];

void model_init(struct model *m, enum pci_lu_kind kind, unsigned int flags);
void model_arm(struct model *m);
const struct expect *model_expect(const struct model *m);

/* What hardware does. */
u32 model_hw_read(const struct model *m, u16 pos, u8 size);
void model_hw_write(struct model *m, u16 pos, u8 size, u32 val);
void model_set(struct model *m, u16 pos, u8 size, u32 val);
u32 model_layout_read(void *ctx, u16 pos, u8 size);

/* What the kernel does, through the guard. */
u32 model_read(struct model *m, u16 pos, u8 size);
void model_write(struct model *m, u16 pos, u8 size, u32 val);
const char *model_last_row(const struct model *m);

/* The first thing that happened though it must not, or NULL. */
const struct expect *model_violation(const struct model *m);
const char *model_violated_row(const struct model *m);

#endif
