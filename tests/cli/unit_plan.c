// SPDX-License-Identifier: GPL-2.0
/* The plan, on an iommufd that gives out the lowest free ID: does each object get its own? */
#include <stdio.h>
#include <errno.h>
#include <stdlib.h>

#include <holdfast/manifest.h>
#include <holdfast/plan.h>
#include <holdfast/util.h>

#include "check.h"

#define IDS 64

enum what { FREE, PLACE, DEV, HWPT };

struct model {
	int fd;
	enum what at[IDS];
	bool bound[32], attached[32]; /* by device */
	size_t mapped;
};

static struct model *of(struct model *all, int fd)
{
	while (all->fd && all->fd != fd)
		all++;
	all->fd = fd;
	return all;
}

static uint32_t lowest(struct model *o, enum what what)
{
	uint32_t id = 1;

	while (o->at[id] != FREE)
		id++;
	o->at[id] = what;
	return id;
}

/* Whether the step is possible, and gives what it should. */
static bool step(const struct hf_manifest *m, struct model *o, const struct hf_step *s)
{
	const struct hf_device *d = m->devices + s->a;

	switch (s->op) {
	case HF_STEP_TAKE:
		return lowest(o, PLACE) == s->id;
	case HF_STEP_GIVE:
		if (o->at[s->id] != PLACE)
			return false;
		o->at[s->id] = FREE;
		return true;
	case HF_STEP_BIND:
		o->bound[s->a] = true;
		return lowest(o, DEV) == d->dev_id;
	case HF_STEP_SMALL_PAGES:
		return !o->mapped && o->at[m->spaces[s->a].ioas_id] == PLACE;
	case HF_STEP_MAP:
		o->mapped++;
		return o->at[m->spaces[s->a].ioas_id] == PLACE;
	case HF_STEP_HWPT:
		return !d->auto_domain && o->bound[s->a] && o->at[d->ioas_id] == PLACE &&
		       lowest(o, HWPT) == d->hwpt_id;
	case HF_STEP_ATTACH:
		o->attached[s->a] = true;
		if (d->auto_domain && o->at[d->hwpt_id] != HWPT)
			return o->bound[s->a] && lowest(o, HWPT) == d->hwpt_id;
		return o->bound[s->a] && o->at[d->hwpt_id] == HWPT;
	}
	return false;
}

static enum what wanted(const struct hf_manifest *m, int fd, uint32_t id)
{
	for (size_t i = 0; i < m->ndevices; i++) {
		if (m->devices[i].iommufd == fd && m->devices[i].dev_id == id)
			return DEV;
		if (m->devices[i].iommufd == fd && m->devices[i].hwpt_id == id)
			return HWPT;
	}
	return hf_manifest_space(m, fd, id) ? PLACE : FREE;
}

/* Do @plan on @all; where it went wrong, or plan->n. */
static size_t play(const struct hf_manifest *m, const struct hf_plan *p, struct model *all)
{
	size_t i = 0;

	/* Small pages are asked for before anything of that space is mapped. */
	for (; i < p->n; i++) {
		struct model *o = of(all, p->steps[i].iommufd);

		if (p->steps[i].op == HF_STEP_SMALL_PAGES)
			o->mapped = 0;
		if (!step(m, o, &p->steps[i]))
			break;
	}
	return i;
}

static void every_id(void)
{
	for (uint64_t seed = 0; seed < 2000; seed++) {
		struct model all[8] = { 0 };
		struct hf_manifest m;
		struct hf_plan p;
		struct hf_error e;
		size_t maps = 0, mapped = 0;

		random_manifest(&m, seed);
		CHECK(!hf_plan_make(&p, &m, &e));
		CHECK(play(&m, &p, all) == p.n);
		for (size_t i = 0; all[i].fd; i++) {
			for (uint32_t id = 1; id < IDS; id++)
				CHECK(all[i].at[id] == wanted(&m, all[i].fd, id));
			mapped += all[i].mapped;
		}
		for (size_t i = 0; i < m.ndevices; i++)
			CHECK(of(all, m.devices[i].iommufd)->attached[i]);
		for (size_t i = 0; i < p.n; i++)
			maps += p.steps[i].op == HF_STEP_MAP;
		for (size_t i = 0; i < m.nspaces; i++)
			maps -= m.spaces[i].nmaps;
		CHECK(!maps);
		(void)mapped;
		hf_plan_free(&p);
		hf_manifest_free(&m);
	}
}

/* All devices are attached after all mappings: what is not mapped by then is gone. */
static void map_before_attach(void)
{
	for (uint64_t seed = 0; seed < 200; seed++) {
		bool attached = false;
		struct hf_manifest m;
		struct hf_plan p;
		struct hf_error e;

		random_manifest(&m, seed);
		CHECK(!hf_plan_make(&p, &m, &e));
		for (size_t i = 0; i < p.n; i++) {
			attached |= p.steps[i].op == HF_STEP_ATTACH;
			CHECK(p.steps[i].op != HF_STEP_MAP || !attached);
			CHECK(p.steps[i].op != HF_STEP_BIND || !attached);
		}
		hf_plan_free(&p);
		hf_manifest_free(&m);
	}
}

/* The model is strict: with any one step left out, something is not as it should be. */
static void twin_without_a_step(void)
{
	for (uint64_t seed = 0; seed < 50; seed++) {
		struct hf_manifest m;
		struct hf_plan p;
		struct hf_error e;

		random_manifest(&m, seed);
		CHECK(!hf_plan_make(&p, &m, &e));
		for (size_t skip = 0; skip < p.n; skip++) {
			struct hf_step kept = p.steps[skip];
			struct model all[8] = { 0 };
			struct hf_plan cut = { .steps = calloc(p.n, sizeof(*p.steps)) };
			bool wrong;

			/* Mappings and options leave no trace in the IDs. */
			if (kept.op == HF_STEP_MAP || kept.op == HF_STEP_SMALL_PAGES) {
				free(cut.steps);
				continue;
			}
			for (size_t i = 0; i < p.n; i++)
				if (i != skip)
					cut.steps[cut.n++] = p.steps[i];
			wrong = play(&m, &cut, all) < cut.n;
			for (size_t i = 0; all[i].fd; i++)
				for (uint32_t id = 1; id < IDS; id++)
					wrong |= all[i].at[id] != wanted(&m, all[i].fd, id);
			for (size_t i = 0; i < m.ndevices; i++)
				wrong |= !of(all, m.devices[i].iommufd)->attached[i];
			CHECK(wrong);
			free(cut.steps);
		}
		hf_plan_free(&p);
		hf_manifest_free(&m);
	}
}

/* As much as a manifest may ask for is not too much; and there is a limit to it. */
static void limits_do_not_multiply(void)
{
	struct hf_manifest m;
	struct hf_plan p;
	struct hf_error e;

	random_manifest(&m, 0);
	for (int fd = 1000; fd <= 1000 + HF_IOMMUFD_LIMIT; fd++) {
		struct hf_fd *f = hf_append(&m.fds, &m.nfds, sizeof(*f), &e);
		struct hf_space *s = hf_append(&m.spaces, &m.nspaces, sizeof(*s), &e);

		*f = (struct hf_fd){ .fd = fd, .kind = HF_KIND_IOMMUFD, .same_as = -1 };
		s->iommufd = fd;
		s->ioas_id = HF_ID_LIMIT - 1;
	}
	CHECK(hf_manifest_check(&m, &e) == -EINVAL && strstr(e.text, "iommufds"));
	while (m.nspaces > HF_IOMMUFD_LIMIT / 2)
		free(m.spaces[--m.nspaces].maps);
	m.nfds -= HF_IOMMUFD_LIMIT / 2 + 1;
	CHECK(!hf_plan_make(&p, &m, &e));
	CHECK(p.n < 2 * HF_IOMMUFD_LIMIT * HF_ID_LIMIT);
	hf_plan_free(&p);
	hf_manifest_free(&m);
}

void suite_plan(void)
{
	RUN(limits_do_not_multiply);
	RUN(every_id);
	RUN(map_before_attach);
	RUN(twin_without_a_step);
}
