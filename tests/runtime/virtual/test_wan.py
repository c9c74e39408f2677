"""Calls and streams in virtual time: trips, order, time limits, and every fault of a link."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from firmware_sim import effects as fx
from firmware_sim import events as ev
from firmware_sim.events import Event
from firmware_sim.rng import Rng
from firmware_sim.runtime import faults
from firmware_sim.runtime.virtual.agenda import Agenda
from firmware_sim.runtime.virtual.lan import Lan
from firmware_sim.runtime.virtual.place import Place
from firmware_sim.runtime.virtual.wan import Call, Stream, Wan
from firmware_sim.runtime.virtual.ways import Ways
from tests.runtime.virtual.support import HOST, PORT, START_MS, Server, Told

TRIP_MS = 10


class Desk:
    """A device's end, without a device."""

    def __init__(self, **how: Any) -> None:
        self.agenda = Agenda(START_MS)
        self.server = Server()
        self.heard: list[tuple[int, Event]] = []
        hosts = {(HOST, PORT): self.server}
        how = {"trip_ms": TRIP_MS, "jitter_ms": 0} | how
        self.wan = Wan(self.agenda, hosts, Rng(1), **how)
        self.ways = Ways(self.wan, Lan(self.agenda, Rng(2)))
        self.place = Place.__new__(Place)
        self.place.faults = ()
        self.place.call = self.place.stream = None
        self.place._world = Told(lambda event: self.heard.append((self.now_ms, event)))

    @property
    def now_ms(self) -> int:
        return self.agenda.now_ms - START_MS

    def wait(self, duration_ms: int) -> None:
        self.agenda.run_until(self.agenda.now_ms + duration_ms)

    def call(self, *, host: str = HOST, size_max: int = 4096, anchor: bytes = b"") -> Call:
        wish = fx.SendHttp(7, host, PORT, "/d.json?a=x", b"body", size_max, anchor)
        call = self.place.call = Call(self.wan, self.place, wish)
        return call

    def stream(self, *, anchor: bytes = b"") -> Stream:
        stream = self.place.stream = Stream(self.wan, self.place, fx.OpenMqtt(HOST, PORT, anchor))
        return stream

    def begin(self, fault: faults.Fault) -> None:
        self.place.faults = (*self.place.faults, fault)

    def end(self) -> None:
        self.place.faults = ()
        self.ways.treat(self.place)


# --- calls ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("anchor", "trips"), [(b"", 3), (b"certificate", 7)])
def test_a_call_takes_a_trip_to_connect_more_for_tls_and_one_there_and_back(
    anchor: bytes, trips: int
) -> None:
    desk = Desk()
    call = desk.call(anchor=anchor)
    desk.wait(trips * TRIP_MS - 1)
    assert desk.server.calls == []
    desk.wait(1)
    assert desk.server.calls == [call]
    call.answer(200, b"reply")
    desk.wait(TRIP_MS)
    assert desk.heard == [((trips + 1) * TRIP_MS, ev.HttpReplied(7, 200, b"reply"))]
    assert desk.place.call is None
    desk.wait(60_000)
    assert len(desk.heard) == 1


def reasons(desk: Desk) -> list[tuple[int, str]]:
    return [(at_ms, event.reason) for at_ms, event in desk.heard]  # type: ignore[attr-defined]


def test_a_call_without_answer_ends_after_five_seconds() -> None:
    desk = Desk()
    desk.call()
    desk.wait(60_000)
    assert reasons(desk) == [(5000, "timeout")]


@pytest.mark.parametrize(
    ("trouble", "at_ms", "reason"),
    [
        (lambda desk: setattr(desk.server, "up", False), 20, "ConnectionRefusedError"),
        (lambda desk: desk.begin(faults.ConnectRefused(9_000)), 20, "ConnectionRefusedError"),
        (lambda desk: desk.begin(faults.DnsRefused(9_000)), 0, "dns"),
        (lambda desk: desk.begin(faults.BlackHole(9_000)), 5000, "timeout"),
        (lambda desk: desk.begin(faults.Slow(9_000, 2_500)), 5000, "timeout"),
    ],
)
def test_what_lies_on_the_link_ends_a_call(
    trouble: Callable[[Desk], None], at_ms: int, reason: str
) -> None:
    desk = Desk()
    trouble(desk)
    desk.call()
    desk.wait(60_000)
    assert reasons(desk) == [(at_ms, reason)]


def test_a_name_that_nobody_has_is_not_found() -> None:
    desk = Desk()
    desk.call(host="elsewhere")
    desk.wait(1)
    assert reasons(desk) == [(0, "dns")]


def test_a_reply_that_firmware_has_no_room_for_is_none() -> None:
    desk = Desk()
    call = desk.call(size_max=200)
    desk.wait(3 * TRIP_MS)
    call.answer(200, bytes(100))
    desk.wait(TRIP_MS)
    assert reasons(desk) == [(40, "reply_too_large")]


def test_a_server_that_dies_with_a_call_breaks_it() -> None:
    desk = Desk()
    call = desk.call()
    desk.wait(3 * TRIP_MS)
    call.lose()
    desk.wait(60_000)
    assert reasons(desk) == [(40, "connection_lost")]


def test_a_server_that_went_while_the_request_was_on_its_way_breaks_it_too() -> None:
    desk = Desk()
    desk.call()
    desk.wait(2 * TRIP_MS)
    desk.server.up = False
    desk.wait(60_000)
    assert (desk.server.calls, reasons(desk)) == ([], [(40, "connection_lost")])


def test_a_call_that_was_given_up_tells_nothing() -> None:
    desk = Desk()
    call = desk.call()
    desk.wait(3 * TRIP_MS)
    call.abandon()
    call.answer(200, b"reply")
    desk.wait(60_000)
    assert desk.heard == []


def test_a_call_on_a_dead_connection_hears_nothing_but_the_time() -> None:
    desk = Desk()
    call = desk.call()
    desk.wait(3 * TRIP_MS)
    desk.ways.kill(desk.place)
    call.answer(200, b"reply")
    desk.wait(60_000)
    assert reasons(desk) == [(5000, "timeout")]


def test_a_call_out_of_a_black_hole_goes_on_when_it_ends() -> None:
    desk = Desk()
    desk.begin(faults.BlackHole(1_000))
    call = desk.call()
    desk.wait(1_000)
    assert desk.server.calls == []
    desk.end()
    desk.wait(3 * TRIP_MS)
    assert desk.server.calls == [call]


# --- streams -------------------------------------------------------------------------------------


def opened(desk: Desk) -> Stream:
    stream = desk.stream()
    desk.wait(2 * TRIP_MS)
    assert desk.server.streams == [stream]
    assert desk.heard.pop() == (desk.now_ms, ev.MqttOpened())
    return stream


def test_what_is_said_arrives_in_order_both_ways() -> None:
    desk = Desk(jitter_ms=50)
    stream = desk.stream()
    desk.wait(200)
    desk.heard.clear()
    for number in range(20):
        stream.write(bytes([number]))
        stream.deliver(bytes([number]))
    desk.wait(200)
    numbers = [bytes([n]) for n in range(20)]
    assert desk.server.said == numbers
    assert [event for _, event in desk.heard] == [ev.MqttReceived(n) for n in numbers]


def test_a_slow_link_is_slow_in_each_direction() -> None:
    desk = Desk()
    stream = opened(desk)
    desk.begin(faults.Slow(9_000, 400))
    stream.write(b"x")
    desk.wait(TRIP_MS + 399)
    assert desk.server.said == []
    desk.wait(1)
    assert desk.server.said == [b"x"]
    stream.deliver(b"y")
    desk.wait(TRIP_MS + 400)
    assert [event for _, event in desk.heard] == [ev.MqttReceived(b"y")]


def test_what_was_said_before_a_link_got_faster_is_not_overtaken() -> None:
    desk = Desk()
    stream = opened(desk)
    desk.begin(faults.Slow(9_000, 400))
    stream.write(b"first")
    desk.end()
    stream.write(b"second")
    desk.wait(500)
    assert desk.server.said == [b"first", b"second"]


def test_a_black_hole_holds_what_is_said_and_lets_it_go() -> None:
    desk = Desk()
    stream = opened(desk)
    desk.begin(faults.BlackHole(9_000))
    stream.write(b"out")
    stream.deliver(b"in")
    desk.wait(8_000)
    assert (desk.server.said, desk.heard) == ([], [])
    desk.end()
    desk.wait(TRIP_MS)
    assert desk.server.said == [b"out"]
    assert [event for _, event in desk.heard] == [ev.MqttReceived(b"in")]


def test_nobody_hears_anything_on_a_dead_connection() -> None:
    desk = Desk()
    stream = opened(desk)
    stream.write(b"on its way")
    desk.ways.kill(desk.place)
    stream.write(b"out")
    stream.deliver(b"in")
    stream.hang_up()
    stream.leave()
    desk.wait(60_000)
    assert (desk.server.said, desk.server.gone, desk.heard, stream.dead) == ([], [], [], True)


def test_a_server_that_hangs_up_is_heard_after_what_it_said() -> None:
    desk = Desk()
    stream = opened(desk)
    stream.deliver(b"last")
    stream.hang_up()
    desk.wait(60_000)
    assert [event for _, event in desk.heard] == [
        ev.MqttReceived(b"last"),
        ev.MqttClosed("closed", fin=True),
    ]


def test_a_session_is_severed_from_the_last_word_on_and_not_from_its_arrival() -> None:
    desk = Desk()
    stream = opened(desk)
    before = stream.severed
    stream.hang_up()
    assert (before, stream.severed, desk.heard) == (False, True, [])
    desk.wait(60_000)
    assert (stream.severed, len(desk.heard)) == (True, 1)


@pytest.mark.parametrize("how", [Stream.leave, Stream.abandon])
def test_a_device_that_goes_is_missed_after_what_it_said(how: Callable[[Stream], None]) -> None:
    desk = Desk()
    stream = opened(desk)
    stream.write(b"last")
    how(stream)
    stream.write(b"too late")
    desk.wait(60_000)
    assert (desk.server.said, desk.server.gone, desk.heard) == ([b"last"], [1], [])


def test_a_broker_that_cannot_be_reached_is_a_closed_one_once() -> None:
    desk = Desk()
    desk.begin(faults.BlackHole(9_000))
    desk.stream()
    desk.wait(60_000)
    assert reasons(desk) == [(5000, "TimeoutError")]
    desk = Desk()
    desk.server.up = False
    desk.stream(anchor=b"certificate")
    desk.wait(60_000)
    assert reasons(desk) == [(60, "ConnectionRefusedError")]


def test_one_that_the_device_gave_up_is_not_opened() -> None:
    desk = Desk()
    desk.stream().abandon()
    desk.wait(60_000)
    assert (desk.server.streams, desk.heard) == ([], [])


def test_chance_is_the_seed_s() -> None:
    def arrivals() -> list[int]:
        desk = Desk(jitter_ms=40)
        return [desk.wan.latency_ms(()) for _ in range(50)]

    assert arrivals() == arrivals()
    assert set(arrivals()) <= set(range(TRIP_MS, TRIP_MS + 41))
    assert len(set(arrivals())) > 10


def test_an_end_needs_no_loop() -> None:
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()
    Desk().call()
