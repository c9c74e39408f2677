"""What each light of a model means to the person at the bench, and who says so.

Which of the four words an operator reads comes from the output table of the firmware. That there
are four is published by the vendor ("Unbind Smart Devices"); the sentences are our own
(`firmware_sim.device.meaning`).
"""

import msgspec

from firmware_sim.device.indicator import LIGHTS, OUTPUTS, Colour, Pattern
from firmware_sim.device.meaning import meaning
from firmware_sim.device.profile import Profile
from firmware_sim.errors import UsageError

OUR_CHOICE = "our choice"
_NO_PAGE = (OUR_CHOICE, "no power")


class Lamp(msgspec.Struct, frozen=True):
    """One light on the case, and the colours that come from it."""

    title: str
    colours: tuple[Colour, ...]

    def shows(self, colour: str) -> str:
        """Return what this one shows when `colour` is lit on the device: it, or "" (dark)."""
        return colour if colour in self.colours else ""


class Light(msgspec.Struct, frozen=True):
    """One state of a light, as a row of a table.

    `reads`: what the operator reads, "" for nothing, several where it depends on what was before.
    `vendors`: whether `pattern.source` is a page, not a choice of our own.
    """

    state: str
    reads: tuple[str, ...]
    meaning: str
    words: str
    vendors: bool
    pattern: Pattern

    @property
    def reading(self) -> str:
        """Return what the operator reads, in one line; "" if that is never a word."""
        words = [word for word in self.reads if word]
        return " or ".join([*words, *(["nothing"] if "" in self.reads and words else [])])

    @property
    def origin(self) -> str:
        """Return where the pattern comes from, in one line."""
        return f"vendor: {self.pattern.source}" if self.vendors else self.pattern.source


def lamps(profile: Profile) -> tuple[Lamp, ...]:
    """Return the lights on a model's case: one, or a main one and a second one."""
    used = (colour for light in LIGHTS for colour in profile.indicator[light].colours)
    colours = tuple(dict.fromkeys(used))
    main = tuple(colour for colour in colours if colour not in profile.second_light)
    second = tuple(colour for colour in colours if colour in profile.second_light)
    if not (main and second):
        return (Lamp("", colours),)
    return (Lamp("main", main), Lamp("second", second))


def lights(profile: Profile) -> tuple[Light, ...]:
    """Return every state that a model's light can show, in the order of `LIGHTS`."""
    return tuple(_light(profile, state) for state in LIGHTS)


def light(profile: Profile, state: str) -> Light:
    """Return one state of a model's light.

    Raises `UsageError` for a state that there is not.
    """
    if state not in LIGHTS:
        raise UsageError(f"no state {state!r} of a light; allowed: {', '.join(LIGHTS)}")
    return _light(profile, state)


def _light(profile: Profile, state: str) -> Light:
    pattern = profile.indicator[state]
    return Light(
        state=state,
        reads=tuple(dict.fromkeys(line.operator for line in OUTPUTS if line.light == state)),
        meaning=meaning(profile, state),
        words=pattern.in_words(),
        vendors=pattern.source not in _NO_PAGE,
        pattern=pattern,
    )
