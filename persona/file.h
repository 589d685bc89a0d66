/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef HF_PERSONA_FILE_H
#define HF_PERSONA_FILE_H

#include <stddef.h>

/*
 * A whole file of up to @max bytes: *@text from malloc(), with a terminator behind it.
 * Return: 0, -EFBIG or -errno.
 */
int hf_file_read(const char *path, size_t max, char **text, size_t *len);

#endif
