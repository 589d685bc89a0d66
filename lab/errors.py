"""The three ways a run ends early."""


class LabError(Exception):
    """Base of everything the lab raises on purpose."""


class Infra(LabError):
    """The run could not begin: nothing was learnt about the kernel (exit 75)."""


class Skip(LabError):
    """The scenario needs something that is not to be had here (exit 77)."""


class StepFailed(LabError):
    """A step did not do what it should: a verdict about the kernel (exit 1).

    `reason` is the name that goes into the result's list of reasons.
    """

    def __init__(self, reason, text=""):
        super().__init__(text or reason)
        self.reason = reason
        self.text = text or reason


class EmulatorFault(Infra):
    """QEMU itself went wrong, which says nothing about the kernel, however far the run had come."""
