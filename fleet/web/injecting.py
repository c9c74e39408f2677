"""Faults by hand: any kind that a scenario can name and that live processes can be made to suffer."""

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

import msgspec

from firmware_sim.errors import SimulatorError, UsageError
from firmware_sim.rng import Rng, derive
from firmware_sim.runtime.faults import concerns
from fleet.run.fault_kinds import KINDS
from fleet.run.fault_plan import Strike
from fleet.run.faults import ANY, FaultTable, complaints
from fleet.web.choosing import Choosing
from fleet.web.fleet_words import Inject, KindOfFault
from fleet.web.premises import Premises
from fleet.web.routes import NotFound
from fleet.web.run_words import Injected

FIRST_NUMBER = 1_000_000  # above those of a scenario's tables
KEPT_MAX = 100
OUTAGES_MAX = 8  # of the cloud that wait for their turn
DEVICES, CLOUD = "devices", "cloud"
_DICE = 900  # branch of the seed


class Injecting:
    """The faults that were injected, the last of them."""

    def __init__(self, premises: Premises, choosing: Choosing) -> None:
        """Begin with none."""
        self._premises = premises
        self._choosing = choosing
        self._kept: deque[Injected] = deque(maxlen=KEPT_MAX)
        self._outages: set[asyncio.Task[None]] = set()
        self._next = FIRST_NUMBER

    @asynccontextmanager
    async def life(self) -> AsyncIterator[None]:
        """End what befalls the cloud at the end."""
        try:
            yield
        finally:
            outages = tuple(self._outages)
            for outage in outages:
                outage.cancel()
            await asyncio.gather(*outages, return_exceptions=True)

    def injected(self) -> list[Injected]:
        """Return what was injected, the latest first, with how many it has struck."""
        struck: Mapping[int, Mapping[str, int]] = self._premises.supervisor.measured.struck
        return [
            msgspec.structs.replace(one, struck=sum(struck.get(one.number, {}).values()))
            for one in reversed(self._kept)
        ]

    def inject(self, wish: Inject) -> Injected:
        """Let a fault begin. Raises UsageError for what cannot be."""
        table = _table(wish)
        if table.facts.fault is None:
            if wish.devices or wish.filter is not None:
                raise UsageError(f"{wish.kind} befalls the cloud: name no devices")
            return self._of_cloud(table)
        wired = {one: concerns(table.facts.fault, wired=one) for one in (True, False)}
        only = None if all(wired.values()) else wired[True]
        return self._of_devices(table, self._choosing.these(wish, wired=only))

    def call_off(self, number: int) -> Injected:
        """Forget what a fault has not begun yet; what it has begun ends by itself.

        Raises NotFound.
        """
        for one in self.injected():
            if one.number == number:
                self._premises.supervisor.call_off([number])
                return one
        raise NotFound(f"no fault {number} was injected")

    def _of_devices(self, table: FaultTable, indices: tuple[int, ...]) -> Injected:
        units = self._premises.population.units
        indices = tuple(index for index in indices if not units[index].foreign)
        if not indices:
            raise UsageError(
                "faults befall what is simulated; a device on a bench has its power, button and link"
            )
        number = self._number()
        rng = Rng(derive(self._premises.population.seed, _DICE, number))
        delays = tuple(round(1000 * rng.between(0, table.within_s)) for _ in indices)
        fault = table.fault(1)
        strike = Strike(number, fault, 0, indices, delays, table.state)
        self._premises.supervisor.strike(strike)
        lasts_ms = strike.over_ms if table.state == ANY and table.facts.lasts else 0
        return self._keep(number, table, DEVICES, lasts_ms, len(indices))

    def _of_cloud(self, table: FaultTable) -> Injected:
        if len(self._outages) >= OUTAGES_MAX:
            raise UsageError(f"{OUTAGES_MAX} faults of the cloud wait for their turn already")
        number = self._number()
        outage = asyncio.get_running_loop().create_task(self._outage(number, table))
        self._outages.add(outage)
        outage.add_done_callback(self._outages.discard)
        count = len(self._premises.population.units)
        return self._keep(number, table, CLOUD, round(1000 * table.for_s), count)

    async def _outage(self, number: int, table: FaultTable) -> None:
        try:
            await self._premises.supervisor.strike_cloud(number, table.cloud_fault(1, 1))
        except SimulatorError as error:
            self._premises.supervisor.give_up(error)

    def _number(self) -> int:
        self._next += 1
        return self._next

    def _keep(
        self, number: int, table: FaultTable, of: str, lasts_ms: int, devices: int
    ) -> Injected:
        now_ms = self._premises.supervisor.now_ms()
        until_ms = now_ms + lasts_ms if lasts_ms else 0
        kept = Injected(number, table.kind, of, now_ms, until_ms, devices, 0, _words(table))
        self._kept.append(kept)
        return kept


def kinds() -> list[KindOfFault]:
    """Return all kinds that can be injected into a live fleet."""
    return [
        KindOfFault(
            name=name,
            what=_KEY.sub(lambda key: _PLAIN.get(key[1], key[1]), kind.what),
            of=CLOUD if kind.fault is None else DEVICES,
            keys=({"for_s": "from 0.001 to 3600"} if kind.lasts else {})
            | {key: str(allowed or _WORDS[key]) for key, allowed in kind.keys.items()},
        )
        for name, kind in KINDS.items()
        if kind.live
    ]


_WORDS: Final = {"by": "kill or stop"}
_KEY: Final = re.compile("`([^`]*)`")
_PLAIN: Final = {
    "for_s": "a while",
    "latency_ms": "some milliseconds",
    "late_s": "some seconds",
    "loss_pct": "some percent",
    "duplicate_pct": "some percent",
    "reorder_ms": "some milliseconds",
    "skew_s": "some seconds",
}


def _table(wish: Inject) -> FaultTable:
    kind = KINDS.get(wish.kind)
    if kind is None or not kind.live:
        known = ", ".join(name for name, one in KINDS.items() if one.live)
        lacking = "is for virtual time only" if kind is not None else "is no fault"
        raise UsageError(f"{wish.kind!r} {lacking}; a live fleet knows {known}")
    try:
        table = wish.table()
    except msgspec.ValidationError as error:
        raise UsageError(f"{wish.kind}: {error}") from None
    for key, wrong in complaints(table, unbind=True):
        raise UsageError(f"{key}: {wrong}")
    return table


def _words(table: FaultTable) -> str:
    """Return the numbers of a fault, for people."""
    facts = [f"for {table.for_s:g} s"] if table.for_s else []
    facts += [f"{key} {getattr(table, key)}" for key in table.facts.keys]
    facts += [f"when {table.state}"] if table.state != ANY else []
    return ", ".join(facts)
