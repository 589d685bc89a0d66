// SPDX-License-Identifier: GPL-2.0
/*
 * init of the lab's host under test: mounts what it needs, tells the runner
 * that this kernel has come up, and then does what it is told.
 * lab/PROTOCOL.md is the contract.
 */
#include "agent.h"
#include "child.h"
#include "port.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#define PORT_TIMEOUT_MS 30000

extern const struct hf_cmd *const __start_hf_commands[], *const __stop_hf_commands[];

void hf_event_begin(struct hf_msg *m, const char *name)
{
	hf_msg_begin(m);
	hf_msg_str(m, "ev", name);
	hf_msg_u64(m, "t_us", hf_now_us());
}

void hf_event_end(struct hf_msg *m)
{
	size_t len = hf_msg_end(m);

	hf_port_send(m->buf, len);
}

int hf_arg_u64(struct hf_call *c, const char *key, uint64_t def, uint64_t *out)
{
	int err = hf_json_u64(hf_json_get(c->args, key), out);

	if (err == -ENOENT && def != HF_REQUIRED) {
		*out = def;
		return 0;
	}
	return err ? hf_fail(&c->err, -err, "argument \"%s\"", key) : 0;
}

int hf_arg_bool(struct hf_call *c, const char *key, bool *out)
{
	uint64_t v;
	int err = hf_arg_u64(c, key, 0, &v);

	*out = !err && v;
	return err;
}

int hf_arg_str(struct hf_call *c, const char *key, const char *def, char *buf, size_t size)
{
	int err = hf_json_str(hf_json_get(c->args, key), buf, size);

	if (err == -ENOENT && def && strlen(def) < size) {
		strcpy(buf, def);
		return 0;
	}
	return err ? hf_fail(&c->err, -err, "argument \"%s\"", key) : 0;
}

static void reply_begin(struct hf_call *c)
{
	hf_msg_begin(c->out);
	hf_msg_u64(c->out, "re", c->id);
}

void hf_reply(struct hf_call *c, int err)
{
	if (c->replied)
		return;
	/* Results of a command that failed half way would look like facts. */
	if (err) {
		reply_begin(c);
		hf_msg_bool(c->out, "ok", false);
		hf_msg_s64(c->out, "errno", -err);
		hf_msg_str(c->out, "error", c->err.text[0] ? c->err.text : strerror(-err));
	} else {
		hf_msg_last(c->out);
		hf_msg_bool(c->out, "ok", true);
	}
	hf_msg_u64(c->out, "t_us", hf_now_us());
	hf_event_end(c->out);
	c->replied = true;
}

static hf_cmd_fn find_cmd(const char *name)
{
	for (const struct hf_cmd *const *t = __start_hf_commands; t < __stop_hf_commands; t++)
		for (const struct hf_cmd *cmd = *t; cmd->name; cmd++)
			if (!strcmp(cmd->name, name))
				return cmd->fn;
	return NULL;
}

static void send_error(const char *text)
{
	struct hf_msg m;

	hf_event_begin(&m, "error");
	hf_msg_str(&m, "text", text);
	hf_event_end(&m);
}

static void do_line(const char *line, size_t len)
{
	static struct hf_msg out;
	struct hf_call c = { .out = &out };
	struct hf_json obj;
	char name[32];
	hf_cmd_fn fn;
	int err;

	if (hf_json_parse(line, len, &obj) || hf_json_u64(hf_json_get(obj, "id"), &c.id)) {
		send_error("not a command");
		return;
	}
	c.args = hf_json_get(obj, "args");
	reply_begin(&c);
	err = hf_json_str(hf_json_get(obj, "cmd"), name, sizeof(name));
	fn = err ? NULL : find_cmd(name);
	err = fn ? fn(&c) : hf_fail(&c.err, ENOSYS, "command \"%s\"", err ? "" : name);
	hf_reply(&c, err);
}

/* Each mount is optional here; what it is needed for says so when it is missing. */
static void mount_all(void)
{
	static const struct {
		const char *src, *dir, *type, *opts;
		unsigned long flags;
	} m[] = {
		{ "proc", "/proc", "proc", "", 0 },
		{ "sysfs", "/sys", "sysfs", "", 0 },
		{ "devtmpfs", "/dev", "devtmpfs", "", 0 },
		{ "debugfs", "/sys/kernel/debug", "debugfs", "", 0 },
		{ "tmpfs", "/tmp", "tmpfs", "", 0 },
		{ "share", "/share", "9p", "trans=virtio,version=9p2000.L,cache=loose", MS_RDONLY },
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(m); i++) {
		mkdir(m[i].dir, 0755);
		if (mount(m[i].src, m[i].dir, m[i].type, m[i].flags, m[i].opts) < 0 &&
		    errno != EBUSY)
			fprintf(stderr, "holdfast: mount %s: %s\n", m[i].dir, strerror(errno));
	}
}

static void send_boot(void)
{
	char cmdline[2049];
	struct utsname u;
	struct stat root, share;
	struct hf_msg m;

	uname(&u);
	if (hf_read_file("/proc/cmdline", cmdline, sizeof(cmdline)) < 0)
		cmdline[0] = 0;
	cmdline[strcspn(cmdline, "\n")] = 0;
	hf_event_begin(&m, "boot");
	hf_msg_str(&m, "release", u.release);
	hf_msg_str(&m, "version", u.version);
	hf_msg_str(&m, "cmdline", cmdline);
	hf_msg_u64(&m, "generation", hf_generation());
	hf_msg_bool(&m, "share",
		    !stat("/", &root) && !stat("/share", &share) && root.st_dev != share.st_dev);
	hf_event_end(&m);
}

int main(void)
{
	static char line[HF_LINE_MAX + 1];
	struct rlimit files = { 65536, 65536 };
	long n;

	if (getpid() != 1) {
		fprintf(stderr, "holdfast guest agent: runs as init of the lab's VM\n");
		return 2;
	}
	mount_all();
	setrlimit(RLIMIT_NOFILE, &files);
	signal(SIGPIPE, SIG_IGN);
	if (hf_port_open(PORT_TIMEOUT_MS)) {
		fprintf(stderr, "holdfast: no virtio-serial port named holdfast.ctl\n");
		reboot(RB_POWER_OFF);
	}
	send_boot();
	for (;;) {
		n = hf_port_recv(line, sizeof(line));
		if (n < 0)
			send_error("line too long");
		else if (n > 0)
			do_line(line, (size_t)n);
		/* init inherits whatever a program left behind. */
		hf_child_reap();
	}
}
