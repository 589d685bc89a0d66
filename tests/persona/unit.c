// SPDX-License-Identifier: GPL-2.0
/* The library, call by call: accesses. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "tap.h"

static struct device d;

static uint32_t rd(const struct hf_view *v, uint16_t off, uint8_t size)
{
	uint32_t value = 0;

	check(!hf_view_read(v, &d.hw, off, size, &value), "read of %u at 0x%x", size, off);
	return value;
}

static void wr(struct hf_view *v, uint16_t off, uint8_t size, uint32_t value)
{
	check(!hf_view_write(v, &d.hw, off, size, value), "write of %u at 0x%x", size, off);
}

/* A device that is nothing but config space in which all is open. */
static struct hf_view *setup(const char *map, const char *dump)
{
	struct hf_view *v = load_view(map, dump);
	struct hf_cfg *c = load_dump(dump);

	check(v && c, "%s on %s", map, dump);
	if (!v || !c)
		exit(1);
	device_init(&d, c);
	memset(d.open, 1, sizeof(d.open));
	hf_cfg_free(c);
	return v;
}

static void test_sizes(void)
{
	struct hf_view *v = setup("msix-moved", "e1000e");
	uint32_t value;

	check(rd(v, 0, 4) == 0x10d38086, "a dword");
	check(rd(v, 1, 2) == 0xd380, "two bytes at an odd offset");
	check(rd(v, 3, 4) == 0x10000010, "a dword across dwords");
	check(rd(v, 1, 1) == 0x80, "a byte");
	check(hf_view_read(v, &d.hw, 0, 3, &value) == -EINVAL, "three bytes");
	check(hf_view_write(v, &d.hw, 0, 8, 0) == -EINVAL, "eight bytes");
	check(rd(v, 4094, 4) == 0xffffffff, "beyond the end");
	check(rd(v, 4096, 1) == 0xff, "behind the end");
	wr(v, 4093, 4, 0);
	check(!d.writes, "a write beyond the end reached the device");
	hf_view_free(v);
}

static void test_bars(void)
{
	struct hf_view *v = setup("gpu-rebar", "gpu");

	check(rd(v, 0x10, 4) == 0xc && rd(v, 0x14, 4) == 0, "64-bit prefetchable at first");
	wr(v, 0x10, 4, 0xffffffff);
	wr(v, 0x14, 4, 0xffffffff);
	check(rd(v, 0x10, 4) == 0xc && rd(v, 0x14, 4) == 0xfffffffc, "16G in a pair of registers");
	wr(v, 0x18, 4, 0xffffffff);
	check(rd(v, 0x18, 4) == 0xf000000c, "256M");
	wr(v, 0x24, 4, 0xffffffff);
	check(rd(v, 0x24, 4) == 0xfff00000, "1M of 32 bits");
	wr(v, 0x20, 4, 0xffffffff);
	check(rd(v, 0x20, 4) == 0, "a hidden BAR");
	wr(v, 0x30, 4, 0xfffff800);
	check(rd(v, 0x30, 4) == 0xfffe0000, "128K of ROM");
	wr(v, 0x30, 4, 0xfffe0001);
	check(rd(v, 0x30, 4) == 0xfffe0001, "ROM enable is held");
	check(!d.writes, "BARs never reach the device");
	check(hf_view_bar_size(v, 0) == UINT64_C(16) << 30 && !hf_view_bar_size(v, 4), "sizes");
	hf_view_free(v);
}

static void test_rw1c(void)
{
	struct hf_view *v = setup("msix-moved", "e1000e");
	static const struct bits w1c[] = { { 0, 6, 2, 0xf900 }, { 0, 0xea, 2, 0x4f }, { 0 } };

	device_rw1c(&d, w1c);
	d.reg[7] = 0xf9;
	d.reg[4] = 0x40; /* Parity Error Response: the guest's is virtual */
	wr(v, 4, 4, 0x00000407);
	check(d.reg[7] == 0xf9, "a dword write to Command with 0 in Status clears nothing");
	check(d.reg[4] == 0x47 && d.reg[5] == 4, "bits of the host stay: 0x%x 0x%x", d.reg[4],
	      d.reg[5]);
	wr(v, 6, 2, 0x2000);
	check(d.reg[7] == 0xd9, "what the guest wrote 1 to, and no more: 0x%x", d.reg[7]);
	d.reg[0xea] = 0x4f;
	wr(v, 0x5a, 1, 0x02);
	check(d.reg[0xea] == 0x4d, "the hidden RW1C bit next to it is set still: 0x%x",
	      d.reg[0xea]);
	wr(v, 0x59, 2, 0x0288);
	check(d.reg[0xe9] == 0x88 && d.reg[0xea] == 0x4d,
	      "two bytes at an odd offset across registers: "
	      "0x%x 0x%x",
	      d.reg[0xe9], d.reg[0xea]);
	hf_view_free(v);
}

static void test_hidden(void)
{
	struct hf_view *v = setup("msix-moved", "e1000e");

	d.reg[0xca] = d.reg[0xcb] = 0xff;
	check(rd(v, 0xc8, 4) == 0 && rd(v, 0xd0, 4) == 0,
	      "where the device has PM and MSI is nothing");
	wr(v, 0xd0, 4, 0xffffffff);
	wr(v, 0xcc, 2, 3);
	check(rd(v, 0xd0, 4) == 0 && !d.writes, "and writes go nowhere");
	d.reg[0xf2] = 0x42;
	check(rd(v, 0x62, 1) == 0x42, "a live register reads the device");
	wr(v, 0x62, 1, 0xff);
	check(!d.writes, "and is not written");
	wr(v, 0x80 + 2, 2, 0xffff);
	check(rd(v, 0x82, 2) == 0xc004 && !d.writes, "MSI-X Message Control: enables are virtual");
	hf_view_free(v);
}

/* One vector, 64-bit addresses, maskable, no Extended Message Data. */
static void test_msi(void)
{
	struct hf_view *v = setup("nic-pf", "igb");

	wr(v, 0x52, 2, 0xffff);
	check(rd(v, 0x52, 2) == 0x01f1, "Message Control: 0x%x", rd(v, 0x52, 2));
	wr(v, 0x5c, 4, 0xffffffff);
	check(rd(v, 0x5c, 4) == 0xffff, "16 bits of data: 0x%x", rd(v, 0x5c, 4));
	wr(v, 0x60, 4, 0xffffffff);
	check(rd(v, 0x60, 4) == 1, "a mask bit for the one vector: 0x%x", rd(v, 0x60, 4));
	check(!d.writes, "none of it reaches the device");
	hf_view_free(v);
}

static void test_failure(void)
{
	struct hf_view *v = setup("msix-moved", "e1000e");
	uint32_t value = 0;

	d.fail = -EIO;
	check(hf_view_read(v, &d.hw, 4, 2, &value) == -EIO && value == 0xffff, "a read that fails");
	check(hf_view_write(v, &d.hw, 4, 2, 0) == -EIO, "a write that fails");
	check(!hf_view_read(v, &d.hw, 0, 4, &value) && value == 0x10d38086,
	      "what is not the device's");
	d.fail = 0;
	d.writes = 0;
	memset(d.reg, 0xff, sizeof(d.reg));
	wr(v, 4, 2, 0);
	check(!d.writes, "a device that is not there is not written to");
	hf_view_free(v);
}

static void test_vpd(void)
{
	struct hf_view *v = setup("nvme-pasid", "nvme");
	char text[128];
	uint8_t sum = 0;
	unsigned int n = 0, end;

	for (; n + 4 <= sizeof(text); n += 4) {
		wr(v, 0xf2, 2, n);
		check(rd(v, 0xf2, 2) == (n | 0x8000), "F says that data are there");
		for (unsigned int i = 0; i < 4; i++)
			text[n + i] = rd(v, 0xf4 + i, 1);
	}
	check((uint8_t)text[0] == 0x82 && !memcmp(text + 3, "holdfast NVMe", 13), "the identifier");
	for (end = 3 + 13 + 3; memcmp(text + end, "RV", 2) && end < 100; end++)
		;
	for (unsigned int i = 0; i <= end + 3; i++)
		sum += text[i];
	check(!sum, "the checksum: 0x%x", sum);
	wr(v, 0xf4, 4, 0x12345678);
	wr(v, 0xf2, 2, 0x8000);
	check(rd(v, 0xf2, 2) == 0, "a write is done at once");
	wr(v, 0xf2, 2, 0);
	check((rd(v, 0xf4, 4) & 0xff) == 0x82, "and changes nothing");
	wr(v, 0xf2, 2, 0x7ffc);
	check(rd(v, 0xf4, 4) == 0, "behind the end are zeroes");
	check(!d.writes, "VPD of the device is not touched");
	hf_view_free(v);
}

static void test_pasid(void)
{
	struct hf_view *v = setup("nvme-pasid", "nvme");
	uint16_t phys = 1;

	check(hf_view_cap(v, true, 0x1b, 0, &phys) == 0x150 && !phys, "where PASID is");
	check(hf_view_cap(v, false, 0x11, 0, &phys) == 0x40 && phys == 0x40, "where MSI-X is");
	check(!hf_view_cap(v, true, 0x0f, 0, NULL), "there is no ATS");
	check(rd(v, 0x154, 2) == 0x1400, "20 bits wide, no more");
	wr(v, 0x154, 4, 0xffffffff);
	check(rd(v, 0x154, 4) == 0x00071400, "control is held, capability is not written");
	check(!d.writes, "there is nothing behind it");
	hf_view_free(v);
}

int suite_objects(void);

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	test_sizes();
	test_bars();
	test_rw1c();
	test_hidden();
	test_msi();
	test_failure();
	test_vpd();
	test_pasid();
	return tap_end() | suite_objects();
}
