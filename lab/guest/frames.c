// SPDX-License-Identifier: GPL-2.0
/* Test frames: those of the lab are checked and counted one by one, our own go the other way. */
#include "vm.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define TYPE_RX 0x88b5
#define TYPE_TX 0x88b7
#define MAGIC	0x48464c44
#define TX_LEN	128
#define BATCH	64
#define BUF	512
#define QUEUE	(24 << 20) /* for everything that a full ring brings at once */

struct head {
	uint8_t dst[6], src[6];
	uint16_t type;
	uint32_t magic, stream;
	uint64_t seq, sent;
} __attribute__((packed));

static uint32_t table[256];

static void make_table(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t v = i;

		for (int k = 0; k < 8; k++)
			v = v & 1 ? 0xedb88320 ^ v >> 1 : v >> 1;
		table[i] = v;
	}
}

static uint32_t crc32(const uint8_t *p, size_t n)
{
	uint32_t c = ~0u;

	while (n--)
		c = table[(c ^ *p++) & 0xff] ^ c >> 8;
	return ~c;
}

int vm_frames_open(struct vm_nic *n)
{
	struct sockaddr_ll ll = { .sll_family = AF_PACKET, .sll_protocol = htons(TYPE_RX) };
	struct ifreq ifr = { 0 };
	int size = QUEUE;

	make_table();
	n->first = 1; /* above high: none has come */
	n->fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(TYPE_RX));
	if (n->fd < 0)
		return -errno;
	snprintf(ifr.ifr_name, IFNAMSIZ, "%s", n->name);
	if (ioctl(n->fd, SIOCGIFHWADDR, &ifr) < 0)
		return -errno;
	memcpy(n->mac, ifr.ifr_hwaddr.sa_data, 6);
	setsockopt(n->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	ll.sll_ifindex = n->ifindex;
	return bind(n->fd, (struct sockaddr *)&ll, sizeof(ll)) < 0 ? -errno : 0;
}

static bool good(const uint8_t *frame, size_t len, uint32_t stream)
{
	const struct head *h = (const void *)frame;
	uint32_t crc;

	if (len < sizeof(*h) + 4 || ntohl(h->magic) != MAGIC || ntohl(h->stream) != stream)
		return false;
	memcpy(&crc, frame + len - 4, 4);
	return ntohl(crc) == crc32(frame + 14, len - 18);
}

static void take_one(struct vm_nic *n, const uint8_t *frame, size_t len)
{
	uint64_t seq = be64toh(((const struct head *)frame)->seq);
	uint8_t bit;

	if (!good(frame, len, n->stream) || seq >= FRAMES_MAX) {
		n->corrupt++;
		return;
	}
	bit = (uint8_t)(1 << (seq & 7));
	if (n->seen[seq >> 3] & bit) {
		n->duplicate++;
		return;
	}
	n->seen[seq >> 3] |= bit;
	n->received++;
	if (n->first > n->high) {
		n->first = n->high = seq;
		return;
	}
	if (seq < n->high)
		n->out_of_order++;
	else
		n->high = seq;
	if (seq < n->first)
		n->first = seq;
}

void vm_frames_take(struct vm_nic *n)
{
	static uint8_t buf[BATCH][BUF];
	struct sockaddr_ll from[BATCH];
	struct mmsghdr m[BATCH];
	struct iovec iov[BATCH];
	int got;

	do {
		memset(m, 0, sizeof(m));
		for (int i = 0; i < BATCH; i++) {
			iov[i] = (struct iovec){ buf[i], BUF };
			m[i].msg_hdr.msg_iov = &iov[i];
			m[i].msg_hdr.msg_iovlen = 1;
			m[i].msg_hdr.msg_name = &from[i];
			m[i].msg_hdr.msg_namelen = sizeof(from[i]);
		}
		got = recvmmsg(n->fd, m, BATCH, 0, NULL);
		for (int i = 0; i < got; i++)
			if (from[i].sll_pkttype != PACKET_OUTGOING)
				take_one(n, buf[i], m[i].msg_len);
	} while (got == BATCH);
}

void vm_frames_send(struct vm_nic *n)
{
	static const uint8_t lab[6] = { 0x52, 0x54, 0x00, 0xff, 0x00, 0x01 };
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = n->ifindex };
	uint8_t frame[TX_LEN] = { 0 };
	struct head *h = (void *)frame;
	uint32_t crc;

	memcpy(h->dst, lab, 6);
	memcpy(h->src, n->mac, 6);
	h->type = htons(TYPE_TX);
	h->magic = htonl(MAGIC);
	h->stream = htonl(n->stream);
	h->seq = htobe64(n->tx);
	h->sent = htobe64(vm_clock_us(1) * 1000);
	crc = htonl(crc32(frame + 14, TX_LEN - 18));
	memcpy(frame + TX_LEN - 4, &crc, 4);
	if (sendto(n->fd, frame, TX_LEN, 0, (struct sockaddr *)&to, sizeof(to)) == TX_LEN)
		n->tx++;
	else
		n->tx_busy++;
}

unsigned int vm_frames_missing(const struct vm_nic *n, uint64_t (*range)[2], unsigned int max)
{
	unsigned int k = 0;
	bool in = false;

	if (n->first > n->high || n->received == n->high - n->first + 1)
		return 0;
	for (uint64_t s = n->first; s <= n->high; s++) {
		bool here = n->seen[s >> 3] >> (s & 7) & 1;

		if (here) {
			in = false;
		} else if (in) {
			range[k - 1][1] = s;
		} else {
			if (k == max)
				break;
			range[k][0] = range[k][1] = s;
			k++;
			in = true;
		}
	}
	return k;
}
