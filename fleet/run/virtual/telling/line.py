"""One line of a story: who did what, and where in the source that was decided."""

from collections.abc import Callable
from enum import Enum, auto
from functools import partial
from typing import Any

import msgspec

from firmware_sim.device.indicator import Pattern


class Turn(Enum):
    """Where the story of a device takes a turn."""

    BUTTON = auto()  # somebody holds the reset button
    UNBIND = auto()  # somebody is about to bring it an unbinding token
    RELEASED = auto()  # it hears that it is nobody's
    REBIND = auto()  # a new owner takes it home


class Line(msgspec.Struct, frozen=True):
    """`place` is file and line, "" where nothing in particular decided. `pattern`: the light now.

    `aside`: it is of the kind that repeats for ever, or that changes nothing. `turn`: something new
    begins with it. `batch`: the batch of unbindings that it is about, if it is about one.
    """

    who: str
    text: str
    place: str = ""
    aside: bool = False
    pattern: Pattern | None = None
    turn: Turn | None = None
    batch: str = ""


Lines = tuple[Line, ...]


def device_name(index: int) -> str:
    """Return how a device is called."""
    return f"device {index}"


def place_of(function: Callable[..., object]) -> str:
    """Return file and line of a function, as `firmware_sim.device.machine.Row.place` has them."""
    plain: Any = function
    while isinstance(plain, partial):
        plain = plain.func
    plain = getattr(plain, "__func__", plain)
    return f"{plain.__module__.replace('.', '/')}.py:{plain.__code__.co_firstlineno}"
