"""Config space images for the tests: an igb and a root port, with their capabilities where QEMU puts them."""

import struct


def _put(image, off, fmt, value):
    struct.pack_into(fmt, image, off, value)


def igb():
    im = bytearray(4096)
    struct.pack_into("<HH", im, 0, 0x8086, 0x10C9)
    _put(im, 0x04, "<H", 0x0107)
    _put(im, 0x06, "<H", 0x0010)
    for i, bar in enumerate((0xFE200000, 0xFE220000, 0xD001, 0xFE240004)):
        _put(im, 0x10 + 4 * i, "<I", bar)
    im[0x34] = 0x40
    im[0x3D] = 1
    im[0x40:0x42] = bytes((0x01, 0x50))         # PM, state at 0x44
    im[0x50:0x52] = bytes((0x05, 0x70))         # MSI
    im[0x70:0x72] = bytes((0x11, 0xA0))         # MSI-X, control at 0x72
    _put(im, 0x72, "<H", 0x8009)
    im[0xA0:0xA2] = bytes((0x10, 0x00))         # PCIe, DEVCTL at 0xa8
    _put(im, 0xA8, "<H", 0x2810)
    _put(im, 0x100, "<I", 0x14010001)           # AER -> 0x140
    _put(im, 0x140, "<I", 0x1600000F)           # ATS -> 0x160
    _put(im, 0x160, "<I", 0x00010010)           # SR-IOV
    _put(im, 0x168, "<H", 0x10)
    return im


def root_port():
    im = bytearray(4096)
    struct.pack_into("<HH", im, 0, 0x1B36, 0x000C)
    _put(im, 0x04, "<H", 0x0107)
    _put(im, 0x06, "<H", 0x0010)
    im[0x0E] = 1
    _put(im, 0x18, "<I", 0x00010100)
    _put(im, 0x20, "<I", 0xFE50FE20)
    im[0x34] = 0x54
    im[0x54:0x56] = bytes((0x10, 0x00))         # PCIe, LNKCTL at 0x64
    _put(im, 0x100, "<I", 0x0001000D)           # ACS
    _put(im, 0x106, "<H", 0x1D)
    return im


NIC, PORT, OTHER = "0000:01:00.0", "0000:00:04.0", "0000:02:00.0"


def images():
    return {NIC: bytes(igb()), PORT: bytes(root_port())}
