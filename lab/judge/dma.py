"""What became of the frames."""

from .checks import Check, seen, zero

BLACKOUT_SHARE = 0.9        # of the offered rate must land while the kernel is being replaced


def frames(seen_flags, first, last, planted):
    """(offered, landed, lost) for the sequences first..last; a planted descriptor takes one frame each."""
    offered = max(0, last - first + 1)
    landed = sum(seen_flags[first:last + 1])
    return offered, landed, max(0, offered - landed - planted)


def dma_section(slots):
    """Sum over the NICs; `slots` are dicts made by the flow."""
    total = {k: sum(s[k] for s in slots) for k in
             ("offered", "landed", "lost", "corrupt", "out_of_order", "duplicate", "planted", "landed_in_blackout",
              "offered_in_blackout")}
    total["max_gap_ms"] = max((s["max_gap_ms"] for s in slots), default=0)
    total["silent_nics"] = sum(1 for s in slots if not s["offered"] or not s["landed"]) if slots else 1
    return total


def landed_check(dma):
    need = int(dma["offered_in_blackout"] * BLACKOUT_SHARE)
    return Check("landed_in_blackout", dma["landed_in_blackout"], f"≥ {need}", dma["landed_in_blackout"] >= need > 0)


def dma_checks(dma, blackout=True):
    checks = seen(frames_offered=dma["offered"], frames_landed=dma["landed"], frames_of_every_nic=not dma.get("silent_nics"))
    checks += [zero(k, dma[k]) for k in ("lost", "corrupt", "out_of_order", "duplicate")]
    return checks + ([landed_check(dma)] if blackout else [])
