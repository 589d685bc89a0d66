/* SPDX-License-Identifier: GPL-2.0 */
/* Messages of vfio-user, as far as a server needs them that neither DMAs nor interrupts. */
#ifndef PERSONA_VFIO_USER_H
#define PERSONA_VFIO_USER_H

#include <stdint.h>
#include <stddef.h>

#define VU_MAX_XFER (1 << 20)

enum vu_command {
	VU_VERSION = 1,
	VU_DMA_MAP = 2,
	VU_DMA_UNMAP = 3,
	VU_DEVICE_GET_INFO = 4,
	VU_DEVICE_GET_REGION_INFO = 5,
	VU_DEVICE_GET_IRQ_INFO = 7,
	VU_DEVICE_SET_IRQS = 8,
	VU_REGION_READ = 9,
	VU_REGION_WRITE = 10,
	VU_DEVICE_RESET = 13,
};

enum { VU_REPLY = 1, VU_NO_REPLY = 1 << 4, VU_ERROR = 1 << 5 }; /* flags */

struct vu_header {
	uint16_t id, command;
	uint32_t size; /* of all of it */
	uint32_t flags, error;
};

struct vu_version {
	uint16_t major, minor; /* JSON follows */
};

struct vu_device_info {
	uint32_t argsz, flags, num_regions, num_irqs;
};

struct vu_region_info {
	uint32_t argsz, flags, index, cap_offset;
	uint64_t size, offset;
};

struct vu_irq_info {
	uint32_t argsz, flags, index, count;
};

struct vu_rw {
	uint64_t offset;
	uint32_t region, count; /* data follows */
};

/*
 * One message, of at most @size bytes after the header, *@got of which came. File descriptors
 * that came with it are closed. Return: 1, 0 at the end, -1 with errno.
 */
int vu_receive(int fd, struct vu_header *h, void *body, size_t size, uint32_t *got);
int vu_send(int fd, const void *buf, size_t len);

#endif
