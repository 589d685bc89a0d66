"""What a VM tells the lab: the lines of its TCP connection."""

import json
import socket
import threading
import time

PING_S = 0.2
ANSWER_S = 10


class Link:
    """Listens for the one connection of a VM; keeps what comes over it, with the time it came."""

    def __init__(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.server.settimeout(0.2)
        self.port = self.server.getsockname()[1]
        self.conn = None
        self.connections = 0
        self.closed_at = None
        self.beats, self.klog, self.rtts = [], [], []
        self.asked = {}
        self.next_ask = 1
        self.stop_flag = threading.Event()
        self.news = threading.Condition()
        self.threads = [threading.Thread(target=t, name="vmlink", daemon=True) for t in (self._read, self._ping)]
        for t in self.threads:
            t.start()

    def close(self):
        self.stop_flag.set()
        for t in self.threads:
            t.join(2)
        if self.conn:
            self.conn.close()
        self.server.close()

    # -- threads -------------------------------------------------------------------------------------------------

    def _read(self):
        buf = b""
        while not self.stop_flag.is_set():
            try:
                if self.conn is None:
                    conn, _peer = self.server.accept()
                    conn.settimeout(0.2)
                    conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    with self.news:
                        self.conn, self.connections, buf = conn, self.connections + 1, b""
                    continue
                data = self.conn.recv(65536)
            except TimeoutError:
                continue
            except OSError:
                data = b""
            now = time.monotonic()
            if not data:
                with self.news:
                    self.closed_at = now
                    self.conn.close()
                    self.conn = None
                    self.news.notify_all()
                continue
            *lines, buf = (buf + data).split(b"\n")
            with self.news:
                for line in lines:
                    self.take(line, now)
                self.news.notify_all()

    def take(self, line, now):
        try:
            obj = json.loads(line)
        except ValueError:
            return
        if "beat" in obj:
            self.beats.append((now, obj))
        elif "klog" in obj:
            self.klog.append((now, obj["klog"]))
        elif obj.get("pong") in self.asked:
            asked = self.asked.pop(obj["pong"])
            self.rtts.append((asked, now - asked))

    def _ping(self):
        while not self.stop_flag.wait(PING_S):
            self.say("ping", self._number())

    def _number(self):
        with self.news:
            number, self.next_ask = self.next_ask, self.next_ask + 1
            self.asked[number] = time.monotonic()
        return number

    def say(self, word, number):
        conn = self.conn
        if conn:
            try:
                conn.sendall(json.dumps({word: number}).encode() + b"\n")
            except OSError:
                pass

    # -- for the flow --------------------------------------------------------------------------------------------

    def wait(self, timeout, match=lambda beat: True, after=0.0):
        """The first beat later than `after` that matches, or None."""
        deadline, at = time.monotonic() + timeout, 0
        with self.news:
            while True:
                for t, beat in self.beats[at:]:
                    if t > after and match(beat):
                        return t, beat
                at = len(self.beats)
                left = deadline - time.monotonic()
                if left <= 0:
                    return None
                self.news.wait(min(left, 0.5))

    def report(self, timeout=ANSWER_S):
        """The answer to a question asked now, or None."""
        number = self._number()
        self.say("report", number)
        got = self.wait(timeout, lambda beat: beat.get("re") == number)
        return got[1] if got else None

    def again(self):
        """The host has been replaced. A connection does not notice."""

    def last(self):
        with self.news:
            return self.beats[-1] if self.beats else None


class FileLink(Link):
    """The same lines out of a file of the host under test, for a VM without a NIC; `read(off)` gives what follows there."""

    def __init__(self, read):
        self.read_from = read
        self.off = 0
        self.rest = b""
        super().__init__()

    def again(self):
        """The host has been replaced: the file begins anew."""
        self.off, self.rest = 0, b""

    def poll(self):
        text = self.read_from(self.off).encode()
        self.off += len(text)
        *lines, self.rest = (self.rest + text).split(b"\n")
        now = time.monotonic()
        with self.news:
            for line in lines:
                self.take(line, now)

    def wait(self, timeout, match=lambda beat: True, after=0.0):
        deadline = time.monotonic() + timeout
        while True:
            self.poll()
            got = super().wait(0, match, after)
            if got or time.monotonic() > deadline:
                return got
            self.stop_flag.wait(0.2)        # a file in another machine has no event

    def report(self, timeout=ANSWER_S):
        got = self.wait(timeout, after=time.monotonic())
        return got[1] if got else None
