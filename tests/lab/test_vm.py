"""VM scenarios: the parts, and whole flows against the machine of fakevm.py, where one thing at a time is broken."""

import json
import os
import socket
import struct
import sys
import tempfile
import time
import types
import unittest
from unittest import mock

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, os.path.dirname(__file__))
import fakevm                                                                           # noqa: E402
from lab import cli, runner, scenario                                                   # noqa: E402
from lab.errors import Infra, Skip                                                      # noqa: E402
from lab.host import qemu, tsc                                                          # noqa: E402
from lab.judge import vm as vmjudge                                                     # noqa: E402
from lab.observe import ring as vmring, traffic, watch, wire as wire_mod                # noqa: E402
from lab.report import result, show, tables                                             # noqa: E402
from lab.timeline import VmUpdate                                                       # noqa: E402
from lab.vm import flow as vmflow, link as vmlink, sections, vm, vms as vmrun                # noqa: E402

MAC = traffic.mac_bytes("52:54:00:00:00:01")


class Ring(unittest.TestCase):
    DESCS = 512

    def setUp(self):
        self.ram = bytearray(4 << 20)
        self.layout = watch.Layout([[0x200000, 0x100000], [0x0, 0x100000]])
        self.ring = vmring.VmRing(self.ram, self.layout, 0x1000, self.DESCS * 16, 1)
        for desc in range(self.DESCS):
            self.free(desc)

    def at(self, desc):
        return self.layout.ram(0x1000 + desc * 16)

    def buffer(self, desc):
        return 0x10000 + (desc * 7 % self.DESCS) * 2048       # in no order

    def free(self, desc):
        """As a driver does it: the address anew and the length 0, while DD may still be set."""
        self.ram[self.at(desc):self.at(desc) + 16] = struct.pack("<QIHH", self.buffer(desc), watch.DD, 0, 0)

    def land(self, desc, frame):
        where = self.layout.ram(self.buffer(desc))
        self.ram[where:where + len(frame)] = frame
        self.ram[self.at(desc):self.at(desc) + 16] = struct.pack("<QIHH", 0xABCD, watch.DD, len(frame), 0)

    def test_free_descriptors_are_not_taken_for_complete(self):
        self.ring.follow(5, 4, 1.0)
        self.assertEqual(self.ring.poll(1.0), 0)

    def test_what_lands_while_the_vm_stands_still(self):
        self.ring.track()
        self.land(10, traffic.build(MAC, 1, 100, 0))       # before it was followed, so before head
        self.ring.follow(11, 9, 1.0)
        self.land(11, traffic.build(MAC, 1, 101, 0))
        self.land(12, b"\xff" * 12 + b"\x08\x06" + b"\0" * 50)
        self.land(13, traffic.build(MAC, 1, 102, 0))
        self.assertEqual(self.ring.poll(2.0), 2)
        self.assertEqual([s for _t, s in self.ring.times], [101, 102])
        self.assertEqual((self.ring.other, self.ring.corrupt, self.ring.foreign, self.ring.high), (1, 0, 0, 102))

    def test_one_completed_between_the_last_look_and_the_pause(self):
        self.ring.track()
        self.land(11, traffic.build(MAC, 1, 7, 0))         # its address is gone from the ring by now
        self.ring.follow(11, 9, 1.0)
        self.assertEqual(self.ring.poll(1.0), 1)

    def test_round_the_end_and_out_of_descriptors(self):
        self.ring.follow(self.DESCS - 2, 1, 1.0)
        for n, desc in enumerate((self.DESCS - 2, self.DESCS - 1, 0)):
            self.land(desc, traffic.build(MAC, 1, n, 0))
        self.assertEqual(self.ring.poll(1.0), 3)
        self.assertTrue(self.ring.ran_out)

    def test_wrong_frames(self):
        bad = bytearray(traffic.build(MAC, 1, 1, 0))
        bad[99] ^= 1
        self.ring.follow(0, self.DESCS - 1, 1.0)
        for n, frame in enumerate((bytes(bad), traffic.build(MAC, 2, 1, 0), traffic.build(MAC, 1, 5, 0), traffic.build(MAC, 1, 5, 0),
                                   traffic.build(MAC, 1, 4, 0))):
            self.land(n, frame)
        self.ring.poll(1.0)
        self.assertEqual((self.ring.corrupt, self.ring.duplicate, self.ring.out_of_order, self.ring.landed()), (2, 1, 1, 2))

    def test_let_go(self):
        self.ring.follow(0, 9, 1.0)
        self.land(0, traffic.build(MAC, 1, 1, 0))
        self.ring.let_go(3.0)
        self.land(1, traffic.build(MAC, 1, 2, 0))
        self.assertEqual(self.ring.poll(4.0), 0)
        self.assertEqual((self.ring.landed(), self.ring.stretches), (1, [[1.0, 3.0]]))


class Links(unittest.TestCase):
    def test_lines_pings_and_the_end(self):
        link = vmlink.Link()
        self.addCleanup(link.close)
        with socket.create_connection(("127.0.0.1", link.port)) as s:
            s.sendall(b'{"beat": 1, "nics": []}\n{"klog": "oh", "prio": 3}\nnot json\n{"be')
            self.assertEqual(link.wait(2)[1]["beat"], 1)
            s.sendall(b'at": 2, "nics": []}\n')
            self.assertTrue(link.wait(2, lambda b: b["beat"] == 2))
            question = json.loads(s.makefile().readline())
            s.sendall(json.dumps({"pong": question["ping"]}).encode() + b"\n")
            deadline = time.monotonic() + 2
            while not link.rtts and time.monotonic() < deadline:
                time.sleep(0.01)
            self.assertEqual(len(link.rtts), 1)
            self.assertEqual([text for _t, text in link.klog], ["oh"])
            self.assertIsNone(link.wait(0.05, lambda b: b["beat"] == 3))
        deadline = time.monotonic() + 2
        while link.closed_at is None and time.monotonic() < deadline:
            time.sleep(0.01)
        self.assertEqual((link.connections, link.conn), (1, None))
        self.assertIsNotNone(link.closed_at)

    def test_lines_in_a_file(self):
        text = b'{"beat": 1, "nics": []}\n{"beat": 6, "ni'
        link = vmlink.FileLink(lambda off: text[off:off + 9].decode())
        self.addCleanup(link.close)
        self.assertEqual(link.wait(3)[1]["beat"], 1)
        text = b'{"beat": 11, "nics": []}\n'
        link.again()
        self.assertEqual(link.wait(3, lambda b: b["beat"] > 1)[1]["beat"], 11)

    def test_frames_of_the_vm(self):
        a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(b.close)
        wire = wire_mod.Wire(a, 1)

        def frame(seq, stream=1, flip=0):
            body = traffic.BODY.pack(traffic.MAGIC, stream, seq, 0) + bytes(20)
            head = traffic.HEAD.pack(traffic.SRC_MAC, MAC, wire_mod.ETHERTYPE_TX)
            out = bytearray(head + body + struct.pack(">I", traffic.zlib.crc32(body)))
            out[40] ^= flip
            return bytes(out)

        for f in (frame(0), frame(1), frame(1), frame(4), frame(2, stream=2), frame(3, flip=1), traffic.build(MAC, 1, 9, 0), b"x"):
            wire.take(f, 1.0)
        wire.stop()
        a.close()
        self.assertEqual((sorted(wire.seen), wire.duplicate, wire.corrupt, wire.missing()), ([0, 1, 4], 1, 2, 2))


def beat(n, **change):
    nic = {"name": "eth0", "changes": 2, "carrier": 1, "irqs": [1, 10 * n, 5]}
    nic.update(change.pop("nic", {}))
    return dict({"beat": n, "boot_id": "a", "boot_us": n, "mono_us": n, "mem_rounds": n, "gap_us": 0, "nics": [nic]}, **change)


class Judge(unittest.TestCase):
    def test_continuity(self):
        good = [(n, beat(n)) for n in range(1, 5)]
        self.assertEqual(vmjudge.continuity(good), [])
        for change, word in (({"boot_id": "b"}, "boot_id"), ({"mono_us": 0}, "mono_us"), ({"beat": 9}, "beat"),
                             ({"mem_rounds": 0}, "mem_rounds"), ({"nic": {"changes": 4}}, "changes"), ({"nic": {"carrier": 0}}, "carrier")):
            out = vmjudge.continuity(good + [(5, beat(5, **change))])
            self.assertEqual(len(out), 1, out)
            self.assertIn(word, out[0])
        self.assertEqual(vmjudge.continuity([(1, beat(1)), (2, beat(6))], every_line=False), [])

    def test_quiet_vectors(self):
        beats = [(n, beat(n)) for n in range(1, 9)]
        self.assertEqual(vmjudge.quiet_vectors(beats, 5), [])
        stuck = [(t, b if t <= 5 else beat(int(t), nic={"irqs": [1, 50, 5]})) for t, b in beats]
        self.assertEqual(vmjudge.quiet_vectors(stuck, 5), ["eth0 vector 1"])

    def test_pauses(self):
        update = VmUpdate(t_stop=10.0, t_running=16.0, t_end=19.0)
        beats = [(t / 10, beat(1, gap_us=0 if t < 160 else 300000)) for t in range(80, 190) if not 100 < t < 165]
        wire = [(t / 50, t) for t in range(400, 950) if not 500 < t < 820]
        ring = [(10 + t / 100, t) for t in range(600) if not 200 <= t < 250]
        got = vmjudge.pauses(update, beats, [wire], [ring])
        self.assertEqual({k: round(v, -1) for k, v in got.items()},
                         {"vmm_ms": 6000, "guest_ms": 300, "wire_ms": 6400, "nic_ms": 510, "silent_ms": 6500})
        self.assertIsNone(vmjudge.pauses(update, beats, [], [])["nic_ms"])

    def test_steps_add_up(self):
        up = VmUpdate(t_migrate=1.0, t_saving=1.2, t_ready=1.3, t_exec=1.3, t_boot=5.0, t_resume=5.1, t_running=7.6,
                      freeze_ms=500, helper={"exec_to_running": 2000.0})
        got = vmjudge.steps(up)
        self.assertEqual([got[k] for k in vmjudge.STEPS], [200.0, 100.0, 500, 3700.0, 500.0, 2000.0, 6600.0])
        self.assertEqual(vmjudge.steps(VmUpdate())["total"], None)


class Whole(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.build = folder.name
        for path in ("kernel/7.2/bzImage", "kernel/7.2-b/bzImage", "agent/initrd.gz", "guest/initrd.gz", "cli/holdfast"):
            os.makedirs(os.path.dirname(os.path.join(self.build, path)), exist_ok=True)
            open(os.path.join(self.build, path), "w").close()
        shorter = ((vmflow, "SPEAK_S", 1), (vmrun, "ALIVE_S", 0.3), (vmrun, "SLACK_S", 0.3), (sections, "DRAIN_S", 0.5),
                   (sections, "ANSWER_S", 1))
        others = ((qemu, "Machine", fakevm.Machine), (vm, "root_folder", lambda: "/nowhere"))
        for patch in [mock.patch.object(*what) for what in shorter + others] + [mock.patch.dict(os.environ)]:
            patch.start()
            self.addCleanup(patch.stop)
        os.environ.pop("HOLDFAST_BIN", None)

    def go(self, name, broken=(), negative=False, **change):
        sc = scenario.load(name)
        for key, value in dict({"settle_s": 0.3}, **change).items():
            setattr(sc, key, value)
        options = types.SimpleNamespace(build=self.build, accel="tcg", patience=1.0, rate=None, negative=negative, json=True,
                                        live=False, quiet=True)
        with mock.patch.object(fakevm.Machine, "broken", frozenset(broken)):
            out, _path = runner.run_one(sc, options)
        self.assertEqual(result.check(out), [])
        return out

    def reasons(self, name, *broken, **change):
        return self.go(name, broken, **change)["reasons"]

    def test_update(self):
        out = self.go("vm-nic")
        self.assertEqual((out["verdict"], out["reasons"]), ("pass", []))
        self.assertGreater(out["dma"]["landed_in_blackout"], 50)
        one = out["vm"]["vms"][0]
        self.assertEqual((one["connections"], one["alive"], one["nics"][0]["lost"]), (1, True, 0))
        self.assertGreater(one["updates"][0]["pause"]["vmm_ms"], 250)
        self.assertEqual(one["updates"][0]["steps"]["qemu_load"], 10.0)
        self.assertIn("QEMU paused it for", show.table(out, "x"))
        rows = tables.tables([out])
        self.assertEqual(len(rows), 1)
        self.assertIn("| vm-nic ", rows[0])

    def test_several(self):
        for name in ("vm-no-device", "vm-three-updates", "vm-hot"):
            with self.subTest(name):
                self.assertEqual(self.reasons(name), [])

    def test_two_vms(self):
        out = self.go("vm-two-vms")
        self.assertEqual(out["reasons"], [])
        self.assertEqual([v["device"] for v in out["vm"]["vms"]], [True, False])

    def test_what_is_broken_is_named(self):
        for broken, name in (("guard", "harmful_reached:BAR0"), ("takeover", "translation_off"), ("vm-lose-one", "vm_lost"),
                             ("vm-double", "vm_duplicate"), ("vm-reboot", "vm_breaks:vm0 boot_id"), ("vm-link", "vm_breaks:vm0 eth0 changes 2→3"),
                             ("vm-memory", "vm_memory:vm0 a byte changed"), ("vm-klog", "vm_klog:vm0 igb 0000:00:04.0 eth0: Reset adapter"),
                             ("vm-config", "guest_sees_change:vm0: 0000:01:00.0 ari (0x150): a new capability at 0x150"),
                             ("vm-tx", "vm_tx_lost"), ("vm-deaf", "landed_in_blackout"), ("vm-held", "resume_failed"),
                             ("vm-silent", "vm_silent"), ("vm-closed", "vm_silent"), ("vm-refuse", "save_refused"),
                             ("bystander", "bystander:before: 0 of 8 frames came back"), ("panic", "host_died")):
            with self.subTest(broken):
                self.assertIn(name, self.reasons("vm-nic", broken))

    def test_emulator_that_crashes_says_nothing_about_the_kernel(self):
        out = self.go("vm-nic", ["panic", "qemu"])
        self.assertEqual((out["verdict"], out["text"]), ("infra", "QEMU crashed: Assertion failed"))

    def test_twin(self):
        out = self.go("vm-nic", ["guard"], negative=True)
        self.assertTrue(out["negative"]["as_expected"])
        self.assertFalse(self.go("vm-nic", negative=True)["negative"]["as_expected"])

    def test_refused(self):
        out = self.go("vm-hugetlb", ["vm-refuse"])
        self.assertEqual((out["reasons"], out["cases"][0]["ok"]), ([], True))
        self.assertIn("refused: hugetlb memory", self.reasons("vm-hugetlb"))
        self.assertIn("refused: a device behind a conventional bridge", self.reasons("vm-refused", "vm-refuse"))

    def test_helper_killed(self):
        self.assertEqual(self.reasons("vm-save-killed"), [])
        self.assertIn("left_over:preserved+1", self.reasons("vm-save-killed", "vm-leak"))

    def test_resume_wrong(self):
        out = self.go("vm-resume-wrong")
        self.assertEqual((out["reasons"], [c["ok"] for c in out["cases"]]), ([], [True, True]))

    def test_cold(self):
        out = self.go("vm-cold")
        self.assertEqual(out["reasons"], [])
        self.assertGreater(out["vm"]["vms"][0]["updates"][0]["pause"]["silent_ms"], 250)

    def test_what_is_missing_is_said(self):
        os.unlink(os.path.join(self.build, "cli/holdfast"))
        self.assertIn("scripts/cli", self.go("vm-nic")["text"])
        os.unlink(os.path.join(self.build, "guest/initrd.gz"))
        self.assertIn("make guest", self.go("vm-cold")["text"])


class LostEoi(unittest.TestCase):
    """Three samples of two CPUs, as QEMU's monitor tells."""

    def said(self, isr="251 ", halted=1, flags=0x246, last=None):
        def cpu(n, isr):
            return f"CPU#{n}\nRIP=ffffffff817530a3 RFL={flags:08x} [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT={halted}\n", f"ISR\t {isr}\nIRR\t (none)\n"

        samples = []
        for text in (isr, isr, last or isr):
            (cpu0, apic0), (cpu1, apic1) = cpu(0, text), cpu(1, "(none)")
            samples.append(cpu0 + cpu1 + apic0 + apic1)
        with tempfile.NamedTemporaryFile("w", suffix=".log") as f:
            f.write("".join(samples))
            f.flush()
            return qemu.lost_eoi(f.name)

    def test_sleeps_with_one_in_service(self):
        self.assertTrue(self.said())

    def test_what_a_kernel_may_do(self):
        for other in ({"isr": "(none)"}, {"halted": 0}, {"flags": 0x46}, {"last": "(none)"}):
            self.assertFalse(self.said(**other), other)

    def test_nothing_known(self):
        self.assertFalse(qemu.lost_eoi("/nonexistent"))


class Parts(unittest.TestCase):
    def test_command_line(self):
        one = vm.Vm({"name": "x", "nics": [0], "others": [1], "hot": 1})
        one.link, one.bdfs = types.SimpleNamespace(port=99), ["0000:01:00.0", "0000:02:00.0"]
        argv = one.argv("bzImage-7.2")
        self.assertEqual(sum("vfio-pci" in a for a in argv), 2)
        self.assertIn("hf.nics=1 hf.hot=1 hf.port=99", argv[-1])
        params, migrate = vm.cpr_lines(one, one.save_argv("bzImage-7.2"))
        command = json.loads(params)["arguments"]["cpr-exec-command"]
        self.assertEqual(command[:5], [vm.HELPER, "vm", "save", "x", "--"])
        self.assertEqual(command[-2:], ["-incoming", "file:/run/x.state"])
        self.assertEqual(json.loads(migrate), {"execute": "migrate", "arguments": {"uri": "file:/run/x.state"}})
        self.assertLess(len(json.dumps(params)), 3900)          # one line of the protocol

    def test_root(self):
        with mock.patch.dict(os.environ, HOLDFAST_VMROOT="/x"):
            self.assertEqual(vm.root_folder(), "/x")
        with mock.patch.dict(os.environ), mock.patch("subprocess.run") as ran:
            os.environ.pop("HOLDFAST_VMROOT", None)
            ran.return_value = types.SimpleNamespace(returncode=0, stdout="/y\n", stderr="made\n")
            self.assertEqual(vm.root_folder(), "/y")
            ran.return_value = types.SimpleNamespace(returncode=77, stdout="", stderr="holdfast: error: not to be had\n")
            with self.assertRaisesRegex(Skip, "not to be had"):
                vm.root_folder()
            ran.return_value.returncode = 75
            with self.assertRaises(Infra):
                vm.root_folder()

    def test_hubs(self):
        nic = qemu.Nic("nic0", "igb", "52:54:00:00:00:01", "root-port")
        self.addCleanup(nic.sock.close)
        self.addCleanup(nic.qemu_sock.close)
        self.assertEqual(sum(a == "-netdev" for a in nic.args(0)), 1)
        nic.hub = 1
        text = " ".join(nic.args(0))
        self.assertIn("net=10.0.3.0/24", text)
        self.assertEqual(text.count("hubid=1"), 3)

    def test_tsc(self):
        one, other = tsc.khz(0.05), tsc.khz(0.05)
        if one is not None:
            self.assertLess(abs(one - other) / one, 1e-4)

    def test_which_scenarios(self):
        args = types.SimpleNamespace(names=[], vm=False, series="7.2")
        plain = {s.name for s in cli.wanted(args)}
        args.vm = True
        vms = {s.name for s in cli.wanted(args)}
        self.assertEqual(plain & vms, {"vm-nic"})
        self.assertIn("nic-root-port", plain)
        self.assertEqual(vms, {n for n in scenario.names() if n.startswith("vm-")})

    def test_mistakes_are_named(self):
        for data, word in (({"summary": "x", "kind": "vm"}, "vm"), ({"summary": "x", "kind": "vm", "vm": [{}], "flow": "y"}, "flow"),
                           ({"summary": "x", "kind": "vm", "vm": [{"cpus": 2}]}, "memory")):
            with self.assertRaisesRegex(scenario.ScenarioError, word):
                scenario.from_dict("t", data)


if __name__ == "__main__":
    unittest.main()
