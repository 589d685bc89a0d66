/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Why a function cannot be preserved, adopted or believed.
 */
#ifndef LINUX_PCI_LIVEUPDATE_REASON_H
#define LINUX_PCI_LIVEUPDATE_REASON_H

/*
 * One vocabulary for refusals; pci_lu_reason_text() says what each one means.
 *
 * The kernel log, the ioctl that answers "can this device be preserved", the
 * command line tool and the lab's report all use these values and the texts of
 * pci_lu_reason_text(). The values are ABI: append, never renumber or reuse.
 * What may refuse returns one of them; 0 is no objection.
 */
enum pci_lu_reason {
	PCI_LU_OK = 0,

	/* The record as a whole. */
	PCI_LU_REASON_REC_SHORT = 1,
	PCI_LU_REASON_REC_COMPATIBLE = 2,
	PCI_LU_REASON_REC_VERSION = 3,
	PCI_LU_REASON_REC_HDR_SIZE = 4,
	PCI_LU_REASON_REC_FN_SIZE = 5,
	PCI_LU_REASON_REC_COUNT = 6,
	PCI_LU_REASON_REC_TOTAL_SIZE = 7,
	PCI_LU_REASON_REC_CRC = 8,
	PCI_LU_REASON_REC_REQUIRED = 9,
	PCI_LU_REASON_REC_NOT_FROZEN = 10,

	/* One function of the record. */
	PCI_LU_REASON_FN_INDEX = 20,
	PCI_LU_REASON_FN_KIND = 21,
	PCI_LU_REASON_FN_ROLE = 22,
	PCI_LU_REASON_FN_REQUIRED = 23,
	PCI_LU_REASON_FN_DUPLICATE = 24,
	PCI_LU_REASON_FN_PARENT_INDEX = 25,
	PCI_LU_REASON_FN_PARENT_SELF = 26,
	PCI_LU_REASON_FN_PARENT_KIND = 27,
	PCI_LU_REASON_FN_PARENT_CYCLE = 28,
	PCI_LU_REASON_FN_PARENT_BUS = 29,
	PCI_LU_REASON_FN_BUS_NUMBERS = 30,
	PCI_LU_REASON_FN_REFS = 31,
	PCI_LU_REASON_FN_DRIVER = 32,
	PCI_LU_REASON_FN_BAR_MASK = 33,
	PCI_LU_REASON_FN_BAR_VALUE = 34,
	PCI_LU_REASON_FN_VF_BAR_MASK = 35,
	PCI_LU_REASON_FN_IRQ = 36,
	PCI_LU_REASON_FN_ID = 37,

	/* The live function does not look like one we can guard. */
	PCI_LU_REASON_DEV_GONE = 50,
	PCI_LU_REASON_DEV_HDR_TYPE = 51,
	PCI_LU_REASON_DEV_CAP_LOOP = 52,
	PCI_LU_REASON_DEV_CAP_RANGE = 53,

	/* The live function is not the recorded one. */
	PCI_LU_REASON_ADOPT_MISSING = 60,
	PCI_LU_REASON_ADOPT_IDENTITY = 61,
	PCI_LU_REASON_ADOPT_BAR = 62,
	PCI_LU_REASON_ADOPT_WINDOW = 63,
	PCI_LU_REASON_ADOPT_BUS_NUMBERS = 64,
	PCI_LU_REASON_ADOPT_COMMAND = 65,
	PCI_LU_REASON_ADOPT_POWER = 66,
	PCI_LU_REASON_ADOPT_RESOURCE = 67,
	PCI_LU_REASON_ADOPT_PARENT = 68,
	PCI_LU_REASON_ADOPT_OWNER = 69,
	PCI_LU_REASON_ADOPT_DISABLED = 70,
	PCI_LU_REASON_ADOPT_NO_MSI = 71,
	PCI_LU_REASON_ADOPT_REGISTER = 72,

	/* Preservation refused: what the function is. */
	PCI_LU_REASON_VF = 100,
	PCI_LU_REASON_PF_WITH_VFS = 101,
	PCI_LU_REASON_NOT_PCIE = 102,
	PCI_LU_REASON_CONVENTIONAL_BRIDGE = 103,
	PCI_LU_REASON_VMD = 104,
	PCI_LU_REASON_VGA = 105,
	PCI_LU_REASON_CXL = 106,
	PCI_LU_REASON_IDE = 107,
	PCI_LU_REASON_INTX_ONLY = 108,
	PCI_LU_REASON_POWER_STATE = 109,
	PCI_LU_REASON_NOT_FUNCTION_0 = 110,
	PCI_LU_REASON_ENHANCED_ALLOCATION = 112,

	/* Preservation refused: who owns it. */
	PCI_LU_REASON_VARIANT_DRIVER = 121,
	PCI_LU_REASON_NOT_FINISHED = 124,
	PCI_LU_REASON_PRESERVED = 125,

	/* Preservation refused: its DMA. */
	PCI_LU_REASON_NO_IOMMU = 130,
	PCI_LU_REASON_IOMMU_UNSUPPORTED = 131,
	PCI_LU_REASON_RMRR = 132,
	PCI_LU_REASON_GROUP = 133,
	PCI_LU_REASON_DMA_ALIAS = 135,
	PCI_LU_REASON_SVA = 136,
	PCI_LU_REASON_NESTED = 137,
	PCI_LU_REASON_PRI = 138,
	PCI_LU_REASON_NO_IOAS = 139,
	PCI_LU_REASON_NO_INTREMAP = 142,
	PCI_LU_REASON_ATS_STU = 143,

	/* Preservation refused: how this kernel was started or built. */
	PCI_LU_REASON_ASSIGN_BUSSES = 150,
	PCI_LU_REASON_NO_MEMORY = 152,
	PCI_LU_REASON_TOO_MANY = 153,
};

const char *pci_lu_reason_text(enum pci_lu_reason reason);
const char *pci_lu_reason_name(enum pci_lu_reason reason);

#endif /* LINUX_PCI_LIVEUPDATE_REASON_H */
