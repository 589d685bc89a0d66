"""What hostile.py does to the memory of a machine, and nothing but that."""

import os
import struct
import types
import unittest

from lab.flows import hostile


def record(name=hostile.VFIO_FILE, data=0x12345000, token=2):
    return name.ljust(hostile.COMPATIBLE, b"\0") + struct.pack("<QQ", data, token)


class Damage(unittest.TestCase):
    def run_on(self, image):
        fd = os.memfd_create("test")
        self.addCleanup(os.close, fd)
        os.write(fd, image)
        run = types.SimpleNamespace(machine=types.SimpleNamespace(ram=image, ram_fd=fd))
        return hostile.damage(run), os.pread(fd, len(image), 0)

    def test_one_bit_of_the_handle(self):
        image = b"\0" * 100 + record() + b"\0" * 100
        count, after = self.run_on(image)
        self.assertEqual(count, 1)
        bits = [a ^ b for a, b in zip(image, after)]
        self.assertEqual(sum(b.bit_count() for b in bits), 1)
        data, token = struct.unpack_from("<QQ", after, 100 + hostile.COMPATIBLE)
        self.assertEqual((data % hostile.PAGE, token), (0, 2))
        self.assertNotEqual(data, 0x12345000)

    def test_what_only_looks_like_it(self):
        name = hostile.VFIO_FILE
        for image in (record(data=0), record(data=0x12345678), record(token=1), record(name=name + b"x"),
                      record(name=b"memfd-v1\0"), name):
            count, after = self.run_on(image + b"\0" * 100)
            self.assertEqual((count, after), (0, image + b"\0" * 100))


if __name__ == "__main__":
    unittest.main()
