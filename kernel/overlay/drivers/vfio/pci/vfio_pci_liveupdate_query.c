// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfio-pci live update: what the owner of a device has to set up again.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: What the owner of a vfio-pci device is told
 *
 * A VMM that is replaced together with the kernel, or a helper that holds its
 * files meanwhile, must find the same iommufd objects, mappings and interrupts
 * again. Only the old kernel knows them, so it can be asked: one thing at a call,
 * by the file it belongs to, since a file is the one name that both sides have.
 *
 * The answers go to userspace, which keeps them in memory of its own. Nothing is
 * added to what the kernels hand over to each other, and the new kernel has
 * nothing to trust: it gets ordinary calls on ordinary files.
 *
 * Locks: igate for interrupts; those of iommufd for the rest, with the binding
 * held by the file of the caller and dev_set->lock. A frozen device can be asked, too.
 */

#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/iommu.h>
#include <linux/iommufd.h>
#include <linux/iommufd_liveupdate.h>
#include <linux/uaccess.h>

#include "../vfio.h"
#include "vfio_pci_priv.h"

/* Is the device bound to this iommufd? -1 stands for any. */
static bool vfio_pci_lu_bound_to(struct vfio_pci_core_device *vdev, int fd)
{
	struct iommufd_ctx *ictx;
	bool same;

	if (fd == -1)
		return true;
	ictx = iommufd_ctx_from_fd(fd);
	if (IS_ERR(ictx))
		return false;
	same = iommufd_device_to_ictx(vdev->vdev.iommufd_device) == ictx;
	iommufd_ctx_put(ictx);

	return same;
}

static int
vfio_pci_lu_tell_iommu(struct vfio_pci_core_device *vdev,
		       struct vfio_device_feature_liveupdate_iommu *answer)
{
	struct iommufd_lu_objects objs;
	int err;

	if (!vfio_pci_lu_bound_to(vdev, answer->iommufd))
		return -ENOENT;
	err = iommufd_lu_get_objects(vdev->vdev.iommufd_device, &objs);
	if (err)
		return err;

	answer->flags = 0;
	if (objs.auto_domain)
		answer->flags |= VFIO_LIVEUPDATE_AUTO_DOMAIN;
	if (objs.small_pages)
		answer->flags |= VFIO_LIVEUPDATE_SMALL_PAGES;
	answer->dev_id = objs.dev_id;
	answer->ioas_id = objs.ioas_id;
	answer->hwpt_id = objs.hwpt_id;
	answer->hwpt_flags = objs.hwpt_flags;

	return 0;
}

/* Where in the device file of @pdev the MMIO at @phys is. */
static u64 vfio_pci_lu_mmio_offset(struct pci_dev *pdev, u64 phys)
{
	struct resource *res;
	int bar;

	for (bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		res = &pdev->resource[bar];
		if (resource_type(res) == IORESOURCE_MEM && phys >= res->start &&
		    phys <= res->end)
			return VFIO_PCI_INDEX_TO_OFFSET(bar) + phys - res->start;
	}

	return 0;
}

/*
 * Whose BAR it is: of the device of @file, of the device itself, or of another one.
 * Return: 0; -ENOENT if it is not what was asked for.
 */
static int
vfio_pci_lu_tell_mmio(struct vfio_pci_core_device *vdev, struct file *file,
		      const struct iommufd_lu_mapping *map,
		      struct vfio_device_feature_liveupdate_mapping *answer)
{
	struct vfio_device *asked = file ? vfio_lu_device_from_file(file) : NULL;
	struct pci_dev *owner;
	int err = 0;

	owner = vfio_pci_lu_bar_owner(vdev->pdev, map->start, 1);
	if (!owner)
		return -EOPNOTSUPP;
	if (file && (!asked || asked->dev != &owner->dev))
		err = -ENOENT;
	answer->flags = file || owner == vdev->pdev ? VFIO_LIVEUPDATE_MAP_MMIO :
						      VFIO_LIVEUPDATE_MAP_PEER;
	answer->offset = vfio_pci_lu_mmio_offset(owner, map->start);
	pci_dev_put(owner);

	return err;
}

/* The next mapping; with @file the next of it, or of a BAR of its device. */
static int
vfio_pci_lu_next_mapping(struct vfio_pci_core_device *vdev, struct file *file,
			 struct iommufd_lu_mapping *map,
			 struct vfio_device_feature_liveupdate_mapping *answer)
{
	bool device = file && vfio_lu_device_from_file(file);
	int err;

	for (;;) {
		err = iommufd_lu_next_mapping(vdev->vdev.iommufd_device,
					      device ? NULL : file, map);
		if (err)
			return err;
		answer->flags = 0;
		answer->offset = map->start;
		err = map->mmio ?
			      vfio_pci_lu_tell_mmio(vdev, file, map, answer) :
			      device ? -ENOENT : 0;
		if (err != -ENOENT)
			return err;
		if (map->iova + map->length <= map->iova)
			return -ENOENT;
		map->iova += map->length;
		if (signal_pending(current))
			return -EINTR;
	}
}

static int
vfio_pci_lu_tell_mapping(struct vfio_pci_core_device *vdev,
			 struct vfio_device_feature_liveupdate_mapping *answer)
{
	struct iommufd_lu_mapping map = { .iova = answer->iova };
	struct file *file __free(fput) = NULL;
	int err;

	if (answer->fd != -1) {
		file = fget(answer->fd);
		if (!file)
			return -EBADF;
	}
	err = vfio_pci_lu_next_mapping(vdev, file, &map, answer);
	if (err)
		return err;

	if (map.prot & IOMMU_READ)
		answer->flags |= VFIO_LIVEUPDATE_MAP_READ;
	if (map.prot & IOMMU_WRITE)
		answer->flags |= VFIO_LIVEUPDATE_MAP_WRITE;
	answer->iova = map.iova;
	answer->length = map.length;

	return 0;
}

/*
 * What a vector of the index in use does with an eventfd, 0: nothing. NULL
 * stands for any eventfd that it signals.
 */
static u32 vfio_pci_lu_irq_action(struct vfio_pci_irq_ctx *irq,
				  struct eventfd_ctx *ctx)
{
	if (ctx ? irq->trigger == ctx : !!irq->trigger)
		return VFIO_IRQ_SET_ACTION_TRIGGER;
	if (ctx && vfio_virqfd_listens(&irq->unmask, ctx))
		return VFIO_IRQ_SET_ACTION_UNMASK;

	return 0;
}

/* The eventfd of an index that has one for all; NULL stands for any. */
static bool
vfio_pci_lu_is_trigger(struct vfio_pci_core_device *vdev,
		       struct vfio_pci_eventfd __rcu * const *trigger,
		       const struct eventfd_ctx *ctx)
{
	const struct vfio_pci_eventfd *eventfd;

	eventfd = rcu_dereference_protected(*trigger,
					    lockdep_is_held(&vdev->igate));

	return eventfd && (!ctx || eventfd->ctx == ctx);
}

/* Go on to a later interrupt that is not below what was asked for. */
static bool
vfio_pci_lu_irq_is(struct vfio_device_feature_liveupdate_irq *answer, u32 index,
		   u32 start, u32 action)
{
	if (index < answer->index ||
	    (index == answer->index && start < answer->start))
		return false;

	answer->index = index;
	answer->start = start;
	answer->action = action;
	return true;
}

static int
vfio_pci_lu_find_irq(struct vfio_pci_core_device *vdev,
		     struct eventfd_ctx *ctx,
		     struct vfio_device_feature_liveupdate_irq *answer)
{
	struct vfio_pci_irq_ctx *irq;
	unsigned long start;
	u32 action;

	lockdep_assert_held(&vdev->igate);

	xa_for_each(&vdev->ctx, start, irq) {
		action = vfio_pci_lu_irq_action(irq, ctx);
		if (action &&
		    vfio_pci_lu_irq_is(answer, vdev->irq_type, start, action))
			return 0;
	}
	if (vfio_pci_lu_is_trigger(vdev, &vdev->err_trigger, ctx) &&
	    vfio_pci_lu_irq_is(answer, VFIO_PCI_ERR_IRQ_INDEX, 0,
			       VFIO_IRQ_SET_ACTION_TRIGGER))
		return 0;
	if (vfio_pci_lu_is_trigger(vdev, &vdev->req_trigger, ctx) &&
	    vfio_pci_lu_irq_is(answer, VFIO_PCI_REQ_IRQ_INDEX, 0,
			       VFIO_IRQ_SET_ACTION_TRIGGER))
		return 0;

	return -ENOENT;
}

static int vfio_pci_lu_tell_irq(struct vfio_pci_core_device *vdev,
				struct vfio_device_feature_liveupdate_irq *answer)
{
	struct eventfd_ctx *ctx = NULL;
	int err;

	if (answer->fd != -1) {
		ctx = eventfd_ctx_fdget(answer->fd);
		if (IS_ERR(ctx))
			return PTR_ERR(ctx);
	}
	err = mutex_lock_interruptible(&vdev->igate);
	if (!err) {
		err = vfio_pci_lu_find_irq(vdev, ctx, answer);
		mutex_unlock(&vdev->igate);
	}
	if (ctx)
		eventfd_ctx_put(ctx);

	return err;
}

/* As vfio_pci_lu_query(), for a question that is in kernel memory. */
static int vfio_pci_lu_answer(struct vfio_pci_core_device *vdev, u32 feature,
			      void *question)
{
	int err;

	if (feature == VFIO_DEVICE_FEATURE_LIVEUPDATE_IRQ)
		return vfio_pci_lu_tell_irq(vdev, question);

	err = mutex_lock_interruptible(&vdev->vdev.dev_set->lock);
	if (err)
		return err;
	if (!vdev->vdev.iommufd_device)
		err = -ENOENT;
	else if (feature == VFIO_DEVICE_FEATURE_LIVEUPDATE_IOMMU)
		err = vfio_pci_lu_tell_iommu(vdev, question);
	else
		err = vfio_pci_lu_tell_mapping(vdev, question);
	mutex_unlock(&vdev->vdev.dev_set->lock);

	return err;
}

/**
 * vfio_pci_lu_query - VFIO_DEVICE_FEATURE_LIVEUPDATE_IOMMU, _MAPPING, _IRQ
 * @vdev: a device that is open
 * @flags: as given by the user
 * @arg: the structure of that feature, question and answer in one
 * @argsz: room at @arg
 *
 * Context: Process context.
 * Return: 0 or a negative errno.
 */
int vfio_pci_lu_query(struct vfio_pci_core_device *vdev, u32 flags,
		      void __user *arg, size_t argsz)
{
	union {
		struct vfio_device_feature_liveupdate_iommu iommu;
		struct vfio_device_feature_liveupdate_mapping mapping;
		struct vfio_device_feature_liveupdate_irq irq;
	} question;
	u32 feature = flags & VFIO_DEVICE_FEATURE_MASK;
	size_t size;
	int ret;

	switch (feature) {
	case VFIO_DEVICE_FEATURE_LIVEUPDATE_IOMMU:
		size = sizeof(question.iommu);
		break;
	case VFIO_DEVICE_FEATURE_LIVEUPDATE_MAPPING:
		size = sizeof(question.mapping);
		break;
	case VFIO_DEVICE_FEATURE_LIVEUPDATE_IRQ:
		size = sizeof(question.irq);
		break;
	default:
		return -ENOTTY;
	}

	ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_GET, size);
	if (ret != 1)
		return ret;
	if (copy_from_user(&question, arg, size))
		return -EFAULT;
	ret = vfio_pci_lu_answer(vdev, feature, &question);
	if (ret)
		return ret;

	return copy_to_user(arg, &question, size) ? -EFAULT : 0;
}
