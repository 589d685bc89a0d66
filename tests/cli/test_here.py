# SPDX-License-Identifier: GPL-2.0
"""What does not get as far as the kexec, or has it done."""
import json
import os
import pathlib
import select
import signal
import subprocess

from e2e import HOLDFAST, NOBODY, Base


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

    def test_dmabufs_are_left_behind(self):
        p, said = self.save(env={"FAKE_LEAK": "4096,vfio_pci_core"})
        self.assertEqual(said["state"], "ready", said)
        p.send_signal(signal.SIGTERM)
        self.assert_went_on(p)

    def test_dmabufs_of_others(self):
        """Of another driver, of no BAR that the VM has, of no size at all."""
        for leak, why in (("4096,udmabuf", "is a dma-buf of udmabuf"),
                          ("65537,vfio_pci_core", "is a dma-buf of 65537 bytes, which no BAR"),
                          ("0,vfio_pci_core", "is a dma-buf of 0 bytes")):
            p, said = self.save(env={"FAKE_LEAK": leak})
            self.assertEqual(said["state"], "refused")
            self.assertIn(why, said["reason"])
            self.assertIn("--drop-fd", said["reason"])
            p.wait(timeout=NOBODY)
            self.assertEqual(p.returncode, 9, "it has what was not closed, and notices")
            self.unpreserve()

    def test_other_descriptors(self):
        r, w = os.pipe()
        for options, why in (((), f"fd {r} (pipe:"), (("--drop-fd", w), f"fd {r} (pipe:"), (("--drop-fd", r), f"{self.dir}/none")):
            code, out, err = self.run_(HOLDFAST, "vm", "save", "vm0", *options, "--json", "--", "sh", "-c", "echo execed",
                                       "-incoming", f"file:{self.dir}/none", pass_fds=(r,))
            said = json.loads(out.splitlines()[0])
            self.assertEqual((code, out.splitlines()[1], said["state"]), (0, "execed", "refused"), err)
            self.assertIn(why, said["reason"])
            self.unpreserve()
        os.close(r)
        os.close(w)

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
