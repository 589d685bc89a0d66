// SPDX-License-Identifier: GPL-2.0
/* SR-IOV: what sriov_init() believes afterwards is what hardware holds. */
#include "kernel.h"
#include "tap.h"

static struct model m;

struct sriov {
	int err;
	u16 ctrl, num_vfs, offset, stride;
	u32 pgsz;
	u32 sizes[6];
	unsigned int max_rid;
};

static void set_numvfs(struct sriov *s, u16 nr)
{
	model_write(&m, 0x170, 2, nr);
	s->offset = model_read(&m, 0x174, 2);
	s->stride = model_read(&m, 0x176, 2);
}

/* sriov_init() and compute_max_vf_buses() */
static struct sriov kernel_sriov_init(bool ari)
{
	struct sriov s = { 0 };
	u16 nr, rid;

	if (model_read(&m, 0x168, 2) & PCI_SRIOV_CTRL_VFE)
		model_write(&m, 0x168, 2, 0);
	s.ctrl = ari ? PCI_SRIOV_CTRL_ARI : 0;
	model_write(&m, 0x168, 2, s.ctrl);
	s.pgsz = model_read(&m, 0x17c, 4);
	s.pgsz &= ~(s.pgsz - 1);
	model_write(&m, 0x180, 4, s.pgsz);
	kernel_size_bars(&m, 6, 0x184, s.sizes, false);
	for (nr = model_read(&m, 0x16e, 2); nr; nr--) {
		set_numvfs(&s, nr);
		if (!s.offset || (nr > 1 && !s.stride)) {
			s.err = -5;
			break;
		}
		rid = s.offset + s.stride * (nr - 1);
		if (rid > s.max_rid)
			s.max_rid = rid;
	}
	set_numvfs(&s, 0);

	return s;
}

static void sriov_off(void)
{
	struct sriov s;

	model_init(&m, PCI_LU_ENDPOINT, 0);
	model_set(&m, 0x168, 2, 0);
	model_set(&m, 0x180, 4, 2);
	model_arm(&m);
	s = kernel_sriov_init(true);
	eq(s.err, 0);
	eq(model_hw_read(&m, 0x168, 2), s.ctrl);
	eq(model_hw_read(&m, 0x180, 4), s.pgsz);
	eq(model_hw_read(&m, 0x170, 2), s.num_vfs);
	eq(model_hw_read(&m, 0x174, 2), s.offset);
	eq(model_hw_read(&m, 0x176, 2), s.stride);
	eq(s.max_rid, 0x80 + 2 * 7);
	ok(!model_violation(&m));
}

static void sriov_cannot_be_switched_on(void)
{
	model_init(&m, PCI_LU_ENDPOINT, 0);
	model_write(&m, 0x170, 2, 4);
	model_write(&m, 0x168, 2, 0x0019);
	eq(m.last.action, PCI_LU_MERGE);
	ok(!strcmp(model_last_row(&m), "SRIOV.VFE"));
	eq(model_hw_read(&m, 0x168, 2), 0x0010);
}

static void sriov_on(void)
{
	struct sriov s;

	model_init(&m, PCI_LU_ENDPOINT, MODEL_VFS);
	model_set(&m, 0x174, 4, 0x00020080);
	model_arm(&m);
	s = kernel_sriov_init(true);
	eq(s.err, 0);
	ok(!memcmp(m.cfg, m.start, sizeof(m.cfg)));
	eq(s.offset, 0x80);
	eq(s.stride, 2);
	eq(s.sizes[0], 0xffffc00c);
	eq(s.sizes[1], 0xffffffff);
	eq(s.sizes[2], 0);
	eq(s.sizes[3], 0xffffc00c);
	eq(pci_lu_shadow_differs(&m.shadow), -1);
	model_write(&m, 0x190, 4, 0xfd00000c);
	eq(pci_lu_shadow_differs(&m.shadow), 0x190);
}

void suite_sriov(void)
{
	RUN(sriov_off);
	RUN(sriov_cannot_be_switched_on);
	RUN(sriov_on);
}
