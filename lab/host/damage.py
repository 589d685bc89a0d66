"""Lies in what crosses a kexec: the lab writes to the RAM of the host, as a wild pointer would."""

import os
import struct
import zlib

from ..errors import NotSeen

MAGIC = b"holdfast-iommu-v1".ljust(32, b"\0")       # see include/linux/kho/abi/iommu_liveupdate.h
HEADER = struct.Struct("<32s8H4IH14x")
WILD = 0x7ff0dead0000                               # no machine of the lab has memory there


def _iommu_record(ram):
    """(its bytes, sizes and counts) of a copy whose checksum is right: there are older ones about."""
    at = ram.find(MAGIC)
    while at >= 0:
        fields = HEADER.unpack_from(ram, at)
        total, crc = fields[9], fields[11]
        data = bytearray(ram[at:at + total])
        if HEADER.size <= total == len(data):
            data[56:60] = bytes(4)
            if zlib.crc32(data) == crc:
                return data, fields
        at = ram.find(MAGIC, at + 1)
    raise NotSeen("an IOMMU record in the memory of the host")


def page_list(machine):
    """The first block of the first page list gets a successor that is no memory. Says where."""
    data, fields = _iommu_record(machine.ram)
    _magic, _version, hdr_size, unit_size, _table_size, _fn_size, nr_units = fields[:7]
    head, = struct.unpack_from("<Q", data, hdr_size + nr_units * unit_size)
    os.pwrite(machine.ram_fd, struct.pack("<Q", WILD), head)
    return f"the page list at {head:#x} goes on at {WILD:#x}"


KINDS = {"page-list": (page_list, "the page list of a page table is damaged")}
