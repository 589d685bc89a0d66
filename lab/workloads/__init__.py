"""The kinds of device that the lab knows, one file each (docs/new-device.md): what QEMU is told of it, what the agent does with
it, what the lab sees of that from outside, and what "nothing lost" means for it."""

import importlib
import pkgutil

NOT_A_KIND = ("base", "nic")


def names():
    """As scenarios have them."""
    return sorted(m.name.replace("_", "-") for m in pkgutil.iter_modules(__path__) if m.name not in NOT_A_KIND)


def kind(name):
    """The class of a kind of device; KeyError: there is none of that name."""
    if name not in names():
        raise KeyError(name)
    return importlib.import_module("." + name.replace("-", "_"), __name__).WORKLOAD
