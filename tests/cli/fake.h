/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A kernel that is not there: /dev/liveupdate, /dev/iommu and vfio devices, played by
 * files in the folder that FAKE_KERNEL names. Linked into holdfast and into a small VMM,
 * in front of the C library's open(), ioctl(), readlink(), fstat() and syscall(); whatever is not
 * in that folder goes to the real kernel.
 *
 * What is played is what the uAPI headers promise, with IDs given out as iommufd does.
 * FAKE_FAIL_NTH, FAKE_KILL_NTH, FAKE_KILL_AFTER_NTH: the ioctl of that number, counted from 1, does
 * nothing but fail, or the process is killed before or after it.
 * FAKE_STOP=getfd|liveupdate|reboot|rename|signal|sync: the process stops where it makes that call.
 * A session lives on when its process dies; it can be retrieved once there was a kexec: with
 * FAKE_KEXEC in the environment, the jump ends all VMs that have a record, and their records.
 */
#ifndef FAKE_H
#define FAKE_H

#include <stdint.h>

#define FAKE_IDS  64
#define FAKE_MAPS 4096
#define FAKE_IRQS 128

enum { FAKE_FREE, FAKE_IOAS, FAKE_DEV, FAKE_HWPT, FAKE_AUTO_HWPT };

struct fake_map {
	uint32_t ioas, flags; /* IOMMU_IOAS_MAP_* */
	uint64_t iova, length, offset;
	uint64_t inode; /* of the memfd; 0: MMIO */
};

/* Content of iommu-XXXXXX. */
struct fake_iommu {
	uint32_t type[FAKE_IDS], ioas[FAKE_IDS], flags[FAKE_IDS]; /* by ID */
	uint32_t small_pages[FAKE_IDS];
	uint32_t nmaps;
	struct fake_map maps[FAKE_MAPS];
};

struct fake_irq {
	uint32_t index, vector, action;
	int32_t event; /* eventfd-id */
};

/* Content of vfio-NAME. */
struct fake_vfio {
	char iommu[300]; /* path; "": not bound */
	uint32_t dev_id, pt_id;
	uint32_t retrieved;
	uint32_t nirqs;
	struct fake_irq irqs[FAKE_IRQS];
};

/* Content of dmabuf-XXXXXX. */
struct fake_dmabuf {
	uint64_t offset; /* in the device file */
	uint64_t size;
	char exporter[32];
};

/* Where the file of a device has its config space. */
#define FAKE_CONFIG_AT	 0x100000
#define FAKE_CONFIG_SIZE 0x1000

/*
 * Open device NAME, as /dev/vfio/devices would. It has the config space that is in the
 * file FAKE_CONFIG; without that, none that can be read.
 */
int fake_vfio_open(const char *name);

#endif
