"""Turns what a run recorded into sections of the result, checks, and reasons. Pure: no I/O, no clock.

A judge that was given nothing to judge fails: nothing can be wrong with nothing. What looks into the trace raises NotSeen;
what only adds up says in its section how much there was, and its checks demand something of each kind (checks.seen()).
"""

from .checks import Check, as_expected, every, seen, true, verdict, zero
from .config import config_checks, config_section
from .dma import dma_checks, dma_section, frames, landed_check
from .fence import fence, fence_checks, given_up
from .iommu import breach_checks, iommu_checks, iommu_section
from .irq import intx_back, irq_checks, irq_section, msi_back, not_quiesced, stray_checks
from .log import log_checks
from .world import (bystander_checks, bystander_quiesced, growth_in_a_row, growth_over_boots, identity, identity_checks, leftovers,
                    memory_checks)

__all__ = ["Check", "as_expected", "breach_checks", "bystander_checks", "bystander_quiesced", "config_checks", "config_section",
           "dma_checks", "dma_section", "every", "fence", "fence_checks", "frames", "given_up", "growth_in_a_row",
           "growth_over_boots", "identity", "identity_checks", "intx_back", "msi_back", "iommu_checks", "iommu_section", "irq_checks", "irq_section",
           "landed_check", "leftovers", "log_checks", "memory_checks", "not_quiesced", "seen", "stray_checks", "true", "verdict",
           "zero"]
