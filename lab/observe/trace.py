"""Reads QEMU's trace: config writes that reached a device, and what happened to the DMA remapping unit."""

import re
from dataclasses import dataclass, field

from ..errors import NotSeen

LINE = re.compile(r"^\d+@(\d+)\.(\d+):(\w+) ?(.*)$")
CFG = re.compile(r"^(\S+) ([0-9a-f]{2}):([0-9a-f]{2})\.([0-7]) @0x([0-9a-f]+) <- 0x([0-9a-f]+)$")
HEX = re.compile(r"0x([0-9a-f]+)")
MARK_BDF, MARK_OFF = "0000:00:00.0", 0x2C
TES = 1 << 31
BUS_MASTER = 4


@dataclass
class Event:
    t: float            # seconds, wall clock
    kind: str           # cfg, mark, gcmd, root, irtable, translation, fault, msi, apic, line
    n: int = 0          # position in the trace: the order is exact, the times are not
    bdf: str = ""
    off: int = 0
    value: int = 0
    extra: dict = field(default_factory=dict)


def parse_line(line):
    m = LINE.match(line.rstrip("\n"))
    if not m:
        return None
    t = int(m[1]) + int(m[2]) / 1e6
    name, rest = m[3], m[4]
    if name == "pci_cfg_write":
        c = CFG.match(rest)
        if not c:
            return None
        ev = Event(t, "cfg", bdf=f"0000:{c[2]}:{c[3]}.{c[4]}", off=int(c[5], 16), value=int(c[6], 16))
        if ev.bdf == MARK_BDF and ev.off == MARK_OFF:
            ev.kind = "mark"
        return ev
    if name == "vtd_reg_write_gcmd":
        status, value = (int(x, 16) for x in HEX.findall(rest)[:2])
        return Event(t, "gcmd", value=value, extra={"status": status})
    if name == "vtd_reg_dmar_root":
        nums = HEX.findall(rest)
        return Event(t, "root", value=int(nums[0], 16) if nums else 0)
    if name == "vtd_reg_ir_root":
        return Event(t, "irtable")
    if name == "vtd_ir_remap_msi_req":
        address, data = (int(x, 16) for x in HEX.findall(rest)[:2])
        return Event(t, "msi", off=address, value=data, extra={"through": False})
    if name == "ioapic_set_irq":
        number, level = (int(x) for x in re.findall(r"\d+", rest)[:2])
        return Event(t, "line", off=number, value=level)
    if name == "apic_deliver_irq":
        m = re.match(r"dest (\d+) dest_mode (\d+) delivery_mode (\d+) vector (\d+)", rest)
        return Event(t, "apic", value=int(m[4]), extra={"dest": int(m[1]), "mode": int(m[3])}) if m else None
    if name == "vtd_dmar_enable":
        return Event(t, "translation", value=int(rest.split()[-1]))
    if name == "vtd_dmar_fault":
        m = re.match(r"sid 0x([0-9a-f]+) fault (\d+) addr 0x([0-9a-f]+) write (\d)", rest)
        if not m:
            return None
        sid = int(m[1], 16)
        return Event(t, "fault", bdf=sid_to_bdf(sid), off=int(m[3], 16), value=int(m[2]),
                     extra={"write": m[4] == "1"})
    return Event(t, name)


def sid_to_bdf(sid):
    return f"0000:{sid >> 8:02x}:{(sid >> 3) & 0x1F:02x}.{sid & 7}"


def parse(lines):
    out = []
    for line in lines:
        if ":vtd_ir_irte_get " in line or ":vtd_ir_remap " in line or ":vtd_ir_remap_msi " in line:
            if out and out[-1].kind == "msi":       # QEMU looks a message up in one go: nothing comes in between
                _look_up(out[-1], line)
            continue
        ev = parse_line(line)
        if ev:
            ev.n = len(out)
            out.append(ev)
    return out


def _look_up(ev, line):
    """Adds to a message whom the entry it found is for, whether it went through, and whether it left the unit."""
    if ":vtd_ir_remap_msi " in line:
        ev.extra["arrived"] = True
        return
    if ":vtd_ir_remap " in line:
        ev.extra["through"] = True
        return
    # QEMU 10 prints the halves under each other's name. The half with the requester has nothing above bit 19,
    # the other one a vector above bit 16, of which the first 16 cannot be used.
    halves = [int(x, 16) for x in HEX.findall(line.partition(" low ")[2])]
    if len(halves) == 2 and any(halves):
        ev.bdf = sid_to_bdf(min(halves) & 0xFFFF)


def load(path):
    try:
        with open(path, errors="replace") as f:
            return parse(f)
    except FileNotFoundError:
        return []


def mark(events, number):
    """The position of a phase marker (its first appearance).

    The agent replies to `mark` only after the write, so one that is not there means that the trace cannot be trusted.
    """
    for ev in events:
        if ev.kind == "mark" and ev.value == number:
            return ev.n
    raise NotSeen(f"mark {number:#x} in QEMU's trace")


def window(events, first, last):
    """The events strictly between two markers; `last` None: a run that broke off before the second, up to the trace's end."""
    begin = mark(events, first)
    end = mark(events, last) if last is not None else len(events)
    if end <= begin:
        raise NotSeen(f"mark {first:#x} before mark {last:#x} in QEMU's trace")
    return events[begin + 1:end]


class Shadow:
    """A copy of a device's config space, kept up from the trace, for the value a write replaces."""

    def __init__(self, image):
        self.data = bytearray(image)

    def read(self, off, size):
        return int.from_bytes(self.data[off:off + size], "little")

    def write(self, off, size, value):
        value &= (1 << size * 8) - 1
        self.data[off:off + size] = value.to_bytes(size, "little")


_HEADER_WIDTHS = {0x04: 2, 0x06: 2, 0x0C: 1, 0x0D: 1, 0x0E: 1, 0x0F: 1, 0x3C: 1, 0x3D: 1, 0x3E: 2}
_BRIDGE_WIDTHS = {0x18: 4, 0x19: 1, 0x1A: 1, 0x1B: 1, 0x1C: 2, 0x1E: 2, 0x20: 4, 0x24: 4, 0x28: 4, 0x2C: 4, 0x30: 4}


def width(off, value, bridge):
    """Width of a traced write. QEMU does not tell it; offset, value and register decide."""
    if value > 0xFFFF:
        return 4
    if off & 1:
        return 1
    if off & 3 == 2:
        return 1 if off in (0x1A,) and bridge else 2
    known = _HEADER_WIDTHS | (_BRIDGE_WIDTHS if bridge else {})
    if off in known:
        return max(known[off], 2 if value > 0xFF else 1)
    if 0x10 <= off < 0x40:
        return 4
    return 2


def translation_off(events):
    """GCMD writes that take translation from on to off."""
    return [e for e in events if e.kind == "gcmd" and e.extra["status"] & TES and not e.value & TES]


def bus_master_cleared(events, bdf):
    """Command writes of that device that leave Bus Master off."""
    return [e for e in events if e.kind == "cfg" and e.bdf == bdf and e.off == 4 and not e.value & BUS_MASTER]


def faults(events, planted=()):
    """(expected, unexpected): a fault is expected on the page a planted descriptor of that device points to."""
    pages = {(bdf, iova & ~0xFFF) for bdf, iova in planted}
    expected, beyond = [], []
    for e in events:
        if e.kind == "fault":
            (expected if (e.bdf, e.off & ~0xFFF) in pages else beyond).append(e)
    return expected, beyond
