// SPDX-License-Identifier: LGPL-2.1-or-later
/* Config space of the devices of a VM, before and after the update. */
#include <holdfast/config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/vfio.h>

#include <holdfast/persona.h>
#include <holdfast/util.h>
#include <holdfast/vfio.h>

/* *@len is 0, and *@bytes NULL, if there is no config space of a usual size. */
static int read_config(const struct hf_device *d, uint8_t **bytes, size_t *len, struct hf_error *e)
{
	struct vfio_region_info info;
	char name[64];
	int err;

	*bytes = NULL;
	*len = 0;
	err = hf_vfio_region(d, VFIO_PCI_CONFIG_REGION_INDEX, &info, e);
	if (err || (info.size != HF_CFG_SIZE && info.size != HF_CFG_EXP_SIZE))
		return err;
	*bytes = hf_calloc(info.size, 1, e);
	if (!*bytes)
		return -ENOMEM;
	/* A read may end early, at the end of a capability. */
	for (size_t at = 0; at < info.size;) {
		ssize_t n = pread(d->fd, *bytes + at, info.size - at, (off_t)(info.offset + at));

		if (n <= 0) {
			free(*bytes);
			*bytes = NULL;
			return hf_fail_errno(e, n ? errno : EIO, "%s: read config space at 0x%zx",
					     hf_device_name(d, name, sizeof(name)), at);
		}
		at += (size_t)n;
	}
	*len = info.size;
	return 0;
}

int hf_devices_read(struct hf_manifest *m, struct hf_error *e)
{
	int err = 0;

	for (size_t i = 0; i < m->ndevices && !err; i++)
		err = read_config(&m->devices[i], &m->devices[i].config, &m->devices[i].config_len,
				  e);
	return err;
}

/* What went wrong first, in one line. */
static int fail_diags(struct hf_error *e, int err, const char *name, struct hf_diags *d)
{
	char line[700];

	for (size_t i = 0; d && i < hf_diags_count(d); i++) {
		const struct hf_diag *one = hf_diags_get(d, i);

		if (one->severity != HF_ERROR)
			continue;
		hf_diag_format(one, line, sizeof(line));
		return hf_fail_text(e, -err, "%s: %s", name, line);
	}
	return hf_fail_errno(e, -err, "%s: its persona", name);
}

/* What BARs there are config space does not tell; vfio does. */
static int set_bars(const struct hf_device *d, struct hf_cfg *cfg, struct hf_error *e)
{
	const uint8_t *bytes = hf_cfg_bytes(cfg, &(size_t){ 0 });

	for (unsigned int n = 0; n < 6; n++) {
		const uint8_t bar = bytes[0x10 + 4 * n];
		enum hf_bar_type type = HF_BAR_MEM32;
		struct vfio_region_info info;
		int err = hf_vfio_region(d, VFIO_PCI_BAR0_REGION_INDEX + n, &info, e);

		if (err)
			return err;
		if (!info.size)
			type = HF_BAR_NONE;
		else if (bar & 1)
			type = HF_BAR_IO;
		else if ((bar & 6) == 4)
			type = HF_BAR_MEM64;
		err = hf_cfg_set_bar(cfg, n, type, !(bar & 1) && (bar & 8), info.size);
		if (err)
			return hf_fail_errno(e, -err, "BAR %u", n);
		if (type == HF_BAR_MEM64)
			n++;
	}
	return 0;
}

/* vfio fills the IDs of a VF in, so config space does not tell that it is one. */
static void set_vf(const struct hf_device *d, struct hf_cfg *cfg)
{
	const uint8_t *b = hf_cfg_bytes(cfg, &(size_t){ 0 });
	char path[64], pf[64];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/physfn", d->bdf);
	if (d->bdf[0] && !hf_link_name(path, pf, sizeof(pf)))
		hf_cfg_set_vf(cfg, b[0] | b[1] << 8, b[2] | b[3] << 8);
}

static int make_cfg(const struct hf_device *d, const uint8_t *bytes, size_t len, const char *what,
		    struct hf_cfg **cfg, struct hf_diags *diags, struct hf_error *e)
{
	char name[64];
	int err = hf_cfg_from_bytes(bytes, len, what, cfg, diags);

	if (err)
		return fail_diags(e, err, hf_device_name(d, name, sizeof(name)), diags);
	set_vf(d, *cfg);
	return set_bars(d, *cfg, e);
}

static int give_persona(struct hf_device *d, const struct hf_persona *p, struct hf_error *e)
{
	struct hf_diags *diags = hf_diags_new();
	struct hf_cfg *cfg = NULL;
	char name[64];
	int err;

	hf_device_name(d, name, sizeof(name));
	if (!d->config_len)
		err = hf_fail_text(e, EOPNOTSUPP, "%s: its config space cannot be read", name);
	else
		err = make_cfg(d, d->config, d->config_len, name, &cfg, diags, e);
	if (!err) {
		err = hf_persona_check(p, cfg, diags);
		if (err)
			fail_diags(e, err, name, diags);
	}
	if (!err) {
		free(d->persona);
		d->persona = hf_persona_print(p);
		if (!d->persona)
			err = hf_fail_text(e, ENOMEM, "out of memory");
	}
	hf_cfg_free(cfg);
	hf_diags_free(diags);
	return err;
}

int hf_devices_persona(struct hf_manifest *m, const char *path, struct hf_error *e)
{
	struct hf_diags *diags = hf_diags_new();
	const char *equals = strchr(path, '=');
	struct hf_persona *p = NULL;
	char bdf[32] = "";
	size_t given = 0;
	int err;

	if (equals && (size_t)(equals - path) < sizeof(bdf)) {
		memcpy(bdf, path, (size_t)(equals - path));
		if (hf_cfg_is_bdf(bdf))
			path = equals + 1;
		else
			*bdf = 0;
	}
	err = hf_persona_load(path, NULL, &p, diags);
	if (err)
		fail_diags(e, err, path, diags);
	for (size_t i = 0; i < m->ndevices && !err; i++) {
		if (*bdf && !hf_cfg_same_bdf(bdf, m->devices[i].bdf))
			continue;
		given++;
		err = give_persona(&m->devices[i], p, e);
	}
	if (!err && !given)
		err = hf_fail_text(e, ENODEV, "the VM has no device %s for persona %s", bdf, path);
	hf_persona_free(p);
	hf_diags_free(diags);
	return err;
}

/* An object about a device. */
static struct json_object *about(const struct hf_device *d)
{
	struct json_object *o = json_object_new_object();
	char name[64];

	hf_device_name(d, name, sizeof(name));
	json_object_object_add(o, "device", json_object_new_string(d->bdf[0] ? d->bdf : name));
	return o;
}

static void add_change(struct json_object *list, const struct hf_device *d,
		       const struct hf_change *c)
{
	struct json_object *o = about(d);

	json_object_object_add(o, "register", json_object_new_string(c->reg));
	json_object_object_add(o, "offset", json_object_new_int(c->offset));
	json_object_object_add(o, "before", json_object_new_uint64(c->before));
	json_object_object_add(o, "after", json_object_new_uint64(c->after));
	json_object_object_add(o, "bits", json_object_new_uint64(c->bits));
	json_object_object_add(o, "noticed", json_object_new_boolean(c->kind != HF_CHANGE_STATE));
	json_object_object_add(o, "text", json_object_new_string(c->text));
	json_object_array_add(list, o);
}

/* Through the persona, if there is one. */
static int compare_through(const struct hf_persona *p, const struct hf_cfg *before,
			   const struct hf_cfg *after, struct hf_changes **changes,
			   struct hf_diags *diags)
{
	return p ? hf_persona_compare(p, before, after, changes, diags)
		 : hf_cfg_compare(before, after, changes, diags);
}

/* Return: -EOPNOTSUPP: what it was before it cannot be any more. */
static int compare(const struct hf_device *d, const struct hf_cfg *before,
		   const struct hf_cfg *after, struct hf_changes **changes, struct hf_diags *diags,
		   struct hf_error *e)
{
	struct hf_changes *none = NULL;
	struct hf_persona *p = NULL;
	char name[64];
	int err = 0;

	if (d->persona)
		err = hf_persona_parse(d->persona, strlen(d->persona), "persona", NULL, &p, diags);
	if (!err)
		err = compare_through(p, before, after, changes, diags);
	if (err)
		fail_diags(e, err, hf_device_name(d, name, sizeof(name)), diags);
	if (err == -EOPNOTSUPP && compare_through(p, before, before, &none, diags))
		err = -EINVAL;
	hf_changes_free(none);
	hf_persona_free(p);
	return err;
}

static int compare_device(const struct hf_device *d, struct hf_changes **changes,
			  struct hf_error *e)
{
	struct hf_diags *diags = hf_diags_new();
	struct hf_cfg *before = NULL, *after = NULL;
	uint8_t *now = NULL;
	char name[64];
	size_t len = 0;
	int err;

	if (!d->config_len)
		err = hf_fail_text(e, ENODATA,
				   "%s: its config space was not read before the update",
				   hf_device_name(d, name, sizeof(name)));
	else
		err = read_config(d, &now, &len, e);
	if (!err && !len)
		err = hf_fail_text(e, ENODATA, "%s: it has no config space to be read",
				   hf_device_name(d, name, sizeof(name)));
	if (!err)
		err = make_cfg(d, d->config, d->config_len, "before", &before, diags, e);
	if (!err)
		err = make_cfg(d, now, len, "after", &after, diags, e);
	if (!err)
		err = compare(d, before, after, changes, diags, e);
	hf_cfg_free(before);
	hf_cfg_free(after);
	hf_diags_free(diags);
	free(now);
	return err;
}

static void add_failure(struct json_object *list, const struct hf_device *d, int err,
			const struct hf_error *e)
{
	struct json_object *o = about(d);

	json_object_object_add(o, "noticed", json_object_new_boolean(err == -EOPNOTSUPP));
	json_object_object_add(o, "reason", json_object_new_string(e->text));
	json_object_array_add(list, o);
}

struct json_object *hf_devices_compare(const struct hf_manifest *m, size_t *noticed,
				       size_t *unknown)
{
	struct json_object *result = json_object_new_object();
	struct json_object *list = json_object_new_array(), *failed = json_object_new_array();

	*noticed = 0;
	*unknown = 0;
	json_object_object_add(result, "changes", list);
	json_object_object_add(result, "failed", failed);
	for (size_t i = 0; i < m->ndevices; i++) {
		struct hf_changes *changes = NULL;
		struct hf_error e;
		int err = compare_device(&m->devices[i], &changes, &e);

		if (err)
			add_failure(failed, &m->devices[i], err, &e);
		*noticed += err ? err == -EOPNOTSUPP : hf_changes_noticed(changes);
		*unknown += err && err != -EOPNOTSUPP;
		for (size_t k = 0; !err && k < hf_changes_count(changes); k++)
			add_change(list, &m->devices[i], hf_changes_get(changes, k));
		hf_changes_free(changes);
	}
	return result;
}
