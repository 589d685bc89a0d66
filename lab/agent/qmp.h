/* SPDX-License-Identifier: GPL-2.0 */
/* The monitor of a VM: one JSON object per line, answers and events. */
#ifndef HF_QMP_H
#define HF_QMP_H

#include "util.h"

/* Longest line that is kept; QEMU's answers to what the lab asks are far shorter. */
#define HF_QMP_LINE 16384

struct hf_qmp {
	int fd; /* -1: not connected */
	size_t have, used; /* bytes in buf, and how many of them were given out */
	char buf[HF_QMP_LINE];
};

/* Connect to the socket @path, which may still have to appear, and say hello. Return: 0 or -errno. */
int hf_qmp_open(struct hf_qmp *q, const char *path, uint64_t end_us, struct hf_err *e);
void hf_qmp_close(struct hf_qmp *q);
/* Send @line as it is. Return: 0 or -errno. */
int hf_qmp_send(struct hf_qmp *q, const char *line, struct hf_err *e);
/*
 * The next line, terminated, valid until the next call. Return: 0, -ETIMEDOUT at @end_us,
 * -ECONNRESET when the VM has closed the connection.
 */
int hf_qmp_line(struct hf_qmp *q, char **line, uint64_t end_us, struct hf_err *e);

#endif
