"""Watches packets land in the memory of a VM, from outside of its host, while nobody runs in it.

The VM's driver fills and empties the ring of its igb as it likes. What it does is followed only as far as needed: which
buffer each free descriptor points to. From the moment the VM stands still every descriptor that is completed can be
seen, with its frame.
"""

from array import array

from . import traffic, watch

TRACK_EVERY = 8         # polls; the ring is long, and a descriptor stays free for seconds


class VmRing:
    """Has what watch.Watcher wants of a slot."""

    def __init__(self, ram, layout, base, length, stream):
        """`layout`: where the VM's memory lies in the host's; `base`, `length`: of the ring in the VM's memory, in bytes."""
        self.ram, self.layout, self.stream = ram, layout, stream
        self.descs = length // watch.DESC
        self.pages = [layout.ram(base + at) for at in range(0, length, watch.PAGE)]
        self.last_page = length % watch.PAGE or watch.PAGE
        self.addr = [None] * self.descs
        self.times = []             # (monotonic s, sequence)
        self.seen = bytearray(traffic.MAX_FRAMES)
        self.high = -1
        self.corrupt = self.duplicate = self.out_of_order = self.foreign = self.other = 0
        self.next = self.end = None     # following: the descriptor that is completed next, and where the free ones end
        self.polls = 0
        self.stretches = []         # [from, to] of each time it was followed
        self.ran_out = False        # the VM stood still for so long that every free descriptor was used

    def descriptors(self):
        sizes = [watch.PAGE] * (len(self.pages) - 1) + [self.last_page]
        return array("Q", b"".join(self.ram[at:at + size] for at, size in zip(self.pages, sizes)))

    def track(self):
        """Learns where the free descriptors point: those whose length the driver has cleared."""
        words = self.descriptors()
        for i in range(self.descs):
            if not words[2 * i + 1] >> 32 & 0xFFFF:
                self.addr[i] = words[2 * i]

    def follow(self, head, tail, now):
        """The VM stands still: from now on whatever lands is seen. `head` and `tail` as the NIC has them."""
        self.track()
        self.next, self.end = head % self.descs, tail % self.descs
        self.stretches.append([now, None])

    def let_go(self, now):
        """The VM is about to run again. Takes in what is there first."""
        if self.next is None:
            return
        self.poll(now)
        self.next = None
        self.stretches[-1][1] = now

    def poll(self, now):
        if self.next is None:
            self.polls += 1
            if self.polls % TRACK_EVERY == 0:
                self.track()
            return 0
        good = 0
        while self.next is not None and self.next != self.end:
            length = self.done(self.next)
            if not length:
                break
            good += self.take(self.next, length, now)
            self.next = (self.next + 1) % self.descs
        self.ran_out = self.ran_out or self.next == self.end
        return good

    def done(self, index):
        """Length of the frame in a completed descriptor, else 0."""
        at = self.pages[index * watch.DESC // watch.PAGE] + index * watch.DESC % watch.PAGE
        word = int.from_bytes(self.ram[at + 8:at + 16], "little")
        return word >> 32 & 0xFFFF if word & watch.DD else 0

    def take(self, index, length, now):
        where = self.addr[index]
        if where is None:
            self.foreign += 1
            return 0
        at = self.layout.ram(where)
        frame = bytes(self.ram[at:at + min(length, traffic.FRAME_LEN)])
        if frame[12:14] != traffic.ETHERTYPE.to_bytes(2, "big"):
            self.other += 1         # its TCP connection, ARP
            return 0
        parsed = traffic.parse(frame)
        if parsed is None or parsed[0] != self.stream:
            self.corrupt += 1
            return 0
        seq = parsed[1]
        if self.seen[seq]:
            self.duplicate += 1
            return 0
        self.seen[seq] = 1
        self.out_of_order += seq < self.high
        self.high = max(self.high, seq)
        self.times.append((now, seq))
        return 1

    def landed(self):
        return len(self.times)
