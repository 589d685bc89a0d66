// SPDX-License-Identifier: LGPL-2.1-or-later
/* Questions to a view. */
#include "internal.h"

#include <stdlib.h>

void hf_view_free(struct hf_view *v)
{
	free(v);
}

size_t hf_view_size(const struct hf_view *v)
{
	return v->size;
}

const uint8_t *hf_view_image(const struct hf_view *v)
{
	return v->image;
}

uint64_t hf_view_bar_size(const struct hf_view *v, unsigned int n)
{
	return n < HF_BARS ? v->bar_size[n] : 0;
}

uint16_t hf_view_cap(const struct hf_view *v, bool ext, uint16_t id, unsigned int index,
		     uint16_t *phys)
{
	for (unsigned int i = 0; i < v->ncaps; i++) {
		const struct hf_vcap *c = &v->caps[i];

		if (c->ext != ext || c->id != id || index--)
			continue;
		if (phys)
			*phys = c->phys == HF_NO_PHYS ? 0 : c->phys;
		return c->at;
	}
	return 0;
}

bool hf_view_next(const struct hf_view *v, uint16_t offset, struct hf_view_reg *r)
{
	struct hf_field reg;
	uint32_t shown;

	while (offset < v->size && !v->shown[offset])
		offset++;
	if (offset >= v->size)
		return false;
	hf_view_name(v, offset, r->name, sizeof(r->name), &reg);
	r->offset = reg.off;
	r->width = reg.width;
	r->value = hf_get(v->image + r->offset, r->width);
	r->virt = hf_get(v->virt + r->offset, r->width);
	r->pass = hf_get(v->hwwrite + r->offset, r->width);
	r->live = hf_get(v->hwread + r->offset, r->width) & ~r->pass;
	shown = hf_get(v->shown + r->offset, r->width);
	r->ro = shown & ~(r->virt | r->pass | r->live);
	r->rw1c = hf_get(v->rw1c + r->offset, r->width) & (r->virt | r->pass);
	r->phys = r->pass | r->live ? v->phys[r->offset / 4] + r->offset % 4 : HF_NO_PHYS;
	return true;
}
