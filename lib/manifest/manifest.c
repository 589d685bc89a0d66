// SPDX-License-Identifier: LGPL-2.1-or-later
/* The manifest of a VM, in memory. */
#include <holdfast/manifest.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/util.h>

static const char *const kind_names[HF_KINDS] = {
	[HF_KIND_MEMFD] = "memfd",
	[HF_KIND_VFIO] = "vfio",
	[HF_KIND_IOMMUFD] = "iommufd",
	[HF_KIND_EVENTFD] = "eventfd",
};

const char *hf_kind_name(enum hf_kind kind)
{
	return (unsigned int)kind < HF_KINDS ? kind_names[kind] : "unknown";
}

void hf_manifest_init(struct hf_manifest *m)
{
	memset(m, 0, sizeof(*m));
}

void hf_manifest_free(struct hf_manifest *m)
{
	for (size_t i = 0; i < m->ndevices; i++) {
		free(m->devices[i].irqs);
		free(m->devices[i].config);
		free(m->devices[i].persona);
	}
	for (size_t i = 0; i < m->nspaces; i++)
		free(m->spaces[i].maps);
	free(m->devices);
	free(m->spaces);
	free(m->fds);
	hf_strv_free(m->argv);
	hf_strv_free(m->env);
	free(m->cwd);
	free(m->state_path);
	hf_manifest_init(m);
}

bool hf_name_valid(const char *name)
{
	size_t len = strlen(name);

	if (!len || len > HF_NAME_MAX || !strcmp(name, ".") || !strcmp(name, ".."))
		return false;
	return strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			    "0123456789._-") == len;
}

struct hf_space *hf_manifest_space(const struct hf_manifest *m, int iommufd, uint32_t ioas_id)
{
	for (size_t i = 0; i < m->nspaces; i++)
		if (m->spaces[i].iommufd == iommufd && m->spaces[i].ioas_id == ioas_id)
			return &m->spaces[i];
	return NULL;
}

int hf_manifest_fd_end(const struct hf_manifest *m)
{
	int end = 3;

	for (size_t i = 0; i < m->nfds; i++)
		if (m->fds[i].fd >= end)
			end = m->fds[i].fd + 1;
	return end;
}

const char *hf_device_name(const struct hf_device *d, char *buf, size_t size)
{
	if (d->bdf[0])
		snprintf(buf, size, "%s (fd %d)", d->bdf, d->fd);
	else
		snprintf(buf, size, "the device on fd %d", d->fd);
	return buf;
}
