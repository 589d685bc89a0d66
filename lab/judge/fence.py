"""Devices that have to stop: at once, before anything else can go wrong, and for good until they were reset."""

from .. import trace
from ..errors import NotSeen
from .checks import every
from .config import writes


def fence(events, windows, functions):
    """Per function: (Bus Master went off, it went off before translation did)."""
    if not windows:
        raise NotSeen("windows")
    first, last, _before = windows[0]
    span = trace.window(events, first, last)
    offs = trace.translation_off(span)
    out = {}
    for bdf in functions:
        cleared = trace.bus_master_cleared(span, bdf)
        when = cleared[0].n if cleared else None
        out[bdf] = (when is not None, bool(when is not None and (not offs or when < offs[0].n)))
    return out


def fence_bars(events, windows, functions):
    state = fence(events, windows, functions)
    return [every("fenced", {bdf: off for bdf, (off, _first) in state.items()}),
            every("fence_before_translation_off", {bdf: first for bdf, (_off, first) in state.items()})]


def given_up(span, bdf, image):
    """(Bus Master went off, and after that the device was reset); `span`: the trace of FINISH."""
    resets = [ev.n for ev, _old, broken in writes(span, {bdf: image}) if any(row.reset for row in broken)]
    cleared = trace.bus_master_cleared(span, bdf)
    return bool(cleared), bool(cleared and resets and cleared[0].n < resets[0])
