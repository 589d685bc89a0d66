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
	unsigned int devices;
	struct hf_bar bar[HF_BARS];
};

static int bad(struct dump *p, size_t column, const char *hint, const char *text)
{
	p->loc.column = column + 1;
	hf_diag_add(p->d, HF_ERROR, &p->loc, NULL, hint, "%s", text);
	return -EINVAL;
}

int hf_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static size_t hex_digits(const char *s, size_t len)
{
	size_t n = 0;

	while (n < len && hf_hex_digit(s[n]) >= 0)
		n++;
	return n;
}

/* "DDDD:BB:DD.F " or "BB:DD.F ": the line that starts a device. */
static bool is_device(const char *s, size_t len)
{
	size_t n = hex_digits(s, len);

	if (n >= 4 && n < len && s[n] == ':') {
		s += n + 1;
		len -= n + 1;
		n = hex_digits(s, len);
	}
	if (n != 2 || len < 7 || s[2] != ':' || hex_digits(s + 3, 2) != 2 || s[5] != '.')
		return false;
	return s[6] >= '0' && s[6] <= '7' && (len == 7 || isspace((unsigned char)s[7]));
}

bool hf_cfg_is_bdf(const char *s)
{
	size_t len = strlen(s);

	return is_device(s, len) && s[len - 2] == '.';
}

/* "30: 00 01 ...": up to 16 bytes, in order. Return: 1 if the line is none. */
static int hex_line(struct dump *p, const char *s, size_t len)
{
	size_t n = hex_digits(s, len), i;
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
		if (s[i] != ' ' || i + 2 >= len || hex_digits(s + i + 1, 2) != 2)
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
	char copy[256];
	int err;

	if (is_device(s, len)) {
		if (p->devices++)
			return bad(p, 0, "give one device: lspci -s BDF -vvxxxx",
				   "a second device in the dump");
		return 0;
	}
	err = hex_line(p, s, len);
	if (err <= 0)
		return err;
	snprintf(copy, sizeof(copy), "%.*s", (int)(len < sizeof(copy) ? len : sizeof(copy) - 1), s);
	region_line(p, copy);
	return 0;
}

static int lines(struct dump *p)
{
	const char *s = p->text, *nl;
	size_t len;
	int err;

	while (s < p->end) {
		p->loc.line++;
		nl = memchr(s, '\n', p->end - s);
		len = nl ? (size_t)(nl - s) : (size_t)(p->end - s);
		err = line(p, s, len && s[len - 1] == '\r' ? len - 1 : len);
		if (err)
			return err;
		s += len + 1;
	}
	return 0;
}

int hf_cfg_parse(const char *text, size_t len, const char *name, struct hf_cfg **out,
		 struct hf_diags *d)
{
	struct dump p = { .text = text, .end = text + len, .loc = { .file = name }, .d = d };
	int err = lines(&p);

	if (err)
		return err;
	if (!p.len) {
		p.loc.line = 0;
		return bad(&p, 0, "the text of lspci -xxxx, or the file config of sysfs",
			   "there is no config space in it");
	}
	err = hf_cfg_from_bytes(p.bytes, p.len, name, out, d);
	for (unsigned int i = 0; !err && i < HF_BARS; i++)
		if (p.bar[i].known)
			hf_cfg_set_bar(*out, i, p.bar[i].type, p.bar[i].prefetch, p.bar[i].size);
	return err;
}
