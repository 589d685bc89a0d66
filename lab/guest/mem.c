// SPDX-License-Identifier: GPL-2.0
#include "vm.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define CHUNK	 (256 << 10)
#define PAUSE_NS 8000000 /* between two chunks: other programs want the CPU too */

static uint64_t *mem;
static size_t chunks;
static atomic_bool bad;
static atomic_ullong rounds;

/* What word @i holds in round @round: no two words are the same, and none of the round before. */
static uint64_t word(uint64_t i, uint64_t round)
{
	return (i + 1) * 0x9e3779b97f4a7c15 ^ round * 0xd1b54a32d192ed03;
}

static void fill(size_t chunk, uint64_t round)
{
	uint64_t i = chunk * (CHUNK / 8);

	for (uint64_t end = i + CHUNK / 8; i < end; i++)
		mem[i] = word(i, round);
}

static void check(size_t chunk, uint64_t round)
{
	uint64_t i = chunk * (CHUNK / 8);

	for (uint64_t end = i + CHUNK / 8; i < end; i++) {
		if (mem[i] == word(i, round))
			continue;
		if (!atomic_exchange(&bad, true))
			vm_say("memory: word %llu is %016llx in round %llu", (unsigned long long)i,
			       (unsigned long long)mem[i], (unsigned long long)round);
		return;
	}
}

static void *keeper(void *arg)
{
	static const struct timespec pause = { 0, PAUSE_NS };

	(void)arg;
	for (uint64_t round = 0;; round++) {
		for (size_t c = 0; c < chunks; c++) {
			check(c, round);
			fill(c, round + 1);
			nanosleep(&pause, NULL);
		}
		atomic_fetch_add(&rounds, 1);
	}
	return NULL;
}

int vm_mem_start(unsigned int megabytes)
{
	pthread_t t;

	chunks = ((size_t)megabytes << 20) / CHUNK;
	mem = mmap(NULL, chunks * CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		   0);
	if (mem == MAP_FAILED)
		return -errno;
	for (size_t c = 0; c < chunks; c++)
		fill(c, 0);
	return -pthread_create(&t, NULL, keeper, NULL);
}

void vm_mem_read(bool *ok, uint64_t *n)
{
	*ok = !atomic_load(&bad);
	*n = atomic_load(&rounds);
}

static void *spin(void *arg)
{
	volatile uint64_t n = 0;

	(void)arg;
	for (;;)
		n++;
	return NULL;
}

int vm_hot_start(unsigned int threads)
{
	pthread_t t;
	int err = 0;

	while (threads-- && !err)
		err = -pthread_create(&t, NULL, spin, NULL);
	return err;
}
