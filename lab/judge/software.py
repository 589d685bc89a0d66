"""What the kernel believes that registers hold, against the registers, for each row of the policy."""

from dataclasses import dataclass

from ..errors import NotSeen
from . import policy
from .checks import seen, zero

COPY = ("software state is read again", "the register is written again", "compared before, or fenced")
NAMES = {row["name"] for row in policy.ROWS}


@dataclass(frozen=True)
class Register:
    """A line of the kernel's account: where a register of a row is, what a read says, what copies software has of it."""
    row: str
    at: int
    size: int
    bits: int
    read: int
    copies: tuple = ()      # (whose, bits, value)


def parse(text):
    """The kernel's account of one function, see copies.c."""
    out = []
    for line in (text or "").splitlines():
        row, _index, at, size, bits, read, *rest = line.split()
        copies = tuple((whose, int(mask, 16), int(value, 16)) for whose, mask, value in zip(rest[::3], rest[1::3], rest[2::3], strict=True))
        out.append(Register(row, int(at, 16), int(size), int(bits, 16), int(read, 16), copies))
    if not out:
        raise NotSeen("the kernel's account of its registers")
    return out


def differences(registers, image):
    """What software believes and the device does not hold; `image`: its config space, read from outside."""
    for reg in registers:
        held = int.from_bytes(image[reg.at:reg.at + reg.size], "little")
        for whose, bits, value in (("read", reg.bits, reg.read), *reg.copies):
            if (held ^ value) & bits:
                yield f"{reg.row} at {reg.at:#x}: {whose} {value & bits:#x}, device {held & bits:#x}"


def software_section(accounts, images):
    """`accounts`: {function: text}; `images`: {function: config space, read from outside}."""
    differs, unread, compared, copied, count = [], [], set(), set(), 0
    for bdf, image in images.items():
        registers = parse(accounts.get(bdf))
        count += len(registers)
        differs += [f"{bdf} {text}" for text in differences(registers, image)]
        compared |= {reg.row for reg in registers}
        copied |= {reg.row for reg in registers if reg.copies}
        # Which registers there are to compare is not taken from whom it is asked.
        there = {(reg.row, reg.at) for reg in registers}
        for rule in policy.Device(image).rules:
            if (row_of(rule), rule.at) not in there:
                unread.append(f"{bdf} {rule.row} at {rule.at:#x}")
    return {"functions": len(images), "registers": count, "differs": differs, "unread": unread, "compared": sorted(compared),
            "without_register": sorted(NAMES - compared),
            "without_copy": sorted(row["name"] for row in policy.ROWS if row["name"] in compared - copied and row["after"] in COPY)}


def row_of(rule):
    """Its row, without the number of the register."""
    return rule.row if rule.row in NAMES else rule.row.rstrip("0123456789")


def software_checks(section, absent):
    """`absent`: the rows that no function of this machine has a register for, or none with a copy of its own."""
    gone = sorted(set(section["without_register"]) - set(absent))
    found = sorted(set(absent) & set(section["compared"]) - set(section["without_copy"]))
    alone = sorted(set(section["without_copy"]) - set(absent))
    return seen(functions=section["functions"], registers=section["registers"]) + [
        zero("software_differs", len(section["differs"]), section["differs"]),
        zero("not_compared", len(section["unread"]) + len(gone) + len(alone), section["unread"] + gone + alone),
        zero("not_absent", len(found), found)]
