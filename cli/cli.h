/* SPDX-License-Identifier: GPL-2.0 */
/* What the subcommands share. */
#ifndef HF_CLI_H
#define HF_CLI_H

#include <signal.h>
#include <stdbool.h>

#include <holdfast/error.h>
#include <holdfast/manifest.h>
#include <holdfast/runfile.h>

#include "out.h"

/* A command. argv[0] is the last word of its name. Return: exit code. */
struct cli_command {
	const char *name; /* "vm list" */
	int (*run)(int argc, char **argv);
	const char *usage; /* what follows the name */
	const char *help; /* lines for --help */
};

extern const struct cli_command cli_vm_save, cli_vm_resume, cli_vm_cancel, cli_vm_kexec,
	cli_vm_list, cli_check;

int cli_vm(int argc, char **argv);

/* What a terminal would obey becomes a question mark: names and reasons may be anybody's. */
void cli_harmless(char *text);

/* One line to stderr, "holdfast: ..." */
void cli_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* "Try ... --help". Return: CLI_USAGE. */
int cli_usage(const struct cli_command *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* --help. Return: CLI_OK. */
int cli_help(const struct cli_command *c);

/*
 * Options of a command that has --json and --help and no other. Return: whether to go on;
 * if not, with *@code.
 */
bool cli_json_only(const struct cli_command *c, int argc, char **argv, bool *json, int *code);

/* Where run files are: HOLDFAST_RUN_DIR, or the default. */
const char *cli_run_dir(void);

/* What has become of a VM: as a JSON line to stdout with @json, else its reason to stderr. */
void cli_report(const struct hf_run *r, bool json);

/*
 * Nothing has become of it: the reason to stderr, and as a JSON line to stdout with @json.
 * @name: of the VM, or NULL. Return: exit code, by @refused.
 */
int cli_fail(const char *name, bool refused, const struct hf_error *e, bool json);

/* Write the run file; a failure is told but changes nothing. */
void cli_record(const struct hf_run *r);

/*
 * What one blocks on whom a VM hangs: all signals but those that tell of a fault of our own.
 */
void cli_signals(sigset_t *set);

/* Learn which VMs came from the last kernel. That nothing is to be learned is told, no more. */
void cli_collect(void);

/* vm/resume_all.c. Return: exit code. */
int cli_resume_all(bool json);

/* 0, 1 and 2 are open, so that nothing of ours gets these numbers. */
void cli_fix_stdio(void);

/*
 * Cut the arguments at the first "--". Return: what is behind it, NULL if there is
 * nothing.
 */
char **cli_split(int *argc, char **argv);

/* A decimal number between @min and @max. Return: whether it is one. */
bool cli_number(const char *text, long min, long max, long *n);

/*
 * vm/cancel.c. Begin to send VM @name back, which is being saved or ready.
 * Return: pidfd of its process, to be waited for; -EBUSY: too late, it jumps; -EALREADY: it is
 * neither; -errno.
 */
int cli_call_off(const char *name, struct hf_error *e);

/*
 * Wait until VM @name is in a state other than saving and ready, or its process is
 * gone, or until @end_us of hf_now_us(). @watch: of hf_watch_open(). @r is filled as
 * by hf_run_read(). Return: 0, -ETIMEDOUT, -errno.
 */
int cli_wait_cancelled(const char *name, int pidfd, int watch, uint64_t end_us, struct hf_run *r,
		       struct hf_error *e);

#endif
