"""What a person sees: the steps as they happen, the counter that keeps moving, the verdict."""

import os
import sys
import threading
import time

STEPS = {
    "booted": "old kernel up", "open": "NIC open", "traffic": "traffic on", "steady": "receiving",
    "submitted": "commands submitted", "monitor": "QEMU's monitor", "PREPARE": "PREPARE",
    "loaded": "new kernel loaded", "planted": "stray descriptor planted", "FREEZE": "FREEZE",
    "quiesced": "interrupts masked", "stopped": "Bus Master off", "repeated": "PREPARE and CANCEL again",
    "kexec": "kexec", "scan": "scan", "adopt": "adopt", "userspace": "new userspace", "attached": "attach",
    "re-armed": "re-arm", "FINISH": "FINISH", "CANCEL": "CANCEL", "freeze failed": "FREEZE failed",
    "bystander": "other NIC checked", "traffic stopped": "traffic off", "case": "case", "refused": "refused",
    "stray frames": "STRAY FRAMES", "vm started": "QEMU started", "vm speaks": "VM speaks", "vm paused": "VM paused",
    "vm runs": "VM runs", "vm stopped": "VM stopped", "state": "helper", "helper killed": "helper killed",
}


class Quiet:
    """Shows nothing (--json, and the runs of `check`)."""

    def event(self, event, t, info):
        pass

    def counter(self, source):
        pass

    def close(self):
        pass


class Plain(Quiet):
    """One line per step: for a pipe, a log, a terminal without --live."""

    def __init__(self, out=sys.stdout):
        self.out = out

    def event(self, event, t, info):
        if event in STEPS:
            print(line(event, t, info), file=self.out, flush=True)


class Live(Plain):
    """Steps scroll, and below them a counter of packets that landed keeps moving."""

    def __init__(self, out=sys.stdout):
        super().__init__(out)
        self.source = lambda: 0
        self.lock = threading.Lock()
        self.done = threading.Event()
        self.history = []
        self.thread = threading.Thread(target=self._tick, name="show", daemon=True)
        self.thread.start()

    def counter(self, source):
        self.source = source

    def event(self, event, t, info):
        if event not in STEPS:
            return
        with self.lock:
            self.out.write("\r\x1b[K" + line(event, t, info, colour=True) + "\n")
            self._status()

    def _status(self):
        n, now = self.source(), time.monotonic()
        self.history = [(t, c) for t, c in self.history if now - t < 1.0] + [(now, n)]
        t_old, n_old = self.history[0]
        rate = (n - n_old) / (now - t_old) if now - t_old > 0.3 else 0
        self.out.write(f"\r\x1b[K   \x1b[1m{n:>8,}\x1b[0m packets in guest memory   {rate:6,.0f}/s  {spark(self.history)}")
        self.out.flush()

    def _tick(self):
        while not self.done.wait(0.1):
            with self.lock:
                self._status()

    def close(self):
        if not self.done.is_set():
            self.done.set()
            self.thread.join(1)
            self.out.write("\r\x1b[K")
            self.out.flush()


def spark(history):
    """The last second, a bar per tick."""
    steps = [b[1] - a[1] for a, b in zip(history, history[1:])][-10:]
    top = max(steps, default=0)
    return "".join("▁▂▃▄▅▆▇█"[min(7, s * 7 // top)] if top else "▁" for s in steps)


def line(event, t, info, colour=False):
    details = " ".join(f"{k}={v}" for k, v in info.items() if k in
                       ("release", "kernel", "bdf", "slot", "rate", "ok", "name", "said", "count"))
    name = STEPS[event]
    if colour and name.isupper() or colour and event in ("kexec", "scan", "adopt", "attached", "re-armed"):
        name = f"\x1b[1;36m{name}\x1b[0m" + " " * max(0, 24 - len(name))
    return f"{t:8.3f} s  {name:<24} {details}".rstrip()


def table(result, path):
    """The verdict as text."""
    rows = [("check", "value", "limit", "")] + [(b["name"], str(b["value"]), b["limit"], "ok" if b["ok"] else "FAIL")
                                            for b in result.get("checks", [])]
    widths = [max(len(r[i]) for r in rows) for i in range(4)]
    out = ["", f"{result['scenario']}: {result['machine']}"]
    kernel = result["kernel"]
    if kernel["old"]:
        out.append(f"kernel {kernel['old']} → {kernel['new'] or '(none)'}")
    if len(rows) > 1:
        out += ["  " + "  ".join(c.ljust(w) for c, w in zip(r, widths)).rstrip() for r in rows]
    dma, times = result.get("dma"), result.get("time_ms", {})
    for vm in result.get("vm", {"vms": []})["vms"]:
        out += vm_lines(vm)
    if dma and dma["offered"]:
        out.append(f"  {dma['landed']:,} of {dma['offered']:,} packets landed, {dma['landed_in_blackout']:,} of them while "
                   f"there was no kernel to receive them; longest gap {dma['max_gap_ms']:.0f} ms")
    shown = ", ".join(f"{k.replace('_', ' ')} {v:,.0f}" for k, v in times.items() if v is not None)
    if shown:
        out.append(f"  milliseconds: {shown}")
    out.append(f"verdict: {result['verdict'].upper()}" + (f"  ({', '.join(result['reasons'][:6])})" if result["reasons"] else ""))
    if result.get("text"):
        out.append(f"  {result['text']}")
    if "negative" in result:
        ok = result["negative"]["as_expected"]
        want = " or ".join(result["negative"]["expect"])
        out.append(f"negative twin: {'failed for the named reason, as it must' if ok else 'did NOT fail for ' + want}")
    out.append(f"result: {os.path.relpath(path)}")
    return "\n".join(out)


def vm_lines(vm):
    """The pauses of each update of a VM, as the VMM, the VM itself, the wire and the NIC saw it."""
    out = []
    for up in vm["updates"]:
        pause, steps = up["pause"], up["steps"]
        seen = [f"{text} {pause[key]:,.0f} ms" for key, text in
                (("vmm_ms", "QEMU paused it for"), ("wire_ms", "it sent nothing for"), ("guest_ms", "its own clock skipped"),
                 ("nic_ms", "its NIC took in nothing for")) if pause[key] is not None]
        out.append(f"  {vm['name']}: " + ", ".join(seen))
        parts = [f"{k.replace('_', ' ')} {v:,.0f}" for k, v in steps.items() if k != "helper" and v is not None]
        out.append(f"    of which, in milliseconds: {', '.join(parts)}")
    return out


def make(options):
    if options.json or options.quiet:
        return Quiet()
    if options.live and sys.stdout.isatty():
        return Live()
    return Plain()
