// SPDX-License-Identifier: GPL-2.0
/*
 * PCI live update: config bits that the driver of a function wants kept, in the
 * record and in the guard.
 *
 * Pure, and as suspicious as record.c.
 */

#include "policy.h"
#include "record.h"

/* Some text, and an end to it. */
static bool pci_lu_text_ok(const char *text, size_t size)
{
	return *text && memchr(text, 0, size);
}

/**
 * pci_lu_row_check - can the guard do what a driver asks for?
 * @row: the row
 *
 * The predefined header is the kernel's. What the table protects is protected by
 * the table: a driver can only add to it.
 *
 * Return: %PCI_LU_OK, or %PCI_LU_REASON_FN_ROW.
 */
enum pci_lu_reason pci_lu_row_check(const struct pci_lu_row_ser *row)
{
	u8 width = row->width;

	if (width != 1 && width != 2 && width != 4)
		return PCI_LU_REASON_FN_ROW;
	if (row->pos < PCI_STD_HEADER_SIZEOF || row->pos % width ||
	    row->pos + width > PCI_CFG_SPACE_EXP_SIZE)
		return PCI_LU_REASON_FN_ROW;
	if (!row->bits || (width < 4 && row->bits >> (8 * width)))
		return PCI_LU_REASON_FN_ROW;
	if (row->rule > PCI_LU_ROW_STICKY0)
		return PCI_LU_REASON_FN_ROW;
	if (!pci_lu_text_ok(row->name, sizeof(row->name)) ||
	    !pci_lu_text_ok(row->why, sizeof(row->why)))
		return PCI_LU_REASON_FN_ROW;

	return PCI_LU_OK;
}

/**
 * pci_lu_row_from_ser - a row as the guard wants it
 * @ser: a row that pci_lu_row_check() accepts; it must stay
 * @row: filled in
 */
void pci_lu_row_from_ser(const struct pci_lu_row_ser *ser, struct pci_lu_row *row)
{
	static const u8 rules[] = {
		[PCI_LU_ROW_KEEP] = PCI_LU_KEEP,
		[PCI_LU_ROW_STICKY1] = PCI_LU_STICKY1,
		[PCI_LU_ROW_STICKY0] = PCI_LU_STICKY0,
	};

	*row = (struct pci_lu_row) {
		.name = ser->name,
		.cap = "driver",
		.reg = ser->name,
		.off = ser->pos,
		.width = ser->width,
		.bits = ser->bits,
		.kinds = (u8)~0,
		.rule = rules[ser->rule],
		.writer = "not known",
		.why = ser->why,
		.spec = "",
	};
}

/**
 * pci_lu_record_rows - copy the rows of a function out of a record
 * @rec: a record that passed pci_lu_record_check()
 * @fn: a function of it
 * @out: room for %PCI_LU_DRIVER_ROWS
 * @n: set to the number of rows
 *
 * Return: %PCI_LU_OK, or %PCI_LU_REASON_FN_ROW.
 */
enum pci_lu_reason pci_lu_record_rows(const struct pci_lu_record *rec,
				      const struct pci_lu_fn_ser *fn,
				      struct pci_lu_row_ser *out, unsigned int *n)
{
	const u32 size = fn->nr_rows * sizeof(*out);
	unsigned int i;

	*n = 0;
	if (!fn->nr_rows)
		return PCI_LU_OK;
	if (fn->nr_rows > PCI_LU_DRIVER_ROWS || fn->rows > rec->len ||
	    fn->rows < rec->hdr_size + (u32)rec->nr_fns * rec->fn_size ||
	    size > rec->len - fn->rows)
		return PCI_LU_REASON_FN_ROW;
	memcpy(out, rec->buf + fn->rows, size);
	for (i = 0; i < fn->nr_rows; i++)
		if (pci_lu_row_check(&out[i]))
			return PCI_LU_REASON_FN_ROW;
	*n = fn->nr_rows;

	return PCI_LU_OK;
}

/**
 * pci_lu_record_add_rows - append the rows of a function
 * @buf: a record to which all functions were added; it is not sealed any more
 * @len: size of the block
 * @i: which function
 * @rows: its rows
 * @n: how many
 *
 * Return: %PCI_LU_OK; %PCI_LU_REASON_TOO_MANY when there is no room;
 * %PCI_LU_REASON_FN_INDEX or %PCI_LU_REASON_FN_ROW for what no reader would accept.
 */
enum pci_lu_reason pci_lu_record_add_rows(void *buf, size_t len, unsigned int i,
					  const struct pci_lu_row_ser *rows,
					  unsigned int n)
{
	u32 off, size = n * sizeof(*rows);
	struct pci_lu_hdr_ser hdr;
	struct pci_lu_fn_ser fn;
	u8 *at;

	memcpy(&hdr, buf, sizeof(hdr));
	if (i >= hdr.nr_fns)
		return PCI_LU_REASON_FN_INDEX;
	if (n > PCI_LU_DRIVER_ROWS)
		return PCI_LU_REASON_FN_ROW;
	if (!n)
		return PCI_LU_OK;
	off = (hdr.total_size + 7) & ~7U;
	if (off > len || size > len - off)
		return PCI_LU_REASON_TOO_MANY;
	memset((u8 *)buf + hdr.total_size, 0, off - hdr.total_size);
	memcpy((u8 *)buf + off, rows, size);
	hdr.total_size = off + size;
	memcpy(buf, &hdr, sizeof(hdr));

	at = (u8 *)buf + hdr.hdr_size + (size_t)i * hdr.fn_size;
	memcpy(&fn, at, sizeof(fn));
	fn.rows = off;
	fn.nr_rows = n;
	fn.required |= PCI_LU_FN_REQ_ROWS;
	memcpy(at, &fn, sizeof(fn));

	return PCI_LU_OK;
}
