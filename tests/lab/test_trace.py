import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from lab.errors import NotSeen          # noqa: E402
from lab.observe import trace           # noqa: E402

SAMPLE = """\
4016@1795166656.712017:vtd_reg_write_gcmd status 0x7000000 value 0x46000000
4016@1795166656.712023:vtd_reg_dmar_root addr 0x2a54000 scalable 0
4016@1795166656.744719:vtd_reg_write_gcmd status 0x47000000 value 0x86000000
4016@1795166656.744733:vtd_dmar_enable enable 1
4016@1795166656.744740:vtd_ce_not_present Context entry bus 1 devfn 138 not present
4016@1795166657.000000:pci_cfg_write mch 00:00.0 @0x2c <- 0xa0
4016@1795166657.100000:pci_cfg_write igb 01:00.0 @0x72 <- 0xc009
4016@1795166657.110000:pci_cfg_write igb 02:00.0 @0x4 <- 0x103
4016@1795166657.200000:vtd_dmar_fault sid 0x100 fault 5 addr 0x3edc8040 write 1
4016@1795166657.200001:vtd_dmar_fault sid 0x100 fault 5 addr 0x1000 write 1
4016@1795166657.300000:vtd_reg_write_gcmd status 0xc7000000 value 0x6000000
4016@1795166657.300001:vtd_dmar_enable enable 0
4016@1795166657.400000:pci_cfg_write mch 00:00.0 @0x2c <- 0xa1
4016@1795166657.500000:pci_cfg_write pcie-root-port 00:04.0 @0x4 <- 0x103
qemu-system-x86_64: warning: something else
4016@17951666
""".splitlines()


class Parse(unittest.TestCase):
    def setUp(self):
        self.ev = trace.parse(SAMPLE)

    def test_kinds(self):
        kinds = [e.kind for e in self.ev]
        self.assertEqual(kinds, ["gcmd", "root", "gcmd", "translation", "vtd_ce_not_present", "mark", "cfg", "cfg",
                                 "fault", "fault", "gcmd", "translation", "mark", "cfg"])
        self.assertEqual([e.n for e in self.ev], list(range(14)))

    def test_fields(self):
        cfg = self.ev[6]
        self.assertEqual((cfg.bdf, cfg.off, cfg.value), ("0000:01:00.0", 0x72, 0xC009))
        fault = self.ev[8]
        self.assertEqual((fault.bdf, fault.off, fault.value, fault.extra["write"]), ("0000:01:00.0", 0x3EDC8040, 5, True))
        self.assertAlmostEqual(self.ev[0].t, 1795166656.712017, places=5)

    def test_window_is_between_the_marks(self):
        span = trace.window(self.ev, 0xA0, 0xA1)
        self.assertEqual([e.n for e in span], [6, 7, 8, 9, 10, 11])
        self.assertEqual(len(trace.window(self.ev, 0xA1, None)), 1)

    def test_a_mark_that_is_missing_is_an_error(self):
        for first, last in ((0xA2, 0xA3), (0xA1, 0xA2), (0xA2, None), (0xA1, 0xA0)):
            with self.assertRaises(NotSeen):
                trace.window(self.ev, first, last)

    def test_marks_have_room(self):
        many = [f"1@1.000000:pci_cfg_write mch 00:00.0 @0x2c <- {0x48460000 + n:#x}" for n in range(600)]
        events = trace.parse(many)
        for n in (0, 95, 96, 255, 256, 599):        # the low byte of some of them is the same
            self.assertEqual(trace.mark(events, 0x48460000 + n), n)

    def test_translation_off_only_when_it_was_on(self):
        self.assertEqual([e.n for e in trace.translation_off(self.ev)], [10])

    def test_bus_master(self):
        self.assertEqual([e.n for e in trace.bus_master_cleared(self.ev, "0000:02:00.0")], [7])
        self.assertEqual(trace.bus_master_cleared(self.ev, "0000:01:00.0"), [])

    def test_faults(self):
        expected, beyond = trace.faults(self.ev, [("0000:01:00.0", 0x3EDC8000)])
        self.assertEqual(([e.n for e in expected], [e.n for e in beyond]), ([8], [9]))

    def test_sid(self):
        self.assertEqual(trace.sid_to_bdf(0x1234), "0000:12:06.4")


class Width(unittest.TestCase):
    def test_widths(self):
        for off, value, bridge, want in ((4, 0x103, False, 2), (4, 0x100103, False, 4), (0x10, 0, False, 4),
                                         (0x19, 1, True, 1), (0x1A, 1, True, 1), (0x1C, 0xF0, True, 2), (0x30, 0, True, 4),
                                         (0x3E, 2, True, 2), (0x72, 9, False, 2), (0x3C, 0xA, False, 1), (0x3C, 0x10A, False, 2),
                                         (0xA8, 0x8000, False, 2), (0x188, 0xFFFFFFFF, False, 4)):
            self.assertEqual(trace.width(off, value, bridge), want, hex(off))


if __name__ == "__main__":
    unittest.main()
