// SPDX-License-Identifier: GPL-2.0
/*
 * PCI live update: where the registers of a function are.
 *
 * Pure: reads through a callback, and believes nothing of what it reads. The
 * lists are walked as the PCI core walks them, so that the guard protects the
 * instance of a capability that the core would write to; where the core stops
 * quietly (a pointer into the header, an ID of all ones) so does this. A list
 * that leads back to itself, or a capability that does not fit where it is, is
 * an error: no policy can be right about such a function.
 */

#include "policy.h"

struct pci_lu_walk {
	struct pci_lu_layout *l;
	pci_lu_read_fn rd;
	void *ctx;
};

struct pci_lu_cap_desc {
	u16 id;
	u16 field;	/* offset in struct pci_lu_layout */
	u16 size;	/* up to the last register a row touches */
};

#define AT(member)	offsetof(struct pci_lu_layout, member)

static const struct pci_lu_cap_desc pci_lu_std_caps[] = {
	{ PCI_CAP_ID_PM, AT(pm), PCI_PM_SIZEOF },
	{ PCI_CAP_ID_MSI, AT(msi), PCI_MSI_DATA_32 + 2 },
	{ PCI_CAP_ID_EXP, AT(pcie), PCI_EXP_DEVSTA + 2 },
	{ PCI_CAP_ID_MSIX, AT(msix), PCI_CAP_MSIX_SIZEOF },
	{ PCI_CAP_ID_AF, AT(af), PCI_AF_STATUS + 1 },
};

static const struct pci_lu_cap_desc pci_lu_ext_caps[] = {
	{ PCI_EXT_CAP_ID_ERR, AT(aer), PCI_ERR_HEADER_LOG },
	{ PCI_EXT_CAP_ID_VC, AT(vc), PCI_CAP_VC_BASE_SIZEOF },
	{ PCI_EXT_CAP_ID_VC9, AT(vc), PCI_CAP_VC_BASE_SIZEOF },
	{ PCI_EXT_CAP_ID_MFVC, AT(mfvc), PCI_CAP_VC_BASE_SIZEOF },
	{ PCI_EXT_CAP_ID_ACS, AT(acs), PCI_ACS_CTRL + 2 },
	{ PCI_EXT_CAP_ID_ARI, AT(ari), PCI_EXT_CAP_ARI_SIZEOF },
	{ PCI_EXT_CAP_ID_ATS, AT(ats), PCI_EXT_CAP_ATS_SIZEOF },
	{ PCI_EXT_CAP_ID_SRIOV, AT(sriov), PCI_EXT_CAP_SRIOV_SIZEOF },
	{ PCI_EXT_CAP_ID_PRI, AT(pri), PCI_EXT_CAP_PRI_SIZEOF },
	{ PCI_EXT_CAP_ID_REBAR, AT(rebar), PCI_REBAR_CTRL + 4 },
	{ PCI_EXT_CAP_ID_VF_REBAR, AT(vf_rebar), PCI_REBAR_CTRL + 4 },
	{ PCI_EXT_CAP_ID_TPH, AT(tph), PCI_TPH_BASE_SIZEOF },
	{ PCI_EXT_CAP_ID_LTR, AT(ltr), PCI_EXT_CAP_LTR_SIZEOF },
	{ PCI_EXT_CAP_ID_PASID, AT(pasid), PCI_EXT_CAP_PASID_SIZEOF },
	{ PCI_EXT_CAP_ID_DPC, AT(dpc), PCI_EXP_DPC_STATUS + 2 },
	{ PCI_EXT_CAP_ID_L1SS, AT(l1ss), PCI_L1SS_CTL2 + 4 },
	{ PCI_EXT_CAP_ID_PTM, AT(ptm), PCI_PTM_CTRL + 4 },
	{ PCI_EXT_CAP_ID_DOE, AT(doe), PCI_DOE_CAP_SIZEOF },
	{ PCI_EXT_CAP_ID_IDE, AT(ide), PCI_LU_IDE_FIRST_BLOCK },
};

static u32 get(const struct pci_lu_walk *w, u16 pos, u8 size)
{
	return w->rd(w->ctx, pos, size);
}

static u16 *pci_lu_field(struct pci_lu_layout *l, u16 field)
{
	return (u16 *)((u8 *)l + field);
}

static u16 pci_lu_field_get(const struct pci_lu_layout *l, u16 field)
{
	return *(const u16 *)((const u8 *)l + field);
}

/**
 * pci_lu_row_applies - is a row about anything this function has
 * @row: row of the policy
 * @l: the function
 *
 * Return: true if so.
 */
bool pci_lu_row_applies(const struct pci_lu_row *row,
			const struct pci_lu_layout *l)
{
	if (!(row->kinds & l->roles))
		return false;
	if (row->when == PCI_LU_VFS_ON && !l->vfe)
		return false;

	return !row->base || pci_lu_field_get(l, row->base);
}

/**
 * pci_lu_row_count - how many registers a row is about
 * @row: row of the policy, which applies
 * @l: the function
 *
 * Return: the number, which may be 0.
 */
unsigned int pci_lu_row_count(const struct pci_lu_row *row,
			      const struct pci_lu_layout *l)
{
	return row->count ? pci_lu_field_get(l, row->count) : 1;
}

/**
 * pci_lu_row_pos - where a register of a row is
 * @row: row of the policy, which applies
 * @l: the function
 * @i: which of them, below pci_lu_row_count()
 *
 * Return: offset in config space.
 */
u16 pci_lu_row_pos(const struct pci_lu_row *row, const struct pci_lu_layout *l,
		   unsigned int i)
{
	u16 base = row->base ? pci_lu_field_get(l, row->base) : 0;

	return base + row->off + i * row->stride;
}

static enum pci_lu_reason pci_lu_found(struct pci_lu_layout *l, u16 id, u16 pos,
				       u16 end, const struct pci_lu_cap_desc *desc,
				       unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (desc[i].id != id || pci_lu_field_get(l, desc[i].field))
			continue;
		if (pos + desc[i].size > end)
			return PCI_LU_REASON_DEV_CAP_RANGE;
		*pci_lu_field(l, desc[i].field) = pos;
	}

	return PCI_LU_OK;
}

static enum pci_lu_reason pci_lu_walk_std(struct pci_lu_walk *w)
{
	u64 seen = 0;
	u16 head;
	u8 pos;
	enum pci_lu_reason reason;

	if (!(get(w, PCI_STATUS, 2) & PCI_STATUS_CAP_LIST))
		return PCI_LU_OK;

	pos = get(w, PCI_CAPABILITY_LIST, 1) & ~3;
	while (pos >= PCI_STD_HEADER_SIZEOF) {
		if (seen & (1ULL << (pos / 4)))
			return PCI_LU_REASON_DEV_CAP_LOOP;
		seen |= 1ULL << (pos / 4);

		head = get(w, pos, 2);
		if ((head & 0xff) == 0xff)
			break;
		reason = pci_lu_found(w->l, head & 0xff, pos,
				      PCI_CFG_SPACE_SIZE, pci_lu_std_caps,
				      ARRAY_SIZE(pci_lu_std_caps));
		if (reason)
			return reason;
		pos = (head >> 8) & ~3;
	}

	return PCI_LU_OK;
}

/* A DVSEC is known by what is in it. */
static void pci_lu_dvsec(struct pci_lu_walk *w, u16 pos)
{
	if (w->l->cxl_port)
		return;
	if (pos + PCI_LU_DVSEC_CXL_PORT_CTL + 2 > PCI_CFG_SPACE_EXP_SIZE)
		return;
	if (get(w, pos + PCI_DVSEC_HEADER1, 2) != PCI_LU_DVSEC_VENDOR_CXL)
		return;
	if (get(w, pos + PCI_DVSEC_HEADER2, 2) == PCI_LU_DVSEC_CXL_PORT)
		w->l->cxl_port = pos;
}

static enum pci_lu_reason pci_lu_walk_ext(struct pci_lu_walk *w)
{
	u32 seen[PCI_CFG_SPACE_EXP_SIZE / 4 / 32] = { 0 };
	u16 pos = PCI_CFG_SPACE_SIZE;
	u32 head;
	enum pci_lu_reason reason;

	if (!w->l->pcie)
		return PCI_LU_OK;

	while (pos >= PCI_CFG_SPACE_SIZE) {
		if (seen[pos / 128] & (1U << (pos / 4 % 32)))
			return PCI_LU_REASON_DEV_CAP_LOOP;
		seen[pos / 128] |= 1U << (pos / 4 % 32);

		head = get(w, pos, 4);
		/* All ones: the path to this function has no such space. */
		if (!head || head == ~0U)
			break;
		if (PCI_EXT_CAP_ID(head) == PCI_EXT_CAP_ID_DVSEC)
			pci_lu_dvsec(w, pos);
		reason = pci_lu_found(w->l, PCI_EXT_CAP_ID(head), pos,
				      PCI_CFG_SPACE_EXP_SIZE, pci_lu_ext_caps,
				      ARRAY_SIZE(pci_lu_ext_caps));
		if (reason)
			return reason;
		pos = PCI_EXT_CAP_NEXT(head);
	}

	return PCI_LU_OK;
}

/* Which parts of the PCI Express capability exist, as in the PCI core. */
static void pci_lu_init_pcie(struct pci_lu_walk *w)
{
	struct pci_lu_layout *l = w->l;
	bool link = true, port = false;
	u16 flags;

	if (!l->pcie)
		return;

	flags = get(w, l->pcie + PCI_EXP_FLAGS, 2);
	l->pcie_ver = flags & PCI_EXP_FLAGS_VERS;
	l->pcie_type = (flags & PCI_EXP_FLAGS_TYPE) >> 4;
	switch (l->pcie_type) {
	case PCI_EXP_TYPE_ROOT_PORT:
	case PCI_EXP_TYPE_DOWNSTREAM:
	case PCI_EXP_TYPE_PCIE_BRIDGE:
		port = true;
		break;
	case PCI_EXP_TYPE_RC_END:
	case PCI_EXP_TYPE_RC_EC:
		link = false;
		break;
	}

	if (link)
		l->pcie_link = l->pcie;
	if (port && (flags & PCI_EXP_FLAGS_SLOT))
		l->pcie_slot = l->pcie;
	if (l->pcie_ver > 1)
		l->pcie2 = l->pcie;
	if (link && l->pcie_ver > 1)
		l->pcie2_link = l->pcie;
}

static void pci_lu_init_msi(struct pci_lu_walk *w)
{
	struct pci_lu_layout *l = w->l;
	unsigned int log2;
	u16 flags;

	if (!l->msi)
		return;

	flags = get(w, l->msi + PCI_MSI_FLAGS, 2);
	l->msi_64 = !!(flags & PCI_MSI_FLAGS_64BIT);
	l->msi_maskable = !!(flags & PCI_MSI_FLAGS_MASKBIT);
	log2 = (flags & PCI_MSI_FLAGS_QMASK) >> 1;
	l->msi_vectors = 1 << (log2 > 5 ? 5 : log2);
	if (l->msi_maskable)
		l->msi_mask = l->msi + (l->msi_64 ? PCI_MSI_MASK_64 :
						    PCI_MSI_MASK_32);
}

static u8 pci_lu_upper_halves(struct pci_lu_walk *w, u16 pos, unsigned int n)
{
	unsigned int i;
	u8 hi = 0;
	u32 bar;

	for (i = 0; i + 1 < n; i++) {
		bar = get(w, pos + 4 * i, 4);
		if (bar & PCI_BASE_ADDRESS_SPACE_IO)
			continue;
		if ((bar & PCI_BASE_ADDRESS_MEM_TYPE_MASK) !=
		    PCI_BASE_ADDRESS_MEM_TYPE_64)
			continue;
		hi |= 1 << ++i;
	}

	return hi;
}

/*
 * A window register that reads as zero is taken for one that is not there. A
 * window that is there would have to be open at address 0 to read as zero; one
 * that is closed has its base above its limit.
 */
static void pci_lu_init_windows(struct pci_lu_walk *w)
{
	u16 io = get(w, PCI_IO_BASE, 2);
	u32 pref = get(w, PCI_PREF_MEMORY_BASE, 4);
	u8 win = 0;

	if (io)
		win |= PCI_LU_WIN_IO;
	if ((io & PCI_IO_RANGE_TYPE_MASK) == PCI_IO_RANGE_TYPE_32)
		win |= PCI_LU_WIN_IO32;
	if (pref)
		win |= PCI_LU_WIN_PREF;
	if ((pref & PCI_PREF_RANGE_TYPE_MASK) == PCI_PREF_RANGE_TYPE_64)
		win |= PCI_LU_WIN_PREF64;
	w->l->windows = win;
}

static void pci_lu_init_acs(struct pci_lu_walk *w)
{
	unsigned int bits;
	u16 cap;

	if (!w->l->acs)
		return;

	cap = get(w, w->l->acs + PCI_ACS_CAP, 2);
	if (!(cap & PCI_ACS_EC))
		return;
	bits = cap >> 8;
	if (!bits)
		bits = 256;
	w->l->nr_egress = (bits + 31) / 32;
}

static u16 pci_lu_count_vc(struct pci_lu_walk *w, u16 vc)
{
	return vc ? (get(w, vc + PCI_VC_PORT_CAP1, 4) & PCI_VC_CAP1_EVCC) + 1 : 0;
}

static u16 pci_lu_count_rebar(struct pci_lu_walk *w, u16 rebar)
{
	u32 ctrl;

	if (!rebar)
		return 0;
	ctrl = get(w, rebar + PCI_REBAR_CTRL, 4);
	ctrl = (ctrl & PCI_REBAR_CTRL_NBAR_MASK) >> PCI_REBAR_CTRL_NBAR_SHIFT;

	return ctrl > PCI_STD_NUM_BARS ? PCI_STD_NUM_BARS : ctrl;
}

static void pci_lu_init_tph(struct pci_lu_walk *w)
{
	u32 cap;

	if (!w->l->tph)
		return;

	cap = get(w, w->l->tph + PCI_TPH_CAP, 4);
	if ((cap & PCI_TPH_CAP_LOC_MASK) != PCI_TPH_LOC_CAP)
		return;
	/* The field holds the number of 2-byte entries less one. */
	cap = (cap & PCI_TPH_CAP_ST_MASK) >> PCI_TPH_CAP_ST_SHIFT;
	w->l->nr_st = cap / 2 + 1;
}

/* Link streams, then selective streams of varying length. */
static enum pci_lu_reason pci_lu_init_ide(struct pci_lu_walk *w)
{
	struct pci_lu_layout *l = w->l;
	unsigned int pos, n, i;
	u32 cap;

	if (!l->ide)
		return PCI_LU_OK;

	pos = l->ide + PCI_LU_IDE_FIRST_BLOCK;
	cap = get(w, l->ide + PCI_LU_IDE_CAP, 4);
	if (cap & PCI_LU_IDE_CAP_LINK)
		pos += 8 * (((cap >> 13) & 0x7) + 1);
	n = cap & PCI_LU_IDE_CAP_SELECTIVE ? ((cap >> 16) & 0xff) + 1 : 0;
	for (i = 0; i < n; i++) {
		if (pos + 4 > PCI_CFG_SPACE_EXP_SIZE)
			return PCI_LU_REASON_DEV_CAP_RANGE;
		pos += 20 + 12 * (get(w, pos, 1) & 0xf);
	}
	l->nr_ide = (pos - l->ide - PCI_LU_IDE_CTL) / 4;

	return PCI_LU_OK;
}

static void pci_lu_init_header(struct pci_lu_walk *w)
{
	struct pci_lu_layout *l = w->l;

	l->nr_bars = l->kind == PCI_LU_BRIDGE ? 2 : PCI_STD_NUM_BARS;
	l->bar_hi = pci_lu_upper_halves(w, PCI_BASE_ADDRESS_0, l->nr_bars);
	if (l->kind == PCI_LU_BRIDGE)
		pci_lu_init_windows(w);
}

static void pci_lu_init_sriov(struct pci_lu_walk *w)
{
	struct pci_lu_layout *l = w->l;

	if (!l->sriov)
		return;

	l->vfe = !!(get(w, l->sriov + PCI_SRIOV_CTRL, 2) & PCI_SRIOV_CTRL_VFE);
	l->nr_vf_bars = PCI_SRIOV_NUM_BARS;
	l->vf_bar_hi = pci_lu_upper_halves(w, l->sriov + PCI_SRIOV_BAR,
					   PCI_SRIOV_NUM_BARS);
}

/* Those hold whatever the function is to others. */
static void pci_lu_cover_driver_rows(struct pci_lu_layout *l)
{
	unsigned int r;

	for (r = 0; r < l->nr_rows; r++)
		l->covered[l->rows[r].off / 128] |= 1U << (l->rows[r].off / 4 % 32);
}

/**
 * pci_lu_layout_roles - say what a function is to the preserved ones
 * @l: the function
 * @roles: PCI_LU_FOR_*
 *
 * Marks what the rows touch, and refuses what would lie outside.
 *
 * Return: %PCI_LU_OK, or why no policy can be right about it.
 */
enum pci_lu_reason pci_lu_layout_roles(struct pci_lu_layout *l, u8 roles)
{
	unsigned int n, i, r, count;
	const struct pci_lu_row *row = pci_lu_policy_rows(&n);

	l->roles = roles;
	memset(l->covered, 0, sizeof(l->covered));
	for (r = 0; r < n; r++, row++) {
		if (!pci_lu_row_applies(row, l))
			continue;
		count = pci_lu_row_count(row, l);
		for (i = 0; i < count; i++) {
			unsigned int pos = pci_lu_row_pos(row, l, i);

			if (pos + row->width > PCI_CFG_SPACE_EXP_SIZE)
				return PCI_LU_REASON_DEV_CAP_RANGE;
			l->covered[pos / 128] |= 1U << (pos / 4 % 32);
		}
	}
	pci_lu_cover_driver_rows(l);

	return PCI_LU_OK;
}

static bool pci_lu_std_fits(u16 cap, u16 size)
{
	return !cap || cap + size <= PCI_CFG_SPACE_SIZE;
}

/* What lies in the first 256 bytes must end there. */
static enum pci_lu_reason pci_lu_check_std_ends(const struct pci_lu_layout *l)
{
	if (pci_lu_std_fits(l->msi_mask, 8) &&
	    pci_lu_std_fits(l->pcie_link, PCI_EXP_LNKSTA + 2) &&
	    pci_lu_std_fits(l->pcie_slot, PCI_EXP_SLTSTA + 2) &&
	    pci_lu_std_fits(l->pcie2, PCI_EXP_DEVSTA2 + 2) &&
	    pci_lu_std_fits(l->pcie2_link, PCI_EXP_LNKSTA2 + 2))
		return PCI_LU_OK;

	return PCI_LU_REASON_DEV_CAP_RANGE;
}

/* The IDs of a VF read as all ones; its class does not. */
static bool pci_lu_is_gone(enum pci_lu_kind kind, pci_lu_read_fn rd, void *ctx)
{
	u32 id = rd(ctx, kind == PCI_LU_VF ? PCI_CLASS_REVISION : PCI_VENDOR_ID, 4);

	return id == ~0U || !id;
}

/**
 * pci_lu_layout_init - find the registers of a function
 * @l: filled in, for a function that is preserved itself, or a bridge
 * @kind: what the function looks like
 * @rd: how to read its config space
 * @ctx: passed to @rd
 *
 * Only reads, and may be called at any time, also of a function in flight; but
 * whether VFs are on is looked at once, here.
 *
 * Return: %PCI_LU_OK, or why no policy can be right about it.
 */
enum pci_lu_reason pci_lu_layout_init(struct pci_lu_layout *l,
				      enum pci_lu_kind kind,
				      pci_lu_read_fn rd, void *ctx)
{
	struct pci_lu_walk w = { .l = l, .rd = rd, .ctx = ctx };
	enum pci_lu_reason reason;

	memset(l, 0, sizeof(*l));
	if (pci_lu_is_gone(kind, rd, ctx))
		return PCI_LU_REASON_DEV_GONE;

	l->kind = kind;
	l->hdr_type = rd(ctx, PCI_HEADER_TYPE, 1) & PCI_HEADER_TYPE_MASK;
	if (l->hdr_type != (kind == PCI_LU_BRIDGE ? PCI_HEADER_TYPE_BRIDGE :
						    PCI_HEADER_TYPE_NORMAL))
		return PCI_LU_REASON_DEV_HDR_TYPE;

	pci_lu_init_header(&w);
	reason = pci_lu_walk_std(&w);
	if (reason)
		return reason;
	pci_lu_init_pcie(&w);
	pci_lu_init_msi(&w);
	reason = pci_lu_check_std_ends(l);
	if (reason)
		return reason;

	reason = pci_lu_walk_ext(&w);
	if (reason)
		return reason;
	pci_lu_init_sriov(&w);
	pci_lu_init_acs(&w);
	pci_lu_init_tph(&w);
	reason = pci_lu_init_ide(&w);
	if (reason)
		return reason;
	l->nr_vc = pci_lu_count_vc(&w, l->vc);
	l->nr_mfvc = pci_lu_count_vc(&w, l->mfvc);
	l->nr_rebar = pci_lu_count_rebar(&w, l->rebar);
	l->nr_vf_rebar = pci_lu_count_rebar(&w, l->vf_rebar);

	return pci_lu_layout_roles(l, kind == PCI_LU_BRIDGE ? PCI_LU_FOR_BRIDGE :
							      PCI_LU_FOR_ENDPOINT);
}

/**
 * pci_lu_layout_add_rows - let the rows of a function's driver take part
 * @l: the function, from pci_lu_layout_init()
 * @rows: rows that pci_lu_row_check() has accepted; they must stay
 * @n: how many
 */
void pci_lu_layout_add_rows(struct pci_lu_layout *l,
			    const struct pci_lu_row *rows, unsigned int n)
{
	l->rows = rows;
	l->nr_rows = n;
	pci_lu_cover_driver_rows(l);
}
