import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from lab.judge import interrupts                        # noqa: E402
from lab.observe import trace                           # noqa: E402

IRES, CLEARED = 0xC7000000, 0xC5000000
ROOT = "vtd_reg_dmar_root addr 0x1000 scalable 0"
TABLE = "vtd_reg_ir_root addr 0x2200000 size 0x10000"


def line(t, text):
    return f"1@{t}.000000:{text}"


def request(addr, data, entry=False, arrived=False):
    out = [f"vtd_ir_remap_msi_req addr {addr:#x} data {data:#x}"]
    if entry:
        out += ["vtd_ir_irte_get index 5 low 0x40100 high 0x20025000D",
                "vtd_ir_remap index 5 trigger 0 vector 37 deliver 0 dest 0x1 mode 1"]
    if arrived:
        out += [f"vtd_ir_remap_msi (addr {addr:#x}, data {data:#x}) -> (addr {addr:#x}, data {data:#x})",
                f"apic_deliver_irq dest {addr >> 12 & 0xFF} dest_mode 0 delivery_mode {data >> 8 & 7} vector {data & 0xFF} trigger_mode 0"]
    return out


def all_asked():
    """Every dword of enough frames to ask for everything once."""
    out = []
    for i, addr in enumerate(interrupts.addresses()[:len(interrupts.DESTS)]):
        words = interrupts.frame(interrupts.FIRST + i * interrupts.STEP)
        for k in range(interrupts.DWORDS):
            out += request(addr + 4 * k, int.from_bytes(words[4 * k:4 * k + 4], "little"))
    return out


APIC = ["apic_deliver_irq dest 0 dest_mode 0 delivery_mode 0 vector 49 trigger_mode 0"]
INIT = request(0xFEE00010, 0x48460500, arrived=True)
OWN = request(0xFEE00010, 0x48460031, entry=True, arrived=True)


def judged(more={}, handover=True, skip=()):
    """{check: details or ok} of an update in which each phase asks for everything, plus what `more` says of a phase."""
    lines = []
    for n, phase in enumerate(interrupts.PHASES):
        t = 100 + 10 * n
        begin = {"jump": ([TABLE] if handover else []) + [ROOT], "scan": [TABLE], "adopted": [ROOT]}.get(phase, [])
        lines += [line(t, text) for text in begin + APIC + ([] if phase in skip else all_asked()) + more.get(phase, [])]
    events = trace.parse(lines)
    seen = interrupts.look(events, interrupts.boundaries(events, 110, 150, 160))
    return {b.name: b for b in interrupts.checks(seen) + [interrupts.on_check(seen)]}


class Interrupts(unittest.TestCase):
    def failing(self, *args, **kwargs):
        return {name for name, check in judged(*args, **kwargs).items() if not check.ok}

    def test_nothing_arrives(self):
        self.assertEqual(self.failing(), set())

    def test_one_that_arrives(self):
        for phase in interrupts.PHASES:
            checks = judged({phase: INIT})
            self.assertEqual({n for n, b in checks.items() if not b.ok}, {"injected", "apic_special"}, phase)
            self.assertEqual(checks["injected"].reasons(), [f"injected:{phase}: INIT to 0x00"])

    def test_a_running_kernels_entry_is_its_own_affair(self):
        self.assertEqual(self.failing({"running": OWN, "frozen": OWN[:0], "scan": OWN, "finished": OWN}), set())

    def test_an_entry_of_a_kernel_that_is_gone(self):
        self.assertEqual(self.failing({"jump": OWN}), {"stale_entry"})

    def test_an_interrupt_that_nobody_planted(self):
        self.assertEqual(self.failing({"jump": request(0xFEE00000, 0x400, arrived=True)}), {"apic_special"})

    def test_remapping_goes_off(self):
        checks = judged({"jump": [f"vtd_reg_write_gcmd status {IRES:#x} value {CLEARED:#x}"]})
        self.assertEqual([r for b in checks.values() for r in b.reasons()], ["remapping_off:jump"])

    def test_compatibility_format_is_let_through(self):
        checks = judged({"scan": [f"vtd_reg_write_gcmd status {IRES:#x} value {IRES | 1 << 23:#x}"]})
        self.assertEqual([r for b in checks.values() for r in b.reasons()], ["compatibility_format:scan"])

    def test_the_live_table_is_left_behind(self):
        self.assertEqual(self.failing(handover=False), {"table_handed_over"})

    def test_a_phase_in_which_nobody_asked(self):
        for phase in interrupts.PHASES:
            checks = judged(skip=(phase,))
            self.assertEqual([r for b in checks.values() for r in b.reasons()], [f"not_asked:{phase}"])

    def test_a_trace_without_the_apic(self):
        events = trace.parse([line(100, text) for text in all_asked()])
        checks = interrupts.checks(interrupts.look(events, interrupts.boundaries(events, 110, 150, 160)))
        self.assertIn("apic_deliveries", [b.name for b in checks if not b.ok])

    def test_frames_and_addresses(self):
        self.assertIsNone(interrupts.frame(0))
        self.assertIsNone(interrupts.frame(interrupts.FIRST + 1))
        self.assertEqual(len(interrupts.frame(interrupts.FIRST)), 64)
        self.assertLessEqual(len(interrupts.addresses()), 128)
        self.assertTrue(all(a & 0xFFF00000 == 0xFEE00000 for a in interrupts.addresses()))


if __name__ == "__main__":
    unittest.main()
