"""Bad input: each is refused with the right code or closed, costs little, and concerns nobody else.

The bystanders are a device and a guest; after each attack they are as they were.
"""

from collections.abc import Callable, Iterator

import msgspec
import pytest

from firmware_sim.wire import mqtt
from fleet.cloud.broker import BrokerSettings
from fleet.cloud.broker.session import Session
from fleet.cloud.messages import StreamReceived
from tests.cloud.broker.world import GUEST, GUEST_LIMITS, LIMITS, World, payloads


@pytest.fixture
def world() -> Iterator[World]:
    """A world with two bystanders, who hear everything before and after."""
    world = World()
    device, guest = world.listener("bystander"), world.guest("watcher", ("bystander/#", 1))
    before = len(world.broker._sessions)
    yield world
    for conn in [conn for conn in world.broker._sessions if conn not in (device, guest)]:
        world.lose(conn)
    assert len(world.broker._sessions) == before
    world.heard(guest)
    assert world.publish("bystander", b"still here")
    assert payloads(world.heard(device)) == payloads(world.heard(guest)) == [b"still here"]


def connects(world: World, packet: mqtt.Connect) -> int:
    """Return the code that a CONNECT is answered; refused ones are closed."""
    conn = world.open()
    world.send(conn, packet)
    (answer,) = world.heard(conn)
    assert isinstance(answer, mqtt.Connack)
    assert (conn in world.closed) is (answer.return_code != 0)
    return answer.return_code


# --- who is not let in ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("connect", "code"),
    [
        (mqtt.Connect("cam", "user", "wrong key"), 5),
        (mqtt.Connect("stranger", "nobody", "ok"), 5),
        (mqtt.Connect("stranger"), 5),
        (mqtt.Connect("one", GUEST, "wrong"), 4),
        (mqtt.Connect("one", GUEST, "\udcff\0"), 4),
        (mqtt.Connect("x" * 65, GUEST, "ok"), 2),
        (mqtt.Connect("", GUEST, "ok", clean_session=False), 2),
        (mqtt.Connect("", "user", "ok"), 2),
        (mqtt.Connect("bystander", GUEST, "ok"), 2),
        (mqtt.Connect("watcher", "guest2", "ok"), 2),
        (mqtt.Connect("watcher", "user", "no"), 5),
        (mqtt.Connect("", GUEST, "ok"), 0),
        (mqtt.Connect("x" * 64, GUEST, "ok"), 0),
    ],
)
def test_the_code(world: World, connect: mqtt.Connect, code: int) -> None:
    assert connects(world, connect) == code


def test_guests_without_an_id_are_given_one_each_mqtt_3_1_3_6(world: World) -> None:
    conns = [world.guest("") for _ in range(GUEST_LIMITS.connections_max - 1)]
    assert world.closed == []
    assert len({world.broker._sessions[conn].client_id for conn in conns}) == len(conns)


def test_an_id_that_was_given_out_is_not_given_twice(world: World) -> None:
    taken = world.guest(f"auto-{world._conns + 2}")
    world.guest("")
    assert taken not in world.closed


# --- what is not taken ------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["nobody yet", "a device", "a guest"])
@pytest.mark.parametrize(
    "garbage",
    [
        b"\x30\xff\xff\xff\x7f",  # 256 MB announced
        b"\x10\xff\xff\xff\x7f",
        b"\x30\xff\xff\xff\xff\x01",  # a remaining length of five bytes
        b"\x36\x04\x00\x01t\x00",  # QoS 3
        b"\x00\x00",
        b"\xf0\x00",
        b"\x82\x02\x00\x01",  # SUBSCRIBE without a filter
        b"\x80\x05\x00\x01\x00\x01a",  # reserved flags
        b"\x32\x04\x00\x01t\x00",  # ends within its packet id
        b"\x32\x05\x00\x01t\x00\x00",  # packet id 0
        b"\x30\x05\x00\x03a\xffb",  # not UTF-8
        b"\x30\x05\x00\x03a\x00b",
        b"\x30\x03\x00\x01#",
    ],
)
def test_malformed_packets_end_the_connection_at_once(
    world: World, who: str, garbage: bytes
) -> None:
    clients: dict[str, Callable[[], int]] = {
        "nobody yet": world.open,
        "a device": lambda: world.connect("cam"),
        "a guest": lambda: world.guest("one"),
    }
    conn = clients[who]()
    world.handle(StreamReceived(conn, garbage))
    assert world.closed == [conn]
    assert world.heard(conn) == []


def test_a_packet_that_never_ends_holds_no_more_than_its_limit(world: World) -> None:
    conn, wide = world.connect("cam"), world.guest("one")
    for each, size_max in ((conn, LIMITS.packet_size_max), (wide, GUEST_LIMITS.packet_size_max)):
        body = mqtt.encode(mqtt.Publish("t", bytes(size_max - 20)))
        decoder = world.broker._sessions[each].decoder
        for byte in range(0, len(body) - 1, 64):
            world.handle(StreamReceived(each, body[byte : byte + 64][: len(body) - 1 - byte]))
            assert decoder.pending_size <= size_max
        assert each not in world.closed
        world.lose(each)


# --- floods -----------------------------------------------------------------------------------------


def flood(world: World, conn: int, packet: Callable[[int], mqtt.Packet], most: int) -> int:
    """Send until the connection is closed; return how many packets that took."""
    for number in range(1, most):
        world.send(conn, packet(number))
        world.heard(conn)
        if conn in world.closed:
            return number
    return most


@pytest.mark.parametrize(
    "packet",
    [
        lambda _: mqtt.Pingreq(),
        lambda n: mqtt.Publish("cam/out", b"x", 1, n),
        lambda n: mqtt.Subscribe(n, (("cam/in", 1),)),
        lambda n: mqtt.Subscribe(n, (("other/in", 1),) * 10),
        lambda n: mqtt.Unsubscribe(n, ("cam/in",) * 10),
        lambda n: mqtt.Puback(n),
        lambda n: mqtt.Pubrec(n),
        lambda n: mqtt.Publish("cam/out", b"x", 2, n),
    ],
)
def test_a_flood_ends_the_connection(world: World, packet: Callable[[int], mqtt.Packet]) -> None:
    most = LIMITS.packets_per_s_max
    assert flood(world, world.connect("cam"), packet, most + 1) <= most
    conn = world.guest("one")
    world.send(conn, mqtt.Publish("t", b"x"))
    flood(world, conn, packet, GUEST_LIMITS.packets_per_s_max + 2)
    assert conn in world.closed


def test_subscriptions_cost_what_their_number_may_be(world: World) -> None:
    conn = world.guest("one")
    for number in range(1, 200):
        bomb = "/".join("+" if number >> bit & 1 else "a" for bit in range(31)) + f"/{number}"
        world.send(conn, mqtt.Subscribe(number, ((bomb, 0),)))
    answers = world.heard(conn)
    granted = [a for a in answers if isinstance(a, mqtt.Suback) and a.return_codes == (0,)]
    assert len(granted) == GUEST_LIMITS.subscriptions_max
    world.send(conn, mqtt.Publish("/".join("a" * 32), b"x"))
    world.lose(conn)
    assert world.broker._hub._subscribers._wild.size == 1  # the bystander's


@pytest.mark.parametrize("deep", ["/" * 32, "+/" * 32 + "#", "a" * 257])
def test_filters_beyond_the_limits_are_refused(world: World, deep: str) -> None:
    conn = world.guest("one")
    world.send(conn, mqtt.Subscribe(1, ((deep, 0), ("fine", 0))))
    assert world.heard(conn) == [mqtt.Suback(1, (128, 0))]


def test_a_client_that_begins_messages_and_finishes_none(world: World) -> None:
    conn = world.guest("one")
    begun = flood(world, conn, lambda n: mqtt.Publish("t", b"x", 2, n), 1_000)
    assert begun == GUEST_LIMITS.queue_max + 1


def test_a_will_is_bounded_like_a_packet_before_anybody_is_known(world: World) -> None:
    conn = world.open()
    will = mqtt.Will("t", bytes(LIMITS.packet_size_max))
    world.send(conn, mqtt.Connect("one", GUEST, "ok", will=will))
    assert world.closed == [conn]
    assert world.heard(conn) == []


# --- the table itself -------------------------------------------------------------------------------


@pytest.mark.parametrize("field", msgspec.structs.fields(BrokerSettings), ids=lambda f: f.name)
def test_every_limit_is_above_nothing(field: msgspec.structs.FieldInfo) -> None:
    assert field.default > 0


def test_a_session_takes_its_limits_from_them() -> None:
    session = Session(1, LIMITS, 0)
    assert session.packets_max == LIMITS.packets_per_s_max
    assert session.decoder.size_max == LIMITS.packet_size_max
    assert session.silence_ms_max == LIMITS.connect_timeout_ms
