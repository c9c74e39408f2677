"""What devices try again and again, by reason, and what that costs the cloud.

Firmware that repeats a refused activation each second for ever is no rarity; neither is a fleet
that knocks at a broker which does not want it. Devices say what failed (`Noted`); here it is
counted. The cloud's CPU time is shared out by requests, which is an estimate: a refusal costs
about as much as a success.
"""

from collections import Counter
from collections.abc import Mapping

import msgspec

from fleet.run.messages import Heard

MINUTE_MS = 60_000
REASONS_MAX = 64
OTHER = "other"
# What failed, and how many requests of one attempt have reached the cloud; None: it made none.
REQUESTS: Mapping[str, int | None] = {
    "activation_refused": 2,  # iot-dns is asked first
    "activation_retry": 1,  # the same server is asked again
    "mqtt_refused": 1,
    "mqtt_silent": None,
    "mqtt_lost": 0,
    "call_failed": 0,
    "join_refused": None,
}


class Retry(msgspec.Struct, frozen=True):
    """One reason to try again: how often, on how many devices, how hard the hardest of them.

    `per_device_min` is the largest number of attempts that one device made in a minute,
    `cloud_cpu_pct` the part of the cloud's CPU time that went into answering them.
    """

    reason: str
    attempts: int
    devices: int
    per_device_min: int
    cloud_cpu_pct: float


class _Count:
    """One reason: per device the minute that is being counted and its count."""

    __slots__ = ("attempts", "minutes", "most")

    def __init__(self) -> None:
        self.attempts = self.most = 0
        self.minutes: dict[int, tuple[int, int]] = {}

    def take(self, index: int, at_ms: int) -> None:
        self.attempts += 1
        start_ms, count = self.minutes.get(index, (at_ms, 0))
        if at_ms - start_ms >= MINUTE_MS:
            start_ms, count = at_ms, 0
        self.minutes[index] = (start_ms, count + 1)
        self.most = max(self.most, count + 1)


class Retries:
    """All reasons of a run."""

    def __init__(self) -> None:
        """Start at nothing."""
        self._counts: dict[str, _Count] = {}
        self._ended = False

    def end(self) -> None:
        """Count nothing more: what fails from now on, fails because the run is over."""
        self._ended = True

    def take(self, heard: Heard) -> None:
        """Count a note, if it is about an attempt that has failed."""
        if heard.kind not in REQUESTS or self._ended:
            return
        reason = f"{heard.kind}: {heard.detail}"
        if reason not in self._counts and len(self._counts) >= REASONS_MAX:
            reason = f"{heard.kind}: {OTHER}"
        self._counts.setdefault(reason, _Count()).take(heard.index, heard.at_ms)

    def so_far(self) -> dict[str, int]:
        """Return how many attempts have failed until now, by kind."""
        counts: Counter[str] = Counter()
        for reason, count in self._counts.items():
            counts[_kind(reason)] += count.attempts
        return dict(counts)

    def result(self, requests: int) -> tuple[Retry, ...]:
        """Return every reason, the most frequent first; the devices have made `requests` in all."""
        served = max(1, requests - sum(self._of(kind) for kind, n in REQUESTS.items() if n == 0))
        retries = [
            Retry(
                reason=reason,
                attempts=count.attempts,
                devices=len(count.minutes),
                per_device_min=count.most,
                cloud_cpu_pct=min(100.0, 100 * _requests(reason) * count.attempts / served),
            )
            for reason, count in self._counts.items()
        ]
        return tuple(sorted(retries, key=lambda retry: (-retry.attempts, retry.reason)))

    def _of(self, kind: str) -> int:
        return sum(c.attempts for reason, c in self._counts.items() if _kind(reason) == kind)


def _kind(reason: str) -> str:
    return reason.partition(":")[0]


def _requests(reason: str) -> int:
    return REQUESTS[_kind(reason)] or 0
