"""What the flows ask of every device under test. A kind of device overrides what it does in a way of its own."""

from .. import judge
from ..host.devices import Device

POLLS = 10              # for all vectors of a device that were raised at once


class Workload:
    """One device under test and what is done with it."""

    name = ""                   # in the agent, and in scenarios
    family = ""                 # kinds of one family are judged together; "": it is one of its own
    keys = {"behind", "irq"}    # what a [[device]] of this kind may say, beside `workload`

    default_irq = "msix"        # msix | msi | intx

    # Bytes that all which this device moves has in it, so many bytes from its start.
    needle, needle_at = None, 0

    preserved_first = False     # of the devices of a run

    screams = False             # a line that stays up fills the trace faster than it can be read

    def __init__(self, run, number, device, spec):
        self.run, self.number, self.device = run, number, device
        self.irq = spec.get("irq", self.default_irq)
        self.intx = self.irq == "intx"

    @classmethod
    def qemu(cls, number, spec):
        """The device, for QEMU."""
        return Device(f"{cls.name}{number}", cls.name, spec["behind"])

    @property
    def slot(self):
        return self.run.slots[self.number]

    # -- steps, in the order in which they are taken ---------------------------------------------------------------

    def open_args(self):
        """Of dev.open, beside slot and address."""
        return {"workload": self.name, "vectors": self.run.sc.vectors if self.irq == "msix" else 1, "intx": self.intx,
                "msi": self.irq == "msi"}

    def open(self):
        """Up to a device that works, or could; returns the geometry of its memory."""
        run = self.run
        got = run.call("dev.open", slot=self.number, bdf=self.device.bdf, timeout=30, **self.open_args())
        geometry, layout = run.memory(self.number)
        run.slots[self.number] = {"bdf": self.device.bdf, "ports": self.device.ports, "runs": layout.runs, "layout": layout,
                                  "vconfig_sha": got.get("vconfig_sha")}
        run.note("open", slot=self.number, bdf=self.device.bdf)
        return geometry

    def start(self):
        """Its work begins."""

    def steady(self):
        """Waits until it is seen to work."""

    def before_jump(self):
        """The last that is done before the kernel is replaced."""

    def retrieve_args(self):
        """Of luo.retrieve, beside slot and session."""
        return {}

    def attached(self):
        """It has its new owner, and its interrupts are still masked."""

    def rearm(self):
        run = self.run
        got = run.call("dev.rearm", slot=self.number, kick=True)
        got["pba"] = got.get("pba_before", 0)
        got.setdefault("irq_latched", [0] * len(got["irq"]))
        run.rearms.append(dict(got, slot=self.number))
        run.note("re-armed", slot=self.number)

    def look(self, when):
        """Step "host": does it work for the host itself?"""

    def more(self, seconds):
        """A function that waits until it has done so many seconds' worth of work from now on."""
        return lambda: None

    def stop(self):
        """No more work; what is on its way arrives. Not to be relied on for talking to the agent: it may be gone."""

    def drop(self):
        """Its owner dies, with the device as it is. What was seen of it until then still counts."""
        self.stop()
        self.run.past_layouts.append(self.slot["layout"])
        self.run.watcher.forget(self.slot["layout"])
        self.run.call("dev.close", slot=self.number, drop=True)
        del self.run.slots[self.number]

    # -- findings, of all devices of a family --------------------------------------------------------------------------

    @classmethod
    def sections(cls, run, works, findings):
        """Fills in what only this kind has to show."""

    @classmethod
    def checks(cls, run, works, findings, blackout):
        """That nothing was lost; `blackout`: nor stood still while there was no kernel."""
        return []

    @classmethod
    def stopped_checks(cls, run, works, findings):
        """Of devices that may stop: that they worked until then, and did no harm."""
        return []

    @staticmethod
    def is_ours(data):
        """Is that, with the needle in it, really something that it moved?"""
        return True

    def usable(self, held=False):
        """Can it be opened like any other, and do its vectors fire? `held`: the agent has it, and lets go of it first."""
        run = self.run
        if held:
            run.call("dev.close", slot=self.number)
        run.call("dev.open", slot=self.number, bdf=self.slot["bdf"], timeout=30, **self.open_args())
        run.call("dev.raise", slot=self.number, mask=(1 << run.sc.vectors) - 1)
        came = []
        for _ in range(POLLS):      # one answers as soon as any vector has come
            came = run.call("dev.poll", slot=self.number)["irq"][:run.sc.vectors]
            if all(came):
                break
        return len(came) == run.sc.vectors and all(came)


def watched(run):
    return judge.true("watched", not run.watched(), run.watched() or "yes")
