"""Everything but the data: the device is what it was, the others were left alone or stopped, nothing is left over."""

from statistics import median

from ..errors import NotSeen
from ..observe import trace
from .checks import Check, seen, zero

IDENTITY = ("bars", "vconfig_sha", "command")


def identity(before, after):
    """Names of what is not as it was; both are dev.stat replies."""
    out = []
    for key in IDENTITY:
        old, new = before.get(key), after.get(key)
        if old is None or new is None:
            out.append(f"{key} not seen")
            continue
        if key == "command":
            # The owner's view of INTx disable may follow the interrupt mode; the rest must not move.
            old, new = old & ~0x400, new & ~0x400
        if old != new:
            out.append(key)
    return out


def identity_checks(compared, issues):
    """`compared`: how often a device was compared with what it had been."""
    return seen(identity=compared) + [zero("identity", len(issues), issues)]


def bystander_checks(checks):
    """`checks`: what became of each look at the NIC that the kernel drives itself."""
    bad = [f"{n['when']}: {n['text']}" for n in checks if not n["ok"]]
    return seen(bystander=len(checks)) + [zero("bystander", len(bad), bad)]


def bystander_quiesced(events, windows, bdf):
    """A device nobody preserved loses Bus Master in the old kernel, before the root table changes hands."""
    if not windows:
        raise NotSeen("windows")
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
        a, b = first.get(key, -1), last.get(key, -1)
        if min(a, b) < 0:       # no debugfs, for one
            raise NotSeen(key)
        if b > a:
            out.append(f"{key}+{b - a}")
    return out


def growth_in_a_row(readings, span=3):
    """kB that each of many like cycles in one kernel takes and does not give back; `readings`: sys.kho replies. None when
    there are too few.

    What is lost in each cycle is lost in each stretch of `span` cycles. What the kernel takes once, such as the stack of a
    worker that a loaded machine makes it start, falls into a few stretches only, so the median does not see it.
    """
    free = [r["mem_unused_kb"] for r in readings]
    steps = [a - b for a, b in zip(free[::span], free[span::span])]
    return round(median(steps) / span, 2) if steps else None


def growth_over_boots(readings):
    """The same for readings of different boots, one after each update, whose own memory varies: the median of the slopes
    between any two boots of one kernel. All kernels count: what is not given back is missing in each."""
    free, release = ([r[key] for r in readings] for key in ("mem_unused_kb", "release"))
    slopes = [(free[i] - free[j]) / (j - i) for j in range(len(free)) for i in range(j) if release[i] == release[j]]
    return round(median(slopes), 2) if slopes else None


def memory_checks(grown, limit_kb):
    if grown is None:
        return seen(memory_readings=0)
    return [Check("memory_growth", grown, f"< {limit_kb} kB each", grown < limit_kb)]
