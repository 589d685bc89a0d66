/* SPDX-License-Identifier: GPL-2.0 */
/* Checks that count; the last line of the program says how many. */
#ifndef PERSONA_TAP_H
#define PERSONA_TAP_H

#include <stdio.h>

static unsigned int tap_passed, tap_failed;

#define check(cond, ...)                                                \
	do {                                                            \
		if (cond) {                                             \
			tap_passed++;                                   \
		} else {                                                \
			tap_failed++;                                   \
			printf("not ok - %s:%d: ", __FILE__, __LINE__); \
			printf(__VA_ARGS__);                            \
			putchar('\n');                                  \
		}                                                       \
	} while (0)

static inline int tap_end(void)
{
	printf("%u passed, %u failed\n", tap_passed, tap_failed);
	return tap_failed != 0;
}

#endif
