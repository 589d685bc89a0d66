// SPDX-License-Identifier: GPL-2.0
/* What a VM looks like, as text, from its descriptors and the state of the fake kernel. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <holdfast/util.h>

#include "fake_kernel.h"
#include "fake_vm.h"

#define FDS 1024

static int by_inode(uint64_t inode)
{
	struct stat st;

	for (int fd = 3; fd < FDS; fd++)
		if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_ino == inode)
			return fd;
	return -1;
}

static int by_event(int id)
{
	char text[32];

	for (int fd = 3; fd < FDS; fd++)
		if (!hf_fdinfo(fd, "eventfd-id", text, sizeof(text)) && atoi(text) == id)
			return fd;
	return -1;
}

static int by_path(const char *want)
{
	char path[300];

	for (int fd = 3; fd < FDS; fd++)
		if (fake_path(fd, path, sizeof(path)) && !strcmp(path, want))
			return fd;
	return -1;
}

static int cmp_map(const void *a, const void *b)
{
	const struct fake_map *x = a, *y = b;

	return x->iova < y->iova ? -1 : x->iova > y->iova;
}

static int cmp_irq(const void *a, const void *b)
{
	const struct fake_irq *x = a, *y = b;

	if (x->index != y->index)
		return x->index < y->index ? -1 : 1;
	if (x->action != y->action)
		return x->action < y->action ? -1 : 1;
	return x->vector < y->vector ? -1 : x->vector > y->vector;
}

/* Objects that no device uses are not told by the kernel, so they do not come back. */
static void look_iommu(FILE *f, int fd)
{
	static struct fake_iommu s;

	fake_iommu_load(fd, &s);
	fprintf(f, "iommufd\n");
	for (int id = 1; id < FAKE_IDS; id++) {
		bool used = s.type[id] != FAKE_IOAS;

		for (int i = 1; i < FAKE_IDS; i++)
			if ((s.type[i] == FAKE_HWPT || s.type[i] == FAKE_AUTO_HWPT) &&
			    s.ioas[i] == (uint32_t)id)
				used = true;
		if (s.type[id] != FAKE_FREE && used)
			fprintf(f, "\t%d: type %u of %u flags %u small %u\n", id, s.type[id],
				s.ioas[id], s.flags[id], s.small_pages[id]);
	}
	qsort(s.maps, s.nmaps, sizeof(*s.maps), cmp_map);
	for (uint32_t i = 0; i < s.nmaps; i++)
		fprintf(f,
			"\tmap %u: %#" PRIx64 " %#" PRIx64 " of fd %d at %#" PRIx64 " flags %u\n",
			s.maps[i].ioas, s.maps[i].iova, s.maps[i].length,
			s.maps[i].inode ? by_inode(s.maps[i].inode) : -1, s.maps[i].offset,
			s.maps[i].flags);
}

static void look_vfio(FILE *f, int fd)
{
	struct fake_vfio v;

	fake_vfio_load(fd, &v);
	fprintf(f, "vfio on iommufd %d as %u at %u\n", by_path(v.iommu), v.dev_id, v.pt_id);
	qsort(v.irqs, v.nirqs, sizeof(*v.irqs), cmp_irq);
	for (uint32_t i = 0; i < v.nirqs; i++)
		fprintf(f, "\tirq %u.%u action %u fd %d\n", v.irqs[i].index, v.irqs[i].vector,
			v.irqs[i].action, by_event(v.irqs[i].event));
}

/* Does it trigger INTx, MSI or MSI-X of any device? */
static bool is_trigger(int id)
{
	char path[300];
	struct fake_vfio v;

	for (int fd = 3; fd < FDS; fd++) {
		if (!fake_path(fd, path, sizeof(path)) || !strstr(path, "/vfio-"))
			continue;
		fake_vfio_load(fd, &v);
		for (uint32_t i = 0; i < v.nirqs; i++)
			if (v.irqs[i].event == id && v.irqs[i].index <= 2 && v.irqs[i].action == 32)
				return true;
	}
	return false;
}

static void look_event(FILE *f, int fd, bool woken)
{
	char count[32], id[32], semaphore[32];

	hf_fdinfo(fd, "eventfd-count", count, sizeof(count));
	hf_fdinfo(fd, "eventfd-semaphore", semaphore, sizeof(semaphore));
	hf_fdinfo(fd, "eventfd-id", id, sizeof(id));
	if (is_trigger(atoi(id)))
		/* Once or more: an attempt that failed may have done it before. */
		strcpy(count, woken || strcmp(count, "0") ? "some" : "none");
	fprintf(f, "eventfd flags %#x semaphore %s count %s\n", fcntl(fd, F_GETFL), semaphore,
		count);
}

static void look_memory(FILE *f, int fd)
{
	uint64_t sum = 14695981039346656037u;
	unsigned char buf[4096];
	off_t at = 0;
	ssize_t n;

	for (; (n = pread(fd, buf, sizeof(buf), at)) > 0; at += n)
		for (ssize_t i = 0; i < n; i++)
			sum = (sum ^ buf[i]) * 1099511628211u;
	fprintf(f, "memory %lld bytes, %016" PRIx64 "\n", (long long)at, sum);
}

static void look(FILE *f, bool woken, int except)
{
	char link[300], cwd[300];
	mode_t mask = umask(0);

	umask(mask);

	for (int fd = 3; fd < FDS; fd++) {
		if (fd == except || fd == fileno(f) || hf_fd_link(fd, link, sizeof(link)) ||
		    (fcntl(fd, F_GETFD) & FD_CLOEXEC))
			continue;
		fprintf(f, "%d: ", fd);
		if (!strncmp(link, "/memfd:", 7))
			look_memory(f, fd);
		else if (!strcmp(link, "anon_inode:[eventfd]"))
			look_event(f, fd, woken);
		else if (!strcmp(link, "/dev/iommu"))
			look_iommu(f, fd);
		else if (!strcmp(link, "anon_inode:[vfio-device]"))
			look_vfio(f, fd);
		else
			fprintf(f, "%s\n", link);
	}
	fprintf(f, "cwd %s umask %o\n", getcwd(cwd, sizeof(cwd)), mask);
	fprintf(f, "cpr %s mark %s\n", getenv("QEMU_CPR_EXEC_STATE") ?: "-",
		getenv("VM_MARK") ?: "-");
}

void fake_vm_write(const char *dir, const char *name, bool woken)
{
	char path[300];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "we");
	if (!f)
		exit(9);
	look(f, woken, -1);
	fclose(f);
}

void fake_vm_compare(const char *dir, const char *name, int except)
{
	char path[300], *want = NULL, *got = NULL;
	size_t size, len;
	struct hf_error e;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (hf_read_path(path, 1u << 24, &want, &len, &e)) {
		fprintf(stderr, "fake_vm: %s\n", e.text);
		exit(9);
	}
	f = open_memstream(&got, &size);
	look(f, false, except);
	fclose(f);
	if (!strcmp(want, got)) {
		free(want);
		free(got);
		return;
	}
	fprintf(stderr, "fake_vm: it is not what it was. It was:\n%sIt is:\n%s", want, got);
	exit(9);
}

void fake_vm_check_state(const char *path)
{
	struct hf_error e;
	char *buf = NULL;
	size_t len;

	if (path && !hf_read_path(path, 4096, &buf, &len, &e) &&
	    !strcmp(buf, "state of the VM\n")) {
		free(buf);
		return;
	}
	fprintf(stderr, "fake_vm: the state file is not there, or another\n");
	exit(9);
}
