"""Somebody stands in the way of an update: an administrator who unbinds, an owner who does not let go, a damaged record.

What is asked each time is that nobody waits for ever, that nobody else is kept from being updated, and that the device
does not outlive its memory.
"""

import os
import re
import struct
import time

from .. import judge
from ..errors import StepFailed
from ..findings import bystander_checks, close, work_checks
from ..observe import trace
from . import owner, steps

PENDING_S = 5           # until an unbind has begun to wait
ENDS_S = 10             # until it is through, once nothing is in its way
FINISH_S = 10           # FINISH answers, one way or the other
PAGE = 4096
VFIO_FILE = b"holdfast-vfio-pci-v1\0"
COMPATIBLE = 48         # bytes of the name of a handler in the record of the Live Update Orchestrator


def hostile_flow(run, findings):
    {**ACTS, **owner.ACTS}[run.sc.act](run, findings)


# -- the record of the session loses its device ------------------------------------------------------------------------

def _lost(run, findings):
    """One bit of the Orchestrator's record flips: no session speaks for the device any more."""
    steps.begin(run)
    kho_before = run.call("sys.kho")
    images, t_exec = _over(run)
    first = run.mark()
    hit = damage(run)
    run.note("damaged", records=hit)
    said = _fails(run, "luo.retrieve", slot=0, session="holdfast", timeout=60)
    t_end = time.monotonic()
    run.call("luo.finish", session="holdfast", timeout=30)
    t_done = time.monotonic()
    run.note("FINISH")
    last = run.mark()
    steps.updated(run, t_exec, t_end)
    time.sleep(run.sc.settle_s)         # of traffic that must not land
    left = judge.leftovers(kho_before, run.call("sys.kho"))
    close(run, findings)
    span = trace.window(run.trace(), first, last)
    bdf = run.slots[0]["bdf"]
    off, reset = judge.given_up(span, bdf, images[bdf])
    late = sum(1 for t, _s in run.watcher.slots[0].times if t > t_done + steps.SETTLE_S)
    findings.checks += [judge.true("damaged", hit == 1), judge.true("retrieve_refused", said is not None, details=[said or "nothing"]),
                   judge.true("fenced", off), judge.true("reset_when_fenced", reset), judge.zero("landed_after", late),
                   judge.zero("still_preserved", len(left), left), judge.true("usable_again", steps.usable(run, 0))]


def damage(run):
    """Flips a bit in the handle of the vfio file, in the memory of the machine; how many records were found."""
    ram, count, at = run.machine.ram, 0, 0
    while (at := ram.find(VFIO_FILE, at)) >= 0:
        name = ram[at:at + COMPATIBLE]
        data, token = struct.unpack_from("<QQ", ram, at + COMPATIBLE)
        # A file of a session: name, handle (a page), token of slot 0.
        if not name[len(VFIO_FILE):].strip(b"\0") and data and data % PAGE == 0 and token == 2:
            os.pwrite(run.machine.ram_fd, struct.pack("<Q", data ^ PAGE << 3), at + COMPATIBLE)
            count += 1
        at += 1
    return count


# -- unbinding ---------------------------------------------------------------------------------------------------------

def _unbind(run, findings):
    """Unbinding waits for the session when the update comes: it is refused, and everything goes on."""
    steps.begin(run)
    run.open_devices()
    run.start_work()
    run.prepare()
    run.load(0)
    run.open_window(run.dumps())
    pending = _start_unbind(run)
    t0 = time.monotonic()
    said = ""
    try:
        run.kexec()
    except StepFailed as e:
        if e.reason != "freeze_refused":
            raise
        said = e.text
    took = time.monotonic() - t0
    run.note("refused", said=said)
    named = [line for line in run.save_klog() if "cannot freeze" in line and run.slots[0]["bdf"] in line]
    run.mark()
    before = run.watcher.slots[0].landed()
    run.let_flow(1.0)
    after = run.watcher.slots[0].landed()
    run.call("luo.cancel", session="holdfast")
    close(run, findings)
    run.call("dev.close", slot=0)
    findings.checks += [judge.true("pending", pending), judge.true("refused", bool(said)),
                   judge.Check("refused_in_ms", round(took * 1000), "< 2000", took < 2 * run.opt.patience),
                   judge.true("named", any("unbound or removed" in line for line in named), details=named),
                   judge.Check("goes_on", after - before, "> 0", after > before), judge.true("unbound", _unbound(run)),
                   judge.zero("corrupt", findings.sections["dma"]["corrupt"])]


def _unbind_finish(run, findings):
    """The owner has the device back, not attached, and goes; unbinding waits for him. FINISH must not wait for it."""
    steps.begin(run)
    images, t_exec = _over(run)
    run.call("luo.retrieve", slot=0, session="holdfast", timeout=60, leave=True)
    pending = _start_unbind(run)
    first = run.mark()
    t0 = time.monotonic()
    run.call("luo.finish", session="holdfast", timeout=FINISH_S)
    took = time.monotonic() - t0
    last = run.mark()
    steps.updated(run, t_exec, time.monotonic())
    unbound = _unbound(run)
    time.sleep(run.sc.settle_s)
    close(run, findings)
    span = trace.window(run.trace(), first, last)
    bdf = run.slots[0]["bdf"]
    late = sum(1 for t, _s in run.watcher.slots[0].times if t > t0 + took + steps.SETTLE_S)
    findings.checks += [judge.true("pending", pending), judge.Check("finish_ms", round(took * 1000), f"< {FINISH_S * 1000}", True),
                   judge.true("unbound", unbound), judge.true("fenced", judge.given_up(span, bdf, images[bdf])[0]),
                   judge.zero("landed_after", late)]


def _start_unbind(run):
    """True once it waits: the device file is gone, and the driver is not."""
    device = f"/sys/bus/pci/devices/{run.slots[0]['bdf']}"
    node = f"{device}/vfio-dev/{_vfio_dev(run)}/dev"
    run.call("hostile.write", path=f"{device}/driver/unbind", text=run.slots[0]["bdf"])
    pending = _wait(PENDING_S * run.opt.patience, lambda: not run.read(node))
    run.note("unbind waits", pending=pending)
    return pending


def _vfio_dev(run):
    """The name of the only vfio device: its number is that of its first free place."""
    for n in range(8):
        if run.read(f"/sys/bus/pci/devices/{run.slots[0]['bdf']}/vfio-dev/vfio{n}/dev"):
            return f"vfio{n}"
    raise StepFailed("no_vfio_device", "the device has no vfio device file")


def _unbound(run):
    bdf = run.slots[0]["bdf"]
    return _wait(ENDS_S * run.opt.patience, lambda: "DRIVER=" not in run.read(f"/sys/bus/pci/devices/{bdf}/uevent"))


# -- an owner who does not let go --------------------------------------------------------------------------------------

def _reads(run, findings):
    """Processes of the owner read a register all the time: the update goes on as if they did not."""
    steps.begin(run)
    run.check_bystander("before")
    run.open_devices()
    run.call("hostile.read", slot=0, tasks=run.sc.tasks)
    run.start_work()
    steps.take(run, ["update"])
    close(run, findings)
    findings.checks += work_checks(run, findings)
    config, iommu, irq = (findings.sections[k] for k in ("config", "iommu", "irq"))
    findings.checks += judge.config_checks(config, run.counters_wanted or 1)
    findings.checks += judge.iommu_checks(iommu, len(run.planted))
    findings.checks += judge.irq_checks(irq)
    findings.checks += judge.identity_checks(run.compared, run.identity_issues) + bystander_checks(run)


def _binds(run, findings):
    """The owner binds what he got back, and the answer goes to a page that never comes: FINISH answers all the same, and the next
    kexec does not wait for him either."""
    steps.begin(run)
    _images, t_exec = _over(run)
    run.call("luo.retrieve", slot=0, session="holdfast", timeout=60, hold=True)
    pid = run.call("hostile.bind", slot=0)["pid"]
    stuck = _wait(PENDING_S * run.opt.patience, lambda: _sleeps(run, pid))
    t0 = time.monotonic()
    said = _fails(run, "luo.finish", session="holdfast", timeout=FINISH_S)
    took = time.monotonic() - t0
    run.note("FINISH", said=said or "")
    first = run.mark()
    run.load(0)
    run.kexec()                 # nobody waits for him, and the device that he has not attached does not go on
    last = run.mark()
    steps.updated(run, t_exec, time.monotonic())
    close(run, findings)
    span = trace.window(run.trace(), first, last)
    findings.checks += [judge.true("stuck", stuck), judge.true("finish_refused", said is not None and "busy" in said.lower(), details=[said or "nothing"]),
                   judge.Check("finish_ms", round(took * 1000), "< 1000", took < run.opt.patience),
                   judge.true("fenced", bool(trace.bus_master_cleared(span, run.slots[0]["bdf"])))]


def _fills(run, findings):
    """The owner writes to the memory of his device, and what he writes never comes: he cancels, and the host is updated."""
    steps.begin(run)
    run.open_devices()
    run.started = True
    run.prepare()
    run.load(0)
    pid = run.call("hostile.fill", slot=0)["pid"]
    stuck = _wait(PENDING_S * run.opt.patience, lambda: _sleeps(run, pid))
    t0 = time.monotonic()
    steps.cancel(run)
    took = time.monotonic() - t0
    run.note("CANCEL")
    again = _fails(run, "luo.preserve", slot=0, session="holdfast", timeout=30)
    run.note("refused", said=again or "")
    run.kexec()
    run.save_klog()
    findings.closed = True
    limit = round(1000 * run.opt.patience)
    findings.checks += [judge.true("stuck", stuck), judge.Check("cancel_ms", round(took * 1000), f"< {limit}", took * 1000 < limit),
                        judge.true("preserve_refused", again is not None and "busy" in again.lower(), details=[again or "nothing"]),
                        judge.true("updated", run.generation == 1)]
    findings.checks += judge.log_checks(run.said())


def _sleeps(run, pid):
    """In a page fault that nobody answers."""
    return re.search(r"^State:\s+[SD]", run.read(f"/proc/{pid}/status"), re.M) is not None and \
        "handle_userfault" in run.read(f"/proc/{pid}/wchan")


# -- a device that cannot come along ------------------------------------------------------------------------------------

def _silent(run, findings):
    """One of two devices does not answer at freeze: the other one goes on without it, and its owner hears of it."""
    steps.begin(run)
    run.open_devices()
    run.start_work()
    run.prepare()
    run.load(0)
    kept, lost = run.slots[0]["bdf"], run.slots[1]["bdf"]
    images = run.dumps()
    if not run.skipped("silent"):
        run.call("sys.write", path="/sys/module/pci_lu/parameters/silent", text=lost)
    run.open_window({bdf: image for bdf, image in images.items() if bdf in [kept] + run.slots[0]["ports"]})
    t_exec, _boot = run.kexec()
    run.call("luo.retrieve", slot=0, session=run.sc.session_of(0), timeout=60)
    t_retrieved = time.monotonic()
    said = _fails(run, "luo.retrieve", slot=1, session=run.sc.session_of(1), timeout=60)
    log = [line for line in run.save_klog() if lost in line and "dropped" in line]
    rearm = run.call("dev.rearm", slot=0, kick=True)
    for number in run.slots:
        run.call("luo.finish", session=run.sc.session_of(number), timeout=30)
    last = run.mark()
    run.note("FINISH")
    run.let_flow(run.sc.settle_s)
    steps.updated(run, t_exec, t_retrieved)
    close(run, findings)
    span = trace.window(run.trace(), run.windows[0][0], last)
    cleared = trace.bus_master_cleared(span, lost)
    switch = next((ev.n for ev in span if ev.kind == "root"), None)
    dma = judge.dma_section([run.works[0].section()])
    findings.sections["dma"] = dma
    findings.checks += judge.dma_checks(dma, True) + judge.config_checks(findings.sections["config"])
    findings.checks += [judge.true("retrieve_refused", said is not None, details=[said or "nothing"]),
                   judge.true("said_why", bool(log), details=log),
                   judge.true("stopped_in_time", bool(cleared and switch is not None and cleared[0].n < switch)),
                   judge.zero("irq_lost", sum(1 for n in rearm["irq"] if not n)),
                   judge.true("usable_again", steps.usable(run, 1))]


# -- shared ------------------------------------------------------------------------------------------------------------

def _over(run):
    """PREPARE to the new kernel: (images of the devices, time of the call)."""
    run.open_devices()
    run.start_work()
    run.prepare()
    run.load(0)
    images = run.dumps()
    run.open_window(images)
    t_exec, _boot = run.kexec()
    return images, t_exec


def _fails(run, cmd, **args):
    """What a command says that has to fail, or None."""
    try:
        run.call(cmd, **args)
    except StepFailed as e:
        if e.reason != cmd:
            raise
        return e.text
    return None


def _wait(seconds, done):
    """True as soon as `done()` is, polled: nothing in the guest tells."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


ACTS = {"lost": _lost, "unbind": _unbind, "unbind-finish": _unbind_finish, "reads": _reads, "binds": _binds, "fills": _fills, "silent": _silent}
