"""What a run has to show: the sections of its result, and the checks that it is held to."""

from . import judge
from .judge import msi
from .observe import watch, wire


def empty_sections():
    """The sections a result always has, with nothing seen yet."""
    return {"dma": judge.dma_section([]), "config": judge.config_section([], [], []),
            "iommu": judge.iommu_section([], [], [], None), "irq": judge.irq_section([])}


class Findings:
    """What a run has to show so far; a run that fails half-way is judged on the same findings."""

    def __init__(self):
        self.sections = empty_sections()
        self.checks = []
        self.series = []
        self.cases = []
        self.closed = False
        self.ring_used_up = False


def close(run, findings):
    """Stops the traffic and fills the sections; safe to call on a run that broke off."""
    if findings.closed:
        return
    findings.closed = True
    if run.senders:
        run.finish_traffic()
    breaches = run.breaches()
    drops = [wire.socket_drops(n.port) for n in run.machine.nics] if run.machine else []
    if run.machine and run.machine.alive():
        run.save_klog()
    findings.ring_used_up = any(s.next >= s.descs for s in run.watcher.slots.values()) if run.watcher else False
    slots = [slot_section(run, number) for number, s in run.slots.items() if "last" in s and "first" in s]
    if slots:
        findings.sections["dma"] = judge.dma_section(slots)
        findings.sections["dma"]["host_socket_drops"] = sum(d or 0 for d in drops)
        findings.sections["dma"]["sender_max_late_us"] = max((s["late"] for s in slots), default=0)
        times = sorted(t for n in run.slots for t in run.watcher.slots[n].times)
        findings.series = watch.series(times, run.t0)
    events, functions = run.trace(), [s["bdf"] for s in run.slots.values()]
    findings.sections["config"] = judge.config_section(events, run.windows, run.counters)
    findings.sections["iommu"] = judge.iommu_section(events, run.windows, run.planted, breaches)
    findings.sections["irq"] = judge.irq_section(run.rearms, msi.stray(events, run.windows, functions))


def slot_section(run, number):
    slot, seen = run.slots[number], run.watcher.slots[number]
    sender = run.senders[number]
    first, last = slot.get("first", 0), slot["last"]
    planted = seen.planted_done
    offered, landed, lost = judge.frames(seen.seen, first, last, planted)
    in_blackout = offered_in = 0
    for up in run.updates:
        end = up.t_retrieved[number]
        in_blackout += sum(1 for t, _s in seen.times if up.t_exec <= t <= end)
        offered_in += sender.sent_between(up.t_exec, end)
    gap = watch.max_gap_ms(seen.times, slot.get("t_first", run.t0), max((t for t, _s in seen.times), default=run.t0))
    return {"offered": offered, "landed": landed, "lost": lost, "corrupt": seen.corrupt + seen.foreign,
            "out_of_order": seen.out_of_order, "duplicate": seen.duplicate, "planted": planted,
            "landed_in_blackout": in_blackout, "offered_in_blackout": offered_in, "max_gap_ms": max(gap, 0),
            "late": sender.max_late_us.value}


def data_checks(run, findings, blackout):
    return judge.dma_checks(findings.sections["dma"], blackout) + [watched(run)]


def corrupt_checks(run, findings):
    """Of a device that may stop: what landed before it did is whole."""
    dma = findings.sections["dma"]
    return judge.seen(frames_landed=dma["landed"]) + [judge.zero("corrupt", dma["corrupt"]), watched(run)]


def watched(run):
    return judge.true("watched", not run.watched(), run.watched() or "yes")


def bystander_checks(run):
    """The NIC that nobody preserves works before and after, and is stopped in between."""
    return judge.bystander_checks(run.net) + [
        judge.true("bystander_quiesced", judge.bystander_quiesced(run.trace(), run.windows, run.machine.bystander.bdf))]
