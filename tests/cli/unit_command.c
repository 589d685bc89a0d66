// SPDX-License-Identifier: GPL-2.0
/* Command lines of VMMs. */
#include <errno.h>
#include <stdlib.h>

#include <holdfast/command.h>
#include <holdfast/util.h>

#include "check.h"

#define ARGV(...) ((char *const[]){ "qemu", __VA_ARGS__, NULL })

static void incoming(void)
{
	struct hf_error e;
	const char *path;

	CHECK(!hf_command_state_path(ARGV("-incoming", "file:/run/x"), &path, &e));
	CHECK(!strcmp(path, "/run/x"));
	CHECK(!hf_command_state_path(ARGV("--incoming", "file:x", "-S"), &path, &e));
	CHECK(!strcmp(path, "x"));
	CHECK(!hf_command_state_path(ARGV("-incoming", "file:a,b"), &path, &e));
	CHECK(!strcmp(path, "a,b"));
}

static void no_incoming(void)
{
	static const struct {
		char *const argv[6];
		const char *why;
	} bad[] = {
		{ { "qemu", NULL }, "no -incoming" },
		{ { "qemu", "-incomin", "file:x", NULL }, "no -incoming" },
		{ { "qemu", "---incoming", "file:x", NULL }, "no -incoming" },
		{ { "qemu", "-incoming", NULL }, "says nothing" },
		{ { "qemu", "-incoming", "file:", NULL }, "only file:PATH" },
		{ { "qemu", "-incoming", "defer", NULL }, "only file:PATH" },
		{ { "qemu", "-incoming", "tcp:0:1", NULL }, "only file:PATH" },
		{ { "qemu", "-incoming", "{\"a\": 1}", NULL }, "only file:PATH" },
		{ { "qemu", "-incoming", "file:x,offset=0x1000", NULL }, "offset" },
		{ { "qemu", "-incoming", "file:x", "-incoming", "file:y", NULL }, "twice" },
		{ { "qemu", "-incoming", "file:x", "-daemonize", NULL }, "-daemonize" },
	};
	struct hf_error e;
	const char *path;

	for (size_t i = 0; i < HF_ARRAY_SIZE(bad); i++) {
		CHECK(hf_command_state_path(bad[i].argv, &path, &e) == -EINVAL);
		CHECK(strstr(e.text, bad[i].why));
	}
}

/* Our own monitor, and that of an earlier update. */
static void monitor(void)
{
	struct hf_error e;
	char **one, **two, **three;

	one = hf_command_with_qmp(ARGV("-S", "-chardev", "stdio,id=x", "-mon", "chardev=x"), 77,
				  &e);
	CHECK(hf_strv_len(one) == 10 && !strcmp(one[7], "socket,id=holdfast,fd=77"));
	two = hf_command_with_qmp(one, 99, &e);
	CHECK(hf_strv_len(two) == 10 && !strcmp(two[7], "socket,id=holdfast,fd=99"));
	three = hf_command_with_qmp(two, -1, &e);
	CHECK(hf_strv_len(three) == 6 && !strcmp(three[3], "stdio,id=x"));
	hf_strv_free(one);
	hf_strv_free(two);
	hf_strv_free(three);
}

static void executable(void)
{
	static char *const env[] = { "X=1", "PATH=/nowhere::/bin", NULL };
	static char *const bad[] = { "PATH=/nowhere", NULL };
	struct hf_error e;

	CHECK(!hf_command_check("sh", env, &e));
	CHECK(!hf_command_check("/bin/sh", bad, &e));
	CHECK(hf_command_check("sh", bad, &e) == -ENOENT && strstr(e.text, "sh"));
	CHECK(hf_command_check("/nowhere/sh", env, &e) == -ENOENT);
	CHECK(hf_command_check("/bin", env, &e) == -EACCES);
	CHECK(hf_command_check("/etc/passwd", env, &e) == -EACCES);
}

void suite_command(void)
{
	RUN(incoming);
	RUN(no_incoming);
	RUN(monitor);
	RUN(executable);
}
