"""One QEMU: its command line, its memory, its monitor, its wires."""

import ctypes
import json
import mmap
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from ..errors import Infra
from .devices import Nic

QEMU = os.environ.get("HOLDFAST_QEMU", "qemu-system-x86_64")
BELOW_4G_MAX = 0xB0000000       # q35: with less RAM than this, all of it starts at address 0
TRACE_EVENTS = (
    "pci_cfg_write", "vtd_reg_write_gcmd", "vtd_reg_dmar_root", "vtd_dmar_enable", "vtd_ir_enable",
    "vtd_reg_ir_root", "vtd_ir_remap_msi_req", "vtd_ir_irte_get", "vtd_ir_remap",
    "vtd_dmar_fault", "vtd_fault_disabled", "vtd_re_not_present", "vtd_ce_not_present",
    "ioapic_set_irq", "pci_nvme_enqueue_req_completion", "pci_nvme_mmio_cfg", "pci_nvme_mmio_stopped", "pci_nvme_pci_reset",
)
# Both for emulated CPUs on a busy machine. no_timer_check: the IO-APIC's timer may come too late for its check.
# tsc=nowatchdog: the check of the TSC waits for another CPU with a timeout that stands still while the clock source is jiffies;
# when stop_machine() holds that CPU at the same time, to switch to a better one, Linux 7.2 hangs (1 boot in 20).
BASE_CMDLINE = "console=ttyS0 panic=-1 quiet no_timer_check tsc=nowatchdog liveupdate=on kho=on"


_prctl = ctypes.CDLL(None, use_errno=True).prctl


def _die_with_parent():
    """No QEMU outlives its runner, however that ends."""
    pr_set_pdeathsig = 1
    _prctl(pr_set_pdeathsig, signal.SIGKILL, 0, 0, 0)


class Machine:
    def __init__(self, outdir, spec, accel, kernel, initrd, cmdline, tested=None):
        """`spec`: the [machine] table of a scenario; `tested`: the devices under test, else an igb for each of its `nics`."""
        self.outdir = outdir
        self.size = spec.get("memory", 1024) << 20
        if self.size > BELOW_4G_MAX:
            raise Infra("a lab machine has at most 2816 MiB, so that an address is an offset in its RAM file")
        self.accel = accel
        self.kernel, self.initrd, self.cmdline = kernel, initrd, cmdline
        self.iommu = spec.get("iommu", "intremap=on")
        if tested is None:
            tested = [Nic(f"nic{i}", "igb", f"52:54:00:00:00:{i + 1:02x}", behind) for i, behind in enumerate(spec["nics"])]
        self.tested = tested
        self.nics = [device for device in tested if isinstance(device, Nic)]
        for device, following in zip(tested, tested[1:]):
            device.has_sibling = following.behind == "sibling"
        self.more_events = tuple(spec.get("trace", ()))
        self.root = spec.get("root")
        for hub, nic in enumerate(self.nics if self.root else []):
            nic.hub = hub
        self.bystander = Nic("bystander", spec.get("bystander", "igb"), "52:54:00:00:01:01", "root-port")
        self.bystander.slot = spec.get("bystander_slot")
        self.devices = [*tested, self.bystander]
        self.run_dir = tempfile.mkdtemp(prefix="holdfast-lab-")
        self.ctl_path = os.path.join(self.run_dir, "ctl")
        self.qmp_path = os.path.join(self.run_dir, "qmp")
        self.trace_path = os.path.join(outdir, "trace.log")
        self.proc = None
        self.ram = None
        self.qmp = None
        self.tree = []

    def args(self, ram_fd):
        cpu = "host" if self.accel == "kvm" else "max"
        accel = "kvm" if self.accel == "kvm" else "tcg,thread=multi"
        events = os.path.join(self.outdir, "trace.events")
        with open(events, "w") as f:
            f.write("\n".join(TRACE_EVENTS + self.more_events) + "\n")
        out = [QEMU, "-machine", "q35,kernel-irqchip=split,memory-backend=ram0", "-accel", accel, "-cpu", cpu,
               "-smp", "2", "-m", str(self.size >> 20), "-nodefaults", "-display", "none", "-no-reboot",
               "-object", f"memory-backend-file,id=ram0,size={self.size},mem-path=/proc/self/fd/{ram_fd},share=on",
               "-device", f"intel-iommu,{self.iommu}",
               "-chardev", f"socket,id=ctl,path={self.ctl_path},server=on,wait=off",
               "-device", "virtio-serial-pci,bus=pcie.0,addr=2.0",
               "-device", "virtserialport,chardev=ctl,name=holdfast.ctl",
               "-fsdev", f"local,id=share,path={os.path.join(self.outdir, 'share')},security_model=none,readonly=on",
               "-device", "virtio-9p-pci,fsdev=share,mount_tag=share,bus=pcie.0,addr=3.0",
               "-serial", f"file:{os.path.join(self.outdir, 'console.log')}",
               "-qmp", f"unix:{self.qmp_path},server=on,wait=off",
               "-trace", f"events={events}", "-D", self.trace_path, "-msg", "timestamp=on"]
        if self.root:
            out += ["-fsdev", f"local,id=root,path={self.root},security_model=none,readonly=on",
                    "-device", "virtio-9p-pci,fsdev=root,mount_tag=root,bus=pcie.0,addr=1c.0"]
        for slot, device in enumerate(self.devices):
            out += device.args(slot)
        return out + ["-kernel", self.kernel, "-initrd", self.initrd, "-append", self.cmdline]

    def start(self):
        if not shutil.which(QEMU):
            raise Infra(f"{QEMU} is not installed")
        ram_fd = os.memfd_create("holdfast-ram")
        os.ftruncate(ram_fd, self.size)
        self.ram_fd = ram_fd
        self.ram = mmap.mmap(ram_fd, self.size, mmap.MAP_SHARED, mmap.PROT_READ)
        for device in self.devices:
            device.prepare(self.outdir)
        fds = [ram_fd] + [fd for device in self.devices for fd in device.fds()]
        argv = self.args(ram_fd)
        with open(os.path.join(self.outdir, "qemu.cmd"), "w") as f:
            f.write(" ".join(argv) + "\n")
        with open(os.path.join(self.outdir, "qemu.log"), "wb") as err:
            self.proc = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=err, stderr=err,
                                         pass_fds=fds, start_new_session=True, preexec_fn=_die_with_parent)
        self.wait_for(self.qmp_path)
        self.wait_for(self.ctl_path)
        self.qmp = Qmp(self.qmp_path)

    def wait_for(self, path, timeout=20):
        deadline = time.monotonic() + timeout
        while not os.path.exists(path):
            if not self.alive():
                raise Infra(f"QEMU did not start: {self.last_words()}")
            if time.monotonic() > deadline:
                raise Infra("QEMU did not start in time")
            time.sleep(0.01)

    def alive(self):
        return self.proc is not None and self.proc.poll() is None

    def crashed(self):
        """Did QEMU end by a signal of its own, a failed assertion? No guest may bring it to that."""
        return self.proc is not None and self.proc.poll() in (-signal.SIGABRT, -signal.SIGSEGV)

    def last_words(self):
        try:
            with open(os.path.join(self.outdir, "qemu.log"), errors="replace") as f:
                lines = f.read().strip().splitlines()
            return lines[-1] if lines else f"exit code {self.proc.returncode}"
        except OSError:
            return "no log"

    def locate(self):
        """Asks QEMU where firmware and kernel put everything: BDF of each NIC, bridges above it."""
        found = {}

        def walk(devices, above):
            for d in devices:
                bdf = f"0000:{d['bus']:02x}:{d['slot']:02x}.{d['function']:x}"
                self.tree.append((bdf, d.get("qdev_id", "")))
                found[d.get("qdev_id", "")] = (bdf, above)
                walk(d.get("pci_bridge", {}).get("devices", []), above + [bdf])

        self.tree = []
        for bus in self.qmp.call("query-pci"):
            walk(bus["devices"], [])
        for device in self.devices:
            device.locate(found)

    def save_cpus(self):
        """Writes what the CPUs of a guest that does not answer are doing, three times; returns the file's path."""
        path = os.path.join(self.outdir, "cpus.log")
        try:
            with open(path, "w") as f:
                for _ in range(3):
                    for line in ("info registers -a", "info lapic 0", "info lapic 1", "info irq"):
                        f.write(self.qmp.call("human-monitor-command", **{"command-line": line}) + "\n")
                    time.sleep(0.3)
        except (Infra, OSError, ValueError) as e:
            return f"unknown, {e}"
        return path

    def stop(self, grace=5):
        if self.proc and self.proc.poll() is None:
            try:
                if self.qmp:
                    self.qmp.call("quit")
            except (Infra, OSError, ValueError):
                pass
            try:
                self.proc.wait(grace)
            except subprocess.TimeoutExpired:
                self._signal(signal.SIGTERM)
                try:
                    self.proc.wait(5)
                except subprocess.TimeoutExpired:
                    self._signal(signal.SIGKILL)
                    self.proc.wait(5)
        if self.qmp:
            self.qmp.close()
        for device in self.devices:
            device.close()
        if self.ram is not None:
            self.ram.close()
            os.close(self.ram_fd)
            self.ram = None
        shutil.rmtree(self.run_dir, ignore_errors=True)

    def _signal(self, sig):
        try:
            os.kill(self.proc.pid, sig)
        except ProcessLookupError:
            pass


class Qmp:
    """Just enough of QEMU's monitor: connect, ask, take the answer."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(10)
        try:
            self.sock.connect(path)
            self.file = self.sock.makefile("r")
            self.file.readline()
            self.call("qmp_capabilities")
        except OSError as e:
            raise Infra(f"QEMU's monitor does not answer: {e}") from e

    def call(self, command, **args):
        msg = {"execute": command}
        if args:
            msg["arguments"] = args
        self.sock.sendall(json.dumps(msg).encode() + b"\n")
        while True:
            line = self.file.readline()
            if not line:
                raise Infra("QEMU's monitor closed")
            obj = json.loads(line)
            if "return" in obj:
                return obj["return"]
            if "error" in obj:
                raise Infra(f"{command}: {obj['error'].get('desc')}")

    def close(self):
        self.file.close()
        self.sock.close()


def lost_eoi(path):
    """Did QEMU lose an interrupt? TCG (10.0.2) does, once in some dozens of runs, most of all with nested SVM: a CPU sleeps in its idle loop,
    interrupts on, while its APIC holds one to be in service, and so delivers none, for ever. `path`: what save_cpus() wrote."""
    try:
        with open(path) as f:
            text = f.read()
    except OSError:
        return False
    samples = text.split("CPU#0")[1:]
    return bool(samples) and all(_sleeps_in_service(s) for s in samples)


def _sleeps_in_service(sample):
    """One sample of save_cpus(): is there a CPU that sleeps with interrupts on and has one in service?"""
    asleep = [int(flags, 16) & 0x200 and halted == "1" for flags, halted in
              re.findall(r"RFL=([0-9a-f]+) .*HLT=(\d)", sample)]
    in_service = [isr.strip() != "(none)" for isr in re.findall(r"^ISR\t (.*)$", sample, re.M)]
    return any(a and b for a, b in zip(asleep, in_service))
