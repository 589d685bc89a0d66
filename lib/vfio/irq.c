// SPDX-License-Identifier: LGPL-2.1-or-later
/* Interrupts of a vfio device that came from the session. */
#include <holdfast/vfio.h>

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/vfio.h>

static bool is_msi(uint32_t index)
{
	return index == VFIO_PCI_MSI_IRQ_INDEX || index == VFIO_PCI_MSIX_IRQ_INDEX;
}

/* One call with all vectors of @index that do @action; -1 is none. Nothing if there are none. */
static int set_index(const struct hf_device *d, uint32_t index, uint32_t action, struct hf_error *e)
{
	struct {
		struct vfio_irq_set set;
		int32_t fd[HF_VECTOR_LIMIT];
	} req = { .set.index = index, .set.flags = VFIO_IRQ_SET_DATA_EVENTFD | action };
	char name[64];

	memset(req.fd, -1, sizeof(req.fd));
	for (size_t i = 0; i < d->nirqs; i++) {
		const struct hf_irq *q = &d->irqs[i];

		if (q->index != index || q->action != action)
			continue;
		req.fd[q->vector] = q->fd;
		if (q->vector >= req.set.count)
			req.set.count = q->vector + 1;
	}
	if (!req.set.count)
		return 0;
	req.set.argsz = (uint32_t)(sizeof(req.set) + req.set.count * sizeof(int32_t));
	if (ioctl(d->fd, VFIO_DEVICE_SET_IRQS, &req.set) < 0)
		return hf_fail_errno(e, errno, "%s: set up %u interrupts of index %u",
				     hf_device_name(d, name, sizeof(name)), req.set.count, index);
	return 0;
}

int hf_vfio_set_irqs(const struct hf_device *d, struct hf_error *e)
{
	int err = 0;

	for (uint32_t index = 0; index < VFIO_PCI_NUM_IRQS && !err; index++) {
		err = set_index(d, index, VFIO_IRQ_SET_ACTION_TRIGGER, e);
		/* An eventfd to unmask INTx needs INTx to be there. */
		if (!err && index == VFIO_PCI_INTX_IRQ_INDEX)
			err = set_index(d, index, VFIO_IRQ_SET_ACTION_UNMASK, e);
	}
	return err;
}

int hf_vfio_catch_up(const struct hf_device *d, struct hf_error *e)
{
	const uint64_t one = 1;
	char name[64];

	for (size_t i = 0; i < d->nirqs; i++) {
		const struct hf_irq *q = &d->irqs[i];

		/* Errors and requests are for the VMM: to it one that never was is an event. */
		if (q->action != VFIO_IRQ_SET_ACTION_TRIGGER ||
		    (!is_msi(q->index) && q->index != VFIO_PCI_INTX_IRQ_INDEX))
			continue;
		/* EAGAIN: the counter is full, so it is signalled already. */
		if (write(q->fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
			return hf_fail_errno(e, errno, "%s: signal eventfd %d",
					     hf_device_name(d, name, sizeof(name)), q->fd);
	}
	return 0;
}
