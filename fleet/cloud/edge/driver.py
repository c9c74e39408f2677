"""Runs the cloud's node on an asyncio loop: events in, effects out, one timer, one store.

All edges share one driver. It gives each event its time, holds what must wait for a commit (see
`fleet.cloud.outbox`), hands every other effect to the edge that registered for its class, and
ends everything with the first fault: a cloud whose step broke half-way, or whose memory is ahead
of its disk, must not say another word.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from itertools import chain
from typing import Any, TypeVar

from firmware_sim.effects import Effect
from firmware_sim.events import DeadlineReached, Event
from firmware_sim.node import Node
from fleet.cloud.counters import Counters
from fleet.cloud.edge.clock import Clock, MovableClock
from fleet.cloud.messages import ClockMoved
from fleet.cloud.outbox import Outbox
from fleet.cloud.store.records import Change, Store

HELD_MAX = 20_000  # effects and changes that wait for the disk; beyond it clients are not read
_LATE_S = 0.5
_BREATHER_S = 0.02

E = TypeVar("E", bound=Effect)


class Driver:
    """The one place where the node is called; never from within itself."""

    def __init__(
        self, node: Node, store: Store, counters: Counters, clock: Clock | None = None
    ) -> None:
        """Prepare to run `node` on the running loop, by the system's clock or another one."""
        self._loop = asyncio.get_running_loop()
        self._node = node
        self._store = store
        self._clock = clock or Clock()
        if isinstance(self._clock, MovableClock):
            self._clock.on_move = self._catch_up
        self._outbox = Outbox(self._submit, self._carry_out, self._end)
        self._hands: dict[type[Effect], Callable[[Any], None]] = {}
        self._batch: list[tuple[Change, ...]] = []  # commits that the store has not been given yet
        self._news: deque[tuple[int, BaseException | None]] = deque()  # from the store's thread
        self._news_announced = False
        self._unsettled = 0
        self._relief: list[Callable[[], None]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._timer_ms = 0
        self._stopped = False
        self.counters = counters
        self.failed: asyncio.Future[BaseException] = self._loop.create_future()

    def carry_out_with(self, kind: type[E], hand: Callable[[E], None]) -> None:
        """Let `hand` carry out every effect of exactly this class."""
        self._hands[kind] = hand

    def now_ms(self) -> int:
        """Return the time as the node is told it."""
        return self._clock()

    def start(self) -> None:
        """Arm the timer for what the node already waits for."""
        self._arm()

    def pause(self) -> None:
        """Wait for nothing until `start`: whoever runs us stands still, and hands us nothing."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def handle(self, event: Event) -> None:
        """Let the node take one event and see to what it wants."""
        if self._stopped:
            return
        try:
            self._outbox.push(self._node.handle(event, self._clock()))
        except Exception as error:  # noqa: BLE001 - memory may be half changed: see the module
            self._end(error)
            return
        self._arm()

    def stop(self) -> None:
        """Take no more events and carry nothing out any more."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()

    @property
    def stopped(self) -> bool:
        """Return whether events are ignored by now."""
        return self._stopped

    # --- the disk --------------------------------------------------------------------------------

    @property
    def settled(self) -> bool:
        """Return whether everything that was committed is durable."""
        return self._unsettled == 0

    @property
    def congested(self) -> bool:
        """Return whether so much waits for the disk that clients should wait too."""
        return self._outbox.held > HELD_MAX

    def on_relief(self, callback: Callable[[], None]) -> None:
        """Call back once, when the disk has caught up."""
        self._relief.append(callback)

    def _submit(self, changes: tuple[Change, ...]) -> None:
        self._unsettled += 1
        self.counters.commits += 1
        self.counters.changes += len(changes)
        if not self._batch:
            self._loop.call_soon(self._hand_over)
        self._batch.append(changes)

    def _hand_over(self) -> None:
        """Give the store the commits of one turn of the loop as one: one flush does for all."""
        batch, self._batch = self._batch, []
        if self._stopped:
            return  # nobody was told of these
        try:
            self._store.submit(tuple(chain.from_iterable(batch)), partial(self._hear, len(batch)))
        except Exception as error:  # noqa: BLE001 - or all would wait for its word for ever
            self._end(error)

    def _hear(self, commits: int, error: BaseException | None) -> None:
        """Take the store's word, on whichever thread; one wake-up of the loop for a whole group."""
        self._news.append((commits, error))
        if not self._news_announced and not self._stopped:
            self._news_announced = True  # taken back before the deque is read: none is left behind
            self._loop.call_soon_threadsafe(self._settle)

    def _settle(self) -> None:
        self._news_announced = False
        while self._news:
            commits, error = self._news.popleft()
            self._unsettled -= commits
            try:
                for _ in range(commits):
                    self._outbox.settle(error)
            except Exception as fault:  # noqa: BLE001 - a broken edge: see the module
                self._end(fault)
        self.counters.held = self._outbox.held
        if self._relief and self._outbox.held <= HELD_MAX // 2:
            waiting, self._relief = self._relief, []
            for callback in waiting:
                callback()

    def _carry_out(self, effect: Effect) -> None:
        if not self._stopped:
            self._hands[type(effect)](effect)

    def _end(self, error: BaseException) -> None:
        self.stop()
        if not self.failed.done():
            self.failed.set_result(error)

    # --- time ------------------------------------------------------------------------------------

    def _arm(self) -> None:
        due_ms = self._node.next_deadline_ms()
        if due_ms is None or self._stopped:
            return
        if self._timer is not None:
            # One that fires too early is harmless, and cheaper than moving it with each event.
            if self._timer_ms <= due_ms:
                return
            self._timer.cancel()
        self._timer_ms = due_ms
        self._ring_in(max(0, due_ms - self._clock()) / 1000)

    def _catch_up(self, by_ms: int) -> None:
        """Do what is due by now, after the clock was moved, and wait for the rest anew."""
        self.handle(ClockMoved(by_ms))
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while not self._stopped:
            due_ms = self._node.next_deadline_ms()
            if due_ms is None or due_ms > self._clock():
                break
            self.handle(DeadlineReached())
        self._arm()

    def _ring_in(self, wait_s: float) -> None:
        self._timer = self._loop.call_later(wait_s, self._ring, self._loop.time() + wait_s)

    def _ring(self, due_s: float) -> None:
        if self._loop.time() - due_s > _LATE_S:
            # This process was asleep (suspended, stopped). What clients said in the meantime must
            # be read before anybody is found to have been silent, so the loop polls first.
            self._ring_in(_BREATHER_S)
            return
        self._timer = None
        due_ms = self._node.next_deadline_ms()
        if due_ms is not None and due_ms <= self._clock():
            self.handle(DeadlineReached())
        else:
            self._arm()
