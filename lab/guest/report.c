// SPDX-License-Identifier: GPL-2.0
#include "../agent/util.h"
#include "vm.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RANGES 8

struct text {
	char *p;
	size_t len, size;
};

static void put(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void put(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->p + t->len, t->size - t->len, fmt, ap);
	va_end(ap);
	t->len += (size_t)n < t->size - t->len ? (size_t)n : t->size - t->len - 1;
}

static unsigned long long read_number(const char *nic, const char *file)
{
	char path[80], text[32];

	snprintf(path, sizeof(path), "/sys/class/net/%s/%s", nic, file);
	return hf_read_file(path, text, sizeof(text)) > 0 ? strtoull(text, NULL, 10) : 0;
}

/* Interrupts of each vector of @nic, all CPUs together. */
static void put_irqs(struct text *t, const char *nic, const char *table)
{
	const char *comma = "";

	put(t, "\"irqs\":[");
	for (const char *line = table; line && *line; line = strchr(line, '\n')) {
		unsigned long long sum = 0;
		const char *end, *name;
		char *p;

		line += *line == '\n';
		end = strchrnul(line, '\n');
		name = strstr(line, nic);
		p = strchr(line, ':');
		if (!p || !name || name > end || p > end)
			continue;
		for (p++;;) {
			char *after;
			unsigned long long n = strtoull(p, &after, 10);

			if (after == p)
				break;
			sum += n;
			p = after;
		}
		put(t, "%s%llu", comma, sum);
		comma = ",";
	}
	put(t, "]");
}

static void put_nic(struct text *t, const struct vm_nic *n, const char *table)
{
	uint64_t range[RANGES][2];
	unsigned int k = vm_frames_missing(n, range, RANGES);

	put(t,
	    "{\"name\":\"%s\",\"first\":%llu,\"high\":%lld,\"rx\":%llu,\"dup\":%llu,\"bad\":%llu,\"ooo\":%llu,",
	    n->name, (unsigned long long)n->first, n->first > n->high ? -1 : (long long)n->high,
	    (unsigned long long)n->received, (unsigned long long)n->duplicate,
	    (unsigned long long)n->corrupt, (unsigned long long)n->out_of_order);
	put(t, "\"tx\":%llu,\"tx_busy\":%llu,\"carrier\":%llu,\"changes\":%llu,\"missed\":%llu,",
	    (unsigned long long)n->tx, (unsigned long long)n->tx_busy,
	    read_number(n->name, "carrier"), read_number(n->name, "carrier_changes"),
	    read_number(n->name, "statistics/rx_missed_errors"));
	put(t, "\"missing\":[");
	for (unsigned int i = 0; i < k; i++)
		put(t, "%s[%llu,%llu]", i ? "," : "", (unsigned long long)range[i][0],
		    (unsigned long long)range[i][1]);
	put(t, "],");
	put_irqs(t, n->name, table);
	put(t, "}");
}

size_t vm_report(struct vm *v, uint64_t re, char *line, size_t size)
{
	static char table[16384];
	struct text t = { line, 0, size - 1 };
	uint64_t rounds;
	bool ok;

	if (hf_read_file("/proc/interrupts", table, sizeof(table)) < 0)
		table[0] = 0;
	vm_mem_read(&ok, &rounds);
	put(&t, "{\"beat\":%llu,\"boot_us\":%llu,\"mono_us\":%llu,\"boot_id\":\"%.36s\",",
	    (unsigned long long)++v->beats, (unsigned long long)vm_clock_us(CLOCK_BOOTTIME),
	    (unsigned long long)vm_clock_us(CLOCK_MONOTONIC), v->boot_id);
	if (re)
		put(&t, "\"re\":%llu,", (unsigned long long)re);
	put(&t,
	    "\"mem_ok\":%s,\"mem_rounds\":%llu,\"gap_us\":%llu,\"pings\":[%llu,%llu],\"nics\":[",
	    ok ? "true" : "false", (unsigned long long)rounds, (unsigned long long)v->gap_us,
	    (unsigned long long)v->ping_sent, (unsigned long long)v->ping_got);
	for (unsigned int i = 0; i < v->conf.nics; i++) {
		if (i)
			put(&t, ",");
		put_nic(&t, &v->nic[i], table);
	}
	put(&t, "]}");
	line[t.len++] = '\n';
	return t.len;
}
