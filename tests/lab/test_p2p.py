"""Frames in a BAR: where it is, what is in it, and whether all are accounted for."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from lab.judge import p2p                                               # noqa: E402
from lab.observe import bar, traffic                                    # noqa: E402


class Bar(unittest.TestCase):
    def test_address(self):
        self.assertEqual(bar.address([0, 0, 0xFE60000C, 0x1, 0, 0], 2), 0x1FE600000)
        self.assertEqual(bar.address([0xFE000000, 7, 0, 0, 0, 0], 0), 0xFE000000)

    def test_frames(self):
        data = bytearray(4 * 256)
        data[256:512] = traffic.build(bytes(6), 1, 77, 5)
        data[512:768] = traffic.build(bytes(6), 1, 93, 6)
        data[600] ^= 1
        self.assertEqual(bar.frames(bytes(data), 256), [(1, 77, 5)])


class Account(unittest.TestCase):
    def reasons(self, seen, frames, early=None, sent=8):
        early = frames[:-1] if early is None else early
        return [r for c in p2p.checks(seen, 0, len(seen) - 1, frames, early, (0, 1), sent, 4) for r in c.reasons()]

    def test_all_there(self):
        frames = [(0, 1, 1), (1, 5, 2), (2, 9, 3)]
        self.assertEqual(self.reasons(bytes(i % 4 != 1 for i in range(12)), frames), [])

    def test_lost(self):
        seen = bytes(i % 4 != 1 for i in range(12))
        self.assertIn("p2p_lost", self.reasons(seen, [(0, 1, 1), (2, 9, 3)]))

    def test_twice(self):
        seen = bytes([1] * 12)
        self.assertIn("p2p_twice", self.reasons(seen, [(0, 1, 1), (1, 5, 2), (2, 9, 3)]))

    def test_order(self):
        seen = bytes(i % 4 != 1 for i in range(12))
        self.assertIn("p2p_out_of_order", self.reasons(seen, [(0, 5, 1), (1, 1, 2), (2, 9, 3)]))

    def test_none_in_the_blackout(self):
        seen = bytes(i % 4 != 1 for i in range(12))
        late = [(0, 1, 2 * 10**9), (1, 5, 3 * 10**9), (2, 9, 4 * 10**9)]
        self.assertIn("p2p_in_blackout", self.reasons(seen, late))
        self.assertIn("p2p_in_blackout", self.reasons(seen, late, sent=0))

    def test_stops(self):
        frames = [(0, 1, 1), (1, 5, 2), (2, 9, 3)]
        self.assertIn("p2p_goes_on", self.reasons(bytes(i % 4 != 1 for i in range(12)), frames, early=frames))
        self.assertIn("p2p_stays", self.reasons(bytes(i % 4 != 1 for i in range(12)), frames[1:], early=frames[:1]))


if __name__ == "__main__":
    unittest.main()
