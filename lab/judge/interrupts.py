"""DMA to where interrupt requests go: what is planted there, and what became of it.

A write to 0xfeexxxxx is no DMA: the remapping unit takes it for an interrupt request, whoever sends it. A guest chooses the
address (it posts the receive buffer) and any peer the data (it sends the frame). QEMU cuts the write into pieces of four bytes, so
that each dword of a frame is one request. Where bit 4 of the address is 1 it is in remappable format: it names an entry of the table, and finds
none that is valid. If remapping is off, it is an interrupt all the same: with the vector and delivery mode of its data, for the destination in its address.

What QEMU (10.0) leaves out, and how it is made up for:

- Requests in compatibility format, bit 4 is 0, pass whatever the unit says. Their data is made a delivery mode that does not exist, and
  that the unit was told to block them is read from the writes to its command register.
- igb's requests carry no requester ID, so that a request that happens to name an entry of a running kernel goes through; on hardware
  the source ID of the entry stops it. That is counted, and not held against anyone, unless nobody serves the table.

Pure: no I/O, no clock.
"""

import struct
from dataclasses import dataclass, field

from ..observe import trace
from .checks import Check, every, true, zero

BASE = 0xFEE00000
REMAPPABLE = 1 << 4
TAG, FILLER = 0x4846, 0x4847            # upper half of the data, which no APIC looks at
RESERVED_MODE = 3
FIRST, STEP = 101, 2    # every second descriptor from here on: between two requests the device does its work
DESTS = (0x00, 0x01, 0xFF, 0x03)        # each CPU, all of them, and a logical destination
MODES = {0: "fixed", 1: "lowest priority", 2: "SMI", 4: "NMI", 5: "INIT", 7: "ExtINT"}
VECTORS = {0: 0x31, 1: 0x51}            # the other modes have none
LOWS = range(0, 32 * 64, 64)            # bits 11:5 are part of an entry's number: a frame asks for two, and these 32,768 higher
DWORDS = 16
IRES, CFIS = 1 << 25, 1 << 23           # of the global command and status registers alike
PHASES = ("running", "frozen", "jump", "scan", "adopted", "attached", "finished")


def addresses():
    """Where the frames of aimed descriptors go, one after the other and round and round."""
    return [BASE | dest << 12 | low for low in LOWS for dest in DESTS]


def is_aimed(seq):
    return seq >= FIRST and (seq - FIRST) % STEP == 0


def frame(seq):
    """The frame for an aimed descriptor: the data of eight interrupt messages, all delivery modes in turn."""
    if not is_aimed(seq):
        return None
    modes = list(MODES)
    turn = (seq - FIRST) // STEP
    out = b""
    for i in range(DWORDS):
        word = FILLER << 16 | RESERVED_MODE << 8
        if 4 * i & REMAPPABLE:
            mode = modes[turn % len(modes)]
            word = TAG << 16 | mode << 8 | VECTORS.get(mode, 0)
            turn += 1
        out += struct.pack("<I", word)
    return out


@dataclass
class Request:
    phase: str
    dest: int
    mode: int
    through: bool       # it found an entry
    arrived: bool       # it left the unit as an interrupt


@dataclass
class Seen:
    """What the trace shows of one update."""
    requests: list = field(default_factory=list)
    off: list = field(default_factory=list)         # phases in which remapping was switched off
    compatible: list = field(default_factory=list)  # phases in which compatibility format was let through
    handed_over: bool = False                       # the old kernel gave the unit another table before the jump
    deliveries: int = 0                             # messages that came to an APIC, whoever sent them
    special: list = field(default_factory=list)     # those of another mode than fixed and lowest priority


def boundaries(events, t_exec, t_attached, t_finished):
    """[(phase, position of its first event)]; the times are those of the trace."""
    def at(t):
        return next((e.n for e in events if e.t >= t), len(events))

    frozen = at(t_exec)
    handover = next((e.n for e in events[frozen:] if e.kind == "root" or e.kind == "gcmd" and
                     e.extra["status"] & trace.TES and not e.value & trace.TES), len(events))
    table = next((e.n for e in events[handover:] if e.kind == "irtable"), len(events))
    adopt = next((e.n for e in events[table:] if e.kind == "root"), len(events))
    marks = [0, frozen, handover, table, adopt, max(adopt, at(t_attached)), max(adopt, at(t_finished))]
    return list(zip(PHASES, marks))


def look(events, phases):
    """Seen, of the trace of one update; `phases`: from boundaries()."""
    seen = Seen()
    starts = [n for _name, n in phases]
    frozen, jump = starts[1], starts[2]
    seen.handed_over = any(e.kind == "irtable" for e in events[frozen:jump])
    index = 0
    for ev in events:
        while index + 1 < len(starts) and ev.n >= starts[index + 1]:
            index += 1
        phase = phases[index][0]
        if ev.kind == "msi" and ev.value >> 16 == TAG:
            seen.requests.append(Request(phase, ev.off >> 12 & 0xFF, ev.value >> 8 & 7, ev.extra["through"],
                                         ev.extra.get("arrived", False)))
        elif ev.kind == "apic":
            seen.deliveries += 1
            if ev.extra["mode"] not in (0, 1, RESERVED_MODE):
                seen.special.append((phase, ev.extra["mode"], ev.extra["dest"]))
        elif ev.kind == "gcmd" and ev.extra["status"] & IRES:
            seen.off += [phase] if not ev.value & IRES else []
            seen.compatible += [phase] if (ev.value | ev.extra["status"]) & CFIS else []
    return seen


def _injected(r):
    """Remapping was off."""
    return r.arrived and not r.through


def _stale(r):
    """It found an entry of a kernel that is gone."""
    return r.arrived and r.through and r.phase == "jump"


def section(seen):
    """For the result."""
    per = {}
    for r in seen.requests:
        row = per.setdefault(r.phase, {"requests": 0, "blocked": 0, "injected": 0, "own_entry": 0})
        row["requests"] += 1
        row["blocked"] += not r.arrived
        row["injected"] += _injected(r) or _stale(r)
        row["own_entry"] += r.arrived and r.through and not _stale(r)
    return {"phases": per, "remapping_off": seen.off, "deliveries": seen.deliveries}


def _names(found):
    return sorted({f"{phase}: {MODES.get(mode, mode)} to {dest:#04x}" for phase, mode, dest in found})


def checks(seen, phases=PHASES):
    unasked = []
    for phase in phases:
        asked = {(r.dest, r.mode) for r in seen.requests if r.phase == phase}
        missing = [(phase, mode, dest) for dest in DESTS for mode in MODES if (dest, mode) not in asked]
        unasked += [phase] if not asked else _names(missing)
    injected = [(r.phase, r.mode, r.dest) for r in seen.requests if _injected(r)]
    stale = [r for r in seen.requests if _stale(r)]
    special = _names(seen.special)
    return [
        zero("not_asked", len(unasked), unasked),
        zero("compatibility_format", len(seen.compatible), sorted(set(seen.compatible))),
        zero("injected", len(injected), _names(injected)),
        zero("stale_entry", len(stale)),
        true("table_handed_over", seen.handed_over),
        Check("apic_deliveries", seen.deliveries, "> 0", seen.deliveries > 0),
        zero("apic_special", len(special), special),
    ]


def on_check(seen):
    """Remapping is never off."""
    return zero("remapping_off", len(seen.off), sorted(set(seen.off)))


def fence_checks(seen, events, windows, functions):
    """Remapping may go off once none of the functions has Bus Master."""
    span = trace.window(events, *windows[0][:2]) if windows else []
    off = next((e.n for e in span if e.kind == "gcmd" and e.extra["status"] & IRES and not e.value & IRES), len(events))
    first = {bdf: any(e.n < off for e in trace.bus_master_cleared(span, bdf)) for bdf in functions}
    return checks(seen, ("running", "frozen", "jump")) + [every("fence_before_remapping_off", first)]
