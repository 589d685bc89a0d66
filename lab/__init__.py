"""The holdfast lab: boots kernels in QEMU, runs scenarios, records and judges."""
