# SPDX-License-Identifier: GPL-2.0
"""Two at once: each test stops one process at a certain call and lets another one act meanwhile."""
import json
import os
import pathlib
import shutil
import signal
import unittest

from e2e import HOLDFAST, NOBODY, VMM, Base, is_gone, may_take


class Race(Base):
    def setUp(self):
        super().setUp()
        (self.dir / "kernel/kexec-loaded").write_text("1\n")
        (self.dir / "kernel/kmsg").write_text("")

    def jumped(self):
        return (self.dir / "kernel/jumped").exists()

    def stopped(self, at, *args, **kw):
        """A process that has come as far as @at, and is stopped there."""
        p = self.popen(*args, env=dict(kw.pop("env", {}), FAKE_STOP=at), **kw)
        seen = os.waitid(os.P_PID, p.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        if seen.si_code != os.CLD_STOPPED:
            self.fail(f"it did not come to {at}: {p.communicate(timeout=NOBODY)}")
        return p

    def go_on(self, p):
        p.send_signal(signal.SIGCONT)
        out, err = p.communicate(timeout=NOBODY)
        return p.returncode, [json.loads(line) for line in out.splitlines()], err

    def two(self):
        return [self.save(name, where=self.dir / name)[0] for name in ("a", "b")]

    def kexec_stopped(self, at, *names):
        return self.stopped(at, HOLDFAST, "vm", "kexec", *names, "--json")

    def assert_none_lost(self, a, b):
        for name, p in (("a", a), ("b", b)):
            self.assert_went_on(p, self.dir / name)
            self.assertEqual(self.record(name)["state"], "running")


class Jump(Race):
    """Whatever calls a VM off before the jump keeps the jump from happening; or it is told that it is too late."""

    def test_cancel_while_syncing(self):
        a, b = self.two()
        k = self.kexec_stopped("sync", "a", "b")
        code, out, err = self.run_(HOLDFAST, "vm", "cancel", "a", "--json")
        self.assertEqual((code, json.loads(out)["state"]), (0, "running"), err)
        code, said, err = self.go_on(k)
        self.assertFalse(self.jumped(), "a VM that runs again was in the way, and it jumped")
        self.assertEqual((code, said[0]["result"]), (3, "refused"), err)
        self.assertIn("VM a is running", said[0]["reason"])
        self.assert_none_lost(a, b)

    def test_interrupted_while_syncing(self):
        for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            a, b = self.two()
            k = self.kexec_stopped("sync", "a", "b")
            k.send_signal(sig)
            code, said, err = self.go_on(k)
            self.assertFalse(self.jumped())
            self.assertEqual((code, said[0]["reason"]), (3, "interrupted"), err)
            self.assert_none_lost(a, b)
            for name in "ab":
                shutil.rmtree(self.dir / name)

    def test_killed_while_syncing(self):
        a, b = self.two()
        k = self.kexec_stopped("sync", "a", "b")
        a.kill()
        a.wait()
        code, said, err = self.go_on(k)
        self.assertFalse(self.jumped())
        self.assertEqual(code, 3, err)
        self.assert_went_on(b, self.dir / "b")

    def test_signal_that_save_has_not_seen(self):
        """It is pending in a process that has not come to run yet."""
        a, b = self.two()
        k = self.kexec_stopped("sync", "a", "b")
        a.send_signal(signal.SIGSTOP)
        a.send_signal(signal.SIGTERM)
        k.send_signal(signal.SIGCONT)
        while not self.gone_or_waits(k):
            pass
        a.send_signal(signal.SIGCONT)
        code, said, err = self.go_on(k)
        self.assertFalse(self.jumped())
        self.assertEqual(code, 3, err)
        self.assertIn("VM a", said[0]["reason"])
        self.assert_none_lost(a, b)

    def gone_or_waits(self, k):
        """It has made up its mind: it ends, or it waits for VMs to be sent back."""
        return is_gone(k.pid) or self.record("b")["state"] == "running"

    def test_not_to_be_stopped(self):
        """Ctrl-Z would leave VMs held that nobody can call off."""
        a, b = self.two()
        k = self.kexec_stopped("reboot", "a", "b")
        for sig in (signal.SIGTSTP, signal.SIGUSR1, signal.SIGALRM):
            k.send_signal(sig)
        code, said, err = self.go_on(k)
        self.assertEqual(code, 0, err)
        self.assertTrue(self.jumped())

    def test_too_late_for_cancel(self):
        a, b = self.two()
        k = self.kexec_stopped("reboot", "a", "b")
        code, out, err = self.run_(HOLDFAST, "vm", "cancel", "a", "--json")
        self.assertEqual(code, 3, err)
        self.assertIn("too late", json.loads(out)["reason"])
        self.assertEqual(self.record("a")["state"], "ready")
        self.go_on(k)
        self.assertTrue(self.jumped())
        self.assertIsNone(a.poll(), "it gave up a VM that had crossed")

    def test_too_late_for_signals(self):
        a, b = self.two()
        k = self.kexec_stopped("reboot", "a", "b")
        a.send_signal(signal.SIGTERM)
        while not is_gone(a.pid) and not self.waits_for_lock(a.pid):
            pass
        self.assertEqual(self.record("a")["state"], "ready")
        self.go_on(k)
        self.assertTrue(self.jumped())

    @staticmethod
    def waits_for_lock(pid):
        return pathlib.Path(f"/proc/{pid}/syscall").read_text().startswith("72 ")  # fcntl, x86

    def test_signal_counts_if_the_kernel_refuses(self):
        (self.dir / "kernel/freeze").touch()
        a, b = self.two()
        k = self.kexec_stopped("reboot", "a", "b")
        a.send_signal(signal.SIGTERM)
        code, said, err = self.go_on(k)
        self.assertEqual(code, 3, err)
        self.assertIn("cannot freeze: too busy", said[0]["reason"])
        self.assert_none_lost(a, b)

    def test_named_twice(self):
        self.two()
        code, out, err = self.run_(HOLDFAST, "vm", "kexec", "a", "b", "a")
        self.assertTrue(self.jumped(), err)

    def test_two_jumps(self):
        a, b = self.two()
        k = self.kexec_stopped("reboot", "a", "b")
        code, out, err = self.run_(HOLDFAST, "vm", "kexec", "a", "b", "--json")
        self.assertEqual(code, 3, err)
        self.assertIn("another", json.loads(out)["reason"])
        self.assertEqual([self.record(n)["state"] for n in "ab"], ["ready", "ready"], "it called off the jump of another")
        self.go_on(k)
        self.assertTrue(self.jumped())


class Alone(Race):
    """save --kexec honours what calls it off, like everybody else."""

    def save_stopped(self, at, *options):
        return self.stopped(at, VMM, "start", self.dir, "--maps", 0, "--", HOLDFAST, "vm", "save", "vm0", "--json",
                            *options, "--", *self.vmm(), umask=0o27)

    def called_off(self, p):
        while not self.pending(p.pid, signal.SIGTERM):
            pass
        p.send_signal(signal.SIGCONT)
        self.assert_went_on(p)
        self.assertFalse(self.jumped())
        r = self.record()
        self.assertEqual(r["state"], "running")
        self.assertIn("cancelled by Terminated", r["reason"])

    @staticmethod
    def pending(pid, sig):
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        return int(status.split("ShdPnd:")[1].split()[0], 16) >> (sig - 1) & 1

    def test_signal(self):
        for at in ("liveupdate", "sync"):
            p = self.save_stopped(at, "--kexec")
            p.send_signal(signal.SIGTERM)
            self.called_off(p)
            self.unpreserve()

    def test_cancel(self):
        for at, options in (("liveupdate", ["--kexec"]), ("sync", ["--kexec"]), ("liveupdate", [])):
            p = self.save_stopped(at, *options)
            c = self.popen(HOLDFAST, "vm", "cancel", "vm0", "--json")
            self.called_off(p)
            out, err = c.communicate(timeout=NOBODY)
            self.assertEqual((c.returncode, json.loads(out)["state"]), (0, "running"), err)
            self.unpreserve()

    def test_twin_nobody_calls_it_off(self):
        p = self.save_stopped("sync", "--kexec")
        self.go_on(p)
        self.assertTrue(self.jumped())

    def test_too_late(self):
        p = self.save_stopped("reboot", "--kexec")
        code, out, err = self.run_(HOLDFAST, "vm", "cancel", "vm0", "--json")
        self.assertEqual((code, json.loads(out)["result"]), (3, "refused"), err)
        self.assertIn("too late", err)
        self.go_on(p)
        self.assertTrue(self.jumped())

    def test_two_saves_of_a_name(self):
        """Neither has written a record when the other looks for one."""
        first = self.save_stopped("rename")
        second = self.save_start("vm0", where=self.dir / "other")
        second.send_signal(signal.SIGCONT)
        err = self.assert_went_on(second, self.dir / "other")
        self.assertIn("another", err)
        first.send_signal(signal.SIGCONT)
        self.assertEqual(self.first_word(first)["state"], "ready")
        r = self.record()
        self.assertEqual((r["state"], r["pid"]), ("ready", first.pid))
        code, out, err = self.run_(HOLDFAST, "vm", "cancel", "vm0")
        self.assertEqual(code, 0, err)
        self.assert_went_on(first)


@unittest.skipUnless(may_take(), "no right to take descriptors from a keeper")
class Resume(Race):
    """One VM, one VMM."""

    def resume_stopped(self, at, *args):
        return self.stopped(at, HOLDFAST, "vm", "resume", "vm0", "--json", *args)

    def held(self):
        self.saved()
        code, said, err = self.resume("--", *self.vmm("die"))
        self.assert_held(code, said, "ended before", err)
        return said

    def assert_refused(self):
        code, said, err = self.resume()
        self.assertEqual((code, said["result"]), (3, "refused"), err)

    def test_two_of_a_held_vm(self):
        for at in ("getfd", "signal", "rename"):
            first = self.held()
            p = self.resume_stopped(at)
            self.assert_refused()
            self.assertFalse((self.dir / "done").exists(), "two VMMs have it")
            code, said, err = self.go_on(p)
            self.assert_running(code, said[-1], err)
            self.assertTrue(is_gone(first["pid"]), "the keeper is still there")
            self.fresh()

    def test_two_from_the_kernel(self):
        self.saved()
        p = self.resume_stopped("liveupdate")
        self.assert_refused()
        code, said, err = self.go_on(p)
        self.assert_running(code, said[-1], err)

    def test_killed_while_taking(self):
        """The earlier keeper has it, or the new one: somebody does, and only one."""
        for at in ("getfd", "signal"):
            first = self.held()
            p = self.resume_stopped(at)
            p.kill()
            p.communicate(timeout=NOBODY)
            held = self.record()
            self.assertEqual((held["state"], is_gone(held["pid"])), ("held", False))
            self.assert_running(*self.resume())
            self.assertTrue(is_gone(first["pid"]) and is_gone(held["pid"]))
            self.fresh()

    def test_signals_do_not_end_it(self):
        for sig in (signal.SIGQUIT, signal.SIGUSR1, signal.SIGALRM, signal.SIGXCPU, signal.SIGTERM, signal.SIGPIPE):
            self.saved()
            p = self.resume_stopped("rename", "--", *self.vmm("die"))
            p.send_signal(sig)
            p.send_signal(signal.SIGCONT)
            out, err = p.communicate(timeout=NOBODY)
            self.assert_held(1, json.loads(out), "ended before", err)
            self.assert_running(*self.resume())
            self.fresh()

    def test_faults_do_not_lose_it(self):
        for sig in (signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL):
            self.saved()
            p = self.resume_stopped("rename")
            p.send_signal(sig)
            p.send_signal(signal.SIGCONT)
            out, err = p.communicate(timeout=NOBODY)
            self.assert_held(1, json.loads(out), "before it had rebuilt the VM", err)
            self.assert_running(*self.resume())
            self.fresh()

    def test_keeper_is_killed_while_resuming(self):
        """Then the one that resumes goes on, and holds the VM itself if it must."""
        self.saved()
        p = self.resume_stopped("rename")
        keeper = self.keeper_of(p.pid)
        os.kill(keeper, signal.SIGKILL)
        while not is_gone(keeper):
            pass
        p.send_signal(signal.SIGCONT)
        said = self.first_word(p)
        self.assertEqual((said["state"], said["pid"]), ("held", p.pid))
        self.assert_running(*self.resume())

    @staticmethod
    def keeper_of(pid):
        """It has the same table of descriptors, and so the same pidfd."""
        exe = os.readlink(f"/proc/{pid}/exe")
        for other in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if int(other.name) != pid and os.readlink(other / "exe") == exe and \
                        os.listdir(other / "fd") == os.listdir(f"/proc/{pid}/fd") and \
                        f"\nPid:\t{pid}\n" in "".join(f.read_text() for f in (other / "fdinfo").iterdir()):
                    return int(other.name)
            except OSError:
                pass
        raise AssertionError("there is no keeper")


class Forgotten(Race):
    """What nobody has spoken of must not be lost."""

    def setUp(self):
        super().setUp()
        self.a, _ = self.save("a", where=self.dir / "a")

    def other(self, name="b", state="running"):
        """A VM that is there, as far as its record says."""
        p = self.popen("sleep", "1000")
        start = int(pathlib.Path(f"/proc/{p.pid}/stat").read_text().rsplit(")", 1)[1].split()[19])
        (self.dir / f"run/{name}.json").write_text(json.dumps({
            "name": name, "state": state, "reason": "", "pid": p.pid, "start": start, "devices": [], "times_ms": {}}))
        return p

    def user(self):
        """A process with a vfio device."""
        with open(self.dir / "kernel/vfio-0000:09:00.0", "w") as f:
            p = self.popen("sleep", "1000", pass_fds=[f.fileno()])
        return p

    def refused(self, why, *options):
        code, out, err = self.run_(HOLDFAST, "vm", "kexec", "a", "--json", *options)
        self.assertEqual((code, json.loads(out)["result"]), (3, "refused"), err)
        self.assertIn(why, json.loads(out)["reason"])
        self.assertFalse(self.jumped())
        self.assert_went_on(self.a, self.dir / "a")

    def jumps(self, *options):
        code, out, err = self.run_(HOLDFAST, "vm", "kexec", "a", "--json", *options)
        self.assertTrue(self.jumped(), err)

    def test_vm(self):
        p = self.other()
        self.refused(f"VM b, which is running as process {p.pid}, was not named")

    def test_vm_that_is_held(self):
        p = self.other(state="held")
        self.refused(f"VM b, which is held as process {p.pid}, was not named")

    def test_vm_to_be_lost(self):
        self.other()
        self.jumps("--lose", "b")

    def test_vm_that_has_ended(self):
        p = self.other()
        p.kill()
        p.wait()
        self.jumps()

    def test_process(self):
        p = self.user()
        self.refused(f"process {p.pid} (sleep) has a vfio device open")

    def test_process_to_be_lost(self):
        p = self.user()
        self.jumps("--lose", f"pid:{p.pid}")

    def test_another_to_be_lost(self):
        self.other()
        p = self.user()
        self.refused(f"process {p.pid}", "--lose", "b", "--lose", "pid:1")

    def test_one_that_comes_late(self):
        k = self.kexec_stopped("sync", "a")
        p = self.user()
        code, said, err = self.go_on(k)
        self.assertEqual(code, 3, err)
        self.assertIn(f"process {p.pid}", said[0]["reason"])
        self.assertFalse(self.jumped())
        self.assert_went_on(self.a, self.dir / "a")

    def test_damaged_record(self):
        damaged = self.dir / "run/b.json"
        damaged.write_text("{")
        self.refused("--lose b")
        damaged.unlink()

    def test_alone(self):
        """save --kexec knows of no other VM."""
        p, said = self.save("vm0", "--kexec")
        self.assertEqual(said["state"], "refused")
        self.assertIn("VM a, which is ready", said["reason"])
        self.assert_went_on(p)
        self.unpreserve()
        p, said = self.save("vm0", "--kexec", "--lose", "a")
        self.assertEqual(said["state"], "ready")
        p.communicate(timeout=NOBODY)
        self.assertTrue(self.jumped())

    def test_usage(self):
        for wrong in ("", "pid:", "pid:0", "pid:x", "a/b", "pid:99999999999"):
            self.assertEqual(self.run_(HOLDFAST, "vm", "kexec", "a", "--lose", wrong)[0], 2, wrong)


class Timeout(Race):
    """A name without a VM must not leave the others paused."""

    def test_typo(self):
        for timeout in (6, 60, 86400):
            a, _ = self.save("a", where=self.dir / "a")
            k = self.popen(HOLDFAST, "vm", "kexec", "a", "typo", "--timeout", timeout, "--json")
            out, err = k.communicate(timeout=NOBODY)
            self.assertEqual(k.returncode, 3, err)
            self.assertIn("there is no VM named typo", json.loads(out)["reason"])
            self.assertFalse(self.jumped())
            self.assert_went_on(a, self.dir / "a")
            shutil.rmtree(self.dir / "a")

    def test_refused_for_good(self):
        """The same for one that was refused, and is not tried again."""
        p, said = self.save(env={"FAKE_REFUSE": "vfio"})
        self.assert_went_on(p)
        code, out, err = self.run_(HOLDFAST, "vm", "kexec", "vm0", "--timeout", "7", "--json")
        self.assertEqual(code, 3, err)
        self.assertIn("VM vm0 is refused", json.loads(out)["reason"])

    def test_its_process_has_ended(self):
        p, _ = self.save()
        p.send_signal(signal.SIGTERM)
        self.assert_went_on(p)
        code, out, err = self.run_(HOLDFAST, "vm", "kexec", "vm0", "--timeout", "7", "--json")
        self.assertEqual(code, 3, err)
        self.assertIn("VM vm0 is not there", json.loads(out)["reason"])
