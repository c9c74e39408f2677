"""`[thresholds]` of a scenario: conditions on named figures, `"unbind.p95_ms" = ["< 4000"]`.

A condition is an operator and a number, with or without a space between them:

    condition = operator number
    operator  = "<" | "<=" | ">" | ">=" | "==" | "!="
    number    = ["-"] digits ["." digits]

The name may be written as one quoted key or as tables, and a single condition without the brackets.
The idea, that conditions on figures decide the exit code, is that of load testing tools, such as k6
(documentation page "Thresholds"); which figures there are is a table, `metrics.py`.
"""

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

import msgspec

OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
THRESHOLDS_MAX = 200
CONDITION = re.compile(r" *(<=|>=|==|!=|<|>) *(-?[0-9]{1,15}(?:\.[0-9]{1,9})?) *", re.ASCII)
ALLOWED = 'an operator (<, <=, >, >=, ==, !=) and a number, such as "< 4000"'
_SHOWN_MAX = 40


class Threshold(msgspec.Struct, frozen=True):
    """One condition, `figure operator limit`; `metric` is a name of `metrics.METRICS`."""

    metric: str
    operator: str
    limit: float

    @property
    def condition(self) -> str:
        """Return the condition as it is written."""
        return f"{self.operator} {self.limit:.15g}"

    def holds(self, value: float) -> bool:
        """Say whether a figure meets it."""
        return OPERATORS[self.operator](value, self.limit)


def read(table: Mapping[str, Any], names: Mapping[str, object]) -> tuple[Threshold, ...]:
    """Return the conditions of a `[thresholds]` table; `names` are those of all figures.

    Raises ValueError: which key, what is wrong, what is allowed.
    """
    found = tuple(
        threshold
        for name, conditions in _flat(table, "")
        for threshold in _of_metric(name, conditions, names)
    )
    if len(found) > THRESHOLDS_MAX:
        raise ValueError(f"thresholds: {len(found)} are too many, allowed: {THRESHOLDS_MAX}")
    return found


def _flat(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, object]]:
    for key, value in table.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            yield from _flat(value, f"{name}.")
        else:
            yield name, value


def _of_metric(name: str, value: object, names: Mapping[str, object]) -> Iterator[Threshold]:
    where = f'thresholds."{_short(name)}"'
    if name not in names:
        raise ValueError(f"{where}: no figure has this name; there are {_suggestion(name, names)}")
    conditions = [value] if isinstance(value, str) else value
    if not isinstance(conditions, list | tuple) or not conditions:
        raise ValueError(
            f'{where}: {_short(repr(value))} is no list of conditions; allowed: ["< 4000"]'
        )
    for condition in conditions:
        match = CONDITION.fullmatch(condition) if isinstance(condition, str) else None
        if match is None:
            raise ValueError(
                f"{where}: {_short(repr(condition))} is no condition; allowed: {ALLOWED}"
            )
        yield Threshold(name, match[1], float(match[2]))


def _suggestion(name: str, names: Mapping[str, object]) -> str:
    """Return names that are like this one, or the first words that there are."""
    if like := get_close_matches(name[:_SHOWN_MAX], names, n=3):
        return ", ".join(like)
    family = name.partition(".")[0]
    if own := [one for one in names if one.startswith(f"{family}.")]:
        return ", ".join(own[:12]) + (", ..." if len(own) > 12 else "")
    return ", ".join(dict.fromkeys(f"{one.partition('.')[0]}.*" for one in names))


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}..."
