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

    def vmm(self, mode="go", where=None):
        return [VMM, "run", where or self.dir, mode, "-incoming", f"file:{self.state}"]

    def save_start(self, name="vm0", *options, maps=0, mode="go", where=None, fail=None, **kw):
        """A VM that is being saved."""
        holdfast = ["env", f"FAKE_FAIL_NTH={fail}", HOLDFAST] if fail else [HOLDFAST]
        if where:
            (where / "kernel").mkdir(parents=True)
            kw["env"] = {"FAKE_KERNEL": str(where / "kernel")}
        return self.popen(VMM, "start", where or self.dir, "--maps", maps, "--", *holdfast, "vm", "save", name,
                          "--json", *options, "--", *self.vmm(mode, where), umask=0o27, **kw)

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
        self.state.unlink(missing_ok=True)

    def unpreserve(self):
        """The real kernel does it when a session is closed; the fake one does not see that."""
        for f in self.dir.glob("kernel/session-*"):
            shutil.rmtree(f) if f.is_dir() else f.unlink()

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


class Across(Base):
    def test_there_and_on(self):
        self.saved()
        code, said, err = self.resume(env={"VM_MARK": "of the new kernel"})
        self.assert_running(code, said, err)
        for part in ("classify", "preserve", "query", "retrieve_session", "retrieve", "bind", "map", "attach",
                     "rebuild", "irqs", "exec_to_running", "pause"):
            self.assertIn(part, said["times_ms"])

    def test_thousands_of_mappings(self):
        self.saved(maps=3000)
        self.assert_running(*self.resume())

    def test_paused(self):
        """A VM that was paused takes over without an event."""
        self.saved(mode="paused")
        self.assert_running(*self.resume())

    def test_twice(self):
        """Its devices came from a session, its command line has our monitor in it."""
        self.saved(mode="again")
        p = self.popen(HOLDFAST, "vm", "resume", "vm0", "--json")
        # The keeper of the first update, and the second save, in this order: QEMU has no reason to begin
        # before the keeper has gone.
        first, second = [json.loads(p.stdout.readline()) for _ in range(2)]
        self.assertEqual([first["state"], second["state"]], ["running", "ready"], second)
        self.assertEqual(second["pid"], p.pid)
        self.kexec(p)
        m = json.loads((self.dir / "kernel/session-holdfast-vm-vm0.d/4294967297.mem").read_text())
        self.assertNotIn("-chardev", m["argv"])
        self.assert_running(*self.resume())

    def test_descriptors_of_the_starter(self):
        """What resume was started with is not for the VM, even at its numbers."""
        self.saved()
        with open("/dev/null") as null:
            for fd in (3, 5, 300):
                os.dup2(null.fileno(), fd, inheritable=True) if fd != null.fileno() else None
            self.assert_running(*self.resume(pass_fds=(3, 5, 300)))

    def test_low_limit(self):
        self.saved()
        p = self.run_("sh", "-c", 'ulimit -S -n 64; exec "$@"', "sh", HOLDFAST, "vm", "resume", "vm0", "--json")
        self.assert_running(p[0], json.loads(p[1].splitlines()[-1]), p[2])

    def test_twin_changed_memory(self):
        """The comparison does notice."""
        self.saved()
        with open(self.dir / "kernel/session-holdfast-vm-vm0.d/3.mem", "r+") as f:
            f.write("x")
        code, said, err = self.resume()
        self.assert_held(code, said, "ended before", err)
        self.assertIn("it is not what it was", err)

    def test_twin_missing_mapping(self):
        self.saved()
        path = self.dir / "kernel/session-holdfast-vm-vm0.d/4294967297.mem"
        m = json.loads(path.read_text())
        m["spaces"][0]["maps"].pop()
        path.write_text(json.dumps(m))
        code, said, err = self.resume()
        self.assert_held(code, said, "ended before", err)


DUMP = pathlib.Path(__file__).resolve().parent.parent / "persona/dumps/igb.dump"
CONFIG_AT = 0x100000  # FAKE_CONFIG_AT
MAP = """persona-map 1
persona "nic" version 1
bar 0 keep
cap pm at 0x40 from device
cap exp at 0xa0 from device
"""


def config_space():
    """The bytes of a dump."""
    rows = []
    for line in DUMP.read_text().splitlines():
        offset, colon, row = line.partition(": ")
        if colon and offset == f"{16 * len(rows):02x}":
            rows.append(row)
    return bytes.fromhex("".join(rows))


class Config(Base):
    """Config space of the devices, before and after, and what `check` makes of it."""

    def setUp(self):
        super().setUp()
        self.config = self.dir / "config"
        self.config.write_bytes(config_space())
        self.env["FAKE_CONFIG"] = str(self.config)
        self.map = self.dir / "nic.persona"
        self.map.write_text(MAP)

    def after(self, changes=(), device="01", size=None):
        """In the new kernel, the device shows something else."""
        with open(self.dir / f"kernel/vfio-0000:{device}:00.0", "r+b") as f:
            for at, value in dict(changes).items():
                f.seek(CONFIG_AT + at)
                f.write(value)
            if size is not None:
                f.truncate(CONFIG_AT + size)

    def update(self, *options, **kw):
        p, said = self.save("vm0", *options)
        self.assertEqual(said["state"], "ready", said)
        self.kexec(p)
        self.after(**kw)
        code, said, err = self.resume()
        self.assert_running(code, said, err)
        return err

    def check(self, *names):
        code, out, err = self.run_(HOLDFAST, "check", *names)
        code_json, out_json, _ = self.run_(HOLDFAST, "check", "--json", *names)
        self.assertEqual(code, code_json)
        return code, out, err, json.loads(out_json)

    # One extended capability more, at the end of the list.
    new_cap = {0x162: b"\x01\x30", 0x300: b"\x03\x00\x01\x00"}

    def test_nothing_changes(self):
        err = self.update()
        self.assertNotIn("holdfast check", err)
        code, out, err, all_ = self.check("vm0")
        self.assertEqual((code, out), (0, "vm0: the guest could see no change\n"), err)
        self.assertEqual(all_, [{"vm": "vm0", "changes": [], "failed": []}])

    def test_twin_something_does(self):
        err = self.update(changes={0xa4: b"\x21"})
        self.assertIn("vm0: the guest could see its devices change: holdfast check vm0", err)
        code, out, err, all_ = self.check()
        self.assertEqual(code, 3, err)
        self.assertIn("exp.devcap (0x0a4): from 0x10008020 to 0x10008021\n", out)
        self.assertEqual([(c["register"], c["before"], c["after"], c["bits"], c["noticed"])
                          for c in all_[0]["changes"]], [("exp.devcap", 0x10008020, 0x10008021, 1, True)])

    def test_new_capability(self):
        self.update(changes=self.new_cap)
        code, out, err, _ = self.check("vm0")
        self.assertEqual(code, 3, err)
        self.assertIn("0x300", out)

    def test_persona_keeps_it_from_the_guest(self):
        self.assertNotIn("holdfast check", self.update("--persona", self.map, changes=self.new_cap))
        code, out, err, _ = self.check("vm0")
        self.assertEqual((code, out), (0, "vm0: the guest could see no change\n"), err)

    def test_persona_of_one_device(self):
        """The other two are without."""
        self.map.write_text(MAP)
        p, said = self.save("vm0", "--persona", f"0000:09:00.0={self.map}")
        self.assertEqual(said["state"], "refused")
        self.assertIn("0000:09:00.0", said["reason"])
        self.assert_went_on(p)

    def test_state_does_not_count(self):
        self.update(changes={0xaa: b"\x01"})
        code, out, err, all_ = self.check("vm0")
        self.assertEqual(code, 0, out)
        self.assertIn("(state, which changes by itself)", out)
        self.assertEqual([c["noticed"] for c in all_[0]["changes"]], [False])

    def test_cannot_be_its_persona_any_more(self):
        """PCI Express is out of the list: more than a register that differs."""
        err = self.update("--persona", self.map, changes={0x71: b"\0"})
        self.assertIn("holdfast check vm0", err)
        code, out, err, all_ = self.check("vm0")
        self.assertEqual(code, 3, err)
        self.assertIn("exp", out)
        self.assertEqual([f["noticed"] for f in all_[0]["failed"]], [True])

    def test_not_compared_is_not_unchanged(self):
        """Nor does one device keep another from being compared."""
        p, said = self.save()
        self.kexec(p)
        self.after(size=0)
        self.after(device="02", changes=self.new_cap)
        code, said, err = self.resume()
        self.assert_running(code, said, err)
        self.assertIn("vm0: config space of 1 devices was not compared", err)
        code, out, err, all_ = self.check("vm0")
        self.assertEqual(code, 3)
        self.assertIn("not compared: the device on fd ", out)
        self.assertIn("0x300", out)
        self.assertEqual([f["noticed"] for f in all_[0]["failed"]], [False])

    def test_none_compared(self):
        del self.env["FAKE_CONFIG"]
        self.update()
        code, out, err, all_ = self.check("vm0")
        self.assertEqual(code, 1)
        self.assertEqual(out.count("not read before the update"), 3)
        self.assertEqual(len(all_[0]["failed"]), 3)

    def test_persona_is_refused(self):
        for text, why in ((MAP + "cap vpd at 0x60 from device\n", "the device has no vpd capability"),
                          (MAP + "cap bogus\n", "bogus")):
            self.map.write_text(text)
            p, said = self.save("vm0", "--persona", self.map)
            self.assertEqual(said["state"], "refused")
            self.assertIn(why, said["reason"])
            self.assert_went_on(p)
            self.unpreserve()

    def test_all_vms(self):
        code, out, err, all_ = self.check()
        self.assertEqual((code, out, all_), (0, "", []))
        self.assertIn("no VM of this host has come through an update", err)
        self.update()
        record = self.record()
        (self.dir / "run/never.json").write_text(json.dumps({k: v for k, v in record.items() if k != "compared"}))
        code, out, err, all_ = self.check()
        self.assertEqual((code, [v["vm"] for v in all_]), (0, ["vm0"]), err)
        code, out, err, all_ = self.check("vm0", "never", "nobody")
        self.assertEqual((code, [v["vm"] for v in all_]), (1, ["vm0"]))
        self.assertIn("never: its devices were not compared: it is running", err)
        self.assertIn("no VM named nobody", err)

    def test_damaged_record(self):
        self.update()
        record = self.record()
        for compared in ([], {}, {"changes": 1, "failed": []}, {"changes": []}):
            (self.dir / "run/vm0.json").write_text(json.dumps(dict(record, compared=compared)))
            code, out, err, _ = self.check("vm0")
            self.assertEqual(code, 1, compared)
            self.assertIn("compared", err)
        for odd in (1, None, [], {}):
            (self.dir / "run/vm0.json").write_text(json.dumps(dict(record, compared={"changes": [odd],
                                                                                    "failed": [odd]})))
            self.assertEqual(self.check("vm0")[0], 1, odd)


class Here(Base):
    """The VM goes on in this kernel."""

    def test_signal(self):
        for sig in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            p, said = self.save(f"vm{int(sig)}")
            self.assertEqual(said["state"], "ready")
            p.send_signal(sig)
            self.assert_went_on(p)
            r = self.record(f"vm{int(sig)}")
            self.assertEqual((r["state"], r["pid"]), ("running", p.pid))
            self.assertIn("cancelled", r["reason"])

    def test_cancel(self):
        p, _ = self.save()
        code, out, err = self.run_(HOLDFAST, "vm", "cancel", "vm0", "--json")
        self.assertEqual((code, json.loads(out)["state"]), (0, "running"), err)
        self.assert_went_on(p)
        code, out, err = self.run_(HOLDFAST, "vm", "cancel", "vm0")
        self.assertEqual(code, 3)
        self.assertIn("nothing to cancel", err)

    def test_cancel_killed(self):
        p, _ = self.save()
        p.kill()
        p.wait()
        code, out, err = self.run_(HOLDFAST, "vm", "cancel", "vm0")
        self.assertEqual(code, 1)
        self.assertIn("is gone", err)

    def test_no_kexec(self):
        """This machine has no kernel loaded: the VMs that wait are sent back."""
        a, _ = self.save("a", where=self.dir / "a")
        b, _ = self.save("b", where=self.dir / "b")
        code, out, err = self.run_(HOLDFAST, "vm", "kexec", "a", "b", "--json")
        self.assertEqual((code, json.loads(out)["result"]), (3, "refused"), err)
        self.assertRegex(err, "no kernel is loaded|has no kexec")
        self.assert_went_on(a, self.dir / "a")
        self.assert_went_on(b, self.dir / "b")

    def test_no_kexec_of_its_own(self):
        p, said = self.save("vm0", "--kexec")
        self.assertEqual(said["state"], "refused")
        self.assertRegex(said["reason"], "no kernel is loaded|has no kexec")
        self.assert_went_on(p)

    def test_device_refused(self):
        p, said = self.save(env={"FAKE_REFUSE": "vfio"})
        self.assertEqual(said["state"], "refused")
        self.assertIn("the fake kernel was told to refuse it", said["reason"])
        self.assertIn("fd ", said["reason"])
        self.assert_went_on(p)

    def test_what_is_mapped_is_not_there(self):
        """Left behind on purpose, which the kernel would notice as well, or too late."""
        for fd, why in ((3, "mapped at IOVA 0x0 is of no memfd"), (4, "mapped at IOVA 0xfffc0000 is of no memfd"),
                        (5, "attached to no iommufd"), (9, "vector 2 of interrupt index 2 signals an eventfd")):
            p, said = self.save("vm0", "--drop-fd", str(fd), "--drop-fd", "300")
            self.assertEqual(said["state"], "refused")
            self.assertIn(why, said["reason"])
            self.assert_went_on(p)
            self.unpreserve()
            for f in self.dir.glob("kernel/iommu-*"):
                f.unlink()

    def test_second_of_a_name(self):
        p, _ = self.save()
        code, out, err = self.run_(HOLDFAST, "vm", "save", "vm0", "--", "echo", "execed")
        self.assertEqual((code, out), (0, "execed\n"), err)
        self.assertIn(f"VM vm0 is process {p.pid}", err)
        r = self.record()
        self.assertEqual((r["state"], r["pid"]), ("ready", p.pid), "the record of another was overwritten")
        p.send_signal(signal.SIGTERM)
        self.assert_went_on(p)

    def lock_luo(self):
        """/dev/liveupdate is open elsewhere, until stdin of what is returned is closed."""
        path = self.dir / "kernel/luo"
        lock = subprocess.Popen(["flock", "-x", path, "cat"], stdin=subprocess.PIPE)
        self.addCleanup(lambda: (lock.stdin.close(), lock.wait()))
        while subprocess.run(["flock", "-n", path, "true"]).returncode == 0:
            pass
        return lock

    def test_busy_for_a_moment(self):
        lock = self.lock_luo()
        p = self.save_start()
        self.assertFalse(select.select([p.stdout], [], [], 0.5)[0], "it did not wait")
        lock.stdin.close()
        self.assertEqual(self.first_word(p)["state"], "ready")

    def test_busy_for_good(self):
        self.lock_luo()
        p, said = self.save()
        self.assertEqual(said["state"], "refused")
        self.assertIn("another program", said["reason"])
        self.assert_went_on(p)

    def test_no_state_file(self):
        self.state.unlink()
        p, said = self.save()
        self.assertEqual(said["state"], "refused")
        self.assertIn(str(self.state), said["reason"])


class Jump(Base):
    """A kernel is loaded."""

    def setUp(self):
        super().setUp()
        (self.dir / "kernel/kexec-loaded").write_text("1\n")
        (self.dir / "kernel/kmsg").write_text("4,0,0,-;live update: cannot freeze: long ago\n")

    def jumped(self):
        return (self.dir / "kernel/jumped").exists()

    def kexec_vms(self, *names, timeout=NOBODY):
        """Started, and so far that it waits for VMs."""
        return self.popen(HOLDFAST, "vm", "kexec", *names, "--timeout", timeout, "--json")

    def two(self, **kw):
        return [self.save(name, where=self.dir / name, **kw)[0] for name in ("a", "b")]

    def test_waits_for_all(self):
        k = self.kexec_vms("a", "b")
        a, _ = self.save("a", where=self.dir / "a")
        self.assertIsNone(k.poll())
        self.assertFalse(self.jumped())
        b, _ = self.save("b", where=self.dir / "b")
        out, err = k.communicate(timeout=NOBODY)
        self.assertTrue(self.jumped(), err)
        self.assertEqual([self.record(n)["state"] for n in "ab"], ["ready", "ready"])

    def test_one_refused(self):
        a, _ = self.save("a", where=self.dir / "a")
        k = self.kexec_vms("a", "b")
        b, said = self.save("b", "--kexec", where=self.dir / "b")  # its kernel has none loaded
        self.assertEqual(said["state"], "refused")
        out, err = k.communicate(timeout=NOBODY)
        self.assertEqual((k.returncode, json.loads(out)["result"]), (3, "refused"), err)
        self.assertIn("VM b is refused", err)
        self.assertFalse(self.jumped())
        self.assert_went_on(a, self.dir / "a")

    def test_freeze_refused(self):
        (self.dir / "kernel/freeze").touch()
        a, b = self.two()
        k = self.kexec_vms("a", "b")
        out, err = k.communicate(timeout=NOBODY)
        self.assertEqual(k.returncode, 3, err)
        self.assertIn("cannot freeze: too busy", json.loads(out)["reason"])
        self.assert_went_on(a, self.dir / "a")
        self.assert_went_on(b, self.dir / "b")
        for name in "ab":
            self.assertEqual(self.record(name)["state"], "running")

    def test_timeout(self):
        a, _ = self.save("a", where=self.dir / "a")
        k = self.kexec_vms("a", "b", timeout=0)
        out, err = k.communicate(timeout=NOBODY)
        self.assertEqual(k.returncode, 3, err)
        self.assertIn("VM b is not ready", err)
        self.assertFalse(self.jumped())
        self.assert_went_on(a, self.dir / "a")

    def test_interrupted(self):
        a, _ = self.save("a", where=self.dir / "a")
        k = self.kexec_vms("a", "b")
        while not self.blocks(k.pid, signal.SIGTERM):
            pass
        k.send_signal(signal.SIGTERM)
        out, err = k.communicate(timeout=NOBODY)
        self.assertEqual(k.returncode, 3, err)
        self.assert_went_on(a, self.dir / "a")

    @staticmethod
    def blocks(pid, sig):
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        return int(status.split("SigBlk:")[1].split()[0], 16) >> (sig - 1) & 1

    def test_refused_before(self):
        """What was refused and is tried again is waited for."""
        p, said = self.save(env={"FAKE_REFUSE": "vfio"})
        self.assertEqual(said["state"], "refused")
        self.assert_went_on(p)
        self.unpreserve()
        k = self.kexec_vms("vm0")
        p, said = self.save()
        out, err = k.communicate(timeout=NOBODY)
        self.assertTrue(self.jumped(), err)

    def test_killed_while_ready(self):
        a, b = self.two()
        a.kill()
        a.wait()
        k = self.kexec_vms("a", "b")
        out, err = k.communicate(timeout=NOBODY)
        self.assertEqual(k.returncode, 3, err)
        self.assertFalse(self.jumped())
        self.assert_went_on(b, self.dir / "b")

    def test_of_its_own(self):
        p, said = self.save("vm0", "--kexec")
        self.assertEqual(said["state"], "ready")
        p.communicate(timeout=NOBODY)
        self.assertTrue(self.jumped())

    def test_of_its_own_refused(self):
        (self.dir / "kernel/freeze").touch()
        p, said = self.save("vm0", "--kexec")
        self.assertEqual(said["state"], "ready")
        self.assert_went_on(p)
        r = self.record()
        self.assertEqual(r["state"], "refused")
        self.assertIn("cannot freeze: too busy", r["reason"])


def may_take():
    """Without root, Yama may keep processes of one user from each other's descriptors."""
    try:
        return os.geteuid() == 0 or pathlib.Path("/proc/sys/kernel/yama/ptrace_scope").read_text().strip() == "0"
    except FileNotFoundError:
        return True


@unittest.skipUnless(may_take(), "no right to take descriptors from a keeper")
class Held(Base):
    """What goes wrong in the new kernel leaves a keeper, and can be tried again."""

    def again(self, first, *args, **kw):
        code, said, err = self.resume(*args, **kw)
        self.assert_running(code, said, err)
        self.assertTrue(is_gone(first["pid"]), "the keeper is still there")

    def test_command_is_checked_first(self):
        self.saved()
        for args in (["--exec", "/nowhere/qemu"], ["--", "no-such-qemu", "-incoming", "file:/tmp/x"],
                     ["--", "true", "-incoming", "file:/nowhere/x"], ["--", "true", "-incoming", "tcp:1"]):
            code, said, err = self.resume(*args)
            self.assertEqual(code, 3, err)
        self.assert_running(*self.resume())

    def test_vmm_dies(self):
        self.saved()
        code, first, err = self.resume("--", *self.vmm("die"))
        self.assert_held(code, first, "ended before it had taken over", err)
        self.assertEqual(code, 3, "the exit status is not the VMM's")
        self.again(first)

    def test_vmm_dies_twice(self):
        self.saved()
        code, first, err = self.resume("--", *self.vmm("die"))
        code, second, err = self.resume("--", *self.vmm("die"))
        self.assert_held(code, second, "ended before", err)
        self.assertNotEqual(first["pid"], second["pid"])
        self.again(second)

    def test_vmm_cannot_load(self):
        self.saved()
        code, first, err = self.resume("--", *self.vmm("fail"))
        self.assert_held(code, first, "no such section", err)
        self.again(first)

    def test_vmm_closes_qmp(self):
        self.saved()
        code, first, err = self.resume("--", *self.vmm("mute"))
        self.assert_held(code, first, "ended before", err)
        self.again(first)

    def test_saved_command_is_gone(self):
        self.saved()
        path = self.dir / "kernel/session-holdfast-vm-vm0.d/4294967297.mem"
        m = json.loads(path.read_text())
        m["argv"][0] = "/nowhere/qemu"
        path.write_text(json.dumps(m))
        code, first, err = self.resume()
        self.assert_held(code, first, "/nowhere/qemu", err)
        self.assertEqual(first["kept"]["fds"], 0)
        self.again(first, "--exec", VMM)

    def test_in_the_middle_of_mapping(self):
        self.saved(maps=10)
        code, first, err = self.resume(env={"FAKE_FAIL_MAP": hex(0x200000000 + 5 * 0x2000)})
        self.assert_held(code, first, "IOVA 0x20000a000", err)
        code, second, err = self.resume(env={"FAKE_FAIL_MAP": hex(0x200000000 + 7 * 0x2000)})
        self.assert_held(code, second, "IOVA 0x20000e000", err)
        self.assertGreater(second["kept"]["steps"], first["kept"]["steps"])
        self.again(second)

    def test_manifest_is_damaged(self):
        self.saved()
        path = self.dir / "kernel/session-holdfast-vm-vm0.d/4294967297.mem"
        good = path.read_text()
        path.write_text(good.replace('"version":1', '"version":2'))
        code, first, err = self.resume()
        self.assert_held(code, first, "version: 2", err)
        self.assertEqual(first["kept"]["fds"], 0)

    def test_descriptor_is_lost(self):
        """What the kernel has given up it has given up for good."""
        self.saved()
        code, said, err = self.resume(env={"FAKE_FAIL_RETRIEVE": "6"})
        self.assertEqual((code, said["state"]), (1, "failed"), err)
        self.assertIn("fd 6", said["reason"])
        self.assertEqual(json.loads((self.dir / "run/vm0.manifest").read_text())["name"], "vm0")
        self.assertEqual(self.state.read_text(), "state of the VM\n")

    def test_two_at_once(self):
        self.saved()
        code, first, err = self.resume("--", *self.vmm("die"))
        (self.dir / "run/vm0.json").write_text(
            (self.dir / "run/vm0.json").read_text().replace('"held"', '"resuming"'))
        code, said, err = self.resume()
        self.assertEqual(code, 3)
        self.assertIn("is resuming", err)
        os.kill(first["pid"], signal.SIGTERM)

    def test_forged_record(self):
        """A record that names another process's descriptors gets nothing."""
        self.saved()
        code, first, err = self.resume("--", *self.vmm("die"))
        path = self.dir / "run/vm0.json"
        r = json.loads(path.read_text())
        r["kept"]["session"] = r["kept"]["manifest"]
        path.write_text(json.dumps(r))
        code, said, err = self.resume()
        self.assertEqual(code, 1, err)
        r["kept"]["session"] = first["kept"]["session"]
        path.write_text(json.dumps(r))
        self.again(first)

    def test_keeper_is_killed(self):
        self.saved()
        code, first, err = self.resume("--", *self.vmm("die"))
        pidfd = os.pidfd_open(first["pid"])
        os.kill(first["pid"], signal.SIGKILL)
        select.select([pidfd], [], [], NOBODY)
        os.close(pidfd)
        code, out, err = self.run_(HOLDFAST, "vm", "list")
        self.assertIn("held (stale)", out)
        code, said, err = self.resume()
        self.assertEqual(code, 3, err)

    def test_unknown(self):
        code, said, err = self.resume(name="other")
        self.assertEqual(code, 1)
        self.assertIn("no VM named other", err)


@unittest.skipUnless(may_take(), "no right to take descriptors from a keeper")
class EveryCall(Base):
    """Each ioctl fails once. Whatever it is, the VM is not lost, unless the kernel says so."""

    def fresh(self):
        self.unpreserve()
        for f in [*self.dir.glob("run/*"), *self.dir.glob("kernel/*"), self.dir / "done"]:
            f.unlink(missing_ok=True)
        self.state.write_text("state of the VM\n")

    def give_config(self):
        config = self.dir / "config"
        config.write_bytes(config_space())
        self.env["FAKE_CONFIG"] = str(config)

    def test_save(self):
        self.give_config()
        for n in range(1, 1000):
            self.fresh()
            p, said = self.save(fail=n)
            if said["state"] == "ready":
                p.send_signal(signal.SIGTERM)
            else:
                self.assertEqual(said["state"], "refused")
                self.assertIn("Input/output error", said["reason"])
            self.assert_went_on(p)
            if said["state"] == "ready":
                break
        self.assertGreater(n, 40, "that was not all of them")

    def test_resume(self):
        ends = set()
        self.give_config()
        for n in range(1, 1000):
            self.fresh()
            self.saved()
            code, said, err = self.resume(env={"FAKE_FAIL_NTH": str(n)})
            ends.add(said["state"] if said else "nothing")
            if said is None:
                self.assertIn("retrieve session", err)
            elif said["state"] == "failed":
                self.assertIn("retrieve the", said["reason"])
                continue
            elif said["state"] == "running" and said["reason"]:
                self.assertIn("finish the session", said["reason"])
                continue
            elif said["state"] == "running" and "was not compared" in err:
                ends.add("not compared")
                continue
            elif said["state"] == "running":
                self.assert_running(code, said, err)
                break
            else:
                self.assert_held(code, said, "Input/output error", err)
            self.assert_running(*self.resume())
        self.assertGreater(n, 40, "that was not all of them")
        self.assertEqual(ends, {"nothing", "failed", "held", "not compared", "running"})


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

    def test_other_descriptors(self):
        r, w = os.pipe()
        args = ["--", "sh", "-c", "echo execed", "-incoming", f"file:{self.state}"]
        self.wrong("vm0", *args, why=f"fd {r} (pipe:", fds=(r,))
        self.wrong("vm0", "--drop-fd", str(r), *args, why="/dev/liveupdate", fds=(r,))
        self.wrong("vm0", "--drop-fd", str(w), *args, why=f"fd {r} (pipe:", fds=(r,))
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
                           (["vm", "list"], 0), (["check"], 0), (["check", "--help"], 0), (["check", "a/b"], 2),
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

    def test_kexec_waits(self):
        """Of a VM that nobody saves it is told, in the time that was given."""
        code, out, err = self.plain("vm", "kexec", "vm0", "--timeout", "0")
        self.assertEqual(code, 3)


if __name__ == "__main__":
    runner = unittest.TextTestRunner(verbosity=0, stream=sys.stdout)
    result = runner.run(unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__]))
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    sys.exit(bool(failed))
