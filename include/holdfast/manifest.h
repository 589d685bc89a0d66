/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The manifest of a VM: all that has to be set up again for it in the new kernel.
 *
 * It is written as JSON into a memfd, which crosses in the live update session
 * of the VM. What comes out on the other side is not trusted: hf_manifest_parse()
 * checks every field and every reference before anything is done with it.
 *
 * Who reads it may be older or newer than who wrote it. In every object:
 *
 * - a field that the reader does not know is refused: without it the VM would not be what it was;
 * - unless its name begins with HF_IGNORABLE. What can be missed is added under such a name, and
 *   keeps it. It is skipped with all that is in it;
 * - a field that is new may be missing, unless HF_MANIFEST_VERSION says that it is there;
 * - HF_MANIFEST_VERSION goes up when what is there changes its meaning. A reader takes
 *   HF_MANIFEST_OLDEST to HF_MANIFEST_VERSION, which is at least the version before its own.
 */
#ifndef HOLDFAST_MANIFEST_H
#define HOLDFAST_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <holdfast/error.h>
#include <holdfast/times.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HF_MANIFEST_VERSION 1
#define HF_MANIFEST_OLDEST  1
#define HF_IGNORABLE	    "x_"

/* Limits of what hf_manifest_parse() accepts; save refuses what is beyond them. */
#define HF_NAME_MAX	 48
#define HF_FD_LIMIT	 65536 /* descriptor numbers are below it */
#define HF_ID_LIMIT	 4096 /* and so are IDs of iommufd objects */
#define HF_IOMMUFD_LIMIT 64 /* of them; each may have as many IDs */
#define HF_VECTOR_LIMIT	 2048 /* as many as MSI-X can have */
#define HF_MANIFEST_MAX	 (64u << 20) /* bytes */

/* Tokens in the session: a preserved descriptor has its number, these are above. */
#define HF_TOKEN_STATE	  (UINT64_C(1) << 32)
#define HF_TOKEN_MANIFEST (HF_TOKEN_STATE + 1)

enum hf_kind { HF_KIND_MEMFD, HF_KIND_VFIO, HF_KIND_IOMMUFD, HF_KIND_EVENTFD, HF_KINDS };

/* A descriptor of the VM. */
struct hf_fd {
	int fd;
	enum hf_kind kind;
	int same_as; /* fd of which it is a duplicate, which comes before it; -1: none */
	unsigned int flags; /* those of F_GETFL that F_SETFL can set again */
	uint64_t token; /* memfd, vfio: in the session; not of duplicates */
	uint64_t count; /* eventfd: its counter */
	bool semaphore; /* eventfd: EFD_SEMAPHORE */
};

/* An interrupt that signals an eventfd, or an eventfd that unmasks it. */
struct hf_irq {
	uint32_t index; /* VFIO_PCI_MSIX_IRQ_INDEX and so on */
	uint32_t vector;
	uint32_t action; /* VFIO_IRQ_SET_ACTION_TRIGGER or _UNMASK */
	int fd;
};

/* A device, and the iommufd objects it uses. */
struct hf_device {
	int fd;
	int iommufd; /* number of the descriptor */
	char bdf[32]; /* "" if not known: for messages only */
	uint32_t dev_id, ioas_id, hwpt_id;
	uint32_t hwpt_flags; /* IOMMU_HWPT_ALLOC_* */
	bool auto_domain; /* attached to the address space itself */
	struct hf_irq *irqs;
	size_t nirqs;
	uint8_t *config; /* config space as its owner read it at save; NULL: not known */
	size_t config_len; /* 0, 256 or 4096 */
	char *persona; /* text of its persona map, NULL if it has none */
};

/* A mapping; fd is a memfd, or with mmio the device whose region it is. */
struct hf_map {
	uint64_t iova, length, offset; /* bytes; offset in the file of @fd */
	int fd;
	bool read, write, mmio;
};

/* An address space, mappings in order of IOVA. */
struct hf_space {
	int iommufd;
	uint32_t ioas_id;
	bool small_pages; /* IOMMU_OPTION_HUGE_PAGES is off */
	struct hf_map *maps;
	size_t nmaps;
};

struct hf_manifest {
	char name[HF_NAME_MAX + 1];
	char **argv, **env; /* NULL-terminated; argv[0] is what to execute */
	char *cwd; /* absolute */
	char *state_path; /* relative ones are from cwd */
	unsigned int umask;
	uint64_t saved_at_us; /* CLOCK_REALTIME when save started */
	struct hf_fd *fds;
	size_t nfds;
	struct hf_device *devices;
	size_t ndevices;
	struct hf_space *spaces;
	size_t nspaces;
	struct hf_times times; /* what save took */
};

void hf_manifest_init(struct hf_manifest *m);
void hf_manifest_free(struct hf_manifest *m);

/* [A-Za-z0-9._-]{1,48}, and neither "." nor "..". */
bool hf_name_valid(const char *name);

/* "memfd", "vfio", "iommufd", "eventfd" */
const char *hf_kind_name(enum hf_kind kind);

/* The address space of a device, or NULL. */
struct hf_space *hf_manifest_space(const struct hf_manifest *m, int iommufd, uint32_t ioas_id);

/* One more than the highest descriptor number, at least 3. */
int hf_manifest_fd_end(const struct hf_manifest *m);

/* "0000:01:00.0 (fd 12)", for messages. Return: @buf. */
const char *hf_device_name(const struct hf_device *d, char *buf, size_t size);

/* As JSON text; caller frees. Return: 0 or -ENOMEM. */
int hf_manifest_print(const struct hf_manifest *m, char **text, size_t *len, struct hf_error *e);

/*
 * Read @len bytes of JSON into @m, which must be fresh from hf_manifest_init(),
 * and check it. Return: 0, or -EINVAL with the field that is wrong named in @e;
 * @m is to be freed in either case.
 */
int hf_manifest_parse(struct hf_manifest *m, const char *text, size_t len, struct hf_error *e);

/* The second half of hf_manifest_parse(): do all references resolve? */
int hf_manifest_check(const struct hf_manifest *m, struct hf_error *e);

#ifdef __cplusplus
}
#endif

#endif
