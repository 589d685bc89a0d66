"""What the kernel says it believes, against a device that is seen from outside."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, os.path.dirname(__file__))
from lab import judge                           # noqa: E402
from lab.errors import NotSeen                  # noqa: E402
from lab.judge import policy, software          # noqa: E402
from images import NIC, PORT, images            # noqa: E402

COPIES = {"COMMAND.BME": "state 0x4 0x4", "PORT.COMMAND.BME": "state 0x4 0x4", "MSIX.CONTROL": "state 0x8000 0x8000"}


def account(image, **said):
    """What a kernel says that has copies of some registers, and is right; `said`: of rows of which it says something else."""
    out = []
    for rule in policy.Device(image).rules:
        row = software.row_of(rule)
        bits = next(r["bits"] for r in policy.ROWS if r["name"] == row)
        held = int.from_bytes(image[rule.at:rule.at + rule.size], "little")
        rest = said.get(row.replace(".", "_"), f"{held:#x} {COPIES.get(row, '')}")
        out.append(f"{row} 0 {rule.at:#x} {rule.size} {bits:#x} {rest}")
    return "\n".join(out) + "\n"


class Software(unittest.TestCase):
    def section(self, **said):
        return software.software_section({bdf: account(image, **said) for bdf, image in images().items()}, images())

    def reasons(self, section, absent=None):
        if absent is None:
            absent = section["without_register"] + section["without_copy"]
        return judge.verdict(software.software_checks(section, absent))[1]

    def test_agreement(self):
        section = self.section()
        self.assertEqual((section["differs"], section["unread"]), ([], []))
        self.assertIn("COMMAND.BME", section["compared"])
        self.assertNotIn("COMMAND.BME", section["without_copy"])
        self.assertIn("BAR", section["without_copy"])
        self.assertEqual(self.reasons(section), [])

    def test_a_copy_that_differs(self):
        section = self.section(MSIX_CONTROL="0x8009 state 0x8000 0x0")
        self.assertEqual(self.reasons(section), [f"software_differs:{NIC} MSIX.CONTROL at 0x72: state 0x0, device 0x8000"])

    def test_a_read_that_something_stands_before(self):
        section = self.section(PORT_WINDOW_MEM="0xffffffff")
        self.assertEqual(self.reasons(section),
                         [f"software_differs:{PORT} PORT.WINDOW.MEM at 0x20: read 0xffffffff, device 0xfe50fe20"])

    def test_a_register_nobody_compared(self):
        texts = {bdf: account(image) for bdf, image in images().items()}
        texts[NIC] = "".join(line for line in texts[NIC].splitlines(True) if not line.startswith("DEVCTL.MPS "))
        section = software.software_section(texts, images())
        self.assertEqual(self.reasons(section, section["without_register"] + section["without_copy"]),
                         [f"not_compared:{NIC} DEVCTL.MPS at 0xa8"])

    def test_rows_are_absent_by_name(self):
        section = self.section()
        known = section["without_register"] + section["without_copy"]
        self.assertEqual(self.reasons(section, known[1:]), [f"not_compared:{known[0]}"])
        self.assertEqual(self.reasons(section, [*known, "COMMAND.BME"]), ["not_absent:COMMAND.BME"])

    def test_nothing_to_judge(self):
        with self.assertRaises(NotSeen):
            software.software_section({}, images())
        self.assertIn("not_seen:functions", self.reasons(software.software_section({}, {}), sorted(software.NAMES)))


if __name__ == "__main__":
    unittest.main()
