/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Time, whole files, descriptors. */
#ifndef HOLDFAST_UTIL_H
#define HOLDFAST_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <holdfast/error.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HF_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* CLOCK_MONOTONIC, microseconds. */
uint64_t hf_now_us(void);

/* From now to @end_us, in milliseconds for poll(): 0 if it is over, never too short to sleep. */
int hf_ms_until(uint64_t end_us);

/*
 * Everything from the start of @fd, up to @max bytes, into a buffer of its own
 * with a terminator behind it. @what names the file in errors.
 * Return: 0, -EFBIG if there is more than @max, or -errno. Caller frees *buf.
 */
int hf_read_all(int fd, const char *what, size_t max, char **buf, size_t *len, struct hf_error *e);

/* The same of the file @path. */
int hf_read_path(const char *path, size_t max, char **buf, size_t *len, struct hf_error *e);

/* All of @len bytes at the current position. Return: 0 or -errno. */
int hf_write_all(int fd, const char *what, const void *buf, size_t len, struct hf_error *e);

/*
 * Make @path a new file of mode 0600 with @len bytes in it, whatever was there: a link is replaced,
 * not followed, and who reads it sees all of it or what was there before. Return: 0 or -errno.
 */
int hf_replace_file(const char *path, const void *buf, size_t len, struct hf_error *e);

/* A new memfd, close-on-exec, with @len bytes in it. Return: fd or -errno. */
int hf_memfd_from(const char *name, const void *buf, size_t len, struct hf_error *e);

/* What /proc/self/fd/@fd says. Return: 0 or -errno; cut off if it does not fit. */
int hf_fd_link(int fd, char *buf, size_t size);

/*
 * A line "@key:\tVALUE" of /proc/self/fdinfo/@fd, blanks around VALUE removed.
 * Return: 0, -ENOENT if there is no such line, or -errno.
 */
int hf_fdinfo(int fd, const char *key, char *buf, size_t size);

/*
 * Move *fd to a number not below @base, close-on-exec: what is lower belongs to
 * the VM. Return: 0 or -errno; *fd stays good in any case.
 */
int hf_fd_above(int *fd, int base, struct hf_error *e);

/*
 * Make @fd the descriptor @target, inheritable, and close @fd if it was another.
 * Whatever had the number @target is closed. Return: 0 or -errno (@fd is closed).
 */
int hf_fd_place(int fd, int target, struct hf_error *e);

/* Last component of the link @path into @buf. Return: 0 or -errno. */
int hf_link_name(const char *path, char *buf, size_t size);

/* strdup() or calloc() whose failure is told in @e. */
char *hf_strdup(const char *s, struct hf_error *e);
void *hf_calloc(size_t n, size_t size, struct hf_error *e);

/*
 * Make room for one more element at the end of the array *@array of *@n elements
 * of @size bytes, all zero, and count it. Return: the element, or NULL.
 */
void *hf_append(void *array, size_t *n, size_t size, struct hf_error *e);

/* NULL-terminated copy of @n strings; hf_strv_free() frees it. */
char **hf_strv_dup(char *const *v, size_t n, struct hf_error *e);
/* Add a copy of @s; *@v may be NULL. Return: whether there was memory. */
bool hf_strv_add(char ***v, const char *s, struct hf_error *e);
size_t hf_strv_len(char *const *v);
void hf_strv_free(char **v);

#ifdef __cplusplus
}
#endif

#endif
