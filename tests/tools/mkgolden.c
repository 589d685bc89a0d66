// SPDX-License-Identifier: GPL-2.0
/*
 * Write the golden records: good ones, and bad ones with one defect each.
 *
 * usage: mkgolden DIR; writes DIR/good/NAME.hex and DIR/bad/NAME.hex
 */
#include <stdio.h>
#include <stdlib.h>

#include "sample.h"
#include "sample_iommu.h"

#define HDR(field) offsetof(struct pci_lu_hdr_ser, field)
/* In the record of sample_port(): the root port, and the NIC behind it. */
#define PORT(field)   (64 + offsetof(struct pci_lu_fn_ser, field))
#define NIC(field)    (64 + 256 + offsetof(struct pci_lu_fn_ser, field))
#define PORT_NIC_SIZE (64 + 2 * 256)

static u8 buf[8192];
static const char *dir;

static void save(const char *kind, const char *name, const char *what, size_t n)
{
	char path[512];
	size_t i;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s/%s.hex", dir, kind, name);
	f = fopen(path, "w");
	if (!f) {
		perror(path);
		exit(1);
	}
	fprintf(f, "# %s\n", what);
	for (i = 0; i < n; i++) {
		if (i % 16 == 0)
			fprintf(f, "%04zx:", i);
		fprintf(f, " %02x%s", buf[i], i % 16 == 15 || i + 1 == n ? "\n" : "");
	}
	fclose(f);
}

struct defect {
	const char *name;
	const char *what;
	size_t off;
	u8 size;
	u32 val;
	bool broken_seal;
};

static const struct defect defects[] = {
	{ "compatible", "the compatible string of another record", HDR(compatible) + 9, 1, 'x', 0 },
	{ "compatible-v2", "the compatible string of a later version", HDR(compatible) + 14, 1, '2',
	  0 },
	{ "compatible-tail", "something after the compatible string", HDR(compatible) + 31, 1, 'x',
	  0 },
	{ "version-0", "version 0", HDR(version), 2, 0, 0 },
	{ "version-2", "a later version", HDR(version), 2, 2, 0 },
	{ "hdr-size-short", "a header shorter than that of version 1", HDR(hdr_size), 2, 56, 0 },
	{ "hdr-size-frozen", "a header shorter than its frozen part", HDR(hdr_size), 2, 51, 0 },
	{ "hdr-size-long", "a header that pushes the table out", HDR(hdr_size), 2, 66, 0 },
	{ "fn-size-short", "entries shorter than those of version 1", HDR(fn_size), 2, 180, 0 },
	{ "fn-size-frozen", "entries shorter than their frozen part", HDR(fn_size), 2, 7, 0 },
	{ "fn-size-long", "entries that do not fit", HDR(fn_size), 2, 257, 0 },
	{ "count", "more entries than there are bytes", HDR(nr_fns), 2, 3, 0 },
	{ "count-max", "more entries than allowed", HDR(nr_fns), 2, 4097, 0 },
	{ "total-size-long", "a size beyond the block", HDR(total_size), 4, PORT_NIC_SIZE + 1, 1 },
	{ "total-size-short", "a size that cuts the table", HDR(total_size), 4, PORT_NIC_SIZE - 1,
	  0 },
	{ "required", "a required feature nobody knows", HDR(required), 4, 0x80000000, 0 },
	{ "crc", "a wrong checksum", HDR(crc), 4, 0x12345678, 1 },
	{ "bit", "one flipped bit in a BAR", NIC(bar), 1, 1, 1 },
	{ "fn-kind-none", "neither endpoint nor bridge", NIC(flags), 4, 0x14, 0 },
	{ "fn-kind-both", "endpoint and bridge", NIC(flags), 4, 0x17, 0 },
	{ "fn-role", "neither requested nor depended on", NIC(flags), 4, 0x11, 0 },
	{ "fn-required", "a required feature nobody knows", NIC(required), 4, 1, 0 },
	{ "fn-vendor", "a vendor ID of all ones", NIC(vendor), 2, 0xffff, 0 },
	{ "fn-parent-index", "a parent beyond the table", NIC(parent), 2, 2, 0 },
	{ "fn-parent-self", "a function that is its own parent", NIC(parent), 2, 1, 0 },
	{ "fn-parent-kind", "a parent that is an endpoint", PORT(parent), 2, 1, 0 },
	{ "fn-parent-bus", "a bus that the parent does not lead to", NIC(bus), 1, 2, 0 },
	{ "fn-parent-segment", "a parent in another segment", NIC(segment), 2, 1, 0 },
	{ "fn-bus-numbers", "a secondary bus that is the primary one", PORT(bus_numbers), 4,
	  0x010000, 0 },
	{ "fn-bus-numbers-order", "a subordinate bus below the secondary one", PORT(bus_numbers), 4,
	  0x000100, 0 },
	{ "fn-refs", "depended on, by nobody", PORT(refs), 2, 0, 0 },
	{ "fn-refs-endpoint", "not depended on, by one", NIC(refs), 2, 1, 0 },
	{ "fn-driver", "a driver name without an end", NIC(driver), 0, 'x', 0 },
	{ "fn-bar-mask-hole", "a BAR mask with a hole", NIC(bar_mask), 4, 0xfefe0000, 0 },
	{ "fn-bar-mask-low", "a BAR mask over the type bits", NIC(bar_mask), 4, 0xffffffff, 0 },
	{ "fn-bar-mask-high", "a 64-bit BAR with a hole above", NIC(bar_mask[4]), 4, 0xfffffff0,
	  0 },
	{ "fn-bar-64-last", "a 64-bit BAR in the last place", NIC(bar_mask[5]), 4, 0xfffff000, 0 },
	{ "fn-bar-mask-port", "a third BAR in a bridge", PORT(bar_mask[2]), 4, 0xfffff000, 0 },
	{ "fn-bar-value", "a BAR that is not aligned", NIC(bar), 4, 0xfeb90000, 0 },
	{ "fn-rom-mask", "a ROM mask below the granularity", NIC(bar_mask[6]), 4, 0xfffffc00, 0 },
	{ "fn-rom-value", "a ROM BAR that is not aligned", NIC(bar[6]), 4, 0xfe010000, 0 },
	{ "fn-vf-bar-mask", "a VF BAR mask with a hole", NIC(vf_bar_mask), 4, 0xfeffc000, 0 },
	{ "fn-irq-mode", "an unknown interrupt mode", NIC(irq_mode), 2, 5, 0 },
	{ "fn-irq-vectors", "more vectors than MSI-X has", NIC(nr_vectors), 2, 2049, 0 },
};

/* In the record of sample_vfs(): root port, PF, two VFs, the PF's blob. */
#define VFN(i, field) (64 + (i)*256 + offsetof(struct pci_lu_fn_ser, field))
#define BLOB(field)   (64 + 4 * 256 + offsetof(struct pci_lu_blob_ser, field))

static const struct defect vf_defects[] = {
	{ "vf-needs-none", "a VF without a PF", VFN(2, needs), 2, 0, 0 },
	{ "vf-needs-index", "a PF beyond the table", VFN(2, needs), 2, 5, 0 },
	{ "vf-needs-bridge", "a PF that is a bridge", VFN(2, needs), 2, 1, 0 },
	{ "vf-needs-self", "a VF that is its own PF", VFN(2, needs), 2, 3, 0 },
	{ "vf-needs-vf", "a PF that is a VF", VFN(2, needs), 2, 4, 0 },
	{ "vf-id", "a VF at the address of another", VFN(2, vf_id), 2, 1, 0 },
	{ "vf-id-beyond", "a VF beyond NumVFs", VFN(1, num_vfs), 2, 3, 0 },
	{ "vf-off", "VFs of a PF that has VF Enable off", VFN(1, sriov_ctrl), 2, 0x0018, 0 },
	{ "vf-stride", "another stride", VFN(1, vf_stride), 2, 1, 0 },
	{ "vf-segment", "a PF in another segment", VFN(1, segment), 2, 1, 0 },
	{ "vf-sibling", "a VF that says it is none", VFN(2, flags), 4, 0x15, 0 },
	{ "pf-refs", "VFs that need it, and nobody that does", VFN(1, flags), 4, 0x19, 0 },
	{ "pf-needs", "a bridge that needs an endpoint", VFN(0, needs), 2, 2, 0 },
	{ "blob-inside", "a blob in the table", VFN(1, blob), 4, 64 + 256, 0 },
	{ "blob-beyond", "a blob behind the end", VFN(1, blob), 4, SAMPLE_VFS_SIZE - 39, 0 },
	{ "blob-far", "a blob far behind the end", VFN(1, blob), 4, 0xfffffff0, 0 },
	{ "blob-size", "a blob larger than the record", BLOB(size), 2, 6, 0 },
	{ "blob-size-max", "a blob larger than allowed", BLOB(size), 2, 257, 0 },
	{ "blob-anonymous", "a blob of nobody", BLOB(compatible), 1, 0, 0 },
};

static void bad_vfs(void)
{
	const struct defect *d;
	size_t i;

	for (i = 0; i < sizeof(vf_defects) / sizeof(vf_defects[0]); i++) {
		d = &vf_defects[i];
		sample_vfs(buf, sizeof(buf));
		memcpy(buf + d->off, &d->val, d->size);
		sample_reseal(buf);
		save("bad", d->name, d->what, SAMPLE_VFS_SIZE);
	}
}

static void bad(void)
{
	const struct defect *d;
	u32 val;
	size_t i;

	for (i = 0; i < sizeof(defects) / sizeof(defects[0]); i++) {
		d = &defects[i];
		sample_port(buf, sizeof(buf));
		/* The type of the last BAR is needed for its defect. */
		if (!strcmp(d->name, "fn-bar-64-last")) {
			val = 0xf0000004;
			memcpy(buf + NIC(bar[5]), &val, 4);
		}
		val = d->val;
		if (d->size)
			memcpy(buf + d->off, &val, d->size);
		else
			memset(buf + d->off, d->val, 16);
		if (!d->broken_seal && strcmp(d->name, "count-max") &&
		    strcmp(d->name, "total-size-short"))
			sample_reseal(buf);
		save("bad", d->name, d->what, PORT_NIC_SIZE);
	}

	sample_port(buf, sizeof(buf));
	save("bad", "short", "the block ends within the header", 40);
	save("bad", "truncated", "the block ends within the last entry", PORT_NIC_SIZE - 8);
	save("bad", "nothing", "an empty block", 0);

	memcpy(buf + NIC(segment), buf + PORT(segment), 4);
	sample_reseal(buf);
	save("bad", "fn-duplicate", "the same address twice", PORT_NIC_SIZE);

	sample_switch(buf, sizeof(buf));
	val = 2;
	memcpy(buf + PORT(parent), &val, 2);
	sample_reseal(buf);
	save("bad", "fn-parent-cycle", "three bridges in a circle", 64 + 4 * 256);

	sample_grown(buf, sizeof(buf), 52, 8);
	memcpy(buf, "holdfast-pci-v9", 16);
	sample_reseal(buf);
	save("bad", "frozen-only", "version 9, of which only the frozen part is known",
	     52 + 2 * 8 + 16);
}

/* In the record of sample_iommu_legacy(): 2 units, 2 page tables, 3 functions. */
#define IHDR(field)    offsetof(struct iommu_lu_hdr_ser, field)
#define IUNIT(field)   (80 + offsetof(struct iommu_lu_unit_ser, field))
#define ITABLE(field)  (80 + 2 * 80 + offsetof(struct iommu_lu_table_ser, field))
#define IFN(field)     (80 + 2 * 80 + 2 * 32 + offsetof(struct iommu_lu_fn_ser, field))
#define ILEGACY_SIZE   (80 + 2 * 80 + 2 * 32 + 3 * 144)
#define ISCALABLE_SIZE (80 + 80 + 32 + 144)

static const struct defect iommu_defects[] = {
	{ "iommu-compatible", "the compatible string of a later version", IHDR(compatible) + 16, 1,
	  '2', 0 },
	{ "iommu-version", "a later version", IHDR(version), 2, 2, 0 },
	{ "iommu-kind", "a kind of IOMMU nobody knows", IHDR(kind), 2, 7, 0 },
	{ "iommu-fn-size", "entries shorter than those of version 1", IHDR(fn_size), 2, 136, 0 },
	{ "iommu-count", "no function", IHDR(nr_fns), 2, 0, 0 },
	{ "iommu-total-size", "a size beyond the block", IHDR(total_size), 4, ILEGACY_SIZE + 1, 1 },
	{ "iommu-crc", "a wrong checksum", IHDR(crc), 4, 0x12345678, 1 },
	{ "iommu-required", "a required feature nobody knows", IHDR(required), 4, 1, 0 },
	{ "iommu-unit-address", "registers that are not page aligned", IUNIT(reg_base), 4,
	  0xfed90004, 0 },
	{ "iommu-unit-top", "no top-level table", IUNIT(top_pa), 4, 0, 0 },
	{ "iommu-unit-irt", "no interrupt remapping table", IUNIT(irt_pa), 4, 0, 0 },
	{ "iommu-unit-irt-align", "an interrupt remapping table that is not page aligned",
	  IUNIT(irt_pa), 4, 0x180010, 0 },
	{ "iommu-unit-irt-size", "an interrupt remapping table of more than the page there is",
	  IUNIT(irt_flags), 4, 0x80f, 0 },
	{ "iommu-unit-irt-top", "one page for two tables", IUNIT(irt_pa), 4, 0x100000, 0 },
	{ "iommu-unit-mode", "a scalable unit in a record without scalable mode", IUNIT(flags), 2,
	  1, 0 },
	{ "iommu-table-pages", "a page table without pages", ITABLE(pages.nr), 4, 0, 0 },
	{ "iommu-table-refs", "a page table with a user too many", ITABLE(refs), 2, 3, 0 },
	{ "iommu-fn-unit", "a function on no unit", IFN(unit), 2, 2, 0 },
	{ "iommu-fn-segment", "a function on another segment", IFN(segment), 2, 1, 0 },
	{ "iommu-fn-tag", "a domain ID that the context entry does not have", IFN(tag), 4, 8, 0 },
	{ "iommu-fn-stream", "a stream ID that is not the requester ID", IFN(stream), 4, 0x101, 0 },
	{ "iommu-fn-entry", "a context entry that is not present", IFN(entry), 4, 0x300000, 0 },
	{ "iommu-fn-pages", "a PASID directory in legacy mode", IFN(pages), 4, 0x500000, 0 },
};

static void iommu(void)
{
	const struct defect *d;
	size_t i;

	sample_iommu_legacy(buf, sizeof(buf));
	save("good", "iommu-legacy", "three functions on two units", ILEGACY_SIZE);
	sample_iommu_scalable(buf, sizeof(buf));
	save("good", "iommu-scalable", "a function with ATS in scalable mode", ISCALABLE_SIZE);

	for (i = 0; i < sizeof(iommu_defects) / sizeof(iommu_defects[0]); i++) {
		d = &iommu_defects[i];
		sample_iommu_legacy(buf, sizeof(buf));
		memcpy(buf + d->off, &d->val, d->size);
		if (!d->broken_seal)
			iommu_lu_record_seal(buf);
		save("bad", d->name, d->what, ILEGACY_SIZE);
	}
	sample_iommu_scalable(buf, sizeof(buf));
	iommu_lu_fn_slot(buf, 0)->entry[3] = 3;
	iommu_lu_record_seal(buf);
	save("bad", "iommu-fn-pasid", "a PASID entry with another domain ID", ISCALABLE_SIZE);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: mkgolden DIR\n");
		return 2;
	}
	dir = argv[1];

	pci_lu_record_init(buf, sizeof(buf));
	save("good", "empty", "nothing is preserved", 64);
	sample_port(buf, sizeof(buf));
	save("good", "root-port", "a NIC behind a root port", PORT_NIC_SIZE);
	sample_switch(buf, sizeof(buf));
	save("good", "switch", "a NIC behind a switch", 64 + 4 * 256);
	sample_grown(buf, sizeof(buf), 72, 300);
	save("good", "later-writer", "a later writer: larger structures, bytes behind the table",
	     72 + 2 * 300 + 16);
	sample_grown(buf, sizeof(buf), 64, 188);
	save("good", "earlier-writer", "an earlier writer: entries without the reserved bytes",
	     64 + 2 * 188 + 16);
	sample_vfs(buf, sizeof(buf));
	save("good", "vfs", "a PF with a blob of its driver, two of its VFs", SAMPLE_VFS_SIZE);
	sample_p2p(buf, sizeof(buf));
	save("good", "p2p", "a function that does DMA to a BAR of another", 64 + 4 * 256);
	bad();
	bad_vfs();
	iommu();

	return 0;
}
