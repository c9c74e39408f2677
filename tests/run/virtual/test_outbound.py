"""What goes out of a cloud: in order, later where it is slow, afterwards where it stood still."""

from firmware_sim.effects import Effect
from firmware_sim.runtime.virtual.agenda import Agenda
from fleet.cloud.messages import CloseStream
from fleet.run.virtual.outbound import Hand, Outbound


class Desk:
    """A cloud with one hand, which puts its voice in front of it when it has to."""

    def __init__(self) -> None:
        self.agenda = Agenda(0)
        self.said: list[tuple[int, int]] = []
        self.changes = 0
        self.outbound = Outbound(self.agenda, self._changed)
        self.hand: Hand = self._say

    def _changed(self) -> None:
        self.changes += 1
        self.hand = self.outbound.through(self._say) if self.outbound.busy else self._say

    def _say(self, effect: Effect) -> None:
        assert isinstance(effect, CloseStream)
        self.said.append((self.agenda.now_ms, effect.conn))

    def say(self, number: int) -> None:
        self.hand(CloseStream(number))

    def wait(self, duration_ms: int) -> None:
        self.agenda.run_until(self.agenda.now_ms + duration_ms)


def test_a_slow_cloud_speaks_later_and_in_order() -> None:
    desk = Desk()
    desk.say(1)
    desk.outbound.slow_down(500)
    desk.say(2)
    desk.wait(100)
    desk.outbound.slow_down(50)
    desk.say(3)
    desk.wait(100)
    desk.outbound.slow_down(0)
    desk.say(4)
    desk.wait(1_000)
    assert desk.said == [(0, 1), (500, 2), (500, 3), (500, 4)]
    assert not desk.outbound.busy
    assert desk.changes == 4, "it steps out of the way when all is said"
    desk.say(5)
    assert desk.said[-1] == (1_200, 5)


def test_a_cloud_that_stands_still_says_everything_afterwards() -> None:
    desk = Desk()
    desk.outbound.slow_down(500)
    desk.say(1)
    desk.outbound.slow_down(0)
    desk.outbound.hush()
    desk.say(2)
    desk.wait(2_000)
    assert (desk.said, desk.outbound.busy) == ([], True)
    desk.outbound.speak_up()
    assert desk.said == [(2_000, 1), (2_000, 2)]
    assert not desk.outbound.busy


def test_what_a_crash_interrupts_is_never_said() -> None:
    desk = Desk()
    desk.outbound.slow_down(500)
    desk.say(1)
    desk.outbound.hush()
    desk.say(2)
    desk.wait(600)
    desk.say(3)
    desk.outbound.lose()
    desk.outbound.slow_down(0)
    desk.say(4)
    desk.wait(1_000)
    assert desk.said == [(600, 4)]
    assert not desk.outbound.busy
