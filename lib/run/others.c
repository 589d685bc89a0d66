// SPDX-License-Identifier: LGPL-2.1-or-later
/* VMs, and processes with vfio devices, that a jump would end. */
#include <holdfast/others.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <holdfast/fdkind.h>
#include <holdfast/runfile.h>
#include <holdfast/util.h>

#define PID "pid:"

struct others {
	const char *dir;
	char *const *names, *const *lose;
	/* Of the VMs in both, and those that @lose has as such. */
	pid_t *pids;
	size_t npids;
	/* PCI addresses of the VMs that cross. */
	char **devices;
	size_t ndevices;
	struct hf_error *e;
};

static bool in_list(char *const *list, const char *text)
{
	for (; list && *list; list++)
		if (!strcmp(*list, text))
			return true;
	return false;
}

static pid_t pid_of(const char *text)
{
	char *end;
	long pid;

	if (strncmp(text, PID, strlen(PID)) || text[strlen(PID)] < '1' || text[strlen(PID)] > '9')
		return 0;
	pid = strtol(text + strlen(PID), &end, 10);
	return !*end && pid > 0 && pid <= INT32_MAX ? (pid_t)pid : 0;
}

bool hf_others_valid(const char *text)
{
	return hf_name_valid(text) || pid_of(text);
}

static int add_pid(struct others *o, pid_t pid)
{
	pid_t *p = hf_append(&o->pids, &o->npids, sizeof(*p), o->e);

	if (p)
		*p = pid;
	return p ? 0 : -ENOMEM;
}

/* A VM that was spoken of. Its number may be another's by now. */
static int add_vm(struct others *o, const char *name, bool crosses)
{
	struct hf_error e;
	struct hf_run r;
	int err = 0, fd;
	char **p;

	/* Without a record there is nothing to be had of it here. */
	fd = hf_run_read(o->dir, name, &r, &e) ? -1 : hf_run_pidfd(&r, &e);
	if (fd >= 0) {
		close(fd);
		err = add_pid(o, r.pid);
		for (char **d = r.devices; !err && crosses && d && *d; d++) {
			p = hf_append(&o->devices, &o->ndevices, sizeof(*p), o->e);
			if (p)
				*p = hf_strdup(*d, o->e);
			err = p && *p ? 0 : -ENOMEM;
		}
	}
	hf_run_free(&r);
	return err;
}

static int add_known(struct others *o)
{
	int err = 0;

	for (char *const *n = o->names; !err && *n; n++)
		err = add_vm(o, *n, true);
	for (char *const *n = o->lose; !err && n && *n; n++)
		err = pid_of(*n) ? add_pid(o, pid_of(*n)) : add_vm(o, *n, false);
	return err;
}

static bool known_pid(const struct others *o, pid_t pid)
{
	for (size_t i = 0; i < o->npids; i++)
		if (o->pids[i] == pid)
			return true;
	return false;
}

static bool known_device(const struct others *o, const char *bdf)
{
	for (size_t i = 0; i < o->ndevices; i++)
		if (!strcmp(o->devices[i], bdf))
			return true;
	return false;
}

static int look_at_vm(struct others *o, const char *name)
{
	struct hf_error e;
	struct hf_run r;
	int err, fd = -1;

	if (in_list(o->names, name) || in_list(o->lose, name))
		return 0;
	err = hf_run_read(o->dir, name, &r, &e);
	if (err && err != -ENOENT)
		return hf_fail_text(o->e, EPERM,
				    "%.700s: say --lose %s if there is no such VM any more", e.text,
				    name);
	if (!err && r.state == HF_WAITING) {
		hf_run_free(&r);
		return hf_fail_text(
			o->e, EPERM,
			"VM %s came from the last kernel and waits: resume it, or give it "
			"up with --lose %s",
			name, name);
	}
	if (!err)
		fd = hf_run_pidfd(&r, &e);
	if (fd >= 0) {
		close(fd);
		err = known_pid(o, r.pid)
			      ? 0
			      : hf_fail_text(o->e, EPERM,
					     "VM %s, which is %s as process %d, was not "
					     "named: name it too, or give it up with "
					     "--lose %s",
					     name, hf_state_name(r.state), (int)r.pid, name);
	}
	hf_run_free(&r);
	return fd >= 0 ? err : 0;
}

static int look_at_vms(struct others *o)
{
	char **names;
	int err = hf_run_names(o->dir, &names, o->e);

	if (err)
		return err;
	for (char **n = names; !err && *n; n++)
		err = look_at_vm(o, *n);
	hf_strv_free(names);
	return err;
}

/* Whatever the device is called where the process is. */
static bool is_vfio(const char *path)
{
	char link[512], sys[64], sysfs[64] = "";
	struct stat st;
	ssize_t n;

	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0 || stat(path, &st) < 0)
		return false;
	link[n] = 0;
	if (S_ISCHR(st.st_mode)) {
		snprintf(sys, sizeof(sys), "/sys/dev/char/%u:%u", major(st.st_rdev),
			 minor(st.st_rdev));
		hf_link_name(sys, sysfs, sizeof(sysfs));
	}
	return hf_vfio_ops.match(&st, link, sysfs);
}

/* Its PCI address, or "a vfio device". */
static void name_device(pid_t pid, const char *fd, char *buf, size_t size)
{
	char path[64], *text, *at;
	struct hf_error e;
	size_t len;

	snprintf(buf, size, "a vfio device");
	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%.16s", (int)pid, fd);
	if (hf_read_path(path, 1u << 20, &text, &len, &e))
		return;
	at = strstr(text, "vfio-device-syspath:");
	if (at)
		at[strcspn(at, "\n")] = 0;
	at = at ? strrchr(at, '/') : NULL;
	if (at && at[1])
		snprintf(buf, size, "%s", at + 1);
	free(text);
}

static int complain(struct others *o, pid_t pid, const char *device)
{
	char path[32], comm[32] = "?", *text;
	struct hf_error e;
	size_t len;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	if (!hf_read_path(path, 256, &text, &len, &e)) {
		snprintf(comm, sizeof(comm), "%.*s", (int)strcspn(text, "\n"), text);
		free(text);
	}
	return hf_fail_text(o->e, EPERM,
			    "process %d (%s) has %s open and is no VM that was named: save it and "
			    "name it, or give it up with --lose " PID "%d",
			    (int)pid, comm, device, (int)pid);
}

static int look_at_process(struct others *o, pid_t pid)
{
	char path[300], device[64];
	struct dirent *d;
	int err = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	/* It has ended, or we are not root, who alone can jump. */
	if (!dir)
		return 0;
	while (!err && (d = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%s", (int)pid, d->d_name);
		if (*d->d_name == '.' || !is_vfio(path))
			continue;
		name_device(pid, d->d_name, device, sizeof(device));
		/* A device is open once: this is the file that crosses. */
		if (!known_device(o, device))
			err = complain(o, pid, device);
	}
	closedir(dir);
	return err;
}

static int look_at_processes(struct others *o)
{
	DIR *dir = opendir("/proc");
	struct dirent *d;
	int err = 0;

	if (!dir)
		return hf_fail_errno(o->e, errno, "open /proc");
	while (!err && (d = readdir(dir))) {
		pid_t pid = (pid_t)atoi(d->d_name);

		if (pid > 0 && !known_pid(o, pid))
			err = look_at_process(o, pid);
	}
	closedir(dir);
	return err;
}

int hf_others(const char *dir, char *const *names, char *const *lose, bool processes,
	      struct hf_error *e)
{
	struct others o = { .dir = dir, .names = names, .lose = lose, .e = e };
	int err = add_known(&o);

	if (!err)
		err = look_at_vms(&o);
	if (!err && processes)
		err = look_at_processes(&o);
	for (size_t i = 0; i < o.ndevices; i++)
		free(o.devices[i]);
	free(o.devices);
	free(o.pids);
	return err;
}
