// SPDX-License-Identifier: GPL-2.0
/*
 * A VMM for the fake kernel, as far as holdfast can tell one from QEMU.
 *
 *   fake_vm start DIR [--maps N] -- PROGRAM ARGS...
 *	Set up memory, devices and interrupts, write down what all of it looks like,
 *	and execute PROGRAM, as cpr-exec does.
 *   fake_vm run DIR MODE -incoming file:PATH [-chardev socket,id=holdfast,fd=N ...]
 *	Come back: compare everything with what was written down, then be a VMM with
 *	QMP until the other side closes it. MODE: go, paused, die (before it has taken
 *	over), fail (it cannot load its state, and says so), mute (closes QMP, then ends),
 *	again (once more, to $HOLDFAST vm save vm0, with the command line it has).
 *
 * It ends with 0 if all was as it should be, and leaves its pid in DIR/done.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/iommufd.h>
#include <linux/vfio.h>

#include <holdfast/util.h>

#include "fake_kernel.h"
#include "fake_vm.h"

static void die(const char *what)
{
	fprintf(stderr, "fake_vm: %s: %s\n", what, strerror(errno));
	exit(9);
}

static void call(int fd, unsigned long req, void *arg, const char *what)
{
	if (ioctl(fd, req, arg) < 0)
		die(what);
}

/* FAKE_DOMAIN: not to have the same as another VM. */
static int device(const char *bus)
{
	char name[32];

	snprintf(name, sizeof(name), "%.4s:%s:00.0", getenv("FAKE_DOMAIN") ?: "0000", bus);
	return fake_vfio_open(name);
}

static uint32_t ioas(int iommufd)
{
	struct iommu_ioas_alloc a = { .size = sizeof(a) };

	call(iommufd, IOMMU_IOAS_ALLOC, &a, "IOAS_ALLOC");
	return a.out_ioas_id;
}

static void map(int iommufd, uint32_t id, int fd, uint64_t iova, uint64_t len, uint64_t at,
		uint32_t flags)
{
	struct iommu_ioas_map_file a = {
		.size = sizeof(a),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | flags,
		.ioas_id = id,
		.fd = fd,
		.start = at,
		.length = len,
		.iova = iova,
	};

	call(iommufd, IOMMU_IOAS_MAP_FILE, &a, "MAP_FILE");
}

static uint32_t bind(int dev, int iommufd)
{
	struct vfio_device_bind_iommufd a = { .argsz = sizeof(a), .iommufd = iommufd };

	call(dev, VFIO_DEVICE_BIND_IOMMUFD, &a, "BIND");
	return a.out_devid;
}

static void attach(int dev, uint32_t pt)
{
	struct vfio_device_attach_iommufd_pt a = { .argsz = sizeof(a), .pt_id = pt };

	call(dev, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &a, "ATTACH");
}

static void irqs(int dev, uint32_t index, uint32_t action, const int32_t *fds, uint32_t n)
{
	struct {
		struct vfio_irq_set set;
		int32_t fd[16];
	} a = {
		.set.argsz = (uint32_t)(sizeof(a.set) + n * sizeof(int32_t)),
		.set.flags = VFIO_IRQ_SET_DATA_EVENTFD | action,
		.set.index = index,
		.set.count = n,
	};

	memcpy(a.fd, fds, n * sizeof(*fds));
	call(dev, VFIO_DEVICE_SET_IRQS, &a, "SET_IRQS");
}

static int memory(const char *name, size_t size, char fill)
{
	int fd = memfd_create(name, 0);
	char page[4096];

	memset(page, fill, sizeof(page));
	for (size_t at = 0; at < size; at += sizeof(page))
		if (pwrite(fd, page, sizeof(page), (off_t)at) < 0)
			die(name);
	return fd;
}

#define RW (IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE)

/* Two devices behind one page table of their own, IDs with holes between them. */
static void first_iommufd(int ram, int rom, long maps)
{
	int iommufd = open("/dev/iommu", O_RDWR), dev[2], ev[5];
	struct iommu_hwpt_alloc hwpt = { .size = sizeof(hwpt),
					 .flags = IOMMU_HWPT_ALLOC_DIRTY_TRACKING };
	struct iommu_destroy hole = { .size = sizeof(hole) };
	struct {
		struct vfio_device_feature head;
		struct vfio_device_feature_dma_buf buf;
		struct vfio_region_dma_range range;
	} mmio = { .head.flags = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_DMA_BUF,
		   .range.offset = 0x2000 };
	int buf;

	dev[0] = device("01");
	dev[1] = device("02");
	for (int i = 0; i < 5; i++)
		ev[i] = eventfd(0, EFD_NONBLOCK);
	hole.id = ioas(iommufd);
	hwpt.dev_id = bind(dev[0], iommufd);
	hwpt.pt_id = ioas(iommufd);
	call(iommufd, IOMMU_HWPT_ALLOC, &hwpt, "HWPT_ALLOC");
	call(iommufd, IOMMU_DESTROY, &hole, "DESTROY");
	/* Takes the hole: its ID is below those of older objects. */
	bind(dev[1], iommufd);
	hole.id = ioas(iommufd);
	ioas(iommufd);
	call(iommufd, IOMMU_DESTROY, &hole, "DESTROY");
	attach(dev[0], hwpt.out_hwpt_id);
	attach(dev[1], hwpt.out_hwpt_id);
	/* Not in the order of IOVA; one at the very end. */
	map(iommufd, hwpt.pt_id, ram, UINT64_C(0x100000000), 0x80000, 0x40000, RW);
	map(iommufd, hwpt.pt_id, ram, 0, 0x40000, 0, RW);
	map(iommufd, hwpt.pt_id, rom, 0xfffc0000, 0x10000, 0, IOMMU_IOAS_MAP_READABLE);
	map(iommufd, hwpt.pt_id, ram, UINT64_C(0xfffffffffffff000), 0x1000, 0, RW);
	for (long i = 0; i < maps; i++)
		map(iommufd, hwpt.pt_id, ram, 0x200000000 + (uint64_t)i * 0x2000, 0x1000, 0, RW);
	buf = ioctl(dev[0], VFIO_DEVICE_FEATURE, &mmio);
	if (buf < 0)
		die("DMA_BUF");
	map(iommufd, hwpt.pt_id, buf, 0xc0000000, 0x1000, 0, RW);
	close(buf);
	irqs(dev[0], VFIO_PCI_MSIX_IRQ_INDEX, VFIO_IRQ_SET_ACTION_TRIGGER,
	     (int32_t[]){ ev[0], -1, ev[1], -1, -1, ev[2] }, 6);
	irqs(dev[0], VFIO_PCI_ERR_IRQ_INDEX, VFIO_IRQ_SET_ACTION_TRIGGER, &ev[3], 1);
	irqs(dev[0], VFIO_PCI_REQ_IRQ_INDEX, VFIO_IRQ_SET_ACTION_TRIGGER, &ev[4], 1);
}

/* One device in a domain that the kernel has made, with small pages and INTx. */
static void second_iommufd(int ram)
{
	int iommufd = open("/dev/iommu", O_RDWR), dev = device("03");
	int ev[2] = { eventfd(0, 0), eventfd(0, EFD_NONBLOCK) };
	struct iommu_option small = { .size = sizeof(small),
				      .option_id = IOMMU_OPTION_HUGE_PAGES,
				      .op = IOMMU_OPTION_OP_SET };

	bind(dev, iommufd);
	small.object_id = ioas(iommufd);
	call(iommufd, IOMMU_OPTION, &small, "OPTION");
	map(iommufd, small.object_id, ram, 0x1000, 0x1000, 0x1000, RW);
	attach(dev, small.object_id);
	irqs(dev, VFIO_PCI_INTX_IRQ_INDEX, VFIO_IRQ_SET_ACTION_TRIGGER, &ev[0], 1);
	irqs(dev, VFIO_PCI_INTX_IRQ_INDEX, VFIO_IRQ_SET_ACTION_UNMASK, &ev[1], 1);
}

/* Two dma-bufs that are inherited: SIZE,EXPORTER. */
static void leak(const char *what)
{
	struct fake_dmabuf d = { 0 };
	unsigned long long size;
	char path[300];
	int fd;

	if (sscanf(what, "%llu,%31s", &size, d.exporter) != 2)
		die("FAKE_LEAK");
	d.size = size;
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/dmabuf-XXXXXX", fake_dir());
		fd = mkostemp(path, 0);
		if (fd < 0 || write(fd, &d, sizeof(d)) != sizeof(d))
			die(path);
	}
}

static int start(int argc, char **argv)
{
	const char *dir = argv[2];
	int ram, rom, arg = 3;
	long maps = 0;

	if (argc > 5 && !strcmp(argv[3], "--maps")) {
		maps = atol(argv[4]);
		arg = 5;
	}
	if (arg + 1 >= argc || strcmp(argv[arg], "--"))
		return 2;
	/* What else is open is ours, not the VM's: as QEMU has it, closed on exec. */
	for (int fd = 3; fd < 1024; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	ram = memory("ram", 0x100000, 'r');
	rom = memory("rom", 0x10000, 'o');
	/* Far up, where nothing of holdfast's may be by then; and a duplicate. */
	if (dup2(rom, 300) < 0)
		die("dup2");
	setenv("QEMU_CPR_EXEC_STATE", "300", 1);
	first_iommufd(ram, rom, maps);
	second_iommufd(ram);
	if (eventfd(5, EFD_SEMAPHORE) < 0)
		die("eventfd");
	fake_vm_write(dir, "expected", true);
	fake_vm_write(dir, "expected-here", false);
	/* As QEMU, that did not mean to. */
	if (getenv("FAKE_LEAK"))
		leak(getenv("FAKE_LEAK"));
	execvp(argv[arg + 1], argv + arg + 1);
	die(argv[arg + 1]);
	return 9;
}

static void done(const char *dir)
{
	char path[300], whole[300];
	FILE *f;

	snprintf(path, sizeof(path), "%s/done.new", dir);
	snprintf(whole, sizeof(whole), "%s/done", dir);
	f = fopen(path, "we");
	if (!f)
		die(path);
	fprintf(f, "%d\n", (int)getpid());
	fclose(f);
	if (rename(path, whole) < 0)
		die(whole);
}

/*
 * The second update. Its command line is the one that this process was started with, as one
 * would find it in /proc, with the monitor of the first update in it.
 */
static void again(int argc, char **argv, int qmp, const char *state)
{
	static char *const save[] = { "vm", "save", "vm0", "--json", "--" };
	char **args = calloc((size_t)argc + 7, sizeof(*args));
	FILE *f = fopen(state, "we");

	if (!args || !f)
		die("again");
	fputs("state of the VM\n", f);
	fclose(f);
	close(qmp);
	args[0] = getenv("HOLDFAST");
	memcpy(args + 1, save, sizeof(save));
	memcpy(args + 6, argv, (size_t)argc * sizeof(*argv));
	args[6 + 3] = "go";
	setenv("QEMU_CPR_EXEC_STATE", "300", 1);
	execvp(args[0], args);
	die(args[0]);
}

static int run(int argc, char **argv)
{
	const char *dir = argv[2], *mode = argv[3], *state = NULL;
	int qmp = -1;

	unsetenv("FAKE_STOP");
	for (int i = 4; i < argc - 1; i++) {
		if (!strcmp(argv[i], "-incoming"))
			state = argv[i + 1] + strlen("file:");
		if (!strcmp(argv[i], "-chardev"))
			sscanf(argv[i + 1], "socket,id=holdfast,fd=%d", &qmp);
	}
	if (!strcmp(mode, "die"))
		return 3;
	fake_vm_check_state(state);
	/* Called back in the same kernel there is nobody to talk to. */
	fake_vm_compare(dir, qmp >= 0 ? "expected" : "expected-here", qmp);
	if (qmp >= 0 && !fake_vm_qmp(qmp, mode))
		return 3;
	if (qmp >= 0 && !strcmp(mode, "again"))
		again(argc, argv, qmp, state);
	done(dir);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 3 && !strcmp(argv[1], "start"))
		return start(argc, argv);
	if (argc > 3 && !strcmp(argv[1], "run"))
		return run(argc, argv);
	return 2;
}
