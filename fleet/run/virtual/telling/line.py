"""One line of a story: who did what, and where in the source that was decided."""

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from firmware_sim.device.indicator import Pattern


class Line(msgspec.Struct, frozen=True):
    """`place` is file and line, "" where nothing in particular decided. `pattern`: the light now.

    `aside`: it is of the kind that repeats for ever, or that changes nothing.
    """

    who: str
    text: str
    place: str = ""
    aside: bool = False
    pattern: Pattern | None = None


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
