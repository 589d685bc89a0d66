"""Devices that cannot go on: the new kernel cannot keep them, or nobody wants them back."""

import time

from .. import judge
from ..findings import bystander_checks, close, stopped_checks
from ..observe import trace
from ..run import call_back, where_fenced
from .steps import SETTLE_S, begin, updated, usable


def fence_flow(run, findings):
    begin(run)
    run.open_devices()
    run.start_work()
    fence(run, findings)


def fence(run, findings):
    """PREPARE … userspace of a kernel that cannot go on with the devices."""
    run.prepare()
    run.load(0)
    images = run.dumps()
    run.before_jump()
    run.open_window(images)
    t_exec, boot = run.kexec()
    updated(run, t_exec, boot["_at"])
    for slot in run.slots.values():
        call_back(run, slot["bdf"])
    run.check_bystander("after")
    run.mark()
    ports = {port for s in run.slots.values() for port in s["ports"]}
    let_go = {port: _let_go(run, port) for port in ports}
    close(run, findings)
    findings.checks += judge.fence_checks(run.trace(), run.windows, where_fenced(run, images))
    findings.checks += judge.log_checks(run.said()) + judge.breach_checks(findings.sections["iommu"])
    findings.checks.append(judge.every("ports_let_go", let_go))
    if run.sc.again:
        findings.checks.append(judge.every("usable_again", {s["bdf"]: usable(run, n) for n, s in run.slots.items()}))
    findings.checks += stopped_checks(run, findings) + bystander_checks(run)


def _let_go(run, port):
    """True for a port that is like any other again, because nothing below it is kept running."""
    text = run.read(f"/sys/kernel/debug/pci_liveupdate/{port}")
    return "state idle\n" in text and "depended 0\n" in text


def unwanted_flow(run, findings):
    """The new kernel keeps the device running, and then nobody wants it: FINISH has to stop it for good, and nothing but it."""
    begin(run)
    kho_before = run.call("sys.kho")
    run.open_devices()
    run.start_work()
    run.prepare()
    run.load(0)
    images = run.dumps()
    run.open_window(images)
    t_exec, _boot = run.kexec()
    for number in run.slots:
        how = {"skip_cdev": True} if run.sc.owner == "never" else {"leave": True}
        run.call("luo.retrieve", slot=number, session="holdfast", timeout=60, **how)
    run.let_flow(run.sc.settle_s)
    run.mark()
    t_end = time.monotonic()
    if not run.skipped("finish"):
        run.call("luo.finish", session="holdfast", timeout=30)
    t_done = time.monotonic()
    run.note("FINISH")
    last = run.mark()
    updated(run, t_exec, t_end)
    time.sleep(run.sc.settle_s)         # of traffic that must not land
    left = judge.leftovers(kho_before, run.call("sys.kho"))
    close(run, findings)
    span = trace.window(run.trace(), run.windows[-1][1], last)
    state = {s["bdf"]: judge.given_up(span, s["bdf"], images[s["bdf"]]) for s in run.slots.values()}
    late = sum(1 for n in run.slots for t, _s in run.watcher.slots[n].times if t > t_done + SETTLE_S)
    findings.checks += stopped_checks(run, findings) + [judge.landed_check(findings.sections["dma"])]
    findings.checks += judge.config_checks(findings.sections["config"])
    findings.checks += judge.iommu_checks(findings.sections["iommu"], 0)
    findings.checks += [judge.every("fenced", {bdf: off for bdf, (off, _reset) in state.items()}),
                   judge.every("reset_when_fenced", {bdf: reset for bdf, (_off, reset) in state.items()}),
                   judge.zero("landed_after", late),
                   judge.zero("still_preserved", len(left), left),
                   judge.every("usable_again", {s["bdf"]: usable(run, n, held=True) for n, s in run.slots.items()})]
    findings.checks += judge.log_checks(run.said())
