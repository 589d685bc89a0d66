// SPDX-License-Identifier: GPL-2.0
/*
 * How long an access takes: bench [MAP DUMP]. Accesses are drawn before: half reads, half
 * writes, all widths and alignments, two thirds to the first 256 bytes. The clock is read
 * around every 64 of them; an access is a 64th of that. The device is memory, so
 * this is what the library costs.
 */
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define BATCH	64
#define BATCHES 40000

struct access {
	uint16_t off;
	uint8_t size, write;
	uint32_t value;
};

static uint8_t memory[4096];

static int mem_read(void *ctx, uint16_t off, uint8_t size, uint32_t *value)
{
	(void)ctx;
	*value = 0;
	__builtin_memcpy(value, memory + off, size);
	return 0;
}

static int mem_write(void *ctx, uint16_t off, uint8_t size, uint32_t value, uint32_t mask)
{
	(void)ctx;
	(void)mask;
	__builtin_memcpy(memory + off, &value, size);
	return 0;
}

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	static struct access a[BATCH * 1024];
	static double ns[BATCHES];
	const struct hf_phys hw = { mem_read, mem_write, NULL };
	struct hf_view *v =
		load_view(argc > 1 ? argv[1] : "nic-fw", argc > 2 ? argv[2] : "nic-fw-b");
	uint32_t seed = 1, sum = 0, got;

	if (!v)
		return 1;
	for (unsigned int i = 0; i < BATCH * 1024; i++) {
		uint32_t x = random32(&seed);

		a[i].size = 1 << (x & 3) % 3;
		a[i].write = x >> 2 & 1;
		a[i].off = (x >> 8) % (x >> 3 & 3 ? 256 : 4096);
		a[i].value = random32(&seed);
	}
	for (unsigned int b = 0; b < BATCHES; b++) {
		const struct access *p = a + b % 1024 * BATCH;
		double start = now_ns();

		for (unsigned int i = 0; i < BATCH; i++, p++) {
			if (p->write) {
				hf_view_write(v, &hw, p->off, p->size, p->value);
			} else {
				hf_view_read(v, &hw, p->off, p->size, &got);
				sum += got;
			}
		}
		ns[b] = (now_ns() - start) / BATCH;
	}
	qsort(ns, BATCHES, sizeof(ns[0]), by_value);
	printf("median %.1f ns, 99%% %.1f ns per access, %u accesses (%08x)\n", ns[BATCHES / 2],
	       ns[BATCHES * 99 / 100], BATCH * BATCHES, sum);
	hf_view_free(v);
	return ns[BATCHES / 2] > 100;
}
