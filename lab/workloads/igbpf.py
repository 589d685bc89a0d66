"""Intel 82576 with virtual functions on: a PF that the agent drives, and that receives nothing itself."""

from ..host.devices import Nic
from .base import Workload

TOKEN = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"     # what an owner of a VF has to know


class IgbPf(Workload):
    name = "igbpf"
    to_know = {"token": TOKEN}      # for dev.open of a VF

    @classmethod
    def qemu(cls, number, spec):
        return Nic(f"nic{number}", "igb", f"52:54:00:00:00:{number + 1:02x}", spec["behind"])

    def vfs(self):
        """The devices under test that are its VFs."""
        return [w for w in self.run.works.values() if getattr(w, "pf", None) is self]

    def open(self):
        """With as many VFs as the scenario has of it."""
        run = self.run
        run.call("sys.write", path="/sys/module/vfio_pci/parameters/enable_sriov", text="Y")
        geometry = super().open()
        run.call("dev.token", slot=self.number, token=TOKEN)
        count = max((w.vf + 1 for w in self.vfs()), default=0)
        run.call("sys.write", path=f"/sys/bus/pci/devices/{self.device.bdf}/sriov_numvfs", text=str(count))
        return geometry

    def admit(self, vf):
        """Lets frames through to a VF, which was opened just now."""
        self.run.call("igbpf.pool", slot=self.number, vf=vf.vf, mac=vf.device.mac)

    def start(self):
        """A message of its own, so that the lab knows what they look like."""
        self.run.call("dev.raise", slot=self.number, mask=1)


WORKLOAD = IgbPf
