/* SPDX-License-Identifier: GPL-2.0 */
/*
 * PCI live update: for drivers whose device is needed by a preserved one.
 *
 * Copyright (c) 2026 The holdfast authors
 */
#ifndef LINUX_PCI_LIVEUPDATE_DRIVER_H
#define LINUX_PCI_LIVEUPDATE_DRIVER_H

#include <linux/errno.h>
#include <linux/kho/abi/pci_liveupdate.h>
#include <linux/types.h>

struct pci_dev;

/**
 * struct pci_liveupdate_row - config bits that a driver wants protected
 * @name: of the register, up to 23 characters
 * @why: why a write would harm the device, half a sentence, up to 95 characters
 * @bits: the bits; not RW1C, for what is kept is written back as it was read
 * @pos: offset of the register, behind the predefined header
 * @width: its width in bytes: 1, 2 or 4
 * @rule: %PCI_LU_ROW_KEEP, %PCI_LU_ROW_STICKY1 or %PCI_LU_ROW_STICKY0
 */
struct pci_liveupdate_row {
	const char *name;
	const char *why;
	u32 bits;
	u16 pos;
	u8 width;
	u8 rule;
};

/**
 * struct pci_liveupdate_ops - a driver keeps its device working for another's sake
 * @compatible: what the blob of @freeze is; starts with the name of the driver
 * @version: version of the blob that @freeze writes
 * @oldest: the oldest version that probe understands
 * @preserve: somebody asked for a function that needs the device. May refuse, with
 *	half a sentence in @why. May call pci_liveupdate_protect().
 * @unpreserve: nobody asks any more
 * @freeze: the kernel is about to be replaced, all who need the device stand still.
 *	From its return on the device does no DMA and raises no interrupt on its own
 *	account, and the driver does not touch it. Writes up to %PCI_LU_BLOB_SIZE
 *	bytes to @blob and returns how many, or refuses with a negative errno and
 *	everything as it was.
 * @unfreeze: the update was called off; before anybody else is let go
 * @finish: new kernel: all who needed the device have gone on. It is an ordinary
 *	device from here on.
 *
 * There is no callback for the return: it is probe() of the new kernel, in which
 * pci_liveupdate_handed_over() is true. It asks for its blob by
 * pci_liveupdate_blob(), must not reset the device, and must not touch what
 * others of it rely on. If probe fails the others run on; nobody resets the device,
 * and no other driver binds.
 *
 * All are required. See Documentation/PCI/liveupdate-driver.rst for the contexts.
 */
struct pci_liveupdate_ops {
	const char *compatible;
	u16 version;
	u16 oldest;
	int (*preserve)(struct pci_dev *pdev, const char **why);
	void (*unpreserve)(struct pci_dev *pdev);
	int (*freeze)(struct pci_dev *pdev, void *blob);
	void (*unfreeze)(struct pci_dev *pdev);
	void (*finish)(struct pci_dev *pdev);
};

#ifdef CONFIG_PCI_LIVEUPDATE
int pci_liveupdate_protect(struct pci_dev *pdev,
			   const struct pci_liveupdate_row *row);
bool pci_liveupdate_handed_over(const struct pci_dev *pdev);
int pci_liveupdate_blob(struct pci_dev *pdev,
			const struct pci_liveupdate_ops *ops, void *blob);
#else
static inline int pci_liveupdate_protect(struct pci_dev *pdev,
					 const struct pci_liveupdate_row *row)
{
	return -EOPNOTSUPP;
}

static inline bool pci_liveupdate_handed_over(const struct pci_dev *pdev)
{
	return false;
}

static inline int pci_liveupdate_blob(struct pci_dev *pdev,
				      const struct pci_liveupdate_ops *ops,
				      void *blob)
{
	return -ENOENT;
}
#endif

#endif /* LINUX_PCI_LIVEUPDATE_DRIVER_H */
