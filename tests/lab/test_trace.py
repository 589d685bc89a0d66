import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, os.path.dirname(__file__))
from lab import policy, trace           # noqa: E402
import images                           # noqa: E402

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
        self.assertEqual(trace.window(self.ev, 0xA2, 0xA3), [])
        self.assertEqual(len(trace.window(self.ev, 0xA1, 0xA2)), 1)

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


class Policy(unittest.TestCase):
    def setUp(self):
        self.nic, self.port = policy.Device(images.igb()), policy.Device(images.root_port())

    def rows(self, dev, image, off, width, value):
        return [r.row for r in dev.broken_by(trace.Shadow(image), off, width, value)]

    def nic_rows(self, off, width, value):
        return self.rows(self.nic, images.igb(), off, width, value)

    def port_rows(self, off, width, value):
        return self.rows(self.port, images.root_port(), off, width, value)

    def test_capabilities(self):
        caps = policy.capabilities(images.igb())
        self.assertEqual({k: caps[k] for k in [("cap", 0x10), ("cap", 0x11), ("ext", 0x0F), ("ext", 0x10)]},
                         {("cap", 0x10): 0xA0, ("cap", 0x11): 0x70, ("ext", 0x0F): 0x140, ("ext", 0x10): 0x160})
        self.assertEqual(policy.capabilities(b""), {})

    def test_a_loop_of_capabilities_ends(self):
        im = images.igb()
        im[0xA1] = 0x40
        self.assertIn(("cap", 0x10), policy.capabilities(im))

    def test_command(self):
        self.assertEqual(self.nic_rows(4, 2, 0x103), ["COMMAND.BME"])
        self.assertEqual(self.nic_rows(4, 2, 0x100), ["COMMAND.IO", "COMMAND.MEM", "COMMAND.BME"])
        self.assertEqual(self.nic_rows(4, 2, 0x507), [])
        self.assertEqual(self.nic_rows(4, 4, 0x00100107), [])

    def test_bars(self):
        self.assertEqual(self.nic_rows(0x10, 4, 0xFFFFFFFF), ["BAR0"])
        self.assertEqual(self.nic_rows(0x10, 4, 0xFE200000), [])

    def test_resets(self):
        for off, width, value, row in ((0xA8, 2, 0xA810, "DEVCTL.FLR"), (0x44, 2, 3, "PMCSR.STATE")):
            rules = self.nic.broken_by(trace.Shadow(images.igb()), off, width, value)
            self.assertEqual([r.row for r in rules], [row])
            self.assertTrue(rules[0].reset)
        self.assertEqual(self.port_rows(0x3E, 2, 0x40), ["BRIDGE_CONTROL.BUS_RESET"])
        self.assertEqual(self.port_rows(0x3E, 2, 2), [])
        self.assertEqual(self.port_rows(0x64, 2, 0x20), ["LNKCTL.RETRAIN"])

    def test_msix_enable(self):
        self.assertEqual(self.nic_rows(0x72, 2, 9), ["MSIX_CONTROL.ENABLE"])
        self.assertEqual(self.nic_rows(0x72, 2, 0xC009), [])

    def test_bridge(self):
        self.assertEqual(self.port_rows(0x20, 4, 0), ["WINDOW.MEM"])
        self.assertEqual(self.port_rows(0x19, 1, 0xFF), ["BUS_NUMBERS"])
        self.assertEqual(self.port_rows(0x106, 2, 0x1D), [])
        self.assertEqual(self.port_rows(0x106, 2, 0), ["ACS"])

    def test_sriov_rows_need_vfs(self):
        self.assertEqual(self.nic_rows(0x170, 2, 8), [])
        im = images.igb()
        im[0x168] = 0x19
        self.assertEqual(self.rows(policy.Device(im), im, 0x170, 2, 8), ["SRIOV.NUM_VFS"])

    def test_differences(self):
        im = images.igb()
        im[4] = 0x03
        im[0x10:0x14] = b"\0\0\0\0"
        self.assertEqual(self.nic.differences(images.igb(), im), ["COMMAND.BME", "BAR0"])

    def test_counters(self):
        text = "state adopted\nrequested 1\ndepended 0\nreached 40\nwithheld 12\nbar 10\ncommand-bme 2\nunexplained 0\n"
        self.assertEqual(policy.parse_counters(text), (12, 0, {"bar": 10, "command-bme": 2}))
        self.assertEqual(policy.parse_counters("bar 3\nx 4\n"), (7, 0, {"bar": 3, "x": 4}))
        self.assertEqual(policy.parse_counters(""), (0, 0, {}))


if __name__ == "__main__":
    unittest.main()
