"""An NVMe controller with commands in flight, whose completions nobody serves while there is no kernel: each comes back once,
with the right data."""

import os
import struct
import time

from .. import judge
from ..host.devices import Device
from ..judge import nvme
from .base import Workload

BLOCK = 4096
FIRST_READ, FIRST_WRITE = 256, 4096     # blocks before them hold nothing, for whoever looks for a partition table
DISK_BLOCKS = 8192
READS, WRITES, EVENTS = 55, 55, 2       # of each queue; events of the controller
SURE = 64               # bytes of a block that nothing else has
REAP_S = 30
QUIET_S = 1.0           # from BIND to SET_IRQS, with the level up


class Controller(Device):
    """For QEMU: the controller and its disk, which does so many operations a second and no more; `cmb`: MB of memory that it has
    in BAR 2."""

    def __init__(self, ident, behind, iops, cmb=0):
        super().__init__(ident, "nvme", behind)
        self.iops, self.cmb = iops, cmb
        self.path = None

    def prepare(self, outdir):
        """Every block that may be read holds its number."""
        self.path = os.path.join(outdir, f"{self.id}.disk")
        with open(self.path, "wb") as f:
            f.truncate(DISK_BLOCKS * BLOCK)
            f.seek(FIRST_READ * BLOCK)
            for block in range(FIRST_READ, DISK_BLOCKS // 2):
                f.write(block_of(block))

    def block(self, number):
        with open(self.path, "rb") as f:
            f.seek(number * BLOCK)
            return f.read(BLOCK)

    def function(self, bus, where):
        return ["-drive", f"id=disk-{self.id},if=none,format=raw,file={self.path},throttling.iops-total={self.iops}",
                "-device", f"nvme,id={self.id},serial={self.id},drive=disk-{self.id},bus={bus}{where},romfile=" +
                (f",cmb_size_mb={self.cmb}" if self.cmb else "")]


def block_of(number):
    """What a block of that number holds; word() of the agent."""
    return struct.pack("<512Q", *((0x4C42 << 48) + (number << 16) + i for i in range(512)))


class Nvme(Workload):
    name = "nvme"
    screams = True
    keys = Workload.keys | {"iops", "cmb"}
    needle, needle_at = bytes.fromhex("0000424c0100"), 4        # in every block that it reads or writes

    def __init__(self, run, number, device, spec):
        super().__init__(run, number, device, spec)
        self.then = self.end = self.raised = None       # nvme.stat with all submitted, and last; dev.stat with the line up
        self.queues = 2 if self.intx else run.sc.vectors - 1
        self.each = READS // run.sc.updates, WRITES // run.sc.updates

    @classmethod
    def qemu(cls, number, spec):
        return Controller(f"nvme{number}", spec["behind"], spec.get("iops", 60), spec.get("cmb", 0))

    def open(self):
        self.then = None
        return super().open()

    def before_jump(self):
        """Commands for longer than an update takes. With the first completion a line is up, and stays so."""
        run, (reads, writes) = self.run, self.each
        got = run.call("nvme.submit", slot=self.number, reads=reads, writes=writes, events=0 if self.then else EVENTS)
        run.note("submitted", slot=self.number, count=got["submitted"])
        self.then = run.call("nvme.stat", slot=self.number)
        for _ in range(50 if self.intx else 0):
            self.raised = run.call("dev.stat", slot=self.number)["pba"]
            if self.raised:
                break

    def attached(self):
        if self.intx:
            time.sleep(QUIET_S)             # nothing may happen now, which no event can tell

    def more(self, seconds):
        return self.reap

    def reap(self):
        """Serves the controller until every command has come back, or none has for a while."""
        run = self.run
        limit = REAP_S * run.opt.patience
        end, done = time.monotonic() + limit, None
        while time.monotonic() < end:
            run.call("dev.poll", slot=self.number)
            got = run.call("nvme.reap", slot=self.number, unmask=self.intx)
            if got["done"] or done is None:
                done, end = run.call("nvme.stat", slot=self.number), time.monotonic() + limit
            if not done["never"]:
                break
        self.end = run.call("nvme.stat", slot=self.number)

    def disk(self):
        """(blocks written that are not on the disk as they were, blocks looked at)."""
        reads, writes = self.each
        of_queue = [first + reads + i for first in range(0, (reads + writes) * self.run.sc.updates, reads + writes)
                    for i in range(writes)]
        wanted = [FIRST_WRITE + q * 128 + i for q in range(self.queues) for i in of_queue]
        return sum(self.device.block(b) != block_of(b) for b in wanted), len(wanted)

    @staticmethod
    def is_ours(data):
        """Six bytes can be anything's."""
        return data[:SURE] == block_of(int.from_bytes(data[2:4], "little"))[:SURE]

    @classmethod
    def checks(cls, run, works, findings, blackout):
        blocks = [w.disk() for w in works]
        events, out = run.trace(), []
        out += nvme.command_checks({w.number: (w.then, w.end) for w in works}, sum(b for b, _n in blocks), sum(n for _b, n in blocks))
        for up, window in zip(run.updates, run.windows):
            outstanding, iops = sum(w.then["never"] for w in works), sum(w.device.iops for w in works)
            out.append(nvme.in_time_check(nvme.completions(events, window, up.attached), up.t_attached - up.t_exec, iops, outstanding))
        out.append(judge.zero("controller_resets", nvme.controller_resets(events, run.windows)))
        if any(w.intx for w in works):
            out += judge.seen(lines_that_are_up=all(w.raised for w in works if w.intx))
        return out

    @classmethod
    def stopped_checks(cls, run, works, findings):
        return judge.seen(commands_in_flight=all(w.then["never"] for w in works))


WORKLOAD = Nvme
