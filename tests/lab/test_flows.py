"""Whole scenarios against the machine of fake.py: every kind passes when all is well, and each single thing that is
broken is named."""

import os
import sys
import tempfile
import types
import unittest
from unittest import mock

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, os.path.dirname(__file__))
import fake                                             # noqa: E402
from lab import runner, scenario                        # noqa: E402
from lab.flows import update                            # noqa: E402
from lab.host import qemu                               # noqa: E402
from lab.report import result                           # noqa: E402
from lab.workloads import nic                           # noqa: E402


class Whole(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.build = folder.name
        for path in ("kernel/7.2/bzImage", "kernel/7.2-b/bzImage", "kernel/7.2-stock/bzImage", "agent/initrd.gz"):
            os.makedirs(os.path.dirname(os.path.join(self.build, path)), exist_ok=True)
            open(os.path.join(self.build, path), "w").close()
        for patch in (mock.patch.object(qemu, "Machine", fake.Machine), mock.patch.object(nic, "PLANT_AFTER_S", 0.1)):
            patch.start()
            self.addCleanup(patch.stop)

    def go(self, name, broken=(), negative=False, **change):
        sc = scenario.load(name)
        for key, value in dict({"settle_s": 0.1, "descs": fake.DESCS}, **change).items():
            setattr(sc, key, value)
        options = types.SimpleNamespace(build=self.build, accel="tcg", patience=1.0, rate=None, negative=negative, json=True,
                                        live=False, quiet=True)
        with mock.patch.object(fake.Machine, "broken", frozenset(broken)):
            out, path = runner.run_one(sc, options)
        self.assertEqual(result.check(out), [])
        self.assertTrue(os.path.exists(path))
        return out

    def reasons(self, name, *broken, **change):
        return self.go(name, broken, **change)["reasons"]

    def test_update(self):
        out = self.go("nic-root-port")
        self.assertEqual((out["verdict"], out["reasons"]), ("pass", []))
        self.assertGreater(out["dma"]["landed_in_blackout"], 80)
        self.assertEqual((out["dma"]["planted"], out["iommu"]["planted_faults"]), (1, 1))
        self.assertEqual(out["config"]["withheld_rows"], {"bar": 4})
        self.assertEqual(out["irq"]["latched"], 1)
        for key in ("freeze", "syscall_to_userspace", "adopt", "attach", "finish", "blackout"):
            self.assertIsNotNone(out["time_ms"][key], key)
        events = [e["event"] for e in out["timeline"]]
        wanted = ["steady", "PREPARE", "FREEZE", "kexec", "scan", "adopt", "userspace", "attached", "re-armed", "FINISH"]
        self.assertEqual([e for e in events if e in wanted], wanted)
        self.assertGreaterEqual(out["landed_series"][-1][1], out["dma"]["landed"])

    def test_error_in_the_blackout(self):
        self.assertEqual(self.reasons("error-in-blackout"), [])
        self.assertEqual(self.reasons("error-in-blackout", "silent"), ["told"])

    def test_two_nics(self):
        out = self.go("two-nics")
        self.assertEqual((out["verdict"], out["reasons"]), ("pass", []))
        self.assertEqual(out["dma"]["planted"], 2)

    def test_the_owner_is_killed_between_two_updates(self):
        out = self.go("owner-killed", rate=400)
        self.assertEqual((out["verdict"], out["reasons"], out["updates"]), ("pass", [], 2))
        self.assertEqual(out["dma"]["planted"], 2)
        self.assertEqual(self.reasons("owner-killed", "lose-one", rate=400), ["lost"])

    def test_several_updates(self):
        out = self.go("twenty-updates", updates=4, rate=400)
        self.assertEqual((out["verdict"], out["reasons"], out["updates"]), ("pass", [], 4))
        self.assertEqual(out["dma"]["planted"], 4)

    def test_what_is_broken_is_named(self):
        for broken, name in (("guard", "harmful_reached:BAR0"), ("takeover", "translation_off"), ("lose-one", "lost"),
                             ("corrupt-one", "corrupt"), ("breach", "isolation_breaches"), ("lost-irq", "irq_lost"),
                             ("quiesce", "stray"),
                             ("panic", "host_died")):
            with self.subTest(broken):
                self.assertIn(name, self.reasons("nic-root-port", broken))

    def test_a_machine_too_slow_for_the_ring(self):
        with mock.patch.object(fake, "DESCS", 300):
            out = self.go("nic-root-port", plant=False)
        self.assertEqual(out["verdict"], "infra", out["reasons"])
        self.assertIn("ring", out["text"])

    def test_identity_and_bystander(self):
        reasons = self.reasons("nic-root-port", "identity", "bystander")
        self.assertIn("identity:0000:01:00.0:bars after attach", reasons)
        self.assertIn("bystander:before: 0 of 8 frames came back", reasons)

    def test_left_over(self):
        self.assertIn("left_over:kho_entries+2", self.reasons("twenty-updates", "leak", updates=3, rate=300))

    def test_memory_is_compared_between_boots_of_the_same_kernel(self):
        go = {"updates": 4, "rate": 400}
        with mock.patch.object(update, "PER_UPDATE_KB", 4):
            self.assertEqual(self.reasons("twenty-updates", "lose-page", **go), ["memory_growth"])
            with mock.patch.object(fake.Machine, "release", lambda m: f"7.2-{m.generation}"):
                self.assertEqual(self.reasons("twenty-updates", "lose-page", **go), ["not_seen:memory_readings"])

    def test_twin(self):
        out = self.go("nic-root-port", ["guard"], negative=True)
        self.assertEqual((out["verdict"], out["negative"]["as_expected"]), ("fail", True))
        out = self.go("nic-root-port", negative=True)
        self.assertEqual((out["verdict"], out["negative"]["as_expected"]), ("pass", False))

    def test_prepare_refused(self):
        out = self.go("nic-root-port", ["refuse"])
        self.assertEqual((out["verdict"], out["reasons"]), ("fail", ["luo.preserve"]))
        self.assertIn("no handler", out["text"])
        self.assertEqual(self.go("stock", ["refuse"])["verdict"], "pass")
        self.assertEqual(self.go("stock")["verdict"], "fail")

    def test_refusals(self):
        cases = [{"name": f"case {i}", "reason": "no handler", "cmdline": line, "after": ["/sys/{nic0}/x=1"]}
                 for i, line in enumerate(("", "", "other"))]
        with mock.patch.object(fake.Machine, "start", autospec=True, side_effect=fake.Machine.start) as started:
            out = self.go("refusals", ["refuse"], case=cases)
        self.assertEqual((out["verdict"], [c["ok"] for c in out["cases"]]), ("pass", [True] * 3))
        self.assertIn("because", out["cases"][0]["said"])
        self.assertEqual(started.call_count, 2)             # the first two share a machine
        self.assertEqual(self.reasons("refusals", case=cases[:1]), ["refused: case 0"])
        self.assertEqual(self.reasons("refusals", "refuse-nameless", case=cases[:1]), ["refused: case 0"])

    def test_fence(self):
        for name in ("fence-no-luo", "fence-no-iommu"):
            self.assertEqual(self.reasons(name), [])
        self.assertEqual(self.reasons("fence-no-luo", "driver"), [])
        for broken, reason in (("intx", "intx_disabled:0000:01:00.0"), ("sends", "fenced_sends:0000:01:00.0"),
                               ("comeback", "comebacks:0000:01:00.0 Command 0503→0507: Bus Master on"),
                               ("held", "ports_let_go:0000:00:04.0"), ("asserts", "fenced_asserts:0000:01:00.0"),
                               ("mute", "usable_again:0000:01:00.0")):
            self.assertEqual(self.reasons("fence-no-luo", broken), [reason])
        self.assertIn("comebacks:0000:01:00.0 Command 0503→0107: INTx on", self.reasons("fence-no-luo", "yields"))
        self.assertTrue(self.reasons("fence-no-luo", "scream")[0].startswith("nobody_cared:irq 20"))
        for name in ("nic-root-port", "unwanted", "cancel-prepare", "fence-no-luo"):
            self.assertEqual(set(self.reasons(name, "warn")), {"kernel_complains:WARNING: CPU: 0 PID: 1 at x.c:1"}, name)
        out = self.go("fence-no-luo", ["fence"], negative=True)
        self.assertTrue(out["negative"]["as_expected"])

    def test_unwanted(self):
        for name in ("unwanted", "owner-gone"):
            self.assertEqual(self.reasons(name), [], name)
        for broken, reason in (("reset-first", "reset_when_fenced:0000:01:00.0"), ("mute", "usable_again:0000:01:00.0"),
                               ("leak", "still_preserved:kho_entries+1")):
            self.assertEqual(self.reasons("unwanted", broken), [reason])
        self.assertEqual(self.reasons("unwanted", "give-up", settle_s=0.3), ["fenced:0000:01:00.0", "reset_when_fenced:0000:01:00.0", "landed_after"])
        out = self.go("unwanted", negative=True, settle_s=0.3)
        self.assertTrue(out["negative"]["as_expected"], out["reasons"])

    def test_cancel(self):
        for name in ("cancel-prepare", "cancel-freeze"):
            self.assertEqual(self.reasons(name), [], name)
            self.assertEqual(self.reasons(name, "lose-page"), ["memory_growth"], name)
        self.assertIn("not_quiesced:0000:01:00.0", self.reasons("cancel-freeze", "quiesce"))
        out = self.go("cancel-prepare", negative=True)
        self.assertTrue(out["negative"]["as_expected"], out["reasons"])

    def test_freeze_that_should_fail_and_does_not(self):
        with mock.patch.object(fake.Machine, "do_sys_write", lambda *a: {}):
            self.assertEqual(self.reasons("cancel-freeze")[0], "freeze_not_failed")

    def test_red_baseline(self):
        out = self.go("stock-blackout")
        self.assertEqual((out["verdict"], out["reasons"]), ("pass", []))
        self.assertEqual(self.go("stock-blackout", ["takeover"])["verdict"], "pass")

if __name__ == "__main__":
    unittest.main()
