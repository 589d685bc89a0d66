/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Client of the Live Update Orchestrator.
 *
 * /dev/liveupdate admits one opener at a time, so it is open only for the length of
 * one call. A session is a file of its own, and everything hangs on it: closing
 * an outgoing one cancels it; closing an incoming one finishes it, and a device
 * that is not attached by then is stopped for good.
 */
#ifndef HOLDFAST_LUO_H
#define HOLDFAST_LUO_H

#include <stdint.h>

#include <holdfast/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The session of the VM @name: a new one, or the one that came from the old kernel.
 * Return: fd, close-on-exec, or -errno; -EBUSY if others kept /dev/liveupdate
 * for 5 s.
 */
int hf_luo_create(const char *name, struct hf_error *e);
int hf_luo_retrieve(const char *name, struct hf_error *e);

/* Is @session the one of the VM @name? Return: 0 or -errno. */
int hf_luo_check_name(int session, const char *name, struct hf_error *e);

/* @what names the file in errors. Return: 0 or -errno. */
int hf_luo_preserve_fd(int session, int fd, uint64_t token, const char *what, struct hf_error *e);

/* Return: fd owned by the caller, close-on-exec, or -errno. */
int hf_luo_retrieve_fd(int session, uint64_t token, const char *what, struct hf_error *e);

/* Return: 0 or -errno, -EBUSY if a device is not attached. The session stays open. */
int hf_luo_finish(int session, struct hf_error *e);

#ifdef __cplusplus
}
#endif

#endif
