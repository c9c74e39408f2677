"""Helpers of the tests of graded pictures."""

from firmware_sim.camera.graded.table import Axis, Level


def level_of(**recipe: object) -> Level:
    """Return a level beside all sets; what is not said is as in the base."""
    return Level(Axis("of a test", "roll_deg", "deg", (20.0,), also=dict(recipe)), 20.0, 7_000_000)
