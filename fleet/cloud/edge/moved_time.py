"""The time of this process's programs, while it moves along with a cloud whose clock is moved.

Client libraries sign with `time.time()`. It is replaced by one and the same function for all tests
of a process: a module that is imported in the middle of a test, and keeps what it found under
that name, is told the right time in all later tests, too.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest.mock import patch

import msgspec

_S_NS = 1_000_000_000


class _Lead(msgspec.Struct, frozen=True):
    """What the two functions were before, and how far they are ahead of that now."""

    time: Callable[[], float]
    time_ns: Callable[[], int]
    ahead_s: Callable[[], float]


_leads = [_Lead(time.time, time.time_ns, lambda: 0.0)]  # the last one counts


def lead_s() -> float:
    """Return how far programs of this process are ahead of the system's time now."""
    return _leads[-1].ahead_s()


def moved_time() -> float:
    """Return the time in seconds since the Unix epoch."""
    return _leads[-1].time() + lead_s()


def moved_time_ns() -> int:
    """Return the same in nanoseconds."""
    return _leads[-1].time_ns() + round(lead_s() * _S_NS)


@contextmanager
def moving_along(ahead_s: Callable[[], float]) -> Iterator[None]:
    """Let `time.time` and `time.time_ns` be ahead by what `ahead_s` returns, as long as it lasts."""
    before = (time.time, time.time_ns)
    if moved_time in before:  # one in another, or put back by somebody who had found it
        before = (_leads[-1].time, _leads[-1].time_ns)
    _leads.append(_Lead(*before, ahead_s))
    try:
        with patch.object(time, "time", moved_time), patch.object(time, "time_ns", moved_time_ns):
            yield
    finally:
        _leads.pop()
