"""Which bits of a device's config space must not change between freeze and finish.

This is the judge's own list, written from the specification's side and on purpose not from the guard's C table: a
mistake there must not hide itself here.
"""

from dataclasses import dataclass

KEEP, STICKY, TRIGGER = "keep", "sticky", "trigger"
EP, BR, BOTH = "endpoint", "bridge", "both"
MSI, PCIE, MSIX, PM, AF = 0x05, 0x10, 0x11, 0x01, 0x13
SRIOV = 0x10            # extended capability; its rows protect VFs, so they need VF Enable to be set


@dataclass(frozen=True)
class Rule:
    row: str
    scope: str
    where: tuple        # ("hdr", offset) | ("cap", id, offset) | ("ext", id, offset)
    size: int
    mask: int
    how: str = KEEP     # keep: no change; sticky: no 1 -> 0; trigger: writing a 1 does it
    reset: bool = False


def _hdr(row, scope, off, size, mask, how=KEEP, reset=False):
    return Rule(row, scope, ("hdr", off), size, mask, how, reset)


def _cap(row, scope, ident, off, size, mask, how=KEEP, reset=False):
    return Rule(row, scope, ("cap", ident, off), size, mask, how, reset)


def _ext(row, scope, ident, off, size, mask, how=KEEP, reset=False):
    return Rule(row, scope, ("ext", ident, off), size, mask, how, reset)


RULES = [
    _hdr("COMMAND.IO", BOTH, 0x04, 2, 0x1, STICKY),
    _hdr("COMMAND.MEM", BOTH, 0x04, 2, 0x2, STICKY),
    _hdr("COMMAND.BME", BOTH, 0x04, 2, 0x4, STICKY),
    *[_hdr(f"BAR{i}", EP, 0x10 + 4 * i, 4, 0xFFFFFFF0) for i in range(6)],
    *[_hdr(f"BAR{i}", BR, 0x10 + 4 * i, 4, 0xFFFFFFF0) for i in range(2)],
    _hdr("ROM", EP, 0x30, 4, 0xFFFFF800),
    _hdr("ROM", BR, 0x38, 4, 0xFFFFF800),
    _hdr("BUS_NUMBERS", BR, 0x18, 4, 0x00FFFFFF),
    _hdr("WINDOW.IO", BR, 0x1C, 2, 0xF0F0),
    _hdr("WINDOW.MEM", BR, 0x20, 4, 0xFFF0FFF0),
    _hdr("WINDOW.PREF", BR, 0x24, 4, 0xFFF0FFF0),
    _hdr("WINDOW.PREF_BASE_UPPER", BR, 0x28, 4, 0xFFFFFFFF),
    _hdr("WINDOW.PREF_LIMIT_UPPER", BR, 0x2C, 4, 0xFFFFFFFF),
    _hdr("WINDOW.IO_UPPER", BR, 0x30, 4, 0xFFFFFFFF),
    _hdr("BRIDGE_CONTROL.BUS_RESET", BR, 0x3E, 2, 0x40, TRIGGER, True),
    _cap("PMCSR.STATE", BOTH, PM, 4, 2, 0x3, KEEP, True),
    _cap("MSIX_CONTROL.ENABLE", EP, MSIX, 2, 2, 0x8000, STICKY),
    _cap("DEVCTL.FLR", EP, PCIE, 8, 2, 0x8000, TRIGGER, True),
    _cap("AF.FLR", EP, AF, 4, 1, 0x1, TRIGGER, True),
    _cap("DEVCTL.RO", BOTH, PCIE, 8, 2, 0x0010),
    _cap("DEVCTL.MPS", BOTH, PCIE, 8, 2, 0x00E0),
    _cap("DEVCTL.EXT_TAG", BOTH, PCIE, 8, 2, 0x0100),
    _cap("DEVCTL.PHANTOM", BOTH, PCIE, 8, 2, 0x0200),
    _cap("DEVCTL.NO_SNOOP", BOTH, PCIE, 8, 2, 0x0800),
    _cap("DEVCTL.MRRS", BOTH, PCIE, 8, 2, 0x7000),
    _cap("LNKCTL.ASPM", BOTH, PCIE, 16, 2, 0x0003),
    _cap("LNKCTL.RCB", BOTH, PCIE, 16, 2, 0x0008),
    _cap("LNKCTL.LINK_DISABLE", BR, PCIE, 16, 2, 0x0010, KEEP, True),
    _cap("LNKCTL.RETRAIN", BR, PCIE, 16, 2, 0x0020, TRIGGER, True),
    _cap("LNKCTL.CCC", BOTH, PCIE, 16, 2, 0x0040),
    _cap("SLTCTL.POWER", BR, PCIE, 24, 2, 0x0400, KEEP, True),
    _cap("SLTCTL.INTERLOCK", BR, PCIE, 24, 2, 0x0800, TRIGGER),
    _cap("DEVCTL2.CTO", BOTH, PCIE, 40, 2, 0x001F),
    _cap("DEVCTL2.ARI", BR, PCIE, 40, 2, 0x0020),
    _cap("DEVCTL2.ATOMIC", BOTH, PCIE, 40, 2, 0x00C0),
    _cap("DEVCTL2.TAG10", BOTH, PCIE, 40, 2, 0x1000),
    _cap("LNKCTL2.SPEED", BOTH, PCIE, 48, 2, 0x000F),
    _ext("AER.ECRC", BOTH, 0x01, 0x18, 4, 0x0140),
    _ext("ACS", BOTH, 0x0D, 6, 2, 0xFFFF),
    _ext("ATS", EP, 0x0F, 6, 2, 0x801F),
    _ext("SRIOV.CTRL", EP, SRIOV, 8, 2, 0x0019),
    _ext("SRIOV.NUM_VFS", EP, SRIOV, 0x10, 2, 0xFFFF),
    _ext("SRIOV.PAGE_SIZE", EP, SRIOV, 0x20, 4, 0xFFFFFFFF),
    *[_ext(f"SRIOV.VF_BAR{i}", EP, SRIOV, 0x24 + 4 * i, 4, 0xFFFFFFF0) for i in range(6)],
    _ext("PRI", EP, 0x13, 4, 2, 0x0003),
    _ext("REBAR", EP, 0x15, 8, 4, 0x00001F00),
    _ext("TPH", EP, 0x17, 8, 4, 0x00000307),
    _ext("PASID", EP, 0x1B, 6, 2, 0x0007),
    _ext("DPC.SW_TRIGGER", BR, 0x1D, 6, 2, 0x0040, TRIGGER, True),
    _ext("L1SS", BOTH, 0x1E, 8, 4, 0x0000000F),
    _ext("PTM", BOTH, 0x1F, 8, 4, 0x0000FF03),
]


def capabilities(image):
    """{("cap", id): offset, ("ext", id): offset} of a config space image."""
    found = {}
    if len(image) < 64:
        return found
    if image[0x06] & 0x10:
        at, left = image[0x34] & 0xFC, 48
        while at >= 0x40 and left and at + 1 < len(image):
            found.setdefault(("cap", image[at]), at)
            at, left = image[at + 1] & 0xFC, left - 1
    if len(image) >= 4096:
        at, left = 0x100, 480
        while at >= 0x100 and left:
            head = int.from_bytes(image[at:at + 4], "little")
            if head in (0, 0xFFFFFFFF):
                break
            found.setdefault(("ext", head & 0xFFFF), at)
            at, left = head >> 20 & 0xFFC, left - 1
    return found


def is_bridge(image):
    return image[0x0E] & 0x7F == 1


class Device:
    """The rules of one device, at the offsets where its capabilities lie."""

    def __init__(self, image):
        self.bridge = is_bridge(image)
        caps = capabilities(image)
        self.rules = []
        sriov = caps.get(("ext", SRIOV))
        has_vfs = sriov is not None and image[sriov + 8] & 1
        for rule in RULES:
            if rule.scope == (EP if self.bridge else BR):
                continue
            if rule.where[:2] == ("ext", SRIOV) and not has_vfs:
                continue
            base = 0 if rule.where[0] == "hdr" else caps.get(rule.where[:2])
            if base is not None:
                self.rules.append((base + rule.where[-1], rule))

    def offset(self, row):
        """Where the register of a row lies in this device, or None."""
        return next((off for off, rule in self.rules if rule.row == row), None)

    def broken_by(self, shadow, off, width, value):
        """The rules a write breaks, given what the registers hold before it."""
        after = bytearray(shadow.data)
        after[off:off + width] = (value & (1 << width * 8) - 1).to_bytes(width, "little")
        out = []
        for at, rule in self.rules:
            if off + width <= at or at + rule.size <= off:
                continue
            old = shadow.read(at, rule.size)
            new = int.from_bytes(after[at:at + rule.size], "little")
            if rule.how == KEEP:
                bad = (old ^ new) & rule.mask
            elif rule.how == STICKY:
                bad = old & ~new & rule.mask
            else:
                bad = new & ~old & rule.mask
            if bad:
                out.append(rule)
        return out

    def differences(self, before, after):
        """Rows whose protected bits differ between two images."""
        out = []
        for at, rule in self.rules:
            old = int.from_bytes(before[at:at + rule.size], "little")
            new = int.from_bytes(after[at:at + rule.size], "little")
            lost = old & ~new if rule.how == STICKY else old ^ new
            if lost & rule.mask and rule.how != TRIGGER:
                out.append(rule.row)
        return out


def parse_counters(text):
    """The kernel's per-device counters: (withheld, unexplained, {row: count})."""
    withheld = unexplained = None
    rows = {}
    facts = ("state", "requested", "depended", "reached")
    for line in (text or "").splitlines():
        fields = line.split()
        if len(fields) != 2 or not fields[1].isdigit() or fields[0] in facts:
            continue
        if fields[0] == "withheld":
            withheld = int(fields[1])
        elif fields[0] == "unexplained":
            unexplained = int(fields[1])
        else:
            rows[fields[0]] = int(fields[1])
    if withheld is None:
        withheld = sum(rows.values())
    return withheld, unexplained or 0, rows
