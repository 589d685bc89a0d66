"""Turns what a VM told, and what was seen of it from outside, into a section of the result and checks. Pure: no I/O."""

from statistics import median

from ..observe import watch
from .checks import seen, zero

STEPS = ("qemu_save", "preserve", "freeze", "kernel", "retrieve", "qemu_load", "total")


def nic_section(sent, nic, ring, wire, updates):
    """One NIC of a VM. `sent`: frames the lab sent; `nic`: the VM's last word about it; `ring`: vmring.VmRing; `wire`:
    wire.Wire."""
    landed = {seq for _t, seq in ring.times}
    missing = nic["missing"]
    in_blackout = sum(1 for t, _s in ring.times if any(u.t_exec <= t <= u.t_running for u in updates))
    return {"offered": sent, "received": nic["rx"], "lost": max(0, sent - nic["rx"]),
            "duplicate": nic["dup"], "corrupt": nic["bad"],
            "out_of_order": nic["ooo"], "landed_in_pause": len(ring.times), "landed_in_blackout": in_blackout,
            "accepted_lost": sum(1 for seq in landed if any(a <= seq <= b for a, b in missing)),
            "seen_corrupt": ring.corrupt + ring.foreign + ring.duplicate,
            "tx_received": len(wire.seen), "tx_lost": wire.missing() + max(0, nic["tx"] - max(wire.seen, default=-1) - 1),
            "tx_duplicate": wire.duplicate, "tx_corrupt": wire.corrupt}


def continuity(beats, every_line=True):
    """What in the VM's own account of itself does not go on from line to line; `every_line`: none may be missing."""
    out = [] if len(beats) > 1 else [f"{len(beats)} lines of its own account"]
    for (_t, a), (_u, b) in zip(beats, beats[1:]):
        if a["boot_id"] != b["boot_id"]:
            out.append("boot_id")
        for key in ("beat", "boot_us", "mono_us", "mem_rounds"):
            if b[key] < a[key] or (every_line and key == "beat" and b[key] != a[key] + 1):
                out.append(f"{key} {a[key]}→{b[key]}")
        for n, m in zip(a["nics"], b["nics"]):
            out += [f"{n['name']} {key} {n[key]}→{m[key]}" for key in ("changes", "carrier") if n[key] != m[key]]
    return out


def quiet_vectors(beats, since):
    """Vectors that came in before `since` and do not any more: with traffic on, each must."""
    if not beats or beats[-1][0] <= since:
        return ["nothing said since then"]
    at = next((i for i, (t, _b) in enumerate(beats) if t > since), len(beats) - 1)
    first, then, last = beats[0][1], beats[max(0, at - 1)][1], beats[-1][1]
    out = []
    for a, b, c in zip(first["nics"], then["nics"], last["nics"]):
        busy = [v for v, (x, y) in enumerate(zip(a["irqs"], b["irqs"])) if y - x > 5]
        if not busy:
            out.append(f"{a['name']}: none before either")
        out += [f"{a['name']} vector {v}" for v in busy if c["irqs"][v] <= b["irqs"][v]]
    return out


def pauses(update, beats, wires, rings):
    """How long one update took, as each of them sees it, ms; `wires`, `rings`: [(time, sequence)] of each NIC."""
    def gap(times):
        around = [t for t in times if update.t_stop - 1 <= t <= update.t_running + 5]
        return max(((b - a) * 1000 for a, b in zip(around, around[1:])), default=None)

    nic = [watch.max_gap_ms(r, update.t_stop, update.t_running) for r in rings if r]
    wire = [g for g in (gap([t for t, _s in w]) for w in wires) if g is not None]
    after = [b["gap_us"] / 1000 for t, b in beats if update.t_running <= t <= update.t_end]
    return {"vmm_ms": round((update.t_running - update.t_stop) * 1000, 1),
            "guest_ms": round(max(after), 1) if after else None,
            "wire_ms": round(max(wire), 1) if wire else None, "nic_ms": max(nic) if nic else None,
            "silent_ms": round(gap([t for t, _b in beats]) or 0, 1)}


def steps(update):
    """Where the time went, ms. Lab's clock where both ends can be seen from here, the helper's own where not."""
    own = update.helper

    def between(a, b):
        return None if None in (a, b) else round((b - a) * 1000, 1)

    load = own.get("exec_to_running") or between(update.t_loading, update.t_running)
    back = between(update.t_resume, update.t_running)
    parts = {"qemu_save": between(update.t_migrate, update.t_saving), "preserve": between(update.t_saving, update.t_ready),
             "freeze": update.freeze_ms, "kernel": between(update.t_exec, update.t_boot),
             "retrieve": None if back is None or load is None else round(max(0, back - load), 1),
             "qemu_load": load, "total": between(update.t_migrate, update.t_running)}
    return {**{k: parts[k] for k in STEPS}, "helper": own}


def vm_section(name, beats, connections, alive, klog, rtts, nics, updates, hot=False):
    """`klog`: lines after the first pause; `nics`: of nic_section(); `updates`: what the flow noted of each."""
    last = beats[-1][1] if beats else {}
    anew = beats and updates and updates[-1].t_stop < beats[0][0]        # booted after the update
    return {"name": name, "device": bool(nics), "hot": bool(hot), "beats": len(beats),
            "breaks": continuity(beats, bool(nics))[:20],
            "quiet_vectors": quiet_vectors(beats, updates[-1].t_running) if updates and not anew else [],
            "memory_ok": bool(last.get("mem_ok")), "memory_rounds": last.get("mem_rounds", 0),
            "connections": connections, "alive": alive, "klog": klog[:20], "nics": nics, "pings": last.get("pings", [0, 0]),
            "rtt_ms": {"median": round(median(rtts) * 1000, 1), "max": round(max(rtts) * 1000, 1)} if rtts else None}


def vm_checks(vms):
    """Checks about the VMs themselves, over all of them; a detail says which."""
    def every(name, found):
        details = [f"{vm['name']} {text}" for vm in vms for text in found(vm)]
        return zero(name, len(details), details)

    def total(name, key):
        return zero(name, sum(nic[key] for vm in vms for nic in vm["nics"]))

    def memory(vm):
        return ["a byte changed"] * (not vm["memory_ok"]) + ["never looked at"] * (not vm["memory_rounds"])

    def connection(vm):
        return ["ended"] if vm["device"] and not (vm["connections"] == 1 and vm["alive"]) else []

    def pings(vm):
        asked, answered = vm["pings"]       # one may be on its way
        return [f"{answered} of {asked} answered"] if asked - answered > 1 or vm["device"] and not answered else []

    checks = seen(vms=len(vms))
    checks += [every("vm_breaks", lambda vm: vm["breaks"]),
            every("vm_memory", memory),
            every("vm_connection", connection), every("vm_interrupts", lambda vm: vm["quiet_vectors"]),
            every("vm_klog", lambda vm: vm["klog"]), every("vm_pings", pings)]
    nics = [nic for vm in vms for nic in vm["nics"]]
    if nics:
        checks += seen(frames_of_every_nic=all(n["offered"] and n["received"] for n in nics))
        checks += [total("vm_lost", "lost"), total("vm_accepted_lost", "accepted_lost"), total("vm_duplicate", "duplicate"),
                 total("vm_corrupt", "corrupt"), total("vm_out_of_order", "out_of_order"), total("vm_tx_lost", "tx_lost"),
                 total("vm_tx_duplicate", "tx_duplicate"), total("vm_tx_corrupt", "tx_corrupt"),
                 total("seen_corrupt", "seen_corrupt")]
    return checks


def dma_section(nics, offered_in, gap_ms):
    """The section every result has; `nics`: of nic_section(), over all VMs; lost: as the VM counts."""
    def total(key):
        return sum(n[key] for n in nics)

    return {"offered": total("offered"), "landed": total("received"), "lost": total("lost"), "corrupt": total("corrupt"),
            "out_of_order": total("out_of_order"), "duplicate": total("duplicate"), "planted": 0,
            "landed_in_blackout": total("landed_in_blackout"), "offered_in_blackout": offered_in, "max_gap_ms": gap_ms or 0}


