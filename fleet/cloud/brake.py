"""A brake for those who try passwords: after a few wrong ones, none is looked at for a while.

Counted by name (of an account, a guest, an address) and for all names together, so that trying many
of them does not help; the wait doubles. A name that has given the right one lately waits for its own
wrong ones only: nobody can lock everybody out by trying many names. Kept in memory only, and of so
many names that a flood of made-up ones costs nothing: the one that was quiet longest is forgotten.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

from fleet.cloud.reasons import Reason, Refused

FORGOTTEN_MS = 900_000
NAMES_MAX = 4096
FREE_OF_ALL = 10  # times what is free for one name
_EVERYBODY = ""
_DOUBLINGS_MAX = 20

T = TypeVar("T")


class _Record:
    """Wrong passwords so far, and until when none is looked at."""

    __slots__ = ("failures", "last_ms", "until_ms")

    def __init__(self) -> None:
        self.failures = 0
        self.until_ms = 0
        self.last_ms = 0


class Brake:
    """Who has given wrong passwords. Time is in milliseconds."""

    def __init__(self, *, free: int, wait_s_max: int) -> None:
        """Begin with a clean record of everybody; with `wait_s_max` 0 nobody ever waits."""
        self._free = free
        self._wait_ms_max = wait_s_max * 1000
        self._records: OrderedDict[str, _Record] = OrderedDict()
        self._passed: OrderedDict[str, None] = OrderedDict()

    def __len__(self) -> int:
        """Return how many names are remembered."""
        return len(self._records)

    def wait_s(self, name: str, now_ms: int) -> int:
        """Return for how many seconds no password of this name is looked at; 0: it is."""
        keys = (name,) if name in self._passed else (name, _EVERYBODY)
        records = (self._records.get(key) for key in keys)
        until_ms = max((record.until_ms for record in records if record is not None), default=0)
        return max(0, -(-(until_ms - now_ms) // 1000))

    def failed(self, name: str, now_ms: int) -> None:
        """Note a wrong password."""
        self._note(name, now_ms, self._free)
        self._note(_EVERYBODY, now_ms, self._free * FREE_OF_ALL)

    def passed(self, name: str) -> None:
        """Note a right password."""
        self._passed[name] = None
        self._passed.move_to_end(name)
        if len(self._passed) > NAMES_MAX:
            self._passed.popitem(last=False)

    def watch(self, name: str, now_ms: int, log_in: Callable[[], T]) -> T:
        """Return what `log_in` returns; it is not called for those who have to wait.

        Refused (too_many) for these, and whatever `log_in` raises, which counts as a wrong password
        if it is Refused.
        """
        wait_s = self.wait_s(name, now_ms)
        if wait_s:
            raise Refused(Reason.TOO_MANY, f"too many wrong passwords: wait {wait_s} s")
        try:
            done = log_in()
        except Refused:
            self.failed(name, now_ms)
            raise
        self.passed(name)
        return done

    def _note(self, name: str, now_ms: int, free: int) -> None:
        record = self._records.setdefault(name, _Record())
        self._records.move_to_end(name)
        if now_ms - record.last_ms > FORGOTTEN_MS:
            record.failures = 0
        record.failures += 1
        record.last_ms = now_ms
        beyond = record.failures - free
        if beyond >= 0:
            wait_ms = 1000 << min(beyond, _DOUBLINGS_MAX)
            record.until_ms = now_ms + min(self._wait_ms_max, wait_ms)
        if len(self._records) > NAMES_MAX:
            self._records.popitem(last=False)
