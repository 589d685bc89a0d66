// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the owner of a vfio-pci device is told that it has to set up again after
 * a live update: iommufd objects, mappings, interrupts; and that it gets the same
 * ones again by doing what <linux/vfio_liveupdate.h> says.
 *
 * Needs a device with MSI-X that is bound to vfio-pci.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <linux/iommufd.h>
#include <linux/liveupdate.h>
#include <linux/sizes.h>
#include <linux/vfio.h>
#include <linux/vfio_liveupdate.h>

#include <libvfio.h>
#include "kselftest_harness.h"

#define NR_VECTORS	3
#define MAX_OBJECTS	8
#define SESSION		"vfio_pci_liveupdate_test"

static const char *cdev_path;

struct owner {
	int cdev;
	int iommufd;
	u32 dev_id;
	u32 ioas_id;
	u32 hwpt_id;
};

static int get_feature(int cdev, u32 flags, u32 index, void *data, size_t size)
{
	char buf[sizeof(struct vfio_device_feature) + 256] = {};
	struct vfio_device_feature *feature = (void *)buf;
	int ret;

	feature->argsz = sizeof(*feature) + size;
	feature->flags = flags | index;
	memcpy(feature->data, data, size);
	ret = ioctl(cdev, VFIO_DEVICE_FEATURE, feature);
	memcpy(data, feature->data, size);

	return ret ? -errno : 0;
}

static int get_objects(int cdev, int iommufd,
		       struct vfio_device_feature_liveupdate_iommu *objects)
{
	*objects = (struct vfio_device_feature_liveupdate_iommu){
		.iommufd = iommufd,
	};

	return get_feature(cdev, VFIO_DEVICE_FEATURE_GET,
			   VFIO_DEVICE_FEATURE_LIVEUPDATE_IOMMU, objects,
			   sizeof(*objects));
}

static int get_mapping(int cdev, int fd, u64 iova,
		       struct vfio_device_feature_liveupdate_mapping *mapping)
{
	*mapping = (struct vfio_device_feature_liveupdate_mapping){
		.fd = fd,
		.iova = iova,
	};

	return get_feature(cdev, VFIO_DEVICE_FEATURE_GET,
			   VFIO_DEVICE_FEATURE_LIVEUPDATE_MAPPING, mapping,
			   sizeof(*mapping));
}

static int get_irq(int cdev, int fd, u32 index, u32 start,
		   struct vfio_device_feature_liveupdate_irq *irq)
{
	*irq = (struct vfio_device_feature_liveupdate_irq){
		.fd = fd,
		.index = index,
		.start = start,
	};

	return get_feature(cdev, VFIO_DEVICE_FEATURE_GET,
			   VFIO_DEVICE_FEATURE_LIVEUPDATE_IRQ, irq,
			   sizeof(*irq));
}

static int bind(struct owner *o)
{
	struct vfio_device_bind_iommufd bind = {
		.argsz = sizeof(bind),
		.iommufd = o->iommufd,
	};

	if (ioctl(o->cdev, VFIO_DEVICE_BIND_IOMMUFD, &bind))
		return -errno;
	o->dev_id = bind.out_devid;

	return 0;
}

static int alloc_ioas(int iommufd, u32 *id)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };

	if (ioctl(iommufd, IOMMU_IOAS_ALLOC, &alloc))
		return -errno;
	*id = alloc.out_ioas_id;

	return 0;
}

static int alloc_hwpt(struct owner *o, u32 flags)
{
	struct iommu_hwpt_alloc alloc = {
		.size = sizeof(alloc),
		.flags = flags,
		.dev_id = o->dev_id,
		.pt_id = o->ioas_id,
	};

	if (ioctl(o->iommufd, IOMMU_HWPT_ALLOC, &alloc))
		return -errno;
	o->hwpt_id = alloc.out_hwpt_id;

	return 0;
}

static int destroy(int iommufd, u32 id)
{
	struct iommu_destroy destroy = { .size = sizeof(destroy), .id = id };

	return ioctl(iommufd, IOMMU_DESTROY, &destroy) ? -errno : 0;
}

static int attach(struct owner *o, u32 pt_id)
{
	struct vfio_device_attach_iommufd_pt attach = {
		.argsz = sizeof(attach),
		.pt_id = pt_id,
	};

	return ioctl(o->cdev, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach) ? -errno : 0;
}

static int map_file(struct owner *o, int fd, u64 offset, u64 length, u64 iova,
		    u32 flags)
{
	struct iommu_ioas_map_file map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | flags,
		.ioas_id = o->ioas_id,
		.fd = fd,
		.start = offset,
		.length = length,
		.iova = iova,
	};

	return ioctl(o->iommufd, IOMMU_IOAS_MAP_FILE, &map) ? -errno : 0;
}

static int map_memory(struct owner *o, void *memory, u64 length, u64 iova)
{
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE,
		.ioas_id = o->ioas_id,
		.user_va = (uintptr_t)memory,
		.length = length,
		.iova = iova,
	};

	return ioctl(o->iommufd, IOMMU_IOAS_MAP, &map) ? -errno : 0;
}

static int set_eventfds(int cdev, u32 index, int *fds, u32 count)
{
	char buf[sizeof(struct vfio_irq_set) + NR_VECTORS * sizeof(int)];
	struct vfio_irq_set *set = (void *)buf;

	*set = (struct vfio_irq_set){
		.argsz = sizeof(*set) + count * sizeof(int),
		.flags = VFIO_IRQ_SET_ACTION_TRIGGER |
			 (count ? VFIO_IRQ_SET_DATA_EVENTFD : VFIO_IRQ_SET_DATA_NONE),
		.index = index,
		.count = count,
	};
	memcpy(set->data, fds, count * sizeof(int));

	return ioctl(cdev, VFIO_DEVICE_SET_IRQS, set) ? -errno : 0;
}

FIXTURE(liveupdate) {
	struct owner o;
	int memfd[2];
};

FIXTURE_SETUP(liveupdate)
{
	struct vfio_device_feature_liveupdate_iommu objects;
	int i;

	ASSERT_LE(0, (self->o.cdev = open(cdev_path, O_RDWR)));
	ASSERT_LE(0, (self->o.iommufd = open("/dev/iommu", O_RDWR)));
	ASSERT_EQ(0, bind(&self->o));
	if (get_objects(self->o.cdev, -1, &objects) == -ENOTTY)
		SKIP(return, "CONFIG_VFIO_PCI_LIVEUPDATE is off");
	ASSERT_EQ(0, alloc_ioas(self->o.iommufd, &self->o.ioas_id));
	for (i = 0; i < 2; i++) {
		ASSERT_LE(0, (self->memfd[i] = memfd_create("test", 0)));
		ASSERT_EQ(0, ftruncate(self->memfd[i], SZ_4M));
	}
}

FIXTURE_TEARDOWN(liveupdate)
{
	close(self->o.cdev);
	close(self->o.iommufd);
	close(self->memfd[0]);
	close(self->memfd[1]);
}

/* PROBE says that they can be asked, and that they cannot be told. */
TEST_F(liveupdate, probe)
{
	u32 feature;
	char none;

	for (feature = VFIO_DEVICE_FEATURE_LIVEUPDATE_IOMMU;
	     feature <= VFIO_DEVICE_FEATURE_LIVEUPDATE_IRQ; feature++) {
		EXPECT_EQ(0, get_feature(self->o.cdev, VFIO_DEVICE_FEATURE_PROBE |
					 VFIO_DEVICE_FEATURE_GET, feature, &none, 0));
		EXPECT_EQ(-EINVAL, get_feature(self->o.cdev, VFIO_DEVICE_FEATURE_PROBE |
					       VFIO_DEVICE_FEATURE_SET, feature,
					       &none, 0));
		/* No room for the answer */
		EXPECT_EQ(-EINVAL, get_feature(self->o.cdev, VFIO_DEVICE_FEATURE_GET,
					       feature, &none, 0));
	}
}

TEST_F(liveupdate, objects_of_hwpt)
{
	struct vfio_device_feature_liveupdate_iommu objects;

	EXPECT_EQ(-ENOENT, get_objects(self->o.cdev, -1, &objects));

	ASSERT_EQ(0, alloc_hwpt(&self->o, 0));
	ASSERT_EQ(0, attach(&self->o, self->o.hwpt_id));
	ASSERT_EQ(0, get_objects(self->o.cdev, self->o.iommufd, &objects));
	EXPECT_EQ(self->o.dev_id, objects.dev_id);
	EXPECT_EQ(self->o.ioas_id, objects.ioas_id);
	EXPECT_EQ(self->o.hwpt_id, objects.hwpt_id);
	EXPECT_EQ(0, objects.flags);
}

TEST_F(liveupdate, objects_of_auto_domain)
{
	struct vfio_device_feature_liveupdate_iommu objects;

	ASSERT_EQ(0, attach(&self->o, self->o.ioas_id));
	ASSERT_EQ(0, get_objects(self->o.cdev, -1, &objects));
	EXPECT_EQ(self->o.ioas_id, objects.ioas_id);
	EXPECT_NE(0, objects.hwpt_id);
	EXPECT_EQ(VFIO_LIVEUPDATE_AUTO_DOMAIN, objects.flags);
}

/* Two iommufds give out the same IDs: which of them is meant has to be said. */
TEST_F(liveupdate, objects_of_other_iommufd)
{
	struct vfio_device_feature_liveupdate_iommu objects;
	int other = open("/dev/iommu", O_RDWR);

	ASSERT_LE(0, other);
	ASSERT_EQ(0, attach(&self->o, self->o.ioas_id));
	EXPECT_EQ(-ENOENT, get_objects(self->o.cdev, other, &objects));
	EXPECT_EQ(-ENOENT, get_objects(self->o.cdev, self->memfd[0], &objects));
	EXPECT_EQ(0, get_objects(self->o.cdev, self->o.iommufd, &objects));
	close(other);
}

TEST_F(liveupdate, mappings)
{
	const u32 rw = IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE;
	struct vfio_device_feature_liveupdate_mapping m;
	struct owner *o = &self->o;

	EXPECT_EQ(-ENOENT, get_mapping(o->cdev, -1, 0, &m));
	ASSERT_EQ(0, map_file(o, self->memfd[0], 0, SZ_1M, SZ_1M, rw));
	ASSERT_EQ(0, map_file(o, self->memfd[1], SZ_8K, SZ_64K, SZ_2M,
			      IOMMU_IOAS_MAP_READABLE));
	ASSERT_EQ(0, map_file(o, self->memfd[0], SZ_2M, SZ_2M, SZ_1G, rw));
	ASSERT_EQ(0, attach(o, o->ioas_id));

	ASSERT_EQ(0, get_mapping(o->cdev, self->memfd[0], 0, &m));
	EXPECT_EQ(SZ_1M, m.iova);
	EXPECT_EQ(SZ_1M, m.length);
	EXPECT_EQ(0, m.offset);
	EXPECT_EQ(VFIO_LIVEUPDATE_MAP_READ | VFIO_LIVEUPDATE_MAP_WRITE, m.flags);
	ASSERT_EQ(0, get_mapping(o->cdev, self->memfd[0], m.iova + m.length, &m));
	EXPECT_EQ(SZ_1G, m.iova);
	EXPECT_EQ(SZ_2M, m.offset);
	EXPECT_EQ(-ENOENT, get_mapping(o->cdev, self->memfd[0], m.iova + m.length, &m));

	ASSERT_EQ(0, get_mapping(o->cdev, self->memfd[1], 0, &m));
	EXPECT_EQ(SZ_2M, m.iova);
	EXPECT_EQ(SZ_64K, m.length);
	EXPECT_EQ(SZ_8K, m.offset);
	EXPECT_EQ(VFIO_LIVEUPDATE_MAP_READ, m.flags);

	/* In the middle of a mapping the next one is told. */
	ASSERT_EQ(0, get_mapping(o->cdev, -1, SZ_1M + SZ_4K, &m));
	EXPECT_EQ(SZ_2M, m.iova);
	EXPECT_EQ(-EBADF, get_mapping(o->cdev, -2, 0, &m));
}

/* Memory of a process has no name: it is there, but cannot be told. */
TEST_F(liveupdate, anonymous_mapping)
{
	struct vfio_device_feature_liveupdate_mapping m;
	void *memory = mmap(NULL, SZ_1M, PROT_READ | PROT_WRITE,
			    MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);

	ASSERT_NE(MAP_FAILED, memory);
	ASSERT_EQ(0, map_memory(&self->o, memory, SZ_1M, SZ_1M));
	ASSERT_EQ(0, attach(&self->o, self->o.ioas_id));
	EXPECT_EQ(-EOPNOTSUPP, get_mapping(self->o.cdev, -1, 0, &m));
	EXPECT_EQ(-ENOENT, get_mapping(self->o.cdev, self->memfd[0], 0, &m));
	munmap(memory, SZ_1M);
}

TEST_F(liveupdate, interrupts)
{
	int cdev = self->o.cdev, fds[NR_VECTORS], err = eventfd(0, 0);
	struct vfio_device_feature_liveupdate_irq irq;

	fds[0] = eventfd(0, 0);
	fds[1] = -1;
	fds[2] = fds[0];
	ASSERT_EQ(0, set_eventfds(cdev, VFIO_PCI_MSIX_IRQ_INDEX, fds, NR_VECTORS));
	ASSERT_EQ(0, set_eventfds(cdev, VFIO_PCI_ERR_IRQ_INDEX, &err, 1));

	ASSERT_EQ(0, get_irq(cdev, fds[0], 0, 0, &irq));
	EXPECT_EQ(VFIO_PCI_MSIX_IRQ_INDEX, irq.index);
	EXPECT_EQ(0, irq.start);
	EXPECT_EQ(VFIO_IRQ_SET_ACTION_TRIGGER, irq.action);
	ASSERT_EQ(0, get_irq(cdev, fds[0], irq.index, irq.start + 1, &irq));
	EXPECT_EQ(2, irq.start);
	EXPECT_EQ(-ENOENT, get_irq(cdev, fds[0], irq.index, irq.start + 1, &irq));

	ASSERT_EQ(0, get_irq(cdev, err, 0, 0, &irq));
	EXPECT_EQ(VFIO_PCI_ERR_IRQ_INDEX, irq.index);
	EXPECT_EQ(-ENOENT, get_irq(cdev, err, VFIO_PCI_REQ_IRQ_INDEX, 0, &irq));
	EXPECT_EQ(-EINVAL, get_irq(cdev, self->memfd[0], 0, 0, &irq));

	/* Those of any eventfd, in order */
	ASSERT_EQ(0, get_irq(cdev, -1, 0, 0, &irq));
	EXPECT_EQ(0, irq.start);
	ASSERT_EQ(0, get_irq(cdev, -1, irq.index, irq.start + 1, &irq));
	EXPECT_EQ(2, irq.start);
	ASSERT_EQ(0, get_irq(cdev, -1, irq.index, irq.start + 1, &irq));
	EXPECT_EQ(VFIO_PCI_ERR_IRQ_INDEX, irq.index);
	EXPECT_EQ(-ENOENT, get_irq(cdev, -1, irq.index, irq.start + 1, &irq));

	ASSERT_EQ(0, set_eventfds(cdev, VFIO_PCI_MSIX_IRQ_INDEX, fds, 0));
	EXPECT_EQ(-ENOENT, get_irq(cdev, fds[0], 0, 0, &irq));
	close(fds[0]);
	close(err);
}

TEST_F(liveupdate, intx)
{
	char buf[sizeof(struct vfio_irq_set) + sizeof(int)];
	int cdev = self->o.cdev, trigger = eventfd(0, 0), unmask = eventfd(0, 0);
	struct vfio_device_feature_liveupdate_irq irq;
	struct vfio_irq_set *set = (void *)buf;

	if (set_eventfds(cdev, VFIO_PCI_INTX_IRQ_INDEX, &trigger, 1))
		SKIP(return, "no INTx");
	*set = (struct vfio_irq_set){
		.argsz = sizeof(buf),
		.flags = VFIO_IRQ_SET_ACTION_UNMASK | VFIO_IRQ_SET_DATA_EVENTFD,
		.index = VFIO_PCI_INTX_IRQ_INDEX,
		.count = 1,
	};
	memcpy(set->data, &unmask, sizeof(int));
	ASSERT_EQ(0, ioctl(cdev, VFIO_DEVICE_SET_IRQS, set));

	ASSERT_EQ(0, get_irq(cdev, trigger, 0, 0, &irq));
	EXPECT_EQ(VFIO_IRQ_SET_ACTION_TRIGGER, irq.action);
	ASSERT_EQ(0, get_irq(cdev, unmask, 0, 0, &irq));
	EXPECT_EQ(VFIO_PCI_INTX_IRQ_INDEX, irq.index);
	EXPECT_EQ(VFIO_IRQ_SET_ACTION_UNMASK, irq.action);
	close(trigger);
	close(unmask);
}

/* Take IDs 1..@last, so that each can be given to the object that must have it. */
static int take_ids(int iommufd, u32 last)
{
	u32 id, want;
	int ret;

	for (want = 1; want <= last; want++) {
		ret = alloc_ioas(iommufd, &id);
		if (ret || id != want)
			return ret ?: -EEXIST;
	}

	return 0;
}

/* By the book of <linux/vfio_liveupdate.h>: the same IDs, in any order of making. */
TEST_F(liveupdate, same_ids_again)
{
	struct vfio_device_feature_liveupdate_iommu old, new;
	struct owner *o = &self->o;
	u32 gap;

	/* The address space has an ID above its page table's. */
	ASSERT_EQ(0, alloc_ioas(o->iommufd, &gap));
	ASSERT_EQ(0, alloc_ioas(o->iommufd, &o->ioas_id));
	ASSERT_EQ(0, destroy(o->iommufd, gap));
	ASSERT_EQ(0, alloc_hwpt(o, 0));
	ASSERT_LT(o->hwpt_id, o->ioas_id);
	ASSERT_EQ(0, attach(o, o->hwpt_id));
	ASSERT_EQ(0, get_objects(o->cdev, o->iommufd, &old));

	close(o->cdev);
	close(o->iommufd);
	ASSERT_LE(0, (o->cdev = open(cdev_path, O_RDWR)));
	ASSERT_LE(0, (o->iommufd = open("/dev/iommu", O_RDWR)));

	ASSERT_EQ(0, take_ids(o->iommufd, MAX_OBJECTS));
	ASSERT_EQ(0, destroy(o->iommufd, old.dev_id));
	ASSERT_EQ(0, bind(o));
	o->ioas_id = old.ioas_id;	/* it is one already */
	ASSERT_EQ(0, map_file(o, self->memfd[0], 0, SZ_1M, SZ_1M,
			      IOMMU_IOAS_MAP_READABLE));
	ASSERT_EQ(0, destroy(o->iommufd, old.hwpt_id));
	ASSERT_EQ(0, alloc_hwpt(o, old.hwpt_flags));
	ASSERT_EQ(0, attach(o, o->hwpt_id));
	ASSERT_EQ(0, get_objects(o->cdev, o->iommufd, &new));
	old.iommufd = new.iommufd;
	EXPECT_EQ(0, memcmp(&old, &new, sizeof(old)));
}

static int preserve(int session, int fd, u64 token)
{
	struct liveupdate_session_preserve_fd preserve = {
		.size = sizeof(preserve),
		.fd = fd,
		.token = token,
	};

	return ioctl(session, LIVEUPDATE_SESSION_PRESERVE_FD, &preserve) ? -errno : 0;
}

/* From PRESERVE_FD on the answers are good, because nothing can change them. */
TEST_F(liveupdate, preserved)
{
	const u32 rw = IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE;
	struct liveupdate_ioctl_create_session create = { .size = sizeof(create) };
	struct vfio_device_feature_liveupdate_mapping m;
	struct owner *o = &self->o;
	int luo;

	luo = open("/dev/liveupdate", O_RDWR);
	if (luo < 0)
		SKIP(return, "no /dev/liveupdate");
	snprintf((char *)create.name, sizeof(create.name), SESSION);
	ASSERT_EQ(0, ioctl(luo, LIVEUPDATE_IOCTL_CREATE_SESSION, &create));
	close(luo);

	ASSERT_EQ(0, map_file(o, self->memfd[0], 0, SZ_1M, SZ_1M, rw));
	ASSERT_EQ(0, attach(o, o->ioas_id));
	ASSERT_EQ(0, preserve(create.fd, self->memfd[0], 1));
	ASSERT_EQ(0, preserve(create.fd, o->cdev, 2));

	ASSERT_EQ(0, get_mapping(o->cdev, self->memfd[0], 0, &m));
	EXPECT_EQ(SZ_1M, m.iova);
	EXPECT_EQ(-EBUSY, map_file(o, self->memfd[1], 0, SZ_1M, SZ_1G, rw));
	close(create.fd);
	EXPECT_EQ(0, map_file(o, self->memfd[1], 0, SZ_1M, SZ_1G, rw));
}

struct asker {
	int cdev;
	bool stop;
	u64 asked;
};

static void *keep_asking(void *arg)
{
	struct asker *asker = arg;
	struct vfio_device_feature_liveupdate answer;

	while (!__atomic_load_n(&asker->stop, __ATOMIC_RELAXED)) {
		memset(&answer, 0, sizeof(answer));
		/* That a mapping is just changing is a good answer. */
		if (get_feature(asker->cdev, VFIO_DEVICE_FEATURE_GET,
				VFIO_DEVICE_FEATURE_LIVEUPDATE, &answer, sizeof(answer)))
			break;
		__atomic_fetch_add(&asker->asked, 1, __ATOMIC_RELAXED);
	}

	return NULL;
}

#define ASKERS		2
#define ASKING_SECONDS	6
#define MANY		1000	/* mappings: who asks has to look at all of them */

/* Asking whether the device can be preserved changes nothing for anybody. */
TEST_F_TIMEOUT(liveupdate, asked_while_mapping, 60)
{
	const u32 rw = IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE;
	struct owner *o = &self->o;
	struct iommu_ioas_unmap unmap = { .size = sizeof(unmap) };
	struct asker asker = { .cdev = o->cdev };
	pthread_t threads[ASKERS];
	time_t end;
	int i;

	for (i = 0; i < MANY; i++)
		ASSERT_EQ(0, map_file(o, self->memfd[0], (u64)i * SZ_4K, SZ_4K,
				      SZ_1M + (u64)i * SZ_8K, rw));
	ASSERT_EQ(0, attach(o, o->ioas_id));
	for (i = 0; i < ASKERS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, keep_asking, &asker));
	for (end = time(NULL) + ASKING_SECONDS; time(NULL) < end;) {
		unmap.ioas_id = o->ioas_id;
		unmap.iova = SZ_1G;
		unmap.length = SZ_4K;
		ASSERT_EQ(0, map_file(o, self->memfd[1], 0, SZ_4K, SZ_1G, rw));
		ASSERT_EQ(0, ioctl(o->iommufd, IOMMU_IOAS_UNMAP, &unmap));
	}
	__atomic_store_n(&asker.stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < ASKERS; i++)
		pthread_join(threads[i], NULL);
	EXPECT_LT(100, asker.asked);
}

int main(int argc, char *argv[])
{
	cdev_path = vfio_pci_get_cdev_path(vfio_selftests_get_bdf(&argc, argv));

	return test_harness_run(argc, argv);
}
