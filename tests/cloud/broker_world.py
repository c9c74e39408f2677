"""A broker with a clock and clients that are written as packets: the stage of the broker's tests."""

from collections import defaultdict

from firmware_sim.effects import Effect
from firmware_sim.events import DeadlineReached
from firmware_sim.wire import mqtt
from fleet.cloud.broker import Broker, BrokerSettings, Happening
from fleet.cloud.messages import (
    ClockMoved,
    CloseStream,
    SendStream,
    StreamClosed,
    StreamOpened,
    StreamReceived,
)

START_MS = 1_000_000
LIMITS = BrokerSettings(
    packet_size_max=512, subscriptions_max=3, inflight_max=4, packets_per_s_max=60
)


class OwnTopics:
    """A directory: password "ok", and topics that begin with the client's own id."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, bytes, int]] = []

    def admit(self, client_id: str, username: str, password: bytes, now_ms: int) -> int:
        self.asked.append((client_id, username, password, now_ms))
        return mqtt.ACCEPTED if password == b"ok" else mqtt.NOT_AUTHORIZED

    def may_subscribe(self, client_id: str, topic: str) -> bool:
        return topic.startswith(f"{client_id}/")

    def may_publish(self, client_id: str, topic: str) -> bool:
        return topic.startswith(f"{client_id}/")


class World:
    """A broker, a clock, and what each connection has been sent."""

    def __init__(self, limits: BrokerSettings = LIMITS) -> None:
        self.directory = OwnTopics()
        self.broker = Broker(self.directory, limits)
        self.now_ms = START_MS
        self.sent: defaultdict[int, bytes] = defaultdict(bytes)
        self.closed: list[int] = []
        self._conns = 0

    def handle(
        self, event: StreamOpened | StreamReceived | StreamClosed | ClockMoved | DeadlineReached
    ) -> list[Happening]:
        out: list[Effect] = []
        happened = self.broker.handle(event, self.now_ms, out)
        self.carry_out(out)
        return happened

    def carry_out(self, out: list[Effect]) -> None:
        for effect in out:
            if isinstance(effect, SendStream):
                assert effect.conn not in self.closed
                self.sent[effect.conn] += effect.data
            else:
                assert isinstance(effect, CloseStream)
                self.closed.append(effect.conn)

    def open(self) -> int:
        self._conns += 1
        assert self.handle(StreamOpened(self._conns)) == []
        return self._conns

    def send(self, conn: int, *packets: mqtt.Packet) -> list[Happening]:
        return self.handle(StreamReceived(conn, b"".join(map(mqtt.encode, packets))))

    def heard(self, conn: int) -> list[mqtt.Packet]:
        """Return what the client has been sent since the last time."""
        return mqtt.Decoder().feed(self.sent.pop(conn, b""))

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

    def publish(self, client_id: str, payload: bytes, qos: int = 1, tag: str = "") -> bool:
        out: list[Effect] = []
        reached = self.broker.publish(f"{client_id}/in", payload, qos, tag, self.now_ms, out)
        self.carry_out(out)
        return reached

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
            self.now_ms = due_ms
            happened += self.handle(DeadlineReached())
        self.now_ms = end_ms
        return happened


def hello(client_id: str, keep_alive_s: int = 120, password: str = "ok") -> mqtt.Connect:
    return mqtt.Connect(client_id, "user", password, keep_alive_s)
