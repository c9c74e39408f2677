"""What a report has beside its figures: what was asked for, quotas, lights of devices."""

from collections.abc import Iterator

import msgspec

from firmware_sim.device.indicator import Pattern
from fleet.cloud.quotas import Quota
from fleet.run.expectations import OTHERS, Expected
from fleet.run.light_log import Track
from fleet.run.population import Population
from fleet.run.result import Details, RunResult


class Expectation(msgspec.Struct, frozen=True):
    """One line of the scenario's `[expect]`. `met` is null where this run could not show it."""

    name: str
    wanted: str
    met: bool | None
    told: tuple[str, ...]


class QuotaUse(msgspec.Struct, frozen=True):
    """Devices unbound on one day (ISO date) for one account or product (`scope`), and how many may be."""

    scope: str
    name: str
    day: str
    used: int
    limit: int


class LightPattern(msgspec.Struct, frozen=True):
    """How a light moves: `colours` on for `on_ms`, off (or the second colour) for `off_ms`."""

    mode: str
    colours: tuple[str, ...]
    on_ms: int
    off_ms: int
    words: str


class DeviceLights(msgspec.Struct, frozen=True):
    """The lights of one device: pairs of the second at which it began and its name.

    `why` it is shown: `failed`, `slow` or `typical`; `took_s` from its first token to "unbound".
    """

    device: int
    uuid: str
    product: str
    profile: str
    why: str
    took_s: float | None
    cut: bool
    changes: tuple[tuple[float, str], ...]


class Lights(msgspec.Struct, frozen=True):
    """A dozen of the `tracked` devices (each `every`-th one), and the patterns of their models."""

    tracked: int
    every: int
    patterns: dict[str, dict[str, LightPattern]]
    devices: tuple[DeviceLights, ...]


def expectations(result: RunResult) -> tuple[Expectation, ...]:
    """Return every expectation of the scenario, and what is unmet of it."""
    if result.details is None:
        return ()
    lines = {line: line.partition(":")[0] for line in result.unmet}
    named = {one.subject for one in result.details.expected}
    return tuple(
        _judged(
            one,
            tuple(
                line
                for line, subject in lines.items()
                if subject == one.subject or (one.subject == OTHERS and subject not in named)
            ),
            result,
        )
        for one in result.details.expected
    )


def _judged(one: Expected, lines: tuple[str, ...], result: RunResult) -> Expectation:
    left_out = tuple(
        line for line in result.left_out if line.partition(":")[0] == one.subject.split()[-1]
    )
    if lines:
        return Expectation(one.subject, one.wanted, met=False, told=lines)
    if result.aborted:
        return Expectation(one.subject, one.wanted, met=None, told=("the run ended early",))
    return Expectation(one.subject, one.wanted, met=None if left_out else True, told=left_out)


def quota_uses(population: Population, quotas: tuple[Quota, ...]) -> tuple[QuotaUse, ...]:
    """Return the use of quotas, with the names of products instead of their ids."""
    names = {product.product_id: product.name for product in population.products}
    uses = (
        QuotaUse(quota.scope, names.get(quota.name, quota.name), quota.day, quota.used, quota.limit)
        for quota in quotas
    )
    return tuple(sorted(uses, key=lambda use: (use.scope, use.name, use.day)))


def lights(details: Details) -> Lights:
    """Return the lights of the chosen devices, and the patterns behind their names."""
    log, population = details.lights, details.population
    profiles = {track.unit.product.profile: track.unit for track in log.tracks}
    return Lights(
        tracked=log.tracked,
        every=log.every,
        patterns={
            population.profile(unit).name: {
                light: _pattern(pattern)
                for light, pattern in population.profile(unit).indicator.items()
            }
            for unit in profiles.values()
        },
        devices=tuple(
            DeviceLights(
                device=track.unit.index,
                uuid=track.unit.uuid,
                product=track.unit.product.name,
                profile=population.profile(track.unit).name,
                why=track.why,
                took_s=None if track.took_ms is None else round(track.took_ms / 1000, 3),
                cut=track.cut,
                changes=tuple(_since(track, details.over_time.start_ms)),
            )
            for track in log.tracks
        ),
    )


def _since(track: Track, start_ms: int) -> Iterator[tuple[float, str]]:
    for at_ms, light in track.changes:
        yield round(max(0, at_ms - start_ms) / 1000, 3), light


def _pattern(pattern: Pattern) -> LightPattern:
    return LightPattern(
        mode=pattern.mode.value,
        colours=pattern.colours,
        on_ms=pattern.on_ms,
        off_ms=pattern.off_ms,
        words=pattern.in_words(),
    )
