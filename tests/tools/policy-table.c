// SPDX-License-Identifier: GPL-2.0
/*
 * Print the policy table, from which the documentation is made and by which
 * the lab judges a trace.
 *
 * usage: policy-table --rst | --md | --json
 */
#include <stdio.h>

#include "policy.h"

/* Which capability the base of a row is, for those who only have a trace. */
static const struct {
	const char *cap;
	const char *list;
	unsigned int id;
} caps[] = {
	{ "header", "header", 0 },
	{ "pm", "standard", PCI_CAP_ID_PM },
	{ "msi", "standard", PCI_CAP_ID_MSI },
	/* In the MSI capability; where depends on its address width. */
	{ "msi_mask", "derived", PCI_CAP_ID_MSI },
	{ "msix", "standard", PCI_CAP_ID_MSIX },
	{ "af", "standard", PCI_CAP_ID_AF },
	{ "pcie", "standard", PCI_CAP_ID_EXP },
	{ "aer", "extended", PCI_EXT_CAP_ID_ERR },
	{ "vc", "extended", PCI_EXT_CAP_ID_VC },
	{ "mfvc", "extended", PCI_EXT_CAP_ID_MFVC },
	{ "acs", "extended", PCI_EXT_CAP_ID_ACS },
	{ "ari", "extended", PCI_EXT_CAP_ID_ARI },
	{ "ats", "extended", PCI_EXT_CAP_ID_ATS },
	{ "pri", "extended", PCI_EXT_CAP_ID_PRI },
	{ "pasid", "extended", PCI_EXT_CAP_ID_PASID },
	{ "sriov", "extended", PCI_EXT_CAP_ID_SRIOV },
	{ "rebar", "extended", PCI_EXT_CAP_ID_REBAR },
	{ "vf_rebar", "extended", PCI_EXT_CAP_ID_VF_REBAR },
	{ "tph", "extended", PCI_EXT_CAP_ID_TPH },
	{ "ltr", "extended", PCI_EXT_CAP_ID_LTR },
	{ "dpc", "extended", PCI_EXT_CAP_ID_DPC },
	{ "l1ss", "extended", PCI_EXT_CAP_ID_L1SS },
	{ "ptm", "extended", PCI_EXT_CAP_ID_PTM },
	{ "cxl_port", "extended", PCI_EXT_CAP_ID_DVSEC },
	{ "ide", "extended", PCI_EXT_CAP_ID_IDE },
};

static const char *kinds(const struct pci_lu_row *r)
{
	static const char *const names[] = { "?", "endpoint", "port", "both" };

	return names[r->kinds & PCI_LU_FOR_BOTH];
}

/* For whom else a row is, that is not preserved itself. */
static const char *also(const struct pci_lu_row *r)
{
	switch (r->kinds & ~PCI_LU_FOR_BOTH) {
	case PCI_LU_FOR_PF:
		return "PF";
	case PCI_LU_FOR_PF | PCI_LU_FOR_COMPANION:
		return "PF, companion";
	default:
		return "";
	}
}

static void string(const char *key, const char *val)
{
	printf("\"%s\": \"", key);
	for (; *val; val++) {
		if (*val == '"' || *val == '\\')
			putchar('\\');
		putchar(*val);
	}
	printf("\", ");
}

/* A row is a line, so that a change of the table reads as one. */
static void json(const struct pci_lu_row *r, unsigned int n)
{
	unsigned int i, c;

	printf("{\n \"default\": \"pass\",\n \"rows\": [\n");
	for (i = 0; i < n; i++, r++) {
		printf("  {");
		string("name", r->name);
		string("kind", kinds(r));
		string("also", also(r));
		string("cap", r->cap);
		for (c = 0; c < ARRAY_SIZE(caps); c++) {
			if (strcmp(caps[c].cap, r->cap))
				continue;
			string("list", caps[c].list);
			printf("\"cap_id\": %u, ", caps[c].id);
		}
		string("register", r->reg);
		printf("\"offset\": %u, \"width\": %u, ", r->off, r->width);
		printf("\"stride\": %u, \"bits\": %u, ", r->stride, r->bits);
		/* How many there are is the hardware's to say. */
		string("instances", r->count ? "several" : "one");
		string("rule", pci_lu_rule_name(r->rule));
		string("after", pci_lu_after_name(r->after));
		string("writer", r->writer);
		string("why", r->why);
		string("spec", r->spec);
		printf("\"when\": \"%s\"}%s\n", r->when == PCI_LU_VFS_ON ? "vfs-on" : "always",
		       i + 1 < n ? "," : "");
	}
	printf(" ]\n}\n");
}

static void where(const struct pci_lu_row *r, char *buf, size_t len)
{
	snprintf(buf, len, "%s + 0x%02x", r->cap, r->off);
}

static void rst_rows(const struct pci_lu_row *r, unsigned int n, u8 kind)
{
	char pos[48];

	for (; n--; r++) {
		if ((r->kinds & PCI_LU_FOR_BOTH) != kind)
			continue;
		where(r, pos, sizeof(pos));
		printf("``%s``\n", r->name);
		printf("    %s (%s), bits 0x%0*x%s: **%s**%s.\n", r->reg, pos, 2 * r->width,
		       r->bits, r->count ? ", each" : "", pci_lu_rule_name(r->rule),
		       r->when == PCI_LU_VFS_ON ? ", while VF Enable is set" : "");
		printf("    Written by %s.\n\n    %s (%s)\n\n", r->writer, r->why, r->spec);
		if (*also(r))
			printf("    Also for: %s.\n\n", also(r));
		printf("    When the guard goes: %s.\n\n", pci_lu_after_name(r->after));
	}
}

static void rst(const struct pci_lu_row *r, unsigned int n)
{
	printf(".. SPDX-License-Identifier: GPL-2.0\n"
	       ".. Generated from drivers/pci/liveupdate/policy_table.c; do not edit.\n\n"
	       "==============================\n"
	       "Live update: the config policy\n"
	       "==============================\n\n"
	       "While a PCI function is in flight, from freeze in the old kernel to finish in\n"
	       "the new one, config writes to it and to the ports above it are held against\n"
	       "this table. What is not in the table passes. Offsets are relative to the\n"
	       "capability; section numbers are those of the PCI Express Base Specification,\n"
	       "revision 6.\n\n"
	       "Rules\n=====\n\n"
	       "keep\n    The bits stay what they are.\n"
	       "sticky-1\n    Bits that are set stay set; others may be set.\n"
	       "sticky-0\n    Bits that are clear stay clear; others may be cleared.\n"
	       "zero\n    The bits start something when they are written as 1; they are written as 0.\n"
	       "shadow\n    Nothing reaches the device. Reads are answered as the device would have\n"
	       "    answered, until what the device holds is written again.\n"
	       "rom-enable\n    sticky-0, and kept while the address of the ROM is shadowed.\n"
	       "msix-control\n    Clearing Enable becomes Enable with Function Mask.\n"
	       "msi-control\n    Clearing Enable becomes Enable with all vectors masked; where vectors\n"
	       "    cannot be masked INTx is disabled first.\n"
	       "msi-mask\n    Vectors cannot be unmasked between a withheld clearing of Enable and the\n"
	       "    write that sets it.\n\n");
	printf("A function that is not preserved can be needed by one that is. Of such a function,\n"
	       "only the rows hold that say so:\n\n"
	       "PF\n    The PF of a preserved VF: the SR-IOV capability, what the specification has\n"
	       "    a VF share with its PF, and the decoders, which are not sized while VFs run.\n"
	       "companion\n    Function 0 of a preserved function: what all functions of a device share.\n\n");
	printf("Preserved functions\n===================\n\n");
	rst_rows(r, n, PCI_LU_FOR_ENDPOINT);
	printf("Root ports and switch ports above them\n"
	       "======================================\n\n");
	rst_rows(r, n, PCI_LU_FOR_BRIDGE);
	printf("Both\n====\n\n");
	rst_rows(r, n, PCI_LU_FOR_BOTH);
}

static void md(const struct pci_lu_row *r, unsigned int n)
{
	char pos[48];

	printf("| row | kind | also | register | bits | rule | written by | why |\n"
	       "|---|---|---|---|---|---|---|---|\n");
	for (; n--; r++) {
		where(r, pos, sizeof(pos));
		printf("| `%s` | %s | %s | %s (%s) | `%#x` | %s%s | %s | %s (%s) |\n", r->name,
		       kinds(r), also(r), r->reg, pos, r->bits, pci_lu_rule_name(r->rule),
		       r->when == PCI_LU_VFS_ON ? ", VFs on" : "", r->writer, r->why, r->spec);
	}
}

int main(int argc, char **argv)
{
	unsigned int n;
	const struct pci_lu_row *rows = pci_lu_policy_rows(&n);

	if (argc == 2 && !strcmp(argv[1], "--json"))
		json(rows, n);
	else if (argc == 2 && !strcmp(argv[1], "--rst"))
		rst(rows, n);
	else if (argc == 2 && !strcmp(argv[1], "--md"))
		md(rows, n);
	else
		return fprintf(stderr, "usage: policy-table --rst | --md | --json\n"), 2;

	return 0;
}
