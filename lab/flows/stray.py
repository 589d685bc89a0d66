"""Registers of a port that somebody changed behind the kernel's back while a device is prepared: FREEZE has to see each of
them. (What a guest can do to its own device must not keep others from their update, and is no reason to refuse.)"""

from .. import judge
from ..errors import StepFailed
from .steps import begin


def _cases(slot):
    """(name, device, offset, size, value to write, register that has to be named)."""
    port = slot["ports"][-1]
    return [
        ("a window that closed", port, 0x20, 4, 0x0000FFF0, "Memory Base, Limit"),
        ("a bridge without Bus Master", port, 0x04, 2, 0x0003, "Command"),
        ("another bus number", port, 0x1A, 1, 0x00, "Bus Numbers"),
    ]


def _refused(run, bdf, reg):
    """FREEZE, which must fail and say why: what was missing, or ""."""
    known = len(run.save_klog())
    try:
        run.kexec(say=False)
    except StepFailed as e:
        if e.reason != "freeze_refused":
            raise
    else:
        raise StepFailed("freeze_not_refused", f"the kernel was replaced although {reg} of {bdf} had been changed")
    said = [line for line in run.save_klog()[known:] if "cannot freeze" in line]
    return "" if any(f"{reg} of {bdf}" in line for line in said) else f"said {said}"


def cases(run):
    """Per case: (its name, what was wrong with the refusal or "")."""
    out = []
    for name, bdf, off, size, value, reg in _cases(run.slots[0]):
        was = run.call("pci.read", bdf=bdf, off=off, size=size)["value"]
        if not run.skipped("change"):
            run.call("pci.write", bdf=bdf, off=off, size=size, value=value)
        wrong = _refused(run, bdf, reg)
        run.call("pci.write", bdf=bdf, off=off, size=size, value=was)
        run.note("refused", said=f"{name}: {wrong or reg}")
        out.append((name, wrong))
    return out


def stray_flow(run, findings):
    """While the device is prepared somebody changes a register behind the kernel's back: FREEZE refuses, and names it."""
    begin(run)
    run.open_devices()
    run.prepare()
    run.load(0)
    for name, wrong in cases(run):
        findings.checks.append(judge.true(f"refused: {name}", not wrong, wrong))
