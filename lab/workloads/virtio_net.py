"""A modern virtio network device whose DMA the IOMMU translates. Its queue is short, so the frames are few."""

import struct

from ..host.devices import Nic
from ..observe import traffic, watch
from .nic import Receiver

QUEUE = 1024
USED_OFF = 4096         # of the used ring, from the end of the descriptors; see virtio_net.c
HEADER = 12             # before each frame


class Device(Nic):
    def function(self, bus, where):
        return self.netdevs() + [
            "-device", f"virtio-net-pci,id={self.id},netdev=net-{self.id},mac={self.mac},bus={bus}{where},romfile=,disable-legacy=on,"
                       f"iommu_platform=on,rx_queue_size={QUEUE},ctrl_vq=off,mrg_rxbuf=off"]


class UsedRing(watch.Slot):
    """What the device has used it says in a ring of its own."""

    @property
    def used(self):
        return self.ring_off + self.descs * watch.DESC + USED_OFF

    def status(self, index):
        count, = struct.unpack_from("<H", self.ram, self.layout.ram(self.used + 2))
        return watch.DD if index < count else 0

    def frame(self, index):
        number, length = struct.unpack_from("<II", self.ram, self.layout.ram(self.used + 4 + index * 8))
        if number != index or length != HEADER + traffic.FRAME_LEN:
            return b""
        at = self.layout.ram(self.buf_off + index * self.buf_size) + HEADER
        return bytes(self.ram[at:at + traffic.FRAME_LEN])


class VirtioNet(Receiver):
    name = model = "virtio-net"
    ring = UsedRing

    @classmethod
    def qemu(cls, number, spec):
        return Device(f"nic{number}", "virtio-net-pci", f"52:54:00:00:00:{number + 1:02x}", spec["behind"])

    def open_args(self):
        return {**super().open_args(), "descs": QUEUE, "vectors": min(self.run.sc.vectors, 2)}

    def before_jump(self):
        """Nothing: with a descriptor that points nowhere QEMU takes the device for broken."""


WORKLOAD = VirtioNet
