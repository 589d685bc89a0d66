// SPDX-License-Identifier: GPL-2.0
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool proper(struct device *d, uint16_t off, uint8_t size)
{
	if ((size == 1 || size == 2 || size == 4) && off % size == 0 && off + size <= 4096)
		return true;
	d->bad++;
	return false;
}

static int dev_read(void *ctx, uint16_t off, uint8_t size, uint32_t *value)
{
	struct device *d = ctx;

	d->reads++;
	if (d->fail)
		return d->fail;
	*value = 0;
	for (unsigned int i = 0; proper(d, off, size) && i < size; i++)
		*value |= (uint32_t)d->reg[off + i] << 8 * i;
	return 0;
}

static int dev_write(void *ctx, uint16_t off, uint8_t size, uint32_t value, uint32_t mask)
{
	struct device *d = ctx;

	(void)mask;
	d->writes++;
	if (d->fail)
		return d->fail;
	for (unsigned int i = 0; proper(d, off, size) && i < size; i++) {
		uint8_t v = value >> 8 * i, c = d->rw1c[off + i], *r = &d->reg[off + i];

		d->bad += !d->open[off + i];
		*r = ((*r & c & ~v) | (v & ~c)) & ~d->zero[off + i];
	}
	return 0;
}

void device_init(struct device *d, const struct hf_cfg *c)
{
	size_t len;

	memset(d, 0, sizeof(*d));
	memcpy(d->reg, hf_cfg_bytes(c, &len), 4096);
	d->hw = (struct hf_phys){ dev_read, dev_write, d };
}

void device_rw1c(struct device *d, const struct bits *b)
{
	for (; b->width; b++)
		for (unsigned int i = 0; i < b->width; i++)
			d->rw1c[b->phys + i] |= b->mask >> 8 * i;
}

void device_reserve(struct device *d, const struct oracle *o)
{
	for (unsigned int i = 0; i < 4096; i++) {
		uint16_t phys = o->phys[i];
		uint8_t keep;

		if (!o->pass[i])
			continue;
		keep = ~(o->pass[i] | d->rw1c[phys]);
		d->open[phys] = true;
		if (keep)
			d->zero[phys] |= keep & -keep;
		d->reg[phys] &= ~d->zero[phys];
	}
}

void device_scramble(struct device *d, uint32_t seed)
{
	for (unsigned int i = 0; i < 4096; i++) {
		uint32_t r = random32(&seed);

		d->reg[i] = (r >> 8 & ~d->rw1c[i]) | ((r >> 16 | r >> 24) & d->rw1c[i]);
		d->reg[i] &= ~d->zero[i];
	}
}

void oracle_init(struct oracle *o, const struct bits *b)
{
	memset(o, 0, sizeof(*o));
	for (; b->width; b++)
		for (unsigned int i = 0; i < b->width; i++) {
			o->phys[b->guest + i] = b->phys + i;
			o->pass[b->guest + i] |= b->mask >> 8 * i;
		}
}

void oracle_from_view(struct oracle *o, const struct hf_view *v)
{
	struct hf_view_reg r;

	memset(o, 0, sizeof(*o));
	for (uint16_t off = 0; hf_view_next(v, off, &r); off = r.offset + r.width)
		for (unsigned int i = 0; i < r.width; i++) {
			o->phys[r.offset + i] = r.phys + i;
			o->pass[r.offset + i] |= r.pass >> 8 * i;
		}
}

void oracle_write(const struct oracle *o, const struct device *d, uint8_t after[4096], uint16_t off,
		  uint8_t size, uint32_t value)
{
	memcpy(after, d->reg, 4096);
	for (unsigned int i = off; i < off + size && i < 4096; i++) {
		uint8_t v = value >> 8 * (i - off), pass = o->pass[i], c, *r;

		if (!pass)
			continue;
		r = &after[o->phys[i]];
		c = d->rw1c[o->phys[i]];
		*r = (*r & ~(pass & ~c)) | (v & pass & ~c);
		*r &= ~(v & pass & c);
	}
}

static void path_of(char *path, size_t size, const char *folder, const char *name, const char *ext)
{
	const char *src = getenv("PERSONA_SRC");

	snprintf(path, size, "%s/%s/%s.%s", src ? src : "../..", folder, name, ext);
}

static void complain(struct hf_diags *d)
{
	char line[1024];

	for (size_t i = 0; i < hf_diags_count(d); i++) {
		if (hf_diags_get(d, i)->severity != HF_ERROR)
			continue;
		hf_diag_format(hf_diags_get(d, i), line, sizeof(line));
		fprintf(stderr, "%s\n", line);
	}
	hf_diags_free(d);
}

struct hf_cfg *load_dump(const char *name)
{
	struct hf_diags *d = hf_diags_new();
	struct hf_cfg *c = NULL;
	char path[512];

	path_of(path, sizeof(path), "tests/persona/dumps", name, "dump");
	hf_cfg_load(path, &c, d);
	complain(d);
	return c;
}

struct hf_persona *load_map(const char *name, const char *instance)
{
	struct hf_diags *d = hf_diags_new();
	struct hf_persona *p = NULL;
	char path[512];

	path_of(path, sizeof(path), "persona/maps", name, "persona");
	hf_persona_load(path, instance, &p, d);
	complain(d);
	return p;
}

struct hf_view *load_view(const char *map, const char *dump)
{
	struct hf_persona *p = load_map(map, NULL);
	struct hf_cfg *c = load_dump(dump);
	struct hf_diags *d = hf_diags_new();
	struct hf_view *v = NULL;

	if (p && c)
		hf_view_new(p, c, &v, d);
	complain(d);
	hf_persona_free(p);
	hf_cfg_free(c);
	return v;
}
