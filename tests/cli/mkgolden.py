#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""mkgolden.py DIR: manifests into DIR/good and DIR/bad. Each bad one is a good one with one thing wrong."""
import copy
import json
import pathlib
import sys

MAX = 2**64 - 1

FULL = {
    "version": 1, "name": "vm0", "argv": ["qemu-system-x86_64", "-incoming", "file:/run/vm0.state"],
    "env": ["PATH=/usr/bin", "QEMU_CPR_EXEC_STATE=20"], "cwd": "/", "umask": 18, "state_path": "/run/vm0.state",
    "saved_at_us": 1700000000000000,
    "fds": [
        {"fd": 10, "kind": "memfd", "flags": 0, "token": 10},
        {"fd": 11, "kind": "iommufd", "flags": 0},
        {"fd": 12, "kind": "vfio", "flags": 0, "token": 12},
        {"fd": 13, "kind": "vfio", "flags": 0, "token": 13},
        {"fd": 14, "kind": "eventfd", "flags": 2048, "count": 0, "semaphore": False},
        {"fd": 15, "kind": "eventfd", "flags": 0, "count": MAX - 1, "semaphore": True},
        {"fd": 20, "kind": "memfd", "flags": 0, "token": 20},
        {"fd": 21, "kind": "memfd", "flags": 0, "same_as": 20},
    ],
    "devices": [
        {"fd": 12, "iommufd": 11, "bdf": "0000:01:00.0", "dev_id": 1, "ioas_id": 3, "hwpt_id": 5, "hwpt_flags": 2,
         "auto_domain": False, "irqs": [
             {"index": 2, "vector": 0, "action": 32, "fd": 14}, {"index": 2, "vector": 2047, "action": 32, "fd": 15},
             {"index": 4, "vector": 0, "action": 32, "fd": 15}]},
        {"fd": 13, "iommufd": 11, "bdf": "", "dev_id": 2, "ioas_id": 3, "hwpt_id": 5, "hwpt_flags": 2,
         "auto_domain": False, "irqs": [
             {"index": 0, "vector": 0, "action": 32, "fd": 14}, {"index": 0, "vector": 0, "action": 16, "fd": 15}]},
    ],
    "spaces": [
        {"iommufd": 11, "ioas_id": 3, "small_pages": True, "maps": [
            {"fd": 10, "iova": 0, "length": 4096, "offset": 0, "read": True, "write": True, "mmio": False},
            {"fd": 12, "iova": 8192, "length": 4096, "offset": 1 << 40, "read": True, "write": True, "mmio": True},
            {"fd": 10, "iova": MAX - 4095, "length": 4096, "offset": 4096, "read": False, "write": True,
             "mmio": False}]},
    ],
    "times_ms": {"preserve": 12.345},
}
BARE = dict(FULL, fds=[], devices=[], spaces=[], env=[], times_ms={})
AUTO = copy.deepcopy(FULL)
for d in AUTO["devices"]:
    d.update(auto_domain=True, hwpt_flags=0, hwpt_id=4)

CONFIG = copy.deepcopy(FULL)
CONFIG["devices"][0].update(config="8680c910" + "0" * 8184, persona='persona "nic" version 1\n')
CONFIG["devices"][1].update(config="ffff" * 128)

# What a newer holdfast has added, and an older one can do without.
NEWER = copy.deepcopy(FULL)
for o in (NEWER, *NEWER["fds"], *NEWER["devices"], *NEWER["devices"][0]["irqs"], *NEWER["spaces"],
          *NEWER["spaces"][0]["maps"]):
    o.update(x_hint={"more": [1, None]}, x_=0)

DELETE = object()


def changed(path, value):
    m = copy.deepcopy(FULL)
    o = m
    for key in path[:-1]:
        o = o[key]
    if value is DELETE:
        del o[path[-1]]
    else:
        o[path[-1]] = value
    return m


BAD = {
    "version": (["version"], 2), "version-missing": (["version"], DELETE), "version-text": (["version"], "1"),
    "version-old": (["version"], 0), "not-ignorable": (["devices", 0, "irqs", 0, "X_more"], 1),
    "unknown-field": (["more"], 1), "unknown-field-inside": (["devices", 0, "more"], 1),
    "name-slash": (["name"], "a/b"), "name-long": (["name"], "x" * 49), "name-nul": (["name"], "a\0b"),
    "argv-empty": (["argv"], []), "argv-number": (["argv", 1], 7), "argv-nul": (["argv", 0], "a\0b"),
    "env-object": (["env"], {}), "cwd-relative": (["cwd"], "run"), "cwd-empty": (["cwd"], ""),
    "umask": (["umask"], 512), "state-path-missing": (["state_path"], DELETE),
    "saved-at-negative": (["saved_at_us"], -1), "saved-at-double": (["saved_at_us"], 1.5),
    "times-array": (["times_ms"], []),
    "fds-object": (["fds"], {}), "fds-of-numbers": (["fds"], [3]),
    "fd-stdio": (["fds", 0, "fd"], 2), "fd-high": (["fds", 0, "fd"], 65536), "fd-twice": (["fds", 4, "fd"], 10),
    "fd-kind": (["fds", 0, "kind"], "socket"), "fd-token-other": (["fds", 0, "token"], 11),
    "fd-token-reserved": (["fds", 0, "token"], 1 << 32), "fd-token-missing": (["fds", 0, "token"], DELETE),
    "fd-count-max": (["fds", 5, "count"], MAX), "fd-count-beyond": (["fds", 5, "count"], MAX + 1),
    "fd-same-as-later": (["fds", 0], {"fd": 10, "kind": "memfd", "flags": 0, "same_as": 20}),
    "fd-same-as-other-kind": (["fds", 7, "same_as"], 14), "fd-same-as-itself": (["fds", 7, "same_as"], 21),
    "device-fd-is-memfd": (["devices", 0, "fd"], 10), "device-fd-twice": (["devices", 1, "fd"], 12),
    "device-missing": (["devices", 1], DELETE), "device-iommufd": (["devices", 0, "iommufd"], 10),
    "device-ioas": (["devices", 0, "ioas_id"], 4), "device-id-zero": (["devices", 0, "dev_id"], 0),
    "device-id-high": (["devices", 0, "dev_id"], 4096), "device-ids-clash": (["devices", 1, "dev_id"], 1),
    "device-id-of-space": (["devices", 1, "dev_id"], 3), "device-hwpt-of-device": (["devices", 1, "hwpt_id"], 1),
    "device-hwpt-differs": (["devices", 1, "hwpt_flags"], 0), "device-hwpt-fault": (["devices", 0, "hwpt_flags"], 4),
    "device-auto-text": (["devices", 0, "auto_domain"], "yes"), "device-bdf-long": (["devices", 0, "bdf"], "x" * 32),
    "device-config-size": (["devices", 0, "config"], "00" * 255), "device-config-odd": (["devices", 0, "config"], "0" * 513),
    "device-config-hex": (["devices", 0, "config"], "0" * 511 + "g"),
    "device-config-number": (["devices", 0, "config"], 7), "device-persona-number": (["devices", 0, "persona"], 7),
    "irq-fd-is-memfd": (["devices", 0, "irqs", 0, "fd"], 10), "irq-index": (["devices", 0, "irqs", 0, "index"], 5),
    "irq-vector": (["devices", 0, "irqs", 0, "vector"], 2048), "irq-action": (["devices", 0, "irqs", 0, "action"], 8),
    "irq-unmask-msix": (["devices", 0, "irqs", 0, "action"], 16),
    "irq-vector-of-request": (["devices", 0, "irqs", 2, "vector"], 1),
    "irq-twice": (["devices", 0, "irqs", 1, "vector"], 0),
    "irq-msi-and-msix": (["devices", 0, "irqs", 0, "index"], 1),
    "space-iommufd": (["spaces", 0, "iommufd"], 12), "space-missing": (["spaces"], []),
    "space-twice": (["spaces"], [FULL["spaces"][0], FULL["spaces"][0]]),
    "map-fd-is-eventfd": (["spaces", 0, "maps", 0, "fd"], 14),
    "map-mmio-of-memfd": (["spaces", 0, "maps", 0, "mmio"], True),
    "map-length-zero": (["spaces", 0, "maps", 0, "length"], 0),
    "map-overlap": (["spaces", 0, "maps", 0, "length"], 8193), "map-order": (["spaces", 0, "maps", 1, "iova"], 0),
    "map-beyond-iova": (["spaces", 0, "maps", 2, "length"], 4097),
    "map-beyond-file": (["spaces", 0, "maps", 0, "offset"], 2**63 - 4096),
    "map-no-access": (["spaces", 0, "maps", 2, "write"], False),
}
RAW = {"empty": "", "null": "null", "array": "[]", "cut": json.dumps(FULL)[:-1], "behind": json.dumps(FULL) + " {}",
       "deep": "[" * 100 + "]" * 100, "no-json": "version: 1"}


def main(where):
    for name, m in (("full", FULL), ("bare", BARE), ("auto-domain", AUTO), ("config", CONFIG), ("newer", NEWER)):
        (where / "good" / f"{name}.json").write_text(json.dumps(m, indent=1) + "\n")
    for name, (path, value) in BAD.items():
        (where / "bad" / f"{name}.json").write_text(json.dumps(changed(path, value), indent=1) + "\n")
    for name, text in RAW.items():
        (where / "bad" / f"{name}.json").write_text(text)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
