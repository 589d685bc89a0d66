"""The kinds of scenario: what is done in which order, and which checks it is held to."""

from .. import vm
from . import hostile, nvme, software, steps

FLOWS = {"update": steps.update_flow, "interrupts": steps.interrupts_flow, "fence-interrupts": steps.fence_interrupts_flow,
         "fence": steps.fence_flow, "unwanted": steps.unwanted_flow, "cancel": steps.cancel_flow, "refuse": steps.refuse_flow,
         "stray": steps.stray_flow, "blackout": steps.blackout_flow, "hostile": hostile.hostile_flow,
         "software": software.software_flow,
         "nvme": nvme.update_flow, "fence-nvme": nvme.fence_flow, "vm": vm.vm_flow}
