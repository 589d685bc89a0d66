#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""holdfast save, cancel, kexec, resume, as processes, on a kernel made of files.

The VMM is fake_vm, which writes down what the VM looks like before holdfast is
executed, and compares when it is executed again: descriptors and their numbers,
memory, iommufd objects and their IDs, mappings, interrupts, environment. Its
exit status is 0 only if nothing has changed. See fake.h for what the kernel is.
"""
import json
import os
import pathlib
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

BUILD = pathlib.Path(os.environ.get("HF_BUILD", "."))
HOLDFAST = str(BUILD / "tests/cli/holdfast-fake")
PLAIN = str(BUILD / "cli/holdfast")
VMM = str(BUILD / "tests/cli/fake_vm")
NOBODY = 60  # seconds after which a test that hangs is a failure
DUMP = pathlib.Path(__file__).resolve().parent.parent / "persona/dumps/igb.dump"


def is_gone(pid):
    """Nobody may be there to reap it."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


class Base(unittest.TestCase):
    def setUp(self):
        tmp = tempfile.TemporaryDirectory()
        self.addCleanup(tmp.cleanup)
        self.dir = pathlib.Path(tmp.name)
        (self.dir / "kernel").mkdir()
        self.state = self.dir / "vm.state"
        self.state.write_text("state of the VM\n")
        self.env = dict(os.environ, HOLDFAST_RUN_DIR=str(self.dir / "run"), HOLDFAST=HOLDFAST, VM_MARK="one\ttwo\x01",
                        FAKE_KERNEL=str(self.dir / "kernel"), ASAN_OPTIONS="detect_leaks=0")
        self.addCleanup(self.end_keepers)

    def end_keepers(self):
        for name in self.dir.glob("run/*.json"):
            r = json.loads(name.read_text())
            if r["state"] == "held":
                try:
                    os.kill(r["pid"], signal.SIGTERM)
                except ProcessLookupError:
                    pass

    def popen(self, *args, **kw):
        env = dict(self.env, **kw.pop("env", {}))
        p = subprocess.Popen([str(a) for a in args], env=env, cwd=self.dir, text=True, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kw)
        self.addCleanup(p.stdout.close)
        self.addCleanup(p.stderr.close)
        self.addCleanup(p.wait)
        self.addCleanup(p.kill)
        return p

    def run_(self, *args, **kw):
        """All it says, once nobody has its stdout any more. Return: code, out, err."""
        p = self.popen(*args, **kw)
        out, err = p.communicate(timeout=NOBODY)
        return p.returncode, out, err

    def record(self, name="vm0"):
        return json.loads((self.dir / f"run/{name}.json").read_text())

    def vmm(self, mode="go", where=None, state_in=None):
        state = self.state
        if state_in:
            state = state_in / "vm.state"
            state.write_text(self.state.read_text())
        return [VMM, "run", where or self.dir, mode, "-incoming", f"file:{state}"]

    def save_start(self, name="vm0", *options, maps=0, mode="go", where=None, domain=None, fail=None, **kw):
        """A VM that is being saved. @where: on a host of its own; with @domain, on this one, with other devices."""
        holdfast = ["env", f"FAKE_FAIL_NTH={fail}", HOLDFAST] if fail else [HOLDFAST]
        if domain:
            where.mkdir()
            kw["env"] = {"FAKE_DOMAIN": domain}
        elif where:
            (where / "kernel").mkdir(parents=True)
            kw["env"] = {"FAKE_KERNEL": str(where / "kernel")}
        return self.popen(VMM, "start", where or self.dir, "--maps", maps, "--", *holdfast, "vm", "save", name,
                          "--json", *options, "--", *self.vmm(mode, where, domain and where), umask=0o27, **kw)

    def first_word(self, p):
        self.assertTrue(select.select([p.stdout], [], [], NOBODY)[0], "it says nothing")
        said = p.stdout.readline()
        if not said:
            self.fail(p.stderr.read())
        return json.loads(said)

    def save(self, *args, **kw):
        """The same, and the first thing that holdfast says about it."""
        p = self.save_start(*args, **kw)
        return p, self.first_word(p)

    def kexec(self, *procs):
        """The old kernel and all that ran in it are gone. The fake one keeps its sessions."""
        for p in procs:
            p.kill()
            p.wait()
        for f in self.dir.glob("run/*"):
            f.unlink()
        with open(self.dir / "kernel/generation", "a") as f:
            f.write("1")
        self.state.unlink(missing_ok=True)

    def unpreserve(self):
        """The real kernel does it when a session is closed; the fake one does not see that."""
        for f in self.dir.glob("kernel/session-*"):
            shutil.rmtree(f) if f.is_dir() else f.unlink()

    def fresh(self):
        self.unpreserve()
        for f in [*self.dir.glob("run/*"), *self.dir.glob("kernel/*"), self.dir / "done"]:
            f.unlink(missing_ok=True)
        self.state.write_text("state of the VM\n")

    def saved(self, **kw):
        p, said = self.save(**kw)
        self.assertEqual(said["state"], "ready", said)
        self.kexec(p)

    def resume(self, *args, name="vm0", **kw):
        code, out, err = self.run_(HOLDFAST, "vm", "resume", name, "--json", *args, **kw)
        said = [json.loads(line) for line in out.splitlines()]
        return code, said[-1] if said else None, err

    def assert_running(self, code, said, err):
        self.assertEqual((code, said and said["state"]), (0, "running"), err)
        self.assertEqual(said["pid"], int((self.dir / "done").read_text()))
        self.assertTrue((self.dir / "kernel/session-holdfast-vm-vm0.finished").exists())
        self.assertFalse(self.state.exists(), "the state file is still there")
        self.assertEqual(self.record()["state"], "running")

    def assert_held(self, code, said, why, err):
        self.assertEqual(said and said["state"], "held", err)
        self.assertNotEqual(code, 0)
        self.assertIn(why, said["reason"])
        self.assertIn("holds the VM", err)
        self.assertFalse((self.dir / "kernel/session-holdfast-vm-vm0.finished").exists())
        self.assertFalse(is_gone(said["pid"]), "the keeper is not there")


    def assert_went_on(self, p, where=None):
        out, err = p.communicate(timeout=NOBODY)
        self.assertEqual(p.returncode, 0, err)
        self.assertEqual(int(((where or self.dir) / "done").read_text()), p.pid)
        return err


def config_space():
    """The bytes of a dump."""
    rows = []
    for line in DUMP.read_text().splitlines():
        offset, colon, row = line.partition(": ")
        if colon and offset == f"{16 * len(rows):02x}":
            rows.append(row)
    return bytes.fromhex("".join(rows))


def may_take():
    """Without root, Yama may keep processes of one user from each other's descriptors."""
    try:
        return os.geteuid() == 0 or pathlib.Path("/proc/sys/kernel/yama/ptrace_scope").read_text().strip() == "0"
    except FileNotFoundError:
        return True


def main():
    """All of test_*.py, and how many of them passed."""
    suite = unittest.defaultTestLoader.discover(os.path.dirname(os.path.abspath(__file__)))
    result = unittest.TextTestRunner(verbosity=0, stream=sys.stdout).run(suite)
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
