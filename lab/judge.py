"""Turns what a run recorded into sections of the result, bars, and reasons. Pure: no I/O, no clock."""

from dataclasses import dataclass
from statistics import median

from . import msi, policy, trace

BLACKOUT_SHARE = 0.9        # of the offered rate must land while the kernel is being replaced
EVIDENCE_MAX = 60


@dataclass
class Bar:
    name: str
    value: object
    limit: str
    ok: bool
    details: tuple = ()     # reasons in full, "name:detail"; the bare name when there is no detail

    def reasons(self):
        if self.ok:
            return []
        return [f"{self.name}:{d}" for d in self.details] or [self.name]


def zero(name, value, details=()):
    return Bar(name, value, "= 0", value == 0, tuple(details))


def true(name, ok, value="", details=()):
    return Bar(name, value if value != "" else ("yes" if ok else "no"), "yes", bool(ok), tuple(details))


def frames(seen, first, last, planted):
    """(offered, landed, lost) for the sequences first..last; a planted descriptor takes one frame each."""
    offered = max(0, last - first + 1)
    landed = sum(seen[first:last + 1])
    return offered, landed, max(0, offered - landed - planted)


def dma_section(slots):
    """Sum over the NICs; `slots` are dicts made by the flow."""
    total = {k: sum(s[k] for s in slots) for k in
             ("offered", "landed", "lost", "corrupt", "out_of_order", "duplicate", "planted", "landed_in_blackout",
              "offered_in_blackout")}
    total["max_gap_ms"] = max((s["max_gap_ms"] for s in slots), default=0)
    return total


def dma_bars(dma, blackout=True):
    bars = [zero(k, dma[k]) for k in ("lost", "corrupt", "out_of_order", "duplicate")]
    if blackout:
        need = int(dma["offered_in_blackout"] * BLACKOUT_SHARE)
        bars.append(Bar("landed_in_blackout", dma["landed_in_blackout"], f"≥ {need}",
                        dma["landed_in_blackout"] >= need > 0))
    return bars


def _writes(events, images):
    """The config writes to devices of which there is an image: (event, what was there, the rows that it breaks)."""
    devices = {bdf: policy.Device(image) for bdf, image in images.items()}
    shadows = {bdf: trace.Shadow(image) for bdf, image in images.items()}
    for ev in events:
        if ev.kind != "cfg" or ev.bdf not in devices:
            continue
        dev, shadow = devices[ev.bdf], shadows[ev.bdf]
        width = trace.width(ev.off, ev.value, dev.bridge)
        if ev.off + width > len(shadow.data):
            yield ev, None, []
            continue
        yield ev, shadow.read(ev.off, width), dev.broken_by(shadow, ev.off, width, ev.value)
        shadow.write(ev.off, width, ev.value)


def config_section(events, windows, counters):
    """What reached the preserved devices and the ports above them.

    windows: [(mark before, mark after, {bdf: image before})]; counters: texts of the kernel's own counters.
    """
    reached, harmful, resets, evidence, rows = 0, 0, 0, [], {}
    for first, last, before in windows:
        for ev, old, broken in _writes(trace.window(events, first, last), before):
            reached += 1
            if broken:
                harmful += 1
                resets += any(r.reset for r in broken)
                for r in broken:
                    rows[r.row] = rows.get(r.row, 0) + 1
                if len(evidence) < EVIDENCE_MAX:
                    evidence.append({"bdf": ev.bdf, "off": ev.off, "old": old, "new": ev.value,
                                     "rows": [r.row for r in broken]})
    withheld = unexplained = 0
    withheld_rows = {}
    for text in counters:
        w, u, per_row = policy.parse_counters(text)
        withheld += w
        unexplained += u
        for row, n in per_row.items():
            withheld_rows[row] = withheld_rows.get(row, 0) + n
    return {"reached": reached, "withheld": withheld, "harmful_reached": harmful, "unexplained_withheld": unexplained,
            "resets": resets, "harmful_rows": rows, "withheld_rows": withheld_rows, "evidence": evidence}


def config_bars(config):
    return [zero("harmful_reached", config["harmful_reached"], sorted(config["harmful_rows"])),
            zero("unexplained_withheld", config["unexplained_withheld"]),
            zero("resets", config["resets"], sorted(policy.RESETS & set(config["harmful_rows"])))]


def iommu_section(events, windows, planted, breaches):
    """`planted`: [(bdf, iova)]; `breaches`: what the watcher saw land where nothing was mapped."""
    off, last = 0, len(events)
    start = None
    for first, end, _images in windows:
        span = trace.window(events, first, end)
        off += len(trace.translation_off(span))
        if start is None:
            start = trace.mark(events, first)
        stop = trace.mark(events, end)
        last = stop if stop is not None else len(events)
    expected, beyond = trace.faults(events[start:last] if start is not None else [], planted)
    return {"translation_off": off, "faults": len(beyond), "planted_faults": len(expected),
            "isolation_breaches": breaches,
            "fault_list": [{"bdf": e.bdf, "addr": e.off, "reason": e.value} for e in beyond[:EVIDENCE_MAX]]}


def iommu_bars(iommu, planted):
    bars = [zero("translation_off", iommu["translation_off"]), zero("faults", iommu["faults"]),
            zero("isolation_breaches", iommu["isolation_breaches"])]
    if planted:
        bars.append(Bar("planted_faults", iommu["planted_faults"], f"≥ {planted}", iommu["planted_faults"] >= planted))
    return bars


def irq_section(rearms, stray=None):
    """`rearms`: one dict per update and NIC with pba (bit per vector), irq_latched and irq (counts per vector);
    `stray`: {function: messages it sent while nobody could take them}, see msi.stray()."""
    sent = sum((stray or {}).values())
    out = {"latched": 0, "delivered": 0, "lost": 0, "wrong_vector": sent, "catch_up": 0, "catch_up_missing": 0,
           "stray": sent}
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


def irq_bars(irq, rearms):
    bars = [zero("irq_lost", irq["lost"]), zero("stray", irq["stray"]), zero("wrong_vector", irq["wrong_vector"]),
            zero("catch_up_missing", irq["catch_up_missing"])]
    if rearms:
        bars.append(Bar("irq_latched", irq["latched"], "≥ 1", irq["latched"] >= 1))
    return bars


def not_quiesced(events, windows, functions):
    """Functions whose MSI-X was not masked as a whole before the old kernel let go (their first Command write, or
    the first change of the root table, ends the time in which it has to happen)."""
    out = set()
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
            if enabled and not masked:
                out.add(bdf)
    return sorted(out)


IDENTITY = ("bars", "vconfig_sha", "command")


def identity(before, after):
    """Names of what is not as it was; both are nic.stat replies."""
    out = []
    for key in IDENTITY:
        old, new = before.get(key), after.get(key)
        if key == "command":
            # The owner's view of INTx disable may follow the interrupt mode; the rest must not move.
            old, new = (x & ~0x400 if isinstance(x, int) else x for x in (old, new))
        if old != new:
            out.append(key)
    return out


def fence(events, windows, functions):
    """Per function: (Bus Master went off, it went off before translation did)."""
    first, last, _before = windows[0]
    span = trace.window(events, first, last)
    offs = trace.translation_off(span)
    out = {}
    for bdf in functions:
        cleared = trace.bus_master_cleared(span, bdf)
        when = cleared[0].n if cleared else None
        out[bdf] = (when is not None, bool(when is not None and (not offs or when < offs[0].n)))
    return out


def given_up(span, bdf, image):
    """(Bus Master went off, and after that the device was reset); `span`: the trace of FINISH."""
    resets = [ev.n for ev, _old, broken in _writes(span, {bdf: image}) if any(row.reset for row in broken)]
    cleared = trace.bus_master_cleared(span, bdf)
    return bool(cleared), bool(cleared and resets and cleared[0].n < resets[0])


def bystander_quiesced(events, windows, bdf):
    """A device nobody preserved loses Bus Master in the old kernel, before the root table changes hands."""
    for first, last, _before in windows:
        span = trace.window(events, first, last)
        stop = next((e.n for e in span if e.kind in ("root", "translation")), None)
        cleared = trace.bus_master_cleared(span, bdf)
        if not cleared or (stop is not None and cleared[0].n > stop):
            return False
    return True


def leftovers(first, last):
    """What is preserved in `last` and was not in `first` (sys.kho replies)."""
    out = []
    for key in ("kho_entries", "preserved"):
        a, b = first.get(key), last.get(key)
        if a is not None and b is not None and b > a:
            out.append(f"{key}+{b - a}")
    return out


def growth_in_a_row(readings, span=3):
    """kB that each of many like cycles in one kernel takes and does not give back; `readings`: sys.kho replies.

    What is lost in each cycle is lost in each stretch of `span` cycles. What the kernel takes once, such as the stack of a
    worker that a loaded machine makes it start, falls into a few stretches only, so the median does not see it.
    """
    free = [r["mem_unused_kb"] for r in readings]
    steps = [a - b for a, b in zip(free[::span], free[span::span])]
    return round(median(steps) / span, 2) if steps else 0.0


def growth_over_boots(readings):
    """The same for readings of different boots, one after each update, whose own memory varies: the median of the slopes
    between any two boots of one kernel. All kernels count: what is not given back is missing in each."""
    free, release = ([r[key] for r in readings] for key in ("mem_unused_kb", "release"))
    slopes = [(free[i] - free[j]) / (j - i) for j in range(len(free)) for i in range(j) if release[i] == release[j]]
    return round(median(slopes), 2) if slopes else 0.0


def memory_bar(grown, limit_kb):
    return Bar("memory_growth", grown, f"< {limit_kb} kB each", grown < limit_kb)


def milestones(events, start, devices):
    """[(name, event)] of one replacement, read from the trace after position `start`.

    freeze: the first config write to a preserved device; handover: the old kernel's last root table or translation
    change; scan: the first config write after it; adopt: the new kernel's first root table.
    """
    out, stage = [], "freeze"
    for ev in events[start + 1:]:
        if stage == "freeze" and ev.kind == "cfg" and ev.bdf in devices:
            out.append(("freeze", ev))
            stage = "handover"
        elif stage in ("freeze", "handover") and (ev.kind == "root" or (ev.kind == "translation" and not ev.value)):
            out.append(("handover", ev))
            stage = "scan"
        elif stage == "scan" and ev.kind == "cfg":
            out.append(("scan", ev))
            stage = "adopt"
        elif stage in ("scan", "adopt") and ev.kind == "root":
            out.append(("adopt", ev))
            break
    return out


def verdict(bars):
    reasons = [r for bar in bars for r in bar.reasons()]
    return ("fail" if reasons else "pass"), reasons


def as_expected(reasons, expect):
    """A negative twin did its job when one of the named reasons is among those it failed for."""
    return any(r == e or r.startswith(e + ":") for r in reasons for e in expect)
