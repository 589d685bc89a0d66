/* SPDX-License-Identifier: GPL-2.0 */
/*
 * PCI live update: rows of the policy for the extended capabilities.
 * Only for policy_table.c, which says what belongs here.
 */

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
		.bits = PCI_ERR_CAP_ECRC_GENE | PCI_ERR_CAP_ECRC_CHKE, .kinds = PCI_LU_FOR_BOTH_PF,
		.rule = PCI_LU_KEEP,
		.writer = "pcie_set_ecrc_checking(), program_hpx_type2(), pci_restore_state()",
		.why =
			"Checking switched on at one end while the other does not generate, or the reverse, makes packets in flight fail the check.",
		.spec = "7.8.4.7 Advanced Error Capabilities and Control Register",
	},
	{
		.name = "VC.PORT", .cap = "vc", .reg = "Port VC Control",
		.base = AT(vc), .off = PCI_VC_PORT_CTRL, .width = 2, .bits = 0xffff,
		.kinds = PCI_LU_FOR_ALL, .rule = PCI_LU_KEEP,
		.writer = "pci_restore_vc_state()",
		.why = "Changes the arbitration between virtual channels that carry traffic.",
		.spec = "6.3 Virtual Channel Support",
	},
	{
		.name = "VC.RESOURCE", .cap = "vc", .reg = "VC Resource Control",
		.base = AT(vc), .off = PCI_VC_RES_CTRL, .width = 4, .count = AT(nr_vc),
		.stride = 12, .bits = 0xffffffff, .kinds = PCI_LU_FOR_ALL, .rule = PCI_LU_KEEP,
		.writer = "pci_restore_vc_state()",
		.why =
			"A traffic class that is mapped to no channel, or to different ones at the two ends of a link, has its packets treated as malformed.",
		.spec = "6.3 Virtual Channel Support",
	},
	{
		.name = "MFVC.PORT", .cap = "mfvc", .reg = "Port VC Control",
		.base = AT(mfvc), .off = PCI_VC_PORT_CTRL, .width = 2, .bits = 0xffff,
		.kinds = PCI_LU_FOR_DEVICE, .rule = PCI_LU_KEEP,
		.writer = "pci_restore_vc_state()",
		.why = "Changes the arbitration between virtual channels that carry traffic.",
		.spec = "6.3 Virtual Channel Support",
	},
	{
		.name = "MFVC.RESOURCE", .cap = "mfvc", .reg = "VC Resource Control",
		.base = AT(mfvc), .off = PCI_VC_RES_CTRL, .width = 4, .count = AT(nr_mfvc),
		.stride = 12, .bits = 0xffffffff, .kinds = PCI_LU_FOR_DEVICE, .rule = PCI_LU_KEEP,
		.writer = "pci_restore_vc_state()",
		.why =
			"A traffic class that is mapped to no channel, or to different ones at the two ends of a link, has its packets treated as malformed.",
		.spec = "6.3 Virtual Channel Support",
	},
	{
		.name = "ACS.CONTROL", .cap = "acs", .reg = "ACS Control",
		.base = AT(acs), .off = PCI_ACS_CTRL, .width = 2, .bits = 0xffff,
		.kinds = PCI_LU_FOR_ALL, .rule = PCI_LU_KEEP,
		.writer = "pci_enable_acs() (enumeration, DMA configuration)",
		.why =
			"ACS decides whether peer-to-peer requests go up to the IOMMU or straight across: a change breaks isolation, or the traffic in flight that relied on the route.",
		.spec = "6.12 Access Control Services",
	},
	{
		.name = "ACS.EGRESS", .cap = "acs", .reg = "Egress Control Vector",
		.base = AT(acs), .off = PCI_ACS_EGRESS_CTL_V, .width = 4, .count = AT(nr_egress),
		.stride = 4, .bits = 0xffffffff, .kinds = PCI_LU_FOR_ALL, .rule = PCI_LU_KEEP,
		.writer = "pci_enable_acs() (enumeration, DMA configuration)",
		.why =
			"Decides which peers may be reached directly: a change breaks isolation, or the traffic in flight that relied on the route.",
		.spec = "6.12 Access Control Services",
	},
	{
		.name = "ARI.CONTROL", .cap = "ari", .reg = "ARI Control",
		.base = AT(ari), .off = PCI_ARI_CTRL, .width = 2, .bits = 0xffff,
		.kinds = PCI_LU_FOR_DEVICE, .rule = PCI_LU_KEEP,
		.writer = "no one in the kernel; config space writes by userspace",
		.why =
			"Function groups decide arbitration and access control between the functions of the device.",
		.spec = "6.13 Alternative Routing-ID Interpretation",
	},
	{
		.name = "ATS.CONTROL", .cap = "ats", .reg = "ATS Control",
		.base = AT(ats), .off = PCI_ATS_CTRL, .width = 2, .bits = 0xffff,
		.kinds = PCI_LU_FOR_FUNCTION, .rule = PCI_LU_KEEP,
		.after = PCI_LU_AFTER_VERIFIED,
		.writer =
			"pci_prepare_ats() (IOMMU probe), pci_enable_ats(), pci_restore_ats_state()",
		.why =
			"With ATS off the translations that the function has cached are no longer invalidated though it may still use them; with ATS on behind the back of the IOMMU it issues requests that the IOMMU rejects.",
		.spec = "10.5.1.3 ATS Control Register",
	},
	{
		.name = "PRI.ENABLE", .cap = "pri", .reg = "PRI Control",
		.base = AT(pri), .off = PCI_PRI_CTRL, .width = 2, .bits = PCI_PRI_CTRL_ENABLE,
		.kinds = PCI_LU_FOR_FUNCTION, .rule = PCI_LU_KEEP,
		.after = PCI_LU_AFTER_VERIFIED,
		.writer = "pci_enable_pri(), pci_disable_pri(), pci_restore_pri_state()",
		.why =
			"Page requests in flight are never answered, and the accesses that wait for them never complete.",
		.spec = "10.5.2.2 Page Request Control Register",
	},
	{
		.name = "PRI.RESET", .cap = "pri", .reg = "PRI Control",
		.base = AT(pri), .off = PCI_PRI_CTRL, .width = 2, .bits = PCI_PRI_CTRL_RESET,
		.kinds = PCI_LU_FOR_FUNCTION, .rule = PCI_LU_ZERO,
		.writer = "pci_reset_pri()",
		.why = "Forgets the credits of page requests that are outstanding.",
		.spec = "10.5.2.2 Page Request Control Register",
	},
	{
		.name = "PRI.ALLOC", .cap = "pri", .reg = "Outstanding Page Request Allocation",
		.base = AT(pri), .off = PCI_PRI_ALLOC_REQ, .width = 4, .bits = 0xffffffff,
		.kinds = PCI_LU_FOR_FUNCTION, .rule = PCI_LU_KEEP,
		.writer = "pci_enable_pri(), pci_restore_pri_state()",
		.why = "Must not change while page requests are enabled.",
		.spec = "10.5.2 Page Request Extended Capability",
	},
	{
		.name = "PASID.CONTROL", .cap = "pasid", .reg = "PASID Control",
		.base = AT(pasid), .off = PCI_PASID_CTRL, .width = 2, .bits = 0xffff,
		.kinds = PCI_LU_FOR_FUNCTION, .rule = PCI_LU_KEEP,
		.after = PCI_LU_AFTER_VERIFIED,
		.writer = "pci_enable_pasid(), pci_disable_pasid(), pci_restore_pasid_state()",
		.why =
			"Must not change while ATS is enabled; requests that lose their PASID are translated by another table.",
		.spec = "7.8.8 PASID Extended Capability",
	},
	{
		.name = "SRIOV.VFE", .cap = "sriov", .reg = "SR-IOV Control",
		.base = AT(sriov), .off = PCI_SRIOV_CTRL, .width = 2,
		.bits = PCI_SRIOV_CTRL_VFE | PCI_SRIOV_CTRL_MSE, .kinds = PCI_LU_FOR_FUNCTION,
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
		.kinds = PCI_LU_FOR_FUNCTION, .rule = PCI_LU_KEEP, .when = PCI_LU_VFS_ON,
		.writer = "sriov_init() (enumeration), sriov_restore_state()",
		.why =
			"ARI Capable Hierarchy moves the requester IDs of VFs that have requests in flight.",
		.spec = "9.3.3.3 SR-IOV Control Register",
	},
	{
		.name = "SRIOV.NUM_VF", .cap = "sriov", .reg = "NumVFs",
		.base = AT(sriov), .off = PCI_SRIOV_NUM_VF, .width = 2, .bits = 0xffff,
		.kinds = PCI_LU_FOR_FUNCTION, .rule = PCI_LU_KEEP, .when = PCI_LU_VFS_ON,
		.writer = "compute_max_vf_buses() (enumeration, counts down to 0)",
		.why =
			"Must not change while VF Enable is set; offset and stride of VFs in flight depend on it.",
		.spec = "9.3.3.7 NumVFs",
	},
	{
		.name = "SRIOV.PAGE_SIZE", .cap = "sriov", .reg = "System Page Size",
		.base = AT(sriov), .off = PCI_SRIOV_SYS_PGSIZE, .width = 4, .bits = 0xffffffff,
		.kinds = PCI_LU_FOR_FUNCTION, .rule = PCI_LU_KEEP, .when = PCI_LU_VFS_ON,
		.writer = "sriov_init() (enumeration), sriov_restore_state()",
		.why =
			"Must not change while VF Enable is set; it sets the alignment, and so the place, of the BARs of every VF.",
		.spec = "9.3.3.13 System Page Size",
	},
	{
		.name = "SRIOV.BAR", .cap = "sriov", .reg = "VF BAR 0-5",
		.base = AT(sriov), .off = PCI_SRIOV_BAR, .width = 4, .count = AT(nr_vf_bars),
		.stride = 4, .slot = PCI_LU_SLOT_VF_BAR0, .bits = 0xffffffff,
		.kinds = PCI_LU_FOR_FUNCTION, .rule = PCI_LU_SHADOW, .when = PCI_LU_VFS_ON,
		.writer = "sriov_init() (enumeration), sriov_restore_state()",
		.why =
			"While a VF BAR holds the sizing pattern all VFs decode addresses that belong to someone else and none of their own.",
		.spec = "9.3.3.14 VF BARs",
	},
	{
		.name = "REBAR.CONTROL", .cap = "rebar", .reg = "Resizable BAR Control",
		.base = AT(rebar), .off = PCI_REBAR_CTRL, .width = 4, .count = AT(nr_rebar),
		.stride = 8, .bits = PCI_REBAR_CTRL_BAR_SIZE | 0xffff0000,
		.kinds = PCI_LU_FOR_FUNCTION, .rule = PCI_LU_KEEP,
		.writer = "pci_restore_rebar_state(), pci_rebar_set_size()",
		.why = "Another size changes what the BAR decodes and clears its address.",
		.spec = "7.8.6 Resizable BAR Extended Capability",
	},
	{
		.name = "VF_REBAR.CONTROL", .cap = "vf_rebar", .reg = "VF Resizable BAR Control",
		.base = AT(vf_rebar), .off = PCI_REBAR_CTRL, .width = 4, .count = AT(nr_vf_rebar),
		.stride = 8, .bits = PCI_REBAR_CTRL_BAR_SIZE | 0xffff0000,
		.kinds = PCI_LU_FOR_FUNCTION, .rule = PCI_LU_KEEP, .when = PCI_LU_VFS_ON,
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
		.kinds = PCI_LU_FOR_ALL, .rule = PCI_LU_KEEP,
		.writer = "pci_restore_ltr_state()",
		.why =
			"With a longer latency the platform may choose sleep states that overrun the buffers of the device.",
		.spec = "6.18 Latency Tolerance Reporting",
	},
	{
		.name = "PORT.DPC.ENABLE", .cap = "dpc", .reg = "DPC Control",
		.base = AT(dpc), .off = PCI_EXP_DPC_CTL, .width = 2,
		.bits = PCI_EXP_DPC_CTL_EN_FATAL | PCI_EXP_DPC_CTL_EN_NONFATAL,
		.kinds = PCI_LU_FOR_BRIDGE, .rule = PCI_LU_STICKY1,
		.writer = "dpc_remove() (shutdown of portdrv)",
		.why =
			"An uncorrectable error would not be contained any more: what follows it reaches memory.",
		.spec = "7.9.14.3 DPC Control Register",
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
		.kinds = PCI_LU_FOR_ALL, .rule = PCI_LU_KEEP,
		.writer = "aspm_calc_l12_info(), pcie_config_aspm_l1ss() (enumeration), restore",
		.why = "Must not change while L1 is enabled at either end, which it stays.",
		.spec = "7.8.3.3 L1 PM Substates Control 1 Register",
	},
	{
		.name = "L1SS.CTL2", .cap = "l1ss", .reg = "L1 PM Substates Control 2",
		.base = AT(l1ss), .off = PCI_L1SS_CTL2, .width = 4, .bits = 0xffffffff,
		.kinds = PCI_LU_FOR_ALL, .rule = PCI_LU_KEEP,
		.writer = "aspm_calc_l12_info() (enumeration), restore",
		.why =
			"Must not change while L1.2 is enabled: the ends would disagree about how long power takes to come back.",
		.spec = "7.8.3.4 L1 PM Substates Control 2 Register",
	},
	{
		.name = "PTM.CONTROL", .cap = "ptm", .reg = "PTM Control",
		.base = AT(ptm), .off = PCI_PTM_CTRL, .width = 4, .bits = 0xffffffff,
		.kinds = PCI_LU_FOR_ALL, .rule = PCI_LU_KEEP,
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
		.stride = 4, .bits = 0xffffffff, .kinds = PCI_LU_FOR_BOTH_PF, .rule = PCI_LU_KEEP,
		.writer = "pci_ide_init() (enumeration), pci_ide_stream_setup()",
		.why =
			"A stream that is disabled, or has its association changed, goes insecure and drops every packet of it.",
		.spec = "6.33 Integrity and Data Encryption",
	},
