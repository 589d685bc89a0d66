// SPDX-License-Identifier: GPL-2.0
/*
 * PCI live update: VFs, and the PF that they depend on.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: SR-IOV
 *
 * A VF exists because its PF says so. What a preserved VF takes from the PF (the SR-IOV
 * capability with its BARs, and what the PCI Express specification has a VF share) is
 * protected by rows of the policy for PFs; the rest of the PF may be written, unless it is
 * preserved as well. From preserve to finish nobody may change how many VFs there are.
 *
 * old kernel
 *	1. preserve: the PF comes first, if VFIO has it open. It is tracked as depended.
 *	2. freeze: PF and VFs are frozen in whatever order their sessions have. The PF is
 *	   recorded and guarded with the first of them.
 *	3. shutdown: VFs that nobody preserved lose Bus Master as all devices do. So does a PF
 *	   that its owner did not preserve.
 * new kernel
 *	1. scan: the guard is on the VFs' addresses, and on the PF, before that is found.
 *	   sriov_init() asks pci_lu_keeps_vfs() and leaves VF Enable alone; it sizes
 *	   VF BARs against the shadow, and reads the offset and stride that are in effect.
 *	   The PF is adopted; its IOV resources are fixed, and claimed where they are.
 *	2. fs_initcall_sync, when resources were assigned and no driver is registered:
 *	   pci_lu_create_vfs() makes as many VFs as the PF has, without a write to VF Enable
 *	   or NumVFs. Each that is listed is adopted, with BARs compared; others have
 *	   Bus Master off. They are there when the IOMMU driver looks.
 *	3. Each VF is finished by its owner. With the last one, the PF gets its resets back,
 *	   and is an ordinary one if its own owner has finished, too.
 *
 * A PF that is fenced fences its VFs first, also those that it has not got a device for.
 *
 * Locks: pci_lock_rescan_remove() is outside pci_lu_lock.
 */

#include <linux/sysfs.h>
#include <linux/xarray.h>

#include "../pci.h"
#include "internal.h"

#ifdef CONFIG_PCI_IOV

/**
 * pci_lu_keeps_vfs - hook: may VF Enable be cleared, to begin with?
 * @pdev: a PF that is being found, with VF Enable set
 *
 * Return: true when its VFs go on.
 */
bool pci_lu_keeps_vfs(const struct pci_dev *pdev)
{
	struct pci_lu_fn *fn = pci_lu_fn_find(pdev);

	return fn && READ_ONCE(fn->mode) == PCI_LU_GUARDED && !pci_lu_is_companion(fn);
}

/**
 * pci_lu_may_set_vfs - hook: somebody wants to change the number of VFs
 * @pdev: the PF
 *
 * Return: 0, or -EBUSY when the PF or one of its VFs is in an update.
 */
int pci_lu_may_set_vfs(struct pci_dev *pdev)
{
	struct pci_lu_fn *fn = pci_lu_fn_find(pdev);
	enum pci_lu_state state;

	if (!fn)
		return 0;
	state = READ_ONCE(fn->state);
	if (state == PCI_LU_IDLE || state == PCI_LU_FENCED)
		return 0;
	pci_info(pdev, "live update: the number of its VFs cannot be changed before the update is finished or called off\n");
	return -EBUSY;
}

/* What pci_iov_add_virtfn() takes for granted. */
static bool pci_lu_vfs_fit(struct pci_dev *pf, u16 num)
{
	struct pci_sriov *iov = pf->sriov;
	int i;

	if (!num || num > iov->total_VFs ||
	    pci_iov_virtfn_bus(pf, num - 1) > pf->bus->busn_res.end)
		return false;
	for (i = 0; i < PCI_SRIOV_NUM_BARS; i++) {
		int n = pci_resource_num_from_vf_bar(i);
		const struct resource *res = pci_resource_n(pf, n);

		if (!res->flags)
			continue;
		if (!res->parent ||
		    pci_iov_resource_size(pf, n) * num > resource_size(res))
			return false;
	}
	return true;
}

static int pci_lu_link_dependent(struct pci_dev *pf)
{
	struct pci_dev *other;
	int err;

	if (pf->sriov->link == pf->devfn)
		return 0;
	other = pci_get_slot(pf->bus, pf->sriov->link);
	if (!other)
		return -ENODEV;
	err = sysfs_create_link(&pf->dev.kobj, &other->dev.kobj, "dep_link");
	pci_dev_put(other);
	return err;
}

/*
 * As sriov_enable(), but the device has them already. What could not be made is
 * fenced, and counted nevertheless: that many the device has.
 */
static int pci_lu_make_vfs(struct pci_dev *pf)
{
	struct pci_sriov *iov = pf->sriov;
	u16 ctrl, num, i;
	int err;

	pci_read_config_word(pf, iov->pos + PCI_SRIOV_CTRL, &ctrl);
	if (!(ctrl & PCI_SRIOV_CTRL_VFE))
		return 0;
	pci_read_config_word(pf, iov->pos + PCI_SRIOV_NUM_VF, &num);
	if (!pci_lu_vfs_fit(pf, num))
		return -ENOSPC;
	err = pci_lu_link_dependent(pf);
	if (!err)
		err = pcibios_sriov_enable(pf, num);
	if (err)
		return err;

	pci_read_config_word(pf, iov->pos + PCI_SRIOV_INITIAL_VF, &iov->initial_VFs);
	iov->ctrl = ctrl;
	for (i = 0; i < num && !err; i++)
		err = pci_iov_add_virtfn(pf, i);
	iov->num_VFs = num;
	return err;
}

static void pci_lu_create_vfs_of(struct pci_lu_fn *fn)
{
	struct pci_dev *pf = fn->pdev;
	int err;

	pci_lock_rescan_remove();
	err = pci_lu_make_vfs(pf);
	pci_unlock_rescan_remove();

	guard(mutex)(&pci_lu_lock);
	if (err)
		pci_err(pf, "live update: cannot make its VFs: %pe\n", ERR_PTR(err));
	/* All that there are were found. */
	pci_lu_fence_unfound_vfs(fn, pf, pci_lu_reason_text(PCI_LU_REASON_ADOPT_VFS));
}

/**
 * pci_lu_create_vfs - make the VFs of all PFs that were adopted
 *
 * Context: boot, one CPU; resources were assigned, no driver can bind.
 */
void pci_lu_create_vfs(void)
{
	struct pci_lu_fn *fn;
	unsigned long key;

	xa_for_each(&pci_lu_fns, key, fn)
		if (fn->state == PCI_LU_ADOPTED && fn->pdev->is_physfn &&
		    !pci_lu_is_companion(fn))
			pci_lu_create_vfs_of(fn);
}

#else /* !CONFIG_PCI_IOV */

void pci_lu_create_vfs(void) { }

#endif
