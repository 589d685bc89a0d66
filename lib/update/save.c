// SPDX-License-Identifier: LGPL-2.1-or-later
/* Preserve the descriptors of a VM, its state file, its manifest. */
#include <holdfast/save.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <holdfast/luo.h>
#include <holdfast/util.h>
#include <holdfast/vfio.h>

/* A state file is what QEMU writes without RAM: below 100 KB, and some per device. */
#define STATE_MAX (256u << 20)

static int preserve_memfds(const struct hf_manifest *m, int session, struct hf_error *e)
{
	char what[600], link[512];
	int err = 0;

	for (size_t i = 0; i < m->nfds && !err; i++) {
		const struct hf_fd *f = &m->fds[i];

		if (f->kind != HF_KIND_MEMFD || f->same_as >= 0)
			continue;
		if (hf_fd_link(f->fd, link, sizeof(link)))
			*link = 0;
		snprintf(what, sizeof(what), "fd %d (%s)", f->fd, link);
		err = hf_luo_preserve_fd(session, f->fd, f->token, what, e);
	}
	return err;
}

/* A copy with a token of its own in the session; the session keeps it open. */
static int preserve_bytes(const char *name, const void *buf, size_t len, uint64_t token,
			  int session, struct hf_error *e)
{
	int fd = hf_memfd_from(name, buf, len, e), err;

	if (fd < 0)
		return fd;
	err = hf_luo_preserve_fd(session, fd, token, name, e);
	close(fd);
	return err;
}

static int preserve_state(const struct hf_manifest *m, int session, struct hf_error *e)
{
	size_t len;
	char *buf;
	int err;

	err = hf_read_path(m->state_path, STATE_MAX, &buf, &len, e);
	if (err)
		return err;
	if (len)
		err = preserve_bytes("holdfast-state", buf, len, HF_TOKEN_STATE, session, e);
	else
		err = hf_fail_text(e, ENODATA, "the state file %s is empty", m->state_path);
	free(buf);
	return err;
}

static int preserve_device(struct hf_manifest *m, const struct hf_fd *f, int session,
			   struct hf_error *e)
{
	struct hf_device *d = hf_append(&m->devices, &m->ndevices, sizeof(*d), e);
	char name[64], why[256];
	int err;

	if (!d)
		return -ENOMEM;
	d->fd = f->fd;
	d->iommufd = -1;
	hf_vfio_bdf(f->fd, d->bdf, sizeof(d->bdf));
	hf_device_name(d, name, sizeof(name));
	err = hf_luo_preserve_fd(session, f->fd, f->token, name, e);
	if (err == -ENOENT)
		return hf_fail_text(e, ENOENT,
				    "%s: this kernel cannot preserve vfio devices "
				    "(CONFIG_VFIO_PCI_LIVEUPDATE)",
				    name);
	if (err && !hf_vfio_why(f->fd, why, sizeof(why)))
		return hf_fail_text(e, -err, "%s cannot be preserved: %s", name, why);
	return err;
}

int hf_save_preserve(struct hf_manifest *m, int session, struct hf_error *e)
{
	int err = preserve_memfds(m, session, e);

	if (!err)
		err = preserve_state(m, session, e);
	/* Devices last: the kernel looks for what they map among what it has by then. */
	for (size_t i = 0; i < m->nfds && !err; i++)
		if (m->fds[i].kind == HF_KIND_VFIO && m->fds[i].same_as < 0)
			err = preserve_device(m, &m->fds[i], session, e);
	return err;
}

int hf_save_manifest(const struct hf_manifest *m, int session, struct hf_error *e)
{
	struct hf_manifest check;
	size_t len;
	char *text;
	int err;

	err = hf_manifest_print(m, &text, &len, e);
	if (err)
		return err;
	/* What cannot be read must be found out while the VM can still go on here. */
	hf_manifest_init(&check);
	err = hf_manifest_parse(&check, text, len, e);
	hf_manifest_free(&check);
	if (!err)
		err = preserve_bytes("holdfast-manifest", text, len, HF_TOKEN_MANIFEST, session, e);
	free(text);
	return err;
}
