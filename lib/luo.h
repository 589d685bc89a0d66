/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sessions of any name. */
#ifndef HF_LUO_H
#define HF_LUO_H

#include <holdfast/luo.h>

/* Open /dev/liveupdate, which only one can. Return: fd, close-on-exec, or -errno. */
int hf_luo_open(struct hf_error *e);

/* On what hf_luo_open() has opened. Return: fd, close-on-exec, or -errno of the kernel. */
int hf_luo_create_session(int luo, const char *name, struct hf_error *e);
int hf_luo_retrieve_session(int luo, const char *name, struct hf_error *e);

#endif
