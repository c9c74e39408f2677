"""How hard the operators of a run work, which somebody may change while it goes on."""

from collections.abc import Callable

from firmware_sim.errors import UsageError

BATCH_MAX = 30  # devices that one code can release, see the settings of the cloud


class Pace:
    """Whether operators take batches at all, how many of them do, and how large ones."""

    def __init__(self, operators: int) -> None:
        """Let all `operators` work, in batches as large as their scenario says."""
        self.all_operators = operators
        self.operators = operators
        self.batch_max: int | None = None
        self.paused = False
        self._listeners: list[Callable[[], None]] = []

    def listen(self, listener: Callable[[], None]) -> None:
        """Let `listener` be called after each change."""
        self._listeners.append(listener)

    def lets(self, operator: int) -> bool:
        """Say whether operator number so and so is to take a batch now."""
        return not self.paused and operator < self.operators

    def pause(self, *, paused: bool) -> None:
        """Let nobody take another batch, or everybody again. Whatever was begun goes on."""
        self.paused = paused
        self._changed()

    def ramp(self, operators: int | None, batch_max: int | None) -> None:
        """Let so many operators work, in batches of so many devices; None: as before.

        Raises UsageError for what cannot be.
        """
        if operators is not None and not 1 <= operators <= self.all_operators:
            raise UsageError(f"{operators} operators: 1 to {self.all_operators} are there")
        if batch_max is not None and not 1 <= batch_max <= BATCH_MAX:
            raise UsageError(f"batches of {batch_max} devices: 1 to {BATCH_MAX} are possible")
        self.operators = operators or self.operators
        self.batch_max = batch_max or self.batch_max
        self._changed()

    def _changed(self) -> None:
        for listener in self._listeners:
            listener()
