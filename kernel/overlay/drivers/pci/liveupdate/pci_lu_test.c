// SPDX-License-Identifier: GPL-2.0
/*
 * PCI live update: a driver that takes part, for tests.
 *
 * It binds, by driver_override, to any device, does nothing with it but to switch its VFs
 * on and off, and takes part in live updates: every callback is called, in the right
 * order, and what it hands over comes back. A test can make each of them fail.
 *
 * Copyright (c) 2026 The holdfast authors
 */

/**
 * DOC: pci_lu_test
 *
 * "pci_lu_test.fail=" names, separated by commas, what is to go wrong: preserve,
 * freeze and probe fail; oversize hands over more than there is room for; row asks
 * for an impossible row; version is one that no other kernel knows; page hands over a
 * page that is not the one it says.
 *
 * The driver protects the AER Uncorrectable Error Mask of its device, if that has one:
 * a register that the guard lets pass, and anybody can write. "norow" leaves it out.
 *
 * A page that it preserves crosses with the blob, as the state of a driver would. A
 * callback that comes out of order is an error in the log, which says "order".
 */

#include <linux/kexec_handover.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/pci_liveupdate_driver.h>
#include <linux/slab.h>

#define PCI_LU_TEST_COMPATIBLE	"pci_lu_test"
#define PCI_LU_TEST_MAGIC	0x7473657475756c70ULL

static char fail[64];
module_param_string(fail, fail, sizeof(fail), 0644);
MODULE_PARM_DESC(fail, "comma separated: preserve, freeze, probe, oversize, row, norow, version, page");

enum pci_lu_test_state {
	PCI_LU_TEST_IDLE,
	PCI_LU_TEST_PRESERVED,
	PCI_LU_TEST_FROZEN,
	PCI_LU_TEST_RETRIEVED,
};

/* What crosses in the blob. */
struct pci_lu_test_ser {
	u64 magic;
	u64 page;
	u32 bdf;
	u32 updates;
};

/**
 * struct pci_lu_test - one device
 * @state: the last callback
 * @updates: how many updates the driver has been through on this device
 * @page: a page that crosses, from preserve to unpreserve
 */
struct pci_lu_test {
	enum pci_lu_test_state state;
	u32 updates;
	u64 *page;
};

static bool pci_lu_test_fails(const char *what)
{
	size_t len = strlen(what);
	const char *p = fail;

	while ((p = strstr(p, what))) {
		if ((p == fail || p[-1] == ',') &&
		    (!p[len] || p[len] == ',' || p[len] == '\n'))
			return true;
		p += len;
	}
	return false;
}

static u32 pci_lu_test_bdf(struct pci_dev *pdev)
{
	return pci_domain_nr(pdev->bus) << 16 | pci_dev_id(pdev);
}

/* The one state in which this callback may come. */
static void pci_lu_test_step(struct pci_dev *pdev, const char *callback,
			     enum pci_lu_test_state from, enum pci_lu_test_state to)
{
	struct pci_lu_test *t = pci_get_drvdata(pdev);

	if (t->state != from)
		pci_err(pdev, "pci_lu_test: order: %s in state %d, not %d\n",
			callback, t->state, from);
	pci_info(pdev, "pci_lu_test: %s\n", callback);
	t->state = to;
}

static int pci_lu_test_protect(struct pci_dev *pdev)
{
	struct pci_liveupdate_row row = {
		.name = "TEST.AER_MASK",
		.why = "it is the test driver's wish",
		.pos = pdev->aer_cap + PCI_ERR_UNCOR_MASK,
		.width = 4,
		.rule = PCI_LU_ROW_KEEP,
		.bits = ~0U,
	};

	if (pci_lu_test_fails("norow"))
		return 0;
	if (pci_lu_test_fails("row"))
		row.pos = PCI_COMMAND;
	else if (!pdev->aer_cap)
		return 0;
	return pci_liveupdate_protect(pdev, &row);
}

static int pci_lu_test_preserve(struct pci_dev *pdev, const char **why)
{
	struct pci_lu_test *t = pci_get_drvdata(pdev);
	int err;

	if (pci_lu_test_fails("preserve")) {
		*why = "a test wants it to";
		return -EPERM;
	}
	err = pci_lu_test_protect(pdev);
	if (err) {
		*why = "it cannot protect what it wants to";
		return err;
	}
	t->page = kho_alloc_preserve(PAGE_SIZE);
	if (IS_ERR(t->page)) {
		*why = "out of memory";
		return PTR_ERR(t->page);
	}
	t->page[0] = PCI_LU_TEST_MAGIC ^ pci_lu_test_bdf(pdev);
	pci_lu_test_step(pdev, "preserve", PCI_LU_TEST_IDLE, PCI_LU_TEST_PRESERVED);
	return 0;
}

static void pci_lu_test_unpreserve(struct pci_dev *pdev)
{
	struct pci_lu_test *t = pci_get_drvdata(pdev);

	pci_lu_test_step(pdev, "unpreserve", PCI_LU_TEST_PRESERVED, PCI_LU_TEST_IDLE);
	kho_unpreserve_free(t->page);
	t->page = NULL;
}

static int pci_lu_test_freeze(struct pci_dev *pdev, void *blob)
{
	struct pci_lu_test *t = pci_get_drvdata(pdev);
	struct pci_lu_test_ser *ser = blob;

	device_lock_assert(&pdev->dev);
	if (pci_lu_test_fails("freeze"))
		return -EPERM;
	*ser = (struct pci_lu_test_ser) {
		.magic = PCI_LU_TEST_MAGIC,
		.page = virt_to_phys(t->page),
		.bdf = pci_lu_test_bdf(pdev),
		.updates = t->updates + 1,
	};
	if (pci_lu_test_fails("page"))
		t->page[0]++;
	pci_lu_test_step(pdev, "freeze", PCI_LU_TEST_PRESERVED, PCI_LU_TEST_FROZEN);
	return pci_lu_test_fails("oversize") ? PCI_LU_BLOB_SIZE + 1 : sizeof(*ser);
}

static void pci_lu_test_unfreeze(struct pci_dev *pdev)
{
	device_lock_assert(&pdev->dev);
	pci_lu_test_step(pdev, "unfreeze", PCI_LU_TEST_FROZEN, PCI_LU_TEST_PRESERVED);
}

static void pci_lu_test_finish(struct pci_dev *pdev)
{
	device_lock_assert(&pdev->dev);
	if (!pci_liveupdate_handed_over(pdev))
		pci_err(pdev, "pci_lu_test: order: finish of a device that was not handed over\n");
	pci_lu_test_step(pdev, "finish", PCI_LU_TEST_RETRIEVED, PCI_LU_TEST_IDLE);
}

/* The version is a variable: a test may want one that the next kernel does not know. */
static struct pci_liveupdate_ops pci_lu_test_ops = {
	.compatible = PCI_LU_TEST_COMPATIBLE,
	.version = 1,
	.oldest = 1,
	.preserve = pci_lu_test_preserve,
	.unpreserve = pci_lu_test_unpreserve,
	.freeze = pci_lu_test_freeze,
	.unfreeze = pci_lu_test_unfreeze,
	.finish = pci_lu_test_finish,
};

/* What was handed over must be what this driver wrote for this very device. */
static int pci_lu_test_retrieve(struct pci_dev *pdev, struct pci_lu_test *t)
{
	union {
		struct pci_lu_test_ser ser;
		u8 bytes[PCI_LU_BLOB_SIZE];
	} *blob __free(kfree) = kmalloc(sizeof(*blob), GFP_KERNEL);
	struct folio *folio;
	u64 found;
	int len;

	if (!blob)
		return -ENOMEM;
	len = pci_liveupdate_blob(pdev, &pci_lu_test_ops, blob);
	if (len < 0)
		return len;
	if (len != sizeof(blob->ser) || blob->ser.magic != PCI_LU_TEST_MAGIC ||
	    blob->ser.bdf != pci_lu_test_bdf(pdev)) {
		pci_err(pdev, "pci_lu_test: the blob is not what was handed over\n");
		return -EINVAL;
	}
	folio = kho_restore_folio(blob->ser.page);
	if (!folio) {
		pci_err(pdev, "pci_lu_test: the page was not preserved\n");
		return -EINVAL;
	}
	found = *(u64 *)folio_address(folio);
	folio_put(folio);
	if (found != (PCI_LU_TEST_MAGIC ^ blob->ser.bdf)) {
		pci_err(pdev, "pci_lu_test: the page is not what was handed over\n");
		return -EINVAL;
	}
	t->updates = blob->ser.updates;
	t->state = PCI_LU_TEST_RETRIEVED;
	pci_info(pdev, "pci_lu_test: retrieve, update %u, blob and page as they were\n",
		 t->updates);
	return 0;
}

static int pci_lu_test_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct pci_lu_test *t;
	int err;

	if (pci_lu_test_fails("probe"))
		return -EPERM;
	t = devm_kzalloc(&pdev->dev, sizeof(*t), GFP_KERNEL);
	if (!t)
		return -ENOMEM;
	if (pci_liveupdate_handed_over(pdev)) {
		err = pci_lu_test_retrieve(pdev, t);
		if (err)
			return err;
	}
	pci_set_drvdata(pdev, t);
	err = pcim_enable_device(pdev);
	if (err)
		return err;
	/* VFs of some devices do no DMA without it. */
	pci_set_master(pdev);
	return 0;
}

/* VFs first, and with them all who depend on the device: see "Drivers, old kernel". */
static void pci_lu_test_remove(struct pci_dev *pdev)
{
	struct pci_lu_test *t = pci_get_drvdata(pdev);

	pci_disable_sriov(pdev);
	if (t->state != PCI_LU_TEST_IDLE)
		pci_err(pdev, "pci_lu_test: order: remove in state %d\n", t->state);
}

static struct pci_driver pci_lu_test_driver = {
	.name = "pci_lu_test",
	.id_table = NULL,	/* by driver_override only */
	.probe = pci_lu_test_probe,
	.remove = pci_lu_test_remove,
	.sriov_configure = pci_sriov_configure_simple,
	.liveupdate = &pci_lu_test_ops,
};

static int __init pci_lu_test_init(void)
{
	if (pci_lu_test_fails("version"))
		pci_lu_test_ops.version = 99;
	return pci_register_driver(&pci_lu_test_driver);
}
module_init(pci_lu_test_init);

static void __exit pci_lu_test_exit(void)
{
	pci_unregister_driver(&pci_lu_test_driver);
}
module_exit(pci_lu_test_exit);

MODULE_DESCRIPTION("Test driver for live updates of PCI devices");
MODULE_LICENSE("GPL");
