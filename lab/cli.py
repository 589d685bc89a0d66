"""python3 -m lab list | kernels NAME | run NAME | check | report"""

import argparse
import concurrent.futures
import fcntl
import json
import multiprocessing
import os
import sys
import time
import traceback

from . import flows, judge, run as run_mod, scenario
from .errors import EmulatorFault, Infra, Skip, StepFailed
from .flows import steps
from .report import show, tables

PASS, FAIL, USAGE, INFRA, SKIP = 0, 1, 2, 75, 77


def parser():
    p = argparse.ArgumentParser(prog="lab", description="Runs holdfast's scenarios in QEMU and judges them.")
    sub = p.add_subparsers(dest="command", required=True)
    ls = sub.add_parser("list", help="list the scenarios")
    ls.add_argument("--json", action="store_true")
    k = sub.add_parser("kernels", help="list the kernels that a scenario needs")
    k.add_argument("name")

    def common(q):
        q.add_argument("--build", default="build", metavar="DIR", help="where the kernels are and the results go")
        q.add_argument("--accel", default="tcg", choices=("tcg", "kvm"))
        q.add_argument("--patience", type=float, default=1.0, metavar="X", help="multiply every time limit (slow machine)")

    r = sub.add_parser("run", help="run one scenario (exit 0 pass, 1 fail, 75 infra, 77 skipped)")
    r.add_argument("name")
    r.add_argument("--rate", type=int, metavar="N", help="packets per second instead of the scenario's")
    r.add_argument("--negative", action="store_true", help="the negative twin: it must fail, for the reason the scenario names")
    r.add_argument("--json", action="store_true", help="print the result, nothing else")
    r.add_argument("--live", action="store_true", help="on a terminal: a counter of packets that keeps moving")
    common(r)
    c = sub.add_parser("check", help="run the scenarios and their negative twins")
    c.add_argument("names", nargs="*", help="only these scenarios")
    c.add_argument("--vm", action="store_true", help="all scenarios with VMs, and no others")
    c.add_argument("--no-negative", action="store_true", help="leave the negative twins out")
    c.add_argument("--rate", type=int, metavar="N")
    c.add_argument("--retries", type=int, default=1, metavar="N", help="how often to try again after an infra result")
    c.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), metavar="N", help="how many to run at a time (2)")
    common(c)
    rep = sub.add_parser("report", help="print a Markdown table of the results that are there")
    rep.add_argument("--build", default="build", metavar="DIR", help="where the results are")
    for q in (k, r, c):
        q.add_argument("--series", default="7.2", metavar="X.Y[-VARIANT]",
                       help="on kernels of this series instead of 7.2, or on ours with this variant: 7.2-lockdep, 7.2-kasan")
    return p


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
    findings = steps.Findings()
    verdict, reasons, text = "pass", [], ""
    try:
        try:
            flows.FLOWS[sc.kind](run, findings)
        except StepFailed as e:
            verdict, reasons, text = "fail", [e.reason], e.text
        except Infra as e:
            fault = isinstance(e, EmulatorFault) or not run.started
            verdict, text = ("infra" if fault else "fail"), str(e)
            reasons = ["infra"]
        if verdict != "infra" and not findings.closed and sc.kind not in ("refuse", "stray", "vm", "nvme", "fence-nvme"):
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
    return out, run.write(out)


def checks_when_broken(run, findings):
    """A run that broke off is still judged by what was seen until then: the first cause often lies there."""
    try:
        steps.close_findings(run, findings)
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


def cmd_list(args):
    rows = [scenario.load(n) for n in scenario.names()]
    if args.json:
        print(json.dumps([{"name": s.name, "summary": s.summary, "kind": s.kind, "rate": s.rate,
                           "negative": bool(s.negative)} for s in rows], indent=1))
        return PASS
    width = max(len(s.name) for s in rows)
    for s in rows:
        print(f"{s.name:<{width}}  {s.summary}" + ("" if s.negative else "  (no negative twin)"))
    return PASS


def cmd_kernels(args):
    for kernel in scenario.load(args.name).on_series(args.series).kernels():
        print(kernel)
    return PASS


def cmd_run(args):
    sc = scenario.load(args.name).on_series(args.series)
    if args.negative and not sc.negative:
        print(f"{sc.name} has no negative twin", file=sys.stderr)
        return USAGE
    options = Options(args, args.negative)
    try:
        out, path = run_one(sc, options)
    except Skip as e:
        print(f"{sc.name}: skipped: {e}", file=sys.stderr)
        return SKIP
    except Infra as e:
        print(f"{sc.name}: {e}", file=sys.stderr)
        return INFRA
    print(json.dumps(out, indent=1, ensure_ascii=False) if args.json else show.table(out, path))
    return {"pass": PASS, "fail": FAIL, "infra": INFRA}[out["verdict"]]


def cmd_check(args):
    todo = []
    for sc in wanted(args):
        todo.append((sc, False))
        if sc.negative and not args.no_negative:
            todo.append((sc, True))
    passed = failed = skipped = 0
    began = time.monotonic()
    for i, (sc, negative, state, text, took) in enumerate(outcomes(todo, args), 1):
        label = sc.name + (" (negative twin)" if negative else "")
        passed += state == "pass"
        failed += state == "FAIL"
        skipped += state == "skip"
        print(f"[{i}/{len(todo)}] {state:<4} {label}  {took:.0f} s{'  ' + text if text else ''}", flush=True)
        if state == "FAIL":
            print(f"       again: python3 -m lab run {sc.name}{' --negative' if negative else ''} --build {args.build}",
                  flush=True)
    print(f"the whole lab: {time.monotonic() - began:.0f} s")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return PASS if todo and not failed else FAIL


def wanted(args):
    """The scenarios of `check`: those named, or all VM scenarios, or all that are meant for every check."""
    all_of_them = [scenario.load(name).on_series(args.series) for name in args.names or scenario.names()]
    if args.names:
        return all_of_them
    return [sc for sc in all_of_them if (sc.kind == "vm" if args.vm else sc.default)]


def cmd_report(args):
    found = tables.load(args.build)
    if not found:
        print(f"no results in {args.build}/lab: run make lab SCENARIO=NAME, or make check", file=sys.stderr)
        return USAGE
    print("\n\n".join(tables.tables(found)))
    return PASS


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


def main(argv=None):
    args = parser().parse_args(argv)
    try:
        return {"list": cmd_list, "kernels": cmd_kernels, "run": cmd_run, "check": cmd_check,
                "report": cmd_report}[args.command](args)
    except scenario.ScenarioError as e:
        print(e, file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        return 130
    except Exception:       # a fault of the runner itself says nothing about the kernel
        traceback.print_exc()
        return INFRA
