# SPDX-License-Identifier: GPL-2.0
"""The program as it is installed."""
import json
import os
import subprocess

from e2e import DUMP, NOBODY, PLAIN, Base


class Plain(Base):
    """The program as it is installed, on a kernel without live update."""

    def plain(self, *args, fds=(), program=(PLAIN,), **kw):
        self.env.pop("FAKE_KERNEL", None)
        return self.run_(*program, *args, pass_fds=fds, **kw)

    def test_no_liveupdate(self):
        if os.path.exists("/dev/liveupdate"):
            self.skipTest("this kernel has live update")
        mem = os.memfd_create("ram", 0)
        code, out, err = self.plain("vm", "save", "vm0", "--", "sh", "-c", f"readlink /proc/$$/fd/{mem}",
                                    "-incoming", f"file:{self.state}", fds=(mem,))
        self.assertEqual((code, out), (0, "/memfd:ram (deleted)\n"))
        self.assertIn("/dev/liveupdate", err)
        self.assertEqual(self.record()["state"], "refused")
        os.close(mem)

    def wrong(self, *args, why, record=True, fds=()):
        code, out, err = self.plain("vm", "save", *args, fds=fds)
        self.assertEqual((code, out), (0, "execed\n"), err)
        self.assertIn(why, err)
        self.assertEqual((self.dir / "run/vm0.json").exists(), record)

    def test_wrong_usage_executes_command(self):
        execed = ["--", "echo", "execed"]
        self.wrong("bad name", *execed, why="NAME has to be", record=False)
        self.wrong("x" * 49, *execed, why="NAME has to be", record=False)
        self.wrong("..", *execed, why="NAME has to be", record=False)
        self.wrong(*execed, why="NAME is missing", record=False)
        self.wrong("vm0", "more", *execed, why="one NAME", record=False)
        self.wrong("vm0", "--bogus", *execed, why="wrong option", record=False)
        self.wrong("vm0", "--drop-fd", "2", *execed, why="--drop-fd", record=False)
        self.wrong("vm0", "--help", *execed, why="--help", record=False)

    def test_wrong_incoming_executes_command(self):
        for args, why in ((["-incoming", "tcp:0:1"], "only file:PATH"),
                          (["-incoming", "defer"], "only file:PATH"),
                          (["-incoming", "file:/x,offset=4096"], "offset is not supported"),
                          ([], "no -incoming"), (["-incoming"], "says nothing"),
                          (["-incoming", "file:/a", "-incoming", "file:/b"], "twice")):
            code, out, err = self.plain("vm", "save", "vm0", "--", "sh", "-c", "echo execed", *args)
            self.assertEqual((code, out), (0, "execed\n"), err)
            self.assertIn(why, err)
            self.assertEqual(self.record()["state"], "refused")

    def test_no_descriptor_is_to_blame(self):
        """On a kernel that cannot do it at all."""
        if os.path.exists("/dev/liveupdate"):
            self.skipTest("this kernel has live update")
        r, w = os.pipe()
        self.wrong("vm0", "--", "sh", "-c", "echo execed", "-incoming", f"file:{self.state}", why="/dev/liveupdate",
                   fds=(r,))
        os.close(r)
        os.close(w)

    def test_too_early(self):
        """The keeper of the last update still has to finish, and to write its record."""
        record = '{"state": "%s", "reason": "", "pid": \'$$\', "start": 0, "devices": [], "times_ms": {}}'
        (self.dir / "run").mkdir()
        for state, want in (("resuming", "not finished yet"), ("running", "no -incoming")):
            code, out, err = self.plain("sh", "-c", f"echo '{record % state}' > run/vm0.json; exec \"$@\"", "sh",
                                        PLAIN, "vm", "save", "vm0", "--", "echo", "execed", program=())
            self.assertEqual((code, out), (0, "execed\n"), err)
            self.assertIn(want, err)

    def test_nothing_to_execute(self):
        code, out, err = self.plain("vm", "save", "vm0")
        self.assertEqual(code, 2)
        code, out, err = self.plain("vm", "save", "vm0", "--", "/nowhere/qemu")
        self.assertEqual(code, 1)
        self.assertIn("the VM is lost", err)
        self.assertEqual(self.record()["state"], "failed")

    def test_signals_do_not_reach_command(self):
        """A mask of our own would stay with the VMM."""
        code, out, err = self.plain("vm", "save", "vm0", "--", "grep", "-E", "^Sig(Blk|Ign|Pnd)",
                                    "/proc/self/status")
        ref = self.run_("grep", "-E", "^Sig(Blk|Ign|Pnd)", "/proc/self/status")
        self.assertEqual(out, ref[1])

    def test_stderr_is_gone(self):
        """Whoever read our messages is no reason to lose a VM."""
        r, w = os.pipe()
        os.close(r)
        p = subprocess.run([PLAIN, "vm", "save", "vm0", "--", "echo", "execed"], env=self.env, stderr=w,
                           stdout=subprocess.PIPE, text=True, timeout=NOBODY)
        os.close(w)
        self.assertEqual((p.returncode, p.stdout), (0, "execed\n"))

    def test_usage(self):
        for args, want in (([], 2), (["--version"], 0), (["--help"], 0), (["bogus"], 2), (["vm"], 2),
                           (["vm", "bogus"], 2), (["vm", "--help"], 0), (["vm", "save", "--help"], 0),
                           (["vm", "resume"], 2), (["vm", "resume", "a", "b"], 2), (["vm", "resume", "--help"], 0),
                           (["vm", "cancel"], 2), (["vm", "cancel", "--help"], 0), (["vm", "kexec"], 2),
                           (["vm", "kexec", "a", "--timeout", "x"], 2), (["vm", "kexec", "/"], 2),
                           (["vm", "kexec", "--help"], 0), (["vm", "list", "x"], 2), (["vm", "list", "--help"], 0),
                           (["vm", "list"], 0), (["check"], 1), (["check", "--help"], 0), (["check", "a/b"], 2),
                           (["check", "--bogus"], 2)):
            code, out, err = self.plain(*args)
            self.assertEqual(code, want, (args, err))
            if want == 2:
                self.assertTrue(err)

    def test_persona(self):
        """What main() has done to getopt is not left over; tests/persona has the rest."""
        maps, dumps = DUMP.parent.parent.parent.parent / "persona/maps", DUMP.parent
        fw = [dumps / "nic-fw-a.dump", dumps / "nic-fw-b.dump"]
        for args, want in ((["diff", *fw], 3), (["diff", *fw, "--map", maps / "nic-fw.persona"], 0),
                           (["diff", "--map", maps / "nic-fw.persona", *fw], 0),
                           (["check", "--instance", "small", maps / "nic-pf.persona", DUMP], 0),
                           (["check", "--instance", "none", maps / "nic-pf.persona", DUMP], 1),
                           (["show", DUMP, "--json"], 0), (["--help"], 0), ([], 2), (["show", "--bogus"], 2)):
            code, out, err = self.plain("persona", *args)
            self.assertEqual(code, want, (args, out, err))
            if "--json" in args:
                json.loads(out)

    def test_list(self):
        code, out, err = self.plain("vm", "list", "--json")
        self.assertEqual((code, json.loads(out)), (0, []))
        self.plain("vm", "save", "vm0", "--", "true")
        code, out, err = self.plain("vm", "list", "--json")
        self.assertEqual([(v["name"], v["state"], v["stale"]) for v in json.loads(out)], [("vm0", "refused", True)])
        (self.dir / "run/bad.json").write_text('{"state": 1}')
        code, out, err = self.plain("vm", "list", "--json")
        self.assertEqual(len(json.loads(out)), 1)
        self.assertIn("bad.json: state: not a string", err)

    def test_list_is_harmless(self):
        (self.dir / "run").mkdir()
        (self.dir / "run/vm0.json").write_text(json.dumps({
            "state": "failed", "reason": "a\x1b[2Jb\x7f\n", "pid": 1, "start": 0, "devices": ["\x1b]0;x\x07"],
            "times_ms": {}}))
        code, out, err = self.plain("vm", "list")
        self.assertIn("a?[2Jb??", out)
        self.assertNotRegex(out, "[\x00-\x09\x0b-\x1f\x7f]")
        self.assertEqual(out.count("\n"), 2)

    def test_run_folder_of_another(self):
        """Who can write there decides whom we send signals to."""
        run = self.dir / "run"
        for mode, owner in ((0o777, 0), (0o770, 0), (0o755, 65534)):
            if os.geteuid() and owner:
                continue
            run.mkdir()
            run.chmod(mode)
            if owner:
                os.chown(run, owner, -1)
            code, out, err = self.plain("vm", "save", "vm0", "--", "echo", "execed")
            self.assertEqual((code, out), (0, "execed\n"), err)
            self.assertRegex(err, "can be written to by others|it has to be root's")
            self.assertEqual(list(run.iterdir()), [])
            run.rmdir()

    def test_kexec_without_kernel(self):
        """What it waits for is in test_race, on a kernel that has kexec."""
        code, out, err = self.plain("vm", "kexec", "vm0", "--timeout", "0", "--json")
        self.assertEqual((code, json.loads(out)["result"]), (3, "refused"))
        self.assertRegex(err, "no kernel is loaded|has no kexec")
