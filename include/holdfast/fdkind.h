/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Kinds of descriptors a VM may have: how to know one, what to save of it, and how
 * to get it back. One kind, one file, one struct hf_fd_ops.
 */
#ifndef HOLDFAST_FDKIND_H
#define HOLDFAST_FDKIND_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include <holdfast/error.h>
#include <holdfast/manifest.h>

#ifdef __cplusplus
extern "C" {
#endif

struct hf_fd_ops {
	enum hf_kind kind;
	/* Is it one? @link is what /proc/self/fd says, @sysfs the name in /sys/dev/char or "". */
	bool (*match)(const struct stat *st, const char *link, const char *sysfs);
	/*
	 * Fill what is particular to the kind; refuse what cannot be preserved.
	 * NULL: nothing. Return: 0 or -errno.
	 */
	int (*save)(struct hf_fd *f, struct hf_error *e);
	/*
	 * Make it anew. NULL: it crosses in the session.
	 * Return: fd, close-on-exec, or -errno.
	 */
	int (*create)(const struct hf_fd *f, struct hf_error *e);
	/* Are two of them the same file? NULL: it is not to be known from here. */
	bool (*same)(int a, int b);
};

extern const struct hf_fd_ops hf_memfd_ops, hf_vfio_ops, hf_iommufd_ops, hf_eventfd_ops;

const struct hf_fd_ops *hf_fd_ops(enum hf_kind kind);

/*
 * A kind of its own, which is in no manifest. hf_dmabuf_leave() closes dma-buf @fd if, as far as the
 * kernel tells, it is of a BAR of one of the devices in @m. Return: 0 or -EOPNOTSUPP.
 */
bool hf_dmabuf_match(const char *link);
int hf_dmabuf_leave(const struct hf_manifest *m, int fd, struct hf_error *e);

/*
 * Look at descriptor @f->fd and fill the rest of @f but same_as.
 * Return: 0; -EOPNOTSUPP if a VM with it cannot be saved; -errno.
 */
int hf_fd_classify(struct hf_fd *f, struct hf_error *e);

/*
 * All descriptors of the process from 3 upwards that are inherited by what it
 * executes, less the @ndrop in @drop and those that hf_dmabuf_leave() closes, into @m->fds in
 * order. Return: 0 or -errno.
 */
int hf_fds_collect(struct hf_manifest *m, const int *drop, size_t ndrop, struct hf_error *e);

#ifdef __cplusplus
}
#endif

#endif
