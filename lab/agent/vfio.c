// SPDX-License-Identifier: GPL-2.0
/* The device file, its iommufd, its regions. */
#include "vfio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <dirent.h>
#include <linux/iommufd.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#if __has_include(<linux/vfio_liveupdate.h>)
#include <linux/vfio_liveupdate.h>
#endif

void hf_vfio_init(struct hf_vfio *v, const char *bdf)
{
	memset(v, 0, sizeof(*v));
	snprintf(v->bdf, sizeof(v->bdf), "%s", bdf);
	v->cdev = v->iommufd = -1;
}

int hf_vfio_open(struct hf_vfio *v, struct hf_err *e)
{
	char path[300], name[32] = "";
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", v->bdf);
	dir = opendir(path);
	if (!dir)
		return hf_fail(e, errno, "open %s", path);
	while ((d = readdir(dir)))
		if (!strncmp(d->d_name, "vfio", 4))
			snprintf(name, sizeof(name), "%.31s", d->d_name);
	closedir(dir);
	if (!name[0])
		return hf_fail(e, ENOENT, "no vfio device file for %s", v->bdf);

	snprintf(path, sizeof(path), "/dev/vfio/devices/%s", name);
	v->cdev = open(path, O_RDWR | O_CLOEXEC);
	if (v->cdev < 0)
		return hf_fail(e, errno, "open %s", path);
	return 0;
}

void hf_vfio_adopt(struct hf_vfio *v, int cdev)
{
	fcntl(cdev, F_SETFD, FD_CLOEXEC);
	v->cdev = cdev;
}

int hf_vfio_iommu_new(struct hf_vfio *v, struct hf_err *e)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };

	v->iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	if (v->iommufd < 0)
		return hf_fail(e, errno, "open /dev/iommu");
	if (ioctl(v->iommufd, IOMMU_IOAS_ALLOC, &alloc) < 0)
		return hf_fail(e, errno, "IOMMU_IOAS_ALLOC");
	v->ioas_id = alloc.out_ioas_id;
	return 0;
}

#define MAP_RW_FIXED \
	(IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE)

int hf_vfio_map_file(struct hf_vfio *v, int fd, uint64_t len, uint64_t iova, struct hf_err *e)
{
	struct iommu_ioas_map_file map = {
		.size = sizeof(map),
		.flags = MAP_RW_FIXED,
		.ioas_id = v->ioas_id,
		.fd = fd,
		.length = len,
		.iova = iova,
	};

	if (ioctl(v->iommufd, IOMMU_IOAS_MAP_FILE, &map) < 0)
		return hf_fail(e, errno, "IOMMU_IOAS_MAP_FILE at 0x%llx", (unsigned long long)iova);
	return 0;
}

int hf_vfio_map_peer(struct hf_vfio *v, const struct hf_vfio *peer, unsigned int bar, uint64_t len,
		     uint64_t iova, struct hf_err *e)
{
	struct {
		struct vfio_device_feature head;
		struct vfio_device_feature_dma_buf buf;
		struct vfio_region_dma_range range;
	} get = {
		.head.argsz = sizeof(get),
		.head.flags = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_DMA_BUF,
		.buf.region_index = VFIO_PCI_BAR0_REGION_INDEX + bar,
		.buf.open_flags = O_RDWR | O_CLOEXEC,
		.buf.nr_ranges = 1,
		.range.length = len,
	};
	int fd, err;

	fd = ioctl(peer->cdev, VFIO_DEVICE_FEATURE, &get);
	if (fd < 0)
		return hf_fail(e, errno, "dma-buf of BAR%u of %s", bar, peer->bdf);
	err = hf_vfio_map_file(v, fd, len, iova, e);
	/* The mapping stays. */
	close(fd);
	return err;
}

int hf_vfio_map_mem(struct hf_vfio *v, void *mem, uint64_t len, uint64_t iova, struct hf_err *e)
{
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = MAP_RW_FIXED,
		.ioas_id = v->ioas_id,
		.user_va = (uintptr_t)mem,
		.length = len,
		.iova = iova,
	};

	if (ioctl(v->iommufd, IOMMU_IOAS_MAP, &map) < 0)
		return hf_fail(e, errno, "IOMMU_IOAS_MAP at 0x%llx", (unsigned long long)iova);
	return 0;
}

static int digit_of(char c)
{
	const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* "12345678-1234-…" as the 16 bytes that it stands for. */
static bool parse_token(const char *text, uint8_t token[16])
{
	unsigned int n = 0;

	while (*text && n < 32) {
		int digit = digit_of(*text);

		if (digit >= 0) {
			token[n / 2] = (uint8_t)(n % 2 ? token[n / 2] | digit : digit << 4);
			n++;
		} else if (*text != '-') {
			return false;
		}
		text++;
	}
	return n == 32 && !*text;
}

int hf_vfio_bind(struct hf_vfio *v, const char *token, struct hf_err *e)
{
	struct vfio_device_bind_iommufd bind = {
		.argsz = sizeof(bind),
		.iommufd = v->iommufd,
	};
	uint8_t uuid[16];

	if (token[0]) {
		if (!parse_token(token, uuid))
			return hf_fail(e, EINVAL, "VF token \"%s\"", token);
		bind.flags = VFIO_DEVICE_BIND_FLAG_TOKEN;
		bind.token_uuid_ptr = (uintptr_t)uuid;
	}
	if (ioctl(v->cdev, VFIO_DEVICE_BIND_IOMMUFD, &bind) < 0)
		return hf_fail(e, errno, "VFIO_DEVICE_BIND_IOMMUFD %s", v->bdf);
	v->bound = true;
	return 0;
}

int hf_vfio_set_token(struct hf_vfio *v, const char *token, struct hf_err *e)
{
	struct {
		struct vfio_device_feature head;
		uint8_t uuid[16];
	} set = {
		.head.argsz = sizeof(set),
		.head.flags = VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_PCI_VF_TOKEN,
	};

	if (!parse_token(token, set.uuid))
		return hf_fail(e, EINVAL, "VF token \"%s\"", token);
	if (ioctl(v->cdev, VFIO_DEVICE_FEATURE, &set) < 0)
		return hf_fail(e, errno, "VFIO_DEVICE_FEATURE_PCI_VF_TOKEN %s", v->bdf);
	return 0;
}

int hf_vfio_attach(struct hf_vfio *v, struct hf_err *e)
{
	struct vfio_device_attach_iommufd_pt attach = {
		.argsz = sizeof(attach),
		.pt_id = v->ioas_id,
	};

	if (ioctl(v->cdev, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach) < 0)
		return hf_fail(e, errno, "VFIO_DEVICE_ATTACH_IOMMUFD_PT %s", v->bdf);
	return 0;
}

/*
 * A BAR is mapped as a whole: vfio lets the MSI-X table be mapped too, and
 * nothing here writes to it.
 */
static int map_bar(struct hf_vfio *v, unsigned int i, struct hf_err *e)
{
	struct vfio_region_info info = {
		.argsz = sizeof(info),
		.index = VFIO_PCI_BAR0_REGION_INDEX + i,
	};
	void *p;

	if (ioctl(v->cdev, VFIO_DEVICE_GET_REGION_INFO, &info) < 0)
		return hf_fail(e, errno, "GET_REGION_INFO BAR%u of %s", i, v->bdf);
	v->bar_off[i] = info.offset;
	if (!info.size || !(info.flags & VFIO_REGION_INFO_FLAG_MMAP))
		return 0;
	p = mmap(NULL, info.size, PROT_READ | PROT_WRITE, MAP_SHARED, v->cdev, (off_t)info.offset);
	if (p == MAP_FAILED)
		return hf_fail(e, errno, "mmap BAR%u of %s", i, v->bdf);
	/* A child, which is there to do harm, must not hold the device as well. */
	madvise(p, info.size, MADV_DONTFORK);
	v->bar[i].map = p;
	v->bar[i].size = info.size;
	return 0;
}

int hf_vfio_setup(struct hf_vfio *v, struct hf_err *e)
{
	struct vfio_irq_info irq = {
		.argsz = sizeof(irq),
		.index = VFIO_PCI_MSIX_IRQ_INDEX,
	};
	struct vfio_region_info cfg = {
		.argsz = sizeof(cfg),
		.index = VFIO_PCI_CONFIG_REGION_INDEX,
	};

	if (ioctl(v->cdev, VFIO_DEVICE_GET_REGION_INFO, &cfg) < 0)
		return hf_fail(e, errno, "GET_REGION_INFO config of %s", v->bdf);
	v->cfg_off = cfg.offset;
	v->cfg_size = (uint32_t)cfg.size;
	if (ioctl(v->cdev, VFIO_DEVICE_GET_IRQ_INFO, &irq) < 0)
		return hf_fail(e, errno, "GET_IRQ_INFO MSI-X of %s", v->bdf);
	v->vectors = irq.count;
	for (unsigned int i = 0; i < 6; i++) {
		int err = map_bar(v, i, e);

		if (err)
			return err;
	}
	return 0;
}

static void close_events(struct hf_vfio *v)
{
	for (unsigned int i = 0; i < v->armed; i++)
		close(v->event[i]);
	v->armed = 0;
}

void hf_vfio_close(struct hf_vfio *v)
{
	for (unsigned int i = 0; i < 6; i++)
		if (v->bar[i].map)
			munmap((void *)v->bar[i].map, v->bar[i].size);
	close_events(v);
	if (v->cdev >= 0)
		close(v->cdev);
	if (v->iommufd >= 0)
		close(v->iommufd);
	hf_vfio_init(v, "");
}

int hf_vfio_cfg_read(struct hf_vfio *v, unsigned int off, unsigned int size, uint32_t *val,
		     struct hf_err *e)
{
	*val = 0;
	if (off + size > v->cfg_size ||
	    pread(v->cdev, val, size, (off_t)(v->cfg_off + off)) != (ssize_t)size)
		return hf_fail(e, EIO, "read config 0x%x of %s", off, v->bdf);
	return 0;
}

int hf_vfio_cfg_write(struct hf_vfio *v, unsigned int off, unsigned int size, uint32_t val,
		      struct hf_err *e)
{
	if (off + size > v->cfg_size ||
	    pwrite(v->cdev, &val, size, (off_t)(v->cfg_off + off)) != (ssize_t)size)
		return hf_fail(e, EIO, "write config 0x%x of %s", off, v->bdf);
	return 0;
}

int hf_vfio_enable(struct hf_vfio *v, struct hf_err *e)
{
	uint32_t cmd;
	int err;

	err = hf_vfio_cfg_read(v, PCI_COMMAND, 2, &cmd, e);
	if (err)
		return err;
	return hf_vfio_cfg_write(v, PCI_COMMAND, 2, cmd | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER,
				 e);
}

int hf_vfio_mark_vconfig(struct hf_vfio *v, unsigned int slot, struct hf_err *e)
{
	int err;

	err = hf_vfio_cfg_write(v, PCI_BASE_ADDRESS_0, 4, 0x5a000000u + (slot << 24), e);
	if (err)
		return err;
	return hf_vfio_cfg_write(v, PCI_INTERRUPT_LINE, 1, 0x50 + slot, e);
}

static void clear(uint8_t *cfg, size_t size, unsigned int off, unsigned int len)
{
	if (off + len <= size)
		memset(cfg + off, 0, len);
}

/* Zero what a running device changes by itself, or arming its interrupts does. */
static void drop_volatile(uint8_t *cfg, size_t size)
{
	unsigned int pos, next;
	int ttl = 48;

	cfg[PCI_COMMAND + 1] &= 0xffu ^ (PCI_COMMAND_INTX_DISABLE >> 8);
	cfg[PCI_STATUS] &= 0xffu ^ PCI_STATUS_INTERRUPT;
	clear(cfg, size, PCI_STATUS + 1, 1);
	for (pos = cfg[PCI_CAPABILITY_LIST] & ~3u; pos >= 0x40 && pos < 0x100 && ttl--;
	     pos = next) {
		next = cfg[pos + 1] & ~3u;
		switch (cfg[pos]) {
		case PCI_CAP_ID_MSI: /* control to pending bits */
			clear(cfg, size, pos + 2, 22);
			break;
		case PCI_CAP_ID_MSIX:
			cfg[pos + PCI_MSIX_FLAGS + 1] &=
				0xffu ^ ((PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL) >> 8);
			break;
		case PCI_CAP_ID_EXP:
			clear(cfg, size, pos + PCI_EXP_DEVSTA, 2);
			clear(cfg, size, pos + PCI_EXP_LNKSTA, 2);
			break;
		}
	}
	for (pos = 0x100, ttl = 48; pos >= 0x100 && pos + 4 <= size && ttl--; pos = next) {
		uint32_t head;

		memcpy(&head, cfg + pos, sizeof(head));
		next = PCI_EXT_CAP_NEXT(head);
		if (PCI_EXT_CAP_ID(head) == PCI_EXT_CAP_ID_ERR) {
			clear(cfg, size, pos + PCI_ERR_UNCOR_STATUS, 4);
			clear(cfg, size, pos + PCI_ERR_COR_STATUS, 4);
			clear(cfg, size, pos + PCI_ERR_HEADER_LOG, 16);
			if (pos + PCI_ERR_CAP < size) /* which error was the first */
				cfg[pos + PCI_ERR_CAP] &= 0xffu ^ 0x1fu;
		}
	}
}

int hf_vfio_vconfig_sha(struct hf_vfio *v, char out[HF_SHA256_HEX], struct hf_err *e)
{
	uint8_t cfg[4096] = { 0 };
	size_t size = v->cfg_size < sizeof(cfg) ? v->cfg_size : sizeof(cfg);

	/* Registers are 32 bits wide at most; vfio answers each as a guest would see it. */
	for (size_t i = 0; i + 4 <= size; i += 4)
		if (pread(v->cdev, cfg + i, 4, (off_t)(v->cfg_off + i)) != 4)
			return hf_fail(e, EIO, "read config 0x%zx of %s", i, v->bdf);
	drop_volatile(cfg, size);
	hf_sha256_hex(cfg, size, out);
	return 0;
}

int hf_vfio_pba(struct hf_vfio *v, uint64_t *pba, struct hf_err *e)
{
	uint32_t pos, id, where;
	int err, ttl = 48;

	if (v->intx) {
		err = hf_vfio_cfg_read(v, PCI_STATUS, 2, &where, e);
		*pba = !err && (where & PCI_STATUS_INTERRUPT);
		return err;
	}
	*pba = 0;
	if (v->msi)
		return 0;
	err = hf_vfio_cfg_read(v, PCI_CAPABILITY_LIST, 1, &pos, e);
	while (!err && pos >= 0x40 && ttl--) {
		err = hf_vfio_cfg_read(v, pos & ~3u, 2, &id, e);
		if (err)
			return err;
		if ((id & 0xff) == PCI_CAP_ID_MSIX) {
			err = hf_vfio_cfg_read(v, (pos & ~3u) + PCI_MSIX_PBA, 4, &where, e);
			if (err)
				return err;
			if (pread(v->cdev, pba, 8,
				  (off_t)(v->bar_off[where & PCI_MSIX_PBA_BIR] +
					  (where & PCI_MSIX_PBA_OFFSET))) != 8)
				return hf_fail(e, EIO, "read MSI-X PBA of %s", v->bdf);
			return 0;
		}
		pos = id >> 8;
	}
	return err ? err : hf_fail(e, ENOENT, "MSI-X capability of %s", v->bdf);
}

int hf_vfio_why(struct hf_vfio *v, bool *can, char reason[HF_WHY_TEXT], struct hf_err *e)
{
#ifdef VFIO_DEVICE_FEATURE_LIVEUPDATE
	struct {
		struct vfio_device_feature head;
		struct vfio_device_feature_liveupdate lu;
	} q = {
		.head.argsz = sizeof(q),
		.head.flags = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_LIVEUPDATE,
	};

	if (ioctl(v->cdev, VFIO_DEVICE_FEATURE, &q) < 0)
		return hf_fail(e, errno, "VFIO_DEVICE_FEATURE_LIVEUPDATE %s", v->bdf);
	*can = q.lu.flags & VFIO_LIVEUPDATE_CAN_PRESERVE;
	snprintf(reason, HF_WHY_TEXT, "%.*s", (int)sizeof(q.lu.text), q.lu.text);
	return 0;
#else
	(void)can;
	(void)reason;
	return hf_fail(e, ENOTTY, "VFIO_DEVICE_FEATURE_LIVEUPDATE %s", v->bdf);
#endif
}
