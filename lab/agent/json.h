/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The little JSON that lab/PROTOCOL.md needs: look a member up in an object
 * that was received, and build one line to send. Nothing is allocated.
 */
#ifndef HF_JSON_H
#define HF_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest line of the protocol, newline included. */
#define HF_LINE_MAX 4096

/* A value inside the received line, which must outlive it. p == NULL: absent. */
struct hf_json {
	const char *p, *end;
};

/* Check that @len bytes are one JSON object. Return: 0 or -EINVAL. */
int hf_json_parse(const char *line, size_t len, struct hf_json *obj);

/* Member @key of @obj; absent (p == NULL) if there is none. */
struct hf_json hf_json_get(struct hf_json obj, const char *key);

/*
 * Copy a string value, unescaped and terminated.
 * Return: 0, -ENOENT if absent, -EINVAL if not a string, -ENAMETOOLONG.
 */
int hf_json_str(struct hf_json v, char *buf, size_t size);

/* A number >= 0 (true is 1, false 0). Return: 0, -ENOENT, -EINVAL, -ERANGE. */
int hf_json_u64(struct hf_json v, uint64_t *out);

/* Element @i of an array; absent past its end. */
struct hf_json hf_json_at(struct hf_json arr, unsigned int i);

/*
 * A line being built. Members that do not fit are cut (strings) or left out,
 * and the line then ends with "truncated": true, so it is always valid JSON.
 */
struct hf_msg {
	char buf[HF_LINE_MAX];
	size_t len, reserve;
	bool comma, full;
};

void hf_msg_begin(struct hf_msg *m);
void hf_msg_u64(struct hf_msg *m, const char *key, uint64_t v);
void hf_msg_s64(struct hf_msg *m, const char *key, int64_t v);
void hf_msg_bool(struct hf_msg *m, const char *key, bool v);
/*
 * Any bytes; what is not UTF-8 goes out as the code point of each byte.
 * Return: how many bytes of @s fitted.
 */
size_t hf_msg_strn(struct hf_msg *m, const char *key, const char *s, size_t n);
void hf_msg_str(struct hf_msg *m, const char *key, const char *s);
/* Arrays: @key is NULL inside another array. Between the two: key NULL too. */
void hf_msg_arr(struct hf_msg *m, const char *key);
void hf_msg_arr_end(struct hf_msg *m);
void hf_msg_u64s(struct hf_msg *m, const char *key, const uint64_t *v, unsigned int n);
/* Bytes that members may still take. */
size_t hf_msg_room(const struct hf_msg *m);
/* Give out the room kept for the members that every line must have. */
void hf_msg_last(struct hf_msg *m);
/* Close the object and add the newline. Return: length of the line. */
size_t hf_msg_end(struct hf_msg *m);

#endif
