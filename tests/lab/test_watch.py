import os
import struct
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from lab.errors import NotSeen          # noqa: E402
from lab.observe import traffic, watch, wire  # noqa: E402
from lab.workloads.nic import Receiver  # noqa: E402
from lab.workloads.virtio_net import UsedRing  # noqa: E402

MAC = traffic.mac_bytes("52:54:00:00:00:01")
DESCS = 64
RING, BUFS = 0x1000, 0x2000


class Guest:
    """A guest's RAM with one slot whose memfd lies in two runs, in the wrong order."""

    def __init__(self):
        pages = 2 + DESCS // 2
        self.ram = bytearray(0x100000)
        self.layout = watch.Layout([[0x40000, 0x3000], [0x10000, (pages - 3 + 1) * 0x1000]])
        self.slot = watch.Slot(self.ram, self.layout, {"descs": DESCS, "ring_off": RING, "buf_off": BUFS}, 1)

    def land(self, index, frame, length=None):
        at = self.layout.ram(BUFS + index * 2048)
        self.ram[at:at + len(frame)] = frame
        desc = self.layout.ram(RING + index * 16)
        self.ram[desc + 8:desc + 16] = struct.pack("<IHH", watch.DD, length or len(frame), 0)

    def frame(self, seq, stream=1):
        return traffic.build(MAC, stream, seq, 123)


class Frames(unittest.TestCase):
    def test_round_trip(self):
        for seq in (0, 1, 255, 256, 399999):
            f = traffic.build(MAC, 3, seq, 99)
            self.assertEqual(len(f), traffic.FRAME_LEN)
            self.assertEqual(traffic.parse(f), (3, seq, 99))

    def test_layout_is_the_one_in_the_protocol(self):
        f = traffic.build(MAC, 1, 2, 3)
        self.assertEqual(f[:18].hex(), "525400000001" "525400ff0001" "88b5" "48464c44")

    def test_a_flipped_bit_anywhere_is_noticed(self):
        good = traffic.build(MAC, 1, 7, 99)
        for at in range(6, len(good)):
            bad = bytearray(good)
            bad[at] ^= 0x10
            self.assertIsNone(traffic.parse(bytes(bad)), at)

    def test_short(self):
        self.assertIsNone(traffic.parse(b""))
        self.assertIsNone(traffic.parse(b"\0" * 60))


class Layouts(unittest.TestCase):
    def test_offsets_follow_the_runs(self):
        lay = watch.Layout([[0x40000, 0x2000], [0x10000, 0x1000]])
        self.assertEqual([hex(lay.ram(o)) for o in (0, 0x1fff, 0x2004)], ["0x40000", "0x41fff", "0x10004"])
        self.assertTrue(lay.holds(0x41fff))
        self.assertFalse(lay.holds(0x42000))


class Watching(unittest.TestCase):
    def setUp(self):
        self.g = Guest()

    def test_in_order(self):
        for n in range(5):
            self.g.land(n, self.g.frame(n))
        s = self.g.slot
        self.assertEqual(s.poll(1.0), 5)
        self.assertEqual(s.poll(1.1), 0)
        self.g.land(5, self.g.frame(5), length=traffic.FRAME_LEN + 4)
        self.assertEqual(s.poll(1.2), 1)
        self.assertEqual((s.landed(), s.corrupt, s.out_of_order, s.duplicate), (6, 0, 0, 0))

    def test_corrupt_duplicate_and_out_of_order(self):
        bad = bytearray(self.g.frame(1))
        bad[100] ^= 1
        for n, f in enumerate([self.g.frame(0), bytes(bad), self.g.frame(3), self.g.frame(2), self.g.frame(3),
                               self.g.frame(4, stream=2)]):
            self.g.land(n, f)
        s = self.g.slot
        s.poll(1.0)
        self.assertEqual((s.landed(), s.corrupt, s.out_of_order, s.duplicate, s.foreign), (3, 1, 1, 1, 1))

    def test_wrong_length_is_corrupt(self):
        self.g.land(0, self.g.frame(0), length=60)
        self.g.slot.poll(1.0)
        self.assertEqual(self.g.slot.corrupt, 1)

    def test_planted_descriptor_takes_a_frame(self):
        s = self.g.slot
        s.planted.add(1)
        self.g.land(0, self.g.frame(0))
        self.g.land(1, b"")
        self.g.land(2, self.g.frame(2))
        s.poll(1.0)
        self.assertEqual((s.planted_done, s.landed(), s.corrupt), (1, 2, 0))

    def test_a_hole_is_stepped_over_after_a_while(self):
        self.g.land(0, self.g.frame(0))
        self.g.land(4, self.g.frame(4))
        s = self.g.slot
        s.poll(1.0)
        self.assertEqual(s.landed(), 1)
        s.poll(1.3)
        self.assertEqual((s.landed(), s.holes), (2, 3))

    def test_the_ring_ends(self):
        for n in range(DESCS):
            self.g.land(n, self.g.frame(n))
        self.g.slot.poll(1.0)
        self.assertEqual(self.g.slot.poll(2.0), 0)
        self.assertEqual(self.g.slot.landed(), DESCS)

    def test_canary(self):
        with self.assertRaisesRegex(NotSeen, "canary"):
            watch.Canary(self.g.ram, 0x50123)
        self.g.ram[0x50000:0x51000] = bytes([watch.CANARY_BYTE]) * 0x1000
        c = watch.Canary(self.g.ram, 0x50123)
        self.assertTrue(c.check())
        self.g.ram[0x50000] ^= 1
        self.assertFalse(c.check())

    def test_a_watcher_that_dies_says_so(self):
        w = watch.Watcher(self.g.ram)
        w.add(0, watch.Layout([[0, 0x1000]]), {"descs": 4, "ring_off": 0x5000, "buf_off": 0}, 1)
        w.start()
        w.thread.join(2)
        self.assertIn("IndexError", w.error)
        self.assertFalse(w.wait_landed(0, 1, 0.1))


    def test_waiting_for_more(self):
        w = watch.Watcher(self.g.ram)
        w.slots[0] = self.g.slot
        self.g.land(0, self.g.frame(0))
        w.poll()
        self.assertTrue(w.wait_landed(0, 1, 5))
        for stall, most in ((0.1, 1), (None, 1)):
            t0 = time.monotonic()
            self.assertFalse(w.wait_landed(0, 2, 0.5, stall))
            self.assertLess(time.monotonic() - t0, 0.45 if stall else most)


class Used(unittest.TestCase):
    """A ring of which the device says in another one what it has used."""

    def setUp(self):
        self.ram = bytearray(1 << 20)
        geometry = {"descs": 8, "ring_off": 0x1000, "buf_off": 0x8000, "buf_size": 2048}
        self.ring = UsedRing(self.ram, watch.Layout([[0, 1 << 20]]), geometry, 1)

    def land(self, index, frame, number=None):
        number = index if number is None else number
        at = 0x8000 + number * 2048
        self.ram[at + 12:at + 12 + len(frame)] = frame
        struct.pack_into("<II", self.ram, self.ring.used + 4 + index * 8, number, 12 + len(frame))
        struct.pack_into("<H", self.ram, self.ring.used + 2, index + 1)

    def test_frames_in_order(self):
        self.assertEqual(self.ring.poll(1.0), 0)
        for n in range(3):
            self.land(n, traffic.build(bytes(6), 1, n, 0))
        self.assertEqual((self.ring.poll(1.0), self.ring.high, self.ring.corrupt), (3, 2, 0))

    def test_another_buffer_or_length_is_no_frame(self):
        self.land(0, traffic.build(bytes(6), 1, 0, 0), number=3)
        self.land(1, traffic.build(bytes(6), 1, 1, 0)[:100])
        self.assertEqual((self.ring.poll(1.0), self.ring.corrupt), (0, 2))


class Times(unittest.TestCase):
    def test_gap_counts_the_edges(self):
        times = [(1.0, 0), (1.1, 1), (1.6, 2)]
        self.assertEqual(watch.max_gap_ms(times, 0.9, 1.7), 500.0)
        self.assertEqual(watch.max_gap_ms(times, 0.9, 3.6), 2000.0)

    def test_series(self):
        self.assertEqual(watch.series([(1.0, 0), (1.01, 1), (1.2, 2)], 1.0), [[0, 2], [200, 3]])

    def test_stray_frames(self):
        fd = os.memfd_create("t")
        self.addCleanup(os.close, fd)
        os.ftruncate(fd, 1 << 22)
        import mmap
        ram = mmap.mmap(fd, 1 << 22)
        self.addCleanup(ram.close)
        f = traffic.build(MAC, 1, 5, 0)
        ram[0x10000:0x10000 + len(f)] = f
        ram[0x300040:0x300040 + len(f)] = f
        self.assertEqual(watch.stray(fd, ram, [watch.Layout([[0x10000, 0x1000]])], Receiver.needle, Receiver.needle_at), ([0x300040], 1))


class Sending(unittest.TestCase):
    def test_rate_and_order(self):
        ours, theirs = wire.wire()
        self.addCleanup(ours.close)
        self.addCleanup(theirs.close)
        s = traffic.Sender(ours, MAC, 1, 1000)
        s.start()
        got = [traffic.parse(theirs.recv(2048)) for _ in range(200)]
        n = s.stop()
        self.assertEqual([g[1] for g in got], list(range(200)))
        self.assertGreaterEqual(n, 200)
        first, last = s.sent_at[0] / 1e9, s.sent_at[n - 1] / 1e9
        # Frame i is due i ms after the first. A loaded machine sends late, and then
        # catches up; sending early would be a wrong rate on any machine.
        early = [i for i in range(n) if s.sent_at[i] / 1e9 - first < i / 1000 - 0.002]
        self.assertEqual(early, [])
        self.assertLess(last - first, n / 1000 + 0.5)
        self.assertEqual(s.sent_between(first, last + 1), n)
        self.assertEqual(s.index_at(first), 0)


if __name__ == "__main__":
    unittest.main()
