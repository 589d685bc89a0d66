# SPDX-License-Identifier: GPL-2.0
"""Linux, in a guest of an unmodified QEMU, finds each persona as it is rendered.

Each shape (file `shapes`) is served by a vfio_user_server to one vfio-user-pci device behind a
root port of its own; all are in one guest. What the guest's kernel finds, reads and can write
has to be what golden/ and `caps` say. Twins, which are wrong somewhere, have to be found out.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time

from lab.errors import Infra, Skip
from lab.host import qemu
from lab.host.agent import AgentError, AgentTimeout, Control
from lab.vm import vm
from shape import EXPECTED_LINES, HERE, NOT_WRITTEN, PROGRAMMED, Expected, hexes, show, walk

MAPS = os.path.join(HERE, "..", "..", "persona", "maps")
CMDLINE = "console=ttyS0 panic=-1 quiet no_timer_check tsc=nowatchdog"
BOOT_S, REPLY_S = 120, 60      # on a machine that does other things, too

class Function:
    """A function of the guest, and what is to be found of it."""

    def __init__(self, expected, label=None, map_file=None, server="vfio_user_server"):
        self.expected, self.server = expected, server
        self.label = label or expected.name
        self.map_file = map_file or os.path.join(MAPS, expected.map + ".persona")
        self.bdf = self.image = self.report = self.proc = None
        self.sysfs, self.last, self.written, self.lines = {}, {}, [], []

    def serve(self, out, sock):
        self.proc = subprocess.Popen(
            [os.path.join(out, self.server), sock, self.map_file, self.expected.instance,
             os.path.join(HERE, "dumps", self.expected.dump + ".dump")],
            stdout=subprocess.PIPE, text=True, preexec_fn=qemu._die_with_parent)
        if self.proc.stdout.readline() != "ready\n":
            raise Infra(f"{self.label}: no server")

    def attribute(self, agent, name):
        try:
            return agent.call("sys.read", timeout=REPLY_S, path=f"/sys/bus/pci/devices/{self.bdf}/{name}")["text"].strip("\n")
        except AgentError:
            return None

    def look(self, agent, klog):
        agent.call("pci.dump", timeout=REPLY_S, bdf=self.bdf)
        parts = sorted((ev["off"], ev["hex"]) for ev in agent.take_events("pci"))
        self.image = b"".join(bytes.fromhex(h) for _off, h in parts)
        for name in ("vendor", "device", "subsystem_vendor", "subsystem_device", "class", "revision", "resource", "vpd",
                     "current_link_width", "max_link_width", "serial_number",
                     "aer_dev_correctable", "resource0_resize", "reset_method"):
            self.sysfs[name] = self.attribute(agent, name)
        self.lines = [(ev["prio"], ev["line"]) for ev in klog if self.bdf in ev["line"]]
        self.written = self.write_test(agent)

    def write_test(self, agent):
        """What can be written holds what was written; what cannot stays as it is."""
        found = []
        for r in self.expected.regs:
            where = {"bdf": self.bdf, "off": r.off, "size": r.width}
            keep = r.among(NOT_WRITTEN) | r.live
            if not r.writable & ~keep:
                continue
            old = agent.call("pci.read", timeout=REPLY_S, **where)["value"]
            held = r.writable & ~r.rw1c
            # QEMU answers for MSI from a copy. It is left with what was written: only the persona can tell in the end.
            for new in (r.ones & ~old, r.ones, 0, r.ones & ~old if r.name.startswith("msi.") else old):
                # A bit that is left alone is written as it is, or not as a 1 if that would clear it.
                value = (new & ~keep) | (old & keep & ~r.rw1c)
                before, _done, after = self.three(agent, where, value)
                want = (before & ~held & ~(value & r.rw1c)) | (value & held)
                if after != want:
                    found.append(f"{r.name}: {before:x}, then {value:x} was written, reads {after:x}, not {want:x}")
                self.last[r.name] = (r, want)
        return found

    @staticmethod
    def three(agent, where, value):
        idents = [(agent.send("pci.read", **where), "pci.read"), (agent.send("pci.write", value=value, **where), "pci.write"),
                  (agent.send("pci.read", **where), "pci.read")]
        return [agent.wait_reply(i, cmd, REPLY_S).get("value") for i, cmd in idents]

    def judge(self, expected=None):
        """{check: problems}"""
        e = expected or self.expected
        return {"enumerated": self.identity(e), "capabilities": self.capabilities(e), "image": self.same_image(e),
                "sysfs": self.attributes(e), "BARs": self.resources(e), "writes": self.written or ([] if self.last else ["there is nothing to write to"]),
                "persona": self.persona(e), "log": self.complaints(), "device": self.device()}

    def identity(self, e):
        v, d, c = (int.from_bytes(e.image[o:o + n], "little") for o, n in ((0, 2), (2, 2), (9, 3)))
        want = {"vendor": v, "device": d, "class": c, "revision": e.image[8],
                "subsystem_vendor": int.from_bytes(e.image[0x2c:0x2e], "little"),
                "subsystem_device": int.from_bytes(e.image[0x2e:0x30], "little")}
        found = [f"{k} is {self.sysfs[k]}, not {w:#x}" for k, w in want.items() if int(self.sysfs[k] or "-1", 16) != w]
        line = f"pci {self.bdf}: [{v:04x}:{d:04x}] type 00 class 0x{c:06x} PCIe Endpoint"
        return found + ([] if (6, line) in self.lines else [f"the kernel did not say: {line}"])

    def capabilities(self, e):
        found, want = walk(self.image), walk(e.image)
        out = [] if found == want else [f"the guest finds {show(found)}, not {show(want)}"]
        at = [c[1] for c in found]
        return out + ([] if at == e.caps else [f"they are at {hexes(at)}, not {hexes(e.caps)}"])

    def same_image(self, e):
        """Bit by bit: also what is hidden, which reads 0."""
        return self.compare(e, self.image, lambda r: r.writable & r.among(PROGRAMMED))

    def persona(self, e):
        """What the persona itself says in the end, without QEMU between: the same, and what was written last."""
        held = bytes.fromhex(self.report["held"])
        out = self.compare(e, held, lambda r: r.writable & (r.ones if r.name in self.last else r.among(PROGRAMMED)))
        return out + [f"{r.name} holds {r.of(held):x}, not {want:x}" for r, want in self.last.values() if r.of(held) != want]

    @staticmethod
    def compare(e, image, may_differ):
        may = bytearray(4096)
        for r in e.regs:
            may[r.off:r.off + r.width] = may_differ(r).to_bytes(r.width, "little")
        out = [f"{i:03x} reads {a:02x}, not {b:02x}, but for {may[i]:02x}"
               for i, (a, b) in enumerate(zip(image, e.image)) if (a ^ b) & ~may[i] & 0xff]
        return out + ([] if len(image) == 4096 else [f"{len(image)} bytes of config space"])

    def attributes(self, e):
        """What Linux only has if it found the capability itself, and what it took from there."""
        has = {(ext, cap) for ext, _at, cap in walk(e.image)}
        out = [f"{name} is {'not there' if there else 'there'}" for name, there in (
            ("vpd", (False, 0x03) in has), ("serial_number", (True, 0x03) in has), ("aer_dev_correctable", (True, 0x01) in has),
            ("resource0_resize", (True, 0x15) in has)) if (self.sysfs[name] is not None) != there]
        cap, sta = e.reg("exp.lnkcap").value, e.reg("exp.lnksta").value
        for name, value in (("max_link_width", cap >> 4 & 63), ("current_link_width", sta >> 4 & 63)):
            if self.sysfs[name] != str(value):
                out.append(f"{name} is {self.sysfs[name]}, not {value}")
        if e.reg("dsn.low"):
            serial = f"{e.reg('dsn.high').value:08x}{e.reg('dsn.low').value:08x}"
            if (self.sysfs["serial_number"] or "").replace("-", "") != serial:
                out.append(f"serial_number is {self.sysfs['serial_number']}, not {serial}")
        if e.reg("rebar.cap") and int(self.sysfs["resource0_resize"] or "0", 16) != e.reg("rebar.cap").value >> 4:
            out.append(f"resource0_resize is {self.sysfs['resource0_resize']}")
        if bool(e.reg("exp.devcap").value >> 28 & 1) != ("flr" in (self.sysfs["reset_method"] or "").split()):
            out.append(f"reset_method is {self.sysfs['reset_method']}")
        return out + self.vpd(e)

    def vpd(self, e):
        """What Linux reads through the VPD capability: the fields of the map, and a checksum that is right."""
        with open(self.map_file) as f:
            want = re.findall(r'^\s+(?:id|field (\w\w)) "(.*)"$', f.read(), re.M)
        said = self.sysfs["vpd"] or ""
        out = [f"VPD has no {value!r}: {said!r}" for key, value in want
               if key + (chr(len(value)) if key else "") + value not in said]
        checked = said[:said.find("RV") + 4]
        return out + ([f"VPD has a wrong checksum: {said!r}"] if sum(map(ord, checked)) % 256 else [])

    def resources(self, e):
        """Linux's account of the BARs: sizes and kinds are the map's, addresses those that the persona holds."""
        out, lines = [], [[int(x, 16) for x in r.split()] for r in (self.sysfs["resource"] or "").splitlines()]
        for n, (start, end, flags) in enumerate(lines[:6]):
            size, low = e.bar_size(n), e.reg(f"header.bar{n}")
            if (end - start + 1 if flags else 0) != size:
                out.append(f"BAR {n} has {end - start + 1:#x} bytes, not {size:#x}")
            if not size or not flags:
                continue
            kind = (bool(flags & 0x100), bool(flags & 0x100000), bool(flags & 0x2000))
            if kind != (bool(low.value & 1), low.value & 7 == 4, low.value & 9 == 8):
                out.append(f"BAR {n} is another kind: {flags:#x}")
            bar = 0x10 + 4 * n
            held = bytes.fromhex(self.report["held"])[bar:bar + (8 if e.bar64(n) else 4)]
            at = int.from_bytes(held, "little") & ~(3 if low.value & 1 else 15)
            if at != start:
                out.append(f"BAR {n} is at {start:#x}, the persona has {at:#x}")
        return out + self.rom(e) + ([] if len(lines) >= 7 else ["Linux gives no account of the BARs"])

    def rom(self, e):
        # Not from "resource": of the first VGA function Linux has there the firmware's copy at 0xc0000.
        r = e.reg("header.rom")
        said = [re.search(r": ROM \[mem 0x(\w+)-0x(\w+) pref\]", line) for _prio, line in self.lines]
        sizes = [int(m[2], 16) - int(m[1], 16) + 1 for m in said if m]
        want = [(r.writable & ~1) & -(r.writable & ~1)] if r and r.writable else []
        return [] if sizes[:1] == want else [f"ROM: {sizes}, not {want}"]

    def complaints(self, expected=EXPECTED_LINES):
        return [line for prio, line in self.lines
                if prio <= 4 and not any(re.match(known, line) for known, _why in expected)]

    def device(self):
        """Nothing reached the device but what the map passes."""
        r = self.report
        out = [f"{r[k]} {what}" for k, what in (("wrong", "writes after which the device held something else than it had to"),
                                                ("closed", "writes to bytes in which the map passes nothing"),
                                                ("refused", "messages refused")) if r[k]]
        out += [f"its server ended with {self.proc.returncode}"] if self.proc.returncode else []
        return out + ([] if r["writes"] and r["device_writes"] else ["nothing was written: this proves nothing"])


class Guest:
    def __init__(self, root, build, out, functions):
        self.root, self.build, self.out, self.functions = root, build, out, functions
        self.dir = os.path.join(out, "enumerate")
        os.makedirs(self.dir, exist_ok=True)
        self.proc = self.agent = None

    def argv(self, run):
        """QEMU through its own dynamic loader, so that its root need not be ours."""
        root = self.root
        out = [f"{root}/lib64/ld-linux-x86-64.so.2", "--library-path", f"{root}/usr/lib/x86_64-linux-gnu",
               f"{root}/usr/bin/qemu-system-x86_64", "-L", f"{root}/usr/share/qemu", "-L", f"{root}/usr/share/seabios",
               "-machine", "q35,memory-backend=ram0", "-accel", "tcg", "-cpu", "max", "-smp", "1", "-m", "256",
               "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
               # Shared: vfio-user hands it to the server.
               "-object", "memory-backend-memfd,id=ram0,size=256M,share=on",
               "-chardev", f"socket,id=ctl,path={run}/ctl,server=on,wait=off",
               "-device", "virtio-serial-pci,bus=pcie.0,addr=2.0",
               "-device", "virtserialport,chardev=ctl,name=holdfast.ctl",
               "-serial", f"file:{self.dir}/console.log", "-qmp", f"unix:{run}/qmp,server=on,wait=off"]
        for i, _f in enumerate(self.functions):
            sock = {"type": "unix", "path": f"{run}/{i}.sock"}
            out += ["-device", f"pcie-root-port,id=rp{i},bus=pcie.0,chassis={i + 1},slot={i + 1},addr={i + 4:x}.0",
                    "-device", json.dumps({"driver": "vfio-user-pci", "id": f"f{i}", "bus": f"rp{i}", "socket": sock,
                                           "x-msg-timeout": 1000 * REPLY_S})]
        return out + ["-kernel", f"{self.build}/kernel/7.2/bzImage", "-initrd", f"{self.build}/agent/initrd.gz",
                      "-append", CMDLINE]

    def alive(self):
        return self.proc.poll() is None

    def visit(self):
        """Boots the guest, has a look at each function; at the end each server's report is in."""
        with tempfile.TemporaryDirectory(prefix="holdfast-") as run, open(f"{self.dir}/qemu.log", "wb") as log:
            try:
                for i, f in enumerate(self.functions):
                    f.serve(self.out, f"{run}/{i}.sock")
                self.proc = subprocess.Popen(self.argv(run), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                             preexec_fn=qemu._die_with_parent)
                self.wait_for(f"{run}/qmp", f"{run}/ctl")
                self.agent = Control(f"{run}/ctl", f"{self.dir}/ctl.log", self.alive)
                self.agent.wait_event("boot", BOOT_S)
                self.locate(qemu.Qmp(f"{run}/qmp"))
                self.agent.call("klog", timeout=REPLY_S, **{"from": 0})
                klog = self.agent.take_events("klog")
                for f in self.functions:
                    f.look(self.agent, klog)
                # Once more: what reading and writing made it say.
                self.agent.call("klog", timeout=REPLY_S, **{"from": klog[-1]["seq"] + 1})
                for ev in self.agent.take_events("klog"):
                    for f in self.functions:
                        f.lines += [(ev["prio"], ev["line"])] if f.bdf in ev["line"] else []
            finally:
                self.stop()
        for f in self.functions:
            try:
                f.report = json.loads(f.said)
            except ValueError:
                raise Infra(f"{f.label}: its server ended without a word, with {f.proc.returncode}") from None

    def wait_for(self, *paths):
        deadline = time.monotonic() + 30
        while not all(map(os.path.exists, paths)):
            if not self.alive() or time.monotonic() > deadline:
                raise Infra(f"QEMU did not start: see {self.dir}/qemu.log")
            time.sleep(0.02)

    def locate(self, monitor):
        for bus in monitor.call("query-pci"):
            for port in bus["devices"]:
                for d in port.get("pci_bridge", {}).get("devices", []):
                    f = self.functions[int(d["qdev_id"][1:])]
                    f.bdf = f"0000:{d['bus']:02x}:{d['slot']:02x}.{d['function']:x}"
        monitor.close()
        missing = [f.label for f in self.functions if f.bdf is None]
        if missing:
            raise Infra(f"QEMU has no function for {', '.join(missing)}")

    def stop(self):
        """QEMU first: a server ends, and says what there was, when its client has gone."""
        if self.agent:
            self.agent.close()
        if self.proc and self.alive():
            self.proc.kill()
            self.proc.wait()
        for f in self.functions:
            if f.proc is None:
                continue
            try:
                f.said = f.proc.communicate(timeout=20)[0]
            except subprocess.TimeoutExpired:
                f.proc.kill()
                f.said = f.proc.communicate()[0]


class Count:
    passed = failed = 0

    def check(self, what, problems):
        if problems:
            self.failed += 1
            print(f"not ok - enumerate: {what}")
            for p in problems[:8]:
                print(f"#   {p}")
        else:
            self.passed += 1

    def notices(self, what, problems):
        """Of something that is wrong."""
        self.check(what, [] if problems else ["notices nothing"])


def twins(out, shapes):
    """Functions that are wrong: (function, checks that have to notice)."""
    by_name = {e.name: e for e in shapes}
    nic, nvme = by_name["nic-fw@nic-fw-a"], by_name["nvme@nvme"]
    moved = os.path.join(out, "moved.persona")
    with open(os.path.join(MAPS, "nic-fw.persona")) as f, open(moved, "w") as to:
        text = f.read()
        if "cap pm at 0x48 " not in text:
            raise Infra("nic-fw.persona has no cap pm at 0x48 that could be moved")
        to.write(text.replace("cap pm at 0x48 ", "cap pm at 0x50 "))
    return [(Function(nic, "twin: a capability is elsewhere", map_file=moved), ("capabilities", "image")),
            (Function(nic, "twin: writes reach the neighbours", server="vfio_user_server-NEIGHBOUR"), ("device",)),
            (Function(nvme, "twin: read-only bits can be written", server="vfio_user_server-VIRTUAL"), ("writes",))]


def run(args, root):
    with open(os.path.join(HERE, "shapes")) as f:
        shapes = [Expected(line) for line in f if not line.startswith("#")]
    count = Count()
    functions = [Function(e) for e in shapes]
    wrong = twins(args.out, shapes)
    guest = Guest(root, args.build, args.out, functions + [f for f, _checks in wrong])
    try:
        guest.visit()
    except (AgentError, AgentTimeout, Infra) as e:
        count.check("the guest", [f"{e}; see {guest.dir}"])
    else:
        judge(count, functions, wrong)
    print(f"{count.passed} passed, {count.failed} failed")
    return 1 if count.failed else 0


def judge(count, functions, wrong):
    for f in functions:
        for check, problems in f.judge().items():
            count.check(f"{f.label}: {check}", problems)
        found = f.judge(f.expected.moved())
        for check in ("capabilities", "image"):
            count.notices(f"{f.label}, one capability expected elsewhere: {check}", found[check])
    for f, checks in wrong:
        found = f.judge()
        for check in checks:
            count.notices(f"{f.label}: {check}", found[check])
    by_name = {f.label: f for f in functions}
    found = by_name["nvme@nvme"].judge(by_name["gpu-rebar@gpu"].expected)
    for check in ("enumerated", "capabilities", "image", "sysfs", "BARs", "persona"):
        count.notices(f"twin: an NVMe taken for a GPU: {check}", found[check])
    count.notices("twin: a warning that is not expected: log", by_name["nic-pf@igb"].complaints(expected=()))


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--build", required=True, help="the folder that has kernel/7.2/bzImage and agent/initrd.gz")
    p.add_argument("--out", required=True, help="the folder that has vfio_user_server")
    args = p.parse_args()
    try:
        for path in ("kernel/7.2/bzImage", "agent/initrd.gz"):
            if not os.path.exists(os.path.join(args.build, path)):
                raise Skip(f"there is no {path} in {args.build}")
        root = vm.root_folder()
        if not os.path.exists(f"{root}/usr/bin/qemu-system-x86_64"):
            raise Skip(f"there is no QEMU in {root}")
    except Skip as e:
        print(f"# enumerate: skipped: {e}")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    except Infra as e:
        print(f"not ok - enumerate: {e}\n0 passed, 1 failed")
        return 1
    return run(args, root)


if __name__ == "__main__":
    sys.exit(main())
