"""The update of a host whose guest writes to where interrupt requests go, all the time (judge/interrupts.py)."""

import time

from .. import judge
from ..findings import bystander_checks, close
from ..judge import interrupts
from .fence import fence
from .steps import begin, take

EACH_S = 1.0            # of traffic in a phase that the flow can stretch


def aim(run):
    """Points every second descriptor at the interrupt range; call it before there is traffic."""
    for number in run.slots:
        run.call("nic.aim", slot=number, first=interrupts.FIRST, step=interrupts.STEP, addrs=interrupts.addresses(), timeout=30)
        run.watcher.slots[number].planted = set(range(interrupts.FIRST, run.descs, interrupts.STEP))
    run.other_frame = interrupts.frame
    run.note("planted")


def count_from_the_first(run):
    """Every frame counts, the first too: a frame is aimed by its number, so nothing may be missing before it."""
    for slot in run.slots.values():
        slot["first"] = 0


def seen(run):
    """What the trace shows of the one update, as far as it got."""
    at = {e["event"]: run.wall0 + run.t0 + e["t_ms"] / 1000 for e in run.timeline}
    end = time.time()
    phases = interrupts.boundaries(run.trace(), at.get("FREEZE", end), at.get("attached", end), at.get("FINISH", end))
    return interrupts.look(run.trace(), phases)


def checks(run, findings):
    """Of the interrupts, and that the device went on all the time."""
    found = seen(run)
    findings.sections["interrupts"] = interrupts.section(found)
    dma = findings.sections["dma"]
    device = dict(dma, offered_in_blackout=dma["offered_in_blackout"] // interrupts.STEP)       # the others were aimed
    return interrupts.checks(found) + [interrupts.on_check(found)] + judge.dma_checks(dma, blackout=False) + [judge.landed_check(device)] + \
        judge.breach_checks(findings.sections["iommu"])


def fence_checks(run, findings):
    """Until the device has stopped, remapping stays; what it asks for until then does not arrive."""
    found = seen(run)
    findings.sections["interrupts"] = interrupts.section(found)
    return interrupts.fence_checks(found, run.trace(), run.windows, [s["bdf"] for s in run.slots.values()])


def interrupts_flow(run, findings):
    """An update during which the device writes to where interrupt requests go."""
    begin(run)
    _aimed_traffic(run)
    try:
        run.let_flow(EACH_S)
        take(run, ["update"])
        run.mark()
    finally:            # also when the host did not survive it
        close(run, findings)
        findings.checks += checks(run, findings)
    findings.checks += judge.config_checks(findings.sections["config"], run.counters_wanted or 1)
    findings.checks += judge.identity_checks(run.compared, run.identity_issues) + bystander_checks(run)
    findings.checks += judge.log_checks(run.said())


def fence_interrupts_flow(run, findings):
    """The same with a kernel that does not remap interrupts: the device is stopped before it can send any."""
    begin(run)
    _aimed_traffic(run)
    try:
        run.let_flow(EACH_S)
        fence(run, findings)
    finally:
        close(run, findings)
        findings.checks += fence_checks(run, findings)


def _aimed_traffic(run):
    run.open_devices()
    aim(run)
    run.start_work()
    count_from_the_first(run)
