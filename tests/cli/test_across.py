# SPDX-License-Identifier: GPL-2.0
"""Through the update, and no further than it went: each call fails once."""
import json
import os
import signal
import unittest

from e2e import HOLDFAST, NOBODY, Base, config_space, is_gone, may_take


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

    def test_dmabufs_are_left_behind(self):
        """QEMU leaks those of its BARs; where it goes on it makes its own."""
        self.saved(env={"FAKE_LEAK": "65536,vfio_pci_core"})
        m = json.loads((self.dir / "kernel/session-holdfast-vm-vm0.d/4294967297.mem").read_text())
        self.assertEqual({f["kind"] for f in m["fds"]}, {"memfd", "vfio", "iommufd", "eventfd"})
        self.assert_running(*self.resume())

    def test_saved_by_a_newer_one(self):
        """What it has added and may be missed is; what may not is refused, and the VM is held."""
        self.saved()
        path = self.dir / "kernel/session-holdfast-vm-vm0.d/4294967297.mem"
        m = json.loads(path.read_text())
        m["devices"][0]["x_link"] = {"speed": "32 GT/s"}
        path.write_text(json.dumps(m | {"numa": [0]}))
        code, said, err = self.resume()
        self.assert_held(code, said, "numa: a field that this version does not know", err)
        path.write_text(json.dumps(m))
        self.assert_running(*self.resume())

    def test_state_file_is_a_link(self):
        """Somebody else has put one there."""
        victim = self.dir / "victim"
        victim.write_text("mine")
        self.saved(mode="paused")
        self.state.symlink_to(victim)
        code, said, err = self.resume("--", *self.vmm("die"))
        self.assertEqual(victim.read_text(), "mine")
        self.assertFalse(self.state.is_symlink())
        self.assertEqual(self.state.read_text(), "state of the VM\n")
        self.assert_running(*self.resume())

    def test_state_file_is_readable(self):
        self.saved()
        self.state.write_text("")
        self.state.chmod(0o666)
        with open(self.state) as others:
            code, said, err = self.resume("--", *self.vmm("die"))
            self.assertEqual(self.state.stat().st_mode & 0o777, 0o600)
            self.assertEqual(others.read(), "", "who had it open before reads the guest's state")
        self.assert_running(*self.resume())

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


@unittest.skipUnless(may_take(), "no right to take descriptors from a keeper")
class EveryCall(Base):
    """Each ioctl fails once. Whatever it is, the VM is not lost, unless the kernel says so."""

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
            ends.add(said.get("state", "nothing"))
            if "state" not in said:
                self.assertEqual((code, said["result"]), (1, "failed"), err)
                self.assertIn("retrieve session", said["reason"])
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

    def test_resume_killed(self):
        """The one that parses and rebuilds is gone, at any point, without a word."""
        self.give_config()
        for when in ("FAKE_KILL_NTH", "FAKE_KILL_AFTER_NTH"):
            ends = set()
            for n in range(1, 1000):
                self.fresh()
                self.saved()
                p = self.popen(HOLDFAST, "vm", "resume", "vm0", "--json", env={when: str(n)})
                # Until the keeper has said what it has to say, or has ended.
                out, err = p.communicate(timeout=NOBODY)
                if p.returncode == 0:
                    break
                self.assertEqual(p.returncode, -signal.SIGKILL, err)
                ends.add("held" if out else "nothing")
                if out:
                    said = json.loads(out)
                    self.assert_held(1, said, "killed", err)
                self.assert_running(*self.resume())
                self.assertTrue(not out or is_gone(said["pid"]))
            self.assertGreater(n, 40, "that was not all of them")
            # Only before there was a session there was nothing to hold.
            self.assertEqual(ends, {"nothing", "held"} if when == "FAKE_KILL_NTH" else {"held"})
