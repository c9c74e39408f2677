"""A broker with a clock and clients that are written as packets: the stage of the broker's tests.

What has to survive goes to a store; `kill_and_restart` begins anew with that. Each step is checked
for what the broker promises: nothing is said before what it stands for is durable.
"""

from collections import defaultdict

from firmware_sim.effects import Effect
from firmware_sim.events import DeadlineReached
from firmware_sim.wire import mqtt
from fleet.cloud.broker import (
    Broker,
    BrokerEvent,
    BrokerSettings,
    Directories,
    GuestLimits,
    Happening,
    Retained,
    Shelf,
)
from fleet.cloud.broker.session import Session
from fleet.cloud.broker.topics import covers
from fleet.cloud.ledger import Journal
from fleet.cloud.messages import (
    ClockMoved,
    CloseStream,
    Commit,
    ReportDrain,
    SendStream,
    StreamClosed,
    StreamDrained,
    StreamOpened,
    StreamReceived,
)
from fleet.cloud.settings import Settings
from fleet.cloud.store.memory import MemoryStore

START_MS = 1_000_000
LIMITS = BrokerSettings(
    packet_size_max=512, subscriptions_max=3, inflight_max=4, packets_per_s_max=60
)
GUEST_LIMITS = GuestLimits(
    connections_max=4,
    packet_size_max=100_000,
    packets_per_s_max=2_000,
    subscriptions_max=8,
    queue_max=12,
    queue_bytes_max=200_000,
)
SETTINGS = Settings(mqtt_sessions_max=5, mqtt_retained_max=20, mqtt_retained_size_max=2_000)
GUEST = "guest"


class OwnTopics:
    """Everybody who is no guest: password "ok", and topics that begin with the client's own id."""

    guests: GuestLimits | None = None

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, bytes, int]] = []

    def claims(self, client_id: str, username: str) -> bool:
        return username != "nobody"

    def admit(self, client_id: str, username: str, password: bytes, now_ms: int) -> int:
        self.asked.append((client_id, username, password, now_ms))
        return mqtt.ACCEPTED if password == b"ok" else mqtt.NOT_AUTHORIZED

    def may_subscribe(self, client_id: str, username: str, topic_filter: str) -> bool:
        return topic_filter.startswith(f"{client_id}/") and mqtt.is_plain(topic_filter)

    def may_publish(self, client_id: str, username: str, topic: str) -> bool:
        return topic.startswith(f"{client_id}/")


class NamedGuests:
    """Guests are called "guest" and something; they may do everything but what is taken away."""

    def __init__(self, limits: GuestLimits) -> None:
        self.guests: GuestLimits | None = limits
        self.read = ["#", "$SYS/#", "$x/#"]
        self.write = ["#", "$SYS/#", "$x/#"]
        self.gone: list[str] = []

    def claims(self, client_id: str, username: str) -> bool:
        return username.startswith(GUEST) and username not in self.gone

    def admit(self, client_id: str, username: str, password: bytes, now_ms: int) -> int:
        return mqtt.ACCEPTED if password == b"ok" else 4

    def may_subscribe(self, client_id: str, username: str, topic_filter: str) -> bool:
        return any(covers(mine, topic_filter) for mine in self.read)

    def may_publish(self, client_id: str, username: str, topic: str) -> bool:
        return any(covers(mine, topic) for mine in self.write)


class World:
    """A broker, a clock, and what each connection has been sent."""

    def __init__(
        self,
        limits: BrokerSettings = LIMITS,
        guest_limits: GuestLimits = GUEST_LIMITS,
        settings: Settings = SETTINGS,
    ) -> None:
        self.directory = OwnTopics()
        self.named = NamedGuests(guest_limits)
        self.limits = limits
        self.settings = settings
        self.store = MemoryStore()
        self.now_ms = START_MS
        self.sent: defaultdict[int, bytes] = defaultdict(bytes)
        self.closed: list[int] = []
        self.watched: list[int] = []  # connections of which the broker wants to know
        self._conns = 0
        self.restarted = False
        self.journal, self.broker = self._load()

    def _load(self) -> tuple[Journal, Broker]:
        journal, load = Journal(), self.store.load
        broker = Broker(
            Directories(self.named, self.directory),
            self.limits,
            shelf=Shelf(self.settings, load, journal),
            retained=Retained(self.settings, load, journal),
        )
        return journal, broker

    def kill_and_restart(self) -> None:
        """Start over with what was committed; all connections are gone."""
        self.journal, self.broker = self._load()
        self.closed += [conn for conn in self.sent if conn not in self.closed]
        self.sent.clear()
        self.restarted = True

    # --- events ---------------------------------------------------------------------------------

    def handle(self, event: BrokerEvent) -> list[Happening]:
        happened = self.broker.handle(event, self.now_ms, self.journal.effects)
        self.carry_out(self.journal.take())
        return happened

    def carry_out(self, effects: list[Effect]) -> None:
        for index, effect in enumerate(effects):
            match effect:
                case Commit():
                    assert index == 0, "nothing is said before it is durable"
                    self.store.submit(effect.changes, lambda _error: None)
                case SendStream():
                    assert effect.conn not in self.closed
                    self.sent[effect.conn] += effect.data
                case ReportDrain():
                    self.watched.append(effect.conn)
                case CloseStream():
                    self.closed.append(effect.conn)
                case _:
                    raise AssertionError(effect)

    def open(self) -> int:
        self._conns += 1
        happened = self.handle(StreamOpened(self._conns))
        assert happened == [] or self.restarted, "only the wills of a former process are said now"
        self.restarted = False
        return self._conns

    def send(self, conn: int, *packets: mqtt.Packet) -> list[Happening]:
        return self.handle(StreamReceived(conn, b"".join(map(mqtt.encode, packets))))

    def lose(self, conn: int) -> list[Happening]:
        """Let a client's connection be lost."""
        self.sent.pop(conn, None)
        return self.handle(StreamClosed(conn))

    def drain(self) -> None:
        """Let all connections that the broker wants to know of take what they were sent."""
        watched, self.watched = self.watched, []
        for conn in watched:
            self.handle(StreamDrained(conn))

    # --- clients --------------------------------------------------------------------------------

    def heard(self, conn: int) -> list[mqtt.Packet]:
        """Return what the client has been sent since the last time."""
        return mqtt.Decoder(1 << 20).feed(self.sent.pop(conn, b""))

    def connect(self, client_id: str, keep_alive_s: int = 120) -> int:
        conn = self.open()
        self.send(conn, hello(client_id, keep_alive_s))
        assert self.heard(conn) == [mqtt.Connack(mqtt.ACCEPTED)]
        return conn

    def listener(self, client_id: str, qos: int = 1) -> int:
        """Return a client that subscribed to its topic `in`."""
        conn = self.connect(client_id)
        self.send(conn, mqtt.Subscribe(1, ((f"{client_id}/in", qos),)))
        assert self.heard(conn) == [mqtt.Suback(1, (qos,))]
        return conn

    def guest(
        self,
        client_id: str = "monitor",
        *filters: tuple[str, int],
        lasting: bool = False,
        present: bool = False,
        username: str = GUEST,
        will: mqtt.Will | None = None,
    ) -> int:
        """Return a guest that subscribed to `filters`; `present`: its session has to be there."""
        conn = self.open()
        self.send(
            conn,
            mqtt.Connect(client_id, username, "ok", 0, clean_session=not lasting, will=will),
        )
        (first, *rest) = self.heard(conn)
        assert first == mqtt.Connack(mqtt.ACCEPTED, present)
        if filters:
            assert rest == []
            self.send(conn, mqtt.Subscribe(1, filters))
            assert self.heard(conn)[0] == mqtt.Suback(1, tuple(qos for _, qos in filters))
        elif rest:
            self.sent[conn] = b"".join(map(mqtt.encode, rest))
        return conn

    def publish(self, client_id: str, payload: bytes, qos: int = 1, tag: str = "") -> bool:
        """Let the cloud send a message to the topic `in` of a client."""
        out = self.journal.effects
        reached = self.broker.publish(f"{client_id}/in", payload, qos, tag, self.now_ms, out)
        self.carry_out(self.journal.take())
        return reached

    # --- time, and a look inside ----------------------------------------------------------------

    def heard_by(self) -> dict[str, tuple[Session, ...]]:
        """Return who hears each filter that has no wildcard, as the broker looks it up."""
        return self.broker._hub._subscribers._exact

    def move_clock(self, by_ms: int) -> None:
        """Skip a time, as a test does that wants it to be later."""
        self.now_ms += by_ms
        assert self.handle(ClockMoved(by_ms)) == []
        assert self.wait(0) == []

    def wait(self, duration_ms: int) -> list[Happening]:
        """Let time pass; the broker is woken when it asked to be."""
        end_ms = self.now_ms + duration_ms
        happened: list[Happening] = []
        while (due_ms := self.broker.next_deadline_ms()) is not None and due_ms <= end_ms:
            self.now_ms = max(due_ms, self.now_ms)
            happened += self.handle(DeadlineReached())
        self.now_ms = end_ms
        return happened


def hello(client_id: str, keep_alive_s: int = 120, password: str = "ok") -> mqtt.Connect:
    return mqtt.Connect(client_id, "user", password, keep_alive_s)


def payloads(packets: list[mqtt.Packet]) -> list[bytes]:
    """Return what messages among packets say."""
    return [packet.payload for packet in packets if isinstance(packet, mqtt.Publish)]
