// SPDX-License-Identifier: GPL-2.0
/* What can be seen of a VM from the host: where its memory lies, and its NIC's receive ring. Read only. */
#include "vmmem.h"
#include "slot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Registers of the first receive queue of an Intel 82576. */
#define E1000_SRRCTL0 0xc00c
#define E1000_RDBAL0  0xc000
#define E1000_RDBAH0  0xc004
#define E1000_RDLEN0  0xc008
#define E1000_RDH0    0xc010
#define E1000_RDT0    0xc018

/* The file behind the VM's RAM, by the name that QEMU gives it: the object's ID, or its type. */
static int open_ram(pid_t pid, struct hf_err *e)
{
	char path[64], target[256];
	struct dirent *d;
	int fd = -1;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	if (!dir)
		return hf_fail(e, errno, "open %s", path);
	while (fd < 0 && (d = readdir(dir))) {
		ssize_t n = readlinkat(dirfd(dir), d->d_name, target, sizeof(target) - 1);

		if (n <= 0)
			continue;
		target[n] = 0;
		if (!strncmp(target, "/memfd:", 7) &&
		    (strstr(target, "ram0") || strstr(target, "memory-backend-memfd")))
			fd = openat(dirfd(dir), d->d_name, O_RDONLY | O_CLOEXEC);
	}
	closedir(dir);
	return fd < 0 ? hf_fail(e, ENOENT, "RAM of process %d", (int)pid) : fd;
}

int hf_vm_send_mem(pid_t pid, unsigned int slot, uint64_t *bytes, struct hf_err *e)
{
	int fd = open_ram(pid, e), err;
	struct stat st;
	void *mem;

	if (fd < 0)
		return fd;
	mem = fstat(fd, &st) < 0 ? MAP_FAILED
				 : mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (mem == MAP_FAILED)
		return hf_fail(e, errno, "map RAM of process %d", (int)pid);
	*bytes = (uint64_t)st.st_size;
	err = hf_send_mem(mem, (size_t)st.st_size, slot, e);
	munmap(mem, (size_t)st.st_size);
	return err;
}

int hf_vm_ring(const char *bdf, struct hf_vm_ring *r, struct hf_err *e)
{
	const volatile uint8_t *reg;
	char path[80];
	struct stat st;
	void *bar;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource0", bdf);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return hf_fail(e, errno, "open %s", path);
	bar = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (bar == MAP_FAILED || st.st_size <= E1000_RDT0)
		return hf_fail(e, errno, "map %s", path);
	reg = bar;
#define RD(off) (*(const volatile uint32_t *)(reg + (off)))
	r->base = (uint64_t)RD(E1000_RDBAH0) << 32 | RD(E1000_RDBAL0);
	r->len = RD(E1000_RDLEN0);
	r->srrctl = RD(E1000_SRRCTL0);
	r->tail = RD(E1000_RDT0);
	r->head = RD(E1000_RDH0);
#undef RD
	munmap(bar, (size_t)st.st_size);
	return 0;
}
