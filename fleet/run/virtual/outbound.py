"""What a virtual cloud says, and when: later where it is slow, not for now where it stands still.

A healthy cloud speaks without it. What it says keeps its order, and what a crash interrupts is lost.
"""

from collections.abc import Callable
from typing import Any

from firmware_sim.effects import Effect
from firmware_sim.runtime.virtual.agenda import Agenda

Hand = Callable[[Any], None]


class Outbound:
    """What goes out of one cloud.

    `changed()` is called when it has to stand in front of all hands (`busy`), or need not any more.
    """

    def __init__(self, agenda: Agenda, changed: Callable[[], None]) -> None:
        """Start healthy."""
        self._agenda = agenda
        self._changed = changed
        self._latency_ms = 0
        self._silent = False
        self._due_ms = 0  # when what was said last is there
        self._pending = 0  # how much is on its way
        self._generation = 0
        self._held: list[tuple[Hand, Effect]] = []

    @property
    def busy(self) -> bool:
        """Say whether anything is said later than it was meant."""
        return bool(self._latency_ms or self._silent or self._held or self._pending)

    def through(self, hand: Hand) -> Hand:
        """Return what lets `hand` carry out an effect when it is time."""

        def say(effect: Effect) -> None:
            agenda = self._agenda
            self._due_ms = max(agenda.now_ms + self._latency_ms, self._due_ms)
            self._pending += 1
            agenda.at(self._due_ms, self._arrive, self._generation, hand, effect)

        return say

    def _arrive(self, generation: int, hand: Hand, effect: Effect) -> None:
        if generation != self._generation:
            return
        self._pending -= 1
        if self._silent:
            self._held.append((hand, effect))
            return
        hand(effect)
        if not self.busy:
            self._changed()

    def slow_down(self, latency_ms: int) -> None:
        """Say everything so much later from now on; 0: as it comes."""
        self._latency_ms = latency_ms
        self._changed()

    def hush(self) -> None:
        """Say nothing for now."""
        self._silent = True
        self._changed()

    def speak_up(self) -> None:
        """Say what there was to be said meanwhile."""
        self._silent = False
        held, self._held = self._held, []
        for hand, effect in held:
            hand(effect)
        self._changed()

    def lose(self) -> None:
        """Forget what was to be said: nobody is there any more to say it."""
        self._generation += 1
        self._silent = False
        self._held.clear()
        self._due_ms = self._pending = 0
