// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommufd live update: check the mappings of a preserved device, and keep them
 * as they are until it is unpreserved.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: Mappings of a preserved device
 *
 * A preserved device goes on using its page tables while the kernel is
 * replaced. So what they map must come across too, and between the check and
 * the kexec nobody may change them. An iommufd is not preserved: in the new
 * kernel the owner opens a fresh one, maps the same memory and attaches.
 *
 * Check: the device is attached, without a PASID, to a paging domain of an
 * address space in which every mapping is either of a file whose memory comes
 * across, as the caller decides, or of MMIO that the caller allows, and may look
 * at again: who exports it can revoke it, and the lock does not keep him. The pages
 * that the device reaches must be the ones the file has now: a hole that was
 * punched after the mapping was made leaves the device with pages that no
 * longer belong to the file, and that the new kernel would hand out to others.
 *
 * Lock: a count in the io_pagetable. While it is not zero, nothing is mapped,
 * unmapped or split, and dirty tracking is not switched, -EBUSY. Each of these
 * looks at the count under iova_rwsem, and the lock is taken under iova_rwsem
 * held for write. What has begun before and dropped iova_rwsem for a while
 * shows as an area without pages, and the lock is not granted. Domains may come
 * and go beside ours.
 *
 * What keeps the rest in place: the attachment holds the domain, the domain
 * holds the address space, the binding holds the iommufd file, and the vfio
 * device file, which the Live Update Orchestrator holds, holds both. So a dying
 * owner takes nothing away. Attaching elsewhere and detaching are the caller's
 * business to refuse, since detaching cannot fail here.
 *
 * Tell: an owner that has to have the same objects again, with the same IDs, is
 * told what there is. That is no part of the handover: the answers go through
 * the owner's own hands, and nobody trusts them.
 *
 * Locks, outermost first: iommufd_group.lock, io_pagetable.iova_rwsem. The walk
 * over the pages, which takes as long as there is memory, holds iova_rwsem for
 * read only; the count keeps the areas in place.
 */

#include <linux/dma-buf.h>
#include <linux/file.h>
#include <linux/iommu.h>
#include <linux/iommufd.h>
#include <linux/iommufd_liveupdate.h>
#include <linux/pagemap.h>

#include "io_pagetable.h"
#include "iommufd_private.h"

static struct iommufd_hw_pagetable *
iommufd_lu_hwpt(struct iommufd_device *idev, char *why, size_t len)
{
	struct iommufd_group *igroup = idev->igroup;
	unsigned long pasid = IOMMU_NO_PASID;
	struct iommu_attach_handle *handle;
	struct iommufd_hw_pagetable *hwpt;

	lockdep_assert_held(&igroup->lock);

	handle = iommu_attach_handle_get(igroup->group, IOMMU_NO_PASID, 0);
	if (IS_ERR(handle) || to_iommufd_handle(handle)->idev != idev) {
		scnprintf(why, len, "it is not attached to an address space");
		return NULL;
	}
	hwpt = handle->domain->iommufd_hwpt;
	if (xa_find_after(&igroup->pasid_attach, &pasid, ULONG_MAX,
			  XA_PRESENT)) {
		scnprintf(why, len, "PASID %lu is attached", pasid);
		return NULL;
	}
	if (!hwpt_is_paging(hwpt)) {
		scnprintf(why, len, "its translation is nested");
		return NULL;
	}
	if (hwpt->fault) {
		scnprintf(why, len, "its page faults are handled by userspace");
		return NULL;
	}
	if (idev->vdev) {
		scnprintf(why, len, "it is part of a virtual IOMMU");
		return NULL;
	}

	return hwpt;
}

/* What can be said about an area without looking at its pages. */
static int iommufd_lu_check_area(struct iopt_area *area,
				 const struct iommufd_lu_rules *rules,
				 char *why, size_t len)
{
	struct iopt_pages *pages = area->pages;
	const char *text = NULL;

	if (!pages || area->prevent_access) {
		scnprintf(why, len, "the mapping at IOVA %#lx is changing",
			  iopt_area_iova(area));
		return -EBUSY;
	}
	if (area->num_locks) {
		scnprintf(why, len, "the IOMMU keeps a queue at IOVA %#lx",
			  iopt_area_iova(area));
		return -EOPNOTSUPP;
	}

	switch (pages->type) {
	case IOPT_ADDRESS_FILE:
		text = rules->file(pages->file, rules->data);
		break;
	case IOPT_ADDRESS_DMABUF: {
		struct iommufd_lu_mmio mmio = {
			.area = area,
			.iova = iopt_area_iova(area),
		};

		scoped_guard(mutex, &pages->mutex) {
			mmio.start = pages->dmabuf.phys.paddr;
			mmio.len = pages->dmabuf.phys.len;
		}
		text = mmio.len ? rules->mmio(&mmio, rules->data) :
				  "is of a BAR that was switched off";
		break;
	}
	default:
		text = "is memory of a process, not a memfd";
	}
	if (text) {
		scnprintf(why, len, "the mapping at IOVA %#lx %s",
			  iopt_area_iova(area), text);
		return -EOPNOTSUPP;
	}

	return 0;
}

/**
 * iommufd_lu_is_mapped - is there still something behind a mapping of MMIO?
 * @area: from &iommufd_lu_rules.mmio, of an address space that is locked
 *
 * Context: Process context, takes the mutex of the pages.
 * Return: false once whoever exports it has revoked it.
 */
bool iommufd_lu_is_mapped(struct iopt_area *area)
{
	guard(mutex)(&area->pages->mutex);

	return area->pages->dmabuf.phys.len;
}

/*
 * Do the page tables point to the pages that the file has now? A large folio
 * is looked at once: as it is pinned, it cannot have been split, and the part
 * of it that an area maps was mapped from it as a whole.
 */
static int iommufd_lu_check_pages(struct iopt_area *area,
				  struct iommu_domain *domain,
				  char *why, size_t len)
{
	struct address_space *mapping = area->pages->file->f_mapping;
	unsigned long iova = iopt_area_iova(area);
	unsigned long last = iopt_area_last_iova(area);

	for (;;) {
		unsigned long pos = area->pages->start +
				    iopt_area_start_byte(area, iova);
		unsigned long left;
		struct folio *folio;
		phys_addr_t phys;
		bool same;

		folio = filemap_get_folio(mapping, pos >> PAGE_SHIFT);
		if (IS_ERR(folio))
			goto changed;
		phys = PFN_PHYS(folio_pfn(folio)) + offset_in_folio(folio, pos);
		same = iommu_iova_to_phys(domain, iova) == phys;
		left = folio_size(folio) - offset_in_folio(folio, pos);
		folio_put(folio);
		if (!same)
			goto changed;
		if (last - iova < left)
			return 0;
		iova += left;
		cond_resched();
	}

changed:
	scnprintf(why, len, "the memfd has other pages at IOVA %#lx than it had when it was mapped",
		  iova);
	return -EOPNOTSUPP;
}

/*
 * Does a mapping of the address space stand against it? Only of those that are
 * there now, unless the caller locks it before it lets go of iova_rwsem.
 */
static int iommufd_lu_check_areas(struct iommufd_ioas *ioas,
				  const struct iommufd_lu_rules *rules,
				  char *why, size_t len)
{
	struct iopt_area *area;
	int rc = 0;

	lockdep_assert_held(&ioas->iopt.iova_rwsem);

	for (area = iopt_area_iter_first(&ioas->iopt, 0, ULONG_MAX);
	     area && !rc; area = iopt_area_iter_next(area, 0, ULONG_MAX))
		rc = iommufd_lu_check_area(area, rules, why, len);
	return rc;
}

/* Lock the address space of the device, unless a mapping stands against it. */
static struct iommufd_ioas *
iommufd_lu_lock_areas(struct iommufd_device *idev,
		      const struct iommufd_lu_rules *rules,
		      struct iommu_domain **domain, char *why, size_t len)
{
	struct iommufd_hw_pagetable *hwpt;
	struct iommufd_ioas *ioas;
	int rc;

	guard(mutex)(&idev->igroup->lock);
	hwpt = iommufd_lu_hwpt(idev, why, len);
	if (!hwpt)
		return ERR_PTR(-EOPNOTSUPP);
	ioas = to_hwpt_paging(hwpt)->ioas;

	guard(rwsem_write)(&ioas->iopt.iova_rwsem);
	rc = iommufd_lu_check_areas(ioas, rules, why, len);
	if (rc)
		return ERR_PTR(rc);

	/* The domain holds the address space, so it is alive. */
	refcount_inc(&ioas->obj.users);
	ioas->iopt.lu_locks++;
	*domain = hwpt->domain;
	return ioas;
}

/**
 * iommufd_lu_unlock - let the mappings of an address space change again
 * @ioas: what iommufd_lu_lock() returned
 *
 * Context: Process context.
 */
void iommufd_lu_unlock(struct iommufd_ioas *ioas)
{
	scoped_guard(rwsem_write, &ioas->iopt.iova_rwsem)
		ioas->iopt.lu_locks--;
	refcount_dec(&ioas->obj.users);
}

/**
 * iommufd_lu_lock - check the mappings of a device and keep them as they are
 * @idev: a bound device
 * @rules: what the device may reach
 * @why: where to put the reason of a refusal, in words
 * @len: room at @why
 *
 * The caller sees to it that the device is not detached, and not attached to
 * anything else, until iommufd_lu_unlock().
 *
 * Context: Process context; may take long if much memory is mapped.
 * Return: the address space, to be given to iommufd_lu_unlock(); or an error
 * pointer, and @why says why: -EOPNOTSUPP for what cannot be preserved, -EBUSY
 * for what is just changing.
 */
struct iommufd_ioas *iommufd_lu_lock(struct iommufd_device *idev,
				     const struct iommufd_lu_rules *rules,
				     char *why, size_t len)
{
	struct iommu_domain *domain;
	struct iommufd_ioas *ioas;
	struct iopt_area *area;
	int rc = 0;

	ioas = iommufd_lu_lock_areas(idev, rules, &domain, why, len);
	if (IS_ERR(ioas))
		return ioas;

	scoped_guard(rwsem_read, &ioas->iopt.iova_rwsem) {
		for (area = iopt_area_iter_first(&ioas->iopt, 0, ULONG_MAX);
		     area && !rc;
		     area = iopt_area_iter_next(area, 0, ULONG_MAX))
			if (area->pages->type == IOPT_ADDRESS_FILE)
				rc = iommufd_lu_check_pages(area, domain,
							    why, len);
	}
	if (rc) {
		iommufd_lu_unlock(ioas);
		return ERR_PTR(rc);
	}

	return ioas;
}

/**
 * iommufd_lu_check - would iommufd_lu_lock() succeed?
 * @idev: a bound device
 * @rules: what the device may reach
 * @why: where to put the reason of a refusal, in words
 * @len: room at @why
 *
 * Looks at the mappings, but not at every page, and changes nothing: who maps or
 * unmaps at the same time does not notice.
 *
 * Context: Process context.
 * Return: 0 or what iommufd_lu_lock() would fail with.
 */
int iommufd_lu_check(struct iommufd_device *idev,
		     const struct iommufd_lu_rules *rules,
		     char *why, size_t len)
{
	struct iommufd_hw_pagetable *hwpt;
	struct iommufd_ioas *ioas;

	guard(mutex)(&idev->igroup->lock);
	hwpt = iommufd_lu_hwpt(idev, why, len);
	if (!hwpt)
		return -EOPNOTSUPP;
	ioas = to_hwpt_paging(hwpt)->ioas;

	guard(rwsem_read)(&ioas->iopt.iova_rwsem);
	return iommufd_lu_check_areas(ioas, rules, why, len);
}

/* The address space of a device, with a reference, and its page table's facts. */
static struct iommufd_ioas *iommufd_lu_get_ioas(struct iommufd_device *idev,
						struct iommufd_lu_objects *objs)
{
	struct iommufd_hwpt_paging *paging;
	struct iommufd_hw_pagetable *hwpt;
	struct iommufd_ioas *ioas;
	char why[64];

	guard(mutex)(&idev->igroup->lock);
	hwpt = iommufd_lu_hwpt(idev, why, sizeof(why));
	if (!hwpt)
		return ERR_PTR(-ENOENT);
	paging = to_hwpt_paging(hwpt);
	ioas = paging->ioas;
	refcount_inc(&ioas->obj.users);

	objs->hwpt_id = hwpt->obj.id;
	objs->auto_domain = paging->auto_domain;
	if (paging->nest_parent)
		objs->hwpt_flags |= IOMMU_HWPT_ALLOC_NEST_PARENT;
	if (hwpt->domain->dirty_ops)
		objs->hwpt_flags |= IOMMU_HWPT_ALLOC_DIRTY_TRACKING;
	if (hwpt->pasid_compat)
		objs->hwpt_flags |= IOMMU_HWPT_ALLOC_PASID;

	return ioas;
}

static void iommufd_lu_put_ioas(struct iommufd_ioas *ioas)
{
	refcount_dec(&ioas->obj.users);
}

/**
 * iommufd_lu_get_objects - which objects does the DMA of a device go through?
 * @idev: a bound device
 * @objs: the answer
 *
 * Context: Process context.
 * Return: 0; -ENOENT if the device is not attached, or not to a page table of
 * the kind that can be preserved.
 */
int iommufd_lu_get_objects(struct iommufd_device *idev,
			   struct iommufd_lu_objects *objs)
{
	struct iommufd_ioas *ioas;

	*objs = (struct iommufd_lu_objects){ .dev_id = idev->obj.id };
	ioas = iommufd_lu_get_ioas(idev, objs);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);

	objs->ioas_id = ioas->obj.id;
	scoped_guard(rwsem_read, &ioas->iopt.iova_rwsem)
		objs->small_pages = ioas->iopt.disable_large_pages;
	iommufd_lu_put_ioas(ioas);

	return 0;
}

static int iommufd_lu_tell_area(struct iopt_area *area,
				struct iommufd_lu_mapping *map)
{
	unsigned long start = iopt_area_start_byte(area, iopt_area_iova(area));
	struct iopt_pages *pages = area->pages;

	map->iova = iopt_area_iova(area);
	map->length = iopt_area_length(area);
	map->prot = area->iommu_prot;

	switch (pages->type) {
	case IOPT_ADDRESS_FILE:
		map->mmio = false;
		map->start = pages->start + start;
		return 0;
	case IOPT_ADDRESS_DMABUF:
		map->mmio = true;
		scoped_guard(mutex, &pages->mutex) {
			/* Revoked: there is nothing behind it now. */
			if (!pages->dmabuf.phys.len)
				return -EOPNOTSUPP;
			map->start = pages->dmabuf.phys.paddr +
				     pages->dmabuf.start + start;
		}
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

/**
 * iommufd_lu_next_mapping - what is mapped for a device at or above an IOVA?
 * @idev: a bound device
 * @file: only mappings of this file; NULL for all
 * @map: where to begin, in @map->iova; the answer
 *
 * Context: Process context.
 * Return: 0; -ENOENT if there is nothing more, or the device is not attached;
 * -EBUSY if the next mapping is just changing; -EOPNOTSUPP if it is neither of a
 * file nor MMIO.
 */
int iommufd_lu_next_mapping(struct iommufd_device *idev, struct file *file,
			    struct iommufd_lu_mapping *map)
{
	struct iommufd_lu_objects objs = {};
	unsigned long from = map->iova;
	struct iommufd_ioas *ioas;
	struct iopt_area *area;
	int rc = -ENOENT;

	ioas = iommufd_lu_get_ioas(idev, &objs);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);

	scoped_guard(rwsem_read, &ioas->iopt.iova_rwsem) {
		for (area = iopt_area_iter_first(&ioas->iopt, from, ULONG_MAX);
		     area; area = iopt_area_iter_next(area, from, ULONG_MAX)) {
			if (iopt_area_iova(area) < from)
				continue;
			if (!area->pages || area->prevent_access) {
				rc = -EBUSY;
				break;
			}
			if (file && (area->pages->type != IOPT_ADDRESS_FILE ||
				     file_inode(area->pages->file) !=
				     file_inode(file)))
				continue;
			rc = iommufd_lu_tell_area(area, map);
			break;
		}
	}
	iommufd_lu_put_ioas(ioas);

	return rc;
}
