// SPDX-License-Identifier: LGPL-2.1-or-later
/* How long a capability is. */
#include "caps.h"

#include <linux/pci_regs.h>

#define DOES_NOT_FIT UINT16_MAX

static uint16_t msi_len(uint16_t flags)
{
	uint16_t len = flags & PCI_MSI_FLAGS_64BIT ? PCI_MSI_MASK_64 : PCI_MSI_MASK_32;

	return flags & PCI_MSI_FLAGS_MASKBIT ? len + 8 : len;
}

static uint16_t exp_len(uint16_t flags)
{
	uint8_t type = (flags & PCI_EXP_FLAGS_TYPE) >> 4;
	bool link = type != PCI_EXP_TYPE_RC_END && type != PCI_EXP_TYPE_RC_EC;

	if ((flags & PCI_EXP_FLAGS_VERS) < 2)
		return link ? PCI_CAP_EXP_ENDPOINT_SIZEOF_V1 : PCI_CAP_EXP_RC_ENDPOINT_SIZEOF_V1;
	return link ? PCI_EXP_LNKSTA2 + 2 : PCI_CAP_EXP_RC_ENDPOINT_SIZEOF_V2;
}

/* Section 7.8.5: entries that each say how many dwords follow their first one. */
static uint16_t ea_len(const uint8_t *cap, size_t room)
{
	unsigned int n = cap[PCI_EA_NUM_ENT] & PCI_EA_NUM_ENT_MASK;
	uint16_t len = PCI_EA_FIRST_ENT;

	for (; n && len + 4u <= room; n--)
		len += 4 * (1 + (cap[len] & PCI_EA_ES));
	return n ? DOES_NOT_FIT : len;
}

static uint16_t std_len(const uint8_t *cap, uint16_t id, size_t room)
{
	uint16_t flags = hf_get(cap + 2, 2);

	switch (id) {
	case PCI_CAP_ID_MSI:
		return msi_len(flags);
	case PCI_CAP_ID_EXP:
		return exp_len(flags);
	case PCI_CAP_ID_VNDR:
		return cap[2] < 3 ? 0 : cap[2];
	case PCI_CAP_ID_SATA:
		return (cap[4] & PCI_SATA_REGS_MASK) == PCI_SATA_REGS_INLINE
			       ? PCI_SATA_SIZEOF_LONG
			       : PCI_SATA_SIZEOF_SHORT;
	case PCI_CAP_ID_EA:
		return ea_len(cap, room);
	}
	return 0;
}

/* 7.9.1: the resource of each VC, then the arbitration table. */
static uint16_t vc_len(const uint8_t *cap)
{
	uint32_t cap1 = hf_get(cap + PCI_VC_PORT_CAP1, 4), cap2 = hf_get(cap + PCI_VC_PORT_CAP2, 4);
	uint16_t len =
		PCI_CAP_VC_BASE_SIZEOF + (1 + (cap1 & PCI_VC_CAP1_EVCC)) * PCI_CAP_VC_PER_VC_SIZEOF;
	uint16_t phases = cap2 & PCI_VC_CAP2_128_PHASE	? 128
			  : cap2 & PCI_VC_CAP2_64_PHASE ? 64
			  : cap2 & PCI_VC_CAP2_32_PHASE ? 32
							: 0;

	/* Four bits a phase, from the next multiple of 16 on. */
	return phases ? (len + 15) / 16 * 16 + phases / 2 : len;
}

static uint16_t tph_len(const uint8_t *cap)
{
	uint32_t v = hf_get(cap + PCI_TPH_CAP, 4);

	if ((v & PCI_TPH_CAP_LOC_MASK) != PCI_TPH_LOC_CAP)
		return PCI_TPH_BASE_SIZEOF;
	return (PCI_TPH_BASE_SIZEOF +
		(((v & PCI_TPH_CAP_ST_MASK) >> PCI_TPH_CAP_ST_SHIFT) + 1) * 2 + 3) &
	       ~3;
}

#define IDE_CAP_LINK	  0x00000001
#define IDE_CAP_SELECTIVE 0x00000002
#define IDE_BLOCKS	  0x0c /* behind Control */

/*
 * Section 7.9.26: for each traffic class a link stream of 8 bytes, then the selective streams,
 * which have 20 bytes and 12 for each address association.
 */
static uint16_t ide_len(const uint8_t *cap, size_t room)
{
	uint32_t v = hf_get(cap + 4, 4);
	unsigned int selective = v & IDE_CAP_SELECTIVE ? (v >> 16 & 0xff) + 1 : 0;
	uint16_t len = IDE_BLOCKS + (v & IDE_CAP_LINK ? 8 * ((v >> 13 & 7) + 1) : 0);

	for (; selective && len + 4u <= room; selective--)
		len += 20 + 12 * (cap[len] & 0xf);
	return selective ? DOES_NOT_FIT : len;
}

/* Registers, then a byte for each lane. */
static uint16_t lanes_len(uint16_t registers, uint16_t lanes)
{
	return (registers + lanes + 3) & ~3;
}

static uint16_t ext_len(const uint8_t *cap, uint16_t id, uint16_t lanes, size_t room)
{
	switch (id) {
	case PCI_EXT_CAP_ID_VC:
	case PCI_EXT_CAP_ID_VC9:
		return vc_len(cap);
	case PCI_EXT_CAP_ID_VNDR:
	case PCI_EXT_CAP_ID_DVSEC: {
		uint16_t len = hf_get(cap + 4, 4) >> 20;

		return len < (id == PCI_EXT_CAP_ID_VNDR ? 8 : 10) ? 0 : len;
	}
	case PCI_EXT_CAP_ID_REBAR:
	case HF_EXT_CAP_VF_REBAR:
		return 4 + 8 * hf_rebar_entries(cap);
	case PCI_EXT_CAP_ID_DPA:
		return (PCI_DPA_BASE_SIZEOF + (hf_get(cap + 4, 4) & PCI_DPA_CAP_SUBSTATE_MASK) + 1 +
			3) &
		       ~3;
	case PCI_EXT_CAP_ID_TPH:
		return tph_len(cap);
	case PCI_EXT_CAP_ID_SECPCI:
		return lanes_len(0x0c, 2 * lanes);
	case PCI_EXT_CAP_ID_PL_16GT:
	case HF_EXT_CAP_PL_32GT:
	case HF_EXT_CAP_PL_64GT:
		return lanes_len(PCI_PL_16GT_LE_CTRL, lanes);
	case HF_EXT_CAP_LMR:
		return lanes_len(8, 4 * lanes);
	case HF_EXT_CAP_IDE:
		return ide_len(cap, room);
	}
	return 0;
}

uint16_t hf_cap_len(const struct hf_capdef *def, const uint8_t *cfg, size_t size, uint16_t pos,
		    uint16_t exp)
{
	size_t end = def->ext ? size : PCI_CFG_SPACE_SIZE;
	uint16_t lanes = exp ? (hf_get(cfg + exp + PCI_EXP_LNKCAP, 4) & PCI_EXP_LNKCAP_MLW) >> 4
			     : 1;
	uint16_t len = def->len;

	/* What a length is read from has to be there. */
	if (pos + (def->ext ? 12u : 8u) > end)
		return pos + len <= end ? len : 0;
	if (!len)
		len = def->ext ? ext_len(cfg + pos, def->id, lanes, end - pos)
			       : std_len(cfg + pos, def->id, end - pos);
	return pos + len <= end ? len : 0;
}
