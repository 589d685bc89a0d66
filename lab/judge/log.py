"""What the kernels of the host said."""

import re

from .checks import seen, zero

COMPLAINT = re.compile(r"WARNING: |BUG: |Oops|Call Trace|refcount_t|KASAN|INFO: lockdep|locking correctness validator|INFO: task .* blocked|detected stalls")
# A line that is up and nobody's is switched off by the kernel after a while, with whoever shares it.
NOBODY_CARED = "nobody cared"


def log_checks(lines):
    cared = [line.strip()[:160] for line in lines if NOBODY_CARED in line]
    said = [line.strip()[:160] for line in lines if COMPLAINT.search(line)]
    return seen(kernel_log=len(lines)) + [zero("nobody_cared", len(cared), cared), zero("kernel_complains", len(said), said)]
