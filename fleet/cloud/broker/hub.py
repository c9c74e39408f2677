"""The middle of the broker: a message goes from whoever publishes it to whoever subscribed to it.

Knows sessions, filters and messages, but no connections and no packets that come in.
"""

from firmware_sim.effects import Effect
from fleet.cloud.broker.delivery import Delivery, Message
from fleet.cloud.broker.limits import BrokerSettings
from fleet.cloud.broker.meters import SYS, Levels, Meters, Watch, readings
from fleet.cloud.broker.retained import Retained
from fleet.cloud.broker.session import Session
from fleet.cloud.broker.shelf import Shelf
from fleet.cloud.broker.topics import Subscribers, covers

NODES_PER_PACKET = 4
"""Topics that a search for retained messages may visit for what one packet costs."""


class Hub:
    """Subscriptions, retained messages and $SYS."""

    def __init__(
        self,
        settings: BrokerSettings,
        shelf: Shelf,
        retained: Retained,
        delivery: Delivery,
        meters: Meters,
    ) -> None:
        """Start without subscriptions."""
        self._shelf = shelf
        self._retained = retained
        self._delivery = delivery
        self._meters = meters
        self._subscribers = Subscribers()
        self._subscriptions = 0
        self.watch = Watch(settings.sys_interval_ms)
        self.connected = 0  # clients, as the broker tells

    # --- messages -------------------------------------------------------------------------------

    def publish(self, message: Message, now_ms: int, out: list[Effect]) -> bool:
        """Send a message to all who hear its topic; return whether anybody who is no guest got it.

        Its RETAIN flag is not set for them: they have subscribed before [MQTT-3.3.1-9].
        """
        reached = False
        for session, granted in self._subscribers.of(message.topic):
            qos = message.qos if message.qos < granted else granted  # [MQTT-3.8.4-6]
            sent = self._delivery.send(session, message, qos, now_ms, out)
            reached = reached or (sent and session.backlog is None)
        return reached

    def retain(self, topic: str, payload: bytes, qos: int) -> None:
        """Keep the last message of a topic for whoever comes later, if there is room."""
        if not self._retained.put(topic, payload, qos):
            self._meters.publish_dropped += 1

    # --- subscriptions --------------------------------------------------------------------------

    def subscribe(self, session: Session, topic_filter: str, qos: int, now_ms: int) -> None:
        """Let a session hear a filter, at most at `qos`; one that it has is changed [MQTT-3.8.4-3].

        What is retained comes from `send_retained`, after the SUBACK.
        """
        known = topic_filter in session.subscriptions
        session.subscriptions[topic_filter] = qos
        if not known:
            self.enlist(session, topic_filter, now_ms)
        if session.lasting:
            self._shelf.subscribe(session, topic_filter, qos)

    def enlist(self, session: Session, topic_filter: str, now_ms: int) -> None:
        """Let a session hear one of its subscriptions from now on."""
        self._subscribers.add(topic_filter, session)
        self._subscriptions += 1
        if topic_filter.startswith(SYS):
            self.watch.begin(now_ms)

    def unsubscribe(self, session: Session, topic_filter: str) -> None:
        """Take a subscription away, if the session has it [MQTT-3.10.4-2]."""
        if session.subscriptions.pop(topic_filter, None) is not None:
            self._delist(session, topic_filter)
            if session.lasting:
                self._shelf.unsubscribe(session, topic_filter)

    def end(self, session: Session) -> None:
        """Forget a session: its subscriptions, what it was to be sent, and what is kept of it."""
        for topic_filter in session.subscriptions:
            self._delist(session, topic_filter)
        if session.lasting:
            self._shelf.end(session)
        self._delivery.drop_all(session)

    def send_retained(
        self, session: Session, topic_filter: str, qos: int, now_ms: int, out: list[Effect]
    ) -> int:
        """Send what is retained for a filter [MQTT-3.3.1-6]; return what that cost, in packets."""
        if not self._retained.count and topic_filter[0] != "$":
            return 0
        readings_seen = 0
        if topic_filter.startswith(SYS):
            for topic, text in readings(self._meters, self._levels(), now_ms).items():
                readings_seen += 1
                if covers(topic_filter, topic):
                    message = Message(topic, text, 0, retain=True)
                    self._delivery.send(session, message, 0, now_ms, out)
        found, visited = self._retained.of(topic_filter)
        self._delivery.send_retained(session, found, topic_filter, qos, now_ms, out)
        return (visited + readings_seen) // NODES_PER_PACKET

    def _delist(self, session: Session, topic_filter: str) -> None:
        self._subscribers.remove(topic_filter, session)
        self._subscriptions -= 1
        if topic_filter.startswith(SYS):
            self.watch.end()

    # --- $SYS -----------------------------------------------------------------------------------

    def tell_sys(self, now_ms: int, out: list[Effect]) -> None:
        """Tell those who subscribed to $SYS what has changed."""
        now = readings(self._meters, self._levels(), now_ms)
        for topic, text in self.watch.news(now, now_ms).items():
            self.publish(Message(topic, text, 0), now_ms, out)

    def _levels(self) -> Levels:
        return Levels(
            connected=self.connected,
            away=len(self._shelf.gone),
            subscriptions=self._subscriptions,
            retained=self._retained.count,
            stored=self._delivery.waiting + self._retained.count,
            stored_bytes=self._delivery.waiting_bytes + self._retained.size,
        )
