"""A machine that is not there: RAM, a NIC that does DMA into it, an agent that answers, a trace.

It lets whole scenarios run in a second, and lets a test break exactly one thing (`broken`).
"""

import json
import mmap
import os
import select
import socket
import struct
import tempfile
import threading
import time

import images
from lab.host import devices
from lab.observe import watch

DESCS = 16384
RING, BUFS = 0x1000, 0x100000
CANARY = 0x80000
BASE = 0x100000


class Machine:
    broken = frozenset()
    kernel_s = 0.3

    def __init__(self, outdir, spec, accel, kernel, initrd, cmdline, tested):
        self.size = 128 << 20
        self.nics = self.tested = tested
        self.bystander = devices.Nic("bystander", "igb", "52:54:00:00:01:01", "root-port")
        self.dir = tempfile.TemporaryDirectory()        # goes with the machine
        self.ctl_path = os.path.join(self.dir.name, "ctl")
        self.trace_path = os.path.join(outdir, "trace.log")
        self.ram_fd = os.memfd_create("fake")
        os.ftruncate(self.ram_fd, self.size)
        self.ram = mmap.mmap(self.ram_fd, self.size)
        self.done = threading.Event()
        self.head = [0] * len(self.nics)
        self.dma = [False] * len(self.nics)
        self.plant = {}
        self.generation = 0
        self.preserved = {}
        self.fail_freeze = False
        self.irqs = 0
        self.raised = 0
        self.unwanted = set()
        self.prepared = 0
        self.no_kernel = False
        self.error = False
        self.qmp = self         # its monitor

    # -- what qemu.Machine has -----------------------------------------------------------------------------------

    def start(self):
        self.trace = open(self.trace_path, "w", buffering=1)
        self.ram[CANARY:CANARY + watch.PAGE] = bytes([watch.CANARY_BYTE]) * watch.PAGE
        self.line("ioapic_set_irq vector: 4 level: 1")
        self.line("vtd_reg_dmar_root addr 0x1000 scalable 0")
        self.line("vtd_reg_ir_root addr 0x2200000 size 0x10000")
        for i in range(len(self.nics)):
            self.message(i)
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(self.ctl_path)
        self.server.listen(1)
        self.threads = [threading.Thread(target=self._agent, daemon=True), threading.Thread(target=self._nic, daemon=True)]
        for t in self.threads:
            t.start()

    def locate(self):
        for i, nic in enumerate(self.nics):
            nic.bdf, nic.ports = f"0000:0{i + 1}:00.0", [f"0000:00:0{i + 4}.0"]
        self.bystander.bdf, self.bystander.ports = "0000:09:00.0", ["0000:00:09.0"]

    def crashed(self):
        return "qemu" in self.broken

    def last_words(self):
        return "Assertion failed"

    def alive(self):
        return not self.done.is_set()

    def save_cpus(self):
        return "nowhere"

    def stop(self, grace=5):
        self.done.set()
        for t in self.threads:
            t.join(2)
        for nic in self.nics + [self.bystander]:
            nic.sock.close()
            nic.qemu_sock.close()
        self.ram.close()
        os.close(self.ram_fd)
        self.trace.close()

    # -- the device ------------------------------------------------------------------------------------------------

    def layout(self, i):
        length = BUFS + DESCS * 2048
        return watch.Layout([[BASE + i * 0x2800000, length]])

    def _nic(self):
        socks = {n.qemu_sock: i for i, n in enumerate(self.nics)}
        while not self.done.is_set():
            ready, _, _ = select.select(list(socks), [], [], 0.05)
            for sock in ready:
                frame = sock.recv(4096)
                if self.dma[socks[sock]]:
                    self._receive(socks[sock], frame)

    def _receive(self, i, frame):
        lay, desc = self.layout(i), self.head[i]
        if desc == DESCS:
            return
        if "lose-one" in self.broken and desc == 350:
            self.broken = self.broken - {"lose-one"}
            return
        if "corrupt-one" in self.broken and desc == 350:
            frame = frame[:99] + bytes([frame[99] ^ 1]) + frame[100:]
        self.head[i] += 1
        at = lay.ram(BUFS + desc * 2048)
        if self.plant.get(i) == desc:
            self.line(f"vtd_dmar_fault sid {(i + 1) << 8:#x} fault 5 addr {CANARY + 2:#x} write 1")
            if "breach" in self.broken:
                self.ram[CANARY:CANARY + len(frame)] = frame
        else:
            self.ram[at:at + len(frame)] = frame
        ring = lay.ram(RING + desc * 16)
        self.ram[ring + 8:ring + 16] = struct.pack("<IHH", watch.DD, len(frame), 0)
        self.irqs += 1

    # -- the kernels -----------------------------------------------------------------------------------------------

    def line(self, text):
        t = time.time()
        self.trace.write(f"1@{int(t)}.{int(t % 1 * 1e6):06d}:{text}\n")

    def cfg(self, bdf, off, value):
        self.line(f"pci_cfg_write x {bdf[5:]} @{off:#x} <- {value:#x}")

    def message(self, i):
        """A NIC's interrupt, through the table that the kernel has installed."""
        self.line("vtd_ir_remap_msi_req addr 0xfee00278 data 0x0")
        self.line(f"vtd_ir_irte_get index 5 low {0x40100 + (i << 8):#x} high 0x20025000d")
        self.line("vtd_ir_remap index 5 trigger 0 vector 37 deliver 0 dest 0x1 mode 1")

    def _kexec(self, send):
        devices = [n.bdf for n in self.nics]
        kept = bool(self.preserved) and "takeover" not in self.broken
        for bdf in devices:
            if self.preserved and "quiesce" not in self.broken:
                self.cfg(bdf, 0x72, 0xC009)
        self.cfg(self.bystander.bdf, 4, 0x103)
        if not self.preserved:
            self.dma = [False] * len(self.dma)
            for bdf in devices:
                self.cfg(bdf, 4, 0x103)
        if kept:
            self.line("vtd_reg_dmar_root addr 0x1000 scalable 0")
        else:
            self.line("vtd_reg_write_gcmd status 0xc7000000 value 0x6000000")
            self.line("vtd_dmar_enable enable 0")
        if self.preserved and "quiesce" in self.broken:
            for i in range(len(devices)):
                self.message(i)
        time.sleep(self.kernel_s)
        if "panic" in self.broken:
            self.done.set()
            return
        self.generation += 1
        for bdf in devices:
            self.cfg(bdf, 4, 0x507)
            if "guard" in self.broken:
                self.cfg(bdf, 0x10, 0xFFFFFFFF)
        if self.fence:
            for i, bdf in enumerate(devices):
                if "fence" not in self.broken:
                    self.dma[i] = False
                    self.cfg(bdf, 4, 0x103 if "intx" in self.broken else 0x503)
                if "comeback" in self.broken:
                    self.cfg(bdf, 4, 0x507)
                if "driver" in self.broken:     # by a reset: as it should be
                    self.cfg(bdf, 0xA8, 0x8000)
                    self.cfg(bdf, 4, 0x107)
                if "sends" in self.broken:
                    self.message(i)
                if "asserts" in self.broken:
                    self.line(f"ioapic_set_irq vector: {20 + i} level: 1")
            self.line("vtd_reg_write_gcmd status 0xc7000000 value 0x6000000")
        else:
            self.line("vtd_reg_dmar_root addr 0x2000 scalable 0")
        self.line("vtd_reg_ir_root addr 0x2300000 size 0x10000")
        send({"ev": "boot", "release": self.release(), "cmdline": "", "generation": self.generation})

    def release(self):
        return "7.2"

    def _agent(self):
        conn, _ = self.server.accept()

        def send(obj):
            try:
                conn.sendall(json.dumps(dict(obj, t_us=1)).encode() + b"\n")
            except OSError:
                pass

        send({"ev": "boot", "release": "7.2-0", "cmdline": "", "generation": 0})
        buf = b""
        conn.settimeout(0.1)
        while not self.done.is_set():
            try:
                data = conn.recv(65536)
            except TimeoutError:
                continue
            if not data:
                break
            *lines, buf = (buf + data).split(b"\n")
            for raw in lines:
                msg = json.loads(raw)
                got = getattr(self, "do_" + msg["cmd"].replace(".", "_"))(msg["args"], send)
                if isinstance(got, str):
                    send({"re": msg["id"], "ok": False, "errno": 5, "error": got})
                elif got is not None:
                    send(dict(got, re=msg["id"], ok=True))
        conn.close()
        self.server.close()

    def stat(self, i):
        return {"rdh": self.head[i], "rdt": 0, "irq": [self.irqs, 0], "pba": 1, "command": 0x107,
                "bars": [1, 2, 3, 4 + ("identity" in self.broken and self.generation), 0, 0], "vconfig_sha": "x"}

    def do_dev_open(self, a, send):
        ring = self.layout(a["slot"]).ram(RING)
        self.ram[ring:ring + DESCS * 16] = bytes(DESCS * 16)
        self.ram[CANARY:CANARY + watch.PAGE] = bytes([watch.CANARY_BYTE]) * watch.PAGE
        self.head[a["slot"]] = 0
        self.dma[a["slot"]] = True
        return {"mem_bytes": 1, "iova_base": 0, "vconfig_sha": "x"}

    def do_dev_mem(self, a, send):
        runs = [list(r) for r in self.layout(a["slot"]).runs]
        send({"ev": "mem", "slot": a["slot"], "off": 0, "runs": runs, "last": True})
        return {"ring_off": RING, "buf_off": BUFS, "buf_size": 2048, "descs": DESCS}

    def do_dev_stat(self, a, send):
        return self.stat(a["slot"])

    def do_dev_poll(self, a, send):
        time.sleep(0.02)
        return {"irq": [self.irqs] + [self.raised >> n & 1 for n in range(1, 4)]}

    def do_dev_raise(self, a, send):
        self.raised = 0 if "mute" in self.broken else a["mask"]
        return {}

    def do_nic_plant(self, a, send):
        self.plant[a["slot"]] = desc = self.head[a["slot"]] + 40
        return {"desc": desc, "canary_gpa": CANARY, "iova": CANARY}

    def do_dev_rearm(self, a, send):
        if self.preserved:
            self.cfg(self.nics[a["slot"]].bdf, 0x72, 0x8009)
        self.message(a["slot"])
        latched = [0 if "lost-irq" in self.broken else 1, 0]
        return {"pba_before": 1, "irq_latched": latched, "irq": [n + 1 for n in latched]}

    def do_luo_preserve(self, a, send):
        if "refuse" in self.broken:
            return "PRESERVE_FD 0000:01:00.0: no handler"
        if "refuse-nameless" in self.broken:
            return "PRESERVE_FD: no handler"
        if a["slot"] in self.preserved:
            return "PRESERVE_FD: busy"
        self.preserved[a["slot"]] = a["session"]
        self.prepared += 1
        return {}

    def do_luo_cancel(self, a, send):
        self.preserved = {k: v for k, v in self.preserved.items() if v != a["session"]}
        return {}

    def do_luo_finish(self, a, send):
        for i in self.unwanted if "give-up" not in self.broken else ():
            bdf = self.nics[i].bdf
            if "reset-first" in self.broken:
                self.cfg(bdf, 0xA8, 0x8000)
            self.cfg(bdf, 4, 0x103)
            self.cfg(bdf, 0xA8, 0x8000)
            self.dma[i] = False
        return self.do_luo_cancel(a, send)

    def do_dev_close(self, a, send):
        self.dma[a["slot"]] = False
        return {"native": ""}

    def do_luo_why(self, a, send):
        return {"can": False, "reason": "because"}

    def do_luo_retrieve(self, a, send):
        if self.preserved.get(a["slot"]) != a["session"]:
            return "no such session"
        if a.get("skip_cdev") or a.get("leave"):
            self.unwanted.add(a["slot"])
        return dict(self.stat(a["slot"]), attach_us=1500)

    def do_kexec_load(self, a, send):
        self.fence = "liveupdate=off" in a["cmdline"] or "intel_iommu=off" in a["cmdline"]
        return {}

    def do_kexec_exec(self, a, send):
        if self.fail_freeze:
            for nic in self.nics:
                if "quiesce" not in self.broken:
                    self.cfg(nic.bdf, 0x72, 0xC009)
                    self.cfg(nic.bdf, 0x72, 0x8009)
            return "freeze failed"
        self._kexec(send)
        return None

    def do_mark(self, a, send):
        self.cfg("0000:00:00.0", 0x2C, a["n"])
        return {}

    def do_pci_dump(self, a, send):
        image = images.root_port() if a["bdf"].startswith("0000:00") else images.igb()
        for at in range(0, 4096, 1024):
            send({"ev": "pci", "bdf": a["bdf"], "off": at, "hex": bytes(image[at:at + 1024]).hex(), "last": at == 3072})
        return {"size": 4096}

    def do_pci_read(self, a, send):
        return {"value": 0x503}

    def do_pci_write(self, a, send):
        if "yields" in self.broken:
            self.cfg(a["bdf"], a["off"], a["value"])
        return {}

    def do_sys_read(self, a, send):
        state = "idle" if self.fence and "held" not in self.broken else "adopted"
        return {"text": f"state {state}\ndepended 0\nwithheld 2\nbar 2\nunexplained 0\n", "eof": True}

    def do_sys_write(self, a, send):
        self.fail_freeze = a["text"] == "1"
        return {}

    def do_sys_kho(self, a, send):
        extra = self.generation if "leak" in self.broken else 0
        lost = 4 * self.prepared if "lose-page" in self.broken else 0
        return {"kho_entries": 3 + extra, "mem_unused_kb": 900000 - lost, "preserved": len(self.preserved)}

    def call(self, _command, **line):
        self.error = "pcie_aer" in line["command-line"]
        return "OK"

    def do_klog(self, a, send):
        text = "irq 20: nobody cared (try booting with the \"irqpoll\" option)" if "scream" in self.broken else "hello"
        text = "WARNING: CPU: 0 PID: 1 at x.c:1" if "warn" in self.broken else text
        if self.error and "silent" not in self.broken:
            text = "PCI: live update: 0000:00:04.0: uncorrectable error"
        send({"ev": "klog", "seq": 1, "prio": 6, "at_us": 1000, "line": text})
        return {"next": 2}

    def do_net_check(self, a, send):
        return {"ifname": "eth0", "sent": 8, "received": 0 if "bystander" in self.broken else 8}

    def do_quit(self, a, send):
        self.done.set()
        return {}
