// SPDX-License-Identifier: GPL-2.0
#include "json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Deep nesting is not part of the protocol; the limit keeps the stack small. */
#define MAX_DEPTH 8
/* Kept free for closing brackets, "truncated" and the newline ... */
#define RESERVE 64
/* ... and until hf_msg_last() for members that must not be crowded out. */
#define RESERVE_LAST 64

static const char *skip_ws(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'))
		p++;
	return p;
}

static const char *skip_string(const char *p, const char *end)
{
	for (p++; p < end; p++) {
		if (*p == '\\')
			p++;
		else if (*p == '"')
			return p + 1;
	}
	return NULL;
}

/* Past the value at @p, or NULL when it is malformed. */
static const char *skip_value(const char *p, const char *end, int depth)
{
	bool obj;
	char close;

	if (p >= end || depth > MAX_DEPTH)
		return NULL;
	if (*p == '"')
		return skip_string(p, end);
	if (*p != '{' && *p != '[') {
		const char *s = p;

		while (p < end && strchr("+-.0123456789aelnrstfuE", *p) && *p)
			p++;
		return p > s ? p : NULL;
	}
	obj = *p == '{';
	close = obj ? '}' : ']';
	p = skip_ws(p + 1, end);
	if (p < end && *p == close)
		return p + 1;
	while (p && p < end) {
		if (obj) {
			if (*p != '"')
				return NULL;
			p = skip_string(p, end);
			if (!p)
				return NULL;
			p = skip_ws(p, end);
			if (p >= end || *p != ':')
				return NULL;
			p = skip_ws(p + 1, end);
		}
		p = skip_value(p, end, depth + 1);
		if (!p)
			return NULL;
		p = skip_ws(p, end);
		if (p >= end)
			return NULL;
		if (*p == close)
			return p + 1;
		if (*p != ',')
			return NULL;
		p = skip_ws(p + 1, end);
	}
	return NULL;
}

int hf_json_parse(const char *line, size_t len, struct hf_json *obj)
{
	const char *end = line + len, *p = skip_ws(line, end), *q;

	if (p >= end || *p != '{')
		return -EINVAL;
	q = skip_value(p, end, 0);
	if (!q || skip_ws(q, end) != end)
		return -EINVAL;
	obj->p = p;
	obj->end = q;
	return 0;
}

struct hf_json hf_json_get(struct hf_json obj, const char *key)
{
	struct hf_json none = { 0 };
	const char *p;

	if (!obj.p || *obj.p != '{')
		return none;
	/* The text was checked as a whole, so every skip below succeeds. */
	for (p = skip_ws(obj.p + 1, obj.end); p < obj.end && *p == '"';) {
		const char *k = p + 1, *v;
		size_t n;

		p = skip_string(p, obj.end);
		n = (size_t)(p - k) - 1;
		v = skip_ws(skip_ws(p, obj.end) + 1, obj.end);
		p = skip_value(v, obj.end, 0);
		if (!p)
			return none;
		if (n == strlen(key) && !memcmp(k, key, n))
			return (struct hf_json){ v, p };
		p = skip_ws(p, obj.end);
		if (p < obj.end && *p == ',')
			p = skip_ws(p + 1, obj.end);
	}
	return none;
}

struct hf_json hf_json_at(struct hf_json arr, unsigned int i)
{
	struct hf_json none = { 0 };
	const char *p;

	if (!arr.p || *arr.p != '[')
		return none;
	for (p = skip_ws(arr.p + 1, arr.end); p < arr.end && *p != ']';) {
		const char *v = p;

		p = skip_value(v, arr.end, 0);
		if (!p)
			return none;
		if (!i--)
			return (struct hf_json){ v, p };
		p = skip_ws(p, arr.end);
		if (p < arr.end && *p == ',')
			p = skip_ws(p + 1, arr.end);
	}
	return none;
}

static size_t put_utf8(char *out, unsigned int c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	out[0] = (char)(0xe0 | c >> 12);
	out[1] = (char)(0x80 | (c >> 6 & 0x3f));
	out[2] = (char)(0x80 | (c & 0x3f));
	return 3;
}

int hf_json_str(struct hf_json v, char *buf, size_t size)
{
	const char *from = "\"\\/bfnrt", *to = "\"\\/\b\f\n\r\t";
	size_t n = 0;

	if (!v.p)
		return -ENOENT;
	if (*v.p != '"')
		return -EINVAL;
	for (const char *p = v.p + 1; p < v.end - 1; p++) {
		const char *e;
		char hex[5] = "";

		if (n + 4 > size)
			return -ENAMETOOLONG;
		if (*p != '\\') {
			buf[n++] = *p;
			continue;
		}
		p++;
		if (*p == 'u' && v.end - 1 - p > 4) {
			memcpy(hex, p + 1, 4);
			n += put_utf8(buf + n, (unsigned int)strtoul(hex, NULL, 16));
			p += 4;
			continue;
		}
		e = strchr(from, *p);
		if (!e || !*e)
			return -EINVAL;
		buf[n++] = to[e - from];
	}
	buf[n] = 0;
	/* A NUL in the middle would make a path other than the one that was sent. */
	return strlen(buf) == n ? 0 : -EINVAL;
}

int hf_json_u64(struct hf_json v, uint64_t *out)
{
	uint64_t n = 0;

	if (!v.p)
		return -ENOENT;
	if (*v.p == 't' || *v.p == 'f') {
		*out = *v.p == 't';
		return 0;
	}
	for (const char *p = v.p; p < v.end; p++) {
		unsigned int d = (unsigned int)(*p - '0');

		if (d > 9)
			return -EINVAL;
		if (n > (UINT64_MAX - d) / 10)
			return -ERANGE;
		n = n * 10 + d;
	}
	*out = n;
	return 0;
}

size_t hf_msg_room(const struct hf_msg *m)
{
	return m->len + m->reserve < sizeof(m->buf) ? sizeof(m->buf) - m->reserve - m->len : 0;
}

void hf_msg_last(struct hf_msg *m)
{
	m->reserve = RESERVE;
}

static bool put_raw(struct hf_msg *m, const char *s, size_t n)
{
	if (n > hf_msg_room(m)) {
		m->full = true;
		return false;
	}
	memcpy(m->buf + m->len, s, n);
	m->len += n;
	return true;
}

static bool put_key(struct hf_msg *m, const char *key, size_t room)
{
	char text[80];
	int n;

	n = snprintf(text, sizeof(text), key ? "%s\"%s\":" : "%s%s", m->comma ? "," : "",
		     key ? key : "");
	if ((size_t)n + room > hf_msg_room(m)) {
		m->full = true;
		return false;
	}
	put_raw(m, text, (size_t)n);
	m->comma = true;
	return true;
}

void hf_msg_begin(struct hf_msg *m)
{
	m->buf[0] = '{';
	m->len = 1;
	m->reserve = RESERVE + RESERVE_LAST;
	m->comma = m->full = false;
}

static void put_num(struct hf_msg *m, const char *key, const char *text)
{
	if (put_key(m, key, strlen(text)))
		put_raw(m, text, strlen(text));
}

void hf_msg_u64(struct hf_msg *m, const char *key, uint64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)v);
	put_num(m, key, text);
}

void hf_msg_s64(struct hf_msg *m, const char *key, int64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)v);
	put_num(m, key, text);
}

void hf_msg_bool(struct hf_msg *m, const char *key, bool v)
{
	put_num(m, key, v ? "true" : "false");
}

/* Length of the well-formed UTF-8 sequence at @s, or 0. */
static size_t utf8_len(const unsigned char *s, size_t n)
{
	size_t len = s[0] < 0x80		   ? 1
		     : s[0] >= 0xc2 && s[0] < 0xe0 ? 2
		     : s[0] >= 0xe0 && s[0] < 0xf0 ? 3
		     : s[0] >= 0xf0 && s[0] < 0xf5 ? 4
						   : 0;

	if (!len || len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong forms and surrogates. */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}

size_t hf_msg_strn(struct hf_msg *m, const char *key, const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s, *end = p + n;

	if (!put_key(m, key, 2))
		return 0;
	put_raw(m, "\"", 1);
	while (p < end) {
		size_t len = utf8_len(p, (size_t)(end - p));
		char esc[8];

		if (*p == '"' || *p == '\\')
			snprintf(esc, sizeof(esc), "\\%c", *p);
		else if (*p == '\n')
			strcpy(esc, "\\n");
		else if (*p < 0x20 || *p == 0x7f || !len)
			snprintf(esc, sizeof(esc), "\\u%04x", *p);
		else
			esc[0] = 0;
		if (!len)
			len = 1;
		if ((esc[0] ? strlen(esc) : len) + 1 > hf_msg_room(m)) {
			m->full = true;
			break;
		}
		if (esc[0])
			put_raw(m, esc, strlen(esc));
		else
			put_raw(m, (const char *)p, len);
		p += len;
	}
	m->buf[m->len++] = '"';
	return (size_t)(p - (const unsigned char *)s);
}

void hf_msg_str(struct hf_msg *m, const char *key, const char *s)
{
	hf_msg_strn(m, key, s, strlen(s));
}

void hf_msg_arr(struct hf_msg *m, const char *key)
{
	/* The key must go out even on a full line, or the closing bracket dangles. */
	size_t n = (size_t)snprintf(m->buf + m->len, 48, key ? "%s\"%.32s\":[" : "%s%s[",
				    m->comma ? "," : "", key ? key : "");

	m->len += n;
	m->comma = false;
}

void hf_msg_arr_end(struct hf_msg *m)
{
	m->buf[m->len++] = ']';
	m->comma = true;
}

void hf_msg_u64s(struct hf_msg *m, const char *key, const uint64_t *v, unsigned int n)
{
	if (hf_msg_room(m) < 64) {
		m->full = true;
		return;
	}
	hf_msg_arr(m, key);
	for (unsigned int i = 0; i < n; i++)
		hf_msg_u64(m, NULL, v[i]);
	hf_msg_arr_end(m);
}

size_t hf_msg_end(struct hf_msg *m)
{
	const char *tail = m->full ? ",\"truncated\":true}\n" : "}\n";

	memcpy(m->buf + m->len, tail, strlen(tail));
	m->len += strlen(tail);
	return m->len;
}
