/* SPDX-License-Identifier: GPL-2.0 */
/*
 * PCI live update: rows of the policy for the PCI Express capability.
 * Only for policy_table.c, which says what belongs here.
 */

	/* PCI Express capability. */
	{
		.name = "DEVCTL.FLR", .cap = "pcie", .reg = "Device Control",
		.base = AT(pcie), .off = PCI_EXP_DEVCTL, .width = 2, .bits = PCI_EXP_DEVCTL_BCR_FLR,
		.kinds = PCI_LU_FOR_FUNCTION, .rule = PCI_LU_ZERO,
		.writer = "pcie_flr() (vfio open and close, sysfs reset)",
		.why = "A function level reset: the function loses its state and its DMA.",
		.spec = "6.6.2 Function Level Reset",
	},
	{
		.name = "DEVCTL.MPS", .cap = "pcie", .reg = "Device Control",
		.base = AT(pcie), .off = PCI_EXP_DEVCTL, .width = 2, .bits = PCI_EXP_DEVCTL_PAYLOAD,
		.kinds = PCI_LU_FOR_DEVICE, .rule = PCI_LU_KEEP,
		.writer = "pci_configure_mps() (enumeration), pci_restore_state()",
		.why =
			"A packet larger than the Max_Payload_Size of its receiver is a Malformed TLP, a fatal error; both ends of the path have to change together, with nothing in flight.",
		.spec = "7.5.3.4 Device Control Register",
	},
	{
		.name = "DEVCTL.MRRS", .cap = "pcie", .reg = "Device Control",
		.base = AT(pcie), .off = PCI_EXP_DEVCTL, .width = 2, .bits = PCI_EXP_DEVCTL_READRQ,
		.kinds = PCI_LU_FOR_FUNCTION, .rule = PCI_LU_KEEP,
		.writer = "pcie_write_mrrs() (pci=pcie_bus_*), pci_restore_state()",
		.why =
			"The owner has tuned its device to this read size, and the driver in the guest believes in it; some root ports corrupt or stall larger reads.",
		.spec = "7.5.3.4 Device Control Register",
	},
	{
		.name = "DEVCTL.EXT_TAG", .cap = "pcie", .reg = "Device Control",
		.base = AT(pcie), .off = PCI_EXP_DEVCTL, .width = 2,
		.bits = PCI_EXP_DEVCTL_EXT_TAG | PCI_EXP_DEVCTL_PHANTOM,
		.kinds = PCI_LU_FOR_FUNCTION, .rule = PCI_LU_KEEP,
		.writer = "pci_configure_extended_tags() (enumeration), pci_restore_state()",
		.why =
			"The width of the tag must not change while non-posted requests are outstanding: the result is undefined, completions may be matched to the wrong request.",
		.spec = "7.5.3.4 Device Control Register",
	},
	{
		.name = "DEVCTL.ORDERING", .cap = "pcie", .reg = "Device Control",
		.base = AT(pcie), .off = PCI_EXP_DEVCTL, .width = 2,
		.bits = PCI_EXP_DEVCTL_RELAX_EN | PCI_EXP_DEVCTL_NOSNOOP_EN,
		.kinds = PCI_LU_FOR_FUNCTION, .rule = PCI_LU_KEEP,
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
		.bits = PCI_EXP_LNKCTL_ASPMC | PCI_EXP_LNKCTL_CLKREQ_EN, .kinds = PCI_LU_FOR_ALL,
		.rule = PCI_LU_KEEP,
		.writer = "pcie_config_aspm_link(), pcie_clkpm_enable() (enumeration)",
		.why =
			"ASPM must change at both ends and in a fixed order; the core derives what it writes from the clock configuration and the L1 substates, which are kept, so the ends could be left in disagreement. A clock that goes off under traffic stalls the link.",
		.spec = "7.5.3.7 Link Control Register",
	},
	{
		.name = "LNKCTL.RCB", .cap = "pcie", .reg = "Link Control",
		.base = AT(pcie_link), .off = PCI_EXP_LNKCTL, .width = 2,
		.bits = PCI_EXP_LNKCTL_RCB, .kinds = PCI_LU_FOR_ALL, .rule = PCI_LU_KEEP,
		.writer = "pci_configure_rcb() (enumeration, unconditional), program_hpx_type2()",
		.why =
			"A function that expects completions cut at 128 bytes treats those cut at 64 as malformed: its reads in flight fail.",
		.spec = "7.5.3.7 Link Control Register",
	},
	{
		.name = "LNKCTL.CCC", .cap = "pcie", .reg = "Link Control",
		.base = AT(pcie_link), .off = PCI_EXP_LNKCTL, .width = 2,
		.bits = PCI_EXP_LNKCTL_CCC | PCI_EXP_LNKCTL_ES, .kinds = PCI_LU_FOR_ALL,
		.rule = PCI_LU_KEEP,
		.writer = "pcie_aspm_configure_common_clock() (enumeration)",
		.why =
			"The clock configuration sets the exit latency that both ends count on; it takes effect through a retrain, which is withheld, so a change would leave the ends in disagreement.",
		.spec = "7.5.3.7 Link Control Register",
	},
	{
		.name = "LNKCTL.HAWD", .cap = "pcie", .reg = "Link Control",
		.base = AT(pcie_link), .off = PCI_EXP_LNKCTL, .width = 2,
		.bits = PCI_EXP_LNKCTL_HAWD, .kinds = PCI_LU_FOR_ALL, .rule = PCI_LU_KEEP,
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
		.kinds = PCI_LU_FOR_FUNCTION, .rule = PCI_LU_KEEP,
		.writer = "pci_restore_state(), drivers",
		.why =
			"A shorter completion timeout can expire for reads that are outstanding already, which is an uncorrectable error.",
		.spec = "7.5.3.16 Device Control 2 Register",
	},
	{
		.name = "DEVCTL2.ATOMIC", .cap = "pcie", .reg = "Device Control 2",
		.base = AT(pcie2), .off = PCI_EXP_DEVCTL2, .width = 2,
		.bits = PCI_EXP_DEVCTL2_ATOMIC_REQ, .kinds = PCI_LU_FOR_FUNCTION,
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
		.kinds = PCI_LU_FOR_FUNCTION, .rule = PCI_LU_KEEP,
		.writer = "pci_restore_state()",
		.why =
			"Requests in flight and those that follow would be ordered by different rules.",
		.spec = "7.5.3.16 Device Control 2 Register",
	},
	{
		.name = "DEVCTL2.TAG10", .cap = "pcie", .reg = "Device Control 2",
		.base = AT(pcie2), .off = PCI_EXP_DEVCTL2, .width = 2,
		.bits = PCI_LU_EXP_DEVCTL2_TAG10_REQ, .kinds = PCI_LU_FOR_FUNCTION,
		.rule = PCI_LU_KEEP,
		.writer = "pci_restore_state()",
		.why =
			"The width of the tag must not change while non-posted requests are outstanding.",
		.spec = "7.5.3.16 Device Control 2 Register",
	},
	{
		.name = "DEVCTL2.LTR", .cap = "pcie", .reg = "Device Control 2",
		.base = AT(pcie2), .off = PCI_EXP_DEVCTL2, .width = 2,
		.bits = PCI_EXP_DEVCTL2_LTR_EN, .kinds = PCI_LU_FOR_ALL, .rule = PCI_LU_KEEP,
		.after = PCI_LU_AFTER_REREAD,
		.writer = "pci_configure_ltr() (enumeration), pci_restore_state()",
		.why =
			"A port treats an LTR message as an unsupported request if LTR is off in it but still on below; and with LTR off the platform may choose sleep states that overrun the buffers of the device.",
		.spec = "6.18 Latency Tolerance Reporting",
	},
	{
		.name = "PORT.DEVCTL2.ARI", .cap = "pcie", .reg = "Device Control 2",
		.base = AT(pcie2), .off = PCI_EXP_DEVCTL2, .width = 2, .bits = PCI_EXP_DEVCTL2_ARI,
		.kinds = PCI_LU_FOR_BRIDGE, .rule = PCI_LU_KEEP,
		.after = PCI_LU_AFTER_REREAD,
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
		.kinds = PCI_LU_FOR_ALL, .rule = PCI_LU_KEEP,
		.writer = "pcie_failed_link_retrain(), bwctrl, pci_restore_state()",
		.why =
			"A new target speed takes effect at the next retrain, which may come from hardware at any time: the link changes speed under traffic, or enters compliance mode.",
		.spec = "7.5.3.19 Link Control 2 Register",
	},
