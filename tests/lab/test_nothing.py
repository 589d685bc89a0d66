"""Nothing can be wrong with nothing: every judge is given nothing to judge here, and has to fail for that."""

import os
import sys
import tempfile
import types
import unittest
from unittest import mock

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, os.path.dirname(__file__))
from lab import cli, findings, judge, run, runner, scenario                                       # noqa: E402
from lab.errors import NotSeen, StepFailed                                      # noqa: E402
from lab.flows import steps                                                     # noqa: E402
from lab.judge import msi, policy, vm as vmjudge                                # noqa: E402
from lab.observe import trace, traffic, watch                                   # noqa: E402
from lab.timeline import VmUpdate                                               # noqa: E402
from lab.workloads.igb import Igb                                               # noqa: E402
from lab.workloads.nic import Receiver                                          # noqa: E402
from lab.vm import sections                                          # noqa: E402
from images import NIC, images                                                  # noqa: E402

MARKS = "1@100.000000:pci_cfg_write mch 00:00.0 @0x2c <- 0xa0", "1@100.000000:pci_cfg_write mch 00:00.0 @0x2c <- 0xa1"
WINDOWS = [(0xA0, 0xA1, images())]
EMPTY = trace.parse(MARKS)              # a window in which nothing happened
BLIND = []                              # a trace without the marks


def reasons(checks):
    return judge.verdict(checks)[1]


def dma(**change):
    return dict(judge.dma_section([]), **change)


class Sections(unittest.TestCase):
    """Those that count, and demand something of each kind afterwards."""

    def names(self, checks, *want):
        self.assertEqual([r for r in reasons(checks) if r.startswith("not_seen:")], [f"not_seen:{w}" for w in want])

    def test_dma(self):
        self.names(judge.dma_checks(dma(), blackout=False), "frames_offered", "frames_landed", "frames_of_every_nic")
        self.assertIn("landed_in_blackout", reasons(judge.dma_checks(dma())))
        one = {k: 9 for k in dma()}
        silent = dict(one, offered=0, landed=0)
        self.names(judge.dma_checks(judge.dma_section([dict(one), silent]), blackout=False), "frames_of_every_nic")

    def test_config(self):
        self.names(judge.config_checks(judge.config_section(EMPTY, [], []), 2), "config_space", "counters_of_the_guard")
        self.names(judge.config_checks(judge.config_section(EMPTY, [(0xA0, 0xA1, {})], [])), "config_space")
        self.names(judge.config_checks(findings.empty_sections()["config"], 1), "config_space", "counters_of_the_guard")
        text = "withheld 1\nbar 1\nunexplained 0\n"
        self.names(judge.config_checks(judge.config_section(EMPTY, WINDOWS, [text]), 2), "counters_of_the_guard")

    def test_a_register_that_is_not_in_the_image(self):
        events = trace.parse([MARKS[0], "1@100.000000:pci_cfg_write igb 01:00.0 @0xa8 <- 0x8000", MARKS[1]])
        short = [(0xA0, 0xA1, {NIC: images()[NIC][:128]})]
        self.names(judge.config_checks(judge.config_section(events, short, [])), "registers_written")

    def test_iommu(self):
        self.names(judge.iommu_checks(judge.iommu_section(EMPTY, [], [], None), 0), "windows", "registers_of_the_iommu", "memory")
        self.names(judge.iommu_checks(findings.empty_sections()["iommu"], 0), "windows", "registers_of_the_iommu", "memory")

    def test_irq(self):
        self.names(judge.irq_checks(judge.irq_section([])), "rearms", "messages_of_every_device")
        self.names(judge.irq_checks(findings.empty_sections()["irq"]), "rearms", "messages_of_every_device")
        self.assertIn("irq_latched", reasons(judge.irq_checks(judge.irq_section([], {NIC: 0}))))
        self.names(judge.stray_checks(judge.irq_section([], {NIC: None, "other": 0})), "messages_of_every_device")
        self.names(judge.irq_checks(judge.irq_section([{"pba": 1, "irq_latched": [], "irq": []}], {NIC: 0})), "rearms")

    def test_world(self):
        self.names(judge.identity_checks(0, []), "identity")
        self.names(judge.bystander_checks([]), "bystander")
        self.names(judge.memory_checks(None, 1), "memory_readings")

    def test_vm(self):
        self.names(vmjudge.vm_checks([]), "vms")
        ring = types.SimpleNamespace(times=[], corrupt=0, foreign=0, duplicate=0)
        wire = types.SimpleNamespace(seen=set(), missing=lambda: 0, duplicate=0, corrupt=0)
        said = {"missing": [], "rx": 0, "dup": 0, "bad": 0, "ooo": 0, "tx": 0}
        nic = vmjudge.nic_section(0, said, ring, wire, [])
        update = VmUpdate(t_stop=1.0, t_running=2.0)
        vm = vmjudge.vm_section("vm0", [], 1, True, [], [], [nic], [update])
        self.names(vmjudge.vm_checks([vm]), "frames_of_every_nic")
        self.assertLessEqual({"vm_breaks:vm0 0 lines of its own account", "vm_memory:vm0 never looked at",
                              "vm_interrupts:vm0 nothing said since then", "vm_pings:vm0 0 of 0 answered"},
                             set(reasons(vmjudge.vm_checks([vm]))))
        self.names([judge.landed_check(vmjudge.dma_section([nic], 0, 0))])
        self.assertFalse(judge.landed_check(vmjudge.dma_section([nic], 0, 0)).ok)

    def test_nothing_at_all(self):
        self.assertEqual(judge.verdict([]), ("fail", ["not_seen:anything"]))
        self.assertFalse(judge.as_expected([], ["x"]))
        self.assertFalse(judge.as_expected(["not_seen:anything"], ["harmful_reached"]))


class Blind(unittest.TestCase):
    """Those that look into the trace: without its marks each is an error, and never a pass."""

    def test_no_marks(self):
        for judged in (lambda: trace.mark(BLIND, 0xA0), lambda: trace.window(BLIND, 0xA0, 0xA1),
                       lambda: trace.window(BLIND, 0xA0, None), lambda: trace.window(EMPTY, 0xA0, 0xA2),
                       lambda: judge.config_section(BLIND, WINDOWS, []), lambda: judge.iommu_section(BLIND, WINDOWS, [], 0),
                       lambda: msi.stray(BLIND, WINDOWS, [NIC]), lambda: judge.not_quiesced(BLIND, WINDOWS, [NIC]),
                       lambda: judge.bystander_quiesced(BLIND, WINDOWS, NIC), lambda: judge.fence(BLIND, WINDOWS[0], NIC),
                       lambda: judge.fence_checks(BLIND, WINDOWS, {NIC: ((), 20)})):
            with self.assertRaises(NotSeen):
                judged()

    def test_no_windows_and_no_functions(self):
        for judged in (lambda: judge.not_quiesced(EMPTY, [], [NIC]), lambda: judge.not_quiesced(EMPTY, WINDOWS, []),
                       lambda: judge.not_quiesced(EMPTY, [(0xA0, 0xA1, {NIC: bytes(4096)})], [NIC]),
                       lambda: judge.bystander_quiesced(EMPTY, [], NIC), lambda: judge.fence_checks(EMPTY, [], {NIC: ((), 20)}),
                       lambda: judge.fence_checks(EMPTY, WINDOWS, {}), lambda: judge.every("x", {})):
            with self.assertRaises(NotSeen):
                judged()
        self.assertEqual(msi.stray(EMPTY, [], [NIC]), {NIC: None})
        self.assertEqual(msi.stray(EMPTY, WINDOWS, [NIC]), {NIC: None})
        self.assertEqual(reasons(judge.fence_checks(EMPTY, WINDOWS, {NIC: ((), 20)})), [
            "not_seen:lines", f"fenced:{NIC}", f"fence_before_translation_off:{NIC}", f"intx_disabled:{NIC}"])
        self.assertEqual(reasons(judge.log_checks([])), ["not_seen:kernel_log"])
        self.assertEqual(judge.given_up([], NIC, images()[NIC]), (False, False))

    def test_no_config_space(self):
        for image in (b"", b"\xff" * 4096):
            with self.assertRaises(NotSeen):
                policy.Device(image)
        with self.assertRaises(NotSeen):
            policy.Device(images()[NIC]).differences(images()[NIC], b"")
        with self.assertRaises(NotSeen):
            policy.parse_counters("")


class Readings(unittest.TestCase):
    def test_nothing_to_compare(self):
        self.assertEqual(judge.identity({}, {}), ["bars not seen", "vconfig_sha not seen", "command not seen"])
        for first, last in (({}, {}), ({"kho_entries": -1, "preserved": 0}, {"kho_entries": -1, "preserved": 0}),
                            ({"kho_entries": 1}, {"kho_entries": 1})):
            with self.assertRaises(NotSeen):
                judge.leftovers(first, last)
        for few in ([], [{"mem_unused_kb": 1, "release": "a"}]):
            self.assertIsNone(judge.growth_in_a_row(few))
            self.assertIsNone(judge.growth_over_boots(few))
        other = [{"mem_unused_kb": 1, "release": "a"}, {"mem_unused_kb": 1, "release": "b"}]
        self.assertIsNone(judge.growth_over_boots(other))

    def test_no_kernel_log(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(sections.host_klog(folder), ([], 0))
        self.assertEqual(reasons(judge.seen(host_klog=0)), ["not_seen:host_klog"])

    def test_no_frames_to_be_found(self):
        with tempfile.TemporaryFile() as f:
            f.truncate(1 << 20)
            self.assertEqual(watch.stray(f.fileno(), bytes(1 << 20), [], Receiver.needle, Receiver.needle_at), ([], 0))
        sc = types.SimpleNamespace(name="x", timeout_s=9, descs_for=lambda rate: 8, rate=1)
        one = run.Run(sc, types.SimpleNamespace(negative=False, build="/nowhere", rate=None, patience=1), None)
        self.assertIsNone(one.breaches())
        self.assertEqual(one.watched(), "no watcher")
        one.machine = types.SimpleNamespace(ram_fd=-1, ram=b"")
        one.slots, one.watcher = {0: {}}, types.SimpleNamespace(breaches=0, error=None)
        self.assertIsNone(one.breaches())

    def test_no_canary(self):
        with self.assertRaises(NotSeen):
            watch.Canary(bytes(8192), 4096)

    def test_no_frame(self):
        self.assertIsNone(traffic.parse(b""))
        self.assertEqual(judge.frames(bytearray(), 0, -1, 0), (0, 0, 0))
        self.assertEqual(watch.max_gap_ms([], 1.0, 2.0), 1000)

    def test_no_interrupt_at_all(self):
        one = types.SimpleNamespace(call=lambda *a, **k: {"irq": []}, note=lambda *a, **k: None, descs=8,
                                    sc=types.SimpleNamespace(vectors=2), slots={0: {"bdf": NIC}})
        one.works = {0: Igb(one, 0, None, {})}
        self.assertFalse(steps.usable(one, 0))


class Whole(unittest.TestCase):
    def test_a_flow_that_judges_nothing(self):
        sc = scenario.load("stock")
        with tempfile.TemporaryDirectory() as build:
            options = types.SimpleNamespace(build=build, accel="tcg", patience=1.0, rate=None, negative=False, json=True,
                                            live=False, quiet=True)
            with mock.patch.dict(runner.FLOWS, refuse=lambda run, findings: None):
                out, _path = runner.run_one(sc, options)
        self.assertEqual((out["verdict"], out["reasons"]), ("fail", ["not_seen:anything"]))

    def test_a_judge_that_did_not_see_is_a_verdict(self):
        self.assertTrue(issubclass(NotSeen, StepFailed))
        self.assertEqual(NotSeen("x").reason, "not_seen:x")

    def test_a_check_of_no_scenarios(self):
        with mock.patch.object(cli, "wanted", lambda args: []), mock.patch("builtins.print"):
            self.assertEqual(cli.main(["check"]), 1)


if __name__ == "__main__":
    unittest.main()
