/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Errors that carry their text.
 *
 * Every function of the library that can fail returns a negative errno and takes
 * a struct hf_error, which it fills once, where the failing call is. It never
 * prints. A caller passes the return value on and leaves the text alone.
 */
#ifndef HOLDFAST_ERROR_H
#define HOLDFAST_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

/* num: positive errno value; text: one line for the operator, NUL-terminated. */
struct hf_error {
	int num;
	char text[1024];
};

/*
 * Fill @e with "TEXT: strerror(num)" and return -num, so that a caller can write
 * "return hf_fail_errno(e, errno, ...)". @num is positive.
 */
int hf_fail_errno(struct hf_error *e, int num, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The same without strerror(): the text says it all. */
int hf_fail_text(struct hf_error *e, int num, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#ifdef __cplusplus
}
#endif

#endif
