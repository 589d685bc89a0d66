"""The runner's end of the virtio-serial protocol described in PROTOCOL.md."""

import json
import queue
import socket
import threading
import time

MAX_LINE = 4096


class AgentError(Exception):
    """A reply with ok=false."""

    def __init__(self, cmd, reply):
        self.cmd = cmd
        self.errno = reply.get("errno", 0)
        self.error = reply.get("error", "")
        super().__init__(f"{cmd}: {self.error or 'refused'} (errno {self.errno})")


class AgentTimeout(Exception):
    """No reply, or no event, in time; or the guest is gone."""


class LineParser:
    """Splits a byte stream into JSON objects; what is cut or torn is dropped and counted."""

    def __init__(self):
        self.buf = b""
        self.bad = 0

    def feed(self, data):
        self.buf += data
        *lines, self.buf = self.buf.split(b"\n")
        if len(self.buf) > 4 * MAX_LINE:
            self.buf = b""
            self.bad += 1
        out = []
        for line in lines:
            line = line.strip(b"\r\0 ")
            if not line:
                continue
            obj = self._parse(line)
            if obj is None:
                self.bad += 1
            else:
                out.append(obj)
        return out

    @staticmethod
    def _parse(line):
        # A kexec can cut a line short; what follows on the same line may be whole.
        start = 0
        while start >= 0:
            try:
                obj = json.loads(line[start:].decode("utf-8"))
                return obj if isinstance(obj, dict) else None
            except (ValueError, UnicodeDecodeError):
                start = line.find(b'{"', start + 1)
        return None


class Control:
    """One command at a time, replies by id, events kept in order of arrival."""

    def __init__(self, path, log_path=None, alive=lambda: True):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(5)
        self.sock.connect(path)
        self.sock.settimeout(0.2)
        self.alive = alive
        self.log = open(log_path, "w", buffering=1) if log_path else None
        self.next_id = 1
        self.inbox = queue.Queue()
        self.events = []
        self.parser = LineParser()
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._read, name="ctl", daemon=True)
        self.thread.start()

    def close(self):
        self.stop.set()
        self.thread.join(2)
        self.sock.close()
        if self.log:
            self.log.close()
            self.log = None

    def _note(self, arrow, obj):
        if self.log:
            self.log.write(f"{time.monotonic():.6f} {arrow} {json.dumps(obj)}\n")

    def _read(self):
        while not self.stop.is_set():
            try:
                data = self.sock.recv(65536)
            except socket.timeout:
                continue
            except OSError:
                break
            if not data:
                break
            now = time.monotonic()
            for obj in self.parser.feed(data):
                obj["_at"] = now
                self._note("<", obj)
                self.inbox.put(obj)
        self.inbox.put(None)

    def _take(self, deadline, what):
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise AgentTimeout(f"{what}: no answer in time")
            try:
                obj = self.inbox.get(timeout=min(left, 0.5))
            except queue.Empty:
                if not self.alive():
                    raise AgentTimeout(f"{what}: the guest is gone") from None
                continue
            if obj is None:
                raise AgentTimeout(f"{what}: the guest is gone")
            return obj

    def send(self, cmd, **args):
        ident = self.next_id
        self.next_id += 1
        msg = {"id": ident, "cmd": cmd, "args": args}
        line = json.dumps(msg, separators=(",", ":")).encode() + b"\n"
        if len(line) > MAX_LINE:
            raise ValueError(f"{cmd}: the command is longer than {MAX_LINE} bytes")
        self._note(">", msg)
        try:
            self.sock.settimeout(5)
            self.sock.sendall(line)
        except OSError as e:
            raise AgentTimeout(f"{cmd}: {e}") from e
        finally:
            self.sock.settimeout(0.2)
        return ident

    def wait_reply(self, ident, cmd, timeout):
        deadline = time.monotonic() + timeout
        while True:
            obj = self._take(deadline, cmd)
            if obj.get("re") == ident:
                if not obj.get("ok"):
                    raise AgentError(cmd, obj)
                return obj
            if "ev" in obj:
                self.events.append(obj)

    def call(self, cmd, timeout=10.0, **args):
        """Sends a command and returns its reply; raises AgentError or AgentTimeout."""
        return self.wait_reply(self.send(cmd, **args), cmd, timeout)

    def many(self, cmd, all_args, timeout=10.0, batch=32):
        """The replies to one command with many sets of arguments, without a round trip for each."""
        out = []
        for at in range(0, len(all_args), batch):
            idents = [self.send(cmd, **args) for args in all_args[at:at + batch]]
            out += [self.wait_reply(ident, cmd, timeout) for ident in idents]
        return out

    def wait_event(self, name, timeout, match=lambda ev: True, reply_to=None):
        """The first event of that name that matches, among those kept and those to come.

        A negative reply to `reply_to` (kexec.exec answers only when it fails) raises.
        """
        for i, ev in enumerate(self.events):
            if ev.get("ev") == name and match(ev):
                return self.events.pop(i)
        deadline = time.monotonic() + timeout
        while True:
            obj = self._take(deadline, f"event {name}")
            if "ev" in obj:
                if obj["ev"] == name and match(obj):
                    return obj
                self.events.append(obj)
            elif reply_to is not None and obj.get("re") == reply_to and not obj.get("ok"):
                raise AgentError("kexec.exec", obj)

    def take_events(self, name):
        """Removes and returns the kept events of a name."""
        out = [e for e in self.events if e.get("ev") == name]
        self.events = [e for e in self.events if e.get("ev") != name]
        return out
