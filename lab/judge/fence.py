"""Devices that have to stop: at once, before anything else can go wrong, and for good until they were reset."""

from dataclasses import dataclass, field

from ..errors import NotSeen
from ..observe import trace
from . import policy
from .checks import every, seen, zero
from .config import writes

COMMAND, INTX_DISABLE = 4, 0x400
BRIDGE_CONTROL, BUS_RESET = 0x3E, 0x40
AF = 0x13


@dataclass
class Fence:
    """What became of one function."""
    off: int = None             # position of the write that took Bus Master away
    in_time: bool = False       # before translation went off
    intx_off: bool = False      # INTx Disable with it, or as the next word to the Command register
    reset: int = None           # position of the first reset after it: from there on it is a device like any other
    back: list = field(default_factory=list)        # what was written into Command that must not be there before a reset
    sent: int = 0               # messages before a reset
    asserted: int = 0           # times its line went up before a reset


def resets(ev, bdf, ports, caps):
    """Does this config write reset the function? What its own registers can be told to do (CTRL.RST, CC.EN) is no reset."""
    if ev.kind != "cfg":
        return False
    if ev.bdf == bdf:
        pcie, af = caps.get(("cap", policy.PCIE)), caps.get(("cap", AF))
        return pcie is not None and ev.off == pcie + 8 and bool(ev.value & 0x8000) or \
            af is not None and ev.off == af + 4 and bool(ev.value & 1)
    return ev.bdf in ports and ev.off == BRIDGE_CONTROL and bool(ev.value & BUS_RESET)


def command(ev, bdf, now):
    """The Command register after an event; `now`: before it."""
    if ev.kind != "cfg" or ev.bdf != bdf or ev.off not in (COMMAND, COMMAND + 1):
        return now
    return now & 0xFF | (ev.value & 0xFF) << 8 if ev.off != COMMAND else ev.value & 0xFFFF


def fence(events, window, bdf, ports=(), line=None):
    """What the trace of one window says of a function; `line`: the input of the IO-APIC that its INTx ends at."""
    first, last, before = window
    span = trace.window(events, first, last)
    image, out = before[bdf], Fence()
    caps, now = policy.capabilities(image), int.from_bytes(image[COMMAND:COMMAND + 2], "little")
    offs = trace.translation_off(span)
    for ev in span:
        then, now = now, command(ev, bdf, now)
        touched = ev.kind == "cfg" and ev.bdf == bdf and ev.off in (COMMAND, COMMAND + 1)
        if out.off is None:
            if touched and not now & trace.BUS_MASTER:
                out.off = ev.n
                out.in_time = not offs or ev.n < offs[0].n
                out.intx_off = bool(now & INTX_DISABLE)
            continue
        if resets(ev, bdf, ports, caps):
            out.reset = ev.n
            break
        if touched and now & trace.BUS_MASTER:
            out.back.append(f"Command {then:04x}→{now:04x}: Bus Master on")
        if touched and now & INTX_DISABLE and not out.back:
            out.intx_off = True
        elif touched and then & INTX_DISABLE and not now & INTX_DISABLE:
            out.back.append(f"Command {then:04x}→{now:04x}: INTx on")
        out.sent += ev.kind == "msi" and ev.bdf == bdf
        out.asserted += ev.kind == "line" and ev.off == line and bool(ev.value)
    return out


def fence_checks(events, windows, functions):
    """`functions`: {address: (ports above it, line)}. The windows are of one update."""
    if not windows:
        raise NotSeen("windows")
    found = {bdf: fence(events, windows[0], bdf, *where) for bdf, where in functions.items()}
    back = [f"{bdf} {text}" for bdf, f in found.items() for text in f.back]
    return seen(lines=any(ev.kind == "line" for ev in events)) + [
        every("fenced", {bdf: f.off is not None for bdf, f in found.items()}),
        every("fence_before_translation_off", {bdf: f.in_time for bdf, f in found.items()}),
        every("intx_disabled", {bdf: f.intx_off for bdf, f in found.items()}),
        zero("comebacks", len(back), back),
        zero("fenced_sends", sum(f.sent for f in found.values()), [bdf for bdf, f in found.items() if f.sent]),
        zero("fenced_asserts", sum(f.asserted for f in found.values()), [bdf for bdf, f in found.items() if f.asserted])]


def given_up(span, bdf, image):
    """(Bus Master went off, and after that the device was reset); `span`: the trace of FINISH."""
    done = [ev.n for ev, _old, broken in writes(span, {bdf: image}) if any(row.reset for row in broken)]
    cleared = trace.bus_master_cleared(span, bdf)
    return bool(cleared), bool(cleared and done and cleared[0].n < done[0])
