"""An igb that puts every 16th frame into a BAR of another device under test: the memory of an NVMe controller (CMB), where the
lab finds it without anybody's help."""

import time

from ..errors import StepFailed
from ..judge import p2p
from ..observe import bar
from .igb import Igb

BAR, SIZE, IOVA = 2, 1 << 20, 0x60_0000_0000
STEP, STRIDE = 16, 256
AHEAD_S = 1.0           # the first such descriptor is so far ahead of the NIC
SOME = 10               # frames in the BAR before anything is done
LATE_S = 15


class IgbPeer(Igb):
    keys = Igb.keys | {"peer"}
    preserved_first = True          # before the device that it reaches, which could only be known later

    def __init__(self, run, number, device, spec):
        super().__init__(run, number, device, spec)
        self.peer = spec.get("peer", 0)         # its slot
        self.base = None
        self.early, self.frames, self.until = [], [], None

    def open(self):
        geometry = super().open()
        self.run.call("nic.reach", slot=self.number, peer=self.peer, bar=BAR, iova=IOVA, bytes=SIZE)
        return geometry

    def look(self):
        return bar.frames(bar.read(self.run.machine, self.base, SIZE), STRIDE)

    def steady(self):
        super().steady()
        run = self.run
        self.base = bar.address(run.call("dev.stat", slot=self.peer)["bars"], BAR)
        first = run.call("dev.stat", slot=self.number)["rdh"] + int(run.rate * AHEAD_S)
        self.seen.planted.update(range(first, run.descs, STEP)[:SIZE // STRIDE])
        run.call("nic.aim", slot=self.number, first=first, step=STEP, stride=STRIDE, addrs=[IOVA], most=SIZE // STRIDE)
        end = time.monotonic() + LATE_S * run.opt.patience
        while len(self.look()) < SOME:
            if time.monotonic() > end:
                raise StepFailed("p2p_nothing", "no frame comes into the BAR before the update")
            time.sleep(0.1)
        run.note("frames in the BAR")

    def retrieve_args(self):
        return {"no_peer": self.run.skipped("map-peer")}

    def attached(self):
        """What is there now came while there was no kernel, or no owner."""
        self.until, self.early = time.monotonic(), self.look()

    def stop(self):
        super().stop()
        if self.base and self.run.machine.alive():
            self.frames = self.look()

    @classmethod
    def checks(cls, run, works, findings, blackout):
        out = super().checks(run, works, findings, blackout)
        for work in (w for w in works if isinstance(w, IgbPeer)):
            up = run.updates[-1]
            span = up.t_exec, up.t_retrieved[work.number]
            sent = run.senders[work.number].sent_between(*span)
            out += p2p.checks(work.seen.seen, work.slot["first"], work.slot["last"], work.frames, work.early, span, sent, STEP)
        return out


WORKLOAD = IgbPeer
