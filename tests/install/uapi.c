// SPDX-License-Identifier: GPL-2.0
/*
 * Every size, place and number of include/uapi that holdfast uses. Built with those headers
 * and with the kernel's own, it has to print the same.
 */
#include <stddef.h>
#include <stdio.h>

#include <linux/iommufd.h>
#include <linux/liveupdate.h>
#include <linux/vfio.h>

#define N(name) printf(#name " 0x%lx\n", (unsigned long)(name))
#define SIZE(s) printf("sizeof " #s " %zu\n", sizeof(struct s))
#define FIELD(s, name) \
	printf(#s "." #name " %zu+%zu\n", offsetof(struct s, name), sizeof(((struct s *)0)->name))

static void liveupdate(void)
{
	N(LIVEUPDATE_SESSION_NAME_LENGTH);
	N(LIVEUPDATE_IOCTL_CREATE_SESSION);
	N(LIVEUPDATE_IOCTL_RETRIEVE_SESSION);
	N(LIVEUPDATE_SESSION_PRESERVE_FD);
	N(LIVEUPDATE_SESSION_RETRIEVE_FD);
	N(LIVEUPDATE_SESSION_FINISH);
	N(LIVEUPDATE_SESSION_GET_NAME);
	SIZE(liveupdate_ioctl_create_session);
	FIELD(liveupdate_ioctl_create_session, size);
	FIELD(liveupdate_ioctl_create_session, fd);
	FIELD(liveupdate_ioctl_create_session, name);
	SIZE(liveupdate_ioctl_retrieve_session);
	FIELD(liveupdate_ioctl_retrieve_session, size);
	FIELD(liveupdate_ioctl_retrieve_session, fd);
	FIELD(liveupdate_ioctl_retrieve_session, name);
	SIZE(liveupdate_session_preserve_fd);
	FIELD(liveupdate_session_preserve_fd, size);
	FIELD(liveupdate_session_preserve_fd, fd);
	FIELD(liveupdate_session_preserve_fd, token);
	SIZE(liveupdate_session_retrieve_fd);
	FIELD(liveupdate_session_retrieve_fd, size);
	FIELD(liveupdate_session_retrieve_fd, fd);
	FIELD(liveupdate_session_retrieve_fd, token);
	SIZE(liveupdate_session_finish);
	FIELD(liveupdate_session_finish, size);
	FIELD(liveupdate_session_finish, reserved);
	SIZE(liveupdate_session_get_name);
	FIELD(liveupdate_session_get_name, size);
	FIELD(liveupdate_session_get_name, reserved);
	FIELD(liveupdate_session_get_name, name);
}

static void iommufd(void)
{
	N(IOMMU_DESTROY);
	N(IOMMU_IOAS_ALLOC);
	N(IOMMU_OPTION);
	N(IOMMU_HWPT_ALLOC);
	N(IOMMU_IOAS_MAP_FILE);
	N(IOMMU_OPTION_HUGE_PAGES);
	N(IOMMU_OPTION_OP_SET);
	N(IOMMU_HWPT_ALLOC_NEST_PARENT);
	N(IOMMU_HWPT_ALLOC_DIRTY_TRACKING);
	N(IOMMU_HWPT_ALLOC_PASID);
	N(IOMMU_HWPT_DATA_NONE);
	N(IOMMU_IOAS_MAP_FIXED_IOVA);
	N(IOMMU_IOAS_MAP_WRITEABLE);
	N(IOMMU_IOAS_MAP_READABLE);
	SIZE(iommu_destroy);
	FIELD(iommu_destroy, size);
	FIELD(iommu_destroy, id);
	SIZE(iommu_ioas_alloc);
	FIELD(iommu_ioas_alloc, size);
	FIELD(iommu_ioas_alloc, flags);
	FIELD(iommu_ioas_alloc, out_ioas_id);
	SIZE(iommu_option);
	FIELD(iommu_option, size);
	FIELD(iommu_option, option_id);
	FIELD(iommu_option, op);
	FIELD(iommu_option, object_id);
	FIELD(iommu_option, val64);
	SIZE(iommu_hwpt_alloc);
	FIELD(iommu_hwpt_alloc, size);
	FIELD(iommu_hwpt_alloc, flags);
	FIELD(iommu_hwpt_alloc, dev_id);
	FIELD(iommu_hwpt_alloc, pt_id);
	FIELD(iommu_hwpt_alloc, out_hwpt_id);
	FIELD(iommu_hwpt_alloc, data_type);
	FIELD(iommu_hwpt_alloc, data_len);
	FIELD(iommu_hwpt_alloc, data_uptr);
	FIELD(iommu_hwpt_alloc, fault_id);
	SIZE(iommu_ioas_map_file);
	FIELD(iommu_ioas_map_file, size);
	FIELD(iommu_ioas_map_file, flags);
	FIELD(iommu_ioas_map_file, ioas_id);
	FIELD(iommu_ioas_map_file, fd);
	FIELD(iommu_ioas_map_file, start);
	FIELD(iommu_ioas_map_file, length);
	FIELD(iommu_ioas_map_file, iova);
}

static void vfio(void)
{
	N(VFIO_DEVICE_BIND_IOMMUFD);
	N(VFIO_DEVICE_ATTACH_IOMMUFD_PT);
	N(VFIO_DEVICE_FEATURE_DMA_BUF);
	SIZE(vfio_device_bind_iommufd);
	FIELD(vfio_device_bind_iommufd, argsz);
	FIELD(vfio_device_bind_iommufd, flags);
	FIELD(vfio_device_bind_iommufd, iommufd);
	FIELD(vfio_device_bind_iommufd, out_devid);
	SIZE(vfio_device_attach_iommufd_pt);
	FIELD(vfio_device_attach_iommufd_pt, argsz);
	FIELD(vfio_device_attach_iommufd_pt, flags);
	FIELD(vfio_device_attach_iommufd_pt, pt_id);
	SIZE(vfio_region_dma_range);
	FIELD(vfio_region_dma_range, offset);
	FIELD(vfio_region_dma_range, length);
	SIZE(vfio_device_feature_dma_buf);
	FIELD(vfio_device_feature_dma_buf, region_index);
	FIELD(vfio_device_feature_dma_buf, open_flags);
	FIELD(vfio_device_feature_dma_buf, flags);
	FIELD(vfio_device_feature_dma_buf, nr_ranges);
	printf("dma_ranges %zu\n", offsetof(struct vfio_device_feature_dma_buf, dma_ranges));
}

int main(void)
{
	liveupdate();
	iommufd();
	vfio();
	return 0;
}
