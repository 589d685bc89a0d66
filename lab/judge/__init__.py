"""Turns what a run recorded into sections of the result, checks, and reasons. Pure: no I/O, no clock.

A judge that was given nothing to judge fails: nothing can be wrong with nothing. What looks into the trace raises NotSeen;
what only adds up says in its section how much there was, and its checks demand something of each kind (checks.seen()).
"""

from .checks import Bar, as_expected, every, seen, true, verdict, zero
from .config import config_bars, config_section
from .dma import dma_bars, dma_section, frames, landed_bar
from .fence import fence, fence_bars, given_up
from .iommu import breach_bars, iommu_bars, iommu_section
from .irq import irq_bars, irq_section, not_quiesced, stray_bars
from .log import log_bars
from .world import (bystander_bars, bystander_quiesced, growth_in_a_row, growth_over_boots, identity, identity_bars, leftovers,
                    memory_bars, milestones)

__all__ = ["Bar", "as_expected", "breach_bars", "bystander_bars", "bystander_quiesced", "config_bars", "config_section",
           "dma_bars", "dma_section", "every", "fence", "fence_bars", "frames", "given_up", "growth_in_a_row",
           "growth_over_boots", "identity", "identity_bars", "iommu_bars", "iommu_section", "irq_bars", "irq_section",
           "landed_bar", "leftovers", "log_bars", "memory_bars", "milestones", "not_quiesced", "seen", "stray_bars", "true", "verdict",
           "zero"]
