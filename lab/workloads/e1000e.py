"""Intel 82574: a NIC with one interrupt, MSI or its line."""

from .nic import Receiver


class E1000e(Receiver):
    name = model = "e1000e"
    default_irq = "intx"


WORKLOAD = E1000e
