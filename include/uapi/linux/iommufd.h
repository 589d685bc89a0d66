/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/* What holdfast asks of iommufd, as Linux 7.2 has it: see liveupdate.h. */
#ifndef HF_UAPI_LINUX_IOMMUFD_H
#define HF_UAPI_LINUX_IOMMUFD_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define IOMMU_DESTROY	    _IO(';', 0x80)
#define IOMMU_IOAS_ALLOC    _IO(';', 0x81)
#define IOMMU_OPTION	    _IO(';', 0x87)
#define IOMMU_HWPT_ALLOC    _IO(';', 0x89)
#define IOMMU_IOAS_MAP_FILE _IO(';', 0x8f)

struct iommu_destroy {
	__u32 size;
	__u32 id;
};

struct iommu_ioas_alloc {
	__u32 size;
	__u32 flags;
	__u32 out_ioas_id;
};

#define IOMMU_OPTION_HUGE_PAGES 1 /* option_id */
#define IOMMU_OPTION_OP_SET	0 /* op */

struct iommu_option {
	__u32 size;
	__u32 option_id;
	__u16 op;
	__u16 __reserved;
	__u32 object_id;
	__aligned_u64 val64;
};

#define IOMMU_HWPT_ALLOC_NEST_PARENT	(1 << 0)
#define IOMMU_HWPT_ALLOC_DIRTY_TRACKING (1 << 1)
#define IOMMU_HWPT_ALLOC_PASID		(1 << 3)

#define IOMMU_HWPT_DATA_NONE 0 /* data_type */

struct iommu_hwpt_alloc {
	__u32 size;
	__u32 flags;
	__u32 dev_id;
	__u32 pt_id;
	__u32 out_hwpt_id;
	__u32 __reserved;
	__u32 data_type;
	__u32 data_len;
	__aligned_u64 data_uptr;
	__u32 fault_id;
	__u32 __reserved2;
};

#define IOMMU_IOAS_MAP_FIXED_IOVA (1 << 0)
#define IOMMU_IOAS_MAP_WRITEABLE  (1 << 1)
#define IOMMU_IOAS_MAP_READABLE	  (1 << 2)

struct iommu_ioas_map_file {
	__u32 size;
	__u32 flags;
	__u32 ioas_id;
	__s32 fd;
	__aligned_u64 start;
	__aligned_u64 length;
	__aligned_u64 iova;
};

#endif
