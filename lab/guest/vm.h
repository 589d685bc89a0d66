/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The program in the VM, its init. It uses what a VM has that must not notice the replacement of the
 * host's kernel - memory, clock, NICs, a TCP connection, interrupts - and tells the lab what it sees.
 * lab/PROTOCOL.md has the lines of its TCP connection and the frames.
 */
#ifndef VM_H
#define VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TICK_MS	     20
#define NICS_MAX     2
#define FRAMES_MAX   400000
#define RING	     4096 /* receive descriptors, the most that igb has */
#define VECTORS_MAX  8
#define LINE_MAX_LEN 4000

/* What the kernel command line says (hf.x=…). */
struct vm_conf {
	unsigned int nics, port, mem_mb, hot;
};

/* Frames of one NIC, both ways. */
struct vm_nic {
	char name[16];
	int ifindex, fd;
	uint8_t mac[6];
	uint32_t stream;
	uint64_t first, high; /* sequence numbers seen; first > high: none yet */
	uint64_t received, duplicate, corrupt, out_of_order, dropped, tx, tx_busy;
	uint8_t seen[FRAMES_MAX / 8];
};

struct vm {
	struct vm_conf conf;
	struct vm_nic nic[NICS_MAX];
	char boot_id[40];
	uint64_t beats, gap_us, last_tick_us;
	uint64_t ping_sent, ping_got;
	int epoll, tick, tcp, icmp, kmsg, port;
};

uint64_t vm_clock_us(int clock);

/* net.c: returns 0 or -errno, and says what failed in the kernel log */
int vm_nics_up(struct vm *v);
int vm_tcp_connect(unsigned int port);
int vm_icmp_open(void);
void vm_icmp_send(struct vm *v);
void vm_icmp_take(struct vm *v);

/* frames.c */
int vm_frames_open(struct vm_nic *n);
void vm_frames_take(struct vm_nic *n);
void vm_frames_send(struct vm_nic *n);
/* Up to @max ranges of sequence numbers that are missing, first and last of each. Return: how many. */
unsigned int vm_frames_missing(const struct vm_nic *n, uint64_t (*range)[2], unsigned int max);

/* mem.c: a thread that writes and checks patterns; one that uses the CPU up */
int vm_mem_start(unsigned int megabytes);
void vm_mem_read(bool *ok, uint64_t *rounds);
int vm_hot_start(unsigned int threads);

/* report.c */
/* One line about everything, newline included. @re: number of the question, or 0. Return: its length. */
size_t vm_report(struct vm *v, uint64_t re, char *line, size_t size);

/* main.c */
void vm_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
