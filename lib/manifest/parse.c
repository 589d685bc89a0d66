// SPDX-License-Identifier: LGPL-2.1-or-later
/* The manifest from JSON: is every field there, and within its bounds? */
#include <holdfast/manifest.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/iommufd.h>
#include <linux/vfio.h>

#include <holdfast/persona.h>
#include <holdfast/util.h>

#include "../persona/bdf.h"
#include "../jread.h"

#define KNOWN_HWPT_FLAGS \
	(IOMMU_HWPT_ALLOC_NEST_PARENT | IOMMU_HWPT_ALLOC_DIRTY_TRACKING | IOMMU_HWPT_ALLOC_PASID)

static int fd_of(struct hf_jread *r, const char *key)
{
	return (int)hf_jr_u32(r, key, 3, HF_FD_LIMIT - 1);
}

static enum hf_kind kind_of(struct hf_jread *r)
{
	const char *name = hf_jr_str(r, "kind");

	for (int k = 0; name && k < HF_KINDS; k++)
		if (!strcmp(name, hf_kind_name(k)))
			return k;
	if (name)
		hf_jr_bad(r, "kind", "\"%.32s\" is none this version knows", name);
	return HF_KIND_MEMFD;
}

static void parse_fd(struct hf_jread *r, struct hf_fd *f)
{
	static const char *const known[] = { "fd",    "kind",  "flags",	    "same_as",
					     "token", "count", "semaphore", NULL };

	hf_jr_known(r, known);
	f->fd = fd_of(r, "fd");
	f->kind = kind_of(r);
	f->flags = hf_jr_u32(r, "flags", 0, INT32_MAX);
	f->same_as = -1;
	if (hf_jr_has(r, "same_as")) {
		f->same_as = fd_of(r, "same_as");
		return;
	}
	switch (f->kind) {
	case HF_KIND_MEMFD:
	case HF_KIND_VFIO:
		f->token = hf_jr_u64(r, "token", 0, HF_TOKEN_STATE - 1);
		break;
	case HF_KIND_EVENTFD:
		f->count = hf_jr_u64(r, "count", 0, UINT64_MAX - 1);
		f->semaphore = hf_jr_bool(r, "semaphore");
		break;
	default:
		break;
	}
}

static void parse_irq(struct hf_jread *r, struct hf_irq *q)
{
	static const char *const known[] = { "index", "vector", "action", "fd", NULL };

	hf_jr_known(r, known);
	q->index = hf_jr_u32(r, "index", 0, VFIO_PCI_NUM_IRQS - 1);
	q->vector = hf_jr_u32(r, "vector", 0, HF_VECTOR_LIMIT - 1);
	q->action = hf_jr_u32(r, "action", 0, UINT32_MAX);
	q->fd = fd_of(r, "fd");
	if (q->action != VFIO_IRQ_SET_ACTION_TRIGGER && q->action != VFIO_IRQ_SET_ACTION_UNMASK)
		hf_jr_bad(r, "action", "0x%x is neither trigger nor unmask", q->action);
	if (q->action == VFIO_IRQ_SET_ACTION_UNMASK && q->index != VFIO_PCI_INTX_IRQ_INDEX)
		hf_jr_bad(r, "action", "only INTx has an eventfd to unmask it");
	if (q->vector && q->index != VFIO_PCI_MSI_IRQ_INDEX && q->index != VFIO_PCI_MSIX_IRQ_INDEX)
		hf_jr_bad(r, "vector", "only MSI and MSI-X have more than one");
}

static void parse_config(struct hf_jread *r, struct hf_device *d)
{
	const char *text = hf_jr_str(r, "config");
	size_t len = text ? strlen(text) / 2 : 0;

	if (!text)
		return;
	if (strlen(text) % 2 || (len != HF_CFG_SIZE && len != HF_CFG_EXP_SIZE)) {
		hf_jr_bad(r, "config", "neither 256 nor 4096 bytes");
		return;
	}
	d->config = hf_calloc(len, 1, r->e);
	if (!d->config) {
		r->err = -ENOMEM;
		return;
	}
	for (size_t i = 0; i < len; i++) {
		int hi = hf_hex_digit(text[2 * i]), lo = hf_hex_digit(text[2 * i + 1]);

		if (hi < 0 || lo < 0) {
			hf_jr_bad(r, "config", "byte 0x%zx is not hexadecimal", i);
			return;
		}
		d->config[i] = (uint8_t)(hi << 4 | lo);
	}
	d->config_len = len;
}

static void parse_persona(struct hf_jread *r, struct hf_device *d)
{
	const char *text = hf_jr_str(r, "persona");

	d->persona = text ? hf_strdup(text, r->e) : NULL;
	if (text && !d->persona)
		r->err = -ENOMEM;
}

static void parse_device(struct hf_jread *r, struct hf_device *d)
{
	static const char *const known[] = { "fd",	"iommufd", "bdf",	 "dev_id",
					     "ioas_id", "hwpt_id", "hwpt_flags", "auto_domain",
					     "irqs",	"config",  "persona",	 NULL };
	const char *bdf = hf_jr_str(r, "bdf");
	size_t n;

	hf_jr_known(r, known);
	if (bdf && strlen(bdf) >= sizeof(d->bdf))
		hf_jr_bad(r, "bdf", "too long");
	else if (bdf)
		strcpy(d->bdf, bdf);
	d->fd = fd_of(r, "fd");
	d->iommufd = fd_of(r, "iommufd");
	d->dev_id = hf_jr_u32(r, "dev_id", 1, HF_ID_LIMIT - 1);
	d->ioas_id = hf_jr_u32(r, "ioas_id", 1, HF_ID_LIMIT - 1);
	d->hwpt_id = hf_jr_u32(r, "hwpt_id", 1, HF_ID_LIMIT - 1);
	d->hwpt_flags = hf_jr_u32(r, "hwpt_flags", 0, UINT32_MAX - 1);
	d->auto_domain = hf_jr_bool(r, "auto_domain");
	if (d->hwpt_flags & ~(uint32_t)KNOWN_HWPT_FLAGS)
		hf_jr_bad(r, "hwpt_flags", "0x%x has flags this version does not know",
			  d->hwpt_flags);
	if (hf_jr_has(r, "config"))
		parse_config(r, d);
	if (hf_jr_has(r, "persona"))
		parse_persona(r, d);
	n = hf_jr_array(r, "irqs");
	for (size_t i = 0; i < n && !r->err; i++) {
		struct hf_irq *q = hf_append(&d->irqs, &d->nirqs, sizeof(*q), r->e);
		struct hf_jread sub = hf_jr_elem(r, "irqs", i);

		if (q)
			parse_irq(&sub, q);
		r->err = q ? sub.err : -ENOMEM;
	}
}

static void parse_map(struct hf_jread *r, struct hf_map *p)
{
	static const char *const known[] = { "fd",   "iova",  "length", "offset",
					     "read", "write", "mmio",	NULL };

	hf_jr_known(r, known);
	p->fd = fd_of(r, "fd");
	p->iova = hf_jr_u64(r, "iova", 0, UINT64_MAX - 1);
	p->length = hf_jr_u64(r, "length", 1, UINT64_MAX - 1);
	p->offset = hf_jr_u64(r, "offset", 0, INT64_MAX);
	p->read = hf_jr_bool(r, "read");
	p->write = hf_jr_bool(r, "write");
	p->mmio = hf_jr_bool(r, "mmio");
	if (p->length - 1 > UINT64_MAX - p->iova)
		hf_jr_bad(r, "length", "goes beyond the last IOVA");
	if (p->length > (uint64_t)INT64_MAX - p->offset)
		hf_jr_bad(r, "offset", "goes beyond the end of any file");
	if (!p->read && !p->write)
		hf_jr_bad(r, "read", "neither readable nor writable");
}

static void parse_space(struct hf_jread *r, struct hf_space *s)
{
	static const char *const known[] = { "iommufd", "ioas_id", "small_pages", "maps", NULL };
	uint64_t last = 0;
	size_t n;

	hf_jr_known(r, known);
	s->iommufd = fd_of(r, "iommufd");
	s->ioas_id = hf_jr_u32(r, "ioas_id", 1, HF_ID_LIMIT - 1);
	s->small_pages = hf_jr_bool(r, "small_pages");
	n = hf_jr_array(r, "maps");
	for (size_t i = 0; i < n && !r->err; i++) {
		struct hf_map *p = hf_append(&s->maps, &s->nmaps, sizeof(*p), r->e);
		struct hf_jread sub = hf_jr_elem(r, "maps", i);

		if (p)
			parse_map(&sub, p);
		if (p && !sub.err && i && p->iova <= last)
			hf_jr_bad(&sub, "iova", "not above the mapping before it");
		if (p && !sub.err)
			last = p->iova + (p->length - 1);
		r->err = p ? sub.err : -ENOMEM;
	}
}

/* One list of objects: @parse of each into an element of the array. */
#define PARSE_LIST(r, key, array, count, parse)                                                \
	do {                                                                                   \
		size_t n_ = hf_jr_array(r, key);                                               \
                                                                                               \
		for (size_t i_ = 0; i_ < n_ && !(r)->err; i_++) {                              \
			void *elem_ = hf_append(&(array), &(count), sizeof(*(array)), (r)->e); \
			struct hf_jread sub_ = hf_jr_elem(r, key, i_);                         \
                                                                                               \
			if (elem_)                                                             \
				parse(&sub_, elem_);                                           \
			(r)->err = elem_ ? sub_.err : -ENOMEM;                                 \
		}                                                                              \
	} while (0)

static char *copy_str(struct hf_jread *r, const char *key)
{
	const char *s = hf_jr_str(r, key);
	char *p = s ? hf_strdup(s, r->e) : NULL;

	if (s && !p)
		r->err = -ENOMEM;
	if (s && !*s)
		hf_jr_bad(r, key, "empty");
	return p;
}

static void parse_all(struct hf_jread *r, struct hf_manifest *m)
{
	static const char *const known[] = { "version", "name",	  "argv",	 "env",
					     "cwd",	"umask",  "state_path",	 "fds",
					     "devices", "spaces", "saved_at_us", "times_ms",
					     NULL };
	const char *name;

	/* First: of another version nothing else can be said. */
	hf_jr_u32(r, "version", HF_MANIFEST_OLDEST, HF_MANIFEST_VERSION);
	hf_jr_known(r, known);
	name = hf_jr_str(r, "name");
	if (name && !hf_name_valid(name))
		hf_jr_bad(r, "name", "not a name of a VM");
	else if (name)
		strcpy(m->name, name);
	m->argv = hf_jr_strv(r, "argv");
	if (m->argv && (!m->argv[0] || !*m->argv[0]))
		hf_jr_bad(r, "argv", "no command");
	m->env = hf_jr_strv(r, "env");
	m->cwd = copy_str(r, "cwd");
	if (m->cwd && *m->cwd != '/')
		hf_jr_bad(r, "cwd", "not absolute");
	m->umask = hf_jr_u32(r, "umask", 0, 0777);
	m->state_path = copy_str(r, "state_path");
	m->saved_at_us = hf_jr_u64(r, "saved_at_us", 0, INT64_MAX);
	PARSE_LIST(r, "fds", m->fds, m->nfds, parse_fd);
	PARSE_LIST(r, "devices", m->devices, m->ndevices, parse_device);
	PARSE_LIST(r, "spaces", m->spaces, m->nspaces, parse_space);
	hf_jr_times(r, &m->times);
}

int hf_manifest_parse(struct hf_manifest *m, const char *text, size_t len, struct hf_error *e)
{
	struct json_tokener *tok;
	struct hf_jread r = { .e = e };
	enum json_tokener_error jerr;

	if (len > HF_MANIFEST_MAX)
		return hf_fail_text(e, EINVAL, "the manifest has more than %u bytes",
				    HF_MANIFEST_MAX);
	tok = json_tokener_new();
	if (!tok)
		return hf_fail_text(e, ENOMEM, "no memory to read the manifest");
	/*
	 * Not JSON_TOKENER_STRICT: that wants UTF-8 in strings from json-c 0.18 on, and
	 * arguments and environment are any bytes. Every field is checked anyway.
	 */
	r.o = json_tokener_parse_ex(tok, text, (int)len);
	jerr = json_tokener_get_error(tok);
	if (jerr == json_tokener_continue)
		r.err = hf_fail_text(e, EINVAL, "the manifest is no JSON: it ends in the middle");
	else if (jerr != json_tokener_success)
		r.err = hf_fail_text(e, EINVAL, "the manifest is no JSON, at byte %zu",
				     json_tokener_get_parse_end(tok));
	else if (json_tokener_get_parse_end(tok) != len)
		r.err = hf_fail_text(e, EINVAL, "the manifest has something behind it, at byte %zu",
				     json_tokener_get_parse_end(tok));
	else if (json_object_get_type(r.o) != json_type_object)
		r.err = hf_fail_text(e, EINVAL, "the manifest is no JSON object");
	if (!r.err)
		parse_all(&r, m);
	json_object_put(r.o);
	json_tokener_free(tok);
	return r.err ? r.err : hf_manifest_check(m, e);
}
