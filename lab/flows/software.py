"""After an update the kernel and its devices agree: every register of the policy, as software has it and as QEMU reads it."""

import re
import time

from .. import judge
from ..errors import NotSeen
from ..findings import close, work_checks
from ..judge import software
from ..timeline import Update
from .steps import begin

PCIEXBAR = 0x60         # of q35's host bridge: where config space is in memory
CONFIG = 4096
ENABLED = 1


def software_flow(run, findings):
    """Of two NICs one has its interrupts back at FINISH; the other one's are as the previous kernel left them."""
    begin(run)
    run.open_devices()
    run.start_work()
    run.prepare()
    run.load(0)
    images = run.dumps()
    run.open_window(images)
    t_exec, _boot = run.kexec()
    t_retrieved = {}
    for number in run.slots:
        run.call("luo.retrieve", slot=number, session=run.sc.session_of(number), timeout=60)
        t_retrieved[number] = time.monotonic()
    for number in list(run.slots)[:-1]:
        run.call("dev.rearm", slot=number, kick=True)
    run.note("re-armed")
    run.updates.append(Update(1, run.kernels["new"], t_exec, t_retrieved))
    run.mark()      # what FINISH itself writes is what was withheld until then
    for session in run.sessions():
        run.call("luo.finish", session=session, timeout=30)
    run.note("FINISH")
    accounts = {bdf: run.read(f"/sys/kernel/debug/pci_liveupdate/{bdf}-copies") for bdf in images}
    outside = {bdf: from_outside(run, bdf) for bdf in images}
    run.let_flow(run.sc.settle_s)
    close(run, findings)
    section = findings.sections["software"] = software.software_section(accounts, outside)
    findings.checks += software.software_checks(section, run.sc.absent)
    findings.checks += work_checks(run, findings) + judge.config_checks(findings.sections["config"])
    findings.checks += judge.log_checks(run.said())


def from_outside(run, bdf):
    """A function's config space as QEMU reads it, beneath everything that the kernel might put in between."""
    base = run.call("pci.read", bdf="0000:00:00.0", off=PCIEXBAR, size=4)["value"]
    bus, slot, function = int(bdf[5:7], 16), int(bdf[8:10], 16), int(bdf[11])
    at = (base & 0xFC000000) + (bus << 20 | slot << 15 | function << 12)
    said = run.machine.qmp.call("human-monitor-command", **{"command-line": f"xp /{CONFIG // 4}wx {at:#x}"})
    words = [int(word, 16) for line in said.splitlines() for word in re.findall(r"0x[0-9a-f]+", line.partition(":")[2])]
    if not base & ENABLED or len(words) != CONFIG // 4:
        raise NotSeen(f"config space of {bdf} from outside")
    return b"".join(word.to_bytes(4, "little") for word in words)
