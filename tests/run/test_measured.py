from fleet.run.histogram import Histogram
from fleet.run.measured import nothing_measured
from fleet.run.messages import Pulse
from fleet.run.phases import PHASES


def pulse(frames: int, **struck: int) -> Pulse:
    boots, lag = Histogram(), Histogram()
    boots.record(1_000)
    lag.record(2)
    return Pulse({"boot": boots}, lag, frames, frames, 1.0, {0: struck})


def test_pulses_add_up_and_the_last_one_says_how_many_frames() -> None:
    measured = nothing_measured()
    assert set(measured.phases) == set(PHASES)
    measured.take(0, pulse(5, online=2))
    measured.take(1, pulse(7, online=1, booting=4))
    measured.take(0, pulse(6))
    assert measured.phases["boot"].count == measured.loop_lag.count == 3
    assert sum(one.frames for one in measured.lens.values()) == 13
    assert measured.struck == {0: {"online": 3, "booting": 4}}
