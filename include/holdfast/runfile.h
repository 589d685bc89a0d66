/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is known about a VM outside of it: DIR/NAME.json, one JSON object, written to
 * a temporary file and renamed, by one process at a time. Whoever waits for a VM
 * watches DIR.
 */
#ifndef HOLDFAST_RUNFILE_H
#define HOLDFAST_RUNFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <holdfast/error.h>
#include <holdfast/manifest.h>
#include <holdfast/rebuild.h>
#include <holdfast/times.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HF_RUN_DIR "/run/holdfast/vm"

enum hf_state {
	HF_SAVING, /* pid is preserving it */
	HF_READY, /* pid waits for the kexec, or for SIGTERM to call it off */
	HF_REFUSED, /* it goes on in this kernel as pid, reason says why */
	HF_RESUMING, /* pid is setting it up, or is the VMM that has not taken over yet */
	HF_HELD, /* pid keeps its descriptors; reason says what went wrong */
	HF_RUNNING, /* pid is the VMM */
	HF_FAILED, /* it is gone */
	HF_WAITING, /* it came from the last kernel; nobody has it yet */
	HF_STATES,
};

/* What a keeper has, by descriptor number in the keeper. */
struct hf_kept {
	int session, owner; /* the lock file */
	struct hf_progress progress; /* descriptors of the VM are at their numbers */
};

struct hf_run {
	char name[HF_NAME_MAX + 1];
	enum hf_state state;
	char reason[1024];
	pid_t pid;
	uint64_t start; /* of pid, in ticks since boot: tells it from a later one */
	char **devices; /* PCI addresses, NULL-terminated; may be NULL */
	struct hf_times times;
	struct json_object *compared; /* of hf_devices_compare(), NULL: it was not; belongs to it */
	bool has_kept;
	struct hf_kept kept; /* with HF_HELD */
};

const char *hf_state_name(enum hf_state state);

/* A record of VM @name with the calling process as its pid. */
void hf_run_init(struct hf_run *r, const char *name);
void hf_run_free(struct hf_run *r);

/* Make @pid the process of @r; 0: none. */
void hf_run_set_pid(struct hf_run *r, pid_t pid);

/* Copy the PCI addresses of a manifest. Return: 0 or -ENOMEM. */
int hf_run_set_devices(struct hf_run *r, const struct hf_manifest *m, struct hf_error *e);

/*
 * mkdir -p, for root alone. Return: 0; -EPERM: another user can write there; -errno.
 */
int hf_run_make_dir(const char *dir, struct hf_error *e);

/* Write DIR/NAME.json, making DIR. Return: 0 or -errno. */
int hf_run_write(const char *dir, const struct hf_run *r, struct hf_error *e);

/*
 * Read DIR/NAME.json into @r, which the caller frees in any case.
 * Return: 0, -ENOENT, -EINVAL, -errno.
 */
int hf_run_read(const char *dir, const char *name, struct hf_run *r, struct hf_error *e);

/* Forget VM @name. */
void hf_run_remove(const char *dir, const char *name);

/*
 * pidfd of the process of @r, close-on-exec, or -ESRCH: it is gone, even if another
 * has its number by now.
 */
int hf_run_pidfd(const struct hf_run *r, struct hf_error *e);

/* Start of process @pid in ticks since boot, 0 if there is none. */
uint64_t hf_proc_start(pid_t pid);

/* As a JSON object, with what it says in the file. The caller puts it. */
struct json_object *hf_run_json(const struct hf_run *r);

/* Names of all VMs in @dir, sorted; NULL-terminated; caller frees with hf_strv_free(). */
int hf_run_names(const char *dir, char ***names, struct hf_error *e);

/*
 * Watch @dir, making it. Return: inotify descriptor, close-on-exec, non-blocking;
 * readable when a file was written; to be drained with hf_watch_drain().
 */
int hf_watch_open(const char *dir, struct hf_error *e);
void hf_watch_drain(int fd);

#ifdef __cplusplus
}
#endif

#endif
