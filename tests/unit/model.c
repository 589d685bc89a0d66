// SPDX-License-Identifier: GPL-2.0
/* A model of config space and of the guard around it. */
#include "model.h"

/* BAR 0: 128 KiB, BAR 2: I/O 32, BAR 3: 16 KiB, BAR 4/5: 8 GiB 64-bit, ROM. */
const u32 model_bar_mask[7] = {
	0xfffe0000, 0, 0xffffffe0, 0xffffc000, 0x00000000, 0xfffffffe, 0xfff80000,
};

const u32 model_port_bar_mask[7] = { 0xfffff000, 0, 0, 0, 0, 0, 0xffff0000 };

/* VF BAR 0/1: 16 KiB 64-bit, VF BAR 3/4: 16 KiB 64-bit. */
const u32 model_vf_bar_mask[6] = {
	0xffffc000, 0xffffffff, 0, 0xffffc000, 0xffffffff, 0,
};

u32 model_hw_read(const struct model *m, u16 pos, u8 size)
{
	u32 val = 0;

	while (size--)
		val = val << 8 | (pos + size < 4096 ? m->cfg[pos + size] : 0xff);

	return val;
}

void model_set(struct model *m, u16 pos, u8 size, u32 val)
{
	for (; size--; pos++, val >>= 8)
		m->cfg[pos] = val;
}

static void model_ro(struct model *m, u16 pos, u8 size, u32 bits)
{
	for (; size--; pos++, bits >>= 8)
		m->ro[pos] |= bits;
}

static void model_w1c(struct model *m, u16 pos, u8 size, u32 bits)
{
	for (; size--; pos++, bits >>= 8)
		m->w1c[pos] |= bits;
}

void model_hw_write(struct model *m, u16 pos, u8 size, u32 val)
{
	m->writes++;
	for (; size-- && pos < 4096; pos++, val >>= 8) {
		u8 fixed = m->ro[pos] | m->w1c[pos];
		u8 v = val;

		m->ones[pos] |= v;
		m->cfg[pos] = (m->cfg[pos] & fixed) | (v & ~fixed);
		m->cfg[pos] &= ~(v & m->w1c[pos]);
	}

	/* As igb: no stride as long as there are no VFs. */
	if (m->kind == PCI_LU_ENDPOINT) {
		u32 vfs = model_hw_read(m, 0x170, 2);

		model_set(m, 0x174, 2, vfs ? 0x80 : 0);
		model_set(m, 0x176, 2, vfs ? 2 : 0);
	}
}

u32 model_layout_read(void *ctx, u16 pos, u8 size)
{
	return model_hw_read(ctx, pos, size);
}

u32 model_read(struct model *m, u16 pos, u8 size)
{
	u32 hw = model_hw_read(m, pos, size);

	if (m->no_guard)
		return hw;

	return pci_lu_policy_read(&m->layout, &m->shadow, pos, size, hw);
}

/* Step by step what the guard in the kernel does. */
void model_write(struct model *m, u16 pos, u8 size, u32 val)
{
	struct pci_lu_verdict *v = &m->last;
	u32 also;

	memset(v, 0, sizeof(*v));
	v->row = PCI_LU_ROW_NONE;
	v->value = val;
	if (m->no_guard || !pci_lu_policy_covers(&m->layout, pos, size)) {
		model_hw_write(m, pos, size, val);
		return;
	}

	*v = pci_lu_policy_write(&m->layout, &m->shadow, pos, size, model_hw_read(m, pos, size),
				 val);
	if (v->also_size) {
		also = model_hw_read(m, v->also_pos, v->also_size);
		model_hw_write(m, v->also_pos, v->also_size, also | v->also_set);
	}
	if (v->action != PCI_LU_DROP)
		model_hw_write(m, pos, size, v->value);
}

const char *model_last_row(const struct model *m)
{
	unsigned int n;
	const struct pci_lu_row *rows = pci_lu_policy_rows(&n);

	return m->last.row < n ? rows[m->last.row].name : "none";
}

const struct expect *model_expect(const struct model *m)
{
	return m->kind == PCI_LU_BRIDGE ? expect_bridge : expect_endpoint;
}

const struct expect *model_violation(const struct model *m)
{
	bool vfs = m->kind == PCI_LU_ENDPOINT && (m->start[0x168] & 1);
	const struct expect *e;

	for (e = model_expect(m); e->row; e++) {
		unsigned int i;

		if (e->vfs && !vfs)
			continue;
		for (i = 0; i < e->size; i++) {
			u8 bits = e->bits >> (8 * i);
			u8 was = m->start[e->pos + i] & bits;
			u8 is = m->cfg[e->pos + i] & bits;

			if ((e->rule == EXPECT_KEEP && is != was) ||
			    (e->rule == EXPECT_STICKY1 && (was & ~is)) ||
			    (e->rule == EXPECT_STICKY0 && (is & ~was)) ||
			    (e->rule == EXPECT_ZERO && (m->ones[e->pos + i] & bits)))
				return e;
		}
	}

	return NULL;
}

const char *model_violated_row(const struct model *m)
{
	const struct expect *e = model_violation(m);

	return e ? e->row : "nothing";
}

static void model_cap(struct model *m, u8 pos, u8 id, u8 next)
{
	model_set(m, pos, 2, id | next << 8);
	model_ro(m, pos, 2, 0xffff);
}

static void model_ext_cap(struct model *m, u16 pos, u16 id, u16 next)
{
	model_set(m, pos, 4, id | 1 << 16 | (u32)next << 20);
	model_ro(m, pos, 4, 0xffffffff);
	if (id != PCI_EXT_CAP_ID_LTR && id != PCI_EXT_CAP_ID_PRI)
		model_ro(m, pos + 4, 2, 0xffff);
}

static void model_endpoint(struct model *m, unsigned int flags)
{
	model_set(m, 0x04, 4, 0x00100107);
	model_w1c(m, 0x06, 2, 0xf900);
	model_set(m, 0x0c, 4, 0x00000010);
	model_set(m, 0x10, 4, 0xfeb80000);
	model_set(m, 0x18, 4, 0x0000e001);
	model_set(m, 0x1c, 4, 0xfeba0000);
	model_set(m, 0x20, 4, 0x0000000c);
	model_set(m, 0x24, 4, 0x00000038);
	model_set(m, 0x30, 4, 0xfe000000);
	model_set(m, 0x34, 1, 0x40);

	model_cap(m, 0x40, PCI_CAP_ID_PM, 0x50);
	model_set(m, 0x44, 2, 0x2008);
	model_w1c(m, 0x44, 2, 0x8000);
	model_cap(m, 0x50, PCI_CAP_ID_MSI, 0x70);
	model_set(m, 0x52, 2, flags & MODEL_NO_MASK ? 0x0086 : 0x0186);
	model_ro(m, 0x52, 2, 0xff8e);
	model_cap(m, 0x70, PCI_CAP_ID_MSIX, 0xa0);
	model_set(m, 0x72, 2, 0xc009);
	model_ro(m, 0x72, 2, 0x3fff);
	model_cap(m, 0xa0, PCI_CAP_ID_EXP, 0xe0);
	model_set(m, 0xa2, 2, 0x0002);
	model_set(m, 0xa8, 2, 0x2930);
	model_w1c(m, 0xaa, 2, 0x000f);
	model_set(m, 0xaa, 2, 0x0009);
	model_set(m, 0xb0, 2, 0x0048);
	model_set(m, 0xc8, 2, 0x0405);
	model_set(m, 0xd0, 2, 0x0003);
	model_w1c(m, 0xd2, 2, 0x0020);
	model_cap(m, 0xe0, PCI_CAP_ID_AF, 0);
	model_set(m, 0xe2, 2, 0x0306);

	model_ext_cap(m, 0x100, PCI_EXT_CAP_ID_ERR, 0x150);
	model_w1c(m, 0x104, 4, 0xffffffff);
	model_set(m, 0x118, 4, 0x000001e0);
	model_ext_cap(m, 0x150, PCI_EXT_CAP_ID_ARI, 0x160);
	model_ext_cap(m, 0x160, PCI_EXT_CAP_ID_SRIOV, 0x1a0);
	model_set(m, 0x168, 2, flags & MODEL_VFS ? 0x0019 : 0x0000);
	model_set(m, 0x16c, 4, 0x00080008);
	model_ro(m, 0x16c, 4, 0xffffffff);
	model_set(m, 0x170, 2, flags & MODEL_VFS ? 4 : 0);
	model_ro(m, 0x174, 4, 0xffffffff);
	model_set(m, 0x17c, 4, 0x00000553);
	model_ro(m, 0x17c, 4, 0xffffffff);
	model_set(m, 0x180, 4, 1);
	model_set(m, 0x184, 4, 0xfe00000c);
	model_set(m, 0x190, 4, 0xfe02000c);
	model_ext_cap(m, 0x1a0, PCI_EXT_CAP_ID_TPH, 0x1c0);
	model_set(m, 0x1a4, 4, 0x00030205); /* 4 entries in the capability */
	model_set(m, 0x1a8, 4, 0x00000101);
	model_ext_cap(m, 0x1c0, PCI_EXT_CAP_ID_LTR, 0x1d0);
	model_set(m, 0x1c4, 4, 0x10031003);
	model_ext_cap(m, 0x1d0, PCI_EXT_CAP_ID_ACS, 0x1e0);
	model_set(m, 0x1d4, 2, 0x2060); /* egress vector of 32 bits */
	model_set(m, 0x1d6, 2, 0x001d);
	model_ext_cap(m, 0x1e0, PCI_EXT_CAP_ID_ATS, 0x1f0);
	model_set(m, 0x1e6, 2, 0x8000);
	model_ext_cap(m, 0x1f0, PCI_EXT_CAP_ID_PRI, 0x200);
	model_w1c(m, 0x1f6, 2, 0x0003);
	model_set(m, 0x1fc, 4, 0x20);
	model_ext_cap(m, 0x200, PCI_EXT_CAP_ID_PASID, 0x210);
	model_set(m, 0x206, 2, 0x0001);
	model_ext_cap(m, 0x210, PCI_EXT_CAP_ID_REBAR, 0x230);
	model_set(m, 0x218, 4, 0x00000540); /* 2 BARs, BAR 0 */
	model_set(m, 0x220, 4, 0x00000d04); /* BAR 4 */
	model_ro(m, 0x218, 4, 0xff);
	model_ro(m, 0x220, 4, 0xff);
	model_ext_cap(m, 0x230, PCI_EXT_CAP_ID_VF_REBAR, 0x250);
	model_set(m, 0x238, 4, 0x00000020);
	model_ro(m, 0x238, 4, 0xff);
	model_ext_cap(m, 0x250, PCI_EXT_CAP_ID_VC, 0x280);
	model_set(m, 0x254, 4, 1);
	model_set(m, 0x264, 4, 0x800000ff);
	model_ext_cap(m, 0x280, PCI_EXT_CAP_ID_MFVC, 0x2b0);
	model_set(m, 0x284, 4, 0);
	model_set(m, 0x294, 4, 0x800000ff);
	model_ext_cap(m, 0x2b0, PCI_EXT_CAP_ID_L1SS, 0x2c0);
	model_set(m, 0x2b8, 4, 0x6040000f);
	model_set(m, 0x2bc, 4, 0x28);
	model_ext_cap(m, 0x2c0, PCI_EXT_CAP_ID_PTM, 0x2d0);
	model_set(m, 0x2c8, 4, 1);
	model_ext_cap(m, 0x2d0, PCI_EXT_CAP_ID_DOE, 0x300);
	model_ext_cap(m, 0x300, PCI_EXT_CAP_ID_IDE, 0);
	/* One link stream, one selective stream with one address block. */
	model_set(m, 0x304, 4, 0x00000003);
	model_set(m, 0x314, 4, 0x00000001);
	model_ro(m, 0x314, 4, 0x0000000f);
}

static void model_port(struct model *m)
{
	model_set(m, 0x04, 4, 0x00100107);
	model_w1c(m, 0x06, 2, 0xf900);
	model_set(m, 0x0e, 1, 0x01);
	model_set(m, 0x10, 4, 0xfebd1000);
	model_set(m, 0x18, 4, 0x00010100);
	model_set(m, 0x1c, 2, 0xe1e1);
	model_w1c(m, 0x1e, 2, 0xf900);
	model_ro(m, 0x1e, 2, 0x06ff);
	model_set(m, 0x1e, 2, 0x2000);
	model_set(m, 0x20, 4, 0xfea0fe80);
	model_set(m, 0x24, 4, 0x0001fff1); /* closed, 64-bit */
	model_set(m, 0x34, 1, 0x40);
	model_set(m, 0x38, 4, 0xfd000000);
	model_set(m, 0x3e, 2, 0x0002);

	model_cap(m, 0x40, PCI_CAP_ID_PM, 0x50);
	model_set(m, 0x44, 2, 0x0008);
	model_w1c(m, 0x44, 2, 0x8000);
	model_cap(m, 0x50, PCI_CAP_ID_MSI, 0x70);
	model_set(m, 0x52, 2, 0x0181);
	model_cap(m, 0x70, PCI_CAP_ID_MSIX, 0xa0);
	model_set(m, 0x72, 2, 0x8000);
	model_cap(m, 0xa0, PCI_CAP_ID_EXP, 0);
	model_set(m, 0xa2, 2, 0x0142);
	model_set(m, 0xa8, 2, 0x0120);
	model_w1c(m, 0xaa, 2, 0x000f);
	model_set(m, 0xb0, 2, 0x0c40);
	model_w1c(m, 0xb2, 2, 0xc000);
	model_set(m, 0xb8, 2, 0x11c0);
	model_w1c(m, 0xba, 2, 0x011f);
	model_set(m, 0xc8, 2, 0x0420);
	model_set(m, 0xd0, 2, 0x0003);

	model_ext_cap(m, 0x100, PCI_EXT_CAP_ID_ERR, 0x150);
	model_w1c(m, 0x104, 4, 0xffffffff);
	model_set(m, 0x118, 4, 0x000001e0);
	model_ext_cap(m, 0x150, PCI_EXT_CAP_ID_ACS, 0x160);
	model_set(m, 0x154, 2, 0x005f);
	model_set(m, 0x156, 2, 0x001d);
	model_ext_cap(m, 0x160, PCI_EXT_CAP_ID_VC, 0x190);
	model_set(m, 0x174, 4, 0x800000ff);
	model_ext_cap(m, 0x190, PCI_EXT_CAP_ID_L1SS, 0x1a0);
	model_set(m, 0x198, 4, 0x6040000f);
	model_ext_cap(m, 0x1a0, PCI_EXT_CAP_ID_PTM, 0x1b0);
	model_set(m, 0x1a8, 4, 3);
	model_ext_cap(m, 0x1b0, PCI_EXT_CAP_ID_DPC, 0x1d0);
	model_set(m, 0x1b6, 2, 0x0009);
	model_w1c(m, 0x1b8, 2, 0x0009);
	model_ext_cap(m, 0x1d0, PCI_EXT_CAP_ID_LTR, 0x1e0);
	model_set(m, 0x1d4, 4, 0x10031003);
	model_ext_cap(m, 0x1e0, PCI_EXT_CAP_ID_DVSEC, 0x200);
	model_set(m, 0x1e4, 4, 0x02800000 | PCI_LU_DVSEC_VENDOR_CXL);
	model_set(m, 0x1e8, 2, 3);
	model_ext_cap(m, 0x200, PCI_EXT_CAP_ID_IDE, 0);
	model_set(m, 0x204, 4, 0x00000001);
}

void model_arm(struct model *m)
{
	const u32 none[6] = { 0 };
	bool ep = m->kind == PCI_LU_ENDPOINT;

	memcpy(m->start, m->cfg, sizeof(m->start));
	memset(m->ones, 0, sizeof(m->ones));
	m->writes = 0;
	pci_lu_layout_init(&m->layout, m->kind, model_layout_read, m);
	pci_lu_shadow_init(&m->shadow, ep ? model_bar_mask : model_port_bar_mask,
			   ep ? model_vf_bar_mask : none);
}

void model_init(struct model *m, enum pci_lu_kind kind, unsigned int flags)
{
	memset(m, 0, sizeof(*m));
	m->kind = kind;
	model_set(m, 0x00, 4, 0x10c98086);
	model_ro(m, 0x00, 4, 0xffffffff);
	model_ro(m, 0x08, 4, 0xffffffff);
	model_ro(m, 0x0e, 1, 0xff);
	model_ro(m, 0x34, 4, 0xffffffff);
	model_ro(m, 0x06, 2, 0x06ff);
	if (kind == PCI_LU_BRIDGE)
		model_port(m);
	else
		model_endpoint(m, flags);
	model_arm(m);
}
