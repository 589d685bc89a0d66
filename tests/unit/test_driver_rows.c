// SPDX-License-Identifier: GPL-2.0
/*
 * Rows that the driver of a function has given: which are accepted, what the guard
 * makes of them, and how they cross.
 */
#include "../tools/sample.h"
#include "model.h"
#include "record.h"
#include "tap.h"

#define VNDR 0xf00 /* of no capability */

static struct model m;

static struct pci_lu_row_ser a_row(u16 pos, u8 width, u32 bits)
{
	return (struct pci_lu_row_ser){
		.pos = pos,
		.width = width,
		.bits = bits,
		.name = "MODE",
		.why = "the engine stops",
	};
}

static void row_is_accepted_or_not(void)
{
	struct pci_lu_row_ser row = a_row(VNDR, 4, ~0U);

	eq(pci_lu_row_check(&row), 0);
	row = a_row(0x40, 1, 0x80);
	eq(pci_lu_row_check(&row), 0);
	row = a_row(0xffc, 4, 1);
	eq(pci_lu_row_check(&row), 0);

	row = a_row(0x3e, 2, 1); /* the predefined header is not the driver's */
	eq(pci_lu_row_check(&row), PCI_LU_REASON_FN_ROW);
	row = a_row(0x1000, 1, 1);
	eq(pci_lu_row_check(&row), PCI_LU_REASON_FN_ROW);
	row = a_row(0xffff, 1, 1);
	eq(pci_lu_row_check(&row), PCI_LU_REASON_FN_ROW);
	row = a_row(VNDR + 1, 2, 1);
	eq(pci_lu_row_check(&row), PCI_LU_REASON_FN_ROW);
	row = a_row(VNDR, 3, 1);
	eq(pci_lu_row_check(&row), PCI_LU_REASON_FN_ROW);
	row = a_row(VNDR, 0, 1);
	eq(pci_lu_row_check(&row), PCI_LU_REASON_FN_ROW);
	row = a_row(VNDR, 2, 0);
	eq(pci_lu_row_check(&row), PCI_LU_REASON_FN_ROW);
	row = a_row(VNDR, 2, 0x10000);
	eq(pci_lu_row_check(&row), PCI_LU_REASON_FN_ROW);
	row = a_row(VNDR, 4, 1);
	row.rule = PCI_LU_ROW_STICKY0 + 1;
	eq(pci_lu_row_check(&row), PCI_LU_REASON_FN_ROW);
	row = a_row(VNDR, 4, 1);
	row.why[0] = 0; /* no row without a reason */
	eq(pci_lu_row_check(&row), PCI_LU_REASON_FN_ROW);
	row = a_row(VNDR, 4, 1);
	memset(row.name, 'x', sizeof(row.name));
	eq(pci_lu_row_check(&row), PCI_LU_REASON_FN_ROW);
}

static void arm(const struct pci_lu_row_ser *sers, unsigned int n)
{
	static struct pci_lu_row rows[PCI_LU_DRIVER_ROWS];
	unsigned int i;

	model_init(&m, PCI_LU_ENDPOINT, 0);
	model_set(&m, VNDR, 4, 0x00ff1234);
	for (i = 0; i < n; i++)
		pci_lu_row_from_ser(&sers[i], &rows[i]);
	model_arm(&m);
	pci_lu_layout_add_rows(&m.layout, rows, n);
}

static void row_keeps_its_bits(void)
{
	struct pci_lu_row_ser row = a_row(VNDR, 4, 0x0000ff00);
	unsigned int n;

	/* Without it the write passes. */
	arm(NULL, 0);
	model_write(&m, VNDR, 4, 0);
	eq(model_hw_read(&m, VNDR, 4), 0);

	arm(&row, 1);
	pci_lu_policy_rows(&n);
	model_write(&m, VNDR, 4, 0);
	eq(model_hw_read(&m, VNDR, 4), 0x1200);
	eq(m.last.row, n);
	ok(!strcmp(pci_lu_policy_row(&m.layout, m.last.row)->name, "MODE"));
	eq(pci_lu_policy_protected(&m.layout, VNDR, 4), 0xff00);
	model_write(&m, VNDR + 1, 1, 0x55);
	eq(model_hw_read(&m, VNDR, 4), 0x1200);
	model_write(&m, VNDR, 1, 0x55);
	eq(model_hw_read(&m, VNDR, 4), 0x1255);

	row.rule = PCI_LU_ROW_STICKY1;
	arm(&row, 1);
	model_write(&m, VNDR, 2, 0xff00);
	eq(model_hw_read(&m, VNDR, 2), 0xff00);
	model_write(&m, VNDR, 2, 0);
	eq(model_hw_read(&m, VNDR, 2), 0xff00);

	row.rule = PCI_LU_ROW_STICKY0;
	arm(&row, 1);
	model_write(&m, VNDR, 2, 0xff00);
	eq(model_hw_read(&m, VNDR, 2), 0x1200);
	model_write(&m, VNDR, 2, 0);
	eq(model_hw_read(&m, VNDR, 2), 0);
}

/* MSI-X Enable off becomes masked and on; KEEP of the same bits must not undo that. */
static void table_goes_first(void)
{
	struct pci_lu_row_ser row;
	u16 ctl;
	u32 hw;

	model_init(&m, PCI_LU_ENDPOINT, 0);
	ctl = m.layout.msix + 2;
	row = a_row(ctl, 2, 0xffff);
	arm(&row, 1);
	hw = 0x8009; /* on, and not masked */
	model_set(&m, ctl, 2, hw);
	model_write(&m, ctl, 2, hw & ~0x8000);
	eq(model_hw_read(&m, ctl, 2) & 0xc000, 0xc000);
	ok(!strcmp(model_last_row(&m), "MSIX.CONTROL"));
}

static void rows_cross(void)
{
	struct pci_lu_row_ser rows[PCI_LU_DRIVER_ROWS + 1], got[PCI_LU_DRIVER_ROWS];
	static u8 buf[16384];
	const u32 nr_rows = 64 + 256 + offsetof(struct pci_lu_fn_ser, nr_rows);
	struct pci_lu_record rec;
	struct pci_lu_fn_ser fn;
	unsigned int i, n;
	u16 many = PCI_LU_DRIVER_ROWS + 1;

	for (i = 0; i <= PCI_LU_DRIVER_ROWS; i++)
		rows[i] = a_row(VNDR + 4 * i, 4, 1 << i);
	sample_vfs(buf, sizeof(buf));
	eq(pci_lu_record_add_rows(buf, sizeof(buf), 1, rows, many), PCI_LU_REASON_FN_ROW);
	eq(pci_lu_record_add_rows(buf, sizeof(buf), 9, rows, 1), PCI_LU_REASON_FN_INDEX);
	eq(pci_lu_record_add_rows(buf, SAMPLE_VFS_SIZE + 127, 1, rows, 1), PCI_LU_REASON_TOO_MANY);
	eq(pci_lu_record_add_rows(buf, sizeof(buf), 1, rows, PCI_LU_DRIVER_ROWS), 0);
	pci_lu_record_seal(buf);

	eq(pci_lu_record_check(buf, sizeof(buf), &rec), 0);
	eq(pci_lu_record_fn(&rec, 1, &fn), 0);
	ok(fn.required & PCI_LU_FN_REQ_ROWS);
	eq(pci_lu_record_rows(&rec, &fn, got, &n), 0);
	eq(n, PCI_LU_DRIVER_ROWS);
	ok(!memcmp(got, rows, sizeof(got)));
	eq(pci_lu_record_fn(&rec, 0, &fn), 0);
	eq(pci_lu_record_rows(&rec, &fn, got, &n), 0);
	eq(n, 0);

	/* More than there is room for; one that is none; beyond the end; among the entries. */
	memcpy(buf + nr_rows, &many, sizeof(many));
	pci_lu_record_seal(buf);
	pci_lu_record_fn(&rec, 1, &fn);
	eq(pci_lu_record_rows(&rec, &fn, got, &n), PCI_LU_REASON_FN_ROW);
	eq(n, 0);
	fn.nr_rows = 8;
	fn.rows += 2;
	eq(pci_lu_record_rows(&rec, &fn, got, &n), PCI_LU_REASON_FN_ROW);
	fn.rows = rec.len - 127;
	fn.nr_rows = 1;
	eq(pci_lu_record_rows(&rec, &fn, got, &n), PCI_LU_REASON_FN_ROW);
	fn.rows = ~0U;
	eq(pci_lu_record_rows(&rec, &fn, got, &n), PCI_LU_REASON_FN_ROW);
	fn.rows = 64;
	eq(pci_lu_record_rows(&rec, &fn, got, &n), PCI_LU_REASON_FN_ROW);
}

void suite_driver_rows(void)
{
	RUN(row_is_accepted_or_not);
	RUN(row_keeps_its_bits);
	RUN(table_goes_first);
	RUN(rows_cross);
}
