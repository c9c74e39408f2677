"""A walk: QoS 2 is exactly once and QoS 1 at least once, whatever is lost, in order.

A publisher and a subscriber keep to the standard and remember their own half of each exchange. All
that is under way can be lost with a connection, and the broker can be killed between any two steps,
before or after what a step changed was durable. At the end all come back, and what each side knows
is compared.
"""

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from firmware_sim.wire import mqtt
from fleet.cloud.broker import GuestLimits
from fleet.cloud.messages import Commit, StreamReceived
from tests.cloud.broker.world import GUEST, LIMITS, World

TOPIC = "test/walk"


class Client:
    """One side: a client with a session that is kept, and packets under way in both directions."""

    def __init__(self, name: str, *, subscribes_at: int | None) -> None:
        self.name = name
        self.subscribes_at = subscribes_at
        self.conn = 0
        self.to_broker: list[mqtt.Packet] = []
        self.from_broker: list[mqtt.Packet] = []
        self.unfinished: dict[int, mqtt.Packet] = {}  # ours, by packet id, as to be repeated
        self.held: set[int] = set()  # QoS 2 ids between PUBLISH and PUBREL
        self.got: list[bytes] = []
        self.last_id = 0

    def publish(self, payload: bytes, qos: int) -> None:
        self.last_id = self.last_id % 65_535 + 1
        packet = mqtt.Publish(TOPIC, payload, qos, self.last_id)
        self.unfinished[self.last_id] = msgspec.structs.replace(packet, dup=True)
        if self.conn:
            self.to_broker.append(packet)

    def greet(self, conn: int) -> None:
        """Come back: CONNECT, the subscription, and all that is not finished."""
        self.conn = conn
        self.to_broker = [mqtt.Connect(self.name, GUEST, "ok", 0, clean_session=False)]
        if self.subscribes_at is not None:
            self.to_broker.append(mqtt.Subscribe(1, ((TOPIC, self.subscribes_at),)))
        self.to_broker += self.unfinished.values()

    def hear(self, packet: mqtt.Packet) -> None:
        answer: mqtt.Packet | None = None
        match packet:
            case mqtt.Publish(qos=2):
                if packet.packet_id not in self.held:
                    self.held.add(packet.packet_id)
                    self.got.append(packet.payload)
                answer = mqtt.Pubrec(packet.packet_id)
            case mqtt.Publish():
                self.got.append(packet.payload)
                answer = mqtt.Puback(packet.packet_id) if packet.qos else None
            case mqtt.Pubrel():
                self.held.discard(packet.packet_id)
                answer = mqtt.Pubcomp(packet.packet_id)
            case mqtt.Pubrec() if packet.packet_id in self.unfinished:
                # To the end: PUBRELs are repeated in the order of their PUBRECs.
                del self.unfinished[packet.packet_id]
                answer = self.unfinished[packet.packet_id] = mqtt.Pubrel(packet.packet_id)
            case mqtt.Puback() | mqtt.Pubcomp():
                self.unfinished.pop(packet.packet_id, None)
        if answer is not None:
            self.to_broker.append(answer)


class Exchange(RuleBasedStateMachine):
    """The walk."""

    qos = 2

    def __init__(self) -> None:
        super().__init__()
        # There is room for all that a walk says: what is dropped is another story.
        self.world = World(guest_limits=GuestLimits())
        self.sender = Client("sender", subscribes_at=None)
        self.receiver = Client("receiver", subscribes_at=self.qos)
        self.said: list[bytes] = []
        for client in (self.sender, self.receiver):
            self.come_back(client)
            self.run_dry()

    # --- what can happen ------------------------------------------------------------------------

    @rule()
    def publish(self) -> None:
        payload = b"%d" % len(self.said)
        self.said.append(payload)
        self.sender.publish(payload, self.qos)

    @rule(sending=st.booleans())
    def pass_to_broker(self, sending: bool) -> None:
        client = self.sender if sending else self.receiver
        if client.to_broker:
            packet = client.to_broker.pop(0)
            self.world.handle(StreamReceived(client.conn, mqtt.encode(packet)))
            self.collect()

    @rule(sending=st.booleans())
    def pass_to_client(self, sending: bool) -> None:
        client = self.sender if sending else self.receiver
        if client.from_broker:
            client.hear(client.from_broker.pop(0))

    @rule(sending=st.booleans(), noticed=st.booleans())
    def lose_connection(self, sending: bool, noticed: bool) -> None:
        """Lose all that is under way; the broker may notice only when the client comes back."""
        client = self.sender if sending else self.receiver
        if client.conn:
            if noticed:
                self.world.lose(client.conn)
            client.conn, client.to_broker, client.from_broker = 0, [], []

    @rule(sending=st.booleans())
    def come_back_some_time(self, sending: bool) -> None:
        client = self.sender if sending else self.receiver
        if not client.conn:
            self.come_back(client)

    @rule(durable=st.booleans())
    @precondition(lambda self: self.sender.to_broker or self.receiver.to_broker)
    def kill_amid_a_step(self, durable: bool) -> None:
        """Kill the broker while it works on a packet: nothing of that step is heard by anybody."""
        client = self.sender if self.sender.to_broker else self.receiver
        event = StreamReceived(client.conn, mqtt.encode(client.to_broker[0]))
        self.world.broker.handle(event, self.world.now_ms, self.world.journal.effects)
        step = self.world.journal.take()
        if durable:
            self.world.carry_out([effect for effect in step if isinstance(effect, Commit)])
        self.world.kill_and_restart()
        for each in (self.sender, self.receiver):
            each.conn, each.to_broker, each.from_broker = 0, [], []

    @rule()
    def time_passes(self) -> None:
        """Let the broker repeat what it waits for, on the connections that there are."""
        self.world.wait(LIMITS.resend_after_ms // 2)
        self.collect()

    # --- how --------------------------------------------------------------------------------------

    def come_back(self, client: Client) -> None:
        client.greet(self.world.open())

    def collect(self) -> None:
        for client in (self.sender, self.receiver):
            if client.conn in self.world.closed:
                client.conn, client.to_broker, client.from_broker = 0, [], []
            elif client.conn:
                client.from_broker += self.world.heard(client.conn)

    def run_dry(self) -> None:
        """Let everything arrive, on connections that hold."""
        while True:
            self.collect()
            busy = False
            for client in (self.sender, self.receiver):
                if not client.conn:
                    self.come_back(client)
                while client.from_broker:
                    client.hear(client.from_broker.pop(0))
                    busy = True
                while client.conn and client.to_broker:
                    packet = client.to_broker.pop(0)
                    self.world.handle(StreamReceived(client.conn, mqtt.encode(packet)))
                    self.collect()
                    busy = True
            if not busy:
                return

    def teardown(self) -> None:
        self.run_dry()
        assert self.sender.unfinished == {}
        self.check(self.receiver.got, self.said)
        delivery, shelf = self.world.broker._delivery, self.world.broker._shelf
        assert (delivery.waiting, delivery.waiting_bytes) == (0, 0)
        assert len(shelf._messages) == len(shelf._receipts) == 0
        assert {s.backlog.size for s in self.world.broker._kept.values() if s.backlog} == {0}

    def check(self, got: list[bytes], said: list[bytes]) -> None:
        assert got == said


class LessExchange(Exchange):
    """The same at QoS 1: what comes twice is no mistake, but nothing is missing or out of order."""

    qos = 1

    def check(self, got: list[bytes], said: list[bytes]) -> None:
        assert list(dict.fromkeys(got)) == said


TestExactlyOnce = Exchange.TestCase
TestExactlyOnce.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)
TestAtLeastOnce = LessExchange.TestCase
TestAtLeastOnce.settings = settings(max_examples=30, stateful_step_count=60, deadline=None)
