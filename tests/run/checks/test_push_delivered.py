"""No message is lost on its way to the programs of developers, however careless those are."""

import asyncio
from typing import Any

import msgspec
import pytest

from firmware_sim.wire.structs import encode_json
from fleet.cloud.history import HistoryRow
from fleet.cloud.open.push_frames import message_name
from fleet.cloud.push_backlog import PRODUCTION, Backlog, PushMessage
from fleet.cloud.push_events import (
    AdmitConsumer,
    CloseConsumer,
    ConsumerClosed,
    ConsumerReceived,
    SendFrames,
)
from fleet.cloud.push_queue import FailoverQueue
from fleet.cloud.push_topics import PushTopics
from fleet.cloud.store.records import Delete, Put
from fleet.run.checks import push_delivered
from fleet.run.checks.push_delivered import Watcher
from fleet.run.checks.scene import Scene
from tests.run.checks.support import CRASHES, a_scene, planted, play, says

NAME = "push_delivered"
HOURS_MS = 2 * 3_600_000


def message(number: int, text: str = "{}", **changes: Any) -> PushMessage:
    one = PushMessage(number, "key", "AY", PRODUCTION, 20, 0, text)
    return msgspec.structs.replace(one, **changes)


def frame(number: int) -> bytes:
    return encode_json({"messageId": message_name(number, PRODUCTION), "payload": ""})


class Post:
    """A watcher with two consumers, of which number 1 is the active one."""

    def __init__(self, **settings: Any) -> None:
        self.scene: Scene = a_scene(**settings)
        self.watcher = Watcher(self.scene)
        self.scene.books.closed.append(self.watcher.written)
        for conn in (1, 2):
            self.watcher.told(AdmitConsumer(conn))

    def write(self, *changes: Any) -> None:
        self.scene.books.take(tuple(c if isinstance(c, Delete) else Put(c) for c in changes))

    def drop(self, number: int) -> None:
        self.write(Delete(PushMessage, (number,)))

    def send(self, conn: int, *numbers: int) -> None:
        self.watcher.told(SendFrames(conn, tuple(map(frame, numbers))))

    def acknowledge(self, conn: int, number: int) -> None:
        self.watcher.arrived(ConsumerReceived(conn, (frame(number),)))

    @property
    def found(self) -> list[str]:
        return self.scene.findings.lines()


def test_a_message_goes_when_it_was_delivered_and_acknowledged() -> None:
    post = Post()
    post.write(message(7))
    post.send(1, 7)
    post.acknowledge(1, 7)
    post.drop(7)
    post.watcher.ended()
    assert post.found == []


@pytest.mark.parametrize(("sent", "times"), [((), 0), ((7, 7), 2)])
def test_and_not_before(sent: tuple[int, ...], times: int) -> None:
    post = Post()
    post.write(message(7))
    post.send(1, *sent)
    post.acknowledge(3, 7)  # who is nobody
    if not sent:
        post.acknowledge(1, 7)  # before it was sent
    post.drop(7)
    text = f"message 7: was dropped, delivered {times} times, not acknowledged"
    assert says(post.found, NAME, text)


def test_it_may_go_when_its_time_is_up_and_is_not_delivered_after_that() -> None:
    post = Post()
    post.write(message(7))
    post.scene.crew.agenda.now_ms = HOURS_MS - 1
    post.send(1, 7)
    assert post.found == []
    post.scene.crew.agenda.now_ms = HOURS_MS
    post.send(1, 7)
    assert says(post.found, NAME, "message 7: was delivered after its time")
    post.drop(7)
    assert len(post.found) == 1


@pytest.mark.parametrize("settings", [{"push_messages_max": 1}, {"push_size_max": 3}])
def test_it_may_go_when_there_are_too_many(settings: dict[str, int]) -> None:
    post = Post(**settings)
    post.write(message(7), message(8), Delete(PushMessage, (7,)))
    assert post.found == []
    post.drop(8)
    assert len(post.found) == 1


def test_only_the_active_consumer_is_sent_to() -> None:
    post = Post()
    post.write(message(7))
    post.send(2, 7)
    assert says(post.found, NAME, "consumer 2: is sent to, but 1 is the active one")
    post = Post()
    post.watcher.arrived(ConsumerClosed(1))
    post.send(1, 7)  # it was on its way
    post.send(2, 7)
    post.watcher.told(CloseConsumer(2, 1008, ""))
    post.watcher.told(AdmitConsumer(3))
    post.send(3, 7)
    post.watcher.crashed()
    post.watcher.told(AdmitConsumer(4))
    post.send(4, 7)
    assert post.found == []


def test_what_is_owed_at_the_end_is_named() -> None:
    post = Post()
    post.write(message(7), message(8), message(9))
    post.send(1, 8, 9)
    post.acknowledge(1, 9)
    post.scene.crew.agenda.now_ms = HOURS_MS + 2 * push_delivered.LATE_MS
    post.watcher.ended()
    for text in (
        "message 7: was never delivered",
        "message 8: was sent 1 times, and never read",
        "message 9: was acknowledged, and is owed still",
        "message 7: was kept longer than its time",
    ):
        assert says(post.found, NAME, text)


ROW = HistoryRow(
    id=1, time_ms=0, day="", account="", owner="", operation="unbind", method="", batch="",
    uuid="u1", dev_id="d1", product_id="", status="ok", reason="",
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ('{"bizCode":"delete","bizData":{"devId":"d1"}}', 0),
        ('{"bizCode":"deviceUnbindSpace","bizData":{"devId":"d1"}}', 0),
        ('{"bizCode":"delete","bizData":{"devId":"d2"}}', 1),
        ('{"bizCode":"online","bizData":{"devId":"d1"}}', 1),
    ],
)
def test_each_release_writes_a_message(text: str, count: int) -> None:
    post = Post()
    post.write(message(7, text), ROW)
    assert len(post.found) == count
    post.write(msgspec.structs.replace(ROW, status="refused"))
    assert len(post.found) == count


# --- whole runs ---------------------------------------------------------------------------------


def test_consumers_hear_of_all_that_happens_whatever_they_do() -> None:
    played = play(faults=CRASHES)
    assert played.watchers is not None
    [watcher] = [one for one in played.watchers._watchers if isinstance(one, Watcher)]
    assert len(watcher._told) > 30
    assert max(watcher._told.values()) > 1, "one has forgotten to acknowledge, or hung up"
    assert watcher._told.keys() == watcher._acknowledged.keys()
    assert not watcher._owed


def test_a_cloud_that_says_nothing_of_a_release_is_caught() -> None:
    def plant(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(PushTopics, "publish", lambda *_: None)

    assert says(planted(plant), NAME, "was unbound, and no message says so, at ")


def test_one_that_forgets_what_a_consumer_had_that_is_gone_is_caught() -> None:
    leave = FailoverQueue.leave

    def forget(self: FailoverQueue, conn: int) -> None:
        self._sent.clear()
        leave(self, conn)

    def plant(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(FailoverQueue, "leave", forget)
        patch.setattr("fleet.run.checks.push_consumer.AWAYS_MS", (1,))

    assert says(planted(plant), NAME, ", and never read, at ")


def test_one_that_drops_messages_too_early_is_caught() -> None:
    init = Backlog.__init__

    def hasty(self: Backlog, *args: Any) -> None:
        init(self, *args)
        self._retention_ms = 1

    def plant(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(Backlog, "__init__", hasty)

    assert says(planted(plant), NAME, "was dropped, delivered 1 times, not acknowledged, at ")


def test_one_that_sends_to_all_consumers_at_once_is_caught() -> None:
    send = PushTopics._serve

    def all_at_once(self: PushTopics, topic: Any, now_ms: int) -> None:
        queue = self._queues.get(topic)
        if queue is not None:
            queue.members.reverse()
        send(self, topic, now_ms)

    def plant(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(PushTopics, "_serve", all_at_once)

    assert says(planted(plant), NAME, "is the active one, at ")


def test_settling_does_not_wait_for_ever() -> None:
    async def wait() -> float:
        watcher = Post().watcher
        watcher.scene.books.take((Put(message(7)),))
        sleeps: list[float] = []

        async def sleep(for_s: float) -> None:
            sleeps.append(for_s)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(asyncio, "sleep", sleep)
            await watcher.settle()
        assert all(consumer.behaves for consumer in watcher.consumers)
        return sum(sleeps)

    assert asyncio.run(wait()) == push_delivered.SETTLE_S
