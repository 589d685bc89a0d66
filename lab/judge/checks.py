"""What every judge hands back: named checks, and the verdict over them."""

from dataclasses import dataclass

from ..errors import NotSeen


@dataclass
class Check:
    name: str
    value: object
    limit: str
    ok: bool
    details: tuple = ()     # reasons in full, "name:detail"; the bare name when there is no detail

    def reasons(self):
        if self.ok:
            return []
        return [f"{self.name}:{d}" for d in self.details] or [self.name]


def zero(name, value, details=()):
    return Check(name, value, "= 0", value == 0, tuple(details))


def true(name, ok, value="", details=()):
    return Check(name, value if value != "" else ("yes" if ok else "no"), "yes", bool(ok), tuple(details))


def every(name, found):
    """`found`: {whom: is it so?}. Of nobody it cannot be said."""
    if not found:
        raise NotSeen(name)
    return true(name, all(found.values()), details=[who for who, ok in found.items() if not ok])


def seen(**counts):
    """One failed check when a judge had nothing of a kind before it; none when it had something of each."""
    missing = [what for what, n in counts.items() if not n]
    return [Check("not_seen", len(missing), "= 0", False, tuple(missing))] if missing else []


def verdict(checks):
    if not checks:
        return "fail", ["not_seen:anything"]
    reasons = [r for check in checks for r in check.reasons()]
    return ("fail" if reasons else "pass"), reasons


def as_expected(reasons, expect):
    """A negative twin did its job when one of the named reasons is among those it failed for."""
    return any(r == e or r.startswith(e + ":") for r in reasons for e in expect)
