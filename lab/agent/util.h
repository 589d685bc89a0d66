/* SPDX-License-Identifier: GPL-2.0 */
/* Errors that carry their text, small files, time. */
#ifndef HF_UTIL_H
#define HF_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HF_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define HF_PAGE		 4096UL

/*
 * An error on its way to the reply: a positive errno value and what was being
 * done when it happened. Filled once, where the failing call is.
 */
struct hf_err {
	int num;
	char text[256];
};

/*
 * Fill @e with "WHAT: strerror(num)" and return -num, so that a caller can
 * write "return hf_fail(e, errno, ...)". @num is positive; errno is left alone.
 */
int hf_fail(struct hf_err *e, int num, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* CLOCK_MONOTONIC of the running kernel, microseconds. */
uint64_t hf_now_us(void);

/* Sleep without waking early on signals. Only for devices that have no event. */
void hf_sleep_us(unsigned int us);

/*
 * Read at most @size - 1 bytes of @path and terminate them.
 * Return: bytes read, or -errno.
 */
long hf_read_file(const char *path, char *buf, size_t size);

/*
 * One write(2) of @len bytes: sysfs takes a value in a single call.
 * Return: 0 or -errno (-EIO for a short write).
 */
int hf_write_file(const char *path, const void *text, size_t len);

/* The same for a string, with the path named in @e. */
int hf_write_sysfs(const char *path, const char *text, struct hf_err *e);

/* Last component of the link @path into @buf. Return: 0 or -errno. */
int hf_link_name(const char *path, char *buf, size_t size);

/* @bdf must look like 0000:01:00.0; it becomes part of sysfs paths. */
bool hf_valid_bdf(const char *bdf);

#define HF_SHA256_HEX 65
/* SHA-256 of @len bytes as lower-case hex with terminator. */
void hf_sha256_hex(const void *data, size_t len, char out[HF_SHA256_HEX]);

#endif
