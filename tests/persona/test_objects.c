// SPDX-License-Identifier: GPL-2.0
/* The library, call by call: personas, devices, state, comparing. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "tap.h"

static const char *const maps[] = { "nic-pf",	 "nic-vf",     "nvme",	     "nvme-pasid",
				    "gpu-rebar", "virtio-dpu", "msix-moved", "nic-fw" };
static const char *const dumps[] = { "igb",	   "nvme",     "e1000e",   "virtio-net", "gpu",
				     "dpu-virtio", "nic-fw-a", "nic-fw-b", "igbvf",	 "accel" };

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void same_again(const struct hf_persona *p, const char *name)
{
	struct hf_diags *d = hf_diags_new();
	char *text = hf_persona_print(p), *again = NULL;
	struct hf_persona *q = NULL;
	int err = hf_persona_parse(text, strlen(text), name, NULL, &q, d);

	check(!err, "%s: its own text is refused: %s", name,
	      hf_diags_count(d) ? hf_diags_get(d, 0)->text : "");
	if (!err) {
		again = hf_persona_print(q);
		check(hf_persona_equal(p, q), "%s: not the same again", name);
		check(!strcmp(text, again), "%s: not the same text again", name);
	}
	free(text);
	free(again);
	hf_persona_free(q);
	hf_diags_free(d);
}

static void test_roundtrip(void)
{
	struct hf_persona *a, *b;

	for (unsigned int i = 0; i < COUNT(maps); i++) {
		a = load_map(maps[i], NULL);
		check(a, "%s", maps[i]);
		same_again(a, maps[i]);
		hf_persona_free(a);
	}
	a = load_map("nic-pf", NULL);
	b = load_map("nic-pf", "small");
	check(!hf_persona_equal(a, b), "an instance is another persona");
	check(hf_persona_version(a) == 2 && !strcmp(hf_persona_name(a), "nic-pf"),
	      "name and version");
	same_again(b, "small");
	hf_persona_free(a);
	hf_persona_free(b);
}

/* What is derived from a device can be honoured by it, and shows the guest the same registers. */
static void test_derive(void)
{
	for (unsigned int i = 0; i < COUNT(dumps); i++) {
		struct hf_cfg *c = load_dump(dumps[i]);
		struct hf_diags *d = hf_diags_new();
		struct hf_persona *p = NULL;
		struct hf_changes *l = NULL;
		bool vf = !strcmp(dumps[i], "igbvf");

		check(!hf_persona_derive(c, &p, d), "%s", dumps[i]);
		same_again(p, dumps[i]);
		check(hf_persona_check(p, c, d) == (vf ? -EOPNOTSUPP : 0), "%s: check", dumps[i]);
		check(vf || (!hf_persona_compare(p, c, c, &l, d) && !hf_changes_count(l)),
		      "%s: differs from itself", dumps[i]);
		hf_changes_free(l);
		hf_persona_free(p);
		hf_diags_free(d);
		hf_cfg_free(c);
	}
}

/* Another firmware, through the persona that makes them equal, and without. */
static void test_compare(void)
{
	struct hf_cfg *a = load_dump("nic-fw-a"), *b = load_dump("nic-fw-b");
	struct hf_persona *p = load_map("nic-fw", NULL);
	struct hf_diags *d = hf_diags_new();
	struct hf_changes *l = NULL;
	bool ats = false;

	check(!hf_persona_compare(p, a, b, &l, d) && !hf_changes_count(l),
	      "the guest would notice");
	hf_changes_free(l);
	check(!hf_cfg_compare(a, b, &l, d) && hf_changes_noticed(l) > 10,
	      "without a persona it would");
	for (size_t i = 0; i < hf_changes_count(l); i++)
		ats |= hf_changes_get(l, i)->kind == HF_CHANGE_LAYOUT &&
		       !strcmp(hf_changes_get(l, i)->reg, "ats");
	check(ats, "and see ATS appear");
	check(!hf_changes_get(l, 100000), "there is an end");
	hf_changes_free(l);
	hf_persona_free(p);
	hf_diags_free(d);
	hf_cfg_free(a);
	hf_cfg_free(b);
}

/* One bit at a time: what the guest sees of it is reported, with the right name. */
static void test_one_bit(void)
{
	static const struct {
		uint16_t off;
		uint8_t bit;
		const char *reg;
		enum hf_change_kind kind;
	} cases[] = {
		{ 0x05, 2, "header.command", HF_CHANGE_STATE },
		{ 0xcc, 0, "pm.ctrl", HF_CHANGE_STATE },
		{ 0xf2, 1, "exp.lnksta", HF_CHANGE_STATE },
		{ 0x144, 0, "dsn.low", HF_CHANGE_FIXED },
		{ 0xe2, 9 % 8, NULL, 0 }, /* Slot Implemented: hidden */
		{ 0x09, 0, NULL, 0 }, /* prog-if: the map says another */
	};
	struct hf_cfg *a = load_dump("e1000e"), *b = NULL;
	struct hf_persona *p = load_map("msix-moved", NULL);
	struct hf_diags *d = hf_diags_new();
	uint8_t bytes[4096];
	size_t len;

	for (unsigned int i = 0; i < COUNT(cases); i++) {
		struct hf_changes *l = NULL;
		const struct hf_change *c;

		memcpy(bytes, hf_cfg_bytes(a, &len), 4096);
		bytes[cases[i].off] ^= 1 << cases[i].bit;
		check(!hf_cfg_from_bytes(bytes, 4096, "b", &b, d), "bytes");
		hf_cfg_set_bar(b, 0, HF_BAR_MEM32, false, 128 << 10);
		hf_cfg_set_bar(b, 3, HF_BAR_MEM32, false, 16 << 10);
		if (hf_persona_compare(p, a, b, &l, d)) {
			check(cases[i].off == 0xe2, "case %u: refused", i);
			hf_cfg_free(b);
			continue;
		}
		c = hf_changes_get(l, 0);
		if (cases[i].reg)
			check(c && !strcmp(c->reg, cases[i].reg) && c->kind == cases[i].kind &&
				      hf_changes_count(l) == 1 && __builtin_popcount(c->bits) == 1,
			      "case %u: %s", i, c ? c->reg : "nothing");
		else
			check(!c, "case %u: %s", i, c ? c->reg : "");
		hf_changes_free(l);
		hf_cfg_free(b);
	}
	hf_persona_free(p);
	hf_diags_free(d);
	hf_cfg_free(a);
}

/* How long capabilities are: their last byte is noticed, the one behind is not theirs. */
static void test_lengths(void)
{
	static const struct {
		uint16_t end;
		const char *name;
	} cases[] = {
		{ 0x0c4, "ea" },   { 0x170, "sriov" },	 { 0x194, "vf_rebar" },
		{ 0x1b0, "npem" }, { 0x1e0, "pl_32gt" }, { 0x220, "pl_64gt" },
		{ 0x240, "dev3" }, { 0x290, "ide" },
	};
	struct hf_cfg *a = load_dump("accel"), *b = NULL;
	struct hf_diags *d = hf_diags_new();
	uint8_t bytes[4096];
	size_t len;

	for (unsigned int i = 0; i < 2 * COUNT(cases); i++) {
		uint16_t at = cases[i / 2].end - !(i % 2);
		const char *name = cases[i / 2].name;
		struct hf_changes *l = NULL;

		memcpy(bytes, hf_cfg_bytes(a, &len), 4096);
		bytes[at] ^= 0x80;
		check(!hf_cfg_from_bytes(bytes, 4096, "b", &b, d), "bytes");
		hf_cfg_set_bar(b, 0, HF_BAR_MEM64, true, 16 << 20);
		check(!hf_cfg_compare(a, b, &l, d), "%s: refused: %s", name,
		      hf_diags_count(d) ? hf_diags_get(d, 0)->text : "");
		if (l && i % 2)
			check(strncmp(hf_changes_get(l, 0) ? hf_changes_get(l, 0)->reg : "", name,
				      strlen(name)),
			      "%s: 0x%03x is no part of it", name, at);
		else if (l)
			check(hf_changes_noticed(l) == 1 &&
				      !strncmp(hf_changes_get(l, 0)->reg, name, strlen(name)),
			      "%s: 0x%03x is a part of it", name, at);
		hf_changes_free(l);
		hf_cfg_free(b);
	}
	hf_diags_free(d);
	hf_cfg_free(a);
}

static void test_state(void)
{
	struct hf_view *a = load_view("nic-fw", "nic-fw-a"), *b = load_view("nic-fw", "nic-fw-b");
	struct hf_view *other = load_view("nvme", "nvme");
	const struct hf_phys none = { 0 };
	struct hf_diags *d = hf_diags_new();
	uint8_t state[8192];
	uint32_t v;
	size_t n;

	hf_view_write(a, &none, 0x10, 4, 0xfebf0000);
	hf_view_write(a, &none, 0xa2, 2, 0x8000);
	check(hf_view_save(a, state, 10) == 24 + 4096, "how much is needed");
	n = hf_view_save(a, state, sizeof(state));
	check(!hf_view_restore(b, state, n, d), "onto another firmware");
	hf_view_read(b, &none, 0x10, 4, &v);
	check(v == 0xfebf000c, "the BAR: 0x%x", v);
	hf_view_read(b, &none, 0xa2, 2, &v);
	check(v == 0x8049, "MSI-X Enable: 0x%x", v);
	check(hf_view_restore(other, state, n, d) == -ESTALE && hf_diags_errors(d) > 5,
	      "onto another device");
	check(!strcmp(hf_diags_get(d, 0)->reg, "header.vendor"), "which has to be named: %s",
	      hf_diags_get(d, 0)->reg);
	hf_view_read(other, &none, 0x10, 4, &v);
	check(v == 4, "and nothing changed there");
	state[100] ^= 1;
	check(hf_view_restore(b, state, n, d) == -EBADMSG, "a damaged one");
	check(hf_view_restore(b, state, 5, d) == -EBADMSG, "a short one");
	hf_view_free(a);
	hf_view_free(b);
	hf_view_free(other);
	hf_diags_free(d);
}

static void test_bar_sizes(void)
{
	uint8_t bytes[256] = { 0x86, 0x80, [0x10] = 0x04, [0x12] = 0x10, [0x18] = 0x01 };
	struct hf_diags *d = hf_diags_new();
	struct hf_cfg *c = NULL;

	check(!hf_cfg_from_bytes(bytes, 256, "x", &c, d), "256 bytes");
	check(hf_cfg_set_bar(c, 0, HF_BAR_MEM64, false, 3) == -EINVAL, "not a power of two");
	check(hf_cfg_set_bar(c, 0, HF_BAR_MEM32, false, 8) == -EINVAL, "memory: 16 bytes at least");
	check(hf_cfg_set_bar(c, 0, HF_BAR_IO, false, 2) == -EINVAL, "I/O: 4 bytes at least");
	check(hf_cfg_set_bar(c, HF_CFG_ROM, HF_BAR_MEM32, false, 1024) == -EINVAL, "ROM: 2K");
	check(hf_cfg_set_bar(c, 0, HF_BAR_MEM64, false, UINT64_C(1) << 63) == -EINVAL, "8E");
	check(hf_cfg_set_bar(c, 7, HF_BAR_MEM64, false, 16) == -EINVAL, "no such BAR");
	check(hf_cfg_set_bar(c, 5, HF_BAR_MEM64, false, 16) == -EINVAL, "no upper half");
	check(hf_cfg_set_bar(c, 1, HF_BAR_MEM32, false, 16) == -EINVAL, "an upper half");
	check(!hf_cfg_set_bar(c, 0, HF_BAR_MEM64, false, 1 << 20), "1M");
	check(hf_cfg_from_bytes(bytes, 64, "x", &c, d) == -EINVAL, "64 bytes");
	memset(bytes, 0xff, sizeof(bytes));
	check(hf_cfg_from_bytes(bytes, 256, "x", &c, d) == -ENODEV, "a device that is not there");
	check(hf_cfg_is_bdf("0000:01:00.0") && hf_cfg_is_bdf("01:00.7") &&
		      !hf_cfg_is_bdf("01:00.8") && !hf_cfg_is_bdf("a/01:00.0") &&
		      !hf_cfg_is_bdf("x"),
	      "what is a BDF");
	hf_cfg_free(c);
	hf_diags_free(d);
}

/* What vfio shows of a VF has its IDs: who asks has to say what it is. */
static void test_vf(void)
{
	static const char map[] = "persona-map 1\npersona \"x\" version 1\nfunction vf\n";
	uint8_t bytes[256] = { 0x86, 0x80, 0xca, 0x10 };
	struct hf_diags *d = hf_diags_new();
	struct hf_persona *p = NULL;
	struct hf_cfg *c = NULL;
	struct hf_view *v = NULL;

	check(!hf_persona_parse(map, sizeof(map) - 1, "x", NULL, &p, d), "the map");
	check(!hf_cfg_from_bytes(bytes, 256, "x", &c, d), "a function");
	check(hf_persona_check(p, c, d) == -EOPNOTSUPP, "is no VF");
	hf_cfg_set_vf(c, 0x8086, 0x10ca);
	check(!hf_persona_check(p, c, d), "until it is said");
	hf_cfg_free(c);
	memset(bytes, 0xff, 4);
	check(!hf_cfg_from_bytes(bytes, 256, "x", &c, d), "another one");
	check(hf_persona_check(p, c, d) == -EOPNOTSUPP, "does not tell who it is");
	hf_cfg_set_vf(c, 0x8086, 0x10ca);
	check(!hf_view_new(p, c, &v, d) && !memcmp(hf_view_image(v), "\x86\x80\xca\x10", 4),
	      "until that is said");
	check(hf_cfg_same_bdf("01:00.0", "0000:01:00.0") &&
		      hf_cfg_same_bdf("0001:01:00.0", "0001:01:00.0") &&
		      !hf_cfg_same_bdf("01:00.0", "0001:01:00.0") &&
		      !hf_cfg_same_bdf("01:00.0", "01:00.1") && !hf_cfg_same_bdf("x", "x"),
	      "which function a BDF is");
	hf_view_free(v);
	hf_cfg_free(c);
	hf_persona_free(p);
	hf_diags_free(d);
}

/* Everything is freed with NULL. */
static void test_null(void)
{
	hf_cfg_free(NULL);
	hf_persona_free(NULL);
	hf_view_free(NULL);
	hf_changes_free(NULL);
	hf_diags_free(NULL);
}

int suite_objects(void);

int suite_objects(void)
{
	test_roundtrip();
	test_derive();
	test_compare();
	test_one_bit();
	test_lengths();
	test_state();
	test_bar_sizes();
	test_vf();
	test_null();
	return tap_end();
}
