"""The devices of a lab machine: what QEMU is told of each, and where it is found again."""

from ..errors import Infra
from ..observe import wire

MODELS = {"pci-bridge": "e1000"}        # a device of another kind than the machine's others, by where it is


def nic_model(behind, model):
    return MODELS.get(behind, model)


def line(bdf, ports, pin):
    """The input of the IO-APIC where the INTx `pin` (1: INTA) of a function ends: each bridge turns the pins by the slot of
    what is below it, and q35 gives slots 0 to 24 of its root bus the inputs 20 to 23 in turn."""
    slots = [int(where[8:10], 16) for where in [*ports, bdf]]
    return 20 + (sum(slots) + pin - 1) % 4 if pin and slots[0] < 25 else None


class Device:
    """A function of the machine that is looked at: what QEMU calls it, what it is behind, and later its address and the ports
    above it."""

    def __init__(self, ident, model, behind):
        self.id = ident
        self.model = model
        self.behind = behind
        self.has_sibling = False
        self.slot = None        # of its root port on the root bus; None: the next
        self.bdf = None
        self.ports = []

    def fds(self):
        """Open files that QEMU takes over."""
        return []

    def prepare(self, outdir):
        pass

    def close(self):
        pass

    def function(self, bus, where):
        """The -device of the function itself; `where`: its place on the bus, and what else it is told."""
        return ["-device", f"{self.model},id={self.id},bus={bus}{where}"]

    def nextfn(self):
        """igb has ARI, and says that function 0 is its only one unless it is told otherwise."""
        return ",x-pcie-ari-nextfn-1=on" if self.model == "igb" else ""

    def locate(self, found):
        """Where firmware and kernel put it; `found`: {QEMU's name: (address, ports above)}."""
        if self.id not in found:
            raise Infra(f"QEMU has no device {self.id}")
        self.bdf, self.ports = found[self.id]

    def args(self, slot):
        """-device lines: root port, switch if there is one, function; `slot` is unique in the machine."""
        if self.behind == "sibling":        # a second function of the device before it
            return self.function(f"rp{slot - 1}", ",addr=0.1" + self.nextfn())
        rp, chassis = f"rp{slot}", slot * 4 + 1
        out = ["-device", f"pcie-root-port,id={rp},bus=pcie.0,chassis={chassis},slot={chassis},addr={4 + slot if self.slot is None else self.slot:x}.0"]
        bus = rp
        if self.behind == "switch":
            out += ["-device", f"x3130-upstream,bus={rp},id=up{slot}",
                    "-device", f"xio3130-downstream,bus=up{slot},id=dn{slot},chassis={chassis + 1},slot={chassis + 1}"]
            bus = f"dn{slot}"
        if self.behind == "pci-bridge":
            out += ["-device", f"pcie-pci-bridge,id=br{slot},bus={rp}"]
            bus, where = f"br{slot}", ",addr=1.0"
        else:
            where = ",multifunction=on" + self.nextfn() if self.has_sibling else ""
        return out + self.function(bus, where)


class Nic(Device):
    """A network device: its MAC, both ends of its wire."""

    def __init__(self, ident, model, mac, behind):
        super().__init__(ident, model, behind)
        self.mac = mac
        self.sock, self.qemu_sock = wire.wire()
        self.port = self.qemu_sock.getsockname()[1]
        self.hub = None         # number of the network it shares with a router that leads to the lab; None: a plain wire

    def fds(self):
        return [self.qemu_sock.fileno()]

    def close(self):
        self.sock.close()
        self.qemu_sock.close()

    def netdevs(self):
        wire = f"local.type=fd,local.str={self.qemu_sock.fileno()}"
        if self.hub is None:
            return ["-netdev", f"dgram,id=net-{self.id},{wire}"]
        return ["-netdev", f"dgram,id=wire-{self.id},{wire}",
                "-netdev", f"hubport,id=hub-wire-{self.id},hubid={self.hub},netdev=wire-{self.id}",
                "-netdev", f"user,id=user-{self.id},net=10.0.{2 + self.hub}.0/24,ipv6=off",
                "-netdev", f"hubport,id=hub-user-{self.id},hubid={self.hub},netdev=user-{self.id}",
                "-netdev", f"hubport,id=net-{self.id},hubid={self.hub}"]

    def function(self, bus, where):
        rom = ",romfile=" if self.model != "igb" else ""
        return self.netdevs() + [
            "-device", f"{self.model},id={self.id},netdev=net-{self.id},mac={self.mac},bus={bus}{where}{rom}"]
