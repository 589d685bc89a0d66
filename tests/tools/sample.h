/* SPDX-License-Identifier: GPL-2.0 */
/* Records as a kernel would write them, for tests and golden files. */
#ifndef TESTS_TOOLS_SAMPLE_H
#define TESTS_TOOLS_SAMPLE_H

#include "record.h"

void sample_endpoint(struct pci_lu_fn_ser *fn);
void sample_bridge(struct pci_lu_fn_ser *fn, u8 bus, u8 secondary, u8 subordinate);

/* Root port and NIC; root port, switch and NIC. */
void sample_port(void *buf, size_t len);
void sample_switch(void *buf, size_t len);

/* A VF of the PF in sample_vfs(); root port, PF with a blob, VFs 0 and 3 of 4. */
void sample_vf(struct pci_lu_fn_ser *fn, u16 id);
void sample_vfs(void *buf, size_t len);
#define SAMPLE_VFS_SIZE (64 + 4 * 256 + 45)

/* Two functions, each behind a port; the first does DMA to a BAR of the second. */
void sample_p2p(void *buf, size_t len);

/* Root port and NIC by a writer with other structure sizes. */
void sample_grown(void *buf, size_t len, u16 hdr_size, u16 fn_size);

/* Seal again after a change, whatever the sizes in the header say. */
void sample_reseal(void *buf);

#endif
