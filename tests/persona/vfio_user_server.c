// SPDX-License-Identifier: GPL-2.0
/*
 * One PCI function for an unmodified QEMU, over vfio-user: what the guest sees of its config
 * space is a persona. The device behind it is that of model.h, in which every bit can be
 * written, so a write that must not reach the device shows.
 *
 *	vfio_user_server SOCKET MAP INSTANCE DUMP	(INSTANCE "": none)
 *
 * Says "ready" when it can be connected to. Serves one client; when that is gone, what there
 * was to count, in a line of JSON. QEMU's docs/interop/vfio-user.rst is the protocol.
 */
#include <errno.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "model.h"
#include "vfio_user.h"

#define CONFIG VFIO_PCI_CONFIG_REGION_INDEX
#define LINES  1024

/* What the guest wrote to its BARs: it has to find that again, in a MSI-X table above all. */
struct line {
	uint32_t region;
	uint64_t offset;
	uint32_t value;
};

struct server {
	struct hf_view *view;
	struct device dev;
	struct oracle allowed;
	struct line lines[LINES];
	unsigned int n_lines;
	unsigned int reads, writes; /* of config space, by the guest or by QEMU for it */
	unsigned int wrong; /* writes after which the device does not hold what it has to */
	unsigned int refused; /* messages that are none */
};

/* The whole message: what comes, or what goes. */
struct msg {
	struct vu_header h;
	uint8_t body[VU_MAX_XFER + 64];
};

static int load(struct server *s, const char *map, const char *instance, const char *dump)
{
	struct hf_diags *d = hf_diags_new();
	struct hf_persona *p = NULL;
	struct hf_cfg *c = NULL;
	struct hf_view_reg r;
	char text[1024];

	if (hf_persona_load(map, *instance ? instance : NULL, &p, d) == 0 &&
	    hf_cfg_load(dump, &c, d) == 0)
		hf_view_new(p, c, &s->view, d);
	for (size_t i = 0; i < hf_diags_count(d); i++) {
		hf_diag_format(hf_diags_get(d, i), text, sizeof(text));
		if (hf_diags_get(d, i)->severity == HF_ERROR)
			fprintf(stderr, "%s\n", text);
	}
	if (s->view) {
		device_init(&s->dev, c);
		oracle_from_view(&s->allowed, s->view);
		for (uint16_t off = 0; hf_view_next(s->view, off, &r); off = r.offset + r.width)
			for (unsigned int i = 0; r.phys != HF_NO_PHYS && i < r.width; i++) {
				s->dev.rw1c[r.phys + i] |= r.rw1c >> 8 * i;
				s->dev.open[r.phys + i] |= (r.pass >> 8 * i & 0xff) != 0;
			}
	}
	hf_diags_free(d);
	hf_persona_free(p);
	hf_cfg_free(c);
	return s->view ? 0 : -1;
}

/* QEMU reads all of config space at once when it starts; all else are accesses of a guest. */
static unsigned int step(uint64_t offset, uint32_t left)
{
	if (offset % 4 == 0 && left >= 4)
		return 4;
	return offset % 2 == 0 && left >= 2 ? 2 : 1;
}

static void config_read(struct server *s, uint64_t offset, uint8_t *data, uint32_t count)
{
	for (uint32_t at = 0, n; at < count; at += n) {
		uint32_t value = ~0u;

		n = step(offset + at, count - at);
		hf_view_read(s->view, &s->dev.hw, offset + at, n, &value);
		memcpy(data + at, &value, n);
		s->reads++;
	}
}

static void config_write(struct server *s, uint64_t offset, const uint8_t *data, uint32_t count)
{
	for (uint32_t at = 0, n; at < count; at += n) {
		uint8_t after[4096];
		uint32_t value = 0;

		n = step(offset + at, count - at);
		memcpy(&value, data + at, n);
		oracle_write(&s->allowed, &s->dev, after, offset + at, n, value);
		hf_view_write(s->view, &s->dev.hw, offset + at, n, value);
		s->wrong += memcmp(after, s->dev.reg, sizeof(after)) != 0;
		s->writes++;
	}
}

static struct line *find_line(struct server *s, uint32_t region, uint64_t offset, bool make)
{
	struct line *l;

	for (l = s->lines; l < s->lines + s->n_lines; l++)
		if (l->region == region && l->offset == offset)
			return l;
	if (!make || s->n_lines == LINES)
		return NULL;
	s->n_lines++;
	*l = (struct line){ .region = region, .offset = offset };
	return l;
}

static void bar_access(struct server *s, const struct vu_rw *rw, uint8_t *data, bool write)
{
	for (uint32_t i = 0; i < rw->count; i++) {
		uint64_t at = rw->offset + i;
		struct line *l = find_line(s, rw->region, at & ~3ull, write);
		uint8_t *byte = l ? (uint8_t *)&l->value + at % 4 : NULL;

		if (write && byte)
			*byte = data[i];
		else if (!write)
			data[i] = byte ? *byte : 0;
	}
}

static uint64_t region_size(const struct server *s, uint32_t index)
{
	if (index == CONFIG)
		return hf_view_size(s->view);
	return index <= HF_CFG_ROM ? hf_view_bar_size(s->view, index) : 0;
}

static uint32_t irq_count(const struct server *s, uint32_t index)
{
	const uint8_t *image = hf_view_image(s->view);
	uint16_t msi = hf_view_cap(s->view, false, 0x05, 0, NULL);
	uint16_t msix = hf_view_cap(s->view, false, 0x11, 0, NULL);

	switch (index) {
	case VFIO_PCI_INTX_IRQ_INDEX:
		return image[0x3d] != 0;
	case VFIO_PCI_MSI_IRQ_INDEX:
		return msi ? 1u << (image[msi + 2] >> 1 & 7) : 0;
	case VFIO_PCI_MSIX_IRQ_INDEX:
		return msix ? ((image[msix + 3] & 7u) << 8 | image[msix + 2]) + 1 : 0;
	}
	return 0;
}

static int version(struct msg *m, uint32_t *len)
{
	static const char caps[] =
		"{\"capabilities\":{\"max_msg_fds\":8,\"max_data_xfer_size\":1048576}}";
	struct vu_version v;

	memcpy(&v, m->body, sizeof(v));
	if (v.major != 0)
		return ENOTSUP;
	v.minor = 0;
	memcpy(m->body, &v, sizeof(v));
	memcpy(m->body + sizeof(v), caps, sizeof(caps));
	*len = sizeof(v) + sizeof(caps);
	return 0;
}

static int region_info(const struct server *s, struct msg *m, uint32_t *len)
{
	struct vu_region_info r;

	memcpy(&r, m->body, sizeof(r));
	if (r.index >= VFIO_PCI_NUM_REGIONS)
		return EINVAL;
	r.argsz = sizeof(r);
	r.cap_offset = 0;
	r.offset = 0;
	r.size = region_size(s, r.index);
	r.flags = r.size ? VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE : 0;
	memcpy(m->body, &r, sizeof(r));
	*len = sizeof(r);
	return 0;
}

static int irq_info(const struct server *s, struct msg *m, uint32_t *len)
{
	struct vu_irq_info i;

	memcpy(&i, m->body, sizeof(i));
	if (i.index >= VFIO_PCI_NUM_IRQS)
		return EINVAL;
	i.argsz = sizeof(i);
	i.flags = VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE;
	if (i.index == VFIO_PCI_INTX_IRQ_INDEX)
		i.flags = VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_MASKABLE | VFIO_IRQ_INFO_AUTOMASKED;
	i.count = irq_count(s, i.index);
	memcpy(m->body, &i, sizeof(i));
	*len = sizeof(i);
	return 0;
}

static int region_access(struct server *s, struct msg *m, uint32_t got, bool write, uint32_t *len)
{
	uint8_t *data = m->body + sizeof(struct vu_rw);
	struct vu_rw rw;

	memcpy(&rw, m->body, sizeof(rw));
	if (rw.count > VU_MAX_XFER || (write && got < sizeof(rw) + rw.count))
		return EINVAL;
	if (rw.offset > region_size(s, rw.region) ||
	    rw.count > region_size(s, rw.region) - rw.offset)
		return EINVAL;
	if (rw.region != CONFIG)
		bar_access(s, &rw, data, write);
	else if (write)
		config_write(s, rw.offset, data, rw.count);
	else
		config_read(s, rw.offset, data, rw.count);
	*len = sizeof(rw) + (write ? 0 : rw.count);
	return 0;
}

/* Return: 0 or the errno of the answer; *@len bytes of m->body are the answer. */
static int answer(struct server *s, struct msg *m, uint32_t got, uint32_t *len)
{
	struct vu_device_info info = { .argsz = sizeof(info) };

	/* A short message is one whose last fields are 0. */
	if (got < sizeof(struct vu_region_info))
		memset(m->body + got, 0, sizeof(struct vu_region_info) - got);
	*len = 0;
	switch (m->h.command) {
	case VU_VERSION:
		return version(m, len);
	case VU_DEVICE_GET_INFO:
		info.flags = VFIO_DEVICE_FLAGS_RESET | VFIO_DEVICE_FLAGS_PCI;
		info.num_regions = VFIO_PCI_NUM_REGIONS;
		info.num_irqs = VFIO_PCI_NUM_IRQS;
		memcpy(m->body, &info, sizeof(info));
		*len = sizeof(info);
		return 0;
	case VU_DEVICE_GET_REGION_INFO:
		return region_info(s, m, len);
	case VU_DEVICE_GET_IRQ_INFO:
		return irq_info(s, m, len);
	case VU_REGION_READ:
		return region_access(s, m, got, false, len);
	case VU_REGION_WRITE:
		return region_access(s, m, got, true, len);
	case VU_DMA_UNMAP:
		*len = got; /* what was asked is the answer */
		return 0;
	case VU_DMA_MAP: /* it never does DMA */
	case VU_DEVICE_SET_IRQS: /* nor interrupts */
	case VU_DEVICE_RESET: /* only before the guest runs, when there is nothing to lose */
		return 0;
	}
	return ENOTSUP;
}

static int serve(struct server *s, int fd)
{
	static struct msg m;
	uint32_t len, got;
	int err, rc;

	while ((rc = vu_receive(fd, &m.h, m.body, sizeof(m.body), &got)) > 0) {
		err = answer(s, &m, got, &len);
		s->refused += err != 0;
		if (err)
			fprintf(stderr, "command %u: %s\n", m.h.command, strerror(err));
		if (m.h.flags & VU_NO_REPLY)
			continue;
		m.h.flags = VU_REPLY | (err ? VU_ERROR : 0);
		m.h.error = err;
		m.h.size = sizeof(m.h) + (err ? 0 : len);
		if (vu_send(fd, &m, m.h.size))
			return -1;
	}
	return rc;
}

static int listen_at(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(path) >= sizeof(a.sun_path))
		return -1;
	strcpy(a.sun_path, path);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 1))
		return -1;
	return fd;
}

/* "held": what the view shows now, which a guest of QEMU may see otherwise. */
static void report(struct server *s)
{
	printf("{\"reads\":%u,\"writes\":%u,\"device_writes\":%u,\"wrong\":%u,\"closed\":%u,"
	       "\"refused\":%u,\"held\":\"",
	       s->reads, s->writes, s->dev.writes, s->wrong, s->dev.bad, s->refused);
	for (uint16_t off = 0; off < HF_CFG_EXP_SIZE; off++) {
		uint32_t byte = 0;

		hf_view_read(s->view, &s->dev.hw, off, 1, &byte);
		printf("%02x", byte & 0xff);
	}
	puts("\"}");
}

int main(int argc, char **argv)
{
	static struct server s;
	int fd, client;

	if (argc != 5) {
		fprintf(stderr, "usage: vfio_user_server SOCKET MAP INSTANCE DUMP\n");
		return 2;
	}
	if (load(&s, argv[2], argv[3], argv[4]))
		return 1;
	fd = listen_at(argv[1]);
	if (fd < 0) {
		perror(argv[1]);
		return 1;
	}
	puts("ready");
	fflush(stdout);
	client = accept(fd, NULL, NULL);
	if (client < 0 || serve(&s, client) < 0)
		perror("vfio-user");
	report(&s);
	hf_view_free(s.view);
	return 0;
}
