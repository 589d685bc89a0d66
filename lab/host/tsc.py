"""The frequency of this machine's TSC, which is the one that an emulated host sees too.

A kernel that finds it out by itself under emulation is wrong by a per mille now and then; KVM in it then cannot give a VM
the frequency it had before, and the VM's timer stalls. So both kernels are told (tsc_early_khz=).
"""

import ctypes
import mmap
import platform
import time

READ_TSC = bytes.fromhex("0f31" "48c1e220" "4809d0" "c3")        # rdtsc; shl rdx,32; or rax,rdx; ret
SPAN_S = 0.25


def _reader():
    code = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(READ_TSC)
    address = ctypes.addressof(ctypes.c_char.from_buffer(code))
    read = ctypes.CFUNCTYPE(ctypes.c_uint64)(address)
    return lambda: read() + 0 * len(code)       # keeps the page alive


def _pair(read):
    """(ns, ticks), the pair of many that was read with the least between: nobody took the CPU away."""
    best = None
    for _ in range(50):
        a, ticks, b = time.monotonic_ns(), read(), time.monotonic_ns()
        if best is None or b - a < best[0]:
            best = (b - a, (a + b) // 2, ticks)
    return best[1:]


def khz(span=SPAN_S):
    """kHz, or None where it cannot be known."""
    if platform.machine() != "x86_64":
        return None
    try:
        read = _reader()
        start = _pair(read)
        time.sleep(span)        # the wider apart, the finer
        end = _pair(read)
    except OSError:             # no memory that can be executed
        return None
    return round((end[1] - start[1]) * 1_000_000 / (end[0] - start[0]))
