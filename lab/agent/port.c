// SPDX-License-Identifier: GPL-2.0
#include "port.h"
#include "util.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORT_NAME "holdfast.ctl"
#define PORTS	  "/sys/class/virtio-ports"

static int port = -1;

static int find_and_open(void)
{
	struct dirent *d;
	DIR *dir = opendir(PORTS);

	while (dir && port < 0 && (d = readdir(dir))) {
		char path[300], name[64];

		snprintf(path, sizeof(path), PORTS "/%.200s/name", d->d_name);
		if (d->d_name[0] == '.' || hf_read_file(path, name, sizeof(name)) < 0)
			continue;
		name[strcspn(name, "\n")] = 0;
		if (strcmp(name, PORT_NAME))
			continue;
		snprintf(path, sizeof(path), "/dev/%.200s", d->d_name);
		port = open(path, O_RDWR | O_CLOEXEC);
	}
	if (dir)
		closedir(dir);
	return port < 0 ? -ENOENT : 0;
}

int hf_port_open(int timeout_ms)
{
	struct sockaddr_nl nl = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	uint64_t now, end = hf_now_us() + (uint64_t)timeout_ms * 1000;
	struct pollfd p = { .events = POLLIN };
	char buf[4096];
	int err;

	/* Listen before looking, or the announcement may fall in between. */
	p.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
	if (p.fd < 0 || bind(p.fd, (struct sockaddr *)&nl, sizeof(nl)) < 0)
		return -errno;
	while ((err = find_and_open()) && (now = hf_now_us()) < end)
		if (poll(&p, 1, (int)((end - now) / 1000 + 1)) > 0)
			recv(p.fd, buf, sizeof(buf), 0);
	close(p.fd);
	return err;
}

void hf_port_send(const char *line, size_t len)
{
	while (len) {
		ssize_t n = write(port, line, len);

		if (n < 0 && errno != EINTR)
			return;
		if (n > 0) {
			line += n;
			len -= (size_t)n;
		}
	}
}

long hf_port_recv(char *line, size_t size)
{
	static char buf[4096];
	static size_t have, at;
	bool too_long = false;
	size_t n = 0;

	for (;;) {
		ssize_t got;

		while (at < have) {
			char ch = buf[at++];

			if (ch == '\n') {
				line[n] = 0;
				return too_long ? -EMSGSIZE : (long)n;
			}
			if (n < size - 1)
				line[n++] = ch;
			else
				too_long = true;
		}
		got = read(port, buf, sizeof(buf));
		at = 0;
		have = got > 0 ? (size_t)got : 0;
		/* 0: the runner is not connected, which poll reports as a hangup at once. */
		if (got <= 0)
			hf_sleep_us(20000);
	}
}
