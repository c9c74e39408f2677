"""Keeps the promise of `Commit`: nobody is told anything that a power cut could take back.

Effects pass in the order in which the cloud returned them. A `Commit` goes to the store at once,
and all effects behind it, of the same step and of later ones, wait here until the store reports
it durable; commits themselves never wait for each other, so the store can write many together.
Sans-IO: the server says how to submit, how to carry out, and whom to tell when the store failed.
"""

from collections import deque
from collections.abc import Callable, Sequence

from firmware_sim.effects import Effect
from fleet.cloud.messages import Commit
from fleet.cloud.store.records import Change

Submit = Callable[[tuple[Change, ...]], None]


class Outbox:
    """The queue between a cloud and its sockets; `held` says how much is in it.

    Each call of `submit` must be answered by one call of `settle`, in the same order and either
    at once or later, but on the same thread.
    """

    __slots__ = (
        "_carry_out",
        "_draining",
        "_durable",
        "_fail",
        "_failed",
        "_held",
        "_submit",
        "_surplus",
    )

    def __init__(
        self,
        submit: Submit,
        carry_out: Callable[[Effect], None],
        fail: Callable[[BaseException], None],
    ) -> None:
        """Start empty; `fail` is called once, with the store's first error."""
        self._submit = submit
        self._carry_out = carry_out
        self._fail = fail
        self._held: deque[Effect] = deque()
        self._surplus = 0  # weight of the commits held beyond one each: one weighs what it changes
        self._durable = 0  # commits settled but not yet taken out of the queue
        self._draining = False
        self._failed = False

    @property
    def held(self) -> int:
        """Return how many effects, and changes of records, wait for the store."""
        return len(self._held) + self._surplus

    def push(self, effects: Sequence[Effect]) -> None:
        """Take the effects of one step; after a failure they are dropped."""
        if self._failed:
            return
        if not self._held and not self._draining and not _commits(effects):
            self._pass(effects)
            return
        self._held.extend(effects)
        for effect in effects:
            if type(effect) is Commit:
                self._surplus += len(effect.changes) - 1
                self._submit(effect.changes)
        self._drain()

    def settle(self, error: BaseException | None) -> None:
        """Take the store's word for the oldest commit not yet settled.

        An error ends everything: the cloud's memory is ahead of the disk, so whatever is held or
        comes later must not be said.
        """
        if self._failed:
            return
        if error is not None:
            self._failed = True
            self._held.clear()
            self._surplus = 0
            self._fail(error)
            return
        self._durable += 1
        self._drain()

    def _pass(self, effects: Sequence[Effect]) -> None:
        """Carry out what nothing holds up: most steps change nothing that has to be durable."""
        self._draining = True
        try:
            for effect in effects:
                self._carry_out(effect)
        finally:
            self._draining = False
        if self._held:
            self._drain()

    def _drain(self) -> None:
        # Carrying out an effect may push more; those queue behind and are drained by this loop.
        if self._draining:
            return
        self._draining = True
        try:
            while self._held:
                effect = self._held[0]
                if type(effect) is Commit:
                    if self._durable == 0:
                        return
                    self._durable -= 1
                    self._surplus -= len(effect.changes) - 1
                self._held.popleft()
                if type(effect) is not Commit:
                    self._carry_out(effect)
        finally:
            self._draining = False


def _commits(effects: Sequence[Effect]) -> bool:
    for effect in effects:  # noqa: SIM110 - a third of the time of any(), and run for each packet
        if type(effect) is Commit:
            return True
    return False
