// SPDX-License-Identifier: GPL-2.0
/* Descriptors of this process, told apart. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <holdfast/fdkind.h>
#include <holdfast/util.h>

#include "check.h"

/* Classify @fd and close it. */
static int classify(int fd, struct hf_fd *f, struct hf_error *e)
{
	int err;

	*f = (struct hf_fd){ .fd = fd };
	err = hf_fd_classify(f, e);
	close(fd);
	return err;
}

static void kinds(void)
{
	struct hf_error e;
	struct hf_fd f;

	CHECK(!classify(memfd_create("x", 0), &f, &e));
	CHECK(f.kind == HF_KIND_MEMFD && f.token == (uint64_t)f.fd && f.same_as == -1);
	CHECK(!classify(eventfd(0x1234567, EFD_NONBLOCK), &f, &e));
	CHECK(f.kind == HF_KIND_EVENTFD && f.count == 0x1234567 && !f.semaphore);
	CHECK(f.flags == O_NONBLOCK);
	CHECK(!classify(eventfd(3, EFD_SEMAPHORE), &f, &e));
	CHECK(f.count == 3 && !f.flags);
}

/* What is none of them is refused, with what it is and what to do. */
static void others(void)
{
	struct hf_error e;
	struct hf_fd f;
	char want[64];
	int p[2];

	CHECK(!pipe(p));
	snprintf(want, sizeof(want), "--drop-fd %d", p[0]);
	CHECK(classify(p[0], &f, &e) == -EOPNOTSUPP);
	CHECK(strstr(e.text, "pipe:") && strstr(e.text, want));
	close(p[1]);
	CHECK(classify(socket(AF_UNIX, SOCK_STREAM, 0), &f, &e) == -EOPNOTSUPP);
	CHECK(classify(open("/dev/null", O_RDWR), &f, &e) == -EOPNOTSUPP);
	CHECK(strstr(e.text, "/dev/null"));
	CHECK(classify(open("/proc/self/exe", O_RDONLY), &f, &e) == -EOPNOTSUPP);
	CHECK(classify(open("/tmp", O_RDWR | O_TMPFILE, 0600), &f, &e) == -EOPNOTSUPP);
	CHECK(classify(1000, &f, &e) == -EBADF || classify(1000, &f, &e) == -ENOENT);
}

static void huge(void)
{
	int fd = memfd_create("x", MFD_HUGETLB);
	struct hf_error e;
	struct hf_fd f;

	/* A kernel without huge pages has nothing to refuse. */
	if (fd < 0)
		return;
	CHECK(classify(fd, &f, &e) == -EOPNOTSUPP);
	CHECK(strstr(e.text, "huge pages"));
}

static int collect(struct hf_manifest *m, const int *drop, size_t n, struct hf_error *e)
{
	hf_manifest_free(m);
	return hf_fds_collect(m, drop, n, e);
}

static void collected(void)
{
	int mem, ev, dup_mem, own, odd;
	struct hf_manifest m;
	struct hf_error e;
	char path[64];

	hf_manifest_init(&m);
	/* What the test was started with is not part of it. */
	for (int fd = 3; fd < 1024; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	mem = memfd_create("x", 0);
	ev = eventfd(0, 0);
	dup_mem = dup(mem);
	own = eventfd(0, EFD_CLOEXEC);
	CHECK(!collect(&m, NULL, 0, &e));
	CHECK(m.nfds == 3 && m.fds[0].fd == mem && m.fds[1].fd == ev && m.fds[2].fd == dup_mem);
	CHECK(m.fds[0].same_as == -1 && m.fds[2].same_as == mem);
	CHECK(hf_manifest_fd_end(&m) == dup_mem + 1);

	/* Opened twice is not the same: each has a position of its own. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", mem);
	odd = open(path, O_RDWR);
	CHECK(lseek(odd, 0, SEEK_SET) == 0 && ftruncate(mem, 4096) == 0);
	CHECK(lseek(odd, 100, SEEK_SET) == 100);
	CHECK(collect(&m, NULL, 0, &e) == -EOPNOTSUPP);
	CHECK(strstr(e.text, "opened twice"));
	CHECK(!collect(&m, &odd, 1, &e));
	close(odd);

	odd = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(collect(&m, NULL, 0, &e) == -EOPNOTSUPP);
	CHECK(collect(&m, &mem, 1, &e) == -EOPNOTSUPP);
	CHECK(!collect(&m, &odd, 1, &e) && m.nfds == 3);
	close(odd);
	close(mem);
	close(ev);
	close(dup_mem);
	close(own);
	hf_manifest_free(&m);
}

/* An eventfd comes back as it was. */
static void eventfds(void)
{
	const struct hf_fd want = { .kind = HF_KIND_EVENTFD, .count = 7, .semaphore = true };
	struct hf_error e;
	uint64_t n = 0;
	struct hf_fd f;
	int fd;

	fd = hf_eventfd_ops.create(&want, &e);
	CHECK(fd >= 0 && read(fd, &n, 8) == 8 && n == 1);
	CHECK(!classify(fd, &f, &e) && f.count == 6);
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void places(void)
{
	struct hf_error e;
	int fd = eventfd(0, EFD_CLOEXEC), high = fd;

	CHECK(!hf_fd_above(&high, 100, &e) && high >= 100 && !is_open(fd));
	CHECK(fcntl(high, F_GETFD) == FD_CLOEXEC);
	CHECK(!hf_fd_above(&high, 50, &e) && high >= 100);
	CHECK(!hf_fd_place(high, 70, &e) && !is_open(high) && !fcntl(70, F_GETFD));
	fcntl(70, F_SETFD, FD_CLOEXEC);
	CHECK(!hf_fd_place(70, 70, &e) && !fcntl(70, F_GETFD));
	close(70);
	fd = -1;
	CHECK(!hf_fd_above(&fd, 100, &e) && fd == -1);
}

void suite_fd(void)
{
	RUN(kinds);
	RUN(others);
	RUN(huge);
	RUN(collected);
	RUN(eventfds);
	RUN(places);
}
