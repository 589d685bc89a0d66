// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzing of the record. An odd first byte has the checksum put right, without
 * which no mutation would get past it.
 */
#include <stdlib.h>

#include "record.h"
#include "../tools/sample.h"

static void functions(const struct pci_lu_record *rec)
{
	struct pci_lu_blob_ser blob;
	struct pci_lu_fn_ser fn;
	struct pci_lu_fn_addr f;
	unsigned int i;
	u32 off;
	int err;

	for (i = 0; i < rec->nr_fns && i < 64; i++) {
		if (pci_lu_record_fn(rec, i, &fn) || pci_lu_record_addr(rec, i, &f))
			abort();
		if (f.segment != fn.segment || f.bus != fn.bus || f.devfn != fn.devfn ||
		    f.flags != fn.flags)
			abort();
		err = pci_lu_fn_check(rec, i, &off);
		if (off > rec->len || (!err && off))
			abort();
		if (!strcmp(pci_lu_reason_name(err), "unknown"))
			abort();
		/* What is accepted can be relied upon. */
		if (!err && !memchr(fn.driver, 0, sizeof(fn.driver)))
			abort();
		if (!err && fn.parent != PCI_LU_PARENT_NONE && fn.parent >= rec->nr_fns)
			abort();
		if (!err && fn.needs > rec->nr_fns)
			abort();
		if (!pci_lu_record_blob(rec, i, &blob) &&
		    (blob.size > sizeof(blob.data) ||
		     !memchr(blob.compatible, 0, sizeof(blob.compatible))))
			abort();
	}
	if (!pci_lu_record_fn(rec, rec->nr_fns, &fn))
		abort();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct pci_lu_record rec, stable;
	u32 total;
	u8 *buf;
	int err;

	if (!len)
		return 0;
	/* A block of its very own, so that the sanitizer sees its end. */
	buf = malloc(len - 1);
	memcpy(buf, data + 1, len - 1);
	len--;
	if ((data[0] & 1) && len >= sizeof(struct pci_lu_hdr_ser)) {
		memcpy(&total, buf + offsetof(struct pci_lu_hdr_ser, total_size), 4);
		if (data[0] & 2)
			memcpy(buf, PCI_LU_COMPATIBLE, sizeof(PCI_LU_COMPATIBLE));
		if (total >= sizeof(struct pci_lu_hdr_ser) && total <= len)
			sample_reseal(buf);
	}

	err = pci_lu_record_check(buf, len, &rec);
	if (!strcmp(pci_lu_reason_name(err), "unknown"))
		abort();
	if (!err) {
		if (rec.len > len || pci_lu_record_check_stable(buf, len, &stable))
			abort();
		functions(&rec);
	} else if (rec.bad_off > len) {
		abort();
	}
	free(buf);

	return 0;
}
