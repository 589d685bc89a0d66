// SPDX-License-Identifier: GPL-2.0
/*
 * holdfast vm save: executed by QEMU in its own place, with all that makes up the
 * VM in its descriptors. Until the jump this process is the VM. Whatever goes wrong,
 * it gives the VM back by executing COMMAND, as if it had never been there.
 */
#include "../cli.h"

#include <errno.h>
#include <getopt.h>
#include <linux/limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <holdfast/command.h>
#include <holdfast/config.h>
#include <holdfast/fdkind.h>
#include <holdfast/index.h>
#include <holdfast/kexec.h>
#include <holdfast/lock.h>
#include <holdfast/luo.h>
#include <holdfast/others.h>
#include <holdfast/save.h>
#include <holdfast/util.h>

/* For the keeper of the last update to end. */
#define PATIENCE_MS 2000

struct save {
	const char *name; /* NULL: not known, so nothing is recorded */
	char **command; /* what takes the VM back; NULL: not to be found */
	bool kexec, json;
	int *drop;
	size_t ndrop;
	char **lose; /* --kexec: who else may be lost */
	char **personas; /* [BDF=]MAP */
	size_t npersonas;
	int session, index; /* -1: none */
	int lock; /* HF_LOCK_OWNER, until COMMAND is executed */
	struct hf_manifest m;
	struct hf_run run;
	sigset_t inherited; /* signal mask for COMMAND */
};

/* Of these, hf_jump_signals() call the update off. */
static void block_signals(struct save *s)
{
	sigset_t set;

	cli_signals(&set);
	sigprocmask(SIG_BLOCK, &set, &s->inherited);
}

/* COMMAND must not be hit by what was meant for us; what it blocks itself it was sent. */
static void restore_signals(const struct save *s)
{
	const struct timespec now = { 0 };
	sigset_t set;

	sigfillset(&set);
	for (int sig = 1; sig < SIGRTMAX; sig++)
		if (sigismember(&s->inherited, sig) > 0)
			sigdelset(&set, sig);
	while (sigtimedwait(&set, NULL, &now) > 0)
		;
	sigprocmask(SIG_SETMASK, &s->inherited, NULL);
}

/* Undo everything. Before anything is told, so that it is true. */
static void undo(struct save *s)
{
	if (s->index >= 0)
		close(s->index);
	if (s->session >= 0)
		close(s->session);
	s->session = s->index = -1;
}

/* Be the VMM again. Returns only if that cannot be executed. */
static int give_back(struct save *s, int code)
{
	char **argv;
	struct hf_error e;

	if (!s->command) {
		cli_say("there is no -- COMMAND to give the VM back to");
		return code;
	}
	/* The monitor of an earlier update refers to a descriptor that is not there. */
	argv = hf_command_with_qmp(s->command, -1, &e);
	if (!argv)
		argv = s->command;
	restore_signals(s);
	execvp(argv[0], argv);
	hf_fail_errno(&e, errno, "cannot execute %s", argv[0]);
	cli_say("the VM is lost: %s", e.text);
	if (s->name) {
		s->run.state = HF_FAILED;
		snprintf(s->run.reason, sizeof(s->run.reason), "%s", e.text);
		cli_record(&s->run);
	}
	return CLI_FAILED;
}

static int refuse(struct save *s, const char *why, int code)
{
	undo(s);
	s->run.state = HF_REFUSED;
	snprintf(s->run.reason, sizeof(s->run.reason), "%s", why);
	if (s->name)
		cli_record(&s->run);
	cli_report(&s->run, s->json);
	return give_back(s, code);
}

static int refuse_usage(struct save *s, const char *why)
{
	cli_say("usage: holdfast vm save %s", cli_vm_save.usage);
	return refuse(s, why, CLI_USAGE);
}

/* The record of another VM that goes by the same name must not be overwritten. */
static int check_free(const char *name, struct hf_error *e)
{
	struct hf_run last;
	int fd = -1, err;

	err = hf_run_read(cli_run_dir(), name, &last, e);
	if (!err && last.state == HF_WAITING)
		err = hf_fail_text(e, EBUSY,
				   "VM %s came from the last kernel and waits to be resumed", name);
	else if (!err && last.pid != getpid())
		fd = hf_run_pidfd(&last, e);
	else if (!err && last.state == HF_RESUMING)
		err = hf_fail_text(e, EBUSY, "the last update of VM %s is not finished yet", name);
	if (err != -EBUSY)
		err = 0;
	if (fd >= 0) {
		close(fd);
		err = hf_fail_text(e, EEXIST, "VM %s is process %d, which is another one", name,
				   (int)last.pid);
	}
	hf_run_free(&last);
	return err;
}

/* Be the only one of that name. */
static int own(struct save *s, const char *name, struct hf_error *e)
{
	struct hf_error why;
	int err;

	s->lock = hf_lock_open(cli_run_dir(), name, e);
	if (s->lock < 0)
		return s->lock;
	/* The keeper of the last update is told to be done a moment before it is. */
	err = hf_lock(s->lock, HF_LOCK_OWNER, HF_ALONE, PATIENCE_MS, e);
	if (err == -EBUSY && !check_free(name, &why))
		return hf_fail_text(e, EBUSY, "VM %s is being saved or resumed by another process",
				    name);
	if (err == -EBUSY)
		*e = why;
	return err ? err : check_free(name, e);
}

/* What is not in the descriptors: how to start it again. */
static int describe(struct save *s, struct hf_error *e)
{
	struct hf_manifest *m = &s->m;
	const char *path;
	struct timespec t;
	char cwd[PATH_MAX];
	int err;

	err = hf_command_state_path(s->command, &path, e);
	if (err)
		return err;
	clock_gettime(CLOCK_REALTIME, &t);
	m->saved_at_us = (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
	snprintf(m->name, sizeof(m->name), "%s", s->name);
	if (!getcwd(cwd, sizeof(cwd)))
		return hf_fail_errno(e, errno, "current folder");
	m->cwd = hf_strdup(cwd, e);
	m->state_path = hf_strdup(path, e);
	m->argv = hf_command_with_qmp(s->command, -1, e);
	m->env = hf_strv_dup(environ, hf_strv_len(environ), e);
	m->umask = umask(0);
	umask(m->umask);
	return m->cwd && m->state_path && m->argv && m->env ? 0 : -ENOMEM;
}

/* So that one can ask in the new kernel which VMs there are. */
static int enter(struct save *s, struct hf_error *e)
{
	s->index = hf_index_add(s->name, s->run.devices, e);
	if (s->index == -ENOSPC)
		cli_say("%s: `vm list` will not know of it in the new kernel: %s", s->name,
			e->text);
	return s->index < 0 && s->index != -ENOSPC ? s->index : 0;
}

/* Everything up to the point where a kexec may come. */
static int prepare(struct save *s, struct hf_error *e)
{
	char *names[] = { s->run.name, NULL };
	struct hf_times *t = &s->m.times;
	uint64_t start = hf_now_us(), at = start;
	int err;

	err = describe(s, e);
	if (!err && s->kexec) {
		cli_collect();
		err = hf_kexec_loaded(e);
	}
	if (!err && s->kexec)
		err = hf_others(cli_run_dir(), names, s->lose, false, e);
	if (err)
		return err;
	/* First: on a kernel that cannot do it, no descriptor is to blame. */
	s->session = hf_luo_create(s->name, e);
	if (s->session < 0)
		return s->session;
	err = hf_fds_collect(&s->m, s->drop, s->ndrop, e);
	if (err)
		return err;
	at = hf_times_since(t, "classify", at);
	err = hf_save_preserve(&s->m, s->session, e);
	if (err)
		return err;
	at = hf_times_since(t, "preserve", at);
	err = hf_save_query(&s->m, e);
	if (!err)
		err = hf_devices_read(&s->m, e);
	for (size_t i = 0; i < s->npersonas && !err; i++)
		err = hf_devices_persona(&s->m, s->personas[i], e);
	if (err)
		return err;
	at = hf_times_since(t, "query", at);
	err = hf_save_manifest(&s->m, s->session, e);
	if (!err)
		err = hf_run_set_devices(&s->run, &s->m, e);
	if (!err)
		err = enter(s, e);
	hf_times_since(t, "manifest", at);
	hf_times_since(t, "save", start);
	return err;
}

/*
 * Wait until the update is called off. The signal stays pending until nobody can jump any more,
 * so that who wants to jump sees it. Return: the signal, or -errno.
 */
static int wait_signal(struct save *s, struct hf_error *e)
{
	sigset_t set;
	struct pollfd p = { .events = POLLIN };
	int err;

	hf_jump_signals(&set);
	p.fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (p.fd < 0)
		return hf_fail_errno(e, errno, "signalfd");
	while (poll(&p, 1, -1) < 1)
		;
	close(p.fd);
	err = hf_lock(s->lock, HF_LOCK_JUMP, HF_SHARED, -1, e);
	return err ? err : sigwaitinfo(&set, NULL);
}

static int cancelled(int sig, struct hf_error *e)
{
	return hf_fail_text(e, ECANCELED, "cancelled by %s", sigdescr_np(sig));
}

static int jump_alone(struct save *s, struct hf_error *e)
{
	char *names[] = { s->run.name, NULL };
	const struct timespec now = { 0 };
	struct hf_jump j;
	sigset_t set;
	int err, sig;

	err = hf_jump_init(&j, cli_run_dir(), names, s->lose, e);
	if (err)
		return err;
	err = hf_kexec_jump(&j, e);
	hf_jump_free(&j);
	hf_jump_signals(&set);
	sig = sigtimedwait(&set, NULL, &now);
	return err == -ECANCELED && sig > 0 ? cancelled(sig, e) : err;
}

/* Jump, or wait until somebody jumps. Returns with the reason why nobody did. */
static int jump(struct save *s, struct hf_error *e)
{
	int sig;

	if (s->kexec)
		return jump_alone(s, e);
	sig = wait_signal(s, e);
	return sig < 0 ? sig : cancelled(sig, e);
}

static int save(struct save *s)
{
	struct hf_error e;

	cli_record(&s->run);
	if (prepare(s, &e))
		return refuse(s, e.text, CLI_REFUSED);
	s->run.state = HF_READY;
	s->run.times = s->m.times;
	/* Who waits for "ready" has to see it, or nobody will jump. */
	if (hf_run_write(cli_run_dir(), &s->run, &e))
		return refuse(s, e.text, CLI_REFUSED);
	cli_report(&s->run, s->json);
	if (jump(s, &e) != -ECANCELED)
		return refuse(s, e.text, CLI_REFUSED);
	undo(s);
	s->run.state = HF_RUNNING;
	snprintf(s->run.reason, sizeof(s->run.reason), "%s", e.text);
	cli_record(&s->run);
	cli_report(&s->run, s->json);
	return give_back(s, CLI_OK);
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "kexec", no_argument, NULL, 'k' },
		{ "lose", required_argument, NULL, 'l' },
		{ "drop-fd", required_argument, NULL, 'd' },
		{ "persona", required_argument, NULL, 'p' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct save s = {
		.session = -1, .index = -1, .lock = -1, .command = cli_split(&argc, argv)
	};
	struct hf_error e;
	char **map;
	long n;
	int c, *p;

	block_signals(&s);
	hf_manifest_init(&s.m);
	hf_run_init(&s.run, "");
	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case 'k':
			s.kexec = true;
			break;
		case 'j':
			s.json = true;
			break;
		case 'l':
			if (!hf_others_valid(optarg))
				return refuse_usage(&s, "--lose wants NAME or pid:N");
			if (!hf_strv_add(&s.lose, optarg, &e))
				return refuse(&s, e.text, CLI_REFUSED);
			break;
		case 'd':
			if (!cli_number(optarg, 3, INT32_MAX, &n))
				return refuse_usage(&s, "--drop-fd wants a number from 3 upwards");
			p = hf_append(&s.drop, &s.ndrop, sizeof(*p), &e);
			if (!p)
				return refuse(&s, e.text, CLI_REFUSED);
			*p = (int)n;
			break;
		case 'p':
			map = hf_append(&s.personas, &s.npersonas, sizeof(*map), &e);
			if (!map)
				return refuse(&s, e.text, CLI_REFUSED);
			*map = optarg;
			break;
		case 'h':
			if (!s.command)
				return cli_help(&cli_vm_save);
			return refuse_usage(&s, "--help together with a COMMAND");
		default:
			return refuse_usage(&s, "wrong option");
		}
	}
	if (optind >= argc)
		return refuse_usage(&s, "NAME is missing");
	if (!hf_name_valid(argv[optind]))
		return refuse_usage(&s, "NAME has to be 1 to 48 of A-Z a-z 0-9 . _ -");
	if (!s.command)
		return refuse_usage(&s, "-- COMMAND is missing");
	if (argc - optind != 1)
		return refuse_usage(&s, "one NAME, then -- COMMAND");
	if (own(&s, argv[optind], &e))
		return refuse(&s, e.text, CLI_REFUSED);
	s.name = argv[optind];
	hf_run_init(&s.run, s.name);
	return save(&s);
}

const struct cli_command cli_vm_save = {
	.name = "vm save",
	.run = run,
	.usage =
		"NAME [--kexec [--lose NAME|pid:N]...] [--drop-fd N]... [--persona [BDF=]MAP]... [--json] -- COMMAND "
		"ARGS...",
	.help = "Executed by QEMU through cpr-exec-command. Preserves the VM and waits for the\n"
		"kexec. If anything stands in the way, prints the reason and executes COMMAND,\n"
		"which takes the VM back in this kernel.\n\n"
		"  --kexec      jump into the loaded kernel as soon as the VM is preserved\n"
		"  --lose NAME|pid:N\n"
		"               with --kexec: this VM, or process with a vfio device, may be lost\n"
		"  --drop-fd N  leave descriptor N behind\n"
		"  --persona [BDF=]MAP\n"
		"               what the guest may see of the device, see persona-map(5); after the\n"
		"               update `holdfast check` tells what it could see change\n"
		"  --json       say what has become of it as JSON on stdout\n"
		"  COMMAND      the QEMU to start, with -incoming file:PATH\n",
};
