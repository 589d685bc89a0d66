// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The predefined header of a type 0 function and the capabilities below 100h.
 *
 * Defaults are what vfio-pci lets through, less what would show the guest the host: what the
 * host's kernel decides (payload size, link, power management events) is virtual or hidden;
 * interrupts are virtual, since the VMM sets them up through VFIO_DEVICE_SET_IRQS.
 */
#include "caps_macros.h"

static const struct hf_field header[] = {
	F("vendor", PCI_VENDOR_ID, 2, "id", 0xffff, RO, OWN, ANY),
	F("device", PCI_DEVICE_ID, 2, "id", 0xffff, RO, OWN, ANY),
	F("command", PCI_COMMAND, 2, "io", PCI_COMMAND_IO, RW, PASS, ANY, VFH),
	F("command", PCI_COMMAND, 2, "memory", PCI_COMMAND_MEMORY, RW, PASS, ANY, VFV),
	F("command", PCI_COMMAND, 2, "master", PCI_COMMAND_MASTER, RW, PASS, ANY),
	F("command", PCI_COMMAND, 2, "parity", PCI_COMMAND_PARITY, RW, PASS, ANY, VFH),
	F("command", PCI_COMMAND, 2, "serr", PCI_COMMAND_SERR, RW, PASS, ANY, VFH),
	F("command", PCI_COMMAND, 2, "intx_disable", PCI_COMMAND_INTX_DISABLE, RW, PASS, ANY, VFH),
	F("status", PCI_STATUS, 2, "imm_ready", 0x0001, RO, RO, SUBSET),
	F("status", PCI_STATUS, 2, "interrupt", PCI_STATUS_INTERRUPT, RO, LIVE, ANY, VFH),
	F("status", PCI_STATUS, 2, "cap_list", PCI_STATUS_CAP_LIST, RO, OWN, ANY),
	F("status", PCI_STATUS, 2, "66mhz", PCI_STATUS_66MHZ, RO, RO, ANY),
	F("status", PCI_STATUS, 2, "fast_back", PCI_STATUS_FAST_BACK, RO, RO, ANY),
	F("status", PCI_STATUS, 2, "parity", PCI_STATUS_PARITY, RW1C, PASS, ANY),
	F("status", PCI_STATUS, 2, "devsel", PCI_STATUS_DEVSEL_MASK, RO, RO, ANY),
	F("status", PCI_STATUS, 2, "errors",
	  PCI_STATUS_SIG_TARGET_ABORT | PCI_STATUS_REC_TARGET_ABORT | PCI_STATUS_REC_MASTER_ABORT |
		  PCI_STATUS_SIG_SYSTEM_ERROR | PCI_STATUS_DETECTED_PARITY,
	  RW1C, PASS, ANY),
	F("revision", PCI_CLASS_REVISION, 1, "id", 0xff, RO, OWN, ANY),
	F("prog_if", PCI_CLASS_PROG, 1, "id", 0xff, RO, OWN, ANY),
	F("class", PCI_CLASS_DEVICE, 2, "id", 0xffff, RO, OWN, ANY),
	F("cache_line_size", PCI_CACHE_LINE_SIZE, 1, "size", 0xff, RW, VIRT, ANY),
	F("latency_timer", PCI_LATENCY_TIMER, 1, "timer", 0xff, RO, HIDE, ANY),
	F("header_type", PCI_HEADER_TYPE, 1, "type", 0xff, RO, OWN, ANY),
	F("bist", PCI_BIST, 1, "bist", 0xff, RW, HIDE, ANY),
	F("bar0", PCI_BASE_ADDRESS_0, 4, "bar", 0xffffffff, RW, OWN, ANY),
	F("bar1", PCI_BASE_ADDRESS_1, 4, "bar", 0xffffffff, RW, OWN, ANY),
	F("bar2", PCI_BASE_ADDRESS_2, 4, "bar", 0xffffffff, RW, OWN, ANY),
	F("bar3", PCI_BASE_ADDRESS_3, 4, "bar", 0xffffffff, RW, OWN, ANY),
	F("bar4", PCI_BASE_ADDRESS_4, 4, "bar", 0xffffffff, RW, OWN, ANY),
	F("bar5", PCI_BASE_ADDRESS_5, 4, "bar", 0xffffffff, RW, OWN, ANY),
	F("cardbus_cis", PCI_CARDBUS_CIS, 4, "pointer", 0xffffffff, RO, HIDE, ANY),
	F("subsystem_vendor", PCI_SUBSYSTEM_VENDOR_ID, 2, "id", 0xffff, RO, OWN, ANY),
	F("subsystem", PCI_SUBSYSTEM_ID, 2, "id", 0xffff, RO, OWN, ANY),
	F("rom", PCI_ROM_ADDRESS, 4, "bar", 0xffffffff, RW, OWN, ANY),
	F("capability_list", PCI_CAPABILITY_LIST, 1, "pointer", 0xff, RO, OWN, ANY),
	F("interrupt_line", PCI_INTERRUPT_LINE, 1, "line", 0xff, RW, VIRT, ANY),
	F("interrupt_pin", PCI_INTERRUPT_PIN, 1, "pin", 0xff, RO, RO, SAME0, VFH),
	F("min_gnt", PCI_MIN_GNT, 1, "gnt", 0xff, RO, HIDE, ANY),
	F("max_lat", PCI_MAX_LAT, 1, "lat", 0xff, RO, HIDE, ANY),
};

const struct hf_capdef hf_header_def = CAP(0, "header", "Type 0 Configuration Space Header",
					   "7.5.1", PCI_STD_HEADER_SIZEOF, header);

static const struct hf_field pm[] = {
	F("pmc", PCI_PM_PMC, 2, "version", PCI_PM_CAP_VER_MASK, RO, RO, ANY),
	F("pmc", PCI_PM_PMC, 2, "pme_clock", PCI_PM_CAP_PME_CLOCK, RO, RO, ANY),
	F("pmc", PCI_PM_PMC, 2, "imm_ready", 0x0010, RO, RO, SUBSET),
	F("pmc", PCI_PM_PMC, 2, "dsi", PCI_PM_CAP_DSI, RO, RO, ANY),
	F("pmc", PCI_PM_PMC, 2, "aux", PCI_PM_CAP_AUX_POWER, RO, RO, ANY),
	F("pmc", PCI_PM_PMC, 2, "d1", PCI_PM_CAP_D1, RO, RO, SUBSET),
	F("pmc", PCI_PM_PMC, 2, "d2", PCI_PM_CAP_D2, RO, RO, SUBSET),
	F("pmc", PCI_PM_PMC, 2, "pme", PCI_PM_CAP_PME_MASK, RO, HIDE, SUBSET),
	F("ctrl", PCI_PM_CTRL, 2, "state", PCI_PM_CTRL_STATE_MASK, RW, PASS, ANY),
	F("ctrl", PCI_PM_CTRL, 2, "no_soft_reset", PCI_PM_CTRL_NO_SOFT_RESET, RO, RO, SUBSET),
	F("ctrl", PCI_PM_CTRL, 2, "pme_enable", PCI_PM_CTRL_PME_ENABLE, RW, HIDE, ANY),
	F("ctrl", PCI_PM_CTRL, 2, "data_sel", PCI_PM_CTRL_DATA_SEL_MASK, RW, HIDE, ANY),
	F("ctrl", PCI_PM_CTRL, 2, "data_scale", PCI_PM_CTRL_DATA_SCALE_MASK, RO, HIDE, ANY),
	F("ctrl", PCI_PM_CTRL, 2, "pme_status", PCI_PM_CTRL_PME_STATUS, RW1C, HIDE, ANY),
	F("ppb_extensions", PCI_PM_PPB_EXTENSIONS, 1, "bits", 0xff, RO, HIDE, ANY),
	F("data_register", PCI_PM_DATA_REGISTER, 1, "data", 0xff, RO, HIDE, ANY),
};

static const struct hf_field vpd[] = {
	F("addr", PCI_VPD_ADDR, 2, "mask", PCI_VPD_ADDR_MASK, RW, PASS, ANY),
	F("addr", PCI_VPD_ADDR, 2, "f", PCI_VPD_ADDR_F, RW, PASS, ANY),
	F("data", PCI_VPD_DATA, 4, "data", 0xffffffff, RW, PASS, ANY),
};

#define M32  .when = HF_W_MSI32
#define M64  .when = HF_W_MSI64
#define M32M .when = HF_W_MSI32M
#define M64M .when = HF_W_MSI64M

static const struct hf_field msi[] = {
	F("flags", PCI_MSI_FLAGS, 2, "enable", PCI_MSI_FLAGS_ENABLE, RW, VIRT, ANY),
	F("flags", PCI_MSI_FLAGS, 2, "qmask", PCI_MSI_FLAGS_QMASK, RO, RO, MAX),
	F("flags", PCI_MSI_FLAGS, 2, "qsize", PCI_MSI_FLAGS_QSIZE, RW, VIRT, ANY),
	F("flags", PCI_MSI_FLAGS, 2, "64bit", PCI_MSI_FLAGS_64BIT, RO, RO, SAME),
	F("flags", PCI_MSI_FLAGS, 2, "maskbit", PCI_MSI_FLAGS_MASKBIT, RO, RO, SAME),
	F("flags", PCI_MSI_FLAGS, 2, "ext_data", HF_MSI_FLAGS_EXT_DATA, RO, RO, SUBSET),
	F("flags", PCI_MSI_FLAGS, 2, "ext_data_enable", HF_MSI_FLAGS_EXT_DATA_ENABLE, RW, VIRT,
	  ANY),
	F("address_lo", PCI_MSI_ADDRESS_LO, 4, "address", 0xfffffffc, RW, VIRT, ANY),
	F("address_hi", PCI_MSI_ADDRESS_HI, 4, "address", 0xffffffff, RW, VIRT, ANY, M64),
	F("data_32", PCI_MSI_DATA_32, 4, "data", 0xffffffff, RW, VIRT, ANY, M32),
	F("data_64", PCI_MSI_DATA_64, 4, "data", 0xffffffff, RW, VIRT, ANY, M64),
	F("mask_32", PCI_MSI_MASK_32, 4, "mask", 0xffffffff, RW, VIRT, ANY, M32M),
	F("mask_64", PCI_MSI_MASK_64, 4, "mask", 0xffffffff, RW, VIRT, ANY, M64M),
	F("pending_32", PCI_MSI_PENDING_32, 4, "pending", 0xffffffff, RO, HIDE, ANY, M32M),
	F("pending_64", PCI_MSI_PENDING_64, 4, "pending", 0xffffffff, RO, HIDE, ANY, M64M),
};

static const struct hf_field vndr[] = {
	F("length", 2, 1, "length", 0xff, RO, OWN, ANY),
};

#define PASSV(r, o, n, m)     F(r, o, 2, n, m, RW, PASS, ANY, VFH)
#define HOST(r, o, n, m, ...) F(r, o, 2, n, m, RW, VIRT, ANY, __VA_ARGS__)

static const struct hf_field express[] = {
	F("flags", PCI_EXP_FLAGS, 2, "vers", PCI_EXP_FLAGS_VERS, RO, RO, SAME),
	F("flags", PCI_EXP_FLAGS, 2, "type", PCI_EXP_FLAGS_TYPE, RO, RO, SAME),
	F("flags", PCI_EXP_FLAGS, 2, "slot", PCI_EXP_FLAGS_SLOT, RO, HIDE, ANY),
	F("flags", PCI_EXP_FLAGS, 2, "irq", PCI_EXP_FLAGS_IRQ, RO, RO, ANY),
	F("devcap", PCI_EXP_DEVCAP, 4, "payload", PCI_EXP_DEVCAP_PAYLOAD, RO, RO, MAX),
	F("devcap", PCI_EXP_DEVCAP, 4, "phantom", PCI_EXP_DEVCAP_PHANTOM, RO, RO, MAX),
	F("devcap", PCI_EXP_DEVCAP, 4, "ext_tag", PCI_EXP_DEVCAP_EXT_TAG, RO, RO, SUBSET),
	F("devcap", PCI_EXP_DEVCAP, 4, "l0s", PCI_EXP_DEVCAP_L0S, RO, RO, ANY),
	F("devcap", PCI_EXP_DEVCAP, 4, "l1", PCI_EXP_DEVCAP_L1, RO, RO, ANY),
	F("devcap", PCI_EXP_DEVCAP, 4, "rber", PCI_EXP_DEVCAP_RBER, RO, RO, SUBSET),
	F("devcap", PCI_EXP_DEVCAP, 4, "pwr_val", PCI_EXP_DEVCAP_PWR_VAL, RO, RO, ANY),
	F("devcap", PCI_EXP_DEVCAP, 4, "pwr_scl", PCI_EXP_DEVCAP_PWR_SCL, RO, RO, ANY),
	F("devcap", PCI_EXP_DEVCAP, 4, "flr", PCI_EXP_DEVCAP_FLR, RO, RO, SUBSET),
	PASSV("devctl", PCI_EXP_DEVCTL, "errors", 0x000f),
	PASSV("devctl", PCI_EXP_DEVCTL, "relax_en", PCI_EXP_DEVCTL_RELAX_EN),
	HOST("devctl", PCI_EXP_DEVCTL, "payload", PCI_EXP_DEVCTL_PAYLOAD, VFH),
	HOST("devctl", PCI_EXP_DEVCTL, "ext_tag", PCI_EXP_DEVCTL_EXT_TAG, VFH),
	HOST("devctl", PCI_EXP_DEVCTL, "phantom", PCI_EXP_DEVCTL_PHANTOM, VFH),
	HOST("devctl", PCI_EXP_DEVCTL, "aux_pme", PCI_EXP_DEVCTL_AUX_PME, VFH),
	PASSV("devctl", PCI_EXP_DEVCTL, "nosnoop_en", PCI_EXP_DEVCTL_NOSNOOP_EN),
	HOST("devctl", PCI_EXP_DEVCTL, "readrq", PCI_EXP_DEVCTL_READRQ, VFH,
	     .reset = PCI_EXP_DEVCTL_READRQ_512B),
	F("devctl", PCI_EXP_DEVCTL, 2, "flr", PCI_EXP_DEVCTL_BCR_FLR, RW, PASS, ANY),
	F("devsta", PCI_EXP_DEVSTA, 2, "errors", 0x000f, RW1C, PASS, ANY),
	F("devsta", PCI_EXP_DEVSTA, 2, "auxpd", PCI_EXP_DEVSTA_AUXPD, RO, RO, ANY),
	F("devsta", PCI_EXP_DEVSTA, 2, "trpnd", PCI_EXP_DEVSTA_TRPND, RO, LIVE, ANY),
	F("devsta", PCI_EXP_DEVSTA, 2, "emer_pwr", 0x0040, RW1C, HIDE, ANY),
	F("lnkcap", PCI_EXP_LNKCAP, 4, "sls", PCI_EXP_LNKCAP_SLS, RO, RO, MAX, LINK),
	F("lnkcap", PCI_EXP_LNKCAP, 4, "mlw", PCI_EXP_LNKCAP_MLW, RO, RO, MAX, LINK),
	F("lnkcap", PCI_EXP_LNKCAP, 4, "aspms", PCI_EXP_LNKCAP_ASPMS, RO, RO, SUBSET, LINK),
	F("lnkcap", PCI_EXP_LNKCAP, 4, "l0sel", PCI_EXP_LNKCAP_L0SEL, RO, RO, ANY, LINK),
	F("lnkcap", PCI_EXP_LNKCAP, 4, "l1el", PCI_EXP_LNKCAP_L1EL, RO, RO, ANY, LINK),
	F("lnkcap", PCI_EXP_LNKCAP, 4, "clkpm", PCI_EXP_LNKCAP_CLKPM, RO, RO, SUBSET, LINK),
	F("lnkcap", PCI_EXP_LNKCAP, 4, "port", 0x00380000, RO, HIDE, ANY, LINK),
	F("lnkcap", PCI_EXP_LNKCAP, 4, "aspm_opt", 0x00400000, RO, RO, ANY, LINK),
	F("lnkcap", PCI_EXP_LNKCAP, 4, "pn", PCI_EXP_LNKCAP_PN, RO, HIDE, ANY, LINK),
	HOST("lnkctl", PCI_EXP_LNKCTL, "aspmc", PCI_EXP_LNKCTL_ASPMC, VFH, LINK),
	HOST("lnkctl", PCI_EXP_LNKCTL, "rcb", PCI_EXP_LNKCTL_RCB, VFH, LINK),
	HOST("lnkctl", PCI_EXP_LNKCTL, "ccc", PCI_EXP_LNKCTL_CCC, VFH, LINK),
	HOST("lnkctl", PCI_EXP_LNKCTL, "es", PCI_EXP_LNKCTL_ES, VFH, LINK),
	HOST("lnkctl", PCI_EXP_LNKCTL, "clkreq_en", PCI_EXP_LNKCTL_CLKREQ_EN, VFH, LINK),
	HOST("lnkctl", PCI_EXP_LNKCTL, "hawd", PCI_EXP_LNKCTL_HAWD, VFH, LINK),
	F("lnksta", PCI_EXP_LNKSTA, 2, "cls", PCI_EXP_LNKSTA_CLS, RO, LIVE, ANY, LINK, STATE),
	F("lnksta", PCI_EXP_LNKSTA, 2, "nlw", PCI_EXP_LNKSTA_NLW, RO, LIVE, ANY, LINK, STATE),
	F("lnksta", PCI_EXP_LNKSTA, 2, "slc", PCI_EXP_LNKSTA_SLC, RO, RO, ANY, LINK),
	F("lnksta", PCI_EXP_LNKSTA, 2, "port", 0x2800, RO, HIDE, ANY, LINK),
	F("lnksta", PCI_EXP_LNKSTA, 2, "bandwidth", 0xc000, RW1C, HIDE, ANY, LINK),
	F("devcap2", PCI_EXP_DEVCAP2, 4, "comp_tmout", 0x0000000f, RO, RO, SUBSET, V2),
	F("devcap2", PCI_EXP_DEVCAP2, 4, "comp_tmout_dis", PCI_EXP_DEVCAP2_COMP_TMOUT_DIS, RO, RO,
	  SUBSET, V2),
	F("devcap2", PCI_EXP_DEVCAP2, 4, "port", 0x00000060, RO, HIDE, ANY, V2),
	F("devcap2", PCI_EXP_DEVCAP2, 4, "atomic", 0x00000380, RO, RO, SUBSET, V2),
	F("devcap2", PCI_EXP_DEVCAP2, 4, "ltr", PCI_EXP_DEVCAP2_LTR, RO, RO, SUBSET, V2),
	F("devcap2", PCI_EXP_DEVCAP2, 4, "tph", 0x00003000, RO, RO, SUBSET, V2),
	F("devcap2", PCI_EXP_DEVCAP2, 4, "10bit_tag", 0x00030000, RO, RO, SUBSET, V2),
	F("devcap2", PCI_EXP_DEVCAP2, 4, "obff", PCI_EXP_DEVCAP2_OBFF_MASK, RO, RO, SUBSET, V2),
	F("devcap2", PCI_EXP_DEVCAP2, 4, "ext_fmt", 0x00100000, RO, RO, SUBSET, V2),
	F("devcap2", PCI_EXP_DEVCAP2, 4, "ee_prefix", PCI_EXP_DEVCAP2_EE_PREFIX, RO, RO, SUBSET,
	  V2),
	F("devcap2", PCI_EXP_DEVCAP2, 4, "ee_prefix_max", 0x00c00000, RO, RO, ANY, V2),
	HOST("devctl2", PCI_EXP_DEVCTL2, "comp_timeout", PCI_EXP_DEVCTL2_COMP_TIMEOUT, VFH, V2),
	HOST("devctl2", PCI_EXP_DEVCTL2, "comp_tmout_dis", 0x0010, VFH, V2),
	HOST("devctl2", PCI_EXP_DEVCTL2, "atomic_req", PCI_EXP_DEVCTL2_ATOMIC_REQ, VFH, V2),
	HOST("devctl2", PCI_EXP_DEVCTL2, "ido", 0x0300, VFH, V2),
	HOST("devctl2", PCI_EXP_DEVCTL2, "ltr_en", PCI_EXP_DEVCTL2_LTR_EN, VFH, V2),
	HOST("devctl2", PCI_EXP_DEVCTL2, "10bit_tag", 0x1000, VFH, V2),
	HOST("devctl2", PCI_EXP_DEVCTL2, "obff", 0x6000, VFH, V2),
	F("lnkcap2", PCI_EXP_LNKCAP2, 4, "sls", 0x000000fe, RO, RO, SUBSET, V2LINK),
	F("lnkcap2", PCI_EXP_LNKCAP2, 4, "crosslink", 0x00000100, RO, HIDE, ANY, V2LINK),
	F("lnkcap2", PCI_EXP_LNKCAP2, 4, "retimer", 0x01800000, RO, HIDE, ANY, V2LINK),
	F("lnkctl2", PCI_EXP_LNKCTL2, 2, "tls", PCI_EXP_LNKCTL2_TLS, RW, RO, ANY, VFH, V2LINK),
	HOST("lnkctl2", PCI_EXP_LNKCTL2, "compliance", 0xfff0, VFH, V2LINK),
	F("lnksta2", PCI_EXP_LNKSTA2, 2, "cde", 0x0001, RO, LIVE, ANY, V2LINK, STATE),
	F("lnksta2", PCI_EXP_LNKSTA2, 2, "equalization", 0x001e, RO, HIDE, ANY, V2LINK),
	F("lnksta2", PCI_EXP_LNKSTA2, 2, "request", 0x0020, RW1C, HIDE, ANY, V2LINK),
};

static const struct hf_field msix[] = {
	F("flags", PCI_MSIX_FLAGS, 2, "qsize", PCI_MSIX_FLAGS_QSIZE, RO, RO, MAX),
	F("flags", PCI_MSIX_FLAGS, 2, "maskall", PCI_MSIX_FLAGS_MASKALL, RW, VIRT, ANY),
	F("flags", PCI_MSIX_FLAGS, 2, "enable", PCI_MSIX_FLAGS_ENABLE, RW, VIRT, ANY),
	F("table", PCI_MSIX_TABLE, 4, "bir", PCI_MSIX_TABLE_BIR, RO, RO, SAME),
	F("table", PCI_MSIX_TABLE, 4, "offset", PCI_MSIX_TABLE_OFFSET, RO, RO, SAME),
	F("pba", PCI_MSIX_PBA, 4, "bir", PCI_MSIX_PBA_BIR, RO, RO, SAME),
	F("pba", PCI_MSIX_PBA, 4, "offset", PCI_MSIX_PBA_OFFSET, RO, RO, SAME),
};

static const struct hf_field af[] = {
	F("length", PCI_AF_LENGTH, 1, "length", 0xff, RO, RO, SAME),
	F("cap", PCI_AF_CAP, 1, "tp", PCI_AF_CAP_TP, RO, RO, SUBSET),
	F("cap", PCI_AF_CAP, 1, "flr", PCI_AF_CAP_FLR, RO, RO, SUBSET),
	F("ctrl", PCI_AF_CTRL, 1, "flr", PCI_AF_CTRL_FLR, RW, PASS, ANY),
	F("status", PCI_AF_STATUS, 1, "tp", PCI_AF_STATUS_TP, RO, LIVE, ANY),
};

const struct hf_capdef hf_std_defs[] = {
	CAP(PCI_CAP_ID_PM, "pm", "Power Management", "7.5.2", PCI_PM_SIZEOF, pm),
	CAP(PCI_CAP_ID_VPD, "vpd", "Vital Product Data", "7.9.18", PCI_CAP_VPD_SIZEOF, vpd),
	CAP(PCI_CAP_ID_MSI, "msi", "Message Signalled Interrupts", "7.7.1", 0, msi),
	OPAQUE(PCI_CAP_ID_PCIX, "pcix", "PCI-X", "PCI-X 2.0", PCI_CAP_PCIX_SIZEOF_V0, .drop = true),
	CAP(PCI_CAP_ID_VNDR, "vndr", "Vendor-Specific", "7.9.4", 0, vndr, .opaque = true),
	CAP(PCI_CAP_ID_EXP, "exp", "PCI Express", "7.5.3", 0, express),
	CAP(PCI_CAP_ID_MSIX, "msix", "MSI-X", "7.7.2", PCI_CAP_MSIX_SIZEOF, msix),
	OPAQUE(PCI_CAP_ID_SATA, "sata", "SATA Data/Index", "SATA 3", 0),
	CAP(PCI_CAP_ID_AF, "af", "PCI Advanced Features", "7.9.22", PCI_CAP_AF_SIZEOF, af),
	OPAQUE(PCI_CAP_ID_EA, "ea", "Enhanced Allocation", "7.8.5", 0, .drop = true),
};

const unsigned int hf_nstd_defs = sizeof(hf_std_defs) / sizeof(hf_std_defs[0]);
