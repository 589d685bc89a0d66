// SPDX-License-Identifier: GPL-2.0
#include "../agent/json.h"
#include "../agent/util.h"
#include "vm.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/reboot.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define BEAT_TICKS 5 /* 100 ms */
#define PING_TICKS 10
#define PORT_BEATS 5 /* every how many go out on the virtio port too */
#define GONE_S	   1

static struct vm vm = { .tcp = -1, .port = -1, .icmp = -1 };

uint64_t vm_clock_us(int clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* Into the kernel log, from where it reaches the lab like everything there. */
void vm_say(const char *fmt, ...)
{
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	char text[256];
	va_list ap;
	int n;

	n = snprintf(text, sizeof(text), "<3>holdfast vm: ");
	va_start(ap, fmt);
	vsnprintf(text + n, sizeof(text) - (size_t)n, fmt, ap);
	va_end(ap);
	if (fd >= 0) {
		if (write(fd, text, strlen(text)) < 0)
			text[0] = 0;
		close(fd);
	}
}

static void mount_all(void)
{
	static const char *const m[][2] = { { "proc", "/proc" },
					    { "sysfs", "/sys" },
					    { "devtmpfs", "/dev" } };

	for (size_t i = 0; i < HF_ARRAY_SIZE(m); i++) {
		mkdir(m[i][1], 0755);
		mount(m[i][0], m[i][1], m[i][0], 0, "");
	}
}

static void read_conf(struct vm_conf *c)
{
	const struct {
		const char *key;
		unsigned int *value;
	} known[] = { { "hf.nics=", &c->nics },
		      { "hf.port=", &c->port },
		      { "hf.mem=", &c->mem_mb },
		      { "hf.hot=", &c->hot } };
	char line[2048];

	c->mem_mb = 32;
	if (hf_read_file("/proc/cmdline", line, sizeof(line)) < 0)
		return;
	for (char *w = strtok(line, " \n"); w; w = strtok(NULL, " \n"))
		for (size_t i = 0; i < HF_ARRAY_SIZE(known); i++)
			if (!strncmp(w, known[i].key, strlen(known[i].key)))
				*known[i].value =
					(unsigned int)strtoul(w + strlen(known[i].key), NULL, 10);
	if (c->nics > NICS_MAX)
		c->nics = NICS_MAX;
}

/* A virtio port, where the VM has one: for VMs without a NIC, and to see what goes wrong early. */
static int open_port(void)
{
	DIR *dir = opendir("/sys/class/virtio-ports");
	struct dirent *d;
	int fd = -1;

	while (dir && fd < 0 && (d = readdir(dir))) {
		char path[300];

		if (d->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/dev/%.200s", d->d_name);
		fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	}
	if (dir)
		closedir(dir);
	return fd;
}

static void send_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t got = write(fd, p, n);

		if (got < 0 && errno == EAGAIN) {
			struct pollfd w = { .fd = fd, .events = POLLOUT };

			/* The lab reads all the time: only a dead link makes this wait for long. */
			if (poll(&w, 1, GONE_S * 1000) > 0)
				continue;
		}
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return;
		p += got;
		n -= (size_t)got;
	}
}

static void beat(uint64_t re)
{
	char line[LINE_MAX_LEN];
	size_t n = vm_report(&vm, re, line, sizeof(line));

	if (vm.tcp >= 0)
		send_all(vm.tcp, line, n);
	if (vm.port >= 0 && vm.beats % PORT_BEATS == 1)
		send_all(vm.port, line, n);
}

static void on_tick(void)
{
	static uint64_t ticks;
	uint64_t late, now = vm_clock_us(CLOCK_MONOTONIC);

	if (read(vm.tick, &late, sizeof(late)) != sizeof(late))
		return;
	if (vm.last_tick_us && now - vm.last_tick_us > vm.gap_us)
		vm.gap_us = now - vm.last_tick_us;
	vm.last_tick_us = now;
	ticks++;
	for (unsigned int i = 0; i < vm.conf.nics; i++)
		vm_frames_send(&vm.nic[i]);
	if (ticks % BEAT_TICKS == 0)
		beat(0);
	if (vm.icmp >= 0 && ticks % PING_TICKS == 0)
		vm_icmp_send(&vm);
}

/* A question of the lab: {"ping":N}, {"report":N}, {"gap":0}. */
static void on_line(const char *line, size_t len)
{
	struct hf_json obj;
	char answer[64];
	uint64_t n;

	if (hf_json_parse(line, len, &obj))
		return;
	if (!hf_json_u64(hf_json_get(obj, "ping"), &n))
		send_all(vm.tcp, answer,
			 (size_t)snprintf(answer, sizeof(answer), "{\"pong\":%llu}\n",
					  (unsigned long long)n));
	if (!hf_json_u64(hf_json_get(obj, "report"), &n))
		beat(n);
	if (!hf_json_u64(hf_json_get(obj, "gap"), &n))
		vm.gap_us = n;
}

static void on_tcp(void)
{
	static char buf[4096];
	static size_t have;
	ssize_t n = recv(vm.tcp, buf + have, sizeof(buf) - have, MSG_DONTWAIT);
	char *nl;

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		vm_say("the connection ended: %s", n ? strerror(errno) : "closed");
		close(vm.tcp);
		vm.tcp = -1;
		return;
	}
	have += n > 0 ? (size_t)n : 0;
	while ((nl = memchr(buf, '\n', have))) {
		size_t used = (size_t)(nl - buf) + 1;

		on_line(buf, used - 1);
		have -= used;
		memmove(buf, buf + used, have);
	}
	if (have == sizeof(buf))
		have = 0;
}

/* Warnings, and whatever the NIC's driver says. */
static void on_kmsg(void)
{
	char rec[2048], *text, *end;
	struct hf_msg m;
	ssize_t n;

	while ((n = read(vm.kmsg, rec, sizeof(rec) - 1)) > 0 || (n < 0 && errno == EPIPE)) {
		unsigned long prio;

		if (n < 0)
			continue;
		rec[n] = 0;
		prio = strtoul(rec, &end, 10) & 7;
		text = strchr(rec, ';');
		if (!text || (prio > 4 && !strstr(text, "igb") && !strstr(text, "eth")))
			continue;
		text[strcspn(text, "\n")] = 0;
		hf_msg_begin(&m);
		hf_msg_u64(&m, "prio", prio);
		hf_msg_str(&m, "klog", text + 1);
		n = (ssize_t)hf_msg_end(&m);
		if (vm.tcp >= 0)
			send_all(vm.tcp, m.buf, (size_t)n);
		if (vm.port >= 0)
			send_all(vm.port, m.buf, (size_t)n);
	}
}

static void watch(int fd, uint32_t what)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u32 = what };

	if (fd >= 0)
		epoll_ctl(vm.epoll, EPOLL_CTL_ADD, fd, &ev);
}

enum { TICK, TCP, ICMP, KMSG, NIC };

static int set_up(void)
{
	struct itimerspec every = { { 0, TICK_MS * 1000000 }, { 0, TICK_MS * 1000000 } };
	int err = vm.conf.nics ? vm_nics_up(&vm) : 0;

	if (err) {
		vm_say("network: %s", strerror(-err));
		return err;
	}
	if (vm.conf.nics && vm.conf.port) {
		vm.tcp = vm_tcp_connect(vm.conf.port);
		vm.icmp = vm_icmp_open();
		if (vm.tcp < 0) {
			vm_say("connect to the lab: %s", strerror(-vm.tcp));
			return vm.tcp;
		}
	}
	vm.kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	lseek(vm.kmsg, 0, SEEK_END);
	vm.epoll = epoll_create1(EPOLL_CLOEXEC);
	vm.tick = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	timerfd_settime(vm.tick, 0, &every, NULL);
	watch(vm.tick, TICK);
	watch(vm.tcp, TCP);
	watch(vm.icmp, ICMP);
	watch(vm.kmsg, KMSG);
	for (unsigned int i = 0; i < vm.conf.nics; i++)
		watch(vm.nic[i].fd, NIC + i);
	return 0;
}

static void handle(uint32_t what)
{
	switch (what) {
	case TICK:
		on_tick();
		break;
	case TCP:
		on_tcp();
		break;
	case ICMP:
		vm_icmp_take(&vm);
		break;
	case KMSG:
		on_kmsg();
		break;
	default:
		vm_frames_take(&vm.nic[what - NIC]);
	}
}

int main(void)
{
	struct epoll_event ev[8];
	int err;

	if (getpid() != 1) {
		fprintf(stderr, "holdfast vm: runs as init of the lab's VM\n");
		return 2;
	}
	mount_all();
	read_conf(&vm.conf);
	vm.port = open_port();
	if (hf_read_file("/proc/sys/kernel/random/boot_id", vm.boot_id, sizeof(vm.boot_id)) < 36)
		vm.boot_id[0] = 0;
	err = vm_mem_start(vm.conf.mem_mb);
	if (!err)
		err = vm_hot_start(vm.conf.hot);
	if (!err)
		err = set_up();
	if (err) {
		char line[128];

		snprintf(line, sizeof(line), "{\"failed\":%d}\n", -err);
		if (vm.port >= 0)
			send_all(vm.port, line, strlen(line));
		reboot(RB_POWER_OFF);
	}
	for (;;) {
		int n = epoll_wait(vm.epoll, ev, HF_ARRAY_SIZE(ev), -1);

		for (int i = 0; i < n; i++)
			handle(ev[i].data.u32);
		if (vm.tcp < 0 && vm.port < 0 && vm.conf.nics)
			reboot(RB_POWER_OFF);
	}
}
