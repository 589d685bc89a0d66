// SPDX-License-Identifier: GPL-2.0
#include "vfio_user.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_FDS 64

/* Memory of the guest, eventfds: nothing that would be used here. */
static void close_all(struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
			close(fd);
		}
	}
}

/* Return: 1, 0 at the end, -1 with errno. */
static int receive(int fd, void *buf, size_t len)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(MAX_FDS * sizeof(int))];
	size_t done = 0;

	while (done < len) {
		struct iovec v = { (char *)buf + done, len - done };
		struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control };
		ssize_t n;

		m.msg_controllen = sizeof(control);
		n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n;
		close_all(&m);
		done += n;
	}
	return 1;
}

int vu_receive(int fd, struct vu_header *h, void *body, size_t size, uint32_t *got)
{
	int rc = receive(fd, h, sizeof(*h));

	*got = 0;
	if (rc <= 0)
		return rc;
	if (h->size < sizeof(*h) || h->size - sizeof(*h) > size) {
		errno = EMSGSIZE;
		return -1;
	}
	*got = h->size - sizeof(*h);
	return *got ? receive(fd, body, *got) : 1;
}

int vu_send(int fd, const void *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = send(fd, (const char *)buf + done, len - done, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		done += n;
	}
	return 0;
}
