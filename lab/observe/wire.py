"""Both ends of a wire: the sockets, what the host's kernel dropped, and the frames that a VM sends of its own accord."""

import socket
import struct
import threading
import time

from . import traffic

ETHERTYPE_TX = 0x88B7


def wire():
    """A pair of connected UDP sockets: (the lab's end, QEMU's end).

    QEMU gets its end as an open descriptor, so no port has to be guessed or kept free. The receive queue is made
    deep where that is allowed: a frame dropped in the host's own queue says nothing about the device.
    """
    ours = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    theirs = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for s in (ours, theirs):
        s.bind(("127.0.0.1", 0))
    ours.connect(theirs.getsockname())
    theirs.connect(ours.getsockname())
    for s in (ours, theirs):
        deepen(s, 8 << 20)
    return ours, theirs


def deepen(sock, size):
    so_rcvbufforce = 33
    try:
        sock.setsockopt(socket.SOL_SOCKET, so_rcvbufforce, size)
    except OSError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)


def socket_drops(port):
    """Datagrams the host's kernel threw away at that local UDP port (None: unknown)."""
    try:
        with open("/proc/net/udp") as f:
            for line in f.readlines()[1:]:
                fields = line.split()
                if int(fields[1].split(":")[1], 16) == port:
                    return int(fields[-1])
    except (OSError, ValueError, IndexError):
        pass
    return None


class Wire:
    """Counts the frames that a VM sends of its own accord over one NIC."""

    HEAD = struct.Struct(">6s6sHIIQ")

    def __init__(self, sock, stream):
        self.sock, self.stream = sock, stream
        self.times = []             # (monotonic s, sequence)
        self.seen = set()
        self.duplicate = self.corrupt = 0
        self.stop_flag = threading.Event()
        self.thread = threading.Thread(target=self._run, name="wire", daemon=True)
        self.thread.start()

    def stop(self):
        self.stop_flag.set()
        self.thread.join(2)

    def _run(self):
        self.sock.settimeout(0.3)
        while not self.stop_flag.is_set():
            try:
                frame = self.sock.recv(4096)
            except TimeoutError:
                continue
            except OSError:
                return
            self.take(frame, time.monotonic())

    def take(self, frame, now):
        if len(frame) < self.HEAD.size or frame[12:14] != ETHERTYPE_TX.to_bytes(2, "big"):
            return
        _dst, _src, _type, magic, stream, seq = self.HEAD.unpack_from(frame)
        if magic != traffic.MAGIC or stream != self.stream or not traffic.crc_good(frame):
            self.corrupt += 1
        elif seq in self.seen:
            self.duplicate += 1
        else:
            self.seen.add(seq)
            self.times.append((now, seq))

    def missing(self):
        """How many sequence numbers from the first to the last did not come."""
        return max(self.seen) - min(self.seen) + 1 - len(self.seen) if self.seen else 0
