/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The smallest test harness that says which line failed. A test is a function;
 * what it checks is counted, a failed check is printed and the test goes on.
 */
#ifndef TESTS_UNIT_TAP_H
#define TESTS_UNIT_TAP_H

#include <stdio.h>

struct tap {
	unsigned int tests;
	unsigned int failed;
	unsigned int checks;
	unsigned int bad; /* failed checks of the test that is running */
};

extern struct tap tap;

void tap_check(int ok, const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void tap_run(const char *name, void (*fn)(void));

#define ok(cond)       tap_check(!!(cond), __FILE__, __LINE__, "%s", #cond)
#define okf(cond, ...) tap_check(!!(cond), __FILE__, __LINE__, __VA_ARGS__)
#define eq(a, b)                                                                                \
	do {                                                                                    \
		unsigned long long a_ = (a), b_ = (b);                                          \
		tap_check(a_ == b_, __FILE__, __LINE__, "%s is %#llx, should be %#llx", #a, a_, \
			  b_);                                                                  \
	} while (0)

#define RUN(fn) tap_run(#fn, fn)

void suite_layout(void);
void suite_rows(void);
void suite_driver_rows(void);
void suite_shadow(void);
void suite_interrupts(void);
void suite_sriov(void);
void suite_replay(void);
void suite_roles(void);
void suite_property(void);
void suite_record(void);
void suite_verify(void);
void suite_iommu_record(void);

#endif
