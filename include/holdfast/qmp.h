/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Has the VMM taken over? Asked on a QMP connection of our own. */
#ifndef HOLDFAST_QMP_H
#define HOLDFAST_QMP_H

#include <stdbool.h>

#include <holdfast/error.h>

#ifdef __cplusplus
extern "C" {
#endif

struct json_tokener;

enum hf_qmp_verdict {
	HF_QMP_WAIT, /* not yet */
	HF_QMP_TAKEN, /* it has loaded its state and goes on, or is paused as it was */
	HF_QMP_LOST, /* it could not load its state; e says why */
	HF_QMP_CLOSED, /* the connection is gone */
};

struct hf_qmp {
	int fd; /* non-blocking; stays the caller's */
	struct json_tokener *tok;
	bool open; /* commands are accepted */
	bool asked, again; /* an answer is due; ask once more when it is there */
	enum hf_qmp_verdict verdict;
};

/* Return: 0 or -errno. */
int hf_qmp_init(struct hf_qmp *q, int fd, struct hf_error *e);
void hf_qmp_free(struct hf_qmp *q);

/* When fd is readable: read what there is and answer it. Return: what is known by now. */
enum hf_qmp_verdict hf_qmp_read(struct hf_qmp *q, struct hf_error *e);

/*
 * Ask once more. A VMM that was paused takes over without an event, so somebody
 * has to ask from time to time.
 */
void hf_qmp_ask(struct hf_qmp *q);

#ifdef __cplusplus
}
#endif

#endif
