"""The findings of a VM scenario: what was recorded, put together for the judge."""

import os
import time

from .. import judge
from ..errors import StepFailed
from ..judge import msi, vm as vmjudge
from ..observe import watch, wire
from ..judge.log import COMPLAINT, NOBODY_CARED

DRAIN_S = 5
ANSWER_S = 10


def close(run, findings, vms):
    """Stops the traffic, asks every VM for its last word, fills the sections."""
    findings.closed = True
    sent = run.finish_senders()
    last = {}
    for one in vms.vms:
        goal = [sent.get(n, 0) for n in one.nics]
        one.link.wait(DRAIN_S, lambda b, goal=goal: all(n["rx"] >= g for n, g in zip(b["nics"], goal)))
        last[one.name] = one.link.report(ANSWER_S * run.opt.patience)
        if last[one.name] is None:
            raise StepFailed("vm_silent", f"{one.name} does not answer at the end")
    time.sleep(0.1)             # its last frames are on the wire
    sections = [section(run, vms, one, last[one.name], sent) for one in vms.vms]
    findings.sections["vm"] = {"vms": sections}
    machine(run, findings, vms)
    _dma(run, findings, vms, [n for s in sections for n in s["nics"]])


def section(run, vms, one, last, sent):
    """What there is to say of one VM; `last`: its last word, `sent`: how many frames went into each NIC."""
    updates = vms.updates[one.name]
    beats = list(one.link.beats)
    nics = [vmjudge.nic_section(sent.get(n, 0), last["nics"][i], run.watcher.slots[n], vms.wires[n],
                                [u for u in updates if u.t_exec is not None])
            for i, n in enumerate(one.nics)]
    since = min((u.t_stop for u in updates), default=time.monotonic())
    klog, rtts = [line for t, line in one.link.klog if t > since], [d for _t, d in one.link.rtts]
    out = vmjudge.vm_section(one.name, beats, one.link.connections, one.link.conn is not None, klog, rtts, nics,
                             updates, one.hot)
    rings = [run.watcher.slots[n].times for n in one.nics]
    wires = [vms.past_wires.get(n, []) + vms.wires[n].times for n in one.nics]
    beats = vms.past_beats[one.name] + beats
    out["updates"] = [{"update": u.number, "release": u.release, "steps": vmjudge.steps(u),
                       "pause": vmjudge.pauses(u, beats, wires, rings)} for u in updates]
    return out


def machine(run, findings, vms):
    """What the host's own devices and IOMMU show."""
    events, functions = run.trace(), [s["bdf"] for s in run.slots.values()]
    findings.sections["config"] = judge.config_section(events, run.windows, run.counters)
    findings.sections["iommu"] = judge.iommu_section(events, run.windows, run.planted, run.breaches())
    findings.sections["irq"] = judge.irq_section([], msi.stray(events, run.windows, functions))


def _dma(run, findings, vms, nics):
    updates = [u for ups in vms.updates.values() for u in ups if None not in (u.t_exec, u.t_running)]
    offered = gap = 0
    for one in vms.vms:
        for number in one.nics:
            ring, sender = run.watcher.slots[number], vms.senders.get(number)
            for up in vms.updates[one.name]:
                if sender and up.t_exec is not None and run.updates:
                    offered += sender.sent_between(up.t_exec, up.t_running)
                if ring.times:
                    gap = max(gap, watch.max_gap_ms(ring.times, up.t_stop, up.t_running))
            findings.ring_used_up = findings.ring_used_up or ring.ran_out
    findings.sections["dma"] = vmjudge.dma_section(nics, offered if updates else 0, gap)
    drops = [wire.socket_drops(n.port) for n in run.machine.nics] if run.machine else []
    findings.sections["dma"]["host_socket_drops"] = sum(d or 0 for d in drops)
    findings.sections["dma"]["sender_max_late_us"] = max((s.max_late_us.value for s in vms.senders.values()), default=0)
    times = sorted(t for one in vms.vms for n in one.nics for t in run.watcher.slots[n].times)
    findings.series = watch.series(times, run.t0)


def close_broken(run, findings, vms):
    """A run that broke off is still judged by what was seen until then."""
    if findings.closed:
        return
    findings.closed = True
    try:
        run.finish_senders()
        machine(run, findings, vms)
    except (OSError, ValueError, KeyError, StepFailed) as e:
        run.note("findings not closed", said=str(e))
        return
    if run.windows:
        findings.checks += judge.config_checks(findings.sections["config"])
        findings.checks += judge.iommu_checks(findings.sections["iommu"], 0)


def vm_checks(findings):
    return vmjudge.vm_checks(findings.sections["vm"]["vms"])


def host_klog(folder):
    """(what the kernels of the host complained about, in any of the saved logs; how many lines there are in all)."""
    out, lines = [], 0
    for name in sorted(os.listdir(folder)):
        if name.startswith("klog-"):
            with open(os.path.join(folder, name), errors="replace") as f:
                for line in f:
                    lines += 1
                    if COMPLAINT.search(line) or NOBODY_CARED in line:
                        out.append(f"{name[5:-4]} {line.strip()[:160]}")
    return out, lines


def update_checks(run, findings):
    """Everything that holds for VMs that went through an update."""
    run.save_klog()
    said, lines = host_klog(run.dir)
    checks = vm_checks(findings) + judge.bystander_checks(run.net) + judge.seen(host_klog=lines)
    checks.append(judge.zero("host_klog", len(said), said))
    if run.slots:
        s = findings.sections
        checks += [judge.landed_check(s["dma"]), *judge.config_checks(s["config"], run.counters_wanted or 1),
                 *judge.iommu_checks(s["iommu"], 0), *judge.stray_checks(s["irq"]),
                 *judge.identity_checks(run.compared, run.identity_issues),
                 *judge.seen(what_the_guest_sees=run.config_checks), judge.zero("guest_sees_change", len(run.guest_sees), run.guest_sees)]
    checks.append(judge.true("bystander_quiesced", judge.bystander_quiesced(run.trace(), run.windows, run.machine.bystander.bdf)))
    return checks + [judge.true("watched", not run.watched(), run.watched() or "yes")]
