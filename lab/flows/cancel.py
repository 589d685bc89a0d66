"""An update that does not happen: the session is closed, or the freeze fails."""

from .. import judge
from ..errors import StepFailed
from ..findings import close, work_checks
from .steps import begin, cancel, compare, failed_freeze, interrupts_come

CYCLES = 30             # how often PREPARE and CANCEL are repeated to see whether memory goes missing
PER_CYCLE_KB = 1        # a quarter of a page


def cancel_flow(run, findings):
    begin(run)
    run.open_devices()
    run.start_work()
    if run.sc.cancel == "freeze":
        run.load(0)             # before the findings are opened: a loaded kernel takes memory of its own
    kho_before = run.call("sys.kho")
    before = {number: run.call("dev.stat", slot=number) for number in run.slots}
    images = run.dumps()
    run.open_window(images)
    run.prepare()
    if run.sc.cancel == "freeze":
        failed_freeze(run)
    if not run.skipped("cancel"):
        cancel(run)
    run.note("CANCEL")
    run.mark()
    kho, again = _cycles(run)
    run.let_flow(run.sc.settle_s)
    compare(run, before, "after CANCEL")
    run.compare_config(images)
    alive = {slot["bdf"]: interrupts_come(run, number) for number, slot in run.slots.items()}
    close(run, findings)
    findings.checks += work_checks(run, findings, blackout=False)
    findings.checks += judge.config_checks(findings.sections["config"])
    findings.checks += judge.iommu_checks(findings.sections["iommu"], 0)
    left = sorted({what for k in kho for what in judge.leftovers(kho_before, k)})
    findings.checks += [judge.zero("still_preserved", len(left), left),
                   *judge.memory_checks(judge.growth_in_a_row(kho), PER_CYCLE_KB),
                   judge.true("prepare_again", not again, again or "yes"), judge.every("interrupts_after", alive)]
    if run.sc.cancel == "freeze":
        bad = judge.not_quiesced(run.trace(), run.windows, [s["bdf"] for s in run.slots.values()])
        findings.checks.append(judge.zero("not_quiesced", len(bad), bad))
    findings.checks += judge.identity_checks(run.compared, run.identity_issues) + judge.log_checks(run.said())


def _cycles(run):
    """PREPARE and CANCEL again and again: (what is in use after each, what went wrong or "")."""
    kho = [run.call("sys.kho")]         # after the first: what is allocated once, at first use, is no growth
    try:
        for _ in range(CYCLES):
            run.prepare(say=False)
            if run.sc.cancel == "freeze":
                failed_freeze(run, say=False)
            cancel(run)
            kho.append(run.call("sys.kho"))
    except StepFailed as e:
        if e.reason not in ("luo.preserve", "luo.cancel"):
            raise
        return kho, e.text
    run.note("repeated", count=CYCLES)
    return kho, ""
