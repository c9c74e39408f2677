"""A desk in a world of its own: brought somewhere as fast as it goes, and from there at its pace."""

import pytest

from firmware_sim.errors import UsageError
from fleet.run.virtual.desk.laid import Laid, lay
from fleet.run.virtual.paced import PacedWorld
from tests.run.virtual.desk.desks import START_MS

LONG_S = 60.0


def desk(profile: str = "ipc-red-green") -> PacedWorld[Laid]:
    world = PacedWorld(lay(profile, lambda _: None), START_MS)
    world.start().result(LONG_S)
    return world


@pytest.mark.parametrize(("light", "paused"), [("waiting", False), ("joining", True)])
def test_time_stands_still_only_where_a_light_would_pass(light: str, paused: bool) -> None:
    world = desk()
    world.let(lambda laid: laid.bring(light, 20.0)).result(LONG_S)
    pace = world.pace
    assert world.do(lambda laid: laid.desk.last.light).result(LONG_S) == light
    assert world.do(lambda _: (pace.paused, pace.rate)).result(LONG_S) == (paused, 20.0)
    world.end()


def test_time_goes_on_where_a_light_is_not_to_be_had() -> None:
    world = desk("nvr")
    with pytest.raises(UsageError, match="no way"):
        world.let(lambda laid: laid.bring("joining", 2.0)).result(LONG_S)
    assert world.do(lambda laid: laid.pace.rate).result(LONG_S) == 2.0
    world.end()


def test_an_unknown_model_is_said_at_the_start() -> None:
    world = PacedWorld(lay("toaster", lambda _: None), START_MS)
    with pytest.raises(UsageError, match="no profile 'toaster'"):
        world.start().result(LONG_S)
    world.end()
