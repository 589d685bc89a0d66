import os
import sys
import unittest
from types import SimpleNamespace

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", ".."))
from lab.errors import NotSeen      # noqa: E402
from lab.host import damage         # noqa: E402

HEAD = 0x200000     # of the first page list in that record
AT = 0x5123         # a copy need not be aligned


def golden(name):
    with open(os.path.join(HERE, "..", "golden", "good", name)) as f:
        return bytes(int(b, 16) for line in f if ":" in line for b in line.split(":")[1].split())


class PageList(unittest.TestCase):
    def setUp(self):
        self.fd = os.memfd_create("ram")
        self.machine = SimpleNamespace(ram=bytearray(HEAD + 4096), ram_fd=self.fd)
        os.ftruncate(self.fd, len(self.machine.ram))
        self.record = golden("iommu-legacy.hex")

    def tearDown(self):
        os.close(self.fd)

    def test_next_is_wild(self):
        self.machine.ram[AT:AT + len(self.record)] = self.record
        damage.page_list(self.machine)
        self.assertEqual(os.pread(self.fd, 16, HEAD), damage.WILD.to_bytes(8, "little") + bytes(8))

    def test_stale_copy_is_passed_over(self):
        stale = bytearray(self.record)
        stale[100] ^= 1
        self.machine.ram[0x1000:0x1000 + len(stale)] = stale
        self.machine.ram[AT:AT + len(self.record)] = self.record
        damage.page_list(self.machine)
        self.assertEqual(os.pread(self.fd, 8, HEAD), damage.WILD.to_bytes(8, "little"))

    def test_nothing_to_damage(self):
        with self.assertRaises(NotSeen):
            damage.page_list(self.machine)


if __name__ == "__main__":
    unittest.main()
