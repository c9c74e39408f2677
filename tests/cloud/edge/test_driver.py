"""The driver with a node and a store of the test: order, time, threads, and the end by a fault."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, ClassVar

import pytest

from firmware_sim.effects import Effect
from firmware_sim.errors import UsageError
from firmware_sim.events import DeadlineReached, Event
from fleet.cloud.counters import Counters
from fleet.cloud.edge.clock import MovableClock
from fleet.cloud.edge.driver import Driver
from fleet.cloud.messages import ClockMoved, CloseStream, Commit, StreamClosed, StreamOpened
from fleet.cloud.store import Put, Record
from fleet.cloud.store.records import Change, R


class Row(Record):
    """Something to commit."""

    TABLE: ClassVar[str] = "rows"
    KEY: ClassVar[tuple[str, ...]] = ("number",)

    number: int


class Script:
    """A node that answers each event with what the test put down for it."""

    def __init__(self) -> None:
        self.answers: list[list[Effect] | Exception] = []
        self.heard: list[tuple[Event, int]] = []
        self.due_ms: int | None = None

    def handle(self, event: Event, now_ms: int) -> list[Effect]:
        self.heard.append((event, now_ms))
        if isinstance(event, DeadlineReached):
            self.due_ms = None
        answer = self.answers.pop(0) if self.answers else []
        if isinstance(answer, Exception):
            raise answer
        return answer

    def next_deadline_ms(self) -> int | None:
        return self.due_ms


class ThreadStore:
    """A store that settles all that waits on a thread of its own, when told."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[BaseException | None], None]] = []

    def load(self, _kind: type[R]) -> list[R]:
        return []

    def submit(
        self, _changes: tuple[Change, ...], done: Callable[[BaseException | None], None]
    ) -> None:
        self.waiting.append(done)

    def settle(self, error: BaseException | None = None) -> None:
        def work() -> None:
            for done in self.waiting:
                done(error)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        self.waiting = []

    def close(self) -> None:
        self.waiting = []


class Stage:
    """A driver with everything around it."""

    def __init__(self) -> None:
        self.node = Script()
        self.store = ThreadStore()
        self.said: list[CloseStream] = []
        self.clock = MovableClock()
        self.driver = Driver(self.node, self.store, Counters(), self.clock)
        self.driver.carry_out_with(CloseStream, self.said.append)

    def answer(self, *effects: Effect) -> None:
        """Let the node answer one event with `effects`."""
        self.node.answers.append(list(effects))
        self.driver.handle(StreamOpened(0))

    async def settle(self) -> None:
        """Let the store be given what it is to write, and have it written."""
        await asyncio.sleep(0)
        self.store.settle()


def on_loop(story: Callable[[Stage], Coroutine[Any, Any, None]]) -> None:
    async def play() -> None:
        await story(Stage())

    asyncio.run(play())


def _commit() -> Commit:
    return Commit((Put(Row(1)), Put(Row(2))))


def _closed(*conns: int) -> list[CloseStream]:
    return [CloseStream(conn) for conn in conns]


def test_effects_go_to_who_registered_for_them_after_their_commit() -> None:
    async def story(stage: Stage) -> None:
        stage.answer(CloseStream(1), _commit(), CloseStream(2))
        stage.answer(_commit(), CloseStream(3))
        assert stage.said == _closed(1)
        was_settled = stage.driver.settled
        await stage.settle()
        assert stage.said == _closed(1)  # the word waits for the loop
        await asyncio.sleep(0)
        assert stage.said == _closed(1, 2, 3)
        assert (was_settled, stage.driver.settled) == (False, True)
        assert stage.driver.counters.commits == 2
        assert stage.driver.counters.changes == 4

    on_loop(story)


def test_the_commits_of_one_turn_of_the_loop_are_written_as_one() -> None:
    async def story(stage: Stage) -> None:
        stage.answer(_commit(), CloseStream(1))
        stage.answer(_commit(), CloseStream(2))
        assert stage.store.waiting == []
        await asyncio.sleep(0)
        stage.answer(_commit(), CloseStream(3))
        assert len(stage.store.waiting) == 1
        stage.store.settle()
        await asyncio.sleep(0)
        assert stage.said == _closed(1, 2)
        assert not stage.driver.settled
        await stage.settle()
        await asyncio.sleep(0)
        assert stage.said == _closed(1, 2, 3)
        assert stage.driver.settled

    on_loop(story)


def test_time_never_runs_backwards_from_event_to_event() -> None:
    async def story(stage: Stage) -> None:
        for _ in range(100):
            stage.driver.handle(StreamClosed(1))
        times = [now_ms for _, now_ms in stage.node.heard]
        assert times == sorted(times)
        assert abs(times[0] - stage.driver.now_ms()) < 10_000

    on_loop(story)


def test_one_that_pauses_waits_for_nothing_until_it_is_started_again() -> None:
    async def story(stage: Stage) -> None:
        stage.node.due_ms = stage.driver.now_ms() + 20
        stage.driver.start()
        stage.driver.pause()
        stage.driver.pause()  # a second time changes nothing
        await asyncio.sleep(0.05)
        assert stage.node.heard == []
        stage.driver.start()
        async with asyncio.timeout(10):
            while not stage.node.heard:
                await asyncio.sleep(0.002)
        assert isinstance(stage.node.heard[0][0], DeadlineReached)

    on_loop(story)


def test_a_nearer_deadline_moves_the_timer_a_later_one_is_looked_at_again() -> None:
    async def story(stage: Stage) -> None:
        base_ms = stage.driver.now_ms()
        for due_ms in (base_ms + 3_600_000, base_ms + 40, base_ms + 80):
            stage.node.due_ms = due_ms
            stage.driver.handle(StreamOpened(1))
        while not isinstance(stage.node.heard[-1][0], DeadlineReached):
            await asyncio.sleep(0.005)
        assert stage.node.heard[-1][1] >= base_ms + 80
        assert len(stage.node.heard) == 4

    on_loop(story)


def test_after_a_sleep_of_the_process_clients_are_read_before_time_is_told() -> None:
    async def story(stage: Stage) -> None:
        stage.node.due_ms = stage.driver.now_ms()
        loop = asyncio.get_running_loop()
        stage.driver._ring(loop.time() - 10)  # a timer that comes ten seconds late
        stage.driver.handle(StreamClosed(1))
        while len(stage.node.heard) < 2:
            await asyncio.sleep(0.005)
        kinds = [type(event) for event, _ in stage.node.heard]
        assert kinds == [StreamClosed, DeadlineReached]

    on_loop(story)


def test_what_the_clock_was_moved_past_is_done_at_once() -> None:
    async def story(stage: Stage) -> None:
        stage.node.due_ms = stage.driver.now_ms() + 3_600_000
        stage.driver.start()
        stage.clock.advance(1_800_000)
        assert [event for event, _ in stage.node.heard] == [ClockMoved(1_800_000)]
        stage.clock.advance(1_800_000)
        (_, _, (event, now_ms)) = stage.node.heard
        assert isinstance(event, DeadlineReached)
        assert now_ms == pytest.approx(stage.driver.now_ms(), abs=60_000)
        stage.driver.stop()
        stage.clock.advance(1)
        assert len(stage.node.heard) == 3

    on_loop(story)


def test_what_comes_soon_after_a_move_is_waited_for() -> None:
    async def story(stage: Stage) -> None:
        stage.node.due_ms = stage.driver.now_ms() + 3_600_020
        stage.driver.start()
        stage.clock.advance(3_600_000)
        while len(stage.node.heard) < 2:
            await asyncio.sleep(0.005)
        assert [type(event) for event, _ in stage.node.heard] == [ClockMoved, DeadlineReached]

    on_loop(story)


def test_a_stopped_driver_is_silent() -> None:
    async def story(stage: Stage) -> None:
        stage.answer(_commit(), CloseStream(1))
        stage.node.due_ms = stage.driver.now_ms() + 20
        stage.driver.start()
        stage.driver.stop()
        stage.driver.start()
        await stage.settle()
        stage.driver.handle(StreamOpened(2))
        await asyncio.sleep(0.05)
        assert stage.said == []
        assert len(stage.node.heard) == 1

    on_loop(story)


def test_the_word_of_the_disk_that_crosses_a_stop_changes_nothing() -> None:
    async def story(stage: Stage) -> None:
        stage.answer(_commit(), CloseStream(1))
        await stage.settle()
        stage.driver.stop()
        await asyncio.sleep(0)
        assert stage.said == []

    on_loop(story)


def test_the_first_fault_is_kept_and_ends_everything() -> None:
    async def story(stage: Stage) -> None:
        stage.answer(_commit(), CloseStream(1))
        stage.node.answers.append(ZeroDivisionError("first"))
        stage.driver.handle(StreamOpened(1))
        assert stage.driver.stopped
        assert isinstance(stage.driver.failed.result(), ZeroDivisionError)
        stage.driver._hear(1, OSError("second"))
        stage.driver._settle()
        assert isinstance(stage.driver.failed.result(), ZeroDivisionError)
        assert stage.said == []

    on_loop(story)


def test_an_edge_that_breaks_while_a_commit_is_released_ends_everything() -> None:
    async def story(stage: Stage) -> None:
        def broken(_effect: CloseStream) -> None:
            raise ValueError("no such thing")

        stage.driver.carry_out_with(CloseStream, broken)
        stage.answer(_commit(), CloseStream(1))
        await stage.settle()
        assert isinstance(await stage.driver.failed, ValueError)

    on_loop(story)


def test_a_store_that_takes_nothing_ends_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(stage: Stage) -> None:
        def closed(*_: object) -> None:
            raise UsageError("closed")

        monkeypatch.setattr(stage.store, "submit", closed)
        stage.answer(_commit(), CloseStream(1))
        assert isinstance(await asyncio.wait_for(stage.driver.failed, 1), UsageError)
        assert stage.said == []

    on_loop(story)


@pytest.mark.parametrize("fault", [None, ZeroDivisionError("in the middle of a turn")])
def test_a_hand_over_that_crosses_the_end_is_not_made(fault: Exception | None) -> None:
    async def story(stage: Stage) -> None:
        stage.answer(_commit(), CloseStream(1))
        if fault is None:
            stage.driver.stop()
        else:
            stage.node.answers.append(fault)
            stage.driver.handle(StreamOpened(1))
        await asyncio.sleep(0)
        assert stage.store.waiting == []
        assert stage.said == []

    on_loop(story)


def test_a_store_that_fails_ends_what_the_same_turn_began_too() -> None:
    async def story(stage: Stage) -> None:
        stage.answer(_commit(), CloseStream(1))
        await asyncio.sleep(0)
        stage.store.settle(OSError("full"))
        stage.answer(_commit(), CloseStream(2))  # the word of the store waits for the loop
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert isinstance(stage.driver.failed.result(), OSError)
        stage.store.settle()
        await asyncio.sleep(0)
        assert stage.said == []

    on_loop(story)


def test_congestion_is_relieved_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(stage: Stage) -> None:
        monkeypatch.setattr("fleet.cloud.edge.driver.HELD_MAX", 5)
        relieved: list[str] = []
        stage.answer(_commit(), *_closed(1, 2, 3))
        was_congested = stage.driver.congested
        stage.answer(_commit(), *_closed(4))
        assert (was_congested, stage.driver.congested) == (False, True)
        stage.driver.on_relief(lambda: relieved.append("now"))
        await stage.settle()
        await asyncio.sleep(0)
        assert relieved == ["now"]
        stage.answer(_commit())
        await stage.settle()
        await asyncio.sleep(0)
        assert relieved == ["now"]

    on_loop(story)
