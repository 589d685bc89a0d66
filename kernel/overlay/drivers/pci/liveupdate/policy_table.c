// SPDX-License-Identifier: GPL-2.0
/*
 * PCI live update: the policy. What is not in this table passes.
 *
 * Each row says which bits are protected and why the write would harm a device
 * in flight; a row that cannot say that does not belong here. Writes that are
 * left alone on purpose: Status and all other RW1C bits, INTx Disable, SERR and
 * parity enables, Cache Line Size, Interrupt Line, Bridge Control but for the
 * reset, MSI and MSI-X addresses and data, error reporting enables, Root
 * Control, a port's AER masks and severities, slot indicators and interrupt
 * enables, DPC enables, PME, DOE, VPD and everything vendor-specific. A port's
 * own MSI and MSI-X are its own business.
 *
 * Documentation/PCI/liveupdate-policy.rst is generated from here.
 */

#include "policy.h"

#define AT(member)	offsetof(struct pci_lu_layout, member)

static const struct pci_lu_row pci_lu_rows[] = {
	/* Predefined header, both kinds of function. */
	{
		.name = "COMMAND.IO", .cap = "header", .reg = "Command",
		.off = PCI_COMMAND, .width = 2, .bits = PCI_COMMAND_IO,
		.kinds = PCI_LU_FOR_ENDPOINT, .rule = PCI_LU_STICKY1,
		.writer = "pci_read_bases() (enumeration), pci_disable_device()",
		.why =
			"The function stops answering in I/O space: peers that access its BARs get master aborts, and some devices stop DMA when their decoders go off.",
		.spec = "7.5.1.1.3 Command Register",
	},
	{
		.name = "COMMAND.MEM", .cap = "header", .reg = "Command",
		.off = PCI_COMMAND, .width = 2, .bits = PCI_COMMAND_MEMORY,
		.kinds = PCI_LU_FOR_ENDPOINT, .rule = PCI_LU_STICKY1,
		.writer = "pci_read_bases() (enumeration), pci_disable_device()",
		.why =
			"The function stops answering in memory space: peer-to-peer DMA into its BARs is lost, and some devices stop their own DMA when their decoders go off.",
		.spec = "7.5.1.1.3 Command Register",
	},
	{
		.name = "COMMAND.BME", .cap = "header", .reg = "Command",
		.off = PCI_COMMAND, .width = 2, .bits = PCI_COMMAND_MASTER,
		.kinds = PCI_LU_FOR_ENDPOINT, .rule = PCI_LU_STICKY1,
		.writer = "pci_clear_master() (shutdown, open), pci_disable_device(), _HPX",
		.why =
			"The function may no longer issue memory requests: DMA stops at once, and so do MSI and MSI-X, which are memory writes.",
		.spec = "7.5.1.1.3 Command Register",
	},
	{
		.name = "PORT.COMMAND.IO", .cap = "header", .reg = "Command",
		.off = PCI_COMMAND, .width = 2, .bits = PCI_COMMAND_IO, .kinds = PCI_LU_FOR_BRIDGE,
		.rule = PCI_LU_STICKY1,
		.writer = "pci_read_bases() (enumeration)",
		.why =
			"The port stops forwarding I/O requests downstream: whoever uses an I/O BAR behind it gets master aborts.",
		.spec = "7.5.1.1.3 Command Register",
	},
	{
		.name = "PORT.COMMAND.MEM", .cap = "header", .reg = "Command",
		.off = PCI_COMMAND, .width = 2, .bits = PCI_COMMAND_MEMORY,
		.kinds = PCI_LU_FOR_BRIDGE, .rule = PCI_LU_STICKY1,
		.writer = "pci_read_bases() (enumeration)",
		.why =
			"The port stops forwarding memory requests downstream: peer-to-peer DMA to the functions behind it is lost.",
		.spec = "7.5.1.1.3 Command Register",
	},
	{
		.name = "PORT.COMMAND.BME", .cap = "header", .reg = "Command",
		.off = PCI_COMMAND, .width = 2, .bits = PCI_COMMAND_MASTER,
		.kinds = PCI_LU_FOR_BRIDGE, .rule = PCI_LU_STICKY1,
		.writer = "pci_device_shutdown(), pci_disable_device()",
		.why =
			"The port stops forwarding memory and I/O requests upstream and answers them as unsupported: all functions behind it lose DMA and MSI.",
		.spec = "7.5.1.1.3 Command Register",
	},
	{
		.name = "BIST.START", .cap = "header", .reg = "BIST",
		.off = PCI_BIST, .width = 1, .bits = PCI_BIST_START, .kinds = PCI_LU_FOR_BOTH,
		.rule = PCI_LU_ZERO,
		.writer = "no one in the kernel; config space writes by userspace",
		.why =
			"The function runs its self test and may do anything but its work for up to two seconds.",
		.spec = "7.5.1.1.10 BIST Register",
	},
	{
		.name = "BAR", .cap = "header", .reg = "Base Address 0-5",
		.off = PCI_BASE_ADDRESS_0, .width = 4, .count = AT(nr_bars), .stride = 4,
		.slot = PCI_LU_SLOT_BAR0, .bits = 0xffffffff, .kinds = PCI_LU_FOR_ENDPOINT,
		.rule = PCI_LU_SHADOW,
		.writer =
			"__pci_size_bars() (enumeration), pci_std_update_resource(), pci_restore_state()",
		.why =
			"While a BAR holds the sizing pattern, or another address, the function decodes addresses that belong to someone else and none of its own: peer-to-peer DMA and MMIO of its owner are lost.",
		.spec = "7.5.1.2.1 Base Address Registers",
	},
	{
		.name = "ROM.ADDRESS", .cap = "header", .reg = "Expansion ROM Base Address",
		.off = PCI_ROM_ADDRESS, .width = 4, .slot = PCI_LU_SLOT_ROM,
		.bits = ~PCI_ROM_ADDRESS_ENABLE, .kinds = PCI_LU_FOR_ENDPOINT,
		.rule = PCI_LU_SHADOW,
		.writer = "__pci_size_rom() (enumeration), pci_restore_state()",
		.why =
			"An enabled ROM would decode the sizing pattern, and a function may use one decoder for its ROM and its BARs.",
		.spec = "7.5.1.2.4 Expansion ROM Base Address Register",
	},
	{
		.name = "ROM.ENABLE", .cap = "header", .reg = "Expansion ROM Base Address",
		.off = PCI_ROM_ADDRESS, .width = 4, .slot = PCI_LU_SLOT_ROM,
		.bits = PCI_ROM_ADDRESS_ENABLE, .kinds = PCI_LU_FOR_ENDPOINT,
		.rule = PCI_LU_ROM_ENABLE,
		.writer = "pci_enable_rom()",
		.why =
			"A function may use one decoder for its ROM and its BARs: with the ROM on, its BARs cannot be reached. Switching it off passes.",
		.spec = "7.5.1.2.4 Expansion ROM Base Address Register",
	},

	/* Predefined header of a bridge. */
	{
		.name = "PORT.BAR", .cap = "header", .reg = "Base Address 0-1",
		.off = PCI_BASE_ADDRESS_0, .width = 4, .count = AT(nr_bars), .stride = 4,
		.slot = PCI_LU_SLOT_BAR0, .bits = 0xffffffff, .kinds = PCI_LU_FOR_BRIDGE,
		.rule = PCI_LU_SHADOW,
		.writer = "__pci_size_bars() (enumeration)",
		.why =
			"The port's own registers, its MSI-X table among them, move to addresses that belong to someone else.",
		.spec = "7.5.1.2.1 Base Address Registers",
	},
	{
		.name = "PORT.ROM.ADDRESS", .cap = "header", .reg = "Expansion ROM Base Address",
		.off = PCI_ROM_ADDRESS1, .width = 4, .slot = PCI_LU_SLOT_ROM,
		.bits = ~PCI_ROM_ADDRESS_ENABLE, .kinds = PCI_LU_FOR_BRIDGE, .rule = PCI_LU_SHADOW,
		.writer = "__pci_size_rom() (enumeration)",
		.why =
			"An enabled ROM would decode the sizing pattern, and a port may use one decoder for its ROM and its BARs.",
		.spec = "7.5.1.2.4 Expansion ROM Base Address Register",
	},
	{
		.name = "PORT.ROM.ENABLE", .cap = "header", .reg = "Expansion ROM Base Address",
		.off = PCI_ROM_ADDRESS1, .width = 4, .slot = PCI_LU_SLOT_ROM,
		.bits = PCI_ROM_ADDRESS_ENABLE, .kinds = PCI_LU_FOR_BRIDGE,
		.rule = PCI_LU_ROM_ENABLE,
		.writer = "pci_enable_rom()",
		.why =
			"A port may use one decoder for its ROM and its BARs: with the ROM on, its BARs cannot be reached. Switching it off passes.",
		.spec = "7.5.1.2.4 Expansion ROM Base Address Register",
	},
	{
		.name = "PORT.BUS_NUMBERS", .cap = "header",
		.reg = "Primary, Secondary, Subordinate Bus Number",
		.off = PCI_PRIMARY_BUS, .width = 4, .bits = 0x00ffffff, .kinds = PCI_LU_FOR_BRIDGE,
		.rule = PCI_LU_KEEP,
		.writer = "pci_scan_bridge_extend() (enumeration, pci=assign-busses)",
		.why =
			"Completions are routed by bus number: those for requests in flight would go astray, and the functions behind the port would time out. The requester IDs that the IOMMU knows would change, too.",
		.spec = "7.5.1.3.3 Secondary Bus Number Register",
	},
	{
		.name = "PORT.WINDOW.IO", .cap = "header", .reg = "I/O Base, I/O Limit",
		.off = PCI_IO_BASE, .width = 2, .slot = PCI_LU_SLOT_WIN0, .bits = 0xffff,
		.kinds = PCI_LU_FOR_BRIDGE, .rule = PCI_LU_SHADOW,
		.writer = "pci_read_bridge_windows() (enumeration), pci_setup_bridge_io()",
		.why =
			"The port stops forwarding I/O requests to the functions behind it, or claims those of others, until the old value is back.",
		.spec = "7.5.1.3.6 I/O Base/I/O Limit Registers",
	},
	{
		.name = "PORT.WINDOW.MEM", .cap = "header", .reg = "Memory Base, Memory Limit",
		.off = PCI_MEMORY_BASE, .width = 4, .slot = PCI_LU_SLOT_WIN0 + 1,
		.bits = 0xffffffff, .kinds = PCI_LU_FOR_BRIDGE, .rule = PCI_LU_SHADOW,
		.writer = "pci_setup_bridge_mmio()",
		.why =
			"The port stops forwarding memory requests to the functions behind it, or claims those of others, DMA to system memory included, until the old value is back.",
		.spec = "7.5.1.3.8 Memory Base Register/Memory Limit Register",
	},
	{
		.name = "PORT.WINDOW.PREF", .cap = "header",
		.reg = "Prefetchable Memory Base, Limit",
		.off = PCI_PREF_MEMORY_BASE, .width = 4, .slot = PCI_LU_SLOT_WIN0 + 2,
		.bits = 0xffffffff, .kinds = PCI_LU_FOR_BRIDGE, .rule = PCI_LU_SHADOW,
		.writer = "pci_read_bridge_windows() (enumeration), pci_setup_bridge_mmio_pref()",
		.why =
			"The port stops forwarding requests to prefetchable BARs behind it, or claims those of others, DMA to system memory included, until the old value is back.",
		.spec = "7.5.1.3.9 Prefetchable Memory Base/Limit Registers",
	},
	{
		.name = "PORT.WINDOW.PREF_BASE_UPPER", .cap = "header",
		.reg = "Prefetchable Base Upper 32 Bits",
		.off = PCI_PREF_BASE_UPPER32, .width = 4, .slot = PCI_LU_SLOT_WIN0 + 3,
		.bits = 0xffffffff, .kinds = PCI_LU_FOR_BRIDGE, .rule = PCI_LU_SHADOW,
		.writer =
			"pci_read_bridge_windows() (writes all ones at enumeration), pci_setup_bridge_mmio_pref()",
		.why =
			"The prefetchable window closes or moves until the old value is back: as for the memory window.",
		.spec = "7.5.1.3.10 Prefetchable Base/Limit Upper 32 Bits Registers",
	},
	{
		.name = "PORT.WINDOW.PREF_LIMIT_UPPER", .cap = "header",
		.reg = "Prefetchable Limit Upper 32 Bits",
		.off = PCI_PREF_LIMIT_UPPER32, .width = 4, .slot = PCI_LU_SLOT_WIN0 + 4,
		.bits = 0xffffffff, .kinds = PCI_LU_FOR_BRIDGE, .rule = PCI_LU_SHADOW,
		.writer = "pci_setup_bridge_mmio_pref() (writes 0 in between)",
		.why =
			"The prefetchable window closes or moves until the old value is back: as for the memory window.",
		.spec = "7.5.1.3.10 Prefetchable Base/Limit Upper 32 Bits Registers",
	},
	{
		.name = "PORT.WINDOW.IO_UPPER", .cap = "header",
		.reg = "I/O Base/Limit Upper 16 Bits",
		.off = PCI_IO_BASE_UPPER16, .width = 4, .slot = PCI_LU_SLOT_WIN0 + 5,
		.bits = 0xffffffff, .kinds = PCI_LU_FOR_BRIDGE, .rule = PCI_LU_SHADOW,
		.writer = "pci_setup_bridge_io() (writes 0xffff in between)",
		.why = "The I/O window closes or moves until the old value is back.",
		.spec = "7.5.1.3.11 I/O Base/Limit Upper 16 Bits Registers",
	},
	{
		.name = "PORT.BRIDGE_CONTROL.BUS_RESET", .cap = "header", .reg = "Bridge Control",
		.off = PCI_BRIDGE_CONTROL, .width = 2, .bits = PCI_BRIDGE_CTL_BUS_RESET,
		.kinds = PCI_LU_FOR_BRIDGE, .rule = PCI_LU_STICKY0,
		.writer = "pci_reset_secondary_bus()",
		.why = "A hot reset: every function behind the port loses its state and its DMA.",
		.spec = "7.5.1.3.13 Bridge Control Register",
	},

	/* Capabilities in the first 256 bytes. */
	{
		.name = "PM.STATE", .cap = "pm", .reg = "PMCSR",
		.base = AT(pm), .off = PCI_PM_CTRL, .width = 2, .bits = PCI_PM_CTRL_STATE_MASK,
		.kinds = PCI_LU_FOR_ENDPOINT, .rule = PCI_LU_KEEP,
		.writer = "pci_set_power_state() (shutdown, runtime PM of vfio-pci)",
		.why =
			"Outside D0 a function issues no requests but PME: DMA and interrupts stop, and on the way back it may be reset.",
		.spec = "7.5.2.2 Power Management Control/Status Register",
	},
	{
		.name = "PORT.PM.STATE", .cap = "pm", .reg = "PMCSR",
		.base = AT(pm), .off = PCI_PM_CTRL, .width = 2, .bits = PCI_PM_CTRL_STATE_MASK,
		.kinds = PCI_LU_FOR_BRIDGE, .rule = PCI_LU_KEEP,
		.writer = "pci_set_power_state() (runtime PM of portdrv, shutdown)",
		.why =
			"The link behind a port outside D0 leaves L0, and no request passes in either direction.",
		.spec = "7.5.2.2 Power Management Control/Status Register",
	},
	{
		.name = "MSI.ENABLE", .cap = "msi", .reg = "MSI Message Control",
		.base = AT(msi), .off = PCI_MSI_FLAGS, .width = 2, .bits = PCI_MSI_FLAGS_ENABLE,
		.kinds = PCI_LU_FOR_ENDPOINT, .rule = PCI_LU_MSI_CTL,
		.writer = "pci_msi_init() (enumeration), pci_msi_shutdown()",
		.why =
			"With Enable clear, events are not latched but lost, and the function may fall back to INTx.",
		.spec = "7.7.1.2 Message Control Register for MSI",
	},
	{
		.name = "MSI.MASK", .cap = "msi_mask", .reg = "MSI Mask Bits",
		.base = AT(msi_mask), .off = 0, .width = 4, .bits = 0xffffffff,
		.kinds = PCI_LU_FOR_ENDPOINT, .rule = PCI_LU_MSI_MASK,
		.writer = "pci_msi_shutdown()",
		.why =
			"The core unmasks after it has cleared Enable, which did not reach the function: it would send to a vector that no longer exists.",
		.spec = "7.7.1.7 Mask Bits Register for MSI",
	},
	{
		.name = "MSIX.CONTROL", .cap = "msix", .reg = "MSI-X Message Control",
		.base = AT(msix), .off = PCI_MSIX_FLAGS, .width = 2,
		.bits = PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL,
		.kinds = PCI_LU_FOR_ENDPOINT, .rule = PCI_LU_MSIX_CTL,
		.writer = "pci_msix_init() (enumeration), pci_msix_shutdown()",
		.why =
			"With Enable clear, events need not be latched in the Pending Bit Array, and the function may fall back to INTx. With Function Mask set instead, they are delivered when the owner re-arms.",
		.spec = "7.7.2.2 Message Control Register for MSI-X",
	},
	{
		.name = "AF.FLR", .cap = "af", .reg = "AF Control",
		.base = AT(af), .off = PCI_AF_CTRL, .width = 1, .bits = PCI_AF_CTRL_FLR,
		.kinds = PCI_LU_FOR_ENDPOINT, .rule = PCI_LU_ZERO,
		.writer = "pci_af_flr()",
		.why = "A function level reset: the function loses its state and its DMA.",
		.spec = "6.6.2 Function Level Reset",
	},

	/* PCI Express capability. */
	{
		.name = "DEVCTL.FLR", .cap = "pcie", .reg = "Device Control",
		.base = AT(pcie), .off = PCI_EXP_DEVCTL, .width = 2, .bits = PCI_EXP_DEVCTL_BCR_FLR,
		.kinds = PCI_LU_FOR_ENDPOINT, .rule = PCI_LU_ZERO,
		.writer = "pcie_flr() (vfio open and close, sysfs reset)",
		.why = "A function level reset: the function loses its state and its DMA.",
		.spec = "6.6.2 Function Level Reset",
	},
	{
		.name = "DEVCTL.MPS", .cap = "pcie", .reg = "Device Control",
		.base = AT(pcie), .off = PCI_EXP_DEVCTL, .width = 2, .bits = PCI_EXP_DEVCTL_PAYLOAD,
		.kinds = PCI_LU_FOR_ENDPOINT, .rule = PCI_LU_KEEP,
		.writer = "pci_configure_mps() (enumeration), pci_restore_state()",
		.why =
			"A packet larger than the Max_Payload_Size of its receiver is a Malformed TLP, a fatal error; both ends of the path have to change together, with nothing in flight.",
		.spec = "7.5.3.4 Device Control Register",
	},
	{
		.name = "DEVCTL.MRRS", .cap = "pcie", .reg = "Device Control",
		.base = AT(pcie), .off = PCI_EXP_DEVCTL, .width = 2, .bits = PCI_EXP_DEVCTL_READRQ,
		.kinds = PCI_LU_FOR_ENDPOINT, .rule = PCI_LU_KEEP,
		.writer = "pcie_write_mrrs() (pci=pcie_bus_*), pci_restore_state()",
		.why =
			"The owner has tuned its device to this read size, and the driver in the guest believes in it; some root ports corrupt or stall larger reads.",
		.spec = "7.5.3.4 Device Control Register",
	},
	{
		.name = "DEVCTL.EXT_TAG", .cap = "pcie", .reg = "Device Control",
		.base = AT(pcie), .off = PCI_EXP_DEVCTL, .width = 2,
		.bits = PCI_EXP_DEVCTL_EXT_TAG | PCI_EXP_DEVCTL_PHANTOM,
		.kinds = PCI_LU_FOR_ENDPOINT, .rule = PCI_LU_KEEP,
		.writer = "pci_configure_extended_tags() (enumeration), pci_restore_state()",
		.why =
			"The width of the tag must not change while non-posted requests are outstanding: the result is undefined, completions may be matched to the wrong request.",
		.spec = "7.5.3.4 Device Control Register",
	},
	{
		.name = "DEVCTL.ORDERING", .cap = "pcie", .reg = "Device Control",
		.base = AT(pcie), .off = PCI_EXP_DEVCTL, .width = 2,
		.bits = PCI_EXP_DEVCTL_RELAX_EN | PCI_EXP_DEVCTL_NOSNOOP_EN,
		.kinds = PCI_LU_FOR_ENDPOINT, .rule = PCI_LU_KEEP,
		.writer = "pci_configure_relaxed_ordering() (enumeration), pci_restore_state()",
		.why =
			"Requests in flight and those that follow would be ordered and snooped by different rules: data could overtake the descriptor that announces it.",
		.spec = "7.5.3.4 Device Control Register",
	},
	{
		.name = "PORT.DEVCTL.MPS", .cap = "pcie", .reg = "Device Control",
		.base = AT(pcie), .off = PCI_EXP_DEVCTL, .width = 2, .bits = PCI_EXP_DEVCTL_PAYLOAD,
		.kinds = PCI_LU_FOR_BRIDGE, .rule = PCI_LU_KEEP,
		.writer = "pci_configure_mps() (enumeration; also writes the port above)",
		.why =
			"A packet larger than the Max_Payload_Size of a port on its way is a Malformed TLP, a fatal error.",
		.spec = "7.5.3.4 Device Control Register",
	},
	{
		.name = "PORT.DEVCTL.EXT_TAG", .cap = "pcie", .reg = "Device Control",
		.base = AT(pcie), .off = PCI_EXP_DEVCTL, .width = 2,
		.bits = PCI_EXP_DEVCTL_EXT_TAG | PCI_EXP_DEVCTL_PHANTOM, .kinds = PCI_LU_FOR_BRIDGE,
		.rule = PCI_LU_KEEP,
		.writer = "pci_configure_extended_tags() (enumeration)",
		.why =
			"The width of the tag must not change while non-posted requests are outstanding; a root port has those of the processors, too.",
		.spec = "7.5.3.4 Device Control Register",
	},
	{
		.name = "LNKCTL.ASPM", .cap = "pcie", .reg = "Link Control",
		.base = AT(pcie_link), .off = PCI_EXP_LNKCTL, .width = 2,
		.bits = PCI_EXP_LNKCTL_ASPMC | PCI_EXP_LNKCTL_CLKREQ_EN, .kinds = PCI_LU_FOR_BOTH,
		.rule = PCI_LU_KEEP,
		.writer = "pcie_config_aspm_link(), pcie_clkpm_enable() (enumeration)",
		.why =
			"ASPM must change at both ends and in a fixed order; the core derives what it writes from the clock configuration and the L1 substates, which are kept, so the ends could be left in disagreement. A clock that goes off under traffic stalls the link.",
		.spec = "7.5.3.7 Link Control Register",
	},
	{
		.name = "LNKCTL.RCB", .cap = "pcie", .reg = "Link Control",
		.base = AT(pcie_link), .off = PCI_EXP_LNKCTL, .width = 2,
		.bits = PCI_EXP_LNKCTL_RCB, .kinds = PCI_LU_FOR_BOTH, .rule = PCI_LU_KEEP,
		.writer = "pci_configure_rcb() (enumeration, unconditional), program_hpx_type2()",
		.why =
			"A function that expects completions cut at 128 bytes treats those cut at 64 as malformed: its reads in flight fail.",
		.spec = "7.5.3.7 Link Control Register",
	},
	{
		.name = "LNKCTL.CCC", .cap = "pcie", .reg = "Link Control",
		.base = AT(pcie_link), .off = PCI_EXP_LNKCTL, .width = 2,
		.bits = PCI_EXP_LNKCTL_CCC | PCI_EXP_LNKCTL_ES, .kinds = PCI_LU_FOR_BOTH,
		.rule = PCI_LU_KEEP,
		.writer = "pcie_aspm_configure_common_clock() (enumeration)",
		.why =
			"The clock configuration sets the exit latency that both ends count on; it takes effect through a retrain, which is withheld, so a change would leave the ends in disagreement.",
		.spec = "7.5.3.7 Link Control Register",
	},
	{
		.name = "LNKCTL.HAWD", .cap = "pcie", .reg = "Link Control",
		.base = AT(pcie_link), .off = PCI_EXP_LNKCTL, .width = 2,
		.bits = PCI_EXP_LNKCTL_HAWD, .kinds = PCI_LU_FOR_BOTH, .rule = PCI_LU_KEEP,
		.writer = "bandwidth quirks; config space writes by userspace",
		.why = "Lets the link change its width under traffic.",
		.spec = "7.5.3.7 Link Control Register",
	},
	{
		.name = "PORT.LNKCTL.LD", .cap = "pcie", .reg = "Link Control",
		.base = AT(pcie_link), .off = PCI_EXP_LNKCTL, .width = 2, .bits = PCI_EXP_LNKCTL_LD,
		.kinds = PCI_LU_FOR_BRIDGE, .rule = PCI_LU_STICKY0,
		.writer = "pciehp_link_disable(), link quirks",
		.why = "Link down is a hot reset for everything behind the port.",
		.spec = "7.5.3.7 Link Control Register",
	},
	{
		.name = "PORT.LNKCTL.RL", .cap = "pcie", .reg = "Link Control",
		.base = AT(pcie_link), .off = PCI_EXP_LNKCTL, .width = 2, .bits = PCI_EXP_LNKCTL_RL,
		.kinds = PCI_LU_FOR_BRIDGE, .rule = PCI_LU_ZERO,
		.writer = "pcie_retrain_link() (aspm at enumeration, on every boot)",
		.why =
			"The link goes through Recovery: traffic stalls, and it may come back slower, narrower, or not at all.",
		.spec = "7.5.3.7 Link Control Register",
	},
	{
		.name = "PORT.SLTCTL.POWER", .cap = "pcie", .reg = "Slot Control",
		.base = AT(pcie_slot), .off = PCI_EXP_SLTCTL, .width = 2,
		.bits = PCI_EXP_SLTCTL_PCC, .kinds = PCI_LU_FOR_BRIDGE, .rule = PCI_LU_KEEP,
		.writer = "pciehp_power_off_slot()",
		.why = "The slot loses power, and the device with it.",
		.spec = "7.5.3.10 Slot Control Register",
	},
	{
		.name = "PORT.SLTCTL.INTERLOCK", .cap = "pcie", .reg = "Slot Control",
		.base = AT(pcie_slot), .off = PCI_EXP_SLTCTL, .width = 2,
		.bits = PCI_EXP_SLTCTL_EIC, .kinds = PCI_LU_FOR_BRIDGE, .rule = PCI_LU_ZERO,
		.writer = "no one in the kernel; config space writes by userspace",
		.why = "Writing 1 toggles the interlock, which releases the card.",
		.spec = "7.5.3.10 Slot Control Register",
	},
	{
		.name = "DEVCTL2.CTO", .cap = "pcie", .reg = "Device Control 2",
		.base = AT(pcie2), .off = PCI_EXP_DEVCTL2, .width = 2,
		.bits = PCI_EXP_DEVCTL2_COMP_TIMEOUT | PCI_EXP_DEVCTL2_COMP_TMOUT_DIS,
		.kinds = PCI_LU_FOR_ENDPOINT, .rule = PCI_LU_KEEP,
		.writer = "pci_restore_state(), drivers",
		.why =
			"A shorter completion timeout can expire for reads that are outstanding already, which is an uncorrectable error.",
		.spec = "7.5.3.16 Device Control 2 Register",
	},
	{
		.name = "DEVCTL2.ATOMIC", .cap = "pcie", .reg = "Device Control 2",
		.base = AT(pcie2), .off = PCI_EXP_DEVCTL2, .width = 2,
		.bits = PCI_EXP_DEVCTL2_ATOMIC_REQ, .kinds = PCI_LU_FOR_ENDPOINT,
		.rule = PCI_LU_KEEP,
		.writer = "pci_enable_atomic_ops_to_root(), pci_restore_state()",
		.why =
			"A function that may no longer issue AtomicOps fails in the middle of its work.",
		.spec = "6.15 Atomic Operations",
	},
	{
		.name = "DEVCTL2.IDO", .cap = "pcie", .reg = "Device Control 2",
		.base = AT(pcie2), .off = PCI_EXP_DEVCTL2, .width = 2,
		.bits = PCI_EXP_DEVCTL2_IDO_REQ_EN | PCI_EXP_DEVCTL2_IDO_CMP_EN,
		.kinds = PCI_LU_FOR_ENDPOINT, .rule = PCI_LU_KEEP,
		.writer = "pci_restore_state()",
		.why =
			"Requests in flight and those that follow would be ordered by different rules.",
		.spec = "7.5.3.16 Device Control 2 Register",
	},
	{
		.name = "DEVCTL2.TAG10", .cap = "pcie", .reg = "Device Control 2",
		.base = AT(pcie2), .off = PCI_EXP_DEVCTL2, .width = 2,
		.bits = PCI_LU_EXP_DEVCTL2_TAG10_REQ, .kinds = PCI_LU_FOR_ENDPOINT,
		.rule = PCI_LU_KEEP,
		.writer = "pci_restore_state()",
		.why =
			"The width of the tag must not change while non-posted requests are outstanding.",
		.spec = "7.5.3.16 Device Control 2 Register",
	},
	{
		.name = "DEVCTL2.LTR", .cap = "pcie", .reg = "Device Control 2",
		.base = AT(pcie2), .off = PCI_EXP_DEVCTL2, .width = 2,
		.bits = PCI_EXP_DEVCTL2_LTR_EN, .kinds = PCI_LU_FOR_BOTH, .rule = PCI_LU_KEEP,
		.writer = "pci_configure_ltr() (enumeration), pci_restore_state()",
		.why =
			"A port treats an LTR message as an unsupported request if LTR is off in it but still on below; and with LTR off the platform may choose sleep states that overrun the buffers of the device.",
		.spec = "6.18 Latency Tolerance Reporting",
	},
	{
		.name = "PORT.DEVCTL2.ARI", .cap = "pcie", .reg = "Device Control 2",
		.base = AT(pcie2), .off = PCI_EXP_DEVCTL2, .width = 2, .bits = PCI_EXP_DEVCTL2_ARI,
		.kinds = PCI_LU_FOR_BRIDGE, .rule = PCI_LU_KEEP,
		.writer = "pci_configure_ari() (enumeration)",
		.why =
			"Without ARI forwarding the port no longer routes to functions above 7, VFs for the most part; completions for them are lost.",
		.spec = "6.13 Alternative Routing-ID Interpretation",
	},
	{
		.name = "PORT.DEVCTL2.ATOMIC", .cap = "pcie", .reg = "Device Control 2",
		.base = AT(pcie2), .off = PCI_EXP_DEVCTL2, .width = 2,
		.bits = PCI_EXP_DEVCTL2_ATOMIC_REQ | PCI_EXP_DEVCTL2_ATOMIC_EGRESS_BLOCK,
		.kinds = PCI_LU_FOR_BRIDGE, .rule = PCI_LU_KEEP,
		.writer = "pci_enable_atomic_ops_to_root(), pci_restore_state()",
		.why =
			"A port that blocks AtomicOps on egress answers those in flight with an error.",
		.spec = "6.15 Atomic Operations",
	},
	{
		.name = "PORT.DEVCTL2.PREFIX", .cap = "pcie", .reg = "Device Control 2",
		.base = AT(pcie2), .off = PCI_EXP_DEVCTL2, .width = 2,
		.bits = PCI_LU_EXP_DEVCTL2_EETLP_BLOCK, .kinds = PCI_LU_FOR_BRIDGE,
		.rule = PCI_LU_KEEP,
		.writer = "pci_restore_state()",
		.why =
			"A port that blocks end-to-end TLP prefixes drops every request with a PASID.",
		.spec = "7.5.3.16 Device Control 2 Register",
	},
	{
		.name = "LNKCTL2", .cap = "pcie", .reg = "Link Control 2",
		.base = AT(pcie2_link), .off = PCI_EXP_LNKCTL2, .width = 2, .bits = 0xffff,
		.kinds = PCI_LU_FOR_BOTH, .rule = PCI_LU_KEEP,
		.writer = "pcie_failed_link_retrain(), bwctrl, pci_restore_state()",
		.why =
			"A new target speed takes effect at the next retrain, which may come from hardware at any time: the link changes speed under traffic, or enters compliance mode.",
		.spec = "7.5.3.19 Link Control 2 Register",
	},

	/* Extended capabilities. */
	{
		.name = "AER.UNCOR_MASK", .cap = "aer", .reg = "Uncorrectable Error Mask",
		.base = AT(aer), .off = PCI_ERR_UNCOR_MASK, .width = 4,
		.bits = 0xffffffff, .kinds = PCI_LU_FOR_ENDPOINT,
		.rule = PCI_LU_KEEP,
		.writer = "pci_restore_aer_state(), program_hpx_type2()",
		.why =
			"The owner has set which errors its device signals: one that it masked would be reported as fatal.",
		.spec = "7.8.4.3 Uncorrectable Error Mask Register",
	},
	{
		.name = "AER.UNCOR_SEVERITY", .cap = "aer", .reg = "Uncorrectable Error Severity",
		.base = AT(aer), .off = PCI_ERR_UNCOR_SEVER, .width = 4,
		.bits = 0xffffffff, .kinds = PCI_LU_FOR_ENDPOINT,
		.rule = PCI_LU_KEEP,
		.writer = "pci_restore_aer_state(), program_hpx_type2()",
		.why =
			"The owner has set which errors of its device are fatal: another severity takes the link down for one that it handles.",
		.spec = "7.8.4.4 Uncorrectable Error Severity Register",
	},
	{
		.name = "AER.COR_MASK", .cap = "aer", .reg = "Correctable Error Mask",
		.base = AT(aer), .off = PCI_ERR_COR_MASK, .width = 4,
		.bits = 0xffffffff, .kinds = PCI_LU_FOR_ENDPOINT,
		.rule = PCI_LU_KEEP,
		.writer = "pci_aer_init() of Linux 7.3, pci_restore_aer_state()",
		.why =
			"The owner has set which errors its device reports, and can read it: it would find a register changed that nobody reset.",
		.spec = "7.8.4.6 Correctable Error Mask Register",
	},
	{
		.name = "AER.ECRC", .cap = "aer", .reg = "Advanced Error Capabilities and Control",
		.base = AT(aer), .off = PCI_ERR_CAP, .width = 4,
		.bits = PCI_ERR_CAP_ECRC_GENE | PCI_ERR_CAP_ECRC_CHKE, .kinds = PCI_LU_FOR_BOTH,
		.rule = PCI_LU_KEEP,
		.writer = "pcie_set_ecrc_checking(), program_hpx_type2(), pci_restore_state()",
		.why =
			"Checking switched on at one end while the other does not generate, or the reverse, makes packets in flight fail the check.",
		.spec = "7.8.4.7 Advanced Error Capabilities and Control Register",
	},
	{
		.name = "VC.PORT", .cap = "vc", .reg = "Port VC Control",
		.base = AT(vc), .off = PCI_VC_PORT_CTRL, .width = 2, .bits = 0xffff,
		.kinds = PCI_LU_FOR_BOTH, .rule = PCI_LU_KEEP,
		.writer = "pci_restore_vc_state()",
		.why = "Changes the arbitration between virtual channels that carry traffic.",
		.spec = "6.3 Virtual Channel Support",
	},
	{
		.name = "VC.RESOURCE", .cap = "vc", .reg = "VC Resource Control",
		.base = AT(vc), .off = PCI_VC_RES_CTRL, .width = 4, .count = AT(nr_vc),
		.stride = 12, .bits = 0xffffffff, .kinds = PCI_LU_FOR_BOTH, .rule = PCI_LU_KEEP,
		.writer = "pci_restore_vc_state()",
		.why =
			"A traffic class that is mapped to no channel, or to different ones at the two ends of a link, has its packets treated as malformed.",
		.spec = "6.3 Virtual Channel Support",
	},
	{
		.name = "MFVC.PORT", .cap = "mfvc", .reg = "Port VC Control",
		.base = AT(mfvc), .off = PCI_VC_PORT_CTRL, .width = 2, .bits = 0xffff,
		.kinds = PCI_LU_FOR_ENDPOINT, .rule = PCI_LU_KEEP,
		.writer = "pci_restore_vc_state()",
		.why = "Changes the arbitration between virtual channels that carry traffic.",
		.spec = "6.3 Virtual Channel Support",
	},
	{
		.name = "MFVC.RESOURCE", .cap = "mfvc", .reg = "VC Resource Control",
		.base = AT(mfvc), .off = PCI_VC_RES_CTRL, .width = 4, .count = AT(nr_mfvc),
		.stride = 12, .bits = 0xffffffff, .kinds = PCI_LU_FOR_ENDPOINT, .rule = PCI_LU_KEEP,
		.writer = "pci_restore_vc_state()",
		.why =
			"A traffic class that is mapped to no channel, or to different ones at the two ends of a link, has its packets treated as malformed.",
		.spec = "6.3 Virtual Channel Support",
	},
	{
		.name = "ACS.CONTROL", .cap = "acs", .reg = "ACS Control",
		.base = AT(acs), .off = PCI_ACS_CTRL, .width = 2, .bits = 0xffff,
		.kinds = PCI_LU_FOR_BOTH, .rule = PCI_LU_KEEP,
		.writer = "pci_enable_acs() (enumeration, DMA configuration)",
		.why =
			"ACS decides whether peer-to-peer requests go up to the IOMMU or straight across: a change breaks isolation, or the traffic in flight that relied on the route.",
		.spec = "6.12 Access Control Services",
	},
	{
		.name = "ACS.EGRESS", .cap = "acs", .reg = "Egress Control Vector",
		.base = AT(acs), .off = PCI_ACS_EGRESS_CTL_V, .width = 4, .count = AT(nr_egress),
		.stride = 4, .bits = 0xffffffff, .kinds = PCI_LU_FOR_BOTH, .rule = PCI_LU_KEEP,
		.writer = "pci_enable_acs() (enumeration, DMA configuration)",
		.why =
			"Decides which peers may be reached directly: a change breaks isolation, or the traffic in flight that relied on the route.",
		.spec = "6.12 Access Control Services",
	},
	{
		.name = "ARI.CONTROL", .cap = "ari", .reg = "ARI Control",
		.base = AT(ari), .off = PCI_ARI_CTRL, .width = 2, .bits = 0xffff,
		.kinds = PCI_LU_FOR_ENDPOINT, .rule = PCI_LU_KEEP,
		.writer = "no one in the kernel; config space writes by userspace",
		.why =
			"Function groups decide arbitration and access control between the functions of the device.",
		.spec = "6.13 Alternative Routing-ID Interpretation",
	},
	{
		.name = "ATS.CONTROL", .cap = "ats", .reg = "ATS Control",
		.base = AT(ats), .off = PCI_ATS_CTRL, .width = 2, .bits = 0xffff,
		.kinds = PCI_LU_FOR_ENDPOINT, .rule = PCI_LU_KEEP,
		.writer =
			"pci_prepare_ats() (IOMMU probe), pci_enable_ats(), pci_restore_ats_state()",
		.why =
			"With ATS off the translations that the function has cached are no longer invalidated though it may still use them; with ATS on behind the back of the IOMMU it issues requests that the IOMMU rejects.",
		.spec = "10.5.1.3 ATS Control Register",
	},
	{
		.name = "PRI.ENABLE", .cap = "pri", .reg = "PRI Control",
		.base = AT(pri), .off = PCI_PRI_CTRL, .width = 2, .bits = PCI_PRI_CTRL_ENABLE,
		.kinds = PCI_LU_FOR_ENDPOINT, .rule = PCI_LU_KEEP,
		.writer = "pci_enable_pri(), pci_disable_pri(), pci_restore_pri_state()",
		.why =
			"Page requests in flight are never answered, and the accesses that wait for them never complete.",
		.spec = "10.5.2.2 Page Request Control Register",
	},
	{
		.name = "PRI.RESET", .cap = "pri", .reg = "PRI Control",
		.base = AT(pri), .off = PCI_PRI_CTRL, .width = 2, .bits = PCI_PRI_CTRL_RESET,
		.kinds = PCI_LU_FOR_ENDPOINT, .rule = PCI_LU_ZERO,
		.writer = "pci_reset_pri()",
		.why = "Forgets the credits of page requests that are outstanding.",
		.spec = "10.5.2.2 Page Request Control Register",
	},
	{
		.name = "PRI.ALLOC", .cap = "pri", .reg = "Outstanding Page Request Allocation",
		.base = AT(pri), .off = PCI_PRI_ALLOC_REQ, .width = 4, .bits = 0xffffffff,
		.kinds = PCI_LU_FOR_ENDPOINT, .rule = PCI_LU_KEEP,
		.writer = "pci_enable_pri(), pci_restore_pri_state()",
		.why = "Must not change while page requests are enabled.",
		.spec = "10.5.2 Page Request Extended Capability",
	},
	{
		.name = "PASID.CONTROL", .cap = "pasid", .reg = "PASID Control",
		.base = AT(pasid), .off = PCI_PASID_CTRL, .width = 2, .bits = 0xffff,
		.kinds = PCI_LU_FOR_ENDPOINT, .rule = PCI_LU_KEEP,
		.writer = "pci_enable_pasid(), pci_disable_pasid(), pci_restore_pasid_state()",
		.why =
			"Must not change while ATS is enabled; requests that lose their PASID are translated by another table.",
		.spec = "7.8.8 PASID Extended Capability",
	},
	{
		.name = "SRIOV.VFE", .cap = "sriov", .reg = "SR-IOV Control",
		.base = AT(sriov), .off = PCI_SRIOV_CTRL, .width = 2,
		.bits = PCI_SRIOV_CTRL_VFE | PCI_SRIOV_CTRL_MSE, .kinds = PCI_LU_FOR_ENDPOINT,
		.rule = PCI_LU_KEEP,
		.writer = "sriov_init() (enumeration, writes 0), sriov_enable(), sriov_disable()",
		.why =
			"Clearing VF Enable makes all VFs vanish with what they have in flight; setting it makes VFs appear at addresses that nobody has checked.",
		.spec = "9.3.3.3 SR-IOV Control Register",
	},
	{
		.name = "SRIOV.CONTROL", .cap = "sriov", .reg = "SR-IOV Control",
		.base = AT(sriov), .off = PCI_SRIOV_CTRL, .width = 2,
		.bits = PCI_SRIOV_CTRL_VFM | PCI_SRIOV_CTRL_INTR | PCI_SRIOV_CTRL_ARI,
		.kinds = PCI_LU_FOR_ENDPOINT, .rule = PCI_LU_KEEP, .when = PCI_LU_VFS_ON,
		.writer = "sriov_init() (enumeration), sriov_restore_state()",
		.why =
			"ARI Capable Hierarchy moves the requester IDs of VFs that have requests in flight.",
		.spec = "9.3.3.3 SR-IOV Control Register",
	},
	{
		.name = "SRIOV.NUM_VF", .cap = "sriov", .reg = "NumVFs",
		.base = AT(sriov), .off = PCI_SRIOV_NUM_VF, .width = 2, .bits = 0xffff,
		.kinds = PCI_LU_FOR_ENDPOINT, .rule = PCI_LU_KEEP, .when = PCI_LU_VFS_ON,
		.writer = "compute_max_vf_buses() (enumeration, counts down to 0)",
		.why =
			"Must not change while VF Enable is set; offset and stride of VFs in flight depend on it.",
		.spec = "9.3.3.7 NumVFs",
	},
	{
		.name = "SRIOV.PAGE_SIZE", .cap = "sriov", .reg = "System Page Size",
		.base = AT(sriov), .off = PCI_SRIOV_SYS_PGSIZE, .width = 4, .bits = 0xffffffff,
		.kinds = PCI_LU_FOR_ENDPOINT, .rule = PCI_LU_KEEP, .when = PCI_LU_VFS_ON,
		.writer = "sriov_init() (enumeration), sriov_restore_state()",
		.why =
			"Must not change while VF Enable is set; it sets the alignment, and so the place, of the BARs of every VF.",
		.spec = "9.3.3.13 System Page Size",
	},
	{
		.name = "SRIOV.BAR", .cap = "sriov", .reg = "VF BAR 0-5",
		.base = AT(sriov), .off = PCI_SRIOV_BAR, .width = 4, .count = AT(nr_vf_bars),
		.stride = 4, .slot = PCI_LU_SLOT_VF_BAR0, .bits = 0xffffffff,
		.kinds = PCI_LU_FOR_ENDPOINT, .rule = PCI_LU_SHADOW, .when = PCI_LU_VFS_ON,
		.writer = "sriov_init() (enumeration), sriov_restore_state()",
		.why =
			"While a VF BAR holds the sizing pattern all VFs decode addresses that belong to someone else and none of their own.",
		.spec = "9.3.3.14 VF BARs",
	},
	{
		.name = "REBAR.CONTROL", .cap = "rebar", .reg = "Resizable BAR Control",
		.base = AT(rebar), .off = PCI_REBAR_CTRL, .width = 4, .count = AT(nr_rebar),
		.stride = 8, .bits = PCI_REBAR_CTRL_BAR_SIZE | 0xffff0000,
		.kinds = PCI_LU_FOR_ENDPOINT, .rule = PCI_LU_KEEP,
		.writer = "pci_restore_rebar_state(), pci_rebar_set_size()",
		.why = "Another size changes what the BAR decodes and clears its address.",
		.spec = "7.8.6 Resizable BAR Extended Capability",
	},
	{
		.name = "VF_REBAR.CONTROL", .cap = "vf_rebar", .reg = "VF Resizable BAR Control",
		.base = AT(vf_rebar), .off = PCI_REBAR_CTRL, .width = 4, .count = AT(nr_vf_rebar),
		.stride = 8, .bits = PCI_REBAR_CTRL_BAR_SIZE | 0xffff0000,
		.kinds = PCI_LU_FOR_ENDPOINT, .rule = PCI_LU_KEEP, .when = PCI_LU_VFS_ON,
		.writer = "sriov_restore_vf_rebar_state(), pci_rebar_set_size()",
		.why = "Another size changes what the BARs of all VFs decode.",
		.spec = "7.8.7 VF Resizable BAR Extended Capability",
	},
	{
		.name = "TPH.CONTROL", .cap = "tph", .reg = "TPH Requester Control",
		.base = AT(tph), .off = PCI_TPH_CTRL, .width = 4, .bits = 0xffffffff,
		.kinds = PCI_LU_FOR_ENDPOINT, .rule = PCI_LU_KEEP,
		.writer = "pcie_enable_tph(), pcie_disable_tph(), pci_restore_tph_state()",
		.why = "The function would issue requests with hints that it was not set up for.",
		.spec = "6.17 TLP Processing Hints",
	},
	{
		.name = "TPH.TABLE", .cap = "tph", .reg = "ST Table",
		.base = AT(tph), .off = PCI_TPH_BASE_SIZEOF, .width = 4, .count = AT(nr_st),
		.stride = 4, .bits = 0xffffffff, .kinds = PCI_LU_FOR_ENDPOINT, .rule = PCI_LU_KEEP,
		.writer = "pcie_tph_set_st_entry(), pci_restore_tph_state()",
		.why = "Sends data to the cache of a processor that the owner did not choose.",
		.spec = "6.17 TLP Processing Hints",
	},
	{
		.name = "LTR.LATENCY", .cap = "ltr", .reg = "Max Snoop/No-Snoop Latency",
		.base = AT(ltr), .off = PCI_LTR_MAX_SNOOP_LAT, .width = 4, .bits = 0xffffffff,
		.kinds = PCI_LU_FOR_BOTH, .rule = PCI_LU_KEEP,
		.writer = "pci_restore_ltr_state()",
		.why =
			"With a longer latency the platform may choose sleep states that overrun the buffers of the device.",
		.spec = "6.18 Latency Tolerance Reporting",
	},
	{
		.name = "PORT.DPC.TRIGGER", .cap = "dpc", .reg = "DPC Control",
		.base = AT(dpc), .off = PCI_EXP_DPC_CTL, .width = 2,
		.bits = PCI_LU_EXP_DPC_CTL_SW_TRIGGER, .kinds = PCI_LU_FOR_BRIDGE,
		.rule = PCI_LU_ZERO,
		.writer = "no one in the kernel; config space writes by userspace",
		.why =
			"Containment takes the link down, which is a hot reset for everything behind the port.",
		.spec = "6.2.11 Downstream Port Containment",
	},
	{
		.name = "L1SS.CTL1", .cap = "l1ss", .reg = "L1 PM Substates Control 1",
		.base = AT(l1ss), .off = PCI_L1SS_CTL1, .width = 4, .bits = 0xffffffff,
		.kinds = PCI_LU_FOR_BOTH, .rule = PCI_LU_KEEP,
		.writer = "aspm_calc_l12_info(), pcie_config_aspm_l1ss() (enumeration), restore",
		.why = "Must not change while L1 is enabled at either end, which it stays.",
		.spec = "7.8.3.3 L1 PM Substates Control 1 Register",
	},
	{
		.name = "L1SS.CTL2", .cap = "l1ss", .reg = "L1 PM Substates Control 2",
		.base = AT(l1ss), .off = PCI_L1SS_CTL2, .width = 4, .bits = 0xffffffff,
		.kinds = PCI_LU_FOR_BOTH, .rule = PCI_LU_KEEP,
		.writer = "aspm_calc_l12_info() (enumeration), restore",
		.why =
			"Must not change while L1.2 is enabled: the ends would disagree about how long power takes to come back.",
		.spec = "7.8.3.4 L1 PM Substates Control 2 Register",
	},
	{
		.name = "PTM.CONTROL", .cap = "ptm", .reg = "PTM Control",
		.base = AT(ptm), .off = PCI_PTM_CTRL, .width = 4, .bits = 0xffffffff,
		.kinds = PCI_LU_FOR_BOTH, .rule = PCI_LU_KEEP,
		.writer = "pci_enable_ptm(), pci_disable_ptm(), pci_restore_ptm_state()",
		.why =
			"The function behind loses the time it works with; a PTM request that arrives at a port with PTM off is an unsupported request.",
		.spec = "7.9.15.3 PTM Control Register",
	},
	{
		.name = "PORT.CXL.UNMASK_SBR", .cap = "cxl_port", .reg = "CXL Port Control",
		.base = AT(cxl_port), .off = PCI_LU_DVSEC_CXL_PORT_CTL, .width = 2,
		.bits = PCI_LU_DVSEC_CXL_UNMASK_SBR, .kinds = PCI_LU_FOR_BRIDGE,
		.rule = PCI_LU_STICKY0,
		.writer = "cxl_reset_bus_function()",
		.why = "Makes a secondary bus reset effective.",
		.spec = "CXL 8.1.5.2 CXL Port Control Register",
	},
	{
		.name = "IDE", .cap = "ide", .reg = "IDE Control, Link and Selective Streams",
		.base = AT(ide), .off = PCI_LU_IDE_CTL, .width = 4, .count = AT(nr_ide),
		.stride = 4, .bits = 0xffffffff, .kinds = PCI_LU_FOR_BOTH, .rule = PCI_LU_KEEP,
		.writer = "pci_ide_init() (enumeration), pci_ide_stream_setup()",
		.why =
			"A stream that is disabled, or has its association changed, goes insecure and drops every packet of it.",
		.spec = "6.33 Integrity and Data Encryption",
	},
};

/* The counters of a function have an entry for each row. */
static_assert(ARRAY_SIZE(pci_lu_rows) <= PCI_LU_MAX_ROWS);

/**
 * pci_lu_policy_rows - the policy
 * @n: set to the number of rows
 *
 * Return: the first row. The order matters only in that the address of a ROM BAR
 * comes before its enable bit.
 */
const struct pci_lu_row *pci_lu_policy_rows(unsigned int *n)
{
	*n = ARRAY_SIZE(pci_lu_rows);

	return pci_lu_rows;
}

/**
 * pci_lu_rule_name - a rule in lower case
 * @rule: the rule
 *
 * Return: its name, for tables and reports.
 */
const char *pci_lu_rule_name(enum pci_lu_rule rule)
{
	static const char * const names[] = {
		[PCI_LU_KEEP] = "keep",
		[PCI_LU_STICKY1] = "sticky-1",
		[PCI_LU_STICKY0] = "sticky-0",
		[PCI_LU_ZERO] = "zero",
		[PCI_LU_SHADOW] = "shadow",
		[PCI_LU_ROM_ENABLE] = "rom-enable",
		[PCI_LU_MSIX_CTL] = "msix-control",
		[PCI_LU_MSI_CTL] = "msi-control",
		[PCI_LU_MSI_MASK] = "msi-mask",
	};

	return rule < ARRAY_SIZE(names) ? names[rule] : "?";
}
