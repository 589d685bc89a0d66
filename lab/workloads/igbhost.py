"""Intel 82576 with virtual functions on, of which the PF is the host's own network: its native driver has it, the agent never."""

from .. import judge
from ..errors import StepFailed
from ..host.devices import Nic
from .base import Workload

FRAMES = 8


class IgbHost(Workload):
    name = "igbhost"
    keys = {"behind"}
    to_know = {}            # for dev.open of a VF

    def __init__(self, run, number, device, spec):
        super().__init__(run, number, device, spec)
        self.looks = []         # (when, what was wrong)

    @classmethod
    def qemu(cls, number, spec):
        return Nic(f"nic{number}", "igb", f"52:54:00:00:00:{number + 1:02x}", spec["behind"])

    def open(self):
        """Up, with as many VFs as the scenario has of it."""
        run, bdf = self.run, self.device.bdf
        run.echo(self.device.sock)
        count = max((w.vf + 1 for w in run.works.values() if getattr(w, "pf", None) is self), default=0)
        run.call("sys.write", path=f"/sys/bus/pci/devices/{bdf}/sriov_numvfs", text=str(count))
        self.look("kernel 1")

    def admit(self, vf):
        """By the mailbox, as the driver of a VF would."""
        self.run.call("igbvf.join", slot=vf.number, mac=vf.device.mac, timeout=30)

    def look(self, when):
        """The host sends over it, and gets an answer. The interface stays up."""
        try:
            got = self.run.call("net.check", timeout=30, bdf=self.device.bdf, frames=FRAMES, timeout_ms=10000, leave=True)
            text = "" if got["received"] >= got["sent"] > 0 else f"{got['received']} of {got['sent']} frames came back"
        except StepFailed as e:
            if e.reason != "net.check":
                raise
            text = e.text
        self.looks.append((when, text))
        self.run.note("host", ok=not text)

    @classmethod
    def checks(cls, run, works, findings, blackout):
        looks = [(w.device.bdf, when, text) for w in works for when, text in w.looks]
        bad = [f"{bdf} {when}: {text}" for bdf, when, text in looks if text]
        return judge.seen(host_looks=len(looks)) + [judge.zero("host_off_line", len(bad), bad)]


WORKLOAD = IgbHost
