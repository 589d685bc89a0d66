// SPDX-License-Identifier: LGPL-2.1-or-later
/* The jump into the next kernel. */
#include <holdfast/kexec.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/reboot.h>

#include <holdfast/util.h>

int hf_kexec_loaded(struct hf_error *e)
{
	/* It moved in 6.19; the old name stays as a link, where it is configured. */
	static const char *const paths[] = { "/sys/kernel/kexec/loaded",
					     "/sys/kernel/kexec_loaded" };
	size_t len;
	char *buf;
	int err = -ENOENT;

	for (size_t i = 0; i < HF_ARRAY_SIZE(paths); i++) {
		err = hf_read_path(paths[i], 64, &buf, &len, e);
		if (!err)
			break;
	}
	if (err == -ENOENT)
		return hf_fail_text(e, ENOSYS, "this kernel has no kexec");
	if (err)
		return err;
	err = *buf == '1' ? 0
			  : hf_fail_text(e, ENOEXEC,
					 "no kernel is loaded: kexec -l --kexec-file-syscall "
					 "KERNEL first");
	free(buf);
	return err;
}

/*
 * The newest line behind the position of @log that says what could not be frozen.
 * Documentation/ABI/testing/dev-kmsg: "prio,seq,us,flags[,...];text\n key=value".
 */
static bool find_reason(int log, char *reason, size_t size)
{
	bool found = false;
	char rec[2048], *text;
	ssize_t n;

	for (;;) {
		n = read(log, rec, sizeof(rec) - 1);
		/* EPIPE: records were overwritten before they were read; the next is fine. */
		if (n < 0 && (errno == EPIPE || errno == EINTR))
			continue;
		if (n <= 0)
			return found;
		rec[n] = 0;
		text = strchr(rec, ';');
		if (!text || !strstr(text, "live update: cannot freeze"))
			continue;
		text[strcspn(text, "\n")] = 0;
		snprintf(reason, size, "%s", text + 1);
		found = true;
	}
}

int hf_kexec_jump(struct hf_jump *j, struct hf_error *e)
{
	char reason[512];
	int log, num, err;

	/* First, for it takes its time, in which everything may change. */
	sync();
	err = hf_jump_hold(j, e);
	if (err)
		return err;
	log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (log >= 0)
		lseek(log, 0, SEEK_END);
	/* The raw call: every file must stay open, that is what gets frozen. */
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_KEXEC, NULL);
	num = errno;
	if (log >= 0 && find_reason(log, reason, sizeof(reason)))
		hf_fail_text(e, EBUSY, "the kernel refused: %s", reason);
	else
		hf_fail_errno(e, num, "reboot(KEXEC)");
	if (log >= 0)
		close(log);
	return -e->num;
}
