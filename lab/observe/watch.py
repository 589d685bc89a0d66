"""Watches packets land in the guest's memory, from outside, through the whole update.

The guest's RAM is a file that this process maps. A slot's memfd lies in it at the runs that `dev.mem` told. The
watcher follows the receive ring: a descriptor whose DD bit is set has a complete frame in its buffer.
"""

import os
import struct
import threading
import time

from . import traffic
from ..errors import NotSeen

PAGE = 4096
DESC = 16
BUF = 2048
DD = 1
LOOK_AHEAD = 4096
CANARY_BYTE = 0xC5      # HF_CANARY_BYTE of the agent
POLL_S = 0.003
BUCKET_MS = 50


class Layout:
    """memfd offset -> offset in the RAM file."""

    def __init__(self, runs):
        self.runs = [tuple(r) for r in runs]
        self.pages = []
        for gpa, length in self.runs:
            self.pages.extend(range(gpa, gpa + length, PAGE))

    def ram(self, off):
        return self.pages[off // PAGE] + off % PAGE

    def holds(self, ram_off):
        return any(gpa <= ram_off < gpa + length for gpa, length in self.runs)


class Slot:
    """What is known of one NIC's ring, and what landed in it."""

    def __init__(self, ram, layout, geometry, stream):
        self.ram, self.layout, self.stream = ram, layout, stream
        self.descs = geometry["descs"]
        self.ring_off, self.buf_off = geometry["ring_off"], geometry["buf_off"]
        self.buf_size = geometry.get("buf_size", BUF)
        self.next = geometry.get("first", 0)
        self.seen = bytearray(traffic.MAX_FRAMES)
        self.times = []             # (monotonic s, sequence) of every good frame, as they were found
        self.high = -1              # highest sequence so far
        self.corrupt = self.duplicate = self.out_of_order = self.foreign = self.holes = 0
        self.planted = set()        # descriptor indices that point outside every mapping
        self.planted_done = 0
        self.stalled_since = None

    def status(self, index):
        return struct.unpack_from("<I", self.ram, self.layout.ram(self.ring_off + index * DESC) + 8)[0]

    def frame(self, index):
        """The frame of a completed descriptor; empty when the device says another length."""
        length = struct.unpack_from("<H", self.ram, self.layout.ram(self.ring_off + index * DESC) + 12)[0]
        if length not in (traffic.FRAME_LEN, traffic.FRAME_LEN + 4):    # with or without the wire's own checksum
            return b""
        at = self.layout.ram(self.buf_off + index * self.buf_size)
        return bytes(self.ram[at:at + traffic.FRAME_LEN])

    def poll(self, now):
        """Takes in everything that has landed; returns how many good frames."""
        good = 0
        while self.next < self.descs:       # one lap: nobody gives descriptors back, see PROTOCOL.md
            if not self.status(self.next) & DD:
                if not self._skip_hole(now):
                    break
                continue
            self.stalled_since = None
            good += self._take(self.next, now)
            self.next += 1
        return good

    def _skip_hole(self, now):
        # A descriptor without write-back while later ones have it: something was lost in between.
        if self.stalled_since is None:
            self.stalled_since = now
        if now - self.stalled_since < 0.2:
            return False
        self.stalled_since = now
        for ahead in range(1, min(LOOK_AHEAD, self.descs - self.next)):
            if self.status(self.next + ahead) & DD:
                self.holes += ahead
                self.next += ahead
                return True
        return False

    def _take(self, index, now):
        if index in self.planted:
            self.planted_done += 1
            return 0
        parsed = traffic.parse(self.frame(index))
        if parsed is None:
            self.corrupt += 1
            return 0
        stream, seq, _sent = parsed
        if stream != self.stream or seq >= traffic.MAX_FRAMES:
            self.foreign += 1
            return 0
        if self.seen[seq]:
            self.duplicate += 1
            return 0
        self.seen[seq] = 1
        if seq < self.high:
            self.out_of_order += 1
        self.high = max(self.high, seq)
        self.times.append((now, seq))
        return 1

    def landed(self):
        return len(self.times)


class Canary:
    """A page nothing may write; the agent has filled it."""

    def __init__(self, ram, gpa):
        self.ram, self.gpa = ram, gpa & ~(PAGE - 1)
        self.want = bytes([CANARY_BYTE]) * PAGE
        self.broken = False
        if ram[self.gpa:self.gpa + PAGE] != self.want:
            raise NotSeen("canary")         # another page than the agent's

    def check(self):
        if not self.broken and self.ram[self.gpa:self.gpa + PAGE] != self.want:
            self.broken = True
        return not self.broken


class Watcher:
    """A thread that polls every slot and canary."""

    def __init__(self, ram, on_poll=None):
        self.ram = ram
        self.slots = {}
        self.canaries = []
        self.breaches = 0
        self.on_poll = on_poll
        self.error = None
        self.stop_flag = threading.Event()
        self.progress = threading.Condition()
        self.thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self):
        self.thread.start()

    def stop(self):
        self.stop_flag.set()
        if self.thread.is_alive():
            self.thread.join(5)

    def add(self, number, layout, geometry, stream, ring=Slot):
        self.slots[number] = ring(self.ram, layout, geometry, stream)

    def add_canary(self, gpa):
        self.canaries.append(Canary(self.ram, gpa))

    def forget(self, layout):
        """Canaries in memory that is about to be given back."""
        self.canaries = [canary for canary in self.canaries if not layout.holds(canary.gpa)]

    def poll(self):
        now = time.monotonic()
        good = 0
        for slot in list(self.slots.values()):
            good += slot.poll(now)
        for canary in list(self.canaries):
            if not canary.broken and not canary.check():
                self.breaches += 1
        return good

    def _run(self):
        try:
            while not self.stop_flag.is_set():
                if self.poll():
                    with self.progress:
                        self.progress.notify_all()
                self.stop_flag.wait(POLL_S)
        except Exception as e:          # a dead watcher must show in the verdict, not pass unnoticed
            self.error = f"{type(e).__name__}: {e}"

    def wait_landed(self, number, count, timeout, stall=None):
        """Waits until the slot has at least `count` good frames, or (with `stall`) none has come for that many seconds."""
        deadline = time.monotonic() + timeout
        slot = self.slots[number]
        had, since = slot.landed(), time.monotonic()
        with self.progress:
            while slot.landed() < count and not self.error:
                now = time.monotonic()
                if slot.landed() != had:
                    had, since = slot.landed(), now
                if now >= deadline or stall is not None and now - since > stall:
                    return False
                self.progress.wait(min(deadline - now, 0.2))
        return not self.error

    def drain(self, number, last_seq, quiet_s=0.7, limit_s=5):
        """After the sender stopped: until the last frame is in, or nothing has moved for a while."""
        slot = self.slots[number]
        end = time.monotonic() + limit_s
        count, since = slot.landed(), time.monotonic()
        while time.monotonic() < end and slot.high < last_seq:
            with self.progress:
                self.progress.wait(0.05)
            if slot.landed() != count:
                count, since = slot.landed(), time.monotonic()
            elif time.monotonic() - since > quiet_s:
                break


def max_gap_ms(times, t0, t1):
    """Longest stretch between two landings from t0 to t1."""
    inside = [t for t, _seq in times if t0 <= t <= t1]
    edges = [t0] + inside + [t1]
    return round(max(b - a for a, b in zip(edges, edges[1:])) * 1000, 1)


def series(times, t0, bucket_ms=BUCKET_MS):
    """[[t_ms, packets landed so far], …], one entry per bucket."""
    out, total = [], 0
    for t, _seq in times:
        total += 1
        slot = round((t - t0) * 1000) // bucket_ms * bucket_ms
        if out and out[-1][0] == slot:
            out[-1][1] = total
        else:
            out.append([slot, total])
    return out


def stray(ram_fd, ram, layouts, needle, before):
    """(where things with `needle` in them, `before` bytes from their start, lie in the guest's RAM outside the slots' memory,
    where nothing was mapped; how many lie inside)."""
    found, inside, pos, size = [], 0, 0, len(ram)
    while pos < size:
        try:
            start = os.lseek(ram_fd, pos, os.SEEK_DATA)
            end = os.lseek(ram_fd, start, os.SEEK_HOLE)
        except OSError:
            break
        at = ram.find(needle, start, end)
        while at >= 0:
            frame = at - before
            if any(layout.holds(frame) for layout in layouts):
                inside += 1
            else:
                found.append(frame)
            at = ram.find(needle, at + 1, end)
        pos = end
    return found, inside
