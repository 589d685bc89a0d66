/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What passes between worker and keeper. */
#ifndef HF_KEEPER_H
#define HF_KEEPER_H

#include <holdfast/keeper.h>

enum hf_keeper_verb { HF_WORD_WATCH, HF_WORD_HOLD, HF_WORD_DISMISS };

struct hf_keeper_word {
	enum hf_keeper_verb word;
	int ours, theirs; /* HF_WORD_WATCH: the QMP connection */
};

/* As many descriptors of our own as there can be from k->base on. */
#define HF_KEEPER_FDS 64

/* The life of the keeper of process @worker. */
void hf_keeper_main(struct hf_keeper *k, pid_t worker) __attribute__((noreturn));

/* Be the keeper, for the one that is gone. */
void hf_keeper_stay(struct hf_keeper *k) __attribute__((noreturn));

#endif
