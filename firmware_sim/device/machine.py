"""A table-driven state machine: rows as data, compiled and checked once, shared by all devices.

A row says: in this state, on this event, if the guard holds, do the action and enter the target.
Rows of one (state, event) pair are tried in the order in which they stand; the last one has no
guard. Every pair of a state and an event that the machine knows must be a row or be listed as
ignored, otherwise `Machine` refuses to be built: an omission is our bug and is found at import.
Only `step` assigns the state. Actions append effects and may raise signals for other machines.
Each row knows where it stands, so that whoever watches a run can be shown what decided.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from firmware_sim.device.timers import Timer, Timers
from firmware_sim.events import Event


class Owner(Protocol):
    """What a machine needs of the device it works for."""

    timers: Timers


S = TypeVar("S", bound=Enum)
Guard = Callable[[Any, Any], bool]
Action = Callable[[Any, Any], None]
Hook = Callable[[Any], None]


class Row(NamedTuple):
    """One line of a table. `target` None means: stay, and do not run exit and entry hooks.

    `place` is file and line of the `on(...)` that it comes from, as `on` found them.
    """

    state: Enum
    event: type[Event]
    target: Enum | None
    guard: Guard | None
    action: Action | None
    place: str = ""

    def __str__(self) -> str:
        """Return the line as a reader would say it."""
        guard = f" [{self.guard.__name__}]" if self.guard else ""
        action = f" / {self.action.__name__}" if self.action else ""
        target = self.target.name if self.target else "(stay)"
        return f"{self.state.name} --{self.event.__name__}{guard}{action}--> {target}"


def on(
    state: S | Iterable[S],
    event: type[Event],
    target: S | None,
    *,
    guard: Guard | None = None,
    action: Action | None = None,
) -> tuple[Row, ...]:
    """Return the row, or one row for each of several states."""
    states = (state,) if isinstance(state, Enum) else tuple(state)
    place = _place_of_caller()
    return tuple(Row(each, event, target, guard, action, place) for each in states)


def _place_of_caller() -> str:
    """Return where the caller of the function that asks stands: `firmware_sim/.../x.py:12`.

    The name of the module stands for the file, so it is the same wherever the package lies.
    """
    frame = inspect.currentframe()
    for _ in range(2):
        frame = frame.f_back if frame is not None else None
    if frame is None:
        return ""
    return f"{frame.f_globals['__name__'].replace('.', '/')}.py:{frame.f_lineno}"


class Machine(Generic[S]):
    """The compiled form of a table whose state lives in attribute `attribute` of the owner.

    `place` is file and line where it is made: there stands what it ignores.
    """

    def __init__(
        self,
        states: type[S],
        attribute: str,
        rows: Iterable[tuple[Row, ...]],
        *,
        ignored: Mapping[S, Iterable[type[Event]]],
        enter: Mapping[S, Hook] | None = None,
        leave: Mapping[S, Hook] | None = None,
        timers: tuple[Timer, ...] = (),
    ) -> None:
        """Compile the table; raises ValueError naming the rows that are missing or dead."""
        self.states = states
        self.attribute = attribute
        self.place = _place_of_caller()
        self.rows = tuple(row for group in rows for row in group)
        self.enter: Mapping[Any, Hook] = enter or {}
        self.leave: Mapping[Any, Hook] = leave or {}
        self.timers = timers
        self.events = frozenset(row.event for row in self.rows)
        self._table: dict[tuple[Enum, type[Event]], tuple[Row, ...]] = {}
        for row in self.rows:
            key = (row.state, row.event)
            self._table[key] = (*self._table.get(key, ()), row)
        self._check(ignored)
        for state, events in ignored.items():
            for event in events:
                self._table[(state, event)] = ()

    def _check(self, ignored: Mapping[S, Iterable[type[Event]]]) -> None:
        faults = []
        for (state, event), rows in self._table.items():
            if any(row.guard is None for row in rows[:-1]):
                faults.append(f"{state.name} on {event.__name__}: a row below an unguarded one")
            if rows[-1].guard is not None:
                faults.append(f"{state.name} on {event.__name__}: the last row has a guard")
        for state in self.states:
            listed = set(ignored.get(state, ()))
            for event in sorted(self.events | listed, key=lambda each: each.__name__):
                handled = (state, event) in self._table
                if handled == (event in listed):
                    fault = "handled and ignored" if handled else "neither handled nor ignored"
                    faults.append(f"{state.name} on {event.__name__}: {fault}")
        if faults:
            raise ValueError(f"table of {self.attribute}: " + "; ".join(faults))

    def step(self, owner: Owner, event: Event) -> Row | None:
        """Let the table take one event; return the row that handled it, None if it was ignored."""
        state = getattr(owner, self.attribute)
        for row in self._table[(state, type(event))]:
            guard = row.guard
            if guard is None or guard(owner, event):
                self._take(owner, event, row)
                return row
        return None

    def _take(self, owner: Owner, event: Event, row: Row) -> None:
        state, _, target, _, action, _ = row
        if target is not None:
            owner.timers.disarm(*self.timers)
            leave = self.leave.get(state)
            if leave is not None:
                leave(owner)
            setattr(owner, self.attribute, target)
        if action is not None:
            action(owner, event)
        if target is not None:
            enter = self.enter.get(target)
            if enter is not None:
                enter(owner)
