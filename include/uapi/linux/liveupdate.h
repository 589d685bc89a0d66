/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * What holdfast asks of the Live Update Orchestrator, as Linux 7.2 has it: headers of a
 * build machine are older. tests/install compares every size, place and number with the kernel's.
 */
#ifndef HF_UAPI_LINUX_LIVEUPDATE_H
#define HF_UAPI_LINUX_LIVEUPDATE_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define LIVEUPDATE_SESSION_NAME_LENGTH 64

/* Of /dev/liveupdate. */
#define LIVEUPDATE_IOCTL_CREATE_SESSION	  _IO(0xBA, 0x00)
#define LIVEUPDATE_IOCTL_RETRIEVE_SESSION _IO(0xBA, 0x01)

/* Of a session. */
#define LIVEUPDATE_SESSION_PRESERVE_FD _IO(0xBA, 0x40)
#define LIVEUPDATE_SESSION_RETRIEVE_FD _IO(0xBA, 0x41)
#define LIVEUPDATE_SESSION_FINISH      _IO(0xBA, 0x42)
#define LIVEUPDATE_SESSION_GET_NAME    _IO(0xBA, 0x43)

struct liveupdate_ioctl_create_session {
	__u32 size;
	__s32 fd; /* out */
	__u8 name[LIVEUPDATE_SESSION_NAME_LENGTH];
};

struct liveupdate_ioctl_retrieve_session {
	__u32 size;
	__s32 fd; /* out */
	__u8 name[LIVEUPDATE_SESSION_NAME_LENGTH];
};

struct liveupdate_session_preserve_fd {
	__u32 size;
	__s32 fd;
	__aligned_u64 token;
};

struct liveupdate_session_retrieve_fd {
	__u32 size;
	__s32 fd; /* out */
	__aligned_u64 token;
};

struct liveupdate_session_finish {
	__u32 size;
	__u32 reserved;
};

struct liveupdate_session_get_name {
	__u32 size;
	__u32 reserved;
	__u8 name[LIVEUPDATE_SESSION_NAME_LENGTH]; /* out */
};

#endif
