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


def preserve(run):
    """PREPARE."""
    run.update = Update(len(run.updates) + 1)
    run.prepare()


def load(run):
    run.load(len(run.updates))


def freeze_and_kexec(run):
    up = run.update
    up.images = run.dumps()
    run.save_klog()
    run.before_jump()
    up.before = {number: run.call("dev.stat", slot=number) for number in run.slots}
    run.open_window(up.images)
    up.t_exec, _boot = run.kexec()
    up.release = run.kernels["new"]


def retrieve(run):
    """Every device gets its owner back, who has not asked for its interrupts so far."""
    up = run.update
    for number in run.slots:
        got = run.call("luo.retrieve", slot=number, session=run.sc.session_of(number), timeout=60,
                       **run.works[number].retrieve_args())
        up.t_retrieved[number] = time.monotonic()
        run.note("attached", slot=number)
        if got.get("attach_us") is not None:
            run.times.setdefault("attach", round(got["attach_us"] / 1000, 1))
    run.times.setdefault("blackout", ms(max(up.t_retrieved.values()) - up.t_exec))
    for number in run.slots:
        run.works[number].attached()
    up.t_attached, up.attached = time.monotonic(), run.mark(close=False)
    run.updates.append(up)


def rearm(run):
    for number in run.slots:
        run.works[number].rearm()
    compare(run, run.update.before, "after attach")


def do_damage(run):
    if run.sc.damage and not run.skipped("damage"):
        run.note("damaged", said=damage.KINDS[run.sc.damage][0](run.machine))


def finish(run):
    up, t0 = run.update, time.monotonic()
    for session in run.sessions():
        run.call("luo.finish", session=session, timeout=30)
    run.times.setdefault("finish", ms(time.monotonic() - t0))
    run.note("FINISH")
    run.mark()
    run.read_counters()
    compare(run, up.before, "after FINISH")
    run.compare_config(up.images)


def settle(run):
    """Some more work, and a look at the other NIC: after every fifth update of many, and the last."""
    n = run.update.number
    look = n % BYSTANDER_EVERY == 1 or n == run.sc.updates
    run.let_flow(run.sc.settle_s, (lambda: run.check_bystander(f"update {n}")) if look else lambda: None)
    run.kho.append(dict(run.call("sys.kho"), release=run.kernels["new"]))


def kill_owner(run):
    """Whoever drives the devices dies, and they with him; what was seen of them until then counts."""
    for number in list(run.slots):
        run.works[number].drop()
    run.note("owner killed")


def look_at_hosts(run):
    """Does what the host drives itself work?"""
    for work in run.works.values():
        work.look(f"kernel {run.generation + 1}")


def fail_freeze(run):
    run.update.images = run.update.images or run.dumps()
    failed_freeze(run)


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
    try:
        return run.works[number].usable(held)
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
    for session in run.sessions():
        run.call("luo.cancel", session=session)


def interrupts_come(run, number):
    """True when interrupts still come in (two waits, the first may only collect old ones)."""
    start = sum(run.call("dev.stat", slot=number)["irq"])
    for _ in range(5):
        if sum(run.call("dev.poll", slot=number)["irq"]) > start:
            return True
    return False


STEPS = {
    "open": lambda run: run.open_devices(), "work": lambda run: run.start_work(), "preserve": preserve, "load": load,
    "freeze+kexec": freeze_and_kexec, "retrieve": retrieve, "rearm": rearm, "damage": do_damage, "finish": finish,
    "settle": settle, "kill-owner": kill_owner, "cancel": cancel, "fail-freeze": fail_freeze,
    "host": look_at_hosts,
}
UPDATE = ("preserve", "load", "freeze+kexec", "retrieve", "rearm", "damage", "finish", "settle")


def spell_out(steps):
    """With "update" as the steps that it is made of; what is no step raises ValueError."""
    out = [part for step in steps for part in (UPDATE if step == "update" else (step,))]
    unknown = sorted(set(out) - set(STEPS))
    if unknown:
        raise ValueError(f"no step {', '.join(unknown)}; there are: update, {', '.join(STEPS)}")
    return out


def take(run, steps):
    for step in spell_out(steps):
        STEPS[step](run)
