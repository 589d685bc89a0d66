"""The machine that a scenario runs on: QEMU, its devices, and the agent in it."""
