/* SPDX-License-Identifier: GPL-2.0 */
/*
 * PCI live update: rows of the policy for the predefined header and the
 * capabilities before PCI Express.
 * Only for policy_table.c, which says what belongs here.
 */

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
		.kinds = PCI_LU_FOR_FUNCTION, .rule = PCI_LU_STICKY1,
		.writer = "pci_read_bases() (enumeration), pci_disable_device()",
		.why =
			"The function stops answering in memory space: peer-to-peer DMA into its BARs is lost, and some devices stop their own DMA when their decoders go off.",
		.spec = "7.5.1.1.3 Command Register",
	},
	{
		.name = "COMMAND.BME", .cap = "header", .reg = "Command",
		.off = PCI_COMMAND, .width = 2, .bits = PCI_COMMAND_MASTER,
		.kinds = PCI_LU_FOR_ENDPOINT, .rule = PCI_LU_STICKY1,
		.after = PCI_LU_AFTER_REREAD,
		.writer = "pci_clear_master() (shutdown, open), pci_disable_device(), _HPX",
		.why =
			"The function may no longer issue memory requests: DMA stops at once, and so do MSI and MSI-X, which are memory writes.",
		.spec = "7.5.1.1.3 Command Register",
	},
	{
		.name = "COMMAND.INTX", .cap = "header", .reg = "Command",
		.off = PCI_COMMAND, .width = 2, .bits = PCI_COMMAND_INTX_DISABLE,
		.kinds = PCI_LU_FOR_ENDPOINT, .rule = PCI_LU_INTX,
		.after = PCI_LU_AFTER_REWRITE,
		.writer =
			"pci_intx_mask_broken() (enumeration), do_pci_enable_device(), vfio_pci_core_enable()",
		.why =
			"The level may be waiting since before the update, and until its owner has a handler nobody serves it: a line that is shared is switched off for all who share it.",
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
		.after = PCI_LU_AFTER_REREAD,
		.writer = "pci_device_shutdown(), pci_disable_device()",
		.why =
			"The port stops forwarding memory and I/O requests upstream and answers them as unsupported: all functions behind it lose DMA and MSI.",
		.spec = "7.5.1.1.3 Command Register",
	},
	{
		.name = "BIST.START", .cap = "header", .reg = "BIST",
		.off = PCI_BIST, .width = 1, .bits = PCI_BIST_START, .kinds = PCI_LU_FOR_BOTH_PF,
		.rule = PCI_LU_ZERO,
		.writer = "no one in the kernel; config space writes by userspace",
		.why =
			"The function runs its self test and may do anything but its work for up to two seconds.",
		.spec = "7.5.1.1.10 BIST Register",
	},
	{
		.name = "BAR", .cap = "header", .reg = "Base Address 0-5",
		.off = PCI_BASE_ADDRESS_0, .width = 4, .count = AT(nr_bars), .stride = 4,
		.slot = PCI_LU_SLOT_BAR0, .bits = 0xffffffff, .kinds = PCI_LU_FOR_FUNCTION,
		.rule = PCI_LU_SHADOW,
		.after = PCI_LU_AFTER_VERIFIED,
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
		.after = PCI_LU_AFTER_VERIFIED,
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
		.after = PCI_LU_AFTER_VERIFIED,
		.writer = "pci_scan_bridge_extend() (enumeration, pci=assign-busses)",
		.why =
			"Completions are routed by bus number: those for requests in flight would go astray, and the functions behind the port would time out. The requester IDs that the IOMMU knows would change, too.",
		.spec = "7.5.1.3.3 Secondary Bus Number Register",
	},
	{
		.name = "PORT.WINDOW.IO", .cap = "header", .reg = "I/O Base, I/O Limit",
		.off = PCI_IO_BASE, .width = 2, .slot = PCI_LU_SLOT_WIN0, .bits = 0xffff,
		.kinds = PCI_LU_FOR_BRIDGE, .rule = PCI_LU_SHADOW,
		.after = PCI_LU_AFTER_REWRITE,
		.writer = "pci_read_bridge_windows() (enumeration), pci_setup_bridge_io()",
		.why =
			"The port stops forwarding I/O requests to the functions behind it, or claims those of others, until the old value is back.",
		.spec = "7.5.1.3.6 I/O Base/I/O Limit Registers",
	},
	{
		.name = "PORT.WINDOW.MEM", .cap = "header", .reg = "Memory Base, Memory Limit",
		.off = PCI_MEMORY_BASE, .width = 4, .slot = PCI_LU_SLOT_WIN0 + 1,
		.bits = 0xffffffff, .kinds = PCI_LU_FOR_BRIDGE, .rule = PCI_LU_SHADOW,
		.after = PCI_LU_AFTER_REWRITE,
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
		.after = PCI_LU_AFTER_REWRITE,
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
		.after = PCI_LU_AFTER_REWRITE,
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
		.after = PCI_LU_AFTER_REWRITE,
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
		.after = PCI_LU_AFTER_REWRITE,
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
		.kinds = PCI_LU_FOR_FUNCTION, .rule = PCI_LU_KEEP,
		.after = PCI_LU_AFTER_REREAD,
		.writer = "pci_set_power_state() (shutdown, runtime PM of vfio-pci)",
		.why =
			"Outside D0 a function issues no requests but PME: DMA and interrupts stop, and on the way back it may be reset.",
		.spec = "7.5.2.2 Power Management Control/Status Register",
	},
	{
		.name = "PORT.PM.STATE", .cap = "pm", .reg = "PMCSR",
		.base = AT(pm), .off = PCI_PM_CTRL, .width = 2, .bits = PCI_PM_CTRL_STATE_MASK,
		.kinds = PCI_LU_FOR_BRIDGE, .rule = PCI_LU_KEEP,
		.after = PCI_LU_AFTER_REREAD,
		.writer = "pci_set_power_state() (runtime PM of portdrv, shutdown)",
		.why =
			"The link behind a port outside D0 leaves L0, and no request passes in either direction.",
		.spec = "7.5.2.2 Power Management Control/Status Register",
	},
	{
		.name = "MSI.ENABLE", .cap = "msi", .reg = "MSI Message Control",
		.base = AT(msi), .off = PCI_MSI_FLAGS, .width = 2, .bits = PCI_MSI_FLAGS_ENABLE,
		.kinds = PCI_LU_FOR_ENDPOINT, .rule = PCI_LU_MSI_CTL,
		.after = PCI_LU_AFTER_REWRITE,
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
		.after = PCI_LU_AFTER_REWRITE,
		.writer = "pci_msix_init() (enumeration), pci_msix_shutdown()",
		.why =
			"With Enable clear, events need not be latched in the Pending Bit Array, and the function may fall back to INTx. With Function Mask set instead, they are delivered when the owner re-arms.",
		.spec = "7.7.2.2 Message Control Register for MSI-X",
	},
	{
		.name = "AF.FLR", .cap = "af", .reg = "AF Control",
		.base = AT(af), .off = PCI_AF_CTRL, .width = 1, .bits = PCI_AF_CTRL_FLR,
		.kinds = PCI_LU_FOR_FUNCTION, .rule = PCI_LU_ZERO,
		.writer = "pci_af_flr()",
		.why = "A function level reset: the function loses its state and its DMA.",
		.spec = "6.6.2 Function Level Reset",
	},
