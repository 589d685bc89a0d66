// SPDX-License-Identifier: GPL-2.0
/* vfio.*: what the owner of a device may ask of it besides driving it. */
#include "agent.h"
#include "cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/vfio.h>

/* Config space as the owner sees it. */
static int vfio_config(struct hf_call *c)
{
	uint64_t off, size, write;
	struct hf_slot *s;
	uint32_t val;
	int err = hf_arg_slot(c, HF_SLOT_DEVICE, &s, NULL);

	if (!err)
		err = hf_arg_u64(c, "off", HF_REQUIRED, &off);
	if (!err)
		err = hf_arg_u64(c, "size", 4, &size);
	if (!err)
		err = hf_arg_u64(c, "value", UINT64_MAX - 1, &write);
	if (!err && size != 1 && size != 2 && size != 4)
		err = hf_fail(&c->err, EINVAL, "a register of %llu bytes",
			      (unsigned long long)size);
	if (!err && write <= UINT32_MAX)
		err = hf_vfio_cfg_write(&s->dev, (unsigned int)off, (unsigned int)size,
					(uint32_t)write, &c->err);
	if (!err)
		err = hf_vfio_cfg_read(&s->dev, (unsigned int)off, (unsigned int)size, &val,
				       &c->err);
	if (!err)
		hf_msg_u64(c->out, "value", val);
	return err;
}

/* Low power, as a guest asks for it that puts its device to sleep. */
static int vfio_sleep(struct hf_call *c)
{
	struct vfio_device_feature feature = {
		.argsz = sizeof(feature),
		.flags = VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY,
	};
	struct hf_slot *s;
	int err = hf_arg_slot(c, HF_SLOT_DEVICE, &s, NULL);

	if (!err && ioctl(s->dev.cdev, VFIO_DEVICE_FEATURE, &feature) < 0)
		err = hf_fail(&c->err, errno, "LOW_POWER_ENTRY of %s", s->dev.bdf);
	return err;
}

/* The first page of a BAR, in the address space of the device. */
static int vfio_p2p(struct hf_call *c)
{
	struct {
		struct vfio_device_feature feature;
		struct vfio_device_feature_dma_buf buf;
		struct vfio_region_dma_range range;
	} req = {
		.feature.argsz = sizeof(req),
		.feature.flags = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_DMA_BUF,
		.buf.open_flags = O_CLOEXEC | O_RDWR,
		.buf.nr_ranges = 1,
		.range.length = HF_PAGE,
	};
	uint64_t bar, iova;
	struct hf_slot *s;
	int fd, err = hf_arg_slot(c, HF_SLOT_DEVICE, &s, NULL);

	if (!err)
		err = hf_arg_u64(c, "bar", HF_REQUIRED, &bar);
	if (!err)
		err = hf_arg_u64(c, "iova", HF_REQUIRED, &iova);
	if (err)
		return err;
	req.buf.region_index = (uint32_t)bar;
	fd = ioctl(s->dev.cdev, VFIO_DEVICE_FEATURE, &req);
	if (fd < 0)
		return hf_fail(&c->err, errno, "dma-buf of BAR%u of %s", (unsigned int)bar,
			       s->dev.bdf);
	err = hf_vfio_map_file(&s->dev, fd, HF_PAGE, iova, &c->err);
	close(fd);
	return err;
}

static const struct hf_cmd vfio_cmds[] = {
	{ "vfio.config", vfio_config },
	{ "vfio.sleep", vfio_sleep },
	{ "vfio.p2p", vfio_p2p },
	{ NULL, NULL },
};
HF_COMMANDS(vfio_cmds);
