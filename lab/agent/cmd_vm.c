// SPDX-License-Identifier: GPL-2.0
/* vm.*: VMs on the host under test, and the helpers that hand them over. */
#include "agent.h"
#include "child.h"
#include "qmp.h"
#include "root.h"
#include "vfio.h"
#include "vmmem.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define MAX_ARGS   160
#define STATE_TEXT 2400 /* of a state file, in one reply */
#define GRACE_US   3000000 /* for whoever has to say what became of a program that ended */
#define TAIL	   1200 /* of a program's output, in one reply */

static int vm_root(struct hf_call *c)
{
	return hf_root_mount(&c->err);
}

/* The child of the argument "name". Return: 0 or -errno. */
static int arg_child(struct hf_call *c, struct hf_child **child)
{
	char name[HF_CHILD_NAME];
	int err = hf_arg_str(c, "name", NULL, name, sizeof(name));

	if (err)
		return err;
	hf_child_reap();
	*child = hf_child_find(name);
	return *child ? 0 : hf_fail(&c->err, ESRCH, "program \"%s\"", name);
}

static int arg_deadline(struct hf_call *c, uint64_t def_ms, uint64_t *end_us)
{
	uint64_t ms;
	int err = hf_arg_u64(c, "timeout_ms", def_ms, &ms);

	if (!err && ms > 3600000)
		err = hf_fail(&c->err, ERANGE, "timeout_ms");
	*end_us = err ? 0 : hf_now_us() + ms * 1000;
	return err;
}

static int vm_start(struct hf_call *c)
{
	char text[HF_LINE_MAX], *argv[MAX_ARGS + 1], name[HF_CHILD_NAME];
	struct hf_child *child;
	int err = hf_arg_str(c, "name", NULL, name, sizeof(name));

	if (!err)
		err = hf_arg_argv(c, text, sizeof(text), argv, MAX_ARGS);
	if (!err)
		err = hf_child_start(name, argv, &child, &c->err);
	if (!err)
		hf_msg_u64(c->out, "pid", (uint64_t)child->pid);
	return err;
}

static void out_child(struct hf_call *c, const struct hf_child *child)
{
	char tail[TAIL + 1];

	hf_msg_bool(c->out, "running", child->pid);
	hf_msg_u64(c->out, "pid", (uint64_t)child->pid);
	hf_msg_s64(c->out, "exit", child->exit);
	hf_child_tail(child, tail, sizeof(tail));
	hf_msg_str(c->out, "tail", tail);
}

static int vm_status(struct hf_call *c)
{
	struct hf_child *child;
	int err = arg_child(c, &child);

	if (!err)
		out_child(c, child);
	return err;
}

/* Wait for the end of a program; with "unwanted" that is an error, with what it said. */
static int vm_exit(struct hf_call *c)
{
	struct hf_child *child;
	struct pollfd p = { .events = POLLIN };
	uint64_t end, now;
	bool unwanted;
	int err = arg_child(c, &child);

	if (!err)
		err = arg_deadline(c, 10000, &end);
	if (!err)
		err = hf_arg_bool(c, "unwanted", &unwanted);
	if (err)
		return err;
	while (child->pid && (now = hf_now_us()) < end) {
		p.fd = child->pidfd;
		poll(&p, 1, (int)((end - now) / 1000 + 1));
		hf_child_reap();
	}
	if (child->pid)
		return hf_fail(&c->err, ETIMEDOUT, "the end of %s", child->name);
	if (unwanted) {
		char tail[128];

		hf_child_tail(child, tail, sizeof(tail));
		return hf_fail(&c->err, ECHILD, "%s ended with %d: %s", child->name, child->exit,
			       tail);
	}
	out_child(c, child);
	return 0;
}

static int vm_kill(struct hf_call *c)
{
	struct hf_child *child;
	uint64_t sig;
	int err = arg_child(c, &child);

	if (!err)
		err = hf_arg_u64(c, "signal", SIGKILL, &sig);
	if (err)
		return err;
	if (!child->pid)
		return hf_fail(&c->err, ESRCH, "%s", child->name);
	return kill(child->pid, (int)sig) < 0 ? hf_fail(&c->err, errno, "kill %s", child->name) : 0;
}

static int vm_bind(struct hf_call *c)
{
	char bdf[16], native[32];
	bool back;
	int err = hf_arg_str(c, "bdf", NULL, bdf, sizeof(bdf));

	if (!err)
		err = hf_arg_bool(c, "native", &back);
	if (err)
		return err;
	if (!hf_valid_bdf(bdf))
		return hf_fail(&c->err, EINVAL, "bdf \"%s\"", bdf);
	if (back)
		return hf_vfio_unbind_driver(bdf, &c->err);
	err = hf_vfio_bind_driver(bdf, native, &c->err);
	if (!err)
		hf_msg_str(c->out, "native", native);
	return err;
}

/* The folder of the state files, and whatever of it there is so far. */
static void watch_states(int fd)
{
	static const char *const dirs[] = { HF_ROOT "/run", HF_ROOT "/run/holdfast", HF_VM_STATES };

	for (size_t i = 0; i < HF_ARRAY_SIZE(dirs); i++)
		inotify_add_watch(fd, dirs[i], IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE);
}

/* The state file of @name, and the state in it ("" when there is none). */
static void read_state(const char *name, char *text, size_t size, char *state, size_t state_size)
{
	char path[sizeof(HF_VM_STATES) + HF_CHILD_NAME + 8];
	struct hf_json obj;
	long n;

	snprintf(path, sizeof(path), "%s/%s.json", HF_VM_STATES, name);
	n = hf_read_file(path, text, size);
	state[0] = 0;
	if (n < 0)
		text[0] = 0;
	else if (!hf_json_parse(text, (size_t)n, &obj) &&
		 hf_json_str(hf_json_get(obj, "state"), state, state_size))
		state[0] = 0;
}

/* Is @state one of the words of @list, which commas separate? */
static bool listed(const char *list, const char *state)
{
	size_t len = strlen(state);

	for (const char *p = list; len && (p = strstr(p, state)); p++)
		if ((p == list || p[-1] == ',') && (!p[len] || p[len] == ','))
			return true;
	return false;
}

static void tell_state(const char *name, const char *state)
{
	struct hf_msg m;

	hf_event_begin(&m, "vm");
	hf_msg_str(&m, "name", name);
	hf_msg_str(&m, "state", state);
	hf_event_end(&m);
}

struct wait_args {
	char name[HF_CHILD_NAME], by[HF_CHILD_NAME], states[128];
	uint64_t end;
};

static int get_wait(struct hf_call *c, struct wait_args *a)
{
	int err = hf_arg_str(c, "name", NULL, a->name, sizeof(a->name));

	if (!err)
		err = hf_arg_str(c, "by", a->name, a->by, sizeof(a->by));
	if (!err)
		err = hf_arg_str(c, "states", NULL, a->states, sizeof(a->states));
	return err ? err : arg_deadline(c, 30000, &a->end);
}

static int ended_early(struct hf_call *c, const struct wait_args *a, const struct hf_child *by)
{
	char tail[128];

	hf_child_tail(by, tail, sizeof(tail));
	return hf_fail(&c->err, ECHILD, "%s ended with %d before it was %s: %s", by->name, by->exit,
		       a->states, tail);
}

static int vm_wait(struct hf_call *c)
{
	char text[STATE_TEXT + 1], state[32], last[32] = "", junk[4096];
	struct pollfd p[2] = { { .events = POLLIN }, { .fd = -1, .events = POLLIN } };
	struct hf_child *by;
	uint64_t ended_us = 0;
	struct wait_args a;
	int err = get_wait(c, &a);

	if (err)
		return err;
	p[0].fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (p[0].fd < 0)
		return hf_fail(&c->err, errno, "inotify");
	for (;;) {
		uint64_t now = hf_now_us();

		hf_child_reap();
		by = hf_child_find(a.by);
		if (!ended_us && by && !by->pid) {
			ended_us = now;
			if (a.end > now + GRACE_US)
				a.end = now + GRACE_US;
		}
		watch_states(p[0].fd);
		read_state(a.name, text, sizeof(text), state, sizeof(state));
		if (state[0] && strcmp(state, last)) {
			tell_state(a.name, state);
			strcpy(last, state);
		}
		if (listed(a.states, state))
			break;
		if (now >= a.end && ended_us)
			err = ended_early(c, &a, by);
		else if (now >= a.end)
			err = hf_fail(&c->err, ETIMEDOUT, "%s is \"%s\", not %s", a.name, state,
				      a.states);
		if (err)
			break;
		p[1].fd = by ? by->pidfd : -1;
		poll(p, 2, (int)((a.end - now) / 1000 + 1));
		while (read(p[0].fd, junk, sizeof(junk)) > 0)
			;
	}
	close(p[0].fd);
	if (!err) {
		hf_msg_str(c->out, "state", state);
		hf_msg_str(c->out, "text", text);
	}
	return err;
}

/* An event of the monitor on its way to the runner. */
static void pass_on(const char *name, const char *line)
{
	struct hf_msg m;

	hf_event_begin(&m, "qmp");
	hf_msg_str(&m, "name", name);
	hf_msg_str(&m, "text", line);
	hf_event_end(&m);
}

/* Until the answer is there, if one is to come, and then the event, if one is wanted. */
static int converse(struct hf_call *c, struct hf_qmp *q, const char *name, bool answer,
		    const char *event, uint64_t end)
{
	while (answer || event[0]) {
		char word[64], *line;
		struct hf_json obj;
		int err = hf_qmp_line(q, &line, end, &c->err);

		if (err)
			return err;
		if (hf_json_parse(line, strlen(line), &obj))
			continue;
		if (hf_json_get(obj, "return").p || hf_json_get(obj, "error").p) {
			hf_msg_str(c->out, "answer", line);
			answer = false;
			if (hf_json_get(obj, "error").p)
				return 0;
		} else if (!hf_json_str(hf_json_get(obj, "event"), word, sizeof(word))) {
			pass_on(name, line);
			if (!strcmp(word, event))
				event = "";
		}
	}
	return 0;
}

static int vm_qmp(struct hf_call *c)
{
	char name[HF_CHILD_NAME], line[HF_LINE_MAX], event[64], path[96];
	static struct hf_qmp q;
	uint64_t end;
	int err = hf_arg_str(c, "name", NULL, name, sizeof(name));

	if (!err)
		err = hf_arg_str(c, "line", "", line, sizeof(line) - 1);
	if (!err)
		err = hf_arg_str(c, "event", "", event, sizeof(event));
	if (!err)
		err = arg_deadline(c, 10000, &end);
	if (err)
		return err;
	snprintf(path, sizeof(path), "%s/run/%s.qmp", HF_ROOT, name);
	err = hf_qmp_open(&q, path, end, &c->err);
	if (err)
		return err;
	if (line[0]) {
		strcat(line, "\n");
		err = hf_qmp_send(&q, line, &c->err);
	}
	if (!err)
		err = converse(c, &q, name, line[0], event, end);
	hf_qmp_close(&q);
	return err;
}

static int vm_mem(struct hf_call *c)
{
	struct hf_child *child;
	uint64_t slot, bytes;
	int err = arg_child(c, &child);

	if (!err)
		err = hf_arg_u64(c, "slot", 0, &slot);
	if (!err)
		err = hf_vm_send_mem(child->pid, (unsigned int)slot, &bytes, &c->err);
	if (!err)
		hf_msg_u64(c->out, "bytes", bytes);
	return err;
}

static int vm_ring(struct hf_call *c)
{
	struct hf_vm_ring r;
	char bdf[16];
	int err = hf_arg_str(c, "bdf", NULL, bdf, sizeof(bdf));

	if (err)
		return err;
	if (!hf_valid_bdf(bdf))
		return hf_fail(&c->err, EINVAL, "bdf \"%s\"", bdf);
	err = hf_vm_ring(bdf, &r, &c->err);
	if (err)
		return err;
	hf_msg_u64(c->out, "base", r.base);
	hf_msg_u64(c->out, "len", r.len);
	hf_msg_u64(c->out, "srrctl", r.srrctl);
	hf_msg_u64(c->out, "head", r.head);
	hf_msg_u64(c->out, "tail", r.tail);
	return 0;
}

static const struct hf_cmd vm_cmds[] = {
	{ "vm.root", vm_root }, { "vm.start", vm_start }, { "vm.status", vm_status },
	{ "vm.exit", vm_exit }, { "vm.kill", vm_kill },	  { "vm.bind", vm_bind },
	{ "vm.wait", vm_wait }, { "vm.qmp", vm_qmp },	  { "vm.mem", vm_mem },
	{ "vm.ring", vm_ring }, { NULL, NULL },
};
HF_COMMANDS(vm_cmds);
