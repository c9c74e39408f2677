"""Lines of push consumers: what is said arrives in order, and nothing after the end."""

from firmware_sim.runtime.virtual.agenda import Agenda
from fleet.cloud.push_events import (
    AdmitConsumer,
    CloseConsumer,
    ConsumerClosed,
    ConsumerEvent,
    ConsumerOpened,
    ConsumerReceived,
    RefuseConsumer,
    SendFrames,
)
from fleet.run.virtual.push_line import TRIP_MS, Knock, PushLines

KNOCK = Knock("/target", "name", "password")
OPENED = ConsumerOpened(1, "/target", "", "name", "password")


class Both:
    """A cloud and a reader."""

    def __init__(self) -> None:
        self.agenda = Agenda(0)
        self.up = True
        self.events: list[ConsumerEvent] = []
        self.heard: list[tuple[object, ...]] = []
        self.lines = PushLines(self.agenda, lambda: self.up, self.events.append)
        self.hands = self.lines.hands()

    def took(self, line: int, texts: tuple[bytes, ...]) -> None:
        self.heard.append((line, texts))

    def lost(self, line: int) -> None:
        self.heard.append((line, "lost"))

    def wait(self) -> None:
        self.agenda.run_until(self.agenda.now_ms + TRIP_MS)


def test_messages_go_both_ways() -> None:
    both = Both()
    assert both.lines.open(both, KNOCK) == 1
    assert both.events == []
    both.wait()
    both.hands[AdmitConsumer](AdmitConsumer(1))
    both.hands[SendFrames](SendFrames(1, (b"a", b"b")))
    both.lines.say(1, (b"c",))
    both.lines.close(1)
    both.wait()
    assert both.events == [OPENED, ConsumerReceived(1, (b"c",)), ConsumerClosed(1)]
    assert both.heard == [(1, (b"a", b"b"))]


def test_nothing_arrives_on_a_line_that_has_ended() -> None:
    both = Both()
    both.lines.open(both, KNOCK)
    both.wait()
    both.lines.close(1)
    both.lines.close(1)
    both.lines.say(1, (b"c",))
    both.hands[SendFrames](SendFrames(1, (b"a",)))
    both.hands[CloseConsumer](CloseConsumer(1, 1008, ""))
    both.wait()
    assert both.events == [OPENED]
    assert both.heard == [(1, "lost")]


def test_a_refusal_and_a_crash_end_lines() -> None:
    both = Both()
    for _ in range(2):
        both.lines.open(both, KNOCK)
    both.wait()
    both.hands[RefuseConsumer](RefuseConsumer(1, 401, ""))
    both.lines.lose_all()
    both.wait()
    assert both.heard == [(1, "lost"), (2, "lost")]
    assert "password" not in repr(KNOCK)


def test_nobody_reaches_a_cloud_that_is_down() -> None:
    both = Both()
    both.up = False
    both.lines.open(both, KNOCK)
    both.wait()
    both.wait()
    assert both.events == []
    assert both.heard == [(1, "lost")]
