/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who may do what with a VM: DIR/NAME.lock, which is never removed. Each of its bytes is
 * a lock of its own, on an open file (F_OFD_SETLK): it goes with the descriptor to whoever gets
 * that, and when the last one is closed, by a crash too, it is free.
 */
#ifndef HOLDFAST_LOCK_H
#define HOLDFAST_LOCK_H

#include <holdfast/error.h>

#ifdef __cplusplus
extern "C" {
#endif

enum hf_lock {
	/*
	 * The VM itself is ours: of `save` until it has given the VM back, of `resume` and
	 * then its keeper until the VMM has taken over. Who has it writes DIR/NAME.json.
	 */
	HF_LOCK_OWNER,
	/*
	 * Between "ready" and the jump. Shared by those that call a VM off, `cancel` and
	 * `save`; alone for the one that jumps, from its last look at the VM on.
	 */
	HF_LOCK_JUMP,
	/* Taking a VM that is held from its keeper: one at a time. */
	HF_LOCK_TAKE,
};

enum hf_lock_mode { HF_UNLOCK, HF_SHARED, HF_ALONE };

/* Open the lock file of VM @name, making @dir. Return: fd, close-on-exec, or -errno. */
int hf_lock_open(const char *dir, const char *name, struct hf_error *e);

/*
 * Take, change or give up a lock. @patience_ms: how long to try; 0: once; -1: until it is there.
 * Return: 0; -EBUSY: another has it; -errno.
 */
int hf_lock(int fd, enum hf_lock which, enum hf_lock_mode mode, int patience_ms,
	    struct hf_error *e);

#ifdef __cplusplus
}
#endif

#endif
