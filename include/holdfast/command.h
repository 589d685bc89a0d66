/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line of a VMM. */
#ifndef HOLDFAST_COMMAND_H
#define HOLDFAST_COMMAND_H

#include <holdfast/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The state file in "-incoming file:PATH" of @argv, as a part of it. Also looks for what
 * is not supported. Return: 0 or -EINVAL with what is wrong, and what is right, in @e.
 */
int hf_command_state_path(char *const *argv, const char **path, struct hf_error *e);

/*
 * Find what execvp() would execute for @file with @env, from the current folder.
 * Return: 0; -ENOENT, -EACCES with the reason in @e.
 */
int hf_command_check(const char *file, char *const *env, struct hf_error *e);

/*
 * A copy of @argv with a QMP monitor of our own on descriptor @fd; -1: without the one
 * that an earlier update may have left. NULL if there is no memory. hf_strv_free() it.
 */
char **hf_command_with_qmp(char *const *argv, int fd, struct hf_error *e);

#ifdef __cplusplus
}
#endif

#endif
