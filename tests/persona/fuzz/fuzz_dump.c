// SPDX-License-Identifier: GPL-2.0
/*
 * Dumps: text, or bytes behind one that is no ASCII. A device that can be read differs in nothing from itself; and a
 * map that is derived from it comes back equal from its own text.
 */
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "require.h"

static void same(int err, struct hf_changes *l)
{
	if (!err)
		require(!hf_changes_count(l));
	hf_changes_free(l);
}

/* @what: of several things to ask, so that one input does not take long. */
static void derive(const struct hf_cfg *c, unsigned int what, struct hf_diags *d)
{
	struct hf_persona *p = NULL, *q = NULL;
	struct hf_changes *l = NULL;
	char *text;
	int err;

	if (what == 0) {
		err = hf_cfg_compare(c, c, &l, d);
		same(err, l);
		return;
	}
	if (hf_persona_derive(c, &p, d))
		return;
	text = hf_persona_print(p);
	require(text && !hf_persona_parse(text, strlen(text), "printed", NULL, &q, d));
	require(hf_persona_equal(p, q));
	if (what == 1) {
		err = hf_persona_compare(q, c, c, &l, d);
		same(err, l);
	} else if (what == 2) {
		hf_persona_check(q, c, d);
	}
	hf_persona_free(p);
	hf_persona_free(q);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hf_diags *d = hf_diags_new();
	uint8_t bytes[4096] = { 0 };
	struct hf_cfg *c = NULL;

	if (!hf_cfg_parse((const char *)data, len, "fuzz", &c, d) ||
	    !hf_cfg_parse_bdf((const char *)data, len, "fuzz", "01:00.0", &c, d)) {
		derive(c, len & 3, d);
	} else if (len > 1 && data[0] & 0x80) {
		/* Config space itself, with a header in front that can be one. */
		memcpy(bytes, data + 1, len - 1 < 4096 ? len - 1 : 4096);
		bytes[0x0e] &= 0x80 | (data[0] & 1);
		bytes[0x06] |= 0x10;
		require(!hf_cfg_from_bytes(bytes, data[0] & 2 ? 256 : 4096, "bytes", &c, d));
		derive(c, len & 3, d);
	}
	hf_cfg_free(c);
	hf_diags_free(d);
	return 0;
}
