"""What an owner may do with his device around an update: nothing of it is lost, nothing of it holds up the others."""

import time

from .. import judge
from ..errors import NotSeen, StepFailed
from ..findings import close, work_checks
from ..judge import policy
from . import steps

AER, COR_MASK = ("ext", 1), 0x14
BAD_TLP = 0x40              # an error that a link corrects, and that may be masked
INTX_DISABLE = 0x400
FLASH_BAR = 1               # of an igb: nothing happens when it is written
P2P_IOVA = 0x7F0000000000
P2P_AFTER_S = 0.3           # until the descriptor that is aimed at it is used
STATE = "/sys/kernel/debug/pci_liveupdate/{}"
FAIL = "/sys/module/pci_lu/parameters/fail_freeze"
FREEZE_MS = 250             # docs/locking.md
PRESERVE_MS = 1500          # twice 250 ms, and what it does besides
WAIT_S = 10
MAPS = 60000                # of a page, by each process


def _until(run, seen):
    end = time.monotonic() + WAIT_S * run.opt.patience
    while not (got := seen()) and time.monotonic() < end:
        pass                # each look is a question to the guest, which waits
    return got


# -- INTx, called off ---------------------------------------------------------------------------------------------------

def cancel_intx(run, findings):
    """The line has fired, and is masked; its owner unmasks it while the device is frozen; then the update is called off.

    The controller is frozen first, then a NIC whose resets do not end, which takes a while, then one whose freeze fails.
    """
    steps.begin(run)
    disk, busy = 0, 1
    run.open_devices()
    run.started = True
    bdf = run.slots[disk]["bdf"]
    run.prepare()
    run.load(0)
    run.call("nvme.reap", slot=disk, unmask=True)
    first = _fires(run, disk)
    run.call("nvme.reap", slot=disk)
    masked = run.call("pci.read", bdf=bdf, off=4, size=2)["value"] & INTX_DISABLE
    run.call("hostile.reset", slot=busy, tasks=run.sc.tasks)
    run.call("hostile.unmask", slot=disk, path=STATE.format(bdf), when="state frozen\n", then=FAIL, text="1", quiet=run.skipped("unmask"))
    said = ""
    try:
        run.kexec()
    except StepFailed as e:
        if e.reason != "freeze_refused":
            raise
        said = e.text
    run.note("freeze failed", said=said)
    again = _fires(run, disk)
    run.call("nvme.reap", slot=disk, unmask=True)
    run.call("luo.cancel", session="holdfast")
    after = _fires(run, disk)
    run.save_klog()
    findings.closed = True
    findings.checks += [judge.true("fired_and_masked", first and masked), judge.true("freeze_refused", bool(said)),
                        judge.true("interrupts_after", again), judge.true("interrupts_after_cancel", after)]
    findings.checks += judge.log_checks(run.said())


def _fires(run, number):
    """A command completes: does its interrupt come in?"""
    def count():
        return sum(run.call("dev.poll", slot=number)["irq"])
    before = count()
    run.call("nvme.submit", slot=number, reads=1, writes=0, events=0)
    return bool(_until(run, lambda: count() > before))


# -- what the next owner finds ------------------------------------------------------------------------------------------

def pristine(run, findings):
    """The owner masks an error; after the update he finds it so, and who opens the device after him does not."""
    steps.begin(run)
    run.open_devices()
    bdf = run.slots[0]["bdf"]
    fresh = run.dump(bdf)
    sha = run.slots[0]["vconfig_sha"]
    where = policy.capabilities(fresh).get(AER)
    if where is None:
        raise NotSeen("AER")
    found = run.call("vfio.config", slot=0, off=where + COR_MASK)["value"]
    wrote = run.call("vfio.config", slot=0, off=where + COR_MASK, value=found ^ BAD_TLP)["value"]
    run.start_work()
    steps.take(run, ["update"])
    kept = run.call("vfio.config", slot=0, off=where + COR_MASK)["value"]
    close(run, findings)
    run.call("dev.close", slot=0)
    again = run.call("dev.open", slot=0, bdf=bdf, timeout=30, **run.works[0].open_args())
    differs = policy.Device(fresh).differences(fresh, run.dump(bdf))
    findings.checks += [judge.true("written", wrote == found ^ BAD_TLP), judge.true("kept", kept == wrote, f"{kept:#x}"),
                        judge.zero("inherited", len(differs), differs),
                        judge.true("as_at_first", bool(sha) and again.get("vconfig_sha") == sha)]
    findings.checks += work_checks(run, findings)


# -- low power ----------------------------------------------------------------------------------------------------------

def sleeps(run, findings):
    """Asked for low power a preserved device refuses, and the mapping of its own BAR stays; the update goes on."""
    steps.begin(run)
    run.open_devices()
    run.call("vfio.p2p", slot=0, bar=FLASH_BAR, iova=P2P_IOVA)
    run.start_work()
    if not run.skipped("prepare"):
        run.prepare()
    run.open_window(run.dumps())
    said = None
    try:
        run.call("vfio.sleep", slot=0)
    except StepFailed as e:
        if e.reason != "vfio.sleep":
            raise
        said = e.text
    run.note("low power", said=said or "granted")
    findings.checks.append(judge.true("refused", said is not None, said or "granted"))
    if said is None:            # whoever touches it now gets a SIGBUS
        close(run, findings)
        return
    desc = run.call("dev.stat", slot=0)["rdh"] + int(run.rate * P2P_AFTER_S)
    run.watcher.slots[0].planted.add(desc)
    run.call("nic.aim", slot=0, first=desc, step=run.descs - 1, addrs=[P2P_IOVA])
    run.let_flow(2 * P2P_AFTER_S)
    used = run.call("dev.stat", slot=0)["rdh"] > desc
    run.mark()
    steps.cancel(run)
    steps.take(run, ["update"])
    close(run, findings)
    findings.checks += [judge.true("mapping_used", used)]
    findings.checks += work_checks(run, findings) + judge.iommu_checks(findings.sections["iommu"], 0)


# -- an owner who keeps his device busy -----------------------------------------------------------------------------------

def busy(run, findings):
    """The owner of one of two devices keeps its locks, or has it mapped without end: the other one is updated in time."""
    steps.begin(run)
    run.open_devices()
    run.start_work()
    answered = _preserved_meanwhile(run) if run.sc.act == "resets" else 0
    run.call("luo.preserve", slot=1, session=run.sc.session_of(1), timeout=30)      # it is frozen first
    if run.sc.act == "resets":
        run.call("hostile.reset", slot=1, tasks=run.sc.tasks)
    else:
        run.call("hostile.map", slot=1, tasks=run.sc.tasks, maps=MAPS, timeout=120)
    run.note("busy")
    run.call("luo.preserve", slot=0, session=run.sc.session_of(0), timeout=30)
    run.note("PREPARE")
    run.load(0)
    kept = run.slots[0]
    run.open_window({bdf: run.dump(bdf) for bdf in [*kept["ports"], kept["bdf"]]})
    t_exec, _boot = run.kexec()
    run.call("luo.retrieve", slot=0, session=run.sc.session_of(0), timeout=60)
    t_retrieved = time.monotonic()
    rearm = run.call("dev.rearm", slot=0, kick=True)
    run.call("luo.finish", session=run.sc.session_of(0), timeout=30)
    run.mark()
    run.note("FINISH")
    run.let_flow(run.sc.settle_s)
    steps.updated(run, t_exec, t_retrieved)
    close(run, findings)
    dma = findings.sections["dma"] = judge.dma_section([run.works[0].section()])
    quiesced = [ev.t - run.wall0 - t_exec for ev in run.trace() if ev.kind == "cfg" and ev.bdf == kept["bdf"] and ev.t - run.wall0 > t_exec]
    waited = round(min(quiesced) * 1000)
    limit = round(2 * FREEZE_MS * run.opt.patience)
    limit_preserve = round(PRESERVE_MS * run.opt.patience)
    findings.checks += [judge.Check("preserve_ms", answered, f"< {limit_preserve}", answered < limit_preserve),
                        judge.Check("waited_ms", waited, f"< {limit}", waited < limit),
                        judge.zero("irq_lost", sum(1 for n in rearm["irq"] if not n))]
    findings.checks += judge.dma_checks(dma, True) + judge.config_checks(findings.sections["config"]) + judge.log_checks(run.said())


def _preserved_meanwhile(run):
    """Milliseconds until PRESERVE has answered, one way or the other: until then nobody can be updated."""
    pids = run.call("hostile.reset", slot=1, tasks=run.sc.tasks)["pids"]
    t0 = time.monotonic()
    try:
        run.call("luo.preserve", slot=1, session=run.sc.session_of(1), timeout=30)
        run.call("luo.cancel", session=run.sc.session_of(1))
    except StepFailed as e:
        if e.reason != "luo.preserve":
            raise
        run.note("refused", said=e.text)
    took = round((time.monotonic() - t0) * 1000)
    for pid in pids:
        run.call("hostile.kill", pid=pid)
    _until(run, lambda: all(_dead(run.read(f"/proc/{pid}/status")) for pid in pids))
    return took


def _dead(status):
    return not status or "\nState:\tZ" in status


ACTS = {"cancel-intx": cancel_intx, "pristine": pristine, "sleeps": sleeps, "resets": busy, "maps": busy}
