// SPDX-License-Identifier: GPL-2.0
/* `holdfast persona show` and `render`. */
#include "persona.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* The registers of a view: {"offset", "name", "value", ...}. */
static struct json_object *json_registers(const struct hf_view *v)
{
	struct json_object *list = json_object_new_array();
	struct hf_view_reg r;

	for (uint16_t off = 0; hf_view_next(v, off, &r); off = r.offset + r.width) {
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "offset", json_object_new_int(r.offset));
		json_object_object_add(o, "width", json_object_new_int(r.width));
		json_object_object_add(o, "name", json_object_new_string(r.name));
		json_object_object_add(o, "value", json_object_new_int64(r.value));
		json_object_object_add(o, "ro", json_object_new_int64(r.ro));
		json_object_object_add(o, "live", json_object_new_int64(r.live));
		json_object_object_add(o, "virtual", json_object_new_int64(r.virt));
		json_object_object_add(o, "pass", json_object_new_int64(r.pass));
		json_object_object_add(o, "rw1c", json_object_new_int64(r.rw1c));
		if (r.phys != HF_NO_PHYS)
			json_object_object_add(o, "physical", json_object_new_int(r.phys));
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *json_head(const struct hf_persona *p)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "persona", json_object_new_string(hf_persona_name(p)));
	json_object_object_add(o, "version", json_object_new_int64(hf_persona_version(p)));
	return o;
}

static int show(const struct persona_args *a, const struct hf_cfg *c, struct hf_diags *d)
{
	struct hf_persona *p = NULL;
	int err = hf_persona_derive(c, &p, d);
	struct json_object *o;
	char *text;

	if (err) {
		persona_failed(a, d, NULL);
		return err == -EOPNOTSUPP ? CLI_REFUSED : CLI_FAILED;
	}
	text = hf_persona_print(p);
	if (text && a->json) {
		o = json_head(p);
		json_object_object_add(o, "map", json_object_new_string(text));
		json_object_object_add(o, "notes", persona_json_diags(d, HF_NOTE));
		cli_put_json(o);
	} else if (text) {
		printf("# Derived from %s by holdfast persona show.\n", hf_cfg_name(c));
		for (size_t i = 0; i < hf_diags_count(d); i++) {
			const struct hf_diag *g = hf_diags_get(d, i);

			printf("# %s: %s%s%s\n", g->reg, g->text, g->hint[0] ? ": " : "", g->hint);
		}
		fputs(text, stdout);
	}
	free(text);
	hf_persona_free(p);
	return text ? CLI_OK : CLI_FAILED;
}

int persona_show(const struct persona_args *a)
{
	struct hf_diags *d = hf_diags_new();
	struct hf_cfg *c = d ? persona_device(a, a->arg[0], d) : NULL;
	int ret = CLI_FAILED;

	if (c)
		ret = show(a, c, d);
	else if (d)
		persona_failed(a, d, NULL);
	hf_cfg_free(c);
	hf_diags_free(d);
	return ret;
}

static void put_size(uint64_t size)
{
	static const char units[] = "\0KMGT";
	unsigned int u = 0;

	for (; u < 4 && !(size & 1023); u++)
		size >>= 10;
	printf(" [size=%" PRIu64 "%.1s]\n", size, &units[u]);
}

/* As lspci -vv writes them: the dump alone does not tell sizes. */
static void put_bars(const struct hf_view *v)
{
	const uint8_t *b = hf_view_image(v);

	for (unsigned int i = 0; i < 6; i++) {
		uint8_t low = b[0x10 + 4 * i];

		if (!hf_view_bar_size(v, i))
			continue;
		if (low & 1)
			printf("\tRegion %u: I/O ports at <unassigned>", i);
		else
			printf("\tRegion %u: Memory at <unassigned> (%s-bit, %sprefetchable)", i,
			       low & 4 ? "64" : "32", low & 8 ? "" : "non-");
		put_size(hf_view_bar_size(v, i));
	}
	if (hf_view_bar_size(v, HF_CFG_ROM)) {
		fputs("\tExpansion ROM at <unassigned> [disabled]", stdout);
		put_size(hf_view_bar_size(v, HF_CFG_ROM));
	}
}

static void put_dump(const struct hf_view *v)
{
	const uint8_t *b = hf_view_image(v);

	printf("00:00.0 %02x%02x: %02x%02x:%02x%02x (rev %02x)\n", b[0x0b], b[0x0a], b[1], b[0],
	       b[3], b[2], b[8]);
	put_bars(v);
	for (size_t i = 0; i < hf_view_size(v); i++) {
		if (i % 16 == 0)
			printf("%02zx:", i);
		printf(" %02x%s", b[i], i % 16 == 15 ? "\n" : "");
	}
}

static void put_mask(const char *what, uint32_t bits, unsigned int width)
{
	if (bits)
		printf(" %s %0*x", what, 2 * (int)width, bits);
}

static void put_bits(const struct hf_view *v)
{
	struct hf_view_reg r;

	for (uint16_t off = 0; hf_view_next(v, off, &r); off = r.offset + r.width) {
		printf("%03x/%u %-28s = %0*x", r.offset, r.width, r.name, 2 * r.width, r.value);
		put_mask("ro", r.ro, r.width);
		put_mask("live", r.live, r.width);
		put_mask("virtual", r.virt, r.width);
		put_mask("pass", r.pass, r.width);
		put_mask("rw1c", r.rw1c, r.width);
		if (r.phys != HF_NO_PHYS && r.phys != r.offset)
			printf(" at %03x", r.phys);
		putchar('\n');
	}
}

static void put_json(const struct hf_persona *p, const struct hf_view *v)
{
	struct json_object *o = json_head(p);
	char *hex = malloc(2 * hf_view_size(v) + 1);

	for (size_t i = 0; hex && i < hf_view_size(v); i++)
		snprintf(hex + 2 * i, 3, "%02x", hf_view_image(v)[i]);
	json_object_object_add(o, "image", json_object_new_string(hex ? hex : ""));
	json_object_object_add(o, "registers", json_registers(v));
	cli_put_json(o);
	free(hex);
}

int persona_render(const struct persona_args *a)
{
	struct hf_diags *d = hf_diags_new();
	struct hf_persona *p = NULL;
	struct hf_cfg *c = NULL;
	struct hf_view *v = NULL;
	int ret = CLI_FAILED;

	if (!d)
		return ret;
	if (!hf_persona_load(a->arg[0], a->instance, &p, d))
		c = persona_device(a, a->arg[1], d);
	if (c)
		ret = hf_view_new(p, c, &v, d) ? CLI_REFUSED : CLI_OK;
	if (!v)
		persona_failed(a, d, NULL);
	else
		persona_say(a, d);
	if (v && a->json)
		put_json(p, v);
	else if (v && a->bits)
		put_bits(v);
	else if (v)
		put_dump(v);
	hf_view_free(v);
	hf_cfg_free(c);
	hf_persona_free(p);
	hf_diags_free(d);
	return ret;
}
