"""python3 -m lab list | kernels NAME | run NAME | check | report"""

import argparse
import json
import os
import sys
import time
import traceback

from . import runner, scenario
from .errors import Infra, Skip
from .report import show, tables
from .runner import Options

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
        out, path = runner.run_one(sc, options)
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
    for i, (sc, negative, state, text, took) in enumerate(runner.outcomes(todo, args), 1):
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
