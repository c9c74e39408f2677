"""Patterns to try: those of all models, and any that a profile may have."""

from typing import get_args

import msgspec
from hypothesis import strategies as st

from firmware_sim.device.indicator import LIGHTS, Colour, Mode, Pattern
from firmware_sim.device.profile import Profile
from fleet.light.meaning import Lamp, lamps
from hw_profiles import catalog

COLOURS: tuple[Colour, ...] = get_args(Colour)
MODELS: dict[str, Profile] = {name: catalog.load(name) for name in catalog.names()}
STATES = [(name, state) for name in MODELS for state in LIGHTS]


def _distinct() -> list[tuple[str, str]]:
    """Return one model and state for each pattern on each case; others would look the same."""
    found: dict[tuple[Pattern, tuple[Lamp, ...]], tuple[str, str]] = {}
    for name, state in STATES:
        pattern = msgspec.structs.replace(MODELS[name].indicator[state], source="x")
        found.setdefault((pattern, lamps(MODELS[name])), (name, state))
    return list(found.values())


LOOKS = _distinct()

DARK = Pattern(Mode.OFF, "x")
SOLID = Pattern(Mode.SOLID, "x", ("amber",))
BLINK = Pattern(Mode.BLINK, "x", ("red",), 250, 500)
BOTH = Pattern(Mode.ALTERNATE, "x", ("red", "green"), 250, 250)


def moving(least_ms: int = 1, most_ms: int = 60_000) -> st.SearchStrategy[Pattern]:
    """Return patterns that move, none of whose stretches is shorter or longer than that."""
    lasting = st.integers(least_ms, most_ms)
    colour = st.sampled_from(COLOURS)
    return st.one_of(
        st.builds(
            lambda one, on, off: Pattern(Mode.BLINK, "x", (one,), on, off), colour, lasting, lasting
        ),
        st.builds(
            lambda pair, on, off: Pattern(Mode.ALTERNATE, "x", tuple(pair), on, off),
            st.lists(colour, min_size=2, max_size=2, unique=True),
            lasting,
            lasting,
        ),
    )
