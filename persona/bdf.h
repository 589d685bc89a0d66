/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Addresses of functions, and hexadecimal digits. */
#ifndef HF_PERSONA_BDF_H
#define HF_PERSONA_BDF_H

#include <holdfast/persona.h>

struct hf_bdf {
	uint32_t domain;
	uint8_t bus, dev, fn;
};

/* At the start of @s. Return: how many characters it has, 0 if there is none. */
size_t hf_bdf_parse(const char *s, size_t len, struct hf_bdf *b);
bool hf_bdf_same(const struct hf_bdf *a, const struct hf_bdf *b);

/* Return: -1 if it is none. */
int hf_hex_digit(char c);
/* How many of them @s starts with. */
size_t hf_hex_digits(const char *s, size_t len);

#endif
