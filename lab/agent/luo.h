/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Client of the Live Update Orchestrator, /dev/liveupdate.
 *
 * The device admits one opener at a time, so it is open only for the length of
 * one call: programs started with `run` may want it too. A session is a file
 * of its own; closing an outgoing one cancels it, so sessions stay open, across
 * the reboot call, until they are cancelled or finished by name.
 */
#ifndef HF_LUO_H
#define HF_LUO_H

#include "util.h"

/*
 * The outgoing session @name, created on first use. *made tells which.
 * Return: session fd (owned by this library) or -errno.
 */
int hf_luo_create(const char *name, bool *made, struct hf_err *e);
/* The incoming session @name, retrieved on first use. Return: fd or -errno. */
int hf_luo_retrieve(const char *name, struct hf_err *e);
/* Close session @name: cancels an outgoing, finishes an incoming one. */
int hf_luo_close(const char *name, struct hf_err *e);
/* SESSION_FINISH, then close. On failure the session stays open. */
int hf_luo_finish(const char *name, struct hf_err *e);
/* PRESERVE_FD; @what names the file in the error. Return: 0 or -errno. */
int hf_luo_preserve_fd(int session, int fd, uint64_t token, const char *what, struct hf_err *e);
/* RETRIEVE_FD. Return: fd owned by the caller, close-on-exec, or -errno. */
int hf_luo_retrieve_fd(int session, uint64_t token, const char *what, struct hf_err *e);
/* Files this agent holds preserved in outgoing sessions. */
unsigned int hf_luo_preserved(void);

#endif
