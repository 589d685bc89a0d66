// SPDX-License-Identifier: GPL-2.0
/* Loading the next kernel and going there. */
#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/kexec.h>

#define CMDLINE_MAX 2048 /* COMMAND_LINE_SIZE on x86 */

static const char GEN[] = "hf.gen=";

unsigned int hf_generation(void)
{
	char cmdline[CMDLINE_MAX + 1], *p;

	if (hf_read_file("/proc/cmdline", cmdline, sizeof(cmdline)) < 0)
		return 0;
	for (p = strtok(cmdline, " \n"); p; p = strtok(NULL, " \n"))
		if (!strncmp(p, GEN, strlen(GEN)))
			return (unsigned int)strtoul(p + strlen(GEN), NULL, 10);
	return 0;
}

/* @cmdline without any hf.gen=, and with that of the next kernel at its end. */
static int next_cmdline(const char *cmdline, char *out, size_t size)
{
	char copy[CMDLINE_MAX + 1], *p;
	size_t n = 0;

	if (strlen(cmdline) >= sizeof(copy))
		return -ENAMETOOLONG;
	strcpy(copy, cmdline);
	out[0] = 0;
	for (p = strtok(copy, " \n"); p; p = strtok(NULL, " \n"))
		if (strncmp(p, GEN, strlen(GEN)))
			n += (size_t)snprintf(out + n, size - n, "%s ", p);
	n += (size_t)snprintf(out + n, size - n, "%s%u", GEN, hf_generation() + 1);
	return n < size ? 0 : -ENAMETOOLONG;
}

int hf_kexec_load(const char *kernel, const char *initrd, const char *cmdline, struct hf_err *e)
{
	unsigned long flags = *initrd ? 0 : KEXEC_FILE_NO_INITRAMFS;
	char line[CMDLINE_MAX + 64];
	int k, i = -1, err = 0;

	if (next_cmdline(cmdline, line, sizeof(line)))
		return hf_fail(e, ENAMETOOLONG, "command line");
	k = open(kernel, O_RDONLY | O_CLOEXEC);
	if (k < 0)
		return hf_fail(e, errno, "open %s", kernel);
	if (*initrd) {
		i = open(initrd, O_RDONLY | O_CLOEXEC);
		if (i < 0)
			err = hf_fail(e, errno, "open %s", initrd);
	}
	if (!err && syscall(SYS_kexec_file_load, k, i, strlen(line) + 1, line, flags) < 0)
		err = hf_fail(e, errno, "kexec_file_load %s", kernel);
	if (i >= 0)
		close(i);
	close(k);
	return err;
}

int hf_kexec_exec(struct hf_err *e)
{
	struct hf_msg m;

	sync();
	hf_event_begin(&m, "kexec");
	hf_event_end(&m);
	/* Through the raw call: every open file must stay open, LUO freezes them. */
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_KEXEC, NULL);
	return hf_fail(e, errno, "reboot(KEXEC)");
}
