"""Whoever looks on while a live fleet is there: the pages, say. Who that is, a command decides.

The runner knows nothing of them; it hands out what it has as soon as its event loop runs, and ends
their attendance before it ends the fleet.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import msgspec

from fleet.run.population import Population
from fleet.run.runner import Run
from fleet.run.supervisor import Supervisor

LINES_MAX = 500


class Line(msgspec.Struct, frozen=True):
    """One line that was told to whoever has started the fleet, `at_ms` since the Unix epoch."""

    at_ms: int
    text: str


class Told:
    """Passes lines on to `say`, and keeps the last of them."""

    def __init__(self, say: Callable[[str], None]) -> None:
        """Begin with none."""
        self.lines: deque[Line] = deque(maxlen=LINES_MAX)
        self.count = 0
        self._say = say

    def __call__(self, text: str, *, kept: bool = True) -> None:
        """Tell one line; one that is not `kept` is said only now."""
        if kept:
            self.lines.append(Line(time.time_ns() // 1_000_000, text))
            self.count += 1
        self._say(text)


class Live(msgspec.Struct, frozen=True, eq=False):
    """A fleet that is there, or about to be: `stop` ends it in order.

    `run` is the scenario that is played, None where devices only stay; `told` what was said so far;
    `decoder` the one that reads QR codes. `moved()` is to be called after devices came or went.
    """

    population: Population
    supervisor: Supervisor
    stop: asyncio.Event
    told: Told
    decoder: str
    run: Run | None = None
    moved: Callable[[], None] = lambda: None


class Pages(msgspec.Struct, frozen=True):
    """Where somebody can look on, and the password that is asked for there; "" for none."""

    url: str = ""
    password: str = ""

    def __repr__(self) -> str:
        """Show where, never the password."""
        return f"Pages({self.url!r})"


Attendance = Callable[[Live], AbstractAsyncContextManager[Pages]]
"""Begins with the fleet and ends before it."""


@asynccontextmanager
async def nobody(_: Live) -> AsyncIterator[Pages]:
    """Let nobody look on."""
    yield Pages()
