/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shared by the files of drivers/pci/liveupdate/, and by nobody else.
 *
 * Copyright (c) 2026 The holdfast authors
 */
#ifndef PCI_LIVEUPDATE_INTERNAL_H
#define PCI_LIVEUPDATE_INTERNAL_H

#include <linux/kho/abi/pci_liveupdate.h>
#include <linux/pci.h>
#include <linux/pci_liveupdate.h>
#include <linux/spinlock.h>

#include "policy.h"
#include "record.h"
#include "verify.h"

#define PCI_LU_MAX_TABLE	SZ_2K
#define PCI_LU_VFIO		"vfio-pci"

struct dentry;
struct pci_lu_bus;

/**
 * enum pci_lu_state - where a function is in its update
 * @PCI_LU_IDLE: known, neither preserved nor adopted
 * @PCI_LU_PRESERVED: old kernel: its owner asked for it, or it leads to such a one
 * @PCI_LU_FROZEN: old kernel: recorded, guarded
 * @PCI_LU_LISTED: new kernel: in the record, not seen yet; guarded
 * @PCI_LU_ADOPTED: new kernel: found and identical to the record; guarded
 * @PCI_LU_FENCED: new kernel: could not be adopted; Bus Master is off, and stays
 *	so until the function was reset
 */
enum pci_lu_state {
	PCI_LU_IDLE,
	PCI_LU_PRESERVED,
	PCI_LU_FROZEN,
	PCI_LU_LISTED,
	PCI_LU_ADOPTED,
	PCI_LU_FENCED,
};

/**
 * enum pci_lu_mode - what the guard does with config writes to a function
 * @PCI_LU_OPEN: they pass
 * @PCI_LU_GUARDED: the policy decides
 * @PCI_LU_BARRED: the function is fenced: Bus Master stays off, INTx disabled
 */
enum pci_lu_mode {
	PCI_LU_OPEN,
	PCI_LU_GUARDED,
	PCI_LU_BARRED,
};

/**
 * struct pci_lu_msi - interrupt mask state of a function before freeze
 * @mode: PCI_LU_IRQ_* of the record
 * @ctrl: MSI-X Message Control, or MSI Message Control
 * @command: Command, for INTx Disable
 * @msi_mask: MSI mask bits
 * @nr: number of MSI-X table entries
 * @masked: bit i is set where entry i was masked already
 */
struct pci_lu_msi {
	u16 mode;
	u16 ctrl;
	u16 command;
	u16 nr;
	u32 msi_mask;
	DECLARE_BITMAP(masked, PCI_LU_MAX_TABLE);
};

#include "driver.h"

/**
 * struct pci_lu_fn - one function that is preserved, leads to a preserved
 *		      one, or was handed over by the previous kernel
 * @segment: PCI segment
 * @bus: bus number, as programmed into the bridge above
 * @devfn: device and function number
 * @bridge: a root port or switch port on the path
 * @vf: a virtual function
 * @requested: the owner of the function asked for it
 * @own: old kernel: its owner has frozen it. New kernel: its owner has not finished
 * @depended: how many requested functions need this one: what is below a bridge, the
 *	VFs of a PF, the others of function 0
 * @vfs: how many of these are VFs of this one
 * @scanning: new kernel: what is below this bridge has not all been found yet
 * @unseen: fenced by its address, before it was found
 * @intx_off: what enumeration last wrote to INTx Disable, while @unseen
 * @intx_sticks: INTx Disable is not hardwired to 0, so that it tells a reset
 * @msix_masked: fenced, and MSI-X Function Mask was set, which tells a reset of a VF
 * @frozen: how many of those, and itself, are frozen
 * @index: entry in the record
 * @state: &enum pci_lu_state, written under pci_lu_lock
 * @owner: handle of the owner's own record
 * @reaches_nr: old kernel: reaches, as in the record
 * @reached_nr: likewise reached
 * @ending: new kernel: those who reach it are being fenced
 * @pdev: the device; a reference is held from preserve to unpreserve, and from
 *	  adoption to finish or fence
 * @ser: what crosses the kexec, or what came across
 * @driver: its driver, where another function needs that one to take part
 * @irq: saved interrupt masks, endpoint in the old kernel only
 * @blob: what the driver of the function adds to the record, or has found in it
 * @refused: new kernel: why its record entry was not accepted
 * @claims: new kernel: how many files of sessions name it
 * @orphan: new kernel: it was found to have no owner
 * @no_bus_reset: PCI_DEV_FLAGS_NO_BUS_RESET was set without us
 * @fixed: bit i is set where we made resource i a fixed one
 * @filter: the guard of its bus, once prepared
 * @mode: &enum pci_lu_mode, written under pci_lu_lock and @lock
 * @lock: serialises read-modify-write in the guard; innermost but for the
 *	  locks of the inner config accessors
 * @errors: new kernel: uncorrectable errors since freeze, as in the status of AER
 * @layout: where the registers of the function are
 * @shadow: emulated sizing state, under @lock
 * @reached: config writes that went to the device as they were, under @lock
 * @withheld: config writes that were changed or dropped, under @lock
 * @row_hits: the same, by policy row, under @lock
 *
 * Once published in the table an entry is never freed: another CPU may be
 * inside the guard when it is disarmed.
 */
struct pci_lu_fn {
	u16 segment;
	u8 bus;
	u8 devfn;
	bool bridge;
	bool vf;
	bool requested;
	bool own;
	bool scanning;
	bool unseen;
	bool intx_sticks;
	bool msix_masked;
	bool intx_off;
	unsigned int depended;
	unsigned int vfs;
	unsigned int frozen;
	u16 index;
	enum pci_lu_state state;
	u64 owner;
	u16 reaches_nr;
	u16 reached_nr;
	bool ending;
	struct pci_dev *pdev;
	struct pci_lu_fn_ser ser;
	struct pci_lu_driver *driver;
	struct pci_lu_msi *irq;
	struct pci_lu_blob_ser *blob;

	const char *refused;
	unsigned int claims;
	bool orphan;
	bool no_bus_reset;
	u32 fixed;
	struct pci_lu_bus *filter;
	enum pci_lu_mode mode;
	raw_spinlock_t lock;
	u32 errors;
	struct pci_lu_layout layout;
	struct pci_lu_shadow shadow;
	u32 reached;
	u32 withheld;
	u32 row_hits[PCI_LU_MAX_ROWS];
};

/**
 * struct pci_lu_reader - what pci_lu_read() reads from
 * @bus: the bus
 * @ops: its accessors, beneath the guard
 * @devfn: the function
 */
struct pci_lu_reader {
	struct pci_bus *bus;
	struct pci_ops *ops;
	u8 devfn;
};

extern struct mutex pci_lu_lock;
extern struct xarray pci_lu_fns;

/*
 * Key of a function in pci_lu_fns: segment, bus and devfn, as in a requester ID.
 * Linux makes segments up above 16 bits (VMD); these never match a record.
 */
static inline unsigned long pci_lu_key(u32 segment, u8 bus, u8 devfn)
{
	return ((unsigned long)segment << 16) | ((unsigned long)bus << 8) | devfn;
}

/* A driver takes part: the function is frozen after all who need it. */
static inline bool pci_lu_driver_freezes(const struct pci_lu_fn *fn)
{
	return fn->driver && fn->driver->ops;
}

/* fn.c */
struct pci_lu_fn *pci_lu_fn_find_or_add(u16 segment, u8 bus, u8 devfn);
struct pci_lu_fn *pci_lu_fn_find(const struct pci_dev *pdev);
bool pci_lu_needs_companion(struct pci_dev *pdev);
struct pci_dev *pci_lu_companion_get(struct pci_dev *pdev);
struct pci_dev *pci_lu_up(struct pci_dev *pdev);
bool pci_lu_is_companion(const struct pci_lu_fn *fn);
u8 pci_lu_roles(const struct pci_lu_fn *fn);

/* refuse.c */
enum pci_lu_reason pci_lu_pf_refusal(struct pci_dev *pf);

/* guard.c */
enum pci_lu_reason pci_lu_guard_prepare(struct pci_lu_fn *fn,
					struct pci_bus *bus,
					struct pci_ops *ops);
struct pci_ops *pci_lu_guard_arm(struct pci_lu_fn *fn, struct pci_ops *ops);
bool pci_lu_bar(struct pci_lu_fn *fn, struct pci_bus *bus, struct pci_ops *inner);
struct pci_ops *pci_lu_guard_bar(struct pci_lu_fn *fn, struct pci_bus *bus,
				 struct pci_ops *ops);
void pci_lu_guard_install(struct pci_bus *bus, struct pci_lu_fn *fn);
void pci_lu_guard_disarm(struct pci_lu_fn *fn);
void pci_lu_guard_roles(struct pci_lu_fn *fn);
struct pci_ops *pci_lu_inner_ops(struct pci_ops *ops);
u32 pci_lu_read(void *ctx, u16 pos, u8 size);

/* preserve.c */
int pci_lu_freeze_depended(struct pci_lu_fn *fn);
void pci_lu_unfreeze_depended(struct pci_lu_fn *fn);

/* msi.c */
int pci_lu_msi_quiesce(struct pci_dev *pdev, struct pci_lu_msi *irq);
void pci_lu_msi_unquiesce(struct pci_dev *pdev, const struct pci_lu_msi *irq);

/* capture.c */
void pci_lu_capture(struct pci_lu_fn *fn);

/* outgoing.c */
int pci_lu_outgoing_get(void);
unsigned int pci_lu_outgoing_room(void);
void pci_lu_outgoing_put(void);
int pci_lu_outgoing_write(void);

/* incoming.c */
void pci_lu_incoming_read(void);
void pci_lu_incoming_put(struct pci_lu_fn *fn);
void pci_lu_incoming_free(void);
bool pci_lu_incoming_unreadable(void);
const char *pci_lu_incoming_refused(void);

/* resource.c */
const char *pci_lu_stray_register(struct pci_dev *pdev,
				  const struct pci_lu_fn_ser *ser);
const char *pci_lu_moved_register(struct pci_dev *pdev,
				  const struct pci_lu_fn_ser *ser);

void pci_lu_widen_windows(struct pci_dev *pdev, const struct pci_lu_fn_ser *ser);

/* resync.c */
void pci_lu_resync(struct pci_lu_fn *fn, struct pci_dev *pdev);

/* errors.c */
void pci_lu_latch_errors(struct pci_lu_fn *fn, struct pci_lu_reader *r);

/* hold.c */
void pci_lu_hold(struct pci_lu_fn *fn, struct pci_dev *pdev);
void pci_lu_scanned(struct pci_lu_fn *bridge);
void pci_lu_release(struct pci_lu_fn *fn);
void pci_lu_release_own(struct pci_lu_fn *fn);

/* sriov.c */
void pci_lu_create_vfs(void);

/* fence.c */
void pci_lu_fence_root(struct pci_bus *root, struct pci_ops *ops,
		       const char *why);
void pci_lu_fence_one(struct pci_lu_fn *fn, struct pci_dev *pdev, const char *why);
void pci_lu_fence_fn(struct pci_lu_fn *fn, struct pci_dev *pdev, const char *why);
void pci_lu_fence_found(struct pci_lu_fn *fn, struct pci_dev *pdev);
void pci_lu_fence_unfound_vfs(struct pci_lu_fn *pf, struct pci_dev *pdev,
			      const char *why);
void pci_lu_fence_removed(struct pci_dev *pdev);

/* reach.c */
void pci_lu_fence_reachers(struct pci_lu_fn *to);
const char *pci_lu_lost_target_of(const struct pci_lu_fn *fn);

/* reset.c */
bool pci_lu_reset(struct pci_dev *pdev);

/* debugfs.c */
#ifdef CONFIG_DEBUG_FS
void pci_lu_debugfs_add(struct pci_lu_fn *fn);
#else
static inline void pci_lu_debugfs_add(struct pci_lu_fn *fn) { }
#endif

/* copies.c */
#if defined(CONFIG_DEBUG_FS) && defined(CONFIG_PCI_LIVEUPDATE_TEST)
void pci_lu_copies_add(struct dentry *dir, struct pci_lu_fn *fn,
		       const char *address);
#else
static inline void pci_lu_copies_add(struct dentry *dir, struct pci_lu_fn *fn,
				     const char *address) { }
#endif

/* test.c */
#ifdef CONFIG_PCI_LIVEUPDATE_TEST
bool pci_lu_test_fail_freeze(void);
bool pci_lu_test_silent(struct pci_dev *pdev);
#else
static inline bool pci_lu_test_fail_freeze(void)
{
	return false;
}

static inline bool pci_lu_test_silent(struct pci_dev *pdev)
{
	return false;
}
#endif

#endif /* PCI_LIVEUPDATE_INTERNAL_H */
