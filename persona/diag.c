// SPDX-License-Identifier: LGPL-2.1-or-later
/* Lists of what is wrong. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct hf_diags {
	struct hf_diag *diag;
	size_t n, errors;
};

struct hf_diags *hf_diags_new(void)
{
	return calloc(1, sizeof(struct hf_diags));
}

void hf_diags_free(struct hf_diags *d)
{
	if (!d)
		return;
	free(d->diag);
	free(d);
}

size_t hf_diags_count(const struct hf_diags *d)
{
	return d->n;
}

size_t hf_diags_errors(const struct hf_diags *d)
{
	return d->errors;
}

const struct hf_diag *hf_diags_get(const struct hf_diags *d, size_t i)
{
	return i < d->n ? &d->diag[i] : NULL;
}

/* Without memory the text is lost, but not that there was an error. */
void hf_diag_vadd(struct hf_diags *d, enum hf_severity severity, const struct hf_loc *loc,
		  const char *reg, const char *hint, const char *fmt, va_list ap)
{
	struct hf_diag *more;

	if (!d)
		return;
	if (severity == HF_ERROR)
		d->errors++;
	more = realloc(d->diag, (d->n + 1) * sizeof(*more));
	if (!more)
		return;
	d->diag = more;
	more += d->n++;
	memset(more, 0, sizeof(*more));
	more->severity = severity;
	if (loc && loc->file) {
		snprintf(more->file, sizeof(more->file), "%s", loc->file);
		more->line = loc->line;
		more->column = loc->column;
	}
	snprintf(more->reg, sizeof(more->reg), "%s", reg ? reg : "");
	snprintf(more->hint, sizeof(more->hint), "%s", hint ? hint : "");
	vsnprintf(more->text, sizeof(more->text), fmt, ap);
}

void hf_diag_add(struct hf_diags *d, enum hf_severity severity, const struct hf_loc *loc,
		 const char *reg, const char *hint, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	hf_diag_vadd(d, severity, loc, reg, hint, fmt, ap);
	va_end(ap);
}

size_t hf_diag_format(const struct hf_diag *g, char *buf, size_t size)
{
	char where[176] = "";

	if (g->line)
		snprintf(where, sizeof(where), "%s:%u:%u: ", g->file, g->line, g->column);
	else if (g->file[0])
		snprintf(where, sizeof(where), "%s: ", g->file);
	return (size_t)snprintf(buf, size, "%s%s: %s%s%s%s%s%s", where,
				g->severity == HF_ERROR ? "error" : "note", g->reg,
				g->reg[0] ? ": " : "", g->text, g->hint[0] ? " (" : "", g->hint,
				g->hint[0] ? ")" : "");
}

#define MAX_WORD 24

/* Levenshtein; long words are nobody's slip of the pen. */
static unsigned int distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);
	unsigned int row[MAX_WORD + 1], diagonal, up;

	if (la > MAX_WORD || lb > MAX_WORD)
		return MAX_WORD;
	for (size_t j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; i <= la; i++) {
		diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			up = row[j];
			row[j] = diagonal + (a[i - 1] != b[j - 1]);
			if (up + 1 < row[j])
				row[j] = up + 1;
			if (row[j - 1] + 1 < row[j])
				row[j] = row[j - 1] + 1;
			diagonal = up;
		}
	}
	return row[lb];
}

const char *hf_closest(const char *word, const char *const *words, size_t n)
{
	unsigned int best = strlen(word) < 4 ? 2 : 3, d;
	const char *found = NULL;

	for (size_t i = 0; i < n; i++) {
		d = distance(word, words[i]);
		if (d < best) {
			best = d;
			found = words[i];
		}
	}
	return found;
}
