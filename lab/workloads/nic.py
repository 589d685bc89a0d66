"""What all network devices that receive have in common."""

import struct
import time

from .. import judge
from ..errors import StepFailed
from ..host.devices import Nic, nic_model
from ..observe import traffic, watch, wire
from .base import Workload, watched

PLANT_AFTER_S = 1.2
STALL_S = 1.5           # nothing landed for so long: it is in vain to wait for more


class Receiver(Workload):
    """Frames come in at a steady rate, each into the next buffer: none may be lost, whatever happens to the kernel."""

    family = "nic"
    model = None            # of QEMU
    ring = watch.Slot       # how the lab sees what landed
    keys = Workload.keys | {"model"}
    needle, needle_at = traffic.SRC_MAC + struct.pack(">HI", traffic.ETHERTYPE, traffic.MAGIC), 6

    def __init__(self, run, number, device, spec):
        super().__init__(run, number, device, spec)
        self.past = []          # sections of the owners that it had before
        self.since = 0          # updates that were before this owner

    @classmethod
    def qemu(cls, number, spec):
        return Nic(f"nic{number}", nic_model(spec["behind"], spec.get("model", cls.model)), f"52:54:00:00:00:{number + 1:02x}",
                   spec["behind"])

    @property
    def seen(self):
        return self.run.watcher.slots[self.number]

    def open_args(self):
        return {**super().open_args(), "descs": self.run.descs}

    def open(self):
        geometry = super().open()
        self.slot["mac"] = self.device.mac
        self.since = len(self.run.updates)
        self.run.watcher.add(self.number, self.slot["layout"], geometry, self.number + 1, self.ring)
        return geometry

    def start(self):
        run = self.run
        sender = traffic.Sender(self.device.sock, traffic.mac_bytes(self.device.mac), self.number + 1, run.rate,
                                other=run.other_frame)
        run.senders[self.number] = sender
        sender.start()
        run.note("traffic", rate=run.rate)

    def steady(self):
        run = self.run
        if not run.watcher.wait_landed(self.number, max(20, run.rate // 2), 15 * run.opt.patience):
            raise StepFailed("no_traffic", f"slot {self.number}: no packets land: {run.watcher.error or 'too few in time'}")
        self.slot["first"] = self.seen.high + 1
        self.slot["t_first"] = time.monotonic()

    def before_jump(self):
        """One descriptor points to where nothing is mapped."""
        run = self.run
        if not run.sc.plant:
            return
        got = run.call("nic.plant", slot=self.number, ahead=max(8, int(run.rate * PLANT_AFTER_S)))
        self.seen.planted.add(got["desc"])
        run.watcher.add_canary(got["canary_gpa"])
        run.planted.append((self.slot["bdf"], got["iova"]))
        run.note("planted", slot=self.number)

    def more(self, seconds):
        run, goal = self.run, self.seen.landed() + int(self.run.rate * seconds)
        return lambda: run.watcher.wait_landed(self.number, goal, seconds * 3 + 2, STALL_S * run.opt.patience)

    def stop(self):
        sender = self.run.senders.get(self.number)
        if sender is None or "last" in self.slot:
            return
        last = sender.stop() - 1
        self.run.note("traffic stopped", slot=self.number)
        self.run.watcher.drain(self.number, last)
        self.slot["last"] = last
        self.slot["t_last"] = time.monotonic()

    def drop(self):
        self.stop()
        self.past.append(self.section())
        self.run.past_times += self.seen.times
        super().drop()
        del self.run.watcher.slots[self.number], self.run.senders[self.number]

    def section(self):
        """What there is to say of its present owner's time."""
        run, slot, seen, sender = self.run, self.slot, self.seen, self.run.senders[self.number]
        first, last, planted = slot.get("first", 0), slot["last"], seen.planted_done
        offered, landed, lost = judge.frames(seen.seen, first, last, planted)
        in_blackout = offered_in = 0
        for up in run.updates[self.since:]:
            end = up.t_retrieved.get(self.number)
            if end is None:
                continue
            in_blackout += sum(1 for t, _s in seen.times if up.t_exec <= t <= end)
            offered_in += sender.sent_between(up.t_exec, end)
        gap = watch.max_gap_ms(seen.times, slot.get("t_first", run.t0), max((t for t, _s in seen.times), default=run.t0))
        return {"offered": offered, "landed": landed, "lost": lost, "corrupt": seen.corrupt + seen.foreign,
                "out_of_order": seen.out_of_order, "duplicate": seen.duplicate, "planted": planted,
                "landed_in_blackout": in_blackout, "offered_in_blackout": offered_in, "max_gap_ms": max(gap, 0),
                "late": sender.max_late_us.value}

    @classmethod
    def sections(cls, run, works, findings):
        """Once for all kinds of NIC: the section adds up."""
        nics = [w for w in run.works.values() if isinstance(w, Receiver)]
        drops = [wire.socket_drops(n.port) for n in run.machine.nics] if run.machine else []
        findings.ring_used_up = any(s.next >= s.descs for s in run.watcher.slots.values()) if run.watcher else False
        present = [w.section() for w in nics if {"first", "last"} <= run.slots.get(w.number, {}).keys()]
        slots = present + [s for w in nics for s in w.past]
        if slots:
            findings.sections["dma"] = judge.dma_section(slots)
            findings.sections["dma"]["host_socket_drops"] = sum(d or 0 for d in drops)
            findings.sections["dma"]["sender_max_late_us"] = max((s["late"] for s in slots), default=0)
            times = sorted(run.past_times + [t for w in nics if w.number in run.watcher.slots for t in w.seen.times])
            findings.series = watch.series(times, run.t0)

    @classmethod
    def checks(cls, run, works, findings, blackout):
        return judge.dma_checks(findings.sections["dma"], blackout) + [watched(run)]

    @classmethod
    def stopped_checks(cls, run, works, findings):
        """What landed before it stopped is whole."""
        dma = findings.sections["dma"]
        return judge.seen(frames_landed=dma["landed"]) + [judge.zero("corrupt", dma["corrupt"]), watched(run)]

