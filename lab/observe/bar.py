"""What lies in a BAR of a device, read from outside: also while no kernel is there that could."""

import os

from . import traffic


def address(bars, bar):
    """Where a memory BAR is, from the registers as they are (dev.stat)."""
    low = bars[bar]
    return low & ~0xF | (bars[bar + 1] << 32 if low & 0x4 else 0)


def read(machine, base, size):
    """Bytes of guest-physical address space, through QEMU's monitor."""
    path = os.path.join(machine.run_dir, "bar")
    machine.qmp.call("pmemsave", val=base, size=size, filename=path)
    with open(path, "rb") as f:
        data = f.read()
    os.unlink(path)
    return data


def frames(data, stride):
    """[(place, sequence, when it was sent, ns)] of the test frames in a BAR that has room for one every `stride` bytes."""
    out = []
    for place in range(len(data) // stride):
        parsed = traffic.parse(data[place * stride:place * stride + traffic.FRAME_LEN])
        if parsed:
            out.append((place, parsed[1], parsed[2]))
    return out
