"""A small MQTT 3.1.1 broker for devices: sans-IO, inside the cloud's node.

It speaks the standard (OASIS MQTT Version 3.1.1; clause numbers in the comments) to any client
that plays a device, and knows nothing of devices itself: a `Directory` says who may connect and
which topics are whose. What clients do comes out as happenings; what the cloud says goes in by
`publish`. Clients never hear each other: every message of a client goes to the cloud.

Chosen where the standard leaves room: every session is a clean one and CONNACK never says
"session present"; will and RETAIN flags are accepted and have no effect; a filter with a wildcard
is refused (SUBACK 0x80); a subscription is granted QoS 1 at most; a message to a topic that is
not the client's closes its connection [MQTT-3.3.5-2], and so does a flood of packets, which would
starve the other clients; inbound QoS 2 is taken once, as written.

There is no timer per client: one heap of wake-ups, one live entry per session, and a session
that was heard from in the meantime is simply put back.
"""

import heapq
import re
from collections.abc import Callable
from typing import Any

from firmware_sim.effects import Effect
from firmware_sim.errors import PeerError
from firmware_sim.events import DeadlineReached
from firmware_sim.wire import mqtt
from fleet.cloud.broker_session import BrokerSettings, Sent, Session
from fleet.cloud.happenings import (
    ClientConnected,
    ClientGone,
    ClientSubscribed,
    Delivered,
    Directory,
    Gone,
    Happening,
    MessageReceived,
)
from fleet.cloud.messages import (
    ClockMoved,
    CloseStream,
    SendStream,
    StreamClosed,
    StreamOpened,
    StreamReceived,
)

__all__ = [
    "Broker",
    "BrokerSettings",
    "ClientConnected",
    "ClientGone",
    "ClientSubscribed",
    "Delivered",
    "Directory",
    "Gone",
    "Happening",
    "MessageReceived",
]

ACCEPTED = 0  # CONNACK return codes, section 3.2.2.3
BAD_PROTOCOL_LEVEL = 1
BAD_CLIENT_ID = 2

_WILDCARDS = frozenset("+#")
_OTHER_CONNECT = re.compile(
    rb"\x10[\x80-\xff]{0,3}[\0-\x7f]\0(?:\x04MQTT[^\x04]|\x06MQIsdp)", re.DOTALL
)
_TICK_MS = 250  # wake-ups are rounded up to this, so that many sessions share one
_LOOK_AGAIN_MS_MAX = 60_000  # and no entry of the heap outlives its use for longer


_Act = Callable[[Session, Any, int, list[Effect]], Gone | None]


class Broker:
    """All connections of the MQTT port and what their clients subscribed to."""

    def __init__(self, directory: Directory, settings: BrokerSettings | None = None) -> None:
        """Start without clients."""
        self._directory = directory
        self._settings = settings or BrokerSettings()
        self._sessions: dict[int, Session] = {}
        self._clients: dict[str, Session] = {}
        self._listeners: dict[str, tuple[Session, ...]] = {}
        self._wakes: list[tuple[int, int]] = []  # heap of (ms, conn)
        self._happened: list[Happening] = []
        self._acts: dict[type, _Act] = {
            mqtt.Publish: self._on_publish,
            mqtt.Puback: self._on_puback,
            mqtt.Pubrel: self._on_pubrel,
            mqtt.Subscribe: self._on_subscribe,
            mqtt.Unsubscribe: self._on_unsubscribe,
            mqtt.Pingreq: self._on_pingreq,
            mqtt.Disconnect: self._on_disconnect,
        }

    # --- what the cloud asks ---------------------------------------------------------------------

    def handle(
        self,
        event: StreamOpened | StreamReceived | StreamClosed | ClockMoved | DeadlineReached,
        now_ms: int,
        out: list[Effect],
    ) -> list[Happening]:
        """Take one event; append packets and closings to `out`, return what happened.

        Acknowledgements to clients are in `out` already: a cloud that commits because of a
        happening must put its `Commit` in front of them.
        """
        self._happened = []
        if isinstance(event, StreamReceived):
            session = self._sessions.get(event.conn)
            if session is not None:  # else: bytes that crossed our CloseStream
                self._receive(session, event.data, now_ms, out)
        elif isinstance(event, StreamOpened):
            wait_ms = self._settings.connect_timeout_ms
            session = Session(event.conn, self._settings.packet_size_max, wait_ms, now_ms)
            self._sessions[event.conn] = session
            self._wake_by(session, now_ms + wait_ms)
        elif isinstance(event, StreamClosed):
            session = self._sessions.get(event.conn)
            if session is not None:
                self._forget(session, Gone.LOST)
        elif isinstance(event, ClockMoved):
            for session in self._sessions.values():
                session.forgive(event.by_ms)
        else:
            self._wake(now_ms, out)
        return self._happened

    def next_deadline_ms(self) -> int | None:
        """Return when `DeadlineReached` is wanted next."""
        return self._wakes[0][0] if self._wakes else None

    def publish(
        self, topic: str, payload: bytes, qos: int, tag: str, now_ms: int, out: list[Effect]
    ) -> bool:
        """Send a message to the clients that subscribed to exactly `topic`.

        At QoS 1 it is sent again until acknowledged, which is told as `Delivered`. Returns False
        when nobody was sent it: no subscriber, or too many messages in flight to each.
        """
        reached = False
        for session in self._listeners.get(topic, ()):
            if min(qos, session.subscriptions[topic]) == 0:
                packet = mqtt.encode(mqtt.Publish(topic=topic, payload=payload))
            else:
                if len(session.sent) >= self._settings.inflight_max:
                    continue
                packet_id = session.next_packet_id()
                packet = mqtt.encode(
                    mqtt.Publish(topic=topic, payload=payload, qos=1, packet_id=packet_id)
                )
                session.sent[packet_id] = Sent(packet, tag, now_ms)
                self._wake_by(session, now_ms + self._settings.resend_after_ms)
            out.append(SendStream(session.conn, packet))
            reached = True
        return reached

    def connected(self, client_id: str) -> bool:
        """Return whether the client is connected."""
        return client_id in self._clients

    def disconnect(self, client_id: str, out: list[Effect]) -> None:
        """Close the client's connection, if it has one; no `ClientGone` follows."""
        session = self._clients.get(client_id)
        if session is not None:
            self._forget(session, None)
            out.append(CloseStream(session.conn))

    @property
    def clients(self) -> int:
        """Return how many clients are connected."""
        return len(self._clients)

    # --- what clients send -----------------------------------------------------------------------

    def _receive(self, session: Session, data: bytes, now_ms: int, out: list[Effect]) -> None:
        try:
            packets = session.decoder.feed(data)
        except PeerError:
            if not session.client_id and _is_of_another_version(data):  # [MQTT-3.1.2-2]
                _send(session, mqtt.Connack(BAD_PROTOCOL_LEVEL), out)
            self._close(session, Gone.BROKE_PROTOCOL, out)
            return
        if session.count(len(packets), now_ms) > self._settings.packets_per_s_max:
            self._close(session, Gone.TOO_FAST, out)
            return
        for packet in packets:
            # Whole packets count as a sign of life, trickling bytes do not.
            session.heard_ms = now_ms
            if session.client_id:
                act = self._acts.get(type(packet))
                end = Gone.BROKE_PROTOCOL if act is None else act(session, packet, now_ms, out)
            elif isinstance(packet, mqtt.Connect):
                end = self._on_connect(session, packet, now_ms, out)
            else:
                end = Gone.BROKE_PROTOCOL  # [MQTT-3.1.0-1]
            if end is not None:
                self._close(session, end, out)
                return

    def _on_connect(
        self, session: Session, packet: mqtt.Connect, now_ms: int, out: list[Effect]
    ) -> Gone | None:
        code = self._admit(packet, now_ms)
        _send(session, mqtt.Connack(return_code=code), out)
        if code != ACCEPTED:
            return Gone.BROKE_PROTOCOL  # nobody is told: it was never connected
        older = self._clients.get(packet.client_id)
        if older is not None:  # [MQTT-3.1.4-2]
            self._close(older, Gone.TAKEN_OVER, out)
        session.client_id = packet.client_id
        session.silence_ms_max = packet.keep_alive_s * 1500  # [MQTT-3.1.2-24]
        self._clients[packet.client_id] = session
        if session.silence_ms_max:
            self._wake_by(session, now_ms + session.silence_ms_max)
        self._happened.append(ClientConnected(packet.client_id))
        return None

    def _admit(self, packet: mqtt.Connect, now_ms: int) -> int:
        if not 0 < len(packet.client_id) <= self._settings.client_id_size_max:
            return BAD_CLIENT_ID
        password = (packet.password or "").encode()
        return self._directory.admit(packet.client_id, packet.username or "", password, now_ms)

    def _on_publish(
        self, session: Session, packet: mqtt.Publish, _now_ms: int, out: list[Effect]
    ) -> Gone | None:
        if not self._directory.may_publish(session.client_id, packet.topic):
            return Gone.NOT_ITS_TOPIC
        if packet.qos == 2:
            if session.received is None:
                session.received = set()
            elif len(session.received) >= self._settings.inflight_max:
                return Gone.BROKE_PROTOCOL
            _send(session, mqtt.Pubrec(packet.packet_id), out)
            if packet.packet_id in session.received:  # sent again, and taken already
                return None
            session.received.add(packet.packet_id)
        elif packet.qos == 1:
            _send(session, mqtt.Puback(packet.packet_id), out)
        self._happened.append(MessageReceived(session.client_id, packet.topic, packet.payload))
        return None

    def _on_pubrel(
        self, session: Session, packet: mqtt.Pubrel, _now_ms: int, out: list[Effect]
    ) -> Gone | None:
        if session.received is not None:
            session.received.discard(packet.packet_id)
        _send(session, mqtt.Pubcomp(packet.packet_id), out)
        return None

    def _on_puback(
        self, session: Session, packet: mqtt.Puback, _now_ms: int, _out: list[Effect]
    ) -> Gone | None:
        sent = session.sent.pop(packet.packet_id, None)
        if sent is not None:  # else: the second answer to a message that was sent twice
            self._happened.append(Delivered(session.client_id, sent.tag))
        return None

    def _on_subscribe(
        self, session: Session, packet: mqtt.Subscribe, now_ms: int, out: list[Effect]
    ) -> Gone | None:
        if session.count(len(packet.filters), now_ms) > self._settings.packets_per_s_max:
            return Gone.TOO_FAST
        codes = tuple(self._subscribe(session, topic, qos) for topic, qos in packet.filters)
        _send(session, mqtt.Suback(packet.packet_id, codes), out)
        return None

    def _subscribe(self, session: Session, topic: str, qos: int) -> int:
        known = topic in session.subscriptions
        if (
            len(topic) > self._settings.topic_size_max
            or not _WILDCARDS.isdisjoint(topic)
            or not (known or len(session.subscriptions) < self._settings.subscriptions_max)
            or not self._directory.may_subscribe(session.client_id, topic)
        ):
            return mqtt.SUBSCRIBE_REFUSED
        granted = min(qos, 1)
        session.subscriptions[topic] = granted
        if not known:
            self._listeners[topic] = (*self._listeners.get(topic, ()), session)
        self._happened.append(ClientSubscribed(session.client_id, topic))
        return granted

    def _on_unsubscribe(
        self, session: Session, packet: mqtt.Unsubscribe, _now_ms: int, out: list[Effect]
    ) -> Gone | None:
        for topic in packet.filters:
            if session.subscriptions.pop(topic, None) is not None:
                self._unlisten(session, topic)
        _send(session, mqtt.Unsuback(packet.packet_id), out)
        return None

    def _on_pingreq(
        self, session: Session, _packet: mqtt.Pingreq, _now_ms: int, out: list[Effect]
    ) -> Gone | None:
        _send(session, mqtt.Pingresp(), out)
        return None

    def _on_disconnect(
        self, _session: Session, _packet: mqtt.Disconnect, _now_ms: int, _out: list[Effect]
    ) -> Gone | None:
        return Gone.DISCONNECTED

    # --- ends and time ---------------------------------------------------------------------------

    def _close(self, session: Session, reason: Gone, out: list[Effect]) -> None:
        self._forget(session, reason)
        out.append(CloseStream(session.conn))

    def _forget(self, session: Session, reason: Gone | None) -> None:
        del self._sessions[session.conn]
        if not session.client_id:
            return
        del self._clients[session.client_id]
        for topic in session.subscriptions:
            self._unlisten(session, topic)
        if reason is not None:
            self._happened.append(ClientGone(session.client_id, reason))

    def _unlisten(self, session: Session, topic: str) -> None:
        others = tuple(other for other in self._listeners[topic] if other is not session)
        if others:
            self._listeners[topic] = others
        else:
            del self._listeners[topic]

    def _wake_by(self, session: Session, due_ms: int) -> None:
        """Have the session looked at by `due_ms`, give or take a tick."""
        due_ms = -(-due_ms // _TICK_MS) * _TICK_MS
        if session.wake_ms is None or due_ms < session.wake_ms:
            session.wake_ms = due_ms
            heapq.heappush(self._wakes, (due_ms, session.conn))

    def _wake(self, now_ms: int, out: list[Effect]) -> None:
        while self._wakes and self._wakes[0][0] <= now_ms:
            due_ms, conn = heapq.heappop(self._wakes)
            session = self._sessions.get(conn)
            if session is not None and session.wake_ms == due_ms:
                session.wake_ms = None
                self._look_at(session, now_ms, out)

    def _look_at(self, session: Session, now_ms: int, out: list[Effect]) -> None:
        silent_ms = session.silent_until_ms()
        if silent_ms is not None and silent_ms <= now_ms:
            self._close(session, Gone.SILENT, out)
            return
        packets = session.resend(self._settings, now_ms)
        if packets is None:
            self._close(session, Gone.UNACKNOWLEDGED, out)
            return
        out.extend(SendStream(session.conn, packet) for packet in packets)
        due_ms = session.due_ms(self._settings)
        if due_ms is not None:
            self._wake_by(session, min(due_ms, now_ms + _LOOK_AGAIN_MS_MAX))


def _send(session: Session, packet: mqtt.Packet, out: list[Effect]) -> None:
    out.append(SendStream(session.conn, mqtt.encode(packet)))


def _is_of_another_version(data: bytes) -> bool:
    """Return whether `data` begins with a CONNECT of MQTT 3.1 or of 5 and later.

    Such a client wants to be told. Its CONNECT is expected in one piece; cut up, it is malformed.
    """
    return _OTHER_CONNECT.match(data) is not None
