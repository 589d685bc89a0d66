/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Programs that go on running while the agent does something else: VMs and the helpers of VMs. Each
 * has a name, runs in the root (root.h), and writes what it says into a file.
 */
#ifndef HF_CHILD_H
#define HF_CHILD_H

#include "util.h"

#include <sys/types.h>

#define HF_CHILD_NAME 32

struct hf_child {
	char name[HF_CHILD_NAME];
	char out[64]; /* where its output goes; a path outside of the root */
	pid_t pid; /* 0: not running */
	int pidfd; /* readable once it has ended; -1: none */
	int exit; /* how the last one ended: exit code, or 128 + signal */
};

/*
 * Start @argv in the root under @name. One that has ended may be started again, its output goes to
 * the end of the same file. Return: 0 or -errno.
 */
int hf_child_start(const char *name, char **argv, struct hf_child **c, struct hf_err *e);
/* The child of that name, running or not; NULL: there never was one. */
struct hf_child *hf_child_find(const char *name);
/* Whoever waits for a process tells it to this one; the agent is init, so it may be nobody's. */
void hf_child_ended(pid_t pid, int status);
/* Take in every process that has ended; none is left a zombie. */
void hf_child_reap(void);
/* The end of what @c said, at most @size - 1 bytes, terminated. */
void hf_child_tail(const struct hf_child *c, char *buf, size_t size);

#endif
