// SPDX-License-Identifier: GPL-2.0
/* Commands on the host under test itself. */
#include "agent.h"
#include "luo.h"
#include "vfio.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

/* Subsystem ID of the host bridge: read-only, so writing it shows only in QEMU's trace. */
#define MARK_BDF "0000:00:00.0"
#define MARK_OFF 0x2c

#define DUMP_BYTES 1024 /* of config space in one event */
#define READ_BYTES 2000 /* of a file in one reply */

#define KHO_OUT "/sys/kernel/debug/kho/out/sub_fdts"

static int mark(struct hf_call *c)
{
	uint64_t n;
	int err = hf_arg_u64(c, "n", HF_REQUIRED, &n);

	return err ? err : hf_pci_write(MARK_BDF, MARK_OFF, 4, (uint32_t)n, &c->err);
}

struct pci_arg {
	char bdf[16];
	uint64_t off, size;
};

static int get_pci(struct hf_call *c, struct pci_arg *a)
{
	int err = hf_arg_str(c, "bdf", NULL, a->bdf, sizeof(a->bdf));

	if (!err)
		err = hf_arg_u64(c, "off", HF_REQUIRED, &a->off);
	if (!err)
		err = hf_arg_u64(c, "size", 4, &a->size);
	if (err)
		return err;
	if (!hf_valid_bdf(a->bdf) || a->off > 4095 ||
	    (a->size != 1 && a->size != 2 && a->size != 4))
		return hf_fail(&c->err, EINVAL, "config 0x%llx of %s", (unsigned long long)a->off,
			       a->bdf);
	return 0;
}

static int pci_read(struct hf_call *c)
{
	struct pci_arg a;
	uint32_t val;
	int err = get_pci(c, &a);

	if (!err)
		err = hf_pci_read(a.bdf, (unsigned int)a.off, (unsigned int)a.size, &val, &c->err);
	if (!err)
		hf_msg_u64(c->out, "value", val);
	return err;
}

static int pci_write(struct hf_call *c)
{
	struct pci_arg a;
	uint64_t val;
	int err = get_pci(c, &a);

	if (!err)
		err = hf_arg_u64(c, "value", HF_REQUIRED, &val);
	if (!err)
		err = hf_pci_write(a.bdf, (unsigned int)a.off, (unsigned int)a.size, (uint32_t)val,
				   &c->err);
	return err;
}

static int pci_dump(struct hf_call *c)
{
	uint8_t cfg[4096];
	char bdf[16];
	long size;
	int err = hf_arg_str(c, "bdf", NULL, bdf, sizeof(bdf));

	if (err)
		return err;
	if (!hf_valid_bdf(bdf))
		return hf_fail(&c->err, EINVAL, "bdf \"%s\"", bdf);
	size = hf_pci_read_all(bdf, cfg, sizeof(cfg), &c->err);
	if (size < 0)
		return (int)size;
	for (long off = 0, n; off < size; off += n) {
		char hex[2 * DUMP_BYTES + 1];
		struct hf_msg m;

		n = size - off < DUMP_BYTES ? size - off : DUMP_BYTES;
		for (long i = 0; i < n; i++)
			sprintf(hex + 2 * i, "%02x", cfg[off + i]);
		hf_event_begin(&m, "pci");
		hf_msg_str(&m, "bdf", bdf);
		hf_msg_u64(&m, "off", (uint64_t)off);
		hf_msg_str(&m, "hex", hex);
		hf_msg_bool(&m, "last", off + n == size);
		hf_event_end(&m);
	}
	hf_msg_u64(c->out, "size", (uint64_t)size);
	return 0;
}

/*
 * Read up to @size bytes that begin @off bytes into @path. Not by seeking: some
 * files of debugfs can only be read from their start.
 */
static long read_at(const char *path, uint64_t off, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n = 0;

	if (fd < 0)
		return -errno;
	while (len < size) {
		/* Still before @off: into the buffer, to be overwritten. */
		size_t want = off ? (off < size ? off : size) : size - len;

		n = read(fd, buf + len, want);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		if (off)
			off -= (uint64_t)n;
		else
			len += (size_t)n;
	}
	if (n < 0)
		n = -errno;
	close(fd);
	return n < 0 ? n : (long)len;
}

static int sys_read(struct hf_call *c)
{
	/* One byte more than is sent tells whether there is more. */
	char path[PATH_MAX], text[READ_BYTES + 1];
	uint64_t off;
	size_t sent;
	long n;
	int err = hf_arg_str(c, "path", NULL, path, sizeof(path));

	if (!err)
		err = hf_arg_u64(c, "off", 0, &off);
	if (err)
		return err;
	n = read_at(path, off, text, sizeof(text));
	if (n < 0)
		return hf_fail(&c->err, (int)-n, "read %s", path);
	sent = hf_msg_strn(c->out, "text", text, (size_t)(n < READ_BYTES ? n : READ_BYTES));
	hf_msg_last(c->out);
	hf_msg_bool(c->out, "eof", sent == (size_t)n);
	return 0;
}

static int sys_write(struct hf_call *c)
{
	char path[PATH_MAX], text[HF_LINE_MAX];
	int err = hf_arg_str(c, "path", NULL, path, sizeof(path));

	if (!err)
		err = hf_arg_str(c, "text", NULL, text, sizeof(text));
	return err ? err : hf_write_sysfs(path, text, &c->err);
}

/* Entries of @dir, and the bytes in them. -1: no such directory. */
static int count_files(const char *dir, uint64_t *bytes)
{
	struct dirent *d;
	DIR *p = opendir(dir);
	int n = 0;

	*bytes = 0;
	if (!p)
		return -1;
	while ((d = readdir(p))) {
		char path[PATH_MAX];
		struct stat st;

		if (d->d_name[0] == '.')
			continue;
		n++;
		snprintf(path, sizeof(path), "%s/%s", dir, d->d_name);
		if (!stat(path, &st))
			*bytes += (uint64_t)st.st_size;
	}
	closedir(p);
	return n;
}

static uint64_t meminfo(const char *text, const char *key)
{
	const char *p = strstr(text, key);

	return p ? strtoull(p + strlen(key), NULL, 10) : 0;
}

/*
 * Pages on the free lists of the CPUs: as free as others, yet not in MemFree. How
 * long those lists are changes by megabytes with what was freed last.
 */
static uint64_t percpu_free_kb(void)
{
	uint64_t pages = 0, n;
	FILE *f = fopen("/proc/zoneinfo", "re");
	char line[256];

	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, " count: %" SCNu64, &n) == 1)
			pages += n;
	fclose(f);
	return pages * (HF_PAGE / 1024);
}

/* Let go of what is kept only because nobody else has wanted it yet. */
static int settle(struct hf_err *e)
{
	static const char refresh[] = "/proc/sys/vm/stat_refresh";
	char text[8];
	long n;
	int err = hf_write_sysfs("/proc/sys/vm/drop_caches", "3", e);

	if (err)
		return err;
	/* Reading it adds up the counters that each CPU keeps for itself. */
	n = hf_read_file(refresh, text, sizeof(text));
	return n < 0 ? hf_fail(e, (int)-n, "read %s", refresh) : 0;
}

static int sys_kho(struct hf_call *c)
{
	char text[HF_LINE_MAX];
	uint64_t bytes;
	long n;
	int entries, err = settle(&c->err);

	if (err)
		return err;
	n = hf_read_file("/proc/meminfo", text, sizeof(text));
	if (n < 0)
		return hf_fail(&c->err, (int)-n, "read /proc/meminfo");
	entries = count_files(KHO_OUT, &bytes);
	hf_msg_s64(c->out, "kho_entries", entries);
	hf_msg_u64(c->out, "kho_bytes", bytes);
	hf_msg_u64(c->out, "mem_free_kb", meminfo(text, "MemFree:"));
	/*
	 * What vfree() gave back is reused late, so the kernel's page tables grow for
	 * hundreds of updates before they stop. Those of the IOMMU are not in here.
	 */
	hf_msg_u64(c->out, "mem_unused_kb",
		   meminfo(text, "MemFree:") + percpu_free_kb() + meminfo(text, "\nPageTables:"));
	hf_msg_u64(c->out, "mem_available_kb", meminfo(text, "MemAvailable:"));
	hf_msg_u64(c->out, "mem_total_kb", meminfo(text, "MemTotal:"));
	hf_msg_u64(c->out, "shmem_kb", meminfo(text, "Shmem:"));
	hf_msg_u64(c->out, "unreclaimable_kb", meminfo(text, "SUnreclaim:"));
	hf_msg_u64(c->out, "cma_free_kb", meminfo(text, "CmaFree:"));
	hf_msg_u64(c->out, "preserved", hf_luo_preserved());
	return 0;
}

static int klog(struct hf_call *c)
{
	uint64_t from, next;
	int err = hf_arg_u64(c, "from", 0, &from);

	if (!err)
		err = hf_klog_send(from, &next, &c->err);
	if (!err)
		hf_msg_u64(c->out, "next", next);
	return err;
}

/* A path; one that does not begin with a slash is in the share. */
static int arg_share_path(struct hf_call *c, const char *key, const char *def, char *buf,
			  size_t size)
{
	static const char share[] = "/share/";
	int err = hf_arg_str(c, key, def, buf, size - strlen(share));

	if (err || !*buf || *buf == '/')
		return err;
	memmove(buf + strlen(share), buf, strlen(buf) + 1);
	memcpy(buf, share, strlen(share));
	return 0;
}

static int kexec_load(struct hf_call *c)
{
	char kernel[PATH_MAX], initrd[PATH_MAX], cmdline[HF_LINE_MAX];
	int err = arg_share_path(c, "kernel", NULL, kernel, sizeof(kernel));

	if (!err)
		err = arg_share_path(c, "initrd", "", initrd, sizeof(initrd));
	if (!err)
		err = hf_arg_str(c, "cmdline", NULL, cmdline, sizeof(cmdline));
	return err ? err : hf_kexec_load(kernel, initrd, cmdline, &c->err);
}

static int kexec_exec(struct hf_call *c)
{
	return hf_kexec_exec(&c->err);
}

static int quit(struct hf_call *c)
{
	/* Nobody is left to reply afterwards. */
	hf_reply(c, 0);
	sync();
	reboot(RB_POWER_OFF);
	return hf_fail(&c->err, errno, "power off");
}

static const struct hf_cmd sys_cmds[] = {
	{ "mark", mark },
	{ "pci.dump", pci_dump },
	{ "pci.read", pci_read },
	{ "pci.write", pci_write },
	{ "sys.read", sys_read },
	{ "sys.write", sys_write },
	{ "sys.kho", sys_kho },
	{ "klog", klog },
	{ "kexec.load", kexec_load },
	{ "kexec.exec", kexec_exec },
	{ "run", hf_cmd_run },
	{ "quit", quit },
	{ NULL, NULL },
};
HF_COMMANDS(sys_cmds);
