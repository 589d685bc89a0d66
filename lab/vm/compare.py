"""What a device adds to the pause of a VM: the same VM with its NIC and without, in turn, on one host in one run."""

from statistics import median

from .. import judge
from ..judge import vm as vmjudge
from . import flow, sections, vm as vm_mod

ADDS_AT_MOST = 1.10


def compare_flow(run, findings, vms):
    """The first [[vm]] has the device, the second has not; each update is of one of them, which is started for it."""
    vms.begin()
    run.started = True
    run.check_bystander("before")
    run.kho.append(dict(run.call("sys.kho"), release=run.kernels["old"]))
    slots, both = run.slots, vms.vms
    pauses = {one.name: [] for one in both}
    for n in range(run.sc.updates):
        one = both[n % 2]
        run.slots = {number: slots[number] for number in one.nics}
        section = one_life(run, vms, one, n)
        findings.sections["vm"]["vms"].append(section)
        pauses[one.name].append(section["updates"][-1]["pause"]["vmm_ms"])
    run.slots = slots
    close(run, findings, vms)
    findings.checks += sections.vm_checks(findings) + judge.bystander_checks(run.net)
    findings.checks += judge.config_checks(findings.sections["config"]) + judge.iommu_checks(findings.sections["iommu"], 0)
    with_device, without = (median(pauses[one.name]) for one in both)
    ratio = round(with_device / without, 3)
    findings.checks.append(judge.Check("pause_with_device", ratio, f"≤ {ADDS_AT_MOST}", ratio <= ADDS_AT_MOST))


def one_life(run, vms, one, n):
    """A VM is booted, goes through one update, and is stopped. Returns its section of the result."""
    vms.vms = [one]
    vms.updates[one.name] = []
    if n >= 2:
        vms.fresh(one)
    for slot in run.slots.values():
        run.call("vm.bind", bdf=slot["bdf"], timeout=30)
    vms.start(one)
    vms.watch(one)
    vms.traffic(one)
    vms.flow(one, run.sc.settle_s)
    flow.one_update(run, vms, n)
    if not one.nics:
        run.windows.pop()           # nothing was preserved: the new kernel may do to the device what it likes
    sent = run.finish_senders()
    run.senders = {}
    goal = [sent.get(number, 0) for number in one.nics]
    one.link.wait(sections.DRAIN_S, lambda b: all(nic["rx"] >= g for nic, g in zip(b["nics"], goal)))
    last = one.link.report(10 * run.opt.patience)
    section = sections.section(run, vms, one, last, sent)
    vms.qmp(one, vm_mod.qmp("quit"))
    run.call("vm.exit", name=one.name, timeout_ms=20000, timeout=25)
    run.note("vm stopped", name=one.name)
    return section


def close(run, findings, vms):
    findings.closed = True
    sections.machine(run, findings, vms)
    nics = [nic for vm in findings.sections["vm"]["vms"] for nic in vm["nics"]]
    gaps = [up["pause"]["nic_ms"] or 0 for vm in findings.sections["vm"]["vms"] for up in vm["updates"]]
    findings.sections["dma"] = vmjudge.dma_section(nics, 0, max(gaps, default=0))
