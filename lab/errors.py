"""The ways a run ends early."""


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


class NotSeen(StepFailed):
    """A judge was given nothing to judge. Nothing can be wrong with nothing, so this is never a pass."""

    def __init__(self, what):
        super().__init__(f"not_seen:{what}", f"the lab did not see {what}")


class EmulatorFault(Infra):
    """QEMU itself went wrong, which says nothing about the kernel, however far the run had come."""
