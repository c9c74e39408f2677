"""How a fleet comes back after its cloud was away: how long it takes, what it costs, whether it lasts.

Devices are counted as online by their lights. A device that is online again and then loses its
session once more is not back yet: what counts is the moment from which nothing was lost any more,
so that an outage which the returning fleet itself has caused shows as a long recovery. One that has
not even noticed that its session is gone is not back either. Those that are reset meanwhile, or
carried away, are not expected any more.
"""

from collections import Counter
from collections.abc import Callable, Iterable

import msgspec

from fleet.run.messages import Seen

PERCENTS = (50, 95, 100)
TRYING = "CONNECTING"
RESET = ("RESETTING", "WAITING")


class Outage(msgspec.Struct, frozen=True):
    """One outage of the cloud and what came after it, until the next one or the end of the watch.

    `at_s` since the run began. `devices` were online when it began and meant to stay so, or had not
    come back from the one before.
    `recovered_s`: how long after the cloud's return so many percent of them were online for good;
    no entry: never. `lost_again`: sessions that were lost after they had come back. Attempts are
    connections of these devices to the broker, begun while the cloud was away and after it.
    `cloud_cpu_s` is the CPU time of the cloud from its return until all were back for the first
    time.
    """

    at_s: float
    down_s: float
    devices: int
    recovered_s: dict[int, float]
    lost_again: int
    attempts_while_down: int
    attempts_after: int
    attempts_after_max: int
    cloud_cpu_s: float


class Recovery:
    """Watches who is online. `cloud_cpu_s` tells what the cloud has cost so far."""

    def __init__(self, count: int, started_ms: int, cloud_cpu_s: Callable[[], float]) -> None:
        """Start with `count` devices, none of them online."""
        self._online = [False] * count
        self._started_ms = started_ms
        self._cloud_cpu_s = cloud_cpu_s
        self._open: _Open | None = None
        self._outages: list[Outage] = []

    def grow(self, count: int) -> None:
        """Watch more devices, until there are `count`."""
        self._online += [False] * (count - len(self._online))

    def saw(self, before: Seen, after: Seen) -> None:
        """Take the next state of a device."""
        online = after.light == "online"
        changed = self._online[after.index] != online
        self._online[after.index] = online
        if self._open is None:
            return
        if after.index in self._open.expected:
            if after.session == TRYING and before.session != TRYING:
                self._open.tried(after)
            if changed:
                self._open.flipped(after, online=online)
        if after.lifecycle in RESET:
            self._open.expected.discard(after.index)
        if changed and self._open.all_back and not self._open.cost_known:
            self._open.pay(self._cloud_cpu_s())

    def begin(self, now_ms: int) -> None:
        """The cloud goes away."""
        due = set() if self._open is None else self._open.expected
        self.close()
        online = {index for index, online in enumerate(self._online) if online}
        self._open = _Open(now_ms, online | due, online)

    def returned(self, now_ms: int) -> None:
        """The cloud is back."""
        assert self._open is not None, "it was not away"
        self._open.returned(now_ms, self._cloud_cpu_s())

    def let_go(self) -> None:
        """People take all devices away; who is online is up to them from now on."""
        if self._open is not None and self._open.is_over:
            self.close()
        elif self._open is not None:
            self._open.expect_nobody()

    def close(self, severed: Iterable[int] = ()) -> None:
        """Look no longer at what came after the last outage.

        The devices in `severed` show their light for a session that is gone.
        """
        if self._open is not None:
            self._open.unmask(severed)
            if not self._open.cost_known:
                self._open.pay(self._cloud_cpu_s())
            if self._open.is_over:  # else the run ended in the middle of it, which tells nothing
                self._outages.append(self._open.outage(self._started_ms))
            self._open = None

    @property
    def outages(self) -> tuple[Outage, ...]:
        """Return all outages that were watched to their end."""
        return tuple(self._outages)


class _Open:
    """The outage that is being watched."""

    def __init__(self, began_ms: int, expected: set[int], online: set[int]) -> None:
        self.expected = expected
        self.cost_known = False
        self._began_ms = began_ms
        self._returned_ms = 0
        self._cpu_s = 0.0
        self._flips: list[tuple[int, int, bool]] = []  # when, who, online
        self._online = online  # when it began
        self._count = len(online)
        self._tried_while_down = 0
        self._tried_after: Counter[int] = Counter()

    @property
    def is_over(self) -> bool:
        return bool(self._returned_ms)

    @property
    def all_back(self) -> bool:
        return self.is_over and self._count == len(self.expected)

    def expect_nobody(self) -> None:
        self.expected.clear()
        self._flips.clear()
        self._count = 0

    def unmask(self, severed: Iterable[int]) -> None:
        """Count as lost since the beginning who has not shown any loss and is gone all the same."""
        shown = {index for _, index, _ in self._flips}
        for index in severed:
            if index in self.expected and index not in shown:
                self._flips.append((self._began_ms, index, False))

    def returned(self, now_ms: int, cpu_s: float) -> None:
        self._returned_ms, self._cpu_s = now_ms, cpu_s
        if self.all_back:  # nobody has noticed
            self.pay(cpu_s)

    def pay(self, cpu_s: float) -> None:
        self.cost_known = True
        self._cpu_s = cpu_s - self._cpu_s if self._returned_ms else 0.0

    def tried(self, seen: Seen) -> None:
        if self._returned_ms:
            self._tried_after[seen.index] += 1
        else:
            self._tried_while_down += 1

    def flipped(self, seen: Seen, *, online: bool) -> None:
        self._flips.append((seen.at_ms, seen.index, online))
        self._count += 1 if online else -1

    def outage(self, started_ms: int) -> Outage:
        self._flips = [flip for flip in self._flips if flip[1] in self.expected]
        return Outage(
            at_s=(self._began_ms - started_ms) / 1000,
            down_s=(self._returned_ms - self._began_ms) / 1000,
            devices=len(self.expected),
            recovered_s=self._recovered_s(),
            lost_again=self._lost_again(),
            attempts_while_down=self._tried_while_down,
            attempts_after=self._tried_after.total(),
            attempts_after_max=max(self._tried_after.values(), default=0),
            cloud_cpu_s=self._cpu_s,
        )

    def _recovered_s(self) -> dict[int, float]:
        """Return since when so many percent were online without a break, from the return on."""
        since_ms: dict[int, int] = {}
        need = {percent: -(-len(self.expected) * percent // 100) for percent in PERCENTS}
        count = len(self._online & self.expected)
        # Shards report in turn, so what happened is put in order here.
        for at_ms, _, online in [(self._began_ms, 0, None), *sorted(self._flips)]:
            if online is not None:
                count += 1 if online else -1
            for percent in PERCENTS:
                if count < need[percent]:
                    since_ms.pop(percent, None)
                else:
                    since_ms.setdefault(percent, at_ms)
        return {
            percent: max(0, at_ms - self._returned_ms) / 1000 for percent, at_ms in since_ms.items()
        }

    def _lost_again(self) -> int:
        """Return how often a session was lost after the cloud's return that was made after it."""
        back: set[int] = set()
        lost = 0
        for at_ms, index, online in sorted(self._flips):
            if online and at_ms >= self._returned_ms > 0:
                back.add(index)
            elif not online and index in back:
                lost += 1
        return lost
