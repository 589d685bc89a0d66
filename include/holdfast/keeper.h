/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The keeper: a process that has every descriptor of a VM from before the first of them is
 * there until the VMM has taken over, or for as long as it takes to try again.
 *
 * It shares its table of descriptors with the one that rebuilds the VM, the worker, and looks at
 * nothing that came from the old kernel. So the worker may crash or be killed at any point: what it
 * had the keeper has, and the count of what was done is in memory that they share. Before the
 * worker executes the VMM the tables are separated.
 *
 *	worker					keeper
 *	hf_keeper_start()			waits for a word, or for the worker's end
 *	hf_keeper_take(): session, locks
 *	rebuilds, counting in k->shared
 *	either	hf_keeper_watch(), execve()	asks by QMP; at the end finishes, or holds
 *	or	hf_keeper_hold(), exit()	holds
 *	or	hf_keeper_dismiss(), exit()	ends
 *	or	ends without a word		holds, once there is a session
 */
#ifndef HOLDFAST_KEEPER_H
#define HOLDFAST_KEEPER_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include <holdfast/error.h>
#include <holdfast/manifest.h>
#include <holdfast/rebuild.h>
#include <holdfast/runfile.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How far the VM has come into our hands. */
enum hf_hands {
	HF_HANDS_EMPTY,
	HF_HANDS_KERNEL, /* the kernel is being asked for its session */
	HF_HANDS_KEEPER, /* an earlier keeper still has everything */
	HF_HANDS_FULL, /* it is ours */
};

/* What worker and keeper share. */
struct hf_keep {
	enum hf_hands hands;
	int session; /* descriptor, -1: none */
	int owner; /* the lock file with HF_LOCK_OWNER */
	int earlier; /* pidfd of the keeper from which it was taken, -1: none */
	pid_t keeper;
	struct hf_progress progress;
	/* For the keeper, when the VMM has taken over. */
	uint64_t saved_at_us;
	char state_path[PATH_MAX]; /* absolute; "": nothing to be removed */
	/* Why it is held. */
	char reason[1024];
};

struct hf_keeper {
	struct hf_keep *shared;
	const char *dir, *name; /* of the record */
	/* Called in the keeper: what has become of the VM. */
	void (*told)(const struct hf_run *r, void *arg);
	void *arg;
	struct rlimit limit; /* of open files, as it was */
	int base; /* our own descriptors are not below it */
	int take; /* the lock file with HF_LOCK_TAKE */
	int worker; /* pidfd */
	int channel, peer; /* ends of a socket, the worker's and the keeper's */
};

/*
 * Be the only one who takes VM @name, and start a keeper. @k is zero but for dir, name, told, arg.
 * Return: 0; -EBUSY: another has the VM; -errno.
 */
int hf_keeper_start(struct hf_keeper *k, struct hf_error *e);

/*
 * Get the session from the kernel, or all that an earlier keeper has from that, which is then
 * told to go. In the second case @m may be filled. Return: 0; or -errno, and nothing has changed.
 */
int hf_keeper_take(struct hf_keeper *k, struct hf_manifest *m, struct hf_error *e);

/* Read the manifest in the session, if @m is empty, and check it. Return: 0 or -errno. */
int hf_keeper_manifest(struct hf_keeper *k, struct hf_manifest *m, struct hf_error *e);

/*
 * The caller is about to execute the VMM. @ours and @theirs, the ends of a QMP connection, are the
 * keeper's from here on, and @theirs stays open for the VMM.
 * Return: 0; or -errno, and the caller has to end.
 */
int hf_keeper_watch(struct hf_keeper *k, int ours, int theirs, struct hf_error *e);

/*
 * Hold the VM, in state "held" with @why. The caller has to end. Does not return if there
 * is no keeper any more: then the caller is it.
 * Return: 0: the record says so; -errno: it does not, but the VM is held all the same.
 */
int hf_keeper_hold(struct hf_keeper *k, const char *why, struct hf_error *e);

/*
 * Give the calling process the limit of open files that it had, as far as that lets a VM have
 * descriptors below @end. Return: 0 or -errno.
 */
int hf_keeper_limit(const struct hf_keeper *k, int end, struct hf_error *e);

/* There is nothing to hold. */
void hf_keeper_dismiss(struct hf_keeper *k);

#ifdef __cplusplus
}
#endif

#endif
