"""The machine of fake.py with VMs on it: a QEMU and a helper that only pretend, and a VM that tells of itself over TCP as
the real one does."""

import json
import socket
import struct
import threading
import time

import fake
from lab.observe import traffic, watch

RING, BUFS, DESCS = 0x20000, 0x100000, 4096
VM_BYTES = 16 << 20


class Vm:
    """What lab/guest does, for one NIC."""

    def __init__(self, machine, port, nics):
        self.machine, self.nics = machine, nics
        self.running = True
        self.rx = self.tx = self.beats = self.dup = 0
        self.got = set()
        self.irqs = 0
        self.boot_id = f"{id(self):032x}0000"
        self.changes = 2
        self.mem_ok = True
        self.stop = threading.Event()
        self.sock = socket.create_connection(("127.0.0.1", port)) if nics else None
        self.text = b""
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=t, daemon=True) for t in ([self.tell, self.hear] if nics else [self.tell])]
        for t in self.threads:
            t.start()

    def end(self):
        self.stop.set()
        if self.sock:
            self.sock.close()

    def take(self, frame):
        parsed = traffic.parse(frame)
        with self.lock:
            self.irqs += 1
            if parsed and parsed[1] in self.got:
                self.dup += 1
            elif parsed:
                self.got.add(parsed[1])
                self.rx += 1

    def line(self, re=0):
        self.beats += 1
        now = time.monotonic_ns() // 1000
        high = max(self.got, default=-1)
        missing = [[s, s] for s in range(high) if s not in self.got][:8]
        nic = {"name": "eth0", "first": 0, "high": high, "rx": self.rx, "dup": self.dup, "bad": 0, "ooo": 0, "tx": self.tx,
               "tx_busy": 0, "carrier": 1, "changes": self.changes, "missed": 0, "missing": missing,
               "irqs": [1, self.irqs, self.beats * 3]}
        out = {"beat": self.beats, "boot_us": now, "mono_us": now, "boot_id": self.boot_id, "mem_ok": self.mem_ok,
               "mem_rounds": self.beats, "gap_us": 30000, "pings": [self.beats, self.beats], "nics": [nic] if self.nics else []}
        if re:
            out["re"] = re
        return json.dumps(out).encode() + b"\n"

    def send(self, data):
        if not self.sock:
            self.text += data
            return
        try:
            self.sock.sendall(data)
        except OSError:
            pass

    def frame(self):
        nic = self.machine.nics[0]
        body = traffic.BODY.pack(traffic.MAGIC, 1, self.tx, 0) + bytes(60)
        head = traffic.HEAD.pack(traffic.SRC_MAC, traffic.mac_bytes(nic.mac), 0x88B7)
        nic.qemu_sock.send(head + body + struct.pack(">I", traffic.zlib.crc32(body)))
        self.tx += 1

    def tell(self):
        while not self.stop.wait(0.02):
            if not self.running:
                continue
            with self.lock:
                data = self.line()
            self.send(data)
            if self.nics:
                self.frame()

    def hear(self):
        buf = b""
        while not self.stop.is_set():
            try:
                data = self.sock.recv(4096)
            except OSError:
                return
            if not data:
                return
            while not self.running and not self.stop.is_set():
                time.sleep(0.01)
            *lines, buf = (buf + data).split(b"\n")
            for raw in lines:
                msg = json.loads(raw)
                with self.lock:
                    if "report" in msg:
                        self.send(self.line(msg["report"]))
                    if "ping" in msg:
                        self.send(json.dumps({"pong": msg["ping"]}).encode() + b"\n")

    def say(self, text):
        self.send(json.dumps({"klog": text, "prio": 3}).encode() + b"\n")


class Machine(fake.Machine):
    """`self.vms`: name -> Vm; `self.state`: name -> state file."""

    def __init__(self, *args):
        super().__init__(*args)
        self.vms, self.state, self.ended, self.pending = {}, {}, {}, []
        self.ring_head = self.ring_tail = 0
        self.fence = False
        self.wire_lock = threading.Lock()       # a frame goes to the ring or to the VM, not between the two

    def stop(self, grace=5):
        for vm in self.vms.values():
            vm.end()
        super().stop(grace)

    def layout(self, i):
        return watch.Layout([[fake.BASE, VM_BYTES]])

    def buffer(self, desc):
        return BUFS + desc % DESCS * 2048

    def _receive(self, i, frame):
        vm = next((v for v in self.vms.values() if v.nics), None)
        if vm is None or not self.dma[i]:
            return
        with self.wire_lock:
            self.land(vm, frame)

    def land(self, vm, frame):
        if vm.running:
            vm.take(frame)
            return
        if "vm-lose-one" in self.broken and self.pending and len(self.pending) == 20:
            self.broken = self.broken - {"vm-lose-one"}
            return
        if "vm-deaf" in self.broken:
            return
        desc, lay = self.ring_head % DESCS, self.layout(0)
        self.ring_head += 1
        at = lay.ram(self.buffer(desc))
        self.ram[at:at + len(frame)] = frame
        ring = lay.ram(RING + desc * 16)
        self.ram[ring + 8:ring + 16] = struct.pack("<IHH", watch.DD, len(frame), 0)
        self.pending.append(frame)

    def free_ring(self):
        """Every descriptor free, as a driver leaves them: the length 0, DD as it was."""
        lay = self.layout(0)
        for desc in range(DESCS):
            at = lay.ram(RING + desc * 16)
            self.ram[at:at + 16] = struct.pack("<QIHH", self.buffer(desc), watch.DD, 0, 0)

    # -- commands --------------------------------------------------------------------------------------------------

    def do_vm_root(self, a, send):
        return {}

    def do_vm_bind(self, a, send):
        return {"native": "igb"}

    def do_vm_start(self, a, send):
        argv, name = a["argv"], a["name"]
        if argv[0].endswith("qemu-system-x86_64"):
            append = dict(w.split("=", 1) for w in argv[argv.index("-append") + 1].split() if "=" in w)
            self.free_ring()
            self.vms[name] = Vm(self, int(append.get("hf.port", 0)), int(append["hf.nics"]))
            self.dma = [True] * len(self.dma)
        elif argv[1] == "check":
            seen = "vm-config" in self.broken
            self.ended[name] = (3, "vm0: 0000:01:00.0 ari (0x150): a new capability at 0x150\n") if seen else \
                (0, f"{argv[2]}: the guest could see no change\n")
        elif argv[2] == "resume" and "no-such-device" in argv:
            self.state[name] = {"state": "held", "reason": "no such device"}
        elif argv[2] == "resume" and name in self.vms:
            self.resume(name, send)
        elif argv[2] == "resume":
            self.ended[name] = (1, f"holdfast: {argv[3]}: no VM named {argv[3]} came from the last kernel")
        return {"pid": 7}

    def resume(self, name, send):
        vm = self.vms[name]
        for i, nic in enumerate(self.nics) if vm.nics else ():
            self.cfg(nic.bdf, 0x72, 0x8009)
            self.message(i)
        vm.text = b""                                   # its file went with the old kernel
        with self.wire_lock:
            frames, self.pending = self.pending, []
            for f in frames:
                vm.take(f)
            self.free_ring()
            vm.running = "vm-silent" not in self.broken
        if "vm-double" in self.broken:
            vm.take(frames[0])
        if "vm-reboot" in self.broken:
            vm.boot_id = "0" * 36
        if "vm-link" in self.broken:
            vm.changes += 1
        if "vm-memory" in self.broken:
            vm.mem_ok = False
        if "vm-klog" in self.broken:
            vm.say("igb 0000:00:04.0 eth0: Reset adapter")
        if "vm-closed" in self.broken:
            vm.sock.close()
        if "vm-tx" in self.broken:
            vm.tx += 1
        self.preserved = {}
        self.state[name] = {"state": "held" if "vm-held" in self.broken else "running", "reason": "it broke",
                            "times_ms": {"exec_to_running": 10.0}}

    def do_vm_status(self, a, send):
        return {"running": True, "pid": 7, "exit": 0, "tail": "what QEMU says"}

    def do_vm_exit(self, a, send):
        if a.get("unwanted"):
            self._kexec(send)
            return None
        code, tail = self.ended.get(a["name"], (137, "Killed"))
        return {"running": False, "pid": 0, "exit": code, "tail": tail}

    def do_vm_kill(self, a, send):
        self.vms.pop(a["name"]).end()
        self.preserved = {0: "left"} if "vm-leak" in self.broken else {}
        self.pending = []
        return {}

    def do_vm_qmp(self, a, send):
        vm, line = self.vms[a["name"]], a["line"]
        if '"quit"' in line:
            self.vms.pop(a["name"]).end()
            self.dma = [False] * len(self.dma)
        elif '"migrate"' in line:
            vm.running = False
            send({"ev": "qmp", "name": a["name"], "text": json.dumps({"event": "STOP"})})
            self.saved(a["name"])
        return {"answer": '{"return": {}}'}

    def saved(self, name):
        if "vm-refuse" in self.broken:
            self.state[name] = {"state": "refused", "reason": "fd 12 is a memfd of huge pages"}
            self.back = threading.Timer(0.1, self.resume_refused, [name])
            self.back.start()
        else:
            self.preserved[0] = name
            self.state[name] = {"state": "ready", "reason": "", "times_ms": {"preserve": 1.5}}

    def resume_refused(self, name):
        state = self.state[name]
        self.resume(name, None)
        self.state[name] = state

    def do_vm_wait(self, a, send):
        state = self.state[a["name"]]
        if state["state"] == "ready":
            send({"ev": "vm", "name": a["name"], "state": "saving"})
        send({"ev": "vm", "name": a["name"], "state": state["state"]})
        return {"state": state["state"], "text": json.dumps(state)}

    def do_vm_mem(self, a, send):
        send({"ev": "mem", "slot": a["slot"], "off": 0, "runs": [list(r) for r in self.layout(0).runs], "last": True})
        return {"bytes": VM_BYTES}

    def do_vm_ring(self, a, send):
        return {"base": RING, "len": DESCS * 16, "srrctl": 0, "head": self.ring_head % DESCS,
                "tail": (self.ring_head - 1) % DESCS}

    def do_sys_read(self, a, send):
        if a["path"].endswith(".port"):
            text = self.vms[a["path"].split("/")[-1][:-5]].text[a["off"]:a["off"] + 1500].decode()
            return {"text": text, "eof": True}
        if a["path"].endswith(".out"):
            return {"text": "", "eof": True}
        return super().do_sys_read(a, send)

    def do_sys_kho(self, a, send):
        out = super().do_sys_kho(a, send)
        return dict(out, kho_entries=out["kho_entries"] + len(self.preserved))
