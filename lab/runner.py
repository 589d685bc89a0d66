"""Runs a scenario and says what came of it; runs many, several at a time."""

import concurrent.futures
import fcntl
import multiprocessing
import os
import time

from . import judge, run as run_mod
from .errors import EmulatorFault, Infra, Skip, StepFailed
from .findings import Findings, close
from .flows import FLOWS
from .report import result, show


class Options:
    def __init__(self, args, negative):
        self.build, self.accel, self.patience = os.path.abspath(args.build), args.accel, args.patience
        self.rate = args.rate
        self.negative = negative
        self.json = getattr(args, "json", False)
        self.live = getattr(args, "live", False)
        self.quiet = args.command == "check"


def run_one(sc, options):
    """Runs a scenario; returns (result, path of result.json). Raises Skip. Never leaves a QEMU behind."""
    view = show.make(options)
    lock = hold(options, sc)
    run = run_mod.Run(sc, options, view)
    view.counter(run.packets)
    findings = Findings()
    verdict, reasons, text = "pass", [], ""
    try:
        try:
            FLOWS[sc.kind](run, findings)
        except StepFailed as e:
            lost = run.lost_interrupt()
            verdict, reasons, text = ("infra", ["infra"], lost) if lost else ("fail", [e.reason], e.text)
        except Infra as e:
            fault = isinstance(e, EmulatorFault) or not run.started
            verdict, text = ("infra" if fault else "fail"), str(e)
            reasons = ["infra"]
        if verdict != "infra" and not findings.closed and sc.kind not in ("refuse", "stray", "vm"):
            checks_when_broken(run, findings)
    finally:
        try:
            run.stop()
        finally:
            view.close()
            lock.close()
    if verdict != "infra":
        judged, why = judge.verdict(findings.checks) if findings.checks or verdict == "pass" else (verdict, [])
        verdict = "fail" if "fail" in (verdict, judged) else "pass"
        reasons += [r for r in why if r not in reasons]
        if findings.ring_used_up and reasons and set(reasons) <= {"lost", "landed_in_blackout", "vm_lost"}:
            verdict, text = "infra", "this machine is so slow that the receive ring was used up before the run's end"
    out = {
        "version": 1, "scenario": sc.name, "verdict": verdict, "reasons": reasons, "text": text, "summary": sc.summary,
        "kind": sc.kind, "kernel": run.kernels, "machine": sc.machine_text() + f", {options.accel}", "rate": run.rate,
        "updates": len(run.updates), **findings.sections,
        "time_ms": {k: run.times.get(k) for k in ("freeze", "syscall_to_userspace", "adopt", "attach", "finish", "blackout")},
        "checks": [{"name": b.name, "value": b.value, "limit": b.limit, "ok": b.ok} for b in findings.checks],
        "timeline": run.timeline, "landed_series": findings.series,
    }
    if findings.cases:
        out["cases"] = findings.cases
    if options.negative:
        expect = sc.negative["expect"]
        out["negative"] = {"expect": expect,
                           "as_expected": verdict == "fail" and judge.as_expected(reasons, expect)}
    os.makedirs(run.dir, exist_ok=True)
    return out, result.write(os.path.join(run.dir, "result.json"), out)


def checks_when_broken(run, findings):
    """A run that broke off is still judged by what was seen until then: the first cause often lies there."""
    try:
        close(run, findings)
    except (OSError, ValueError, StepFailed, Infra) as e:
        run.note("findings not closed", said=str(e))
        return
    if run.windows:
        findings.checks += judge.config_checks(findings.sections["config"])
        findings.checks += judge.iommu_checks(findings.sections["iommu"], 0)
    if findings.sections["dma"]["offered"]:
        findings.checks += judge.dma_checks(findings.sections["dma"], blackout=False)


def hold(options, sc):
    """One run of a scenario at a time in a build folder."""
    folder = os.path.join(options.build, "lab")
    os.makedirs(folder, exist_ok=True)
    name = sc.name + ("-negative" if options.negative else "")
    lock = open(os.path.join(folder, f".{name}.lock"), "w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise Infra(f"{name} is already running in {options.build}") from None
    return lock


def outcomes(todo, args):
    """(scenario, negative, state, text, seconds) of each of `todo`, as they end."""
    if args.jobs <= 1:
        for sc, negative in todo:
            yield sc, negative, *timed(sc, Options(args, negative), args.retries)
        return
    # A process each, so that reading one run's trace does not slow the watcher of another. The longest first.
    fork = multiprocessing.get_context("fork")
    with concurrent.futures.ProcessPoolExecutor(args.jobs, mp_context=fork) as pool:
        jobs = {pool.submit(timed, sc, Options(args, negative), args.retries): (sc, negative)
                for sc, negative in sorted(todo, key=lambda t: -t[0].updates)}
        for job in concurrent.futures.as_completed(jobs):
            yield *jobs[job], *job.result()


def timed(sc, options, retries):
    t0 = time.monotonic()
    state, text = check_one(sc, options, retries)
    return state, text, time.monotonic() - t0


def check_one(sc, options, retries):
    """(state, what to add) of one line of `check`."""
    for attempt in range(retries + 1):
        try:
            out, _path = run_one(sc, options)
        except Skip as e:
            return "skip", str(e)
        except Infra as e:
            out = {"verdict": "infra", "reasons": ["infra"], "text": str(e)}
        if out["verdict"] != "infra" or attempt == retries:
            break
    if options.negative:
        if out.get("negative", {}).get("as_expected"):
            hit = [r for r in out["reasons"] if judge.as_expected([r], sc.negative["expect"])]
            return "pass", "failed as it must: " + ", ".join(hit[:3])
        return "FAIL", f"should fail for {' or '.join(sc.negative['expect'])}, got: {', '.join(out['reasons']) or 'pass'}"
    if out["verdict"] == "pass":
        return "pass", ""
    return "FAIL", ", ".join(out["reasons"][:6]) + (f": {out['text']}" if out.get("text") else "")
