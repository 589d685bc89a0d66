// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * dma-buf. QEMU makes some of the BARs of its devices, to map them for DMA, and does not mark
 * them close-on-exec. Nobody needs them: a mapping does not need the descriptor, and the
 * VMM that takes over makes its own. So they are left behind, if that is what they are.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/vfio.h>

#include <holdfast/fdkind.h>
#include <holdfast/util.h>
#include <holdfast/vfio.h>

bool hf_dmabuf_match(const char *link)
{
	return !strncmp(link, "/dmabuf:", 8);
}

/* Is there a BAR of device @fd that @size bytes can be of? */
static bool fits(int fd, uint64_t size)
{
	const struct hf_device d = { .fd = fd };
	struct vfio_region_info info;
	struct hf_error e;

	for (unsigned int n = VFIO_PCI_BAR0_REGION_INDEX; n <= VFIO_PCI_BAR5_REGION_INDEX; n++)
		if (!hf_vfio_region(&d, n, &info, &e) && info.size >= size)
			return true;
	return false;
}

int hf_dmabuf_leave(const struct hf_manifest *m, int fd, struct hf_error *e)
{
	char exporter[64] = "", text[32] = "";
	uint64_t size;

	hf_fdinfo(fd, "exp_name", exporter, sizeof(exporter));
	hf_fdinfo(fd, "size", text, sizeof(text));
	size = strtoull(text, NULL, 10);
	if (strcmp(exporter, "vfio_pci_core"))
		return hf_fail_text(
			e, EOPNOTSUPP,
			"fd %d is a dma-buf of %s, not of a device of the VM: close it in "
			"the VM, or leave it behind with --drop-fd %d",
			fd, *exporter ? exporter : "an unknown driver", fd);
	/* Of which device the kernel does not tell. */
	for (size_t i = 0; size && i < m->nfds; i++) {
		if (m->fds[i].kind != HF_KIND_VFIO || !fits(m->fds[i].fd, size))
			continue;
		close(fd);
		return 0;
	}
	return hf_fail_text(
		e, EOPNOTSUPP,
		"fd %d is a dma-buf of %llu bytes, which no BAR of the VM's devices can "
		"be: close it in the VM, or leave it behind with --drop-fd %d",
		fd, (unsigned long long)size, fd);
}
