// SPDX-License-Identifier: LGPL-2.1-or-later
/* The extended capabilities. */
#include "caps_macros.h"

#define AER_UNCOR 0x07fff030
#define AER_COR	  0x0000f1c1

static const struct hf_field aer[] = {
	F("uncor_status", PCI_ERR_UNCOR_STATUS, 4, "errors", AER_UNCOR, RW1C, PASS, ANY),
	F("uncor_mask", PCI_ERR_UNCOR_MASK, 4, "errors", AER_UNCOR, RW, PASS, ANY, VFH),
	F("uncor_sever", PCI_ERR_UNCOR_SEVER, 4, "errors", AER_UNCOR, RW, PASS, ANY, VFH),
	F("cor_status", PCI_ERR_COR_STATUS, 4, "errors", AER_COR, RW1C, PASS, ANY),
	F("cor_mask", PCI_ERR_COR_MASK, 4, "errors", AER_COR, RW, PASS, ANY, VFH),
	F("cap", PCI_ERR_CAP, 4, "fep", 0x0000001f, RO, LIVE, ANY),
	F("cap", PCI_ERR_CAP, 4, "ecrc_genc", PCI_ERR_CAP_ECRC_GENC, RO, RO, SUBSET),
	F("cap", PCI_ERR_CAP, 4, "ecrc_gene", PCI_ERR_CAP_ECRC_GENE, RW, PASS, ANY, VFH),
	F("cap", PCI_ERR_CAP, 4, "ecrc_chkc", PCI_ERR_CAP_ECRC_CHKC, RO, RO, SUBSET),
	F("cap", PCI_ERR_CAP, 4, "ecrc_chke", PCI_ERR_CAP_ECRC_CHKE, RW, PASS, ANY, VFH),
	F("cap", PCI_ERR_CAP, 4, "multi_header", 0x00000200, RO, RO, SUBSET),
	F("cap", PCI_ERR_CAP, 4, "multi_header_en", 0x00000400, RW, PASS, ANY, VFH),
	F("header_log0", PCI_ERR_HEADER_LOG, 4, "log", 0xffffffff, RO, LIVE, ANY),
	F("header_log1", PCI_ERR_HEADER_LOG + 4, 4, "log", 0xffffffff, RO, LIVE, ANY),
	F("header_log2", PCI_ERR_HEADER_LOG + 8, 4, "log", 0xffffffff, RO, LIVE, ANY),
	F("header_log3", PCI_ERR_HEADER_LOG + 12, 4, "log", 0xffffffff, RO, LIVE, ANY),
};

static const struct hf_field dsn[] = {
	F("low", 4, 4, "serial", 0xffffffff, RO, RO, ANY),
	F("high", 8, 4, "serial", 0xffffffff, RO, RO, ANY),
};

static const struct hf_field vsec[] = {
	F("header", PCI_VNDR_HEADER, 4, "id", 0x0000ffff, RO, RO, SAME),
	F("header", PCI_VNDR_HEADER, 4, "rev", 0x000f0000, RO, RO, SAME),
	F("header", PCI_VNDR_HEADER, 4, "length", 0xfff00000, RO, OWN, ANY),
};

static const struct hf_field dvsec[] = {
	F("header1", PCI_DVSEC_HEADER1, 4, "vendor", 0x0000ffff, RO, RO, SAME),
	F("header1", PCI_DVSEC_HEADER1, 4, "rev", 0x000f0000, RO, RO, SAME),
	F("header1", PCI_DVSEC_HEADER1, 4, "length", 0xfff00000, RO, OWN, ANY),
	F("header2", PCI_DVSEC_HEADER2, 2, "id", 0xffff, RO, RO, SAME),
};

static const struct hf_field acs[] = {
	F("cap", PCI_ACS_CAP, 2, "features", 0x00ff, RO, RO, SUBSET),
	F("cap", PCI_ACS_CAP, 2, "egress_size", 0xff00, RO, HIDE, ANY),
	F("ctrl", PCI_ACS_CTRL, 2, "enable", 0x007f, RW, HIDE, ANY),
};

static const struct hf_field ari[] = {
	F("cap", PCI_ARI_CAP, 2, "groups", PCI_ARI_CAP_MFVC | PCI_ARI_CAP_ACS, RO, HIDE, SUBSET),
	F("cap", PCI_ARI_CAP, 2, "nfn", 0xff00, RO, HIDE, ANY),
	F("ctrl", PCI_ARI_CTRL, 2, "groups", 0x0073, RW, HIDE, ANY),
};

static const struct hf_field ats[] = {
	F("cap", PCI_ATS_CAP, 2, "qdep", 0x001f, RO, RO, ANY),
	F("cap", PCI_ATS_CAP, 2, "page_aligned", PCI_ATS_CAP_PAGE_ALIGNED, RO, RO, SUBSET),
	F("cap", PCI_ATS_CAP, 2, "global_inv", 0x0040, RO, RO, SUBSET),
	F("ctrl", PCI_ATS_CTRL, 2, "stu", 0x001f, RW, VIRT, ANY),
	F("ctrl", PCI_ATS_CTRL, 2, "enable", PCI_ATS_CTRL_ENABLE, RW, VIRT, ANY),
};

static const struct hf_field pri[] = {
	F("ctrl", PCI_PRI_CTRL, 2, "enable", PCI_PRI_CTRL_ENABLE, RW, VIRT, ANY),
	F("ctrl", PCI_PRI_CTRL, 2, "reset", PCI_PRI_CTRL_RESET, RW, HIDE, ANY),
	F("status", PCI_PRI_STATUS, 2, "errors", PCI_PRI_STATUS_RF | PCI_PRI_STATUS_UPRGI, RW1C,
	  HIDE, ANY),
	F("status", PCI_PRI_STATUS, 2, "stopped", PCI_PRI_STATUS_STOPPED, RO, RO, ANY),
	F("status", PCI_PRI_STATUS, 2, "pasid", PCI_PRI_STATUS_PASID, RO, RO, SAME),
	F("max_req", PCI_PRI_MAX_REQ, 4, "requests", 0xffffffff, RO, RO, MAX),
	F("alloc_req", PCI_PRI_ALLOC_REQ, 4, "requests", 0xffffffff, RW, VIRT, ANY),
};

static const struct hf_field pasid[] = {
	F("cap", PCI_PASID_CAP, 2, "exec", PCI_PASID_CAP_EXEC, RO, RO, SUBSET),
	F("cap", PCI_PASID_CAP, 2, "priv", PCI_PASID_CAP_PRIV, RO, RO, SUBSET),
	F("cap", PCI_PASID_CAP, 2, "width", 0x1f00, RO, RO, MAX),
	F("ctrl", PCI_PASID_CTRL, 2, "enable", PCI_PASID_CTRL_ENABLE, RW, VIRT, ANY),
	F("ctrl", PCI_PASID_CTRL, 2, "exec", PCI_PASID_CTRL_EXEC, RW, VIRT, ANY),
	F("ctrl", PCI_PASID_CTRL, 2, "priv", PCI_PASID_CTRL_PRIV, RW, VIRT, ANY),
};

#define EACH .flags = HF_F_REPEAT

/* The sizes follow from the BARs of the persona; the guest cannot change them. */
static const struct hf_field rebar[] = {
	F("cap", PCI_REBAR_CAP, 4, "sizes", 0xfffffff0, RO, OWN, ANY, EACH),
	F("ctrl", PCI_REBAR_CTRL, 4, "bar_idx", PCI_REBAR_CTRL_BAR_IDX, RO, RO, SAME, EACH),
	F("ctrl", PCI_REBAR_CTRL, 4, "nbar", PCI_REBAR_CTRL_NBAR_MASK, RO, RO, SAME, EACH),
	F("ctrl", PCI_REBAR_CTRL, 4, "bar_size", 0x00003f00, RW, OWN, ANY, EACH),
	F("ctrl", PCI_REBAR_CTRL, 4, "sizes", 0xffff0000, RO, OWN, ANY, EACH),
};

static const struct hf_field tph[] = {
	F("cap", PCI_TPH_CAP, 4, "modes", 0x00000107, RO, RO, SUBSET),
	F("cap", PCI_TPH_CAP, 4, "table", PCI_TPH_CAP_LOC_MASK | PCI_TPH_CAP_ST_MASK, RO, RO, SAME),
	F("ctrl", 8, 4, "enable", 0x00000307, RW, VIRT, ANY),
};

static const struct hf_field ltr[] = {
	F("max_snoop_lat", PCI_LTR_MAX_SNOOP_LAT, 2, "latency", 0x1fff, RW, VIRT, ANY),
	F("max_nosnoop_lat", PCI_LTR_MAX_NOSNOOP_LAT, 2, "latency", 0x1fff, RW, VIRT, ANY),
};

static const struct hf_field ptm[] = {
	F("cap", PCI_PTM_CAP, 4, "roles", 0x00000007, RO, RO, SUBSET),
	F("cap", PCI_PTM_CAP, 4, "granularity", PCI_PTM_GRANULARITY_MASK, RO, RO, ANY),
	F("ctrl", PCI_PTM_CTRL, 4, "enable", 0x0000ff03, RW, VIRT, ANY),
};

static const struct hf_field doe[] = {
	F("cap", PCI_DOE_CAP, 4, "int", 0x00000fff, RO, RO, ANY),
	F("ctrl", PCI_DOE_CTRL, 4, "abort", PCI_DOE_CTRL_ABORT, RW, PASS, ANY),
	F("ctrl", PCI_DOE_CTRL, 4, "int_en", PCI_DOE_CTRL_INT_EN, RW, PASS, ANY),
	F("ctrl", PCI_DOE_CTRL, 4, "go", PCI_DOE_CTRL_GO, RW, PASS, ANY),
	F("status", PCI_DOE_STATUS, 4, "busy", PCI_DOE_STATUS_BUSY, RO, LIVE, ANY),
	F("status", PCI_DOE_STATUS, 4, "int_status", PCI_DOE_STATUS_INT_STATUS, RW1C, PASS, ANY),
	F("status", PCI_DOE_STATUS, 4, "error", PCI_DOE_STATUS_ERROR, RO, LIVE, ANY),
	F("status", PCI_DOE_STATUS, 4, "ready", PCI_DOE_STATUS_DATA_OBJECT_READY, RO, LIVE, ANY),
	F("write", PCI_DOE_WRITE, 4, "mailbox", 0xffffffff, RW, PASS, ANY),
	F("read", PCI_DOE_READ, 4, "mailbox", 0xffffffff, RW, PASS, ANY),
};

const struct hf_capdef hf_ext_defs[] = {
	OPAQUE(0x00, "null", "Null", "7.9.28", 4, EXT, .drop = true),
	CAP(PCI_EXT_CAP_ID_ERR, "err", "Advanced Error Reporting", "7.8.4", 0x2c, aer, EXT),
	OPAQUE(PCI_EXT_CAP_ID_VC, "vc", "Virtual Channel", "7.9.1", 0, EXT, .drop = true),
	CAP(PCI_EXT_CAP_ID_DSN, "dsn", "Device Serial Number", "7.9.3", PCI_EXT_CAP_DSN_SIZEOF, dsn,
	    EXT),
	OPAQUE(PCI_EXT_CAP_ID_PWR, "pwr", "Power Budgeting", "7.8.1", PCI_EXT_CAP_PWR_SIZEOF, EXT,
	       .drop = true),
	OPAQUE(PCI_EXT_CAP_ID_VC9, "vc9", "Virtual Channel (9)", "7.9.1", 0, EXT, .drop = true),
	CAP(PCI_EXT_CAP_ID_VNDR, "vndr", "Vendor-Specific", "7.9.5", 0, vsec, EXT, .opaque = true),
	CAP(PCI_EXT_CAP_ID_ACS, "acs", "Access Control Services", "7.7.11", 8, acs, EXT,
	    .drop = true),
	CAP(PCI_EXT_CAP_ID_ARI, "ari", "Alternative Routing-ID", "7.8.8", PCI_EXT_CAP_ARI_SIZEOF,
	    ari, EXT, .drop = true),
	CAP(PCI_EXT_CAP_ID_ATS, "ats", "Address Translation Services", "10.5.1",
	    PCI_EXT_CAP_ATS_SIZEOF, ats, EXT, .drop = true),
	OPAQUE(PCI_EXT_CAP_ID_SRIOV, "sriov", "Single Root I/O Virtualization", "9.3.3",
	       PCI_EXT_CAP_SRIOV_SIZEOF, EXT, .drop = true),
	CAP(PCI_EXT_CAP_ID_PRI, "pri", "Page Request Interface", "10.5.2", PCI_EXT_CAP_PRI_SIZEOF,
	    pri, EXT, .drop = true),
	CAP(PCI_EXT_CAP_ID_REBAR, "rebar", "Resizable BAR", "7.8.6", 0, rebar, EXT, .stride = 8),
	OPAQUE(PCI_EXT_CAP_ID_DPA, "dpa", "Dynamic Power Allocation", "7.9.12", 0, EXT,
	       .drop = true),
	CAP(PCI_EXT_CAP_ID_TPH, "tph", "TPH Requester", "7.9.13", 0, tph, EXT),
	CAP(PCI_EXT_CAP_ID_LTR, "ltr", "Latency Tolerance Reporting", "7.8.2",
	    PCI_EXT_CAP_LTR_SIZEOF, ltr, EXT),
	OPAQUE(PCI_EXT_CAP_ID_SECPCI, "secpci", "Secondary PCI Express", "7.7.3", 0, EXT,
	       .drop = true),
	CAP(PCI_EXT_CAP_ID_PASID, "pasid", "Process Address Space ID", "7.8.9",
	    PCI_EXT_CAP_PASID_SIZEOF, pasid, EXT, .drop = true),
	OPAQUE(PCI_EXT_CAP_ID_L1SS, "l1ss", "L1 PM Substates", "7.8.3", 0x10, EXT, .drop = true),
	CAP(PCI_EXT_CAP_ID_PTM, "ptm", "Precision Time Measurement", "7.9.15", 0x0c, ptm, EXT,
	    .drop = true),
	CAP(PCI_EXT_CAP_ID_DVSEC, "dvsec", "Designated Vendor-Specific", "7.9.6", 0, dvsec, EXT,
	    .opaque = true),
	OPAQUE(PCI_EXT_CAP_ID_DLF, "dlf", "Data Link Feature", "7.7.4", 0x0c, EXT, .drop = true),
	OPAQUE(PCI_EXT_CAP_ID_PL_16GT, "pl_16gt", "Physical Layer 16.0 GT/s", "7.7.5", 0, EXT,
	       .drop = true),
	OPAQUE(HF_EXT_CAP_LMR, "lmr", "Lane Margining at the Receiver", "7.7.10", 0, EXT,
	       .drop = true),
	OPAQUE(HF_EXT_CAP_VF_REBAR, "vf_rebar", "VF Resizable BAR", "7.8.7", 0, EXT, .drop = true),
	OPAQUE(HF_EXT_CAP_NPEM, "npem", "Native PCIe Enclosure Management", "7.9.19", 0x10, EXT,
	       .drop = true),
	OPAQUE(HF_EXT_CAP_PL_32GT, "pl_32gt", "Physical Layer 32.0 GT/s", "7.7.6", 0, EXT,
	       .drop = true),
	OPAQUE(HF_EXT_CAP_PL_64GT, "pl_64gt", "Physical Layer 64.0 GT/s", "7.7.7", 0, EXT,
	       .drop = true),
	OPAQUE(HF_EXT_CAP_DEV3, "dev3", "Device 3", "7.7.9", 0x10, EXT, .drop = true),
	OPAQUE(HF_EXT_CAP_IDE, "ide", "Integrity and Data Encryption", "7.9.26", 0, EXT,
	       .drop = true),
	CAP(PCI_EXT_CAP_ID_DOE, "doe", "Data Object Exchange", "7.9.24", 0x18, doe, EXT,
	    .drop = true),
};

const unsigned int hf_next_defs = sizeof(hf_ext_defs) / sizeof(hf_ext_defs[0]);
