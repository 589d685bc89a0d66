"""VMs on the host under test: an unmodified QEMU runs them, and the kernel is replaced under it."""

from ..errors import StepFailed
from . import compare, flow, sections
from .vms import Vms, save


def vm_flow(run, findings):
    vms = Vms(run)
    run.counter = vms.packets
    try:
        vms.begin_sections(findings)
        FLOWS[run.sc.flow](run, findings, vms)
    except StepFailed:
        sections.close_broken(run, findings, vms)
        raise
    finally:
        if run.machine and run.machine.alive() and run.ctl:
            for one in vms.vms:
                save(run, one.name)
            run.save_klog()
        vms.close()


FLOWS = {"update": flow.update_flow, "refused": flow.refused_flow, "killed": flow.killed_flow, "wrong": flow.wrong_flow,
         "cold": flow.cold_flow, "compare": compare.compare_flow}
