"""How connections end, and that the broker stays consistent whatever arrives."""

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_sim.effects import Effect
from firmware_sim.wire import mqtt
from fleet.cloud.broker import (
    ClientGone,
    Gone,
    MessageReceived,
)
from fleet.cloud.messages import CloseStream, StreamClosed, StreamReceived
from tests.cloud.broker.world import LIMITS, World


def test_a_message_shows_its_size_not_its_content() -> None:
    shown = repr(MessageReceived("cam", "cam/out", b"secret"))
    assert "secret" not in shown
    assert "6 B" in shown


# --- how connections end --------------------------------------------------------------------------


def test_disconnect_of_the_client_and_loss_of_its_stream_are_told_apart() -> None:
    world = World()
    polite, lost = world.listener("cam"), world.listener("nvr")
    assert world.send(polite, mqtt.Disconnect(), mqtt.Pingreq()) == [
        ClientGone("cam", Gone.DISCONNECTED)
    ]
    assert world.handle(StreamClosed(lost)) == [ClientGone("nvr", Gone.LOST)]
    assert world.handle(StreamClosed(lost)) == []
    assert world.closed == [polite]
    assert world.broker.clients == 0
    assert not world.publish("cam", b"x")


def test_a_stream_that_ends_before_connect_is_forgotten_silently() -> None:
    world = World()
    conn = world.open()
    assert world.handle(StreamClosed(conn)) == []
    assert world.wait(60_000) == []
    assert world.closed == []


def test_the_cloud_can_close_a_client_and_is_not_told_so() -> None:
    world = World()
    conn = world.listener("cam")
    out: list[Effect] = []
    world.broker.disconnect("cam", out)
    world.broker.disconnect("cam", out)
    assert out == [CloseStream(conn)]
    assert not world.broker.connected("cam")
    assert world.handle(StreamClosed(conn)) == []


# --- whatever arrives -----------------------------------------------------------------------------

packets = st.sampled_from(
    [
        mqtt.Connect("cam", "user", "ok"),
        mqtt.Connect("nvr", "user", "ok"),
        mqtt.Publish("cam/out", b"x", qos=1, packet_id=1),
        mqtt.Publish("cam/out", b"x", qos=2, packet_id=2),
        mqtt.Pubrel(2),
        mqtt.Puback(1),
        mqtt.Subscribe(1, (("cam/in", 1), ("nvr/in", 0))),
        mqtt.Unsubscribe(1, ("cam/in",)),
        mqtt.Pingreq(),
        mqtt.Disconnect(),
    ]
).map(mqtt.encode)


@given(st.binary(max_size=200), st.booleans())
def test_garbage_ends_in_a_closed_connection_or_waits_for_more(
    garbage: bytes, connected: bool
) -> None:
    world = World()
    conn = world.connect("cam", keep_alive_s=5) if connected else world.open()
    world.handle(StreamReceived(conn, garbage))
    world.wait(20_000)
    assert world.closed == [conn]
    assert world.broker.clients == 0
    assert world.broker._sessions == {}
    assert world.heard_by() == {}
    assert world.broker.next_deadline_ms() is None


@settings(max_examples=200)
@given(
    st.lists(
        st.tuples(
            st.integers(1, 3),
            st.one_of(packets, st.binary(max_size=6), st.just(b"close"), st.just(b"publish")),
        ),
        max_size=40,
    )
)
def test_any_walk_leaves_a_consistent_broker(steps: list[tuple[int, bytes]]) -> None:
    world = World()
    conns: dict[int, int] = {}
    for who, what in steps:
        if who not in conns or conns[who] in world.closed:
            conns[who] = world.open()
        if what == b"close":
            world.handle(StreamClosed(conns[who]))
            world.closed.append(conns[who])
        elif what == b"publish":
            world.publish("cam", b"x")
            world.wait(7_000)
        else:
            world.handle(StreamReceived(conns[who], what))
    live = world.broker._sessions
    assert {s.client_id for s in live.values()} - {""} == set(world.broker._clients)
    heard = {(topic, s.conn) for topic, many in world.heard_by().items() for s in many}
    assert heard == {(topic, s.conn) for s in live.values() for topic in s.subscriptions}
    for conn in list(live):
        world.handle(StreamClosed(conn))
    assert world.heard_by() == {}


def test_a_hostile_client_costs_no_more_than_its_limits() -> None:
    world = World()
    conn = world.listener("cam")
    world.handle(StreamReceived(conn, b"\x30\xfa\x03"))  # begins a packet of 509 bytes
    for number in range(500):
        world.publish("cam", b"never acknowledged")
        world.handle(StreamReceived(conn, bytes(1)))
        session = world.broker._sessions[conn]
        assert session.decoder.pending_size == 4 + number
        assert len(session.sent) <= LIMITS.inflight_max
    happened = world.handle(StreamReceived(conn, bytes(100)))
    assert happened == [ClientGone("cam", Gone.BROKE_PROTOCOL)]
    assert world.broker._sessions == {}
