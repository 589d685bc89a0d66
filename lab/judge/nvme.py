"""An NVMe controller with commands in flight: each completes once, with the right data, and nobody resets it."""

from ..errors import NotSeen
from ..observe import trace
from .checks import Check, seen, zero

RESETS = ("pci_nvme_mmio_cfg", "pci_nvme_mmio_stopped", "pci_nvme_pci_reset")
COMPLETION = "pci_nvme_enqueue_req_completion"
SHARE = 0.5             # of what the disk could have done meanwhile


def completions(events, window, until):
    """How many commands the controller completed from the handover of the old kernel to the mark `until`."""
    span = trace.window(events, window[0], until)
    begin = next((e.n for e in span if e.kind == "root" or e.kind == "gcmd" and not e.value & trace.TES), None)
    if begin is None:
        raise NotSeen("the handover")
    return sum(e.kind == COMPLETION and e.n > begin for e in span)


def controller_resets(events, windows):
    """How often the controller was told to stop, start or reset while nobody owned it."""
    if not windows:
        raise NotSeen("windows")
    if not any(e.kind == COMPLETION for e in events):
        raise NotSeen("the controller's work in QEMU's trace")
    return sum(e.kind in RESETS for first, last, _b in windows for e in trace.window(events, first, last))


def in_time_check(done, blackout_s, iops, outstanding):
    """The disk did its work while there was no kernel."""
    need = max(1, int(min(outstanding, blackout_s * iops) * SHARE))
    return Check("completed_in_blackout", done, f"≥ {need}", done >= need)


def command_checks(stats, blocks_wrong, blocks_read):
    """`stats`: {slot: (nvme.stat when all was submitted, nvme.stat at the end)}; `blocks_…`: of the disk itself."""
    checks = seen(controllers=len(stats), blocks_of_the_disk=blocks_read,
                commands_of_every_controller=all(end["submitted"] and end["once"] for _then, end in stats.values()))
    for name in ("never", "twice", "unexpected", "failed", "wrong"):
        checks.append(zero(f"commands_{name}", sum(end[name] for _then, end in stats.values())))
    changed = [f"slot {n} {key} {then[key]:#x}→{end[key]:#x}" for n, (then, end) in stats.items()
               for key in ("cc", "csts", "events", "submitted") if then[key] != end[key]]
    return checks + [zero("controller_changed", len(changed), changed), zero("blocks_wrong", blocks_wrong)]
