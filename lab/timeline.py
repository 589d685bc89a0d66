"""When what happened: the clocks, the steps of an update that QEMU's trace shows while the host cannot speak."""

import os
import threading
import time
from dataclasses import dataclass, field

from .observe import trace

NAMES = {"freeze": "quiesced", "handover": "kexec", "scan": "scan", "adopt": "adopt"}


@dataclass
class Update:
    """One update, all times as the lab's monotonic clock has them; None: it did not come so far."""
    number: int = 1                 # from 1
    release: str = None             # of the new kernel
    t_exec: float = None            # the command that replaces the kernel
    t_retrieved: dict = field(default_factory=dict)     # of each slot: its device is attached again
    t_attached: float = None        # and all are
    attached: int = None            # the mark of then, in QEMU's trace
    before: dict = field(default_factory=dict)          # of each slot: dev.stat in the old kernel
    images: dict = field(default_factory=dict)          # of each function that is kept: its configuration space


@dataclass
class VmUpdate(Update):
    """The same of a VM."""
    t_migrate: float = None         # QEMU is told to save
    t_stop: float = None            # the VM stands still
    t_saving: float = None          # the helper has what QEMU saved
    t_ready: float = None           # all is preserved
    t_boot: float = None            # first word of the new kernel
    t_resume: float = None          # the helper is told to go on
    t_loading: float = None
    t_running: float = None
    t_beat: float = None            # the VM's own first word
    t_end: float = None
    freeze_ms: float = None
    helper: dict = field(default_factory=dict)          # its own times, ms


def wall_offset():
    """The one pair of clock readings, of several, with the least between them: nobody took the CPU away."""
    best = None
    for _ in range(9):
        a, wall, b = time.monotonic(), time.time(), time.monotonic()
        if best is None or b - a < best[0]:
            best = b - a, wall - (a + b) / 2
    return best[1]


def milestones(events, start, devices):
    """[(name, event)] of one replacement, read from the trace after position `start`.

    freeze: the first config write to a preserved device; handover: the old kernel's last root table or translation
    change; scan: the first config write after it; adopt: the new kernel's first root table.
    """
    out, stage = [], "freeze"
    for ev in events[start + 1:]:
        if stage == "freeze" and ev.kind == "cfg" and ev.bdf in devices:
            out.append(("freeze", ev))
            stage = "handover"
        elif stage in ("freeze", "handover") and (ev.kind == "root" or (ev.kind == "translation" and not ev.value)):
            out.append(("handover", ev))
            stage = "scan"
        elif stage == "scan" and ev.kind == "cfg":
            out.append(("scan", ev))
            stage = "adopt"
        elif stage in ("scan", "adopt") and ev.kind == "root":
            out.append(("adopt", ev))
            break
    return out


class Tail(threading.Thread):
    """Follows QEMU's trace while the guest cannot speak, so that the timeline has the steps in between."""

    def __init__(self, run, t_exec):
        super().__init__(name="tail", daemon=True)
        self.run_, self.t_exec = run, t_exec
        self.devices = {s["bdf"] for s in run.slots.values()}
        self.done = threading.Event()
        self.path = run.machine.trace_path
        self.pos = os.path.getsize(self.path) if os.path.exists(self.path) else 0
        self.events, self.told = [], 0
        self.rest = ""
        self.start()

    def run(self):
        while not self.done.wait(0.1):
            self.step()

    def stop(self):
        self.done.set()
        self.join(2)
        self.step()

    def step(self):
        try:
            with open(self.path, errors="replace") as f:
                f.seek(self.pos)
                text = f.read()
                self.pos = f.tell()
        except OSError:
            return
        *lines, self.rest = (self.rest + text).split("\n")
        self.events += trace.parse(lines)
        found = milestones(self.events, -1, self.devices)
        for name, ev in found[self.told:]:
            at = ev.t - self.run_.wall0
            # Without PREPARE the first write to the device is the one that stops it.
            stops = name == "freeze" and self.run_.sc.kind == "blackout"
            self.run_.note("stopped" if stops else NAMES[name], at=at)
            if name == "handover":
                self.run_.meddle()
            key = {"handover": "freeze", "adopt": "adopt"}.get(name)
            if key == "freeze":
                self.run_.times.setdefault("freeze", ms(at - self.t_exec))
            elif key == "adopt":
                scan = next((e for n, e in found if n == "scan"), ev)
                self.run_.times.setdefault("adopt", ms(ev.t - scan.t))
        self.told = len(found)


def ms(seconds):
    return round(seconds * 1000, 1)
