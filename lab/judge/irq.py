"""Interrupts: masked in time, latched, delivered, and none in between."""

from ..errors import NotSeen
from ..observe import trace
from . import msi, policy
from .checks import Check, seen, zero


def irq_section(rearms, stray=None):
    """`rearms`: one dict per update and NIC with pba (bit per vector), irq_latched and irq (counts per vector);
    `stray`: {function: messages it sent while nobody could take them, None: not seen}, see msi.stray()."""
    stray = stray or {}
    sent = sum(n for n in stray.values() if n)
    out = {"latched": 0, "delivered": 0, "lost": 0, "wrong_vector": sent, "catch_up": 0, "catch_up_missing": 0,
           "stray": sent, "messages_watched": sum(n is not None for n in stray.values()),
           "messages_unseen": sum(n is None for n in stray.values()), "rearms": sum(bool(r["irq"]) for r in rearms)}
    for r in rearms:
        before, after = r["irq_latched"], r["irq"]
        for vector, count in enumerate(before):
            latched = r["pba"] >> vector & 1
            out["latched"] += latched
            out["delivered"] += count if latched else 0
            out["lost"] += 1 if latched and not count else 0
            out["wrong_vector"] += count if not latched else 0
        for vector, count in enumerate(after):
            extra = count - (before[vector] if vector < len(before) else 0)
            out["catch_up"] += extra
            out["catch_up_missing"] += 1 if extra < 1 else 0
    return out


def stray_checks(irq):
    return seen(messages_of_every_device=irq["messages_watched"] and not irq["messages_unseen"]) + [zero("stray", irq["stray"])]


def irq_checks(irq):
    return seen(rearms=irq["rearms"]) + [
        zero("irq_lost", irq["lost"]), *stray_checks(irq), zero("wrong_vector", irq["wrong_vector"]),
        zero("catch_up_missing", irq["catch_up_missing"]), Check("irq_latched", irq["latched"], "≥ 1", irq["latched"] >= 1)]


def not_quiesced(events, windows, functions):
    """Functions whose MSI-X was not masked as a whole before the old kernel let go (their first Command write, or
    the first change of the root table, ends the time in which it has to happen)."""
    out, looked = set(), 0
    for first, last, before in windows:
        for bdf in functions:
            off = msi.control_of(before[bdf])
            if off is None:
                continue
            enabled = int.from_bytes(before[bdf][off:off + 2], "little") & msi.ENABLE
            masked = False
            for ev in trace.window(events, first, last):
                if ev.kind == "root" or (ev.kind == "cfg" and ev.bdf == bdf and ev.off == 4):
                    break
                if ev.kind == "cfg" and ev.bdf == bdf and ev.off == off and \
                        ev.value & (msi.ENABLE | msi.MASK_ALL) == msi.ENABLE | msi.MASK_ALL:
                    masked = True
                    break
            looked += bool(enabled)
            if enabled and not masked:
                out.add(bdf)
    if not looked:
        raise NotSeen("vectors in use")
    return sorted(out)


def _back(events, window, bdf, until, comes_back):
    """Config writes to the function after the handover, up to the mark `until`, that let it interrupt somebody again."""
    span = trace.window(events, window[0], until)
    begin = next((ev.n for ev in span if msi.is_handover(ev)), None)
    if begin is None:
        raise NotSeen("the handover")
    return [ev for ev in span if ev.n > begin and ev.kind == "cfg" and ev.bdf == bdf and comes_back(ev)]


def intx_back(events, window, bdf, until):
    """Writes that let the function assert its line again before its new owner asked for it, which is the mark `until`."""
    return [f"{bdf} Command {ev.value:04x}" for ev in
            _back(events, window, bdf, until, lambda ev: ev.off == 4 and not ev.value & 0x400)]


def msi_back(events, window, bdf, until):
    """The same for MSI that cannot be masked."""
    cap = policy.capabilities(window[2][bdf]).get(("cap", policy.MSI))
    if cap is None:
        raise NotSeen(f"MSI of {bdf}")
    return [f"{bdf} MSI control {ev.value:04x}" for ev in
            _back(events, window, bdf, until, lambda ev: ev.off == cap + 2 and ev.value & 1)]
