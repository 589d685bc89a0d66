"""A VM on the host under test: its command line, as unmodified QEMU takes it, and what the lab holds of it."""

import json
import os
import subprocess

from ..errors import Infra, Skip

QEMU = "/usr/bin/qemu-system-x86_64"
HELPER = "/share/holdfast"
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
# As for the host. The VM's own processor is as slow as any here, so its watchdogs are off too.
# The same kernel as the host's, but nothing is handed over in a VM: the memory that KHO sets aside would be most of what it has.
CMDLINE = "quiet panic=-1 no_timer_check tsc=nowatchdog kho=off"


def root_folder():
    """The root of the host, where its QEMU is."""
    given = os.environ.get("HOLDFAST_VMROOT")
    if given:
        return given
    script = os.path.join(ROOT, "scripts", "vmroot")
    got = subprocess.run([script], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    said = got.stderr.strip().splitlines()[-1:] or ["no reason given"]
    if got.returncode == 77:
        raise Skip(said[0])
    if got.returncode:
        raise Infra(f"no root for the host: {said[0]}")
    return got.stdout.strip().splitlines()[-1]


class Vm:
    def __init__(self, spec):
        self.name = spec.get("name", "vm0")
        self.nics = spec.get("nics", [0])       # numbers of the machine's
        self.others = spec.get("others", [])    # devices that it has too, and does not use
        self.memory = spec.get("memory", 128)
        self.hugetlb = spec.get("hugetlb", False)
        self.hot = spec.get("hot", 0)
        self.prealloc = spec.get("prealloc", False)
        self.persona = spec.get("persona")      # a map, relative to the project's folder
        self.link = None
        self.bdfs = []

    def argv(self, kernel):
        """QEMU's command line; `kernel`: the file of the VM's own kernel in the share."""
        append = f"{CMDLINE} hf.nics={len(self.nics)} hf.hot={int(self.hot)}"
        if self.nics:
            append += f" hf.port={self.link.port}"
        huge = ",hugetlb=on,hugetlbsize=2M" if self.hugetlb else ""
        ram = f"memory-backend-memfd,id=ram0,size={self.memory}M,share=on{huge}"
        ram += ",prealloc=on" if self.prealloc else ""
        out = [QEMU, "-name", self.name, "-accel", "kvm", "-cpu", "host", "-smp", "1", "-m", str(self.memory),
               "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
               "-object", ram, "-machine", "q35,memory-backend=ram0,aux-ram-share=on",
               "-qmp", f"unix:/run/{self.name}.qmp,server=on,wait=off"]
        if self.nics:
            out += ["-object", "iommufd,id=iommufd0"]
            for i, bdf in enumerate(self.bdfs):
                out += ["-device", f"vfio-pci,host={bdf},iommufd=iommufd0,rombar=0,bus=pcie.0,addr={4 + i}"]
        else:
            out += ["-chardev", f"file,id=out,path=/run/{self.name}.port,append=on",
                    "-device", "virtio-serial-pci", "-device", "virtserialport,chardev=out"]
        return out + ["-kernel", f"/share/{kernel}", "-initrd", "/share/vm-initrd.gz", "-append", append]

    def state_file(self):
        return f"file:/run/{self.name}.state"

    def save_argv(self, kernel):
        """What QEMU executes in place of itself when its state is in the file."""
        persona = ["--persona", f"/share/{os.path.basename(self.persona)}"] if self.persona else []
        return [HELPER, "vm", "save", self.name, *persona, "--", *self.argv(kernel), "-incoming", self.state_file()]


def qmp(execute, **arguments):
    """A line for QEMU's monitor."""
    msg = {"execute": execute}
    if arguments:
        msg["arguments"] = arguments
    return json.dumps(msg, separators=(",", ":"))


def cpr_lines(vm, command):
    """The lines that hand a VM over to `command`."""
    return [qmp("migrate-set-parameters", mode="cpr-exec", **{"cpr-exec-command": command}),
            qmp("migrate", uri=vm.state_file())]
