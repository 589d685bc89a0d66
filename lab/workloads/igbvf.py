"""A virtual function of an Intel 82576, whose PF is a device under test too: frames come over the wire of the PF."""

from ..host.devices import Device
from ..judge import policy
from .nic import Receiver


class VirtualFunction(Device):
    """Comes into being when its PF is told so: nothing for QEMU."""

    def __init__(self, ident, mac):
        super().__init__(ident, "igbvf", "")
        self.mac = mac
        self.sock = None            # of its PF

    def args(self, slot):
        return []

    def locate(self, found):
        pass


class IgbVf(Receiver):
    name = model = "igbvf"
    keys = {"behind", "pf", "vf"}

    def __init__(self, run, number, device, spec):
        super().__init__(run, number, device, spec)
        self.pf, self.vf = run.works[spec.get("pf", 0)], spec.get("vf", 0)
        device.sock, device.ports = self.pf.device.sock, self.pf.device.ports

    @classmethod
    def qemu(cls, number, spec):
        return VirtualFunction(f"vf{number}", f"52:54:00:00:00:{number + 1:02x}")

    def open_args(self):
        return {**super().open_args(), "vectors": min(self.run.sc.vectors, 3), **self.pf.to_know}

    def open(self):
        run, pf = self.run, self.pf.device.bdf
        self.device.bdf = policy.nth_vf(run.dump(pf), pf, self.vf)
        geometry = super().open()
        self.pf.admit(self)
        return geometry


WORKLOAD = IgbVf
