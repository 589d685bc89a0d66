# SPDX-License-Identifier: GPL-2.0
"""What goes wrong in the new kernel."""
import json
import os
import select
import signal
import unittest

from e2e import HOLDFAST, NOBODY, VMM, Base, is_gone, may_take


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

    def test_resuming(self):
        """Its keeper has not come to saying that it holds it."""
        self.saved()
        code, first, err = self.resume("--", *self.vmm("die"))
        path = self.dir / "run/vm0.json"
        record = path.read_text()
        path.write_text(record.replace('"held"', '"resuming"'))
        code, said, err = self.resume()
        self.assertEqual((code, said["result"]), (3, "refused"))
        self.assertIn("is resuming", said["reason"])
        path.unlink()
        code, said, err = self.resume()
        self.assertEqual((code, said["result"]), (3, "refused"))
        self.assertIn("another process has the VM", said["reason"])
        path.write_text(record)
        self.again(first)

    def test_forged_record(self):
        """A record that names another process's descriptors gets nothing."""
        self.saved()
        code, first, err = self.resume("--", *self.vmm("die"))
        path = self.dir / "run/vm0.json"
        r = json.loads(path.read_text())
        r["kept"]["session"] = r["kept"]["owner"]
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
