// SPDX-License-Identifier: LGPL-2.1-or-later
/* DIR/NAME.lock */
#include <holdfast/lock.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <holdfast/runfile.h>
#include <holdfast/util.h>

int hf_lock_open(const char *dir, const char *name, struct hf_error *e)
{
	char path[PATH_MAX];
	int fd, err;

	err = hf_run_make_dir(dir, e);
	if (err)
		return err;
	if (snprintf(path, sizeof(path), "%s/%s.lock", dir, name) >= (int)sizeof(path))
		return hf_fail_text(e, ENAMETOOLONG, "the name of the run folder is too long");
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 ? hf_fail_errno(e, errno, "open %s", path) : fd;
}

int hf_lock(int fd, enum hf_lock which, enum hf_lock_mode mode, int patience_ms, struct hf_error *e)
{
	static const short types[] = { F_UNLCK, F_RDLCK, F_WRLCK };
	const struct timespec pause = { .tv_nsec = 10000000 };
	struct flock l = {
		.l_type = types[mode],
		.l_whence = SEEK_SET,
		.l_start = which,
		.l_len = 1,
	};
	uint64_t end = hf_now_us() + (uint64_t)(patience_ms > 0 ? patience_ms : 0) * 1000;

	/* There is no lock with a time limit. */
	while (fcntl(fd, patience_ms < 0 ? F_OFD_SETLKW : F_OFD_SETLK, &l) < 0) {
		if (errno != EAGAIN && errno != EACCES && errno != EINTR)
			return hf_fail_errno(e, errno, "lock");
		if (patience_ms >= 0 && hf_now_us() >= end)
			return hf_fail_text(e, EBUSY, "it is locked");
		if (patience_ms > 0)
			nanosleep(&pause, NULL);
	}
	return 0;
}
