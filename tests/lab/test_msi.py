import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, os.path.dirname(__file__))
from lab import judge                                   # noqa: E402
from lab.errors import NotSeen                          # noqa: E402
from lab.judge import msi                               # noqa: E402
from lab.observe import trace                           # noqa: E402
from images import NIC, images                          # noqa: E402

T = "1@100.000000:"
TABLE = T + "vtd_reg_ir_root addr 0x2200000 size 0x10000"
ROOT = T + "vtd_reg_dmar_root addr 0x1000 scalable 0"
OFF = T + "vtd_reg_write_gcmd status 0xc7000000 value 0x6000000"
OLD = 0xFEE00278            # how the NIC's message looks in the old kernel
MASK, UNMASK = (T + f"pci_cfg_write igb 01:00.0 @0x72 <- {v:#x}" for v in (0xC009, 0x8009))


def cfg(bdf, off, value):
    return T + f"pci_cfg_write x {bdf[5:]} @{off:#x} <- {value:#x}"


def mark(n):
    return T + f"pci_cfg_write mch 00:00.0 @0x2c <- {n:#x}"


def message(sid, addr=OLD, through=True):
    """What QEMU says of one message; `sid` None: the entry is empty."""
    halves = (0x40000 | sid, 0x20025000D) if sid is not None else (0, 0)
    lines = [T + f"vtd_ir_remap_msi_req addr {addr:#x} data 0x0",
             T + f"vtd_ir_irte_get index 5 low {halves[0]:#x} high {halves[1]:#x}"]
    return lines + [T + "vtd_ir_remap index 5 trigger 0 vector 37 deliver 0 dest 0x1 mode 1"] * through


NIC_SENDS, IOAPIC_SENDS, OTHER_SENDS = message(0x100), message(0xFF00, 0xFEE00030), message(0x10)
LOST, UNMAPPED = message(None, through=False), [T + f"vtd_ir_remap_msi_req addr {OLD:#x} data 0x0"]


def count(*parts):
    """Strays of the NIC in a run that begins with one message the old kernel takes."""
    lines = [TABLE, *NIC_SENDS, mark(0xA0)]
    for part in parts:
        lines += [part] if isinstance(part, str) else part
    events = trace.parse(lines + [mark(0xA1), *NIC_SENDS])
    return msi.stray(events, [(0xA0, 0xA1, images())], [NIC])[NIC]


class Stray(unittest.TestCase):
    def test_masked_and_silent(self):
        self.assertEqual(count(NIC_SENDS, MASK, ROOT, TABLE, MASK, UNMASK, NIC_SENDS), 0)

    def test_before_the_handover_the_old_kernel_takes_it(self):
        self.assertEqual(count(NIC_SENDS, ROOT, TABLE, UNMASK), 0)

    def test_after_the_handover_nobody_does(self):
        self.assertEqual(count(ROOT, NIC_SENDS, NIC_SENDS, TABLE, UNMASK), 2)
        self.assertEqual(count(OFF, NIC_SENDS, TABLE, UNMASK), 1)

    def test_a_masked_device_is_silent_at_once(self):
        self.assertEqual(count(MASK, NIC_SENDS, ROOT, UNMASK), 1)

    def test_without_a_table_and_with_the_new_one_it_is_known_by_its_looks(self):
        self.assertEqual(count(ROOT, UNMAPPED, TABLE, LOST, LOST, MASK, UNMASK), 3)

    def test_others_do_not_count(self):
        self.assertEqual(count(ROOT, IOAPIC_SENDS, OTHER_SENDS, TABLE, OTHER_SENDS, IOAPIC_SENDS, UNMASK), 0)

    def test_another_device_that_got_the_same_entry(self):
        self.assertEqual(count(ROOT, TABLE, message(0x10, OLD), UNMASK), 0)

    def test_the_entry_refuses_the_old_message_since_it_is_another_s(self):
        self.assertEqual(count(ROOT, TABLE, message(0x10, OLD, through=False), UNMASK), 1)

    def test_looks_are_learnt_in_the_kernel_that_hands_over(self):
        events = trace.parse([TABLE, *NIC_SENDS, TABLE, mark(0xA0), ROOT, *UNMAPPED, mark(0xA1)])
        self.assertEqual(msi.stray(events, [(0xA0, 0xA1, images())], [NIC]), {NIC: None})

    def test_no_new_owner_before_the_end(self):
        self.assertEqual(count(MASK, ROOT, TABLE, NIC_SENDS), 1)

    def test_neither_masked_nor_handed_over(self):
        self.assertIsNone(count(NIC_SENDS))

    def test_a_device_without_msix(self):
        bare = {NIC: bytes(4096)}
        events = trace.parse([mark(0xA0), ROOT, *NIC_SENDS, mark(0xA1)])
        self.assertEqual(msi.stray(events, [(0xA0, 0xA1, bare)], [NIC]), {NIC: None})


class Verdict(unittest.TestCase):
    def test_it_is_a_wrong_vector_too(self):
        irq = judge.irq_section([], {NIC: 3})
        self.assertEqual((irq["stray"], irq["wrong_vector"]), (3, 3))
        self.assertEqual(judge.verdict(judge.irq_checks(irq))[1], ["not_seen:rearms", "stray", "wrong_vector", "irq_latched"])


class Back(unittest.TestCase):
    def test_msi_before_it_is_asked_for(self):
        window = (0xA0, 0xA2, images())
        off, on = cfg(NIC, 0x52, 0x7080), cfg(NIC, 0x52, 0x7081)

        def back(*lines):
            return judge.msi_back(trace.parse([mark(0xA0), *lines, mark(0xA1), on, mark(0xA2)]), window, NIC, 0xA1)

        self.assertEqual(back(on, off, ROOT, off), [])
        self.assertEqual(back(off, ROOT, on), [f"{NIC} MSI control 7081"])
        for blind in (lambda: back(off), lambda: judge.msi_back(trace.parse([mark(0xA0), ROOT, mark(0xA1)]), (0xA0, 0xA1, {NIC: bytes(4096)}),
                                                                NIC, 0xA1)):
            with self.assertRaises(NotSeen):
                blind()


class Trace(unittest.TestCase):
    def test_the_requester_is_found_whichever_way_the_halves_are_named(self):
        for line in ("low 0x40100 high 0x20025000d", "low 0x20025000d high 0x40100"):
            ev, = trace.parse([NIC_SENDS[0], T + "vtd_ir_irte_get index 5 " + line])
            self.assertEqual((ev.kind, ev.bdf, ev.off, ev.extra["through"]), ("msi", NIC, OLD, False))

    def test_a_lookup_that_no_message_asked_for(self):
        self.assertEqual(trace.parse(NIC_SENDS[1:]), [])


if __name__ == "__main__":
    unittest.main()
