/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reading and sealing what crosses the kexec: see the contract in
 * <linux/kho/abi/pci_liveupdate.h>.
 */
#ifndef _PCI_LU_RECORD_H
#define _PCI_LU_RECORD_H

#include "port.h"
#include <linux/pci_liveupdate_reason.h>
#include <linux/kho/abi/pci_liveupdate.h>

/**
 * struct pci_lu_record - a checked view of a record
 * @buf: the bytes, as given
 * @len: bytes that are part of the record
 * @version: layout version of the writer
 * @hdr_size: bytes of the header, as the writer knew it
 * @fn_size: bytes of one function, as the writer knew it
 * @nr_fns: functions
 * @flags: PCI_LU_HDR_*
 * @bad_off: after a refusal: offset of the first byte that was not accepted
 */
struct pci_lu_record {
	const u8 *buf;
	u32 len;
	u16 version;
	u16 hdr_size;
	u16 fn_size;
	u16 nr_fns;
	u32 flags;
	u32 bad_off;
};

/**
 * struct pci_lu_fn_addr - the part of a function that every version can read
 * @segment: PCI segment (domain)
 * @bus: bus number
 * @devfn: device and function number
 * @flags: PCI_LU_FN_*
 */
struct pci_lu_fn_addr {
	u16 segment;
	u8 bus;
	u8 devfn;
	u32 flags;
};

enum pci_lu_reason pci_lu_record_check(const void *buf, size_t len,
				       struct pci_lu_record *out);
enum pci_lu_reason pci_lu_record_check_stable(const void *buf, size_t len,
					      struct pci_lu_record *out);
enum pci_lu_reason pci_lu_record_addr(const struct pci_lu_record *rec,
				      unsigned int i, struct pci_lu_fn_addr *out);
enum pci_lu_reason pci_lu_record_fn(const struct pci_lu_record *rec,
				    unsigned int i, struct pci_lu_fn_ser *out);
enum pci_lu_reason pci_lu_record_blob(const struct pci_lu_record *rec,
				      unsigned int i, struct pci_lu_blob_ser *out);

unsigned int pci_lu_record_capacity(size_t len);
void pci_lu_record_init(void *buf, size_t len);
enum pci_lu_reason pci_lu_record_add(void *buf, size_t len,
				     const struct pci_lu_fn_ser *fn);
enum pci_lu_reason pci_lu_record_add_blob(void *buf, size_t len, unsigned int i,
					  const struct pci_lu_blob_ser *blob);
void pci_lu_record_seal(void *buf);

/* record_rows.c */
struct pci_lu_row;
enum pci_lu_reason pci_lu_row_check(const struct pci_lu_row_ser *row);
void pci_lu_row_from_ser(const struct pci_lu_row_ser *ser, struct pci_lu_row *row);
enum pci_lu_reason pci_lu_record_rows(const struct pci_lu_record *rec,
				      const struct pci_lu_fn_ser *fn,
				      struct pci_lu_row_ser *out, unsigned int *n);
enum pci_lu_reason pci_lu_record_add_rows(void *buf, size_t len, unsigned int i,
					  const struct pci_lu_row_ser *rows,
					  unsigned int n);

/* record_fn.c */
enum pci_lu_reason pci_lu_fn_check(const struct pci_lu_record *rec,
				   unsigned int i, u32 *bad_off);

#endif /* _PCI_LU_RECORD_H */
