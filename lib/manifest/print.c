// SPDX-License-Identifier: LGPL-2.1-or-later
/* The manifest as JSON. Field names and meanings are those of struct hf_manifest. */
#include <holdfast/manifest.h>

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/persona.h>
#include <holdfast/util.h>

/*
 * Without memory json-c gives NULL, which is added as null. Nothing here looks at
 * it: whoever prints a manifest parses it once more before trusting it.
 */
static void add_u64(struct json_object *o, const char *key, uint64_t v)
{
	json_object_object_add(o, key, json_object_new_uint64(v));
}

static void add_bool(struct json_object *o, const char *key, bool v)
{
	json_object_object_add(o, key, json_object_new_boolean(v));
}

static void add_str(struct json_object *o, const char *key, const char *s)
{
	json_object_object_add(o, key, json_object_new_string(s ? s : ""));
}

static void add_strv(struct json_object *o, const char *key, char *const *v)
{
	struct json_object *a = json_object_new_array();

	for (size_t i = 0; v && v[i]; i++)
		json_object_array_add(a, json_object_new_string(v[i]));
	json_object_object_add(o, key, a);
}

static struct json_object *print_fd(const struct hf_fd *f)
{
	struct json_object *o = json_object_new_object();

	add_u64(o, "fd", (uint64_t)f->fd);
	add_str(o, "kind", hf_kind_name(f->kind));
	add_u64(o, "flags", f->flags);
	if (f->same_as >= 0) {
		add_u64(o, "same_as", (uint64_t)f->same_as);
		return o;
	}
	switch (f->kind) {
	case HF_KIND_MEMFD:
	case HF_KIND_VFIO:
		add_u64(o, "token", f->token);
		break;
	case HF_KIND_EVENTFD:
		add_u64(o, "count", f->count);
		add_bool(o, "semaphore", f->semaphore);
		break;
	default:
		break;
	}
	return o;
}

static struct json_object *print_irq(const struct hf_irq *q)
{
	struct json_object *o = json_object_new_object();

	add_u64(o, "index", q->index);
	add_u64(o, "vector", q->vector);
	add_u64(o, "action", q->action);
	add_u64(o, "fd", (uint64_t)q->fd);
	return o;
}

static void add_hex(struct json_object *o, const char *key, const uint8_t *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	char text[2 * HF_CFG_EXP_SIZE];

	for (size_t i = 0; i < len; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	json_object_object_add(o, key, json_object_new_string_len(text, (int)(2 * len)));
}

static struct json_object *print_device(const struct hf_device *d)
{
	struct json_object *o = json_object_new_object(), *irqs = json_object_new_array();

	add_u64(o, "fd", (uint64_t)d->fd);
	add_u64(o, "iommufd", (uint64_t)d->iommufd);
	add_str(o, "bdf", d->bdf);
	add_u64(o, "dev_id", d->dev_id);
	add_u64(o, "ioas_id", d->ioas_id);
	add_u64(o, "hwpt_id", d->hwpt_id);
	add_u64(o, "hwpt_flags", d->hwpt_flags);
	add_bool(o, "auto_domain", d->auto_domain);
	for (size_t i = 0; i < d->nirqs; i++)
		json_object_array_add(irqs, print_irq(&d->irqs[i]));
	json_object_object_add(o, "irqs", irqs);
	if (d->config_len)
		add_hex(o, "config", d->config, d->config_len);
	if (d->persona)
		add_str(o, "persona", d->persona);
	return o;
}

static struct json_object *print_map(const struct hf_map *p)
{
	struct json_object *o = json_object_new_object();

	add_u64(o, "fd", (uint64_t)p->fd);
	add_u64(o, "iova", p->iova);
	add_u64(o, "length", p->length);
	add_u64(o, "offset", p->offset);
	add_bool(o, "read", p->read);
	add_bool(o, "write", p->write);
	add_bool(o, "mmio", p->mmio);
	return o;
}

static struct json_object *print_space(const struct hf_space *s)
{
	struct json_object *o = json_object_new_object(), *maps = json_object_new_array();

	add_u64(o, "iommufd", (uint64_t)s->iommufd);
	add_u64(o, "ioas_id", s->ioas_id);
	add_bool(o, "small_pages", s->small_pages);
	for (size_t i = 0; i < s->nmaps; i++)
		json_object_array_add(maps, print_map(&s->maps[i]));
	json_object_object_add(o, "maps", maps);
	return o;
}

static struct json_object *print_all(const struct hf_manifest *m)
{
	struct json_object *o = json_object_new_object();
	struct json_object *fds = json_object_new_array();
	struct json_object *devices = json_object_new_array();
	struct json_object *spaces = json_object_new_array();

	add_u64(o, "version", HF_MANIFEST_VERSION);
	add_str(o, "name", m->name);
	add_strv(o, "argv", m->argv);
	add_strv(o, "env", m->env);
	add_str(o, "cwd", m->cwd);
	add_u64(o, "umask", m->umask);
	add_str(o, "state_path", m->state_path);
	add_u64(o, "saved_at_us", m->saved_at_us);
	for (size_t i = 0; i < m->nfds; i++)
		json_object_array_add(fds, print_fd(&m->fds[i]));
	for (size_t i = 0; i < m->ndevices; i++)
		json_object_array_add(devices, print_device(&m->devices[i]));
	for (size_t i = 0; i < m->nspaces; i++)
		json_object_array_add(spaces, print_space(&m->spaces[i]));
	json_object_object_add(o, "fds", fds);
	json_object_object_add(o, "devices", devices);
	json_object_object_add(o, "spaces", spaces);
	json_object_object_add(o, "times_ms", hf_times_json(&m->times));
	return o;
}

int hf_manifest_print(const struct hf_manifest *m, char **text, size_t *len, struct hf_error *e)
{
	struct json_object *o = print_all(m);
	const char *s;

	s = json_object_to_json_string_length(
		o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, len);
	*text = s ? hf_strdup(s, e) : NULL;
	json_object_put(o);
	if (!*text)
		return hf_fail_text(e, ENOMEM, "no memory to write the manifest");
	return 0;
}
