"""A device that reaches a BAR which stays behind."""

import os

from .. import judge
from ..errors import StepFailed
from ..findings import close
from ..timeline import Update
from ..workloads.igb_peer import IOVA
from .steps import begin


def dropped(run, bdf):
    """What the old kernel said last of a device, if it has left it behind."""
    with open(os.path.join(run.dir, "console.log"), encoding="utf-8", errors="replace") as f:
        return [line.strip() for line in f if bdf in line and "dropped" in line]


def refused_flow(run, findings):
    """Slot 1 reaches a BAR of the device in slot 0, which nobody preserves. Its owner can hear of it; at the kexec the device is
    left behind, and nobody else."""
    begin(run)
    run.check_bystander("before")
    run.open_devices()
    run.start_work()
    bdf, target = run.slots[1]["bdf"], run.slots[0]["bdf"]
    for number in (1, 0) if run.skipped("alone") else (1,):
        run.call("luo.preserve", slot=number, session=run.sc.session_of(number), timeout=30)
    run.note("PREPARE")
    asked = run.call("luo.why", slot=1)["reason"]
    run.load(0)
    run.open_window(run.dumps())
    t_exec, _boot = run.kexec()
    run.updates.append(Update(1, run.kernels["new"], t_exec))
    said = ""
    try:
        if not run.skipped("alone"):
            run.call("luo.retrieve", slot=1, session=run.sc.session_of(1), timeout=60)
    except StepFailed as e:
        said = e.text
    run.mark()
    run.check_bystander("after")
    close(run, findings)
    words = f"mapping at IOVA {IOVA:#x} is a BAR of {target}, which is not preserved in the same session"
    lines = dropped(run, bdf)
    findings.checks += [judge.true("asked", words in asked, details=[asked]),
                        judge.true("dropped", any(words in line for line in lines), details=lines),
                        judge.true("not_retrieved", "No such device" in said, details=[said]),
                        judge.true("told", any(bdf in line and "dropped it at freeze" in line for line in run.said()))]
    findings.checks += judge.log_checks(run.said()) + judge.breach_checks(findings.sections["iommu"])
    findings.checks += judge.bystander_checks(run.net)
