"""The kinds of scenario: what is done in which order, and which checks it is held to."""

from .. import vm
from . import cancel, driver, fence, hostile, interrupts, p2p, refuse, software, stray, update

FLOWS = {"update": update.update_flow, "blackout": update.blackout_flow, "cancel": cancel.cancel_flow,
         "fence": fence.fence_flow, "unwanted": fence.unwanted_flow, "refuse": refuse.refuse_flow, "stray": stray.stray_flow,
         "interrupts": interrupts.interrupts_flow, "fence-interrupts": interrupts.fence_interrupts_flow,
         "hostile": hostile.hostile_flow, "software": software.software_flow, "driver": driver.driver_flow,
         "p2p-refused": p2p.refused_flow,
         "vm": vm.vm_flow}
