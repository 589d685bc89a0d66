/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Live update: events about the files of incoming sessions.
 *
 * Copyright (c) 2026 The holdfast authors
 */
#ifndef _LINUX_LIVEUPDATE_INCOMING_H
#define _LINUX_LIVEUPDATE_INCOMING_H

#include <linux/types.h>

/**
 * enum liveupdate_incoming_event - see liveupdate_register_incoming_notifier()
 * @LIVEUPDATE_INCOMING_FILE: a session has this file
 * @LIVEUPDATE_INCOMING_DONE: all files of all sessions were told
 * @LIVEUPDATE_INCOMING_LOST: the sessions could not be read, whatever was told
 */
enum liveupdate_incoming_event {
	LIVEUPDATE_INCOMING_FILE,
	LIVEUPDATE_INCOMING_DONE,
	LIVEUPDATE_INCOMING_LOST,
};

/**
 * struct liveupdate_incoming - a file of an incoming session
 * @compatible: of its handler
 * @data: its handle, &liveupdate_file_op_args.serialized_data
 */
struct liveupdate_incoming {
	const char *compatible;
	u64 data;
};

#endif /* _LINUX_LIVEUPDATE_INCOMING_H */
