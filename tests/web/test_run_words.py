"""What the live run view is told has to be told often: it is small."""

import msgspec

from fleet.web.run_view import RunView
from tests.web.control_world import World

SIZE_MAX = 8_000  # bytes of one moment, twice a second


def test_a_moment_is_small() -> None:
    world = World(playing=True)
    moment = RunView(world.live, world.control.injecting.injected).moment()
    assert len(msgspec.json.encode(moment)) < SIZE_MAX
