"""What a run has to show: the sections of its result, and the checks that it is held to."""

from . import judge
from .judge import msi


def empty_sections():
    """The sections a result always has, with nothing seen yet."""
    return {"dma": judge.dma_section([]), "config": judge.config_section([], [], []),
            "iommu": judge.iommu_section([], [], [], None), "irq": judge.irq_section([])}


class Findings:
    """What a run has to show so far; a run that fails half-way is judged on the same findings."""

    def __init__(self):
        self.sections = empty_sections()
        self.checks = []
        self.series = []
        self.cases = []
        self.closed = False
        self.ring_used_up = False


def close(run, findings):
    """Stops the work and fills the sections; safe to call on a run that broke off."""
    if findings.closed:
        return
    findings.closed = True
    run.stop_work()
    breaches = run.breaches()
    if run.machine and run.machine.alive():
        run.save_klog()
        if any(work.screams for work in run.works.values()):
            run.machine.qmp.call("stop")    # a line that screams fills the trace faster than it can be read
    for works in run.families():
        works[0].sections(run, works, findings)
    events = run.trace()
    findings.sections["config"] = judge.config_section(events, run.windows, run.counters)
    findings.sections["iommu"] = judge.iommu_section(events, run.windows, run.planted, breaches)
    findings.sections["irq"] = _irq(run, [number for number in run.slots])


def _irq(run, numbers):
    """Of those slots; messages are sent by devices that have MSI-X on."""
    senders = [run.slots[n]["bdf"] for n in numbers if n not in run.works or run.works[n].irq == "msix"]
    return judge.irq_section([r for r in run.rearms if r["slot"] in numbers], msi.stray(run.trace(), run.windows, senders))


def irq_checks(run):
    """Of vectors all, of a line what can be said: nothing was lost, and it stayed down until its owner asked for it."""
    vectors, lines, single = ([n for n in run.slots if run.works[n].irq == kind] for kind in ("msix", "intx", "msi"))
    checks = judge.irq_checks(_irq(run, vectors)) if vectors or not run.slots else []
    if lines:
        back = [text for n in lines for up, window in zip(run.updates, run.windows)
                for text in judge.intx_back(run.trace(), window, run.slots[n]["bdf"], up.attached)]
        checks += [c for c in judge.irq_checks(_irq(run, lines)) if c.name in ("irq_lost", "irq_latched", "catch_up_missing")]
        checks.append(judge.zero("intx_back", len(back), back))
    if single:      # without a mask: what is raised meanwhile is lost, and made up for
        back = [text for n in single for up, window in zip(run.updates, run.windows)
                for text in judge.msi_back(run.trace(), window, run.slots[n]["bdf"], up.attached)]
        checks += [c for c in judge.irq_checks(_irq(run, single)) if c.name in ("not_seen", "catch_up_missing")
                   and "messages_of_every_device" not in c.details]
        checks.append(judge.zero("msi_back", len(back), back))
    return checks


def work_checks(run, findings, blackout=True):
    """That no device lost anything."""
    return [c for works in run.families() for c in works[0].checks(run, works, findings, blackout)]


def stopped_checks(run, findings):
    """Of devices that may stop."""
    return [c for works in run.families() for c in works[0].stopped_checks(run, works, findings)]


def bystander_checks(run):
    """The NIC that nobody preserves works before and after, and is stopped in between."""
    return judge.bystander_checks(run.net) + [
        judge.true("bystander_quiesced", judge.bystander_quiesced(run.trace(), run.windows, run.machine.bystander.bdf))]
