// SPDX-License-Identifier: LGPL-2.1-or-later
/* The command line of a VMM. */
#include <holdfast/command.h>

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <holdfast/util.h>

#define CHARDEV "socket,id=holdfast,fd="
#define MONITOR "chardev=holdfast,mode=control"

/* QEMU takes one dash or two. */
static bool is_option(const char *arg, const char *name)
{
	return *arg == '-' && !strcmp(arg + (arg[1] == '-' ? 2 : 1), name);
}

int hf_command_state_path(char *const *argv, const char **path, struct hf_error *e)
{
	const char *uri = NULL;

	for (size_t i = 0; argv[i]; i++) {
		if (is_option(argv[i], "daemonize"))
			return hf_fail_text(e, EINVAL,
					    "-daemonize is not supported: the process has to stay "
					    "the same");
		if (!is_option(argv[i], "incoming"))
			continue;
		if (uri)
			return hf_fail_text(e, EINVAL, "COMMAND has -incoming twice");
		if (!argv[i + 1])
			return hf_fail_text(e, EINVAL,
					    "-incoming at the end of COMMAND says nothing");
		uri = argv[++i];
	}
	if (!uri)
		return hf_fail_text(e, EINVAL, "COMMAND has no -incoming file:PATH");
	if (strncmp(uri, "file:", 5) || !uri[5])
		return hf_fail_text(e, EINVAL, "-incoming %s: only file:PATH is supported", uri);
	if (strstr(uri, ",offset="))
		return hf_fail_text(e, EINVAL,
				    "-incoming %s: an offset is not supported, give the state a "
				    "file of its own",
				    uri);
	*path = uri + 5;
	return 0;
}

static int check_file(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || access(path, X_OK) < 0)
		return -EACCES;
	return 0;
}

int hf_command_check(const char *file, char *const *env, struct hf_error *e)
{
	const char *path = "/bin:/usr/bin", *end;
	char full[PATH_MAX];
	int err, worst = -ENOENT;

	if (strchr(file, '/')) {
		err = check_file(file);
		return err ? hf_fail_errno(e, -err, "cannot execute %s", file) : 0;
	}
	for (; *env; env++)
		if (!strncmp(*env, "PATH=", 5))
			path = *env + 5;
	for (;; path = end + 1) {
		end = strchrnul(path, ':');
		/* An empty part is the current folder. */
		if (snprintf(full, sizeof(full), "%.*s%s%s", (int)(end - path), path,
			     end > path ? "/" : "", file) < (int)sizeof(full)) {
			err = check_file(full);
			if (!err)
				return 0;
			if (err == -EACCES)
				worst = err;
		}
		if (!*end)
			break;
	}
	return hf_fail_errno(e, -worst, "cannot execute %s: it is not to be found in PATH", file);
}

/* A pair of arguments that an earlier update has added. */
static bool is_ours(char *const *argv)
{
	return argv[1] &&
	       ((!strcmp(argv[0], "-chardev") && !strncmp(argv[1], CHARDEV, strlen(CHARDEV))) ||
		(!strcmp(argv[0], "-mon") && !strcmp(argv[1], MONITOR)));
}

char **hf_command_with_qmp(char *const *argv, int fd, struct hf_error *e)
{
	char **copy = hf_calloc(hf_strv_len(argv) + 5, sizeof(*copy), e), chardev[64];
	const char *const more[] = { "-chardev", chardev, "-mon", MONITOR };
	size_t n = 0;

	if (!copy)
		return NULL;
	for (size_t i = 0; argv[i]; i++) {
		if (is_ours(argv + i)) {
			i++;
			continue;
		}
		copy[n] = hf_strdup(argv[i], e);
		if (!copy[n++])
			goto free_copy;
	}
	snprintf(chardev, sizeof(chardev), CHARDEV "%d", fd);
	for (size_t i = 0; fd >= 0 && i < HF_ARRAY_SIZE(more); i++) {
		copy[n] = hf_strdup(more[i], e);
		if (!copy[n++])
			goto free_copy;
	}
	return copy;

free_copy:
	hf_strv_free(copy);
	return NULL;
}
