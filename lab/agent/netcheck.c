// SPDX-License-Identifier: GPL-2.0
/* net.check: a NIC with its native driver sends and receives test frames. */
#include "agent.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define HF_ETHERTYPE 0x88b6 /* one the runner sends back */
#define HF_FRAME_LEN 128

struct frame {
	uint8_t dst[6], src[6];
	uint16_t type;
	uint8_t payload[HF_FRAME_LEN - 14];
} __attribute__((packed));

static void fill(struct frame *f, const uint8_t mac[6], uint64_t seq)
{
	static const uint8_t runner[6] = { 0x52, 0x54, 0x00, 0xff, 0x00, 0x01 };

	memcpy(f->dst, runner, 6);
	memcpy(f->src, mac, 6);
	f->type = htons(HF_ETHERTYPE);
	for (size_t i = 0; i < sizeof(f->payload); i++)
		f->payload[i] = (uint8_t)(seq + i);
}

static int find_ifname(struct hf_call *c, char *ifname)
{
	char bdf[16], path[80];
	struct dirent *d;
	DIR *dir;
	int err;

	err = hf_arg_str(c, "ifname", "", ifname, IFNAMSIZ);
	if (err || ifname[0])
		return err;
	err = hf_arg_str(c, "bdf", NULL, bdf, sizeof(bdf));
	if (err)
		return err;
	if (!hf_valid_bdf(bdf))
		return hf_fail(&c->err, EINVAL, "bdf \"%s\"", bdf);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/net", bdf);
	dir = opendir(path);
	if (!dir)
		return hf_fail(&c->err, errno, "no network interface on %s", bdf);
	while ((d = readdir(dir)))
		if (d->d_name[0] != '.')
			snprintf(ifname, IFNAMSIZ, "%.15s", d->d_name);
	closedir(dir);
	return ifname[0] ? 0 : hf_fail(&c->err, ENODEV, "no network interface on %s", bdf);
}

/*
 * IFF_RUNNING is no proof: until the first link event is worked off it is set
 * for a link that is down, and what is sent then is dropped in silence.
 */
static bool is_up(const char *ifname)
{
	char path[64], state[16];

	snprintf(path, sizeof(path), "/sys/class/net/%s/operstate", ifname);
	return hf_read_file(path, state, sizeof(state)) > 0 && !strcmp(state, "up\n");
}

/* Interface up and carrier there, by @end. The kernel says so over rtnetlink. */
static int bring_up(int sock, struct ifreq *ifr, uint64_t end, struct hf_err *e)
{
	struct sockaddr_nl nl = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };
	struct pollfd p = { .events = POLLIN };
	char buf[8192];
	int err = 0;

	p.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (p.fd < 0 || bind(p.fd, (struct sockaddr *)&nl, sizeof(nl)) < 0)
		err = hf_fail(e, errno, "rtnetlink");
	else if (ioctl(sock, SIOCGIFFLAGS, ifr) < 0)
		err = hf_fail(e, errno, "flags of %s", ifr->ifr_name);
	ifr->ifr_flags |= IFF_UP;
	if (!err && ioctl(sock, SIOCSIFFLAGS, ifr) < 0)
		err = hf_fail(e, errno, "bring up %s", ifr->ifr_name);
	while (!err) {
		uint64_t now = hf_now_us();

		if (is_up(ifr->ifr_name))
			break;
		if (now >= end)
			err = hf_fail(e, ETIMEDOUT, "link of %s", ifr->ifr_name);
		else if (poll(&p, 1, (int)((end - now) / 1000 + 1)) > 0 &&
			 recv(p.fd, buf, sizeof(buf), 0) < 0)
			err = hf_fail(e, errno, "rtnetlink");
	}
	if (p.fd >= 0)
		close(p.fd);
	return err;
}

static int open_packet(const char *ifname, uint8_t mac[6], struct hf_err *e)
{
	struct sockaddr_ll ll = { .sll_family = AF_PACKET, .sll_protocol = htons(HF_ETHERTYPE) };
	struct packet_mreq promisc = { .mr_type = PACKET_MR_PROMISC };
	struct ifreq ifr = { 0 };
	int fd, err = 0;

	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(HF_ETHERTYPE));
	if (fd < 0)
		return hf_fail(e, errno, "packet socket");
	snprintf(ifr.ifr_name, IFNAMSIZ, "%s", ifname);
	if (ioctl(fd, SIOCGIFHWADDR, &ifr) < 0)
		err = hf_fail(e, errno, "address of %s", ifname);
	memcpy(mac, ifr.ifr_hwaddr.sa_data, 6);
	if (!err && ioctl(fd, SIOCGIFINDEX, &ifr) < 0)
		err = hf_fail(e, errno, "index of %s", ifname);
	ll.sll_ifindex = promisc.mr_ifindex = ifr.ifr_ifindex;
	if (!err &&
	    (bind(fd, (struct sockaddr *)&ll, sizeof(ll)) < 0 ||
	     setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promisc, sizeof(promisc)) < 0))
		err = hf_fail(e, errno, "bind to %s", ifname);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

/* Send @count frames as the socket takes them, count what comes in, until @end. */
static void exchange(int fd, const uint8_t mac[6], uint64_t count, uint64_t end, uint64_t *tx,
		     uint64_t *rx)
{
	struct pollfd p = { .fd = fd };

	*tx = *rx = 0;
	while (*tx < count || *rx < count) {
		struct sockaddr_ll from = { 0 };
		socklen_t len = sizeof(from);
		uint64_t now = hf_now_us();
		struct frame f;

		if (now >= end)
			return;
		p.events = (short)(POLLIN | (*tx < count ? POLLOUT : 0));
		if (poll(&p, 1, (int)((end - now) / 1000 + 1)) <= 0)
			continue;
		if (recvfrom(fd, &f, sizeof(f), 0, (struct sockaddr *)&from, &len) > 0 &&
		    from.sll_pkttype != PACKET_OUTGOING)
			(*rx)++;
		if (*tx < count && p.revents & POLLOUT) {
			fill(&f, mac, *tx);
			if (send(fd, &f, sizeof(f), 0) == sizeof(f))
				(*tx)++;
		}
	}
}

static int net_check(struct hf_call *c)
{
	uint64_t count, timeout_ms, end, tx, rx;
	bool leave = false;
	struct ifreq ifr = { 0 };
	char ifname[IFNAMSIZ];
	uint8_t mac[6];
	int fd, err;

	err = find_ifname(c, ifname);
	if (!err)
		err = hf_arg_u64(c, "frames", 8, &count);
	if (!err)
		err = hf_arg_u64(c, "timeout_ms", 3000, &timeout_ms);
	if (!err)
		err = hf_arg_bool(c, "leave", &leave);
	if (!err && timeout_ms > 3600000)
		err = hf_fail(&c->err, ERANGE, "timeout_ms");
	if (err)
		return err;
	end = hf_now_us() + timeout_ms * 1000;
	fd = open_packet(ifname, mac, &c->err);
	if (fd < 0)
		return fd;
	snprintf(ifr.ifr_name, IFNAMSIZ, "%s", ifname);
	err = bring_up(fd, &ifr, end, &c->err);
	if (!err) {
		exchange(fd, mac, count, end, &tx, &rx);
		hf_msg_str(c->out, "ifname", ifname);
		hf_msg_u64(c->out, "sent", tx);
		hf_msg_u64(c->out, "received", rx);
	}
	if (err || !leave) {
		ifr.ifr_flags &= ~IFF_UP;
		ioctl(fd, SIOCSIFFLAGS, &ifr);
	}
	close(fd);
	return err;
}

static const struct hf_cmd net_cmds[] = {
	{ "net.check", net_check },
	{ NULL, NULL },
};
HF_COMMANDS(net_cmds);
