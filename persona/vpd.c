// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Vital Product Data that a map gives: an identifier string and read-only fields, and
 * the checksum that makes all bytes up to it sum up to 0 (PCI 3.0, appendix I).
 */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TAG_ID	0x82 /* large resource: identifier string */
#define TAG_R	0x90 /* VPD-R */
#define TAG_END 0x78

static uint8_t *tag(uint8_t *p, uint8_t id, size_t len)
{
	*p++ = id;
	hf_put(p, 2, len);
	return p + 2;
}

int hf_vpd_build(const struct hf_vpd_field *f, size_t n, uint8_t **out, size_t *len)
{
	size_t id = 0, ro = 4;
	uint8_t *buf, *p, sum = 0;

	for (size_t i = 0; i < n; i++)
		if (f[i].key[0])
			ro += 3 + strlen(f[i].text);
		else
			id = strlen(f[i].text);
	*len = 3 + id + 3 + ro + 1;
	if (*len > HF_VPD_MAX)
		return -EMSGSIZE;
	buf = p = malloc(*len);
	if (!buf)
		return -ENOMEM;
	p = tag(p, TAG_ID, id);
	for (size_t i = 0; i < n; i++)
		if (!f[i].key[0])
			memcpy(p, f[i].text, id);
	p = tag(p + id, TAG_R, ro);
	for (size_t i = 0; i < n; i++) {
		size_t l = strlen(f[i].text);

		if (!f[i].key[0])
			continue;
		memcpy(p, f[i].key, 2);
		p[2] = (uint8_t)l;
		memcpy(p + 3, f[i].text, l);
		p += 3 + l;
	}
	memcpy(p, "RV\001", 3);
	p += 3;
	for (uint8_t *q = buf; q < p; q++)
		sum += *q;
	*p++ = (uint8_t)-sum;
	*p = TAG_END;
	*out = buf;
	return 0;
}

bool hf_vpd_next(const uint8_t *vpd, size_t len, size_t *pos, char key[3], const char **text,
		 size_t *textlen)
{
	size_t at = *pos;

	if (!at) {
		if (len < 7)
			return false;
		key[0] = 0;
		*textlen = hf_get(vpd + 1, 2);
		*text = (const char *)vpd + 3;
		*pos = 3 + *textlen + 3;
		return *pos <= len;
	}
	if (at + 3 > len || !memcmp(vpd + at, "RV", 2))
		return false;
	memcpy(key, vpd + at, 2);
	key[2] = 0;
	*textlen = vpd[at + 2];
	*text = (const char *)vpd + at + 3;
	*pos = at + 3 + *textlen;
	return *pos <= len;
}
