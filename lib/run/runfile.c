// SPDX-License-Identifier: LGPL-2.1-or-later
/* DIR/NAME.json: writing, processes, the folder. */
#include <holdfast/runfile.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <holdfast/util.h>

static const char *const state_names[HF_STATES] = {
	[HF_SAVING] = "saving",	    [HF_READY] = "ready",     [HF_REFUSED] = "refused",
	[HF_RESUMING] = "resuming", [HF_HELD] = "held",	      [HF_RUNNING] = "running",
	[HF_FAILED] = "failed",	    [HF_WAITING] = "waiting",
};

const char *hf_state_name(enum hf_state state)
{
	return (unsigned int)state < HF_STATES ? state_names[state] : "unknown";
}

void hf_run_init(struct hf_run *r, const char *name)
{
	memset(r, 0, sizeof(*r));
	snprintf(r->name, sizeof(r->name), "%s", name);
	hf_run_set_pid(r, getpid());
	r->kept = (struct hf_kept){ .session = -1, .owner = -1 };
}

void hf_run_free(struct hf_run *r)
{
	hf_strv_free(r->devices);
	r->devices = NULL;
	json_object_put(r->compared);
	r->compared = NULL;
}

uint64_t hf_proc_start(pid_t pid)
{
	unsigned long long start = 0;
	char path[32], *buf, *p;
	struct hf_error e;
	size_t len;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (hf_read_path(path, 65536, &buf, &len, &e))
		return 0;
	/* proc(5): field 2 is the name in brackets, which may hold anything; 22 is it. */
	p = strrchr(buf, ')');
	if (p && sscanf(p + 1,
			" %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
			"%*s %llu",
			&start) != 1)
		start = 0;
	free(buf);
	return start;
}

void hf_run_set_pid(struct hf_run *r, pid_t pid)
{
	r->pid = pid;
	r->start = pid > 0 ? hf_proc_start(pid) : 0;
}

int hf_run_set_devices(struct hf_run *r, const struct hf_manifest *m, struct hf_error *e)
{
	char name[64], **list = hf_calloc(m->ndevices + 1, sizeof(*list), e);

	for (size_t i = 0; list && i < m->ndevices; i++) {
		const struct hf_device *d = &m->devices[i];

		list[i] = hf_strdup(d->bdf[0] ? d->bdf : hf_device_name(d, name, sizeof(name)), e);
		if (!list[i]) {
			hf_strv_free(list);
			return -ENOMEM;
		}
	}
	if (!list)
		return -ENOMEM;
	hf_strv_free(r->devices);
	r->devices = list;
	return 0;
}

/* It has ended, though its number is still taken: nobody has asked what became of it. */
static bool has_ended(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

int hf_run_pidfd(const struct hf_run *r, struct hf_error *e)
{
	int fd = r->pid > 0 ? (int)syscall(SYS_pidfd_open, r->pid, 0) : -1;

	if (fd < 0 && (r->pid <= 0 || errno == ESRCH))
		return hf_fail_text(e, ESRCH, "process %d of VM %s is gone", (int)r->pid, r->name);
	if (fd < 0)
		return hf_fail_errno(e, errno, "pidfd_open %d", (int)r->pid);
	/* Now that the number cannot be given to another: is it the one? */
	if (hf_proc_start(r->pid) != r->start || has_ended(fd)) {
		close(fd);
		return hf_fail_text(e, ESRCH, "process %d of VM %s is gone", (int)r->pid, r->name);
	}
	return fd;
}

static struct json_object *kept_json(const struct hf_kept *k)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "session", json_object_new_int(k->session));
	json_object_object_add(o, "owner", json_object_new_int(k->owner));
	json_object_object_add(o, "fds", json_object_new_uint64(k->progress.fds));
	json_object_object_add(o, "steps", json_object_new_uint64(k->progress.steps));
	json_object_object_add(o, "begun", json_object_new_boolean(k->progress.begun));
	return o;
}

struct json_object *hf_run_json(const struct hf_run *r)
{
	struct json_object *o = json_object_new_object(), *devices = json_object_new_array();

	json_object_object_add(o, "name", json_object_new_string(r->name));
	json_object_object_add(o, "state", json_object_new_string(hf_state_name(r->state)));
	json_object_object_add(o, "reason", json_object_new_string(r->reason));
	json_object_object_add(o, "pid", json_object_new_int64(r->pid));
	json_object_object_add(o, "start", json_object_new_uint64(r->start));
	for (char **d = r->devices; d && *d; d++)
		json_object_array_add(devices, json_object_new_string(*d));
	json_object_object_add(o, "devices", devices);
	json_object_object_add(o, "times_ms", hf_times_json(&r->times));
	if (r->compared)
		json_object_object_add(o, "compared", json_object_get(r->compared));
	if (r->has_kept)
		json_object_object_add(o, "kept", kept_json(&r->kept));
	return o;
}

/* Who else can write there decides whom we send signals to, and what is read as a VM's record. */
static int check_dir(const char *dir, struct hf_error *e)
{
	struct stat st;

	if (stat(dir, &st) < 0)
		return hf_fail_errno(e, errno, "folder %s", dir);
	if (!S_ISDIR(st.st_mode))
		return hf_fail_text(e, ENOTDIR, "%s is no folder", dir);
	if (st.st_uid && st.st_uid != geteuid())
		return hf_fail_text(e, EPERM, "folder %s is user %u's: it has to be root's", dir,
				    (unsigned int)st.st_uid);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return hf_fail_text(
			e, EPERM, "folder %s can be written to by others: chmod go-w %s", dir, dir);
	return 0;
}

int hf_run_make_dir(const char *dir, struct hf_error *e)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s", dir) >= (int)sizeof(path))
		return hf_fail_text(e, ENAMETOOLONG, "the name of the run folder is too long");
	for (char *p = path + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = 0;
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return hf_fail_errno(e, errno, "make folder %s", path);
		*p = '/';
	}
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return hf_fail_errno(e, errno, "make folder %s", path);
	return check_dir(path, e);
}

int hf_run_write(const char *dir, const struct hf_run *r, struct hf_error *e)
{
	char path[PATH_MAX];
	struct json_object *o;
	const char *text;
	int err;

	err = hf_run_make_dir(dir, e);
	if (err)
		return err;
	if (snprintf(path, sizeof(path), "%s/%s.json", dir, r->name) >= (int)sizeof(path))
		return hf_fail_text(e, ENAMETOOLONG, "the name of the run folder is too long");
	o = hf_run_json(r);
	text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
							 JSON_C_TO_STRING_NOSLASHESCAPE);
	err = text ? hf_replace_file(path, text, strlen(text), e)
		   : hf_fail_text(e, ENOMEM, "out of memory");
	json_object_put(o);
	return err;
}

void hf_run_remove(const char *dir, const char *name)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s.json", dir, name) < (int)sizeof(path))
		unlink(path);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int hf_run_names(const char *dir, char ***names, struct hf_error *e)
{
	DIR *d = opendir(dir);
	struct dirent *ent;
	char **list = NULL, **p;
	size_t n = 0;
	int err = 0;

	if (!d && errno != ENOENT)
		return hf_fail_errno(e, errno, "open %s", dir);
	while (!err && d && (ent = readdir(d))) {
		char *dot = strrchr(ent->d_name, '.');

		if (!dot || strcmp(dot, ".json"))
			continue;
		*dot = 0;
		if (!hf_name_valid(ent->d_name))
			continue;
		p = hf_append(&list, &n, sizeof(*p), e);
		if (p)
			*p = hf_strdup(ent->d_name, e);
		err = p && *p ? 0 : -ENOMEM;
	}
	if (d)
		closedir(d);
	if (n)
		qsort(list, n, sizeof(*list), by_name);
	if (!err && !hf_append(&list, &n, sizeof(*list), e))
		err = -ENOMEM;
	if (err)
		free(list);
	else
		*names = list;
	return err;
}

int hf_watch_open(const char *dir, struct hf_error *e)
{
	int fd, err;

	err = hf_run_make_dir(dir, e);
	if (err)
		return err;
	fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (fd < 0)
		return hf_fail_errno(e, errno, "inotify");
	if (inotify_add_watch(fd, dir, IN_MOVED_TO | IN_DELETE) < 0) {
		err = hf_fail_errno(e, errno, "watch %s", dir);
		close(fd);
		return err;
	}
	return fd;
}

void hf_watch_drain(int fd)
{
	char buf[4096];

	while (read(fd, buf, sizeof(buf)) > 0)
		;
}
