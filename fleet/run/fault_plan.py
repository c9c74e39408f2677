"""Who is struck when: the `[[faults]]` of a scenario, dealt out to a population by its seed.

A function of scenario, size and seed, without a clock: whoever drives the devices, in real or in
virtual time, plays the same plan.
"""

from collections.abc import Container, Iterator

import msgspec

from firmware_sim.rng import Rng, derive
from firmware_sim.runtime.faults import AnyFault, concerns
from fleet.run.cloud_faults import CloudFault
from fleet.run.faults import ANY, BENCHES, REBIND, FaultTable
from fleet.run.population import Population, Unit

_FAULTS, _CLOUD_FAULTS = 200, 201  # branches of the seed


class Strike(msgspec.Struct, frozen=True):
    """`fault` befalls devices, `at_ms` after its phase began and after each one's own delay.

    With a `state`, other than any, the delay counts from when the device first enters that. The
    `number` is that of the table in the scenario.
    """

    number: int
    fault: AnyFault
    at_ms: int
    indices: tuple[int, ...]
    delays_ms: tuple[int, ...]
    state: str = ANY

    def only(self, indices: Container[int]) -> "Strike":
        """Return the part of it that befalls some devices."""
        pairs = zip(self.indices, self.delays_ms, strict=True)
        some = [(index, delay_ms) for index, delay_ms in pairs if index in indices]
        return msgspec.structs.replace(
            self,
            indices=tuple(index for index, _ in some),
            delays_ms=tuple(delay_ms for _, delay_ms in some),
        )

    def from_now(self) -> "Strike":
        """Return it with all delays counted from the beginning of the phase."""
        delays_ms = tuple(self.at_ms + delay_ms for delay_ms in self.delays_ms)
        return msgspec.structs.replace(self, at_ms=0, delays_ms=delays_ms)

    @property
    def over_ms(self) -> int:
        """Return when the last of it is over, counted from `at_ms`; of no use with a state."""
        return max(self.delays_ms, default=0) + getattr(self.fault, "for_ms", 0)


class FaultPlan:
    """The plan of one population."""

    def __init__(self, population: Population) -> None:
        """Prepare the plan; it is made as it is asked for."""
        self._population = population
        scenario = population.scenario
        self.tables = scenario.faults
        self.size = len(population.units) / scenario.devices

    def strikes(self, number: int) -> Iterator[Strike]:
        """Return what table `number` does to devices: one strike, or without end if it repeats."""
        table = self.tables[number]
        fault = table.fault(self.size)
        for turn in table.turns():
            struck = self._struck(number, turn)
            yield Strike(
                number=number,
                fault=fault,
                at_ms=round(1000 * (table.at_s + turn * table.every_s)),
                indices=tuple(unit.index for unit in struck),
                delays_ms=tuple(self._delay_ms(number, turn, unit) for unit in struck),
                state=table.state,
            )

    def _struck(self, number: int, turn: int) -> list[Unit]:
        """Return a share of those whom the fault concerns, but at least one: it is to be seen."""
        table = self.tables[number]
        kind = table.facts.fault
        assert kind is not None, "it strikes the cloud"
        ours = (unit for unit in self._population.units if not unit.foreign)
        concerned = [unit for unit in ours if concerns(kind, wired=unit.product.wired)]
        if table.during == REBIND:
            concerned = [unit for unit in concerned if unit.new_owner is not None]
        drawn = {self._lot(number, unit): self._chance(number, turn, unit) for unit in concerned}
        some = max(1, round(len(drawn) * table.share_pct / 100))
        struck = set(sorted(drawn, key=drawn.__getitem__)[:some])
        return [unit for unit in concerned if self._lot(number, unit) in struck]

    def _lot(self, number: int, unit: Unit) -> int:
        """Return what is struck as a whole: the unit, or the bench of its operator."""
        return unit.operator if self.tables[number].of == BENCHES else unit.index

    def _delay_ms(self, number: int, turn: int, unit: Unit) -> int:
        within_s = self.tables[number].within_s
        rng = Rng(self._chance(number, turn, unit))
        return round(1000 * rng.between(0, within_s))

    def _chance(self, number: int, turn: int, unit: Unit) -> int:
        dice = self.tables[number].dice or number
        return derive(self._population.seed, _FAULTS, dice, turn, self._lot(number, unit))

    def cloud_fault(self, number: int, turn: int) -> CloudFault:
        """Return what table `number` does to the cloud, the `turn`-th time it does it (from 0)."""
        table = self.tables[number]
        dice = table.dice or number
        rng = Rng(derive(self._population.seed, _CLOUD_FAULTS, dice, turn))
        commits = table.after_commits + rng.below(table.within_commits + 1)
        return table.cloud_fault(self.size, commits)


def scheduled(tables: tuple[FaultTable, ...], phase: str) -> list[int]:
    """Return the numbers of the tables that begin with a phase."""
    return [number for number, table in enumerate(tables) if table.during == phase]
