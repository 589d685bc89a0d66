// SPDX-License-Identifier: LGPL-2.1-or-later
/* Personas in memory: made, copied, compared, freed. */
#include "internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const hf_ident_names[HF_IDS] = {
	[HF_ID_VENDOR] = "vendor",	 [HF_ID_DEVICE] = "device",
	[HF_ID_SUBVENDOR] = "subvendor", [HF_ID_SUBSYSTEM] = "subsystem",
	[HF_ID_REVISION] = "revision",	 [HF_ID_CLASS] = "class",
};

const uint8_t hf_ident_off[HF_IDS] = { 0x00, 0x02, 0x2c, 0x2e, 0x08, 0x09 };
const uint8_t hf_ident_width[HF_IDS] = { 2, 2, 2, 2, 1, 3 };

struct hf_persona *hf_persona_new(void)
{
	return calloc(1, sizeof(struct hf_persona));
}

void hf_pcap_clear(struct hf_pcap *c)
{
	free(c->body);
	free(c->vpd);
	free(c->rules.rule);
	memset(c, 0, sizeof(*c));
}

void hf_persona_free(struct hf_persona *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->ncaps; i++)
		hf_pcap_clear(&p->caps[i]);
	for (size_t i = 0; i < p->nfiles; i++)
		free(p->files[i]);
	free(p->files);
	free(p->caps);
	free(p->rules.rule);
	free(p->name);
	free(p);
}

const char *hf_persona_name(const struct hf_persona *p)
{
	return p->name;
}

unsigned int hf_persona_version(const struct hf_persona *p)
{
	return p->version;
}

const char *hf_persona_file(struct hf_persona *p, const char *name)
{
	char **more, *copy;

	for (size_t i = 0; i < p->nfiles; i++)
		if (!strcmp(p->files[i], name))
			return p->files[i];
	more = realloc(p->files, (p->nfiles + 1) * sizeof(*more));
	if (!more)
		return NULL;
	p->files = more;
	copy = strdup(name);
	if (copy)
		p->files[p->nfiles++] = copy;
	return copy;
}

struct hf_pcap *hf_persona_cap(const struct hf_persona *p, bool ext, uint16_t id,
			       unsigned int index)
{
	for (size_t i = 0; i < p->ncaps; i++)
		if (p->caps[i].ext == ext && p->caps[i].id == id && p->caps[i].index == index)
			return &p->caps[i];
	return NULL;
}

struct hf_pcap *hf_persona_add_cap(struct hf_persona *p)
{
	struct hf_pcap *more = realloc(p->caps, (p->ncaps + 1) * sizeof(*more));

	if (!more)
		return NULL;
	p->caps = more;
	memset(&more[p->ncaps], 0, sizeof(*more));
	return &more[p->ncaps++];
}

int hf_rules_add(struct hf_rules *r, const struct hf_rule *rule)
{
	size_t room = r->room ? 2 * r->room : 8;
	struct hf_rule *more;

	if (r->n == r->room) {
		more = realloc(r->rule, room * sizeof(*more));
		if (!more)
			return -ENOMEM;
		r->rule = more;
		r->room = room;
	}
	r->rule[r->n++] = *rule;
	return 0;
}

static int copy_bytes(uint8_t **to, const uint8_t *from, size_t n)
{
	*to = NULL;
	if (!n)
		return 0;
	*to = malloc(n);
	if (!*to)
		return -ENOMEM;
	memcpy(*to, from, n);
	return 0;
}

static int copy_rules(struct hf_persona *p, struct hf_rules *to, const struct hf_rules *from)
{
	for (size_t i = 0; i < from->n; i++) {
		struct hf_rule r = from->rule[i];

		r.loc.file = r.loc.file ? hf_persona_file(p, r.loc.file) : NULL;
		if (hf_rules_add(to, &r))
			return -ENOMEM;
	}
	return 0;
}

static int copy_cap(struct hf_persona *p, const struct hf_pcap *from)
{
	struct hf_pcap *to = hf_persona_add_cap(p);

	if (!to)
		return -ENOMEM;
	*to = *from;
	to->body = to->vpd = NULL;
	to->rules = (struct hf_rules){ 0 };
	to->loc.file = from->loc.file ? hf_persona_file(p, from->loc.file) : NULL;
	if (copy_bytes(&to->body, from->body, from->nbody) ||
	    copy_bytes(&to->vpd, from->vpd, from->nvpd))
		return -ENOMEM;
	return copy_rules(p, &to->rules, &from->rules);
}

struct hf_persona *hf_persona_copy(const struct hf_persona *from)
{
	struct hf_persona *p = hf_persona_new();
	int err = 0;

	if (!p)
		return NULL;
	p->version = from->version;
	p->vf = from->vf;
	if (from->name)
		err = (p->name = strdup(from->name)) ? 0 : -ENOMEM;
	for (unsigned int i = 0; i < HF_IDS; i++) {
		p->id[i] = from->id[i];
		if (p->id[i].loc.file)
			p->id[i].loc.file = hf_persona_file(p, p->id[i].loc.file);
	}
	for (unsigned int i = 0; i < HF_BARS; i++) {
		p->bar[i] = from->bar[i];
		if (p->bar[i].loc.file)
			p->bar[i].loc.file = hf_persona_file(p, p->bar[i].loc.file);
	}
	for (size_t i = 0; !err && i < from->ncaps; i++)
		err = copy_cap(p, &from->caps[i]);
	if (!err)
		err = copy_rules(p, &p->rules, &from->rules);
	if (!err)
		return p;
	hf_persona_free(p);
	return NULL;
}

static bool same_rules(const struct hf_rules *a, const struct hf_rules *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		const struct hf_rule *x = &a->rule[i], *y = &b->rule[i];

		if (!x->reg != !y->reg || (x->reg && strcmp(x->reg, y->reg)) || x->off != y->off ||
		    x->width != y->width || x->treat != y->treat || x->has_value != y->has_value ||
		    x->mask != y->mask || x->value != y->value)
			return false;
	}
	return true;
}

static bool same_cap(const struct hf_pcap *a, const struct hf_pcap *b)
{
	return a->ext == b->ext && a->id == b->id && a->index == b->index && a->mode == b->mode &&
	       a->version == b->version && a->at == b->at && a->length == b->length &&
	       a->nbody == b->nbody && a->nvpd == b->nvpd &&
	       (!a->nbody || !memcmp(a->body, b->body, a->nbody)) &&
	       (!a->nvpd || !memcmp(a->vpd, b->vpd, a->nvpd)) && same_rules(&a->rules, &b->rules);
}

bool hf_persona_equal(const struct hf_persona *a, const struct hf_persona *b)
{
	if (strcmp(a->name, b->name) || a->version != b->version || a->vf != b->vf ||
	    a->ncaps != b->ncaps)
		return false;
	for (unsigned int i = 0; i < HF_IDS; i++)
		if (a->id[i].given != b->id[i].given || a->id[i].value != b->id[i].value)
			return false;
	for (unsigned int i = 0; i < HF_BARS; i++)
		if (a->bar[i].mode != b->bar[i].mode || a->bar[i].type != b->bar[i].type ||
		    a->bar[i].prefetch != b->bar[i].prefetch || a->bar[i].size != b->bar[i].size)
			return false;
	for (size_t i = 0; i < a->ncaps; i++)
		if (!same_cap(&a->caps[i], &b->caps[i]))
			return false;
	return same_rules(&a->rules, &b->rules);
}

const char *hf_cap_name(bool ext, uint16_t id, char buf[8])
{
	const struct hf_capdef *def = hf_capdef_by_id(ext, id);

	snprintf(buf, 8, "%s0x%0*x", "", ext ? 4 : 2, id);
	return def ? def->name : buf;
}
