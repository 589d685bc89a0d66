/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How rows of the capability table are written. */
#ifndef HF_PERSONA_CAPS_MACROS_H
#define HF_PERSONA_CAPS_MACROS_H

#include "caps.h"

#include <linux/pci_regs.h>

/* Versions of clang-format differ about initialisers in macros. */
/* clang-format off */

/* REGISTER at OFFSET, WIDTH bytes: field NAME, MASK, access, treatment, promise, more. */
#define F(r, o, w, n, m, acc, tr, pr, ...)                                                    \
	{                                                                                     \
		.reg = (r), .off = (o), .width = (w), .name = (n), .mask = (m),               \
		.access = HF_ACC_##acc, .treat = HF_T_##tr, .promise = HF_P_##pr, __VA_ARGS__ \
	}

#define LINK   .when = HF_W_LINK
#define V2     .when = HF_W_V2
#define V2LINK .when = HF_W_V2LINK
#define VFH    .flags = HF_F_VF_HIDE
#define VFV    .flags = HF_F_VF_VIRT
#define STATE  .flags = HF_F_STATE

#define CAP(i, n, t, s, l, f, ...)                                                            \
	{                                                                                     \
		.id = (i), .name = (n), .title = (t), .spec = (s), .len = (l), .fields = (f), \
		.nfields = sizeof(f) / sizeof((f)[0]), __VA_ARGS__                            \
	}
#define OPAQUE(i, n, t, s, l, ...)                                                             \
	{                                                                                      \
		.id = (i), .name = (n), .title = (t), .spec = (s), .len = (l), .opaque = true, \
		__VA_ARGS__                                                                    \
	}
#define EXT .ext = true

/* clang-format on */

#endif
