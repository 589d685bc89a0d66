"""The driver of a PF takes part in an update for the sake of its VF: a test driver, of which each callback is called, refuses, and
checks that the others came in order."""

import re

from .. import judge
from ..errors import StepFailed
from ..findings import close
from ..judge import policy
from . import steps

DRIVER = "pci_lu_test"
FAIL = f"/sys/module/{DRIVER}/parameters/fail"
ROW = "TEST.AER_MASK"
AER = 1                 # the extended capability
UNCOR_MASK = 8
SESSION = "holdfast"

# What the driver is told to do wrong, and what PREPARE says then.
REFUSED = {"preserve": "the driver of its physical function refuses", "row": "the driver of its physical function refuses"}
# The same for the freeze.
NOT_FROZEN = {"freeze": "refuses", "oversize": "hands over 257 bytes"}


def driver_flow(run, findings):
    steps.begin(run)
    ACTS[run.sc.act](run, findings)
    close(run, findings)
    said = run.said()
    wrong = [line for line in said if f"{DRIVER}: order" in line]
    findings.checks += [judge.zero("order", len(wrong), wrong)] + judge.log_checks(said)


def _callbacks(run, findings):
    """Every callback: made to refuse, undone, and then through an update."""
    pf, vf = _give(run)
    checks = findings.checks
    for what, text in REFUSED.items():
        said = _says(run, what, lambda: _preserve(run))
        checks.append(judge.true(f"refused: {what}", bool(said and text in said), details=[said or "preserved"]))
    _preserve(run)
    run.call("luo.cancel", session=SESSION)
    checks.append(judge.true("cancelled", _log(run, pf)[-2:] == ["preserve", "unpreserve"], details=_log(run, pf)))

    _spoil(run)
    _preserve(run)
    run.load(0)
    for what, text in NOT_FROZEN.items():
        said = _says(run, what, lambda: run.kexec(say=False))
        checks.append(judge.true(f"not frozen: {what}", bool(said and text in said), details=[said or "frozen"]))
    checks.append(judge.true("thawed", _log(run, pf)[-3:] == ["preserve", "freeze", "unfreeze"], details=_log(run, pf)))
    _over(run)
    _back(run, checks, pf, vf)


def _gone(run, findings):
    """The driver of the next kernel cannot have its device: the VF goes on, and nobody touches the PF."""
    pf, vf = _give(run)
    _preserve(run)
    run.load(0)
    _over(run)
    checks = findings.checks
    checks.append(judge.true("no driver", _driver(run, pf) == ""))
    run.call("luo.retrieve", slot=0, session=SESSION, timeout=60)
    run.call("luo.finish", session=SESSION, timeout=30)
    line = f"{pf}: live update: finished without its driver"
    checks += [judge.true("let go", any(line in one for one in run.save_klog())),
               judge.true("the VF is there", _driver(run, vf) == "vfio-pci")]


ACTS = {"callbacks": _callbacks, "gone": _gone}


def _give(run):
    """The PF to the test driver, with one VF, which is opened: (PF, VF)."""
    pf = run.machine.nics[0].bdf
    base = f"/sys/bus/pci/devices/{pf}"
    write(run, f"{base}/driver/unbind", pf)
    write(run, f"{base}/driver_override", DRIVER)
    write(run, "/sys/bus/pci/drivers_probe", pf)
    write(run, f"{base}/sriov_numvfs", "1")
    vf = policy.first_vf(run.dump(pf), pf)
    run.call("dev.open", slot=0, bdf=vf, descs=run.descs, vectors=1, native=False, bare=True, timeout=30)
    run.note("open", slot=0, bdf=vf)
    run.started = True
    return pf, vf


def _preserve(run):
    run.call("luo.preserve", slot=0, session=SESSION, timeout=30)


def _over(run):
    run.save_klog()
    run.kexec()


def _back(run, checks, pf, vf):
    """In the new kernel: blob and row are there, until the VF is finished."""
    checks += [judge.true("retrieved", _log(run, pf)[-1:] == ["retrieve"], details=_log(run, pf)),
               judge.true("the driver is back", _driver(run, pf) == DRIVER),
               judge.true("the VF is there", _driver(run, vf) == "vfio-pci")]
    kept = _mask_sticks(run, pf)
    checks.append(judge.true("row", kept))
    counters = run.read(f"/sys/kernel/debug/pci_liveupdate/{pf}")
    checks.append(judge.true("row counted", bool(re.search(rf"^{ROW} [1-9]", counters, re.M)), details=counters.splitlines()))
    run.call("luo.retrieve", slot=0, session=SESSION, timeout=60)
    checks.append(judge.true("not finished yet", "finish" not in _log(run, pf)))
    run.call("luo.finish", session=SESSION, timeout=30)
    checks += [judge.true("finished", _log(run, pf)[-1:] == ["finish"], details=_log(run, pf)),
               judge.true("row gone", not _mask_sticks(run, pf))]


def _mask_sticks(run, bdf):
    """Writes one bit of the mask that the driver protects; True when the device has not got it."""
    off = policy.capabilities(run.dump(bdf))[("ext", AER)] + UNCOR_MASK
    old = run.call("pci.read", bdf=bdf, off=off, size=4)["value"]
    run.call("pci.write", bdf=bdf, off=off, size=4, value=old ^ 0x100000)
    new = run.call("pci.read", bdf=bdf, off=off, size=4)["value"]
    run.call("pci.write", bdf=bdf, off=off, size=4, value=old)
    return new == old


def _says(run, what, act):
    """What is said of an act that the driver is told to spoil, or None when it succeeds all the same."""
    known = len(run.save_klog())
    write(run, FAIL, what)
    try:
        act()
    except StepFailed as e:
        if e.reason not in ("luo.preserve", "freeze_refused"):
            raise
        return "; ".join([e.text] + run.save_klog()[known:])
    finally:
        _spoil(run)
    return None


def _spoil(run):
    """What the twin leaves out and hands over wrong; nothing otherwise."""
    write(run, FAIL, "norow,page" if run.skipped("row") else "")


def _log(run, bdf):
    """The callbacks of this kernel, in order."""
    found = [re.search(rf"{bdf}: {DRIVER}: (\w+)", line) for line in run.save_klog()]
    return [m.group(1) for m in found if m]


def _driver(run, bdf):
    """The driver of a device, or ""."""
    m = re.search(r"^DRIVER=(.*)$", run.read(f"/sys/bus/pci/devices/{bdf}/uevent"), re.M)
    return m.group(1) if m else ""


def write(run, path, text):
    run.call("sys.write", path=path, text=text or "\n")
