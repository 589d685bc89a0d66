import json
import os
import socket
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from lab.host import agent as ctl       # noqa: E402


class Lines(unittest.TestCase):
    def test_lines_split_over_reads(self):
        p = ctl.LineParser()
        self.assertEqual(p.feed(b'{"ev":"bo'), [])
        self.assertEqual(p.feed(b'ot","generation":1}\n{"re":1'), [{"ev": "boot", "generation": 1}])
        self.assertEqual(p.feed(b',"ok":true}\n'), [{"re": 1, "ok": True}])
        self.assertEqual(p.bad, 0)

    def test_line_cut_by_a_kexec_is_dropped_and_the_rest_kept(self):
        p = ctl.LineParser()
        self.assertEqual(p.feed(b'{"ev":"klog","text":"ha{"ev":"boot","generation":1}\n'), [{"ev": "boot", "generation": 1}])
        self.assertEqual(p.feed(b"\xff\xfe\n{\"re\":2,\"ok\":true}\n"), [{"re": 2, "ok": True}])
        self.assertEqual(p.bad, 1)

    def test_not_an_object(self):
        p = ctl.LineParser()
        self.assertEqual(p.feed(b"[1,2]\n7\n\n"), [])
        self.assertEqual(p.bad, 2)

    def test_endless_line_does_not_grow(self):
        p = ctl.LineParser()
        p.feed(b"x" * 100000)
        self.assertEqual(p.buf, b"")


class FakeAgent(threading.Thread):
    """Answers each command by `answer(msg)`: a list of objects."""

    def __init__(self, path, answer):
        super().__init__(daemon=True)
        self.answer = answer
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(path)
        self.server.listen(1)
        self.start()

    def run(self):
        conn, _ = self.server.accept()
        with conn, conn.makefile("r") as lines:
            for line in lines:
                for obj in self.answer(json.loads(line)):
                    conn.sendall(json.dumps(obj).encode() + b"\n")
        self.server.close()


class Calls(unittest.TestCase):
    def control(self, answer, alive=lambda: True):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, "ctl")
        agent = FakeAgent(path, answer)
        c = ctl.Control(path, alive=alive)
        self.addCleanup(agent.join, 2)
        self.addCleanup(c.close)
        return c

    def test_events_before_the_reply_are_kept(self):
        c = self.control(lambda m: [{"ev": "mem", "off": 0}, {"re": m["id"] - 5, "ok": True},
                                    {"re": m["id"], "ok": True, "descs": 8}])
        self.assertEqual(c.call("dev.mem", slot=0)["descs"], 8)
        self.assertEqual([e["off"] for e in c.take_events("mem")], [0])
        self.assertEqual(c.take_events("mem"), [])

    def test_refusal_carries_errno_and_text(self):
        c = self.control(lambda m: [{"re": m["id"], "ok": False, "errno": 16, "error": "PRESERVE_FD: busy"}])
        with self.assertRaises(ctl.AgentError) as e:
            c.call("luo.preserve", slot=0)
        self.assertEqual(e.exception.errno, 16)
        self.assertIn("PRESERVE_FD", str(e.exception))

    def test_a_dead_guest_is_noticed(self):
        c = self.control(lambda m: [], alive=lambda: False)
        with self.assertRaises(ctl.AgentTimeout):
            c.call("dev.stat", timeout=5)

    def test_no_answer_in_time(self):
        c = self.control(lambda m: [])
        with self.assertRaises(ctl.AgentTimeout):
            c.call("dev.stat", timeout=0.2)

    def test_kexec_that_fails_answers_while_the_boot_event_is_awaited(self):
        c = self.control(lambda m: [{"re": m["id"], "ok": False, "errno": 5, "error": "freeze"}])
        ident = c.send("kexec.exec")
        with self.assertRaises(ctl.AgentError):
            c.wait_event("boot", 5, reply_to=ident)

    def test_only_the_boot_event_of_the_right_generation(self):
        c = self.control(lambda m: [{"ev": "boot", "generation": 0}, {"ev": "boot", "generation": 1}])
        c.send("kexec.exec")
        self.assertEqual(c.wait_event("boot", 5, lambda e: e["generation"] == 1)["generation"], 1)


if __name__ == "__main__":
    unittest.main()
