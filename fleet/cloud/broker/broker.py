"""The broker's connections: who is in, what each packet asks for, and how a connection ends.

Sans-IO, inside the cloud's node. Source: OASIS MQTT Version 3.1.1; clause numbers are in the
comments of the line that keeps them.

There is no timer per client: one heap of wake-ups, one live entry per connection, and one that was
heard from in the meantime is simply put back.
"""

import heapq
from collections.abc import Callable
from functools import partial

from firmware_sim.effects import Effect
from firmware_sim.errors import PeerError
from firmware_sim.events import DeadlineReached, Event
from firmware_sim.wire import mqtt
from fleet.cloud.broker.admission import ACCEPTED, BAD_PROTOCOL_LEVEL, Admission
from fleet.cloud.broker.conversation import Conversation
from fleet.cloud.broker.delivery import Delivery, Message
from fleet.cloud.broker.hub import Hub
from fleet.cloud.broker.limits import BrokerSettings
from fleet.cloud.broker.meters import Meters
from fleet.cloud.broker.retained import Retained
from fleet.cloud.broker.session import Backlog, Session
from fleet.cloud.broker.shelf import Shelf
from fleet.cloud.happenings import (
    ClientConnected,
    ClientGone,
    Directories,
    Directory,
    Gone,
    Happening,
)
from fleet.cloud.ledger import Journal, nothing
from fleet.cloud.messages import (
    ClockMoved,
    CloseStream,
    StreamClosed,
    StreamDrained,
    StreamOpened,
    StreamReceived,
)
from fleet.cloud.settings import Settings

_TICK_MS = 250  # wake-ups are rounded up to this, so that many sessions share one
_LOOK_AGAIN_MS_MAX = 60_000  # and no entry of the heap outlives its use for longer


BrokerEvent = (
    StreamOpened | StreamReceived | StreamDrained | StreamClosed | ClockMoved | DeadlineReached
)


class Broker:
    """All connections of the MQTT port and what their clients said."""

    def __init__(
        self,
        directories: Directories,
        settings: BrokerSettings | None = None,
        *,
        shelf: Shelf | None = None,
        retained: Retained | None = None,
    ) -> None:
        """Start without connections; `shelf` and `retained` say what is left of former ones.

        Whatever they note belongs to the step under way, and has to be durable before the effects
        of that step are carried out. Without them everything is forgotten with this object.
        """
        self._settings = settings or BrokerSettings()
        self._shelf = Shelf(Settings(), nothing, Journal()) if shelf is None else shelf
        self._meters = Meters()
        if retained is None:
            retained = Retained(Settings(), nothing, Journal())
        self._delivery = Delivery(
            self._settings, self._shelf, retained, self._meters, self._wake_by
        )
        self._hub = Hub(self._settings, self._shelf, retained, self._delivery, self._meters)
        self._talk = Conversation(
            self._settings, self._hub, self._delivery, self._shelf, self._meters
        )
        self._door = Admission(directories, self._settings, self._shelf)
        self._sessions: dict[int, Session] = {}  # by connection
        self._clients, self._kept = self._door.clients, self._door.kept
        self._wakes: list[tuple[int, int]] = []  # heap of (ms, conn)
        self._acts = self._talk.acts
        self._directories = directories
        self._begun = False
        self._now_ms = 0
        for session in self._shelf.restore(directories):
            self._door.note(session)
            self._delivery.adopt(session)
            for topic_filter in session.subscriptions:
                self._hub.enlist(session, topic_filter, 0)

    # --- what the cloud asks ---------------------------------------------------------------------

    def handle(self, event: Event, now_ms: int, out: list[Effect]) -> list[Happening]:
        """Take a `BrokerEvent`; append packets and closings to `out`, return what happened.

        Acknowledgements to clients are in `out` already: a cloud that commits because of a
        happening must put its `Commit` in front of them.
        """
        happened: list[Happening] = []
        self._talk.happened, self._now_ms = happened, now_ms
        if isinstance(event, StreamReceived):
            session = self._sessions.get(event.conn)
            if session is not None:  # else: bytes that crossed our CloseStream
                self._receive(session, event.data, now_ms, out)
        elif isinstance(event, StreamOpened):
            self._open(event.conn, now_ms, out)
        elif isinstance(event, StreamClosed):
            session = self._sessions.get(event.conn)
            if session is not None:
                self._forget(session, Gone.LOST, now_ms, out)
        elif isinstance(event, StreamDrained):
            session = self._sessions.get(event.conn)
            if session is not None:
                self._delivery.drained(session, now_ms, out)
        elif isinstance(event, ClockMoved):
            for session in self._sessions.values():
                session.forgive(event.by_ms)
        else:
            self._wake(now_ms, out)
        return happened

    def next_deadline_ms(self) -> int | None:
        """Return when `DeadlineReached` is wanted next."""
        due_ms = self._wakes[0][0] if self._wakes else None
        sys_ms = self._hub.watch.due_ms
        if sys_ms is None and not self._shelf.gone:
            return due_ms
        dues = (due_ms, sys_ms, self._shelf.next_expiry_ms())
        return min((ms for ms in dues if ms is not None), default=None)

    def publish(
        self, topic: str, payload: bytes, qos: int, tag: str, now_ms: int, out: list[Effect]
    ) -> bool:
        """Send a message to the clients that subscribed to `topic`.

        Above QoS 0 it is sent again until acknowledged, which is told as `Delivered`. Returns False
        when nobody was sent it but guests: no subscriber, or too many messages in flight to each.
        """
        return self._hub.publish(Message(topic, payload, qos, tag=tag), now_ms, out)

    def connected(self, client_id: str) -> bool:
        """Return whether the client is connected; of guests the cloud is not told."""
        session = self._clients.get(client_id)
        return session is not None and session.backlog is None

    def disconnect(self, client_id: str, out: list[Effect]) -> None:
        """Close the client's connection, if it has one; no `ClientGone` follows."""
        session = self._clients.get(client_id)
        if session is not None and session.backlog is None:
            self._close(session, None, self._now_ms, out)

    def review(self, username: str, now_ms: int, out: list[Effect]) -> None:
        """Close the connections of guests called `username`, after what they may do has changed.

        Of sessions that are kept, subscriptions that are no longer allowed end, with what waits for
        them, or all of it.
        """
        for session in self._door.guests_called(username):
            if session.conn:
                self._close(session, None, now_ms, out)
            if session.lasting and not self._door.known(session):
                self._end(session)
            elif session.lasting:
                may = partial(self._talk.may_subscribe, session)
                for topic_filter in [mine for mine in session.subscriptions if not may(mine)]:
                    self._hub.unsubscribe(session, topic_filter)
                self._delivery.withdraw(session, may)

    @property
    def clients(self) -> int:
        """Return how many clients are connected."""
        return len(self._clients)

    def act_of(self, packet: type[mqtt.Packet]) -> Callable[..., object] | None:
        """Return what takes a packet of that kind; to explain a run."""
        return self._on_connect if packet is mqtt.Connect else self._acts.get(packet)

    # --- connections ----------------------------------------------------------------------------

    def _open(self, conn: int, now_ms: int, out: list[Effect]) -> None:
        if not self._begun:
            self._begun, self._meters.started_ms = True, now_ms
            self._shelf.begin(now_ms)
            for gone, will in self._shelf.last_words(self._directories):
                self._talk.publish_will(gone, will, now_ms, out)
        session = self._sessions[conn] = Session(conn, self._settings, now_ms)
        self._wake_by(session, now_ms + session.silence_ms_max)

    def _receive(self, session: Session, data: bytes, now_ms: int, out: list[Effect]) -> None:
        self._meters.bytes_received += len(data)
        conn = session.conn
        try:
            # One by one: a CONNECT decides about the limits of what came along with it.
            for packet in session.decoder.each(data):
                end = self._take(self._sessions[conn], packet, now_ms, out)
                if end is not None:
                    self._close(self._sessions[conn], end, now_ms, out)
                    return
        except PeerError as error:
            session = self._sessions[conn]
            if not session.client_id and isinstance(error, mqtt.OtherVersion):  # [MQTT-3.1.2-2]
                self._talk.say(session, mqtt.Connack(BAD_PROTOCOL_LEVEL), out)
            self._close(session, Gone.BROKE_PROTOCOL, now_ms, out)  # [MQTT-4.8.0-1]

    def _take(
        self, session: Session, packet: mqtt.Packet, now_ms: int, out: list[Effect]
    ) -> Gone | None:
        """Take one packet; return why the connection has to end, or None."""
        self._meters.messages_received += 1
        if session.count(1, now_ms) > session.packets_max:
            return Gone.TOO_FAST
        # Whole packets count as a sign of life, trickling bytes do not.
        session.heard_ms = now_ms
        if session.client_id:
            act = self._acts.get(type(packet))
            # None: a second CONNECT [MQTT-3.1.0-2], or what only a server says.
            return Gone.BROKE_PROTOCOL if act is None else act(session, packet, now_ms, out)
        if isinstance(packet, mqtt.Connect):
            return self._on_connect(session, packet, now_ms, out)
        return Gone.BROKE_PROTOCOL  # [MQTT-3.1.0-1]

    def _on_connect(
        self, session: Session, packet: mqtt.Connect, now_ms: int, out: list[Effect]
    ) -> Gone | None:
        code, client_id, directory = self._door.decide(packet, session.conn, now_ms)
        if code != ACCEPTED or directory is None:
            self._talk.say(session, mqtt.Connack(code), out)
            return Gone.BROKE_PROTOCOL  # nobody is told: it was never connected [MQTT-3.2.2-5]
        older = self._clients.get(client_id)
        if older is not None:  # [MQTT-3.1.4-2]
            self._close(older, Gone.TAKEN_OVER, now_ms, out)
        lasting = directory.guests is not None and not packet.clean_session
        kept = self._kept.get(client_id)
        if kept is not None and not lasting:  # [MQTT-3.1.2-6]
            self._end(kept)
            kept = None
        # [MQTT-3.2.2-1..3]: only a client that wants its session and had one is told so.
        self._talk.say(session, mqtt.Connack(ACCEPTED, session_present=kept is not None), out)
        if kept is not None:  # [MQTT-3.1.2-4]
            kept.take_connection_of(session)
            session = self._sessions[session.conn] = kept
        else:
            self._begin(session, client_id, packet.username or "", directory)
        self._welcome(session, packet, lasting=lasting, now_ms=now_ms)
        self._delivery.resume(session, now_ms, out)
        return None

    def _begin(self, session: Session, client_id: str, username: str, directory: Directory) -> None:
        """Make a connection the beginning of a session."""
        session.client_id = client_id
        session.username = client_id if username == client_id else username  # one text, not two
        session.directory = directory
        if directory.guests is not None:
            session.backlog = Backlog(directory.guests)
        self._door.note(session)

    def _welcome(
        self, session: Session, packet: mqtt.Connect, *, lasting: bool, now_ms: int
    ) -> None:
        """Let a session go on with the CONNECT that was accepted."""
        if session.backlog is not None:
            session.decoder.size_max = session.backlog.limits.packet_size_max
            session.packets_max = session.backlog.limits.packets_per_s_max
        else:
            self._talk.happened.append(ClientConnected(session.client_id))
        if lasting:
            session.lasting = True
            self._kept[session.client_id] = session
            self._shelf.open(session)
        session.will = packet.will
        if packet.will is not None:
            self._shelf.keep_will(session, packet.will)
        session.silence_ms_max = packet.keep_alive_s * 1500  # [MQTT-3.1.2-24]
        self._clients[session.client_id] = session
        self._hub.connected = len(self._clients)
        self._meters.clients_maximum = max(self._meters.clients_maximum, len(self._clients))
        if session.silence_ms_max:
            self._wake_by(session, now_ms + session.silence_ms_max)

    def _close(self, session: Session, reason: Gone | None, now_ms: int, out: list[Effect]) -> None:
        conn = session.conn
        self._forget(session, reason, now_ms, out)
        out.append(CloseStream(conn))

    def _forget(
        self, session: Session, reason: Gone | None, now_ms: int, out: list[Effect]
    ) -> None:
        """Take a session off its connection; it ends, unless it is a lasting one."""
        del self._sessions[session.conn]
        session.conn = 0
        if not session.client_id:
            return
        del self._clients[session.client_id]
        self._hub.connected = len(self._clients)
        if session.lasting:
            self._delivery.suspend(session)
            self._shelf.leave(session, now_ms)
        else:
            self._end(session)
        # The will is dropped with DISCONNECT only [MQTT-3.1.2-8, MQTT-3.14.4-3].
        will, session.will = session.will, None
        if will is not None:
            self._shelf.drop_will(session.client_id)
            if reason is not Gone.DISCONNECTED:
                self._talk.publish_will(session, will, now_ms, out)
        if reason is not None and session.backlog is None:
            self._talk.happened.append(ClientGone(session.client_id, reason))

    def _end(self, session: Session) -> None:
        """Forget a session that has no connection any more."""
        self._hub.end(session)
        self._door.forget(session)

    # --- time -----------------------------------------------------------------------------------

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
        for client_id in self._shelf.expired(now_ms):
            self._end(self._kept[client_id])
            self._meters.clients_expired += 1
        if self._hub.watch.due_ms is not None and self._hub.watch.due_ms <= now_ms:
            self._hub.tell_sys(now_ms, out)

    def _look_at(self, session: Session, now_ms: int, out: list[Effect]) -> None:
        silent_ms = session.silent_until_ms()
        if silent_ms is not None and silent_ms <= now_ms:
            self._close(session, Gone.SILENT, now_ms, out)  # [MQTT-3.1.2-24]
            return
        if not self._delivery.repeat(session, now_ms, out):
            self._close(session, Gone.UNACKNOWLEDGED, now_ms, out)
            return
        due_ms = session.due_ms(self._settings)
        if due_ms is not None:
            self._wake_by(session, min(due_ms, now_ms + _LOOK_AGAIN_MS_MAX))
