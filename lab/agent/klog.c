// SPDX-License-Identifier: GPL-2.0
/* The kernel log, record by record. */
#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int hf_klog_send(uint64_t from, uint64_t *next, struct hf_err *e)
{
	/* Documentation/ABI/testing/dev-kmsg: "prio,seq,us,flags[,...];text\n key=value" */
	char rec[2048];
	struct hf_msg m;
	int fd;

	*next = from;
	fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return hf_fail(e, errno, "open /dev/kmsg");
	for (;;) {
		ssize_t n = read(fd, rec, sizeof(rec) - 1);
		char *text, *p;
		uint64_t prio, seq, us;

		/* EPIPE: records were overwritten before they were read; the next is fine. */
		if (n < 0 && (errno == EPIPE || errno == EINTR))
			continue;
		if (n <= 0)
			break;
		rec[n] = 0;
		text = strchr(rec, ';');
		if (!text)
			continue;
		*text++ = 0;
		prio = strtoull(rec, &p, 10);
		seq = strtoull(*p ? p + 1 : p, &p, 10);
		us = strtoull(*p ? p + 1 : p, &p, 10);
		if (seq < from)
			continue;
		text[strcspn(text, "\n")] = 0;
		hf_event_begin(&m, "klog");
		hf_msg_u64(&m, "seq", seq);
		hf_msg_u64(&m, "prio", prio & 7);
		hf_msg_u64(&m, "at_us", us);
		hf_msg_str(&m, "line", text);
		hf_event_end(&m);
		*next = seq + 1;
	}
	close(fd);
	return 0;
}
