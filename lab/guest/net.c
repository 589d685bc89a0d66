// SPDX-License-Identifier: GPL-2.0
/* Interfaces up with a long ring, the TCP connection, ICMP. */
#include "../agent/util.h"
#include "vm.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINK_TIMEOUT_US 60000000
#define PING_ID		0x4846

static int set_addr(int fd, struct ifreq *ifr, unsigned long request, const char *text)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = inet_addr(text) };

	memcpy(&ifr->ifr_addr, &a, sizeof(a));
	return ioctl(fd, request, ifr) < 0 ? -errno : 0;
}

static int set_ring(int fd, struct ifreq *ifr)
{
	struct ethtool_ringparam ring = { .cmd = ETHTOOL_GRINGPARAM };

	ifr->ifr_data = (void *)&ring;
	if (ioctl(fd, SIOCETHTOOL, ifr) < 0)
		return -errno;
	ring.cmd = ETHTOOL_SRINGPARAM;
	ring.rx_pending = RING;
	return ioctl(fd, SIOCETHTOOL, ifr) < 0 ? -errno : 0;
}

static bool exists(const struct vm_nic *n)
{
	return if_nametoindex(n->name);
}

static bool has_link(const struct vm_nic *n)
{
	char path[64], state[16];

	snprintf(path, sizeof(path), "/sys/class/net/%s/operstate", n->name);
	return hf_read_file(path, state, sizeof(state)) > 0 && !strcmp(state, "up\n");
}

/* Until @ready; the kernel tells of every change over @fd. */
static int wait_link(int fd, const struct vm_nic *n, bool (*ready)(const struct vm_nic *n))
{
	uint64_t now, end = hf_now_us() + LINK_TIMEOUT_US;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char buf[8192];

	while (!ready(n)) {
		now = hf_now_us();
		if (now >= end)
			return -ETIMEDOUT;
		if (poll(&p, 1, (int)((end - now) / 1000 + 1)) > 0 &&
		    recv(fd, buf, sizeof(buf), 0) < 0)
			return -errno;
	}
	return 0;
}

static int configure(int fd, int events, struct vm_nic *n, unsigned int number)
{
	struct ifreq ifr = { 0 };
	char addr[16];
	int err = wait_link(events, n, exists);

	if (err)
		return err;
	n->ifindex = (int)if_nametoindex(n->name);
	snprintf(ifr.ifr_name, IFNAMSIZ, "%s", n->name);
	snprintf(addr, sizeof(addr), "10.0.%u.15", 2 + number);
	err = set_ring(fd, &ifr);
	if (!err)
		err = set_addr(fd, &ifr, SIOCSIFADDR, addr);
	if (!err)
		err = set_addr(fd, &ifr, SIOCSIFNETMASK, "255.255.255.0");
	if (!err && ioctl(fd, SIOCGIFFLAGS, &ifr) < 0)
		err = -errno;
	ifr.ifr_flags |= IFF_UP;
	if (!err && ioctl(fd, SIOCSIFFLAGS, &ifr) < 0)
		err = -errno;
	return err;
}

int vm_nics_up(struct vm *v)
{
	struct sockaddr_nl nl = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };
	int events = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), err = 0;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (events < 0 || fd < 0 || bind(events, (struct sockaddr *)&nl, sizeof(nl)) < 0)
		return -errno;
	/* All of them up first, so that their links come while we wait for one. */
	for (unsigned int i = 0; !err && i < v->conf.nics; i++) {
		snprintf(v->nic[i].name, sizeof(v->nic[i].name), "eth%u", i);
		v->nic[i].stream = i + 1;
		err = configure(fd, events, &v->nic[i], i);
	}
	for (unsigned int i = 0; !err && i < v->conf.nics; i++) {
		err = wait_link(events, &v->nic[i], has_link);
		if (!err)
			err = vm_frames_open(&v->nic[i]);
	}
	close(events);
	close(fd);
	return err;
}

int vm_tcp_connect(unsigned int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port),
				 .sin_addr.s_addr = inet_addr("10.0.2.2") };
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	if (fd < 0)
		return -errno;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ? -errno : fd;
}

int vm_icmp_open(void)
{
	int fd = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK, IPPROTO_ICMP);

	return fd < 0 ? -errno : fd;
}

static uint16_t checksum(const void *data, size_t n)
{
	const uint16_t *p = data;
	uint32_t sum = 0;

	for (size_t i = 0; i < n / 2; i++)
		sum += p[i];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

void vm_icmp_send(struct vm *v)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = inet_addr("10.0.2.2") };
	struct icmphdr h = { .type = ICMP_ECHO };

	h.un.echo.id = htons(PING_ID);
	h.un.echo.sequence = htons((uint16_t)v->ping_sent);
	h.checksum = checksum(&h, sizeof(h));
	if (sendto(v->icmp, &h, sizeof(h), 0, (struct sockaddr *)&to, sizeof(to)) == sizeof(h))
		v->ping_sent++;
}

void vm_icmp_take(struct vm *v)
{
	uint8_t buf[256];
	ssize_t n;

	while ((n = recv(v->icmp, buf, sizeof(buf), 0)) > 0) {
		size_t head = (buf[0] & 15u) * 4;
		const struct icmphdr *h = (const void *)(buf + head);

		if ((size_t)n >= head + sizeof(*h) && h->type == ICMP_ECHOREPLY &&
		    h->un.echo.id == htons(PING_ID))
			v->ping_got++;
	}
}
