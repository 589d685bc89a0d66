// SPDX-License-Identifier: LGPL-2.1-or-later
/* The manifest once its fields are read: does what refers to something find it? */
#include <holdfast/manifest.h>

#include <errno.h>
#include <stdlib.h>

#include <linux/vfio.h>

#include <holdfast/util.h>

/* What an ID of an iommufd stands for. */
enum object { NONE, DEVICE, SPACE, HWPT };

struct check {
	const struct hf_manifest *m;
	/* By descriptor number; NULL: not there. */
	const struct hf_fd **fds;
	/* Of the iommufd being looked at, by ID. */
	enum object *ids;
	struct hf_error *e;
};

static const struct hf_fd *of_kind(struct check *c, int fd, enum hf_kind kind)
{
	const struct hf_fd *f = c->fds[fd];

	return f && f->kind == kind ? f : NULL;
}

/* The descriptor that @f is a duplicate of, or @f. */
static const struct hf_fd *original(struct check *c, const struct hf_fd *f)
{
	return f->same_as >= 0 ? c->fds[f->same_as] : f;
}

static int check_fds(struct check *c)
{
	const struct hf_manifest *m = c->m;
	size_t iommufds = 0;

	for (size_t i = 0; i < m->nfds; i++) {
		const struct hf_fd *f = &m->fds[i], *o;

		if (c->fds[f->fd])
			return hf_fail_text(c->e, EINVAL, "fds[%zu].fd: %d is there twice", i,
					    f->fd);
		if (f->same_as >= 0) {
			o = c->fds[f->same_as];
			if (!o || o->kind != f->kind || o->same_as >= 0)
				return hf_fail_text(
					c->e, EINVAL,
					"fds[%zu].same_as: %d is no %s that comes before it", i,
					f->same_as, hf_kind_name(f->kind));
		} else if ((f->kind == HF_KIND_MEMFD || f->kind == HF_KIND_VFIO) &&
			   f->token != (uint64_t)f->fd) {
			return hf_fail_text(c->e, EINVAL, "fds[%zu].token: %llu is not its number",
					    i, (unsigned long long)f->token);
		}
		if (f->kind == HF_KIND_IOMMUFD && f->same_as < 0 && ++iommufds > HF_IOMMUFD_LIMIT)
			return hf_fail_text(c->e, EINVAL, "fds[%zu].kind: more than %d iommufds", i,
					    HF_IOMMUFD_LIMIT);
		c->fds[f->fd] = f;
	}
	return 0;
}

static int check_irqs(struct check *c, size_t dev)
{
	const struct hf_device *d = &c->m->devices[dev];
	unsigned int kinds = 0;

	for (size_t i = 0; i < d->nirqs; i++) {
		const struct hf_irq *q = &d->irqs[i];

		if (!of_kind(c, q->fd, HF_KIND_EVENTFD))
			return hf_fail_text(c->e, EINVAL,
					    "devices[%zu].irqs[%zu].fd: %d is no eventfd", dev, i,
					    q->fd);
		for (size_t j = 0; j < i; j++)
			if (d->irqs[j].index == q->index && d->irqs[j].vector == q->vector &&
			    d->irqs[j].action == q->action)
				return hf_fail_text(
					c->e, EINVAL,
					"devices[%zu].irqs[%zu].vector: %u is there twice", dev, i,
					q->vector);
		if (q->index <= VFIO_PCI_MSIX_IRQ_INDEX)
			kinds |= 1u << q->index;
	}
	if (kinds & (kinds - 1))
		return hf_fail_text(c->e, EINVAL,
				    "devices[%zu].irqs: more than one of INTx, MSI and MSI-X", dev);
	return 0;
}

static int check_device(struct check *c, size_t i)
{
	const struct hf_device *d = &c->m->devices[i];
	const struct hf_fd *f = of_kind(c, d->fd, HF_KIND_VFIO);

	if (!f || f->same_as >= 0)
		return hf_fail_text(c->e, EINVAL, "devices[%zu].fd: %d is no vfio device", i,
				    d->fd);
	f = of_kind(c, d->iommufd, HF_KIND_IOMMUFD);
	if (!f || f->same_as >= 0)
		return hf_fail_text(c->e, EINVAL, "devices[%zu].iommufd: %d is no iommufd", i,
				    d->iommufd);
	if (!hf_manifest_space(c->m, d->iommufd, d->ioas_id))
		return hf_fail_text(c->e, EINVAL,
				    "devices[%zu].ioas_id: %u is not among the spaces", i,
				    d->ioas_id);
	for (size_t j = 0; j < i; j++) {
		const struct hf_device *o = &c->m->devices[j];

		if (o->fd == d->fd)
			return hf_fail_text(c->e, EINVAL, "devices[%zu].fd: %d is there twice", i,
					    d->fd);
		if (o->iommufd == d->iommufd && o->hwpt_id == d->hwpt_id &&
		    (o->ioas_id != d->ioas_id || o->hwpt_flags != d->hwpt_flags ||
		     o->auto_domain != d->auto_domain))
			return hf_fail_text(c->e, EINVAL,
					    "devices[%zu].hwpt_id: %u is another in devices[%zu]",
					    i, d->hwpt_id, j);
	}
	return check_irqs(c, i);
}

static int check_space(struct check *c, size_t i)
{
	const struct hf_space *s = &c->m->spaces[i];
	const struct hf_fd *f = of_kind(c, s->iommufd, HF_KIND_IOMMUFD);

	if (!f || f->same_as >= 0)
		return hf_fail_text(c->e, EINVAL, "spaces[%zu].iommufd: %d is no iommufd", i,
				    s->iommufd);
	if (hf_manifest_space(c->m, s->iommufd, s->ioas_id) != s)
		return hf_fail_text(c->e, EINVAL, "spaces[%zu].ioas_id: %u is there twice", i,
				    s->ioas_id);
	for (size_t j = 0; j < s->nmaps; j++) {
		enum hf_kind kind = s->maps[j].mmio ? HF_KIND_VFIO : HF_KIND_MEMFD;

		if (!of_kind(c, s->maps[j].fd, kind))
			return hf_fail_text(c->e, EINVAL, "spaces[%zu].maps[%zu].fd: %d is no %s",
					    i, j, s->maps[j].fd, hf_kind_name(kind));
	}
	return 0;
}

static int use_id(struct check *c, int iommufd, uint32_t id, enum object what)
{
	if (c->ids[id] != NONE && (c->ids[id] != what || what == DEVICE))
		return hf_fail_text(c->e, EINVAL, "iommufd %d: ID %u stands for two things",
				    iommufd, id);
	c->ids[id] = what;
	return 0;
}

/* Each ID of one iommufd is of one thing. */
static int check_ids(struct check *c, int iommufd)
{
	const struct hf_manifest *m = c->m;
	int err = 0;

	for (size_t i = 0; i < HF_ID_LIMIT; i++)
		c->ids[i] = NONE;
	for (size_t i = 0; i < m->nspaces && !err; i++)
		if (m->spaces[i].iommufd == iommufd)
			err = use_id(c, iommufd, m->spaces[i].ioas_id, SPACE);
	for (size_t i = 0; i < m->ndevices && !err; i++) {
		if (m->devices[i].iommufd != iommufd)
			continue;
		err = use_id(c, iommufd, m->devices[i].dev_id, DEVICE);
		if (!err)
			err = use_id(c, iommufd, m->devices[i].hwpt_id, HWPT);
	}
	return err;
}

static int check_all(struct check *c)
{
	const struct hf_manifest *m = c->m;
	int err = check_fds(c);

	for (size_t i = 0; i < m->ndevices && !err; i++)
		err = check_device(c, i);
	for (size_t i = 0; i < m->nspaces && !err; i++)
		err = check_space(c, i);
	for (size_t i = 0; i < m->nfds && !err; i++) {
		const struct hf_fd *f = &m->fds[i];

		if (f->kind == HF_KIND_IOMMUFD && original(c, f) == f)
			err = check_ids(c, f->fd);
	}
	for (size_t i = 0; i < m->nfds && !err; i++) {
		size_t d = 0;

		if (m->fds[i].kind != HF_KIND_VFIO || m->fds[i].same_as >= 0)
			continue;
		while (d < m->ndevices && m->devices[d].fd != m->fds[i].fd)
			d++;
		if (d == m->ndevices)
			err = hf_fail_text(c->e, EINVAL, "fds[%zu].fd: %d is not among the devices",
					   i, m->fds[i].fd);
	}
	return err;
}

int hf_manifest_check(const struct hf_manifest *m, struct hf_error *e)
{
	struct check c = { .m = m, .e = e };
	int err = -ENOMEM;

	c.fds = hf_calloc(HF_FD_LIMIT, sizeof(*c.fds), e);
	c.ids = hf_calloc(HF_ID_LIMIT, sizeof(*c.ids), e);
	if (c.fds && c.ids)
		err = check_all(&c);
	free(c.fds);
	free(c.ids);
	return err;
}
