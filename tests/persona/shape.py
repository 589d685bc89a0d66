# SPDX-License-Identifier: GPL-2.0
"""What a guest has to find of a persona, from golden/ and `caps`, and what may differ, and why."""

import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))

# Registers that firmware, Linux or QEMU set before anybody looks: (name, bits, who and why). Only what
# the map lets be written is let differ; all else has to be as it was rendered, bit by bit.
PROGRAMMED = (
    (r"header\.command", 0x0507,
     "QEMU clears I/O, memory, bus master and INTx Disable when the machine starts; SeaBIOS enables I/O, memory, SERR#; "
     "Linux's virtio-pci bus mastering"),
    (r"header\.(bar\d|rom)", 0xffffffff, "addresses, which SeaBIOS assigns: compared with Linux's own account instead"),
    (r"header\.interrupt_line", 0xff, "SeaBIOS writes the IRQ down"),
    (r"vpd\.(addr|data)", 0xffffffff, "Linux reads the VPD to know its size: the last address, and what was there"),
    (r"exp\.devctl", 0x010f, "Linux enables error reporting (AER), and extended tags"),
    (r"err\.cor_status", 0xffff, "Linux clears errors from before it was there"),
)
# Bits that the write test leaves alone: (name, bits, why).
NOT_WRITTEN = (
    (r"header\.command", 0xffff, "Linux and QEMU act on it: BARs would come and go"),
    (r"header\.(bar\d|rom)", 0xffffffff, "QEMU answers for BARs itself; the persona's are compared in the end"),
    (r"msi\.flags", 0x0001, "QEMU sets up interrupts when MSI is enabled"),
    (r"msix\.flags", 0x8000, "QEMU sets up interrupts when MSI-X is enabled"),
    (r"exp\.devctl", 0x8000, "a function-level reset, which the device behind the view does not have"),
    (r"vpd\.(addr|data)", 0xffffffff, "a mailbox, not a memory; Linux reads through it instead"),
)
# Lines of the kernel log that say nothing of the config space.
EXPECTED_LINES = (
    (r"(igb|e1000e) \S+: probe with driver \w+ failed with error -2$",
     "its BARs read 0: there are no registers of a NIC in them"),
    (r"nvme \S+: error -ENODEV: probe failed$", "nor of a controller"),
)


class Reg:
    """A line of golden/*.bits."""

    def __init__(self, line):
        place, self.name, value = re.match(r"(\w+/\d) (\S+) += (\w+)", line).groups()
        off, width = place.split("/")
        self.off, self.width, self.value = int(off, 16), int(width), int(value, 16)
        bits = dict(re.findall(r"(ro|live|virtual|pass|rw1c) (\w+)", line.split("=")[1]))
        self.rw1c = int(bits.get("rw1c", "0"), 16)
        self.live = int(bits.get("live", "0"), 16)
        self.writable = int(bits.get("virtual", "0"), 16) | int(bits.get("pass", "0"), 16)
        self.ones = (1 << 8 * self.width) - 1

    def among(self, table):
        """Bits of it that a table like PROGRAMMED names."""
        return sum(bits for name, bits, _why in table if re.fullmatch(name, re.sub(r"\[\d+\]", "", self.name)))

    def of(self, image):
        return int.from_bytes(image[self.off:self.off + self.width], "little")


def read_dump(path):
    image = bytearray(4096)
    with open(path) as f:
        for off, data in re.findall(r"^([0-9a-f]+): ((?:[0-9a-f]{2} ?){16})$", f.read(), re.M):
            image[int(off, 16):int(off, 16) + 16] = bytes.fromhex(data)
    return bytes(image)


def walk(image):
    """Capabilities as a guest finds them: [(extended, offset, id)]."""
    found, at = [], image[0x34]
    while at and len(found) < 48:
        found.append((False, at, image[at]))
        at = image[at + 1] & 0xfc
    at = 0x100 if len(image) > 0x100 else 0
    while at and len(found) < 1000:
        head = int.from_bytes(image[at:at + 4], "little")
        if head:
            found.append((True, at, head & 0xffff))
        at = head >> 20 & 0xffc
    return found


class Expected:
    """What is on file of a shape."""

    def __init__(self, line):
        self.map, self.dump, self.instance = (line.split() + [""])[:3]
        name = os.path.join(HERE, "golden", f"{self.map}{'-' + self.instance if self.instance else ''}@{self.dump}")
        self.name = os.path.basename(name)
        self.image = read_dump(name + ".dump")
        with open(name + ".bits") as f:
            self.regs = [Reg(r) for r in f]
        key = self.map + (":" + self.instance if self.instance else "")
        with open(os.path.join(HERE, "caps")) as f:
            self.caps = next([int(c, 16) for c in r.split()[1:]] for r in f if r.split()[0] == key)

    def moved(self):
        """The same, but that the last of the first list would be 4 bytes further on."""
        other = object.__new__(Expected)
        other.__dict__.update(self.__dict__, caps=list(self.caps))
        last = [c for c in self.caps if c < 0x100][-1]
        other.caps[other.caps.index(last)] = last + 4
        link = next((at + 1 for ext, at, _id in walk(self.image) if not ext and self.image[at + 1] == last), 0x34)
        image = bytearray(self.image)
        image[link] = last + 4
        other.image = bytes(image)
        return other

    def reg(self, name):
        return next((r for r in self.regs if r.name == name), None)

    def bar_size(self, n):
        """Size, and whether it is a 64-bit one, from the address bits that can be written."""
        low = self.reg(f"header.bar{n}")
        if low is None or (n and self.bar64(n - 1)):
            return 0
        bits = low.writable & ~15
        if self.bar64(n):
            bits |= self.reg(f"header.bar{n + 1}").writable << 32
        return bits & -bits

    def bar64(self, n):
        low = self.reg(f"header.bar{n}")
        return low is not None and low.value & 7 == 4 and not (n and self.bar64(n - 1))


def show(caps):
    return " ".join(f"{'ext ' if ext else ''}{cap:02x}@{at:x}" for ext, at, cap in caps)


def hexes(offsets):
    return " ".join(f"{o:x}" for o in offsets)
