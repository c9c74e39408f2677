"""From a seed to a case: which faults strike when, how long, whom, and what the world is like.

Nothing here knows a kind of fault. What a `FaultTable` can say is read from its own declaration,
and what a kind needs or has no use for from the complaints about a table, so a kind that is added
to `fleet/run/faults.py` takes part from then on.

Each case uses a few kinds only, often several times: what many kinds at once hide from each other,
few bring to light (Groce et al.: Swarm Testing, 2012).
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final, get_args

import msgspec
from msgspec import inspect

from firmware_sim.device.profile import Firmware
from firmware_sim.rng import Rng, derive
from fleet.cloud.settings import Settings
from fleet.run.explore.case import Case, Conditions, Options
from fleet.run.faults import FaultTable, Kind, complaints
from fleet.run.scenario import FAULTS_MAX, SHELF, Expect, Product, Scenario
from hw_profiles import catalog

_DRAW: Final = 500  # branch of the seed
_LIMITS: Final = 1  # branch of that
DAY_S = 24 * 3600
TABLES_MAX = 6
KINDS_MAX = 3
REPAIRS_MAX = 40
DRAWS_MAX = 100
TRIES_MAX = 100  # of people with a device: more than there can be faults in the way
OPTIONS_MAX = 3
FAIR_PCT = 6
MODELS_PCT = 40
HABITS_PCT = 40
CHOICES_PCT = 25
OWN_KEPT_PCT = 75
NARROW_PCT = 33
CALM_PCT = 50
EVEN_PCT = 50
RANGES: Final[dict[str, tuple[float, float]]] = {
    "for_s": (0.05, 120),
    "at_s": (0.01, 60),
    "every_s": (1, 60),
    "until_s": (10, 120),
    "within_s": (0.01, 30),
    "_s": (0.01, 60),
    "_ms": (1, 5_000),
    "_pct": (1, 100),
    "skew_s": (1, 100_000),
    "after_commits": (1, 100),
    "within_commits": (1, 30),
}
"""How far numbers go, by key or by unit, within what a table allows; small ones are as likely."""
_ALWAYS = ("kind", "during")
_NOT_DRAWN = (*_ALWAYS, "dice", "shrinks", "until_s")
UP_S = 10.0
"""So long at least a cloud that goes away again and again is there in between."""
SETTLED_S = 120.0
"""After that of a phase, its faults come no more: from then on people get somewhere."""


def draw(scenario: Scenario, devices: int, seed: int) -> Case:
    """Return the case of a seed; it depends on nothing else."""
    rng = Rng(derive(seed, _DRAW))
    limit_s = DAY_S * (1 + scenario.campaign.days)
    if rng.below(100) < FAIR_PCT:
        return Case(scenario, devices, seed, limit_s=limit_s, fair=True)
    own = list(_diced(scenario.faults))
    if rng.below(100) >= OWN_KEPT_PCT:
        own = [table for table in own if rng.below(100) < EVEN_PCT]
    drawn = list(_tables(scenario, rng, own))[: FAULTS_MAX - len(own)]
    wanted = Expect(scenario.expect.unbound_pct, scenario.expect.rebound_pct)
    faulty = msgspec.structs.replace(
        _narrow(scenario, devices, Rng(derive(seed, _DRAW, _LIMITS))),
        products=_models(scenario.products, rng),
        faults=(*own, *drawn),
        tries_max=TRIES_MAX,
        expect=wanted,
    )
    return Case(
        faulty,
        devices,
        seed,
        _conditions(rng),
        _some(HABITS, rng, HABITS_PCT),
        # Tampered firmware plays a release by heart, as it goes usually.
        {} if scenario.tampered.devices else _some(CHOICES, rng, CHOICES_PCT),
        limit_s,
    )


def _models(products: tuple[Product, ...], rng: Rng) -> tuple[Product, ...]:
    """Return products of other built-in models, or as they are; what had a lens has one."""
    if rng.below(100) >= MODELS_PCT:
        return products
    changed = []
    for product in products:
        wired = catalog.load(product.profile).wired
        alike = [name for name in catalog.names() if catalog.load(name).wired == wired]
        changed.append(msgspec.structs.replace(product, profile=alike[rng.below(len(alike))]))
    return tuple(changed)


def _narrow(scenario: Scenario, devices: int, rng: Rng) -> Scenario:
    """Return the scenario with quotas and codes that so few devices use up, or as it is.

    People hand over to each other and ask for more by ticket then, so that all get unbound. Those
    with tampered firmware count on one release of their own.
    """
    if not scenario.unbind or scenario.tampered.devices or rng.below(100) >= NARROW_PCT:
        return scenario
    quotas = msgspec.structs.replace(
        scenario.quotas, account=1 + rng.below(devices), product=1 + rng.below(devices)
    )
    batch_max = 1 + rng.below(min(scenario.batch_max, devices))
    return msgspec.structs.replace(scenario, quotas=quotas, batch_max=batch_max)


def _diced(tables: tuple[FaultTable, ...]) -> Iterator[FaultTable]:
    """Yield tables that strike the same devices at the same moments wherever they stand.

    None goes on for ever.
    """
    for number, table in enumerate(tables):
        until_s = (
            max(table.at_s, SETTLED_S) if table.every_s and not table.until_s else table.until_s
        )
        yield msgspec.structs.replace(table, dice=table.dice or number + 1, until_s=until_s)


def _conditions(rng: Rng) -> Conditions:
    if rng.below(100) < CALM_PCT:
        return Conditions()
    return Conditions(
        trip_ms=round(_spread(rng, 1, 500)),
        jitter_ms=round(_spread(rng, 1, 1_000)),
        write_ms=round(_spread(rng, 1, 1_000)),
    )


def _spread(rng: Rng, low: float, high: float) -> float:
    """Return a number whose order of magnitude is drawn evenly."""
    return math.exp(rng.between(math.log(low), math.log(high)))


def _some(fields: Mapping[str, inspect.Type], rng: Rng, pct: int) -> Options:
    """Return other values for a few of some options, or for none."""
    if rng.below(100) >= pct:
        return {}
    names = [list(fields)[rng.below(len(fields))] for _ in range(1 + rng.below(OPTIONS_MAX))]
    return {name: _of(fields[name], name, rng) for name in names}


# --- tables -------------------------------------------------------------------------------------


def _tables(scenario: Scenario, rng: Rng, own: list[FaultTable]) -> Iterator[FaultTable]:
    """Yield from 1 to `TABLES_MAX` tables of a few kinds."""
    kinds = [
        get_args(Kind)[rng.below(len(get_args(Kind)))] for _ in range(1 + rng.below(KINDS_MAX))
    ]
    away_often = any(table.facts.away and table.every_s for table in own)
    dice = FAULTS_MAX + 1
    for _ in range(1 + rng.below(TABLES_MAX)):
        table = _table(kinds[rng.below(len(kinds))], rng, dice, scenario)
        if table is None:
            continue
        if table.facts.away and table.every_s:
            if away_often:  # two that take turns for ever would leave no cloud at all
                continue
            away_often = True
            every_s = round(max(table.every_s, table.for_s + UP_S), 3)
            table = msgspec.structs.replace(table, every_s=every_s)
        dice += 1
        yield table


def _table(kind: str, rng: Rng, dice: int, scenario: Scenario) -> FaultTable | None:
    """Return a table of that kind that nobody complains about; None if that does not come about."""
    for _ in range(DRAWS_MAX):
        keys: dict[str, Any] = {"kind": kind, "during": _of(FIELDS["during"], "during", rng)}
        keys["dice"] = dice
        for name, field in FIELDS.items():
            if name not in _NOT_DRAWN and rng.below(100) < EVEN_PCT:
                keys[name] = _of(field, name, rng)
        if "every_s" in keys:
            keys["until_s"] = max(_of(FIELDS["until_s"], "until_s", rng), keys.get("at_s", 0.0))
        table = _repaired(keys, rng, scenario)
        if table is not None:
            return table
    return None


def _repaired(keys: dict[str, Any], rng: Rng, scenario: Scenario) -> FaultTable | None:
    """Return a table without what it has no use for, and with what it needs."""
    for _ in range(REPAIRS_MAX):
        table = FaultTable(**keys)
        key = flaw(table, scenario)
        if not key:
            return table
        if key in keys and key not in _ALWAYS:
            del keys[key]
        elif key == "kind":
            return None
        else:
            keys[key] = _of(FIELDS[key], key, rng)
    return None


def flaw(table: FaultTable, scenario: Scenario) -> str:
    """Return the first key of a table that is wrong in this scenario, "" if none is."""
    shelf = scenario.start == SHELF
    return next((key for key, _ in complaints(table, unbind=scenario.unbind, shelf=shelf)), "")


# --- values -------------------------------------------------------------------------------------


def _of(field: inspect.Type, name: str, rng: Rng) -> Any:
    """Return a value for a key of a table, within what its declaration allows."""
    if isinstance(field, inspect.LiteralType):
        return field.values[rng.below(len(field.values))]
    if isinstance(field, inspect.EnumType):
        return [member.value for member in field.cls][rng.below(len(field.cls))]
    if isinstance(field, inspect.BoolType):
        return bool(rng.below(2))
    assert isinstance(field, inspect.IntType | inspect.FloatType), f"{name}: nobody can draw that"
    low, high = _range(field, name)
    number = _spread(rng, low, high)
    if field.ge is not None and field.ge < 0 and rng.below(2):
        number = -number
    return round(number) if isinstance(field, inspect.IntType) else round(number, 3)


def _range(field: inspect.IntType | inspect.FloatType, name: str) -> tuple[float, float]:
    unit = "_" + name.rpartition("_")[2]
    low, high = RANGES.get(name) or RANGES.get(unit) or (1, 100)
    low = max(low, field.ge or 0)
    high = high if field.le is None else min(high, field.le)
    return low, max(low, high)


def _fields(kind: type[msgspec.Struct]) -> dict[str, inspect.Type]:
    told = inspect.type_info(kind)
    assert isinstance(told, inspect.StructType)
    return {
        field.name: field.type.type if isinstance(field.type, inspect.Metadata) else field.type
        for field in told.fields
    }


FIELDS: Final = _fields(FaultTable)
HABITS: Final = {
    name: field
    for name, field in _fields(Firmware).items()
    if isinstance(field, inspect.EnumType | inspect.BoolType)
    and name not in ("built_in_servers", "pairing_lan_version_max")
}
"""Options of firmware. The vendor's servers, which some know by heart, are nowhere in this world, and
its phones hear what waits to be paired by its announcements, which the newest versions may not make."""
CHOICES: Final = {
    name: field
    for name, field in _fields(Settings).items()
    if name in ("unbind_mode", "unbind_reset_kind", "wipe_on_new_owner")
}
"""Settings of the cloud that decide what becomes of devices, and take no protection from it."""
