"""A walk: who hears what, compared with a model that is a list of clients and a regular expression.

Guests with and without sessions that are kept, a device, the cloud itself; wildcards, retained
messages, QoS downgraded to what was granted, offline queues, restarts. Clients acknowledge all they
are sent at once, so every step can be compared.
"""

from typing import NamedTuple

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from firmware_sim.wire import mqtt
from fleet.cloud.broker import GuestLimits, MessageReceived
from fleet.cloud.settings import Settings
from tests.cloud.broker.naive import filters, matches, topics
from tests.cloud.broker.world import GUEST, World

NAMES = ["one", "two", "three"]
DEVICE = "cam"
LIMITS = GuestLimits(subscriptions_max=1_000, queue_max=10_000, packets_per_s_max=1 << 30)

names = st.sampled_from(NAMES)
qualities = st.integers(0, 2)
payload_bytes = st.sampled_from([b"", b"x", b"yy"])
said = topics.filter(lambda topic: not topic.startswith("$SYS/"))
asked = filters.filter(lambda topic_filter: not topic_filter.startswith("$SYS/"))


class Heard(NamedTuple):
    """A message as a client hears it."""

    topic: str
    payload: bytes
    qos: int
    retain: bool


class Model:
    """What one client should have."""

    def __init__(self) -> None:
        self.conn = 0
        self.lasting = False
        self.known = False  # the broker keeps a session of it
        self.subscriptions: dict[str, int] = {}
        self.due: list[Heard] = []

    def hear(self, topic: str, payload: bytes, qos: int) -> None:
        granted = [q for f, q in self.subscriptions.items() if matches(f, topic)]
        if granted and (self.conn or (self.known and min(qos, max(granted)) > 0)):
            self.due.append(Heard(topic, payload, min(qos, max(granted)), retain=False))


class Walk(RuleBasedStateMachine):
    """The walk."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(guest_limits=LIMITS, settings=Settings())
        self.models = {name: Model() for name in NAMES}
        self.retained: dict[str, tuple[bytes, int]] = {}
        self.device = self.world.listener(DEVICE)
        self.numbers = 0

    # --- what can happen ------------------------------------------------------------------------

    @rule(name=names, lasting=st.booleans())
    def connect(self, name: str, lasting: bool) -> None:
        model = self.models[name]
        conn = self.world.open()
        self.world.send(conn, mqtt.Connect(name, GUEST, "ok", 0, clean_session=not lasting))
        present = model.known and lasting
        if not present:
            model.subscriptions, model.due = {}, []
        model.conn, model.lasting, model.known = conn, lasting, lasting
        self.compare_all(name, mqtt.Connack(0, session_present=present))

    @rule(name=names, politely=st.booleans())
    def leave(self, name: str, politely: bool) -> None:
        model = self.models[name]
        if model.conn and politely:
            self.world.send(model.conn, mqtt.Disconnect())
        elif model.conn:
            self.world.lose(model.conn)
        model.conn = 0
        if not model.known:
            model.subscriptions = {}

    @rule(name=names, topic_filter=asked, qos=qualities)
    def subscribe(self, name: str, topic_filter: str, qos: int) -> None:
        model = self.models[name]
        if model.conn:
            self.world.send(model.conn, mqtt.Subscribe(7, ((topic_filter, qos),)))
            model.subscriptions[topic_filter] = qos
            for topic, (payload, at) in self.retained.items():
                if matches(topic_filter, topic):
                    model.due.append(Heard(topic, payload, min(at, qos), retain=True))
            self.compare_all(name, mqtt.Suback(7, (qos,)))

    @rule(name=names, topic_filter=asked)
    def unsubscribe(self, name: str, topic_filter: str) -> None:
        model = self.models[name]
        if model.conn:
            self.world.send(model.conn, mqtt.Unsubscribe(8, (topic_filter,)))
            model.subscriptions.pop(topic_filter, None)
            self.compare_all(name, mqtt.Unsuback(8))

    @rule(name=names, topic=said, payload=payload_bytes, qos=qualities, retain=st.booleans())
    def publish(self, name: str, topic: str, payload: bytes, qos: int, retain: bool) -> None:
        model = self.models[name]
        if model.conn:
            self.numbers += 1
            packet_id = self.numbers if qos else 0
            self.world.send(model.conn, mqtt.Publish(topic, payload, qos, packet_id, retain))
            if retain:
                self.retained.pop(topic, None)
                if payload:
                    self.retained[topic] = (payload, qos)
            self.everybody_hears(topic, payload, qos)
            answer = (None, mqtt.Puback(packet_id or 1), mqtt.Pubrec(packet_id or 1))[qos]
            self.compare_all(name, *([answer] if answer is not None else []))
            if qos == 2:
                self.world.send(model.conn, mqtt.Pubrel(packet_id))
                self.compare_all(name, mqtt.Pubcomp(packet_id))

    @rule(payload=payload_bytes, qos=st.integers(0, 1))
    def say_as_device(self, payload: bytes, qos: int) -> None:
        packet = mqtt.Publish(f"{DEVICE}/out", payload, qos, 5 if qos else 0, retain=True)
        told = MessageReceived(DEVICE, f"{DEVICE}/out", payload)
        assert self.world.send(self.device, packet) == [told]
        assert self.world.heard(self.device) == ([mqtt.Puback(5)] if qos else [])
        self.everybody_hears(f"{DEVICE}/out", payload, qos)
        self.compare_all("")

    @rule(payload=payload_bytes)
    def say_as_cloud(self, payload: bytes) -> None:
        assert self.world.publish(DEVICE, payload, qos=1)
        (packet,) = self.world.heard(self.device)
        assert isinstance(packet, mqtt.Publish)
        self.world.send(self.device, mqtt.Puback(packet.packet_id))
        self.everybody_hears(f"{DEVICE}/in", payload, 1)
        self.compare_all("")

    @rule()
    def restart(self) -> None:
        self.world.kill_and_restart()
        for model in self.models.values():
            model.conn = 0
            if not model.known:
                model.subscriptions = {}
        self.device = self.world.listener(DEVICE)

    # --- how --------------------------------------------------------------------------------------

    def everybody_hears(self, topic: str, payload: bytes, qos: int) -> None:
        for model in self.models.values():
            model.hear(topic, payload, qos)

    def compare_all(self, speaker: str, *answers: mqtt.Packet) -> None:
        """Compare for every client; only the one that spoke is answered."""
        for name, model in self.models.items():
            if model.conn:
                self.compare(name, *(answers if name == speaker else ()))

    def compare(self, name: str, *answers: mqtt.Packet) -> None:
        """Compare what a client is sent with what it should be; it acknowledges everything."""
        model = self.models[name]
        packets = self.listen(model.conn)
        others = [packet for packet in packets if not isinstance(packet, mqtt.Publish)]
        assert others == list(answers)
        heard = [
            Heard(packet.topic, packet.payload, packet.qos, packet.retain)
            for packet in packets
            if isinstance(packet, mqtt.Publish)
        ]
        assert [one for one in heard if not one.retain] == [d for d in model.due if not d.retain]
        assert sorted(heard) == sorted(model.due)  # retained ones come in any order
        model.due = []

    def listen(self, conn: int) -> list[mqtt.Packet]:
        """Return all that a client is sent while it acknowledges, without its acknowledgements."""
        packets: list[mqtt.Packet] = []
        while new := self.world.heard(conn):
            for packet in new:
                if isinstance(packet, mqtt.Publish) and packet.qos:
                    kind = mqtt.Puback if packet.qos == 1 else mqtt.Pubrec
                    self.world.send(conn, kind(packet.packet_id))
                if isinstance(packet, mqtt.Pubrel):
                    self.world.send(conn, mqtt.Pubcomp(packet.packet_id))
                else:
                    packets.append(packet)
        return packets

    def teardown(self) -> None:
        broker = self.world.broker
        assert broker.clients == 1 + sum(model.conn != 0 for model in self.models.values())
        assert {*broker._kept} == {name for name, model in self.models.items() if model.known}


TestWalk = Walk.TestCase
TestWalk.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
