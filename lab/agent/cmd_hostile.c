// SPDX-License-Identifier: GPL-2.0
/*
 * hostile.*: what somebody does in a process of its own while the agent goes on, and may never come
 * back from.
 */
#include "agent.h"
#include "cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/iommufd.h>
#include <linux/userfaultfd.h>
#include <linux/vfio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_TASKS 16

/* A process with no file of the agent but @keep (-1: none). Return: its pid, 0 in it, or -errno. */
static pid_t go(struct hf_call *c, int keep)
{
	pid_t pid = fork();

	if (pid < 0)
		return hf_fail(&c->err, errno, "fork");
	if (pid)
		return pid;
	setsid();
	if (keep >= 0)
		keep = dup2(keep, 3);
	syscall(SYS_close_range, keep >= 0 ? 4U : 3U, ~0U, 0U);
	return 0;
}

static int hostile_write(struct hf_call *c)
{
	char path[256], text[256];
	pid_t pid;
	int err = hf_arg_str(c, "path", NULL, path, sizeof(path));

	if (!err)
		err = hf_arg_str(c, "text", NULL, text, sizeof(text));
	if (err)
		return err;
	pid = go(c, -1);
	if (!pid) {
		int fd = open(path, O_WRONLY);

		_exit(fd < 0 || write(fd, text, strlen(text)) < 0);
	}
	if (pid > 0)
		hf_msg_u64(c->out, "pid", (uint64_t)pid);
	return pid < 0 ? pid : 0;
}

/* Reads of a BAR without end: each takes the lock that freeze wants. */
static int hostile_read(struct hf_call *c)
{
	struct hf_slot *s;
	uint64_t tasks;
	int err = hf_arg_slot(c, HF_SLOT_DEVICE, &s, NULL);

	if (!err)
		err = hf_arg_u64(c, "tasks", 4, &tasks);
	if (err)
		return err;
	if (tasks > MAX_TASKS)
		return hf_fail(&c->err, EINVAL, "%llu tasks", (unsigned long long)tasks);
	while (tasks--) {
		pid_t pid = go(c, s->dev.cdev);
		uint32_t word;

		if (pid < 0)
			return pid;
		while (!pid)
			if (pread(3, &word, sizeof(word), (off_t)s->dev.bar_off[0] + 8) < 0)
				_exit(1);
	}
	return 0;
}

/* Resets without end: each takes both locks that freeze wants, for 100 ms and more. */
static int hostile_reset(struct hf_call *c)
{
	uint64_t n, tasks, pids[MAX_TASKS];
	struct hf_slot *s;
	int err = hf_arg_slot(c, HF_SLOT_DEVICE, &s, NULL);

	if (!err)
		err = hf_arg_u64(c, "tasks", 4, &tasks);
	if (err)
		return err;
	if (tasks > MAX_TASKS)
		return hf_fail(&c->err, EINVAL, "%llu tasks", (unsigned long long)tasks);
	for (n = 0; n < tasks; n++) {
		pid_t pid = go(c, s->dev.cdev);

		if (pid < 0)
			return pid;
		while (!pid)
			ioctl(3, VFIO_DEVICE_RESET);
		pids[n] = (uint64_t)pid;
	}
	hf_msg_u64s(c->out, "pids", pids, (unsigned int)n);
	return 0;
}

/* One page of BAR 0, mapped and touched so many times. */
static bool map_often(int fd, off_t at, uint64_t maps)
{
	for (; maps; maps--) {
		volatile uint32_t *p = mmap(NULL, HF_PAGE, PROT_READ, MAP_SHARED, fd, at);

		if (p == MAP_FAILED)
			return false;
		(void)p[2];
	}
	return true;
}

/* Processes that have the device mapped so often that to unmap it takes long. */
static int hostile_map(struct hf_call *c)
{
	struct hf_slot *s;
	uint64_t tasks, maps;
	int err = hf_arg_slot(c, HF_SLOT_DEVICE, &s, NULL);

	if (!err)
		err = hf_arg_u64(c, "tasks", 1, &tasks);
	if (!err)
		err = hf_arg_u64(c, "maps", 1000, &maps);
	if (!err && tasks > MAX_TASKS)
		err = hf_fail(&c->err, EINVAL, "%llu tasks", (unsigned long long)tasks);
	for (; !err && tasks; tasks--) {
		int ready[2];
		char ok = 0;
		pid_t pid;

		if (pipe(ready) < 0)
			return hf_fail(&c->err, errno, "pipe");
		pid = fork();
		if (!pid) {
			ok = map_often(s->dev.cdev, (off_t)s->dev.bar_off[0], maps);
			if (write(ready[1], &ok, 1) == 1 && ok)
				for (;;)
					pause();
			_exit(1);
		}
		close(ready[1]);
		if (pid < 0 || read(ready[0], &ok, 1) != 1 || !ok)
			err = hf_fail(&c->err, ENOMEM, "%llu mappings of BAR 0",
				      (unsigned long long)maps);
		close(ready[0]);
	}
	return err;
}

static bool file_says(const char *path, const char *text)
{
	char buf[256] = "";
	int fd = open(path, O_RDONLY);

	if (fd < 0 || read(fd, buf, sizeof(buf) - 1) < 0)
		buf[0] = 0;
	close(fd);
	return strstr(buf, text) != NULL;
}

/*
 * An eventfd that unmasks INTx, which fires as soon as the file @path has the text @when; then
 * @text is written to the file @then.
 */
static int hostile_unmask(struct hf_call *c)
{
	char path[256], when[64], then[256], text[64];
	struct {
		struct vfio_irq_set set;
		int32_t fd;
	} req = {
		.set.argsz = sizeof(req),
		.set.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_UNMASK,
		.set.index = VFIO_PCI_INTX_IRQ_INDEX,
		.set.count = 1,
	};
	struct hf_slot *s;
	bool quiet;
	pid_t pid;
	int err = hf_arg_slot(c, HF_SLOT_DEVICE, &s, NULL);

	if (!err)
		err = hf_arg_bool(c, "quiet", &quiet);
	if (!err)
		err = hf_arg_str(c, "path", NULL, path, sizeof(path));
	if (!err)
		err = hf_arg_str(c, "when", NULL, when, sizeof(when));
	if (!err)
		err = hf_arg_str(c, "then", NULL, then, sizeof(then));
	if (!err)
		err = hf_arg_str(c, "text", NULL, text, sizeof(text));
	if (err)
		return err;
	req.fd = eventfd(0, EFD_CLOEXEC);
	if (req.fd < 0 || ioctl(s->dev.cdev, VFIO_DEVICE_SET_IRQS, &req) < 0)
		return hf_fail(&c->err, errno, "an eventfd that unmasks INTx of %s", s->dev.bdf);
	pid = go(c, req.fd);
	if (!pid) {
		uint64_t one = 1;
		int fd;

		while (!file_says(path, when))
			;
		fd = !quiet && write(3, &one, sizeof(one)) < 0 ? -1 : open(then, O_WRONLY);
		_exit(fd < 0 || write(fd, text, strlen(text)) < 0);
	}
	if (pid > 0)
		hf_msg_u64(c->out, "pid", (uint64_t)pid);
	return pid < 0 ? pid : 0;
}

/* A page that can be read, and that nobody ever makes writable. */
static void *stuck_page(void)
{
	void *page = mmap(NULL, HF_PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_PAGEFAULT_FLAG_WP };
	struct uffdio_register reg = { .range = { (uintptr_t)page, HF_PAGE },
				       .mode = UFFDIO_REGISTER_MODE_WP };
	struct uffdio_writeprotect wp = { .range = reg.range, .mode = UFFDIO_WRITEPROTECT_MODE_WP };

	if (page == MAP_FAILED || fd < 0 || ioctl(fd, UFFDIO_API, &api) < 0 ||
	    ioctl(fd, UFFDIO_REGISTER, &reg) < 0)
		return NULL;
	((struct vfio_device_bind_iommufd *)page)->argsz = sizeof(struct vfio_device_bind_iommufd);
	((struct vfio_device_bind_iommufd *)page)->iommufd = open("/dev/iommu", O_RDWR);
	return ioctl(fd, UFFDIO_WRITEPROTECT, &wp) < 0 ? NULL : page;
}

/* A write() to the memory of a slot, of a page that does not come: until then it has the inode. */
static int hostile_fill(struct hf_call *c)
{
	struct hf_slot *s;
	pid_t pid;
	int err = hf_arg_slot(c, HF_SLOT_MEMORY, &s, NULL);

	if (err)
		return err;
	if (s->memfd < 0)
		return hf_fail(&c->err, EINVAL, "slot without a memfd");
	pid = go(c, s->memfd);
	if (!pid) {
		void *page = mmap(NULL, HF_PAGE, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
		struct uffdio_api api = { .api = UFFD_API };
		struct uffdio_register reg = { .range = { (uintptr_t)page, HF_PAGE },
					       .mode = UFFDIO_REGISTER_MODE_MISSING };

		if (page == MAP_FAILED || fd < 0 || ioctl(fd, UFFDIO_API, &api) < 0 ||
		    ioctl(fd, UFFDIO_REGISTER, &reg) < 0)
			_exit(1);
		_exit(pwrite(3, page, HF_PAGE, (off_t)s->page->canary_off) < 0);
	}
	if (pid > 0)
		hf_msg_u64(c->out, "pid", (uint64_t)pid);
	return pid < 0 ? pid : 0;
}

/* Binds a retrieved device; the answer goes to a page that does not come. */
static int hostile_bind(struct hf_call *c)
{
	struct hf_slot *s;
	int ready[2];
	pid_t pid;
	char ok = 0;
	int err = hf_arg_slot(c, HF_SLOT_DEVICE, &s, NULL);

	if (err)
		return err;
	if (pipe(ready) < 0)
		return hf_fail(&c->err, errno, "pipe");
	pid = fork();
	if (!pid) {
		void *page = stuck_page();

		ok = page != NULL;
		if (write(ready[1], &ok, 1) != 1 || !ok)
			_exit(1);
		_exit(ioctl(s->dev.cdev, VFIO_DEVICE_BIND_IOMMUFD, page) < 0);
	}
	if (pid < 0)
		return hf_fail(&c->err, errno, "fork");
	if (read(ready[0], &ok, 1) != 1 || !ok)
		err = hf_fail(&c->err, EOPNOTSUPP, "userfaultfd cannot write-protect a page");
	close(ready[0]);
	close(ready[1]);
	hf_msg_u64(c->out, "pid", (uint64_t)pid);
	return err;
}

static int hostile_kill(struct hf_call *c)
{
	uint64_t pid;
	int err = hf_arg_u64(c, "pid", HF_REQUIRED, &pid);

	if (!err && kill((pid_t)pid, SIGKILL) < 0)
		err = hf_fail(&c->err, errno, "kill %d", (int)pid);
	return err;
}

static const struct hf_cmd hostile_cmds[] = {
	{ "hostile.write", hostile_write },
	{ "hostile.read", hostile_read },
	{ "hostile.reset", hostile_reset },
	{ "hostile.map", hostile_map },
	{ "hostile.unmask", hostile_unmask },
	{ "hostile.fill", hostile_fill },
	{ "hostile.bind", hostile_bind },
	{ "hostile.kill", hostile_kill },
	{ NULL, NULL },
};
HF_COMMANDS(hostile_cmds);
