"""Test frames and the process that sends them at a steady rate.

The frame is described in PROTOCOL.md. The sender is a process of its own, so that neither the
watcher nor the judge can disturb its pace; what it sent, and when, lies in shared memory.
"""

import multiprocessing as mp
import os
import struct
import time
import zlib

MAGIC = 0x48464C44
ETHERTYPE = 0x88B5
SRC_MAC = bytes.fromhex("525400ff0001")
HEAD = struct.Struct(">6s6sH")
BODY = struct.Struct(">IIQQ")
FRAME_LEN = 256
MIN_LEN = HEAD.size + BODY.size + 4
MAX_FRAMES = 400_000

_PATTERN = bytes((i * 7 + 13) & 0xFF for i in range(256)) * 8


def mac_bytes(text):
    return bytes.fromhex(text.replace(":", ""))


def pattern(seq, length):
    """`length` bytes that are a function of the sequence number."""
    start = seq & 0xFF
    return _PATTERN[start:start + length]


def build(dst, stream, seq, now_ns, length=FRAME_LEN):
    body = BODY.pack(MAGIC, stream, seq, now_ns) + pattern(seq, length - MIN_LEN)
    return HEAD.pack(dst, SRC_MAC, ETHERTYPE) + body + struct.pack(">I", zlib.crc32(body))


def crc_good(frame):
    """Is the CRC at the frame's end that of everything from the magic on?"""
    return struct.unpack_from(">I", frame, len(frame) - 4)[0] == zlib.crc32(frame[HEAD.size:-4])


def parse(frame):
    """(stream, seq, sent_ns) of a whole and correct test frame, else None."""
    if len(frame) < MIN_LEN:
        return None
    _dst, src, ethertype = HEAD.unpack_from(frame, 0)
    magic, stream, seq, sent = BODY.unpack_from(frame, HEAD.size)
    if magic != MAGIC or ethertype != ETHERTYPE or src != SRC_MAC:
        return None
    body = frame[HEAD.size:-4]
    if not crc_good(frame):
        return None
    if body[BODY.size:] != pattern(seq, len(body) - BODY.size):
        return None
    return stream, seq, sent


class Sender:
    """Sends frames 0, 1, 2, … of one stream; a late one goes out at once, so the mean rate holds. `other`: a function that
    says which frame goes out instead of the test frame of that number, or None."""

    def __init__(self, sock, dst, stream, rate, length=FRAME_LEN, other=lambda seq: None):
        ctx = mp.get_context("fork")
        self.rate = rate
        self.sent_at = ctx.RawArray("Q", MAX_FRAMES)
        self.count = ctx.RawValue("Q", 0)
        self.max_late_us = ctx.RawValue("Q", 0)
        self.errors = ctx.RawValue("Q", 0)
        self.stop_flag = ctx.RawValue("b", 0)
        self.proc = ctx.Process(target=self._run, args=(sock, dst, stream, rate, length, other), daemon=True)

    def start(self):
        self.proc.start()

    def stop(self):
        """Returns the number of frames sent."""
        self.stop_flag.value = 1
        self.proc.join(5)
        if self.proc.is_alive():
            self.proc.kill()
            self.proc.join(5)
        return self.count.value

    def sent_between(self, t0, t1):
        """How many frames went out in a stretch of monotonic time (seconds)."""
        return self.index_at(t1) - self.index_at(t0)

    def index_at(self, t):
        """Number of frames sent before monotonic second `t`."""
        ns, lo, hi = int(t * 1e9), 0, self.count.value
        while lo < hi:
            mid = (lo + hi) // 2
            if self.sent_at[mid] < ns:
                lo = mid + 1
            else:
                hi = mid
        return lo

    def _run(self, sock, dst, stream, rate, length, other):
        try:
            os.nice(-5)
        except OSError:
            pass
        sock.setblocking(True)
        parent, step, seq = os.getppid(), 1_000_000_000 // rate, 0
        start = time.monotonic_ns()
        while not self.stop_flag.value and seq < MAX_FRAMES:
            due = start + seq * step
            now = time.monotonic_ns()
            if now < due:
                time.sleep((due - now) / 1e9)
                now = time.monotonic_ns()
            self.max_late_us.value = max(self.max_late_us.value, max(0, now - due) // 1000)
            try:
                sock.send(other(seq) or build(dst, stream, seq, now, length))
            except OSError:
                self.errors.value += 1
            self.sent_at[seq] = now
            seq += 1
            self.count.value = seq
            if seq % 256 == 0 and os.getppid() != parent:
                break
        os._exit(0)
