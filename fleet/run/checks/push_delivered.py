"""Each push message reaches a consumer at least once within its two hours, or is dropped by rule.

Two consumers of the maker's project take part in the run (`push_consumer`). A message is owed from
the transaction that writes it; it may go when it was delivered and acknowledged, when its time is up,
or when there are more than are kept. Each release writes one.
"""

import asyncio
from collections import Counter

import msgspec

from firmware_sim.effects import Effect
from firmware_sim.events import Event
from firmware_sim.rng import derive
from fleet.cloud.history import HistoryRow
from fleet.cloud.open.push_frames import message_id
from fleet.cloud.push_backlog import PushMessage, Topic, topic_of
from fleet.cloud.push_events import (
    AdmitConsumer,
    CloseConsumer,
    ConsumerClosed,
    ConsumerReceived,
    SendFrames,
)
from fleet.run import seeding
from fleet.run.checks.push_consumer import Consumer, Told
from fleet.run.checks.scene import Checker, Scene

CONSUMERS = 2
SETTLE_S = 120  # in which what is owed at the end has to be delivered
LATE_MS = 1_000  # by which a message may be dropped late while the cloud is there
RELEASES = ("delete", "deviceUnbindSpace")  # bizCode in either form
_SEED = 303  # branch of the seed


class _Text(msgspec.Struct, frozen=True, rename="camel"):
    """What a message says about a release."""

    biz_code: str = ""
    biz_data: "_Device | None" = None


class _Device(msgspec.Struct, frozen=True, rename="camel"):
    dev_id: str = ""


class Watcher(Checker):
    """Counts what is written, delivered, acknowledged and dropped."""

    def __init__(self, scene: Scene) -> None:
        """Follow messages and releases; send the consumers on their way."""
        super().__init__(scene)
        crew, population = scene.crew, scene.population
        settings = scene.settings
        self._retention_ms = 1000 * settings.push_retention_s
        self._owed = scene.books.keep(PushMessage)
        self._counts: Counter[Topic] = Counter()
        self._sizes: Counter[Topic] = Counter()
        self._told: Counter[int] = Counter()
        self._acknowledged: dict[int, None] = {}
        self._members: dict[int, None] = {}  # consumers that are in, the active one first
        self._released: dict[str, str] = {}  # in this transaction: uuid by device id
        self._announced: dict[str, None] = {}
        scene.books.look(PushMessage, self._changed)
        scene.books.look(HistoryRow, self._recorded)
        crew.programs = True
        access = seeding.access(population)
        self.consumers = [
            Consumer(crew.agenda, crew.cloud.push, access, derive(population.seed, _SEED, number))
            for number in range(CONSUMERS)
        ]
        for consumer in self.consumers:
            consumer.begin()

    # --- what is owed ---------------------------------------------------------------------------

    def _changed(self, before: PushMessage | None, after: PushMessage | None) -> None:
        if after is not None:
            self._counts[topic_of(after)] += 1
            self._sizes[topic_of(after)] += len(after.text)
            text = msgspec.json.decode(after.text, type=_Text)
            if text.biz_code in RELEASES and text.biz_data is not None:
                self._announced[text.biz_data.dev_id] = None
            return
        assert before is not None, "messages are kept"
        if not (before.id in self._acknowledged or self._old(before) or self._too_many(before)):
            times = self._told[before.id]
            self.violated(
                f"message {before.id}", f"was dropped, delivered {times} times, not acknowledged"
            )
        self._counts[topic_of(before)] -= 1
        self._sizes[topic_of(before)] -= len(before.text)

    def _old(self, message: PushMessage) -> bool:
        return message.time_ms + self._retention_ms <= self.scene.now_ms

    def _too_many(self, message: PushMessage) -> bool:
        settings, topic = self.scene.settings, topic_of(message)
        many = self._counts[topic] > settings.push_messages_max
        return many or self._sizes[topic] > settings.push_size_max

    def _recorded(self, _: HistoryRow | None, row: HistoryRow | None) -> None:
        if row is not None and row.operation == "unbind" and row.status == "ok":
            self._released[row.dev_id] = row.uuid

    def written(self) -> None:
        """Look whether each release of this transaction has its message in it."""
        for dev_id, uuid in self._released.items():
            if dev_id not in self._announced:
                self.violated(uuid, "was unbound, and no message says so")
        self._released.clear()
        self._announced.clear()

    # --- what is delivered ----------------------------------------------------------------------

    def told(self, effect: Effect) -> None:
        """Look at what a consumer is sent."""
        if isinstance(effect, SendFrames):
            self._send(effect)
        elif isinstance(effect, AdmitConsumer):
            self._members[effect.conn] = None
        elif isinstance(effect, CloseConsumer):
            self._members.pop(effect.conn, None)

    def _send(self, effect: SendFrames) -> None:
        active = next(iter(self._members), None)
        if effect.conn in self._members and effect.conn != active:
            self.violated(f"consumer {effect.conn}", f"is sent to, but {active} is the active one")
        for text in effect.texts:
            number = message_id(msgspec.json.decode(text, type=Told).message_id) or 0
            self._told[number] += 1
            message = self._owed.get(number)
            if message is not None and self._old(message):
                self.violated(f"message {number}", "was delivered after its time")

    def arrived(self, event: Event) -> None:
        """Look at what a consumer says."""
        if isinstance(event, ConsumerClosed):
            self._members.pop(event.conn, None)
        elif isinstance(event, ConsumerReceived) and event.conn in self._members:
            for text in event.texts:
                number = message_id(msgspec.json.decode(text, type=Told).message_id) or 0
                if number in self._told:
                    self._acknowledged[number] = None

    def crashed(self) -> None:
        """All consumers are gone."""
        self._members.clear()

    # --- at the end -----------------------------------------------------------------------------

    async def settle(self) -> None:
        """Let the consumers behave, and wait until nothing is owed, or long enough."""
        for consumer in self.consumers:
            consumer.behaves = True
        for _ in range(SETTLE_S):
            if not self._owed:
                return
            await asyncio.sleep(1)

    def ended(self) -> None:
        """Look at what is owed still."""
        for message in self._owed.values():
            told, read = self._told[message.id], message.id in self._acknowledged
            if read:
                self.violated(f"message {message.id}", "was acknowledged, and is owed still")
            elif told:
                self.violated(f"message {message.id}", f"was sent {told} times, and never read")
            else:
                self.violated(f"message {message.id}", "was never delivered")
            if message.time_ms + self._retention_ms + LATE_MS <= self.scene.now_ms:
                self.violated(f"message {message.id}", "was kept longer than its time")
