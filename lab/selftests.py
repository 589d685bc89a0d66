"""python3 -m lab.selftests: kselftests on our kernel: Linux's own of the live update orchestrator, unmodified, and ours.

They come as static programs (scripts/selftests builds them). Two run within one kernel; the others have two
stages with a kexec between them, which upstream leaves to a person and the lab does itself.
"""

import argparse
import os
import re
import shutil
import sys

from . import judge
from .errors import EmulatorFault, Infra
from .host import qemu
from .host.agent import AgentError, AgentTimeout, Control
from .run import BOOT_S, put

KSFT_SKIP = 4
WITHIN_ONE_KERNEL = ("liveupdate", "vfio_pci_liveupdate_test")
ON_A_DEVICE = ("vfio_pci_liveupdate_test",)
ACROSS_KEXEC = ("luo_kexec_simple", "luo_multi_session", "luo_stress_sessions", "luo_stress_files")
MACHINE = {"nics": ["root-port"], "memory": 1024}
TAP = re.compile(r"^(ok|not ok) \d+ (\S+)(.*)$")


class Selftests:
    def __init__(self, build, kernel, accel, patience):
        self.build, self.kernel, self.accel, self.patience = build, kernel, accel, patience
        self.dir = os.path.join(build, "lab", "selftests")
        self.machine = self.ctl = None
        self.generation = 0
        self.log = []               # of all kernels
        self.count = {"ok": 0, "not ok": 0, "skip": 0}

    def report(self, verdict, name, text=""):
        self.count[verdict] += 1
        print(f"{verdict} {name}" + (f": {text}" if text else ""), flush=True)

    def cmdline(self):
        return f"{qemu.BASE_CMDLINE} intel_iommu=on" + (f" hf.gen={self.generation}" if self.generation else "")

    def start(self):
        share = os.path.join(self.dir, "share")
        shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(share)
        for source, name in ((f"kernel/{self.kernel}/bzImage", "bzImage"), ("agent/initrd.gz", "initrd.gz"),
                             *((f"selftests/{t}", t) for t in WITHIN_ONE_KERNEL + ACROSS_KEXEC)):
            path = os.path.join(self.build, source)
            if not os.path.exists(path):
                raise Infra(f"{path} is not there: run make check, or scripts/selftests")
            put(path, os.path.join(share, name))
        self.machine = qemu.Machine(self.dir, MACHINE, self.accel, os.path.join(share, "bzImage"),
                                    os.path.join(share, "initrd.gz"), self.cmdline())
        self.machine.start()
        self.ctl = Control(self.machine.ctl_path, os.path.join(self.dir, "ctl.log"), self.machine.alive)
        try:
            self.ctl.wait_event("boot", BOOT_S * self.patience)
        except AgentTimeout as e:
            raise Infra(f"the kernel did not come up ({e}); see {self.dir}/console.log") from e
        self.machine.locate()

    def stop(self):
        if self.ctl and self.machine.alive():
            try:
                self.ctl.send("quit")
            except AgentTimeout:
                pass
        if self.machine:
            self.machine.stop(grace=3 if self.ctl else 0)
        if self.ctl:
            self.ctl.close()

    def run(self, *argv, timeout=90):
        """(exit code, lines) of a program in the guest."""
        timeout *= self.patience
        got = self.ctl.call("run", timeout=timeout + 10, argv=[f"/share/{argv[0]}", *argv[1:]], timeout_s=int(timeout))
        return got["exit"], [ev["line"] for ev in self.ctl.take_events("run")]

    def read_log(self):
        self.ctl.call("klog", timeout=20 * self.patience, **{"from": 0})
        self.log += [ev.get("line", "") for ev in self.ctl.take_events("klog")]

    def report_log(self):
        """What the kernels said meanwhile is judged as that of a scenario is."""
        for check in judge.log_checks(self.log):
            self.report("ok" if check.ok else "not ok", f"log.{check.name}", "; ".join(check.details))

    def blame_emulator(self):
        """Raises EmulatorFault if what failed was QEMU. An interrupt that it lost stays lost."""
        if self.machine.crashed():
            raise EmulatorFault(f"QEMU crashed: {self.machine.last_words()}")
        if self.machine.alive():
            where = self.machine.save_cpus()
            if qemu.lost_eoi(where):
                raise EmulatorFault(f"the emulated APIC of a CPU waits for the end of an interrupt that no one handles any more; see {where}")

    def kexec(self):
        self.generation += 1
        self.ctl.call("kexec.load", timeout=60 * self.patience, kernel="bzImage", initrd="initrd.gz",
                      cmdline=self.cmdline())
        ident = self.ctl.send("kexec.exec")
        self.ctl.wait_event("boot", BOOT_S * self.patience, lambda ev: ev.get("generation") == self.generation,
                            reply_to=ident)

    def give_to_vfio(self, bdf):
        """The function to vfio-pci; returns its address, which is what a test on a device takes."""
        device = f"/sys/bus/pci/devices/{bdf}"
        for path, text in ((f"{device}/driver_override", "vfio-pci"), (f"{device}/driver/unbind", bdf),
                           ("/sys/bus/pci/drivers_probe", bdf)):
            self.ctl.call("sys.write", path=path, text=text)
        return bdf

    def within_one_kernel(self, name):
        args = [self.give_to_vfio(self.machine.nics[0].bdf)] if name in ON_A_DEVICE else []
        code, lines = self.run(name, *args)
        results = [m.groups() for m in map(TAP.match, lines) if m]
        for result, test, rest in results:
            skipped = result == "ok" and "# SKIP" in rest
            self.report("skip" if skipped else result, test, rest.strip() if skipped or result != "ok" else "")
        if code == KSFT_SKIP and not results:
            self.report("skip", name, last(lines))
        elif not results or (code and all(r == "ok" for r, _n, _t in results)):
            self.report("not ok", name, f"exit {code}: {last(lines)}")

    def across_kexec(self, name):
        for stage in ("1", "2"):
            code, lines = self.run(name, "--stage", stage)
            if code:
                self.report("skip" if code == KSFT_SKIP else "not ok", name, f"stage {stage}, exit {code}: {last(lines)}")
                return
            if stage == "1":
                self.read_log()
                self.kexec()
        self.report("ok", name)

    def all(self):
        try:
            self.start()
            for name in WITHIN_ONE_KERNEL:
                self.within_one_kernel(name)
            for name in ACROSS_KEXEC:
                self.across_kexec(name)
            self.read_log()
            self.report_log()
        except (AgentError, AgentTimeout) as e:
            self.blame_emulator()
            self.report("not ok", name, f"{e}; see {self.dir}/console.log")
        else:
            if self.count["not ok"]:
                self.blame_emulator()   # a test that hung was ended by its own time limit
        finally:
            self.stop()


def last(lines):
    return next((line for line in reversed(lines) if line.strip()), "it said nothing")


def main():
    p = argparse.ArgumentParser(prog="lab.selftests", description=__doc__.splitlines()[0])
    p.add_argument("--build", default="build", metavar="DIR")
    p.add_argument("--kernel", default="7.2", metavar="NAME")
    p.add_argument("--accel", default="tcg", choices=("tcg", "kvm"))
    p.add_argument("--patience", type=float, default=1.0, metavar="X", help="multiply every time limit (slow machine)")
    args = p.parse_args()
    tests = Selftests(os.path.abspath(args.build), args.kernel, args.accel, args.patience)
    try:
        try:
            tests.all()
        except EmulatorFault as e:
            print(f"selftests: {e}: once more", file=sys.stderr)
            tests = Selftests(os.path.abspath(args.build), args.kernel, args.accel, args.patience)
            tests.all()
    except Infra as e:
        print(f"selftests: {e}", file=sys.stderr)
        return 75
    print("{ok} passed, {not ok} failed".format(**tests.count) +
          (", {skip} skipped".format(**tests.count) if tests.count["skip"] else ""))
    return 0 if tests.count["ok"] and not tests.count["not ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
