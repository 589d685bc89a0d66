/* SPDX-License-Identifier: GPL-2.0 */
/* The agent: its port to the runner, its commands. See lab/PROTOCOL.md. */
#ifndef HF_AGENT_H
#define HF_AGENT_H

#include "json.h"
#include "util.h"

/* One command while it runs. */
struct hf_call {
	struct hf_json args; /* the command's "args", maybe absent */
	struct hf_msg *out; /* its reply; results are appended */
	struct hf_err err; /* filled by whoever returns an error */
	uint64_t id;
	bool replied;
};

/* Return: 0, or -errno with c->err filled. */
typedef int (*hf_cmd_fn)(struct hf_call *c);

struct hf_cmd {
	const char *name;
	hf_cmd_fn fn;
};

/* Each file of commands registers its table, which ends with an empty entry. */
#define HF_COMMANDS(table)                              \
	static const struct hf_cmd *const table##_entry \
		__attribute__((used, section("hf_commands"))) = (table)

/*
 * Arguments. A missing one takes @def; HF_REQUIRED makes it an error.
 * Return: 0 or -errno with c->err filled.
 */
#define HF_REQUIRED UINT64_MAX
int hf_arg_u64(struct hf_call *c, const char *key, uint64_t def, uint64_t *out);
/* false when missing */
int hf_arg_bool(struct hf_call *c, const char *key, bool *out);
/* @def == NULL: required */
int hf_arg_str(struct hf_call *c, const char *key, const char *def, char *buf, size_t size);

/*
 * The argument "argv", a list of strings, which lie in @text; at most @max of them, and a NULL after
 * the last. Return: 0 or -errno.
 */
int hf_arg_argv(struct hf_call *c, char *text, size_t size, char **argv, unsigned int max);

/* An event: begin, add members, end (sends it). */
void hf_event_begin(struct hf_msg *m, const char *name);
void hf_event_end(struct hf_msg *m);

/* Send the reply now; for the one command that has no afterwards. */
void hf_reply(struct hf_call *c, int err);

/* Generation of this kernel: hf.gen= on its command line, or 0. */
unsigned int hf_generation(void);

/* kexec.c */

/*
 * Load the next kernel. Paths are of the guest; @initrd may be "". The
 * command line gets hf.gen= one higher than this kernel's.
 */
int hf_kexec_load(const char *kernel, const char *initrd, const char *cmdline, struct hf_err *e);
/* Go. Returns only on failure, with -errno. */
int hf_kexec_exec(struct hf_err *e);

/* klog.c, run.c */

/* Send the kernel log from sequence number @from on; *next: where to go on. */
int hf_klog_send(uint64_t from, uint64_t *next, struct hf_err *e);
/* `run`: a program of the share as a child. */
int hf_cmd_run(struct hf_call *c);

#endif
