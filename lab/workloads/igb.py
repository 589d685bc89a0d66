"""Intel 82576, the whole device: a NIC with MSI-X."""

from .nic import Receiver


class Igb(Receiver):
    name = model = "igb"


WORKLOAD = Igb
