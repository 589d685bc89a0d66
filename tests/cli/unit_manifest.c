// SPDX-License-Identifier: GPL-2.0
/* What is printed is what is read. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/vfio.h>

#include <holdfast/config.h>
#include <holdfast/manifest.h>
#include <holdfast/util.h>

#include "check.h"

static struct hf_fd *add_fd(struct hf_manifest *m, enum hf_kind kind, uint64_t *seed)
{
	struct hf_error e;
	int fd = hf_manifest_fd_end(m) + (int)(rnd(seed) % 3);
	struct hf_fd *f = hf_append(&m->fds, &m->nfds, sizeof(*f), &e);

	f->fd = fd;
	f->kind = kind;
	f->same_as = -1;
	if (kind == HF_KIND_MEMFD || kind == HF_KIND_VFIO)
		f->token = (uint64_t)fd;
	if (kind == HF_KIND_EVENTFD) {
		f->count = rnd(seed) >> (rnd(seed) % 64);
		if (f->count == UINT64_MAX)
			f->count = 0;
		f->semaphore = rnd(seed) & 1;
	}
	return f;
}

/* IDs of one iommufd: each of 1..n once, in any order. */
static void shuffle(uint32_t *ids, size_t n, uint64_t *seed)
{
	for (size_t i = 0; i < n; i++)
		ids[i] = (uint32_t)i + 1;
	for (size_t i = n; i > 1; i--) {
		size_t j = rnd(seed) % i;
		uint32_t t = ids[i - 1];

		ids[i - 1] = ids[j];
		ids[j] = t;
	}
}

static void add_maps(struct hf_manifest *m, struct hf_space *s, uint64_t *seed)
{
	uint64_t iova = rnd(seed) % 3 * 4096;
	struct hf_error e;

	for (size_t n = rnd(seed) % 5; n; n--) {
		struct hf_map *p = hf_append(&s->maps, &s->nmaps, sizeof(*p), &e);

		*p = (struct hf_map){ .iova = iova,
				      .length = (1 + rnd(seed) % 4) * 4096,
				      .offset = rnd(seed) % 1024 * 4096,
				      .fd = m->fds[0].fd,
				      .read = true,
				      .write = rnd(seed) & 1 };
		iova += p->length + rnd(seed) % 2 * 4096;
	}
	if (rnd(seed) & 1) {
		/* The last page there is. */
		struct hf_map *p = hf_append(&s->maps, &s->nmaps, sizeof(*p), &e);

		*p = (struct hf_map){
			.iova = UINT64_MAX - 4095, .length = 4096, .fd = m->fds[0].fd, .write = true
		};
	}
}

/* Some devices in one or two address spaces, with one or two page tables each. */
static void add_iommufd(struct hf_manifest *m, uint64_t *seed)
{
	size_t nspaces = 1 + rnd(seed) % 2, ndevices = nspaces + rnd(seed) % 3, next = 0, first;
	int iommufd = add_fd(m, HF_KIND_IOMMUFD, seed)->fd;
	uint32_t ids[24];
	struct hf_error e;

	shuffle(ids, HF_ARRAY_SIZE(ids), seed);
	first = m->nspaces;
	for (size_t i = 0; i < nspaces; i++) {
		struct hf_space *s = hf_append(&m->spaces, &m->nspaces, sizeof(*s), &e);

		s->iommufd = iommufd;
		s->ioas_id = ids[next++];
		s->small_pages = rnd(seed) & 1;
		add_maps(m, s, seed);
	}
	for (size_t i = 0; i < ndevices; i++) {
		int fd = add_fd(m, HF_KIND_VFIO, seed)->fd;
		struct hf_device *d = hf_append(&m->devices, &m->ndevices, sizeof(*d), &e),
				 *o = d - 1;

		snprintf(d->bdf, sizeof(d->bdf), "0000:%02zx:00.0", m->ndevices);
		d->fd = fd;
		d->iommufd = iommufd;
		d->dev_id = ids[next++];
		if (i >= nspaces && (rnd(seed) & 1)) {
			d->ioas_id = o->ioas_id;
			d->hwpt_id = o->hwpt_id;
			d->hwpt_flags = o->hwpt_flags;
			d->auto_domain = o->auto_domain;
			continue;
		}
		d->ioas_id = m->spaces[first + i % nspaces].ioas_id;
		d->hwpt_id = ids[next++];
		d->auto_domain = rnd(seed) & 1;
		d->hwpt_flags = d->auto_domain ? 0 : (uint32_t)(rnd(seed) % 4);
	}
}

static void add_irqs(struct hf_manifest *m, uint64_t *seed)
{
	struct hf_error e;

	for (size_t i = 0; i < m->ndevices; i++)
		for (size_t n = rnd(seed) % 4; n; n--) {
			int fd = add_fd(m, HF_KIND_EVENTFD, seed)->fd;
			struct hf_device *d = &m->devices[i];
			struct hf_irq *q = hf_append(&d->irqs, &d->nirqs, sizeof(*q), &e);

			*q = (struct hf_irq){ .index = VFIO_PCI_MSIX_IRQ_INDEX,
					      .vector = (uint32_t)n * 7,
					      .action = VFIO_IRQ_SET_ACTION_TRIGGER,
					      .fd = fd };
		}
}

void random_manifest(struct hf_manifest *m, uint64_t seed)
{
	static char *const argv[] = { "qemu", "-name", "a \"b\"\\\n\x01\xff\xfe/", "" };
	static char *const env[] = { "A=", "B=\t=\x7f", "\xc3\xa4=\xc3" };
	struct hf_error e;
	struct hf_fd *f;

	seed = seed * 2654435761u + 1;
	for (int i = 0; i < 8; i++)
		rnd(&seed);
	hf_manifest_init(m);
	strcpy(m->name, "vm-0.x_Y");
	m->argv = hf_strv_dup(argv, HF_ARRAY_SIZE(argv), &e);
	m->env = hf_strv_dup(env, rnd(&seed) % 4, &e);
	m->cwd = strdup("/var/lib/\xe4");
	m->state_path = strdup("relative/state");
	m->umask = (unsigned int)(rnd(&seed) & 0777);
	m->saved_at_us = rnd(&seed) >> 1;
	add_fd(m, HF_KIND_MEMFD, &seed);
	f = add_fd(m, HF_KIND_MEMFD, &seed);
	f->same_as = m->fds[0].fd;
	f->token = 0;
	for (size_t n = rnd(&seed) % 3; n; n--)
		add_iommufd(m, &seed);
	add_irqs(m, &seed);
	hf_times_add(&m->times, "preserve", rnd(&seed) % 100000000);
}

static void round_trip(void)
{
	for (uint64_t seed = 0; seed < 500; seed++) {
		struct hf_manifest m, back;
		char *one, *two = NULL;
		size_t len, len2 = 0;
		struct hf_error e = { .text = "" };

		random_manifest(&m, seed);
		hf_manifest_init(&back);
		CHECK(!hf_manifest_print(&m, &one, &len, &e));
		if (hf_manifest_parse(&back, one, len, &e)) {
			printf("# seed %llu: %s\n", (unsigned long long)seed, e.text);
			CHECK(!"parsed");
		} else {
			CHECK(!hf_manifest_print(&back, &two, &len2, &e));
			CHECK(len == len2 && !strcmp(one, two));
			CHECK(back.nfds == m.nfds && back.ndevices == m.ndevices);
			CHECK(!strcmp(back.argv[2], m.argv[2]));
			CHECK(!back.nspaces || back.spaces[0].nmaps == m.spaces[0].nmaps);
			CHECK(!back.nspaces || !back.spaces[0].nmaps ||
			      !memcmp(back.spaces[0].maps, m.spaces[0].maps,
				      m.spaces[0].nmaps * sizeof(struct hf_map)));
		}
		free(one);
		free(two);
		hf_manifest_free(&m);
		hf_manifest_free(&back);
	}
}

/* Its twin: each place where one byte is missing is noticed. */
static void cut_short(void)
{
	struct hf_manifest m, back;
	struct hf_error e;
	size_t len;
	char *text;

	random_manifest(&m, 7);
	CHECK(!hf_manifest_print(&m, &text, &len, &e));
	for (size_t n = 0; n < len; n++) {
		hf_manifest_init(&back);
		CHECK(hf_manifest_parse(&back, text, n, &e) == -EINVAL);
		hf_manifest_free(&back);
	}
	free(text);
	hf_manifest_free(&m);
}

static void large(void)
{
	struct hf_manifest m, back;
	struct hf_error e;
	uint64_t seed = 3;
	struct hf_space *s;
	size_t len;
	char *text;

	random_manifest(&m, 1);
	add_fd(&m, HF_KIND_IOMMUFD, &seed);
	s = hf_append(&m.spaces, &m.nspaces, sizeof(*s), &e);
	s->iommufd = m.fds[m.nfds - 1].fd;
	s->ioas_id = 1;
	for (uint64_t i = 0; i < 50000; i++) {
		struct hf_map *p = hf_append(&s->maps, &s->nmaps, sizeof(*p), &e);

		*p = (struct hf_map){
			.iova = (i << 40) + 4096, .length = 4096, .fd = m.fds[0].fd, .read = true
		};
	}
	CHECK(!hf_manifest_print(&m, &text, &len, &e));
	hf_manifest_init(&back);
	CHECK(!hf_manifest_parse(&back, text, len, &e));
	CHECK(back.nspaces && back.spaces[back.nspaces - 1].nmaps == 50000);
	CHECK(back.nspaces &&
	      back.spaces[back.nspaces - 1].maps[49999].iova == (UINT64_C(49999) << 40) + 4096);
	free(text);
	hf_manifest_free(&m);
	hf_manifest_free(&back);
}

static void names(void)
{
	static const char *const good[] = { "a", "vm-0", "A.b_c-9", ".x",
					    "123456789012345678901234567890123456789012345678" };
	static const char *const bad[] = {
		"",    ".",	   "..",  "a b",
		"a/b", "\xc3\xa4", "a\n", "1234567890123456789012345678901234567890123456789"
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(good); i++)
		CHECK(hf_name_valid(good[i]));
	for (size_t i = 0; i < HF_ARRAY_SIZE(bad); i++)
		CHECK(!hf_name_valid(bad[i]));
}

static void times(void)
{
	struct hf_times t = { 0 };
	char part[16];

	hf_times_add(&t, "a", 1);
	hf_times_add(&t, "b", 2);
	hf_times_add(&t, "a", 3);
	CHECK(t.n == 2 && t.at[0].us == 4 && t.at[1].us == 2);
	for (int i = 0; i < 100; i++) {
		snprintf(part, sizeof(part), "p%d", i);
		hf_times_add(&t, part, 1);
	}
	CHECK(t.n == HF_TIMES);
}

/* A device that is named is found, with and without its domain. Its config space is not known here. */
static void persona_of_one(void)
{
	static const struct {
		const char *bdf, *why;
	} cases[] = {
		{ "0000:01:00.0", "cannot be read" },
		{ "01:00.0", "cannot be read" },
		{ "0001:01:00.0", "has no device 0001:01:00.0" },
		{ "02:00.0", "has no device 02:00.0" },
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		struct hf_device device = { .fd = -1, .bdf = "0000:01:00.0" };
		struct hf_manifest m = { .devices = &device, .ndevices = 1 };
		char what[64];
		struct hf_error e;

		snprintf(what, sizeof(what), "%s=../../persona/maps/nvme.persona", cases[i].bdf);
		CHECK(hf_devices_persona(&m, what, &e) < 0);
		CHECK(strstr(e.text, cases[i].why));
	}
}

void suite_manifest(void)
{
	RUN(round_trip);
	RUN(cut_short);
	RUN(large);
	RUN(names);
	RUN(times);
	RUN(persona_of_one);
}
