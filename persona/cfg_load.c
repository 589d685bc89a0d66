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

#define MAX_DUMP (16u << 20) /* of a whole host */

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

/* "PATH@BDF", unless there is a file of that name. Return: BDF, NULL if there is none. */
static const char *split(const char *what, char *path, size_t size)
{
	const char *at = strrchr(what, '@');

	snprintf(path, size, "%s", what);
	if (!at || !hf_cfg_is_bdf(at + 1) || !access(what, F_OK) || (size_t)(at - what) >= size)
		return NULL;
	path[at - what] = 0;
	return at + 1;
}

int hf_cfg_load(const char *what, struct hf_cfg **out, struct hf_diags *d)
{
	char path[PATH_MAX], *text;
	const char *bdf = split(what, path, sizeof(path));
	size_t len;
	int err = hf_file_read(path, MAX_DUMP, &text, &len);

	if (err)
		return cannot(d, path, err);
	if (bdf)
		err = hf_cfg_parse_bdf(text, len, path, bdf, out, d);
	else if ((len == 64 || len == HF_CFG_SIZE || len == HF_CFG_EXP_SIZE) &&
		 memchr(text, 0, len))
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

static uint16_t read_id(const char *dir, const char *name)
{
	char path[PATH_MAX + 16], *text;
	unsigned long v;
	size_t len;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (hf_file_read(path, 64, &text, &len))
		return 0;
	v = strtoul(text, NULL, 16);
	free(text);
	return v < 0xffff ? v : 0;
}

int hf_cfg_load_bdf(const char *sysfs, const char *bdf, struct hf_cfg **out, struct hf_diags *d)
{
	bool domain = strchr(bdf, ':') != strrchr(bdf, ':');
	char dir[PATH_MAX], path[PATH_MAX + 16], *text;
	size_t len;
	int err;

	snprintf(dir, sizeof(dir), "%s/bus/pci/devices/%s%s", sysfs, domain ? "" : "0000:", bdf);
	snprintf(path, sizeof(path), "%s/config", dir);
	err = hf_file_read(path, HF_CFG_EXP_SIZE, &text, &len);
	if (err)
		return cannot(d, path, err);
	err = hf_cfg_from_bytes(text, len, bdf, out, d);
	free(text);
	if (err)
		return err;
	snprintf(path, sizeof(path), "%s/resource", dir);
	if (!hf_file_read(path, MAX_DUMP, &text, &len)) {
		read_resources(*out, text);
		free(text);
	}
	snprintf(path, sizeof(path), "%s/physfn", dir);
	if (!access(path, F_OK))
		hf_cfg_set_vf(*out, read_id(dir, "vendor"), read_id(dir, "device"));
	return 0;
}
