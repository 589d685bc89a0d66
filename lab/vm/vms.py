"""What the flows of VM scenarios (flow.py) share: VMs started, watched, stopped."""

import json
import os
import time

from ..errors import Infra, StepFailed
from ..host import tsc
from ..host.agent import AgentTimeout
from ..observe import traffic, watch
from ..observe.ring import VmRing
from ..observe.wire import Wire
from ..run import put
from . import vm as vm_mod
from .link import FileLink, Link

HELLO_S = 120           # from the start of QEMU to the first line of the VM
SLACK_S = 5             # how much longer than expected traffic may take to come through
ALIVE_S = 5             # how often to look whether QEMU is still there while waiting


class Vms:
    """The VMs of a run."""

    def __init__(self, run):
        self.run = run
        self.vms = [vm_mod.Vm(spec) for spec in run.sc.vm]
        self.wires, self.senders = {}, {}
        self.past_beats = {one.name: [] for one in self.vms}    # of a VM of that name that was before this one
        self.past_wires = {}
        self.states = []            # {"name", "state", "t"} of each that was seen
        self.updates = {one.name: [] for one in self.vms}       # of each VM, what the flow noted of every update
        self.kernel = f"bzImage-{run.sc.old}"

    # -- start and end -------------------------------------------------------------------------------------------

    def begin(self):
        """The machine with its root, up to where VMs can be started."""
        run = self.run
        share = run.share()
        wanted = [("vm-initrd.gz", run.find("guest/initrd.gz"), "guest/initrd.gz: run make guest first")]
        if run.sc.flow != "cold":
            wanted.append(("holdfast", helper(run), "cli/holdfast: run scripts/cli first, or set HOLDFAST_BIN"))
        wanted += [(os.path.basename(one.persona), os.path.join(vm_mod.ROOT, one.persona), one.persona)
                   for one in self.vms if one.persona]
        for name, path, where in wanted:
            if not path:
                raise Infra(f"no {run.opt.build}/{where}")
            put(path, os.path.join(share, name))
        began = time.monotonic()
        folder = vm_mod.root_folder()
        run.deadline += time.monotonic() - began        # making it takes a minute, the first time
        run.cpu_khz = tsc.khz()
        run.start(machine={"root": folder})
        for number, nic in enumerate(run.machine.tested):
            run.slots[number] = {"bdf": nic.bdf, "ports": nic.ports, "mac": nic.mac}
        self.host()
        for one in self.vms:
            one.bdfs = [run.machine.tested[n].bdf for n in one.nics + one.others]
            self.listen(one)

    def begin_sections(self, findings):
        findings.sections["vm"] = {"vms": []}

    def host(self):
        """A kernel that has just booted: its root, and the devices for VMs."""
        self.run.call("vm.root", timeout=30)
        for slot in self.run.slots.values():
            self.run.call("vm.bind", bdf=slot["bdf"], timeout=30)

    def listen(self, one):
        path = f"/root/run/{one.name}.port"
        one.link = Link() if one.nics else FileLink(lambda off: self.run.tail(path, off))

    def fresh(self, one):
        """Another VM of that name is about to start: nothing that was told by the first counts for it."""
        one.link.close()
        self.past_beats[one.name] += one.link.beats
        self.listen(one)
        for number in one.nics:
            if number in self.wires:
                wire = self.wires.pop(number)
                wire.stop()
                self.past_wires[number] = self.past_wires.get(number, []) + wire.times
            self.run.watcher.slots.pop(number, None)

    def packets(self):
        """For the counter that keeps moving: what the VMs have received, or what lies in their rings for them."""
        total = 0
        for one in self.vms:
            last = one.link.last() if one.link else None
            for i, number in enumerate(one.nics):
                ring = self.run.watcher.slots.get(number) if self.run.watcher else None
                total += max(last[1]["nics"][i]["rx"] if last else 0, ring.high + 1 if ring else 0)
        return total

    def close(self):
        for wire in self.wires.values():
            wire.stop()
        for one in self.vms:
            if one.link:
                one.link.close()
                with open(os.path.join(self.run.dir, f"{one.name}.beats"), "w") as f:
                    f.writelines(f"{t:.6f} {json.dumps(beat)}\n" for t, beat in one.link.beats)

    def start(self, one, argv=None):
        """QEMU as it is, up to the VM's first line."""
        run = self.run
        run.call("vm.start", name=one.name, argv=argv or one.argv(self.kernel))
        run.note("vm started", name=one.name)
        self.hello(one)

    def hello(self, one, after=0.0, timeout=HELLO_S):
        """Waits for a line of the VM later than `after`; returns (when, the line)."""
        run = self.run
        deadline = time.monotonic() + timeout * run.opt.patience
        while True:
            got = one.link.wait(ALIVE_S, after=after)
            if got:
                break
            self.alive(one)
            if time.monotonic() > deadline:
                raise StepFailed("vm_silent", f"{one.name} says nothing: {self.said(one)}")
        run.note("vm speaks", at=got[0], name=one.name)
        return got

    def said(self, one, name=None):
        return last_line(self.run.call("vm.status", name=name or one.name).get("tail", ""))

    def alive(self, one):
        status = self.run.call("vm.status", name=one.name)
        if not status["running"]:
            raise StepFailed("vm_ended", f"{one.name} ended with {status['exit']}: {last_line(status['tail'])}")

    # -- the data path -------------------------------------------------------------------------------------------

    def watch(self, one):
        """Where the VM's memory and rings are, for the watcher outside. The memory is pinned, so once is enough."""
        run = self.run
        for number in one.nics:
            got = run.call("vm.mem", name=one.name, slot=number, timeout=60)
            runs = [r for ev in run.ctl.take_events("mem") if ev.get("slot") == number for r in ev["runs"]]
            layout = watch.Layout(runs)
            if len(layout.pages) * watch.PAGE != got["bytes"]:
                raise StepFailed("vm.mem", f"{one.name}: {len(layout.pages)} pages of {got['bytes']} bytes")
            ring = run.call("vm.ring", bdf=run.slots[number]["bdf"])
            run.slots[number].update(layout=layout, runs=layout.runs)
            run.watcher.slots[number] = VmRing(run.machine.ram, layout, ring["base"], ring["len"], number + 1)

    def traffic(self, one):
        """Frames into every NIC of the VM, until they come out at its other end."""
        run = self.run
        for i, number in enumerate(one.nics):
            nic = run.machine.tested[number]
            self.wires[number] = Wire(nic.sock, i + 1)
            sender = traffic.Sender(nic.sock, traffic.mac_bytes(nic.mac), i + 1, run.rate)
            run.senders[number] = self.senders[number] = sender
            sender.start()
        run.note("traffic", rate=run.rate)
        enough = max(20, run.rate // 2)
        got = one.link.wait(20 * run.opt.patience, lambda beat: all(n["rx"] >= enough for n in beat["nics"]))
        if not got:
            raise StepFailed("no_traffic", f"{one.name} receives nothing")
        run.started = True
        run.note("steady")

    def flow(self, one, seconds):
        """Until the VM has received that many seconds' worth of frames, or has told us so often that it goes on."""
        run = self.run
        last = one.link.last()
        goal = [n["rx"] + int(run.rate * seconds) for n in last[1]["nics"]] if last else []
        beats = last[1]["beat"] + int(seconds * 10) if last else 0

        def enough(b):
            return all(n["rx"] >= g for n, g in zip(b["nics"], goal)) if goal else b["beat"] >= beats

        one.link.wait(seconds * 4 + SLACK_S, enough)

    def follow(self, one):
        """The VM stands still: the watcher may take over."""
        for number in one.nics:
            got = self.run.call("vm.ring", bdf=self.run.slots[number]["bdf"])
            self.run.watcher.slots[number].follow(got["head"], got["tail"], time.monotonic())

    # -- QEMU's monitor and the helper ---------------------------------------------------------------------------

    def qmp(self, one, line, event="", timeout=20):
        """Sends a line to the VM's monitor; returns the answer, and when the event came (None: none was asked for)."""
        run = self.run
        ms = int(timeout * run.opt.patience * 1000)
        got = run.call("vm.qmp", name=one.name, line=line, event=event, timeout_ms=ms, timeout=timeout + 10)
        answer = json.loads(got.get("answer", "{}"))
        if "error" in answer:
            raise StepFailed("qmp", f"{one.name}: {answer['error'].get('desc')}")
        events = [e for e in run.ctl.take_events("qmp") if e.get("name") == one.name]
        at = next((e["_at"] for e in events if json.loads(e["text"]).get("event") == event), None)
        return answer.get("return"), at

    def wait_state(self, one, states, timeout=60):
        """(state, the state file, when) as soon as it is one of `states`."""
        run = self.run
        ms = int(timeout * run.opt.patience * 1000)
        got = run.call("vm.wait", name=one.name, states=",".join(states), timeout_ms=ms, timeout=timeout + 10)
        for ev in run.ctl.take_events("vm"):
            known = next((s["state"] for s in reversed(self.states) if s["name"] == ev["name"]), None)
            if ev["state"] == known:        # seen by the wait before this one
                continue
            self.states.append({"name": ev["name"], "state": ev["state"], "t": ev["_at"]})
            run.note("state", at=ev["_at"], name=ev["name"], said=ev["state"])
        return got["state"], parse_state(got["text"]), got["_at"]


def helper(run):
    """The holdfast program, where it is built already."""
    for path in (os.environ.get("HOLDFAST_BIN"), run.find("cli/holdfast")):
        if path and os.path.exists(path):
            return path
    return None


def parse_state(text):
    try:
        return json.loads(text)
    except ValueError:
        return {}


def last_line(text):
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1] if lines else "(nothing said)"


def save(run, name):
    """Keeps what a VM said on its way, in the result folder."""
    try:
        text = run.read(f"/root/run/{name}.out")
    except (AgentTimeout, StepFailed):
        return
    with open(os.path.join(run.dir, f"{name}-{run.generation}.out"), "w") as f:
        f.write(text)
