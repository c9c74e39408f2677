"""Plays the faults of a scenario on a fleet, phase by phase.

The plan says who is struck when (`fault_plan.py`); this waits for the moment and passes it on. What
is under way when a phase ends takes its course, what has not begun is called off. Rebinding goes on
beside unbinding, and its faults strike only what new owners have: those that are planned once begin
for each device when it is taken home, the others with the first one.
"""

import asyncio
from collections.abc import Iterable
from typing import Protocol

import msgspec

from fleet.run.cloud_faults import CloudCrash, CloudFault
from fleet.run.fault_kinds import FaultKind
from fleet.run.fault_plan import FaultPlan, Strike, scheduled
from fleet.run.faults import ALWAYS, ANY, REBIND

START = "start"
CHECK = "check"


class Stagehands(Protocol):
    """What makes faults happen."""

    def plays(self, kind: FaultKind) -> bool:
        """Say whether faults of this kind can be made to happen here."""
        ...

    def strike(self, strike: Strike) -> None:
        """Let a fault befall devices."""
        ...

    def call_off(self, numbers: Iterable[int]) -> None:
        """Forget what these tables have not begun."""
        ...

    async def strike_cloud(self, number: int, fault: CloudFault) -> None:
        """Let a fault befall the cloud, as table `number` says; return when it is over.

        One that waits for its moment is over as well when it is called off.
        """
        ...


class _Part(msgspec.Struct):
    """One table that is being played."""

    number: int
    task: asyncio.Task[None]
    repeats: bool

    @property
    def awaited(self) -> bool:
        return not (self.repeats or self.task.done())


class FaultPlayer:
    """The faults of one run, as tasks of `group`. Call `enter` with each phase, in order."""

    def __init__(self, plan: FaultPlan, hands: Stagehands, group: asyncio.TaskGroup) -> None:
        """Prepare; nothing happens before the first phase."""
        self._plan = plan
        self._hands = hands
        self._group = group
        self._loop = asyncio.get_running_loop()
        self._parts: dict[str, list[_Part]] = {}
        self._phase = ""
        self._outages: set[asyncio.Task[None]] = set()
        self._fuses: set[asyncio.Task[None]] = set()  # crashes that wait for their moment, or came
        self._taken_home: set[int] = set()
        self._at_home: list[Strike] = []  # what befalls each device that is taken home
        self._over_s = 0.0  # when the last fault that has begun is over, by the loop's clock
        self._once_over_s = 0.0  # the same of those that come once

    def enter(self, phase: str) -> None:
        """End the faults of the phase before, begin those of this one."""
        self._begin(ALWAYS)
        self._end(self._phase)
        self._phase = phase
        if phase != REBIND:
            self._begin(phase)
        if phase == CHECK:
            self._end(REBIND)
            self._end(ALWAYS)

    def take_home(self, index: int) -> None:
        """A new owner takes a device home."""
        self._taken_home.add(index)
        self._begin(REBIND)
        for strike in self._at_home:
            self._strike(strike, {index})

    async def once(self) -> None:
        """Wait until everything that this phase plans once is over."""
        parts = self._parts.get(self._phase, [])
        while waiting := {part.task for part in parts if part.awaited} | self._outages:
            await asyncio.wait(waiting)
        while (left_s := self._once_over_s - self._loop.time()) > 0:
            await asyncio.sleep(left_s)

    async def over(self) -> None:
        """Wait until everything that has begun is over."""
        while outages := self._outages | self._fuses:
            await asyncio.wait(outages)
        while (left_s := self._over_s - self._loop.time()) > 0:
            await asyncio.sleep(left_s)

    # --- tables ---------------------------------------------------------------------------------

    def _begin(self, phase: str) -> None:
        if phase in self._parts:
            return
        parts = self._parts[phase] = []
        for number in scheduled(self._plan.tables, phase):
            table = self._plan.tables[number]
            if not self._hands.plays(table.facts):
                continue
            if table.facts.fault is None:
                play = self._strike_cloud(number)
            elif phase == REBIND and not table.every_s:
                self._at_home += (strike.from_now() for strike in self._plan.strikes(number))
                play = _nothing()
            else:
                play = self._play(number)
            parts.append(_Part(number, self._group.create_task(play), bool(table.every_s)))

    def _end(self, phase: str) -> None:
        parts = self._parts.get(phase, [])
        for part in parts:
            part.task.cancel()
            table = self._plan.tables[part.number]
            if table.state != ANY:  # it may have begun this very moment
                self._note_end(table.length_s(self._plan.size), once=True)
        if parts:
            self._hands.call_off(part.number for part in parts)

    async def _play(self, number: int) -> None:
        began_s = self._loop.time()
        at_home = self._plan.tables[number].during == REBIND
        for strike in self._plan.strikes(number):
            await asyncio.sleep(began_s + strike.at_ms / 1000 - self._loop.time())
            self._strike(strike, self._taken_home if at_home else None)

    def _strike(self, strike: Strike, only: set[int] | None) -> None:
        if only is not None:
            strike = strike.only(only)
        if strike.indices:
            self._hands.strike(strike)
            once = not self._plan.tables[strike.number].every_s
            self._note_end(strike.over_ms / 1000, once=once)

    def _note_end(self, in_s: float, *, once: bool) -> None:
        end_s = self._loop.time() + in_s
        self._over_s = max(self._over_s, end_s)
        if once:
            self._once_over_s = max(self._once_over_s, end_s)

    async def _strike_cloud(self, number: int) -> None:
        table = self._plan.tables[number]
        length_s = table.length_s(self._plan.size)
        due_s = self._loop.time() + table.at_s
        for turn in table.turns():
            await asyncio.sleep(due_s - self._loop.time())
            fault = self._plan.cloud_fault(number, turn)
            # A crash comes when it comes, or never: nobody waits for it to be over who wants to go on.
            under_way = self._fuses if isinstance(fault, CloudCrash) else self._outages
            outage = self._group.create_task(self._hands.strike_cloud(number, fault))
            under_way.add(outage)
            outage.add_done_callback(under_way.discard)
            if not table.every_s:
                return
            await asyncio.wait({outage})  # which takes its course when we are called off
            # Ending and starting a process takes time too; in between it is there as long as planned.
            due_s = max(due_s, self._loop.time() - length_s) + table.every_s


async def _nothing() -> None:
    """Wait for nothing: these faults begin with each device that is taken home."""
