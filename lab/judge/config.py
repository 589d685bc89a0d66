"""Config writes that reached a device in flight, and those that the kernel says it withheld."""

from ..observe import trace
from . import policy
from .checks import seen, zero

EVIDENCE_MAX = 60


def writes(events, images):
    """The config writes to devices of which there is an image: (event, what was there, the rules that it breaks); what was
    there is None for a register that is not in the image."""
    devices = {bdf: policy.Device(image) for bdf, image in images.items()}
    shadows = {bdf: trace.Shadow(image) for bdf, image in images.items()}
    for ev in events:
        if ev.kind != "cfg" or ev.bdf not in devices:
            continue
        dev, shadow = devices[ev.bdf], shadows[ev.bdf]
        width = trace.width(ev.off, ev.value, dev.bridge)
        if ev.off + width > len(shadow.data):
            yield ev, None, []
            continue
        yield ev, shadow.read(ev.off, width), dev.broken_by(shadow, ev.off, width, ev.value)
        shadow.write(ev.off, width, ev.value)


def config_section(events, windows, counters):
    """What reached the preserved devices and the ports above them.

    windows: [(mark before, mark after, {bdf: image before})]; counters: texts of the kernel's own counters.
    """
    reached, harmful, resets, unread, evidence, rows = 0, 0, 0, 0, [], {}
    for first, last, before in windows:
        for ev, old, broken in writes(trace.window(events, first, last), before):
            reached += 1
            unread += old is None
            if broken:
                harmful += 1
                resets += any(r.reset for r in broken)
                for r in broken:
                    rows[r.row] = rows.get(r.row, 0) + 1
                if len(evidence) < EVIDENCE_MAX:
                    evidence.append({"bdf": ev.bdf, "off": ev.off, "old": old, "new": ev.value,
                                     "rows": [r.row for r in broken]})
    withheld = unexplained = 0
    withheld_rows = {}
    for text in counters:
        w, u, per_row = policy.parse_counters(text)
        withheld += w
        unexplained += u
        for row, n in per_row.items():
            withheld_rows[row] = withheld_rows.get(row, 0) + n
    return {"reached": reached, "withheld": withheld, "harmful_reached": harmful, "unexplained_withheld": unexplained,
            "resets": resets, "harmful_rows": rows, "withheld_rows": withheld_rows, "evidence": evidence,
            "devices_watched": sum(len(before) for _f, _l, before in windows), "counters_read": len(counters), "unread": unread}


def config_checks(config, counters=0):
    """`counters`: how many of the kernel's counters had to be there to be read; 0: the flow has no use for them."""
    checks = seen(config_space=config.get("devices_watched"))
    checks += [zero("harmful_reached", config["harmful_reached"], sorted(config["harmful_rows"])),
             zero("resets", config["resets"], sorted(policy.RESETS & set(config["harmful_rows"])))]
    if config.get("unread"):
        checks += seen(registers_written=0)
    if counters:
        checks += seen(counters_of_the_guard=config["counters_read"] >= counters)
        checks.append(zero("unexplained_withheld", config["unexplained_withheld"]))
    return checks
