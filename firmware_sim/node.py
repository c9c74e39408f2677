"""The contract of everything that runs: a node is told what happened and says what it wants.

A node never asks. Time (integer milliseconds since the Unix epoch), bytes and chance reach it as
arguments or events; what it wants from the world leaves it as effects. The same node therefore
runs over real sockets and in virtual time, and a test needs no mocks.
"""

from typing import Protocol

from firmware_sim.effects import Effect
from firmware_sim.events import Event


class Node(Protocol):
    """A device, a cloud or a phone, seen by the world it runs in."""

    def handle(self, event: Event, now_ms: int) -> list[Effect]:
        """Take one event at a time that never runs backwards; return effects in order."""
        ...

    def next_deadline_ms(self) -> int | None:
        """Return when `DeadlineReached` is wanted next, or None when only events can wake it."""
        ...
