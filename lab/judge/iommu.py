"""Translation: on all the time, faults only where they were planted, nothing where nothing was mapped."""

from ..observe import trace
from .checks import Check, seen, zero
from .config import EVIDENCE_MAX


def iommu_section(events, windows, planted, breaches):
    """`planted`: [(bdf, iova)]; `breaches`: what the watcher saw land where nothing was mapped, None: it could not look."""
    off, begin, end = 0, None, len(events)
    for first, last, _images in windows:
        span = trace.window(events, first, last)
        off += len(trace.translation_off(span))
        if begin is None:
            begin = trace.mark(events, first)
        end = trace.mark(events, last) if last is not None else len(events)
    expected, beyond = trace.faults(events[begin:end] if begin is not None else [], planted)
    return {"translation_off": off, "faults": len(beyond), "planted_faults": len(expected),
            "isolation_breaches": breaches or 0, "memory_searched": breaches is not None, "windows": len(windows),
            "registers_traced": sum(ev.kind in ("gcmd", "root") for ev in events),
            "fault_list": [{"bdf": e.bdf, "addr": e.off, "reason": e.value} for e in beyond[:EVIDENCE_MAX]]}


def breach_checks(iommu):
    return seen(memory=iommu["memory_searched"]) + [zero("isolation_breaches", iommu["isolation_breaches"])]


def iommu_checks(iommu, planted):
    checks = seen(windows=iommu["windows"], registers_of_the_iommu=iommu["registers_traced"])
    checks += [zero("translation_off", iommu["translation_off"]), zero("faults", iommu["faults"]), *breach_checks(iommu)]
    if planted:
        checks.append(Check("planted_faults", iommu["planted_faults"], f"≥ {planted}", iommu["planted_faults"] >= planted))
    return checks
