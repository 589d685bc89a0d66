// SPDX-License-Identifier: GPL-2.0
/*
 * Say what is in a record, or why it is refused.
 *
 * usage: record-dump FILE; FILE holds lines "offset: byte byte ...", in hex
 *
 * Exit status: 0 accepted, 1 something was refused, 2 the file is unusable.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "record.h"
#include "../../kernel/overlay/drivers/iommu/liveupdate/record.h"

static size_t load(const char *name, u8 *buf, size_t len)
{
	FILE *f = fopen(name, "r");
	char line[256], *p, *end;
	size_t n = 0;

	if (!f) {
		perror(name);
		exit(2);
	}
	while (fgets(line, sizeof(line), f)) {
		p = strchr(line, ':');
		if (*line == '#' || !p)
			continue;
		for (p++; n < len; p = end) {
			unsigned long b = strtoul(p, &end, 16);

			if (end == p)
				break;
			buf[n++] = b;
		}
	}
	fclose(f);

	return n;
}

static int refused(const char *what, int err, u32 off)
{
	printf("%srefused: %s at %u: %s\n", what, pci_lu_reason_name(err), off,
	       pci_lu_reason_text(err));

	return 1;
}

static void words(const char *name, const u8 *p, unsigned int n)
{
	u32 val;

	printf("\t%s", name);
	for (; n--; p += 4) {
		memcpy(&val, p, 4);
		printf(" %08x", val);
	}
	printf("\n");
}

#define WORDS_OF(type, fn, field) \
	words(#field, (const u8 *)(fn) + offsetof(struct type, field), sizeof((fn)->field) / 4)
#define WORDS(fn, field) WORDS_OF(pci_lu_fn_ser, fn, field)

static int function(const struct pci_lu_record *rec, unsigned int i)
{
	struct pci_lu_blob_ser blob;
	struct pci_lu_fn_ser fn;
	char what[32];
	u32 off;
	int err;

	err = pci_lu_fn_check(rec, i, &off);
	if (err) {
		snprintf(what, sizeof(what), "function %u ", i);
		return refused(what, err, off);
	}

	pci_lu_record_fn(rec, i, &fn);
	printf("function %u %04x:%02x:%02x.%u flags %x %04x:%04x %04x:%04x class %08x\n", i,
	       fn.segment, fn.bus, fn.devfn >> 3, fn.devfn & 7, fn.flags, fn.vendor, fn.device,
	       fn.subvendor, fn.subdevice, fn.class_rev);
	printf("\tparent %d refs %u driver %s\n", fn.parent == PCI_LU_PARENT_NONE ? -1 : fn.parent,
	       fn.refs, fn.driver);
	WORDS(&fn, bar);
	WORDS(&fn, bar_mask);
	WORDS(&fn, vf_bar_mask);
	WORDS(&fn, window);
	printf("\tcommand %04x bridge_control %04x bus_numbers %06x windows %x\n", fn.command,
	       fn.bridge_control, fn.bus_numbers, fn.windows);
	printf("\tirq mode %u vectors %u\n", fn.irq_mode, fn.nr_vectors);
	printf("\tats %04x pri %04x pasid %04x acs %04x devctl %04x devctl2 %04x lnkctl %04x lnkctl2 %04x pmcsr %04x\n",
	       fn.ats_ctrl, fn.pri_ctrl, fn.pasid_ctrl, fn.acs_ctrl, fn.devctl, fn.devctl2,
	       fn.lnkctl, fn.lnkctl2, fn.pmcsr);
	printf("\tiommu %x sriov %04x vfs %u\n", fn.iommu_flags, fn.sriov_ctrl, fn.num_vfs);
	if (fn.vf_offset) {
		WORDS(&fn, vf_bar);
		printf("\tvf offset %x stride %x\n", fn.vf_offset, fn.vf_stride);
	}
	if (fn.needs)
		printf("\tneeds %u vf %u\n", fn.needs - 1, fn.vf_id);
	if (fn.reaches || fn.reached)
		printf("\treaches %u reached %u\n", fn.reaches, fn.reached);
	if (!pci_lu_record_blob(rec, i, &blob))
		printf("\tblob %s version %u bytes %u\n", blob.compatible, blob.version, blob.size);

	return 0;
}

static int iommu(const u8 *buf, size_t len)
{
	struct iommu_lu_table_ser table;
	struct iommu_lu_record rec;
	struct iommu_lu_unit_ser unit;
	struct iommu_lu_fn_ser fn;
	enum pci_lu_reason why;
	unsigned int i;

	why = iommu_lu_record_check(buf, len, &rec);
	if (why)
		return refused("record ", why, rec.bad_off);

	printf("IOMMU record version %u kind %u flags %x bytes %u\n", rec.hdr.version, rec.hdr.kind,
	       rec.hdr.flags, rec.hdr.total_size);
	for (i = 0; i < rec.hdr.nr_units; i++) {
		iommu_lu_record_unit(&rec, i, &unit);
		printf("unit %u at %llx segment %x flags %x top %llx irt %llx %x\n", i,
		       unit.reg_base, unit.segment, unit.flags, unit.top_pa, unit.irt_pa,
		       unit.irt_flags);
	}
	for (i = 0; i < rec.hdr.nr_tables; i++) {
		iommu_lu_record_table(&rec, i, &table);
		printf("table %u at %llx pages %llu crc %08x refs %u\n", i, table.pages.head_pa,
		       table.pages.nr, table.pages.crc, table.refs);
	}
	for (i = 0; i < rec.hdr.nr_fns; i++) {
		iommu_lu_record_fn(&rec, i, &fn);
		printf("function %u %04x:%02x:%02x.%u flags %x unit %u table %u stream %x tag %x\n",
		       i, fn.segment, fn.bus, fn.devfn >> 3, fn.devfn & 7, fn.flags, fn.unit,
		       fn.table, fn.stream, fn.tag);
		printf("\tin %llx pages %llx %llx\n", fn.page_pa, fn.pages[0], fn.pages[1]);
		WORDS_OF(iommu_lu_fn_ser, &fn, entry);
	}

	return 0;
}

int main(int argc, char **argv)
{
	static u8 buf[1 << 20];
	struct pci_lu_record rec;
	unsigned int i;
	size_t len;
	int ret, err;

	if (argc != 2) {
		fprintf(stderr, "usage: record-dump FILE\n");
		return 2;
	}
	len = load(argv[1], buf, sizeof(buf));
	if (len > 14 && !memcmp(buf, "holdfast-iommu", 14))
		return iommu(buf, len);
	ret = pci_lu_record_check(buf, len, &rec);
	if (ret) {
		refused("record ", ret, rec.bad_off);
		err = pci_lu_record_check_stable(buf, len, &rec);
		for (i = 0; !err && i < rec.nr_fns; i++) {
			struct pci_lu_fn_addr f;

			pci_lu_record_addr(&rec, i, &f);
			printf("fence %04x:%02x:%02x.%u flags %x\n", f.segment, f.bus, f.devfn >> 3,
			       f.devfn & 7, f.flags);
		}
		if (err)
			printf("fence everything\n");
		return 1;
	}

	printf("record version %u functions %u flags %x bytes %u\n", rec.version, rec.nr_fns,
	       rec.flags, rec.len);
	for (i = 0; i < rec.nr_fns; i++)
		ret |= function(&rec, i);

	return ret;
}
