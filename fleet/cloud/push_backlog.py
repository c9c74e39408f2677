"""The push messages that are still owed: kept per topic until acknowledged, too old or too many.

Each project has a topic per data centre for production, `event`, which is kept from the project's
first message on, and one for tests, `event-test`, which is kept from its first consumer on. Unread
messages are dropped after two hours ("Message Queue", developer.tuya.com); the bounds on their
number and size are ours.
"""

from collections import OrderedDict
from collections.abc import Iterator
from typing import NamedTuple

from fleet.cloud.ledger import Journal, Ledger, Loader
from fleet.cloud.settings import Settings
from fleet.cloud.store.records import Record

PRODUCTION = "event"
TEST = "event-test"
CHANNELS = (PRODUCTION, TEST)


class Topic(NamedTuple):
    """A topic of one project in one data centre; `channel` is one of `CHANNELS`."""

    access_id: str
    centre: str
    channel: str


class Lag(NamedTuple):
    """What is unread of a topic: messages, characters in them, when the oldest was raised."""

    messages: int
    size: int
    oldest_ms: int | None


class PushMessage(Record, gc=False):
    """One message of one topic: `text` is the JSON before encryption, `time_ms` when it was raised."""

    TABLE = "push_messages"
    KEY = ("id",)

    id: int
    access_id: str
    centre: str
    topic: str
    protocol: int
    time_ms: int
    text: str


class PushSubscription(Record, gc=False):
    """A test topic that somebody has asked for."""

    TABLE = "push_subscriptions"
    KEY = ("access_id", "centre", "topic")

    access_id: str
    centre: str
    topic: str


class Backlog:
    """The unread messages of all topics, oldest first."""

    def __init__(self, settings: Settings, load: Loader, journal: Journal) -> None:
        """Take the stored messages and subscriptions."""
        self._retention_ms = settings.push_retention_s * 1_000
        self._messages_max = settings.push_messages_max
        self._size_max = settings.push_size_max
        self._messages: Ledger[PushMessage] = Ledger(PushMessage, load, journal)
        self._subscriptions: Ledger[PushSubscription] = Ledger(PushSubscription, load, journal)
        self._topics: dict[Topic, _Unread] = {}
        for message in self._messages:
            self._file(message)

    def __len__(self) -> int:
        """Return how many messages are unread."""
        return len(self._messages)

    def subscribe(self, topic: Topic) -> None:
        """Keep the messages of a test topic from now on."""
        if topic.channel == TEST and self._subscriptions.get(tuple(topic)) is None:
            self._subscriptions.put(PushSubscription(*topic))

    def kept(self, topic: Topic) -> bool:
        """Tell whether messages of `topic` are kept for whoever comes."""
        return topic.channel == PRODUCTION or self._subscriptions.get(tuple(topic)) is not None

    def topics_of(self, access_id: str) -> list[Topic]:
        """Return the topics of a project that have unread messages or were asked for, sorted."""
        asked_for = (
            Topic(one.access_id, one.centre, one.topic)
            for one in self._subscriptions
            if one.access_id == access_id
        )
        unread = (topic for topic in self._topics if topic.access_id == access_id)
        return sorted({*asked_for, *unread})

    def lag(self, topic: Topic) -> Lag:
        """Return what is unread of a topic."""
        unread = self._topics.get(topic)
        if unread is None:
            return Lag(0, 0, None)
        oldest = self._messages.get(next(iter(unread.ids)))
        return Lag(len(unread.ids), unread.size, oldest.time_ms if oldest is not None else None)

    def get(self, message_id: int) -> PushMessage | None:
        """Return a message that is unread."""
        return self._messages.get(message_id)

    def ids(self, topic: Topic) -> Iterator[int]:
        """Go through the ids of the unread messages of `topic`, oldest first."""
        unread = self._topics.get(topic)
        return iter(unread.ids if unread is not None else ())

    def newest_id(self) -> int:
        """Return the highest id of an unread message; 0 without messages."""
        return max((next(reversed(unread.ids)) for unread in self._topics.values()), default=0)

    def add(self, message: PushMessage) -> None:
        """Keep a message whose id is above all others; then drop what `surplus` says."""
        self._file(message)
        self._messages.put(message)

    def surplus(self, topic: Topic) -> PushMessage | None:
        """Return the oldest message of a topic that has more of them than are kept."""
        unread = self._topics[topic]
        count = len(unread.ids)
        fits = count <= self._messages_max and unread.size <= self._size_max
        return None if fits or count == 1 else self._messages.get(next(iter(unread.ids)))

    def too_old(self, now_ms: int) -> list[PushMessage]:
        """Return the messages whose time is up."""
        old: list[PushMessage] = []
        for unread in self._topics.values():
            for message_id in unread.ids:
                message = self._messages.get(message_id)
                if message is None or message.time_ms + self._retention_ms > now_ms:
                    break
                old.append(message)
        return old

    def next_expiry_ms(self) -> int | None:
        """Return when the oldest message is too old; None without messages."""
        oldest = (self._messages.get(next(iter(one.ids))) for one in self._topics.values())
        times_ms = [message.time_ms for message in oldest if message is not None]
        return min(times_ms) + self._retention_ms if times_ms else None

    def remove(self, message: PushMessage) -> None:
        """Forget a message that was read or is dropped."""
        topic = topic_of(message)
        unread = self._topics[topic]
        del unread.ids[message.id]
        unread.size -= len(message.text)
        if not unread.ids:
            del self._topics[topic]
        self._messages.remove(message)

    def _file(self, message: PushMessage) -> None:
        topic = topic_of(message)
        unread = self._topics.get(topic)
        if unread is None:
            unread = self._topics[topic] = _Unread()
        unread.ids[message.id] = None
        unread.size += len(message.text)


class _Unread:
    """The messages of one topic: their ids, oldest first, and how many characters they have."""

    __slots__ = ("ids", "size")

    def __init__(self) -> None:
        self.ids: OrderedDict[int, None] = OrderedDict()
        self.size = 0


def topic_of(message: PushMessage) -> Topic:
    """Return the topic that a message belongs to."""
    return Topic(message.access_id, message.centre, message.topic)
