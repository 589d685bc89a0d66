"""One run: start the machine, take the steps, collect what is needed to judge."""

import errno
import os
import shutil
import threading
import time

from .errors import EmulatorFault, Infra, Skip, StepFailed
from .host import devices, qemu
from .host.agent import AgentError, AgentTimeout, Control
from .judge import policy
from .observe import trace, watch
from .timeline import Tail, ms, wall_offset
from .workloads import kind
from .workloads.nic import Receiver

BOOT_S = 60
PIN = 0x3D              # Interrupt Pin
MARK_BASE = 0x48460000  # no value that anybody else writes there, and room for 65,536 marks


class Run:
    """State and helpers shared by the kinds of scenario (flows.py)."""

    def __init__(self, scenario, options, view):
        self.sc, self.opt, self.view = scenario, options, view
        self.name = scenario.name + ("-negative" if options.negative else "")
        self.dir = os.path.join(options.build, "lab", self.name)
        self.rate = options.rate or scenario.rate
        self.descs = scenario.descs_for(self.rate)
        self.t0 = time.monotonic()
        self.wall0 = wall_offset()          # wall clock = wall0 + monotonic
        self.deadline = self.t0 + scenario.timeout_s * options.patience
        self.timeline = []
        self.machine = self.ctl = self.watcher = None
        self.works = {}             # the devices under test, by the number of their slot
        self.senders, self.slots = {}, {}
        self.past_times = []        # of frames that landed for an owner who is gone
        self.past_layouts = []      # and where his memory was
        self.generation = 0
        self.kernels = {"old": None, "new": None}
        self.windows, self.rearms, self.counters, self.planted = [], [], [], []
        self.times = {}
        self.updates = []
        self.update = None          # the one that is going on, or was last
        self.identity_issues = []
        self.compared = 0           # how often a device was compared with what it had been
        self.counters_wanted = 0
        self.klogs = {}             # lines of each generation
        self.config_checks = 0      # how often `holdfast check` was asked
        self.guest_sees = []        # what `holdfast check` names
        self.kho = []
        self.other_frame = lambda seq: None     # of traffic.Sender
        self.counter = None     # what is counted live, when it is not the packets that the watcher saw
        self.cpu_khz = None     # told to the kernels, for those that run VMs (tsc.py)
        self.net = []
        self.started = False
        self.marks = 0
        self.parsed = None
        self.echo_stop = threading.Event()
        self.lock = threading.Lock()

    # -- small things ----------------------------------------------------------------------------------------------

    def note(self, event, at=None, **info):
        t = at if at is not None else time.monotonic()
        with self.lock:
            self.timeline.append({"t_ms": round((t - self.t0) * 1000, 1), "event": event, **info})
            self.timeline.sort(key=lambda e: e["t_ms"])
        self.view.event(event, t - self.t0, info)

    def skipped(self, step):
        return self.opt.negative and step in self.sc.negative.get("skip", [])

    def call(self, cmd, timeout=15.0, **args):
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise StepFailed("timeout", f"{cmd}: the run's time is used up")
        try:
            return self.ctl.call(cmd, timeout=min(timeout * self.opt.patience, left), **args)
        except AgentError as e:
            raise StepFailed(cmd, str(e)) from e
        except AgentTimeout as e:
            raise self._gone(cmd, e) from e

    def _gone(self, what, e):
        if not self.started:
            return Infra(f"{what}: {e}")
        if self.machine.alive():
            lost = self.lost_interrupt()
            if lost:
                return EmulatorFault(lost)
            return StepFailed(f"timeout:{what}", f"{e} (where its CPUs are: {self.dir}/cpus.log)")
        if self.machine.crashed():
            return EmulatorFault(f"QEMU crashed: {self.machine.last_words()}")
        return StepFailed("host_died", f"{e} (QEMU ended; the last lines are in {self.dir}/console.log)")

    def lost_interrupt(self):
        """Did QEMU lose an interrupt? Then anything that sleeps may sleep for ever, and this says so in words."""
        if self.machine is None or not self.machine.alive():
            return ""
        where = self.machine.save_cpus()
        if not qemu.lost_eoi(where):
            return ""
        return f"the emulated APIC of a CPU waits for the end of an interrupt that no one handles any more; see {where}"

    def cmdline(self, generation):
        neg = self.sc.negative if self.opt.negative else {}
        parts = [qemu.BASE_CMDLINE, "intel_iommu=on" + (",sm_on" if "x-scalable-mode=on" in self.sc.machine["iommu"] else ""),
                 f"tsc_early_khz={self.cpu_khz}" if self.cpu_khz else "", self.sc.cmdline, neg.get("cmdline", "")]
        if generation:
            parts += [self.sc.cmdline_new, neg.get("cmdline_new", ""), f"hf.gen={generation}"]
        return " ".join(p for p in parts if p)

    # -- start and end ---------------------------------------------------------------------------------------------

    def find(self, relative):
        path = os.path.join(self.opt.build, relative)
        return path if os.path.exists(path) else None

    def share(self):
        """The folder the guest sees: kernels and initrd under plain names."""
        share = os.path.join(self.dir, "share")
        shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(share)
        for kernel in self.sc.kernels():
            path = self.find(f"kernel/{kernel}/bzImage")
            if not path:
                if kernel in self.sc.optional_kernels:
                    raise Skip(f"kernel {kernel} is not to be had here")
                raise Infra(f"no {self.opt.build}/kernel/{kernel}/bzImage: run make kernel first")
            put(path, os.path.join(share, f"bzImage-{kernel}"))
        initrd = self.find("agent/initrd.gz")
        if not initrd:
            raise Infra(f"no {self.opt.build}/agent/initrd.gz: run make guest first")
        put(initrd, os.path.join(share, "initrd.gz"))
        return share

    def start(self, machine=None, cmdline=None, devices=None):
        share = os.path.join(self.dir, "share")
        spec = dict(self.sc.machine, **(machine or {}))
        tested = [kind(d["workload"]).qemu(number, d) for number, d in enumerate(devices or self.sc.device)]
        self.machine = qemu.Machine(self.dir, spec, self.opt.accel, os.path.join(share, f"bzImage-{self.sc.old}"),
                                    os.path.join(share, "initrd.gz"), cmdline or self.cmdline(0), tested)
        self.note("start", kernel=self.sc.old)
        self.machine.start()
        self.ctl = Control(self.machine.ctl_path, os.path.join(self.dir, "ctl.log"), self.machine.alive)
        try:
            boot = self.ctl.wait_event("boot", BOOT_S * self.opt.patience)
        except AgentTimeout as e:
            where = self.machine.save_cpus() if self.machine.alive() else "gone"
            raise Infra(f"the first kernel did not come up ({e}); see {self.dir}/console.log; its CPUs are: {where}") from e
        self.kernels["old"] = boot.get("release")
        self.machine.locate()
        self.works = {}
        for number, (d, device) in enumerate(zip(devices or self.sc.device, self.machine.tested)):
            if not self.sc.vm and not d.get("idle"):      # idle: it is there, with its native driver
                self.works[number] = kind(d["workload"])(self, number, device, d)
        self.note("booted", at=boot["_at"], release=boot.get("release"))
        self.echo(self.machine.bystander.sock)
        self.watcher = watch.Watcher(self.machine.ram)
        self.watcher.start()

    def echo(self, sock):
        """Sends frames that a NIC sends by its native driver back to it, from now on."""
        threading.Thread(target=self._echo, args=(sock,), name="echo", daemon=True).start()

    def _echo(self, sock):
        """With source and destination swapped."""
        try:
            sock.settimeout(0.3)
            while not self.echo_stop.is_set():
                try:
                    frame = sock.recv(4096)
                except TimeoutError:
                    continue
                if len(frame) >= 14 and frame[12:14] == b"\x88\xb6":
                    sock.send(frame[6:12] + frame[0:6] + frame[12:])
        except OSError:
            pass

    def stop(self):
        for sender in self.senders.values():
            sender.stop()
        self.senders = {}
        self.echo_stop.set()
        if self.watcher:
            self.watcher.stop()
        if self.machine:
            self.machine.stop(grace=3 if self.ctl else 0)
        if self.ctl:
            self.ctl.close()
        self.machine = self.ctl = self.watcher = None
        self.echo_stop = threading.Event()

    # -- steps -----------------------------------------------------------------------------------------------------

    def open_devices(self):
        for work in self.works.values():
            work.open()

    def memory(self, number):
        """Where a slot's memfd lies: (geometry, Layout)."""
        geometry = self.call("dev.mem", slot=number, timeout=30)
        runs, expect = [], 0
        for ev in self.ctl.take_events("mem"):
            if ev.get("slot") != number:
                continue
            if ev["off"] != expect:
                raise StepFailed("dev.mem", f"slot {number}: a hole in the memory map at {expect:#x}")
            runs += ev["runs"]
            expect += sum(length for _gpa, length in ev["runs"])
        return geometry, watch.Layout(runs)

    def start_work(self):
        for work in self.works.values():
            work.start()
        for work in self.works.values():
            work.steady()
        self.started = True
        self.note("steady")

    def packets(self):
        if self.counter:
            return self.counter()
        return sum(s.landed() for s in self.watcher.slots.values()) if self.watcher else 0

    def let_flow(self, seconds, meanwhile=lambda: None):
        """Waits until that many seconds' worth of work has been done, or none has for a while."""
        waits = [work.more(seconds) for work in self.works.values()]
        meanwhile()
        for wait in waits:
            wait()

    def mark(self, close=True):
        """A mark in the trace; the window that is open ends with it, unless it is only a point in it."""
        number = MARK_BASE + self.marks
        self.marks += 1
        self.call("mark", n=number)
        if close and self.windows and self.windows[-1][1] is None:
            self.windows[-1][1] = number
        return number

    def open_window(self, images):
        """From here to the next mark, config writes are judged; `images`: what the devices hold."""
        self.windows.append([self.mark(), None, images])

    def dump(self, bdf):
        """A device's whole config space."""
        try:
            self.ctl.call("pci.dump", bdf=bdf)
        except AgentError as e:
            if e.errno != errno.ENOSYS:
                raise StepFailed("pci.dump", str(e)) from e
            # An agent without the bulk command: register by register.
            words = self.ctl.many("pci.read", [{"bdf": bdf, "off": off, "size": 4} for off in range(0, 4096, 4)])
            return b"".join(w["value"].to_bytes(4, "little") for w in words)
        except AgentTimeout as e:
            raise self._gone("pci.dump", e) from e
        image = bytearray()
        for ev in self.ctl.take_events("pci"):
            if ev.get("bdf") == bdf:
                image[ev["off"]:ev["off"]] = bytes.fromhex(ev["hex"])
        return bytes(image)

    def compare_config(self, images):
        """What of each device's config space is not as it was in `images`."""
        after = self.dumps()
        for bdf, image in images.items():
            self.compared += 1
            for row in policy.Device(image).differences(image, after[bdf]):
                self.identity_issues.append(f"{bdf}:{row}")

    def dumps(self):
        """Config space of every NIC under test and of every port above it."""
        wanted = []
        for slot in self.slots.values():
            wanted += [b for b in slot["ports"] + [slot["bdf"]] if b not in wanted]
        return {bdf: self.dump(bdf) for bdf in wanted}

    def sessions(self):
        """Their names, each once."""
        return list(dict.fromkeys(self.sc.session_of(number) for number in self.slots))

    def prepare(self, say=True):
        for number in sorted(self.slots, key=lambda n: not self.works[n].preserved_first):
            self.call("luo.preserve", slot=number, session=self.sc.session_of(number), timeout=30)
        if say:
            self.note("PREPARE")

    def load(self, update):
        kernel = self.sc.new_kernel(update)
        self.call("kexec.load", kernel=f"/share/bzImage-{kernel}", initrd="/share/initrd.gz", cmdline=self.cmdline(self.generation + 1),
                  timeout=60)
        self.note("loaded", kernel=kernel)

    def before_jump(self):
        for work in self.works.values():
            work.before_jump()

    def kexec(self, say=True, jump=lambda run: run.ctl.send("kexec.exec")):
        """FREEZE and jump; returns (time of the call, boot event of the new kernel). `jump` sends the command, and
        returns its number; a reply to it means that it failed."""
        t_exec = time.monotonic()
        tail = Tail(self, t_exec) if say else None      # before the command: what it starts is in the trace at once
        ident = jump(self)
        if say:
            self.note("FREEZE", at=t_exec)
        self.generation += 1
        try:
            boot = self.ctl.wait_event("boot", BOOT_S * self.opt.patience,
                                       lambda ev: ev.get("generation") == self.generation, reply_to=ident)
        except AgentError as e:
            self.generation -= 1
            raise StepFailed("freeze_refused", str(e)) from e
        except AgentTimeout as e:
            gone = self._gone("boot", e)
            raise gone from e
        finally:
            if tail:
                tail.stop()
        self.kernels["new"] = boot.get("release")
        self.note("userspace", at=boot["_at"], release=boot.get("release"))
        self.times.setdefault("syscall_to_userspace", ms(boot["_at"] - t_exec))
        return t_exec, boot

    def meddle(self):
        """What the scenario has for QEMU's monitor, while there is no kernel that could see it."""
        for line in [] if self.skipped("in_blackout") else self.sc.in_blackout:
            said = self.machine.qmp.call("human-monitor-command", **{"command-line": line})
            self.note("monitor", name=line, said=said.strip())

    def check_bystander(self, when):
        nic = self.machine.bystander
        try:
            got = self.ctl.call("net.check", timeout=20 * self.opt.patience, bdf=nic.bdf, frames=8, timeout_ms=8000)
            text = "" if got["received"] >= got["sent"] > 0 else f"{got['received']} of {got['sent']} frames came back"
        except AgentError as e:
            text = str(e)
        except AgentTimeout as e:
            raise self._gone("net.check", e) from e
        self.net.append({"when": when, "ok": not text, "text": text})
        self.note("bystander", ok=not text)

    def read(self, path):
        """A small file of the guest, or "" when it has none."""
        text, off = "", 0
        while True:
            try:
                got = self.ctl.call("sys.read", path=path, off=off)
            except AgentError:
                return text
            except AgentTimeout as e:
                raise self._gone("sys.read", e) from e
            text += got["text"]
            off += len(got["text"].encode())
            if got.get("eof", True) or not got["text"]:
                return text

    def tail(self, path, off):
        """What a file of the guest has from `off` on, as far as one reply carries it; "" when there is no such file."""
        try:
            return self.ctl.call("sys.read", path=path, off=off)["text"]
        except AgentError:
            return ""
        except AgentTimeout as e:
            raise self._gone("sys.read", e) from e

    def read_counters(self):
        """The kernel's account of what it withheld, of every function that is preserved or kept for one."""
        for slot in self.slots.values():
            for bdf in [slot["bdf"]] + slot["ports"]:
                self.counters_wanted += 1
                text = self.read(f"/sys/kernel/debug/pci_liveupdate/{bdf}")
                if text:
                    self.counters.append(text)

    def watched(self):
        """None, or why what landed was not seen."""
        return "no watcher" if self.watcher is None else self.watcher.error

    def save_klog(self):
        """Writes the kernel log of this generation into the result folder; returns its lines."""
        try:
            self.ctl.call("klog", timeout=20, **{"from": 0})
        except (AgentError, AgentTimeout):
            return []
        events = self.ctl.take_events("klog")
        with open(os.path.join(self.dir, f"klog-{self.generation}.log"), "w") as f:
            for ev in events:
                f.write(f"[{ev.get('at_us', 0) / 1e6:12.6f}] {ev.get('line', '')}\n")
        self.klogs[self.generation] = [ev.get("line", "") for ev in events]
        return self.klogs[self.generation]

    def said(self):
        """What all kernels of the run have said, as far as it was saved."""
        return [line for lines in self.klogs.values() for line in lines]

    def finish_senders(self):
        """Stops the senders; returns how many frames each has sent in all."""
        sent = {number: sender.stop() for number, sender in self.senders.items()}
        if sent:
            self.note("traffic stopped")
        return sent

    def stop_work(self):
        """No more work; what is on its way arrives."""
        for work in self.works.values():
            work.stop()

    def families(self):
        """The devices, those that are judged together together."""
        out = {}
        for work in self.works.values():
            out.setdefault(work.family or work.name, []).append(work)
        return list(out.values())

    def breaches(self):
        """How much landed where nothing was mapped; None: there was nowhere to look, or nothing that was sent can be found."""
        if not self.machine or not self.slots:
            return None
        layouts = [s["layout"] for s in self.slots.values() if "layout" in s] + self.past_layouts
        stray, inside = [], 0
        for work in [works[0] for works in self.families() if works[0].needle] or [Receiver]:
            found, held = watch.stray(self.machine.ram_fd, self.machine.ram, layouts, work.needle, work.needle_at)
            stray += [at for at in found if work.is_ours(self.machine.ram[at:at + watch.PAGE])]
            inside += held
        if stray:
            self.note("stray frames", count=len(stray), first=hex(stray[0]))
        return self.watcher.breaches + len(stray) if stray or inside else None

    def trace(self):
        """QEMU's trace so far; parsed again only when there is more of it."""
        path = self.machine.trace_path if self.machine else os.path.join(self.dir, "trace.log")
        size = os.path.getsize(path) if os.path.exists(path) else 0
        if self.parsed is None or self.parsed[0] != (path, size):
            self.parsed = (path, size), trace.load(path)
        return self.parsed[1]


def where_fenced(run, images):
    """{function: (ports above it, where its INTx ends)}, for the judge of fences."""
    return {s["bdf"]: (s["ports"], devices.line(s["bdf"], s["ports"], images[s["bdf"]][PIN])) for s in run.slots.values()}


def call_back(run, bdf):
    """As root would, without a reset: Bus Master on, INTx on. It need not be refused, but must not reach the device."""
    now = run.call("pci.read", bdf=bdf, off=4, size=2)["value"]
    try:
        run.call("pci.write", bdf=bdf, off=4, size=2, value=now & ~0x400 | 4)
    except StepFailed as e:
        run.note("refused", said=e.text)


def put(source, target):
    """A hard link where possible, else a copy."""
    try:
        os.link(os.path.realpath(source), target)
    except OSError:
        shutil.copyfile(source, target)
