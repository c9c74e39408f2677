"""Faults that wait for their moment in one shard: a delay, or a device that enters a state.

The moment of a power cut "while it activates" is too short for anybody outside the process, so the
plan is sent ahead and the ambush laid where the devices are.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable

import msgspec

from firmware_sim.runtime.faults import AnyFault
from fleet.run.faults import ANY

Play = Callable[[int, AnyFault], str]


class _Trap(msgspec.Struct, frozen=True):
    number: int
    fault: AnyFault
    delay_ms: int


class Ambush:
    """All faults of a shard that have not begun, and a count of those that have.

    `play(index, fault)` lets one begin and returns the state that it struck the device in.
    """

    def __init__(self, play: Play) -> None:
        """Start without any."""
        self._play = play
        self._loop = asyncio.get_running_loop()
        self._traps: dict[tuple[int, str], list[_Trap]] = defaultdict(list)
        self._timers: dict[asyncio.TimerHandle, int] = {}
        self.struck: dict[int, Counter[str]] = {}

    def lay(
        self,
        number: int,
        fault: AnyFault,
        indices: Iterable[int],
        delays_ms: Iterable[int],
        state: str = ANY,
    ) -> None:
        """Let a fault of table `number` strike devices, each after its delay, or else at once.

        With a `state` the delay counts from when the device first enters it from now on.
        """
        for index, delay_ms in zip(indices, delays_ms, strict=True):
            trap = _Trap(number, fault, delay_ms)
            if state != ANY:
                self._traps[index, state].append(trap)
            elif delay_ms:
                self._spring(index, trap)
            else:  # not in the loop's next turn: it might be called off in this one
                self._strike(index, trap)

    def saw(self, index: int, lifecycle: str) -> None:
        """Let what waits for a device in this state take its course."""
        if self._traps:
            for trap in self._traps.pop((index, lifecycle.lower()), ()):
                self._spring(index, trap)

    def calm(self, numbers: Iterable[int]) -> None:
        """Forget what these tables have not begun."""
        over = set(numbers)
        for key, traps in list(self._traps.items()):
            left = [trap for trap in traps if trap.number not in over]
            if left:
                self._traps[key] = left
            else:
                del self._traps[key]
        for timer, number in list(self._timers.items()):
            if number in over:
                timer.cancel()
                del self._timers[timer]

    def _spring(self, index: int, trap: _Trap) -> None:
        def strike() -> None:
            self._timers.pop(timer, None)
            self._strike(index, trap)

        timer = self._loop.call_later(trap.delay_ms / 1000, strike)
        self._timers[timer] = trap.number

    def _strike(self, index: int, trap: _Trap) -> None:
        state = self._play(index, trap.fault)
        self.struck.setdefault(trap.number, Counter())[state.lower()] += 1

    def take_struck(self) -> dict[int, dict[str, int]]:
        """Return how many were struck in which state since the last time, by table."""
        struck, self.struck = self.struck, {}
        return {number: dict(states) for number, states in struck.items()}
