"""The kinds of scenario: what is done in which order, and which checks it is held to."""

import re
import time

from .. import judge
from ..errors import StepFailed
from ..host import damage
from ..judge import msi, policy
from ..observe import trace, watch, wire
from ..run import call_back, ms, where_fenced
from . import interrupts as flow_interrupts, stray

SETTLE_S = 0.1          # between Bus Master off and the last frame the watcher may still find
BYSTANDER_EVERY = 5     # in a long row of updates the other NIC is looked at after every fifth, and the last
CYCLES = 30             # how often PREPARE and CANCEL are repeated to see whether memory goes missing
PER_CYCLE_KB = 1        # a quarter of a page
PER_UPDATE_KB = 12      # the same for whole updates: each reading is of another boot, whose own memory varies by 70 kB


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


def update_flow(run, findings):
    _begin(run)
    run.check_bystander("before")
    run.open_nics()
    run.start_traffic()
    for n in range(run.sc.updates):
        one_update(run, n)
    close_findings(run, findings)
    findings.checks += _data_checks(run, findings, blackout=True)
    config, iommu, irq = (findings.sections[k] for k in ("config", "iommu", "irq"))
    findings.checks += judge.config_checks(config, run.counters_wanted or 1)
    findings.checks += judge.iommu_checks(iommu, len(run.planted))
    findings.checks += judge.irq_checks(irq)
    findings.checks += judge.identity_checks(run.compared, run.identity_issues) + _bystander_checks(run)
    findings.checks += judge.log_checks(run.said())
    if run.sc.told:
        lines = run.klogs.get(run.generation, [])
        findings.checks.append(judge.true("told", any(re.search(run.sc.told, line) for line in lines)))
    if run.sc.damage:
        words = damage.KINDS[run.sc.damage][1]
        findings.checks.append(judge.true("damage_noticed", any(words in line for line in run.said())))
    if run.sc.check_leftovers:
        left = judge.leftovers(run.kho[0], run.kho[-1])
        findings.checks += [judge.zero("left_over", len(left), left),
                       *judge.memory_checks(judge.growth_over_boots(run.kho), PER_UPDATE_KB)]


def one_update(run, n):
    """PREPARE … FINISH once."""
    run.prepare()
    run.load(n)
    before = {number: run.call("nic.stat", slot=number) for number in run.slots}
    images = run.dumps()
    run.save_klog()
    run.plant()
    run.open_window(images)
    t_exec, _boot = run.kexec()
    slots, t_retrieved = {}, {}
    for number in run.slots:
        got = run.call("luo.retrieve", slot=number, session=run.sc.session_of(number), timeout=60)
        t_retrieved[number] = time.monotonic()
        slots[number] = got
        run.note("attached", slot=number)
        if got.get("attach_us") is not None:
            run.times.setdefault("attach", round(got["attach_us"] / 1000, 1))
    run.times.setdefault("blackout", ms(max(t_retrieved.values()) - t_exec))
    for number in run.slots:
        rearm = run.call("nic.rearm", slot=number, kick=True)
        rearm["pba"] = rearm.get("pba_before", slots[number].get("pba", 0))
        rearm.setdefault("irq_latched", [0] * len(rearm["irq"]))
        run.rearms.append(rearm)
        run.note("re-armed", slot=number)
    _compare(run, before, "after attach")
    if run.sc.damage and not run.skipped("damage"):
        run.note("damaged", said=damage.KINDS[run.sc.damage][0](run.machine))
    t0 = time.monotonic()
    for session in dict.fromkeys(run.sc.session_of(number) for number in run.slots):
        run.call("luo.finish", session=session, timeout=30)
    run.times.setdefault("finish", ms(time.monotonic() - t0))
    run.note("FINISH")
    run.mark()
    run.read_counters()
    _compare(run, before, "after FINISH")
    run.compare_config(images)
    look = n % BYSTANDER_EVERY == 0 or n == run.sc.updates - 1
    run.let_flow(run.sc.settle_s, (lambda: run.check_bystander(f"update {n + 1}")) if look else lambda: None)
    run.kho.append(dict(run.call("sys.kho"), release=run.kernels["new"]))
    run.updates.append({"update": n + 1, "t_exec": t_exec, "t_retrieved": t_retrieved,
                        "release": run.kernels["new"]})


def interrupts_flow(run, findings):
    """An update during which the device writes to where interrupt requests go."""
    _begin(run)
    _aimed_traffic(run)
    try:
        run.let_flow(flow_interrupts.EACH_S)
        one_update(run, 0)
        run.mark()
    finally:            # also when the host did not survive it
        close_findings(run, findings)
        findings.checks += flow_interrupts.checks(run, findings)
    findings.checks += judge.config_checks(findings.sections["config"], run.counters_wanted or 1)
    findings.checks += judge.identity_checks(run.compared, run.identity_issues) + _bystander_checks(run)
    findings.checks += judge.log_checks(run.said())


def fence_interrupts_flow(run, findings):
    """The same with a kernel that does not remap interrupts: the device is stopped before it can send any."""
    _begin(run)
    _aimed_traffic(run)
    try:
        run.let_flow(flow_interrupts.EACH_S)
        _fence(run, findings)
    finally:
        close_findings(run, findings)
        findings.checks += flow_interrupts.fence_checks(run, findings)


def _aimed_traffic(run):
    run.open_nics()
    flow_interrupts.aim(run)
    run.start_traffic()
    flow_interrupts.count_from_the_first(run)


def _updated(run, t_exec, t_end):
    """The one update of a run in which nobody retrieves a device."""
    run.updates.append({"update": 1, "t_exec": t_exec, "t_retrieved": dict.fromkeys(run.slots, t_end),
                        "release": run.kernels["new"]})


def _compare(run, before, when):
    for number, slot in run.slots.items():
        stat = run.call("nic.stat", slot=number)
        run.compared += 1
        for name in judge.identity(before[number], stat):
            run.identity_issues.append(f"{slot['bdf']}:{name} {when}")
        _geometry, layout = run.memory(number)
        if layout.runs != slot["runs"]:
            run.identity_issues.append(f"{slot['bdf']}:memory moved {when}")


def fence_flow(run, findings):
    _begin(run)
    run.open_nics()
    run.start_traffic()
    _fence(run, findings)


def _fence(run, findings):
    """PREPARE … userspace of a kernel that cannot go on with the devices."""
    run.prepare()
    run.load(0)
    images = run.dumps()
    run.plant()
    run.open_window(images)
    t_exec, boot = run.kexec()
    _updated(run, t_exec, boot["_at"])
    for slot in run.slots.values():
        call_back(run, slot["bdf"])
    run.check_bystander("after")
    run.mark()
    close_findings(run, findings)
    findings.checks += judge.fence_checks(run.trace(), run.windows, where_fenced(run, images))
    findings.checks += judge.log_checks(run.said()) + judge.breach_checks(findings.sections["iommu"])
    ports = {port for s in run.slots.values() for port in s["ports"]}
    findings.checks.append(judge.every("ports_let_go", {port: _let_go(run, port) for port in ports}))
    if run.sc.again:
        findings.checks.append(judge.every("usable_again", {s["bdf"]: _usable(run, n) for n, s in run.slots.items()}))
    findings.checks += _corrupt_checks(run, findings) + _bystander_checks(run)


def _let_go(run, port):
    """True for a port that is like any other again, because nothing below it is kept running."""
    text = run.read(f"/sys/kernel/debug/pci_liveupdate/{port}")
    return "state idle\n" in text and "depended 0\n" in text


def unwanted_flow(run, findings):
    """The new kernel keeps the device running, and then nobody wants it: FINISH has to stop it for good, and nothing but it."""
    _begin(run)
    kho_before = run.call("sys.kho")
    run.open_nics()
    run.start_traffic()
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
    _updated(run, t_exec, t_end)
    time.sleep(run.sc.settle_s)         # of traffic that must not land
    left = judge.leftovers(kho_before, run.call("sys.kho"))
    close_findings(run, findings)
    span = trace.window(run.trace(), run.windows[-1][1], last)
    state = {s["bdf"]: judge.given_up(span, s["bdf"], images[s["bdf"]]) for s in run.slots.values()}
    late = sum(1 for n in run.slots for t, _s in run.watcher.slots[n].times if t > t_done + SETTLE_S)
    findings.checks += _corrupt_checks(run, findings) + [judge.landed_check(findings.sections["dma"])]
    findings.checks += judge.config_checks(findings.sections["config"])
    findings.checks += judge.iommu_checks(findings.sections["iommu"], 0)
    findings.checks += [judge.every("fenced", {bdf: off for bdf, (off, _reset) in state.items()}),
                   judge.every("reset_when_fenced", {bdf: reset for bdf, (_off, reset) in state.items()}),
                   judge.zero("landed_after", late),
                   judge.zero("still_preserved", len(left), left),
                   judge.every("usable_again", {s["bdf"]: _usable(run, n, held=True) for n, s in run.slots.items()})]
    findings.checks += judge.log_checks(run.said())


def _usable(run, number, held=False):
    """True when the device can be opened like any other, and its interrupts come in."""
    try:
        if held:
            run.call("nic.close", slot=number)
        run.call("nic.open", slot=number, bdf=run.slots[number]["bdf"], descs=run.descs, vectors=run.sc.vectors,
                 native=False, timeout=30)
        run.call("nic.raise", slot=number, mask=(1 << run.sc.vectors) - 1)
        came = run.call("nic.poll", slot=number)["irq"][:run.sc.vectors]
        return len(came) == run.sc.vectors and all(came)
    except StepFailed as e:
        run.note("not usable", said=e.text)
        return False


def cancel_flow(run, findings):
    _begin(run)
    run.open_nics()
    run.start_traffic()
    if run.sc.cancel == "freeze":
        run.load(0)             # before the findings are opened: a loaded kernel takes memory of its own
    kho_before = run.call("sys.kho")
    before = {number: run.call("nic.stat", slot=number) for number in run.slots}
    images = run.dumps()
    run.open_window(images)
    run.prepare()
    if run.sc.cancel == "freeze":
        _failed_freeze(run)
    if not run.skipped("cancel"):
        _cancel(run)
    run.note("CANCEL")
    run.mark()
    kho, again = _cycles(run)
    run.let_flow(run.sc.settle_s)
    _compare(run, before, "after CANCEL")
    run.compare_config(images)
    alive = {slot["bdf"]: _interrupts(run, number) for number, slot in run.slots.items()}
    close_findings(run, findings)
    findings.checks += _data_checks(run, findings, blackout=False)
    findings.checks += judge.config_checks(findings.sections["config"])
    findings.checks += judge.iommu_checks(findings.sections["iommu"], 0)
    left = sorted({what for k in kho for what in judge.leftovers(kho_before, k)})
    findings.checks += [judge.zero("still_preserved", len(left), left),
                   *judge.memory_checks(judge.growth_in_a_row(kho), PER_CYCLE_KB),
                   judge.true("prepare_again", not again, again or "yes"), judge.every("interrupts_after", alive)]
    if run.sc.cancel == "freeze":
        bad = judge.not_quiesced(run.trace(), run.windows, [s["bdf"] for s in run.slots.values()])
        findings.checks.append(judge.zero("not_quiesced", len(bad), bad))
    findings.checks += judge.identity_checks(run.compared, run.identity_issues) + judge.log_checks(run.said())


def _failed_freeze(run, say=True):
    knob = "/sys/module/pci_lu/parameters/fail_freeze"
    run.call("sys.write", path=knob, text="1")
    try:
        run.kexec(say)
    except StepFailed as e:
        if e.reason != "freeze_refused":
            raise
        if say:
            run.note("freeze failed", said=e.text)
    else:
        raise StepFailed("freeze_not_failed", "the kernel was replaced although its freeze was made to fail")
    run.call("sys.write", path=knob, text="0")


def _interrupts(run, number):
    """True when interrupts still come in (two waits, the first may only collect old ones)."""
    start = sum(run.call("nic.stat", slot=number)["irq"])
    for _ in range(5):
        if sum(run.call("nic.poll", slot=number)["irq"]) > start:
            return True
    return False


def _cycles(run):
    """PREPARE and CANCEL again and again: (what is in use after each, what went wrong or "")."""
    kho = [run.call("sys.kho")]         # after the first: what is allocated once, at first use, is no growth
    try:
        for _ in range(CYCLES):
            run.prepare(say=False)
            if run.sc.cancel == "freeze":
                _failed_freeze(run, say=False)
            _cancel(run)
            kho.append(run.call("sys.kho"))
    except StepFailed as e:
        if e.reason not in ("luo.preserve", "luo.cancel"):
            raise
        return kho, e.text
    run.note("repeated", count=CYCLES)
    return kho, ""


def _cancel(run):
    for session in dict.fromkeys(run.sc.session_of(number) for number in run.slots):
        run.call("luo.cancel", session=session)


def blackout_flow(run, findings):
    """The red baseline: the update without PREPARE, to show what a kernel does to the device otherwise."""
    _begin(run)
    run.open_nics()
    run.start_traffic()
    run.load(0)
    images = run.dumps()
    run.open_window(images)
    t_exec, boot = run.kexec()
    run.mark()
    t_end = time.monotonic()
    _updated(run, t_exec, t_end)
    run.times.setdefault("blackout", ms(t_end - t_exec))
    close_findings(run, findings)
    late = 0
    for number, slot in run.slots.items():
        cleared = trace.bus_master_cleared(trace.window(run.trace(), *run.windows[0][:2]), slot["bdf"])
        dead = (cleared[0].t - run.wall0 if cleared else t_exec) + SETTLE_S
        late += sum(1 for t, _s in run.watcher.slots[number].times if t > dead)
    findings.checks.append(judge.zero("landed_without_bus_master", late))
    findings.checks.append(judge.Check("lost", findings.sections["dma"]["lost"], "> 0", findings.sections["dma"]["lost"] > 0))
    findings.checks.append(judge.Check("translation_off", findings.sections["iommu"]["translation_off"], "≥ 1",
                                findings.sections["iommu"]["translation_off"] >= 1))
    findings.checks.append(judge.Check("harmful_reached", findings.sections["config"]["harmful_reached"], "≥ 1",
                                findings.sections["config"]["harmful_reached"] >= 1))


def stray_flow(run, findings):
    """While the device is prepared somebody changes a register behind the kernel's back: FREEZE refuses, and names it."""
    _begin(run)
    run.open_nics()
    run.prepare()
    run.load(0)
    for name, wrong in stray.cases(run):
        findings.checks.append(judge.true(f"refused: {name}", not wrong, wrong))


def refuse_flow(run, findings):
    """In each case PREPARE must fail, and say for which device and why. Cases that follow each other on the same machine
    share it."""
    run.share()
    machine = None
    for case in run.sc.case:
        wanted = (case.get("machine"), case.get("cmdline", ""))
        if machine != wanted:
            run.stop()
            run.slots = {}
            run.start(machine=wanted[0], cmdline=f"{run.cmdline(0)} {wanted[1]}".strip())
            run.started = True
            machine = wanted
        run.note("case", name=case["name"])
        bdf, said = _one_refusal(run, case)
        ok = said is not None and bdf in said and re.search(case["reason"], said) is not None
        findings.cases.append({"name": case["name"], "ok": ok, "said": said if said is not None else "preserved"})
        findings.checks.append(judge.true(f"refused: {case['name']}", ok))


def _one_refusal(run, case):
    """(the device, what was said when it was refused or None)."""
    names = {f"nic{i}": nic.bdf for i, nic in enumerate(run.machine.nics)}
    bdf = names[f"nic{case.get('nic', 0)}"]
    if case.get("vf"):
        bdf = names["vf"] = policy.first_vf(run.dump(bdf), bdf)
    _write(run, case.get("before", []), names)
    run.call("nic.open", slot=0, bdf=bdf, descs=run.descs, vectors=run.sc.vectors, native=False, timeout=30,
             **case.get("open", {}))
    _write(run, case.get("after", []), names)
    known = len(run.save_klog())
    said = None
    try:
        run.call("luo.preserve", slot=0, session="holdfast", timeout=30, **case.get("preserve", {}))
    except StepFailed as e:
        if e.reason != "luo.preserve":
            raise
        said = e.text
        if case.get("why", True):
            said += "; " + str(run.call("luo.why", slot=0).get("reason", ""))
        # What depends on the session (the memfd beside it) only the refusal itself can tell: in the kernel log.
        said += "".join("; " + line for line in run.save_klog()[known:] if "cannot preserve" in line)
        run.note("refused", said=said)
    if said is None:
        run.call("luo.cancel", session="holdfast")
    run.call("nic.close", slot=0, native=True, timeout=30)
    _write(run, case.get("undo", []), names)
    return bdf, said


def _write(run, lines, names):
    """Each line is path=text, where {nic0}, {nic1}, … and {vf} stand for addresses."""
    for line in lines:
        path, _equals, text = line.format(**names).rpartition("=")
        run.call("sys.write", path=path, text=text)


def _begin(run):
    run.share()
    run.start()


def close_findings(run, findings):
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
    slots = [_slot_findings(run, number) for number, s in run.slots.items() if "last" in s and "first" in s]
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


def _slot_findings(run, number):
    slot, seen = run.slots[number], run.watcher.slots[number]
    sender = run.senders[number]
    first, last = slot.get("first", 0), slot["last"]
    planted = seen.planted_done
    offered, landed, lost = judge.frames(seen.seen, first, last, planted)
    in_blackout = offered_in = 0
    for up in run.updates:
        end = up["t_retrieved"][number]
        in_blackout += sum(1 for t, _s in seen.times if up["t_exec"] <= t <= end)
        offered_in += sender.sent_between(up["t_exec"], end)
    gap = watch.max_gap_ms(seen.times, slot.get("t_first", run.t0), max((t for t, _s in seen.times), default=run.t0))
    return {"offered": offered, "landed": landed, "lost": lost, "corrupt": seen.corrupt + seen.foreign,
            "out_of_order": seen.out_of_order, "duplicate": seen.duplicate, "planted": planted,
            "landed_in_blackout": in_blackout, "offered_in_blackout": offered_in, "max_gap_ms": max(gap, 0),
            "late": sender.max_late_us.value}


def _data_checks(run, findings, blackout):
    return judge.dma_checks(findings.sections["dma"], blackout) + [_watched(run)]


def _corrupt_checks(run, findings):
    """Of a device that may stop: what landed before it did is whole."""
    dma = findings.sections["dma"]
    return judge.seen(frames_landed=dma["landed"]) + [judge.zero("corrupt", dma["corrupt"]), _watched(run)]


def _watched(run):
    return judge.true("watched", not run.watched(), run.watched() or "yes")


def _bystander_checks(run):
    """The NIC that nobody preserves works before and after, and is stopped in between."""
    return judge.bystander_checks(run.net) + [
        judge.true("bystander_quiesced", judge.bystander_quiesced(run.trace(), run.windows, run.machine.bystander.bdf))]
