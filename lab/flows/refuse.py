"""A PREPARE that cannot be honoured is refused, and says for which device and why."""

import re

from .. import judge
from ..errors import StepFailed
from ..judge import policy
from ..workloads.igbpf import TOKEN


def refuse_flow(run, findings):
    """In each case PREPARE must fail, and say for which device and why. Cases that follow each other on the same machine
    share it."""
    run.share()
    machine = None
    for case in run.sc.case:
        wanted = (case.get("machine"), case.get("device"), case.get("cmdline", ""))
        if machine != wanted:
            run.stop()
            run.slots = {}
            run.start(machine=wanted[0], devices=wanted[1], cmdline=f"{run.cmdline(0)} {wanted[2]}".strip())
            run.started = True
            machine = wanted
        run.note("case", name=case["name"])
        bdf, said = _one_refusal(run, case)
        ok = said is not None and bdf in said and re.search(case["reason"], said) is not None
        findings.cases.append({"name": case["name"], "ok": ok, "said": said if said is not None else "preserved"})
        findings.checks.append(judge.true(f"refused: {case['name']}", ok))


def _one_refusal(run, case):
    """(the device, what was said when it was refused or None)."""
    names = {f"nic{i}": nic.bdf for i, nic in enumerate(run.machine.nics)}
    bdf = names[f"nic{case.get('nic', 0)}"]
    if case.get("vf"):
        bdf = names["vf"] = policy.first_vf(run.dump(bdf), bdf)
    opening = {"descs": run.descs, "vectors": run.sc.vectors, "native": False, "timeout": 30, **case.get("open", {})}
    if case.get("pf_owner"):        # the PF is in use by somebody else, who knows what its VFs ask for
        run.call("dev.open", slot=1, bdf=names["nic0"], **opening)
        run.call("dev.token", slot=1, token=TOKEN)
        opening["token"] = TOKEN
    _write(run, case.get("before", []), names)
    run.call("dev.open", slot=0, bdf=bdf, **opening)
    _write(run, case.get("after", []), names)
    known = len(run.save_klog())
    said = None
    try:
        run.call("luo.preserve", slot=0, session="holdfast", timeout=30, **case.get("preserve", {}))
    except StepFailed as e:
        if e.reason != "luo.preserve":
            raise
        said = e.text
        if case.get("why", True):
            said += "; " + str(run.call("luo.why", slot=0).get("reason", ""))
        # What depends on the session (the memfd beside it) only the refusal itself can tell: in the kernel log.
        said += "".join("; " + line for line in run.save_klog()[known:] if "cannot preserve" in line)
        run.note("refused", said=said)
    if said is None:
        run.call("luo.cancel", session="holdfast")
    run.call("dev.close", slot=0, native=True, timeout=30)
    _write(run, case.get("undo", []), names)
    if case.get("pf_owner"):
        run.call("dev.close", slot=1, native=True, timeout=30)
    return bdf, said


def _write(run, lines, names):
    """Each line is path=text, where {nic0}, {nic1}, … and {vf} stand for addresses."""
    for line in lines:
        path, _equals, text = line.format(**names).rpartition("=")
        run.call("sys.write", path=path, text=text)
