"""What the live run view is told of: one moment of a run, and what was injected into it by hand."""

import msgspec


class Injected(msgspec.Struct, frozen=True):
    """A fault that somebody let befall devices or the cloud. `until_ms` 0: it has no end.

    `struck`: how many devices it has befallen so far.
    """

    number: int
    kind: str
    of: str
    at_ms: int
    until_ms: int
    devices: int
    struck: int
    words: str


class Stage(msgspec.Struct, frozen=True):
    """One phase of a scenario: `done` of `of` devices; `state` is done, now or later."""

    name: str
    title: str
    done: int
    of: int
    state: str


class PhaseTimes(msgspec.Struct, frozen=True):
    """How long one phase of a device took so far, over all that completed it."""

    name: str
    count: int
    p50_ms: float
    p90_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float


class QuotaUse(msgspec.Struct, frozen=True):
    """What is used of a quota today; `scope` is account or product."""

    scope: str
    name: str
    used: int
    limit: int


class FaultPlanned(msgspec.Struct, frozen=True):
    """A fault of the scenario: with which phase it comes, how many it has struck, if that is now."""

    kind: str
    during: str
    struck: int
    now: bool
    played: bool


class Load(msgspec.Struct, frozen=True):
    """What a process and all it started take now, in percent of one core."""

    name: str
    cpu_pct: float


class Generator(msgspec.Struct, frozen=True):
    """Whether the simulated devices keep up: `lag_p99_ms` is of the last seconds.

    `held_back` says that it is too much: what is measured contains the generator's own delay.
    """

    lag_p99_ms: float
    lag_max_ms: float
    frames: int
    decoded: int
    loads: list[Load]
    rss_bytes: int
    held_back: bool


class People(msgspec.Struct, frozen=True):
    """The operators of a scenario: how many of them work, in batches of what size at most."""

    operators: int
    all_operators: int
    batch_max: int
    paused: bool


class Told(msgspec.Struct, frozen=True):
    """One line that was told; `number` counts them from 1."""

    number: int
    at_ms: int
    text: str


class Moment(msgspec.Struct, frozen=True):
    """One moment. Counts are devices, except those of `attempts` (that failed) and rates, per second.

    `quotas` is null while the cloud does not say.
    """

    at_ms: int
    elapsed_s: float
    scenario: str
    phase: str
    devices: int
    stages: list[Stage]
    states: dict[str, int]
    lights: dict[str, int]
    unbound: int
    rebound: int
    states_per_s: float
    unbound_per_s: float
    rebound_per_s: float
    refused: dict[str, int]
    failed: dict[str, int]
    attempts: dict[str, int]
    phases: list[PhaseTimes]
    quotas: list[QuotaUse] | None
    faults: list[FaultPlanned]
    injected: list[Injected]
    generator: Generator
    people: People | None
    last_line: int


class Slot(msgspec.Struct, frozen=True):
    """A stretch of the past: how many devices showed which light at its end, and what was done."""

    at_s: float
    lights: dict[str, int]
    changes: int
    unbound: int
    rebound: int


class Past(msgspec.Struct, frozen=True):
    """All stretches so far, `slot_s` each, and the last lines."""

    now: Moment
    slot_s: float
    slots: list[Slot]
    lines: list[Told]
    lights: tuple[str, ...]
