// SPDX-License-Identifier: GPL-2.0
/* Runs the unit tests of the pure core; the last line counts them. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

struct tap tap;

void tap_check(int ok, const char *file, int line, const char *fmt, ...)
{
	const char *base = strrchr(file, '/');
	va_list ap;

	tap.checks++;
	if (ok)
		return;
	/* One broken invariant can fail thousands of times. */
	if (tap.bad++ >= 10)
		return;
	printf("# %s:%d: ", base ? base + 1 : file, line);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

void tap_run(const char *name, void (*fn)(void))
{
	tap.tests++;
	tap.bad = 0;
	fn();
	printf("%sok %u - %s\n", tap.bad ? "not " : "", tap.tests, name);
	if (tap.bad)
		tap.failed++;
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	suite_layout();
	suite_rows();
	suite_driver_rows();
	suite_shadow();
	suite_interrupts();
	suite_sriov();
	suite_roles();
	suite_replay();
	suite_property();
	suite_record();
	suite_verify();
	suite_iommu_record();

	printf("1..%u\n# %u checks\n%u passed, %u failed\n", tap.tests, tap.checks,
	       tap.tests - tap.failed, tap.failed);

	return tap.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
