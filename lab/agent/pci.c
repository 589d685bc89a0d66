// SPDX-License-Identifier: GPL-2.0
/* PCI functions through sysfs: config space and driver binding. */
#include "vfio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int open_config(const char *bdf, int flags, struct hf_err *e)
{
	char path[80];
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", bdf);
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? hf_fail(e, errno, "open %s", path) : fd;
}

int hf_pci_read(const char *bdf, unsigned int off, unsigned int size, uint32_t *val,
		struct hf_err *e)
{
	int fd = open_config(bdf, O_RDONLY, e), err = 0;

	if (fd < 0)
		return fd;
	*val = 0;
	if (pread(fd, val, size, (off_t)off) != (ssize_t)size)
		err = hf_fail(e, EIO, "read config 0x%x of %s", off, bdf);
	close(fd);
	return err;
}

int hf_pci_write(const char *bdf, unsigned int off, unsigned int size, uint32_t val,
		 struct hf_err *e)
{
	int fd = open_config(bdf, O_WRONLY, e), err = 0;

	if (fd < 0)
		return fd;
	if (pwrite(fd, &val, size, (off_t)off) != (ssize_t)size)
		err = hf_fail(e, EIO, "write config 0x%x of %s", off, bdf);
	close(fd);
	return err;
}

long hf_pci_read_all(const char *bdf, uint8_t *cfg, size_t size, struct hf_err *e)
{
	int fd = open_config(bdf, O_RDONLY, e);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return fd;
	while (len < size && (n = pread(fd, cfg + len, size - len, (off_t)len)) > 0)
		len += (size_t)n;
	close(fd);
	return len ? (long)len : hf_fail(e, EIO, "read config of %s", bdf);
}

static int id_part(const char *bdf, const char *name, uint32_t *val, struct hf_err *e)
{
	char path[80], text[16], *end;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", bdf, name);
	if (hf_read_file(path, text, sizeof(text)) < 0)
		return hf_fail(e, errno ? errno : EIO, "read %s", path);
	*val = (uint32_t)strtoul(text, &end, 16);
	return end == text ? hf_fail(e, EPROTO, "%s says \"%s\"", path, text) : 0;
}

int hf_pci_id(const char *bdf, struct hf_pci_id *id, struct hf_err *e)
{
	int err = id_part(bdf, "vendor", &id->vendor, e);

	if (!err)
		err = id_part(bdf, "device", &id->device, e);
	if (!err)
		err = id_part(bdf, "class", &id->class, e);
	return err;
}

/* Name of the driver of @bdf, "" for none. */
static void driver_of(const char *bdf, char *name, size_t size)
{
	char path[80];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver", bdf);
	if (hf_link_name(path, name, size))
		name[0] = 0;
}

static int unbind(const char *bdf, const char *driver, struct hf_err *e)
{
	char path[112];

	if (!driver[0])
		return 0;
	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%.31s/unbind", driver);
	return hf_write_sysfs(path, bdf, e);
}

static int override(const char *bdf, const char *driver, struct hf_err *e)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver_override", bdf);
	return hf_write_sysfs(path, driver, e);
}

int hf_vfio_bind_driver(const char *bdf, char *native, struct hf_err *e)
{
	char now[32];
	int err;

	driver_of(bdf, native, 32);
	if (!strcmp(native, "vfio-pci")) {
		native[0] = 0;
		return 0;
	}
	err = override(bdf, "vfio-pci", e);
	if (!err)
		err = unbind(bdf, native, e);
	if (!err)
		err = hf_write_sysfs("/sys/bus/pci/drivers_probe", bdf, e);
	if (err)
		return err;
	driver_of(bdf, now, sizeof(now));
	if (strcmp(now, "vfio-pci"))
		return hf_fail(e, ENODEV, "bind vfio-pci to %s", bdf);
	return 0;
}

int hf_vfio_unbind_driver(const char *bdf, struct hf_err *e)
{
	char now[32];
	int err;

	driver_of(bdf, now, sizeof(now));
	/* A lone newline is how an override is taken back. */
	err = override(bdf, "\n", e);
	if (!err)
		err = unbind(bdf, now, e);
	if (!err)
		err = hf_write_sysfs("/sys/bus/pci/drivers_probe", bdf, e);
	return err;
}
