"""Connections under faults: slow ones, held ones and dead ones, in the clear and over TLS."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
import uvloop

from firmware_sim.events import Event, MqttClosed, MqttOpened, MqttReceived
from firmware_sim.runtime import faults
from firmware_sim.runtime.faults import BlackHole, DnsRefused, Fault, Loss, Slow, latency_ms
from firmware_sim.runtime.live import impaired
from firmware_sim.runtime.live.dialer import Dialer
from firmware_sim.runtime.live.impaired import Impaired, Lane
from firmware_sim.runtime.live.mqtt_stream import WRITE_BUFFER_MAX, MqttStream
from fleet.cloud.edge.authority import Authority
from tests.runtime.live.support import Desk

HOST = "127.0.0.1"
HOLE = BlackHole(60_000)
LOOPS = (asyncio.new_event_loop, uvloop.new_event_loop)
AUTHORITY = Authority.make()


class Broker(asyncio.Protocol):
    """The other side: repeats what it hears, and says how it ended."""

    def __init__(self) -> None:
        self.heard = b""
        self.ended = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.heard += data
        self.transport.write(data)

    def connection_lost(self, _: Exception | None) -> None:
        self.ended.set()


class Bench:
    """A device's end, a broker's end, and what the device is told."""

    def __init__(self, broker: Broker, dialer: Dialer) -> None:
        self.broker = broker
        self.dialer = dialer
        self.desk = Desk(HOST)
        self.told: list[Event] = []
        self.end = MqttStream(self.told.append)

    @property
    def heard(self) -> bytes:
        return b"".join(event.data for event in self.told if isinstance(event, MqttReceived))

    def treat(self, *faults: Fault) -> None:
        """Let faults lie on the way, and no others."""
        self.desk.faults = faults
        self.dialer.impairments.treat(self.desk, self.end)

    def kill(self) -> None:
        self.dialer.impairments.kill(self.desk, self.end)

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(10):
            while not holds():
                await asyncio.sleep(0.002)


@asynccontextmanager
async def bench(*, tls: bool, desk: Desk | None = None) -> AsyncIterator[Bench]:
    loop, broker, dialer = asyncio.get_running_loop(), Broker(), Dialer(_unexpected)
    context: ssl.SSLContext | None = AUTHORITY.server_context([HOST]) if tls else None
    server = await loop.create_server(lambda: broker, HOST, 0, ssl=context)
    both = Bench(broker, dialer)
    port = server.sockets[0].getsockname()[1]
    both.desk = desk or both.desk
    dialer.dial(both.desk, both.end, HOST, port, AUTHORITY.der if tls else b"")
    await both.until(lambda: both.told)
    assert both.told.pop() == MqttOpened()
    await both.until(lambda: not dialer._tasks)
    yield both
    both.end.abandon()
    await dialer.close()
    server.close()
    async with asyncio.timeout(10):
        await broker.ended.wait()
    await asyncio.sleep(0.01)
    assert not dialer.impairments.lines


def _unexpected(error: BaseException) -> None:
    raise error


@pytest.fixture(params=LOOPS)
def play(request: pytest.FixtureRequest) -> Callable[[Coroutine[Any, Any, None]], None]:
    def run(scene: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(scene)

    return run


Play = Callable[[Coroutine[Any, Any, None]], None]
both_ways = pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])


@both_ways
def test_what_was_said_in_a_black_hole_arrives_afterwards(play: Play, *, tls: bool) -> None:
    async def scene() -> None:
        async with bench(tls=tls) as both:
            both.end.write(b"before ")
            await both.until(lambda: both.heard == b"before ")
            both.treat(HOLE)
            both.end.write(b"mean")
            both.end.write(b"while ")
            both.broker.transport.write(b"hello? ")
            await asyncio.sleep(0.03)
            assert (both.heard, both.broker.heard) == (b"before ", b"before ")
            both.treat()
            await both.until(lambda: b"while" in both.heard)
            both.end.write(b"after")
            await both.until(lambda: both.heard.endswith(b"after"))
            assert both.heard == b"before hello? meanwhile after"

    play(scene())


@both_ways
def test_last_words_into_a_black_hole_arrive_when_it_has_gone(play: Play, *, tls: bool) -> None:
    async def scene() -> None:
        async with bench(tls=tls) as both:
            both.treat(HOLE)
            both.end.write(b"farewell")
            both.end.leave()
            await asyncio.sleep(0.03)
            assert both.broker.heard == b""
            both.end = MqttStream(both.told.append)  # the device has begun another one
            both.treat()
            await both.until(both.broker.ended.is_set)
            assert both.broker.heard == b"farewell"

    play(scene())


def test_a_black_hole_swallows_what_was_left_too(play: Play) -> None:
    async def scene() -> None:
        async with bench(tls=False) as both:
            both.treat(HOLE)
            both.end.write(b"farewell")
            both.end.leave()
            both.end = MqttStream(both.told.append)
            both.kill()  # the power fails, and with it what would have been repeated
            both.treat()
            await asyncio.sleep(0.03)
            assert both.broker.heard == b""
            assert not both.broker.ended.is_set()

    play(scene())


@both_ways
def test_nobody_hears_who_is_cut_off_in_a_black_hole(play: Play, *, tls: bool) -> None:
    async def scene() -> None:
        async with bench(tls=tls) as both:
            both.treat(HOLE)
            both.end.write(bytes(WRITE_BUFFER_MAX + 1))  # more than this firmware keeps
            await both.until(lambda: both.told == [MqttClosed("closed")])
            both.end.abandon()
            both.treat()
            await asyncio.sleep(0.03)
            assert not both.broker.ended.is_set()
            assert both.broker.heard == b""

    play(scene())


@both_ways
def test_a_dead_connection_tells_neither_end(play: Play, *, tls: bool) -> None:
    async def scene() -> None:
        async with bench(tls=tls) as both:
            both.kill()
            both.end.write(b"is anybody there?")
            both.broker.transport.write(b"are you?")
            both.end.leave()
            await asyncio.sleep(0.05)
            assert (both.told, both.broker.heard) == ([], b"")
            assert not both.broker.ended.is_set(), "nobody said goodbye"
            [dead] = both.dialer.impairments.lines
            assert dead.get_write_buffer_size() == 0
            both.broker.transport.close()  # as when the keep-alive has failed
            await both.until(lambda: not both.dialer.impairments.lines)
            assert both.told == []

    play(scene())


def test_a_dead_connection_is_closed_with_its_world(play: Play) -> None:
    async def scene() -> None:
        async with bench(tls=False) as both:
            both.kill()
            both.end.abandon()
            await asyncio.sleep(0.02)
            assert not both.broker.ended.is_set()
            both.kill()  # a second time changes nothing

    play(scene())


@both_ways
def test_a_slow_connection_is_slow_from_the_start(play: Play, *, tls: bool) -> None:
    async def scene() -> None:
        loop = asyncio.get_running_loop()
        start_s = loop.time()
        async with bench(tls=tls, desk=Desk(HOST, Slow(60_000, 20))) as both:
            assert loop.time() - start_s >= 2 * 0.02 * (3 if tls else 1), "before it stands"
            start_s = loop.time()
            for word in (b"one ", b"two ", b"three"):
                both.end.write(word)
            await both.until(lambda: both.heard == b"one two three")
            assert loop.time() - start_s >= 2 * 0.02 - 0.001
            both.treat()
            both.end.write(b"!")
            await both.until(lambda: both.heard.endswith(b"!"))

    play(scene())


@both_ways
def test_lost_segments_are_late_and_in_order_until_it_is_over(
    play: Play, monkeypatch: pytest.MonkeyPatch, *, tls: bool
) -> None:
    monkeypatch.setattr(faults, "RESEND_MS", 20)

    async def scene() -> None:
        loop = asyncio.get_running_loop()
        async with bench(tls=tls) as both:
            both.treat(Loss(60_000, 90))
            start_s = loop.time()
            sent = bytes(range(12))
            for each in sent:
                both.end.write(bytes([each]))
            await both.until(lambda: both.heard == sent)
            assert loop.time() - start_s >= 0.019, "of twelve, one is lost at least"
            both.treat()
            line = both.end.line
            assert isinstance(line, Impaired)
            await both.until(lambda: line._out.idle and line._in.idle)
            both.end.write(b"!")
            await both.until(lambda: both.heard.endswith(b"!"))

    play(scene())


@both_ways
def test_the_last_word_of_the_other_side_is_slow_too(play: Play, *, tls: bool) -> None:
    async def scene() -> None:
        async with bench(tls=tls) as both:
            both.treat(Slow(60_000, 10))
            both.broker.transport.write(b"farewell")
            both.broker.transport.close()
            await both.broker.ended.wait()
            assert both.told == []
            await both.until(lambda: len(both.told) == 2)
            assert both.told == [MqttReceived(b"farewell"), MqttClosed("closed", fin=not tls)]
            both.end.write(b"too late")
            both.end.leave()

    play(scene())


def test_other_faults_do_not_touch_what_stands(play: Play) -> None:
    async def scene() -> None:
        async with bench(tls=False, desk=Desk(HOST)) as both:
            both.treat(DnsRefused(1000))
            assert not isinstance(both.end.line, Impaired)
            never, nobody = MqttStream(both.told.append), Desk(HOST, HOLE)
            both.dialer.impairments.treat(nobody, None, never)
            both.dialer.impairments.kill(nobody, None, never)
            assert never.line is None
            assert not both.dialer.impairments.lines

    play(scene())


def test_a_flood_waits_where_it_is(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(impaired, "UNREAD_MAX", 1000)

    async def scene() -> None:
        async with bench(tls=False) as both:
            both.treat(HOLE)
            line = both.end.line
            assert isinstance(line, Impaired)
            for _ in range(20):
                both.broker.transport.write(bytes(1000))
                await asyncio.sleep(0.002)
            assert 1000 < line._in.size < 20_000
            both.treat()
            await both.until(lambda: len(both.heard) == 20_000)
            both.end.write(b"x" * 100)
            assert line.get_write_buffer_size() == 0
            both.treat(HOLE)
            both.end.write(b"x" * 100)
            assert line.get_write_buffer_size() == 100

    play(scene())


def test_a_power_cut_loses_what_is_on_the_way(play: Play) -> None:
    async def scene() -> None:
        async with bench(tls=False) as both:
            both.treat(Slow(60_000, 10))
            both.end.write(b"never heard")
            both.end.abandon()
            await both.broker.ended.wait()
            assert (both.told, both.broker.heard) == ([], b"")

    play(scene())


def test_a_lane_keeps_the_order_when_its_latency_shrinks() -> None:
    async def scene() -> None:
        lane, arrived = Lane(asyncio.get_running_loop(), latency_ms), list[int]()
        lane.treat((Slow(60_000, 30),), held=False)
        lane.send(lambda: arrived.append(1))
        lane.treat((), held=False)
        lane.send(lambda: arrived.append(2))
        assert arrived == []
        async with asyncio.timeout(10):
            while len(arrived) < 2:
                await asyncio.sleep(0.001)
        assert arrived == [1, 2]
        lane.send(lambda: arrived.append(3))
        assert arrived == [1, 2, 3]
        lane.treat((Slow(60_000, 10),), held=False)
        lane.send(lambda: arrived.append(4), 7)
        assert (lane.size, lane.idle) == (7, False)
        lane.clear()
        await asyncio.sleep(0.02)
        assert (arrived, lane.size) == ([1, 2, 3], 0)
        lane.treat((), held=False)
        assert lane.idle

    asyncio.run(scene())
