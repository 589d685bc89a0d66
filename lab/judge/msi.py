"""Interrupt messages in QEMU's trace: who sent them, and which came when nobody could take them.

A device's message reaches a vector through an entry of the interrupt-remapping table. From the handover of the old kernel on
there is nobody behind the old table, and the new table knows nothing of the old messages, so a message sent then
ends at a vector of a kernel that is gone, or at none. The trace shows each message (`vtd_ir_remap_msi_req`), the entry it found
(`vtd_ir_irte_get`, which names the only requester that entry is for) and whether it went through (`vtd_ir_remap`).
"""

from ..observe import trace
from . import policy

ENABLE, MASK_ALL = 0x8000, 0x4000


def control_of(image):
    """Offset of the MSI-X Message Control register, or None."""
    cap = policy.capabilities(image).get(("cap", policy.MSIX))
    return cap + 2 if cap is not None else None


def is_handover(ev):
    """The old kernel's last words to the IOMMU: another table of interrupts, another root table, or translation off."""
    return ev.kind in ("irtable", "root") or ev.kind == "gcmd" and bool(ev.extra["status"] & trace.TES) and not ev.value & trace.TES


def _span(events, first, last, bdf, control):
    """(begin, end): positions between which the device may not send anything, or None when they are not in the trace.

    From the write that masks all of its vectors, at the latest from the handover; to the write that unmasks them
    for the new owner (the guest's kernel puts new messages into the table before that).
    """
    begin = None
    for ev in trace.window(events, first, last):
        masks = ev.kind == "cfg" and ev.bdf == bdf and ev.off == control
        if begin is None:
            if is_handover(ev) or masks and ev.value & (ENABLE | MASK_ALL) == ENABLE | MASK_ALL:
                begin = ev.n
        elif masks and ev.value & (ENABLE | MASK_ALL) == ENABLE:
            return begin, ev.n
    if begin is None:
        return None
    return begin, trace.mark(events, last) if last is not None else len(events)


def _learnt(events, begin, bdf):
    """What the device's messages look like in this kernel: {(address, data)}, from its table's installation on."""
    out = set()
    for ev in reversed(events[:begin]):
        if ev.kind == "irtable":
            break
        if ev.kind == "msi" and ev.bdf == bdf:
            out.add((ev.off, ev.value))
    return out


def stray(events, windows, functions):
    """{function: messages it sent between handover and re-arm, or None where the lab could not have seen them}: it has to know
    that time in each window, and what the device's messages look like.

    Another device's message may look the same later, when the new kernel gives it the same entry; then that entry names
    the other device, and lets it through.
    """
    return {bdf: _stray_of(events, [w for w in windows if bdf in w[2]], bdf) for bdf in functions}


def _stray_of(events, windows, bdf):
    count = 0
    for first, last, before in windows:
        control = control_of(before[bdf])
        span = _span(events, first, last, bdf, control) if control is not None else None
        known = _learnt(events, span[0], bdf) if span else None
        if not known:
            return None
        count += sum(ev.kind == "msi" and (ev.bdf == bdf or not ev.extra["through"] and (ev.off, ev.value) in known)
                     for ev in events[span[0]:span[1]])
    return count if windows else None
