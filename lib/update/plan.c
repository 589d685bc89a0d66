// SPDX-License-Identifier: LGPL-2.1-or-later
/* In which order iommufd objects are made. */
#include <holdfast/plan.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/util.h>

struct build {
	struct hf_plan *p;
	const struct hf_manifest *m;
	struct hf_error *e;
	int err; /* the first error stays, later steps are not added */
};

static void add(struct build *b, enum hf_step_op op, int iommufd, uint32_t id, size_t i, size_t j)
{
	struct hf_step *s;

	if (b->err)
		return;
	s = hf_append(&b->p->steps, &b->p->n, sizeof(*s), b->e);
	if (s)
		*s = (struct hf_step){ .op = op, .iommufd = iommufd, .id = id, .a = i, .b = j };
	else
		b->err = -ENOMEM;
}

static uint32_t highest_id(const struct hf_manifest *m, int iommufd)
{
	uint32_t top = 0;

	for (size_t i = 0; i < m->ndevices; i++) {
		const struct hf_device *d = &m->devices[i];

		if (d->iommufd != iommufd)
			continue;
		top = d->dev_id > top ? d->dev_id : top;
		top = d->hwpt_id > top ? d->hwpt_id : top;
	}
	for (size_t i = 0; i < m->nspaces; i++)
		if (m->spaces[i].iommufd == iommufd && m->spaces[i].ioas_id > top)
			top = m->spaces[i].ioas_id;
	return top;
}

/* Is this device the first with its page table, that is, the one that makes it? */
static bool makes_hwpt(const struct hf_manifest *m, size_t dev)
{
	const struct hf_device *d = &m->devices[dev];

	for (size_t i = 0; i < dev; i++)
		if (m->devices[i].iommufd == d->iommufd && m->devices[i].hwpt_id == d->hwpt_id)
			return false;
	return true;
}

static void take_ids(struct build *b, int iommufd)
{
	uint32_t top = highest_id(b->m, iommufd);

	for (uint32_t id = 1; id <= top; id++)
		add(b, HF_STEP_TAKE, iommufd, id, 0, 0);
}

static void give_rest(struct build *b, int iommufd)
{
	const struct hf_manifest *m = b->m;
	uint32_t top = highest_id(m, iommufd);
	bool used[HF_ID_LIMIT] = { 0 };

	for (size_t i = 0; i < m->ndevices; i++)
		if (m->devices[i].iommufd == iommufd)
			used[m->devices[i].dev_id] = used[m->devices[i].hwpt_id] = true;
	for (size_t i = 0; i < m->nspaces; i++)
		if (m->spaces[i].iommufd == iommufd)
			used[m->spaces[i].ioas_id] = true;
	for (uint32_t id = 1; id <= top; id++)
		if (!used[id])
			add(b, HF_STEP_GIVE, iommufd, id, 0, 0);
}

static void for_each_iommufd(struct build *b, void (*fn)(struct build *b, int iommufd))
{
	for (size_t i = 0; i < b->m->nfds; i++)
		if (b->m->fds[i].kind == HF_KIND_IOMMUFD && b->m->fds[i].same_as < 0)
			fn(b, b->m->fds[i].fd);
}

static void bind_all(struct build *b)
{
	for (size_t i = 0; i < b->m->ndevices; i++) {
		const struct hf_device *d = &b->m->devices[i];

		add(b, HF_STEP_GIVE, d->iommufd, d->dev_id, 0, 0);
		add(b, HF_STEP_BIND, d->iommufd, d->dev_id, i, 0);
	}
}

/* After the devices are bound: MMIO is mapped through them. */
static void map_all(struct build *b)
{
	for (size_t i = 0; i < b->m->nspaces; i++) {
		const struct hf_space *s = &b->m->spaces[i];

		if (s->small_pages)
			add(b, HF_STEP_SMALL_PAGES, s->iommufd, 0, i, 0);
		for (size_t j = 0; j < s->nmaps; j++)
			add(b, HF_STEP_MAP, s->iommufd, 0, i, j);
	}
}

/* After everything is mapped: what is not by then is gone for the device. */
static void attach_all(struct build *b)
{
	for (size_t i = 0; i < b->m->ndevices; i++) {
		const struct hf_device *d = &b->m->devices[i];
		bool makes = makes_hwpt(b->m, i);

		if (makes)
			add(b, HF_STEP_GIVE, d->iommufd, d->hwpt_id, 0, 0);
		if (makes && !d->auto_domain)
			add(b, HF_STEP_HWPT, d->iommufd, d->hwpt_id, i, 0);
		add(b, HF_STEP_ATTACH, d->iommufd, makes && d->auto_domain ? d->hwpt_id : 0, i, 0);
	}
}

int hf_plan_make(struct hf_plan *p, const struct hf_manifest *m, struct hf_error *e)
{
	struct build b = { .p = p, .m = m, .e = e };

	memset(p, 0, sizeof(*p));
	for_each_iommufd(&b, take_ids);
	bind_all(&b);
	map_all(&b);
	attach_all(&b);
	for_each_iommufd(&b, give_rest);
	return b.err;
}

void hf_plan_free(struct hf_plan *p)
{
	free(p->steps);
	memset(p, 0, sizeof(*p));
}
