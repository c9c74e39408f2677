"""Deadlines: the smallest one, the order in which they run out, and disarming."""

from firmware_sim.device import signals
from firmware_sim.device.timers import SIGNALS, Timer, Timers


def test_every_timer_has_its_own_signal() -> None:
    assert set(SIGNALS) == set(Timer)
    assert len({type(signal) for signal in SIGNALS.values()}) == len(Timer)


def test_the_earliest_comes_first_and_each_once() -> None:
    timers = Timers()
    assert timers.next_ms() is None
    timers.arm(Timer.PING, 300)
    timers.arm(Timer.BOOT, 200)
    timers.arm(Timer.HOLD, 200)
    assert timers.next_ms() == 200
    assert timers.expired(199) == []
    assert timers.expired(300) == [
        signals.BootElapsed(),
        signals.HoldElapsed(),
        signals.PingElapsed(),
    ]
    assert timers.expired(300) == []
    assert timers.next_ms() is None


def test_disarmed_and_rearmed() -> None:
    timers = Timers()
    timers.arm(Timer.BOOT, 5)
    timers.disarm(Timer.BOOT, Timer.PING)
    assert not timers.armed(Timer.BOOT)
    timers.arm(Timer.BOOT, 9)
    timers.arm(Timer.BOOT, 7)
    assert timers.next_ms() == 7


def test_postponed_it_runs_out_later_and_nothing_else_begins_to_run() -> None:
    timers = Timers()
    timers.arm(Timer.BOOT, 5)
    timers.arm(Timer.PING, 3)
    assert timers.next_ms() == 3
    timers.postpone(100)
    assert timers.next_ms() == 103
    assert timers.expired(103) == [signals.PingElapsed()]
    assert timers.expired(1_000) == [signals.BootElapsed()]


def test_the_smallest_is_looked_for_again_after_every_change() -> None:
    timers = Timers()
    timers.arm(Timer.BOOT, 5)
    assert timers.next_ms() == 5
    timers.arm(Timer.PING, 3)
    assert timers.next_ms() == 3
    timers.arm(Timer.PING, 8)
    assert timers.next_ms() == 5
    timers.disarm(Timer.BOOT)
    assert timers.next_ms() == 8
    timers.disarm(Timer.PING)
    assert timers.next_ms() is None
    assert timers.next_ms() is None
