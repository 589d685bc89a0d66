"""The flows of VM scenarios: an unmodified QEMU runs a VM on the host under test, whose kernel is replaced under it."""

import re
import time

from .. import judge
from ..errors import StepFailed
from ..timeline import Update, VmUpdate, ms
from . import sections, vm as vm_mod
from .vms import last_line, save

FLOW_S = 2.0            # of traffic before an update, and after
READY_S = 60
SPEAK_S = 15            # from "running" to the first line of the VM


def update_flow(run, findings, vms):
    """QEMU saves the VMs into the helper, the kernel is replaced, the helper becomes QEMU again."""
    _begin(run, vms)
    for n in range(run.sc.updates):
        one_update(run, vms, n)
    sections.close(run, findings, vms)
    findings.checks += sections.update_checks(run, findings)
    if run.sc.check_leftovers:
        _nothing_left(run, findings)


def _begin(run, vms):
    vms.begin()
    run.check_bystander("before")
    run.kho.append(dict(run.call("sys.kho"), release=run.kernels["old"]))
    for one in vms.vms:
        vms.start(one)
        vms.watch(one)
        vms.traffic(one)
    run.started = True
    for one in vms.vms:
        vms.flow(one, run.sc.settle_s)


def pause(run, vms, one, up, command=None):
    """Has QEMU save the VM and execute the helper; the VM stands still from here on."""
    params, migrate = vm_mod.cpr_lines(one, command or one.save_argv(vms.kernel))
    vms.qmp(one, params)
    up.t_migrate = time.monotonic()
    _answer, up.t_stop = vms.qmp(one, migrate, event="STOP")
    run.note("vm paused", at=up.t_stop, name=one.name)
    vms.follow(one)


def until_ready(run, vms, one, up, states=("ready", "refused", "failed")):
    state, told, at = vms.wait_state(one, states, READY_S)
    up.t_saving = next((e["t"] for e in vms.states if (e["name"], e["state"]) == (one.name, "saving") and
                           e["t"] > up.t_migrate), None)
    up.t_ready = at
    up.helper.update(told.get("times_ms") or {})
    return state, told


def save_all(run, vms, ups):
    """Every VM into its helper, up to where the kernel can be replaced."""
    for one in vms.vms:
        pause(run, vms, one, ups[one.name])
        state, told = until_ready(run, vms, one, ups[one.name])
        if state != "ready":
            raise StepFailed("save_refused", f"{one.name} is {state}: {told.get('reason') or told}")
        run.note("PREPARE", name=one.name)


def jump(vms):
    """Sends the command that replaces the kernel, and returns the number of one that replies only if that fails."""
    def send(run):
        names = [one.name for one in vms.vms]
        run.call("vm.start", name="kexec", argv=[vm_mod.HELPER, "vm", "kexec", *names])
        return run.ctl.send("vm.exit", name="kexec", timeout_ms=120000, unwanted=True)
    return send


def one_update(run, vms, n):
    ups = {one.name: VmUpdate(n + 1) for one in vms.vms}
    run.load(n)
    images = run.dumps()
    run.save_klog()
    for one in vms.vms:
        one.link.say("gap", 0)
    run.open_window(images)
    save_all(run, vms, ups)
    for one in vms.vms:
        save(run, one.name)
    replace(run, vms, ups.values())
    for one in vms.vms:
        resume(run, one, ups[one.name])
    for one in vms.vms:
        until_running(run, vms, one, ups[one.name])
    for one in vms.vms:
        speak(run, vms, one, ups[one.name])
    run.mark()
    run.times.setdefault("blackout", ms(max(u.t_running - u.t_exec for u in ups.values())))
    run.read_counters()
    run.compare_config(images)
    for one in vms.vms:
        check_config(run, one)
    run.check_bystander(f"update {n + 1}")
    for one in vms.vms:
        vms.flow(one, run.sc.settle_s)
        ups[one.name].t_end = time.monotonic()
        vms.updates[one.name].append(ups[one.name])
    run.updates.append(Update(n + 1, run.kernels["new"]))
    run.kho.append(dict(run.call("sys.kho"), release=run.kernels["new"]))


def check_config(run, one):
    """What could the guest see change in config space of its devices, by holdfast's own comparison?"""
    if not one.nics:
        return
    run.config_checks += 1
    child = f"check-{one.name}"
    run.call("vm.start", name=child, argv=[vm_mod.HELPER, "check", one.name])
    ended = run.call("vm.exit", name=child, timeout_ms=20000, timeout=25)
    lines = [line for line in ended["tail"].strip().splitlines() if not line.endswith("(state, which changes by itself)")]
    if ended["exit"]:
        run.guest_sees += lines[:10] or [f"{one.name}: exit {ended['exit']}"]


def replace(run, vms, ups):
    """The jump, up to where the new kernel can run programs of its root."""
    first = run.times.pop("freeze", None)       # the result has that of the first update, each update its own
    t_exec, boot = run.kexec(jump=jump(vms))
    for up in ups:
        up.t_exec, up.t_boot = t_exec, boot["_at"]
        up.freeze_ms, up.release = run.times.get("freeze"), run.kernels["new"]
    if first is not None:
        run.times["freeze"] = first
    run.call("vm.root", timeout=30)


def resume(run, one, up):
    """In the new kernel: the helper gets everything back and becomes QEMU, which goes on with the VM."""
    one.link.again()
    up.t_resume = time.monotonic()
    run.call("vm.start", name=one.name, argv=[vm_mod.HELPER, "vm", "resume", one.name])


def until_running(run, vms, one, up):
    vms.wait_state(one, ("resuming", "running", "failed"), READY_S)         # or what an earlier try came to would do
    state, told, at = vms.wait_state(one, ("running", "held", "failed"), READY_S)
    if state != "running":
        raise StepFailed("resume_failed", f"{one.name} is {state}: {told.get('reason') or vms.said(one)}")
    up.t_running = at
    up.helper.update(told.get("times_ms") or {})
    run.note("vm runs", at=at, name=one.name)


def speak(run, vms, one, up):
    """The VM says something again, and has emptied its ring."""
    for number in one.nics:
        run.watcher.slots[number].let_go(time.monotonic())
    t, _beat = vms.hello(one, after=up.t_boot, timeout=SPEAK_S)
    up.t_beat = t


def _nothing_left(run, findings):
    left = judge.leftovers(run.kho[0], run.kho[-1])
    findings.checks.append(judge.zero("left_over", len(left), left))


# -- what must be refused, or may break ------------------------------------------------------------------------------


def refused_flow(run, findings, vms):
    """The helper says no: QEMU goes on as if nothing was, and says why."""
    _begin(run, vms)
    one, up = vms.vms[0], VmUpdate(0)
    one.link.say("gap", 0)
    pause(run, vms, one, up)
    state, told = until_ready(run, vms, one, up)
    said = str(told.get("reason") or told)
    want = run.sc.case[0]
    run.note("refused", said=said)
    ok = state == "refused" and re.search(want["reason"], said) is not None
    findings.cases.append({"name": want["name"], "ok": ok, "said": f"{state}: {said}"})
    findings.checks.append(judge.true(f"refused: {want['name']}", ok))
    if state != "refused":
        raise StepFailed(f"refused: {want['name']}", f"{one.name} is {state}")
    t, _beat = vms.hello(one, after=up.t_ready, timeout=60)
    up.t_running = up.t_exec = t
    for number in one.nics:
        run.watcher.slots[number].let_go(t)
    vms.flow(one, run.sc.settle_s)
    up.t_end = time.monotonic()
    vms.updates[one.name].append(up)
    run.kho.append(dict(run.call("sys.kho"), release=run.kernels["old"]))
    sections.close(run, findings, vms)
    findings.checks += sections.vm_checks(findings)
    _nothing_left(run, findings)


def killed_flow(run, findings, vms):
    """The helper dies with everything preserved: nothing of it stays, and the device can be used again."""
    _begin(run, vms)
    one, up = vms.vms[0], VmUpdate()
    pause(run, vms, one, up)
    state, told = until_ready(run, vms, one, up)
    if state != "ready":
        raise StepFailed("save_refused", f"{one.name} is {state}: {told}")
    held = run.call("sys.kho")
    run.call("vm.kill", name=one.name)
    ended = run.call("vm.exit", name=one.name, timeout_ms=20000, timeout=25)
    run.note("helper killed", said=f"exit {ended['exit']}")
    findings.checks.append(judge.true("ended_by_the_signal", ended["exit"] == 137, ended["exit"]))
    run.finish_senders()
    run.kho.append(dict(run.call("sys.kho"), release=run.kernels["old"]))
    findings.checks.append(judge.true("was_preserved", held["kho_entries"] > run.kho[0]["kho_entries"],
                                 f"{run.kho[0]['kho_entries']} → {held['kho_entries']}"))
    _nothing_left(run, findings)
    run.check_bystander("after")
    vms.fresh(one)
    vms.start(one)
    vms.watch(one)
    vms.traffic(one)
    vms.flow(one, run.sc.settle_s)
    sections.close(run, findings, vms)
    findings.checks += sections.vm_checks(findings)
    findings.checks += judge.bystander_checks(run.net)


def wrong_flow(run, findings, vms):
    """Resume with a name nobody saved, and with a command that fails: a clear error, and the right one works after it."""
    _begin(run, vms)
    one, up = vms.vms[0], VmUpdate()
    run.load(0)
    images = run.dumps()
    one.link.say("gap", 0)
    run.open_window(images)
    save_all(run, vms, {one.name: up})
    replace(run, vms, [up])
    _fails(run, findings, "a name nobody saved", "nobody", [vm_mod.HELPER, "vm", "resume", "nobody"], "nobody")
    _broken_command(run, findings, vms, one)
    resume(run, one, up)
    until_running(run, vms, one, up)
    speak(run, vms, one, up)
    run.mark()
    run.read_counters()
    run.compare_config(images)
    check_config(run, one)
    run.check_bystander("after")
    vms.flow(one, run.sc.settle_s)
    up.t_end = time.monotonic()
    vms.updates[one.name].append(up)
    run.updates.append(Update(1, run.kernels["new"]))
    sections.close(run, findings, vms)
    findings.checks += sections.update_checks(run, findings)


def _fails(run, findings, name, child, argv, word):
    """A command that must fail, and say why with that word in it."""
    run.call("vm.start", name=child, argv=argv)
    ended = run.call("vm.exit", name=child, timeout_ms=60000, timeout=65)
    said = last_line(ended["tail"])
    ok = ended["exit"] not in (0, 127) and ended["exit"] < 128 and word in said
    run.note("refused", said=said)
    findings.cases.append({"name": name, "ok": ok, "said": f"exit {ended['exit']}: {said}"})
    findings.checks.append(judge.true(f"refused: {name}", ok))


def _broken_command(run, findings, vms, one):
    """QEMU itself fails to start: the helper holds on to everything, for another try."""
    argv = [*one.argv(vms.kernel), "-incoming", one.state_file(), "-device", "no-such-device"]
    run.call("vm.start", name=one.name, argv=[vm_mod.HELPER, "vm", "resume", one.name, "--", *argv])
    state, told, _at = vms.wait_state(one, ("held", "failed", "running"), READY_S)
    said = str(told.get("reason") or vms.said(one))
    run.note("refused", said=said)
    findings.cases.append({"name": "a command that fails", "ok": state == "held", "said": f"{state}: {said}"})
    findings.checks.append(judge.true("refused: a command that fails", state == "held"))


# -- for comparison --------------------------------------------------------------------------------------------------


def cold_flow(run, findings, vms):
    """What an update is without all this: the VM is stopped, the kernel replaced, the VM booted again."""
    _begin(run, vms)
    one = vms.vms[0]
    run.load(0)
    up = VmUpdate()
    up.t_migrate = up.t_stop = time.monotonic()
    vms.qmp(one, vm_mod.qmp("quit"))
    run.call("vm.exit", name=one.name, timeout_ms=20000, timeout=25)
    run.note("vm stopped", name=one.name)
    t_exec, boot = run.kexec()
    up.t_exec, up.release = t_exec, run.kernels["new"]
    up.t_boot = up.t_resume = boot["_at"]
    vms.host()
    run.finish_senders()
    vms.fresh(one)
    up.t_loading = time.monotonic()
    vms.start(one)
    up.t_running = time.monotonic()
    vms.watch(one)
    vms.traffic(one)
    up.t_end = time.monotonic()
    run.times.setdefault("blackout", ms(up.t_running - t_exec))
    vms.updates[one.name].append(up)
    vms.flow(one, run.sc.settle_s)
    sections.close(run, findings, vms)
    findings.checks += sections.vm_checks(findings)
