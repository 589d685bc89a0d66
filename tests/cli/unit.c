// SPDX-License-Identifier: GPL-2.0
/* Unit tests of libholdfast; the last line counts them. */
#include <stdio.h>

#include "check.h"

static unsigned int passed, failed, bad;

void check_(int ok, const char *file, int line, const char *what)
{
	const char *base = strrchr(file, '/');

	if (ok || bad++ >= 10)
		return;
	printf("# %s:%d: not so: %s\n", base ? base + 1 : file, line, what);
}

void check_run(const char *name, void (*fn)(void))
{
	bad = 0;
	fn();
	if (bad)
		failed++;
	else
		passed++;
	printf("%s - %s\n", bad ? "not ok" : "ok", name);
}

int main(void)
{
	suite_manifest();
	suite_plan();
	suite_fd();
	suite_command();
	suite_qmp();
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
