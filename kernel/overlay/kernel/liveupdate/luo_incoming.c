// SPDX-License-Identifier: GPL-2.0
/*
 * Live update: what the sessions of the previous kernel hold, told to those who
 * have records of their own to compare it with.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: Files of incoming sessions
 *
 * A subsystem whose devices went on running needs to know which of them have an
 * owner, before the first session can be finished: if its own record lists a
 * device that no session has a file of, nobody will ever ask for that device, and
 * the memory that it writes to is about to be given back.
 *
 * So there is one event for each file that is found, and one when all sessions
 * have been read, or could not be read. Sessions are read once, before anything
 * in them can be retrieved or finished; both events come from there.
 */

#include <linux/liveupdate.h>
#include <linux/liveupdate_incoming.h>
#include <linux/notifier.h>

#include "luo_internal.h"

static BLOCKING_NOTIFIER_HEAD(luo_incoming_chain);

/**
 * liveupdate_register_incoming_notifier - hear about the files of incoming sessions
 * @nb: called with LIVEUPDATE_INCOMING_FILE and &struct liveupdate_incoming for
 *	each file, then with LIVEUPDATE_INCOMING_DONE or LIVEUPDATE_INCOMING_LOST
 *
 * Context: Before userspace starts, or events may be missed.
 * Return: 0 or a negative errno.
 */
int liveupdate_register_incoming_notifier(struct notifier_block *nb)
{
	return blocking_notifier_chain_register(&luo_incoming_chain, nb);
}

/**
 * luo_incoming_file - hook: a file was found in an incoming session
 * @fh: its handler
 * @data: its handle
 */
void luo_incoming_file(struct liveupdate_file_handler *fh, u64 data)
{
	struct liveupdate_incoming file = {
		.compatible = fh->compatible,
		.data = data,
	};

	blocking_notifier_call_chain(&luo_incoming_chain,
				     LIVEUPDATE_INCOMING_FILE, &file);
}

/**
 * luo_incoming_done - hook: the incoming sessions were read
 * @err: 0, or why they could not be: then none of them can ever be retrieved
 *
 * Return: @err.
 */
int luo_incoming_done(int err)
{
	static bool told;

	if (!told)
		blocking_notifier_call_chain(&luo_incoming_chain,
					     err ? LIVEUPDATE_INCOMING_LOST :
						   LIVEUPDATE_INCOMING_DONE, NULL);
	told = true;
	return err;
}
