/* SPDX-License-Identifier: GPL-2.0 */
/*
 * PCI live update: keep a function and the bridges above it running while the
 * kernel beneath them is replaced by kexec.
 *
 * Copyright (c) 2026 The holdfast authors
 */
#ifndef LINUX_PCI_LIVEUPDATE_H
#define LINUX_PCI_LIVEUPDATE_H

#include <linux/errno.h>
#include <linux/kobject.h>
#include <linux/pci.h>
#include <linux/pci_liveupdate_reason.h>
#include <linux/types.h>

/**
 * enum pci_lu_part - what a test may switch off to see the failure it prevents
 * @PCI_LU_GUARD: config writes are not filtered
 * @PCI_LU_QUIESCE: interrupts are not masked at freeze
 * @PCI_LU_TAKEOVER: DMA translation is not handed over
 * @PCI_LU_INTREMAP: interrupt remapping is not handed over
 * @PCI_LU_FENCE: a function that cannot be adopted keeps Bus Master
 * @PCI_LU_STICKY: a fenced function is barred once, and not kept so until it is reset
 * @PCI_LU_RESYNC: software and device are left as the guard leaves them
 * @PCI_LU_VCONFIG: the owner finds configuration space as this kernel shows it
 * @PCI_LU_DRIVER: the driver of a PF does not find out that it was handed over
 */
enum pci_lu_part {
	PCI_LU_GUARD,
	PCI_LU_QUIESCE,
	PCI_LU_TAKEOVER,
	PCI_LU_INTREMAP,
	PCI_LU_FENCE,
	PCI_LU_STICKY,
	PCI_LU_RESYNC,
	PCI_LU_VCONFIG,
	PCI_LU_DRIVER,
};

/**
 * struct pci_lu_saved - registers that the user of a function may write
 * @devctl: Device Control
 * @devctl2: Device Control 2
 * @aer: Uncorrectable Error Mask and Severity, Correctable Error Mask, AER
 *	 Capabilities and Control
 */
struct pci_lu_saved {
	u16 devctl;
	u16 devctl2;
	u32 aer[4];
};

#ifdef CONFIG_PCI_LIVEUPDATE

/* For the owner of a function (vfio-pci), in the kernel that is replaced. */
int pci_lu_preserve(struct pci_dev *pdev, u64 owner);
void pci_lu_unpreserve(struct pci_dev *pdev);
int pci_lu_freeze(struct pci_dev *pdev);
void pci_lu_unfreeze(struct pci_dev *pdev);
int pci_lu_drop(struct pci_dev *pdev);
void pci_lu_undrop(struct pci_dev *pdev);
void pci_lu_set_reach(struct pci_dev *pdev, u16 reaches, u16 reached);
const char *pci_lu_refusal(struct pci_dev *pdev);

/* For the owner and other subsystems, in the new kernel. */
bool pci_lu_incoming(void);
bool pci_lu_adopted(const struct pci_dev *pdev);
bool pci_lu_awaited(const struct pci_dev *pdev);
struct pci_dev *pci_lu_find_adopted(u64 owner);
const char *pci_lu_verify(struct pci_dev *pdev);
u32 pci_lu_errors(struct pci_dev *pdev);
void pci_lu_allow_intx(struct pci_dev *pdev);
void pci_lu_finish(struct pci_dev *pdev);
void pci_lu_fence(struct pci_dev *pdev, const char *why);
void pci_lu_fence_function(struct pci_dev *pdev, const char *why);
void pci_lu_fence_all(const char *why);
void pci_lu_give_up_reachers(struct pci_dev *pdev);
bool pci_lu_fenced(const struct pci_dev *pdev);

/* For the owner: which functions does a session speak for? */
void pci_lu_claim(u64 owner);
struct pci_dev *pci_lu_next_unclaimed(bool all);

/* For the owner: the state to return to when it lets go of the function. */
bool pci_lu_saved_get(struct pci_dev *pdev, struct pci_saved_state *state,
		      struct pci_lu_saved *saved);
void pci_lu_saved_put(struct pci_dev *pdev, const struct pci_lu_saved *saved);

/* Hook of the driver core. */
void pci_lu_shutdown(struct kset *devices);

/* Hooks of the PCI core: one line each at the call site. */
struct pci_ops *pci_lu_guard_ops(struct pci_bus *bus, struct pci_ops *ops);
struct pci_ops *pci_lu_set_ops(struct pci_bus *bus, struct pci_ops *ops);
bool pci_lu_preserve_config(struct pci_host_bridge *bridge);
void pci_lu_adopt(struct pci_dev *pdev);
bool pci_lu_may_bind(struct pci_dev *pdev);
void pci_lu_was_reset(struct pci_dev *pdev);
bool pci_lu_keeps_vfs(const struct pci_dev *pdev);
int pci_lu_may_set_vfs(struct pci_dev *pdev);

#else

static inline int pci_lu_preserve(struct pci_dev *pdev, u64 owner)
{
	return -EOPNOTSUPP;
}

static inline void pci_lu_unpreserve(struct pci_dev *pdev) { }

static inline int pci_lu_freeze(struct pci_dev *pdev)
{
	return -EOPNOTSUPP;
}

static inline void pci_lu_unfreeze(struct pci_dev *pdev) { }

static inline int pci_lu_drop(struct pci_dev *pdev)
{
	return -EOPNOTSUPP;
}

static inline void pci_lu_undrop(struct pci_dev *pdev) { }

static inline const char *pci_lu_refusal(struct pci_dev *pdev)
{
	return "the kernel was built without CONFIG_PCI_LIVEUPDATE";
}

static inline bool pci_lu_incoming(void)
{
	return false;
}

static inline bool pci_lu_adopted(const struct pci_dev *pdev)
{
	return false;
}

static inline bool pci_lu_awaited(const struct pci_dev *pdev)
{
	return false;
}

static inline struct pci_dev *pci_lu_find_adopted(u64 owner)
{
	return NULL;
}

static inline const char *pci_lu_verify(struct pci_dev *pdev)
{
	return NULL;
}

static inline u32 pci_lu_errors(struct pci_dev *pdev)
{
	return 0;
}

static inline void pci_lu_allow_intx(struct pci_dev *pdev) { }
static inline void pci_lu_finish(struct pci_dev *pdev) { }
static inline void pci_lu_fence(struct pci_dev *pdev, const char *why) { }
static inline void pci_lu_fence_function(struct pci_dev *pdev, const char *why) { }
static inline void pci_lu_fence_all(const char *why) { }

static inline bool pci_lu_fenced(const struct pci_dev *pdev)
{
	return false;
}

static inline void pci_lu_claim(u64 owner) { }

static inline struct pci_dev *pci_lu_next_unclaimed(bool all)
{
	return NULL;
}

static inline void pci_lu_shutdown(struct kset *devices) { }

static inline struct pci_ops *pci_lu_guard_ops(struct pci_bus *bus,
					       struct pci_ops *ops)
{
	return ops;
}

static inline struct pci_ops *pci_lu_set_ops(struct pci_bus *bus,
					     struct pci_ops *ops)
{
	struct pci_ops *old = bus->ops;

	bus->ops = ops;
	return old;
}

static inline bool pci_lu_preserve_config(struct pci_host_bridge *bridge)
{
	return false;
}

static inline void pci_lu_adopt(struct pci_dev *pdev) { }

static inline bool pci_lu_may_bind(struct pci_dev *pdev)
{
	return true;
}

static inline void pci_lu_was_reset(struct pci_dev *pdev) { }

static inline bool pci_lu_keeps_vfs(const struct pci_dev *pdev)
{
	return false;
}

static inline int pci_lu_may_set_vfs(struct pci_dev *pdev)
{
	return 0;
}

#endif /* CONFIG_PCI_LIVEUPDATE */

#ifdef CONFIG_PCI_LIVEUPDATE_TEST
bool pci_lu_disabled(enum pci_lu_part part);
u16 pci_lu_test_hidden_ecap(void);
#else
static inline bool pci_lu_disabled(enum pci_lu_part part)
{
	return false;
}

static inline u16 pci_lu_test_hidden_ecap(void)
{
	return 0;
}
#endif

#endif /* LINUX_PCI_LIVEUPDATE_H */
