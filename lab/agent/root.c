// SPDX-License-Identifier: GPL-2.0
#include "root.h"

#include <errno.h>
#include <sys/mount.h>
#include <sys/stat.h>

int hf_root_mount(struct hf_err *e)
{
	static const struct {
		const char *src, *dir, *type, *opts;
		unsigned long flags;
	} m[] = {
		{ "root", HF_ROOT, "9p", "trans=virtio,version=9p2000.L,cache=loose,msize=524288",
		  MS_RDONLY },
		{ "tmpfs", HF_ROOT "/run", "tmpfs", "mode=755", 0 },
		{ "tmpfs", HF_ROOT "/tmp", "tmpfs", "", 0 },
		{ "devtmpfs", HF_ROOT "/dev", "devtmpfs", "", 0 },
		{ "proc", HF_ROOT "/proc", "proc", "", 0 },
		{ "sysfs", HF_ROOT "/sys", "sysfs", "", 0 },
		{ "debugfs", HF_ROOT "/sys/kernel/debug", "debugfs", "", 0 },
		{ "/share", HF_ROOT "/share", NULL, "", MS_BIND },
		{ "hugetlbfs", "/dev/hugepages", "hugetlbfs", "", 0 },
	};
	struct stat above, here;

	mkdir(HF_ROOT, 0755);
	if (!stat("/", &above) && !stat(HF_ROOT, &here) && above.st_dev != here.st_dev)
		return 0;
	mkdir("/dev/hugepages", 0755);
	for (size_t i = 0; i < HF_ARRAY_SIZE(m); i++)
		if (mount(m[i].src, m[i].dir, m[i].type, m[i].flags, m[i].opts) < 0 &&
		    errno != EBUSY)
			return hf_fail(e, errno, "mount %s", m[i].dir);
	return 0;
}
