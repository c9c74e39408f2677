"""Delivers push messages: to which consumer, how often, and until when they are owed.

A message is written down for each project that is to hear it, in the commit of the happening
itself, and is owed until a consumer acknowledges it or the rules of the backlog drop it
(`fleet.cloud.push_backlog`). So each is delivered at least once, whatever becomes of connections
and of this process. Who of several consumers gets it is decided in `fleet.cloud.push_queue`: one
at a time, the next one in the same step in which the one before is gone.

The real production topic has eleven partitions, each with an active consumer of its own; here all
of them have the same one.
"""

from typing import NamedTuple

from firmware_sim.errors import Malformed
from firmware_sim.events import DeadlineReached
from fleet.cloud.keys import Entropy
from fleet.cloud.messages import PushRaised
from fleet.cloud.open.push_address import CONFLICT, Doorkeeper, NotAdmitted
from fleet.cloud.open.push_crypto import Encryption, data_key, envelope
from fleet.cloud.open.push_forms import told
from fleet.cloud.open.push_frames import IDS_PER_MS, acknowledged, delivery
from fleet.cloud.push_audience import audience, centre_of
from fleet.cloud.push_backlog import CHANNELS, Lag, PushMessage, Topic, topic_of
from fleet.cloud.push_events import (
    AdmitConsumer,
    CloseConsumer,
    ConsumerClosed,
    ConsumerEvent,
    ConsumerOpened,
    ConsumerReceived,
    ConsumerStalled,
    RefuseConsumer,
    SendFrames,
)
from fleet.cloud.push_queue import FailoverQueue, Member, Shipment
from fleet.cloud.state import State

BATCH = 100  # messages sent in one step, for the sake of everybody else
BAD_MESSAGE = 1007  # RFC 6455, section 7.4.1, as is the next
POLICY = 1008


class Standing(NamedTuple):
    """A topic now: what is unread, how much of it is under way, and to whom, the active one first."""

    topic: Topic
    lag: Lag
    under_way: int
    consumers: tuple[Member, ...]


class PushTopics:
    """All topics that have consumers, and the deadlines of all messages."""

    def __init__(self, state: State, entropy: Entropy) -> None:
        """Start without consumers; `entropy` gives the nonces of encrypted messages."""
        self._state = state
        self._backlog = state.push_backlog
        self._entropy = entropy
        self._doorkeeper = Doorkeeper(state.settings, state.projects)
        self._queues: dict[Topic, FailoverQueue] = {}
        self._topics: dict[int, Topic] = {}  # by connection
        self._last_id = self._backlog.newest_id()
        self._expiry_ms = self._backlog.next_expiry_ms()
        self._due_ms: int | None = None  # of the queues; may be too early, never too late

    def next_deadline_ms(self) -> int | None:
        """Return when `DeadlineReached` is wanted next, or None."""
        return _earliest(self._expiry_ms, self._due_ms)

    def handle(self, event: ConsumerEvent | DeadlineReached, now_ms: int) -> None:
        """Take what a consumer did, or the time that has come."""
        if isinstance(event, DeadlineReached):
            self._on_time(now_ms)
        elif isinstance(event, ConsumerOpened):
            self._opened(event, now_ms)
        elif event.conn in self._topics:  # else: we closed it before the event arrived
            topic = self._topics[event.conn]
            if isinstance(event, ConsumerReceived):
                self._received(topic, event, now_ms)
            elif isinstance(event, ConsumerClosed):
                self._leave(event.conn)
            else:
                stalled = isinstance(event, ConsumerStalled)
                self._queues[topic].stall(event.conn, stalled=stalled)
            self._serve(topic, now_ms)

    def publish(self, raised: PushRaised, now_ms: int) -> None:
        """Write a message down for everybody who is to hear it, and send it to who is there."""
        if not len(self._state.projects):
            return  # nobody is there to hear of anything
        projects = audience(self._state, raised, now_ms)
        centre = centre_of(self._state, raised) if projects else ""
        for project in projects:
            families = project.push_families or self._state.settings.push_families
            messages = told(raised, families, now_ms)
            for channel in CHANNELS:
                topic = Topic(project.access_id, centre, channel)
                if self._backlog.kept(topic):
                    for message in messages:
                        self._add(topic, message.protocol, message.text, now_ms)
                    self._serve(topic, now_ms)

    def standing(self, access_id: str) -> list[Standing]:
        """Return how the topics of a project stand that have messages or consumers, sorted."""
        live = (topic for topic in self._queues if topic.access_id == access_id)
        topics = sorted({*live, *self._backlog.topics_of(access_id)})
        return [self._standing(topic) for topic in topics]

    def _standing(self, topic: Topic) -> Standing:
        queue = self._queues.get(topic)
        if queue is None:
            return Standing(topic, self._backlog.lag(topic), 0, ())
        return Standing(topic, self._backlog.lag(topic), queue.under_way, tuple(queue.members))

    # --- messages -------------------------------------------------------------------------------

    def _add(self, topic: Topic, protocol: int, text: str, now_ms: int) -> None:
        self._last_id = max(self._last_id + 1, now_ms * IDS_PER_MS)
        self._backlog.add(PushMessage(self._last_id, *topic, protocol, now_ms, text))
        if topic in self._queues:
            self._queues[topic].offer(self._last_id)
        while (surplus := self._backlog.surplus(topic)) is not None:
            self._drop(surplus, "push_dropped_too_many")
        if self._expiry_ms is None:
            self._expiry_ms = self._backlog.next_expiry_ms()

    def _drop(self, message: PushMessage, why: str) -> None:
        self._state.counts[why] += 1
        queue = self._queues.get(topic_of(message))
        if queue is not None:
            queue.drop(message.id)
        self._backlog.remove(message)

    def _on_time(self, now_ms: int) -> None:
        expired = self._expiry_ms is not None and self._expiry_ms <= now_ms
        if expired:
            for message in self._backlog.too_old(now_ms):
                self._drop(message, "push_dropped_too_old")
            self._expiry_ms = self._backlog.next_expiry_ms()
        # What was dropped under way has made room for others.
        if expired or (self._due_ms is not None and self._due_ms <= now_ms):
            self._due_ms = None
            for topic in list(self._queues):
                self._serve(topic, now_ms)

    # --- consumers ------------------------------------------------------------------------------

    def _opened(self, event: ConsumerOpened, now_ms: int) -> None:
        effects = self._state.journal.effects
        try:
            wish = self._doorkeeper.admit(event)
            queue = self._room_in(wish.topic)
        except NotAdmitted as refusal:
            effects.append(RefuseConsumer(event.conn, refusal.status, refusal.text))
            return
        topic = wish.topic
        self._backlog.subscribe(topic)
        queue.join(Member(event.conn, wish.ack_timeout_ms, wish.window))
        self._queues[topic] = queue
        self._topics[event.conn] = topic
        effects.append(AdmitConsumer(event.conn))
        self._serve(topic, now_ms)

    def _room_in(self, topic: Topic) -> FailoverQueue:
        """Return the queue of a topic. Raises NotAdmitted when it has no room for a consumer."""
        settings = self._state.settings
        queue = self._queues.get(topic)
        if queue is None:
            return FailoverQueue(self._backlog.ids(topic), settings.push_redeliveries_max)
        if len(queue.members) >= settings.push_consumers_max:
            raise NotAdmitted(CONFLICT, "Failed to subscribe: too many consumers")
        return queue

    def _received(self, topic: Topic, event: ConsumerReceived, now_ms: int) -> None:
        for text in event.texts:
            try:
                message_id = acknowledged(text)
            except Malformed:
                self._end(event.conn, BAD_MESSAGE, "not an acknowledgement")
                return
            if message_id is not None:
                self._acknowledge(topic, event.conn, message_id, now_ms)

    def _acknowledge(self, topic: Topic, conn: int, message_id: int, now_ms: int) -> None:
        message = self._backlog.get(message_id)
        if message is None or not self._queues[topic].acknowledge(conn, message_id, now_ms):
            self._state.counts["push_acknowledged_in_vain"] += 1
            return
        self._backlog.remove(message)

    def _end(self, conn: int, code: int, text: str) -> None:
        self._state.journal.effects.append(CloseConsumer(conn, code, text))
        self._leave(conn)

    def _leave(self, conn: int) -> None:
        topic = self._topics.pop(conn)
        self._queues[topic].leave(conn)
        if not self._queues[topic].members:
            del self._queues[topic]

    # --- sending --------------------------------------------------------------------------------

    def _serve(self, topic: Topic, now_ms: int) -> None:
        """Send what is to be sent now to the active consumer of `topic`, if it has one."""
        queue = self._queues.get(topic)
        if queue is None:
            return
        if queue.in_vain(now_ms):
            self._end(queue.members[0].conn, POLICY, "nothing was acknowledged")
            self._serve(topic, now_ms)
            return
        shipments = queue.next_up(now_ms, BATCH)
        if shipments:
            frames = tuple(self._frame(topic, shipment) for shipment in shipments)
            self._state.journal.effects.append(SendFrames(queue.members[0].conn, frames))
        self._due_ms = _earliest(self._due_ms, queue.due_ms(now_ms))

    def _frame(self, topic: Topic, shipment: Shipment) -> bytes:
        message = self._backlog.get(shipment.id)
        project = self._state.projects.get(topic.access_id)
        assert message is not None, "what is sent is kept"
        assert project is not None, "projects are never removed"
        encryption = Encryption(project.push_encryption or self._state.settings.push_encryption)
        sealed = envelope(
            encryption,
            data_key(project.secret),
            message.protocol,
            message.text.encode(),
            message.time_ms,
            self._entropy,
        )
        return delivery(message, sealed, encryption, shipment.redeliveries)


def _earliest(one_ms: int | None, other_ms: int | None) -> int | None:
    if one_ms is None or other_ms is None:
        return other_ms if one_ms is None else one_ms
    return min(one_ms, other_ms)
