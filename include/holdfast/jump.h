/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All or none: VMs that are "ready" together, up to the jump. From hf_jump_hold() on nobody
 * can call one of them off; who does so before that is seen by it.
 */
#ifndef HOLDFAST_JUMP_H
#define HOLDFAST_JUMP_H

#include <signal.h>
#include <stddef.h>

#include <holdfast/error.h>

#ifdef __cplusplus
extern "C" {
#endif

struct hf_jump {
	const char *dir;
	char *const *names, *const *lose;
	size_t n;
	int *locks; /* of each name */
};

/*
 * @names: the VMs that cross; @lose: who else may be lost, as for hf_others(). Both stay the
 * caller's. Return: 0 or -errno.
 */
int hf_jump_init(struct hf_jump *j, const char *dir, char *const *names, char *const *lose,
		 struct hf_error *e);
/* Let go of all VMs. */
void hf_jump_free(struct hf_jump *j);

/*
 * Hold all VMs and look at them once more: each is "ready", its process is there, and no signal
 * that would call it off is on its way, nor one that ends the caller, which has to have them
 * blocked; and there is nobody else whom the jump would hit. For hf_kexec_jump().
 * Return: 0: jump now; -EBUSY: another one jumps; -ECANCELED: a signal; -EPERM: there is
 * somebody else; -errno.
 */
int hf_jump_hold(struct hf_jump *j, struct hf_error *e);

/* The signals that call an update off. */
void hf_jump_signals(sigset_t *set);

#ifdef __cplusplus
}
#endif

#endif
