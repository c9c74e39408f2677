"""What one case has come to: a finding or none, and what exploring counts.

All of it is data that goes through a pipe or into a file; a finding never has a secret in it.
"""

import msgspec

ABORTED = "aborted"  # somebody could not go on
UNMET = "unmet"  # an expectation
DIED = "died"  # the process that played it
HUNG = "hung"  # it took more of the processor than any run should


class Finding(msgspec.Struct, frozen=True):
    """What must not be.

    Findings of the same `name` are taken for the same defect: shrinking goes by it. `what` is one
    line, `others` are further violations of the same run, `trail` is where in the program an
    exception came from, "" if there was none. `at_s` is the virtual time of it.
    """

    name: str
    what: str
    at_s: float
    others: tuple[str, ...] = ()
    trail: str = ""


class Outcome(msgspec.Struct, frozen=True):
    """One run. `events` counts the entries of its trace, whose digest is `digest`.

    `struck`: how often each kind of fault struck a device. `marks`: which rows have fired.
    """

    finding: Finding | None
    digest: str
    events: int
    virtual_s: float
    struck: dict[str, int]
    marks: tuple[int, ...]
