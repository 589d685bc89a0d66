"""All results of a build folder as one Markdown table."""

import json
import os

from .. import scenario
from . import result

COLUMNS = ("scenario", "verdict", "blackout, ms", "landed in blackout", "lost", "attach, ms", "withheld", "stray interrupts")
VM_COLUMNS = ("scenario", "verdict", "save, ms", "preserve", "freeze", "kernel", "retrieve", "load", "total",
              "pause: VMM, ms", "VM", "wire", "NIC", "lost or doubled")
STEPS = ("qemu_save", "preserve", "freeze", "kernel", "retrieve", "qemu_load", "total")
PAUSES = ("vmm_ms", "guest_ms", "wire_ms", "nic_ms")
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


def vm_cells(r, vm, up):
    """A row: one update of one VM."""
    name = r["scenario"]
    if len(r["vm"]["vms"]) > 1:
        name += f", {vm['name']}"
    if len(vm["updates"]) > 1:
        name += f", update {up['update']}"
    wrong = sum(n["lost"] + n["duplicate"] for n in vm["nics"]) if vm["nics"] else None
    return (name, r["verdict"] + (", twin" if "negative" in r else ""), *(number(up["steps"][k]) for k in STEPS),
            *(number(up["pause"][k]) for k in PAUSES), number(wrong))


def tables(results):
    """All of it: one table of the scenarios without VMs, one of those with."""
    plain = [r for r in results if "vm" not in r]
    vms = [vm_cells(r, vm, up) for r in results for vm in r.get("vm", {"vms": []})["vms"] for up in vm["updates"]]
    return ([table(plain)] if plain else []) + ([grid([VM_COLUMNS, *vms])] if vms else [])


def table(results):
    return grid([COLUMNS, *map(cells, results)])


def grid(rows):
    """The rows, the first of them the heads, as Markdown; all but the first two columns are numbers."""
    columns = len(rows[0])
    widths = [max(len(row[i]) for row in rows) for i in range(columns)]
    lines = ["| " + " | ".join(c.ljust(w) if i < 2 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths))) + " |"
             for row in rows]
    rule = "|" + "|".join("-" * (w + 2) if i < 2 else "-" * (w + 1) + ":" for i, w in enumerate(widths)) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])
