// SPDX-License-Identifier: GPL-2.0
/* Where memory of this process lies in guest-physical memory. */
#include "agent.h"
#include "slot.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Documentation/admin-guide/mm/pagemap.rst */
#define PM_PFN_MASK ((1ULL << 55) - 1)
#define PM_PRESENT  (1ULL << 63)

int hf_pagemap_open(struct hf_err *e)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? hf_fail(e, errno, "open /proc/self/pagemap") : fd;
}

int hf_gpa(int pagemap, const void *addr, uint64_t *gpa, struct hf_err *e)
{
	uintptr_t va = (uintptr_t)addr;
	uint64_t ent;

	if (pread(pagemap, &ent, sizeof(ent), (off_t)(va / HF_PAGE * sizeof(ent))) != sizeof(ent))
		return hf_fail(e, EIO, "read /proc/self/pagemap");
	if (!(ent & PM_PRESENT) || !(ent & PM_PFN_MASK))
		return hf_fail(e, ENODATA, "no page behind %p", addr);
	*gpa = (ent & PM_PFN_MASK) * HF_PAGE + va % HF_PAGE;
	return 0;
}

/* One `mem` event while it is being filled. */
struct mem_event {
	struct hf_msg m;
	unsigned int slot;
	bool open;
};

static void event_close(struct mem_event *ev, bool last)
{
	if (!ev->open)
		return;
	hf_msg_arr_end(&ev->m);
	hf_msg_last(&ev->m);
	hf_msg_bool(&ev->m, "last", last);
	hf_event_end(&ev->m);
	ev->open = false;
}

static void event_run(struct mem_event *ev, uint64_t off, uint64_t gpa, uint64_t len)
{
	if (ev->open && hf_msg_room(&ev->m) < 128)
		event_close(ev, false);
	if (!ev->open) {
		hf_event_begin(&ev->m, "mem");
		hf_msg_u64(&ev->m, "slot", ev->slot);
		hf_msg_u64(&ev->m, "off", off);
		hf_msg_arr(&ev->m, "runs");
		ev->open = true;
	}
	hf_msg_arr(&ev->m, NULL);
	hf_msg_u64(&ev->m, NULL, gpa);
	hf_msg_u64(&ev->m, NULL, len);
	hf_msg_arr_end(&ev->m);
}

int hf_send_mem(const uint8_t *mem, size_t size, unsigned int slot, struct hf_err *e)
{
	static struct mem_event ev;
	uint64_t start = 0, run = 0, len = 0;
	int fd, err = 0;

	ev.slot = slot;
	ev.open = false;
	fd = hf_pagemap_open(e);
	if (fd < 0)
		return fd;
	for (uint64_t off = 0; off < size; off += HF_PAGE) {
		uint64_t gpa;

		/* Pinning may have moved the page and left a hole; a read fills it. */
		*(const volatile uint8_t *)(mem + off);
		err = hf_gpa(fd, mem + off, &gpa, e);
		if (err)
			break;
		if (len && gpa == run + len) {
			len += HF_PAGE;
			continue;
		}
		if (len)
			event_run(&ev, start, run, len);
		start = off;
		run = gpa;
		len = HF_PAGE;
	}
	if (!err)
		event_run(&ev, start, run, len);
	event_close(&ev, true);
	close(fd);
	return err;
}
