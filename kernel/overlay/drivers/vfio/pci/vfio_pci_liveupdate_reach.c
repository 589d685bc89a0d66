// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfio-pci live update: the BARs that a preserved device does DMA to.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: BARs in the address space of a vfio-pci device
 *
 * An owner may map BARs of vfio devices (as a dma-buf) for his devices: their own,
 * and those of others, for peer-to-peer DMA. A BAR of the device itself comes
 * across with it. A BAR of another device, the *target*, does if the target is
 * preserved in the same session, before or after: two devices may reach each
 * other, so there is no order that they could be asked to keep.
 *
 * 1. Preserve refuses what can never hold: the target is not driven by vfio-pci, PCI
 *    core cannot preserve it, or it is preserved in another session. The rest is
 *    noted, in &vfio_pci_lu.reach: mappings and BARs stay as they are from now on.
 *    Until the target is preserved as well, VFIO_DEVICE_FEATURE_LIVEUPDATE says so.
 * 2. Freeze of the last device of the session, frozen or dropped, decides
 *    (vfio_pci_lu_settle()). A device is dropped if a target is not preserved in
 *    the session, or was dropped itself; and so on, until no more is. It was frozen, so
 *    it is thawed first. The update is not refused: it is the owner's own doing, and
 *    others have no part in it.
 * 3. A mapping that was revoked meanwhile (the target's Memory Enable was off for a
 *    moment, or it was reset) is empty. That is safe, and as it was before the update;
 *    the log says so. A frozen target revokes nothing, see "Freeze".
 * 4. In the new kernel a device that reaches a BAR ends before its target does, see
 *    "Peer-to-peer DMA" of the PCI core.
 *
 * Locks: vfio_pci_lu_reach_lock is taken within those of iommufd, and nothing but the
 * mutex of a mapping's pages within it. Devices come and go under the locks of the
 * Orchestrator, which freeze has for writing: so none does then.
 */

#include <linux/iommufd_liveupdate.h>
#include <linux/liveupdate.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "vfio_pci_priv.h"

/**
 * struct vfio_pci_lu_reach - a BAR in the address space of a preserved device
 * @area: the mapping, which stays as long as the address space is locked
 * @iova: where it is
 * @pdev: whose BAR it is, with a reference
 */
struct vfio_pci_lu_reach {
	struct iopt_area *area;
	unsigned long iova;
	struct pci_dev *pdev;
};

/* Protects the list of preserved devices, and what it is sorted by. */
static DEFINE_MUTEX(vfio_pci_lu_reach_lock);
static LIST_HEAD(vfio_pci_lu_devices);

static bool vfio_pci_lu_has_bar(struct pci_dev *pdev, phys_addr_t start,
				size_t len)
{
	struct resource range = DEFINE_RES_MEM(start, len);
	int i;

	for (i = 0; i < PCI_STD_NUM_BARS; i++) {
		struct resource *res = &pdev->resource[i];

		if (resource_type(res) == IORESOURCE_MEM &&
		    resource_size(res) && resource_contains(res, &range))
			return true;
	}

	return false;
}

/**
 * vfio_pci_lu_bar_owner - whose BAR is it?
 * @pdev: who is asked first
 * @start: physical address
 * @len: size in bytes, not 0
 *
 * Return: the device with a reference, or NULL: it is inside nobody's BAR.
 */
struct pci_dev *vfio_pci_lu_bar_owner(struct pci_dev *pdev, phys_addr_t start,
				      size_t len)
{
	struct pci_dev *other = NULL;

	if (vfio_pci_lu_has_bar(pdev, start, len))
		return pci_dev_get(pdev);
	for_each_pci_dev(other)
		if (vfio_pci_lu_has_bar(other, start, len))
			break;
	return other;
}

static struct vfio_pci_lu *vfio_pci_lu_find(const struct pci_dev *pdev)
{
	struct vfio_pci_lu *lu;

	lockdep_assert_held(&vfio_pci_lu_reach_lock);

	list_for_each_entry(lu, &vfio_pci_lu_devices, node)
		if (lu->vdev->pdev == pdev)
			return lu;
	return NULL;
}

static const char *vfio_pci_lu_say(char *text, size_t len,
				   const struct pci_dev *target,
				   const char *what, const char *why)
{
	scnprintf(text, len, "is a BAR of %s, which %s%s", pci_name(target), what,
		  why);
	return text;
}

/* May it be otherwise by the time when @target itself is preserved? */
static bool vfio_pci_lu_may_change(struct pci_dev *target)
{
	return target->is_virtfn || target->current_state != PCI_D0 ||
	       pci_lu_adopted(target);
}

/* What stands against it that the device reaches @target? NULL: nothing yet. */
static const char *vfio_pci_lu_refuse_target(struct vfio_pci_lu_rule_data *rule,
					     struct pci_dev *target)
{
	const char *what = NULL, *why = "";
	const struct vfio_pci_lu *lu;

	mutex_lock(&vfio_pci_lu_reach_lock);
	lu = vfio_pci_lu_find(target);
	if (lu && rule->args && lu->session != rule->args->file_set)
		what = "is preserved in another session";
	mutex_unlock(&vfio_pci_lu_reach_lock);

	if (!lu && strcmp(dev_driver_string(&target->dev), "vfio-pci")) {
		what = "vfio-pci does not drive";
	} else if (!lu && !vfio_pci_lu_may_change(target)) {
		why = pci_lu_refusal(target);
		if (why)
			what = "cannot be preserved: ";
	}
	return what ? vfio_pci_lu_say(rule->text, sizeof(rule->text), target, what,
				      why) : NULL;
}

/**
 * vfio_pci_lu_mmio_rule - which BARs may a device reach?
 * @mmio: what is mapped
 * @data: &struct vfio_pci_lu_rule_data
 *
 * For &iommufd_lu_rules.mmio. Notes the mapping down, if that is asked for.
 *
 * Return: NULL, or what is wrong with it.
 */
const char *vfio_pci_lu_mmio_rule(const struct iommufd_lu_mmio *mmio, void *data)
{
	struct vfio_pci_lu_rule_data *rule = data;
	struct vfio_pci_lu_reach *reach;
	struct vfio_pci_lu *lu = rule->lu;
	struct pci_dev *target;
	const char *why = NULL;

	target = vfio_pci_lu_bar_owner(rule->vdev->pdev, mmio->start, mmio->len);
	if (!target)
		return "is MMIO of no PCI device";
	if (target != rule->vdev->pdev)
		why = vfio_pci_lu_refuse_target(rule, target);
	if (why || !lu)
		goto put_target;

	reach = krealloc_array(lu->reach, lu->nr_reach + 1, sizeof(*reach),
			       GFP_KERNEL);
	if (!reach) {
		why = "cannot be remembered: out of memory";
		goto put_target;
	}
	lu->reach = reach;
	reach[lu->nr_reach++] = (struct vfio_pci_lu_reach){
		.area = mmio->area, .iova = mmio->iova, .pdev = target,
	};
	return NULL;

put_target:
	pci_dev_put(target);
	return why;
}

/**
 * vfio_pci_lu_forget_reach - let go of what vfio_pci_lu_mmio_rule() noted down
 * @lu: of a device that is not on the list, or with vfio_pci_lu_reach_lock held
 */
void vfio_pci_lu_forget_reach(struct vfio_pci_lu *lu)
{
	while (lu->nr_reach)
		pci_dev_put(lu->reach[--lu->nr_reach].pdev);
	kfree(lu->reach);
	lu->reach = NULL;
}

/**
 * vfio_pci_lu_enlist - a device is preserved
 * @lu: its state
 * @session: its session
 */
void vfio_pci_lu_enlist(struct vfio_pci_lu *lu, const struct luo_file_set *session)
{
	struct vfio_pci_lu *other;
	static u16 last;

	lu->session = session;
	lu->settled = false;
	lu->session_nr = 0;

	guard(mutex)(&vfio_pci_lu_reach_lock);
	list_for_each_entry(other, &vfio_pci_lu_devices, node)
		if (other->session == session)
			lu->session_nr = other->session_nr;
	while (!lu->session_nr) {
		lu->session_nr = ++last;
		list_for_each_entry(other, &vfio_pci_lu_devices, node)
			if (other->session_nr == last)
				lu->session_nr = 0;
	}
	list_add_tail(&lu->node, &vfio_pci_lu_devices);
}

/**
 * vfio_pci_lu_delist - a device is preserved no more
 * @lu: its state
 */
void vfio_pci_lu_delist(struct vfio_pci_lu *lu)
{
	/* Its owner may just be asking. */
	guard(mutex)(&vfio_pci_lu_reach_lock);
	list_del(&lu->node);
	vfio_pci_lu_forget_reach(lu);
}

static bool vfio_pci_lu_reaches(const struct vfio_pci_lu *lu,
				const struct pci_dev *target)
{
	unsigned int i;

	for (i = 0; i < lu->nr_reach; i++)
		if (lu->reach[i].pdev == target && target != lu->vdev->pdev)
			return true;
	return false;
}

/**
 * vfio_pci_lu_record_reach - tell the PCI core who reaches whom
 * @lu: of a device that is about to be frozen
 */
void vfio_pci_lu_record_reach(struct vfio_pci_lu *lu)
{
	struct pci_dev *pdev = lu->vdev->pdev;
	u16 reaches = 0, reached = 0;
	struct vfio_pci_lu *other;

	scoped_guard(mutex, &vfio_pci_lu_reach_lock)
		list_for_each_entry(other, &vfio_pci_lu_devices, node) {
			if (other->session != lu->session)
				continue;
			if (vfio_pci_lu_reaches(lu, other->vdev->pdev))
				reaches = lu->session_nr;
			if (vfio_pci_lu_reaches(other, pdev))
				reached = lu->session_nr;
		}
	pci_lu_set_reach(pdev, reaches, reached);
}

/**
 * vfio_pci_lu_lost_target - does a device reach a BAR that does not come across?
 * @lu: of a preserved device
 * @why: where to put it in words
 * @len: room at @why
 *
 * Return: true if so. Before all devices of the session are frozen, it may still change.
 */
bool vfio_pci_lu_lost_target(struct vfio_pci_lu *lu, char *why, size_t len)
{
	unsigned int i;
	int n;

	guard(mutex)(&vfio_pci_lu_reach_lock);
	for (i = 0; i < lu->nr_reach; i++) {
		const struct vfio_pci_lu_reach *reach = &lu->reach[i];
		const struct vfio_pci_lu *target = vfio_pci_lu_find(reach->pdev);
		bool preserved = target && target->session == lu->session;

		if (reach->pdev == lu->vdev->pdev ||
		    (preserved && !target->dropped) ||
		    !iommufd_lu_is_mapped(reach->area))
			continue;
		n = scnprintf(why, len, "the mapping at IOVA %#lx ", reach->iova);
		vfio_pci_lu_say(why + n, len - n, reach->pdev,
				preserved ? "was dropped" :
				"is not preserved in the same session", "");
		return true;
	}
	return false;
}

static void vfio_pci_lu_tell_revoked(const struct vfio_pci_lu *lu)
{
	unsigned int i;

	for (i = 0; i < lu->nr_reach; i++)
		if (!iommufd_lu_is_mapped(lu->reach[i].area))
			pci_warn(lu->vdev->pdev,
				 "live update: the mapping at IOVA %#lx is empty: the BAR of %s was switched off, or the device reset, after it was preserved\n",
				 lu->reach[i].iova, pci_name(lu->reach[i].pdev));
}

/* One that must not cross, because of what it reaches. */
static struct vfio_pci_lu *vfio_pci_lu_next_lost(const struct luo_file_set *session,
						 struct vfio_pci_lu_why *why)
{
	struct vfio_pci_lu *lu;

	/* Nobody comes or goes: see the locks above. */
	list_for_each_entry(lu, &vfio_pci_lu_devices, node)
		if (lu->session == session && !lu->dropped &&
		    vfio_pci_lu_lost_target(lu, why->text, sizeof(why->text)))
			return lu;
	return NULL;
}

/**
 * vfio_pci_lu_settle - a device was frozen or dropped; was it the last of its session?
 * @lu: of the device
 *
 * Then it shows who has to be dropped because of what it reaches.
 *
 * Return: 0, or a negative errno when the update must be refused.
 */
int vfio_pci_lu_settle(struct vfio_pci_lu *lu)
{
	struct vfio_pci_lu_why why = {};
	struct vfio_pci_lu *other;
	int err;

	lu->settled = true;
	list_for_each_entry(other, &vfio_pci_lu_devices, node)
		if (other->session == lu->session && !other->settled)
			return 0;

	while ((other = vfio_pci_lu_next_lost(lu->session, &why))) {
		err = vfio_pci_lu_drop_frozen(other->vdev, &why);
		if (err)
			return err;
	}
	list_for_each_entry(other, &vfio_pci_lu_devices, node)
		if (other->session == lu->session && !other->dropped)
			vfio_pci_lu_tell_revoked(other);
	return 0;
}
