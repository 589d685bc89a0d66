// SPDX-License-Identifier: LGPL-2.1-or-later
/* What a guest could see change between two views. */
#include "internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/pci_regs.h>

struct hf_changes {
	struct hf_change *change;
	size_t n, noticed;
	int err; /* -ENOMEM: the list is not complete */
	struct hf_change lost; /* what there was no memory for */
};

static struct hf_change *add(struct hf_changes *l, enum hf_change_kind kind, uint16_t off,
			     const char *reg)
{
	struct hf_change *more = realloc(l->change, (l->n + 1) * sizeof(*more));

	if (!more) {
		l->err = -ENOMEM;
		return &l->lost;
	}
	l->change = more;
	more += l->n++;
	memset(more, 0, sizeof(*more));
	more->kind = kind;
	more->offset = off;
	l->noticed += kind != HF_CHANGE_STATE;
	snprintf(more->reg, sizeof(more->reg), "%s", reg);
	return more;
}

static const struct hf_vcap *find(const struct hf_view *v, const struct hf_vcap *like)
{
	for (unsigned int i = 0; i < v->ncaps; i++)
		if (v->caps[i].ext == like->ext && v->caps[i].id == like->id &&
		    v->caps[i].index == like->index)
			return &v->caps[i];
	return NULL;
}

static void cap_title(const struct hf_vcap *c, char *buf, size_t size)
{
	char id[8];

	if (c->index)
		snprintf(buf, size, "%.8s[%u]", hf_cap_name(c->ext, c->id, id), c->index);
	else
		snprintf(buf, size, "%.8s", hf_cap_name(c->ext, c->id, id));
}

static void compare_caps(struct hf_changes *l, const struct hf_view *a, const struct hf_view *b)
{
	struct hf_change *ch;
	char name[24];

	for (unsigned int i = 0; i < a->ncaps; i++) {
		const struct hf_vcap *x = &a->caps[i], *y = find(b, x);

		if (y && x->at == y->at)
			continue;
		cap_title(x, name, sizeof(name));
		ch = add(l, HF_CHANGE_LAYOUT, x->at, name);
		if (y)
			snprintf(ch->text, sizeof(ch->text),
				 "the capability moves from 0x%02x to 0x%02x", x->at, y->at);
		else
			snprintf(ch->text, sizeof(ch->text),
				 "the capability at 0x%02x is no longer there", x->at);
	}
	for (unsigned int i = 0; i < b->ncaps; i++) {
		if (find(a, &b->caps[i]))
			continue;
		cap_title(&b->caps[i], name, sizeof(name));
		ch = add(l, HF_CHANGE_LAYOUT, b->caps[i].at, name);
		snprintf(ch->text, sizeof(ch->text), "a new capability at 0x%02x", b->caps[i].at);
	}
}

static void compare_bars(struct hf_changes *l, const struct hf_view *a, const struct hf_view *b)
{
	for (unsigned int i = 0; i < HF_BARS; i++) {
		struct hf_change *ch;
		char name[16];

		if (a->bar_size[i] == b->bar_size[i])
			continue;
		snprintf(name, sizeof(name), i == HF_CFG_ROM ? "header.rom" : "header.bar%u", i);
		ch = add(l, HF_CHANGE_LAYOUT,
			 i == HF_CFG_ROM ? PCI_ROM_ADDRESS : PCI_BASE_ADDRESS_0 + 4 * i, name);
		snprintf(ch->text, sizeof(ch->text), "from 0x%" PRIx64 " to 0x%" PRIx64 " bytes",
			 a->bar_size[i], b->bar_size[i]);
	}
}

/* Where a lists leads is told by the places of capabilities. */
static uint32_t not_pointers(const struct hf_vcap *c, const struct hf_view_reg *r)
{
	if (c && r->offset == c->at)
		return c->ext ? 0x000fffff : 0x00ff;
	return !c && r->offset == PCI_CAPABILITY_LIST ? 0 : UINT32_MAX;
}

static void one_kind(struct hf_changes *l, enum hf_change_kind kind, const struct hf_view_reg *r,
		     uint32_t after, uint32_t bits)
{
	struct hf_change *ch;

	if (!bits)
		return;
	ch = add(l, kind, r->offset, r->name);
	ch->width = r->width;
	ch->before = r->value;
	ch->after = after;
	ch->bits = bits;
	snprintf(ch->text, sizeof(ch->text), "from 0x%0*x to 0x%0*x", 2 * r->width, r->value,
		 2 * r->width, after);
}

static void compare_regs(struct hf_changes *l, const struct hf_view *a, const struct hf_view *b)
{
	struct hf_view_reg r;

	for (uint16_t off = 0; hf_view_next(a, off, &r); off = r.offset + r.width) {
		const struct hf_vcap *x = hf_view_cap_at(a, r.offset), *y = x ? find(b, x) : NULL;
		uint32_t after, bits, state;
		uint16_t at = r.offset;

		if (x && !y)
			continue;
		if (x)
			at = r.offset - x->at + y->at;
		if (at + r.width > b->size)
			continue;
		after = hf_get(b->image + at, r.width);
		bits = (r.value ^ after) & not_pointers(x, &r);
		state = r.pass | r.live | hf_get(b->hwread + at, r.width);
		one_kind(l, HF_CHANGE_FIXED, &r, after, bits & ~state);
		one_kind(l, HF_CHANGE_STATE, &r, after, bits & state);
	}
}

static int compare_views(const struct hf_view *a, const struct hf_view *b, struct hf_changes **out)
{
	struct hf_changes *l = calloc(1, sizeof(*l));
	int err;

	if (!l)
		return -ENOMEM;
	compare_caps(l, a, b);
	compare_bars(l, a, b);
	compare_regs(l, a, b);
	err = l->err;
	if (err)
		hf_changes_free(l);
	else
		*out = l;
	return err;
}

/* Reasons name places in the map; which device they are about comes behind them. */
static int view_of(const struct hf_persona *p, const struct hf_cfg *c, struct hf_view **out,
		   struct hf_diags *d)
{
	struct hf_loc loc = { .file = c->name };
	int err = hf_view_new(p, c, out, d);

	if (err == -EOPNOTSUPP)
		hf_diag_add(d, HF_ERROR, &loc, NULL, NULL,
			    "cannot be persona \"%s\" version %u, for what is said above", p->name,
			    p->version);
	return err;
}

int hf_persona_compare(const struct hf_persona *p, const struct hf_cfg *before,
		       const struct hf_cfg *after, struct hf_changes **out, struct hf_diags *d)
{
	struct hf_view *a = NULL, *b = NULL;
	int err = view_of(p, before, &a, d);
	int err2 = view_of(p, after, &b, d);

	err = err ?: err2 ?: compare_views(a, b, out);
	hf_view_free(a);
	hf_view_free(b);
	return err;
}

/* A BAR of which either side does not know the size is as large as it can be on both. */
static void even_bars(struct hf_cfg *a, struct hf_cfg *b)
{
	static const uint64_t most[] = { 0, 256, UINT64_C(1) << 31, UINT64_C(1) << 31 };

	for (unsigned int i = 0; i < HF_BARS; i++) {
		struct hf_bar *x = &a->bar[i], *y = &b->bar[i];

		if ((!x->type || x->size) && (!y->type || y->size))
			continue;
		if (x->type)
			x->size = i == HF_CFG_ROM ? 1 << 24 : most[x->type];
		if (y->type)
			y->size = i == HF_CFG_ROM ? 1 << 24 : most[y->type];
	}
}

static int view_of_all(const struct hf_cfg *c, struct hf_view **out, struct hf_diags *d)
{
	struct hf_persona *p = NULL;
	int err = hf_derive(c, true, &p, d) ?: hf_view_new(p, c, out, d);

	hf_persona_free(p);
	return err;
}

int hf_cfg_compare(const struct hf_cfg *before, const struct hf_cfg *after, struct hf_changes **out,
		   struct hf_diags *d)
{
	struct hf_cfg *c = malloc(2 * sizeof(*c));
	struct hf_view *a = NULL, *b = NULL;
	int err;

	if (!c)
		return -ENOMEM;
	c[0] = *before;
	c[1] = *after;
	even_bars(&c[0], &c[1]);
	err = view_of_all(&c[0], &a, d) ?: view_of_all(&c[1], &b, d) ?: compare_views(a, b, out);
	hf_view_free(a);
	hf_view_free(b);
	free(c);
	return err;
}

size_t hf_changes_count(const struct hf_changes *c)
{
	return c->n;
}

size_t hf_changes_noticed(const struct hf_changes *c)
{
	return c->noticed;
}

const struct hf_change *hf_changes_get(const struct hf_changes *c, size_t i)
{
	return i < c->n ? &c->change[i] : NULL;
}

void hf_changes_free(struct hf_changes *c)
{
	if (!c)
		return;
	free(c->change);
	free(c);
}
