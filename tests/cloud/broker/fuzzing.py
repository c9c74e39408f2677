"""What must hold for any bytes whatever: of the decoder, and of a whole broker with its clients.

Both functions take bytes and raise only when something is wrong. The gate feeds them by hypothesis,
`tools/fuzz_mqtt.py` by a fuzzer that looks at which lines they reach.
"""

from collections.abc import Iterator

from firmware_sim.errors import PeerError
from firmware_sim.wire import mqtt
from fleet.cloud.messages import StreamReceived
from tests.cloud.broker.world import GUEST, GUEST_LIMITS, LIMITS, World

_CLIENTS = ("cam", "one", "two", "")
_NAMES = ("user", GUEST, "guest2", "nobody")
_TOPICS = ("cam/in", "cam/out", "t", "t/1", "/", "$SYS/broker/uptime", "a/b/c/d")
_FILTERS = (*_TOPICS, "#", "+", "t/#", "+/+", "$SYS/#", "a/+/c/#", "bad#")
_CONNS = 4


class Tape:
    """The bytes, taken from front to back; what is beyond their end is zero."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def over(self) -> bool:
        return self._at >= len(self._data)

    def byte(self) -> int:
        return self.take(1)[0] if not self.over else 0

    def take(self, size: int) -> bytes:
        taken = self._data[self._at : self._at + size]
        self._at += size
        return taken

    def choose(self, *choices: str) -> str:
        return choices[self.byte() % len(choices)]


# --- the decoder ----------------------------------------------------------------------------------


def decode_anything(data: bytes) -> None:
    """Bytes become packets, or a PeerError; how they are cut is all the same to them."""
    whole = _decoded(data, [len(data)])
    for step in (1, 3):
        cut = _decoded(data, [step] * (len(data) // step + 1))
        assert cut[: len(whole)] == whole or whole[: len(cut)] == cut
    for packet in whole:
        if isinstance(packet, mqtt.Packet):
            assert mqtt.Decoder().feed(mqtt.encode(packet)) == [packet]


def _decoded(data: bytes, sizes: list[int]) -> list[mqtt.Packet]:
    decoder, found, at = mqtt.Decoder(4_096), list[mqtt.Packet](), 0
    for size in sizes:
        try:
            found += decoder.feed(data[at : at + size])
        except PeerError:
            break
        assert decoder.pending_size <= 4_096
        at += size
    return found


# --- the broker -----------------------------------------------------------------------------------


def talk_anything(data: bytes) -> None:
    """Clients that say anything leave a broker that is consistent, bounded, and empty at the end."""
    tape, world = Tape(data), World()
    conns = [world.open() for _ in range(_CONNS)]
    while not tape.over:
        which = tape.byte() % _CONNS
        if conns[which] in world.closed:
            conns[which] = world.open()
        _step(tape, world, conns[which])
        _check(world)
    for conn in list(world.broker._sessions):
        world.lose(conn)
    world.named.gone = [GUEST, "guest2"]
    for username in world.named.gone:
        world.broker.review(username, world.now_ms, world.journal.effects)
        world.carry_out(world.journal.take())
    _check_empty(world)


def _step(tape: Tape, world: World, conn: int) -> None:
    what = tape.byte() % 8
    if what == 0:
        world.handle(StreamReceived(conn, tape.take(tape.byte())))
    elif what == 1:
        world.lose(conn)
        world.closed.append(conn)
    elif what == 2:
        world.wait(tape.byte() * 500)
    elif what == 3:
        world.drain()
    elif what == 4:
        world.publish("cam", tape.take(tape.byte()), tape.byte() % 3)
    elif what == 5 and tape.byte() % 4 == 0:
        world.kill_and_restart()
        world.closed += [each for each in range(1, world._conns + 1) if each not in world.closed]
    else:
        world.handle(StreamReceived(conn, b"".join(map(mqtt.encode, _packets(tape)))))


def _packets(tape: Tape) -> Iterator[mqtt.Packet]:
    """Yield some packets that are well-formed, or nearly so."""
    for _ in range(1 + tape.byte() % 3):
        kind, number, qos = tape.byte() % 9, 1 + tape.byte() % 5, tape.byte() % 3
        topic = tape.choose(*_TOPICS)
        if kind == 0:
            will = mqtt.Will(topic, b"will", qos, retain=number == 2) if number % 2 else None
            yield mqtt.Connect(
                tape.choose(*_CLIENTS),
                tape.choose(*_NAMES),
                "ok",
                keep_alive_s=number * 10,
                clean_session=tape.byte() % 2 == 0,
                will=will,
            )
        elif kind in (1, 2):
            payload = tape.take(tape.byte()) * (1 + tape.byte())
            retain = tape.byte() % 4 == 0
            yield mqtt.Publish(topic, payload, qos, number if qos else 0, retain)
        elif kind == 3:
            yield mqtt.Subscribe(number, ((tape.choose(*_FILTERS), qos),))
        elif kind == 4:
            yield mqtt.Unsubscribe(number, (tape.choose(*_FILTERS),))
        else:
            kinds = (mqtt.Puback, mqtt.Pubrec, mqtt.Pubrel, mqtt.Pubcomp)
            yield kinds[kind % 4](number)


def _check(world: World) -> None:
    broker = world.broker
    waiting = waiting_bytes = 0
    for session in {**broker._kept, **broker._clients}.values():
        backlog = session.backlog
        assert len(session.sent) <= LIMITS.inflight_max
        if backlog is not None:
            assert (
                len(backlog.queue) + len(session.sent)
                <= GUEST_LIMITS.queue_max + LIMITS.inflight_max
            )
            assert 0 <= backlog.size <= GUEST_LIMITS.queue_bytes_max
            waiting += len(backlog.queue) + len(session.sent)
            waiting_bytes += backlog.size
        assert (session.client_id in broker._clients) is (session.conn != 0)
        assert (session.client_id in broker._kept) is session.lasting
    assert (broker._delivery.waiting, broker._delivery.waiting_bytes) == (waiting, waiting_bytes)
    for conn, session in broker._sessions.items():
        assert session.conn == conn
        assert session.decoder.pending_size <= session.decoder.size_max
    assert len(broker._wakes) <= 3 * world._conns


def _check_empty(world: World) -> None:
    broker = world.broker
    for remembered in (broker._sessions, broker._clients, broker._kept, broker._door._guests):
        assert not remembered
    assert world.heard_by() == {}
    assert broker._hub._subscribers._wild.size == broker._hub._subscriptions == 0
    assert broker._delivery.waiting == broker._delivery.waiting_bytes == 0
    left = [kind.TABLE for kind, rows in world.store._tables.items() if rows]
    assert left in ([], ["mqtt_retained"])
