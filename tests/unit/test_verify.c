// SPDX-License-Identifier: GPL-2.0
/* Every register of the record is compared with the device. */
#include <string.h>

#include "model.h"
#include "tap.h"
#include "verify.h"

static struct model m;
static struct pci_lu_fn_ser ser;
static struct pci_lu_mismatch bad;

/* Where the model has what the record keeps, by literal offset. */
struct place {
	const char *reg;
	u16 ser;
	u16 pos;
	u8 size;
	u32 flip; /* a bit that must not change */
	enum pci_lu_reason why;
};

#define SER(member) offsetof(struct pci_lu_fn_ser, member)

static const struct place endpoint[] = {
	{ "Vendor ID", SER(vendor), 0x00, 2, 0x1, PCI_LU_REASON_ADOPT_IDENTITY },
	{ "Device ID", SER(device), 0x02, 2, 0x1, PCI_LU_REASON_ADOPT_IDENTITY },
	{ "Class Code", SER(class_rev), 0x08, 4, 0x10000, PCI_LU_REASON_ADOPT_IDENTITY },
	{ "Subsystem Vendor ID", SER(subvendor), 0x2c, 2, 0x1, PCI_LU_REASON_ADOPT_IDENTITY },
	{ "Subsystem ID", SER(subdevice), 0x2e, 2, 0x1, PCI_LU_REASON_ADOPT_IDENTITY },
	{ "Base Address", SER(bar[0]), 0x10, 4, 0x80000000, PCI_LU_REASON_ADOPT_BAR },
	{ "Base Address", SER(bar[5]), 0x24, 4, 0x80000000, PCI_LU_REASON_ADOPT_BAR },
	{ "Expansion ROM Base Address", SER(bar[6]), 0x30, 4, 0x80000000, PCI_LU_REASON_ADOPT_BAR },
	{ "PMCSR", SER(pmcsr), 0x44, 2, 0x3, PCI_LU_REASON_ADOPT_POWER },
	{ "Device Control", SER(devctl), 0xa8, 2, 0x20, PCI_LU_REASON_ADOPT_REGISTER },
	{ "Device Control 2", SER(devctl2), 0xc8, 2, 0x1, PCI_LU_REASON_ADOPT_REGISTER },
	{ "Link Control", SER(lnkctl), 0xb0, 2, 0x1, PCI_LU_REASON_ADOPT_REGISTER },
	{ "Link Control 2", SER(lnkctl2), 0xd0, 2, 0x1, PCI_LU_REASON_ADOPT_REGISTER },
	{ "ATS Control", SER(ats_ctrl), 0x1e6, 2, 0x8000, PCI_LU_REASON_ADOPT_REGISTER },
	{ "PRI Control", SER(pri_ctrl), 0x1f4, 2, 0x1, PCI_LU_REASON_ADOPT_REGISTER },
	{ "PASID Control", SER(pasid_ctrl), 0x206, 2, 0x1, PCI_LU_REASON_ADOPT_REGISTER },
	{ "ACS Control", SER(acs_ctrl), 0x1d6, 2, 0x1, PCI_LU_REASON_ADOPT_REGISTER },
	{ "SR-IOV Control", SER(sriov_ctrl), 0x168, 2, 0x1, PCI_LU_REASON_ADOPT_REGISTER },
	{ "NumVFs", SER(num_vfs), 0x170, 2, 0x1, PCI_LU_REASON_ADOPT_REGISTER },
	{ "Command", SER(command), 0x04, 2, 0x4, PCI_LU_REASON_ADOPT_COMMAND },
};

static const struct place bridge[] = {
	{ "Base Address", SER(bar[0]), 0x10, 4, 0x80000000, PCI_LU_REASON_ADOPT_BAR },
	{ "Expansion ROM Base Address", SER(bar[6]), 0x38, 4, 0x80000000, PCI_LU_REASON_ADOPT_BAR },
	{ "Bus Numbers", SER(bus_numbers), 0x18, 4, 0x100, PCI_LU_REASON_ADOPT_BUS_NUMBERS },
	{ "I/O Base, Limit", SER(window[0]), 0x1c, 2, 0x10, PCI_LU_REASON_ADOPT_WINDOW },
	{ "Memory Window", SER(window[1]), 0x20, 4, 0x10, PCI_LU_REASON_ADOPT_WINDOW },
	{ "Memory Window", SER(window[5]), 0x30, 4, 0x10, PCI_LU_REASON_ADOPT_WINDOW },
	{ "Bridge Control", SER(bridge_control), 0x3e, 2, 0x40, PCI_LU_REASON_ADOPT_REGISTER },
};

static void record(const struct place *p, unsigned int n)
{
	unsigned int i;
	u32 val;

	memset(&ser, 0, sizeof(ser));
	for (i = 0; i < 7; i++) {
		val = model_hw_read(&m, i < 6 ? 0x10 + 4 * i : m.kind ? 0x38 : 0x30, 4);
		if (m.kind == PCI_LU_ENDPOINT || i < 2 || i == 6)
			memcpy((u8 *)&ser + SER(bar) + 4 * i, &val, 4);
	}
	for (i = 0; m.kind == PCI_LU_BRIDGE && i < 6; i++) {
		val = model_hw_read(&m, 0x1c + 4 * i, 4) & (i ? ~0U : 0xffff);
		memcpy((u8 *)&ser + SER(window) + 4 * i, &val, 4);
	}
	ser.vendor = model_hw_read(&m, 0x00, 2);
	ser.device = model_hw_read(&m, 0x02, 2);
	ser.class_rev = model_hw_read(&m, 0x08, 4);
	for (i = 0; i < n; i++) {
		val = model_hw_read(&m, p[i].pos, p[i].size);
		memcpy((u8 *)&ser + p[i].ser, &val, p[i].size);
	}
	if (m.kind == PCI_LU_BRIDGE) {
		ser.pmcsr = model_hw_read(&m, m.layout.pm + 4, 2);
		ser.devctl = model_hw_read(&m, m.layout.pcie + 8, 2);
		ser.devctl2 = model_hw_read(&m, m.layout.pcie + 0x28, 2);
		ser.lnkctl = model_hw_read(&m, m.layout.pcie + 0x10, 2);
		ser.lnkctl2 = model_hw_read(&m, m.layout.pcie + 0x30, 2);
		if (m.layout.acs)
			ser.acs_ctrl = model_hw_read(&m, m.layout.acs + 6, 2);
	}
}

static enum pci_lu_reason verify(void)
{
	return pci_lu_verify_regs(&m.layout, &ser, model_layout_read, &m, &bad);
}

static void each_differs(enum pci_lu_kind kind, const struct place *p, unsigned int n)
{
	unsigned int i;

	model_init(&m, kind, kind == PCI_LU_ENDPOINT ? MODEL_VFS : 0);
	model_arm(&m);
	model_set(&m, 0x04, 2, 0x0407);
	record(p, n);
	eq(verify(), PCI_LU_OK);
	for (i = 0; i < n; i++) {
		u32 was = model_hw_read(&m, p[i].pos, p[i].size);

		model_set(&m, p[i].pos, p[i].size, was ^ p[i].flip);
		okf(verify() == p[i].why, "%s at %#x: %u, should be %u", p[i].reg, p[i].pos,
		    verify(), p[i].why);
		ok(!strcmp(bad.reg, p[i].reg));
		model_set(&m, p[i].pos, p[i].size, was);
		eq(verify(), PCI_LU_OK);
	}
}

static void verify_sees_each_register_of_an_endpoint(void)
{
	each_differs(PCI_LU_ENDPOINT, endpoint, sizeof(endpoint) / sizeof(*endpoint));
}

static void verify_sees_each_register_of_a_bridge(void)
{
	each_differs(PCI_LU_BRIDGE, bridge, sizeof(bridge) / sizeof(*bridge));
}

/* What passes the guard may change: error reporting, INTx Disable, decoders that go on. */
static void verify_leaves_what_passes(void)
{
	model_init(&m, PCI_LU_ENDPOINT, MODEL_VFS);
	model_arm(&m);
	model_set(&m, 0x04, 2, 0x0406);
	record(endpoint, sizeof(endpoint) / sizeof(*endpoint));
	model_set(&m, 0x04, 2, 0x0107);
	model_set(&m, 0xa8, 2, model_hw_read(&m, 0xa8, 2) ^ 0xf);
	eq(verify(), PCI_LU_OK);
}

static void verify_misses_a_capability(void)
{
	model_init(&m, PCI_LU_ENDPOINT, MODEL_VFS);
	model_arm(&m);
	record(endpoint, sizeof(endpoint) / sizeof(*endpoint));
	ser.ats_ctrl = 0x8000;
	m.layout.ats = 0;
	eq(verify(), PCI_LU_REASON_ADOPT_REGISTER);
	ser.ats_ctrl = 0;
	eq(verify(), PCI_LU_OK);
}

/* Whatever the width, Bus Master does not get through a fence, nor INTx back. */
static void fenced_in_any_width(void)
{
	eq(pci_lu_policy_fenced(0x04, 2, 0x0007), 0x0403);
	eq(pci_lu_policy_fenced(0x04, 4, 0xffff0007), 0xffff0403);
	eq(pci_lu_policy_fenced(0x04, 1, 0x07), 0x03);
	eq(pci_lu_policy_fenced(0x05, 1, 0x00), 0x04);
	eq(pci_lu_policy_fenced(0x06, 2, 0xffff), 0xffff);
	eq(pci_lu_policy_fenced(0x00, 4, 0xffffffff), 0xffffffff);
	eq(pci_lu_policy_fenced(0x08, 4, 0xffffffff), 0xffffffff);
}

void suite_verify(void)
{
	RUN(verify_sees_each_register_of_an_endpoint);
	RUN(verify_sees_each_register_of_a_bridge);
	RUN(verify_leaves_what_passes);
	RUN(verify_misses_a_capability);
	RUN(fenced_in_any_width);
}
