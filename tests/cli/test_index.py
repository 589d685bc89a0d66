# SPDX-License-Identifier: GPL-2.0
"""After a kexec, which VMs wait? The jump here ends every process and /run, as a real one does."""
import json
import signal

from e2e import HOLDFAST, NOBODY, Base


class Index(Base):
    def setUp(self):
        super().setUp()
        (self.dir / "kernel/kexec-loaded").write_text("1\n")
        (self.dir / "kernel/kmsg").write_text("")

    def vm(self, name, domain):
        p, said = self.save(name, where=self.dir / name, domain=domain)
        self.assertEqual(said["state"], "ready", said)
        return p

    def jump(self, *names):
        code, out, err = self.run_(HOLDFAST, "vm", "kexec", *names, env={"FAKE_KEXEC": "1"})
        self.assertTrue((self.dir / "kernel/jumped").exists(), err)
        self.assertEqual(list(self.dir.glob("run/*")), [])

    def cross(self, *names):
        """They are saved, and the kernel is another one."""
        procs = [self.vm(name, f"000{i}") for i, name in enumerate(names)]
        self.jump(*names)
        for p in procs:
            p.wait(timeout=NOBODY)

    def list(self):
        code, out, err = self.run_(HOLDFAST, "vm", "list", "--json")
        self.assertEqual(code, 0, err)
        return {v["name"]: v for v in json.loads(out)}, err

    def states(self):
        return {name: v["state"] for name, v in self.list()[0].items()}

    def test_list(self):
        self.cross("a", "b", ".web")
        for _ in range(2):
            all_, err = self.list()
            self.assertEqual({n: (v["state"], v["stale"]) for n, v in all_.items()},
                             {n: ("waiting", False) for n in ("a", "b", ".web")}, err)
        self.assertEqual(len(all_["a"]["devices"]), 3)
        code, out, err = self.run_(HOLDFAST, "vm", "list")
        self.assertEqual(out.count("waiting"), 3)

    def test_resume_all(self):
        self.cross("a", "b")
        code, out, err = self.run_(HOLDFAST, "vm", "resume", "--all", "--json")
        self.assertEqual(code, 0, err)
        said = {v["name"]: v["state"] for v in map(json.loads, out.splitlines())}
        self.assertEqual(said, {"a": "running", "b": "running"})
        for name in "ab":
            self.assertTrue((self.dir / name / "done").exists())
        self.assertEqual(self.states(), {"a": "running", "b": "running"})

    def test_resume_all_but_one(self):
        """One cannot be had back: it is held, the others run."""
        self.cross("a", "b")
        self.damage("a")
        code, out, err = self.run_(HOLDFAST, "vm", "resume", "--all", "--json")
        self.assertEqual(code, 1, err)
        self.assertEqual(self.states(), {"a": "held", "b": "running"})

    def damage(self, name):
        path = self.dir / f"kernel/session-holdfast-vm-{name}.d/4294967297.mem"
        path.write_text(path.read_text().replace('"version":1', '"version":99'))

    def test_nothing_waits(self):
        code, out, err = self.run_(HOLDFAST, "vm", "resume", "--all")
        self.assertEqual(code, 0)
        self.assertIn("no VM that came from the last kernel waits", err)

    def test_one_by_name(self):
        """Before anybody has asked, and after."""
        self.cross("a", "b")
        code, said, err = self.resume(name="a")
        self.assertEqual((code, said["state"]), (0, "running"), err)
        self.assertEqual(self.states(), {"a": "running", "b": "waiting"})
        code, said, err = self.resume(name="b")
        self.assertEqual((code, said["state"]), (0, "running"), err)
        self.assertEqual(self.states(), {"a": "running", "b": "running"})

    def test_damaged_index(self):
        """Whatever is in it, no VM is lost by that."""
        for text in (b"", b"{", b"[]", b"{}", b'{"name": "../x", "devices": []}', b'{"name": "c"}', b"\xff" * 70000,
                     b'{"name": 1, "devices": []}', None):
            with self.subTest(text and text[:32]):
                self.cross("a", "b")
                entry = self.dir / "kernel/session-holdfast-index-0.d/0.mem"
                if text is None:
                    entry.unlink()
                else:
                    entry.write_bytes(text)
                all_, err = self.list()
                self.assertEqual(list(all_), ["b"])
                self.assertIn("entry 0 of the index", err)
                for name in "ab":
                    code, said, err = self.resume(name=name)
                    self.assertEqual((code, said["state"]), (0, "running"), err)
                self.again()

    def again(self):
        for f in [*self.dir.glob("run/*"), *(self.dir / "kernel").glob("iommu-*"), self.dir / "kernel/jumped"]:
            f.unlink()
        self.unpreserve()
        for name in "ab":
            for f in (self.dir / name).glob("*"):
                f.unlink()
            (self.dir / name).rmdir()

    def test_full_index(self):
        """No reason not to save a VM."""
        for i in range(256):
            (self.dir / f"kernel/session-holdfast-index-{i}").write_text("0\n")
        p = self.vm("a", "0000")
        self.jump("a")
        self.assertIn("there are 256 VMs in the index", p.communicate(timeout=NOBODY)[1])
        code, said, err = self.resume(name="a")
        self.assertEqual((code, said["state"]), (0, "running"), err)

    def test_lies(self):
        """A VM that is not there is told once."""
        self.cross("a")
        (self.dir / "kernel/session-holdfast-index-0.d/0.mem").write_text('{"name": "ghost", "devices": []}')
        self.assertEqual(self.states(), {"ghost": "waiting"})
        code, said, err = self.resume(name="ghost")
        self.assertEqual((code, said["result"]), (1, "failed"))
        self.assertEqual(self.states(), {})
        code, said, err = self.resume(name="a")
        self.assertEqual((code, said["state"]), (0, "running"), err)

    def test_called_off(self):
        """Its entry goes with it, and the next one's is found all the same."""
        a, b = self.vm("a", "0000"), self.vm("b", "0001")
        a.send_signal(signal.SIGTERM)
        self.assert_went_on(a, self.dir / "a")
        self.unpreserve_one("holdfast-index-0")
        self.jump("b")
        self.assertEqual(self.states(), {"b": "waiting"})

    def unpreserve_one(self, session):
        (self.dir / f"kernel/session-{session}").unlink()

    def test_not_another_jump(self):
        self.cross("a")
        p = self.vm("c", "000c")
        code, out, err = self.run_(HOLDFAST, "vm", "kexec", "c", "--json")
        self.assertEqual(code, 3, err)
        self.assertIn("VM a came from the last kernel and waits", json.loads(out)["reason"])
        self.assert_went_on(p, self.dir / "c")

    def test_name_is_taken(self):
        self.cross("a")
        self.list()
        p, said = self.save("a", where=self.dir / "other", domain="000c")
        self.assertEqual(said["state"], "refused")
        self.assertIn("waits to be resumed", said["reason"])
        self.assert_went_on(p, self.dir / "other")
        self.assertEqual(self.states(), {"a": "waiting"})

    def test_cancel(self):
        self.cross("a")
        self.list()
        code, out, err = self.run_(HOLDFAST, "vm", "cancel", "a", "--json")
        self.assertEqual((code, json.loads(out)["result"]), (3, "refused"), err)
