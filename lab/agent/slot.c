// SPDX-License-Identifier: GPL-2.0
/* Memory of a slot and the page that describes it. */
#include "slot.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Far above any guest-physical address and below 2^39, the smallest address
 * width of an Intel IOMMU: an IOVA can never be mistaken for a physical
 * address, so a device whose translation went away misses the buffers visibly.
 */
#define IOVA_BASE 0x4000000000ULL
#define IOVA_STEP 0x100000000ULL

static struct hf_slot slots[HF_SLOTS] = {
	[0 ... HF_SLOTS - 1] = { .memfd = -1, .dev = { .cdev = -1, .iommufd = -1 } },
};

struct hf_slot *hf_slot_at(uint64_t i)
{
	return i < HF_SLOTS ? &slots[i] : NULL;
}

static uint64_t page_up(uint64_t n)
{
	return (n + HF_PAGE - 1) & ~(HF_PAGE - 1);
}

static void lay_out(struct hf_slot_page *p, const struct hf_slot_cfg *cfg)
{
	memset(p, 0, sizeof(*p));
	memcpy(p->magic, HF_PAGE_MAGIC, sizeof(p->magic));
	p->version = HF_PAGE_VERSION;
	p->size = sizeof(*p);
	p->iova_base = IOVA_BASE + cfg->slot * IOVA_STEP;
	p->ring_off = HF_PAGE;
	if (cfg->work->nic) {
		p->descs = cfg->descs;
		p->buf_size = HF_BUF_SIZE;
	}
	p->buf_off = page_up(p->ring_off + (uint64_t)p->descs * 16 + cfg->work->memory);
	p->map_len = page_up(p->buf_off + (uint64_t)p->descs * p->buf_size);
	p->canary_off = p->map_len;
	p->total_len = p->canary_off + HF_PAGE;
	p->vectors = cfg->vectors;
	p->slot = cfg->slot;
	p->intx = cfg->intx;
	p->msi = cfg->msi;
	snprintf(p->bdf, sizeof(p->bdf), "%s", cfg->bdf);
	snprintf(p->native, sizeof(p->native), "%s", cfg->native);
	snprintf(p->workload, sizeof(p->workload), "%s", cfg->work->name);
}

static int map_memory(struct hf_slot *s, struct hf_err *e)
{
	int flags = MAP_POPULATE | (s->anon ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED);
	void *p;

	/* Populated: /proc/self/pagemap shows only pages this process has touched. */
	p = mmap(NULL, s->len, PROT_READ | PROT_WRITE, flags, s->memfd, 0);
	if (p == MAP_FAILED)
		return hf_fail(e, errno, "map %zu bytes", s->len);
	s->mem = p;
	s->page = p;
	return 0;
}

int hf_slot_create(struct hf_slot *s, const struct hf_slot_cfg *cfg, struct hf_err *e)
{
	struct hf_slot_page p;
	int err;

	lay_out(&p, cfg);
	s->used = true;
	s->anon = cfg->anon;
	s->len = p.total_len;
	if (!s->anon) {
		s->memfd = memfd_create("holdfast-slot", MFD_CLOEXEC);
		if (s->memfd < 0)
			return hf_fail(e, errno, "memfd_create");
		if (ftruncate(s->memfd, (off_t)s->len) < 0)
			return hf_fail(e, errno, "memfd of %zu bytes", s->len);
	}
	err = map_memory(s, e);
	if (err)
		return err;
	memcpy(s->page, &p, sizeof(p));
	memset(s->mem + p.canary_off, HF_CANARY_BYTE, HF_PAGE);
	return 0;
}

static bool terminated(const char *s, size_t size)
{
	return memchr(s, 0, size);
}

static bool page_ok(const struct hf_slot_page *p, size_t len)
{
	return !memcmp(p->magic, HF_PAGE_MAGIC, sizeof(p->magic)) &&
	       p->version == HF_PAGE_VERSION && p->size == sizeof(*p) && p->total_len == len &&
	       p->map_len <= len && p->canary_off <= len - HF_PAGE && p->ring_off <= p->map_len &&
	       p->buf_off <= p->map_len && (uint64_t)p->descs * 16 <= p->map_len - p->ring_off &&
	       (uint64_t)p->descs * p->buf_size <= p->map_len - p->buf_off && p->vectors &&
	       p->vectors <= HF_MAX_VECTORS && p->peer <= HF_SLOTS && p->peer_bar < 6 &&
	       terminated(p->bdf, sizeof(p->bdf)) && hf_valid_bdf(p->bdf) &&
	       terminated(p->native, sizeof(p->native)) &&
	       terminated(p->workload, sizeof(p->workload));
}

int hf_slot_adopt(struct hf_slot *s, int memfd, struct hf_err *e)
{
	struct stat st;
	int err;

	s->used = true;
	s->anon = false;
	s->memfd = memfd;
	if (fstat(memfd, &st) < 0)
		return hf_fail(e, errno, "stat retrieved memfd");
	s->len = (size_t)st.st_size;
	if (s->len < 3 * HF_PAGE)
		return hf_fail(e, EPROTO, "retrieved memfd has %zu bytes", s->len);
	err = map_memory(s, e);
	if (err)
		return err;
	if (!page_ok(s->page, s->len))
		return hf_fail(e, EPROTO, "agent page of the retrieved memfd");
	s->work = hf_workload_named(s->page->workload);
	if (!s->work)
		return hf_fail(e, EPROTO, "workload \"%s\" of the retrieved slot",
			       s->page->workload);
	hf_vfio_init(&s->dev, s->page->bdf);
	s->dev.intx = s->page->intx;
	s->dev.msi = s->page->msi;
	return 0;
}

int hf_slot_map(struct hf_slot *s, struct hf_err *e)
{
	const struct hf_slot_page *p = s->page;
	int err;

	err = hf_vfio_iommu_new(&s->dev, e);
	if (err)
		return err;
	if (s->anon)
		return hf_vfio_map_mem(&s->dev, s->mem, p->map_len, p->iova_base, e);
	return hf_vfio_map_file(&s->dev, s->memfd, p->map_len, p->iova_base, e);
}

int hf_slot_map_peer(struct hf_slot *s, struct hf_err *e)
{
	const struct hf_slot_page *p = s->page;
	struct hf_slot *peer;

	if (!p->peer)
		return 0;
	peer = hf_slot_at(p->peer - 1);
	if (!peer || peer->dev.cdev < 0)
		return hf_fail(e, ENODEV, "peer of %s, slot %u", p->bdf, p->peer - 1);
	return hf_vfio_map_peer(&s->dev, &peer->dev, p->peer_bar, p->peer_len, p->peer_iova, e);
}

void hf_slot_ring(const struct hf_slot *s, struct hf_ring *r)
{
	const struct hf_slot_page *p = s->page;

	r->desc = s->mem + p->ring_off;
	r->desc_iova = p->iova_base + p->ring_off;
	r->buf_iova = p->iova_base + p->buf_off;
	r->buf_size = p->buf_size;
	r->descs = p->descs;
	r->len = p->map_len - p->ring_off;
}

void hf_slot_close(struct hf_slot *s)
{
	/* The device first: it must not outlive the memory it writes to. */
	hf_vfio_close(&s->dev);
	if (s->mem)
		munmap(s->mem, s->len);
	if (s->memfd >= 0)
		close(s->memfd);
	memset(s, 0, sizeof(*s));
	s->memfd = -1;
	hf_vfio_init(&s->dev, "");
}
