/* SPDX-License-Identifier: GPL-2.0 */
/* What has to hold whatever the input: a crash, if not, is what libFuzzer takes note of. */
#ifndef FUZZ_REQUIRE_H
#define FUZZ_REQUIRE_H

#include <stdbool.h>
#include <stdlib.h>

static inline void require(bool cond)
{
	if (!cond)
		abort();
}

#endif
