// SPDX-License-Identifier: LGPL-2.1-or-later
/* Descriptors at their numbers, iommufd objects with their IDs. */
#include <holdfast/rebuild.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/iommufd.h>

#include <holdfast/fdkind.h>
#include <holdfast/luo.h>
#include <holdfast/plan.h>
#include <holdfast/util.h>
#include <holdfast/vfio.h>

static int get_fd(const struct hf_fd *f, int session, bool *lost, struct hf_error *e)
{
	const struct hf_fd_ops *ops = hf_fd_ops(f->kind);
	char what[64];
	int fd;

	if (f->same_as >= 0) {
		fd = fcntl(f->same_as, F_DUPFD_CLOEXEC, 3);
		return fd < 0 ? hf_fail_errno(e, errno, "duplicate fd %d", f->same_as) : fd;
	}
	if (ops->create)
		return ops->create(f, e);
	snprintf(what, sizeof(what), "the %s that was fd %d", hf_kind_name(f->kind), f->fd);
	fd = hf_luo_retrieve_fd(session, f->token, what, e);
	/* The kernel remembers this answer. Short of descriptors it had not asked yet. */
	if (fd < 0 && fd != -EMFILE && fd != -ENFILE && fd != -EINTR)
		*lost = true;
	return fd;
}

/* A duplicate has them already; on devices they mean nothing. */
static int set_flags(const struct hf_fd *f, struct hf_error *e)
{
	if (f->same_as >= 0 || f->kind == HF_KIND_VFIO || f->kind == HF_KIND_IOMMUFD)
		return 0;
	if (fcntl(f->fd, F_SETFL, (int)f->flags) < 0)
		return hf_fail_errno(e, errno, "set the flags of fd %d", f->fd);
	return 0;
}

int hf_rebuild_fds(const struct hf_manifest *m, int session, struct hf_progress *p, bool *lost,
		   struct hf_error *e)
{
	*lost = false;
	for (; p->fds < m->nfds; p->fds++) {
		const struct hf_fd *f = &m->fds[p->fds];
		int fd = get_fd(f, session, lost, e), err;

		if (fd < 0)
			return fd;
		err = hf_fd_place(fd, f->fd, e);
		if (err)
			return err;
		err = set_flags(f, e);
		if (err)
			return err;
	}
	return 0;
}

static int destroy(int iommufd, uint32_t id)
{
	struct iommu_destroy arg = { .size = sizeof(arg), .id = id };

	return ioctl(iommufd, IOMMU_DESTROY, &arg) < 0 ? -errno : 0;
}

/*
 * The lowest ID that is free is given out. So if the one we want was not, and this is the
 * second time we ask, we had it from the first; what we got now is one too many.
 */
static bool had_it_already(int iommufd, uint32_t got, uint32_t want, bool again)
{
	return again && got > want && !destroy(iommufd, got);
}

static int take(const struct hf_step *s, bool again, struct hf_error *e)
{
	struct iommu_ioas_alloc arg = { .size = sizeof(arg) };

	if (ioctl(s->iommufd, IOMMU_IOAS_ALLOC, &arg) < 0)
		return hf_fail_errno(e, errno, "iommufd %d: allocate an address space", s->iommufd);
	if (arg.out_ioas_id != s->id && !had_it_already(s->iommufd, arg.out_ioas_id, s->id, again))
		return hf_fail_text(e, EPROTO,
				    "iommufd %d: an address space has the ID %u instead of %u",
				    s->iommufd, arg.out_ioas_id, s->id);
	return 0;
}

static int give(const struct hf_step *s, bool again, struct hf_error *e)
{
	int err = destroy(s->iommufd, s->id);

	if (err && !(again && err == -ENOENT))
		return hf_fail_errno(e, -err, "iommufd %d: give ID %u back", s->iommufd, s->id);
	return 0;
}

static int small_pages(const struct hf_space *sp, struct hf_error *e)
{
	struct iommu_option arg = {
		.size = sizeof(arg),
		.option_id = IOMMU_OPTION_HUGE_PAGES,
		.op = IOMMU_OPTION_OP_SET,
		.object_id = sp->ioas_id,
	};

	if (ioctl(sp->iommufd, IOMMU_OPTION, &arg) < 0)
		return hf_fail_errno(e, errno,
				     "iommufd %d: switch huge pages off in address space %u",
				     sp->iommufd, sp->ioas_id);
	return 0;
}

static const struct hf_device *device_of(const struct hf_manifest *m, int fd)
{
	size_t i = 0;

	while (m->devices[i].fd != fd)
		i++;
	return &m->devices[i];
}

static int map(const struct hf_manifest *m, const struct hf_space *sp, const struct hf_map *p,
	       bool again, struct hf_error *e)
{
	struct iommu_ioas_map_file arg = {
		.size = sizeof(arg),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | (p->read ? IOMMU_IOAS_MAP_READABLE : 0) |
			 (p->write ? IOMMU_IOAS_MAP_WRITEABLE : 0),
		.ioas_id = sp->ioas_id,
		.fd = p->fd,
		.start = p->offset,
		.length = p->length,
		.iova = p->iova,
	};
	int buf = -1, err = 0;

	if (p->mmio) {
		buf = hf_vfio_dmabuf(device_of(m, p->fd), p->offset, p->length, e);
		if (buf < 0)
			return buf;
		arg.fd = buf;
		arg.start = 0;
	}
	if (ioctl(sp->iommufd, IOMMU_IOAS_MAP_FILE, &arg) < 0 && !(again && errno == EEXIST))
		err = hf_fail_errno(e, errno,
				    "iommufd %d: map 0x%llx bytes of fd %d at IOVA 0x%llx of "
				    "address space %u",
				    sp->iommufd, (unsigned long long)p->length, p->fd,
				    (unsigned long long)p->iova, sp->ioas_id);
	if (buf >= 0)
		close(buf);
	return err;
}

static int make_hwpt(const struct hf_device *d, bool again, struct hf_error *e)
{
	struct iommu_hwpt_alloc arg = {
		.size = sizeof(arg),
		.flags = d->hwpt_flags,
		.dev_id = d->dev_id,
		.pt_id = d->ioas_id,
		.data_type = IOMMU_HWPT_DATA_NONE,
	};
	char name[64];

	hf_device_name(d, name, sizeof(name));
	if (ioctl(d->iommufd, IOMMU_HWPT_ALLOC, &arg) < 0)
		return hf_fail_errno(e, errno, "%s: make its page table, with flags 0x%x", name,
				     d->hwpt_flags);
	if (arg.out_hwpt_id != d->hwpt_id &&
	    !had_it_already(d->iommufd, arg.out_hwpt_id, d->hwpt_id, again))
		return hf_fail_text(e, EPROTO, "%s: its page table has the ID %u instead of %u",
				    name, arg.out_hwpt_id, d->hwpt_id);
	return 0;
}

static int bind(const struct hf_device *d, bool again, struct hf_error *e)
{
	int err = hf_vfio_bind(d, e);

	/* A device can be bound once, and nobody else has it. */
	return again && err == -EINVAL ? 0 : err;
}

/* @again: somebody was killed when at it. */
static int do_step(const struct hf_manifest *m, const struct hf_step *s, bool again,
		   struct hf_error *e)
{
	switch (s->op) {
	case HF_STEP_TAKE:
		return take(s, again, e);
	case HF_STEP_GIVE:
		return give(s, again, e);
	case HF_STEP_SMALL_PAGES:
		return small_pages(&m->spaces[s->a], e);
	case HF_STEP_BIND:
		return bind(&m->devices[s->a], again, e);
	case HF_STEP_MAP:
		return map(m, &m->spaces[s->a], &m->spaces[s->a].maps[s->b], again, e);
	case HF_STEP_HWPT:
		return make_hwpt(&m->devices[s->a], again, e);
	case HF_STEP_ATTACH:
		/* Like small pages, it may be repeated. */
		return hf_vfio_attach(&m->devices[s->a], e);
	}
	return hf_fail_text(e, EINVAL, "no such step");
}

static const char *part_of(enum hf_step_op op)
{
	switch (op) {
	case HF_STEP_BIND:
		return "bind";
	case HF_STEP_MAP:
		return "map";
	case HF_STEP_HWPT:
	case HF_STEP_ATTACH:
		return "attach";
	default:
		return "ids";
	}
}

int hf_rebuild_iommu(const struct hf_manifest *m, struct hf_progress *p, struct hf_times *t,
		     struct hf_error *e)
{
	uint64_t at = hf_now_us();
	struct hf_plan plan;
	int err;

	err = hf_plan_make(&plan, m, e);
	while (!err && p->steps < plan.n) {
		const struct hf_step *s = &plan.steps[p->steps];
		bool again = p->begun;

		p->begun = true;
		err = do_step(m, s, again, e);
		/* In this order: in between, the next step counts as begun, which is harmless. */
		if (!err)
			__atomic_fetch_add(&p->steps, 1, __ATOMIC_SEQ_CST);
		/* What has failed was not done. */
		p->begun = again && err;
		if (!err)
			at = hf_times_since(t, part_of(s->op), at);
	}
	hf_plan_free(&plan);
	return err;
}

int hf_rebuild_irqs(const struct hf_manifest *m, struct hf_error *e)
{
	int err = 0;

	for (size_t i = 0; i < m->ndevices && !err; i++)
		err = hf_vfio_set_irqs(&m->devices[i], e);
	for (size_t i = 0; i < m->ndevices && !err; i++)
		err = hf_vfio_catch_up(&m->devices[i], e);
	return err;
}
