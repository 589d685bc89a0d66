"""All results of a build folder as one Markdown table."""

import json
import os

from . import result, scenario

COLUMNS = ("scenario", "verdict", "blackout, ms", "landed in blackout", "lost", "attach, ms", "withheld", "stray interrupts")
NONE = "–"


def load(build):
    """Every result there is, in the order of `lab list`, a scenario before its negative twin; what is no result is left out."""
    folder, found = os.path.join(build, "lab"), []
    for name in os.listdir(folder) if os.path.isdir(folder) else []:
        try:
            with open(os.path.join(folder, name, "result.json")) as f:
                r = json.load(f)
        except (OSError, ValueError):
            continue
        if not result.check(r):
            found.append(r)
    order = {name: i for i, name in enumerate(scenario.names())}
    return sorted(found, key=lambda r: (order.get(r["scenario"], len(order)), r["scenario"], "negative" in r))


def number(value):
    return NONE if value is None else f"{value:,.0f}"


def cells(r):
    name, verdict = r["scenario"], r["verdict"]
    if "negative" in r:
        name += ", twin"
        verdict += ", as it must" if r["negative"]["as_expected"] else ", but not as it must"
    dma, times, moved = r["dma"], r["time_ms"], r["time_ms"]["syscall_to_userspace"] is not None
    watched = dma["offered"] > 0
    there = moved and watched
    return (name, verdict, number(times["blackout"]),
            f"{number(dma['landed_in_blackout'])} of {number(dma.get('offered_in_blackout'))}" if there else NONE,
            number(dma["lost"] if watched else None), number(times["attach"]),
            number(r["config"]["withheld"] if times["attach"] is not None else None),
            number(r["irq"]["stray"] if there else None))


def table(results):
    rows = [COLUMNS, *map(cells, results)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(COLUMNS))]
    lines = ["| " + " | ".join(c.ljust(w) if i < 2 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths))) + " |"
             for row in rows]
    rule = "|" + "|".join("-" * (w + 2) if i < 2 else "-" * (w + 1) + ":" for i, w in enumerate(widths)) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])
