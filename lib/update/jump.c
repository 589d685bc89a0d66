// SPDX-License-Identifier: LGPL-2.1-or-later
/* The last look at VMs before the jump. */
#include <holdfast/jump.h>

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <holdfast/lock.h>
#include <holdfast/others.h>
#include <holdfast/runfile.h>
#include <holdfast/util.h>

static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT };

void hf_jump_signals(sigset_t *set)
{
	sigemptyset(set);
	for (size_t i = 0; i < HF_ARRAY_SIZE(signals); i++)
		sigaddset(set, signals[i]);
}

int hf_jump_init(struct hf_jump *j, const char *dir, char *const *names, char *const *lose,
		 struct hf_error *e)
{
	int err = 0;

	*j = (struct hf_jump){ .dir = dir, .names = names, .lose = lose };
	j->locks = hf_calloc(hf_strv_len(names), sizeof(*j->locks), e);
	if (!j->locks)
		return -ENOMEM;
	for (; !err && names[j->n]; j->n++) {
		j->locks[j->n] = hf_lock_open(dir, names[j->n], e);
		if (j->locks[j->n] < 0)
			err = j->locks[j->n];
	}
	if (err)
		hf_jump_free(j);
	return err;
}

void hf_jump_free(struct hf_jump *j)
{
	for (size_t i = 0; i < j->n; i++)
		if (j->locks[i] >= 0)
			close(j->locks[i]);
	free(j->locks);
	*j = (struct hf_jump){ 0 };
}

/* One that calls an update off and that process @pid has not taken yet; 0: none. */
static int pending(pid_t pid)
{
	unsigned long long own = 0, shared = 0;
	char path[32], *buf, *p;
	struct hf_error e;
	size_t len;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if (hf_read_path(path, 65536, &buf, &len, &e))
		return 0;
	p = strstr(buf, "\nSigPnd:");
	if (p)
		own = strtoull(p + strlen("\nSigPnd:"), NULL, 16);
	p = strstr(buf, "\nShdPnd:");
	if (p)
		shared = strtoull(p + strlen("\nShdPnd:"), NULL, 16);
	free(buf);
	for (size_t i = 0; i < HF_ARRAY_SIZE(signals); i++)
		if ((own | shared) >> (signals[i] - 1) & 1)
			return signals[i];
	return 0;
}

static int look_at(const struct hf_run *r, struct hf_error *e)
{
	int fd, sig;

	if (r->state != HF_READY)
		return hf_fail_text(e, ECANCELED, "VM %s is %s: %.900s", r->name,
				    hf_state_name(r->state),
				    r->reason[0] ? r->reason : "it was called off");
	fd = hf_run_pidfd(r, e);
	if (fd < 0)
		return fd;
	close(fd);
	sig = pending(r->pid);
	if (sig)
		return hf_fail_text(e, ECANCELED, "VM %s was called off by %s", r->name,
				    sigdescr_np(sig));
	return 0;
}

/* Named twice, it is held once. */
static bool named_before(const struct hf_jump *j, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (!strcmp(j->names[k], j->names[i]))
			return true;
	return false;
}

static int hold(struct hf_jump *j, size_t i, struct hf_error *e)
{
	struct hf_run r;
	int err;

	if (named_before(j, i))
		return 0;
	err = hf_lock(j->locks[i], HF_LOCK_JUMP, HF_ALONE, 0, e);

	if (err == -EBUSY)
		return hf_fail_text(e, EBUSY,
				    "VM %s: another jump is under way, or it is being called off",
				    j->names[i]);
	if (err)
		return err;
	err = hf_run_read(j->dir, j->names[i], &r, e);
	if (!err)
		err = look_at(&r, e);
	hf_run_free(&r);
	return err;
}

int hf_jump_hold(struct hf_jump *j, struct hf_error *e)
{
	int err = 0;

	for (size_t i = 0; i < j->n && !err; i++)
		err = hold(j, i, e);
	if (!err)
		err = hf_others(j->dir, j->names, j->lose, true, e);
	if (!err && pending(getpid()))
		err = hf_fail_text(e, ECANCELED, "interrupted");
	return err;
}
