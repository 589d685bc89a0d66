import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, os.path.dirname(__file__))
from lab.errors import NotSeen          # noqa: E402
from lab.judge import policy            # noqa: E402
from lab.observe import trace           # noqa: E402
import images                           # noqa: E402

# What a table must have, whatever else is in it: the bits that the measured stock kernel destroyed a running device with.
ESSENTIAL = {
    "endpoint": {"COMMAND.BME": 4, "COMMAND.MEM": 4, "BAR": 0x10, "DEVCTL.FLR": 8, "PM.STATE": 4, "MSIX.CONTROL": 2,
                 "SRIOV.NUM_VF": 0x10, "DEVCTL.EXT_TAG": 8},
    "port": {"PORT.COMMAND.BME": 4, "PORT.COMMAND.MEM": 4, "PORT.BUS_NUMBERS": 0x18, "PORT.WINDOW.IO": 0x1C, "PORT.WINDOW.MEM": 0x20,
             "PORT.WINDOW.PREF": 0x24, "PORT.BRIDGE_CONTROL.BUS_RESET": 0x3E, "PORT.LNKCTL.RL": 0x10, "PORT.PM.STATE": 4},
    "both": {"ACS.CONTROL": 6},
}


class Table(unittest.TestCase):
    def test_essential_rows(self):
        for kind, rows in ESSENTIAL.items():
            for name, offset in rows.items():
                row = next((r for r in policy.ROWS if r["name"] == name), None)
                self.assertIsNotNone(row, name)
                self.assertEqual((row["kind"], row["offset"]), (kind, offset), name)

    def test_the_names_the_judge_knows_are_in_it(self):
        names = {r["name"] for r in policy.ROWS}
        self.assertLessEqual(policy.RESETS | set(policy.FIXED), names)
        self.assertEqual(len(names), len(policy.ROWS))

    def test_every_rule_is_understood(self):
        for row in policy.ROWS:
            policy._directions(row, row["bits"], bytes(4096), 0)
        with self.assertRaisesRegex(ValueError, "X: .*sideways"):
            policy._directions({"name": "X", "rule": "sideways"}, 1, bytes(64), 0)


class Devices(unittest.TestCase):
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

    def test_first_vf(self):
        im = images.igb()
        im[0x174:0x176] = (0x80).to_bytes(2, "little")
        self.assertEqual(policy.first_vf(im, "0000:01:00.0"), "0000:01:10.0")
        self.assertEqual(policy.first_vf(im, "0001:02:1f.7"), "0001:03:0f.7")

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
        for off, width, value, row in ((0xA8, 2, 0xA810, "DEVCTL.FLR"), (0x44, 2, 3, "PM.STATE")):
            rules = self.nic.broken_by(trace.Shadow(images.igb()), off, width, value)
            self.assertEqual([r.row for r in rules], [row])
            self.assertTrue(rules[0].reset)
        self.assertEqual(self.port_rows(0x3E, 2, 0x40), ["PORT.BRIDGE_CONTROL.BUS_RESET"])
        self.assertEqual(self.port_rows(0x3E, 2, 2), [])
        self.assertEqual(self.port_rows(0x64, 2, 0x20), ["PORT.LNKCTL.RL"])

    def test_msix_enable(self):
        self.assertEqual(self.nic_rows(0x72, 2, 9), ["MSIX.CONTROL"])
        self.assertEqual(self.nic_rows(0x72, 2, 0xC009), [])

    def test_bridge(self):
        self.assertEqual(self.port_rows(0x20, 4, 0), ["PORT.WINDOW.MEM"])
        self.assertEqual(self.port_rows(0x19, 1, 0xFF), ["PORT.BUS_NUMBERS"])
        self.assertEqual(self.port_rows(0x106, 2, 0x1D), [])
        self.assertEqual(self.port_rows(0x106, 2, 0), ["ACS.CONTROL"])

    def test_sriov_rows_need_vfs(self):
        self.assertEqual(self.nic_rows(0x170, 2, 8), [])
        im = images.igb()
        im[0x168] = 0x19
        self.assertEqual(self.rows(policy.Device(im), im, 0x170, 2, 8), ["SRIOV.NUM_VF"])

    def test_differences(self):
        im = images.igb()
        im[4] = 0x03
        im[0x10:0x14] = b"\0\0\0\0"
        self.assertEqual(self.nic.differences(images.igb(), im), ["COMMAND.BME", "BAR0"])

    def test_half_of_a_wide_bar(self):
        self.assertEqual(self.nic_rows(0x1C, 4, 0xFE24000C), [])        # the type bits are not for writing
        self.assertEqual(self.nic_rows(0x20, 4, 1), ["BAR4"])           # the upper half of BAR 3 is all address
        self.assertEqual(self.nic_rows(0x10, 4, 0xFE200001), [])

    def test_rom(self):
        self.assertEqual(self.nic_rows(0x30, 4, 0xFFFFF800), ["ROM.ADDRESS"])
        self.assertEqual(self.nic_rows(0x30, 4, 1), ["ROM.ENABLE"])

    def test_vf_bars(self):
        im = images.igb()
        im[0x168] = 0x19
        self.assertEqual(self.rows(policy.Device(im), im, 0x184, 4, 0xFFFFFFFF), ["SRIOV.BAR0"])
        self.assertEqual(self.rows(policy.Device(im), im, 0x168, 2, 0x18), ["SRIOV.VFE"])

    def test_the_first_version_of_the_express_capability_is_shorter(self):
        im = images.igb()
        im[0xA2] = 1
        self.assertEqual(self.rows(policy.Device(im), im, 0xC8, 2, 0x20), [])
        im[0xA2] = 2
        self.assertEqual(self.rows(policy.Device(im), im, 0xC8, 2, 0x10), ["DEVCTL2.CTO"])

    def test_a_port_may_do_what_an_endpoint_may_not(self):
        self.assertEqual(self.port_rows(0x5C, 2, 0x7810), [])           # ordering and request size are a requester's
        self.assertEqual(self.nic_rows(0xA8, 2, 0x7810), ["DEVCTL.MRRS"])

    def test_msi(self):
        im = images.igb()
        im[0x52] = 0x01
        self.assertEqual(self.rows(policy.Device(im), im, 0x52, 2, 0), [])
        im[0x53] = 0x01
        self.assertEqual(self.rows(policy.Device(im), im, 0x52, 2, 0x100), ["MSI.ENABLE"])

    def test_registers_of_which_the_device_says_how_many(self):
        im = images.root_port()
        im[0x104:0x106] = bytes((0x20, 40))         # egress control for 40 ports
        rules = [r for r in policy.Device(im).rules if r.row.startswith("ACS.EGRESS")]
        self.assertEqual([(r.row, r.at) for r in rules], [("ACS.EGRESS0", 0x108), ("ACS.EGRESS1", 0x10C)])
        self.assertNotIn("ACS.EGRESS", [r.row for r in self.port.rules])

    def test_a_capability_at_the_very_end(self):
        im = images.igb()
        im[0x140:0x144] = (0xFF80000F).to_bytes(4, "little")            # ATS -> an IDE at 0xff8
        im[0xFF8:0xFFC] = (0x00010030).to_bytes(4, "little")
        self.assertNotIn("IDE", "".join(r.row for r in policy.Device(im).rules))

    def test_counters(self):
        text = "state adopted\nrequested 1\ndepended 0\nreached 40\nwithheld 12\nbar 10\ncommand-bme 2\nunexplained 0\n"
        self.assertEqual(policy.parse_counters(text), (12, 0, {"bar": 10, "command-bme": 2}))
        for torn in ("bar 3\nx 4\n", text[:-15]):
            with self.assertRaises(NotSeen):
                policy.parse_counters(torn)


if __name__ == "__main__":
    unittest.main()
