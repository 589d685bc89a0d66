// SPDX-License-Identifier: LGPL-2.1-or-later
/* Config space from files and from sysfs. */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"

#define MAX_DUMP (1u << 20)

/* Flags in the third column of the file resource: IORESOURCE_* of <linux/ioport.h>. */
#define RES_IO	     0x00000100
#define RES_PREFETCH 0x00002000
#define RES_MEM_64   0x00100000

static int cannot(struct hf_diags *d, const char *path, int err)
{
	struct hf_loc loc = { .file = path };

	hf_diag_add(d, HF_ERROR, &loc, NULL, NULL, "cannot read it: %s", strerror(-err));
	return err;
}

int hf_cfg_load(const char *path, struct hf_cfg **out, struct hf_diags *d)
{
	char *text;
	size_t len;
	int err = hf_file_read(path, MAX_DUMP, &text, &len);

	if (err)
		return cannot(d, path, err);
	if ((len == 64 || len == HF_CFG_SIZE || len == HF_CFG_EXP_SIZE) && memchr(text, 0, len))
		err = hf_cfg_from_bytes(text, len, path, out, d);
	else
		err = hf_cfg_parse(text, len, path, out, d);
	free(text);
	return err;
}

/* A line for each BAR and then the ROM: first address, last address, flags. */
static void read_resources(struct hf_cfg *c, const char *text)
{
	uint64_t start, last, flags;
	enum hf_bar_type type;

	for (unsigned int i = 0; i < HF_BARS && text; i++) {
		if (sscanf(text, "%" SCNx64 " %" SCNx64 " %" SCNx64, &start, &last, &flags) != 3)
			return;
		type = flags & RES_IO	    ? HF_BAR_IO
		       : flags & RES_MEM_64 ? HF_BAR_MEM64
					    : HF_BAR_MEM32;
		if (flags)
			hf_cfg_set_bar(c, i, type, flags & RES_PREFETCH, last - start + 1);
		else if (!c->bar[i].upper)
			hf_cfg_set_bar(c, i, HF_BAR_NONE, false, 0);
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
}

int hf_cfg_load_bdf(const char *sysfs, const char *bdf, struct hf_cfg **out, struct hf_diags *d)
{
	bool domain = strchr(bdf, ':') != strrchr(bdf, ':');
	char path[PATH_MAX], *text;
	size_t len;
	int err;

	snprintf(path, sizeof(path), "%s/bus/pci/devices/%s%s/config", sysfs,
		 domain ? "" : "0000:", bdf);
	err = hf_file_read(path, HF_CFG_EXP_SIZE, &text, &len);
	if (err)
		return cannot(d, path, err);
	err = hf_cfg_from_bytes(text, len, bdf, out, d);
	free(text);
	if (err)
		return err;
	snprintf(path, sizeof(path), "%s/bus/pci/devices/%s%s/resource", sysfs,
		 domain ? "" : "0000:", bdf);
	if (!hf_file_read(path, MAX_DUMP, &text, &len)) {
		read_resources(*out, text);
		free(text);
	}
	return 0;
}
