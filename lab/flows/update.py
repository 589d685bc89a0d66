"""An update, and what a stock kernel makes of one."""

import re
import time

from .. import judge
from ..findings import bystander_checks, close, irq_checks, work_checks
from ..host import damage
from ..observe import trace
from ..timeline import ms
from .steps import SETTLE_S, begin, take, updated

PER_UPDATE_KB = 12      # that may go missing: each reading is of another boot, whose own memory varies by 70 kB


def update_flow(run, findings):
    begin(run)
    run.check_bystander("before")
    take(run, run.sc.plan())
    close(run, findings)
    findings.checks += work_checks(run, findings)
    config, iommu = (findings.sections[k] for k in ("config", "iommu"))
    findings.checks += judge.config_checks(config, run.counters_wanted or 1)
    findings.checks += judge.iommu_checks(iommu, len(run.planted))
    findings.checks += irq_checks(run)
    findings.checks += judge.identity_checks(run.compared, run.identity_issues) + bystander_checks(run)
    findings.checks += judge.log_checks(run.said())
    if run.sc.told:
        lines = run.klogs.get(run.generation, [])
        findings.checks.append(judge.true("told", any(re.search(run.sc.told, line) for line in lines)))
    if run.sc.damage:
        words = damage.KINDS[run.sc.damage][1]
        findings.checks.append(judge.true("damage_noticed", any(words in line for line in run.said())))
    if run.sc.check_leftovers:
        left = judge.leftovers(run.kho[0], run.kho[-1])
        findings.checks += [judge.zero("left_over", len(left), left),
                       *judge.memory_checks(judge.growth_over_boots(run.kho), PER_UPDATE_KB)]


def blackout_flow(run, findings):
    """The red baseline: the update without PREPARE, to show what a kernel does to the device otherwise."""
    begin(run)
    run.open_devices()
    run.start_work()
    run.load(0)
    images = run.dumps()
    run.open_window(images)
    t_exec, boot = run.kexec()
    run.mark()
    t_end = time.monotonic()
    updated(run, t_exec, t_end)
    run.times.setdefault("blackout", ms(t_end - t_exec))
    close(run, findings)
    late = 0
    for number, slot in run.slots.items():
        cleared = trace.bus_master_cleared(trace.window(run.trace(), *run.windows[0][:2]), slot["bdf"])
        dead = (cleared[0].t - run.wall0 if cleared else t_exec) + SETTLE_S
        late += sum(1 for t, _s in run.watcher.slots[number].times if t > dead)
    findings.checks.append(judge.zero("landed_without_bus_master", late))
    findings.checks.append(judge.Check("lost", findings.sections["dma"]["lost"], "> 0", findings.sections["dma"]["lost"] > 0))
    findings.checks.append(judge.Check("translation_off", findings.sections["iommu"]["translation_off"], "≥ 1",
                                findings.sections["iommu"]["translation_off"] >= 1))
    findings.checks.append(judge.Check("harmful_reached", findings.sections["config"]["harmful_reached"], "≥ 1",
                                findings.sections["config"]["harmful_reached"] >= 1))
