// SPDX-License-Identifier: GPL-2.0
/*
 * holdfast vm resume: in the new kernel, rebuild what the VM had and become the VMM.
 *
 * Once the session is taken, the VM hangs on it: when the last one that has it closes it, the
 * kernel stops the devices for good. So from before that a keeper has all that this process has.
 */
#include "../cli.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <holdfast/command.h>
#include <holdfast/config.h>
#include <holdfast/keeper.h>
#include <holdfast/luo.h>
#include <holdfast/rebuild.h>
#include <holdfast/util.h>

/* What `resume` works with. */
struct resume {
	const char *name;
	const char *exec; /* --exec, or NULL */
	char **command; /* behind --, or NULL */
	bool json;
	struct hf_manifest m;
	struct hf_run run;
	struct hf_keeper k;
};

/* A state file is small; a limit only so that there is one. */
#define STATE_MAX (256u << 20)

static char *const *command_of(const struct resume *r)
{
	return r->command ? r->command : r->m.argv;
}

static const char *program_of(const struct resume *r)
{
	return r->exec ? r->exec : command_of(r)[0];
}

/* Can the state file be written where COMMAND will look for it? */
static int check_state_path(char *const *command, struct hf_error *e)
{
	char dir[PATH_MAX], *slash;
	const char *path;
	int err;

	err = hf_command_state_path(command, &path, e);
	if (err)
		return err;
	if (snprintf(dir, sizeof(dir), "%s", path) >= (int)sizeof(dir))
		return hf_fail_text(e, ENAMETOOLONG, "the path of the state file is too long");
	slash = strrchr(dir, '/');
	if (slash)
		slash[slash == dir] = 0;
	if (access(slash ? dir : ".", W_OK | X_OK) < 0)
		return hf_fail_errno(e, errno, "the state file %s cannot be written", path);
	return 0;
}

/* What can be checked before anything is touched: what the operator has said. */
static int check_arguments(const struct resume *r, struct hf_error *e)
{
	int err = 0;

	if (r->exec || r->command)
		err = hf_command_check(program_of(r), environ, e);
	if (!err && r->command)
		err = check_state_path(r->command, e);
	return err;
}

/* What save took comes first. */
static void add_times(struct hf_times *t, const struct hf_times *saved)
{
	const struct hf_times own = *t;

	*t = *saved;
	for (size_t i = 0; i < own.n; i++)
		hf_times_add(t, own.at[i].part, own.at[i].us);
}

/* Read the manifest. */
static int get_manifest(struct resume *r, struct hf_error *e)
{
	int err = hf_keeper_manifest(&r->k, &r->m, e);

	if (err)
		return err;
	add_times(&r->run.times, &r->m.times);
	return hf_run_set_devices(&r->run, &r->m, e);
}

/* The same checks for what the VM was started with, still before its descriptors. */
static int check_command(struct resume *r, struct hf_error *e)
{
	int err;

	if (chdir(r->m.cwd) < 0)
		return hf_fail_errno(e, errno, "the folder of the VM, %s", r->m.cwd);
	err = hf_command_check(program_of(r), r->m.env, e);
	return err ? err : check_state_path(command_of(r), e);
}

/* Whoever is told that the VM has been taken over removes it again; it need not be where we are. */
static int note_state_path(struct resume *r, const char *path, struct hf_error *e)
{
	char *to = r->k.shared->state_path;
	size_t size = sizeof(r->k.shared->state_path);

	r->k.shared->saved_at_us = r->m.saved_at_us;
	if (snprintf(to, size, "%s%s%s", *path == '/' ? "" : r->m.cwd, *path == '/' ? "" : "/",
		     path) < (int)size)
		return 0;
	*to = 0;
	return hf_fail_text(e, ENAMETOOLONG, "the path of the state file is too long");
}

static int write_state(struct resume *r, struct hf_error *e)
{
	const char *path;
	size_t len;
	char *buf;
	int err, fd;

	err = hf_command_state_path(command_of(r), &path, e);
	if (!err)
		err = note_state_path(r, path, e);
	if (err)
		return err;
	fd = hf_luo_retrieve_fd(r->k.shared->session, HF_TOKEN_STATE, "the state of the VM", e);
	if (fd < 0)
		return fd;
	err = hf_read_all(fd, "the state of the VM", STATE_MAX, &buf, &len, e);
	close(fd);
	if (err)
		return err;
	err = hf_replace_file(path, buf, len, e);
	free(buf);
	return err;
}

/* Nothing depends on it: the guest has the device it had, for better or worse. */
static void compare_config(struct resume *r)
{
	size_t noticed, unknown;

	json_object_put(r->run.compared);
	r->run.compared = hf_devices_compare(&r->m, &noticed, &unknown);
	if (noticed)
		cli_say("%s: the guest could see its devices change: holdfast check %s", r->name,
			r->name);
	if (unknown)
		cli_say("%s: config space of %zu devices was not compared: holdfast check %s",
			r->name, unknown, r->name);
}

/* Everything from the session to the point where only the VMM is missing. */
static int set_up(struct resume *r, bool *lost, struct hf_error *e)
{
	struct hf_progress *progress = &r->k.shared->progress;
	struct hf_times *t = &r->run.times;
	uint64_t at = hf_now_us();
	int err;

	*lost = false;
	err = get_manifest(r, e);
	if (!err)
		err = check_command(r, e);
	if (!err)
		err = write_state(r, e);
	if (err)
		return err;
	at = hf_times_since(t, "manifest_state", at);
	err = hf_rebuild_fds(&r->m, r->k.shared->session, progress, lost, e);
	if (err)
		return err;
	at = hf_times_since(t, "retrieve", at);
	err = hf_rebuild_iommu(&r->m, progress, t, e);
	if (err)
		return err;
	at = hf_times_since(t, "rebuild", at);
	err = hf_rebuild_irqs(&r->m, e);
	if (err)
		return err;
	at = hf_times_since(t, "irqs", at);
	compare_config(r);
	hf_times_since(t, "compare", at);
	return 0;
}

/* The kernel has given a part of the VM up. What can be had is put where one can look at it. */
static int give_up(struct resume *r, struct hf_error *e)
{
	char path[PATH_MAX], *text;
	struct hf_error ignored;
	size_t len;

	snprintf(path, sizeof(path), "%s/%s.manifest", cli_run_dir(), r->name);
	if (!hf_manifest_print(&r->m, &text, &len, &ignored)) {
		if (!hf_replace_file(path, text, len, &ignored))
			cli_say("%s: its manifest is in %s, its state in %s", r->name, path,
				r->m.state_path);
		free(text);
	}
	r->run.state = HF_FAILED;
	snprintf(r->run.reason, sizeof(r->run.reason),
		 "%.900s; the VM cannot be resumed, its devices are stopped", e->text);
	cli_record(&r->run);
	hf_keeper_dismiss(&r->k);
	cli_report(&r->run, r->json);
	return CLI_FAILED;
}

static void say_held(const struct hf_run *r)
{
	cli_say("%s: process %d holds the VM: mend what was wrong, then try again: holdfast vm "
		"resume %s [-- COMMAND]",
		r->name, (int)r->pid, r->name);
}

/* In the keeper. */
static void told(const struct hf_run *run, void *arg)
{
	const struct resume *r = arg;

	cli_report(run, r->json);
	if (run->state == HF_HELD)
		say_held(run);
}

/* What was begun has to wait until it is tried again. */
static int hold(struct resume *r, const struct hf_error *why)
{
	struct hf_error e;

	cli_record(&r->run);
	if (hf_keeper_hold(&r->k, why->text, &e)) {
		cli_say("%s: %s", r->name, e.text);
		return cli_fail(r->name, false, why, r->json);
	}
	hf_run_free(&r->run);
	if (hf_run_read(cli_run_dir(), r->name, &r->run, &e))
		return cli_fail(r->name, false, &e, r->json);
	cli_report(&r->run, r->json);
	say_held(&r->run);
	return CLI_FAILED;
}

/* Become the VMM. Returns only if that failed; the keeper sees the end of this process. */
static int become(struct resume *r, int qmp, const sigset_t *signals, struct hf_error *e)
{
	char **argv = hf_command_with_qmp(command_of(r), qmp, e);

	if (!argv)
		return -ENOMEM;
	if (hf_keeper_limit(&r->k, hf_manifest_fd_end(&r->m), e))
		return -e->num;
	umask(r->m.umask);
	/* execvp() looks into PATH of the environment that is current. */
	environ = r->m.env;
	sigprocmask(SIG_SETMASK, signals, NULL);
	execvp(program_of(r), argv);
	return hf_fail_errno(e, errno, "cannot execute %s", program_of(r));
}

/* A QMP connection above the numbers of the VM; @theirs is inherited by the VMM. */
static int make_qmp(const struct resume *r, int *ours, int *theirs, struct hf_error *e)
{
	int pair[2], err;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return hf_fail_errno(e, errno, "socketpair");
	err = hf_fd_above(&pair[0], r->k.base, e);
	if (!err)
		err = hf_fd_above(&pair[1], r->k.base, e);
	if (!err && fcntl(pair[1], F_SETFD, 0) < 0)
		err = hf_fail_errno(e, errno, "QMP connection");
	if (err) {
		close(pair[0]);
		close(pair[1]);
		return err;
	}
	*ours = pair[0];
	*theirs = pair[1];
	return 0;
}

/* Get hold of the VM. Return: 0 or -errno. */
static int take(struct resume *r, struct hf_error *e)
{
	int err = hf_keeper_start(&r->k, e);

	if (err)
		return err;
	err = hf_keeper_take(&r->k, &r->m, e);
	if (err && r->k.shared->hands != HF_HANDS_FULL)
		hf_keeper_dismiss(&r->k);
	return err;
}

static int resume(struct resume *r, const sigset_t *signals)
{
	uint64_t start = hf_now_us();
	int ours = -1, theirs = -1, err;
	struct hf_error e;
	bool lost = false;

	if (check_arguments(r, &e))
		return cli_fail(r->name, true, &e, r->json);
	err = take(r, &e);
	if (err && (!r->k.shared || r->k.shared->hands != HF_HANDS_FULL))
		return cli_fail(r->name, err == -EBUSY, &e, r->json);
	hf_times_since(&r->run.times, "retrieve_session", start);
	cli_record(&r->run);
	if (!err)
		err = set_up(r, &lost, &e);
	if (lost)
		return give_up(r, &e);
	if (!err)
		err = make_qmp(r, &ours, &theirs, &e);
	if (err)
		return hold(r, &e);
	cli_record(&r->run);
	if (hf_keeper_watch(&r->k, ours, theirs, &e))
		return hold(r, &e);
	close(ours);
	/* From here on the keeper has the VM to itself, and sees what becomes of us. */
	become(r, theirs, signals, &e);
	cli_say("%s: %s", r->name, e.text);
	return CLI_FAILED;
}

/* All but those that tell of a fault of our own. */
static void block_signals(sigset_t *old)
{
	sigset_t set;

	cli_signals(&set);
	sigprocmask(SIG_BLOCK, &set, old);
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "exec", required_argument, NULL, 'e' },
		{ "all", no_argument, NULL, 'a' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct resume r = {
		.command = cli_split(&argc, argv),
	};
	bool all = false;
	sigset_t old;
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case 'e':
			r.exec = optarg;
			break;
		case 'a':
			all = true;
			break;
		case 'j':
			r.json = true;
			break;
		case 'h':
			return cli_help(&cli_vm_resume);
		default:
			return cli_usage(&cli_vm_resume, "wrong option");
		}
	}
	if (all && (argc != optind || r.command || r.exec))
		return cli_usage(&cli_vm_resume, "--all goes with --json only");
	if (all)
		return cli_resume_all(r.json);
	if (argc - optind != 1 || !hf_name_valid(argv[optind]))
		return cli_usage(&cli_vm_resume, "one NAME, then perhaps -- COMMAND");
	r.name = argv[optind];
	/* What we were started with is not for the VM, whose numbers these are. */
	close_range(3, ~0u, 0);
	block_signals(&old);
	hf_manifest_init(&r.m);
	hf_run_init(&r.run, r.name);
	r.run.state = HF_RESUMING;
	r.k = (struct hf_keeper){ .dir = cli_run_dir(), .name = r.name, .told = told, .arg = &r };
	return resume(&r, &old);
}

const struct cli_command cli_vm_resume = {
	.name = "vm resume",
	.run = run,
	.usage = "NAME [--exec PATH] [--json] [-- COMMAND ARGS...], or --all [--json]",
	.help = "In the new kernel: take the VM back, rebuild what it had, and become its QEMU.\n"
		"If that fails, a keeper process holds the VM, and resume can be tried again.\n\n"
		"  --all        all VMs that are \"waiting\" or \"held\", each as a process of its own;\n"
		"               return when each is running, or cannot be resumed\n"
		"  --exec PATH  execute PATH instead of the program that was saved\n"
		"  --json       say what has become of it as JSON on stdout\n"
		"  COMMAND      instead of the command line that was saved\n",
};
