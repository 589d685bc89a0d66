// SPDX-License-Identifier: LGPL-2.1-or-later
/* Addresses of functions: "[DDDD:]BB:DD.F". */
#include "bdf.h"

#include <string.h>

int hf_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t hf_hex_digits(const char *s, size_t len)
{
	size_t n = 0;

	while (n < len && hf_hex_digit(s[n]) >= 0)
		n++;
	return n;
}

static uint32_t number(const char *s, size_t n)
{
	uint32_t v = 0;

	while (n--)
		v = v << 4 | (uint32_t)hf_hex_digit(*s++);
	return v;
}

size_t hf_bdf_parse(const char *s, size_t len, struct hf_bdf *b)
{
	size_t n = hf_hex_digits(s, len), at = 0;

	b->domain = 0;
	if (n >= 4 && n <= 8 && n < len && s[n] == ':') {
		b->domain = number(s, n);
		at = n + 1;
		n = hf_hex_digits(s + at, len - at);
	}
	if (n != 2 || len - at < 7 || s[at + 2] != ':' || hf_hex_digits(s + at + 3, 2) != 2 ||
	    s[at + 5] != '.' || s[at + 6] < '0' || s[at + 6] > '7')
		return 0;
	b->bus = number(s + at, 2);
	b->dev = number(s + at + 3, 2);
	b->fn = s[at + 6] - '0';
	return at + 7;
}

bool hf_cfg_is_bdf(const char *s)
{
	struct hf_bdf b;

	return *s && hf_bdf_parse(s, strlen(s), &b) == strlen(s);
}

bool hf_bdf_same(const struct hf_bdf *a, const struct hf_bdf *b)
{
	return a->domain == b->domain && a->bus == b->bus && a->dev == b->dev && a->fn == b->fn;
}

bool hf_cfg_same_bdf(const char *a, const char *b)
{
	struct hf_bdf x, y;

	return hf_bdf_parse(a, strlen(a), &x) && hf_bdf_parse(b, strlen(b), &y) &&
	       hf_bdf_same(&x, &y);
}
