// SPDX-License-Identifier: LGPL-2.1-or-later
/* Everything that the old kernel knows about the devices of a VM. */
#include <holdfast/save.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/util.h>
#include <holdfast/vfio.h>

/* The iommufd that @d is bound to, and its IDs there. */
static int find_iommufd(struct hf_manifest *m, struct hf_device *d, bool *small_pages,
			struct hf_error *e)
{
	char name[64];
	int err;

	for (size_t i = 0; i < m->nfds; i++) {
		if (m->fds[i].kind != HF_KIND_IOMMUFD || m->fds[i].same_as >= 0)
			continue;
		d->iommufd = m->fds[i].fd;
		err = hf_vfio_query_iommu(d, small_pages, e);
		if (err != -ENOENT)
			return err;
	}
	return hf_fail_text(e, ENOENT, "%s is attached to no iommufd that the VM has handed over",
			    hf_device_name(d, name, sizeof(name)));
}

/*
 * Two iommufds can only be told from one and its duplicate by a device that is in
 * both. A device of a duplicate would otherwise be bound to another iommufd.
 */
static int mark_duplicates(struct hf_manifest *m, const struct hf_device *d, struct hf_error *e)
{
	for (size_t i = 0; i < m->nfds; i++) {
		struct hf_fd *f = &m->fds[i];
		struct hf_device probe = *d;
		bool small_pages;
		int err;

		if (f->kind != HF_KIND_IOMMUFD || f->same_as >= 0 || f->fd <= d->iommufd)
			continue;
		probe.iommufd = f->fd;
		err = hf_vfio_query_iommu(&probe, &small_pages, e);
		if (!err)
			f->same_as = d->iommufd;
		else if (err != -ENOENT)
			return err;
	}
	return 0;
}

static int cmp_iova(const void *a, const void *b)
{
	const struct hf_map *x = a, *y = b;

	return x->iova < y->iova ? -1 : x->iova > y->iova;
}

/* Go on behind @p. Return: false if that was the last IOVA there is. */
static bool next_map(const struct hf_map *p, uint64_t *iova)
{
	*iova = p->iova + p->length;
	return *iova > p->iova;
}

/* Add all mappings of descriptor @fd to @s; of another device, of its BARs. */
static int collect_maps(const struct hf_device *d, int fd, struct hf_space *s, struct hf_error *e)
{
	uint64_t iova = 0;

	for (;;) {
		struct hf_map q = { .fd = fd, .iova = iova }, *p;
		int err = hf_vfio_query_map(d, &q, e);

		if (err)
			return err == -ENOENT ? 0 : err;
		p = hf_append(&s->maps, &s->nmaps, sizeof(*p), e);
		if (!p)
			return -ENOMEM;
		*p = q;
		if (!next_map(&q, &iova))
			return 0;
	}
}

/*
 * Walk all mappings of whatever file. Each is one of the memfds' or of another device's
 * BARs, which are in @s in order, or MMIO of the device, which is added to @mmio.
 */
static int compare_maps(const struct hf_device *d, const struct hf_space *s, struct hf_space *mmio,
			struct hf_error *e)
{
	uint64_t iova = 0;
	size_t i = 0;

	for (;;) {
		struct hf_map q = { .fd = -1, .iova = iova }, *p;
		char name[64];
		int err = hf_vfio_query_map(d, &q, e);

		if (err == -ENOENT)
			break;
		if (err)
			return err;
		if (q.mmio) {
			p = hf_append(&mmio->maps, &mmio->nmaps, sizeof(*p), e);
			if (!p)
				return -ENOMEM;
			*p = q;
			p->fd = d->fd;
		} else if (i < s->nmaps && s->maps[i].iova == q.iova &&
			   s->maps[i].length == q.length) {
			i++;
		} else {
			return hf_fail_text(
				e, EOPNOTSUPP,
				"%s: what is mapped at IOVA 0x%llx is of no memfd and no "
				"device that the VM has handed over",
				hf_device_name(d, name, sizeof(name)), (unsigned long long)q.iova);
		}
		if (!next_map(&q, &iova))
			break;
	}
	if (i < s->nmaps)
		return hf_fail_text(e, EPROTO, "the kernel tells two things about IOVA 0x%llx",
				    (unsigned long long)s->maps[i].iova);
	return 0;
}

static int query_space(struct hf_manifest *m, const struct hf_device *d, struct hf_space *s,
		       struct hf_error *e)
{
	struct hf_space mmio = { 0 };
	struct hf_map *p;
	int err = 0;

	for (size_t i = 0; i < m->nfds && !err; i++) {
		const struct hf_fd *f = &m->fds[i];

		if (f->same_as < 0 && f->fd != d->fd &&
		    (f->kind == HF_KIND_MEMFD || f->kind == HF_KIND_VFIO))
			err = collect_maps(d, f->fd, s, e);
	}
	if (!err && s->nmaps)
		qsort(s->maps, s->nmaps, sizeof(*s->maps), cmp_iova);
	if (!err)
		err = compare_maps(d, s, &mmio, e);
	for (size_t i = 0; i < mmio.nmaps && !err; i++) {
		p = hf_append(&s->maps, &s->nmaps, sizeof(*p), e);
		if (p)
			*p = mmio.maps[i];
		else
			err = -ENOMEM;
	}
	if (!err && mmio.nmaps)
		qsort(s->maps, s->nmaps, sizeof(*s->maps), cmp_iova);
	free(mmio.maps);
	return err;
}

static int query_irqs(const struct hf_manifest *m, struct hf_device *d, struct hf_error *e)
{
	for (size_t i = 0; i < m->nfds; i++) {
		struct hf_irq q = { .fd = m->fds[i].fd }, *p;

		if (m->fds[i].kind != HF_KIND_EVENTFD || m->fds[i].same_as >= 0)
			continue;
		for (;;) {
			int err = hf_vfio_query_irq(d, &q, e);

			if (err == -ENOENT)
				break;
			if (err)
				return err;
			p = hf_append(&d->irqs, &d->nirqs, sizeof(*p), e);
			if (!p)
				return -ENOMEM;
			*p = q;
			q.vector++;
		}
	}
	return 0;
}

static bool has_trigger(const struct hf_device *d, const struct hf_irq *q)
{
	for (size_t i = 0; i < d->nirqs; i++)
		if (d->irqs[i].index == q->index && d->irqs[i].vector == q->vector &&
		    d->irqs[i].action == q->action)
			return true;
	return false;
}

/* Every interrupt that signals an eventfd signals one that was handed over. */
static int compare_irqs(const struct hf_device *d, struct hf_error *e)
{
	struct hf_irq q = { .fd = -1 };
	char name[64];
	int err;

	while (!(err = hf_vfio_query_irq(d, &q, e))) {
		if (!has_trigger(d, &q))
			return hf_fail_text(
				e, EOPNOTSUPP,
				"%s: vector %u of interrupt index %u signals an eventfd "
				"that the VM has not handed over",
				hf_device_name(d, name, sizeof(name)), q.vector, q.index);
		q.vector++;
	}
	return err == -ENOENT ? 0 : err;
}

static int query_device(struct hf_manifest *m, struct hf_device *d, struct hf_error *e)
{
	bool small_pages = false;
	struct hf_space *s;
	int err;

	err = find_iommufd(m, d, &small_pages, e);
	if (!err)
		err = mark_duplicates(m, d, e);
	if (err)
		return err;
	if (!hf_manifest_space(m, d->iommufd, d->ioas_id)) {
		s = hf_append(&m->spaces, &m->nspaces, sizeof(*s), e);
		if (!s)
			return -ENOMEM;
		s->iommufd = d->iommufd;
		s->ioas_id = d->ioas_id;
		s->small_pages = small_pages;
		err = query_space(m, d, s, e);
	}
	if (!err)
		err = query_irqs(m, d, e);
	return err ? err : compare_irqs(d, e);
}

int hf_save_query(struct hf_manifest *m, struct hf_error *e)
{
	int err = 0;

	for (size_t i = 0; i < m->ndevices && !err; i++)
		err = query_device(m, &m->devices[i], e);
	return err;
}
