// SPDX-License-Identifier: GPL-2.0
/* Records as a kernel would write them, for tests and golden files. */
#include "sample.h"

void sample_endpoint(struct pci_lu_fn_ser *fn)
{
	const struct pci_lu_fn_ser igb = {
		.bus = 1,
		.flags = PCI_LU_FN_ENDPOINT | PCI_LU_FN_REQUESTED | PCI_LU_FN_FROZEN,
		.vendor = 0x8086,
		.device = 0x10c9,
		.subvendor = 0x8086,
		.subdevice = 0xa02b,
		.class_rev = 0x02000001,
		.parent = 0,
		.bar = { 0xfeb80000, 0xfeba0000, 0xe001, 0xfebc000c, 0, 0, 0xfe000000 },
		.bar_mask = { 0xfffe0000, 0xfffe0000, 0xffffffe0, 0xffffc000, 0xffffffff, 0,
			      0xfff80000 },
		.vf_bar_mask = { 0xffffc000, 0xffffffff, 0, 0xffffc000, 0xffffffff, 0 },
		.command = 0x0507,
		.irq_mode = PCI_LU_IRQ_MSIX,
		.nr_vectors = 3,
		.acs_ctrl = 0,
		.devctl = 0x2930,
		.lnkctl = 0x0040,
		.pmcsr = 0x0008,
		.driver = "vfio-pci",
		.iommu_flags = PCI_LU_IOMMU_TRANSLATED,
	};

	*fn = igb;
}

void sample_bridge(struct pci_lu_fn_ser *fn, u8 bus, u8 secondary, u8 subordinate)
{
	const struct pci_lu_fn_ser port = {
		.bus = bus,
		.devfn = bus ? 0 : 0x20,
		.flags = PCI_LU_FN_BRIDGE | PCI_LU_FN_DEPENDED | PCI_LU_FN_FROZEN,
		.vendor = 0x1b36,
		.device = 0x000c,
		.class_rev = 0x06040000,
		.parent = PCI_LU_PARENT_NONE,
		.refs = 1,
		.bar = { 0xfebd1000 },
		.bar_mask = { 0xfffff000 },
		.command = 0x0507,
		.bridge_control = 0x0002,
		.bus_numbers = bus | secondary << 8 | subordinate << 16,
		.window = { 0xe1e1, 0xfeb0fe00, 0x0001fff1 },
		.windows = PCI_LU_WIN_IO | PCI_LU_WIN_IO32 | PCI_LU_WIN_PREF | PCI_LU_WIN_PREF64,
		.irq_mode = PCI_LU_IRQ_MSIX,
		.nr_vectors = 1,
		.acs_ctrl = 0x001d,
		.devctl = 0x0120,
		.devctl2 = 0x0020,
		.lnkctl = 0x0040,
		.driver = "pcieport",
	};

	*fn = port;
}

static void frozen(void *buf)
{
	struct pci_lu_hdr_ser hdr;

	memcpy(&hdr, buf, sizeof(hdr));
	hdr.flags |= PCI_LU_HDR_FROZEN;
	memcpy(buf, &hdr, sizeof(hdr));
	pci_lu_record_seal(buf);
}

void sample_port(void *buf, size_t len)
{
	struct pci_lu_fn_ser fn;

	pci_lu_record_init(buf, len);
	sample_bridge(&fn, 0, 1, 1);
	pci_lu_record_add(buf, len, &fn);
	sample_endpoint(&fn);
	pci_lu_record_add(buf, len, &fn);
	frozen(buf);
}

void sample_switch(void *buf, size_t len)
{
	struct pci_lu_fn_ser fn;

	pci_lu_record_init(buf, len);
	sample_bridge(&fn, 0, 1, 3);
	pci_lu_record_add(buf, len, &fn);
	sample_bridge(&fn, 1, 2, 3);
	fn.parent = 0;
	pci_lu_record_add(buf, len, &fn);
	sample_bridge(&fn, 2, 3, 3);
	fn.parent = 1;
	pci_lu_record_add(buf, len, &fn);
	sample_endpoint(&fn);
	fn.bus = 3;
	fn.parent = 2;
	pci_lu_record_add(buf, len, &fn);
	frozen(buf);
}

void sample_vf(struct pci_lu_fn_ser *fn, u16 id)
{
	sample_endpoint(fn);
	fn->devfn = 0x80 + 2 * id;
	fn->flags |= PCI_LU_FN_VF;
	fn->device = 0x10ca;
	memset(fn->bar, 0, sizeof(fn->bar));
	memset(fn->bar_mask, 0, sizeof(fn->bar_mask));
	memset(fn->vf_bar_mask, 0, sizeof(fn->vf_bar_mask));
	fn->needs = 2;
	fn->vf_id = id;
}

void sample_vfs(void *buf, size_t len)
{
	const struct pci_lu_blob_ser blob = {
		.compatible = "igb-v1",
		.version = 1,
		.size = 5,
		.data = "state",
	};
	struct pci_lu_fn_ser fn;

	pci_lu_record_init(buf, len);
	sample_bridge(&fn, 0, 1, 1);
	fn.refs = 2;
	pci_lu_record_add(buf, len, &fn);
	sample_endpoint(&fn);
	fn.flags = PCI_LU_FN_ENDPOINT | PCI_LU_FN_DEPENDED | PCI_LU_FN_PF | PCI_LU_FN_FROZEN;
	fn.refs = 2;
	fn.sriov_ctrl = 0x0019;
	fn.num_vfs = 4;
	fn.vf_offset = 0x80;
	fn.vf_stride = 2;
	strcpy(fn.driver, "igb");
	pci_lu_record_add(buf, len, &fn);
	sample_vf(&fn, 0);
	pci_lu_record_add(buf, len, &fn);
	sample_vf(&fn, 3);
	pci_lu_record_add(buf, len, &fn);
	pci_lu_record_add_blob(buf, len, 1, &blob);
	frozen(buf);
}

void sample_p2p(void *buf, size_t len)
{
	struct pci_lu_fn_ser fn;
	u8 bus;

	pci_lu_record_init(buf, len);
	for (bus = 1; bus <= 2; bus++) {
		sample_bridge(&fn, 0, bus, bus);
		fn.devfn = bus << 3;
		pci_lu_record_add(buf, len, &fn);
		sample_endpoint(&fn);
		fn.bus = bus;
		fn.parent = 2 * (bus - 1);
		if (bus == 1) {
			fn.reaches = 1;
			fn.required = PCI_LU_FN_REQ_REACHES;
		} else {
			fn.reached = 1;
		}
		pci_lu_record_add(buf, len, &fn);
	}
	frozen(buf);
}

void sample_reseal(void *buf)
{
	struct pci_lu_hdr_ser hdr;
	u32 crc = 0;

	memcpy(&hdr, buf, sizeof(hdr));
	memcpy((u8 *)buf + offsetof(struct pci_lu_hdr_ser, crc), &crc, 4);
	crc = ~crc32_le(~0, buf, hdr.total_size);
	memcpy((u8 *)buf + offsetof(struct pci_lu_hdr_ser, crc), &crc, 4);
}

void sample_grown(void *buf, size_t len, u16 hdr_size, u16 fn_size)
{
	struct pci_lu_fn_ser fn[2];
	struct pci_lu_hdr_ser hdr = {
		.compatible = PCI_LU_COMPATIBLE,
		.version = PCI_LU_VERSION,
		.hdr_size = hdr_size,
		.fn_size = fn_size,
		.nr_fns = 2,
		.total_size = hdr_size + 2 * fn_size + 16,
		.flags = PCI_LU_HDR_FROZEN,
	};
	size_t n = fn_size < sizeof(fn[0]) ? fn_size : sizeof(fn[0]);
	unsigned int i;

	sample_bridge(&fn[0], 0, 1, 1);
	sample_endpoint(&fn[1]);
	memset(buf, 0xa5, len);
	memcpy(buf, &hdr, hdr_size < sizeof(hdr) ? hdr_size : sizeof(hdr));
	for (i = 0; i < 2; i++)
		memcpy((u8 *)buf + hdr_size + i * fn_size, &fn[i], n);
	sample_reseal(buf);
}
