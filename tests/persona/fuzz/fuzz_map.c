// SPDX-License-Identifier: GPL-2.0
/*
 * The map parser. What it refuses it refuses with one error that has a place; what it takes
 * comes back equal from its own text; and what a device can be has lists of
 * capabilities that a stranger can walk.
 */
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "require.h"

static const char base[] = "persona-map 1\npersona \"base\" version 2\nbar 0 keep size 64K\n"
			   "cap pm at 0x48 from device { register pmc = 3 }\n"
			   "instance \"small\" { cap pm drop }\n";
static struct hf_cfg *device;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	device = load_dump("nic-fw-b");
	require(device);
	return 0;
}

static int read_base(void *ctx, const char *path, char **text, size_t *len)
{
	(void)ctx;
	(void)path;
	*len = sizeof(base) - 1;
	*text = strdup(base);
	return *text ? 0 : -1;
}

static void roundtrip(const struct hf_persona *p, struct hf_diags *d)
{
	char *text = hf_persona_print(p), *again;
	struct hf_persona *q = NULL;

	require(text);
	require(!hf_persona_parse(text, strlen(text), "printed", NULL, &q, d));
	require(hf_persona_equal(p, q));
	again = hf_persona_print(q);
	require(again && !strcmp(text, again));
	hf_persona_free(q);
	free(again);
	free(text);
}

static void make(const struct hf_persona *p, struct hf_diags *d)
{
	size_t before = hf_diags_errors(d);
	struct hf_view *v = NULL;
	struct hf_persona *q = NULL;
	struct hf_cfg *c = NULL;

	if (hf_view_new(p, device, &v, d)) {
		require(hf_diags_errors(d) > before);
		return;
	}
	require(hf_diags_errors(d) == before);
	require(!hf_cfg_from_bytes(hf_view_image(v), hf_view_size(v), "view", &c, d));
	/* Refused if the lists are broken. */
	require(!hf_persona_derive(c, &q, d));
	hf_persona_free(q);
	hf_cfg_free(c);
	hf_view_free(v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hf_map_options opt = { .read = read_base, .instance = len & 1 ? "small" : NULL };
	struct hf_diags *d = hf_diags_new();
	struct hf_persona *p = NULL;
	const struct hf_diag *g;

	if (hf_persona_parse((const char *)data, len, "fuzz", &opt, &p, d)) {
		require(hf_diags_errors(d) == 1);
		g = hf_diags_get(d, 0);
		require(g->line && g->column && g->file[0] && g->text[0]);
	} else {
		require(!hf_diags_count(d));
		roundtrip(p, d);
		make(p, d);
	}
	hf_persona_free(p);
	hf_diags_free(d);
	return 0;
}
