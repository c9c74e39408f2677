"""Connections that stand when a fault begins or ends, also those that their device has left."""

import pytest

from firmware_sim import events as ev
from firmware_sim.runtime import faults
from firmware_sim.runtime.virtual.wan import Stream
from tests.runtime.virtual.test_wan import TRIP_MS, Desk, opened, reasons

HOLE = faults.BlackHole(9_000)


def left_in_a_hole(desk: Desk) -> Stream:
    """Return a connection that its device has left while nothing got through."""
    stream = opened(desk)
    desk.begin(HOLE)
    stream.write(b"farewell")
    stream.leave()
    desk.place.stream = None
    desk.wait(1_000)
    assert (desk.server.said, desk.server.gone) == ([], [])
    return stream


def test_last_words_into_a_black_hole_arrive_when_it_has_gone() -> None:
    desk = Desk()
    left_in_a_hole(desk)
    desk.end()
    desk.wait(TRIP_MS)
    assert (desk.server.said, desk.server.gone) == ([b"farewell"], [1])


def test_a_hole_in_a_hole_lets_nothing_go() -> None:
    desk = Desk()
    left_in_a_hole(desk)
    desk.begin(HOLE)
    desk.place.faults = (HOLE,)  # the first one has ended
    desk.ways.treat(desk.place)
    desk.wait(1_000)
    assert desk.server.said == []
    desk.end()
    desk.wait(TRIP_MS)
    assert desk.server.said == [b"farewell"]


def test_what_was_left_dies_with_what_stands() -> None:
    desk = Desk()
    old = left_in_a_hole(desk)
    desk.place.faults = ()
    new = opened_beside(desk)
    desk.ways.kill(desk.place)
    desk.ways.treat(desk.place)
    new.write(b"out")
    desk.wait(60_000)
    assert (desk.server.said, desk.server.gone) == ([], [])
    assert (old.dead, new.dead) == (True, True)


def opened_beside(desk: Desk) -> Stream:
    stream = desk.stream()
    desk.wait(2 * TRIP_MS)
    desk.heard.clear()
    return stream


def test_the_cloud_does_not_hear_who_is_cut_off_in_a_black_hole() -> None:
    desk = Desk()
    stream = opened(desk)
    desk.begin(HOLE)
    stream.write(b"never heard")
    stream.abandon()
    desk.place.stream = None
    desk.end()
    stream.deliver(b"are you there?")
    desk.wait(60_000)
    assert (desk.server.said, desk.server.gone, desk.heard) == ([], [], [])


def test_a_request_that_timed_out_in_a_black_hole_is_carried_out_afterwards() -> None:
    desk = Desk()
    call = desk.call()
    desk.wait(2 * TRIP_MS - 1)
    desk.begin(HOLE)
    desk.wait(6_000)
    assert reasons(desk) == [(5_000, "timeout")]
    assert desk.server.calls == []
    desk.end()
    desk.wait(TRIP_MS)
    assert desk.server.calls == [call]
    call.answer(200, b"reply")
    desk.wait(60_000)
    assert len(desk.heard) == 1, "nobody waits for it any more"


@pytest.mark.parametrize("connected", [True, False])
def test_a_request_of_who_lost_its_power_in_a_black_hole_is_not(connected: bool) -> None:
    desk = Desk()
    if not connected:
        desk.begin(HOLE)
    call = desk.call()
    desk.wait(2 * TRIP_MS - 1)
    if connected:
        desk.begin(HOLE)
        desk.wait(1)
    call.abandon()
    desk.end()
    desk.wait(60_000)
    assert (desk.server.calls, desk.heard) == ([], [])


# --- loss ---------------------------------------------------------------------------------------


def test_a_lost_segment_is_late_and_holds_up_what_comes_after_it() -> None:
    desk = Desk()
    stream = opened(desk)
    desk.begin(faults.Loss(9_000, 50))
    sent = [bytes([number]) for number in range(40)]
    began_ms = desk.now_ms
    for data in sent:
        stream.write(data)
        stream.deliver(data)
    desk.end()
    stream.write(b"afterwards")
    desk.wait(TRIP_MS)
    assert len(desk.server.said) < len(sent), "some are late"
    desk.wait(31_000)
    assert desk.server.said == [*sent, b"afterwards"]
    assert [event for _, event in desk.heard] == [ev.MqttReceived(data) for data in sent]
    resends_ms = {at_ms - began_ms - TRIP_MS for at_ms, _ in desk.heard}
    assert resends_ms <= {0, 1_000, 3_000, 7_000, 15_000, 31_000}
    stream.write(b"again")
    desk.wait(TRIP_MS)
    assert desk.server.said[-1] == b"again", "it is over"


def test_connecting_takes_longer_where_packets_are_lost() -> None:
    desk = Desk()
    desk.begin(faults.Loss(9_000, 90))
    desk.call()
    desk.wait(60_000)
    assert reasons(desk) == [(5_000, "timeout")]
    desk.end()
    call = desk.call()
    desk.wait(3 * TRIP_MS)
    assert desk.server.calls[-1] is call
