// SPDX-License-Identifier: GPL-2.0
/* Interrupts of a vfio device as eventfds: MSI-X vectors, or its line. */
#include "vfio.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/vfio.h>

static uint32_t irq_index(const struct hf_vfio *v)
{
	if (v->msi)
		return VFIO_PCI_MSI_IRQ_INDEX;
	return v->intx ? VFIO_PCI_INTX_IRQ_INDEX : VFIO_PCI_MSIX_IRQ_INDEX;
}

int hf_vfio_arm(struct hf_vfio *v, unsigned int n, struct hf_err *e)
{
	struct {
		struct vfio_irq_set set;
		int32_t fd[HF_MAX_VECTORS];
	} req = {
		.set.argsz = sizeof(req.set) + n * sizeof(int32_t),
		.set.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
		.set.index = irq_index(v),
		.set.count = n,
	};
	unsigned int made;
	int err = 0;

	if (!n || n > HF_MAX_VECTORS || n > (v->intx || v->msi ? 1 : v->vectors))
		return hf_fail(e, EINVAL, "%u vectors on %s, which has %u", n, v->bdf, v->vectors);
	for (made = 0; made < n; made++) {
		req.fd[made] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (req.fd[made] < 0) {
			err = hf_fail(e, errno, "eventfd");
			break;
		}
	}
	if (!err && ioctl(v->cdev, VFIO_DEVICE_SET_IRQS, &req.set) < 0)
		err = hf_fail(e, errno, "VFIO_DEVICE_SET_IRQS %u vectors on %s", n, v->bdf);
	if (err) {
		while (made--)
			close(req.fd[made]);
		return err;
	}
	/* The old eventfds go only now: until here their vectors could still fire. */
	for (unsigned int i = 0; i < v->armed; i++)
		close(v->event[i]);
	v->armed = n;
	memset(v->irq, 0, sizeof(v->irq));
	for (unsigned int i = 0; i < n; i++)
		v->event[i] = req.fd[i];
	return 0;
}

int hf_vfio_kick(struct hf_vfio *v, struct hf_err *e)
{
	struct vfio_irq_set set = {
		.argsz = sizeof(set),
		.flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER,
		.index = irq_index(v),
		.count = v->armed,
	};

	if (ioctl(v->cdev, VFIO_DEVICE_SET_IRQS, &set) < 0)
		return hf_fail(e, errno, "trigger %u vectors on %s", v->armed, v->bdf);
	return 0;
}

int hf_vfio_unmask(struct hf_vfio *v, struct hf_err *e)
{
	struct vfio_irq_set set = {
		.argsz = sizeof(set),
		.flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_UNMASK,
		.index = irq_index(v),
		.count = 1,
	};

	if (!v->intx)
		return 0;
	if (ioctl(v->cdev, VFIO_DEVICE_SET_IRQS, &set) < 0)
		return hf_fail(e, errno, "unmask INTx of %s", v->bdf);
	return 0;
}

void hf_vfio_poll(struct hf_vfio *v, int timeout_ms)
{
	struct pollfd p[HF_MAX_VECTORS];

	for (unsigned int i = 0; i < v->armed; i++)
		p[i] = (struct pollfd){ .fd = v->event[i], .events = POLLIN };
	if (poll(p, v->armed, timeout_ms) <= 0)
		return;
	for (unsigned int i = 0; i < v->armed; i++) {
		uint64_t n;

		if (read(v->event[i], &n, sizeof(n)) == sizeof(n))
			v->irq[i] += n;
	}
}
