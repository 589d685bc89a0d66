"""The judges of an NVMe controller: each thing that can go wrong is named, and nothing seen is no pass."""

import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, os.path.dirname(__file__))
from lab import judge, scenario                                         # noqa: E402
from lab.errors import NotSeen                                          # noqa: E402
from lab.judge import nvme                                              # noqa: E402
from lab.observe import trace, watch                                    # noqa: E402
from lab.workloads import nvme as work                                  # noqa: E402
from images import NIC, images                                          # noqa: E402

T = "1@100.000000:"
DONE = T + "pci_nvme_enqueue_req_completion cid 1 cqid 1 dw0 0x0 dw1 0x0 status 0x0"
ROOT = T + "vtd_reg_dmar_root addr 0x1000 scalable 0"
WINDOW = (0xA0, 0xA2, images())


def cfg(bdf, off, value):
    return T + f"pci_cfg_write x {bdf[5:]} @{off:#x} <- {value:#x}"


def mark(n):
    return cfg("0000:00:00.0", 0x2C, n)


def run(*lines):
    """A window with the mark of the attach in it."""
    return trace.parse([DONE, mark(0xA0), *lines, mark(0xA1), DONE, mark(0xA2)])


def stat(**change):
    return dict({"submitted": 9, "once": 9, "never": 0, "twice": 0, "unexpected": 0, "failed": 0, "wrong": 0, "events": 2,
                 "cc": 0x460001, "csts": 1}, **change)


def reasons(checks):
    return judge.verdict(checks)[1]


class Commands(unittest.TestCase):
    def checks(self, blocks=(0, 5), then=(), **end):
        return reasons(nvme.command_checks({0: (stat(never=9, once=0, **dict(then)), stat(**end))}, *blocks))

    def test_good(self):
        self.assertEqual(self.checks(), [])

    def test_what_is_wrong_is_named(self):
        for key in ("never", "twice", "unexpected", "failed", "wrong"):
            self.assertEqual(self.checks(**{key: 1}), [f"commands_{key}"])
        self.assertEqual(self.checks(blocks=(1, 5)), ["blocks_wrong"])
        self.assertEqual(self.checks(csts=3), ["controller_changed:slot 0 csts 0x1→0x3"])
        self.assertEqual(self.checks(events=1), ["controller_changed:slot 0 events 0x2→0x1"])

    def test_nothing(self):
        self.assertEqual(reasons(nvme.command_checks({}, 0, 0)),
                         ["not_seen:controllers", "not_seen:blocks_of_the_disk"])
        self.assertEqual(self.checks(submitted=0, once=0, then={"submitted": 0}), ["not_seen:commands_of_every_controller"])


class InTheTrace(unittest.TestCase):
    def test_completions_from_the_handover_to_the_attach(self):
        self.assertEqual(nvme.completions(run(DONE, ROOT, DONE, DONE), WINDOW, 0xA1), 2)
        for check, ok in ((nvme.in_time_check(40, 4.0, 20, 500), True), (nvme.in_time_check(39, 4.0, 20, 500), False),
                        (nvme.in_time_check(5, 4.0, 20, 10), True), (nvme.in_time_check(0, 0.0, 0, 0), False)):
            self.assertEqual(check.ok, ok)

    def test_resets(self):
        self.assertEqual(nvme.controller_resets(run(ROOT), [WINDOW]), 0)
        for event in ("pci_nvme_mmio_cfg wrote MMIO, config controller config=0x0", "pci_nvme_mmio_stopped cleared",
                      "pci_nvme_pci_reset reset"):
            self.assertEqual(nvme.controller_resets(run(ROOT, T + event), [WINDOW]), 1)

    def test_intx_before_it_is_asked_for(self):
        masked, live = cfg(NIC, 4, 0x507), cfg(NIC, 4, 0x107)
        self.assertEqual(judge.intx_back(run(live, ROOT, masked), WINDOW, NIC, 0xA1), [])
        self.assertEqual(judge.intx_back(run(ROOT, live), WINDOW, NIC, 0xA1), [f"{NIC} Command 0107"])
        self.assertEqual(judge.intx_back(trace.parse([mark(0xA0), ROOT, mark(0xA1), live, mark(0xA2)]), WINDOW, NIC, 0xA1), [])

    def test_nothing(self):
        for judged in (lambda: nvme.completions(run(DONE), WINDOW, 0xA1), lambda: nvme.completions([], WINDOW, 0xA1),
                       lambda: nvme.controller_resets(run(), []), lambda: nvme.controller_resets(trace.parse([mark(0xA0)]), [WINDOW]),
                       lambda: judge.intx_back(run(), WINDOW, NIC, 0xA1), lambda: judge.intx_back(run(ROOT), WINDOW, NIC, 0xA9)):
            with self.assertRaises(NotSeen):
                judged()


class Disk(unittest.TestCase):
    def test_blocks(self):
        with tempfile.TemporaryDirectory() as folder:
            disk = work.Controller("nvme0", "root-port", 60)
            disk.prepare(folder)
            self.assertEqual(disk.block(work.FIRST_READ), work.block_of(work.FIRST_READ))
            self.assertEqual(disk.block(1), bytes(work.BLOCK))
            self.assertNotEqual(disk.block(4096), work.block_of(4096))      # not written yet
            self.assertIn("throttling.iops-total=60", " ".join(disk.args(0)))

    def test_blocks_are_found_in_memory(self):
        with tempfile.TemporaryFile() as f:
            f.truncate(1 << 20)
            ram = bytearray(1 << 20)
            for at in (0x10000, 0x30000):
                ram[at:at + 4096] = work.block_of(300)
            f.write(ram)
            f.flush()
            found = watch.stray(f.fileno(), bytes(ram), [watch.Layout([[0x10000, 0x1000]])], work.Nvme.needle, work.Nvme.needle_at)
        self.assertEqual(found, ([0x30000], 1))
        block = work.block_of(300)
        self.assertTrue(work.Nvme.is_ours(block[:work.SURE]))
        self.assertFalse(work.Nvme.is_ours(block[:16] + bytes(48)))


class Files(unittest.TestCase):
    def test_a_key_that_no_machine_has(self):
        with self.assertRaisesRegex(scenario.ScenarioError, "nvme_count"):
            scenario.from_dict("t", {"summary": "x", "machine": {"nvme_count": 2}})


if __name__ == "__main__":
    unittest.main()
