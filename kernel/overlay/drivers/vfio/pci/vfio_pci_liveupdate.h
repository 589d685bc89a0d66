/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vfio-pci live update.
 *
 * Copyright (c) 2026 The holdfast authors
 */
#ifndef VFIO_PCI_LIVEUPDATE_H
#define VFIO_PCI_LIVEUPDATE_H

#include <linux/cleanup.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/pci_liveupdate.h>
#include <linux/uuid.h>
#include <linux/vfio_liveupdate.h>
#include <linux/vfio_pci_core.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

struct file;
struct iommufd_ioas;
struct iommufd_lu_mmio;
struct liveupdate_file_op_args;
struct luo_file_set;
struct vfio_pci_lu_ser;

struct vfio_pci_vf_token {
	struct mutex		lock;	/* of both below */
	uuid_t			uuid;
	int			users;
};

/* How a refusal is told to the kernel log and to userspace. */
struct vfio_pci_lu_why {
	u32 reason;	/* VFIO_LIVEUPDATE_* */
	char text[sizeof_field(struct vfio_device_feature_liveupdate, text)];
};

/*
 * What the rules for mappings go by; without @args as far as it is known before
 * there is a session, with @lu what is found is noted there.
 */
struct vfio_pci_lu_rule_data {
	struct vfio_pci_core_device *vdev;
	const struct liveupdate_file_op_args *args;
	struct vfio_pci_lu *lu;
	char text[192];
};

enum vfio_pci_lu_stop_state {
	VFIO_PCI_LU_STOP_IDLE,
	VFIO_PCI_LU_STOP_WANTED,
	VFIO_PCI_LU_STOP_UNDER_WAY,
	VFIO_PCI_LU_STOP_DONE,
};

/**
 * struct vfio_pci_lu - live update state of a device, vfio_pci_core_device.lu
 * @vdev: the device
 * @out: old kernel, preserve to unpreserve: the record, in preserved memory
 * @ioas: old kernel, preserve to unpreserve: the address space whose mappings
 *	  are locked
 * @node: old kernel, preserve to unpreserve: in the list of preserved devices
 * @session: old kernel: tells its session from others
 * @session_nr: the same as a number in the record
 * @reach: old kernel: the BARs in the address space
 * @nr_reach: how many
 * @settled: old kernel, freeze to unfreeze: it was frozen or dropped
 * @dropped: old kernel, freeze to unfreeze: it goes on, but does not cross
 * @thawed: old kernel, freeze to unfreeze: it was to be dropped, and could not be
 * @frozen: old kernel, freeze to unfreeze: who wants to use the device waits. Set
 *	    and cleared under igate, memory_lock and irqlock
 * @unmask: INTx is to be unmasked at thaw, under irqlock
 * @wait: where they wait, and freeze for the worker
 * @stop: the worker that sets @frozen
 * @stop_state: whether that is still wanted, and done
 * @in: new kernel, retrieve to finish: a checked copy of the record; opening
 *	the device reads it
 * @errors_told: the owner was told of errors, under igate
 * @refused: why preserve was refused the last time, under vfio_pci_lu_lock
 *
 * Allocated when it is first needed, freed with the device.
 */
struct vfio_pci_lu {
	struct vfio_pci_core_device *vdev;
	struct vfio_pci_lu_ser *out;
	struct iommufd_ioas *ioas;
	struct list_head node;
	const struct luo_file_set *session;
	u16 session_nr;
	struct vfio_pci_lu_reach *reach;
	unsigned int nr_reach;
	bool settled;
	bool dropped;
	bool thawed;
	bool frozen;
	bool unmask;
	wait_queue_head_t wait;
	struct work_struct stop;
	enum vfio_pci_lu_stop_state stop_state;
	struct vfio_pci_lu_ser *in;
	bool errors_told;
	struct vfio_pci_lu_why refused;
};

#ifdef CONFIG_VFIO_PCI_LIVEUPDATE

/* vfio_pci_liveupdate.c */
struct vfio_pci_core_device *vfio_pci_lu_vdev(struct file *file);

/* vfio_pci_liveupdate_check.c */
struct vfio_pci_lu *vfio_pci_lu_get(struct vfio_pci_core_device *vdev);
void vfio_pci_lu_set_refused(struct vfio_pci_core_device *vdev,
			     const struct vfio_pci_lu_why *why);
int vfio_pci_lu_refuse(struct vfio_pci_lu_why *why, u32 reason,
		       const char *text);
bool vfio_pci_lu_in_low_power(struct vfio_pci_core_device *vdev);
int vfio_pci_lu_check_device(struct vfio_pci_core_device *vdev,
			     struct vfio_pci_lu_why *why);

/* vfio_pci_liveupdate_freeze.c */
bool vfio_pci_lu_frozen(struct vfio_pci_core_device *vdev);
void vfio_pci_lu_stop_work(struct work_struct *work);
int vfio_pci_lu_freeze(struct liveupdate_file_op_args *args);
int vfio_pci_lu_drop_frozen(struct vfio_pci_core_device *vdev,
			    const struct vfio_pci_lu_why *why);
void vfio_pci_lu_unfreeze(struct liveupdate_file_op_args *args);

/* vfio_pci_liveupdate_incoming.c */
int vfio_pci_lu_retrieve(struct liveupdate_file_op_args *args);
bool vfio_pci_lu_can_finish(struct liveupdate_file_op_args *args);
void vfio_pci_lu_finish(struct liveupdate_file_op_args *args);
int vfio_pci_lu_incoming_init(void);

/* vfio_pci_liveupdate_reach.c */
struct pci_dev *vfio_pci_lu_bar_owner(struct pci_dev *pdev, phys_addr_t start,
				      size_t len);
const char *vfio_pci_lu_mmio_rule(const struct iommufd_lu_mmio *mmio, void *data);
void vfio_pci_lu_forget_reach(struct vfio_pci_lu *lu);
void vfio_pci_lu_enlist(struct vfio_pci_lu *lu, const struct luo_file_set *session);
void vfio_pci_lu_delist(struct vfio_pci_lu *lu);
void vfio_pci_lu_record_reach(struct vfio_pci_lu *lu);
bool vfio_pci_lu_lost_target(struct vfio_pci_lu *lu, char *why, size_t len);
int vfio_pci_lu_settle(struct vfio_pci_lu *lu);

/* vfio_pci_liveupdate_record.c */
void vfio_pci_lu_capture(struct vfio_pci_core_device *vdev,
			 struct vfio_pci_lu_ser *ser);
void vfio_pci_lu_capture_dropped(struct vfio_pci_core_device *vdev,
				 struct vfio_pci_lu_ser *ser);
struct vfio_pci_lu_ser *vfio_pci_lu_read(u64 phys, const char **why);

/* Hooks of vfio-pci-core. */
static inline bool vfio_pci_lu_preserved(struct vfio_pci_core_device *vdev)
{
	return READ_ONCE(vdev->vdev.lu_attach_locked);
}

void vfio_pci_lu_down_read(struct vfio_pci_core_device *vdev);
bool vfio_pci_lu_down_read_trylock(struct vfio_pci_core_device *vdev);
void vfio_pci_lu_down_write(struct vfio_pci_core_device *vdev);
bool vfio_pci_lu_down_write_trylock(struct vfio_pci_core_device *vdev);
void vfio_pci_lu_lock_igate(struct vfio_pci_core_device *vdev);
bool vfio_pci_lu_defer_unmask(struct vfio_pci_core_device *vdev);
void vfio_pci_lu_irqs_set(struct vfio_pci_core_device *vdev,
			  unsigned int index);

bool vfio_pci_lu_adopted(struct vfio_pci_core_device *vdev);
void vfio_pci_lu_clear_master(struct vfio_pci_core_device *vdev);
int vfio_pci_lu_try_reset(struct vfio_pci_core_device *vdev);
void vfio_pci_lu_fix_saved_state(struct vfio_pci_core_device *vdev);
int vfio_pci_lu_config_init(struct vfio_pci_core_device *vdev);
int vfio_pci_lu_feature(struct vfio_pci_core_device *vdev, u32 flags,
			void __user *arg, size_t argsz);
void vfio_pci_lu_adopt_vfs(struct vfio_pci_core_device *vdev,
			   struct list_head *pfs, struct mutex *lock);

/* vfio_pci_liveupdate_query.c */
int vfio_pci_lu_query(struct vfio_pci_core_device *vdev, u32 flags,
		      void __user *arg, size_t argsz);

#else

static inline bool vfio_pci_lu_preserved(struct vfio_pci_core_device *vdev)
{
	return false;
}

static inline void vfio_pci_lu_down_read(struct vfio_pci_core_device *vdev)
{
	down_read(&vdev->memory_lock);
}

static inline bool
vfio_pci_lu_down_read_trylock(struct vfio_pci_core_device *vdev)
{
	return down_read_trylock(&vdev->memory_lock);
}

static inline void vfio_pci_lu_down_write(struct vfio_pci_core_device *vdev)
{
	down_write(&vdev->memory_lock);
}

static inline bool
vfio_pci_lu_down_write_trylock(struct vfio_pci_core_device *vdev)
{
	return down_write_trylock(&vdev->memory_lock);
}

static inline void vfio_pci_lu_lock_igate(struct vfio_pci_core_device *vdev)
{
	mutex_lock(&vdev->igate);
}

static inline bool vfio_pci_lu_defer_unmask(struct vfio_pci_core_device *vdev)
{
	return false;
}

static inline void vfio_pci_lu_irqs_set(struct vfio_pci_core_device *vdev,
					unsigned int index) { }

static inline bool vfio_pci_lu_adopted(struct vfio_pci_core_device *vdev)
{
	return false;
}

static inline void vfio_pci_lu_clear_master(struct vfio_pci_core_device *vdev)
{
	pci_clear_master(vdev->pdev);
}

static inline int vfio_pci_lu_try_reset(struct vfio_pci_core_device *vdev)
{
	return pci_try_reset_function(vdev->pdev);
}

static inline void
vfio_pci_lu_fix_saved_state(struct vfio_pci_core_device *vdev) { }

static inline int vfio_pci_lu_config_init(struct vfio_pci_core_device *vdev)
{
	return vfio_config_init(vdev);
}

static inline int vfio_pci_lu_feature(struct vfio_pci_core_device *vdev,
				      u32 flags, void __user *arg, size_t argsz)
{
	return -ENOTTY;
}

static inline void vfio_pci_lu_adopt_vfs(struct vfio_pci_core_device *vdev,
					 struct list_head *pfs,
					 struct mutex *lock) { }

static inline int vfio_pci_lu_query(struct vfio_pci_core_device *vdev,
				    u32 flags, void __user *arg, size_t argsz)
{
	return -ENOTTY;
}

#endif /* CONFIG_VFIO_PCI_LIVEUPDATE */

DEFINE_GUARD(vfio_pci_lu_memory, struct vfio_pci_core_device *,
	     vfio_pci_lu_down_read(_T), up_read(&_T->memory_lock))

#endif /* VFIO_PCI_LIVEUPDATE_H */
