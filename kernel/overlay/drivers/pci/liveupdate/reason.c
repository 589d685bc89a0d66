// SPDX-License-Identifier: GPL-2.0
/*
 * PCI live update: the words for refusals. The kernel log, the library and the
 * reports all take them from here.
 */

#include "port.h"
#include <linux/pci_liveupdate_reason.h>

struct pci_lu_reason_desc {
	const char *name;
	const char *text;
};

static const struct pci_lu_reason_desc pci_lu_reasons[] = {
	[PCI_LU_OK] = { "ok", "no objection" },
	[PCI_LU_REASON_REC_SHORT] = {
		"record-short",
		"the record is shorter than its header",
	},
	[PCI_LU_REASON_REC_COMPATIBLE] = {
		"record-compatible",
		"the record has an unknown compatible string",
	},
	[PCI_LU_REASON_REC_VERSION] = {
		"record-version",
		"the record has an unknown version",
	},
	[PCI_LU_REASON_REC_HDR_SIZE] = {
		"record-header-size",
		"the record has an impossible header size",
	},
	[PCI_LU_REASON_REC_FN_SIZE] = {
		"record-function-size",
		"the record has an impossible function entry size",
	},
	[PCI_LU_REASON_REC_COUNT] = {
		"record-count",
		"the record lists more functions than it may",
	},
	[PCI_LU_REASON_REC_TOTAL_SIZE] = {
		"record-total-size",
		"the size of the record does not match its contents",
	},
	[PCI_LU_REASON_REC_CRC] = {
		"record-crc",
		"the checksum of the record is wrong",
	},
	[PCI_LU_REASON_REC_REQUIRED] = {
		"record-required",
		"the record requires a feature that this kernel does not know",
	},
	[PCI_LU_REASON_REC_NOT_FROZEN] = {
		"record-not-frozen",
		"the previous kernel did not finish freezing",
	},
	[PCI_LU_REASON_FN_INDEX] = {
		"function-index",
		"there is no function entry with this index",
	},
	[PCI_LU_REASON_FN_KIND] = {
		"function-kind",
		"the function is not exactly one of endpoint and bridge",
	},
	[PCI_LU_REASON_FN_ROLE] = {
		"function-role",
		"the function is neither requested nor depended on",
	},
	[PCI_LU_REASON_FN_REQUIRED] = {
		"function-required",
		"the function requires a feature that this kernel does not know",
	},
	[PCI_LU_REASON_FN_DUPLICATE] = {
		"function-duplicate",
		"the function is listed twice",
	},
	[PCI_LU_REASON_FN_PARENT_INDEX] = {
		"function-parent-index",
		"the bridge above the function is not in the record",
	},
	[PCI_LU_REASON_FN_PARENT_SELF] = {
		"function-parent-self",
		"the function is listed as its own parent",
	},
	[PCI_LU_REASON_FN_PARENT_KIND] = {
		"function-parent-kind",
		"what is listed as the bridge above the function is no bridge",
	},
	[PCI_LU_REASON_FN_PARENT_CYCLE] = {
		"function-parent-cycle",
		"the bridges above the function form a cycle",
	},
	[PCI_LU_REASON_FN_PARENT_BUS] = {
		"function-parent-bus",
		"the function is on a bus that the bridge above it does not lead to",
	},
	[PCI_LU_REASON_FN_BUS_NUMBERS] = {
		"function-bus-numbers",
		"the bus numbers of the bridge are impossible",
	},
	[PCI_LU_REASON_FN_REFS] = {
		"function-refs",
		"the reference count of the function does not match its role",
	},
	[PCI_LU_REASON_FN_DRIVER] = {
		"function-driver",
		"the driver name of the function is not terminated",
	},
	[PCI_LU_REASON_FN_BAR_MASK] = {
		"function-bar-mask",
		"a BAR size mask of the function is impossible",
	},
	[PCI_LU_REASON_FN_BAR_VALUE] = {
		"function-bar-value",
		"a BAR of the function is not aligned to its size",
	},
	[PCI_LU_REASON_FN_VF_BAR_MASK] = {
		"function-vf-bar-mask",
		"a VF BAR size mask of the function is impossible",
	},
	[PCI_LU_REASON_FN_IRQ] = {
		"function-irq",
		"the interrupt mode or vector count of the function is impossible",
	},
	[PCI_LU_REASON_FN_ID] = {
		"function-id",
		"the vendor ID of the function is impossible",
	},
	[PCI_LU_REASON_FN_NEEDS] = {
		"function-needs",
		"the function depends on one that is not in the record, or not what it needs",
	},
	[PCI_LU_REASON_FN_VF] = {
		"function-vf",
		"the virtual function is none of its physical function",
	},
	[PCI_LU_REASON_FN_BLOB] = {
		"function-blob",
		"what the driver of the function has added is damaged",
	},
	[PCI_LU_REASON_FN_ROW] = {
		"function-row",
		"the driver of the function protects a register that cannot be",
	},
	[PCI_LU_REASON_DEV_GONE] = { "device-gone", "the device does not answer" },
	[PCI_LU_REASON_DEV_HDR_TYPE] = {
		"device-header-type",
		"the header type of the device is not that of its kind",
	},
	[PCI_LU_REASON_DEV_CAP_LOOP] = {
		"device-capability-loop",
		"a capability list of the device leads back to itself",
	},
	[PCI_LU_REASON_DEV_CAP_RANGE] = {
		"device-capability-range",
		"a capability of the device does not fit where it is",
	},
	[PCI_LU_REASON_ADOPT_MISSING] = {
		"adopt-missing",
		"the recorded device was not found",
	},
	[PCI_LU_REASON_ADOPT_IDENTITY] = {
		"adopt-identity",
		"another device is where the recorded one was",
	},
	[PCI_LU_REASON_ADOPT_BAR] = { "adopt-bar", "a BAR is not what was recorded" },
	[PCI_LU_REASON_ADOPT_WINDOW] = {
		"adopt-window",
		"a bridge window is not what was recorded",
	},
	[PCI_LU_REASON_ADOPT_BUS_NUMBERS] = {
		"adopt-bus-numbers",
		"the bus numbers of a bridge are not what was recorded",
	},
	[PCI_LU_REASON_ADOPT_COMMAND] = {
		"adopt-command",
		"the Command register lost bits that were recorded as set",
	},
	[PCI_LU_REASON_ADOPT_POWER] = {
		"adopt-power",
		"the device is not in power state D0 any more",
	},
	[PCI_LU_REASON_ADOPT_RESOURCE] = {
		"adopt-resource",
		"this kernel moved a resource of the device",
	},
	[PCI_LU_REASON_ADOPT_PARENT] = {
		"adopt-parent",
		"a bridge above the device could not be adopted",
	},
	[PCI_LU_REASON_ADOPT_OWNER] = {
		"adopt-owner",
		"the record does not say which state of its owner belongs to the device",
	},
	[PCI_LU_REASON_ADOPT_DISABLED] = {
		"adopt-disabled",
		"live update is disabled in this kernel",
	},
	[PCI_LU_REASON_ADOPT_NO_MSI] = {
		"adopt-no-msi",
		"the device used MSI, which this kernel does not have (pci=nomsi)",
	},
	[PCI_LU_REASON_ADOPT_REGISTER] = {
		"adopt-register",
		"a control register is not what was recorded",
	},
	[PCI_LU_REASON_ADOPT_VFS] = {
		"adopt-vfs",
		"its virtual functions cannot be taken over",
	},
	[PCI_LU_REASON_PF_FENCED] = {
		"pf-fenced",
		"its physical function is fenced",
	},
	[PCI_LU_REASON_NOT_PCIE] = {
		"not-pcie",
		"the device is not a PCI Express device",
	},
	[PCI_LU_REASON_CONVENTIONAL_BRIDGE] = {
		"conventional-bridge",
		"a bridge above the device is not a PCI Express port",
	},
	[PCI_LU_REASON_VMD] = {
		"vmd",
		"the device is behind a Volume Management Device",
	},
	[PCI_LU_REASON_VGA] = { "vga", "the device is a VGA device" },
	[PCI_LU_REASON_CXL] = { "cxl", "the device is a CXL device" },
	[PCI_LU_REASON_IDE] = {
		"ide",
		"link encryption (IDE) is in use on the path of the device",
	},
	[PCI_LU_REASON_INTX_ONLY] = {
		"intx-only",
		"its INTx cannot be masked, and it uses no MSI that can",
	},
	[PCI_LU_REASON_POWER_STATE] = {
		"power-state",
		"the device is not in power state D0",
	},
	[PCI_LU_REASON_ENHANCED_ALLOCATION] = {
		"enhanced-allocation",
		"the addresses of the device are fixed by Enhanced Allocation",
	},
	[PCI_LU_REASON_NO_FUNCTION_0] = {
		"no-function-0",
		"function 0 of its device, which holds the settings of all, is not there",
	},
	[PCI_LU_REASON_PF_NOT_PRESERVED] = {
		"pf-not-preserved",
		"its physical function is in use by VFIO and not preserved: preserve that first",
	},
	[PCI_LU_REASON_VARIANT_DRIVER] = {
		"variant-driver",
		"the driver of the device is not vfio-pci itself",
	},
	[PCI_LU_REASON_NOT_FINISHED] = {
		"not-finished",
		"the previous live update has not finished",
	},
	[PCI_LU_REASON_PRESERVED] = { "preserved", "the device is preserved already" },
	[PCI_LU_REASON_FENCED] = { "fenced", "the device is fenced until it is reset" },
	[PCI_LU_REASON_PF_DRIVER] = {
		"pf-driver",
		"the driver of its physical function does not take part in live update",
	},
	[PCI_LU_REASON_DRIVER_REFUSED] = {
		"driver-refused",
		"the driver of its physical function refuses",
	},
	[PCI_LU_REASON_DRIVER_BUSY] = {
		"driver-busy",
		"its physical function is being bound, unbound or reset",
	},
	[PCI_LU_REASON_NO_IOMMU] = { "no-iommu", "the device is not behind an IOMMU" },
	[PCI_LU_REASON_IOMMU_UNSUPPORTED] = {
		"iommu-unsupported",
		"the IOMMU driver of the device does not take part in live update",
	},
	[PCI_LU_REASON_RMRR] = {
		"rmrr",
		"firmware reserves memory for DMA by the device (RMRR)",
	},
	[PCI_LU_REASON_GROUP] = {
		"group",
		"the device shares its IOMMU group with others",
	},
	[PCI_LU_REASON_DMA_ALIAS] = {
		"dma-alias",
		"the device uses more than one requester ID",
	},
	[PCI_LU_REASON_SVA] = { "sva", "the device uses process address spaces (SVA)" },
	[PCI_LU_REASON_NESTED] = { "nested", "the device uses nested translation" },
	[PCI_LU_REASON_PRI] = { "pri", "page requests are enabled on the device" },
	[PCI_LU_REASON_NO_IOAS] = {
		"no-ioas",
		"the device is not attached to an I/O address space",
	},
	[PCI_LU_REASON_NO_INTREMAP] = {
		"no-interrupt-remapping",
		"interrupt remapping is off",
	},
	[PCI_LU_REASON_ATS_STU] = {
		"ats-stu",
		"ATS is enabled with an unexpected smallest translation unit",
	},
	[PCI_LU_REASON_ASSIGN_BUSSES] = {
		"assign-busses",
		"bus numbers are assigned anew at boot (pci=assign-busses)",
	},
	[PCI_LU_REASON_NO_MEMORY] = { "no-memory", "out of memory" },
	[PCI_LU_REASON_TOO_MANY] = { "too-many", "the record is full" },
	[PCI_LU_REASON_IOMMU_REC_SHORT] = {
		"iommu-record-short",
		"the IOMMU record is shorter than its header",
	},
	[PCI_LU_REASON_IOMMU_REC_COMPATIBLE] = {
		"iommu-record-compatible",
		"the IOMMU record has an unknown compatible string",
	},
	[PCI_LU_REASON_IOMMU_REC_VERSION] = {
		"iommu-record-version",
		"the IOMMU record has an unknown version",
	},
	[PCI_LU_REASON_IOMMU_REC_SIZES] = {
		"iommu-record-sizes",
		"the IOMMU record has entries of impossible size",
	},
	[PCI_LU_REASON_IOMMU_REC_COUNT] = {
		"iommu-record-count",
		"the IOMMU record has an impossible number of entries",
	},
	[PCI_LU_REASON_IOMMU_REC_TOTAL_SIZE] = {
		"iommu-record-total-size",
		"the size of the IOMMU record does not match its contents",
	},
	[PCI_LU_REASON_IOMMU_REC_CRC] = {
		"iommu-record-crc",
		"the checksum of the IOMMU record is wrong",
	},
	[PCI_LU_REASON_IOMMU_REC_REQUIRED] = {
		"iommu-record-required",
		"the IOMMU record requires a feature that this kernel does not know",
	},
	[PCI_LU_REASON_IOMMU_REC_KIND] = {
		"iommu-record-kind",
		"the IOMMU record is about a kind of IOMMU that this kernel does not know",
	},
	[PCI_LU_REASON_IOMMU_REC_MODE] = {
		"iommu-record-mode",
		"a unit in the IOMMU record is in another mode than the record",
	},
	[PCI_LU_REASON_IOMMU_REC_ADDRESS] = {
		"iommu-record-address",
		"the IOMMU record is not in memory",
	},
	[PCI_LU_REASON_IOMMU_UNIT_ADDRESS] = {
		"iommu-unit-address",
		"a unit in the IOMMU record has an impossible address",
	},
	[PCI_LU_REASON_IOMMU_UNIT_TOP] = {
		"iommu-unit-top",
		"a unit in the IOMMU record has an impossible top-level table",
	},
	[PCI_LU_REASON_IOMMU_UNIT_DUPLICATE] = {
		"iommu-unit-duplicate",
		"a unit is in the IOMMU record twice",
	},
	[PCI_LU_REASON_IOMMU_UNIT_UNUSED] = {
		"iommu-unit-unused",
		"a unit in the IOMMU record has no function",
	},
	[PCI_LU_REASON_IOMMU_UNIT_IRT] = {
		"iommu-unit-irt",
		"a unit in the IOMMU record has an impossible interrupt remapping table",
	},
	[PCI_LU_REASON_IOMMU_TABLE_PAGES] = {
		"iommu-table-pages",
		"a page table in the IOMMU record has no pages",
	},
	[PCI_LU_REASON_IOMMU_TABLE_REFS] = {
		"iommu-table-refs",
		"a page table in the IOMMU record has the wrong number of users",
	},
	[PCI_LU_REASON_IOMMU_FN_INDEX] = {
		"iommu-function-index",
		"a function in the IOMMU record refers to no unit or page table",
	},
	[PCI_LU_REASON_IOMMU_FN_SEGMENT] = {
		"iommu-function-segment",
		"a function in the IOMMU record is on another segment than its unit",
	},
	[PCI_LU_REASON_IOMMU_FN_DUPLICATE] = {
		"iommu-function-duplicate",
		"a function is in the IOMMU record twice",
	},
	[PCI_LU_REASON_IOMMU_FN_TAG] = {
		"iommu-function-tag",
		"a function in the IOMMU record has an impossible domain ID",
	},
	[PCI_LU_REASON_IOMMU_FN_ENTRY] = {
		"iommu-function-entry",
		"a function in the IOMMU record has an impossible entry",
	},
	[PCI_LU_REASON_IOMMU_FN_PAGES] = {
		"iommu-function-pages",
		"a function in the IOMMU record has impossible tables of its own",
	},
	[PCI_LU_REASON_IOMMU_FN_STREAM] = {
		"iommu-function-stream",
		"a function in the IOMMU record has an impossible stream ID",
	},
	[PCI_LU_REASON_IOMMU_NO_RECORD] = {
		"iommu-no-record",
		"the previous kernel handed no DMA translation over",
	},
	[PCI_LU_REASON_IOMMU_NO_DRIVER] = {
		"iommu-no-driver",
		"this kernel has no driver for the IOMMU that was handed over",
	},
	[PCI_LU_REASON_IOMMU_OFF] = {
		"iommu-off",
		"DMA remapping is off",
	},
	[PCI_LU_REASON_IOMMU_CMPXCHG16B] = {
		"iommu-cmpxchg16b",
		"the CPU lacks cmpxchg16b, which replaces a context entry in one step",
	},
	[PCI_LU_REASON_IOMMU_NO_QI] = {
		"iommu-no-queue",
		"the remapping unit has no queued invalidation",
	},
	[PCI_LU_REASON_IOMMU_IGNORED] = {
		"iommu-ignored",
		"this kernel does not use the remapping unit",
	},
	[PCI_LU_REASON_IOMMU_MODE] = {
		"iommu-mode",
		"the remapping unit is not in the mode that was handed over",
	},
	[PCI_LU_REASON_IOMMU_SEGMENT] = {
		"iommu-segment",
		"the remapping unit is on another PCI segment",
	},
	[PCI_LU_REASON_IOMMU_NOT_LIVE] = {
		"iommu-not-live",
		"the remapping unit does not use the tables that were handed over",
	},
	[PCI_LU_REASON_IOMMU_TABLES] = {
		"iommu-tables",
		"the tables that were handed over are not those of the record",
	},
	[PCI_LU_REASON_IOMMU_TAG_RANGE] = {
		"iommu-tag-range",
		"a domain ID that was handed over is out of range",
	},
	[PCI_LU_REASON_IOMMU_UNIT_MISSING] = {
		"iommu-unit-missing",
		"a remapping unit that was handed over is not there",
	},
	[PCI_LU_REASON_IOMMU_DIRTY_TRACKING] = {
		"iommu-dirty-tracking",
		"DMA dirty tracking is on",
	},
	[PCI_LU_REASON_IOMMU_ATS] = {
		"iommu-ats",
		"ATS is on in the device and this kernel cannot use it",
	},
	[PCI_LU_REASON_IOMMU_ENTRY_LOST] = {
		"iommu-entry-lost",
		"its context entry could not be copied",
	},
	[PCI_LU_REASON_IOMMU_DISABLED] = {
		"iommu-disabled",
		"DMA translation is switched off",
	},
	[PCI_LU_REASON_IOMMU_UNCLAIMED] = {
		"iommu-unclaimed",
		"the update ended before its owner had attached it",
	},
	[PCI_LU_REASON_IOMMU_RESTART] = {
		"iommu-restart",
		"the system goes down before the update was finished",
	},
	[PCI_LU_REASON_IOMMU_UNLISTED] = {
		"iommu-unlisted",
		"the IOMMU record does not list the device",
	},
	[PCI_LU_REASON_IOMMU_TOO_LATE] = {
		"iommu-too-late",
		"the device was found after its translation had been given up",
	},
	[PCI_LU_REASON_IOMMU_NOT_TAKEN] = {
		"iommu-not-taken",
		"the DMA translation of the device was not taken over",
	},
	[PCI_LU_REASON_IOMMU_TXT] = {
		"iommu-txt",
		"the kernel was started by Intel TXT, which wants to set DMA protection up itself",
	},
	[PCI_LU_REASON_IOMMU_IRT] = {
		"iommu-irt",
		"interrupt remapping was not found as it was handed over",
	},
};

static const struct pci_lu_reason_desc *pci_lu_reason_find(unsigned int reason)
{
	static const struct pci_lu_reason_desc unknown = {
		"unknown", "unknown reason",
	};

	if (reason >= ARRAY_SIZE(pci_lu_reasons) || !pci_lu_reasons[reason].name)
		return &unknown;

	return &pci_lu_reasons[reason];
}

/**
 * pci_lu_reason_text - say a reason to a person
 * @reason: the reason
 *
 * Return: half a sentence in English, in lower case, without a full stop.
 */
const char *pci_lu_reason_text(enum pci_lu_reason reason)
{
	return pci_lu_reason_find(reason)->text;
}

/**
 * pci_lu_reason_name - say a reason to a program
 * @reason: the reason
 *
 * Return: a stable word.
 */
const char *pci_lu_reason_name(enum pci_lu_reason reason)
{
	return pci_lu_reason_find(reason)->name;
}
