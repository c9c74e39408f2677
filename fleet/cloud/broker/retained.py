"""Retained messages: the last one per topic, for whoever subscribes later.

Source: OASIS MQTT Version 3.1.1, section 3.3.1.3.
"""

from firmware_sim.wire import mqtt
from fleet.cloud.broker.levels import LevelTree
from fleet.cloud.broker.records import RetainedMessage
from fleet.cloud.ledger import Journal, Ledger, Loader
from fleet.cloud.settings import Settings


class Retained:
    """The retained messages of all topics, bounded in number and size."""

    def __init__(self, settings: Settings, load: Loader, journal: Journal) -> None:
        """Take the stored messages."""
        self._settings = settings
        self._messages: Ledger[RetainedMessage] = Ledger(RetainedMessage, load, journal)
        self._topics: LevelTree[RetainedMessage] = LevelTree()
        self.size = 0  # bytes of all payloads together
        for message in self._messages:
            self._file(message)

    @property
    def count(self) -> int:
        """Return the number of messages."""
        return self._topics.size

    def get(self, topic: str) -> RetainedMessage | None:
        """Return the message of a topic, if it has one."""
        return self._messages.get(topic)

    def put(self, topic: str, payload: bytes, qos: int) -> bool:
        """Replace the message of a topic, or take it away with an empty one [MQTT-3.3.1-10].

        Returns False when there is no room: the topic then has none, for the older one is no longer
        the last.
        """
        before = self.get(topic)
        if before is not None:
            self._messages.remove(before)
            self._topics.drop(topic)
            self.size -= len(before.payload)
        if not payload:
            return True
        if (
            self.count >= self._settings.mqtt_retained_max
            or self.size + len(payload) > self._settings.mqtt_retained_size_max
        ):
            return False
        self._file(self._messages.put(RetainedMessage(topic, payload, qos)))
        return True

    def of(self, topic_filter: str) -> tuple[list[RetainedMessage], int]:
        """Return the messages that a filter matches, and what the search cost, in nodes visited."""
        if mqtt.is_plain(topic_filter):
            message = self.get(topic_filter)
            return ([message], 1) if message is not None else ([], 1)
        return self._topics.matched_by(topic_filter)

    def _file(self, message: RetainedMessage) -> None:
        self._topics.put(message.topic, message)
        self.size += len(message.payload)
