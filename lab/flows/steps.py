"""What the flows are made of: each of these is done to all devices of a run."""

import time

from .. import judge
from ..errors import StepFailed
from ..host import damage
from ..timeline import Update, ms

SETTLE_S = 0.1          # between Bus Master off and the last frame the watcher may still find
BYSTANDER_EVERY = 5     # in a long row of updates the other NIC is looked at after every fifth, and the last


def begin(run):
    run.share()
    run.start()


def one_update(run, n):
    """PREPARE … FINISH once."""
    run.prepare()
    run.load(n)
    before = {number: run.call("dev.stat", slot=number) for number in run.slots}
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
        rearm = run.call("dev.rearm", slot=number, kick=True)
        rearm["pba"] = rearm.get("pba_before", slots[number].get("pba", 0))
        rearm.setdefault("irq_latched", [0] * len(rearm["irq"]))
        run.rearms.append(rearm)
        run.note("re-armed", slot=number)
    compare(run, before, "after attach")
    if run.sc.damage and not run.skipped("damage"):
        run.note("damaged", said=damage.KINDS[run.sc.damage][0](run.machine))
    t0 = time.monotonic()
    for session in dict.fromkeys(run.sc.session_of(number) for number in run.slots):
        run.call("luo.finish", session=session, timeout=30)
    run.times.setdefault("finish", ms(time.monotonic() - t0))
    run.note("FINISH")
    run.mark()
    run.read_counters()
    compare(run, before, "after FINISH")
    run.compare_config(images)
    look = n % BYSTANDER_EVERY == 0 or n == run.sc.updates - 1
    run.let_flow(run.sc.settle_s, (lambda: run.check_bystander(f"update {n + 1}")) if look else lambda: None)
    run.kho.append(dict(run.call("sys.kho"), release=run.kernels["new"]))
    run.updates.append(Update(n + 1, run.kernels["new"], t_exec, t_retrieved))


def updated(run, t_exec, t_end):
    """The one update of a run in which nobody retrieves a device."""
    run.updates.append(Update(1, run.kernels["new"], t_exec, dict.fromkeys(run.slots, t_end)))


def compare(run, before, when):
    for number, slot in run.slots.items():
        stat = run.call("dev.stat", slot=number)
        run.compared += 1
        for name in judge.identity(before[number], stat):
            run.identity_issues.append(f"{slot['bdf']}:{name} {when}")
        _geometry, layout = run.memory(number)
        if layout.runs != slot["runs"]:
            run.identity_issues.append(f"{slot['bdf']}:memory moved {when}")


def usable(run, number, held=False):
    """True when the device can be opened like any other, and its interrupts come in."""
    try:
        if held:
            run.call("dev.close", slot=number)
        run.call("dev.open", slot=number, bdf=run.slots[number]["bdf"], descs=run.descs, vectors=run.sc.vectors,
                 native=False, timeout=30)
        run.call("dev.raise", slot=number, mask=(1 << run.sc.vectors) - 1)
        came = run.call("dev.poll", slot=number)["irq"][:run.sc.vectors]
        return len(came) == run.sc.vectors and all(came)
    except StepFailed as e:
        run.note("not usable", said=e.text)
        return False


def failed_freeze(run, say=True):
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


def cancel(run):
    for session in dict.fromkeys(run.sc.session_of(number) for number in run.slots):
        run.call("luo.cancel", session=session)


def interrupts_come(run, number):
    """True when interrupts still come in (two waits, the first may only collect old ones)."""
    start = sum(run.call("dev.stat", slot=number)["irq"])
    for _ in range(5):
        if sum(run.call("dev.poll", slot=number)["irq"]) > start:
            return True
    return False
