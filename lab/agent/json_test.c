// SPDX-License-Identifier: GPL-2.0
/* Unit test of json.c, built with sanitizers: what comes in is not trusted. */
#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failed;

static void expect(int ok, const char *what)
{
	if (!ok) {
		printf("not ok: %s\n", what);
		failed = 1;
	}
}

#define EXPECT(x) expect(x, #x)

/* A copy of exactly the right size, so that a read past the end is seen. */
static int parse(const char *text, struct hf_json *obj)
{
	static char *copy;
	size_t n = strlen(text);

	free(copy);
	copy = malloc(n ? n : 1);
	memcpy(copy, text, n);
	return hf_json_parse(copy, n, obj);
}

static void test_in(void)
{
	static const char *const bad[] = {
		"",
		"{",
		"}",
		"[]",
		"1",
		"{\"a\"}",
		"{\"a\":}",
		"{\"a\":1",
		"{\"a\":1,}x",
		"{\"a\":\"x}",
		"{\"a\":\"\\",
		"{\"a\":[1,2}",
		"{a:1}",
		"{\"a\":1}{",
		"{\"a\":[[[[[[[[[[[1]]]]]]]]]]]}",
	};
	struct hf_json o, arr;
	char s[16];
	uint64_t n;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect(parse(bad[i], &o) < 0, bad[i]);

	EXPECT(!parse(" { \"id\" : 7, \"cmd\":\"a\\\"b\\u00e9\", \"args\": {\"x\":[1,\"two\",{}], "
		      "\"f\":false,\"neg\":-1,\"big\":99999999999999999999} } ",
		      &o));
	EXPECT(!hf_json_u64(hf_json_get(o, "id"), &n) && n == 7);
	EXPECT(!hf_json_str(hf_json_get(o, "cmd"), s, sizeof(s)) && !strcmp(s, "a\"b\xc3\xa9"));
	EXPECT(hf_json_str(hf_json_get(o, "cmd"), s, 4) < 0);
	EXPECT(hf_json_str(hf_json_get(o, "id"), s, sizeof(s)) < 0);
	EXPECT(!hf_json_get(o, "x").p);
	o = hf_json_get(o, "args");
	arr = hf_json_get(o, "x");
	EXPECT(!hf_json_str(hf_json_at(arr, 1), s, sizeof(s)) && !strcmp(s, "two"));
	EXPECT(hf_json_at(arr, 2).p && !hf_json_at(arr, 3).p);
	EXPECT(!hf_json_u64(hf_json_get(o, "f"), &n) && n == 0);
	EXPECT(hf_json_u64(hf_json_get(o, "neg"), &n) < 0);
	EXPECT(hf_json_u64(hf_json_get(o, "big"), &n) < 0);
	EXPECT(!parse("{}", &o) && !hf_json_get(o, "a").p);
	EXPECT(!parse("{\"a\":\"x\\u0000y\"}", &o));
	EXPECT(hf_json_str(hf_json_get(o, "a"), s, sizeof(s)) < 0);
}

static void test_out(void)
{
	static char long_text[2 * HF_LINE_MAX];
	uint64_t v[] = { 1, UINT64_MAX };
	static struct hf_msg m;
	struct hf_json o;
	size_t n;

	hf_msg_begin(&m);
	hf_msg_str(&m, "s", "q\" b\\ n\n t\t \x80 \xc3\xa9");
	hf_msg_u64s(&m, "v", v, 2);
	hf_msg_arr(&m, "runs");
	hf_msg_u64s(&m, NULL, v, 1);
	hf_msg_u64s(&m, NULL, v, 1);
	hf_msg_arr_end(&m);
	hf_msg_s64(&m, "n", -5);
	n = hf_msg_end(&m);
	EXPECT(!strncmp(m.buf,
			"{\"s\":\"q\\\" b\\\\ n\\n t\\u0009 \\u0080 \xc3\xa9\","
			"\"v\":[1,18446744073709551615],\"runs\":[[1],[1]],\"n\":-5}\n",
			n));

	for (size_t fill = HF_LINE_MAX - 200; fill < sizeof(long_text); fill++) {
		memset(long_text, fill % 2 ? 'x' : '\n', fill);
		hf_msg_begin(&m);
		hf_msg_u64(&m, "re", 1);
		hf_msg_strn(&m, "text", long_text, fill);
		hf_msg_u64s(&m, "v", v, 2);
		hf_msg_last(&m);
		hf_msg_bool(&m, "ok", true);
		hf_msg_u64(&m, "t_us", UINT64_MAX);
		n = hf_msg_end(&m);
		EXPECT(n <= HF_LINE_MAX && m.buf[n - 1] == '\n');
		EXPECT(!hf_json_parse(m.buf, n, &o));
		EXPECT(hf_json_get(o, "t_us").p && hf_json_get(o, "ok").p);
	}
}

int main(void)
{
	test_in();
	test_out();
	if (!failed)
		printf("ok json\n");
	return failed;
}
