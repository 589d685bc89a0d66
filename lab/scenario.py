"""Scenario files: data, one TOML file each in lab/scenarios/."""

import os
import tomllib
from dataclasses import dataclass, field, replace

from . import workloads
from .flows import FLOWS
from .flows.steps import spell_out
from .host import damage
from .vm import FLOWS as VM_FLOWS

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "scenarios")
RUN_S = 45              # a stretch of traffic around one update, three times as long as it takes on an idle machine
DESCS_MAX = 65528       # what igb can do
TOP = {"summary", "kind", "old", "new", "rate", "descs", "vectors", "updates", "sessions", "settle_s", "plant",
       "optional_kernels", "cancel", "owner", "again", "check_leftovers", "damage", "machine", "negative", "case", "cmdline",
       "cmdline_new", "timeout_s", "vm", "flow", "default", "in_blackout", "told", "act", "tasks", "absent", "device", "steps"}
MACHINE = {"trace", "iommu", "memory", "nics", "model", "bystander", "bystander_slot"}
ACTS = {"hostile": ("lost", "unbind", "unbind-finish", "reads", "binds", "fills", "silent", "cancel-intx", "pristine", "sleeps",
                    "resets", "maps"),
        "driver": ("callbacks", "gone")}
BEHIND = ("root-port", "switch", "sibling", "pci-bridge")       # sibling: function 1 of the device before it
VM_KEYS = {"name", "nics", "others", "memory", "hugetlb", "hot", "prealloc", "persona"}
CASE = {"name", "reason", "why", "machine", "cmdline", "nic", "vf", "pf_owner", "open", "preserve", "before", "after", "undo",
        "device"}


class ScenarioError(ValueError):
    """A scenario file that says something the runner does not know."""


@dataclass
class Scenario:
    name: str
    summary: str
    kind: str = "update"
    old: str = "7.2"
    new: list = field(default_factory=lambda: ["7.2"])    # the kernels of update 1, 2, …, round and round
    rate: int = 500
    descs: int = 16384
    vectors: int = 4
    updates: int = 1
    sessions: str = "one"           # one: all NICs in one session; each: one session per NIC
    settle_s: float = 2.0
    plant: bool = True
    optional_kernels: list = field(default_factory=list)
    cancel: str = ""                # session | freeze
    owner: str = ""                 # never | gone: of kind unwanted, what becomes of the device's owner
    again: bool = False             # of kind fence: can the device be opened like any other afterwards?
    in_blackout: list = field(default_factory=list)     # for QEMU's monitor, as soon as the old kernel has let go
    told: str = ""                  # what the new kernel's log has to say (a pattern)
    act: str = ""                   # of kind hostile and driver, see flows/
    tasks: int = 4                  # how many processes do it
    absent: list = field(default_factory=list)  # of kind software: the rows of the policy that nothing here can show
    check_leftovers: bool = False
    damage: str = ""                # one of damage.KINDS: of kind update, what is damaged between kexec and FINISH
    machine: dict = field(default_factory=dict)
    device: list = field(default_factory=list)  # the devices under test, each with its workload (workloads/)
    steps: list = field(default_factory=list)   # of kind update: of flows/steps.py; else one update after the other
    negative: dict = field(default_factory=dict)
    case: list = field(default_factory=list)
    cmdline: str = ""               # for both kernels
    cmdline_new: str = ""           # for the new ones only
    timeout_s: float = 120.0        # of the whole run
    vm: list = field(default_factory=list)      # the VMs (vm.py), of kind vm
    flow: str = "update"            # of kind vm, see vmflow.py
    default: bool = True            # part of a plain `check`

    def kernels(self):
        """Every kernel a run needs, in order of first use."""
        out = [self.old]
        for k in self.new[:self.updates] if self.kind != "refuse" else []:
            if k not in out:
                out.append(k)
        return out

    def on_series(self, series):
        """The same on the kernels of another series than 7.2, or on ours with a debugging variant ("7.2-lockdep");
        where it names another already, that stays."""
        series, _dash, debug = series.partition("-")

        def swap(kernel):
            base, dash, variant = kernel.partition("-")
            if debug and variant in ("", "b"):
                dash, variant = "-", debug
            return (series if base == "7.2" else base) + dash + variant

        return replace(self, old=swap(self.old), new=[swap(k) for k in self.new])

    def plan(self):
        """The steps, spelled out."""
        return spell_out(self.steps or ["open", "work", *["update"] * self.updates])

    def new_kernel(self, update):
        return self.new[update % len(self.new)]

    def session_of(self, slot):
        named = self.device[slot].get("session") if slot < len(self.device) else None
        return named or (f"holdfast-{slot}" if self.sessions == "each" else "holdfast")

    def descs_for(self, rate):
        """A ring that lasts for the whole run at that rate: nobody gives a descriptor back."""
        need = -(-rate * RUN_S * self.updates // 8) * 8
        return max(self.descs, min(need, DESCS_MAX))

    def machine_text(self):
        devices = ", ".join(f"{d.get('model', d['workload'])} behind {d['behind']}" for d in self.device)
        vms = f", {len(self.vm)} VM{'s' * (len(self.vm) > 1)}" if self.vm else ""
        return f"q35, intel-iommu {self.machine['iommu']}, {devices or 'no device'}{vms}"


def devices_of(machine):
    """What `nics` in a [machine] is short for."""
    model = {"model": machine["model"]} if "model" in machine else {}
    return [{"workload": "igb", "behind": behind, **model} for behind in machine["nics"]]


def check_devices(name, devices):
    for device in devices:
        try:
            keys = workloads.kind(device.get("workload")).keys
        except KeyError:
            raise ScenarioError(f"{name}: a device has a workload, of {', '.join(workloads.names())}") from None
        unknown = set(device) - keys - {"workload", "session", "idle"}
        if unknown:
            raise ScenarioError(f"{name}: a device with workload {device['workload']} has no {', '.join(sorted(unknown))}")
        if device.setdefault("behind", "root-port") not in BEHIND:
            raise ScenarioError(f"{name}: a device is behind {' or '.join(BEHIND)}, not {device['behind']}")


def from_dict(name, data):
    unknown = set(data) - TOP
    if unknown:
        raise ScenarioError(f"{name}: unknown key {', '.join(sorted(unknown))}")
    if "summary" not in data:
        raise ScenarioError(f"{name}: no summary")
    data = dict(data)
    if isinstance(data.get("new"), str):
        data["new"] = [data["new"]]
    machine = {"iommu": "intremap=on", "memory": 1024, "bystander": "igb"}
    if "device" not in data:
        machine["nics"] = ["root-port"]
    machine.update(data.get("machine", {}))
    if set(machine) - MACHINE:
        raise ScenarioError(f"{name}: a machine has no {', '.join(sorted(set(machine) - MACHINE))}")
    data["machine"] = machine
    if "device" in data and "nics" in machine:
        raise ScenarioError(f"{name}: either nics of the machine, or [[device]]")
    data.setdefault("device", devices_of(machine) if "nics" in machine else [])
    check_devices(name, data["device"])
    s = Scenario(name=name, **data)
    if s.kind not in FLOWS:
        raise ScenarioError(f"{name}: kind {s.kind} is not one of {', '.join(FLOWS)}")
    if s.steps and s.kind != "update":
        raise ScenarioError(f"{name}: steps are those of an update")
    try:
        s.updates = s.plan().count("freeze+kexec")
    except ValueError as e:
        raise ScenarioError(f"{name}: {e}") from e
    if s.kind == "cancel" and s.cancel not in ("session", "freeze"):
        raise ScenarioError(f"{name}: cancel must be session or freeze")
    if s.damage and (s.kind != "update" or s.damage not in damage.KINDS):
        raise ScenarioError(f"{name}: damage is done to an update, and is one of {', '.join(damage.KINDS)}")
    if s.kind == "unwanted" and s.owner not in ("never", "gone"):
        raise ScenarioError(f"{name}: owner must be never or gone")
    if s.act not in ACTS.get(s.kind, ("",)):
        raise ScenarioError(f"{name}: act must be one of {', '.join(ACTS.get(s.kind, ()))}")
    if s.kind == "vm" and (s.flow not in VM_FLOWS or not s.vm):
        raise ScenarioError(f"{name}: a VM scenario has at least one [[vm]], and its flow is one of {', '.join(VM_FLOWS)}")
    for one in s.vm:
        if set(one) - VM_KEYS:
            raise ScenarioError(f"{name}: a VM has of {', '.join(sorted(VM_KEYS))} what it needs")
    if s.kind == "refuse" and not s.case:
        raise ScenarioError(f"{name}: a refuse scenario needs at least one [[case]]")
    if s.negative and not s.negative.get("expect"):
        raise ScenarioError(f"{name}: a negative twin names the reason it must fail for")
    for case in s.case:
        if set(case) - CASE or not {"name", "reason"} <= set(case):
            raise ScenarioError(f"{name}: a case has a name, a reason, and of {', '.join(sorted(CASE))} what it needs")
    for case in s.case:
        if "nics" in case.get("machine", {}):
            case["device"] = devices_of(case["machine"])
        check_devices(name, case.get("device", []))
    return s


def load(name, folder=HERE):
    path = os.path.join(folder, name + ".toml")
    try:
        with open(path, "rb") as f:
            return from_dict(name, tomllib.load(f))
    except FileNotFoundError:
        raise ScenarioError(f"there is no scenario {name}; see: make lab") from None
    except (tomllib.TOMLDecodeError, TypeError) as e:
        raise ScenarioError(f"{name}: {e}") from e


def names(folder=HERE):
    """In the order of the files' names, the plain ones first as the numbers in `order` say."""
    found = sorted(f[:-5] for f in os.listdir(folder) if f.endswith(".toml"))
    order = ["stock", "stock-blackout", "nic-root-port", "nic-root-port-2000", "nic-switch", "nic-scalable", "nic-x2apic-ats",
             "two-nics", "twenty-updates", "cross-version", "nvme-root-port", "nvme-intx", "nic-fee", "nic-fee-xapic",
             "fence-no-luo", "fence-no-iommu", "fence-no-intremap", "fence-nvme", "unwanted", "owner-gone", "cancel-prepare",
             "cancel-freeze", "refusals", "vm-nic", "vm-no-device", "vm-cold", "vm-two-nics", "vm-hot",
             "vm-two-vms", "vm-three-updates"]
    return sorted(found, key=lambda n: (order.index(n) if n in order else len(order), n))
