"""Flows with an NVMe controller: commands are in flight while the kernel is replaced, and nobody serves their completions."""

import time

from .. import judge
from ..errors import StepFailed
from ..host import devices
from ..judge import msi, nvme
from ..observe import watch
from ..run import call_back, where_fenced
from ..timeline import Update, ms

READS, WRITES, EVENTS = 55, 55, 2       # of each queue; events of the controller
NEEDLE = bytes.fromhex("0000424c0100")  # in every block that it reads or writes, 4 bytes from its start
SURE = 64               # bytes of a block that nothing else has
REAP_S = 30
QUIET_S = 1.0           # from BIND to SET_IRQS, with the level up


def open_all(run):
    intx = run.sc.irq == "intx"
    for number, device in enumerate(run.machine.nvmes):
        run.call("dev.open", slot=number, bdf=device.bdf, vectors=1 if intx else run.sc.vectors, intx=intx, timeout=30)
        _geometry, layout = run.memory(number)
        run.slots[number] = {"bdf": device.bdf, "ports": device.ports, "runs": layout.runs, "layout": layout, "device": device}
        run.note("open", slot=number, bdf=device.bdf)
    run.started = True


def submit(run):
    """Commands for longer than an update takes; returns {slot: nvme.stat} of then."""
    stats = {}
    for number in run.slots:
        got = run.call("nvme.submit", slot=number, reads=READS, writes=WRITES, events=EVENTS)
        run.note("submitted", slot=number, count=got["submitted"])
        stats[number] = run.call("nvme.stat", slot=number)
    return stats


def until_raised(run, number):
    """With the first completion its line is up, and stays so; returns dev.stat of then."""
    stat = run.call("dev.stat", slot=number)
    for _ in range(50 if run.sc.irq == "intx" else 0):
        if stat["pba"]:
            break
        stat = run.call("dev.stat", slot=number)
    return stat


def reap(run, number):
    """Serves the controller until every command has come back, or none has for a while."""
    end, done = time.monotonic() + REAP_S * run.opt.patience, None
    while time.monotonic() < end:
        run.call("dev.poll", slot=number)
        got = run.call("nvme.reap", slot=number, unmask=run.sc.irq == "intx")
        if got["done"] or done is None:
            done, end = run.call("nvme.stat", slot=number), time.monotonic() + REAP_S * run.opt.patience
        if not done["never"]:
            break
    return run.call("nvme.stat", slot=number)


def disk(run, number):
    """(blocks written that are not on the disk as they were, blocks looked at)."""
    device = run.slots[number]["device"]
    queues = 2 if run.sc.irq == "intx" else run.sc.vectors - 1
    wanted = [4096 + q * 128 + READS + i for q in range(queues) for i in range(WRITES)]
    return sum(device.block(b) != devices.block_of(b) for b in wanted), len(wanted)


def before_the_jump(run):
    """The machine up, the controller busy and preserved: (nvme.stat, dev.stat, images) of each."""
    run.share()
    run.start()
    run.check_bystander("before")
    open_all(run)
    run.prepare()
    run.load(0)
    images = run.dumps()
    stats = submit(run)
    before = {number: until_raised(run, number) for number in run.slots}
    run.open_window(images)
    return stats, before, images


def is_block(data):
    """Is that the start of a block? Six bytes can be anything's."""
    return data == devices.block_of(int.from_bytes(data[2:4], "little"))[:SURE]


def finish_sections(run, findings):
    """What the machine's own devices show; the sections of frames stay empty."""
    findings.closed = True
    run.save_klog()
    if run.machine.alive():
        run.machine.qmp.call("stop")    # a line that screams fills the trace faster than it can be read
    layouts = [s["layout"] for s in run.slots.values()]
    stray, inside = watch.stray(run.machine.ram_fd, run.machine.ram, layouts, NEEDLE, 4)
    stray = [at for at in stray if is_block(run.machine.ram[at:at + SURE])]
    if stray:
        run.note("stray frames", count=len(stray), first=hex(stray[0]))
    events, functions = run.trace(), [s["bdf"] for s in run.slots.values()]
    findings.sections["config"] = judge.config_section(events, run.windows, run.counters)
    findings.sections["iommu"] = judge.iommu_section(events, run.windows, [], len(stray) if stray or inside else None)
    findings.sections["irq"] = judge.irq_section(run.rearms, msi.stray(events, run.windows, functions))


def judged_when_broken(flow):
    """A run that breaks off is still judged by what was seen until then: the first cause often lies there."""
    def whole(run, findings):
        try:
            flow(run, findings)
        except StepFailed:
            if run.windows and not findings.closed:
                finish_sections(run, findings)
                findings.checks += judge.config_checks(findings.sections["config"]) + judge.iommu_checks(findings.sections["iommu"], 0)
            raise
    return whole


@judged_when_broken
def update_flow(run, findings):
    stats, before, images = before_the_jump(run)
    t_exec, _boot = run.kexec()
    for number in run.slots:
        got = run.call("luo.retrieve", slot=number, session=run.sc.session_of(number), timeout=60)
        run.note("attached", slot=number)
        run.times.setdefault("attach", round(got["attach_us"] / 1000, 1))
    if run.sc.irq == "intx":
        time.sleep(QUIET_S)             # nothing may happen now, which no event can tell
    t_attached = time.monotonic()
    run.times["blackout"] = ms(t_attached - t_exec)
    attached = run.mark(close=False)
    for number in run.slots:
        rearm = run.call("dev.rearm", slot=number, kick=True)
        run.rearms.append(dict(rearm, pba=rearm["pba_before"]))
        run.note("re-armed", slot=number)
    t0 = time.monotonic()
    for session in dict.fromkeys(run.sc.session_of(number) for number in run.slots):
        run.call("luo.finish", session=session, timeout=30)
    run.times["finish"] = ms(time.monotonic() - t0)
    run.note("FINISH")
    run.mark()
    run.read_counters()
    run.compare_config(images)
    for number, slot in run.slots.items():
        run.identity_issues += [f"{slot['bdf']}:{name}" for name in
                                judge.identity(before[number], run.call("dev.stat", slot=number))]
    ends = {number: (then, reap(run, number)) for number, then in stats.items()}
    run.updates.append(Update(1, run.kernels["new"], t_exec))
    run.check_bystander("after")
    finish_sections(run, findings)
    blocks = [disk(run, number) for number in run.slots]
    events, window = run.trace(), run.windows[0]
    outstanding = sum(then["never"] for then, _end in ends.values())
    iops = sum(device.iops for device in run.machine.nvmes)
    findings.checks += nvme.command_checks(ends, sum(b for b, _n in blocks), sum(n for _b, n in blocks))
    findings.checks.append(nvme.in_time_check(nvme.completions(events, window, attached), t_attached - t_exec, iops, outstanding))
    findings.checks.append(judge.zero("controller_resets", nvme.controller_resets(events, run.windows)))
    findings.checks += judge.config_checks(findings.sections["config"], run.counters_wanted or 1)
    findings.checks += judge.iommu_checks(findings.sections["iommu"], 0)
    if run.sc.irq == "intx":
        findings.checks += judge.seen(lines_that_are_up=all(stat["pba"] for stat in before.values()))
    findings.checks += irq_checks(run, findings, events, window, attached)
    findings.checks += judge.identity_checks(run.compared, run.identity_issues) + judge.bystander_checks(run.net)
    findings.checks += judge.log_checks(run.said())


def irq_checks(run, findings, events, window, attached):
    checks = judge.irq_checks(findings.sections["irq"])
    if run.sc.irq != "intx":
        return checks
    back = [text for slot in run.slots.values() for text in nvme.intx_back(events, window, slot["bdf"], attached)]
    return [b for b in checks if b.name in ("irq_lost", "irq_latched", "catch_up_missing")] + [judge.zero("intx_back", len(back), back)]


@judged_when_broken
def fence_flow(run, findings):
    """The new kernel cannot keep it: it has to stop with its completions unserved, and its line has to stay down."""
    stats, _before, images = before_the_jump(run)
    t_exec, _boot = run.kexec()
    run.updates.append(Update(1, run.kernels["new"], t_exec))
    for slot in run.slots.values():
        call_back(run, slot["bdf"])
    run.check_bystander("after")
    run.mark()
    finish_sections(run, findings)
    findings.checks += judge.seen(commands_in_flight=all(then["never"] for then in stats.values()))
    findings.checks += judge.fence_checks(run.trace(), run.windows, where_fenced(run, images))
    findings.checks += judge.log_checks(run.said()) + judge.breach_checks(findings.sections["iommu"])
    findings.checks += judge.bystander_checks(run.net)
