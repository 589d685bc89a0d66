// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The text of "lspci -xxxx" or "lspci -vvxxxx". What it may hold:
 *
 *	0000:01:00.0 0200: 8086:10c9 (rev 01)
 *	\tRegion 0: Memory at fe000000 (32-bit, non-prefetchable) [size=128K]
 *	00: 86 80 c9 10 ...
 *
 * Other lines are for people.
 */
#include "internal.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct dump {
	const char *text, *end;
	struct hf_loc loc;
	struct hf_diags *d;
	uint8_t bytes[HF_CFG_EXP_SIZE];
	size_t len;
	const char *want; /* NULL: there is only one */
	const char *first; /* line of the one that was found */
	struct hf_bdf bdf; /* that is wanted */
	unsigned int devices;
	bool here; /* these are its lines */
	uint16_t vendor, device; /* as the line says that starts it */
	struct hf_bar bar[HF_BARS];
};

static int bad(struct dump *p, size_t column, const char *hint, const char *text)
{
	p->loc.column = column + 1;
	hf_diag_add(p->d, HF_ERROR, &p->loc, NULL, hint, "%s", text);
	return -EINVAL;
}

/* The line that starts a device: its address, and then a blank or nothing. */
static bool is_device(const char *s, size_t len, struct hf_bdf *b)
{
	size_t n = hf_bdf_parse(s, len, b);

	return n && (n == len || isspace((unsigned char)s[n]));
}

/* "VVVV:DDDD" of lspci -n, "[VVVV:DDDD]" of -nn: the last there is. */
static void read_ids(struct dump *p, const char *s, size_t len)
{
	for (size_t i = 1; i + 9 <= len; i++) {
		if (!strchr(" [", s[i - 1]) || hf_hex_digits(s + i, len - i) != 4 ||
		    s[i + 4] != ':' || hf_hex_digits(s + i + 5, len - i - 5) != 4 ||
		    (i + 9 < len && !strchr(" ]", s[i + 9])))
			continue;
		p->vendor = strtoul(s + i, NULL, 16);
		p->device = strtoul(s + i + 5, NULL, 16);
	}
}

static size_t line_length(const char *s, const char *end)
{
	const char *nl = memchr(s, '\n', end - s);

	return nl ? (size_t)(nl - s) : (size_t)(end - s);
}

/* "00:1f.0, 01:00.0", and how many more if they do not fit. */
static void list_devices(const struct dump *p, char *buf, size_t size)
{
	unsigned int more = 0;
	size_t used = 0;

	*buf = 0;
	for (const char *s = p->text; s < p->end; s += line_length(s, p->end) + 1) {
		size_t len = line_length(s, p->end), n = 0;
		struct hf_bdf b;

		if (!is_device(s, len, &b))
			continue;
		while (n < len && !isspace((unsigned char)s[n]))
			n++;
		if (more || used + n + 20 > size)
			more++;
		else
			used += snprintf(buf + used, size - used, "%s%.*s", used ? ", " : "",
					 (int)n, s);
	}
	if (more)
		snprintf(buf + used, size - used, " and %u more", more);
}

static int several(struct dump *p, size_t first)
{
	char list[160], text[200], hint[160];

	list_devices(p, list, sizeof(list));
	snprintf(text, sizeof(text), "several devices in the dump: %s", list);
	snprintf(hint, sizeof(hint), "name one: %s@%.*s", p->loc.file, (int)first, list);
	return bad(p, 0, hint, text);
}

static int start_device(struct dump *p, const char *s, size_t len, const struct hf_bdf *b)
{
	p->here = !p->want || hf_bdf_same(b, &p->bdf);
	if (!p->want && p->devices++)
		return several(p, strcspn(p->first, " \t\r\n"));
	if (!p->here)
		return 0;
	if (p->len)
		return bad(p, 0, NULL, "this device is in the dump twice");
	p->first = s;
	read_ids(p, s, len);
	return 0;
}

/* "30: 00 01 ...": up to 16 bytes, in order. Return: 1 if the line is none. */
static int hex_line(struct dump *p, const char *s, size_t len)
{
	size_t n = hf_hex_digits(s, len), i;
	unsigned long off;
	unsigned int row = 0;

	if (n < 2 || n > 3 || n >= len || s[n] != ':' || (n + 1 < len && s[n + 1] != ' '))
		return 1;
	off = strtoul(s, NULL, 16);
	if (off != p->len)
		return bad(p, 0, "the dump has to be complete, from 00 on",
			   "this is not the line that follows");
	for (i = n + 1; i < len; i += 3) {
		if (s[i] == ' ' && i + 1 == len)
			break;
		if (s[i] != ' ' || i + 2 >= len || hf_hex_digits(s + i + 1, 2) != 2)
			return bad(p, i, NULL, "expected a blank and two hexadecimal digits");
		if (row++ == 16)
			return bad(p, i, NULL, "more than 16 bytes in a line");
		if (p->len == HF_CFG_EXP_SIZE)
			return bad(p, i, NULL, "more than 4096 bytes");
		p->bytes[p->len++] = hf_hex_digit(s[i + 1]) << 4 | hf_hex_digit(s[i + 2]);
	}
	return row == 16 ? 0 : bad(p, i, NULL, "fewer than 16 bytes in a line");
}

static uint64_t size_of(const char *s)
{
	static const char units[] = "KMGT";
	const char *at = strstr(s, "[size="), *unit;
	char *end;
	uint64_t v;

	if (!at || !isdigit((unsigned char)at[6]))
		return 0;
	v = strtoull(at + 6, &end, 10);
	unit = *end ? strchr(units, *end) : NULL;
	if (unit && v >> (64 - 10 * (unit - units + 1)))
		return 0;
	return unit ? v << 10 * (unit - units + 1) : v;
}

/* What lspci -vv says of BARs. Whatever is not as it says it is left alone. */
static void region_line(struct dump *p, const char *s)
{
	struct hf_bar b = { .known = true };
	unsigned int n = HF_CFG_ROM;

	s += strspn(s, " \t");
	/* lspci before 3.7 */
	if (!strncmp(s, "[virtual] ", 10))
		s += 10;
	if (!strncmp(s, "Expansion ROM at ", 17)) {
		b.type = HF_BAR_MEM32;
	} else if (!strncmp(s, "Region ", 7) && s[7] >= '0' && s[7] <= '5' && s[8] == ':') {
		n = s[7] - '0';
		if (strstr(s, "I/O ports at"))
			b.type = HF_BAR_IO;
		else if (strstr(s, "(64-bit"))
			b.type = HF_BAR_MEM64;
		else
			b.type = HF_BAR_MEM32;
		b.prefetch = strstr(s, " prefetchable)");
	} else {
		return;
	}
	b.size = size_of(s);
	if (b.size && !(b.size & (b.size - 1)))
		p->bar[n] = b;
}

static int line(struct dump *p, const char *s, size_t len)
{
	struct hf_bdf b;
	char copy[256];
	int err;

	if (is_device(s, len, &b))
		return start_device(p, s, len, &b);
	if (p->want && !p->here)
		return 0;
	err = hex_line(p, s, len);
	if (err <= 0)
		return err;
	snprintf(copy, sizeof(copy), "%.*s", (int)(len < sizeof(copy) ? len : sizeof(copy) - 1), s);
	region_line(p, copy);
	return 0;
}

static int lines(struct dump *p)
{
	const char *s = p->text;
	size_t len;
	int err;

	while (s < p->end) {
		p->loc.line++;
		len = line_length(s, p->end);
		err = line(p, s, len && s[len - 1] == '\r' ? len - 1 : len);
		if (err)
			return err;
		s += len + 1;
	}
	return 0;
}

static int nothing(struct dump *p)
{
	char list[160], text[240];

	p->loc.line = 0;
	if (!p->want || p->first)
		return bad(p, 0, "the text of lspci -xxxx, or the file config of sysfs",
			   "there is no config space in it");
	list_devices(p, list, sizeof(list));
	snprintf(text, sizeof(text), "there is no device %.16s in it, but %s", p->want,
		 *list ? list : "none");
	return bad(p, 0, NULL, text);
}

int hf_cfg_parse_bdf(const char *text, size_t len, const char *name, const char *bdf,
		     struct hf_cfg **out, struct hf_diags *d)
{
	struct dump p = {
		.text = text, .end = text + len, .loc = { .file = name }, .d = d, .want = bdf
	};
	int err;

	if (bdf && !hf_bdf_parse(bdf, strlen(bdf), &p.bdf))
		return bad(&p, 0, NULL, "this is no address of a device");
	err = lines(&p);
	if (err)
		return err;
	if (!p.len)
		return nothing(&p);
	err = hf_cfg_from_bytes(p.bytes, p.len, name, out, d);
	for (unsigned int i = 0; !err && i < HF_BARS; i++)
		if (p.bar[i].known)
			hf_cfg_set_bar(*out, i, p.bar[i].type, p.bar[i].prefetch, p.bar[i].size);
	if (!err && (*out)->vf && p.vendor != 0xffff)
		hf_cfg_set_vf(*out, p.vendor, p.device);
	return err;
}

int hf_cfg_parse(const char *text, size_t len, const char *name, struct hf_cfg **out,
		 struct hf_diags *d)
{
	return hf_cfg_parse_bdf(text, len, name, NULL, out, d);
}
