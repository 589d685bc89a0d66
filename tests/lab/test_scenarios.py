import copy
import json
import os
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from lab import cli, findings, runner, scenario         # noqa: E402
from lab.errors import Infra, Skip                      # noqa: E402
from lab.report import result, show, tables             # noqa: E402

REQUIRED = {"nic-root-port", "nic-root-port-2000", "nic-switch", "nic-scalable", "nic-x2apic-ats", "two-nics",
            "twenty-updates", "cross-version", "fence-no-luo", "fence-no-iommu", "cancel-prepare", "cancel-freeze"}


def sample():
    return {"version": 1, "scenario": "x", "verdict": "pass", "reasons": [], "kernel": {"old": "7.2", "new": None},
            "machine": "m", **findings.empty_sections(),
            "time_ms": dict.fromkeys(("freeze", "syscall_to_userspace", "adopt", "attach", "finish", "blackout")),
            "timeline": [{"t_ms": 1.0, "event": "start"}], "landed_series": [[0, 1]], "checks": []}


class Files(unittest.TestCase):
    def test_all_load(self):
        names = scenario.names()
        self.assertLessEqual(REQUIRED, set(names))
        for name in names:
            s = scenario.load(name)
            self.assertTrue(s.summary)
            if name in REQUIRED:
                self.assertTrue(s.negative["expect"], name)

    def test_ring_is_long_enough_for_the_run(self):
        for name in scenario.names():
            s = scenario.load(name)
            if s.kind == "update":
                self.assertGreaterEqual(s.descs_for(s.rate), s.rate * 30 * s.updates, name)
        self.assertEqual(scenario.load("nic-root-port").descs_for(500), -(-500 * scenario.RUN_S // 8) * 8)
        self.assertEqual(scenario.load("nic-root-port").descs_for(9999), scenario.DESCS_MAX)

    def test_twenty_updates_goes_back_and_forth(self):
        s = scenario.load("twenty-updates")
        self.assertEqual(s.updates, 20)
        self.assertEqual([s.new_kernel(i) for i in range(3)], ["7.2-b", "7.2", "7.2-b"])
        self.assertEqual(s.kernels(), ["7.2", "7.2-b"])

    def test_on_kernels_that_check_themselves(self):
        sc = scenario.load("twenty-updates").on_series("7.2-lockdep")
        self.assertEqual(sc.kernels(), ["7.2-lockdep"])
        self.assertEqual(scenario.load("twenty-updates").on_series("7.3").kernels(), ["7.3", "7.3-b"])
        stock = scenario.load("stock").on_series("7.2-lockdep")
        self.assertIn("7.2-stock", stock.kernels())     # what is not ours stays what it is

    def test_steps(self):
        self.assertEqual(scenario.load("owner-killed").updates, 2)
        self.assertEqual(scenario.load("nic-root-port").plan()[:4], ["open", "work", "preserve", "load"])
        self.assertEqual(scenario.load("twenty-updates").plan().count("freeze+kexec"), 20)

    def test_devices(self):
        self.assertEqual(scenario.load("nic-switch").device, [{"workload": "igb", "behind": "switch"}])
        self.assertEqual(scenario.load("nvme-root-port").device, [{"workload": "nvme", "behind": "root-port"}])
        sc = scenario.from_dict("t", {"summary": "x", "sessions": "each", "device": [{"workload": "igb"}, {"workload": "igb", "session": "s"}]})
        self.assertEqual([sc.session_of(n) for n in (0, 1)], ["holdfast-0", "s"])

    def test_mistakes_are_named(self):
        for data, word in (({}, "summary"), ({"summary": "x", "frobnicate": 1}, "frobnicate"),
                           ({"summary": "x", "kind": "y"}, "kind"), ({"summary": "x", "kind": "cancel"}, "cancel"),
                           ({"summary": "x", "kind": "refuse"}, "case"), ({"summary": "x", "negative": {"cmdline": "a"}}, "reason"),
                           ({"summary": "x", "kind": "refuse", "case": [{"name": "y", "reason": "z", "opne": {}}]}, "open"),
                           ({"summary": "x", "machine": {"nics": ["bus"]}}, "bus"),
                           ({"summary": "x", "device": [{"workload": "abacus"}]}, "nvme"),
                           ({"summary": "x", "device": [{"workload": "igb", "iops": 3}]}, "iops"),
                           ({"summary": "x", "device": [], "machine": {"nics": []}}, "device"),
                           ({"summary": "x", "kind": "cancel", "cancel": "freeze", "steps": ["update"]}, "steps"),
                           ({"summary": "x", "steps": ["open", "dance"]}, "dance")):
            with self.assertRaisesRegex(scenario.ScenarioError, word):
                scenario.from_dict("t", data)
        with self.assertRaisesRegex(scenario.ScenarioError, "no scenario"):
            scenario.load("no-such")


class Results(unittest.TestCase):
    def test_sample_is_valid(self):
        self.assertEqual(result.check(sample()), [])

    def test_every_field_of_the_specification_is_required(self):
        for key in ("scenario", "verdict", "kernel", "machine", "dma", "config", "iommu", "irq", "time_ms", "timeline",
                    "landed_series"):
            bad = sample()
            del bad[key]
            self.assertTrue(result.check(bad), key)
        for part in ("dma", "config", "iommu", "irq", "time_ms"):
            for key in result.schema()["properties"][part]["required"]:
                bad = copy.deepcopy(sample())
                del bad[part][key]
                self.assertTrue(result.check(bad), f"{part}.{key}")

    def test_wrong_values(self):
        for change in ({"verdict": "good"}, {"timeline": [{"event": "x"}]}, {"landed_series": [[1]]}, {"extra": 1},
                       {"reasons": "lost"}, {"dma": dict(sample()["dma"], lost=-1)}, {"dma": dict(sample()["dma"], lost=True)}):
            self.assertTrue(result.check(dict(sample(), **change)), change)

    def test_a_bad_result_is_not_written(self):
        with tempfile.TemporaryDirectory() as d:
            path = os.path.join(d, "result.json")
            with self.assertRaises(ValueError):
                result.write(path, {"version": 1})
            self.assertFalse(os.path.exists(path))
            result.write(path, sample())
            with open(path) as f:
                self.assertEqual(json.load(f), sample())


def _slow_or_bad(sc, options, _retries):
    bad = sc.name == "two-nics" and not options.negative
    return ("FAIL", "lost") if bad else ("pass", "")


class Verdicts(unittest.TestCase):
    def check(self, *results, names=("nic-root-port",), extra=()):
        """Runs `check` with the given outcomes; returns (exit code, last line)."""
        todo = iter(results)

        def fake(_sc, _options):
            r = next(todo)
            if isinstance(r, Exception):
                raise r
            return r, "path"

        with mock.patch.object(runner, "run_one", fake), mock.patch("builtins.print") as out:
            code = cli.main(["check", "--jobs=1", *extra, *names])
        return code, out.call_args_list[-1].args[0]

    def twin(self, ok, reasons):
        return dict(sample(), verdict="fail", reasons=reasons, negative={"expect": ["x"], "as_expected": ok})

    def test_pass_and_twin(self):
        self.assertEqual(self.check(sample(), self.twin(True, ["harmful_reached"])), (0, "2 passed, 0 failed, 0 skipped"))

    def test_twin_that_fails_for_another_reason(self):
        self.assertEqual(self.check(sample(), self.twin(False, ["lost"])), (1, "1 passed, 1 failed, 0 skipped"))

    def test_twin_that_passes(self):
        good = dict(sample(), negative={"expect": ["x"], "as_expected": False})
        self.assertEqual(self.check(sample(), good), (1, "1 passed, 1 failed, 0 skipped"))

    def test_skip(self):
        self.assertEqual(self.check(Skip("no 7.3"), Skip("no 7.3"), names=["cross-version"]), (0, "0 passed, 0 failed, 2 skipped"))

    def test_infra_is_tried_again_and_is_no_pass(self):
        infra = dict(sample(), verdict="infra", reasons=["infra"])
        self.assertEqual(self.check(infra, sample(), extra=["--no-negative"])[0], 0)
        self.assertEqual(self.check(Infra("x"), infra, extra=["--no-negative"])[0], 1)

    def test_several_at_a_time(self):
        with mock.patch.object(runner, "check_one", _slow_or_bad), mock.patch("builtins.print") as out:
            code = cli.main(["check", "--jobs=3", "nic-switch", "two-nics", "twenty-updates"])
        lines = [call.args[0] for call in out.call_args_list]
        self.assertEqual((code, lines[-1]), (1, "5 passed, 1 failed, 0 skipped"))
        self.assertEqual(sum("FAIL two-nics" in line and "lost" in line for line in lines), 1)

    def test_missing_kernel_is_infra_and_has_a_result(self):
        with tempfile.TemporaryDirectory() as d, mock.patch("builtins.print"):
            self.assertEqual(cli.main(["run", "nic-root-port", "--build", d]), 75)
            with open(os.path.join(d, "lab/nic-root-port/result.json")) as f:
                self.assertEqual(json.load(f)["verdict"], "infra")

    def test_optional_kernel_is_a_skip(self):
        with tempfile.TemporaryDirectory() as d, mock.patch("builtins.print"):
            os.makedirs(os.path.join(d, "kernel/7.2"))
            open(os.path.join(d, "kernel/7.2/bzImage"), "w").close()
            self.assertEqual(cli.main(["run", "cross-version", "--build", d]), 77)

    def test_usage(self):
        with mock.patch("sys.stderr"):
            self.assertEqual(cli.main(["run", "no-such"]), 2)
            self.assertEqual(cli.main(["run", "stock", "--negative"]), 2)


class Report(unittest.TestCase):
    def build(self, **results):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        for name, r in results.items():
            os.makedirs(os.path.join(folder.name, "lab", name))
            with open(os.path.join(folder.name, "lab", name, "result.json"), "w") as f:
                f.write(r if isinstance(r, str) else json.dumps(r))
        return folder.name

    def test_table(self):
        r = sample()
        r["scenario"] = "nic-switch"
        r["dma"].update(offered=5000, offered_in_blackout=2000, landed_in_blackout=1999, lost=1)
        r["time_ms"].update(syscall_to_userspace=3800.2, blackout=4000.6, attach=9)
        twin = dict(r, verdict="fail", negative={"expect": ["x"], "as_expected": True})
        build = self.build(b=twin, a=r, zzz=dict(sample(), scenario="cancel-freeze"), bad="{", old='{"version": 1}')
        lines = tables.table(tables.load(build)).splitlines()
        self.assertEqual([line.split("|")[1].strip() for line in lines[2:]], ["nic-switch", "nic-switch, twin", "cancel-freeze"])
        self.assertEqual([c.strip() for c in lines[2].split("|")[2:-1]], ["pass", "4,001", "1,999 of 2,000", "1", "9", "0", "0"])
        self.assertIn("fail, as it must", lines[3])
        self.assertEqual([c.strip() for c in lines[4].split("|")[2:-1]], ["pass"] + ["–"] * 6)
        self.assertEqual(len({len(line) for line in lines}), 1)

    def test_command(self):
        with mock.patch("builtins.print") as out:
            self.assertEqual(cli.main(["report", "--build", self.build(a=sample())]), 0)
            self.assertIn("| x ", out.call_args.args[0])
            self.assertEqual(cli.main(["report", "--build", self.build()]), 2)


class Show(unittest.TestCase):
    def test_table(self):
        r = dict(sample(), checks=[{"name": "lost", "value": 3, "limit": "= 0", "ok": False}], verdict="fail", reasons=["lost"])
        text = show.table(r, "/x/result.json")
        self.assertRegex(text, r"lost +3 +(= 0) +FAIL")
        self.assertIn("verdict: FAIL  (lost)", text)
        self.assertIn("result.json", text)

    def test_spark(self):
        self.assertEqual(show.spark([]), "")
        self.assertEqual(show.spark([(0, 0), (1, 0), (2, 10)]), "▁█")


if __name__ == "__main__":
    unittest.main()
