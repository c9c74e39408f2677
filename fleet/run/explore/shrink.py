"""Makes a case that fails smaller, as long as it fails in the same way.

Delta debugging (Zeller and Hildebrandt: Simplifying and Isolating Failure-Inducing Input, 2002),
in the order in which a person would want things gone: faults, devices, products, people, oddities, and
last the numbers. Each step proposes smaller cases, the boldest first; the first
one that still fails is what the search goes on with. It ends when no step finds anything any more,
or when it has played as many runs as it may.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import msgspec

from fleet.run.explore.case import Case, Conditions
from fleet.run.explore.draw import FIELDS, flaw
from fleet.run.explore.outcome import Outcome
from fleet.run.explore.workers import Players
from fleet.run.faults import FaultTable
from fleet.run.scenario import QuotaLimits, Scenario, Trouble, inconsistency

RUNS_MAX = 400
CODE_MAX = 30
_USUAL = QuotaLimits()
Smaller = Callable[[Case], Iterator[Case]]
OnStep = Callable[[int, Case], None]


def shrink(
    players: Players,
    case: Case,
    outcome: Outcome,
    *,
    runs_max: int = RUNS_MAX,
    on_step: OnStep = lambda _, __: None,
) -> tuple[Case, Outcome, int]:
    """Return the smallest case found that fails as `outcome` does, what it comes to, and the runs.

    `on_step(runs, case)` is called with each smaller case.
    """
    assert outcome.finding is not None, "it does not fail"
    search = _Search(players, case, outcome, runs_max, on_step)
    search.go()
    return search.case, search.outcome, search.runs


class _Search:
    """One search. It never plays the same case twice."""

    def __init__(
        self, players: Players, case: Case, outcome: Outcome, runs_max: int, on_step: OnStep
    ) -> None:
        assert outcome.finding is not None  # the caller has looked
        self.case = case
        self.outcome = outcome
        self.runs = 0
        self._name = outcome.finding.name
        self._players = players
        self._runs_max = runs_max
        self._on_step = on_step
        self._tried = {msgspec.json.encode(case)}

    def go(self) -> None:
        before = None
        while before != self.case:
            before = self.case
            for smaller in STEPS:
                while self._found(smaller):
                    pass

    def _found(self, smaller: Smaller) -> bool:
        """Go on with the first case of a step that fails as well; say whether there is one."""
        left = self._runs_max - self.runs
        for case, outcome in self._players.outcomes(islice(self._new(smaller), left)):
            self.runs += 1
            self._tried.add(msgspec.json.encode(case))
            if outcome.finding is not None and outcome.finding.name == self._name:
                self.case, self.outcome = case, outcome
                self._on_step(self.runs, case)
                return True
        return False

    def _new(self, smaller: Smaller) -> Iterator[Case]:
        # What is handed out is not yet tried: it may be given up when another one is found to fail.
        out = set(self._tried)
        for case in smaller(self.case):
            key = msgspec.json.encode(case)
            if key not in out and can_be(case):
                out.add(key)
                yield case


def can_be(case: Case) -> bool:
    """Say whether a case makes sense at all."""
    least = len(case.scenario.products)
    return 0 < least <= case.devices and inconsistency(case.scenario) is None


# --- faults and devices -------------------------------------------------------------------------


def _fewer_faults(case: Case) -> Iterator[Case]:
    """Leave out all tables, halves of them, quarters, down to each single one."""
    tables = case.scenario.faults
    size = len(tables)
    while size:
        for start in range(0, len(tables), size):
            yield case.replace(faults=tables[:start] + tables[start + size :])
        size //= 2


def _fewer_devices(case: Case) -> Iterator[Case]:
    least = len(case.scenario.products)
    for devices in _towards(case.devices, least):
        yield case.replace(devices=devices)


def _towards(number: int, least: int) -> Iterator[int]:
    """Yield smaller numbers: the least, then from half the way back in halves of what is left."""
    distance = number - least
    while distance > 0:
        yield number - distance
        distance //= 2


# --- products and people ------------------------------------------------------------------------


def _fewer_products(case: Case) -> Iterator[Case]:
    products = case.scenario.products
    for one in products if len(products) > 1 else ():
        yield case.replace(products=(one,), devices=max(1, case.devices // len(products)))
        yield case.replace(products=(one,))
    for number in range(len(products)):
        yield case.replace(products=products[:number] + products[number + 1 :])


def _fewer_people(case: Case) -> Iterator[Case]:
    operators = case.scenario.operators
    for one in operators if len(operators) > 1 else ():
        yield case.replace(operators=(one,))
    for number in range(len(operators)):
        yield case.replace(operators=operators[:number] + operators[number + 1 :])


def _less_trouble(case: Case) -> Iterator[Case]:
    trouble = case.scenario.trouble
    yield case.replace(trouble=Trouble(), rebind_every=0)
    yield case.replace(trouble=Trouble())
    for field in msgspec.structs.fields(Trouble):
        if getattr(trouble, field.name):
            yield case.replace(trouble=msgspec.structs.replace(trouble, **{field.name: 0}))
    yield case.replace(rebind_every=0)


# --- oddities and numbers -----------------------------------------------------------------------


def _calmer(case: Case) -> Iterator[Case]:
    quotas = case.scenario.quotas
    wide = msgspec.structs.replace(quotas, account=_USUAL.account, product=_USUAL.product)
    yield case.replace(quotas=wide, batch_max=CODE_MAX)
    yield case.replace(quotas=wide)
    yield case.replace(batch_max=CODE_MAX)
    yield case.replace(conditions=Conditions(), firmware={}, cloud={})
    for key, options in (("firmware", case.firmware), ("cloud", case.cloud)):
        yield case.replace(**{key: {}})
        for left_out in options:
            yield case.replace(**{key: {k: v for k, v in options.items() if k != left_out}})
    yield case.replace(conditions=Conditions())
    for field in msgspec.structs.fields(Conditions):
        usual = {field.name: field.default}
        yield case.replace(conditions=msgspec.structs.replace(case.conditions, **usual))


def _plainer_faults(case: Case) -> Iterator[Case]:
    """Leave out keys of tables, and phases and states that say more than they need to."""
    for number, table in enumerate(case.scenario.faults):
        for plainer in _plainer(table, case.scenario):
            yield _with(case, number, plainer)


def _plainer(table: FaultTable, scenario: Scenario) -> Iterator[FaultTable]:
    for field in msgspec.structs.fields(FaultTable):
        if field.name not in ("dice", "during") and not field.required:
            usual: dict[str, Any] = {field.name: field.default}
            plainer = msgspec.structs.replace(table, **usual)
            if plainer != table and not flaw(plainer, scenario):
                yield plainer


def _rounder_numbers(case: Case) -> Iterator[Case]:
    """Make numbers of tables smaller and rounder: to one digit, and to half of it."""
    for number, table in enumerate(case.scenario.faults):
        for name in FIELDS:
            value = getattr(table, name)
            if name == "dice" or isinstance(value, bool | str):
                continue
            for rounder in _rounder(value):
                changed: dict[str, Any] = {name: rounder}
                plainer = msgspec.structs.replace(table, **changed)
                if not flaw(plainer, case.scenario):
                    yield _with(case, number, plainer)


def _rounder(value: float) -> Iterator[float]:
    """Yield numbers that are no larger: one digit of half the value, and of the value itself."""
    for goal in (value / 2, value):
        digit = float(f"{goal:.0e}")
        number = type(value)(digit if digit <= goal else goal)
        if 0 < number < value:
            yield number


def _with(case: Case, number: int, table: FaultTable) -> Case:
    tables = case.scenario.faults
    return case.replace(faults=(*tables[:number], table, *tables[number + 1 :]))


STEPS: tuple[Smaller, ...] = (
    _fewer_faults,
    _fewer_devices,
    _fewer_products,
    _fewer_people,
    _less_trouble,
    _calmer,
    _plainer_faults,
    _rounder_numbers,
)
