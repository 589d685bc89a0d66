"""Which bits of a device's config space must not change between freeze and finish.

Registers and bits are those of the kernel's table, in policy.json (made from policy_table.c by `make -C tests docs`). What
is harm is decided here, and on purpose not by the guard's code: from what a write that reached the device did to the
bits it found there. A guard that withholds too little is not excused by its own arithmetic.
"""

import json
import os
from dataclasses import dataclass

from ..errors import NotSeen

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "policy.json")
MSI, PCIE, MSIX = 0x05, 0x10, 0x11
SRIOV, DVSEC, CXL = 0x10, 0x23, 0x1E98
SLTCTL = 0x18           # in the PCI Express capability
MAX_INSTANCES = 256

# Rows that are a reset of the device or of what is below the port, power and link included.
RESETS = {"DEVCTL.FLR", "AF.FLR", "PM.STATE", "PORT.PM.STATE", "PORT.BRIDGE_CONTROL.BUS_RESET", "PORT.LNKCTL.LD",
          "PORT.LNKCTL.RL", "PORT.SLTCTL.POWER", "PORT.DPC.TRIGGER"}

# Bits of shadowed registers that no write can change, since they say what kind of register it is.
FIXED = {"BAR": 0xF, "PORT.BAR": 0xF, "SRIOV.BAR": 0xF, "ROM.ADDRESS": 0x7FE, "PORT.ROM.ADDRESS": 0x7FE,
         "PORT.WINDOW.IO": 0x0F0F, "PORT.WINDOW.MEM": 0x000F000F, "PORT.WINDOW.PREF": 0x000F000F}


@dataclass(frozen=True)
class Rule:
    """A register of a row in one device: `mask` of the bits at `at`, and in which direction they must not change."""
    row: str
    at: int
    size: int
    kept: int = 0       # no change
    set: int = 0        # what is 1 stays 1
    clear: int = 0      # what is 0 stays 0
    trigger: int = 0    # writing a 1 does it

    @property
    def reset(self):
        return self.row in RESETS

    def broken(self, old, new):
        return bool((old ^ new) & self.kept | old & ~new & self.set | new & ~old & self.clear | new & self.trigger)


def load(path=FILE):
    with open(path) as f:
        return json.load(f)["rows"]


ROWS = load()


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
            head = _get(image, at, 4)
            if head in (0, 0xFFFFFFFF):
                break
            ident = head & 0xFFFF
            if ident != DVSEC or (_get(image, at + 4, 2), _get(image, at + 8, 2)) == (CXL, 3):
                found.setdefault(("ext", ident), at)
            at, left = head >> 20 & 0xFFC, left - 1
    return found


def first_vf(image, pf):
    return nth_vf(image, pf, 0)


def nth_vf(image, pf, number):
    """Address of a VF that a PF has, or would have; `number`: from 0."""
    sriov = capabilities(image)[("ext", SRIOV)]
    domain, bus, slot, function = (int(x, 16) for x in pf.replace(".", ":").split(":"))
    rid = (bus << 8 | slot << 3 | function) + _get(image, sriov + 0x14, 2) + number * _get(image, sriov + 0x16, 2)
    return f"{domain:04x}:{rid >> 8:02x}:{rid >> 3 & 0x1F:02x}.{rid & 7}"


def _get(image, at, size):
    return int.from_bytes(image[at:at + size], "little")


def is_bridge(image):
    return image[0x0E] & 0x7F == 1


def _base(row, caps, image):
    """Where the offsets of a row count from in this device, or None if it has no such register."""
    if row["list"] == "header":
        return 0
    if row["list"] == "derived":        # the masks of MSI: the new owner's to clear
        return None
    base = caps.get(("cap" if row["list"] == "standard" else "ext", row["cap_id"]))
    if base is None:
        return None
    if row["cap"] == "pcie" and row["offset"] >= 0x24 and image[base + 2] & 0xF < 2:
        return None                     # the first version ends before
    if row["cap"] == "pcie" and row["offset"] == SLTCTL and not image[base + 3] & 1:
        return None                     # no slot
    if row["when"] == "vfs-on":
        sriov = caps.get(("ext", SRIOV))
        return base if sriov is not None and image[sriov + 8] & 1 else None
    return base


def _count(row, base, image, bridge):
    """How many registers a row has in this device."""
    if row["instances"] == "one":
        return 1
    if row["cap"] == "header":
        return 2 if bridge else 6
    if row["cap"] == "sriov":
        return 6
    if row["cap"] in ("vc", "mfvc"):
        return (image[base + 4] & 7) + 1
    if row["cap"] == "acs":
        has, bits = image[base + 4] & 0x20, image[base + 5] or 256
        return (bits + 31) // 32 if has else 0
    if row["cap"] in ("rebar", "vf_rebar"):
        return min(_get(image, base + 8, 4) >> 5 & 7, 6)
    if row["cap"] == "tph":
        tph = _get(image, base + 4, 4)
        return (tph >> 16 & 0x7FF) // 2 + 1 if tph >> 9 & 3 == 1 else 0
    # Anything else goes on to where the next capability begins.
    later = [at for at in capabilities(image).values() if at > base]
    return min((min(later, default=len(image)) - base - row["offset"]) // row["stride"], MAX_INSTANCES)


def _directions(row, bits, image, base):
    """The bits of a row by how they must not change, as the fields of a Rule."""
    rule = row["rule"]
    if rule in ("keep", "shadow"):
        return {"kept": bits}
    if rule == "sticky-1":
        return {"set": bits}
    if rule in ("sticky-0", "rom-enable"):
        return {"clear": bits}
    if rule == "zero":
        return {"trigger": bits}
    if rule == "msix-control":          # Function Mask is set and cleared by those who may
        return {"set": bits & 0x8000}
    if rule == "msi-control":           # without masks, clearing Enable is how such a device is silenced
        return {"set": bits if _get(image, base + 2, 2) & 0x100 else 0}
    if rule in ("msi-mask", "intx"):    # the owner clears INTx Disable once it has a handler
        return {}
    raise ValueError(f"{row['name']}: the judge does not know the rule {rule}")


def _instances(row, caps, image, bridge):
    base = _base(row, caps, image)
    if base is None:
        return
    count, upper = _count(row, base, image, bridge), False
    for i in range(count):
        at = base + row["offset"] + i * row["stride"]
        if at + row["width"] > len(image):
            return
        bits = row["bits"]
        if row["name"].endswith("BAR"):
            low = _get(image, at, 4)
            bits &= 0xFFFFFFFF if upper else ~FIXED[row["name"]]
            upper = not upper and low & 7 == 4
        else:
            bits &= ~FIXED.get(row["name"], 0)
        name = f"{row['name']}{i}" if count > 1 else row["name"]
        yield Rule(name, at, row["width"], **_directions(row, bits, image, base))


class Device:
    """The rules of one device, at the offsets where its capabilities lie."""

    def __init__(self, image):
        # The IDs of a VF read as all ones; its class does not.
        if len(image) < 64 or image[8:12] == b"\xff" * 4:
            raise NotSeen("config space of a device")
        self.bridge = is_bridge(image)
        caps = capabilities(image)
        self.rules = []
        for row in ROWS:
            if row["kind"] in ("both", "port" if self.bridge else "endpoint"):
                self.rules += _instances(row, caps, image, self.bridge)

    def broken_by(self, shadow, off, width, value):
        """The rules a write breaks, given what the registers hold before it."""
        after = bytearray(shadow.data)
        after[off:off + width] = (value & (1 << width * 8) - 1).to_bytes(width, "little")
        return [rule for rule in self.rules
                if off < rule.at + rule.size and rule.at < off + width and
                rule.broken(shadow.read(rule.at, rule.size), _get(after, rule.at, rule.size))]

    def differences(self, before, after):
        """Rows whose protected bits differ between two images."""
        if len(after) < len(before):
            raise NotSeen("config space of a device")
        return [rule.row for rule in self.rules if not rule.trigger and
                rule.broken(_get(before, rule.at, rule.size), _get(after, rule.at, rule.size))]


def parse_counters(text):
    """The kernel's per-device counters: (withheld, unexplained, {row: count}). Without the last line of them it is no such text."""
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
    if withheld is None or unexplained is None:
        raise NotSeen("counters of the guard")
    return withheld, unexplained, rows
