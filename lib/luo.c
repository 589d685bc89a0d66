// SPDX-License-Identifier: LGPL-2.1-or-later
/* Client of the Live Update Orchestrator. */
#include "luo.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <linux/liveupdate.h>

#include <holdfast/manifest.h>
#include <holdfast/util.h>

#define DEVICE	   "/dev/liveupdate"
#define PREFIX	   "holdfast-vm-"
#define PATIENCE_S 5

static_assert(sizeof(PREFIX) - 1 + HF_NAME_MAX < LIVEUPDATE_SESSION_NAME_LENGTH,
	      "every name fits into that of a session");

/*
 * The device has no way to wait for it: a second opener gets EBUSY. Others who
 * are polite have it for a moment only, so ask again, for as long as it takes
 * to be sure that this one is not.
 */
int hf_luo_open(struct hf_error *e)
{
	const struct timespec pause = { .tv_nsec = 20000000 };
	uint64_t end = hf_now_us() + PATIENCE_S * 1000000;
	int fd;

	while ((fd = open(DEVICE, O_RDWR | O_CLOEXEC)) < 0 && errno == EBUSY && hf_now_us() < end)
		nanosleep(&pause, NULL);
	if (fd >= 0)
		return fd;
	if (errno == ENOENT || errno == ENODEV || errno == ENXIO)
		return hf_fail_errno(e, errno,
				     "open " DEVICE
				     " (does this kernel have CONFIG_LIVEUPDATE, and was it "
				     "started with liveupdate=on kho=on?)");
	if (errno == EBUSY)
		return hf_fail_text(e, EBUSY, "another program has kept " DEVICE " open for %d s",
				    PATIENCE_S);
	return hf_fail_errno(e, errno, "open " DEVICE);
}

int hf_luo_create_session(int luo, const char *name, struct hf_error *e)
{
	struct liveupdate_ioctl_create_session arg = { .size = sizeof(arg) };

	snprintf((char *)arg.name, sizeof(arg.name), "%s", name);
	if (ioctl(luo, LIVEUPDATE_IOCTL_CREATE_SESSION, &arg) < 0)
		return hf_fail_errno(e, errno, "create session %s", name);
	fcntl(arg.fd, F_SETFD, FD_CLOEXEC);
	return arg.fd;
}

int hf_luo_retrieve_session(int luo, const char *name, struct hf_error *e)
{
	struct liveupdate_ioctl_retrieve_session arg = { .size = sizeof(arg) };

	snprintf((char *)arg.name, sizeof(arg.name), "%s", name);
	if (ioctl(luo, LIVEUPDATE_IOCTL_RETRIEVE_SESSION, &arg) < 0)
		return hf_fail_errno(e, errno, "retrieve session %s", name);
	fcntl(arg.fd, F_SETFD, FD_CLOEXEC);
	return arg.fd;
}

static void session_name(char *buf, size_t size, const char *name)
{
	snprintf(buf, size, PREFIX "%s", name);
}

int hf_luo_create(const char *name, struct hf_error *e)
{
	char session[LIVEUPDATE_SESSION_NAME_LENGTH];
	int luo = hf_luo_open(e), fd;

	if (luo < 0)
		return luo;
	session_name(session, sizeof(session), name);
	fd = hf_luo_create_session(luo, session, e);
	close(luo);
	return fd;
}

int hf_luo_retrieve(const char *name, struct hf_error *e)
{
	char session[LIVEUPDATE_SESSION_NAME_LENGTH];
	int luo = hf_luo_open(e), fd;

	if (luo < 0)
		return luo;
	session_name(session, sizeof(session), name);
	fd = hf_luo_retrieve_session(luo, session, e);
	close(luo);
	if (fd == -ENOENT)
		return hf_fail_text(e, ENOENT, "no VM named %s came from the last kernel", name);
	if (fd == -EINVAL)
		return hf_fail_text(e, EBUSY, "another program has session %s", session);
	return fd;
}

int hf_luo_check_name(int session, const char *name, struct hf_error *e)
{
	struct liveupdate_session_get_name arg = { .size = sizeof(arg) };
	char want[LIVEUPDATE_SESSION_NAME_LENGTH];

	if (ioctl(session, LIVEUPDATE_SESSION_GET_NAME, &arg) < 0)
		return hf_fail_errno(e, errno, "ask for the name of a session");
	snprintf(want, sizeof(want), PREFIX "%s", name);
	if (strncmp(want, (char *)arg.name, sizeof(want)))
		return hf_fail_text(e, EINVAL, "session %.63s is not %s", (char *)arg.name, want);
	return 0;
}

int hf_luo_preserve_fd(int session, int fd, uint64_t token, const char *what, struct hf_error *e)
{
	struct liveupdate_session_preserve_fd arg = {
		.size = sizeof(arg),
		.fd = fd,
		.token = token,
	};

	if (ioctl(session, LIVEUPDATE_SESSION_PRESERVE_FD, &arg) < 0)
		return hf_fail_errno(e, errno, "preserve %s", what);
	return 0;
}

int hf_luo_retrieve_fd(int session, uint64_t token, const char *what, struct hf_error *e)
{
	struct liveupdate_session_retrieve_fd arg = { .size = sizeof(arg), .token = token };

	if (ioctl(session, LIVEUPDATE_SESSION_RETRIEVE_FD, &arg) < 0)
		return hf_fail_errno(e, errno, "retrieve %s", what);
	fcntl(arg.fd, F_SETFD, FD_CLOEXEC);
	return arg.fd;
}

int hf_luo_finish(int session, struct hf_error *e)
{
	struct liveupdate_session_finish arg = { .size = sizeof(arg) };

	if (ioctl(session, LIVEUPDATE_SESSION_FINISH, &arg) < 0)
		return hf_fail_errno(e, errno, "finish the session");
	return 0;
}
