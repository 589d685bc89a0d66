// SPDX-License-Identifier: GPL-2.0
/*
 * Row by row: whatever a row protects stays, at every access width, and every
 * bit that no row is about gets through.
 */
#include "model.h"
#include "tap.h"

static struct model m;

static u32 mask_of(u8 size)
{
	return size == 4 ? ~0U : (1U << 8 * size) - 1;
}

/* Attack the bits of one expectation with accesses of one width. */
static void attack(const struct expect *e, u8 size)
{
	u16 first = e->pos & ~(size - 1);
	u16 pos;

	for (pos = first; pos < e->pos + e->size; pos += size) {
		int shift = 8 * (pos - e->pos);
		u32 bits = shift >= 0 ? e->bits >> shift : e->bits << -shift;
		u32 hw = model_hw_read(&m, pos, size);
		u32 val;

		bits &= mask_of(size);
		if (!bits)
			continue;
		switch (e->rule) {
		case EXPECT_STICKY1:
			val = hw & ~bits;
			break;
		case EXPECT_STICKY0:
		case EXPECT_ZERO:
			val = hw | bits;
			break;
		default:
			val = hw ^ bits;
			break;
		}
		model_write(&m, pos, size, val);
		okf(m.last.action != PCI_LU_PASS, "%s: write of %#x/%u at %#x passes", e->row, val,
		    size, pos);
		okf(!strcmp(model_last_row(&m), e->row),
		    "%s: write of %#x/%u at %#x is withheld by %s", e->row, val, size, pos,
		    model_last_row(&m));
		okf(m.last.withheld & bits, "%s: says that nothing is withheld", e->row);
	}
	okf(!model_violation(&m), "%s: does not protect, size %u", e->row, size);
}

static void attack_all(enum pci_lu_kind kind, u32 pattern)
{
	const struct expect *e;
	u8 size;

	model_init(&m, kind, MODEL_VFS);
	for (e = model_expect(&m); e->row; e++) {
		u32 hw;

		/* What the field holds must not matter. */
		model_init(&m, kind, MODEL_VFS);
		hw = model_hw_read(&m, e->pos, e->size) & ~e->bits;
		if (e->rule == EXPECT_STICKY1)
			hw |= e->bits;
		else if (e->rule == EXPECT_KEEP && strcmp(e->row, "SRIOV.VFE"))
			hw |= pattern & e->bits;
		else if (e->rule == EXPECT_KEEP)
			hw = model_hw_read(&m, e->pos, e->size);
		model_set(&m, e->pos, e->size, hw);
		model_arm(&m);
		/* BARs that are not there are not there to be moved. */
		if (m.layout.kind == PCI_LU_BRIDGE)
			m.layout.windows = 0xf;
		for (size = 1; size <= 4; size *= 2)
			attack(e, size);
	}
}

static void rows_withhold_endpoint(void)
{
	attack_all(PCI_LU_ENDPOINT, 0);
	attack_all(PCI_LU_ENDPOINT, 0x5a5a5a5a);
	attack_all(PCI_LU_ENDPOINT, 0x8001c003);
}

static void rows_withhold_bridge(void)
{
	attack_all(PCI_LU_BRIDGE, 0);
	attack_all(PCI_LU_BRIDGE, 0x5a5a5a5a);
	attack_all(PCI_LU_BRIDGE, 0x8001c003);
}

/* Bits of an access that some expectation is about. */
static u32 expected_bits(u16 pos, u8 size)
{
	bool vfs = m.kind == PCI_LU_ENDPOINT && (m.start[0x168] & 1);
	const struct expect *e;
	u32 bits = 0;
	u8 i;

	for (i = 0; i < size; i++)
		for (e = model_expect(&m); e->row; e++)
			if ((!e->vfs || vfs) && pos + i >= e->pos && pos + i < e->pos + e->size)
				bits |= (e->bits >> 8 * (pos + i - e->pos) & 0xff) << 8 * i;

	return bits;
}

static bool interrupt_register(u16 pos)
{
	return m.kind == PCI_LU_ENDPOINT &&
	       ((pos & ~3) == 0x50 || (pos & ~3) == 0x60 || (pos & ~3) == 0x70);
}

static void sweep(u32 val)
{
	u8 size;
	u16 pos;

	for (size = 1; size <= 4; size *= 2) {
		for (pos = 0; pos < 4096; pos += size) {
			u32 mask = mask_of(size);
			u32 was = model_hw_read(&m, pos, size);
			u32 w1c = 0, ro = 0, free, is;
			u8 i;

			for (i = 0; i < size; i++) {
				w1c |= (u32)m.w1c[pos + i] << 8 * i;
				ro |= (u32)m.ro[pos + i] << 8 * i;
			}
			free = ~expected_bits(pos, size) & mask;
			if (interrupt_register(pos))
				continue;
			model_write(&m, pos, size, val & mask);
			is = model_hw_read(&m, pos, size);
			/* Reserved bits of a ROM BAR: no one cares. */
			if ((pos & ~3) == (m.kind ? 0x38 : 0x30))
				free &= ~(0x7feU >> 8 * (pos & 3));
			okf(!((is ^ val) & free & ~ro & ~w1c), "%#x/%u at %#x: %#x arrives",
			    val & mask, size, pos, is);
			okf((is & free & w1c & ~ro) == (was & ~val & free & w1c & ~ro),
			    "%#x/%u at %#x: RW1C bits %#x become %#x", val & mask, size, pos,
			    was & w1c, is & w1c);
			okf(!(m.last.value & ~mask), "wider than the access");
		}
	}
	okf(!model_violation(&m), "%s: does not protect", model_violated_row(&m));
}

static void sweep_all(enum pci_lu_kind kind, unsigned int flags)
{
	model_init(&m, kind, flags);
	sweep(0);
	sweep(~0U);
	sweep(0xa5a5a5a5);
	model_init(&m, kind, flags);
	sweep(0x5a5a5a5a);
	sweep(0);
}

static void rows_pass_everything_else(void)
{
	sweep_all(PCI_LU_ENDPOINT, 0);
	sweep_all(PCI_LU_ENDPOINT, MODEL_VFS);
	sweep_all(PCI_LU_BRIDGE, 0);
}

static void rows_are_well_formed(void)
{
	unsigned int n, i, j;
	const struct pci_lu_row *row = pci_lu_policy_rows(&n);

	ok(n > 60 && n < PCI_LU_ROW_NONE);
	for (i = 0; i < n; i++) {
		const struct pci_lu_row *r = &row[i];

		ok(r->name && r->cap && r->reg && r->writer && r->why && r->spec);
		okf(r->why[strlen(r->why) - 1] == '.', "%s: why", r->name);
		okf(r->width == 1 || r->width == 2 || r->width == 4, "%s", r->name);
		okf(r->bits && (r->width == 4 || !(r->bits >> 8 * r->width)),
		    "%s: bits beyond its width", r->name);
		okf(r->off % 4 + r->width <= 4, "%s: spans dwords", r->name);
		okf(!r->count || r->stride, "%s: no stride", r->name);
		okf(!r->base == !strcmp(r->cap, "header"), "%s: base", r->name);
		okf((r->rule != PCI_LU_SHADOW) || r->slot < PCI_LU_NR_SLOTS, "%s: slot", r->name);
		okf(!strncmp(r->name, "PORT.", 5) == (r->kinds == PCI_LU_FOR_BRIDGE), "%s: prefix",
		    r->name);
		for (j = 0; j < i; j++)
			okf(strcmp(r->name, row[j].name), "%s: twice", r->name);
	}
	ok(!strcmp(pci_lu_rule_name(PCI_LU_KEEP), "keep"));
	ok(!strcmp(pci_lu_rule_name(PCI_LU_MSI_MASK), "msi-mask"));
}

/* No row without an expectation, but for those with a test of their own. */
static void rows_are_all_expected(void)
{
	unsigned int n, i;
	const struct pci_lu_row *row = pci_lu_policy_rows(&n);

	for (i = 0; i < n; i++) {
		const struct expect *e;
		bool found = !strncmp(row[i].name, "MSI", 3);

		for (e = expect_endpoint; e->row; e++)
			found |= !strcmp(e->row, row[i].name);
		for (e = expect_bridge; e->row; e++)
			found |= !strcmp(e->row, row[i].name);
		okf(found, "%s: not tested", row[i].name);
	}
}

/* A function that does not answer must not be handed all ones. */
static void rows_with_hardware_gone(void)
{
	struct pci_lu_verdict v;

	model_init(&m, PCI_LU_ENDPOINT, 0);
	v = pci_lu_policy_write(&m.layout, &m.shadow, 0xa8, 2, 0xffff, 0x2810);
	eq(v.action, PCI_LU_DROP);
	v = pci_lu_policy_write(&m.layout, &m.shadow, 0x04, 4, ~0U, 0x103);
	eq(v.action, PCI_LU_DROP);
	v = pci_lu_policy_write(&m.layout, &m.shadow, 0xaa, 2, 0xffff, 0x000f);
	eq(v.action, PCI_LU_PASS);
}

/* Positions no register has: nothing is read out of bounds, all passes. */
static void rows_at_the_edges(void)
{
	struct pci_lu_verdict v;

	model_init(&m, PCI_LU_ENDPOINT, 0);
	v = pci_lu_policy_write(&m.layout, &m.shadow, 0xffe, 4, 0, 0x12345678);
	eq(v.action, PCI_LU_PASS);
	eq(v.value, 0x12345678);
	v = pci_lu_policy_write(&m.layout, &m.shadow, 0xffff, 4, 0, 1);
	eq(v.action, PCI_LU_PASS);
	eq(pci_lu_policy_read(&m.layout, &m.shadow, 0xffff, 4, 7), 7);
	/* Across two registers: Command is protected, what is before is not. */
	v = pci_lu_policy_write(&m.layout, &m.shadow, 0x03, 4, 0x10010710, 0);
	eq(v.value, 0x00000700);
}

/*
 * What pci_lu_resync() does, and nothing else, may be promised for a row; a shadow
 * that nobody compares or writes again would leave the two apart.
 */
static void rows_say_what_comes_after(void)
{
	static const char *const reread[] = {
		"COMMAND.BME",	 "PORT.COMMAND.BME", "PM.STATE",
		"PORT.PM.STATE", "DEVCTL2.LTR",	     "PORT.DEVCTL2.ARI",
	};
	unsigned int n, i, j, found = 0;
	const struct pci_lu_row *rows = pci_lu_policy_rows(&n);

	for (i = 0; i < n; i++) {
		bool listed = false;

		for (j = 0; j < sizeof(reread) / sizeof(*reread); j++)
			listed |= !strcmp(rows[i].name, reread[j]);
		found += listed;
		okf(listed == (rows[i].after == PCI_LU_AFTER_REREAD), "%s", rows[i].name);
		if (rows[i].after == PCI_LU_AFTER_REWRITE)
			okf(!strncmp(rows[i].name, "PORT.WINDOW.", 12) ||
				    rows[i].rule == PCI_LU_MSI_CTL ||
				    rows[i].rule == PCI_LU_MSIX_CTL || rows[i].rule == PCI_LU_INTX,
			    "%s", rows[i].name);
		if (rows[i].rule == PCI_LU_SHADOW && !strstr(rows[i].name, "ROM") &&
		    rows[i].when != PCI_LU_VFS_ON)
			okf(rows[i].after != PCI_LU_AFTER_NOTHING, "%s", rows[i].name);
		ok(strcmp(pci_lu_after_name(rows[i].after), "?"));
	}
	eq(found, sizeof(reread) / sizeof(*reread));
}

static void rows_say_what_they_protect(void)
{
	model_init(&m, PCI_LU_ENDPOINT, 0);
	eq(pci_lu_policy_protected(&m.layout, 0x04, 4), 0x407);
	eq(pci_lu_policy_protected(&m.layout, 0x05, 1), 0x4);
	eq(pci_lu_policy_protected(&m.layout, 0xa8, 4), 0xfbf0);
	eq(pci_lu_policy_protected(&m.layout, 0xa9, 1), 0xfb);
	eq(pci_lu_policy_protected(&m.layout, 0x168, 2), 0x0009);
	ok(pci_lu_policy_covers(&m.layout, 0x04, 2));
	ok(!pci_lu_policy_covers(&m.layout, 0x08, 4));
	ok(!pci_lu_policy_covers(&m.layout, 0x3c, 1));
	model_init(&m, PCI_LU_BRIDGE, 0);
	eq(pci_lu_policy_protected(&m.layout, 0x1c, 4), 0xffff);
	eq(pci_lu_policy_protected(&m.layout, 0x3c, 4), 0x00400000);
	/* A port's interrupts are its own. */
	eq(pci_lu_policy_protected(&m.layout, 0x50, 4), 0);
	eq(pci_lu_policy_protected(&m.layout, 0x70, 4), 0);
}

void suite_rows(void)
{
	RUN(rows_are_well_formed);
	RUN(rows_are_all_expected);
	RUN(rows_say_what_they_protect);
	RUN(rows_say_what_comes_after);
	RUN(rows_withhold_endpoint);
	RUN(rows_withhold_bridge);
	RUN(rows_pass_everything_else);
	RUN(rows_with_hardware_gone);
	RUN(rows_at_the_edges);
}
