// SPDX-License-Identifier: LGPL-2.1-or-later
/* Errors that carry their text. */
#include <holdfast/error.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int hf_fail_errno(struct hf_error *e, int num, const char *fmt, ...)
{
	va_list ap;
	size_t len;

	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	len = strlen(e->text);
	snprintf(e->text + len, sizeof(e->text) - len, ": %s", strerrordesc_np(num) ?: "unknown");
	e->num = num;
	return -num;
}

int hf_fail_text(struct hf_error *e, int num, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	e->num = num;
	return -num;
}
