"""The digest sees everything that differs, and nothing that does not."""

import pytest

from firmware_sim import events as ev
from firmware_sim.runtime.virtual.trace import Trace

EVENTS = (
    ev.MqttReceived(b"a"),
    ev.MqttReceived(b"b"),
    ev.HttpReplied(1, 200, b"a"),
    ev.HttpReplied(2, 200, b"a"),
    ev.HttpFailed(1, "dns"),
    ev.HttpFailed(1, "timeout"),
    ev.LanReceived(1, b"a"),
    ev.LanReceived(2, b"a"),
    ev.DatagramReceived(7000, b"a"),
    ev.FrameDecoded(b"a"),
    ev.FrameDecoded(b"b"),
    ev.PowerApplied(),
    ev.DeadlineReached(),
    ev.ChildReached(1),
    ev.ChildReached(2),
)


def digest(*entries: tuple[int, int, ev.Event]) -> str:
    trace = Trace()
    for entry in entries:
        trace.event(*entry)
    return trace.digest()


def test_equal_runs_have_equal_digests_whenever_they_are_asked_for() -> None:
    one, other = Trace(), Trace()
    for number in range(2_000):
        for trace in (one, other):
            trace.event(number, 3, ev.MqttReceived(bytes([number & 255])))
        if number % 700 == 0:
            assert one.digest() == one.digest()
    assert one.digest() == other.digest()
    assert one.count == 2_000


@pytest.mark.parametrize("first", EVENTS)
@pytest.mark.parametrize("second", EVENTS)
def test_kind_and_content_count(first: ev.Event, second: ev.Event) -> None:
    assert (digest((1, 1, first)) == digest((1, 1, second))) == (first == second)


def test_time_device_and_order_count() -> None:
    a, b = ev.PowerApplied(), ev.PowerRemoved()
    assert len({digest((1, 1, a)), digest((2, 1, a)), digest((1, 2, a))}) == 3
    assert digest((1, 1, a), (1, 1, b)) != digest((1, 1, b), (1, 1, a))


def test_what_people_and_servers_do_counts_with_its_content() -> None:
    digests = set()
    for what, content in (("POST /x", b""), ("POST /x", b"1"), ("GET /x", b"")):
        trace = Trace()
        trace.note(1, "person", 0, what, content)
        digests.add(trace.digest())
    assert len(digests) == 3


def test_the_last_entries_are_kept_in_full() -> None:
    trace = Trace(kept_max=2)
    for number in range(5):
        trace.event(number, 0, ev.ChildLost(number))
    assert list(trace.last) == [(n, "device", 0, ev.ChildLost(n)) for n in (3, 4)]
